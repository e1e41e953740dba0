/* SPDX-License-Identifier: MIT */
#include "vsp/spare_memory.h"

#include <glib.h>

#include "support/check_main.h"

#define UNIT  0x8000u /* pages, 128 MiB */
#define FIRST (8 * UNIT)

static struct spare_memory m;

/* Give a unit. Return: which it was; -1: there is none. */
static int give(uint64_t unit)
{
	uint64_t at, again;

	if (!spare_memory_next(&m, unit, &at))
		return -1;
	ck_assert_uint_eq(at % unit, 0);
	ck_assert(spare_memory_next(&m, unit, &again));
	ck_assert_uint_eq(at, again);
	spare_memory_give(&m, at, unit);
	return (int)((at - FIRST) / UNIT);
}

/*
 * What happens, one letter each: a to d: that unit is given; A, C: that unit
 * and the next at once; -: there is none; =: none of two at once; k: kexec;
 * r: a reset.  And what there is in the end, in units.
 */
static const struct {
	const char *what;
	const char *steps;
	uint64_t room, given;
} cases[] = {
	{"nothing", "", 4, 0},
	{"a kernel gets all", "abcd-", 0, 4},
	{"kexec with nothing given", "kabcd-", 0, 4},
	{"kexec: what is new is first", "abkcdab-", 0, 4},
	{"... and the rest is there", "abk", 4, 2},
	{"... also what is given later", "abkck", 4, 3},
	{"kexec with all given", "abcdkabcd-", 0, 4},
	{"kexec twice", "akbkcdab-", 0, 4},
	{"kexec amid the old ones", "akbcdakabcd-", 0, 4},
	{"a reset forgets", "abr", 4, 0},
	{"... all", "abcdkabrabcd-", 0, 4},
	{"larger units", "AC=-", 0, 4},
	{"a larger unit next", "aC=", 0, 4},
	{"a smaller unit next", "Acd-", 0, 4},
	{"a larger unit that has no room any more", "abc=d", 0, 4},
	{"a larger unit of the old ones", "abckA=dc-", 0, 4},
};

START_TEST(kernels)
{
	spare_memory_init(&m, FIRST, FIRST + 4 * UNIT + UNIT / 2);
	for (const char *s = cases[_i].steps; *s; s++) {
		if (*s == 'k' || *s == 'r')
			spare_memory_next_kernel(&m, *s == 'r');
		else if (*s == '-' || *s == '=')
			ck_assert_int_eq(give(*s == '-' ? UNIT : 2 * UNIT), -1);
		else if (g_ascii_isupper(*s))
			ck_assert_int_eq(give(2 * UNIT), *s - 'A');
		else
			ck_assert_int_eq(give(UNIT), *s - 'a');
	}
	ck_assert_msg(spare_memory_room(&m, UNIT) == cases[_i].room * UNIT &&
			      spare_memory_given(&m) == cases[_i].given * UNIT,
		      "%s", cases[_i].what);
}
END_TEST

START_TEST(a_machine_without)
{
	uint64_t at;

	m = (struct spare_memory){0};
	spare_memory_next_kernel(&m, false);
	ck_assert(!spare_memory_next(&m, UNIT, &at));
	ck_assert_uint_eq(spare_memory_room(&m, UNIT), 0);
	ck_assert_uint_eq(spare_memory_given(&m), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/spare_memory");
	TCase *t = tcase_create("spare_memory");

	tcase_add_loop_test(t, kernels, 0, G_N_ELEMENTS(cases));
	tcase_add_test(t, a_machine_without);
	suite_add_tcase(s, t);
	return check_main(s);
}
