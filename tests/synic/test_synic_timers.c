/* SPDX-License-Identifier: MIT */
/* Synthetic timers through the synic. */
#include "synic/synic.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#include <glib.h>

#include "support/synic_bench.h"
#include "support/turns.h"

/* --- timers --------------------------------------------------------------- */

static struct hv_timer_message_payload receive_timer(uint32_t vp,
						     unsigned int sint)
{
	struct hv_timer_message_payload payload;
	struct hv_message m;

	ck_assert(guest_message_take(slot(vp, sint), &m));
	ck_assert_uint_eq(m.header.message_type, HVMSG_TIMER_EXPIRED);
	ck_assert_uint_eq(m.header.payload_size, sizeof(payload));
	ck_assert_uint_eq(m.header.sender, 0);
	memcpy(&payload, m.payload, sizeof(payload));
	if (guest_message_done(slot(vp, sint)))
		wr(vp, EOM, 0);
	return payload;
}

START_TEST(direct_timer_fires_in_time)
{
	/* The SynIC need not be on for that. */
	wr(3, CONFIG(1), EN | DIRECT(0xEDull));
	wr(3, COUNT(1), 5 * MS);
	ck_assert_uint_eq(synic_next_deadline(synic), 5 * MS);
	ck_assert_uint_eq(vps.nearer, 1);
	advance_to(5 * MS - 1);
	synic_run_timers(synic);
	ck_assert_uint_eq(vps.total, 0);
	advance_to(5 * MS);
	synic_run_timers(synic);
	ck_assert_uint_eq(fake_vps_take(&vps, 3, 0xED), 1);
	ck_assert_uint_eq(rd(3, CONFIG(1)), DIRECT(0xEDull));
	ck_assert_uint_eq(synic_next_deadline(synic), UINT64_MAX);
	synic_run_timers(synic);
	ck_assert_uint_eq(vps.total, 1);
	ck_assert_uint_eq(vps.auto_eois[3][0xED], 0);
}
END_TEST

START_TEST(direct_timer_in_the_past_fires_at_once)
{
	advance_to(5 * MS);
	wr(0, CONFIG(0), EN | HV_STIMER_AUTO_ENABLE | DIRECT(0xEDull));
	ck_assert_uint_eq(vps.total, 0);
	wr(0, COUNT(0), 5 * MS);
	ck_assert_uint_eq(fake_vps_take(&vps, 0, 0xED), 1);
	wr(0, COUNT(0), 1);
	ck_assert_uint_eq(fake_vps_take(&vps, 0, 0xED), 1);
	ck_assert_uint_eq(vps.nearer, 0);
}
END_TEST

START_TEST(direct_timer_without_a_real_vector)
{
	wr(0, COUNT(0), 1);
	wr(0, CONFIG(0), EN | DIRECT(15ull));
	advance_to(MS);
	synic_run_timers(synic);
	ck_assert_uint_eq(vps.total, 0);
	ck_assert_uint_eq(rd(0, CONFIG(0)), DIRECT(15ull));
}
END_TEST

START_TEST(message_timer_sends_its_message)
{
	struct hv_timer_message_payload p;

	enable(0);
	wr(0, COUNT(3), 2 * MS);
	wr(0, CONFIG(3), EN | TO_SINT(2));
	advance_to(2 * MS + 3);
	synic_run_timers(synic);
	ck_assert_uint_eq(fake_vps_take(&vps, 0, VECTOR), 1);
	p = receive_timer(0, 2);
	ck_assert_uint_eq(p.timer_index, 3);
	ck_assert_uint_eq(p.expiration_time, 2 * MS);
	ck_assert_uint_eq(p.delivery_time, 2 * MS + 3);
	ck_assert_uint_eq(rd(0, CONFIG(3)), TO_SINT(2));
}
END_TEST

START_TEST(timer_message_waits_for_its_slot)
{
	struct hv_timer_message_payload p;

	enable(0);
	ck_assert_int_eq(post(0, 2, 1), 0);
	wr(0, COUNT(0), MS);
	wr(0, CONFIG(0), EN | TO_SINT(2));
	advance_to(MS);
	synic_run_timers(synic);
	ck_assert_int_eq(post(0, 2, 2), 0);
	/* In the order of arrival, each with its EOM. */
	ck_assert_uint_eq(receive(0, 2), 1);
	advance_to(3 * MS);
	p = receive_timer(0, 2);
	ck_assert_uint_eq(p.expiration_time, MS);
	ck_assert_uint_ge(p.delivery_time, MS);
	ck_assert_uint_eq(receive(0, 2), 2);
	ck_assert_uint_eq(fake_vps_take(&vps, 0, VECTOR), 3);
}
END_TEST

START_TEST(delivery_time_is_when_it_got_its_slot)
{
	struct hv_timer_message_payload p;

	wr(0, COUNT(0), MS);
	wr(0, CONFIG(0), EN | TO_SINT(2));
	advance_to(MS);
	synic_run_timers(synic);
	advance_to(7 * MS);
	enable(0);
	p = receive_timer(0, 2);
	ck_assert_uint_eq(p.expiration_time, MS);
	ck_assert_uint_eq(p.delivery_time, 7 * MS);
}
END_TEST

