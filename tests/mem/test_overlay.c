/* SPDX-License-Identifier: MIT */
#include "mem/overlay.h"

#include <errno.h>
#include <string.h>

#include "mem/gmem.h"
#include "support/check_main.h"

#define PAGE 4096u

static struct gmem *mem;
static struct overlay_space *space;

static void setup(void)
{
	mem = gmem_new(16 * PAGE, NULL);
	ck_assert_ptr_nonnull(mem);
	space = overlay_space_new(mem, 4, NULL);
	ck_assert_ptr_nonnull(space);
}

static void teardown(void)
{
	overlay_space_free(space);
	gmem_free(mem);
}

static uint8_t guest_byte(uint64_t gpa)
{
	uint8_t b = 0;

	ck_assert_int_eq(gmem_read(mem, gpa, &b, 1), 0);
	return b;
}

static void fill(uint64_t gpa, uint8_t value)
{
	uint8_t page[PAGE];

	memset(page, value, sizeof(page));
	ck_assert_int_eq(gmem_write(mem, gpa, page, sizeof(page)), 0);
}

START_TEST(ram_comes_back)
{
	struct overlay *o = overlay_new(space);

	fill(PAGE, 0x11);
	fill(2 * PAGE, 0x22);
	memset(overlay_page(o), 0xAA, PAGE);
	ck_assert_int_eq(overlay_show(o, PAGE), 0);
	ck_assert_uint_eq(guest_byte(PAGE), 0xAA);
	ck_assert_uint_eq(guest_byte(2 * PAGE - 1), 0xAA);
	ck_assert_uint_eq(guest_byte(2 * PAGE), 0x22);

	/* What the guest writes is in the overlay, not in the RAM. */
	fill(PAGE, 0xBB);
	ck_assert_uint_eq(((uint8_t *)overlay_page(o))[5], 0xBB);
	overlay_hide(o);
	ck_assert_uint_eq(guest_byte(PAGE), 0x11);
}
END_TEST

START_TEST(contents_move_with_it)
{
	struct overlay *o = overlay_new(space);

	fill(PAGE, 0x11);
	ck_assert_int_eq(overlay_show(o, PAGE), 0);
	fill(PAGE, 0xCC);
	ck_assert_int_eq(overlay_show(o, 3 * PAGE), 0);
	ck_assert_uint_eq(guest_byte(PAGE), 0x11);
	ck_assert_uint_eq(guest_byte(3 * PAGE), 0xCC);
	overlay_hide(o);
	ck_assert(!overlay_is_shown(o));
	ck_assert_int_eq(overlay_show(o, 3 * PAGE), 0);
	ck_assert_uint_eq(guest_byte(3 * PAGE), 0xCC);
}
END_TEST

START_TEST(newest_covers_and_uncovers)
{
	struct overlay *a = overlay_new(space), *b = overlay_new(space);

	fill(PAGE, 0x11);
	memset(overlay_page(a), 0xAA, PAGE);
	memset(overlay_page(b), 0xBB, PAGE);
	ck_assert_int_eq(overlay_show(a, PAGE), 0);
	ck_assert_int_eq(overlay_show(b, PAGE), 0);
	ck_assert_uint_eq(guest_byte(PAGE), 0xBB);
	overlay_hide(a); /* below: nothing to see */
	ck_assert_uint_eq(guest_byte(PAGE), 0xBB);
	ck_assert_int_eq(overlay_show(a, PAGE), 0);
	ck_assert_uint_eq(guest_byte(PAGE), 0xAA);
	overlay_hide(a);
	ck_assert_uint_eq(guest_byte(PAGE), 0xBB);
	overlay_hide(b);
	ck_assert_uint_eq(guest_byte(PAGE), 0x11);
}
END_TEST

static uint64_t hole_gpa;
static void *hole_host;

static int hole_map(void *ctx, uint64_t gpa, void *host)
{
	(void)ctx;
	hole_gpa = gpa;
	hole_host = host;
	return 0;
}

static int hole_unmap(void *ctx, uint64_t gpa)
{
	(void)ctx;
	if (gpa != hole_gpa)
		return -ENOENT;
	hole_host = NULL;
	return 0;
}

START_TEST(outside_ram_asks_for_a_slot)
{
	static const struct overlay_hole_ops ops = {hole_map, hole_unmap};
	struct overlay *o = overlay_new(space);

	ck_assert_int_eq(overlay_show(o, 64 * PAGE), -EFAULT);
	ck_assert(!overlay_is_shown(o));
	overlay_space_set_hole_ops(space, &ops, NULL);
	ck_assert_int_eq(overlay_show(o, 64 * PAGE), 0);
	ck_assert_uint_eq(hole_gpa, 64 * PAGE);
	ck_assert_ptr_eq(hole_host, overlay_page(o));
	overlay_hide(o);
	ck_assert_ptr_null(hole_host);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("mem/overlay");
	TCase *t = tcase_create("overlay");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, ram_comes_back);
	tcase_add_test(t, contents_move_with_it);
	tcase_add_test(t, newest_covers_and_uncovers);
	tcase_add_test(t, outside_ram_asks_for_a_slot);
	suite_add_tcase(s, t);
	return check_main(s);
}
