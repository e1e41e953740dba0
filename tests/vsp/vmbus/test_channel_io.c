/* SPDX-License-Identifier: MIT */
/* Packets, signals and back pressure; test_channel.c has the life of one. */
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "support/channel_bench.h"
#include "support/turns.h"

/* --- signals ----------------------------------------------------------------------- */

START_TEST(signals_for_nothing_are_counted)
{
	start();
	settle();
	ping(1);
	settle();
	ck_assert_uint_eq(stats().signals_needless, 0);
	for (unsigned int i = 1; i <= 10; i++) {
		guest_signal(&guest);
		wait_until(stats().signals_needless == i);
	}
	ck_assert_uint_eq(stats().throttled, 0);
	ck_assert_uint_eq(stats().ring_in_bytes, 2 * PAGE);
	ck_assert_uint_eq(stats().ring_out_bytes, 3 * PAGE);
}
END_TEST

static void throttle_setup(void)
{
	needless_max = SIGNALS_MAX;
	dev_setup();
}

START_TEST(who_signals_too_often_is_heard_later)
{
	check_throttle();
}
END_TEST

START_TEST(signals_for_something_are_not_throttled)
{
	start();
	settle();
	for (unsigned int i = 1; i <= 10 * SIGNALS_MAX; i++)
		ping(i);
	ck_assert_uint_eq(stats().throttled, 0);
}
END_TEST

START_TEST(the_throttle_ends_with_the_channel)
{
	check_end_of_throttle();
}
END_TEST

START_TEST(no_signal_while_the_host_works)
{
	uint64_t before;

	start();
	dev.on_packet = DO_NOTHING;
	settle();
	before = stats().signals_in;
	/* It sleeps: the first packet needs one, and only that. */
	guest_put(&guest, 0, "x", 1);
	ck_assert_uint_eq(stats().signals_in, before + 1);
	wait_until(dev.packets == 1);
	settle();
	ck_assert_uint_eq(ring_load(RING_WORD(&guest.ring.tx, interrupt_mask)),
			  0);
	ck_assert_uint_ge(dev.batches, 1);
}
END_TEST

START_TEST(one_interrupt_for_a_batch)
{
	uint64_t before;

	start();
	settle();
	/* The guest polls: it has masked its interrupt, then has not. */
	ring_store(RING_WORD(&guest.ring.rx, interrupt_mask), 1);
	ping(1);
	ck_assert_uint_eq(stats().signals_out, 0);
	ring_store(RING_WORD(&guest.ring.rx, interrupt_mask), 0);
	before = stats().signals_out;
	ping(2);
	wait_until(stats().signals_out == before + 1);
	wait_until(guest_interrupted(&guest, BUS_CHAN_VP));
}
END_TEST

START_TEST(interrupts_move_to_another_vp)
{
	struct vmbus_channel_modifychannel m = {.child_relid = 1,
						.target_vp = 3};

	start();
	ping(1);
	wait_until(guest_interrupted(&guest, BUS_CHAN_VP));
	guest_send(&m, CHANNELMSG_MODIFYCHANNEL);
	guest_expect(CHANNELMSG_MODIFYCHANNEL_RESPONSE, NULL, 0);
	ck_assert_uint_eq(stats().target_vp, 3);
	ping(2);
	wait_until(guest_interrupted(&guest, 3));
	ck_assert(!guest_interrupted(&guest, BUS_CHAN_VP));
}
END_TEST

START_TEST(move_tells_the_new_vp_what_waits)
{
	struct vmbus_channel_modifychannel m = {.child_relid = 1,
						.target_vp = 3};

	start();
	guest_put(&guest, 1, "x", 1);
	wait_until(guest_interrupted(&guest, BUS_CHAN_VP));
	guest_send(&m, CHANNELMSG_MODIFYCHANNEL);
	guest_expect(CHANNELMSG_MODIFYCHANNEL_RESPONSE, NULL, 0);
	ck_assert(guest_interrupted(&guest, 3));
}
END_TEST

START_TEST(old_guests_have_a_page_of_interrupts)
{
	uint8_t *page;

	start_version(VERSION_WIN7);
	ping(1);
	page = gmem_load(mem, 5 * PAGE, PAGE);
	wait_until(guest_event_take(events(0), 2, 0));
	ck_assert_uint_eq(__atomic_load_n(&page[0], __ATOMIC_SEQ_CST), 2);
	ck_assert(!guest_interrupted(&guest, BUS_CHAN_VP));
}
END_TEST

