/* SPDX-License-Identifier: MIT */
#include "mem/gmem.h"

#include <errno.h>
#include <string.h>

#include "mem/overlay.h"
#include "support/check_main.h"

#define PAGE 4096u

static struct gmem *mem;

static void setup(void)
{
	mem = gmem_new(16 * PAGE, NULL);
	ck_assert_ptr_nonnull(mem);
}

static void teardown(void)
{
	gmem_free(mem);
}

static void touch(unsigned int page)
{
	uint8_t b = 0xA5;

	ck_assert_int_eq(gmem_write(mem, page * PAGE + 7, &b, 1), 0);
}

static void assert_next(uint64_t from_page, uint64_t page, uint64_t n_pages)
{
	uint64_t gpa = from_page * PAGE, bytes;

	ck_assert(gmem_next_untouched(mem, &gpa, &bytes));
	ck_assert_uint_eq(gpa, page * PAGE);
	ck_assert_uint_eq(bytes, n_pages * PAGE);
}

START_TEST(untouched_runs)
{
	uint64_t gpa = 16 * PAGE, bytes;

	assert_next(0, 0, 16);
	touch(0);
	touch(5);
	touch(15);
	assert_next(0, 1, 4);
	assert_next(3, 3, 2);
	assert_next(5, 6, 9);
	ck_assert(!gmem_next_untouched(mem, &gpa, &bytes));
	gpa = 15 * PAGE;
	ck_assert(!gmem_next_untouched(mem, &gpa, &bytes));
	gpa = UINT64_MAX;
	ck_assert(!gmem_next_untouched(mem, &gpa, &bytes));
}
END_TEST

START_TEST(untouched_on_both_sides_of_the_hole)
{
	uint64_t gpa = 0, bytes;

	gmem_free(mem);
	mem = gmem_new(GMEM_HOLE_START + 16 * PAGE, NULL);
	ck_assert(gmem_next_untouched(mem, &gpa, &bytes));
	ck_assert_uint_eq(gpa, 0);
	ck_assert_uint_eq(bytes, GMEM_HOLE_START);
	gpa += bytes;
	ck_assert(gmem_next_untouched(mem, &gpa, &bytes));
	ck_assert_uint_eq(gpa, GMEM_HOLE_END);
	ck_assert_uint_eq(bytes, 16 * PAGE);
	gpa += bytes;
	ck_assert(!gmem_next_untouched(mem, &gpa, &bytes));
}
END_TEST

START_TEST(discarded_is_zero_and_untouched)
{
	uint8_t b = 1;

	for (unsigned int i = 0; i < 16; i++)
		touch(i);
	ck_assert_int_eq(gmem_discard(mem, 4 * PAGE, 3 * PAGE), 0);
	assert_next(0, 4, 3);
	ck_assert_int_eq(gmem_read(mem, 6 * PAGE + 7, &b, 1), 0);
	ck_assert_uint_eq(b, 0);
	ck_assert_int_eq(gmem_read(mem, 7 * PAGE + 7, &b, 1), 0);
	ck_assert_uint_eq(b, 0xA5);
}
END_TEST

START_TEST(discard_outside_ram)
{
	ck_assert_int_eq(gmem_discard(mem, 15 * PAGE, 2 * PAGE), -EFAULT);
	ck_assert_int_eq(gmem_discard(mem, 0xE0000000, PAGE), -EFAULT);
	ck_assert_int_eq(gmem_discard(mem, ~0ull - PAGE + 1, PAGE), -EFAULT);
}
END_TEST

START_TEST(discard_below_an_overlay)
{
	struct overlay_space *space = overlay_space_new(mem, 1, NULL);
	struct overlay *o = overlay_new(space);
	uint8_t b = 0;

	touch(2);
	memset(overlay_page(o), 0xAA, PAGE);
	ck_assert_int_eq(overlay_show(o, 2 * PAGE), 0);
	ck_assert_int_eq(gmem_discard(mem, 2 * PAGE, PAGE), 0);
	ck_assert_int_eq(gmem_read(mem, 2 * PAGE + 7, &b, 1), 0);
	ck_assert_uint_eq(b, 0xAA);
	overlay_hide(o);
	ck_assert_int_eq(gmem_read(mem, 2 * PAGE + 7, &b, 1), 0);
	ck_assert_uint_eq(b, 0);
	overlay_space_free(space);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("mem/gmem");
	TCase *t = tcase_create("gmem");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, untouched_runs);
	tcase_add_test(t, untouched_on_both_sides_of_the_hole);
	tcase_add_test(t, discarded_is_zero_and_untouched);
	tcase_add_test(t, discard_outside_ram);
	tcase_add_test(t, discard_below_an_overlay);
	suite_add_tcase(s, t);
	return check_main(s);
}
