/* SPDX-License-Identifier: MIT */
/* Packets, indices and interrupts that go wrong, as the guest sees them. */
#include "vsp/vmbus/channel_fault.h"

#include "base/clock.h"
#include "support/channel_bench.h"
#include "support/check_main.h"
#include "support/fault_rules.h"

static void end(void)
{
	dev_teardown();
	fault_clear();
}

static void put(uint64_t id)
{
	uint64_t data[2] = {id * 3, id * 5};

	guest_put(&guest, id, data, sizeof(data));
}

/* The next packet, raw; Return: its transaction. */
static uint64_t get(void)
{
	ck_assert_uint_eq(guest_get(&guest, buffer, sizeof(buffer)), 32);
	return buffer[1];
}

static uint32_t out_index(void)
{
	return ring_load(RING_WORD(&guest.ring.rx, write_index));
}

static uint32_t in_read_index(void)
{
	return ring_load(RING_WORD(&guest.ring.tx, read_index));
}

/* --- lost, twice, late, overtaken -------------------------------------------------- */

START_TEST(a_packet_is_lost)
{
	fault_rule("ring.out:device=test,op=COMPLETION,nth=2,action=drop");
	start();
	put(1);
	put(2);
	put(3);
	ck_assert_uint_eq(get(), 1);
	ck_assert_uint_eq(get(), 3);
}
END_TEST

START_TEST(a_packet_comes_twice)
{
	fault_rule("ring.out:nth=1,action=duplicate");
	start();
	put(1);
	put(2);
	ck_assert_uint_eq(get(), 1);
	ck_assert_uint_eq(get(), 1);
	ck_assert_uint_eq(get(), 2);
}
END_TEST

START_TEST(a_packet_is_late)
{
	uint64_t before = clock_monotonic_ns();

	fault_rule("ring.out:nth=1,action=delay,ms=50");
	start();
	put(1);
	put(2);
	ck_assert_uint_eq(get(), 2);
	ck_assert_uint_eq(get(), 1);
	ck_assert_uint_ge(clock_monotonic_ns() - before, 50 * NSEC_PER_MSEC);
}
END_TEST

START_TEST(a_packet_is_overtaken)
{
	fault_rule("ring.out:nth=1,action=reorder,n=2");
	start();
	for (uint64_t i = 1; i <= 4; i++)
		put(i);
	ck_assert_uint_eq(get(), 2);
	ck_assert_uint_eq(get(), 3);
	ck_assert_uint_eq(get(), 1);
	ck_assert_uint_eq(get(), 4);
}
END_TEST

START_TEST(a_packet_that_nobody_overtakes_comes_all_the_same)
{
	fault_rule("ring.out:nth=1,action=reorder,n=2");
	start();
	put(1);
	ck_assert_uint_eq(get(), 1);
}
END_TEST

START_TEST(so_many_are_late_and_no_more)
{
	unsigned int early = 0;

	fault_rule("ring.out:action=delay,ms=600000");
	start();
	for (uint64_t i = 1; i <= CHANNEL_FAULT_HELD_MAX + 10; i++) {
		put(i);
		wait_until(stats().packets_out == i);
		early += ring_peer_receive(&guest.ring, buffer,
					   sizeof(buffer)) != 0;
	}
	while (early < 10)
		early += ring_peer_receive(&guest.ring, buffer,
					   sizeof(buffer)) != 0;
	/* What is late is lost with the channel, and no memory with it. */
}
END_TEST

/* --- wrong packets ------------------------------------------------------------------ */

static const struct {
	const char *scenario, *rule;
	unsigned int word; /* of the packet: 0 or 1 */
	unsigned int shift, bits;
	uint64_t value; /* there */
} packets[] = {
	{"hostile-packet-length-beyond", NULL, 0, 32, 16, 0xFFFF},
	{"hostile-packet-length-zero", NULL, 0, 32, 16, 0},
	{"hostile-packet-offset-beyond", NULL, 0, 16, 16, 0xFFFF},
	{"hostile-packet-type", NULL, 0, 0, 16, 0x7F},
	{"hostile-packet-short", NULL, 0, 32, 16, 3},
	{"hostile-disk-trans-id", NULL, 1, 0, 32, 7},
	{"hostile-net-trans-id", NULL, 1, 32, 32, 0xDEADBEEF},
	{NULL, "ring.out:action=corrupt,kind=offset-zero", 0, 16, 16, 0},
};

