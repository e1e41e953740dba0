/* SPDX-License-Identifier: MIT */
#include "synic/stimer.h"

#include <errno.h>

#include <glib.h>

#include "base/fault.h"
#include "proto/hv_synic.h"
#include "support/check_main.h"
#include "support/random.h"

#define MS       10000ull
#define SINT(n)  ((uint64_t)(n) << HV_STIMER_SINTX_SHIFT)
#define VEC(n)   ((uint64_t)(n) << HV_STIMER_VECTOR_SHIFT)
#define EN       HV_STIMER_ENABLE
#define PERIODIC HV_STIMER_PERIODIC
#define LAZY     HV_STIMER_LAZY
#define AUTO     HV_STIMER_AUTO_ENABLE
#define DIRECT   HV_STIMER_DIRECT_MODE

static struct stimer t;
static struct stimer_signal sig;

static void setup(void)
{
	stimer_reset(&t);
}

START_TEST(reset_is_off)
{
	ck_assert_uint_eq(t.config, 0);
	ck_assert_uint_eq(t.count, 0);
	ck_assert_uint_eq(stimer_deadline(&t), STIMER_NEVER);
	ck_assert(!stimer_expire(&t, UINT64_MAX - 1, &sig));
}
END_TEST

static const struct {
	const char *what;
	uint64_t config;
	bool direct_ok;
	int err;
} configs[] = {
	{"nothing", 0, false, 0},
	{"all that is allowed", 0xF1FFF, true, 0},
	{"bit 13", 1 << 13, true, -EINVAL},
	{"bit 14", 1 << 14, true, -EINVAL},
	{"bit 15", 1 << 15, true, -EINVAL},
	{"bit 20", 1 << 20, true, -EINVAL},
	{"bit 63", 1ull << 63, true, -EINVAL},
	{"direct where there is none", DIRECT | VEC(0xED), false, -EINVAL},
	{"direct and on where there is none", EN | DIRECT, false, -EINVAL},
	{"direct", DIRECT | VEC(0xED), true, 0},
	{"a vector without direct", VEC(0xED), false, 0},
};

START_TEST(config_bits)
{
	ck_assert_int_eq(stimer_set_config(&t, SINT(3), 0, false), 0);
	ck_assert_msg(stimer_set_config(&t, configs[_i].config, 0,
					configs[_i].direct_ok) ==
			      configs[_i].err,
		      "%s", configs[_i].what);
	ck_assert_msg(t.config ==
			      (configs[_i].err ? SINT(3) : configs[_i].config),
		      "%s: reads 0x%lx", configs[_i].what, t.config);
}
END_TEST

