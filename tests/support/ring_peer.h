/* SPDX-License-Identifier: MIT */
/*
 * ring_peer.h - the guest's ends of a channel's rings, by Linux' rules
 * (drivers/hv/ring_buffer.c), and the memory for both.
 *
 * The guest's ends work on the host's mapping, at the same addresses: a race
 * detector does not see that two mappings are one memory.
 */
#ifndef SUPPORT_RING_PEER_H
#define SUPPORT_RING_PEER_H

#include <stdlib.h>
#include <string.h>

#include "mem/gmem.h"
#include "proto/hv_tlfs.h"
#include "proto/vmbus.h"
#include "vsp/vmbus/gpadl.h"
#include "vsp/vmbus/ring.h"
#include "vsp/vmbus/ring_map.h"

struct ring_end {
	uint8_t *header;
	uint8_t *data; /* twice */
	uint32_t size;
	uint32_t index; /* of the peer */
};

struct ring_peer {
	struct ring_end tx, rx;
	bool signal; /* the host is to be signalled: set, never cleared here */
};

/* The words of the header page, for good and for evil. */
static inline uint32_t *ring_word(const struct ring_end *e, size_t offset)
{
	void *at = e->header + offset;

	return at;
}
#define RING_WORD(end, field) \
	ring_word(end, offsetof(struct hv_ring_buffer, field))

static inline uint32_t ring_load(const uint32_t *w)
{
	return __atomic_load_n(w, __ATOMIC_SEQ_CST);
}

static inline void ring_store(uint32_t *w, uint32_t value)
{
	__atomic_store_n(w, value, __ATOMIC_SEQ_CST);
}

static inline uint32_t ring_free(const struct ring_end *e, uint32_t write,
				 uint32_t read)
{
	return write >= read ? e->size - (write - read) : read - write;
}

/**
 * ring_peer_send_raw() - put @n bytes (of 8), with a trailer
 *
 * Return: false when there is no room.
 */
static inline bool ring_peer_send_raw(struct ring_peer *p, const void *bytes,
				      uint32_t n)
{
	struct ring_end *e = &p->tx;
	uint32_t old = e->index;
	uint64_t trailer = (uint64_t)old << 32;

	if (ring_free(e, old, ring_load(RING_WORD(e, read_index))) <= n + 8)
		return false;
	memcpy(e->data + old, bytes, n);
	memcpy(e->data + old + n, &trailer, sizeof(trailer));
	e->index = (old + n + 8) % e->size;
	ring_store(RING_WORD(e, write_index), e->index);
	if (!ring_load(RING_WORD(e, interrupt_mask)) &&
	    ring_load(RING_WORD(e, read_index)) == old)
		p->signal = true;
	return true;
}

/** ring_peer_send() - a packet without extra header; as above */
static inline bool ring_peer_send(struct ring_peer *p, uint16_t type,
				  bool wants_completion, uint64_t trans_id,
				  const void *data, uint32_t bytes)
{
	uint32_t size = 16 + (bytes + 7) / 8 * 8;
	uint8_t *packet = calloc(1, size);
	struct vmpacket_descriptor d = {.type = type,
					.offset8 = 2,
					.len8 = (uint16_t)(size / 8),
					.flags = wants_completion,
					.trans_id = trans_id};
	bool sent;

	memcpy(packet, &d, sizeof(d));
	if (bytes)
		memcpy(packet + 16, data, bytes);
	sent = ring_peer_send_raw(p, packet, size);
	free(packet);
	return sent;
}

/**
 * ring_peer_receive() - the next packet, without trailer
 *
 * Return: bytes, 0 when there is none, or when it does not look like one.
 */
