/* SPDX-License-Identifier: MIT */
#include "vsp/vmbus/ring.h"

#include <errno.h>
#include <stdatomic.h>

#include "support/check_main.h"
#include "support/ring_peer.h"
#include "support/turns.h"
#include "vsp/vmbus/packet.h"

/* Two pages of data to the host, one to the guest. */
#define IN_SIZE  (2u * 4096)
#define OUT_SIZE 4096u

static struct ring_bench b;
static uint64_t copy[2048];

static void setup(void)
{
	ring_bench_make(&b, IN_SIZE / 4096, OUT_SIZE / 4096);
}

static void teardown(void)
{
	ring_bench_free(&b);
}

/* The guest sends @n bytes of payload. */
static bool guest_sends(uint32_t n, uint8_t fill)
{
	g_autofree uint8_t *data = g_malloc(n + 1);

	memset(data, fill, n);
	return ring_peer_send(&b.peer, VM_PKT_DATA_INBAND, false, fill, data,
			      n);
}

/* The host takes a packet. Return: its first byte of payload. */
static uint8_t host_takes(uint32_t n)
{
	ck_assert_int_eq(ring_in_peek(&b.in, copy, sizeof(copy)),
			 (int)(16 + (n + 7) / 8 * 8));
	ring_in_pop(&b.in);
	return *(uint8_t *)&copy[2];
}

static int host_puts(uint32_t n, uint64_t id)
{
	static const uint8_t zeros[8192];
	struct packet_out out = {.type = VM_PKT_DATA_INBAND,
				 .trans_id = id,
				 .data = {zeros},
				 .bytes = {n}};

	return ring_out_put(&b.out, &out);
}

static uint32_t guest_takes(void)
{
	return ring_peer_receive(&b.peer, copy, sizeof(copy));
}

/* --- guest to host ---------------------------------------------------------- */

START_TEST(packets_come_in_order_and_wrap)
{
	for (unsigned int i = 0; i < 1000; i++) {
		uint32_t n = 1 + i * 37 % 3000;

		ck_assert(guest_sends(n, (uint8_t)i));
		ck_assert_uint_eq(host_takes(n), (uint8_t)i);
		ck_assert_mem_eq((uint8_t *)&copy[2] + n - 1, &copy[2], 1);
		ck_assert_int_eq(ring_in_peek(&b.in, copy, sizeof(copy)), 0);
		ck_assert_int_eq(ring_in_release(&b.in), 0);
	}
}
END_TEST

START_TEST(peeking_changes_nothing)
{
	guest_sends(8, 1);
	guest_sends(8, 2);
	for (unsigned int i = 0; i < 3; i++) {
		ck_assert_int_eq(ring_in_peek(&b.in, copy, sizeof(copy)), 24);
		ck_assert_uint_eq(*(uint8_t *)&copy[2], 1);
	}
	ring_in_pop(&b.in);
	ck_assert_uint_eq(host_takes(8), 2);
	/* The guest knows when it is told. */
	ck_assert_uint_eq(ring_load(RING_WORD(&b.peer.tx, read_index)), 0);
	ck_assert_int_eq(ring_in_release(&b.in), 0);
	ck_assert_uint_eq(ring_load(RING_WORD(&b.peer.tx, read_index)), 64);
	ck_assert_int_eq(ring_in_release(&b.in), 0);
}
END_TEST

START_TEST(too_long_for_the_copy)
{
	guest_sends(100, 1);
	ck_assert_int_eq(ring_in_peek(&b.in, copy, 119), -EMSGSIZE);
	ck_assert_int_eq(ring_in_peek(&b.in, copy, 120), 120);
}
END_TEST

