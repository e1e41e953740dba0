/* SPDX-License-Identifier: MIT */
/*
 * fuzz_vmbus_ring - a guest that writes what it likes to both rings of a
 * channel, between any two steps of the host.
 *
 * The input is a list of steps: a word of a header page, bytes into the data,
 * a packet by the rules, or something that a channel does.  Whatever happens,
 * what the host owns keeps to the rules, and what it copied out is what it
 * has checked.
 */
#include "fuzz/fuzz.h"

#include <errno.h>

#include "base/reader.h"
#include "support/ring_peer.h"
#include "vsp/vmbus/packet.h"

#define IN_PAGES  1u
#define OUT_PAGES 2u
#define COPY_MAX  2048u

static struct ring_bench b;
static uint64_t copy[COPY_MAX / 8];
static bool peeked;

static uint8_t next_byte(struct reader *r)
{
	uint8_t byte = 0;

	reader_bytes(r, &byte, sizeof(byte));
	return byte;
}

/* --- the guest ------------------------------------------------------------- */

static void write_word(struct reader *r, uint8_t which)
{
	static const size_t offsets[] = {
		offsetof(struct hv_ring_buffer, write_index),
		offsetof(struct hv_ring_buffer, read_index),
		offsetof(struct hv_ring_buffer, interrupt_mask),
		offsetof(struct hv_ring_buffer, pending_send_sz),
	};
	struct ring_end *e = which & 4 ? &b.peer.tx : &b.peer.rx;
	uint32_t value = reader_u32(r);

	/* Most are of a form that gets somewhere. */
	if (which & 8)
		value = value % e->size & ~7u;
	ring_store(ring_word(e, offsets[which % 4]), value);
}

static void write_data(struct reader *r, uint8_t which)
{
	struct ring_end *e = which & 1 ? &b.peer.tx : &b.peer.rx;
	uint32_t at = reader_u32(r) % e->size;
	uint8_t n = next_byte(r);

	reader_bytes(r, e->data + at, MIN(n, reader_left(r)));
}

static void send_packet(struct reader *r, uint8_t which)
{
	static uint8_t zeros[COPY_MAX];

	b.peer.tx.index = b.in.write;
	ring_peer_send(&b.peer, VM_PKT_DATA_INBAND, which & 1, which, zeros,
		       reader_u32(r) % COPY_MAX);
}

/* --- the host --------------------------------------------------------------- */

static void peek(void)
{
	struct vmpacket_descriptor d;
	struct packet p;
	int n;

	memset(copy, 0xEE, sizeof(copy));
	n = ring_in_peek(&b.in, copy, COPY_MAX);
	expect(n <= (int)COPY_MAX &&
	       (n > 0 || n == 0 || n == -EPROTO || n == -EMSGSIZE));
	peeked = n > 0;
	if (n <= 0)
		return;
	memcpy(&d, copy, sizeof(d));
	expect(packet_size(&d, (uint32_t)n + PACKET_TRAILER) == (uint32_t)n);
	packet_parse(copy, (uint32_t)n, &p);
}

static void put(struct reader *r)
{
	static const uint8_t data[2 * 4096];
	struct packet_out out = {.type = VM_PKT_COMP,
				 .data = {data},
				 .bytes = {reader_u32(r) % sizeof(data)}};
	int err = ring_out_put(&b.out, &out);

	if (err == -EAGAIN)
		ring_out_wait(&b.out, packet_out_size(&out));
}

static void act(struct reader *r, uint8_t what)
{
	switch (what % 8) {
	case 0:
	case 1:
		peek();
		break;
	case 2:
		if (peeked)
			ring_in_pop(&b.in);
		peeked = false;
		break;
	case 3:
		ring_in_release(&b.in);
		break;
	case 4:
		ring_in_unmask(&b.in);
		break;
	case 5:
		put(r);
		break;
	case 6:
		ring_out_publish(&b.out);
		break;
	default:
		ring_out_unwait(&b.out);
		ring_out_is_unread(&b.out);
	}
}

/* What is ours, and what we took from the guest after a check. */
static void check(void)
{
	const uint32_t in[] = {b.in.read, b.in.released, b.in.write};
	const uint32_t out[] = {b.out.write, b.out.published, b.out.read};

	for (unsigned int i = 0; i < 3; i++) {
		expect(in[i] < b.in.size && in[i] % 8 == 0);
		expect(out[i] < b.out.size && out[i] % 8 == 0);
	}
	expect(ring_in_used(&b.in) < b.in.size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_init(data, size);

	if (!b.mem)
		ring_bench_make(&b, IN_PAGES, OUT_PAGES);
	memset(b.peer.tx.data, 0, b.in.size);
	memset(b.peer.rx.data, 0, b.out.size);
	ring_bench_restart(&b);
	peeked = false;
	while (reader_left(&r)) {
		uint8_t what = next_byte(&r);

		if (what < 0x40)
			write_word(&r, what);
		else if (what < 0x60)
			write_data(&r, what);
		else if (what < 0x80)
			send_packet(&r, what);
		else
			act(&r, what);
		check();
	}
	/* A new start by the rules is as good as ever. */
	ring_bench_restart(&b);
	expect(ring_peer_send(&b.peer, VM_PKT_DATA_INBAND, false, 1, "x", 1));
	expect(ring_in_peek(&b.in, copy, COPY_MAX) == 24);
	return 0;
}