START_TEST(guest_that_wants_no_interrupts)
{
	struct vmbus_channel_open_channel m = {
		.child_relid = 1,
		.ringbuffer_gpadlhandle = BUS_GPADL,
		.target_vp = VMBUS_NO_INTERRUPTS,
		.downstream_ringbuffer_pageoffset = BUS_DOWNSTREAM,
	};

	guest_connect(VERSION_WIN10);
	guest_request_offers(&offer, 1);
	guest = (struct guest_channel){.relid = 1,
				       .connection_id = offer.connection_id};
	guest_make_rings(&guest, BUS_RING_PFN);
	guest_share(1, BUS_GPADL, BUS_RING_PFN, BUS_RING_PAGES);
	guest_send(&m, CHANNELMSG_OPENCHANNEL);
	guest_expect(CHANNELMSG_OPENCHANNEL_RESULT, NULL, 0);
	ping(1);
	ck_assert_uint_eq(stats().signals_out, 0);
	for (uint32_t vp = 0; vp < FAKE_VPS; vp++)
		ck_assert(!guest_interrupted(&guest, vp));
}
END_TEST

/* --- back pressure ------------------------------------------------------------------ */

#define FLOOD 500u

START_TEST(a_full_ring_to_the_guest_holds_its_packets_back)
{
	unsigned int sent = 0;

	start();
	/* The guest takes nothing: in the end it can send nothing either. */
	do
		settle();
	while (guest_try_put(&guest, ++sent, buffer, 200) ||
	       stats().stalled == 0);
	ck_assert_uint_ge(stats().blocked, 1);
	ck_assert_uint_ne(ring_load(RING_WORD(&guest.ring.rx, pending_send_sz)),
			  0);
	/* All that it could send is answered, in order. */
	for (uint64_t id = 1; id < sent; id++) {
		guest_get(&guest, buffer, sizeof(buffer));
		ck_assert_uint_eq(buffer[1], id);
	}
	wait_until(dev.writables);
	ck_assert_uint_eq(ring_load(RING_WORD(&guest.ring.rx, pending_send_sz)),
			  0);
	ping(sent);
}
END_TEST

/* Whether they promised to or not. */
START_TEST(guests_that_signal_no_room)
{
	unsigned int sent = 0;

	start();
	/* Its own promise is in the ring that it sends on. */
	ring_store(RING_WORD(&guest.ring.tx, feature_bits),
		   _i ? HV_RING_FEATURE_PENDING_SEND_SZ : 0);
	do
		settle();
	while (guest_try_put(&guest, ++sent, buffer, 200) ||
	       stats().stalled == 0);
	for (uint64_t id = 1; id < sent; id++) {
		wait_until(
			ring_peer_receive(&guest.ring, buffer, sizeof(buffer)));
		ck_assert_uint_eq(buffer[1], id);
	}
	wait_until(dev.writables);
}
END_TEST

static void resume(void *ctx)
{
	channel_resume(ctx);
}

START_TEST(a_packet_that_is_deferred_comes_again)
{
	start();
	dev.on_packet = DO_DEFER;
	guest_put(&guest, 7, "x", 1);
	guest_put(&guest, 8, "x", 1);
	wait_until(dev.packets == 1);
	settle();
	ck_assert_uint_eq(dev.packets, 1);
	on_worker(resume, dev.ch);
	wait_until(dev.packets == 2);
	dev.on_packet = DO_COMPLETE;
	on_worker(resume, dev.ch);
	for (uint64_t id = 7; id <= 8; id++) {
		guest_get(&guest, buffer, sizeof(buffer));
		ck_assert_uint_eq(buffer[1], id);
	}
	on_worker(resume, dev.ch);
	ck_assert_uint_eq(stats().packets_in, 2);
	ck_assert_uint_eq(stats().stalled, 2);
}
END_TEST

static void send_a_lot(void *ctx)
{
	struct device *d = ctx;

	while (!channel_send(d->ch, buffer, 500))
		;
	ck_assert_int_eq(channel_send(d->ch, buffer, 500), -EAGAIN);
	ck_assert(!channel_has_room(d->ch, 500));
}