static const struct {
	const char *what;
	uint32_t write;
	uint16_t offset8, len8;
	int ret;
} hostile_in[] = {
	{"nothing", 0, 0, 0, 0},
	{"index not of 8", 28, 2, 2, -EPROTO},
	{"index odd", 33, 2, 2, -EPROTO},
	{"index at the end", IN_SIZE, 2, 2, -EPROTO},
	{"index beyond", 0xFFFFFFF8, 2, 2, -EPROTO},
	{"less than a packet", 8, 2, 2, -EPROTO},
	{"a descriptor without trailer", 16, 2, 2, -EPROTO},
	{"the smallest packet", 24, 2, 2, 16},
	{"longer than what was sent", 24, 2, 3, -EPROTO},
	{"longer than the ring", IN_SIZE - 8, 2, 0xFFFF, -EPROTO},
	{"all of the ring", IN_SIZE - 8, 2, (IN_SIZE - 16) / 8, IN_SIZE - 16},
	{"length 0", 24, 2, 0, -EPROTO},
	{"offset 0", 24, 0, 2, -EPROTO},
	{"offset behind the end", 24, 3, 2, -EPROTO},
};

START_TEST(hostile_guest_sends)
{
	struct vmpacket_descriptor d = {.type = VM_PKT_DATA_INBAND,
					.offset8 = hostile_in[_i].offset8,
					.len8 = hostile_in[_i].len8};

	memcpy(b.peer.tx.data, &d, sizeof(d));
	ring_store(RING_WORD(&b.peer.tx, write_index), hostile_in[_i].write);
	ck_assert_msg(ring_in_peek(&b.in, copy, sizeof(copy)) ==
			      hostile_in[_i].ret,
		      "%s", hostile_in[_i].what);
	if (hostile_in[_i].ret == -EPROTO && hostile_in[_i].write % 8)
		ck_assert_int_eq(ring_in_unmask(&b.in), -EPROTO);
}
END_TEST

START_TEST(what_is_ours_is_not_taken_from_the_guest)
{
	guest_sends(8, 1);
	guest_sends(8, 2);
	ring_store(RING_WORD(&b.peer.tx, read_index), 0xFFFFFFFF);
	ck_assert_uint_eq(host_takes(8), 1);
	ck_assert_uint_eq(host_takes(8), 2);
	ck_assert_int_eq(ring_in_release(&b.in), 0);
	ck_assert_uint_eq(ring_load(RING_WORD(&b.peer.tx, read_index)), 64);
	/* The same for the other ring. */
	ring_store(RING_WORD(&b.peer.rx, write_index), 0xFFFFFFFF);
	ck_assert_int_eq(host_puts(8, 1), 0);
	ck_assert_int_eq(ring_out_publish(&b.out), 1);
	ck_assert_uint_eq(ring_load(RING_WORD(&b.peer.rx, write_index)), 32);
}
END_TEST

START_TEST(signal_only_when_not_masked_and_empty)
{
	struct ring_peer *p = &b.peer;

	/* From the start the host does not want any. */
	guest_sends(8, 1);
	ck_assert(!ring_peer_signals(p));
	/* It asks for them: there is something already. */
	ck_assert_int_eq(ring_in_unmask(&b.in), 1);
	guest_sends(8, 2);
	ck_assert(!ring_peer_signals(p));
	ck_assert_uint_eq(host_takes(8), 1);
	ck_assert_uint_eq(host_takes(8), 2);
	ring_in_release(&b.in);
	ck_assert_int_eq(ring_in_unmask(&b.in), 0);
	guest_sends(8, 3);
	ck_assert(ring_peer_signals(p));
	guest_sends(8, 4);
	ck_assert(!ring_peer_signals(p));
	ring_in_mask(&b.in);
	ck_assert_uint_eq(host_takes(8), 3);
}
END_TEST

/* Packets of 1024 bytes with trailer: 7 fit into the ring. */
static const struct {
	const char *what;
	uint32_t pending;
	unsigned int n_taken;
	int ret;
} waits[] = {
	{"nobody waits", 0, 7, 0},
	{"not enough yet", 3000, 1, 0},
	{"enough now", 3000, 2, 1},
	{"much more than enough", 3000, 7, 1},
	{"exactly so much", 2048, 1, 1},
	{"one less is meant to be so much", 2047, 1, 1},
	{"there was more before", 1000, 1, 0},
	{"there was exactly so much before", 1024, 1, 1},
	{"never", 0xFFFFFFF8, 7, 0},
	{"below a unit", 7, 7, 0},
};

