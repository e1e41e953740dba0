/* SPDX-License-Identifier: MIT */
#include <glib.h>

#include "hypercalls/page.h"
#include "support/part_guest.h"

#define OS_ID     HV_X64_MSR_GUEST_OS_ID
#define HYPERCALL HV_X64_MSR_HYPERCALL
#define LINUX     0x8100000006010000ull
#define ENABLE    HV_X64_MSR_HYPERCALL_ENABLE
#define LOCK      HV_X64_MSR_HYPERCALL_LOCKED
/* the first byte of the page's code */
#define CODE      0xF3

START_TEST(linux_boot)
{
	pg_fill(PG_PAGE, 0x11);
	ck_assert_uint_eq(pg_read(OS_ID), 0);
	ck_assert_uint_eq(pg_read(HYPERCALL), 0);
	ck_assert(!partition_hypercalls_enabled(pg.part));

	pg_write(OS_ID, LINUX);
	ck_assert_uint_eq(pg_read(OS_ID), LINUX);
	ck_assert_uint_eq(partition_guest_os_id(pg.part), LINUX);
	ck_assert_uint_eq(pg.milestones[PARTITION_GUEST_OS_ID], 1);

	/* callable at once: the code, with its return */
	pg_write(HYPERCALL, PG_PAGE | ENABLE);
	ck_assert_uint_eq(pg_read(HYPERCALL), PG_PAGE | ENABLE);
	ck_assert(partition_hypercalls_enabled(pg.part));
	ck_assert_uint_eq(pg_byte(PG_PAGE), CODE);
	ck_assert_uint_eq(pg_byte(PG_PAGE + 4), 0x0F);
	ck_assert_uint_eq(pg_byte(2 * PG_PAGE - 1), 0xCC);
	ck_assert_uint_eq(pg.milestones[PARTITION_HYPERCALL_PAGE], 1);
}
END_TEST

/* hyperv_cleanup(), then the next kernel with its page elsewhere */
START_TEST(kexec)
{
	pg_fill(PG_PAGE, 0x11);
	pg_fill(2 * PG_PAGE, 0x22);
	pg_write(OS_ID, LINUX);
	pg_write(HYPERCALL, PG_PAGE | ENABLE);
	pg_write(OS_ID, 0);
	ck_assert(!partition_hypercalls_enabled(pg.part));
	ck_assert_uint_eq(pg_read(HYPERCALL), PG_PAGE);
	ck_assert_uint_eq(pg_byte(PG_PAGE), 0x11);
	pg_write(HYPERCALL, 0);
	pg_write(OS_ID, LINUX);
	pg_write(HYPERCALL, 2 * PG_PAGE | ENABLE);
	ck_assert_uint_eq(pg_byte(PG_PAGE), 0x11);
	ck_assert_uint_eq(pg_byte(2 * PG_PAGE), CODE);
	/* a milestone is told once */
	ck_assert_uint_eq(pg.milestones[PARTITION_GUEST_OS_ID], 1);
	ck_assert_uint_eq(pg.milestones[PARTITION_HYPERCALL_PAGE], 1);
}
END_TEST

START_TEST(not_without_an_identity)
{
	pg_fill(PG_PAGE, 0x11);
	pg_write(HYPERCALL, PG_PAGE | ENABLE);
	/* no fault; the bit stays clear */
	ck_assert_uint_eq(pg_read(HYPERCALL), PG_PAGE);
	ck_assert(!partition_hypercalls_enabled(pg.part));
	ck_assert_uint_eq(pg_byte(PG_PAGE), 0x11);
	/* an identity alone does not enable it afterwards */
	pg_write(OS_ID, LINUX);
	ck_assert(!partition_hypercalls_enabled(pg.part));
	ck_assert_uint_eq(pg.milestones[PARTITION_HYPERCALL_PAGE], 0);
}
END_TEST

START_TEST(another_identity_leaves_it_enabled)
{
	pg_write(OS_ID, LINUX);
	pg_write(HYPERCALL, PG_PAGE | ENABLE);
	pg_write(OS_ID, 1);
	ck_assert(partition_hypercalls_enabled(pg.part));
}
END_TEST

START_TEST(move_and_disable)
{
	pg_fill(PG_PAGE, 0x11);
	pg_fill(2 * PG_PAGE, 0x22);
	pg_write(OS_ID, LINUX);
	pg_write(HYPERCALL, PG_PAGE | ENABLE);
	pg_write(HYPERCALL, 2 * PG_PAGE | ENABLE);
	ck_assert_uint_eq(pg_byte(PG_PAGE), 0x11);
	ck_assert_uint_eq(pg_byte(2 * PG_PAGE), CODE);
	pg_write(HYPERCALL, 2 * PG_PAGE);
	ck_assert(!partition_hypercalls_enabled(pg.part));
	ck_assert_uint_eq(pg_byte(2 * PG_PAGE), 0x22);
}
END_TEST

