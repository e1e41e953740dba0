/* SPDX-License-Identifier: MIT */
#include "support/part_guest.h"

#define TSC    HV_X64_MSR_REFERENCE_TSC
#define ENABLE HV_OVERLAY_ENABLE

static struct ms_hyperv_tsc_page page_at(uint64_t gpa)
{
	struct ms_hyperv_tsc_page page;

	ck_assert_int_eq(gmem_read(pg.mem, gpa, &page, sizeof(page)), 0);
	return page;
}

/* As a guest computes it. */
static uint64_t time_from(const struct ms_hyperv_tsc_page *page, uint64_t tsc)
{
	return (uint64_t)((unsigned __int128)tsc * page->tsc_scale >> 64) +
	       (uint64_t)page->tsc_offset;
}

START_TEST(page_agrees_with_the_counter)
{
	struct ms_hyperv_tsc_page page;

	pg_fill(PG_PAGE, 0x11);
	ck_assert_uint_eq(pg_read(TSC), 0);
	pg.tsc += 5 * PG_TSC_HZ;
	pg_write(TSC, PG_PAGE | ENABLE);
	ck_assert_uint_eq(pg_read(TSC), PG_PAGE | ENABLE);
	page = page_at(PG_PAGE);
	ck_assert_uint_ne(page.tsc_sequence, HV_REFERENCE_TSC_SEQUENCE_INVALID);
	for (unsigned int i = 0; i < 100; i++) {
		pg.tsc += 12345678901;
		ck_assert_uint_eq(pg_read(HV_X64_MSR_TIME_REF_COUNT),
				  time_from(&page, pg.tsc));
	}
	ck_assert_uint_eq(pg.milestones[PARTITION_REFERENCE_TSC], 1);
}
END_TEST

START_TEST(ram_comes_back)
{
	pg_fill(PG_PAGE, 0x11);
	pg_write(TSC, PG_PAGE | ENABLE);
	ck_assert_uint_ne(pg_byte(PG_PAGE + 8), 0x11);
	pg_write(TSC, 2 * PG_PAGE | ENABLE);
	ck_assert_uint_eq(pg_byte(PG_PAGE + 8), 0x11);
	pg_write(TSC, 0);
	ck_assert_uint_eq(pg_read(TSC), 0);
	ck_assert_uint_eq(page_at(2 * PG_PAGE).tsc_scale, 0);
}
END_TEST

/* The rest of the page is zeros, whatever was in the RAM. */
START_TEST(nothing_else_is_in_the_page)
{
	pg_fill(PG_PAGE, 0x11);
	pg_write(TSC, PG_PAGE | ENABLE);
	for (uint64_t i = sizeof(struct ms_hyperv_tsc_page); i < PG_PAGE; i++)
		ck_assert_uint_eq(pg_byte(PG_PAGE + i), 0);
}
END_TEST

START_TEST(reserved_bits_fault)
{
	ck_assert(pg_write_faults(TSC, PG_PAGE | ENABLE | 1 << 1));
	ck_assert(pg_write_faults(TSC, PG_PAGE | 1 << 11));
	ck_assert_uint_eq(pg_read(TSC), 0);
}
END_TEST

/* TLFS: "the reference TSC page will not be accessible to the guest" */
START_TEST(past_the_address_space)
{
	pg_fill(PG_PAGE, 0x11);
	pg_write(TSC, PG_PAGE | ENABLE);
	pg_write(TSC, PG_MAX_GPA | ENABLE);
	ck_assert_uint_eq(pg_read(TSC), PG_MAX_GPA | ENABLE);
	ck_assert_uint_eq(pg_byte(PG_PAGE), 0x11);
	pg_write(TSC, 0xFFFFFFFFFFFFF000 | ENABLE);
}
END_TEST

START_TEST(where_no_page_can_be)
{
	pg_fill(PG_PAGE, 0x11);
	pg_write(TSC, PG_PAGE | ENABLE);
	ck_assert(pg_write_faults(TSC, 0xFEE00000 | ENABLE));
	ck_assert_uint_eq(pg_read(TSC), 0);
	ck_assert_uint_eq(pg_byte(PG_PAGE), 0x11);
}
END_TEST

START_TEST(update_when_time_has_moved)
{
	struct ms_hyperv_tsc_page old, new;
	uint64_t before;

	pg_write(TSC, PG_PAGE | ENABLE);
	pg.tsc += PG_TSC_HZ;
	old = page_at(PG_PAGE);
	before = pg_read(HV_X64_MSR_TIME_REF_COUNT);
	ref_time_freeze(pg.ref_time);
	/* a long pause, over which the guest's TSC stands still */
	pg.tsc += 100 * PG_TSC_HZ;
	ref_time_thaw(pg.ref_time, -100 * (int64_t)PG_TSC_HZ);
	partition_update_tsc_page(pg.part);
	new = page_at(PG_PAGE);
	ck_assert_uint_ne(new.tsc_sequence, old.tsc_sequence);
	ck_assert_uint_ne(new.tsc_sequence, HV_REFERENCE_TSC_SEQUENCE_INVALID);
	ck_assert_uint_eq(pg_read(HV_X64_MSR_TIME_REF_COUNT), before);
	ck_assert_uint_eq(time_from(&new, pg.tsc - 100 * PG_TSC_HZ), before);
}
END_TEST

START_TEST(update_touches_no_page_that_is_off)
{
	struct ms_hyperv_tsc_page page;

	partition_update_tsc_page(pg.part);
	pg_fill(PG_PAGE, 0x11);
	pg_write(TSC, PG_PAGE | ENABLE);
	pg_write(TSC, PG_PAGE);
	partition_update_tsc_page(pg.part);
	ck_assert_uint_eq(pg_byte(PG_PAGE), 0x11);
	/* enabled again it is as fresh as any */
	ref_time_set_tsc_offset(pg.ref_time, 1000);
	pg_write(TSC, PG_PAGE | ENABLE);
	page = page_at(PG_PAGE);
	ck_assert_uint_eq(time_from(&page, pg.tsc + 1000),
			  pg_read(HV_X64_MSR_TIME_REF_COUNT));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("partition/tsc_page");
	TCase *t = tcase_create("tsc_page");

	tcase_add_checked_fixture(t, pg_setup, pg_teardown);
	tcase_add_test(t, page_agrees_with_the_counter);
	tcase_add_test(t, ram_comes_back);
	tcase_add_test(t, nothing_else_is_in_the_page);
	tcase_add_test(t, reserved_bits_fault);
	tcase_add_test(t, past_the_address_space);
	tcase_add_test(t, where_no_page_can_be);
	tcase_add_test(t, update_when_time_has_moved);
	tcase_add_test(t, update_touches_no_page_that_is_off);
	suite_add_tcase(s, t);
	return check_main(s);
}