START_TEST(guest_waits_for_room)
{
	for (unsigned int i = 0; i < 7; i++)
		ck_assert(guest_sends(1000, (uint8_t)i));
	ck_assert(!guest_sends(1000, 7));
	ring_store(RING_WORD(&b.peer.tx, pending_send_sz), waits[_i].pending);
	for (unsigned int i = 0; i < waits[_i].n_taken; i++)
		host_takes(1000);
	ck_assert_msg(ring_in_release(&b.in) == waits[_i].ret, "%s",
		      waits[_i].what);
	ck_assert_int_eq(ring_in_release(&b.in), 0);
}
END_TEST

START_TEST(index_that_goes_bad_while_it_waits)
{
	guest_sends(1000, 1);
	host_takes(1000);
	ring_store(RING_WORD(&b.peer.tx, pending_send_sz), 8);
	ring_store(RING_WORD(&b.peer.tx, write_index), 12);
	ck_assert_int_eq(ring_in_release(&b.in), -EPROTO);
}
END_TEST

/* --- host to guest ---------------------------------------------------------- */

START_TEST(guest_gets_what_was_put)
{
	for (uint32_t i = 0; i < 1000; i++) {
		uint32_t n = i * 37 % 3000, old = b.out.write, at, trailer;

		ck_assert_int_eq(host_puts(n, i), 0);
		ck_assert_uint_eq(guest_takes(), 0);
		ck_assert_int_eq(ring_out_publish(&b.out), 1);
		ck_assert_uint_eq(guest_takes(), 16 + (n + 7) / 8 * 8);
		ck_assert_uint_eq(copy[1], i);
		/* The trailer says where the packet began. */
		at = (b.out.write + OUT_SIZE - 4) % OUT_SIZE;
		memcpy(&trailer, b.out.data + at, 4);
		ck_assert_uint_eq(trailer, old);
		ck_assert_int_eq(ring_out_publish(&b.out), 0);
	}
}
END_TEST

START_TEST(one_signal_for_many)
{
	ck_assert_int_eq(host_puts(8, 1), 0);
	ck_assert_int_eq(host_puts(8, 2), 0);
	ck_assert_int_eq(ring_out_publish(&b.out), 1);
	ck_assert_int_eq(host_puts(8, 3), 0);
	ck_assert_int_eq(ring_out_publish(&b.out), 0);
	ck_assert_uint_eq(guest_takes(), 24);
	ck_assert_int_eq(host_puts(8, 4), 0);
	ck_assert_int_eq(ring_out_publish(&b.out), 0);
	while (guest_takes())
		;
	ring_store(RING_WORD(&b.peer.rx, interrupt_mask), 1);
	ck_assert_int_eq(host_puts(8, 5), 0);
	ck_assert_int_eq(ring_out_publish(&b.out), 0);
	ck_assert(!ring_out_is_unread(&b.out));
	ring_store(RING_WORD(&b.peer.rx, interrupt_mask), 0);
	ck_assert(ring_out_is_unread(&b.out));
	guest_takes();
	ck_assert(!ring_out_is_unread(&b.out));
}
END_TEST

START_TEST(never_quite_full)
{
	ck_assert_uint_eq(ring_out_max(&b.out), OUT_SIZE - 16);
	ck_assert_int_eq(host_puts(OUT_SIZE - 16 - 15, 1), -EMSGSIZE);
	ck_assert_int_eq(host_puts(OUT_SIZE - 16 - 16, 1), 0);
	ck_assert_int_eq(host_puts(0, 1), -EAGAIN);
	ring_out_publish(&b.out);
	ck_assert_uint_eq(guest_takes(), OUT_SIZE - 16);
	ck_assert_int_eq(host_puts(0, 1), 0);
}
END_TEST

