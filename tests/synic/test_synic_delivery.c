/* SPDX-License-Identifier: MIT */
/* Messages and events through the synic. */
#include "synic/synic.h"

#include <errno.h>

#include <glib.h>

#include "support/synic_bench.h"

/* --- messages ------------------------------------------------------------ */

START_TEST(message_arrives)
{
	struct hv_message m = {.header = {.message_type = 0x12345678,
					  .payload_size = 240,
					  .sender = 42}};
	struct hv_message seen = {0};

	memset(m.payload, 0x77, sizeof(m.payload));
	enable(0);
	ck_assert_int_eq(synic_message_post(synic, 0, 2, &m), 0);
	ck_assert(guest_message_take(slot(0, 2), &seen));
	ck_assert_mem_eq(&seen, &m, sizeof(m));
	ck_assert_uint_eq(fake_vps_take(&vps, 0, VECTOR), 1);
	ck_assert_uint_eq(vps.auto_eois[0][VECTOR], 0);
	ck_assert_uint_eq(vps.total, 1);
}
END_TEST

START_TEST(bad_posts)
{
	struct hv_message m = {
		.header = {.message_type = 1, .payload_size = 241}};

	enable(0);
	ck_assert_int_eq(synic_message_post(synic, 0, 2, &m), -EINVAL);
	m.header.payload_size = 0;
	ck_assert_int_eq(synic_message_post(synic, 0, 16, &m), -EINVAL);
	ck_assert_int_eq(synic_message_post(synic, FAKE_VPS, 2, &m), -EINVAL);
	m.header.message_type = HVMSG_NONE;
	ck_assert_int_eq(synic_message_post(synic, 0, 2, &m), -EINVAL);
	ck_assert_uint_eq(vps.total, 0);
	m.header.message_type = 1;
	ck_assert_int_eq(synic_message_post(synic, 0, 2, &m), 0);
}
END_TEST

START_TEST(auto_eoi_is_passed_on)
{
	enable(0);
	wr(0, SINT(2), VECTOR | AUTO_EOI);
	ck_assert_int_eq(post(0, 2, 1), 0);
	ck_assert_int_eq(synic_event_set(synic, 0, 2, 9), 1);
	ck_assert_uint_eq(vps.auto_eois[0][VECTOR], 2);
}
END_TEST

START_TEST(order_and_pending_under_a_full_queue)
{
	struct hv_message m;

	enable(0);
	/* One in the slot and a full queue behind it. */
	for (uint64_t n = 0; n <= SYNIC_QUEUE_MAX; n++)
		ck_assert_int_eq(post(0, 2, n), 0);
	ck_assert_int_eq(post(0, 2, 999), -EAGAIN);
	ck_assert_uint_eq(fake_vps_take(&vps, 0, VECTOR), 1);
	for (uint64_t n = 0; n <= SYNIC_QUEUE_MAX; n++) {
		ck_assert(guest_message_take(slot(0, 2), &m));
		ck_assert_uint_eq(m.header.message_flags, n < SYNIC_QUEUE_MAX);
		ck_assert_uint_eq(receive(0, 2), n);
		ck_assert_uint_eq(fake_vps_take(&vps, 0, VECTOR),
				  n < SYNIC_QUEUE_MAX);
	}
	ck_assert_uint_eq(receive(0, 2), ~0ull);
	ck_assert_int_eq(post(0, 2, 5), 0);
	ck_assert_uint_eq(receive(0, 2), 5);
}
END_TEST

/* A post finds room when the guest emptied the slot and said nothing. */
START_TEST(post_to_a_full_queue_makes_room)
{
	enable(0);
	for (uint64_t n = 0; n <= SYNIC_QUEUE_MAX; n++)
		ck_assert_int_eq(post(0, 2, n), 0);
	guest_message_done(slot(0, 2));
	ck_assert_int_eq(post(0, 2, SYNIC_QUEUE_MAX + 1), 0);
	ck_assert_int_eq(post(0, 2, 999), -EAGAIN);
	for (uint64_t n = 1; n <= SYNIC_QUEUE_MAX + 1; n++)
		ck_assert_uint_eq(receive(0, 2), n);
}
END_TEST

static unsigned int rooms[FAKE_VPS][16];

static void on_room(void *ctx, uint32_t vp, unsigned int sint)
{
	ck_assert_ptr_eq(ctx, rooms);
	rooms[vp][sint]++;
	/* No lock is held. */
	post(1, 2, 5);
}