/* Writes in order, then what is read and when it is due; the time is 1000. */
static const struct {
	const char *what;
	struct {
		bool count;
		uint64_t value;
	} writes[3];
	uint64_t config;
	uint64_t deadline;
} programs[] = {
	{"one-shot: count, then enable",
	 {{true, 5000}, {false, EN | SINT(2)}},
	 EN | SINT(2),
	 5000},
	{"one-shot: enable, then count",
	 {{false, EN | SINT(2)}, {true, 5000}},
	 EN | SINT(2),
	 5000},
	{"enabled with count 0 does not fire and stays enabled",
	 {{false, EN | AUTO | SINT(2)}},
	 EN | AUTO | SINT(2),
	 STIMER_NEVER},
	{"as Linux does: enable with auto-enable, then the count",
	 {{false, EN | AUTO | DIRECT | VEC(0xED)}, {true, 7000}},
	 EN | AUTO | DIRECT | VEC(0xED),
	 7000},
	{"auto-enable enables",
	 {{false, AUTO | SINT(2)}, {true, 7000}},
	 EN | AUTO | SINT(2),
	 7000},
	{"no auto-enable: off stays off",
	 {{false, SINT(2)}, {true, 7000}},
	 SINT(2),
	 STIMER_NEVER},
	{"count 0 disables",
	 {{true, 5000}, {false, EN | SINT(2)}, {true, 0}},
	 SINT(2),
	 STIMER_NEVER},
	{"count 0 disables in spite of auto-enable",
	 {{false, AUTO | EN | SINT(2)}, {true, 7000}, {true, 0}},
	 AUTO | SINT(2),
	 STIMER_NEVER},
	{"SINT 0 is not allowed for an enabled timer",
	 {{true, 5000}, {false, EN}},
	 0,
	 STIMER_NEVER},
	{"SINT 0 is not allowed by auto-enable either",
	 {{false, AUTO}, {true, 5000}},
	 AUTO,
	 STIMER_NEVER},
	{"SINT 0 is fine in direct mode",
	 {{true, 5000}, {false, EN | DIRECT | VEC(0x40)}},
	 EN | DIRECT | VEC(0x40),
	 5000},
	{"one-shot in the past is due at once",
	 {{true, 10}, {false, EN | SINT(2)}},
	 EN | SINT(2),
	 10},
	{"one-shot now is due at once",
	 {{true, 1000}, {false, EN | SINT(2)}},
	 EN | SINT(2),
	 1000},
	{"one-shot at the end of time",
	 {{true, UINT64_MAX}, {false, EN | SINT(2)}},
	 EN | SINT(2),
	 STIMER_NEVER},
	{"the period begins when it is enabled",
	 {{true, 5000}, {false, EN | PERIODIC | SINT(2)}},
	 EN | PERIODIC | SINT(2),
	 6000},
	{"a period beyond the end of time",
	 {{true, UINT64_MAX - 5}, {false, EN | PERIODIC | SINT(2)}},
	 EN | PERIODIC | SINT(2),
	 STIMER_NEVER},
	{"a period too short to serve",
	 {{true, 1}, {false, EN | PERIODIC | SINT(2)}},
	 EN | PERIODIC | SINT(2),
	 1000 + STIMER_MIN_INTERVAL},
	{"a new count starts anew",
	 {{true, 5000}, {false, EN | SINT(2)}, {true, 9000}},
	 EN | SINT(2),
	 9000},
	{"disabling keeps the count, not the deadline",
	 {{true, 5000}, {false, EN | SINT(2)}, {false, SINT(2)}},
	 SINT(2),
	 STIMER_NEVER},
};

START_TEST(programming)
{
	for (int i = 0; i < 3; i++) {
		uint64_t value = programs[_i].writes[i].value;

		if (programs[_i].writes[i].count)
			stimer_set_count(&t, value, 1000);
		else if (value)
			ck_assert_int_eq(
				stimer_set_config(&t, value, 1000, true), 0);
	}
	ck_assert_msg(t.config == programs[_i].config, "%s: config 0x%lx",
		      programs[_i].what, t.config);
	ck_assert_msg(stimer_deadline(&t) == programs[_i].deadline,
		      "%s: deadline %lu", programs[_i].what,
		      stimer_deadline(&t));
}
END_TEST

static void program(uint64_t config, uint64_t count, uint64_t now)
{
	stimer_set_count(&t, count, now);
	ck_assert_int_eq(stimer_set_config(&t, config, now, true), 0);
}

START_TEST(one_shot_message)
{
	program(EN | SINT(5), 3000, 1000);
	ck_assert(!stimer_expire(&t, 2999, &sig));
	ck_assert(stimer_expire(&t, 3007, &sig));
	ck_assert(!sig.direct);
	ck_assert_uint_eq(sig.sint, 5);
	ck_assert_uint_eq(sig.expiration, 3000);
	/* Off from now on, delivered or not. */
	ck_assert_uint_eq(t.config, SINT(5));
	ck_assert_uint_eq(stimer_deadline(&t), STIMER_NEVER);
	ck_assert(stimer_deliver(&t, 900000));
	ck_assert(!stimer_deliver(&t, 900001));
	ck_assert(!stimer_expire(&t, 900002, &sig));
}
END_TEST