START_TEST(host_waits_for_room)
{
	unsigned int n = 0;

	while (!host_puts(1000, n))
		n++;
	ck_assert_uint_eq(n, 3);
	ring_out_publish(&b.out);
	ck_assert_int_eq(ring_out_has_room(&b.out, 1016), 0);
	ck_assert_int_eq(ring_out_wait(&b.out, 1016), 0);
	/* Linux signals when more than that is free: with the first. */
	guest_takes();
	ck_assert(ring_peer_signals(&b.peer));
	ck_assert_int_eq(ring_out_has_room(&b.out, 1016), 1);
	ring_out_unwait(&b.out);
	ck_assert_uint_eq(ring_load(RING_WORD(&b.peer.rx, pending_send_sz)), 0);
	guest_takes();
	ck_assert(!ring_peer_signals(&b.peer));
	/* There is room meanwhile: no need to wait. */
	ck_assert_int_eq(ring_out_wait(&b.out, 1016), 1);
	ck_assert_uint_eq(ring_load(RING_WORD(&b.peer.rx, pending_send_sz)), 0);
}
END_TEST

static const uint32_t bad_indices[] = {4, 7, OUT_SIZE, OUT_SIZE + 8, ~0u};

START_TEST(hostile_guest_reads)
{
	ck_assert_int_eq(host_puts(3000, 1), 0);
	ring_out_publish(&b.out);
	ring_store(RING_WORD(&b.peer.rx, read_index), bad_indices[_i]);
	ck_assert_int_eq(host_puts(3000, 2), -EPROTO);
	ck_assert_int_eq(ring_out_wait(&b.out, 3000), -EPROTO);
	ck_assert_uint_eq(b.out.write, 3024);
}
END_TEST

START_TEST(bad_indices_at_the_start)
{
	ring_store(RING_WORD(&b.peer.rx, read_index), bad_indices[_i]);
	ck_assert_int_eq(ring_map_init(b.map, &b.in, &b.out), -EPROTO);
	ring_store(RING_WORD(&b.peer.rx, read_index), 0);
	ring_store(RING_WORD(&b.peer.tx, write_index), IN_SIZE + 8);
	ck_assert_int_eq(ring_map_init(b.map, &b.in, &b.out), -EPROTO);
}
END_TEST

START_TEST(start_as_the_guest_left_it)
{
	ring_store(RING_WORD(&b.peer.tx, read_index), 4096);
	ring_store(RING_WORD(&b.peer.tx, write_index), 4096);
	ring_store(RING_WORD(&b.peer.rx, pending_send_sz), 99);
	ring_store(RING_WORD(&b.peer.rx, feature_bits), 2);
	b.peer.tx.index = 4096;
	ck_assert_int_eq(ring_map_init(b.map, &b.in, &b.out), 0);
	ck_assert_uint_eq(ring_load(RING_WORD(&b.peer.rx, pending_send_sz)), 0);
	ck_assert_uint_eq(ring_load(RING_WORD(&b.peer.rx, feature_bits)), 3);
	ck_assert(ring_in_guest_signals_room(&b.in));
	ring_store(RING_WORD(&b.peer.tx, feature_bits), 0);
	ck_assert(!ring_in_guest_signals_room(&b.in));
	guest_sends(8, 7);
	ck_assert_uint_eq(host_takes(8), 7);
}
END_TEST

/* --- two threads --------------------------------------------------------------- */

#define N_PACKETS 50000u

static _Atomic bool host_bell, guest_bell;

static void wait_for(_Atomic bool *bell)
{
	while (!atomic_exchange(bell, false))
		give_way();
}

static uint32_t length_of(uint32_t i)
{
	return 8 + i * 7919 % 900;
}

