/* SPDX-License-Identifier: MIT */
#include "vsp/vmbus/gpadl.h"

#include <errno.h>
#include <string.h>

#include <glib.h>

#include "support/check_main.h"
#include "support/random.h"

#define RAM_PAGES 1000u

/* A struct gpa_range as a word. */
#define RANGE(bytes, offset) ((uint64_t)(offset) << 32 | (bytes))

static bool is_ram(void *ctx, uint64_t pfn)
{
	(void)ctx;
	return pfn < RAM_PAGES;
}

static const struct {
	const char *what;
	unsigned int n_ranges;
	unsigned int n_words;
	uint64_t words[12];
	int err; /* of new (-ENOMEM) or check */
	uint64_t bytes;
} lists[] = {
	{"one page", 1, 2, {RANGE(4096, 0), 7}, 0, 4096},
	{"one byte", 1, 2, {RANGE(1, 4095), 7}, 0, 1},
	{"two pages", 1, 3, {RANGE(8192, 0), 7, 9}, 0, 8192},
	{"a byte on the second page", 1, 3, {RANGE(2, 4095), 7, 9}, 0, 2},
	{"two ranges",
	 2,
	 5,
	 {RANGE(4096, 0), 1, RANGE(4097, 0), 2, 3},
	 0,
	 8193},
	{"the same page twice", 1, 3, {RANGE(8192, 0), 7, 7}, 0, 8192},
	{"the last page of RAM", 1, 2, {RANGE(4096, 0), 999}, 0, 4096},
	{"no page", 1, 1, {RANGE(4096, 0)}, -ENOMEM, 0},
	{"nothing", 1, 0, {0}, -ENOMEM, 0},
	{"no range", 0, 2, {RANGE(4096, 0), 7}, -ENOMEM, 0},
	{"too many ranges", 2, 3, {RANGE(4096, 0), 7, 8}, -ENOMEM, 0},
	{"no bytes", 1, 2, {RANGE(0, 0), 7}, -EINVAL, 0},
	{"offset behind the page", 1, 2, {RANGE(1, 4096), 7}, -EINVAL, 0},
	{"largest offset", 1, 2, {RANGE(1, 0xFFFFFFFF), 7}, -EINVAL, 0},
	{"a page too many", 1, 3, {RANGE(4096, 0), 7, 8}, -EINVAL, 0},
	{"a page too few", 1, 2, {RANGE(4097, 0), 7}, -EINVAL, 0},
	{"most bytes", 1, 2, {RANGE(0xFFFFFFFF, 4095), 7}, -EINVAL, 0},
	{"second range is missing",
	 2,
	 4,
	 {RANGE(12288, 0), 1, 2, 3},
	 -EINVAL,
	 0},
	{"second range is short",
	 2,
	 4,
	 {RANGE(4096, 0), 1, RANGE(8192, 0), 2},
	 -EINVAL,
	 0},
	{"a third range that was not said",
	 2,
	 6,
	 {RANGE(1, 0), 1, RANGE(1, 0), 2, RANGE(1, 0), 3},
	 -EINVAL,
	 0},
	{"not RAM", 1, 2, {RANGE(4096, 0), 1000}, -EFAULT, 0},
	{"the last is not RAM",
	 1,
	 3,
	 {RANGE(8192, 0), 1, UINT64_MAX},
	 -EFAULT,
	 0},
};

START_TEST(ranges)
{
	struct gpadl *g = gpadl_new(5, (uint16_t)(8 * lists[_i].n_words),
				    (uint16_t)lists[_i].n_ranges);
	const char *what = lists[_i].what;
	uint32_t pages = 0;

	if (lists[_i].err == -ENOMEM) {
		ck_assert_msg(!g, "%s", what);
		return;
	}
	ck_assert_msg(g != NULL, "%s", what);
	ck_assert_uint_eq(gpadl_id(g), 5);
	ck_assert_int_eq(
		gpadl_append(g, lists[_i].words, 8 * lists[_i].n_words), 1);
	ck_assert_msg(gpadl_check(g, is_ram, NULL) == lists[_i].err, "%s",
		      what);
	if (!lists[_i].err) {
		ck_assert_uint_eq(gpadl_n_ranges(g), lists[_i].n_ranges);
		ck_assert_uint_eq(gpadl_bytes(g), lists[_i].bytes);
		for (unsigned int i = 0; i < gpadl_n_ranges(g); i++)
			pages += gpadl_range(g, i)->n_pages;
		ck_assert_uint_eq(gpadl_max_pages(g), pages);
	}
	gpadl_free(g);
}
END_TEST

