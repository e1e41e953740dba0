/* SPDX-License-Identifier: MIT */
#include "synic/deadlines.h"

#include <glib.h>

#include "support/check_main.h"
#include "support/random.h"

static const unsigned int sizes[] = {1, 2, 3, 4, 7, 64, 65, 300};

START_TEST(empty)
{
	struct deadlines *d = deadlines_new(3);

	ck_assert_uint_eq(deadlines_earliest(d), DEADLINE_NONE);
	ck_assert_int_eq(deadlines_due(d, UINT64_MAX), -1);
	deadlines_free(d);
	deadlines_free(NULL);
}
END_TEST

START_TEST(nearer_is_said)
{
	struct deadlines *d = deadlines_new(2);

	ck_assert(deadlines_set(d, 0, 100));
	ck_assert(!deadlines_set(d, 1, 200));
	ck_assert(!deadlines_set(d, 1, 100));
	ck_assert(!deadlines_set(d, 0, 150));
	ck_assert(deadlines_set(d, 0, 99));
	ck_assert(!deadlines_set(d, 0, DEADLINE_NONE));
	ck_assert_uint_eq(deadlines_earliest(d), 100);
	deadlines_free(d);
}
END_TEST

START_TEST(due_is_not_early)
{
	struct deadlines *d = deadlines_new(5);

	deadlines_set(d, 3, 100);
	ck_assert_int_eq(deadlines_due(d, 99), -1);
	ck_assert_int_eq(deadlines_due(d, 100), 3);
	deadlines_set(d, 3, DEADLINE_NONE);
	ck_assert_int_eq(deadlines_due(d, 100), -1);
	deadlines_free(d);
}
END_TEST

/* Against a plain array. */
START_TEST(agrees_with_a_list)
{
	unsigned int n = sizes[_i];
	struct deadlines *d = deadlines_new(n);
	g_autofree uint64_t *list = g_new(uint64_t, n);

	for (unsigned int i = 0; i < n; i++)
		list[i] = DEADLINE_NONE;
	for (int round = 0; round < 5000; round++) {
		unsigned int i = (unsigned int)(random_u64() % n);
		uint64_t now = random_u64() % 1000, before = DEADLINE_NONE,
			 after = DEADLINE_NONE;
		int due;
		bool nearer;

		for (unsigned int k = 0; k < n; k++)
			before = MIN(before, list[k]);
		list[i] =
			random_u64() % 4 ? random_u64() % 1000 : DEADLINE_NONE;
		for (unsigned int k = 0; k < n; k++)
			after = MIN(after, list[k]);
		nearer = deadlines_set(d, i, list[i]);
		ck_assert_int_eq(nearer, after < before);
		ck_assert_uint_eq(deadlines_earliest(d), after);
		due = deadlines_due(d, now);
		ck_assert_int_eq(due >= 0, after <= now);
		/* The earliest: one that is always due keeps no other. */
		if (due >= 0)
			ck_assert_uint_eq(list[due], after);
	}
	deadlines_free(d);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("synic/deadlines");
	TCase *t = tcase_create("deadlines");

	tcase_add_test(t, empty);
	tcase_add_test(t, nearer_is_said);
	tcase_add_test(t, due_is_not_early);
	tcase_add_loop_test(t, agrees_with_a_list, 0, G_N_ELEMENTS(sizes));
	suite_add_tcase(s, t);
	return check_main(s);
}
