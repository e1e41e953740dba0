/* SPDX-License-Identifier: MIT */
#include "vsp/ic/heartbeat.h"

#include "support/ic_guest.h"

static struct ic_heartbeat *hb;
static _Atomic unsigned int missed, back, last_missed, last_back;

static void on_missed(void *ctx, unsigned int n)
{
	ck_assert_ptr_eq(ctx, &missed);
	last_missed = n;
	missed++;
}

static void on_back(void *ctx, unsigned int n)
{
	(void)ctx;
	last_back = n;
	back++;
}

static const struct ic_heartbeat_events events_seen = {on_missed, on_back};

static void make(const struct ic_heartbeat_events *seen, uint64_t period_ns)
{
	struct vsp_params p = ic_params();

	hb = ic_heartbeat_new(&p, seen, &missed, period_ns);
	ck_assert_ptr_nonnull(hb);
	/* A second one has no place. */
	ck_assert_ptr_null(ic_heartbeat_new(&p, seen, NULL, 0));
	ic_heartbeat_ops.run(hb, true);
}

static void hb_setup(void)
{
	bus_setup();
	missed = back = readies = 0;
	make(&events_seen, NSEC_PER_MSEC);
}

static void hb_teardown(void)
{
	ic_heartbeat_ops.free(hb);
	ic_heartbeat_free(NULL);
	guest_drop_rings(&guest);
	bus_teardown();
}

static struct ic_heartbeat_status status(void)
{
	struct ic_heartbeat_status s;

	ic_heartbeat_get_status(hb, &s);
	return s;
}

/* Take the question; Return: its sequence number. */
static uint64_t question(void)
{
	struct heartbeat_msg_data m;

	memcpy(&m, ic_expect(ICMSGTYPE_HEARTBEAT, sizeof(m)), sizeof(m));
	return m.seq_num;
}

static void answer(uint64_t sequence, uint32_t state)
{
	struct heartbeat_msg_data m = {.seq_num = sequence,
				       .application_state = state};

	memcpy(msg.body, &m, sizeof(m));
	ic_answer(HV_S_OK);
}

static const struct ic_version known[] = {{1, 0}, {3, 0}};

START_TEST(beats)
{
	ic_start(known[_i].major, known[_i].minor);
	ck_assert(!status().alive);
	for (uint64_t i = 0; i < 10; i++) {
		uint64_t sequence = question();

		ck_assert_uint_eq(sequence, i);
		answer(sequence + 1, HEARTBEAT_STATE_HEALTHY);
		wait_until(status().beats == i + 1);
	}
	ck_assert_uint_eq(status().application_state, HEARTBEAT_STATE_HEALTHY);
	ck_assert_uint_eq(ic_number(&ic_heartbeat_ops, hb, "beats"), 10);
}
END_TEST

START_TEST(alive_from_the_first_answer_on)
{
	ic_heartbeat_free(hb);
	make(&events_seen, 3600 * NSEC_PER_SEC);
	ic_start(3, 0);
	ck_assert(!status().alive);
	answer(question() + 1, 0);
	wait_until(status().alive);
	ck_assert_uint_eq(ic_number(&ic_heartbeat_ops, hb, "alive"), 1);
	guest_close(&guest);
	wait_until(!status().alive);
}
END_TEST

START_TEST(missed_and_back)
{
	struct channel_stats stats;
	unsigned int n;

	ic_start(3, 0);
	answer(question() + 1, 0);
	question();
	/* Some may have been missed before the first answer, too. */
	missed = back = 0;
	wait_until(missed >= 3);
	ck_assert(!status().alive);
	/* Nothing more is asked meanwhile. */
	channel_get_stats(ic_heartbeat_ops.channel(hb), &stats);
	ck_assert_uint_eq(stats.packets_out, 3);
	answer(2, 0);
	wait_until(back);
	n = last_back;
	ck_assert_uint_ge(n, 3);
	ck_assert_uint_ge(status().missed, 3);
	ck_assert_uint_eq(status().beats, 2);
}
END_TEST

START_TEST(not_while_it_stands_still)
{
	unsigned int before;

	ic_start(3, 0);
	question();
	ic_heartbeat_ops.run(hb, false);
	/* One may be under way. */
	worker_call(channel_worker(ic_heartbeat_ops.channel(hb)), bus_nothing,
		    NULL);
	before = missed;
	for (unsigned int i = 0; i < 100; i++)
		worker_call(channel_worker(ic_heartbeat_ops.channel(hb)),
			    bus_nothing, NULL);
	ck_assert_uint_eq(missed, before);
	ic_heartbeat_ops.run(hb, true);
	wait_until(missed > before);
}
END_TEST

START_TEST(nothing_is_missed_of_a_driver_that_is_gone)
{
	ic_start(3, 0);
	answer(question() + 1, 0);
	question();
	guest_close(&guest);
	wait_until(!status().alive);
	missed = 0;
	for (unsigned int i = 0; i < 100; i++)
		worker_call(channel_worker(ic_heartbeat_ops.channel(hb)),
			    bus_nothing, NULL);
	ck_assert_uint_eq(missed, 0);
}
END_TEST

START_TEST(a_sequence_of_its_own)
{
	ic_start(3, 0);
	answer(question() + 2, 0);
	ic_expect_rescind();
}
END_TEST

START_TEST(nobody_listens)
{
	ic_heartbeat_free(hb);
	make(NULL, NSEC_PER_MSEC);
	ic_start(3, 0);
	question();
	wait_until(status().missed);
	answer(1, 0);
	wait_until(status().beats == 1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/ic/heartbeat");
	TCase *t = tcase_create("heartbeat");

	tcase_set_timeout(t, 30);
	tcase_add_checked_fixture(t, hb_setup, hb_teardown);
	tcase_add_loop_test(t, beats, 0, G_N_ELEMENTS(known));
	tcase_add_test(t, alive_from_the_first_answer_on);
	tcase_add_test(t, missed_and_back);
	tcase_add_test(t, not_while_it_stands_still);
	tcase_add_test(t, nothing_is_missed_of_a_driver_that_is_gone);
	tcase_add_test(t, a_sequence_of_its_own);
	tcase_add_test(t, nobody_listens);
	suite_add_tcase(s, t);
	return check_main(s);
}
