/* SPDX-License-Identifier: MIT */
#include "support/part_guest.h"

START_TEST(vp_index)
{
	for (uint32_t vp = 0; vp < PG_N_VPS; vp++) {
		uint64_t value;

		ck_assert_int_eq(partition_msr_read(pg.part, vp,
						    HV_X64_MSR_VP_INDEX,
						    &value),
				 0);
		ck_assert_uint_eq(value, vp);
	}
	ck_assert(pg_write_faults(HV_X64_MSR_VP_INDEX, 0));
}
END_TEST

START_TEST(vp_runtime)
{
	ck_assert_uint_eq(pg_read(HV_X64_MSR_VP_RUNTIME), PG_RUNTIME);
	ck_assert(pg_write_faults(HV_X64_MSR_VP_RUNTIME, 0));
}
END_TEST

START_TEST(time_ref_count)
{
	uint64_t start = pg_read(HV_X64_MSR_TIME_REF_COUNT), passed;

	pg.tsc += PG_TSC_HZ;
	passed = pg_read(HV_X64_MSR_TIME_REF_COUNT) - start;
	/* the scale is rounded down */
	ck_assert_uint_le(passed, 10000000);
	ck_assert_uint_ge(passed, 10000000 - 1);
	ck_assert(pg_write_faults(HV_X64_MSR_TIME_REF_COUNT, 0));
}
END_TEST

START_TEST(frequencies)
{
	ck_assert_uint_eq(pg_read(HV_X64_MSR_TSC_FREQUENCY), PG_TSC_HZ);
	ck_assert_uint_eq(pg_read(HV_X64_MSR_APIC_FREQUENCY), PG_APIC_HZ);
	ck_assert(pg_write_faults(HV_X64_MSR_TSC_FREQUENCY, PG_TSC_HZ));
	ck_assert(pg_write_faults(HV_X64_MSR_APIC_FREQUENCY, PG_APIC_HZ));
}
END_TEST

START_TEST(guest_idle)
{
	uint64_t value;

	ck_assert_int_eq(
		partition_msr_read(pg.part, 2, HV_X64_MSR_GUEST_IDLE, &value),
		0);
	ck_assert_uint_eq(pg.idles, 1);
	ck_assert_uint_eq(pg.vp, 2);
	ck_assert(pg_write_faults(HV_X64_MSR_GUEST_IDLE, 0));
}
END_TEST

START_TEST(reset)
{
	ck_assert_uint_eq(pg_read(HV_X64_MSR_RESET), 0);
	pg_write(HV_X64_MSR_RESET, 0);
	ck_assert(pg_write_faults(HV_X64_MSR_RESET, 2));
	ck_assert(pg_write_faults(HV_X64_MSR_RESET, 1ull << 63 | 1));
	ck_assert_uint_eq(pg.resets, 0);
	ck_assert_int_eq(partition_msr_write(pg.part, 1, HV_X64_MSR_RESET, 1),
			 0);
	ck_assert_uint_eq(pg.resets, 1);
	ck_assert_uint_eq(pg.vp, 1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("partition/idle_freq");
	TCase *t = tcase_create("idle_freq");

	tcase_add_checked_fixture(t, pg_setup, pg_teardown);
	tcase_add_test(t, vp_index);
	tcase_add_test(t, vp_runtime);
	tcase_add_test(t, time_ref_count);
	tcase_add_test(t, frequencies);
	tcase_add_test(t, guest_idle);
	tcase_add_test(t, reset);
	suite_add_tcase(s, t);
	return check_main(s);
}