START_TEST(room_is_told_to_who_was_refused)
{
	uint64_t n;

	synic_set_room_hook(synic, on_room, rooms);
	enable(0);
	for (n = 0; n <= SYNIC_QUEUE_MAX; n++)
		ck_assert_int_eq(post(0, 2, n), 0);
	/* Full, but nobody was refused. */
	for (n = 0; n < SYNIC_QUEUE_MAX; n++)
		receive(0, 2);
	ck_assert_uint_eq(rooms[0][2], 0);
	for (n = 0; n < SYNIC_QUEUE_MAX; n++)
		ck_assert_int_eq(post(0, 2, n), 0);
	ck_assert_int_eq(post(0, 2, n), -EAGAIN);
	ck_assert_int_eq(post(0, 2, n), -EAGAIN);
	/* Not for each that leaves, but once when half is free. */
	for (n = 1; n < SYNIC_QUEUE_MAX / 2; n++)
		receive(0, 2);
	ck_assert_uint_eq(rooms[0][2], 0);
	receive(0, 2);
	ck_assert_uint_eq(rooms[0][2], 1);
	while (receive(0, 2) != ~0ull)
		continue;
	ck_assert_uint_eq(rooms[0][2], 1);
	ck_assert_uint_eq(rooms[0][3] + rooms[1][2], 0);
}
END_TEST

START_TEST(dropped_are_what_waits)
{
	struct hv_message m;

	enable(0);
	wr(0, CONFIG(0), EN | TO_SINT(2));
	for (uint64_t n = 0; n < 5; n++)
		ck_assert_int_eq(post(0, 2, n), 0);
	wr(0, COUNT(0), 1);
	advance_to(10);
	synic_run_timers(synic);
	ck_assert_int_eq(post(0, 2, 9), 0);
	synic_message_drop(synic, 0, 2);
	synic_message_drop(synic, 0, 16);
	synic_message_drop(synic, FAKE_VPS, 2);
	/* What was delivered is the guest's; the timer's comes. */
	ck_assert_uint_eq(receive(0, 2), 0);
	ck_assert(guest_message_take(slot(0, 2), &m));
	ck_assert_uint_eq(m.header.message_type, HVMSG_TIMER_EXPIRED);
	receive(0, 2);
	ck_assert_uint_eq(receive(0, 2), ~0ull);
	/* All the room is back. */
	for (uint64_t n = 0; n <= SYNIC_QUEUE_MAX; n++)
		ck_assert_int_eq(post(0, 2, n), 0);
}
END_TEST

START_TEST(a_drop_makes_room)
{
	synic_set_room_hook(synic, on_room, rooms);
	for (uint64_t n = 0; n < SYNIC_QUEUE_MAX; n++)
		ck_assert_int_eq(post(0, 2, n), 0);
	ck_assert_int_eq(post(0, 2, 99), -EAGAIN);
	synic_message_drop(synic, 0, 2);
	ck_assert_uint_eq(rooms[0][2], 1);
}
END_TEST

START_TEST(full_queue_of_one_sint_is_not_anothers)
{
	enable(0);
	wr(0, SINT(3), 0x50);
	for (uint64_t n = 0; n <= SYNIC_QUEUE_MAX; n++)
		ck_assert_int_eq(post(0, 2, n), 0);
	ck_assert_int_eq(post(0, 3, 1), 0);
	ck_assert_uint_eq(fake_vps_take(&vps, 0, 0x50), 1);
	ck_assert_int_eq(post(1, 2, 1), 0);
}
END_TEST

/* What a queued message may wait for, and the write that lets it go. */
static const struct {
	const char *what;
	uint32_t msr;
	uint64_t off;
	uint64_t on;
} gates[] = {
	{"SCONTROL", SCONTROL, 0, 1},
	{"SIMP", SIMP, 8 * PAGE, 8 * PAGE | 1},
};

START_TEST(messages_wait_while_off)
{
	enable(0);
	wr(0, gates[_i].msr, gates[_i].off);
	ck_assert_int_eq(post(0, 2, 1), 0);
	ck_assert_int_eq(post(0, 2, 2), 0);
	wr(0, EOM, 0);
	synic_eoi(synic, 0, VECTOR);
	ck_assert_msg(vps.total == 0, "%s", gates[_i].what);
	wr(0, gates[_i].msr, gates[_i].on);
	ck_assert_msg(vps.total == 1, "%s", gates[_i].what);
	ck_assert_uint_eq(receive(0, 2), 1);
	ck_assert_uint_eq(receive(0, 2), 2);
	ck_assert_uint_eq(vps.total, 2);
}
END_TEST