START_TEST(one_shot_direct)
{
	program(EN | DIRECT | VEC(0xED) | SINT(5), 3000, 1000);
	ck_assert(stimer_expire(&t, 3000, &sig));
	ck_assert(sig.direct);
	ck_assert_uint_eq(sig.vector, 0xED);
	ck_assert_uint_eq(t.config & EN, 0);
	ck_assert_uint_eq(stimer_deadline(&t), STIMER_NEVER);
}
END_TEST

START_TEST(auto_enable_shoots_again)
{
	program(EN | AUTO | SINT(2), 3000, 1000);
	ck_assert(stimer_expire(&t, 3000, &sig));
	ck_assert(stimer_deliver(&t, 3000));
	stimer_set_count(&t, 4000, 3500);
	ck_assert_uint_eq(t.config, EN | AUTO | SINT(2));
	ck_assert(stimer_expire(&t, 4000, &sig));
}
END_TEST

START_TEST(periodic_keeps_the_beat)
{
	uint64_t base = 12345, late = 7;

	program(EN | PERIODIC | DIRECT | VEC(64) | (_i ? LAZY : 0), MS, base);
	for (uint64_t n = 1; n < 1000; n++) {
		uint64_t due = base + n * MS;

		ck_assert_uint_eq(stimer_deadline(&t), due);
		ck_assert(!stimer_expire(&t, due - 1, &sig));
		late = late * 31 % (MS / 2);
		ck_assert(stimer_expire(&t, due + late, &sig));
		ck_assert_uint_eq(sig.expiration, due);
		ck_assert(t.config & EN);
	}
}
END_TEST

/* One message at a time: silent until it is delivered. */
START_TEST(periodic_waits_for_delivery)
{
	program(EN | PERIODIC | SINT(2) | (_i ? LAZY : 0), MS, 0);
	ck_assert(stimer_expire(&t, MS, &sig));
	ck_assert_uint_eq(stimer_deadline(&t), STIMER_NEVER);
	ck_assert(!stimer_expire(&t, MS + MS / 2, &sig));
	ck_assert(stimer_deliver(&t, MS + MS / 2));
	ck_assert_uint_eq(stimer_deadline(&t), 2 * MS);
}
END_TEST

/*
 * Called whenever it is due from now on, for n periods of time: how many
 * signals, and is the beat caught up with in the end?
 */
static unsigned int run_on(uint64_t now, unsigned int n, bool *on_beat)
{
	uint64_t end = now + n * MS;
	unsigned int signals = 0;

	while (stimer_deadline(&t) <= end) {
		now = MAX(now, stimer_deadline(&t));
		signals += stimer_expire(&t, now, &sig);
		ck_assert_uint_gt(stimer_deadline(&t), now);
	}
	*on_beat = stimer_deadline(&t) % MS == 0;
	return signals;
}

START_TEST(missed_periods_are_made_up_for)
{
	bool on_beat;

	program(EN | PERIODIC | DIRECT | VEC(64), MS, 0);
	/* Stalled over the beats 1 to 6 (ms): the seventh is due at 7. */
	ck_assert(stimer_expire(&t, 6 * MS + MS / 4, &sig));
	ck_assert_uint_eq(sig.expiration, MS);
	ck_assert_uint_eq(stimer_deadline(&t), 6 * MS + MS / 4 + MS / 2);
	/* Nothing is lost: 50 beats, all but the one above to come. */
	ck_assert_uint_eq(run_on(6 * MS + MS / 4, 44, &on_beat), 49);
	ck_assert(on_beat);
}
END_TEST