START_TEST(writable_is_called_once_there_is_room)
{
	unsigned int n = 0;

	start();
	on_worker(send_a_lot, &dev);
	settle();
	ck_assert_uint_eq(dev.writables, 0);
	wait_until(guest_interrupted(&guest, BUS_CHAN_VP));
	/* The guest is told of all of it without a callback's end. */
	while (ring_peer_receive(&guest.ring, buffer, sizeof(buffer)))
		n++;
	ck_assert_uint_eq(n, 3 * 4096 / 528);
	guest_ring_bell(&guest);
	wait_until(dev.writables == 1);
	settle();
	ck_assert_uint_eq(dev.writables, 1);
}
END_TEST

static void send_odd(void *ctx)
{
	struct device *d = ctx;
	const struct vmtransfer_page_range ranges[2] = {{1, 2}, {3, 4}};

	ck_assert_int_eq(channel_send(d->ch, buffer, 4096 - 16 + 1), -EMSGSIZE);
	ck_assert_int_eq(channel_send(d->ch, buffer, ~0u), -EMSGSIZE);
	ck_assert(!channel_has_room(d->ch, ~0u));
	ck_assert(channel_has_room(d->ch, 8));
	ck_assert_int_eq(channel_request(d->ch, 55, "abc", 3), 0);
	ck_assert_int_eq(channel_send_pipe(d->ch, "abc", 3), 0);
	ck_assert_int_eq(channel_send_packet(
				 d->ch,
				 &(struct packet_out){
					 .type = VM_PKT_DATA_USING_XFER_PAGES,
					 .trans_id = 66,
					 .xfer_pageset_id = 0xBEEF,
					 .n_xfer = 2,
					 .xfer = ranges,
					 .data = {"abc"},
					 .bytes = {3}}),
			 0);
}

START_TEST(all_kinds_of_packets_to_the_guest)
{
	struct packet p;
	const void *data;
	uint32_t n;

	start();
	on_worker(send_odd, &dev);
	n = guest_get(&guest, buffer, sizeof(buffer));
	ck_assert_int_eq(packet_parse(buffer, n, &p), 0);
	ck_assert(p.wants_completion);
	ck_assert_uint_eq(p.trans_id, 55);
	n = guest_get(&guest, buffer, sizeof(buffer));
	ck_assert_int_eq(packet_parse(buffer, n, &p), 0);
	ck_assert(!p.wants_completion);
	ck_assert_uint_eq(p.trans_id, 0);
	ck_assert_int_eq(packet_pipe(&p, &data, &n), 0);
	ck_assert_uint_eq(n, 3);
	ck_assert_mem_eq(data, "abc", 3);
	n = guest_get(&guest, buffer, sizeof(buffer));
	ck_assert_int_eq(packet_parse(buffer, n, &p), 0);
	ck_assert_uint_eq(p.type, VM_PKT_DATA_USING_XFER_PAGES);
	ck_assert_uint_eq(p.xfer_pageset_id, 0xBEEF);
	ck_assert_uint_eq(p.n_xfer, 2);
}
END_TEST

/* --- a guest that breaks the protocol --------------------------------------------------- */

static void bad_write_index(void)
{
	ring_store(RING_WORD(&guest.ring.tx, write_index), 4);
}

static void bad_read_index(void)
{
	ring_store(RING_WORD(&guest.ring.rx, read_index), ~0u);
	/* It is looked at when the ring seems full. */
	for (unsigned int i = 0; i < FLOOD && !dev.closes; i++) {
		guest_try_put(&guest, 1, buffer, 400);
		give_way();
	}
}

static void bad_length(void)
{
	uint64_t zeros[4] = {0};

	ring_peer_send_raw(&guest.ring, zeros, sizeof(zeros));
}

static void bad_type(void)
{
	uint64_t synch[2] = {VM_PKT_SYNCH | 2 << 16 | 2ull << 32};

	ring_peer_send_raw(&guest.ring, synch, sizeof(synch));
}

static void bad_ranges(void)
{
	uint64_t direct[4] = {VM_PKT_DATA_USING_GPA_DIRECT | 4 << 16 |
			      4ull << 32};

	ring_peer_send_raw(&guest.ring, direct, sizeof(direct));
}

static void too_long(void)
{
	uint64_t packet[256] = {VM_PKT_DATA_INBAND | 2 << 16 | 256ull << 32};

	ring_peer_send_raw(&guest.ring, packet, sizeof(packet));
}

static void against_the_device(void)
{
	dev.on_packet = DO_REFUSE;
	guest_put(&guest, 1, "x", 1);
}

static void device_has_enough(void)
{
	dev.on_packet = DO_FAIL;
	guest_put(&guest, 1, "x", 1);
}

