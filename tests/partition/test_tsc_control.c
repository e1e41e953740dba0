/* SPDX-License-Identifier: MIT */
#include "support/part_guest.h"

#define REENLIGHTENMENT HV_X64_MSR_REENLIGHTENMENT_CONTROL
#define CONTROL         HV_X64_MSR_TSC_EMULATION_CONTROL
#define STATUS          HV_X64_MSR_TSC_EMULATION_STATUS
#define INVARIANT       HV_X64_MSR_TSC_INVARIANT_CONTROL

START_TEST(reenlightenment)
{
	uint64_t value = 0xEEull | HV_REENLIGHTENMENT_ENABLE | 2ull << 32;

	ck_assert_uint_eq(pg_read(REENLIGHTENMENT), 0);
	pg_write(REENLIGHTENMENT, value);
	ck_assert_uint_eq(pg_read(REENLIGHTENMENT), value);
	ck_assert(pg_write_faults(REENLIGHTENMENT, 1 << 8));
	ck_assert(pg_write_faults(REENLIGHTENMENT, 1 << 15));
	ck_assert(pg_write_faults(REENLIGHTENMENT, 1 << 17));
	ck_assert(pg_write_faults(REENLIGHTENMENT, 1ull << 31));
	ck_assert_uint_eq(pg_read(REENLIGHTENMENT), value);
	pg_write(REENLIGHTENMENT, 0);
	ck_assert_uint_eq(pg_read(REENLIGHTENMENT), 0);
}
END_TEST

START_TEST(who_wants_to_hear_of_another_tsc)
{
	static const struct {
		const char *what;
		uint64_t value;
		bool wants;
	} cases[] = {
		{"nobody", 0, false},
		{"VP 1", 0xEE | HV_REENLIGHTENMENT_ENABLE | 1ull << 32, true},
		{"VP 1, off", 0xEE | 1ull << 32, false},
		{"no vector", 15 | HV_REENLIGHTENMENT_ENABLE, false},
		{"no such VP", 0xEE | HV_REENLIGHTENMENT_ENABLE | 999ull << 32,
		 false},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		uint8_t vector = 0;
		uint32_t vp = 0;

		pg_write(REENLIGHTENMENT, cases[i].value);
		ck_assert_msg(partition_reenlightenment(
				      pg.part, &vp, &vector) == cases[i].wants,
			      "%s", cases[i].what);
		if (!cases[i].wants)
			continue;
		ck_assert_uint_eq(vp, 1);
		ck_assert_uint_eq(vector, 0xEE);
	}
}
END_TEST

START_TEST(emulation)
{
	ck_assert_uint_eq(pg_read(CONTROL), 0);
	pg_write(CONTROL, HV_TSC_EMULATION_CONTROL_ENABLE);
	ck_assert_uint_eq(pg_read(CONTROL), HV_TSC_EMULATION_CONTROL_ENABLE);
	ck_assert(pg_write_faults(CONTROL, 2));
	ck_assert(pg_write_faults(CONTROL, 1ull << 63));
	/* none is in progress, none can be started, ending none is fine */
	ck_assert_uint_eq(pg_read(STATUS), 0);
	pg_write(STATUS, 0);
	ck_assert(pg_write_faults(STATUS, 1));
}
END_TEST

START_TEST(invariant)
{
	ck_assert_uint_eq(pg_read(INVARIANT), 0);
	pg_write(INVARIANT, 0);
	ck_assert(pg_write_faults(INVARIANT, 2));
	ck_assert(pg_write_faults(INVARIANT, 1ull << 63 | 1));
	pg_write(INVARIANT, HV_EXPOSE_INVARIANT_TSC);
	pg_write(INVARIANT, HV_EXPOSE_INVARIANT_TSC);
	ck_assert_uint_eq(pg_read(INVARIANT), HV_EXPOSE_INVARIANT_TSC);
	/* it stays */
	ck_assert(pg_write_faults(INVARIANT, 0));
	ck_assert_uint_eq(pg_read(INVARIANT), HV_EXPOSE_INVARIANT_TSC);
	partition_reset(pg.part);
	ck_assert_uint_eq(pg_read(INVARIANT), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("partition/tsc_control");
	TCase *t = tcase_create("tsc_control");

	tcase_add_checked_fixture(t, pg_setup, pg_teardown);
	tcase_add_test(t, reenlightenment);
	tcase_add_test(t, who_wants_to_hear_of_another_tsc);
	tcase_add_test(t, emulation);
	tcase_add_test(t, invariant);
	suite_add_tcase(s, t);
	return check_main(s);
}
