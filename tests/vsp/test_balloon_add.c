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

static void take_blocks(unsigned int first, unsigned int n)
{
	add_memory(status().added_bytes + n * BLOCK);
	for (unsigned int i = 0; i < n; i++) {
		expect_added(spare_pfn() + (first + i) * BLOCK / PAGE,
			     BLOCK / PAGE);
		send_added(BLOCK / PAGE, 1);
	}
	expect_quiet();
}

/* A reloaded module: the kernel has what was added, and would refuse it. */
START_TEST(the_next_driver_of_a_kernel_gets_more)
{
	connect_driver();
	take_blocks(0, 1);
	guest_close(&guest);
	ck_assert(!status().ready);
	ck_assert_uint_eq(status().added_bytes, 0);
	ck_assert_uint_eq(status().given_bytes, BLOCK);
	ck_assert_int_eq(balloon_add_memory(balloon, BLOCK), -ENOTCONN);
	guest_open(&guest, &offer);
	connect_driver();
	ck_assert_uint_eq(status().added_bytes, BLOCK);
	ck_assert_uint_eq(status().add_target_bytes, BLOCK);
	ck_assert_uint_eq(status().add_room_bytes, 3 * BLOCK);
	expect_quiet();
	ck_assert_int_eq(balloon_add_memory(balloon, BLOCK - 1), -EINVAL);
	ck_assert_int_eq(balloon_add_memory(balloon, 3 * BLOCK + 1), -EINVAL);
	take_blocks(1, 2);
	ck_assert_uint_eq(status().added_bytes, 3 * BLOCK);
}
END_TEST

/* Another unit than that of the driver before: what is left of it. */
START_TEST(the_next_driver_has_a_larger_unit)
{
	ck_assert(is_version(DYNMEM_PROTOCOL_VERSION_WIN10));
	report_capabilities(ADD_ALIGN(7), true);
	take_blocks(0, 1);
	guest_close(&guest);
	guest_open(&guest, &offer);
	ck_assert(is_version(DYNMEM_PROTOCOL_VERSION_WIN10));
	report_capabilities(ADD_ALIGN(8), true);
	ck_assert_uint_eq(status().added_bytes, BLOCK);
	ck_assert_uint_eq(status().add_room_bytes, BLOCK);
	ck_assert_int_eq(balloon_add_memory(balloon, 3 * BLOCK), -EINVAL);
}
END_TEST

/* It went while it took the first: nobody knows whether it has it. */
START_TEST(a_driver_that_goes_before_it_answers)
{
	connect_driver();
	add_memory(BLOCK);
	expect_added(spare_pfn(), BLOCK / PAGE);
	guest_close(&guest);
	ck_assert_uint_eq(status().given_bytes, BLOCK);
	guest_open(&guest, &offer);
	connect_driver();
	ck_assert_uint_eq(status().added_bytes, 0);
	ck_assert_uint_eq(status().add_room_bytes, 2 * BLOCK);
	take_blocks(1, 2);
}
END_TEST

/* As kexec makes one: without a word; the channel is closed for it. */
static void start_kernel(void)
{
	guest_drop_rings(&guest);
	guest_connect(VERSION_WIN10);
	guest_request_offers(&offer, 1);
	guest_open(&guest, &offer);
	connect_driver();
}

/*
 * What the kernel before it had may be in its map of memory (kexec_load() of
 * Linux) or not (kexec_file_load()): it is given that last.
 */
START_TEST(the_next_kernel_gets_what_is_new_first)
{
	connect_driver();
	take_blocks(0, 1);
	start_kernel();
	ck_assert_uint_eq(status().added_bytes, 0);
	ck_assert_uint_eq(status().add_room_bytes, 3 * BLOCK);
	expect_quiet();
	take_blocks(1, 2);
	take_blocks(0, 1);
	ck_assert_uint_eq(status().added_bytes, 3 * BLOCK);
	ck_assert_int_eq(balloon_add_memory(balloon, 4 * BLOCK), -EINVAL);
}
END_TEST

/* It has it: then it can have no more. */
START_TEST(the_next_kernel_has_what_was_added)
{
	connect_driver();
	take_blocks(0, 1);
	start_kernel();
	take_blocks(1, 2);
	add_memory(3 * BLOCK);
	expect_added(spare_pfn(), BLOCK / PAGE);
	send_added(0, 1);
	wait_until(status().add_limited);
	ck_assert_uint_eq(status().added_bytes, 2 * BLOCK);
	/* One after that has the same choice. */
	start_kernel();
	ck_assert_uint_eq(status().add_room_bytes, 3 * BLOCK);
	take_blocks(0, 3);
}
END_TEST

START_TEST(a_reset_machine_has_nothing_added)
{
	connect_driver();
	take_blocks(0, 2);
	vmbus_thread_pause(bus_thread);
	vmbus_thread_reset(bus_thread);
	vmbus_thread_resume(bus_thread);
	start_kernel();
	ck_assert_uint_eq(status().added_bytes, 0);
	ck_assert_uint_eq(status().given_bytes, 0);
	ck_assert_uint_eq(status().add_room_bytes, 3 * BLOCK);
	take_blocks(0, 3);
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
	tcase_add_test(t, the_next_driver_of_a_kernel_gets_more);
	tcase_add_test(t, the_next_driver_has_a_larger_unit);
	tcase_add_test(t, a_driver_that_goes_before_it_answers);
	tcase_add_test(t, the_next_kernel_gets_what_is_new_first);
	tcase_add_test(t, the_next_kernel_has_what_was_added);
	tcase_add_test(t, a_reset_machine_has_nothing_added);
	suite_add_tcase(s, t);
	return check_main(s);
}
