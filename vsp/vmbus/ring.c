/* SPDX-License-Identifier: MIT */
/*
 * ring.c - decisions:
 *
 * - A guest that waits for room is signalled when free space comes from at or
 *   below its pending_send_sz to at or above it.  Linux as the other end says
 *   "from at or below to above", OpenVMM "from below to at or above"; guests
 *   of both minds exist, and a signal too many does no harm.
 * - pending_send_sz may be one byte less than meant (OpenVMM: the same), so
 *   its low three bits are ignored.
 * - Ours says how much a packet takes with its trailer: Linux signals when
 *   more than that is free, which is when the packet fits.
 * - Indices are taken as they are found at the start, if they are valid:
 *   Linux zeroes them before it opens, others need not.
 */
#include "vsp/vmbus/ring.h"

#include <errno.h>
#include <string.h>

#include "base/checked.h"
#include "proto/vmbus.h"
#include "vsp/vmbus/packet.h"

#define WORD(shared, field) word(shared, offsetof(struct hv_ring_buffer, field))

static uint32_t *word(struct hv_ring_buffer *shared, size_t offset)
{
	void *at = (uint8_t *)shared + offset;

	return at;
}

/* One load; also what a barrier pairs with. */
static uint32_t load(const uint32_t *w)
{
	return __atomic_load_n(w, __ATOMIC_SEQ_CST);
}

static void store(uint32_t *w, uint32_t value)
{
	__atomic_store_n(w, value, __ATOMIC_SEQ_CST);
}

/* Return: 0 with the guest's index in *@out, or -EPROTO. */
static int load_index(const uint32_t *w, uint32_t size, uint32_t *out)
{
	uint32_t index = load(w);

	if (index >= size || !is_aligned(index, PACKET_UNIT))
		return -EPROTO;
	*out = index;
	return 0;
}

/* Bytes from @from on to @to, in a ring of @size. */
static uint32_t distance(uint32_t from, uint32_t to, uint32_t size)
{
	return to >= from ? to - from : size - from + to;
}

static uint32_t advance(uint32_t index, uint32_t bytes, uint32_t size)
{
	return bytes < size - index ? index + bytes : index + bytes - size;
}

/* --- guest to host ------------------------------------------------------- */

int ring_in_init(struct ring_in *r, struct hv_ring_buffer *shared,
		 const void *data, uint32_t size)
{
	*r = (struct ring_in){.shared = shared, .data = data, .size = size};
	if (load_index(WORD(shared, read_index), size, &r->read) ||
	    load_index(WORD(shared, write_index), size, &r->write))
		return -EPROTO;
	r->released = r->read;
	ring_in_mask(r);
	return 0;
}

bool ring_in_guest_signals_room(const struct ring_in *r)
{
	return load(WORD(r->shared, feature_bits)) &
	       HV_RING_FEATURE_PENDING_SEND_SZ;
}

bool ring_in_index_is_bad(const struct ring_in *r)
{
	uint32_t index;

	return load_index(WORD(r->shared, write_index), r->size, &index) != 0;
}

uint32_t ring_in_used(const struct ring_in *r)
{
	return distance(r->read, r->write, r->size);
}

int ring_in_has_more(struct ring_in *r)
{
	if (r->read != r->write)
		return 1;
	if (load_index(WORD(r->shared, write_index), r->size, &r->write))
		return -EPROTO;
	return r->read != r->write;
}

int ring_in_peek(struct ring_in *r, void *copy, uint32_t max)
{
	const uint8_t *from = r->data + r->read;
	struct vmpacket_descriptor d;
	uint32_t used, bytes;
	int more = ring_in_has_more(r);

	r->next = 0;
	if (more <= 0)
		return more;
	used = ring_in_used(r);
	if (used < PACKET_HEADER + PACKET_TRAILER)
		return -EPROTO;
	memcpy(&d, from, sizeof(d));
	bytes = packet_size(&d, used);
	if (!bytes)
		return -EPROTO;
	if (bytes > max)
		return -EMSGSIZE;
	memcpy(copy, &d, sizeof(d));
	memcpy((uint8_t *)copy + sizeof(d), from + sizeof(d),
	       bytes - sizeof(d));
	r->next = bytes;
	return (int)bytes;
}

void ring_in_pop(struct ring_in *r)
{
	r->read = advance(r->read, r->next + PACKET_TRAILER, r->size);
	r->next = 0;
}

