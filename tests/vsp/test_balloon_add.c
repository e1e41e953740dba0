/* SPDX-License-Identifier: MIT */
#include "support/balloon_guest.h"

/* Bits 5:2 of what a guest can: its unit is so many MiB, as a power of two */
#define ADD_ALIGN(log2_mib) \
	((uint64_t)(log2_mib) << DM_CAPS_ADD_ALIGN_SHIFT | DM_CAPS_HOT_ADD)

/* What a guest says of its unit, the unit, and what that leaves of the spare */
static const struct {
	uint64_t caps, unit_mib, room_mib;
} units[] = {
	{ADD_ALIGN(0), 128, 384}, /* does not say: Linux' */
	{ADD_ALIGN(7), 128, 384}, /* Linux */
	{ADD_ALIGN(8), 256, 256},  {ADD_ALIGN(9), 512, 0},
	{ADD_ALIGN(15), 32768, 0},
};

START_TEST(memory_is_added_in_units)
{
	uint64_t unit = units[_i].unit_mib * MIB;
	uint64_t room = units[_i].room_mib * MIB, at = spare_pfn();

	ck_assert(is_version(DYNMEM_PROTOCOL_VERSION_WIN10));
	report_capabilities(units[_i].caps, true);
	ck_assert(status().can_add);
	ck_assert_uint_eq(status().add_unit_bytes, unit);
	ck_assert_uint_eq(status().add_room_bytes, room);
	ck_assert_int_eq(balloon_add_memory(balloon, room + 1), -EINVAL);
	add_memory(room);
	for (uint64_t had = 0; had < room; had += unit) {
		expect_added(at, unit / PAGE);
		ck_assert_uint_eq(status().added_bytes, had);
		send_added(unit / PAGE, 1);
		at += unit / PAGE;
	}
	expect_quiet();
	ck_assert_uint_eq(status().added_bytes, room);
	ck_assert(!status().add_limited && !status().busy);
}
END_TEST

START_TEST(targets_are_whole_units)
{
	connect_driver();
	add_memory(BLOCK - 1);
	ck_assert_uint_eq(status().add_target_bytes, 0);
	expect_quiet();
	add_memory(2 * BLOCK - 1);
	ck_assert_uint_eq(status().add_target_bytes, BLOCK);
	expect_added(spare_pfn(), BLOCK / PAGE);
	send_added(BLOCK / PAGE, 1);
	expect_quiet();
	/* What it has stays. */
	ck_assert_int_eq(balloon_add_memory(balloon, BLOCK - 1), -EINVAL);
	add_memory(BLOCK);
	expect_quiet();
}
END_TEST

/* Linux: it may be tried again (0), or it can take no more at all (1). */
START_TEST(a_guest_that_takes_nothing)
{
	connect_driver();
	add_memory(2 * BLOCK);
	expect_added(spare_pfn(), BLOCK / PAGE);
	send_added(0, (uint32_t)_i);
	wait_until(status().add_limited);
	expect_quiet();
	ck_assert_uint_eq(status().added_bytes, 0);
	/* Asked anew it is given the same. */
	add_memory(BLOCK);
	ck_assert(!status().add_limited);
	expect_added(spare_pfn(), BLOCK / PAGE);
	send_added(BLOCK / PAGE, 1);
	wait_until(status().added_bytes == BLOCK);
	ck_assert(!status().add_limited);
}
END_TEST

START_TEST(a_guest_that_takes_a_part)
{
	connect_driver();
	add_memory(2 * BLOCK);
	expect_added(spare_pfn(), BLOCK / PAGE);
	send_added(100, 1);
	wait_until(status().add_limited);
	expect_quiet();
	ck_assert_uint_eq(status().added_bytes, 100 * PAGE);
	/* The next begins behind it. */
	add_memory(2 * BLOCK);
	expect_added(spare_pfn() + BLOCK / PAGE, BLOCK / PAGE);
	send_added(BLOCK / PAGE, 1);
	wait_until(status().added_bytes == BLOCK + 100 * PAGE);
	expect_quiet();
	/* One unit is left. */
	add_memory(3 * BLOCK);
	expect_added(spare_pfn() + 2 * BLOCK / PAGE, BLOCK / PAGE);
	send_added(BLOCK / PAGE, 1);
	expect_quiet();
	ck_assert_int_eq(balloon_add_memory(balloon, 4 * BLOCK), -EINVAL);
}
END_TEST

START_TEST(added_memory_goes_into_the_balloon)
{
	connect_driver();
	ck_assert_int_eq(balloon_set_target(balloon, RAM_BYTES + 2 * MIB),
			 -EINVAL);
	add_memory(BLOCK);
	expect_added(spare_pfn(), BLOCK / PAGE);
	/* One request at a time. */
	set_target(2 * MIB);
	expect_quiet();
	gmem_write(mem, spare_pfn() * PAGE, "pattern", 8);
	send_added(BLOCK / PAGE, 1);
	give_all(spare_pfn(), UNIT);
	wait_until(status().ballooned_bytes == 2 * MIB);
	ck_assert_int_eq(memcmp(gmem_load(mem, spare_pfn() * PAGE, 8),
				(const char[8]){0}, 8),
			 0);
	set_target(RAM_BYTES + 2 * MIB);
	ck_assert_uint_eq(asked(), STEP);
}
END_TEST

START_TEST(memory_that_cannot_be_added)
{
	ck_assert_int_eq(balloon_add_memory(balloon, 0), -ENOTCONN);
	ck_assert(is_version(DYNMEM_PROTOCOL_VERSION_WIN10));
	ck_assert_int_eq(balloon_add_memory(balloon, 0), -ENOTCONN);
	report_capabilities(DM_CAPS_BALLOON, true);
	ck_assert_int_eq(balloon_add_memory(balloon, BLOCK), -EOPNOTSUPP);
	ck_assert_int_eq(balloon_add_memory(balloon, 0), -EOPNOTSUPP);
	ck_assert_uint_eq(status().add_room_bytes, 0);
	expect_quiet();
}
END_TEST

/* It may have booted anew: it is given the same again, and may refuse. */
START_TEST(a_new_driver_has_nothing_added)
{
	connect_driver();
	add_memory(2 * BLOCK);
	expect_added(spare_pfn(), BLOCK / PAGE);
	if (_i)
		send_added(BLOCK / PAGE, 1);
	guest_close(&guest);
	ck_assert_uint_eq(status().added_bytes, 0);
	ck_assert_uint_eq(status().add_target_bytes, 0);
	ck_assert_int_eq(balloon_add_memory(balloon, BLOCK), -ENOTCONN);
	guest_open(&guest, &offer);
	connect_driver();
	expect_quiet();
	add_memory(BLOCK);
	expect_added(spare_pfn(), BLOCK / PAGE);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/balloon_add");
	TCase *t = tcase_create("balloon_add");

	log_set_level("error");
	tcase_set_timeout(t, 30);
	tcase_add_checked_fixture(t, balloon_setup, balloon_teardown);
	tcase_add_loop_test(t, memory_is_added_in_units, 0,
			    G_N_ELEMENTS(units));
	tcase_add_test(t, targets_are_whole_units);
	tcase_add_loop_test(t, a_guest_that_takes_nothing, 0, 2);
	tcase_add_test(t, a_guest_that_takes_a_part);
	tcase_add_test(t, added_memory_goes_into_the_balloon);
	tcase_add_test(t, memory_that_cannot_be_added);
	tcase_add_loop_test(t, a_new_driver_has_nothing_added, 0, 2);
	suite_add_tcase(s, t);
	return check_main(s);
}
