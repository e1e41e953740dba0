/* SPDX-License-Identifier: MIT */
/* Rules about the SynIC and its timers. */
#include "support/synic_bench.h"

#include "support/finding_cases.h"

#define SECOND (1000 * MS)
/* As Linux has its timer. */
#define AUTO   (EN | HV_STIMER_AUTO_ENABLE)

static void send(void)
{
	ck_assert_int_eq(post(0, 2, 7), 0);
}

static void plain_sint(void)
{
	wr(0, SINT(5), 0xF5);
	/* Masked it asks for nothing. */
	wr(0, SINT(6), MASKED | AUTO_EOI | 0xF6);
}

static void auto_eoi(void)
{
	wr(0, SINT(5), 0xF5 | AUTO_EOI);
}

/* Slow, but each message is taken in less than half a minute. */
static void take_slowly(void)
{
	enable(0);
	send();
	for (unsigned int i = 0; i < 5; i++) {
		send();
		advance_to(ref_time_now(rt) + 20 * SECOND);
		send();
		ck_assert_uint_eq(receive(0, 2), 7);
		ck_assert_uint_eq(receive(0, 2), 7);
	}
	/* Nothing waits: the slot may be full for as long as it likes. */
	while (receive(0, 2) != ~0ull)
		;
	send();
	advance_to(ref_time_now(rt) + 100 * SECOND);
	send();
}

static void never_take(void)
{
	advance_to(ref_time_now(rt) + 31 * SECOND);
	send();
}

static void set_timers(void)
{
	advance_to(100 * SECOND);
	wr(0, CONFIG(0), AUTO | DIRECT(0xEDull));
	wr(0, COUNT(0), ref_time_now(rt) + 5);
	/* Late by what a host may take to run a guest on. */
	wr(0, CONFIG(0), AUTO | DIRECT(0xEDull));
	wr(0, COUNT(0), ref_time_now(rt) - 9 * SECOND);
	/* A period is no time, and off is off. */
	wr(0, CONFIG(1), EN | HV_STIMER_PERIODIC | TO_SINT(2));
	wr(0, COUNT(1), 10 * MS);
	wr(0, CONFIG(1), 0);
	wr(0, COUNT(1), 0);
	wr(0, CONFIG(2), DIRECT(0xEDull));
	wr(0, COUNT(2), 1);
}

static void in_the_past(void)
{
	wr(0, CONFIG(0), AUTO | DIRECT(0xEDull));
	wr(0, COUNT(0), 1234);
}

static void no_target(void)
{
	wr(0, CONFIG(3), EN);
}

static const struct finding_case cases[] = {
	{FINDING_SINT_AUTO_EOI, "SINT5", plain_sint, auto_eoi},
	{FINDING_MESSAGE_NOT_TAKEN, "SINT2", take_slowly, never_take},
	{FINDING_STIMER_PAST, "STIMER0", set_timers, in_the_past},
	{FINDING_STIMER_NO_TARGET, "STIMER3", set_timers, no_target},
};

START_TEST(rules_of_the_synic)
{
	finding_run(&cases[_i]);
}
END_TEST

START_TEST(a_reset_forgets_how_long_a_message_waited)
{
	findings_reset();
	enable(0);
	advance_to(50 * SECOND);
	send();
	send();
	synic_reset(synic);
	ref_time_restart(rt);
	enable(0);
	send();
	send();
	finding_expect_clean();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("findings");
	TCase *tc = tcase_create("findings");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, rules_of_the_synic, 0, G_N_ELEMENTS(cases));
	tcase_add_test(tc, a_reset_forgets_how_long_a_message_waited);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