int ring_in_release(struct ring_in *r)
{
	uint32_t freed, pending, before, now;

	if (r->read == r->released)
		return 0;
	freed = distance(r->released, r->read, r->size);
	r->released = r->read;
	store(WORD(r->shared, read_index), r->read);
	pending = load(WORD(r->shared, pending_send_sz)) & ~7u;
	if (!pending)
		return 0;
	/* What the guest has sent since counts as if it had been there. */
	if (load_index(WORD(r->shared, write_index), r->size, &r->write))
		return -EPROTO;
	now = r->size - ring_in_used(r);
	before = now > freed ? now - freed : 0;
	return before <= pending && now >= pending;
}

void ring_in_mask(struct ring_in *r)
{
	store(WORD(r->shared, interrupt_mask), 1);
}

int ring_in_unmask(struct ring_in *r)
{
	int more;

	store(WORD(r->shared, interrupt_mask), 0);
	more = ring_in_has_more(r);
	if (more)
		ring_in_mask(r);
	return more;
}

/* --- host to guest ------------------------------------------------------- */

int ring_out_init(struct ring_out *r, struct hv_ring_buffer *shared, void *data,
		  uint32_t size)
{
	uint32_t *features = WORD(shared, feature_bits);

	*r = (struct ring_out){.shared = shared, .data = data, .size = size};
	if (load_index(WORD(shared, read_index), size, &r->read) ||
	    load_index(WORD(shared, write_index), size, &r->write))
		return -EPROTO;
	r->published = r->write;
	store(WORD(shared, pending_send_sz), 0);
	__atomic_fetch_or(features, HV_RING_FEATURE_PENDING_SEND_SZ,
			  __ATOMIC_SEQ_CST);
	return 0;
}

uint32_t ring_out_max(const struct ring_out *r)
{
	uint32_t most = r->size - PACKET_TRAILER - PACKET_UNIT;

	return most < PACKET_MAX ? most : PACKET_MAX;
}

static uint32_t room(const struct ring_out *r)
{
	return r->size - distance(r->read, r->write, r->size) - PACKET_UNIT;
}

int ring_out_has_room(struct ring_out *r, uint32_t bytes)
{
	uint32_t want = bytes + PACKET_TRAILER;

	if (room(r) >= want)
		return 1;
	if (load_index(WORD(r->shared, read_index), r->size, &r->read))
		return -EPROTO;
	return room(r) >= want;
}

/* Return: 0: there is room for a packet, as ring_out_put() if not. */
static int check_room(struct ring_out *r, uint32_t bytes)
{
	int has_room;

	if (!bytes || bytes > ring_out_max(r))
		return -EMSGSIZE;
	has_room = ring_out_has_room(r, bytes);
	if (has_room <= 0)
		return has_room ? has_room : -EAGAIN;
	return 0;
}

/* The packet is there; the guest does not see it yet. */
static void end_packet(struct ring_out *r, uint32_t bytes)
{
	struct vmpacket_trailer trailer = {.start_offset = r->write};

	memcpy(r->data + r->write + bytes, &trailer, sizeof(trailer));
	r->write = advance(r->write, bytes + PACKET_TRAILER, r->size);
}

int ring_out_put(struct ring_out *r, const struct packet_out *packet)
{
	uint32_t bytes = packet_out_size(packet);
	int err = check_room(r, bytes);

	if (err)
		return err;
	packet_encode(r->data + r->write, packet, bytes);
	end_packet(r, bytes);
	return 0;
}

int ring_out_put_raw(struct ring_out *r, const void *packet, uint32_t bytes)
{
	int err = check_room(r, bytes);

	if (err)
		return err;
	memcpy(r->data + r->write, packet, bytes);
	end_packet(r, bytes);
	return 0;
}

int ring_out_publish(struct ring_out *r)
{
	uint32_t before = r->published;

	if (!ring_out_is_unpublished(r))
		return 0;
	r->published = r->write;
	store(WORD(r->shared, write_index), r->write);
	if (load(WORD(r->shared, interrupt_mask)))
		return 0;
	/* Only compared, so it may be anything. */
	return load(WORD(r->shared, read_index)) == before;
}

int ring_out_wait(struct ring_out *r, uint32_t bytes)
{
	int has_room;

	r->pending = bytes + PACKET_TRAILER;
	store(WORD(r->shared, pending_send_sz), r->pending);
	has_room = ring_out_has_room(r, bytes);
	if (has_room)
		ring_out_unwait(r);
	return has_room;
}

void ring_out_unwait(struct ring_out *r)
{
	if (!r->pending)
		return;
	r->pending = 0;
	store(WORD(r->shared, pending_send_sz), 0);
}

bool ring_out_is_unread(const struct ring_out *r)
{
	return load(WORD(r->shared, read_index)) != r->published &&
	       !load(WORD(r->shared, interrupt_mask));
}