START_TEST(timers_have_room_in_a_full_queue)
{
	enable(0);
	for (uint64_t n = 0; n <= SYNIC_QUEUE_MAX; n++)
		ck_assert_int_eq(post(0, 2, n), 0);
	for (unsigned int i = 0; i < 4; i++) {
		wr(0, CONFIG(i), HV_STIMER_AUTO_ENABLE | TO_SINT(2));
		wr(0, COUNT(i), MS);
	}
	advance_to(MS);
	synic_run_timers(synic);
	for (uint64_t n = 0; n <= SYNIC_QUEUE_MAX; n++)
		ck_assert_uint_eq(receive(0, 2), n);
	for (unsigned int i = 0; i < 4; i++)
		ck_assert_uint_eq(receive_timer(0, 2).timer_index, i);
	ck_assert_uint_eq(receive(0, 2), ~0ull);
}
END_TEST

START_TEST(periodic_message_timer_queues_one)
{
	struct hv_timer_message_payload p;

	enable(0);
	ck_assert_int_eq(post(0, 2, 1), 0);
	wr(0, COUNT(0), MS);
	wr(0, CONFIG(0), EN | HV_STIMER_PERIODIC | TO_SINT(2));
	for (uint64_t ms = 1; ms <= 5; ms++) {
		advance_to(ms * MS + 1);
		synic_run_timers(synic);
	}
	ck_assert_uint_eq(synic_next_deadline(synic), UINT64_MAX);
	ck_assert_uint_eq(receive(0, 2), 1);
	p = receive_timer(0, 2);
	ck_assert_uint_eq(p.expiration_time, MS);
	ck_assert_uint_eq(receive(0, 2), ~0ull);
	/* And it goes on, at twice the rate for what was missed. */
	ck_assert_uint_eq(synic_next_deadline(synic), 5 * MS + 1 + MS / 2);
}
END_TEST

START_TEST(lazy_timer_skips_what_is_late)
{
	enable(0);
	ck_assert_int_eq(post(0, 2, 1), 0);
	wr(0, COUNT(0), MS);
	wr(0, CONFIG(0), EN | HV_STIMER_PERIODIC | HV_STIMER_LAZY | TO_SINT(2));
	advance_to(MS);
	synic_run_timers(synic);
	ck_assert_int_eq(post(0, 2, 2), 0);
	advance_to(2 * MS - 10);
	ck_assert_uint_eq(receive(0, 2), 1);
	/* The timer's message stood before this one and is left out. */
	ck_assert_uint_eq(receive(0, 2), 2);
	ck_assert_uint_ge(synic_next_deadline(synic), 2 * MS);
	ck_assert_uint_lt(synic_next_deadline(synic), 3 * MS);
}
END_TEST

START_TEST(programming_takes_a_queued_message_back)
{
	enable(0);
	advance_to(MS);
	ck_assert_int_eq(post(0, 2, 1), 0);
	wr(0, COUNT(0), 1);
	wr(0, CONFIG(0), EN | TO_SINT(2));
	ck_assert_int_eq(post(0, 2, 2), 0);
	wr(0, _i ? COUNT(0) : CONFIG(0), 0);
	ck_assert_uint_eq(receive(0, 2), 1);
	ck_assert_uint_eq(receive(0, 2), 2);
	ck_assert_uint_eq(receive(0, 2), ~0ull);
}
END_TEST

START_TEST(refused_config_changes_nothing)
{
	enable(0);
	advance_to(MS);
	ck_assert_int_eq(post(0, 2, 1), 0);
	wr(0, COUNT(0), 1);
	wr(0, CONFIG(0), EN | TO_SINT(2));
	ck_assert_int_eq(synic_msr_write(synic, 0, CONFIG(0), ~0ull), -EINVAL);
	ck_assert_uint_eq(receive(0, 2), 1);
	ck_assert_uint_eq(receive_timer(0, 2).timer_index, 0);
}
END_TEST

static uint64_t hook_deadline;
static unsigned int hook_calls;

static void hook(void *ctx, uint64_t deadline)
{
	ck_assert_ptr_eq(ctx, &hook_calls);
	hook_deadline = deadline;
	hook_calls++;
}

START_TEST(hook_hears_of_nearer_deadlines_only)
{
	static const struct {
		uint32_t vp;
		unsigned int calls;
		uint64_t count;
	} steps[] = {
		{0, 1, 50 * MS}, {1, 1, 60 * MS}, {2, 2, 40 * MS},
		{2, 2, 45 * MS}, {2, 2, 0},       {0, 3, 49 * MS},
		{1, 4, 10 * MS}, {1, 4, 10 * MS}, {1, 4, 1000 * MS},
	};

	hook_calls = 0;
	synic_set_timer_hook(synic, hook, &hook_calls);
	for (uint32_t vp = 0; vp < 3; vp++)
		wr(vp, CONFIG(0), HV_STIMER_AUTO_ENABLE | DIRECT(0x80ull));
	for (unsigned int i = 0; i < G_N_ELEMENTS(steps); i++) {
		wr(steps[i].vp, COUNT(0), steps[i].count);
		ck_assert_uint_eq(hook_calls, steps[i].calls);
		if (i && steps[i].calls > steps[i - 1].calls)
			ck_assert_uint_eq(hook_deadline, steps[i].count);
	}
	ck_assert_uint_eq(synic_next_deadline(synic), 49 * MS);
}
END_TEST

