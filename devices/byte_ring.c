/* SPDX-License-Identifier: MIT */
#include "devices/byte_ring.h"

#include <string.h>

#include <glib.h>

void byte_ring_init(struct byte_ring *ring, size_t size)
{
	*ring = (struct byte_ring){
		/* Large and zeroed: pages come as they are touched. */
		.data = g_malloc0(size),
		.size = size,
	};
}

void byte_ring_clear(struct byte_ring *ring)
{
	g_free(ring->data);
	*ring = (struct byte_ring){0};
}

size_t byte_ring_put(struct byte_ring *ring, const uint8_t *data, size_t len)
{
	size_t n = MIN(len, ring->size - ring->len);
	size_t tail, first;

	if (!n)
		return 0;
	tail = (ring->head + ring->len) % ring->size;
	first = MIN(n, ring->size - tail);
	memcpy(ring->data + tail, data, first);
	memcpy(ring->data, data + first, n - first);
	ring->len += n;
	return n;
}

void byte_ring_push(struct byte_ring *ring, const uint8_t *data, size_t len)
{
	size_t room;

	if (len > ring->size) {
		data += len - ring->size;
		len = ring->size;
	}
	room = ring->size - ring->len;
	if (len > room)
		byte_ring_drop(ring, len - room);
	byte_ring_put(ring, data, len);
}

size_t byte_ring_peek(const struct byte_ring *ring, uint8_t *data, size_t len)
{
	size_t n = MIN(len, ring->len);
	size_t first = MIN(n, ring->size - ring->head);

	if (!n)
		return 0;
	memcpy(data, ring->data + ring->head, first);
	memcpy(data + first, ring->data, n - first);
	return n;
}

void byte_ring_drop(struct byte_ring *ring, size_t len)
{
	if (len >= ring->len) {
		ring->head = 0;
		ring->len = 0;
		return;
	}
	ring->head = (ring->head + len) % ring->size;
	ring->len -= len;
}