/* A packet of the ring, whatever it says of itself. */
static void look(uint64_t words[4])
{
	uint32_t at = guest.ring.rx.index;

	wait_until(out_index() != at);
	memcpy(words, guest.ring.rx.data + at, 4 * sizeof(words[0]));
}

START_TEST(a_packet_lies)
{
	uint64_t mask = (1ull << packets[_i].bits) - 1, words[4];

	if (packets[_i].scenario)
		fault_scenario(packets[_i].scenario);
	else
		fault_rule(packets[_i].rule);
	start();
	put(7);
	look(words);
	ck_assert_uint_eq(words[packets[_i].word] >> packets[_i].shift & mask,
			  packets[_i].value);
	/* The host has another idea of it: the next is where it belongs. */
	ck_assert_uint_eq(stats().failures, 0);
}
END_TEST

START_TEST(a_payload_is_garbage)
{
	uint64_t words[4];

	fault_scenario("hostile-packet-garbage");
	start();
	put(7);
	look(words);
	ck_assert_uint_eq(words[1], 7);
	ck_assert_uint_ne(words[2], 21);
}
END_TEST

/* The same seed has the same garbage. */
START_TEST(garbage_can_be_repeated)
{
	uint64_t a[4], b[4];

	start();
	fault_set_seed(3);
	fault_rule("ring.out:action=corrupt,kind=payload");
	put(7);
	look(a);
	get();
	fault_clear();
	fault_rule("ring.out:action=corrupt,kind=payload");
	put(7);
	look(b);
	ck_assert_mem_eq(a + 2, b + 2, 16);
	fault_set_seed(0);
}
END_TEST

static void send_ranges(void *ctx)
{
	static const struct vmtransfer_page_range range = {.byte_count = 100,
							   .byte_offset = 200};
	struct packet_out out = {.type = VM_PKT_DATA_USING_XFER_PAGES,
				 .trans_id = 9,
				 .xfer_pageset_id = 0xCAFE,
				 .n_xfer = 1,
				 .xfer = &range};

	(void)ctx;
	ck_assert_int_eq(channel_send_packet(dev.ch, &out), 0);
}

static const struct {
	const char *scenario, *rule;
	size_t at, bytes;
} ranges[] = {
	{"hostile-net-ranges-beyond", NULL, 20, 4},
	{"hostile-net-range-length", NULL, 24, 4},
	{"hostile-net-range-offset", NULL, 28, 4},
	{NULL, "ring.out:op=XFER_PAGES,action=corrupt,kind=pageset", 16, 2},
};

START_TEST(ranges_lie)
{
	uint64_t truth[4], lie[4];

	start();
	on_worker(send_ranges, NULL);
	look(truth);
	get();
	if (ranges[_i].scenario)
		fault_scenario(ranges[_i].scenario);
	else
		fault_rule(ranges[_i].rule);
	on_worker(send_ranges, NULL);
	look(lie);
	for (size_t i = 0; i < sizeof(lie); i++) {
		bool is_it = i >= ranges[_i].at &&
			     i < ranges[_i].at + ranges[_i].bytes;

		if (!is_it)
			ck_assert_uint_eq(((uint8_t *)truth)[i],
					  ((uint8_t *)lie)[i]);
	}
	ck_assert_mem_ne((uint8_t *)truth + ranges[_i].at,
			 (uint8_t *)lie + ranges[_i].at, ranges[_i].bytes);
}
END_TEST

/* --- what is shown --------------------------------------------------------------------- */

START_TEST(a_ring_stands_still)
{
	uint64_t before;

	start();
	ping(1);
	fault_scenario("ring-stalls");
	before = clock_monotonic_ns();
	ping(2);
	ck_assert_uint_ge(clock_monotonic_ns() - before, 300 * NSEC_PER_MSEC);
	fault_clear();
	ping(3);
}
END_TEST

START_TEST(the_write_index_is_wrong_until_the_next)
{
	static const struct {
		const char *scenario;
		bool beyond, unaligned;
	} cases[] = {
		{"hostile-ring-write-beyond", true, false},
		{"hostile-ring-write-unaligned", false, true},
		{"hostile-ring-write-ahead", false, false},
	};
	uint32_t right, index;

	start();
	ping(1);
	settle();
	right = (out_index() + 40) % guest.ring.rx.size;
	fault_scenario(cases[_i].scenario);
	put(2);
	wait_until((index = out_index()) != right - 40 && index != right);
	ck_assert_uint_eq(index >= guest.ring.rx.size, cases[_i].beyond);
	ck_assert_uint_eq(index % 8 != 0, cases[_i].unaligned);
	fault_clear();
	put(3);
	wait_until(out_index() == (right + 40) % guest.ring.rx.size);
	ck_assert_uint_eq(get(), 2);
	ck_assert_uint_eq(get(), 3);
}
END_TEST

