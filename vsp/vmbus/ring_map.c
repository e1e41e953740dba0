/* SPDX-License-Identifier: MIT */
#include "vsp/vmbus/ring_map.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>

#include <glib.h>

#include "mem/gmem.h"
#include "proto/hv_tlfs.h"
#include "vsp/vmbus/gpadl.h"
#include "vsp/vmbus/ring.h"

struct ring_map {
	struct gmem *mem;
	uint64_t *pfns; /* as in the GPADL */
	void *base;
	size_t bytes; /* of address space */
	unsigned int n_mappings; /* of the budget */
	/* pages of data */
	uint32_t in_pages, out_pages;
};

/* What all rings of the process take of RING_MAPPINGS_MAX, or are about to. */
static _Atomic unsigned int mappings_used;

static bool take_mappings(struct gmem *mem, unsigned int n)
{
	unsigned int used = atomic_fetch_add(&mappings_used, n) + n;

	if (used + gmem_mappings(mem) <= RING_MAPPINGS_MAX)
		return true;
	atomic_fetch_sub(&mappings_used, n);
	return false;
}

static unsigned int count_runs(const uint64_t *pfns, uint32_t n)
{
	unsigned int runs = 1;

	for (uint32_t i = 1; i < n; i++)
		runs += pfns[i] != pfns[i - 1] + 1;
	return runs;
}

static uint8_t *page_at(const struct ring_map *map, uint64_t page)
{
	return (uint8_t *)map->base + page * HV_PAGE_SIZE;
}

/* Header, data, data again, from page @to of the address space on. */
static int map_ring(const struct ring_map *map, uint64_t to,
		    const uint64_t *pfns, uint32_t data_pages)
{
	int err = gmem_alias(map->mem, page_at(map, to), pfns, 1 + data_pages);

	if (err)
		return err;
	err = gmem_alias(map->mem, page_at(map, to + 1 + data_pages), pfns + 1,
			 data_pages);
	if (err)
		gmem_unalias(map->mem, pfns, 1 + data_pages);
	return err;
}

static void unalias_ring(const struct ring_map *map, const uint64_t *pfns,
			 uint32_t data_pages,
			 void (*unalias)(struct gmem *mem, const uint64_t *pfns,
					 size_t n))
{
	unalias(map->mem, pfns + 1, data_pages);
	unalias(map->mem, pfns, 1 + data_pages);
}

static int map_both(struct ring_map *map)
{
	const uint64_t *out_pfns = map->pfns + 1 + map->in_pages;
	int err;

	map->base = mmap(NULL, map->bytes, PROT_NONE,
			 /* cppcheck-suppress invalidFunctionArg ; fd -1 */
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (map->base == MAP_FAILED)
		return -errno;
	err = map_ring(map, 0, map->pfns, map->in_pages);
	if (!err) {
		err = map_ring(map, 1 + 2 * (uint64_t)map->in_pages, out_pfns,
			       map->out_pages);
		if (err)
			unalias_ring(map, map->pfns, map->in_pages,
				     gmem_unalias);
	}
	if (err)
		munmap(map->base, map->bytes);
	return err;
}

struct ring_map *ring_map_new(struct gmem *mem, const struct gpadl *gpadl,
			      uint32_t downstream_page, int *err)
{
	const struct gpadl_range *range = gpadl_range(gpadl, 0);
	uint32_t n = range->n_pages;
	unsigned int runs;
	struct ring_map *map;

	*err = -EINVAL;
	if (gpadl_n_ranges(gpadl) != 1 || range->offset ||
	    range->bytes != (uint64_t)n * HV_PAGE_SIZE || downstream_page < 2 ||
	    downstream_page > n || n - downstream_page < 2)
		return NULL;
	map = g_new0(struct ring_map, 1);
	map->mem = mem;
	map->in_pages = downstream_page - 1;
	map->out_pages = n - downstream_page - 1;
	map->bytes = 2 * ((size_t)n - 1) * HV_PAGE_SIZE;
	/* Those of the data count twice; the rings may split two runs. */
	runs = count_runs(range->pfns, n);
	map->n_mappings = 2 * runs + 4;
	*err = -ENOSPC;
	if (!take_mappings(mem, map->n_mappings + 2 * runs))
		goto no_budget;
	map->pfns = g_memdup2(range->pfns, n * sizeof(range->pfns[0]));
	*err = map_both(map);
	/* By how much it split the RAM gmem_mappings() knows now. */
	atomic_fetch_sub(&mappings_used, 2 * runs);
	if (!*err)
		return map;
	g_free(map->pfns);
	atomic_fetch_sub(&mappings_used, map->n_mappings);
no_budget:
	g_free(map);
	return NULL;
}

void ring_map_free(struct ring_map *map)
{
	if (!map)
		return;
	munmap(map->base, map->bytes);
	unalias_ring(map, map->pfns, map->in_pages, gmem_unalias_later);
	unalias_ring(map, map->pfns + 1 + map->in_pages, map->out_pages,
		     gmem_unalias_later);
	atomic_fetch_sub(&mappings_used, map->n_mappings);
	g_free(map->pfns);
	g_free(map);
}

int ring_map_init(const struct ring_map *map, struct ring_in *in,
		  struct ring_out *out)
{
	uint64_t out_at = 1 + 2 * (uint64_t)map->in_pages;
	void *in_header = page_at(map, 0), *out_header = page_at(map, out_at);
	int err = ring_in_init(in, in_header, page_at(map, 1),
			       map->in_pages * HV_PAGE_SIZE);

	if (err)
		return err;
	return ring_out_init(out, out_header, page_at(map, out_at + 1),
			     map->out_pages * HV_PAGE_SIZE);
}
