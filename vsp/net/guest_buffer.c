/* SPDX-License-Identifier: MIT */
#include "vsp/net/guest_buffer.h"

#include <assert.h>
#include <string.h>
#include <sys/uio.h>

#include <glib.h>

#include "base/checked.h"
#include "mem/gmem.h"
#include "proto/hv_tlfs.h"
#include "vsp/vmbus/gpadl.h"

struct guest_buffer {
	struct gmem *mem;
	struct gmem_pin *pin;
	uint32_t n_pages;
	uint8_t *pages[];
};

/* Return: false when a page is no RAM. */
static bool find_pages(struct guest_buffer *b, const uint64_t *pfns)
{
	for (uint32_t i = 0; i < b->n_pages; i++) {
		if (pfns[i] > UINT64_MAX / HV_PAGE_SIZE)
			return false;
		b->pages[i] =
			gmem_load(b->mem, pfns[i] * HV_PAGE_SIZE, HV_PAGE_SIZE);
		if (!b->pages[i])
			return false;
	}
	return true;
}

static void pin(struct guest_buffer *b)
{
	g_autofree struct iovec *iov = g_new(struct iovec, b->n_pages);

	for (uint32_t i = 0; i < b->n_pages; i++)
		iov[i] = (struct iovec){.iov_base = b->pages[i],
					.iov_len = HV_PAGE_SIZE};
	b->pin = gmem_pin(b->mem, iov, b->n_pages);
}

struct guest_buffer *guest_buffer_new(struct gmem *mem,
				      const struct gpadl *gpadl)
{
	const struct gpadl_range *range = gpadl_range(gpadl, 0);
	struct guest_buffer *b;

	/* A GPADL has 8191 pages at most, so neither number can overflow. */
	if (gpadl_n_ranges(gpadl) != 1 || range->offset ||
	    range->bytes != range->n_pages * HV_PAGE_SIZE)
		return NULL;
	b = g_malloc0(sizeof(*b) + range->n_pages * sizeof(b->pages[0]));
	b->mem = mem;
	b->n_pages = range->n_pages;
	if (!find_pages(b, range->pfns)) {
		g_free(b);
		return NULL;
	}
	pin(b);
	return b;
}

void guest_buffer_free(struct guest_buffer *b)
{
	if (!b)
		return;
	gmem_unpin(b->mem, b->pin);
	g_free(b);
}

uint32_t guest_buffer_bytes(const struct guest_buffer *b)
{
	return (uint32_t)(b->n_pages * HV_PAGE_SIZE);
}

uint8_t *guest_buffer_at(const struct guest_buffer *b, uint32_t offset)
{
	assert(offset < guest_buffer_bytes(b));
	return b->pages[offset / HV_PAGE_SIZE] + offset % HV_PAGE_SIZE;
}

/* Bytes of [@offset, @offset + @bytes) that are in its first page. */
static uint32_t in_page(uint32_t offset, uint32_t bytes)
{
	uint32_t left = (uint32_t)(HV_PAGE_SIZE - offset % HV_PAGE_SIZE);

	return bytes < left ? bytes : left;
}

unsigned int guest_buffer_iov(const struct guest_buffer *b, uint32_t offset,
			      uint32_t bytes, struct iovec *iov,
			      unsigned int n_max)
{
	unsigned int n = 0;

	if (!range_fits(offset, bytes, guest_buffer_bytes(b)))
		return 0;
	while (bytes) {
		uint32_t len = in_page(offset, bytes);
		uint8_t *at = guest_buffer_at(b, offset);

		if (n &&
		    (uint8_t *)iov[n - 1].iov_base + iov[n - 1].iov_len == at) {
			iov[n - 1].iov_len += len;
		} else if (n == n_max) {
			return 0;
		} else {
			iov[n++] =
				(struct iovec){.iov_base = at, .iov_len = len};
		}
		offset += len;
		bytes -= len;
	}
	return n;
}

void guest_buffer_write(const struct guest_buffer *b, uint32_t offset,
			const void *data, uint32_t bytes)
{
	const uint8_t *from = data;

	while (bytes) {
		uint32_t len = in_page(offset, bytes);

		memcpy(guest_buffer_at(b, offset), from, len);
		from += len;
		offset += len;
		bytes -= len;
	}
}
