/* SPDX-License-Identifier: MIT */
#include <glib.h>

#include "support/part_guest.h"

#define ASSIST HV_X64_MSR_VP_ASSIST_PAGE
#define ENABLE HV_OVERLAY_ENABLE

START_TEST(page_is_there_and_clean)
{
	pg_fill(PG_PAGE, 0x11);
	ck_assert_uint_eq(pg_read(ASSIST), 0);
	pg_write(ASSIST, PG_PAGE | ENABLE);
	ck_assert_uint_eq(pg_read(ASSIST), PG_PAGE | ENABLE);
	for (uint64_t i = 0; i < PG_PAGE; i++)
		ck_assert_uint_eq(pg_byte(PG_PAGE + i), 0);
	pg_write(ASSIST, 0);
	ck_assert_uint_eq(pg_byte(PG_PAGE), 0x11);
}
END_TEST

/* A guest that finds "no EOI required" there never ends an interrupt again. */
START_TEST(first_word_is_cleared_at_each_enabling)
{
	pg_write(ASSIST, PG_PAGE | ENABLE);
	pg_fill(PG_PAGE, 0xFF);
	pg_write(ASSIST, PG_PAGE | ENABLE); /* no change */
	ck_assert_uint_eq(pg_byte(PG_PAGE), 0xFF);
	pg_write(ASSIST, 2 * PG_PAGE | ENABLE);
	ck_assert_uint_eq(pg_byte(2 * PG_PAGE), 0);
	ck_assert_uint_eq(pg_byte(2 * PG_PAGE + 3), 0);
	/* the rest is the overlay's own and moves with it */
	ck_assert_uint_eq(pg_byte(2 * PG_PAGE + 4), 0xFF);
	pg_fill(2 * PG_PAGE, 0xFF);
	pg_write(ASSIST, 2 * PG_PAGE);
	pg_write(ASSIST, 2 * PG_PAGE | ENABLE);
	ck_assert_uint_eq(pg_byte(2 * PG_PAGE), 0);
}
END_TEST

START_TEST(apic_is_told_where_the_page_is)
{
	ck_assert_uint_eq(pg.assist_gpa[0], PG_NOWHERE);
	pg_write(ASSIST, PG_PAGE);
	ck_assert_uint_eq(pg.assist_gpa[0], PG_NOWHERE);
	pg_write(ASSIST, PG_PAGE | ENABLE);
	ck_assert_uint_eq(pg.assist_gpa[0], PG_PAGE);
	pg_write(ASSIST, 2 * PG_PAGE | ENABLE);
	ck_assert_uint_eq(pg.assist_gpa[0], 2 * PG_PAGE);
	/* an INIT makes KVM forget it, and the guest enables it again */
	pg.assist_gpa[0] = PG_NOWHERE;
	pg_write(ASSIST, 2 * PG_PAGE | ENABLE);
	ck_assert_uint_eq(pg.assist_gpa[0], 2 * PG_PAGE);
	ck_assert_uint_eq(pg.assist_gpa[1], PG_NOWHERE);
	pg_write(ASSIST, 0);
	ck_assert_uint_eq(pg.assist_gpa[0], PG_NOWHERE);
	pg_write(ASSIST, PG_PAGE | ENABLE);
	ck_assert(pg_write_faults(ASSIST, 0xFEE00000 | ENABLE));
	ck_assert_uint_eq(pg.assist_gpa[0], PG_NOWHERE);
}
END_TEST

/* What the APIC writes last goes into the page, not into memory below it. */
START_TEST(apic_is_told_before_the_page_goes)
{
	static const uint64_t next[] = {2 * PG_PAGE | ENABLE, PG_PAGE, 0};

	for (unsigned int i = 0; i <= G_N_ELEMENTS(next); i++) {
		pg_fill(PG_PAGE, 0x11);
		pg_write(ASSIST, PG_PAGE | ENABLE);
		if (i < G_N_ELEMENTS(next))
			pg_write(ASSIST, next[i]);
		else
			partition_reset(pg.part);
		ck_assert_uint_eq(pg_byte(PG_PAGE), 0x11);
		/* nor does the guest find it */
		pg_write(ASSIST, 2 * PG_PAGE | ENABLE);
		ck_assert_uint_eq(pg_byte(2 * PG_PAGE), 0);
		pg_write(ASSIST, 0);
	}
}
END_TEST

