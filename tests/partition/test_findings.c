/* SPDX-License-Identifier: MIT */
/* Rules about registers: who keeps them is clean, who breaks them is found. */
#include "support/part_guest.h"

#include "support/finding_cases.h"

#define OS_ID 0x8100060100000000ull

static int try_write(uint32_t msr, uint64_t value)
{
	return partition_msr_write(pg.part, 0, msr, value);
}

static void read_bad(uint32_t msr)
{
	uint64_t value;

	ck_assert_int_ne(partition_msr_read(pg.part, 0, msr, &value), 0);
}

static void write_bad(uint32_t msr, uint64_t value)
{
	ck_assert_int_ne(try_write(msr, value), 0);
}

/* All that a kernel does at its start. */
static void boot(void)
{
	pg_write(HV_X64_MSR_REFERENCE_TSC, 4 * PG_PAGE | 1);
	pg_write(HV_X64_MSR_VP_ASSIST_PAGE, 5 * PG_PAGE | 1);
	pg_write(HV_X64_MSR_GUEST_OS_ID, OS_ID);
	pg_write(HV_X64_MSR_HYPERCALL, 3 * PG_PAGE | 1);
	pg_read(HV_X64_MSR_VP_INDEX);
	pg_read(HV_X64_MSR_TIME_REF_COUNT);
	pg_write(HV_X64_MSR_SIMP, 6 * PG_PAGE | 1);
	pg_write(HV_X64_MSR_SIEFP, 7 * PG_PAGE | 1);
	pg_write(HV_X64_MSR_SINT0 + 2, 0xF3);
	pg_write(HV_X64_MSR_SCONTROL, 1);
}

static void unknown(void)
{
	read_bad(0x400000F7);
}

static void not_offered(void)
{
	pg.features.eax &= ~HV_MSR_RESET_AVAILABLE;
	pg_teardown();
	pg_setup_profile("ws2012");
	read_bad(HV_X64_MSR_RESET);
}

static void read_only(void)
{
	write_bad(HV_X64_MSR_VP_INDEX, 1);
}

static void reserved_value(void)
{
	write_bad(HV_X64_MSR_REFERENCE_TSC, 4 * PG_PAGE | 3);
}

/* Bits that the register has already are to be preserved. */
static void preserve(void)
{
	uint64_t simp = pg_read(HV_X64_MSR_SIMP);

	boot();
	pg_write(HV_X64_MSR_SIMP, simp);
	pg_write(HV_X64_MSR_SINT0 + 2, pg_read(HV_X64_MSR_SINT0 + 2) | 1 << 16);
}

static void set_reserved(void)
{
	pg_write(HV_X64_MSR_SIMP, 6 * PG_PAGE | 1 | 0x10);
}

static void page_off_without_id(void)
{
	pg_write(HV_X64_MSR_HYPERCALL, 3 * PG_PAGE);
}

static void page_without_id(void)
{
	pg_write(HV_X64_MSR_HYPERCALL, 3 * PG_PAGE | 1);
}

/* As Linux' hyperv_cleanup() and hv_synic_cleanup(), then a new kernel. */
static void clean_kexec(void)
{
	boot();
	pg_write(HV_X64_MSR_SIMP, 0);
	pg_write(HV_X64_MSR_SIEFP, 0);
	pg_write(HV_X64_MSR_SCONTROL, 0);
	pg_write(HV_X64_MSR_VP_ASSIST_PAGE, 0);
	pg_write(HV_X64_MSR_GUEST_OS_ID, 0);
	pg_write(HV_X64_MSR_HYPERCALL, 0);
	/* Linux has these pages before it says what it is. */
	pg_write(HV_X64_MSR_REFERENCE_TSC, 4 * PG_PAGE | 1);
	pg_write(HV_X64_MSR_VP_ASSIST_PAGE, 5 * PG_PAGE | 1);
	pg_write(HV_X64_MSR_GUEST_OS_ID, OS_ID + 1);
	/* The same once more is no new kernel. */
	pg_write(HV_X64_MSR_HYPERCALL, 3 * PG_PAGE | 1);
	pg_write(HV_X64_MSR_GUEST_OS_ID, OS_ID + 1);
}

static void dirty_kexec(void)
{
	pg_write(HV_X64_MSR_VP_ASSIST_PAGE, 5 * PG_PAGE | 1);
	pg_write(HV_X64_MSR_GUEST_OS_ID, 0);
	pg_write(HV_X64_MSR_GUEST_OS_ID, OS_ID);
}

static void write_tsc(void)
{
	partition_tsc_write(pg.part, 1, MSR_IA32_TSC, 0);
}

static const struct finding_case cases[] = {
	{FINDING_MSR_UNKNOWN, "0x400000f7", boot, unknown},
	{FINDING_MSR_NOT_OFFERED, "RESET", boot, not_offered},
	{FINDING_MSR_ACCESS, "VP_INDEX", boot, read_only},
	{FINDING_MSR_VALUE, "REFERENCE_TSC", boot, reserved_value},
	{FINDING_MSR_RESERVED, "SIMP", preserve, set_reserved},
	{FINDING_HYPERCALL_NO_OS_ID, "HYPERCALL", page_off_without_id,
	 page_without_id},
	{FINDING_OVERLAY_LEFT, "VP_ASSIST_PAGE", clean_kexec, dirty_kexec},
	{FINDING_TSC_WRITTEN, "IA32_TSC", boot, write_tsc},
};

START_TEST(rules_of_registers)
{
	finding_run(&cases[_i]);
}
END_TEST

START_TEST(a_hypercall_page_of_the_last_kernel_is_left)
{
	boot();
	findings_reset();
	pg_write(HV_X64_MSR_SIMP, 0);
	pg_write(HV_X64_MSR_SIEFP, 0);
	pg_write(HV_X64_MSR_VP_ASSIST_PAGE, 0);
	pg_write(HV_X64_MSR_GUEST_OS_ID, OS_ID + 1);
	finding_expect_at(FINDING_OVERLAY_LEFT, "HYPERCALL");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("findings");
	TCase *tc = tcase_create("findings");

	tcase_add_checked_fixture(tc, pg_setup, pg_teardown);
	tcase_add_loop_test(tc, rules_of_registers, 0, G_N_ELEMENTS(cases));
	tcase_add_test(tc, a_hypercall_page_of_the_last_kernel_is_left);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
