/* SPDX-License-Identifier: MIT */
#include "vsp/page_set.h"

#include <errno.h>
#include <string.h>

#include <glib.h>

#include "support/check_main.h"
#include "support/random.h"

/* Not a multiple of 64: the last word is not all pages. */
#define N_PAGES 1000u

static struct page_set *set;

static void make_set(void)
{
	set = page_set_new(N_PAGES);
}

static void drop_set(void)
{
	page_set_free(set);
	page_set_free(NULL);
}

static const struct {
	const char *what;
	uint64_t first, n;
	int err;
} adds[] = {
	{"one page", 5, 1, 0},
	{"a word", 64, 64, 0},
	{"over words", 60, 200, 0},
	{"the last", N_PAGES - 1, 1, 0},
	{"all", 0, N_PAGES, 0},
	{"none", 5, 0, 0},
	{"none at the end", N_PAGES, 0, 0},
	{"one beyond", N_PAGES, 1, -ERANGE},
	{"half beyond", N_PAGES - 1, 2, -ERANGE},
	{"more than all", 0, N_PAGES + 1, -ERANGE},
	{"a sum that wraps", 2, UINT64_MAX, -ERANGE},
	{"a page that wraps", UINT64_MAX, 2, -ERANGE},
};

START_TEST(add_and_remove)
{
	uint64_t first, n = adds[_i].err ? 0 : adds[_i].n;

	ck_assert_int_eq(page_set_add(set, adds[_i].first, adds[_i].n),
			 adds[_i].err);
	ck_assert_uint_eq(page_set_count(set), n);
	ck_assert_uint_eq(page_set_next(set, 0, N_PAGES, &first), n);
	if (n) {
		ck_assert_uint_eq(first, adds[_i].first);
		ck_assert_int_eq(page_set_add(set, adds[_i].first, adds[_i].n),
				 -EEXIST);
		ck_assert_int_eq(page_set_add(set, first + n - 1, 1), -EEXIST);
		page_set_remove(set, first, n);
	}
	ck_assert_uint_eq(page_set_count(set), 0);
	ck_assert_uint_eq(page_set_next(set, 0, N_PAGES, &first), 0);
}
END_TEST

START_TEST(what_overlaps_is_refused_whole)
{
	uint64_t first;

	ck_assert_int_eq(page_set_add(set, 100, 10), 0);
	ck_assert_int_eq(page_set_add(set, 0, 101), -EEXIST);
	ck_assert_int_eq(page_set_add(set, 109, 500), -EEXIST);
	ck_assert_int_eq(page_set_add(set, 0, N_PAGES), -EEXIST);
	ck_assert_uint_eq(page_set_count(set), 10);
	ck_assert_int_eq(page_set_add(set, 110, 3), 0);
	ck_assert_uint_eq(page_set_next(set, 0, N_PAGES, &first), 13);
	ck_assert_uint_eq(first, 100);
}
END_TEST

START_TEST(runs_are_cut_as_asked_for)
{
	uint64_t first;

	page_set_add(set, 50, 100);
	ck_assert_uint_eq(page_set_next(set, 0, 30, &first), 30);
	ck_assert_uint_eq(first, 50);
	ck_assert_uint_eq(page_set_next(set, 140, 30, &first), 10);
	ck_assert_uint_eq(first, 140);
	ck_assert_uint_eq(page_set_next(set, 150, 30, &first), 0);
	ck_assert_uint_eq(page_set_next(set, N_PAGES, 30, &first), 0);
	ck_assert_uint_eq(page_set_next(set, UINT64_MAX, 30, &first), 0);
	page_set_clear(set);
	ck_assert_uint_eq(page_set_count(set), 0);
	ck_assert_uint_eq(page_set_next(set, 0, 30, &first), 0);
}
END_TEST

/* The oracle: one byte for each page. */
START_TEST(as_an_array_of_bytes)
{
	static bool pages[N_PAGES];

	for (unsigned int step = 0; step < 20000; step++) {
		uint64_t first = random_u64() % N_PAGES;
		uint64_t n = random_u64() % 100, count = 0, at, run;
		bool any = false, fits = first + n <= N_PAGES;
		int want = !fits ? -ERANGE : 0;

		for (uint64_t i = first; i < first + n && fits; i++)
			any |= pages[i];
		if (any)
			want = -EEXIST;
		ck_assert_int_eq(page_set_add(set, first, n), want);
		for (uint64_t i = first; i < first + n && !want; i++)
			pages[i] = true;
		run = page_set_next(set, random_u64() % N_PAGES, n + 1, &at);
		for (uint64_t i = at; i < at + run; i++) {
			ck_assert(pages[i]);
			pages[i] = false;
		}
		page_set_remove(set, at, run);
		for (unsigned int i = 0; i < N_PAGES; i++)
			count += pages[i];
		ck_assert_uint_eq(page_set_count(set), count);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/page_set");
	TCase *t = tcase_create("pages");

	tcase_add_checked_fixture(t, make_set, drop_set);
	tcase_add_loop_test(t, add_and_remove, 0, G_N_ELEMENTS(adds));
	tcase_add_test(t, what_overlaps_is_refused_whole);
	tcase_add_test(t, runs_are_cut_as_asked_for);
	tcase_add_test(t, as_an_array_of_bytes);
	suite_add_tcase(s, t);
	return check_main(s);
}