START_TEST(queued_before_anything_is_enabled)
{
	for (uint64_t n = 0; n < SYNIC_QUEUE_MAX; n++)
		ck_assert_int_eq(post(0, 2, n), 0);
	ck_assert_int_eq(post(0, 2, 99), -EAGAIN);
	enable(0);
	for (uint64_t n = 0; n < SYNIC_QUEUE_MAX; n++)
		ck_assert_uint_eq(receive(0, 2), n);
	ck_assert_uint_eq(vps.total, SYNIC_QUEUE_MAX);
}
END_TEST

START_TEST(masked_sint_gets_the_message_without_interrupt)
{
	enable(0);
	wr(0, SINT(2), VECTOR | MASKED);
	ck_assert_int_eq(post(0, 2, 1), 0);
	ck_assert_int_eq(post(0, 2, 2), 0);
	/* It can be drained by EOM. */
	ck_assert_uint_eq(receive(0, 2), 1);
	ck_assert_uint_eq(receive(0, 2), 2);
	ck_assert_uint_eq(vps.total, 0);
}
END_TEST

START_TEST(unmasking_retries)
{
	enable(0);
	ck_assert_int_eq(post(0, 2, 1), 0);
	ck_assert_int_eq(post(0, 2, 2), 0);
	wr(0, SINT(2), VECTOR | MASKED);
	guest_message_done(slot(0, 2));
	wr(0, SINT(2), VECTOR);
	ck_assert_uint_eq(fake_vps_take(&vps, 0, VECTOR), 2);
	ck_assert_uint_eq(receive(0, 2), 2);
}
END_TEST

START_TEST(eoi_retries_its_vector_only)
{
	enable(0);
	ck_assert_int_eq(post(0, 2, 1), 0);
	ck_assert_int_eq(post(0, 2, 2), 0);
	synic_eoi(synic, 0, VECTOR); /* busy */
	guest_message_done(slot(0, 2));
	synic_eoi(synic, 0, VECTOR - 1);
	synic_eoi(synic, 1, VECTOR);
	synic_eoi(synic, FAKE_VPS, VECTOR);
	ck_assert_uint_eq(vps.total, 1);
	synic_eoi(synic, 0, VECTOR);
	ck_assert_uint_eq(vps.total, 2);
	ck_assert_uint_eq(receive(0, 2), 2);
}
END_TEST

START_TEST(eom_serves_every_sint_once)
{
	enable(0);
	wr(0, SINT(3), 0x50);
	for (unsigned int sint = 2; sint <= 3; sint++)
		for (uint64_t n = 0; n < 3; n++)
			ck_assert_int_eq(post(0, sint, n), 0);
	guest_message_done(slot(0, 2));
	guest_message_done(slot(0, 3));
	wr(0, EOM, 0);
	ck_assert_uint_eq(fake_vps_take(&vps, 0, VECTOR), 2);
	ck_assert_uint_eq(fake_vps_take(&vps, 0, 0x50), 2);
	ck_assert_uint_eq(receive(0, 2), 1);
	ck_assert_uint_eq(receive(0, 3), 1);
}
END_TEST

/* --- events -------------------------------------------------------------- */

static const struct {
	const char *what;
	uint64_t scontrol, siefp_on, sint;
	bool polling;
	int result;
	unsigned int interrupts;
} signals[] = {
	{"on", 1, 1, VECTOR, true, 1, 1},
	{"SynIC off", 0, 1, VECTOR, true, -ENOTCONN, 0},
	{"page off", 1, 0, VECTOR, true, -ENOTCONN, 0},
	{"masked", 1, 1, VECTOR | MASKED, true, -ENOTCONN, 0},
	{"polled", 1, 1, VECTOR | POLLING, true, 1, 0},
	{"masked and polled", 1, 1, VECTOR | MASKED | POLLING, true, 1, 0},
	{"masked and polled, no polling here", 1, 1, VECTOR | MASKED | POLLING,
	 false, -ENOTCONN, 0},
	{"polled, no polling here", 1, 1, VECTOR | POLLING, false, 1, 1},
};

START_TEST(event_rules)
{
	setup_with(true, signals[_i].polling);
	enable(0);
	wr(0, SCONTROL, signals[_i].scontrol);
	wr(0, SIEFP, siefp_gpa(0) | signals[_i].siefp_on);
	wr(0, SINT(2), signals[_i].sint);
	ck_assert_msg(synic_event_set(synic, 0, 2, 2047) == signals[_i].result,
		      "%s", signals[_i].what);
	ck_assert_msg(vps.total == signals[_i].interrupts, "%s: %u",
		      signals[_i].what, vps.total);
	wr(0, SIEFP, siefp_gpa(0) | 1);
	ck_assert_int_eq(guest_event_take(events(0), 2, 2047),
			 signals[_i].result == 1);
	teardown();
}
END_TEST

