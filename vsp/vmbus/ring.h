/* SPDX-License-Identifier: MIT */
/*
 * ring.h - the host's ends of the two rings of a channel.
 *
 * Theory of operation.  A ring is a header page and data; who sends owns
 * write_index and pending_send_sz, who receives owns read_index and
 * interrupt_mask.  Empty is write == read, so 8 bytes always stay free.
 *
 * All of it is memory that a guest can write at any time, so
 *
 * - what is ours is kept here and only ever stored to the ring;
 * - what is the guest's is loaded once per decision, checked (a multiple of 8
 *   and inside the data), and the copy is used;
 * - a packet is copied out, descriptor first, and the copy is what is checked
 *   and used.
 *
 * Whatever is wrong is -EPROTO: the ring can not be trusted from there on,
 * and its owner gives the channel up (channel_fail()).  No call loops on
 * guest memory, allocates, locks or enters the kernel.
 *
 * Work goes in batches: any number of packets are taken or put, then one call
 * tells the guest (ring_in_release(), ring_out_publish()) and says whether it
 * wants an interrupt for that.
 *
 * Barriers.  Both decisions are of the form "store mine, then look at the
 * other's", on both sides; each side does the two in this order with full
 * barriers in between, so at least one of them sees what the other did:
 *
 *	host				guest (Linux ring_buffer.c)
 *	ring_out_publish:		hv_end_read, vmbus_on_event:
 *	  store write_index		  store interrupt_mask = 0
 *	  load interrupt_mask		  load write_index
 *	  load read_index
 *	ring_in_unmask:			hv_ringbuffer_write:
 *	  store interrupt_mask = 0	  store write_index
 *	  load write_index		  load interrupt_mask
 *	ring_in_release:		(who waits for room)
 *	  store read_index		  store pending_send_sz
 *	  load pending_send_sz		  load read_index
 *	ring_out_wait:			hv_pkt_iter_close:
 *	  store pending_send_sz		  store read_index
 *	  load read_index		  load pending_send_sz
 *
 * They are sequentially consistent accesses rather than fences: the same
 * instruction on x86, and a race detector understands them.
 *
 * Thread: the channel's, one at a time for both rings.
 * Source: Linux drivers/hv/ring_buffer.c; where it and OpenVMM
 * vmbus_ring/src/lib.rs differ see ring.c.
 */
#ifndef VSP_VMBUS_RING_H
#define VSP_VMBUS_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hv_ring_buffer;
struct packet_out;

/* Guest to host. */
struct ring_in {
	struct hv_ring_buffer *shared;
	const uint8_t *data; /* mapped twice in a row */
	uint32_t size; /* of the data, once */
	uint32_t read; /* the next packet */
	uint32_t released; /* what the guest knows of that */
	uint32_t write; /* the guest's, as last seen; valid */
	uint32_t next; /* bytes of the packet at read; 0: not looked at */
};

/* Host to guest. */
struct ring_out {
	struct hv_ring_buffer *shared;
	uint8_t *data; /* mapped twice in a row */
	uint32_t size;
	uint32_t write; /* where the next packet goes */
	uint32_t published; /* what the guest knows of that */
	uint32_t read; /* the guest's, as last seen; valid */
	uint32_t pending; /* what pending_send_sz says */
};

/* --- guest to host ------------------------------------------------------- */

/**
 * ring_in_init() - begin where the guest says that the ring begins
 * @shared: the header page
 * @data:   @size bytes, and the same once more behind them
 * @size:   a multiple of 4096, not 0
 *
 * The guest is asked not to signal, see ring_in_unmask().
 *
 * Return: 0; -EPROTO the indices are bad.
 */
int ring_in_init(struct ring_in *r, struct hv_ring_buffer *shared,
		 const void *data, uint32_t size);