START_TEST(one_page_per_vp)
{
	uint64_t value;

	pg_write(ASSIST, PG_PAGE | ENABLE);
	ck_assert_int_eq(
		partition_msr_write(pg.part, 2, ASSIST, 2 * PG_PAGE | ENABLE),
		0);
	pg_fill(PG_PAGE, 1);
	pg_fill(2 * PG_PAGE, 2);
	ck_assert_uint_eq(pg_read(ASSIST), PG_PAGE | ENABLE);
	ck_assert_int_eq(partition_msr_read(pg.part, 1, ASSIST, &value), 0);
	ck_assert_uint_eq(value, 0);
	pg_write(ASSIST, 0);
	ck_assert_uint_eq(pg_byte(2 * PG_PAGE), 2);
}
END_TEST

START_TEST(bad_values)
{
	ck_assert(pg_write_faults(ASSIST, PG_PAGE | ENABLE | 1 << 1));
	ck_assert(pg_write_faults(ASSIST, PG_PAGE | 1 << 11));
	ck_assert(pg_write_faults(ASSIST, PG_MAX_GPA | ENABLE));
	ck_assert(pg_write_faults(ASSIST, PG_MAX_GPA));
	ck_assert_uint_eq(pg_read(ASSIST), 0);
	pg_fill(PG_PAGE, 0x11);
	pg_write(ASSIST, PG_PAGE | ENABLE);
	ck_assert(pg_write_faults(ASSIST, 0xFEE00000 | ENABLE));
	ck_assert_uint_eq(pg_read(ASSIST), 0);
	ck_assert_uint_eq(pg_byte(PG_PAGE), 0x11);
}
END_TEST

START_TEST(apic_registers_reach_the_apic)
{
	static const uint32_t msrs[] = {HV_X64_MSR_EOI, HV_X64_MSR_ICR,
					HV_X64_MSR_TPR};

	for (unsigned int i = 0; i < G_N_ELEMENTS(msrs); i++) {
		ck_assert_int_eq(partition_msr_write(pg.part, 2, msrs[i], 0xF0),
				 0);
		ck_assert_uint_eq(pg.vp, 2);
		ck_assert_uint_eq(pg.apic_msr, msrs[i]);
		ck_assert_uint_eq(pg.apic_value, 0xF0);
	}
	ck_assert_uint_eq(pg_read(HV_X64_MSR_TPR), 0xF0);
	ck_assert_uint_eq(pg.apic_msr, HV_X64_MSR_TPR);
	ck_assert_uint_eq(pg_read(HV_X64_MSR_ICR), 0xF0);
	ck_assert_uint_eq(pg.apic_msr, HV_X64_MSR_ICR);
	pg.apic_refuses = true;
	ck_assert(pg_read_faults(HV_X64_MSR_ICR));
	ck_assert(pg_write_faults(HV_X64_MSR_ICR, 0));
}
END_TEST

START_TEST(apic_reserved_bits)
{
	ck_assert(pg_read_faults(HV_X64_MSR_EOI));
	pg_write(HV_X64_MSR_EOI, 0xFFFFFFFF);
	ck_assert(pg_write_faults(HV_X64_MSR_EOI, 1ull << 32));
	pg_write(HV_X64_MSR_TPR, 0xFF);
	ck_assert(pg_write_faults(HV_X64_MSR_TPR, 0x100));
	ck_assert(pg_write_faults(HV_X64_MSR_TPR, 1ull << 63));
	/* both halves of the ICR mean something */
	pg_write(HV_X64_MSR_ICR, 0xFF000000000008FF);
	ck_assert_uint_eq(pg.apic_value, 0xFF000000000008FF);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("partition/vp_assist");
	TCase *t = tcase_create("vp_assist");

	tcase_add_checked_fixture(t, pg_setup, pg_teardown);
	tcase_add_test(t, page_is_there_and_clean);
	tcase_add_test(t, first_word_is_cleared_at_each_enabling);
	tcase_add_test(t, apic_is_told_where_the_page_is);
	tcase_add_test(t, apic_is_told_before_the_page_goes);
	tcase_add_test(t, one_page_per_vp);
	tcase_add_test(t, bad_values);
	tcase_add_test(t, apic_registers_reach_the_apic);
	tcase_add_test(t, apic_reserved_bits);
	suite_add_tcase(s, t);
	return check_main(s);
}