START_TEST(polled_message_makes_no_interrupt)
{
	setup_with(true, true);
	enable(0);
	wr(0, SINT(2), VECTOR | POLLING);
	ck_assert_int_eq(post(0, 2, 4), 0);
	ck_assert_uint_eq(receive(0, 2), 4);
	ck_assert_uint_eq(vps.total, 0);
	teardown();
}
END_TEST

START_TEST(event_interrupts_once)
{
	enable(0);
	ck_assert_int_eq(synic_event_set(synic, 0, 2, 0), 1);
	ck_assert_int_eq(synic_event_set(synic, 0, 2, 0), 0);
	ck_assert_int_eq(synic_event_set(synic, 0, 2, 1), 1);
	ck_assert_uint_eq(vps.total, 2);
	ck_assert(guest_event_take(events(0), 2, 0));
	ck_assert_int_eq(synic_event_set(synic, 0, 2, 0), 1);
	ck_assert_uint_eq(vps.total, 3);
}
END_TEST

START_TEST(event_bounds)
{
	enable(0);
	ck_assert_int_eq(synic_event_set(synic, 0, 2, 2048), -EINVAL);
	ck_assert_int_eq(synic_event_set(synic, 0, 2, UINT32_MAX), -EINVAL);
	ck_assert_int_eq(synic_event_set(synic, 0, 16, 0), -EINVAL);
	ck_assert_int_eq(synic_event_set(synic, FAKE_VPS, 2, 0), -EINVAL);
}
END_TEST

/* --- bare interrupts ------------------------------------------------------ */

START_TEST(raising_a_sint)
{
	/* The SynIC need not be on for that. */
	ck_assert_int_eq(synic_sint_raise(synic, 0, 2), -ENOTCONN);
	wr(0, SINT(2), VECTOR | AUTO_EOI);
	ck_assert_int_eq(synic_sint_raise(synic, 0, 2), 0);
	ck_assert_int_eq(synic_sint_raise(synic, 0, 2), 0);
	ck_assert_uint_eq(fake_vps_take(&vps, 0, VECTOR), 2);
	ck_assert_uint_eq(vps.auto_eois[0][VECTOR], 2);
	ck_assert_int_eq(synic_sint_raise(synic, 0, 16), -EINVAL);
	ck_assert_int_eq(synic_sint_raise(synic, FAKE_VPS, 2), -EINVAL);
}
END_TEST

static void add_messages(Suite *s)
{
	TCase *t = tcase_create("messages");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, message_arrives);
	tcase_add_test(t, bad_posts);
	tcase_add_test(t, auto_eoi_is_passed_on);
	tcase_add_test(t, order_and_pending_under_a_full_queue);
	tcase_add_test(t, post_to_a_full_queue_makes_room);
	tcase_add_test(t, room_is_told_to_who_was_refused);
	tcase_add_test(t, dropped_are_what_waits);
	tcase_add_test(t, a_drop_makes_room);
	tcase_add_test(t, full_queue_of_one_sint_is_not_anothers);
	tcase_add_loop_test(t, messages_wait_while_off, 0, G_N_ELEMENTS(gates));
	tcase_add_test(t, queued_before_anything_is_enabled);
	tcase_add_test(t, masked_sint_gets_the_message_without_interrupt);
	tcase_add_test(t, unmasking_retries);
	tcase_add_test(t, eoi_retries_its_vector_only);
	tcase_add_test(t, eom_serves_every_sint_once);
	suite_add_tcase(s, t);
}

static void add_events(Suite *s)
{
	TCase *t = tcase_create("events"), *own = tcase_create("profiles");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, event_interrupts_once);
	tcase_add_test(t, event_bounds);
	tcase_add_test(t, raising_a_sint);
	suite_add_tcase(s, t);

	/* These choose their own profile. */
	tcase_add_loop_test(own, event_rules, 0, G_N_ELEMENTS(signals));
	tcase_add_test(own, polled_message_makes_no_interrupt);
	suite_add_tcase(s, own);
}

int main(void)
{
	Suite *s = suite_create("synic/synic_delivery");

	add_messages(s);
	add_events(s);
	return check_main(s);
}
