/* SPDX-License-Identifier: MIT */
#include "mem/gpa_range.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/uio.h>

#include "base/reader.h"
#include "mem/gmem.h"
#include "proto/hv_tlfs.h"
#include "proto/vmbus.h"

#define PFN_MAX (UINT64_MAX / HV_PAGE_SIZE)

/* The head of the next range; the reader is at its page numbers then. */
static bool next_range(struct reader *r, struct gpa_range *range,
		       uint64_t *n_pages)
{
	reader_bytes(r, range, sizeof(*range));
	if (!range->byte_count || range->byte_offset >= HV_PAGE_SIZE)
		return false;
	*n_pages = ((uint64_t)range->byte_offset + range->byte_count +
		    HV_PAGE_SIZE - 1) /
		   HV_PAGE_SIZE;
	return *n_pages <= reader_left(r) / sizeof(uint64_t);
}

int gpa_ranges_check(const struct gpa_range_list *list, uint64_t *total)
{
	struct reader r = reader_init(list->data, list->size);
	uint64_t sum = 0, n_pages;
	struct gpa_range range;

	if (!list->n_ranges)
		return -EINVAL;
	for (uint32_t i = 0; i < list->n_ranges; i++) {
		/* Each takes 16 bytes at least, so the list ends this. */
		if (!next_range(&r, &range, &n_pages))
			return -EINVAL;
		reader_at(&r, r.pos + n_pages * sizeof(uint64_t));
		sum += range.byte_count;
	}
	if (total)
		*total = sum;
	return 0;
}

/* Pieces that have been made so far. */
struct pieces {
	struct iovec *iov;
	unsigned int n, n_max;
};

static int add_piece(struct pieces *p, uint8_t *host, size_t len)
{
	struct iovec *last = p->n ? &p->iov[p->n - 1] : NULL;

	if (last && (uint8_t *)last->iov_base + last->iov_len == host) {
		last->iov_len += len;
		return 0;
	}
	if (p->n == p->n_max)
		return -E2BIG;
	p->iov[p->n++] = (struct iovec){.iov_base = host, .iov_len = len};
	return 0;
}

static int add_range(struct gmem *mem, struct reader *r, struct pieces *p)
{
	struct gpa_range range;
	uint64_t n_pages;
	uint32_t offset;
	int err;

	if (!next_range(r, &range, &n_pages))
		return -EINVAL;
	offset = range.byte_offset;
	for (uint64_t left = range.byte_count; left;) {
		uint64_t pfn = reader_u64(r), len = HV_PAGE_SIZE - offset;
		uint8_t *host;

		len = len < left ? len : left;
		if (pfn > PFN_MAX)
			return -EFAULT;
		host = gmem_load(mem, pfn * HV_PAGE_SIZE + offset, len);
		if (!host)
			return -EFAULT;
		err = add_piece(p, host, len);
		if (err)
			return err;
		left -= len;
		offset = 0;
	}
	return 0;
}

int gpa_ranges_iov(struct gmem *mem, const struct gpa_range_list *list,
		   struct iovec *iov, unsigned int n_max)
{
	struct reader r = reader_init(list->data, list->size);
	struct pieces p = {.iov = iov, .n_max = n_max};

	if (!list->n_ranges)
		return -EINVAL;
	for (uint32_t i = 0; i < list->n_ranges; i++) {
		int err = add_range(mem, &r, &p);

		if (err)
			return err;
	}
	return (int)p.n;
}