START_TEST(all_that_is_due_is_run_at_once)
{
	for (uint32_t vp = 0; vp < FAKE_VPS; vp++)
		for (unsigned int i = 0; i < 4; i++) {
			wr(vp, CONFIG(i),
			   HV_STIMER_AUTO_ENABLE |
				   DIRECT(0x80ull + vp * 4 + i));
			wr(vp, COUNT(i), MS + vp + i);
		}
	advance_to(2 * MS);
	synic_run_timers(synic);
	ck_assert_uint_eq(vps.total, 4 * FAKE_VPS);
	for (uint32_t vp = 0; vp < FAKE_VPS; vp++)
		for (uint8_t i = 0; i < 4; i++)
			ck_assert_uint_eq(
				fake_vps_take(&vps, vp,
					      (uint8_t)(0x80 + vp * 4 + i)),
				1);
}
END_TEST

/* --- stopping ------------------------------------------------------------- */

/* What a guest that stops a timer on its VP sees of an interrupt of it. */
static struct {
	pthread_t guest;
	_Atomic bool asserting;
	_Atomic bool stopped;
	bool late; /* the interrupt came after the timer was stopped */
} stopping;

static void *stop_timer(void *arg)
{
	(void)arg;
	while (!stopping.asserting)
		give_way();
	wr(1, CONFIG(0), 0);
	stopping.stopped = true;
	return NULL;
}

/* An interrupt that takes its time, so that the guest could be faster. */
static void assert_slowly(void *ctx, uint32_t vp, uint8_t vector, bool auto_eoi)
{
	stopping.asserting = true;
	for (unsigned int i = 0; i < 2000 && !stopping.stopped; i++)
		give_way();
	stopping.late = stopping.stopped;
	fake_vps_interrupt(ctx, vp, vector, auto_eoi);
}

static const struct synic_ops slow_ops = {.interrupt = assert_slowly};

static const struct {
	uint64_t config;
	uint8_t vector;
} stops[] = {{EN | TO_SINT(2), VECTOR}, {EN | DIRECT(0xEDull), 0xED}};

START_TEST(a_stopped_timer_makes_no_interrupt)
{
	memset(&stopping, 0, sizeof(stopping));
	setup_ops(&slow_ops, true, false);
	enable(1);
	wr(1, COUNT(0), MS);
	wr(1, CONFIG(0), stops[_i].config);
	advance_to(MS);
	ck_assert_int_eq(
		pthread_create(&stopping.guest, NULL, stop_timer, NULL), 0);
	synic_run_timers(synic);
	pthread_join(stopping.guest, NULL);
	ck_assert_uint_eq(fake_vps_take(&vps, 1, stops[_i].vector), 1);
	ck_assert_msg(!stopping.late, "the timer was stopped before");
	teardown();
}
END_TEST

START_TEST(a_message_in_its_slot_outlives_its_timer)
{
	enable(0);
	advance_to(MS);
	wr(0, COUNT(0), 1);
	wr(0, CONFIG(0), EN | TO_SINT(2));
	wr(0, CONFIG(0), 0);
	wr(0, COUNT(0), 0);
	ck_assert_int_eq(post(0, 2, 7), 0);
	ck_assert_uint_eq(receive_timer(0, 2).timer_index, 0);
	ck_assert_uint_eq(receive(0, 2), 7);
}
END_TEST

static void add_timers(Suite *s)
{
	TCase *t = tcase_create("timers");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, direct_timer_fires_in_time);
	tcase_add_test(t, direct_timer_in_the_past_fires_at_once);
	tcase_add_test(t, direct_timer_without_a_real_vector);
	tcase_add_test(t, message_timer_sends_its_message);
	tcase_add_test(t, timer_message_waits_for_its_slot);
	tcase_add_test(t, delivery_time_is_when_it_got_its_slot);
	tcase_add_test(t, timers_have_room_in_a_full_queue);
	tcase_add_test(t, periodic_message_timer_queues_one);
	tcase_add_test(t, lazy_timer_skips_what_is_late);
	tcase_add_loop_test(t, programming_takes_a_queued_message_back, 0, 2);
	tcase_add_test(t, refused_config_changes_nothing);
	tcase_add_test(t, hook_hears_of_nearer_deadlines_only);
	tcase_add_test(t, all_that_is_due_is_run_at_once);
	tcase_add_test(t, a_message_in_its_slot_outlives_its_timer);
	suite_add_tcase(s, t);
	t = tcase_create("stopping");
	tcase_add_loop_test(t, a_stopped_timer_makes_no_interrupt, 0,
			    G_N_ELEMENTS(stops));
	suite_add_tcase(s, t);
}

int main(void)
{
	Suite *s = suite_create("synic/synic_timers");

	add_timers(s);
	return check_main(s);
}
