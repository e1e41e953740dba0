/* SPDX-License-Identifier: MIT */
/*
 * byte_ring.h - a bounded queue of bytes.
 *
 * Fills from its beginning again whenever it runs empty, so that a large ring
 * that is mostly empty occupies a page or two.
 *
 * Thread: its owner's lock.
 */
#ifndef DEVICES_BYTE_RING_H
#define DEVICES_BYTE_RING_H

#include <stddef.h>
#include <stdint.h>

struct byte_ring {
	uint8_t *data;
	size_t size;
	size_t head; /* the oldest byte */
	size_t len;
};

/** byte_ring_init() - room for @size bytes; byte_ring_clear() frees it */
void byte_ring_init(struct byte_ring *ring, size_t size);
void byte_ring_clear(struct byte_ring *ring);

/** byte_ring_put() - append; Return: how many of the @len bytes fitted */
size_t byte_ring_put(struct byte_ring *ring, const uint8_t *data, size_t len);

/** byte_ring_push() - append, the oldest bytes make room */
void byte_ring_push(struct byte_ring *ring, const uint8_t *data, size_t len);

/** byte_ring_peek() - copy the oldest bytes; Return: how many there were */
size_t byte_ring_peek(const struct byte_ring *ring, uint8_t *data, size_t len);

/** byte_ring_drop() - forget the oldest @len bytes, or all of them */
void byte_ring_drop(struct byte_ring *ring, size_t len);

/** byte_ring_take() - peek and drop */
static inline size_t byte_ring_take(struct byte_ring *ring, uint8_t *data,
				    size_t len)
{
	size_t n = byte_ring_peek(ring, data, len);

	byte_ring_drop(ring, n);
	return n;
}

#endif