/**
 * ring_in_peek() - copy the next packet, and leave it there
 * @copy: private, aligned to 8
 * @max:  room there, at least PACKET_HEADER
 *
 * Only the descriptor has been checked (packet_size()).
 *
 * Return: bytes without trailer; 0 none is there; -EPROTO; -EMSGSIZE it is
 * longer than @max.
 */
int ring_in_peek(struct ring_in *r, void *copy, uint32_t max);

/** ring_in_pop() - be done with the packet that was peeked at */
void ring_in_pop(struct ring_in *r);

/**
 * ring_in_release() - give the guest the room of all packets popped
 *
 * Return: 1 the guest waits for it and must be signalled; 0 it does not;
 * -EPROTO.
 */
int ring_in_release(struct ring_in *r);

/** ring_in_mask() - ask the guest not to signal new packets */
void ring_in_mask(struct ring_in *r);

/**
 * ring_in_unmask() - ask the guest to signal the next packet
 *
 * Return: 0 the ring is empty, it will; 1 there is one, take it first (the
 * mask is back on); -EPROTO.
 */
int ring_in_unmask(struct ring_in *r);

/**
 * ring_in_has_more() - is there a packet now?  For who polls
 *
 * Return: 1, 0, or -EPROTO.
 */
int ring_in_has_more(struct ring_in *r);

/**
 * ring_in_guest_signals_room() - does the guest know pending_send_sz?
 *
 * Who sends on a ring says there that it uses the field: this ring's bit is
 * the guest's word, that of the other ring is ours.
 */
bool ring_in_guest_signals_room(const struct ring_in *r);

/** ring_in_index_is_bad() - is the guest's index one that cannot be? */
bool ring_in_index_is_bad(const struct ring_in *r);

/** ring_in_used() - bytes that the guest has sent and were not popped */
uint32_t ring_in_used(const struct ring_in *r);

/* --- host to guest ------------------------------------------------------- */

/** ring_out_init() - as ring_in_init(); nothing is waited for */
int ring_out_init(struct ring_out *r, struct hv_ring_buffer *shared, void *data,
		  uint32_t size);

/**
 * ring_out_put() - add a packet, which the guest does not see yet
 *
 * Return: 0; -EAGAIN no room now; -EMSGSIZE there will never be room;
 * -EPROTO.
 */
int ring_out_put(struct ring_out *r, const struct packet_out *packet);

/**
 * ring_out_put_raw() - add a packet that was laid out before (packet_encode())
 * @bytes: packet_out_size() of it
 *
 * Return: as ring_out_put().
 */
int ring_out_put_raw(struct ring_out *r, const void *packet, uint32_t bytes);

/** ring_out_is_unpublished() - was something put that the guest does not see? */
static inline bool ring_out_is_unpublished(const struct ring_out *r)
{
	return r->write != r->published;
}

/**
 * ring_out_publish() - let the guest see what was put
 *
 * Return: 1 it must be signalled, as it had read all before and did not mask
 * it; 0 it looks by itself.
 */
int ring_out_publish(struct ring_out *r);

/**
 * ring_out_wait() - have the guest signal when a packet has room
 * @bytes: packet_out_size() of it
 *
 * What was put must be published before.
 *
 * Return: 0 it will; 1 there is room already; -EPROTO.
 */
int ring_out_wait(struct ring_out *r, uint32_t bytes);

/** ring_out_unwait() - no more of that */
void ring_out_unwait(struct ring_out *r);

/**
 * ring_out_has_room() - for a packet of @bytes, as packet_out_size() has it?
 *
 * Return: 1, 0, or -EPROTO.
 */
int ring_out_has_room(struct ring_out *r, uint32_t bytes);

/** ring_out_max() - the longest packet that an empty ring takes */
uint32_t ring_out_max(const struct ring_out *r);

/**
 * ring_out_is_unread() - has the guest something to read, and no mask on?
 *
 * For who suspects that a signal was lost.
 */
bool ring_out_is_unread(const struct ring_out *r);

#endif
