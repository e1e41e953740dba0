/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/findings.h"
#include "base/trace_reader.h"
#include "support/finding_cases.h"

static void setup(void)
{
	findings_reset();
}

START_TEST(each_rule_is_whole)
{
	for (int i = 0; i < N_FINDINGS; i++) {
		const struct finding_rule *r = findings_rule((enum finding)i);

		ck_assert_ptr_nonnull(r->id);
		ck_assert_uint_gt(strlen(r->text), 10);
		ck_assert_uint_gt(strlen(r->source), 3);
		for (const char *c = r->id; *c; c++)
			ck_assert((*c >= 'a' && *c <= 'z') || *c == '-');
		for (int k = 0; k < i; k++)
			ck_assert_str_ne(findings_rule((enum finding)k)->id,
					 r->id);
	}
	ck_assert_int_ge(N_FINDINGS, 25);
}
END_TEST

START_TEST(what_is_hit_is_counted_where_it_was)
{
	unsigned int n;
	g_autofree struct finding_seen *seen = NULL;

	finding_expect_clean();
	findings_hit(FINDING_MSR_VALUE, "SIMP", "the %s", "first");
	findings_hit(FINDING_MSR_VALUE, "SIMP", "the %s", "second");
	findings_hit(FINDING_MSR_VALUE, "SIEFP", "x");
	findings_add(FINDING_MSR_UNKNOWN, 10, "0x1", "many");
	seen = findings_list(&n);
	ck_assert_uint_eq(n, 3);
	ck_assert_int_eq(seen[0].rule, FINDING_MSR_UNKNOWN);
	ck_assert_uint_eq(seen[0].count, 10);
	ck_assert_str_eq(seen[1].where, "SIMP");
	ck_assert_uint_eq(seen[1].count, 2);
	ck_assert_str_eq(seen[1].detail, "the first");
	ck_assert_uint_gt(seen[1].first_ns, 0);
	ck_assert_uint_eq(findings_count(FINDING_MSR_VALUE), 3);
	ck_assert_uint_eq(findings_total(), 13);
}
END_TEST

START_TEST(places_are_bounded)
{
	unsigned int n;
	g_autofree struct finding_seen *seen = NULL;

	for (unsigned int i = 0; i < 1000; i++) {
		char where[16];

		snprintf(where, sizeof(where), "0x%x", i);
		findings_hit(FINDING_MSR_UNKNOWN, where, "%u", i);
	}
	seen = findings_list(&n);
	ck_assert_uint_eq(n, 16);
	ck_assert_str_eq(seen[15].where, "(others)");
	ck_assert_uint_eq(seen[15].count, 1000 - 15);
	ck_assert_str_eq(seen[15].detail, "15");
}
END_TEST

START_TEST(the_first_of_a_place_is_in_the_trace)
{
	GArray *records =
		g_array_new(FALSE, FALSE, sizeof(struct trace_record));
	struct trace_reader *reader = trace_reader_new(0);
	const struct trace_record *r;

	for (unsigned int i = 0; i < 5; i++)
		findings_hit(FINDING_SIGNAL_LOST, "net0", "x");
	trace_reader_collect(reader, records);
	ck_assert_uint_eq(records->len, 1);
	r = &g_array_index(records, struct trace_record, 0);
	ck_assert_int_eq(r->event, TRACE_EVENT_finding);
	ck_assert_uint_eq(r->args[0], FINDING_SIGNAL_LOST);
	ck_assert_str_eq((const char *)r->data, "net0");
	trace_reader_free(reader);
	g_array_free(records, TRUE);
}
END_TEST

#define EACH 5000

static void *hit_many(void *where)
{
	for (unsigned int i = 0; i < EACH; i++)
		findings_hit(FINDING_HYPERCALL_INPUT, where, "%u", i);
	return NULL;
}

START_TEST(any_thread_may_hit)
{
	static char places[][2] = {"a", "b", "a", "b"};
	pthread_t threads[4];

	for (unsigned int i = 0; i < 4; i++)
		ck_assert_int_eq(
			pthread_create(&threads[i], NULL, hit_many, places[i]),
			0);
	for (unsigned int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_eq(findings_count(FINDING_HYPERCALL_INPUT), 4 * EACH);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("findings");
	TCase *tc = tcase_create("findings");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, each_rule_is_whole);
	tcase_add_test(tc, what_is_hit_is_counted_where_it_was);
	tcase_add_test(tc, places_are_bounded);
	tcase_add_test(tc, the_first_of_a_place_is_in_the_trace);
	tcase_add_test(tc, any_thread_may_hit);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
