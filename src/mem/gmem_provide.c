/* SPDX-License-Identifier: MIT */
#include "mem/gmem_provide.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "mem/gmem.h"

#define LINE_BYTES 4352 /* a path, and the columns before it */
#define HUGE_BYTES (2ull << 20)
#define PAGE_BYTES 4096u
#define HUGE_PAGES "AnonHugePages:"

/* Since Linux 5.14 and 6.1; older headers lack them. */
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

uint64_t gmem_huge_bytes(FILE *smaps, const struct gmem_region *region)
{
	uint64_t host = (uintptr_t)region->host, sum_kib = 0;
	char line[LINE_BYTES];
	bool counts = false;

	while (fgets(line, sizeof(line), smaps)) {
		char *rest;
		uint64_t start = strtoull(line, &rest, 16);

		if (rest != line && *rest == '-')
			counts = start >= host && start - host < region->bytes;
		else if (counts &&
			 !strncmp(line, HUGE_PAGES, strlen(HUGE_PAGES)))
			sum_kib +=
				strtoull(line + strlen(HUGE_PAGES), NULL, 10);
	}
	return sum_kib << 10;
}

/* Return: 0 or -errno. */
static int populate(const struct gmem_region *r)
{
	volatile uint8_t *byte = r->host;

	if (!madvise(r->host, r->bytes, MADV_POPULATE_WRITE))
		return 0;
	if (errno != EINVAL)
		return -errno;
	/* What is there stays as it is: nobody else writes now. */
	for (uint64_t at = 0; at < r->bytes; at += PAGE_BYTES)
		/* cppcheck-suppress selfAssignment ; to touch it */
		byte[at] = byte[at];
	return 0;
}

static uint64_t huge_bytes(const struct gmem_region *r)
{
	FILE *smaps = fopen("/proc/self/smaps", "re");
	uint64_t bytes = 0;

	if (smaps) {
		bytes = gmem_huge_bytes(smaps, r);
		fclose(smaps);
	}
	return bytes;
}

static int check_huge(const struct gmem_region *r, GError **error)
{
	uint64_t want = r->bytes & ~(HUGE_BYTES - 1), have = huge_bytes(r);

	if (have < want) {
		/* The host may have had none at hand at that moment. */
		madvise(r->host, want, MADV_COLLAPSE);
		have = huge_bytes(r);
	}
	if (have >= want)
		return 0;
	g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOMEM,
		    "guest memory: of %" G_GUINT64_FORMAT
		    " MiB the host has %" G_GUINT64_FORMAT
		    " in pages of 2 MiB; 'madvise' in /sys/kernel/mm/"
		    "transparent_hugepage/enabled and free memory help",
		    want >> 20, have >> 20);
	return -1;
}

int gmem_provide(struct gmem *mem, bool huge, GError **error)
{
	const struct gmem_region *regions;
	unsigned int n;

	regions = gmem_regions(mem, &n);
	for (unsigned int i = 0; i < n; i++) {
		int err = populate(&regions[i]);

		if (err) {
			g_set_error(
				error, G_FILE_ERROR,
				(int)g_file_error_from_errno(-err),
				"guest memory: not all of %" G_GUINT64_FORMAT
				" MiB can be had: %s",
				regions[i].bytes >> 20, g_strerror(-err));
			return -1;
		}
		if (huge && check_huge(&regions[i], error))
			return -1;
	}
	return 0;
}

int gmem_lock(GError **error)
{
	/* As they are used: stacks and spare RAM are mostly not. */
	if (!mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT))
		return 0;
	g_set_error(error, G_FILE_ERROR, (int)g_file_error_from_errno(errno),
		    "guest memory: cannot be locked: %s; 'ulimit -l' or "
		    "CAP_IPC_LOCK allow it",
		    g_strerror(errno));
	return -1;
}