START_TEST(too_many_missed_are_skipped)
{
	bool on_beat;

	program(EN | PERIODIC | DIRECT | VEC(64), MS, 0);
	ck_assert(stimer_expire(&t, 1000 * MS, &sig));
	ck_assert_uint_eq(run_on(1000 * MS, 100, &on_beat),
			  100 + STIMER_CATCH_UP_MAX);
	ck_assert(on_beat);
}
END_TEST

START_TEST(lazy_makes_up_for_nothing)
{
	bool on_beat;

	program(EN | PERIODIC | LAZY | DIRECT | VEC(64), MS, 0);
	/* Late by so much that the one signal is not left out. */
	ck_assert(stimer_expire(&t, MS + MS / 2, &sig));
	ck_assert_uint_eq(stimer_deadline(&t), 2 * MS);
	/* A stall of 100 beats is over shortly before the next: skipped. */
	ck_assert(!stimer_expire(&t, 102 * MS - 10, &sig));
	ck_assert_uint_eq(stimer_deadline(&t),
			  102 * MS - 10 + STIMER_MIN_INTERVAL);
	/* Not twice in a row. */
	ck_assert(stimer_expire(&t, 103 * MS - 10, &sig));
	ck_assert_uint_eq(sig.expiration, 102 * MS);
	ck_assert_uint_eq(run_on(103 * MS - 10, 20, &on_beat), 20);
	ck_assert(on_beat);
}
END_TEST

START_TEST(lazy_message_that_is_late_is_skipped)
{
	program(EN | PERIODIC | LAZY | SINT(2), MS, 0);
	ck_assert(stimer_expire(&t, MS, &sig));
	ck_assert(!stimer_deliver(&t, 2 * MS - MS / 16));
	ck_assert_uint_eq(stimer_deadline(&t), 2 * MS);
	ck_assert(stimer_expire(&t, 2 * MS, &sig));
	/* However late, but not twice in a row; the beat goes on. */
	ck_assert(stimer_deliver(&t, 50 * MS + 5));
	ck_assert_uint_eq(stimer_deadline(&t), 51 * MS);
}
END_TEST

START_TEST(late_message_is_delivered_once)
{
	bool on_beat;

	program(EN | PERIODIC | SINT(2), MS, 0);
	ck_assert(stimer_expire(&t, MS, &sig));
	/* The slot was busy until the fifth beat. */
	ck_assert(stimer_deliver(&t, 5 * MS + 1));
	ck_assert_uint_eq(stimer_deadline(&t), 5 * MS + 1 + MS / 2);
	t.config |= DIRECT;
	ck_assert_uint_eq(run_on(5 * MS + 1, 44, &on_beat), 48);
	ck_assert(on_beat);
}
END_TEST

START_TEST(writes_forget_an_undelivered_message)
{
	program(EN | SINT(2), 500, 1000);
	ck_assert(stimer_expire(&t, 1000, &sig));
	if (_i)
		stimer_set_count(&t, 0, 1000);
	else
		stimer_set_config(&t, 0, 1000, true);
	ck_assert(!stimer_deliver(&t, 1000));
}
END_TEST

START_TEST(changed_while_running)
{
	program(EN | SINT(2), 9000, 1000);
	ck_assert_int_eq(
		stimer_set_config(&t, EN | PERIODIC | SINT(2), 2000, true), 0);
	ck_assert_uint_eq(stimer_deadline(&t), 11000);
}
END_TEST

/* Any writes at any time: never early, never stuck in the past, never fast. */
static void fault(enum fault_action action, int32_t ms)
{
	struct fault_rule r = {.point = FAULT_STIMER_FIRE,
			       .action = action,
			       .op = FAULT_ANY,
			       .nth = 1,
			       .ppm = FAULT_PPM_ALL,
			       .from = FAULT_NO_STAGE,
			       .ms = ms};

	fault_clear();
	fault_add(&r);
}