START_TEST(the_read_index_is_wrong_until_the_next)
{
	static const struct {
		const char *scenario;
		bool beyond;
	} cases[] = {
		{"hostile-ring-read-beyond", true},
		{"hostile-ring-read-ahead", false},
	};
	uint32_t right, index;

	start();
	ping(1);
	settle();
	right = guest.ring.tx.index + 40;
	fault_scenario(cases[_i].scenario);
	put(2);
	wait_until((index = in_read_index()) != right - 40 && index != right);
	ck_assert_uint_eq(index >= guest.ring.tx.size, cases[_i].beyond);
	ck_assert_uint_eq(get(), 2);
}
END_TEST

/* --- interrupts -------------------------------------------------------------------------- */

START_TEST(an_interrupt_is_lost)
{
	start();
	ping(1);
	settle();
	guest_interrupted(&guest, BUS_CHAN_VP);
	fault_scenario("interrupts-lost");
	put(2);
	ck_assert_uint_eq(get(), 2);
	settle();
	ck_assert(!guest_interrupted(&guest, BUS_CHAN_VP));
}
END_TEST

START_TEST(an_interrupt_is_late)
{
	uint64_t before;

	start();
	ping(1);
	settle();
	guest_interrupted(&guest, BUS_CHAN_VP);
	before = clock_monotonic_ns();
	fault_rule("ring.signal:nth=1,action=delay,ms=50");
	put(2);
	wait_until(guest_interrupted(&guest, BUS_CHAN_VP));
	ck_assert_uint_ge(clock_monotonic_ns() - before, 50 * NSEC_PER_MSEC);
}
END_TEST

START_TEST(interrupts_come_for_nothing)
{
	uint64_t opened, signals;

	start();
	opened = clock_monotonic_ns();
	ping(1);
	/* Then it is looked whether an interrupt was lost in the opening. */
	wait_until(clock_monotonic_ns() > opened + 200 * NSEC_PER_MSEC);
	settle();
	signals = stats().signals_out;
	fault_scenario("interrupt-storm");
	put(2);
	wait_until(stats().signals_out >= signals + 51);
	fault_clear();
	for (unsigned int i = 0; i < 3; i++) {
		guest_interrupted(&guest, BUS_CHAN_VP);
		settle();
	}
	ck_assert_uint_eq(stats().signals_out, signals + 51);
}
END_TEST

/* A close in the middle of all that. */
START_TEST(a_close_forgets_what_was_to_come)
{
	fault_rule("ring.out:nth=1,action=delay,ms=600000");
	fault_rule("ring.publish:nth=1,action=stall,ms=600000");
	fault_rule("ring.signal:action=storm,n=1000");
	start();
	put(1);
	put(2);
	wait_until(stats().packets_out == 2);
	guest_close(&guest);
	fault_clear();
	guest_open(&guest, &offer);
	ping(3);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/vmbus/channel_fault");
	TCase *t = tcase_create("packets");

	tcase_set_timeout(t, 30);
	tcase_add_checked_fixture(t, dev_setup, end);
	tcase_add_test(t, a_packet_is_lost);
	tcase_add_test(t, a_packet_comes_twice);
	tcase_add_test(t, a_packet_is_late);
	tcase_add_test(t, a_packet_is_overtaken);
	tcase_add_test(t, a_packet_that_nobody_overtakes_comes_all_the_same);
	tcase_add_test(t, so_many_are_late_and_no_more);
	tcase_add_loop_test(t, a_packet_lies, 0, G_N_ELEMENTS(packets));
	tcase_add_test(t, a_payload_is_garbage);
	tcase_add_test(t, garbage_can_be_repeated);
	tcase_add_loop_test(t, ranges_lie, 0, G_N_ELEMENTS(ranges));
	tcase_add_test(t, a_ring_stands_still);
	tcase_add_loop_test(t, the_write_index_is_wrong_until_the_next, 0, 3);
	tcase_add_loop_test(t, the_read_index_is_wrong_until_the_next, 0, 2);
	tcase_add_test(t, an_interrupt_is_lost);
	tcase_add_test(t, an_interrupt_is_late);
	tcase_add_test(t, interrupts_come_for_nothing);
	tcase_add_test(t, a_close_forgets_what_was_to_come);
	suite_add_tcase(s, t);
	return check_main(s);
}