/* Echoes what the guest sends; only woken by signals. */
static void *echo(void *arg)
{
	static uint64_t packet[1024];
	uint32_t n = 0;
	int more = 0;

	(void)arg;
	while (n < N_PACKETS) {
		int size = ring_in_peek(&b.in, packet, sizeof(packet));
		struct packet_out out = {.type = VM_PKT_COMP,
					 .trans_id = packet[1],
					 .data = {packet + 2},
					 .bytes = {(uint32_t)size - 16}};

		if (size > 0 && !ring_out_put(&b.out, &out)) {
			ring_in_pop(&b.in);
			n++;
			continue;
		}
		if (ring_out_publish(&b.out))
			guest_bell = true;
		if (ring_in_release(&b.in) > 0)
			guest_bell = true;
		if (size > 0)
			more = ring_out_wait(&b.out, (uint32_t)size);
		else
			more = ring_in_unmask(&b.in);
		if (!more)
			wait_for(&host_bell);
		ring_in_mask(&b.in);
		ring_out_unwait(&b.out);
	}
	if (ring_out_publish(&b.out))
		guest_bell = true;
	return NULL;
}

static void ring_host_bell(void)
{
	if (ring_peer_signals(&b.peer))
		host_bell = true;
}

/*
 * Neither side looks unless it is told to: a signal that is lost hangs it.
 * The guest waits for room with pending_send_sz, too.
 */
START_TEST(two_threads_lose_no_signal)
{
	static uint8_t data[1024];
	uint32_t sent = 0, received = 0;
	pthread_t host;

	ck_assert_int_eq(pthread_create(&host, NULL, echo, NULL), 0);
	while (received < N_PACKETS) {
		bool progress = false;

		memset(data, (uint8_t)sent, sizeof(data));
		while (sent < N_PACKETS &&
		       ring_peer_send(&b.peer, VM_PKT_DATA_INBAND, true, sent,
				      data, length_of(sent))) {
			sent++;
			memset(data, (uint8_t)sent, sizeof(data));
			progress = true;
		}
		ring_host_bell();
		while (guest_takes()) {
			ck_assert_uint_eq(copy[1], received);
			ck_assert_uint_eq(*(uint8_t *)&copy[2],
					  (uint8_t)received);
			received++;
			progress = true;
			ring_host_bell();
		}
		ring_store(RING_WORD(&b.peer.tx, pending_send_sz),
			   progress || sent == N_PACKETS ? 0 : 1024);
		if (!progress && received < N_PACKETS) {
			if (ring_load(RING_WORD(&b.peer.rx, write_index)) !=
			    b.peer.rx.index)
				continue;
			if (sent < N_PACKETS &&
			    ring_free(&b.peer.tx, b.peer.tx.index,
				      ring_load(RING_WORD(&b.peer.tx,
							  read_index))) > 1024)
				continue;
			wait_for(&guest_bell);
		}
	}
	pthread_join(host, NULL);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/vmbus/ring");
	TCase *t = tcase_create("in");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, packets_come_in_order_and_wrap);
	tcase_add_test(t, peeking_changes_nothing);
	tcase_add_test(t, too_long_for_the_copy);
	tcase_add_loop_test(t, hostile_guest_sends, 0,
			    G_N_ELEMENTS(hostile_in));
	tcase_add_test(t, what_is_ours_is_not_taken_from_the_guest);
	tcase_add_test(t, signal_only_when_not_masked_and_empty);
	tcase_add_loop_test(t, guest_waits_for_room, 0, G_N_ELEMENTS(waits));
	tcase_add_test(t, index_that_goes_bad_while_it_waits);
	suite_add_tcase(s, t);
	t = tcase_create("out");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, guest_gets_what_was_put);
	tcase_add_test(t, one_signal_for_many);
	tcase_add_test(t, never_quite_full);
	tcase_add_test(t, host_waits_for_room);
	tcase_add_loop_test(t, hostile_guest_reads, 0,
			    G_N_ELEMENTS(bad_indices));
	tcase_add_loop_test(t, bad_indices_at_the_start, 0,
			    G_N_ELEMENTS(bad_indices));
	tcase_add_test(t, start_as_the_guest_left_it);
	suite_add_tcase(s, t);
	t = tcase_create("both");
	tcase_set_timeout(t, 30);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, two_threads_lose_no_signal);
	suite_add_tcase(s, t);
	return check_main(s);
}