static void no_more_rings(void)
{
	guest_teardown(guest.relid, guest.gpadl);
}

static void (*const crimes[])(void) = {
	bad_write_index,    bad_read_index,    bad_length,
	bad_type,           bad_ranges,        too_long,
	against_the_device, device_has_enough, no_more_rings,
};

START_TEST(who_breaks_the_protocol_loses_the_channel)
{
	struct channel_params p = params_of(1);

	channel_free(dev.ch);
	p.max_in = 1024;
	make_device(&p);
	start();
	ping(1);
	crimes[_i]();
	guest_signal(&guest);
	wait_until(dev.closes);
	if (crimes[_i] == no_more_rings)
		guest_expect(CHANNELMSG_RESCIND_CHANNELOFFER, NULL, 0);
	/* The bus goes on. */
	if (crimes[_i] == no_more_rings)
		guest_expect(CHANNELMSG_GPADL_TORNDOWN, NULL, 0);
	else
		guest_expect(CHANNELMSG_RESCIND_CHANNELOFFER, NULL, 0);
	ck_assert_uint_eq(stats().failures, 1);
	ck_assert_uint_eq(guest_signal(&guest),
			  HV_STATUS_INVALID_CONNECTION_ID);
	guest_drop_rings(&guest);
	guest_send_relid(CHANNELMSG_RELID_RELEASED, 1);
	/* A new start, a little later. */
	guest_expect(CHANNELMSG_OFFERCHANNEL, &offer, sizeof(offer));
	ck_assert_uint_eq(dev.releases, 1);
	dev.on_packet = DO_COMPLETE;
	guest_open(&guest, &offer);
	ping(1);
	ck_assert_uint_eq(dev.closes, 1);
}
END_TEST

/* --- threads -------------------------------------------------------------------------------- */

START_TEST(wake_from_another_thread)
{
	for (unsigned int i = 0; i < 10; i++)
		channel_wake(dev.ch);
	wait_until(dev.wakes);
	start();
	dev.wakes = 0;
	channel_wake(dev.ch);
	wait_until(dev.wakes);
}
END_TEST

START_TEST(many_packets_both_ways)
{
	uint64_t sent = 0, received = 0;

	start();
	while (received < 20000) {
		if (sent < 20000 &&
		    guest_try_put(&guest, sent + 1, &sent, sizeof(sent)))
			sent++;
		else
			give_way();
		while (ring_peer_receive(&guest.ring, buffer, sizeof(buffer))) {
			ck_assert_uint_eq(buffer[1], ++received);
			ck_assert_uint_eq(buffer[2], received - 1);
		}
		guest_ring_bell(&guest);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/vmbus/channel_io");
	TCase *t = tcase_create("channel_io");

	log_set_level("error");
	tcase_set_timeout(t, 30);
	tcase_add_checked_fixture(t, dev_setup, dev_teardown);
	tcase_add_test(t, signals_for_nothing_are_counted);
	tcase_add_test(t, no_signal_while_the_host_works);
	tcase_add_test(t, one_interrupt_for_a_batch);
	tcase_add_test(t, interrupts_move_to_another_vp);
	tcase_add_test(t, move_tells_the_new_vp_what_waits);
	tcase_add_test(t, old_guests_have_a_page_of_interrupts);
	tcase_add_test(t, guest_that_wants_no_interrupts);
	tcase_add_test(t, a_full_ring_to_the_guest_holds_its_packets_back);
	tcase_add_loop_test(t, guests_that_signal_no_room, 0, 2);
	tcase_add_test(t, a_packet_that_is_deferred_comes_again);
	tcase_add_test(t, writable_is_called_once_there_is_room);
	tcase_add_test(t, all_kinds_of_packets_to_the_guest);
	tcase_add_loop_test(t, who_breaks_the_protocol_loses_the_channel, 0,
			    G_N_ELEMENTS(crimes));
	tcase_add_test(t, wake_from_another_thread);
	tcase_add_test(t, many_packets_both_ways);
	suite_add_tcase(s, t);
	t = tcase_create("throttle");
	tcase_set_timeout(t, 30);
	tcase_add_checked_fixture(t, throttle_setup, dev_teardown);
	tcase_add_test(t, who_signals_too_often_is_heard_later);
	tcase_add_test(t, signals_for_something_are_not_throttled);
	tcase_add_test(t, the_throttle_ends_with_the_channel);
	suite_add_tcase(s, t);
	return check_main(s);
}