static inline uint32_t ring_peer_receive(struct ring_peer *p, void *out,
					 uint32_t max)
{
	struct ring_end *e = &p->rx;
	uint32_t write = ring_load(RING_WORD(e, write_index)), n, now, pending;
	struct vmpacket_descriptor d;

	if (write == e->index)
		return 0;
	memcpy(&d, e->data + e->index, sizeof(d));
	n = d.len8 * 8u;
	if (n > max || n < 16)
		return 0;
	memcpy(out, e->data + e->index, n);
	e->index = (e->index + n + 8) % e->size;
	ring_store(RING_WORD(e, read_index), e->index);
	pending = ring_load(RING_WORD(e, pending_send_sz));
	now = ring_free(e, ring_load(RING_WORD(e, write_index)), e->index);
	if (pending && now > pending && now - (n + 8) <= pending)
		p->signal = true;
	return n;
}

/** ring_peer_signals() - was the host to be signalled since the last call? */
static inline bool ring_peer_signals(struct ring_peer *p)
{
	bool signal = p->signal;

	p->signal = false;
	return signal;
}

/* --- memory, and the host's ends -------------------------------------------- */

struct ring_bench {
	struct gmem *mem;
	struct gpadl *gpadl;
	struct ring_map *map;
	struct ring_in in;
	struct ring_out out;
	struct ring_peer peer;
};

/** make_gpadl() - one range of @n pages, checked; owned */
static inline struct gpadl *make_gpadl(const uint64_t *pfns, uint32_t n)
{
	uint64_t *words = calloc(n + 1, 8);
	struct gpa_range head = {.byte_count = n * HV_PAGE_SIZE};
	struct gpadl *g = gpadl_new(1, (uint16_t)(8 * (n + 1)), 1);

	memcpy(words, &head, sizeof(head));
	memcpy(words + 1, pfns, n * sizeof(*pfns));
	gpadl_append(g, words, (n + 1) * sizeof(*words));
	free(words);
	return g;
}

static inline bool ring_bench_is_ram(void *ctx, uint64_t pfn)
{
	return gmem_contains(ctx, pfn * HV_PAGE_SIZE, HV_PAGE_SIZE);
}

/* The guest zeroes what the host has just been looking at. */
static inline void ring_bench_restart(struct ring_bench *b)
{
	struct ring_peer *p = &b->peer;
	void *in = b->in.shared, *out = b->out.shared;
	uint8_t *in_data = (uint8_t *)in + HV_PAGE_SIZE;

	*p = (struct ring_peer){
		.tx = {.header = in, .data = in_data, .size = b->in.size},
		.rx = {.header = out, .data = b->out.data, .size = b->out.size},
	};
	memset(in, 0, HV_PAGE_SIZE);
	memset(out, 0, HV_PAGE_SIZE);
	ring_store(RING_WORD(&p->tx, feature_bits), 1);
	ring_store(RING_WORD(&p->rx, feature_bits), 1);
	if (ring_map_init(b->map, &b->in, &b->out))
		abort();
}

/** ring_bench_make() - rings of that many pages of data */
static inline void ring_bench_make(struct ring_bench *b, uint32_t in_pages,
				   uint32_t out_pages)
{
	uint32_t n = in_pages + out_pages + 2;
	uint64_t *pfns = calloc(n, sizeof(*pfns));
	int err;

	*b = (struct ring_bench){.mem = gmem_new((n + 8) * 4096ull, NULL)};
	for (uint32_t i = 0; i < n; i++)
		pfns[i] = 4 + i;
	b->gpadl = make_gpadl(pfns, n);
	free(pfns);
	if (gpadl_check(b->gpadl, ring_bench_is_ram, b->mem))
		abort();
	b->map = ring_map_new(b->mem, b->gpadl, in_pages + 1, &err);
	if (!b->map || ring_map_init(b->map, &b->in, &b->out))
		abort();
	ring_bench_restart(b);
}

static inline void ring_bench_free(struct ring_bench *b)
{
	ring_map_free(b->map);
	gpadl_free(b->gpadl);
	gmem_free(b->mem);
}

#endif
