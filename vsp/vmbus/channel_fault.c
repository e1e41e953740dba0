/* SPDX-License-Identifier: MIT */
#include "vsp/vmbus/channel_fault.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/fault_kinds.h"
#include "vsp/vmbus/channel_impl.h"

/* When to look again if the ring had no room for what was late. */
#define RETRY_NS     (10 * NSEC_PER_MSEC)
/* How long a packet waits to be overtaken. */
#define OVERTAKEN_NS (100 * NSEC_PER_MSEC)
/* How often the interrupts of a storm come. */
#define STORM_NS     NSEC_PER_MSEC

/* Sizes and numbers that nobody can mean. */
#define STRANGE_TYPE    0x7Fu
#define STRANGE_PAGESET 0x5A5Au
#define BEYOND          0x7FFFFFF8u

/* A packet that is late. */
struct held {
	uint64_t due; /* CLOCK_MONOTONIC, ns */
	unsigned int after; /* so many others; 0: only time counts */
	uint32_t bytes;
	uint8_t packet[];
};

static void run_held(struct worker_timer *timer);
static void run_stall(struct worker_timer *timer);
static void run_signal(struct worker_timer *timer);

void channel_fault_init(struct channel *ch)
{
	g_queue_init(&ch->fault.held);
	ch->fault.held_timer.run = run_held;
	ch->fault.stall_timer.run = run_stall;
	ch->fault.signal_timer.run = run_signal;
}

void channel_fault_stop(struct channel *ch)
{
	struct channel_fault *f = &ch->fault;

	g_queue_clear_full(&f->held, g_free);
	worker_timer_stop(ch->worker, &f->held_timer);
	worker_timer_stop(ch->worker, &f->stall_timer);
	worker_timer_stop(ch->worker, &f->signal_timer);
	f->stalled_until = 0;
	f->stall_is_over = false;
	f->storm = 0;
}

/* --- wrong packets -------------------------------------------------------------- */

static void corrupt_descriptor(struct vmpacket_descriptor *d, uint32_t kind)
{
	switch (kind) {
	case FAULT_PACKET_TRANS_ID:
		d->trans_id ^= 0xDEADBEEF00000000u;
		break;
	case FAULT_PACKET_LENGTH_BEYOND:
		d->len8 = UINT16_MAX;
		break;
	case FAULT_PACKET_LENGTH_ZERO:
		d->len8 = 0;
		break;
	case FAULT_PACKET_OFFSET_BEYOND:
		d->offset8 = UINT16_MAX;
		break;
	case FAULT_PACKET_OFFSET_ZERO:
		d->offset8 = 0;
		break;
	case FAULT_PACKET_TYPE:
		d->type = STRANGE_TYPE;
		break;
	default:
		break;
	}
}

static void corrupt_ranges(uint8_t *at, uint32_t kind)
{
	struct vmtransfer_page_packet_header h;
	struct vmtransfer_page_range range;

	memcpy(&h, at, sizeof(h));
	if (h.d.type != VM_PKT_DATA_USING_XFER_PAGES)
		return;
	memcpy(&range, at + sizeof(h), sizeof(range));
	if (kind == FAULT_PACKET_RANGES_BEYOND)
		h.range_cnt = UINT16_MAX;
	else if (kind == FAULT_PACKET_RANGE_OFFSET)
		range.byte_offset = BEYOND;
	else if (kind == FAULT_PACKET_RANGE_LENGTH)
		range.byte_count = BEYOND;
	else
		h.xfer_pageset_id = STRANGE_PAGESET;
	memcpy(at, &h, sizeof(h));
	memcpy(at + sizeof(h), &range, sizeof(range));
}

/* @at: a packet in the ring that the guest does not see yet */
static void corrupt(uint8_t *at, uint32_t bytes, const struct fault_hit *hit)
{
	struct vmpacket_descriptor d;

	switch (hit->value) {
	case FAULT_PACKET_RANGES_BEYOND:
	case FAULT_PACKET_RANGE_OFFSET:
	case FAULT_PACKET_RANGE_LENGTH:
	case FAULT_PACKET_PAGESET:
		corrupt_ranges(at, hit->value);
		break;
	case FAULT_PACKET_PAYLOAD:
		if (bytes > PACKET_HEADER)
			fault_fill(at + PACKET_HEADER, bytes - PACKET_HEADER,
				   hit->random);
		break;
	default:
		memcpy(&d, at, sizeof(d));
		corrupt_descriptor(&d, hit->value);
		memcpy(at, &d, sizeof(d));
		break;
	}
}

