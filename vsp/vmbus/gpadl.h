/* SPDX-License-Identifier: MIT */
/*
 * gpadl.h - a guest physical address descriptor list: memory that a guest
 * shares, as ranges of bytes over pages.
 *
 * It arrives in pieces: a header message says how many bytes of ranges there
 * will be and has the first of them, body messages have the rest, in order.
 * When the last has come the ranges are checked, all at once; from then on
 * the list does not change.
 *
 * Thread: one while it is built; any afterwards.
 * Source: Linux drivers/hv/channel.c:create_gpadl_header(); OpenVMM
 * vmbus_ring/src/gparange.rs.
 */
#ifndef VSP_VMBUS_GPADL_H
#define VSP_VMBUS_GPADL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gpadl;

/* One range: bytes [offset, offset + bytes) of n_pages pages. */
struct gpadl_range {
	uint32_t bytes;
	uint32_t offset; /* below 4096 */
	uint32_t n_pages;
	const uint64_t *pfns; /* the list's */
};

/**
 * gpadl_new() - a list of which nothing has arrived
 * @id:           the guest's
 * @range_bytes:  of the ranges as they arrive, headers included
 * @n_ranges:     how many they are
 *
 * Return: owned; NULL when there can be no such list (no range, bytes that
 * are no multiple of 8 or too few for the ranges), or there is no memory.
 */
struct gpadl *gpadl_new(uint32_t id, uint16_t range_bytes, uint16_t n_ranges);
void gpadl_free(struct gpadl *gpadl);

/**
 * gpadl_append() - the next piece
 * @data: what follows the header of the message; what is beyond the end of
 *        the list is padding, as is an odd rest below 8 bytes
 *
 * Return: 1 that was the last; 0 there is more to come; -EINVAL a piece
 * without a page number, or the list was complete.
 */
int gpadl_append(struct gpadl *gpadl, const void *data, size_t size);

/**
 * gpadl_check() - the list is complete: are its ranges good?
 * @is_ram: may a page be shared?
 *
 * Return: 0, and the ranges can be used; -EINVAL a range is empty, begins
 * behind its first page, or the ranges are longer or shorter than was said;
 * -EFAULT a page cannot be shared; -ENOMEM.  Once per list.
 */
int gpadl_check(struct gpadl *gpadl, bool (*is_ram)(void *ctx, uint64_t pfn),
		void *ctx);

uint32_t gpadl_id(const struct gpadl *gpadl);

/**
 * gpadl_max_pages() - what it cannot be more than, from the start
 *
 * What quotas count: the exact number is known only at the end.
 */
uint32_t gpadl_max_pages(const struct gpadl *gpadl);

/* --- of a checked list ------------------------------------------------- */

unsigned int gpadl_n_ranges(const struct gpadl *gpadl);

/** gpadl_range() - range @i; borrowed as long as the list */
const struct gpadl_range *gpadl_range(const struct gpadl *gpadl,
				      unsigned int i);

/** gpadl_bytes() - of all ranges together */
uint64_t gpadl_bytes(const struct gpadl *gpadl);

#endif