/* By a rule; only the first, and it is late once. */
START_TEST(a_signal_is_late)
{
	program(EN | DIRECT | VEC(0x55), 1000, 500);
	fault(FAULT_DELAY, 2);
	ck_assert(!stimer_expire(&t, 1000, &sig));
	ck_assert_uint_gt(stimer_deadline(&t), 1000 + 20000);
	ck_assert(!stimer_expire(&t, 1000 + 20000, &sig));
	ck_assert(stimer_expire(&t, stimer_deadline(&t), &sig));
	ck_assert_uint_eq(sig.vector, 0x55);
	ck_assert_uint_eq(stimer_deadline(&t), STIMER_NEVER);
	fault_clear();
}
END_TEST

START_TEST(a_signal_is_lost)
{
	program(EN | DIRECT | VEC(0x55), 1000, 500);
	fault(FAULT_DROP, 0);
	ck_assert(!stimer_expire(&t, 1000, &sig));
	ck_assert_uint_eq(stimer_deadline(&t), STIMER_NEVER);
	ck_assert(!(t.config & EN));
	program(EN | PERIODIC | DIRECT | VEC(0x55), 5000, 0);
	fault(FAULT_DROP, 0);
	ck_assert(!stimer_expire(&t, 5000, &sig));
	ck_assert_uint_eq(stimer_deadline(&t), 10000);
	ck_assert(stimer_expire(&t, 10000, &sig));
	fault_clear();
}
END_TEST

START_TEST(random_programs_hold_the_invariants)
{
	uint64_t now = 0, last = 0;

	for (int i = 0; i < 200000; i++) {
		uint64_t r = random_u64();

		now += r % 5 ? r % 977 : r % 100000;
		switch ((r >> 32) % 8) {
		case 0:
			stimer_set_config(&t, (r >> 8) & 0xF1FFF, now, true);
			last = 0;
			break;
		case 1:
			stimer_set_count(&t, r % 3 ? now + r % 5000 : r % 5000,
					 now);
			last = 0;
			break;
		case 2:
			stimer_deliver(&t, now);
			break;
		default:
			if (!stimer_expire(&t, now, &sig))
				break;
			ck_assert_uint_le(sig.expiration, now);
			if (last && (t.config & PERIODIC))
				ck_assert_uint_ge(now - last,
						  STIMER_MIN_INTERVAL);
			last = now;
			ck_assert(sig.direct || sig.sint);
			ck_assert_uint_gt(stimer_deadline(&t), now);
		}
		if (stimer_deadline(&t) != STIMER_NEVER) {
			ck_assert(t.config & EN);
			ck_assert_uint_ne(t.count, 0);
		}
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("synic/stimer");
	TCase *c = tcase_create("stimer");

	tcase_add_checked_fixture(c, setup, NULL);
	tcase_add_test(c, reset_is_off);
	tcase_add_loop_test(c, config_bits, 0, G_N_ELEMENTS(configs));
	tcase_add_loop_test(c, programming, 0, G_N_ELEMENTS(programs));
	tcase_add_test(c, one_shot_message);
	tcase_add_test(c, one_shot_direct);
	tcase_add_test(c, auto_enable_shoots_again);
	tcase_add_loop_test(c, periodic_keeps_the_beat, 0, 2);
	tcase_add_loop_test(c, periodic_waits_for_delivery, 0, 2);
	tcase_add_test(c, missed_periods_are_made_up_for);
	tcase_add_test(c, too_many_missed_are_skipped);
	tcase_add_test(c, lazy_makes_up_for_nothing);
	tcase_add_test(c, lazy_message_that_is_late_is_skipped);
	tcase_add_test(c, late_message_is_delivered_once);
	tcase_add_loop_test(c, writes_forget_an_undelivered_message, 0, 2);
	tcase_add_test(c, changed_while_running);
	tcase_add_test(c, a_signal_is_late);
	tcase_add_test(c, a_signal_is_lost);
	tcase_add_test(c, random_programs_hold_the_invariants);
	suite_add_tcase(s, c);
	return check_main(s);
}
