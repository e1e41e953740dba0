/* SPDX-License-Identifier: MIT */
#include "mem/gpa_range.h"

#include <errno.h>
#include <sys/uio.h>

#include "mem/gmem.h"
#include "support/check_main.h"

#define PAGE             4096u
#define RANGE(bytes, at) ((uint64_t)(at) << 32 | (bytes))
#define N_MAX            3u

static const struct {
	const char *what;
	uint64_t words[8];
	uint32_t n_words, n_ranges;
	int ret;
	struct {
		uint64_t gpa;
		size_t bytes;
	} pieces[N_MAX];
} cases[] = {
	{"a page", {RANGE(PAGE, 0), 3}, 2, 1, 1, {{3 * PAGE, PAGE}}},
	{"some bytes of it", {RANGE(5, 9), 3}, 2, 1, 1, {{3 * PAGE + 9, 5}}},
	{"pages in a row",
	 {RANGE(2 * PAGE, 8), 3, 4, 5},
	 4,
	 1,
	 1,
	 {{3 * PAGE + 8, 2 * PAGE}}},
	{"pages apart",
	 {RANGE(PAGE, 8), 3, 9},
	 3,
	 1,
	 2,
	 {{3 * PAGE + 8, PAGE - 8}, {9 * PAGE, 8}}},
	{"ranges in a row",
	 {RANGE(PAGE, 0), 3, RANGE(6, 0), 4},
	 4,
	 2,
	 1,
	 {{3 * PAGE, PAGE + 6}}},
	{"backwards",
	 {RANGE(3 * PAGE, 0), 5, 4, 3},
	 4,
	 1,
	 3,
	 {{5 * PAGE, PAGE}, {4 * PAGE, PAGE}, {3 * PAGE, PAGE}}},
	{"the same page again",
	 {RANGE(PAGE, 0), 3, RANGE(PAGE, 0), 3},
	 4,
	 2,
	 2,
	 {{3 * PAGE, PAGE}, {3 * PAGE, PAGE}}},
	{"too many pieces", {RANGE(4 * PAGE, 0), 1, 3, 5, 7}, 5, 1, -E2BIG, {}},
	{"no RAM", {RANGE(2 * PAGE, 0), 15, 16}, 3, 1, -EFAULT, {}},
	{"far off", {RANGE(1, 0), 1ull << 52}, 2, 1, -EFAULT, {}},
	{"further", {RANGE(1, 0), ~0ull}, 2, 1, -EFAULT, {}},
	{"no range", {RANGE(1, 0), 1}, 2, 0, -EINVAL, {}},
	{"an empty one", {RANGE(0, 0), 1}, 2, 1, -EINVAL, {}},
	{"begins behind its first page",
	 {RANGE(1, PAGE), 1, 2},
	 3,
	 1,
	 -EINVAL,
	 {}},
	{"a page is missing", {RANGE(2 * PAGE, 0), 1}, 2, 1, -EINVAL, {}},
	{"a range is missing", {RANGE(PAGE, 0), 1}, 2, 2, -EINVAL, {}},
	{"all of 4 GiB", {RANGE(~0u, 1), 1}, 2, 1, -EINVAL, {}},
};

START_TEST(pieces_of_memory)
{
	struct gmem *mem = gmem_new(16 * PAGE, NULL);
	/* Exactly as long as it says, for whoever looks at bounds. */
	size_t size = cases[_i].n_words * sizeof(uint64_t);
	void *copy = g_memdup2(cases[_i].words, size);
	struct gpa_range_list list = {.data = copy,
				      .size = (uint32_t)size,
				      .n_ranges = cases[_i].n_ranges};
	struct iovec iov[N_MAX];
	uint64_t total = 0, sum = 0;
	int n = gpa_ranges_iov(mem, &list, iov, N_MAX);

	ck_assert_msg(n == cases[_i].ret, "%s: %d", cases[_i].what, n);
	ck_assert_int_eq(gpa_ranges_check(&list, &total),
			 n == -EINVAL ? -EINVAL : 0);
	for (int i = 0; i < n; i++) {
		ck_assert_ptr_eq(iov[i].iov_base,
				 gmem_load(mem, cases[_i].pieces[i].gpa, 1));
		ck_assert_uint_eq(iov[i].iov_len, cases[_i].pieces[i].bytes);
		sum += iov[i].iov_len;
	}
	if (n > 0)
		ck_assert_uint_eq(sum, total);
	g_free(copy);
	gmem_free(mem);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("mem/gpa_range");
	TCase *t = tcase_create("gpa_range");

	tcase_add_loop_test(t, pieces_of_memory, 0,
			    sizeof(cases) / sizeof(cases[0]));
	suite_add_tcase(s, t);
	return check_main(s);
}