static int put_corrupt(struct channel *ch, const struct packet_out *packet,
		       uint32_t bytes, const struct fault_hit *hit)
{
	uint8_t *at = ch->out.data + ch->out.write;
	struct packet_out cut = *packet;
	int err;

	if (hit->value == FAULT_PACKET_SHORT) {
		cut.bytes[0] = MIN(cut.bytes[0], PACKET_UNIT);
		cut.bytes[1] = 0;
		return ring_out_put(&ch->out, &cut);
	}
	err = ring_out_put(&ch->out, packet);
	if (!err)
		corrupt(at, bytes, hit);
	return err;
}

/* --- late packets ---------------------------------------------------------------- */

static void set_held_timer(struct channel *ch, uint64_t not_before)
{
	struct channel_fault *f = &ch->fault;
	uint64_t first = UINT64_MAX;

	for (GList *l = f->held.head; l; l = l->next)
		first = MIN(first, ((struct held *)l->data)->due);
	if (first == UINT64_MAX)
		worker_timer_stop(ch->worker, &f->held_timer);
	else
		worker_timer_set(ch->worker, &f->held_timer,
				 MAX(first, not_before));
}

/* Return: false: there are too many already. */
static bool hold(struct channel *ch, const struct packet_out *packet,
		 uint32_t bytes, const struct fault_hit *hit)
{
	uint64_t now = clock_monotonic_ns();
	struct held *h;

	if (ch->fault.held.length >= CHANNEL_FAULT_HELD_MAX)
		return false;
	h = g_malloc(sizeof(*h) + bytes);
	h->bytes = bytes;
	h->after = hit->action == FAULT_REORDER ? hit->n : 0;
	h->due = now + (hit->action == FAULT_REORDER
				? OVERTAKEN_NS
				: (uint64_t)hit->ms * NSEC_PER_MSEC);
	packet_encode(h->packet, packet, bytes);
	g_queue_push_tail(&ch->fault.held, h);
	set_held_timer(ch, 0);
	return true;
}

/* Those that are due, as far as there is room. */
static void put_held(struct channel *ch, uint64_t now)
{
	uint64_t not_before = 0;
	GList *next;

	for (GList *l = ch->fault.held.head; l; l = next) {
		struct held *h = l->data;

		next = l->next;
		if (h->due > now)
			continue;
		if (ring_out_put_raw(&ch->out, h->packet, h->bytes) ==
		    -EAGAIN) {
			not_before = now + RETRY_NS;
			break;
		}
		g_queue_delete_link(&ch->fault.held, l);
		g_free(h);
	}
	set_held_timer(ch, not_before);
}

static void run_held(struct worker_timer *timer)
{
	struct channel *ch = CHANNEL_OF(timer, fault.held_timer);

	if (ch->state != CHANNEL_OPEN)
		return;
	channel_enter(ch);
	put_held(ch, clock_monotonic_ns());
	channel_leave(ch);
}

/* One more went by those that wait to be overtaken. */
static void overtake(struct channel *ch)
{
	bool due = false;

	for (GList *l = ch->fault.held.head; l; l = l->next) {
		struct held *h = l->data;

		if (!h->after || --h->after)
			continue;
		h->due = 0;
		due = true;
	}
	if (due)
		put_held(ch, clock_monotonic_ns());
}

static int put(struct channel *ch, const struct packet_out *packet,
	       uint32_t bytes, const struct fault_hit *hit)
{
	int err;

	switch (hit->action) {
	case FAULT_DROP:
		return 0;
	case FAULT_DUPLICATE:
		err = ring_out_put(&ch->out, packet);
		if (!err)
			ring_out_put(&ch->out, packet);
		return err;
	case FAULT_CORRUPT:
		return put_corrupt(ch, packet, bytes, hit);
	default:
		if (hold(ch, packet, bytes, hit))
			return 0;
		return ring_out_put(&ch->out, packet);
	}
}