START_TEST(a_range_is_as_it_was_sent)
{
	static const uint64_t words[] = {RANGE(5000, 100), 3, 4, RANGE(1, 2),
					 5};
	struct gpadl *g = gpadl_new(1, sizeof(words), 2);
	const struct gpadl_range *r;

	ck_assert_int_eq(gpadl_append(g, words, sizeof(words)), 1);
	ck_assert_int_eq(gpadl_check(g, is_ram, NULL), 0);
	r = gpadl_range(g, 0);
	ck_assert_uint_eq(r->bytes, 5000);
	ck_assert_uint_eq(r->offset, 100);
	ck_assert_uint_eq(r->n_pages, 2);
	ck_assert_uint_eq(r->pfns[0], 3);
	ck_assert_uint_eq(r->pfns[1], 4);
	r = gpadl_range(g, 1);
	ck_assert_uint_eq(r->n_pages, 1);
	ck_assert_uint_eq(r->pfns[0], 5);
	gpadl_free(g);
}
END_TEST

START_TEST(lengths_that_are_no_list)
{
	for (uint16_t bytes = 0; bytes < 16; bytes++)
		ck_assert_ptr_null(gpadl_new(1, bytes, 1));
	ck_assert_ptr_null(gpadl_new(1, 17, 1));
	ck_assert_ptr_null(gpadl_new(1, 0xFFFF, 1));
	ck_assert_ptr_null(gpadl_new(1, 0xFFF8, 0xFFFF));
	gpadl_free(NULL);
}
END_TEST

START_TEST(pieces_of_any_length_give_the_same_list)
{
	enum {
		N = 8191
	};
	g_autofree uint64_t *words = g_new0(uint64_t, N);

	/* The longest there can be: 8190 pages in one range. */
	words[0] = RANGE((N - 1) * 4096u, 0);
	for (unsigned int i = 1; i < N; i++)
		words[i] = random_u64() % RAM_PAGES;
	for (unsigned int round = 0; round < 20; round++) {
		struct gpadl *g = gpadl_new(9, N * 8, 1);
		unsigned int at = 0;
		int ret = 0;

		while (!ret) {
			unsigned int n = 1 + (unsigned int)(random_u64() % 28);

			n = MIN(n, N - at);
			ret = gpadl_append(g, &words[at], 8 * n);
			at += n;
		}
		ck_assert_int_eq(ret, 1);
		ck_assert_uint_eq(at, N);
		ck_assert_int_eq(gpadl_check(g, is_ram, NULL), 0);
		ck_assert_mem_eq(gpadl_range(g, 0)->pfns, &words[1],
				 (N - 1) * 8);
		gpadl_free(g);
	}
}
END_TEST

START_TEST(padding_and_pieces_without_a_page)
{
	static const uint64_t words[] = {RANGE(8192, 0), 3, 4, 0, 0, 0};
	struct gpadl *g = gpadl_new(1, 24, 1);

	ck_assert_int_eq(gpadl_append(g, words, 0), -EINVAL);
	ck_assert_int_eq(gpadl_append(g, words, 7), -EINVAL);
	/* 15 bytes are one word and a rest */
	ck_assert_int_eq(gpadl_append(g, words, 15), 0);
	ck_assert_int_eq(gpadl_append(g, &words[1], 40), 1);
	ck_assert_int_eq(gpadl_append(g, words, 8), -EINVAL);
	ck_assert_int_eq(gpadl_check(g, is_ram, NULL), 0);
	ck_assert_uint_eq(gpadl_range(g, 0)->pfns[1], 4);
	gpadl_free(g);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/vmbus/gpadl");
	TCase *t = tcase_create("gpadl");

	tcase_add_loop_test(t, ranges, 0, G_N_ELEMENTS(lists));
	tcase_add_test(t, a_range_is_as_it_was_sent);
	tcase_add_test(t, lengths_that_are_no_list);
	tcase_add_test(t, pieces_of_any_length_give_the_same_list);
	tcase_add_test(t, padding_and_pieces_without_a_page);
	suite_add_tcase(s, t);
	return check_main(s);
}