START_TEST(scribbles_do_not_last)
{
	pg_write(OS_ID, LINUX);
	pg_write(HYPERCALL, PG_PAGE | ENABLE);
	pg_fill(PG_PAGE, 0x90);
	pg_write(HYPERCALL, 0);
	pg_write(HYPERCALL, PG_PAGE | ENABLE);
	ck_assert_uint_eq(pg_byte(PG_PAGE), CODE);
}
END_TEST

static const struct {
	const char *what;
	uint64_t value;
} bad[] = {
	{"lowest reserved bit", PG_PAGE | ENABLE | 1 << 2},
	{"highest reserved bit", PG_PAGE | ENABLE | 1 << 11},
	{"reserved bit, not enabled", PG_PAGE | 1 << 5},
	{"past the address space", PG_MAX_GPA | ENABLE},
	{"past the address space, not enabled", PG_MAX_GPA},
	{"far past it", 0xFFFFFFFFFFFFF000 | ENABLE},
};

START_TEST(bad_values)
{
	pg_write(OS_ID, LINUX);
	pg_write(HYPERCALL, PG_PAGE | ENABLE);
	ck_assert_msg(pg_write_faults(HYPERCALL, bad[_i].value), "%s",
		      bad[_i].what);
	ck_assert_uint_eq(pg_read(HYPERCALL), PG_PAGE | ENABLE);
	ck_assert_uint_eq(pg_byte(PG_PAGE), CODE);
}
END_TEST

/* In the address space, but neither RAM nor mappable: no half-way state. */
START_TEST(where_no_page_can_be)
{
	pg_fill(PG_PAGE, 0x11);
	pg_write(OS_ID, LINUX);
	pg_write(HYPERCALL, PG_PAGE | ENABLE);
	ck_assert(pg_write_faults(HYPERCALL, 0xFEE00000 | ENABLE));
	ck_assert(!partition_hypercalls_enabled(pg.part));
	ck_assert_uint_eq(pg_read(HYPERCALL), 0);
	ck_assert_uint_eq(pg_byte(PG_PAGE), 0x11);
}
END_TEST

START_TEST(lock)
{
	pg_write(OS_ID, LINUX);
	pg_write(HYPERCALL, PG_PAGE | ENABLE | LOCK);
	ck_assert_uint_eq(pg_read(HYPERCALL), PG_PAGE | ENABLE | LOCK);
	ck_assert(pg_write_faults(HYPERCALL, 2 * PG_PAGE | ENABLE));
	ck_assert(pg_write_faults(HYPERCALL, 0));
	ck_assert(partition_hypercalls_enabled(pg.part));
	/* without an identity it goes all the same, and stays locked */
	pg_write(OS_ID, 0);
	ck_assert(!partition_hypercalls_enabled(pg.part));
	pg_write(OS_ID, LINUX);
	ck_assert(pg_write_faults(HYPERCALL, PG_PAGE | ENABLE));
	/* only a reset takes the lock away */
	partition_reset(pg.part);
	ck_assert_uint_eq(pg_read(HYPERCALL), 0);
	pg_write(HYPERCALL, 0);
}
END_TEST

START_TEST(lock_where_it_is_not_offered)
{
	pg_teardown();
	pg_setup_profile("ws2012");
	pg_write(OS_ID, LINUX);
	ck_assert(pg_write_faults(HYPERCALL, PG_PAGE | ENABLE | LOCK));
	pg_write(HYPERCALL, PG_PAGE | ENABLE);
}
END_TEST

START_TEST(one_register_for_all_vps)
{
	uint64_t value;

	ck_assert_int_eq(partition_msr_write(pg.part, 2, OS_ID, LINUX), 0);
	ck_assert_uint_eq(pg_read(OS_ID), LINUX);
	pg_write(HYPERCALL, PG_PAGE | ENABLE);
	ck_assert_int_eq(partition_msr_read(pg.part, 1, HYPERCALL, &value), 0);
	ck_assert_uint_eq(value, PG_PAGE | ENABLE);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("partition/hypercall_msr");
	TCase *t = tcase_create("hypercall_msr");

	tcase_add_checked_fixture(t, pg_setup, pg_teardown);
	tcase_add_test(t, linux_boot);
	tcase_add_test(t, kexec);
	tcase_add_test(t, not_without_an_identity);
	tcase_add_test(t, another_identity_leaves_it_enabled);
	tcase_add_test(t, move_and_disable);
	tcase_add_test(t, scribbles_do_not_last);
	tcase_add_loop_test(t, bad_values, 0, (int)G_N_ELEMENTS(bad));
	tcase_add_test(t, where_no_page_can_be);
	tcase_add_test(t, lock);
	tcase_add_test(t, lock_where_it_is_not_offered);
	tcase_add_test(t, one_register_for_all_vps);
	suite_add_tcase(s, t);
	return check_main(s);
}
