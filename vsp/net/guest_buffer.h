/* SPDX-License-Identifier: MIT */
/*
 * guest_buffer.h - memory that the guest shares for as long as its driver
 * works: the buffers that frames are sent from and received into.
 *
 * The guest may write it at any time: it is what bytes are moved to and from,
 * and what has to be parsed is copied out.  The RAM is pinned (gmem_pin()).
 *
 * Thread: any number may use it; one frees it, when they do not any more.
 */
#ifndef VSP_NET_GUEST_BUFFER_H
#define VSP_NET_GUEST_BUFFER_H

#include <stddef.h>
#include <stdint.h>

struct gmem;
struct gpadl;
struct guest_buffer;
struct iovec;

/**
 * guest_buffer_new() - look up the pages of a GPADL
 * @gpadl: checked; not used when this has returned
 *
 * Return: owned; NULL: not one range of whole pages that are all RAM.
 */
struct guest_buffer *guest_buffer_new(struct gmem *mem,
				      const struct gpadl *gpadl);
void guest_buffer_free(struct guest_buffer *b);

/** guest_buffer_bytes() - a multiple of 4096 */
uint32_t guest_buffer_bytes(const struct guest_buffer *b);

/**
 * guest_buffer_at() - where byte @offset is; good up to the end of its page
 * @offset: below guest_buffer_bytes()
 */
uint8_t *guest_buffer_at(const struct guest_buffer *b, uint32_t offset);

/**
 * guest_buffer_iov() - pieces of [@offset, @offset + @bytes)
 *
 * Pages that lie side by side become one piece.
 *
 * Return: number of pieces; 0: not inside, nothing asked for, or more than
 * @n_max.
 */
unsigned int guest_buffer_iov(const struct guest_buffer *b, uint32_t offset,
			      uint32_t bytes, struct iovec *iov,
			      unsigned int n_max);

/** guest_buffer_write() - copy to the guest; the range is inside */
void guest_buffer_write(const struct guest_buffer *b, uint32_t offset,
			const void *data, uint32_t bytes);

#endif
