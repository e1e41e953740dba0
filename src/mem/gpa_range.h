/* SPDX-License-Identifier: MIT */
/*
 * gpa_range.h - lists of GPA ranges: bytes scattered over guest pages.
 *
 * A range on the wire is struct gpa_range (bytes, offset into its first page)
 * and the number of each page; a list is ranges back to back.  Here they are
 * checked, and made into what preadv(2) and friends take.
 *
 * All calls are pure but for gpa_ranges_iov(), which looks up addresses, and
 * want a private copy of the list: what was checked must not change.
 *
 * Source: Linux include/linux/hyperv.h (gpa_range, vmbus_packet_mpb_array);
 * OpenVMM vmbus_ring/src/gparange.rs.
 */
#ifndef MEM_GPA_RANGE_H
#define MEM_GPA_RANGE_H

#include <stddef.h>
#include <stdint.h>

struct gmem;
struct iovec;

/* Where a list is, and how many ranges it claims to have. */
struct gpa_range_list {
	const void *data; /* no alignment */
	uint32_t size; /* bytes; what is behind the last range is ignored */
	uint32_t n_ranges;
};

/**
 * gpa_ranges_check() - is the list whole?
 * @total: out: bytes of all ranges; may be NULL
 *
 * Each range must have a byte, begin in its first page, and have all of its
 * page numbers in the list.  The pages themselves are not looked at.
 *
 * Return: 0; -EINVAL, also for a list without a range.
 */
int gpa_ranges_check(const struct gpa_range_list *list, uint64_t *total);

/**
 * gpa_ranges_iov() - where the bytes are in this process
 * @list:  checked, but need not be: it is checked anew
 * @iov:   filled in; pages that follow one another become one piece
 * @n_max: room in @iov
 *
 * For bulk data: the guest may write it at any time, so what must be parsed
 * is copied out first.  The pointers are good until the gmem is freed, and
 * while data is moved the pieces are pinned (gmem_pin()).
 *
 * Return: number of pieces; -EINVAL a bad list; -EFAULT a page that is not
 * RAM; -E2BIG more than @n_max pieces.
 */
int gpa_ranges_iov(struct gmem *mem, const struct gpa_range_list *list,
		   struct iovec *iov, unsigned int n_max);

#endif