int channel_fault_put(struct channel *ch, const struct packet_out *packet,
		      uint32_t bytes)
{
	unsigned int waiting = ch->fault.held.length;
	struct fault_hit hit;
	int err;

	/* Who has no room comes again, and is asked about then. */
	if (!(atomic_load_explicit(&fault_armed, memory_order_relaxed) &
	      1u << FAULT_RING_OUT) ||
	    bytes > ring_out_max(&ch->out) ||
	    ring_out_has_room(&ch->out, bytes) <= 0 ||
	    !fault_at(FAULT_RING_OUT, ch->params.name, packet->type, &hit))
		err = ring_out_put(&ch->out, packet);
	else
		err = put(ch, packet, bytes, &hit);
	if (!err && waiting && ch->fault.held.length == waiting)
		overtake(ch);
	return err;
}

/* --- what is shown --------------------------------------------------------------- */

static void store(uint32_t *word, uint32_t value)
{
	__atomic_store_n(word, value, __ATOMIC_SEQ_CST);
}

static uint32_t *index_at(struct hv_ring_buffer *shared, size_t offset)
{
	void *at = (uint8_t *)shared + offset;

	return at;
}

/* Put right with the next that is shown. */
static void corrupt_index(struct channel *ch, uint32_t kind)
{
	struct ring_out *out = &ch->out;
	struct ring_in *in = &ch->in;
	uint32_t *write = index_at(
		out->shared, offsetof(struct hv_ring_buffer, write_index));
	uint32_t *read = index_at(in->shared,
				  offsetof(struct hv_ring_buffer, read_index));

	switch (kind) {
	case FAULT_RING_WRITE_BEYOND:
		store(write, out->size + out->write + PACKET_UNIT);
		break;
	case FAULT_RING_WRITE_UNALIGNED:
		store(write, out->write + 1);
		break;
	case FAULT_RING_WRITE_AHEAD:
		store(write, (out->write + out->size / 2) % out->size);
		break;
	case FAULT_RING_READ_BEYOND:
		store(read, in->size + in->read + PACKET_UNIT);
		break;
	default:
		store(read, (in->read + in->size / 2) % in->size);
		break;
	}
}

static void run_stall(struct worker_timer *timer)
{
	struct channel *ch = CHANNEL_OF(timer, fault.stall_timer);

	ch->fault.stalled_until = 0;
	ch->fault.stall_is_over = true;
	channel_enter(ch);
	channel_leave(ch);
}

bool channel_fault_stalls(struct channel *ch)
{
	struct channel_fault *f = &ch->fault;
	struct fault_hit hit;

	if (f->stalled_until)
		return true;
	if (f->stall_is_over) {
		f->stall_is_over = false;
		return false;
	}
	if (ch->out.write == ch->out.published ||
	    !fault_at(FAULT_RING_PUBLISH, ch->params.name, FAULT_NO_OP, &hit))
		return false;
	if (hit.action == FAULT_STALL) {
		f->stalled_until =
			clock_monotonic_ns() + (uint64_t)hit.ms * NSEC_PER_MSEC;
		worker_timer_set(ch->worker, &f->stall_timer, f->stalled_until);
		return true;
	}
	/* Shown, told, and wrong. */
	ring_in_release(&ch->in);
	ring_out_publish(&ch->out);
	corrupt_index(ch, hit.value);
	channel_interrupt(ch);
	return false;
}

/* --- interrupts -------------------------------------------------------------------- */

static void set_signal_timer(struct channel *ch, uint64_t ns)
{
	worker_timer_set(ch->worker, &ch->fault.signal_timer,
			 clock_monotonic_ns() + ns);
}

static void run_signal(struct worker_timer *timer)
{
	struct channel *ch = CHANNEL_OF(timer, fault.signal_timer);

	if (ch->state != CHANNEL_OPEN)
		return;
	channel_interrupt(ch);
	if (ch->fault.storm && --ch->fault.storm)
		set_signal_timer(ch, STORM_NS);
}

bool channel_fault_signal(struct channel *ch)
{
	struct fault_hit hit;

	if (!fault_at(FAULT_RING_SIGNAL, ch->params.name, FAULT_NO_OP, &hit))
		return false;
	if (hit.action == FAULT_DELAY) {
		set_signal_timer(ch, (uint64_t)hit.ms * NSEC_PER_MSEC);
	} else if (hit.action == FAULT_STORM) {
		ch->fault.storm = MIN(ch->fault.storm + hit.n, FAULT_N_MAX);
		set_signal_timer(ch, STORM_NS);
		return false;
	}
	return true;
}
