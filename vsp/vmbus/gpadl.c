/* SPDX-License-Identifier: MIT */
#include "vsp/vmbus/gpadl.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include <glib.h>

#include "proto/hv_tlfs.h"
#include "proto/vmbus.h"

/* A page number, or the two halves of a struct gpa_range. */
#define WORD sizeof(uint64_t)

struct gpadl {
	uint32_t id;
	uint32_t n_words; /* to arrive in all */
	uint32_t have; /* have arrived */
	uint32_t n_ranges;
	uint64_t bytes;
	struct gpadl_range *ranges; /* NULL until checked */
	uint64_t words[];
};

struct gpadl *gpadl_new(uint32_t id, uint16_t range_bytes, uint16_t n_ranges)
{
	uint32_t n_words = range_bytes / WORD;
	struct gpadl *g;

	/* The shortest range is its header and one page. */
	if (!n_ranges || range_bytes % WORD || n_words < 2u * n_ranges)
		return NULL;
	g = g_try_malloc0(sizeof(*g) + n_words * WORD);
	if (!g)
		return NULL;
	g->id = id;
	g->n_words = n_words;
	g->n_ranges = n_ranges;
	return g;
}

void gpadl_free(struct gpadl *gpadl)
{
	if (!gpadl)
		return;
	g_free(gpadl->ranges);
	g_free(gpadl);
}

int gpadl_append(struct gpadl *gpadl, const void *data, size_t size)
{
	size_t n = MIN(size / WORD, gpadl->n_words - gpadl->have);

	if (!n)
		return -EINVAL;
	memcpy(&gpadl->words[gpadl->have], data, n * WORD);
	gpadl->have += (uint32_t)n;
	return gpadl->have == gpadl->n_words;
}

/* Fill in @range from the word at *@at, and go to the word behind it. */
static int parse_range(const struct gpadl *g, uint32_t *at,
		       struct gpadl_range *range)
{
	struct gpa_range head;
	uint64_t pages;

	if (*at == g->n_words)
		return -EINVAL;
	memcpy(&head, &g->words[(*at)++], sizeof(head));
	if (!head.byte_count || head.byte_offset >= HV_PAGE_SIZE)
		return -EINVAL;
	pages = ((uint64_t)head.byte_offset + head.byte_count + HV_PAGE_SIZE -
		 1) /
		HV_PAGE_SIZE;
	if (pages > g->n_words - *at)
		return -EINVAL;
	*range = (struct gpadl_range){.bytes = head.byte_count,
				      .offset = head.byte_offset,
				      .n_pages = (uint32_t)pages,
				      .pfns = &g->words[*at]};
	*at += (uint32_t)pages;
	return 0;
}

static bool are_ram(const struct gpadl_range *range,
		    bool (*is_ram)(void *ctx, uint64_t pfn), void *ctx)
{
	for (uint32_t i = 0; i < range->n_pages; i++) {
		if (!is_ram(ctx, range->pfns[i]))
			return false;
	}
	return true;
}

int gpadl_check(struct gpadl *gpadl, bool (*is_ram)(void *ctx, uint64_t pfn),
		void *ctx)
{
	uint32_t at = 0;

	assert(!gpadl->ranges);
	gpadl->ranges = g_try_new0(struct gpadl_range, gpadl->n_ranges);
	if (!gpadl->ranges)
		return -ENOMEM;
	for (uint32_t i = 0; i < gpadl->n_ranges; i++) {
		struct gpadl_range *range = &gpadl->ranges[i];

		if (parse_range(gpadl, &at, range))
			return -EINVAL;
		if (!are_ram(range, is_ram, ctx))
			return -EFAULT;
		gpadl->bytes += range->bytes;
	}
	return at == gpadl->n_words ? 0 : -EINVAL;
}

uint32_t gpadl_id(const struct gpadl *gpadl)
{
	return gpadl->id;
}

uint32_t gpadl_max_pages(const struct gpadl *gpadl)
{
	return gpadl->n_words - gpadl->n_ranges;
}

unsigned int gpadl_n_ranges(const struct gpadl *gpadl)
{
	return gpadl->n_ranges;
}

const struct gpadl_range *gpadl_range(const struct gpadl *gpadl, unsigned int i)
{
	return &gpadl->ranges[i];
}

uint64_t gpadl_bytes(const struct gpadl *gpadl)
{
	return gpadl->bytes;
}
