/* SPDX-License-Identifier: MIT */
#include "mem/resident.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "mem/gmem.h"

#define LINE_BYTES 4352 /* a path, and the columns before it */

#define RSS "Rss:"

/* What alias mappings are called in smaps; see gmem_share_init(). */
#define ALIAS_NAME "/memfd:" GMEM_SHARED_NAME

static bool is_in(const struct gmem_region *region, uint64_t at)
{
	uint64_t host = (uintptr_t)region->host;

	return at >= host && at - host < region->bytes;
}

static bool is_ram(const struct gmem *mem, uint64_t start, const char *line)
{
	const struct gmem_region *regions, *spare = gmem_spare(mem);
	unsigned int n;

	regions = gmem_regions(mem, &n);
	for (unsigned int i = 0; i < n; i++) {
		if (is_in(&regions[i], start))
			return true;
	}
	return (spare && is_in(spare, start)) || strstr(line, ALIAS_NAME);
}

uint64_t resident_besides_ram(FILE *smaps, const struct gmem *mem)
{
	char line[LINE_BYTES];
	uint64_t sum_kib = 0;
	bool counts = false;

	while (fgets(line, sizeof(line), smaps)) {
		char *rest;
		uint64_t start = strtoull(line, &rest, 16);

		if (rest != line && *rest == '-')
			counts = !is_ram(mem, start, line);
		else if (counts && !strncmp(line, RSS, strlen(RSS)))
			sum_kib += strtoull(line + strlen(RSS), NULL, 10);
	}
	return sum_kib << 10;
}
