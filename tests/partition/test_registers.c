/* SPDX-License-Identifier: MIT */
#include <glib.h>

#include "partition/cpuid.h"
#include "support/part_guest.h"

static struct hv_register_value get(uint32_t vp, uint32_t name)
{
	struct hv_register_value value = {0xBAD, 0xBAD};

	ck_assert_msg(!partition_get_register(pg.part, 0, vp, name, &value),
		      "register 0x%" PRIx32, name);
	return value;
}

static int get_error(uint32_t vp, uint32_t name)
{
	struct hv_register_value value;

	return partition_get_register(pg.part, 0, vp, name, &value);
}

static int set(uint32_t caller, uint32_t vp, uint32_t name, uint64_t low)
{
	struct hv_register_value value = {low, 0};

	return partition_set_register(pg.part, caller, vp, name, &value);
}

static const struct {
	uint32_t name, msr;
} pairs[] = {
	{HV_REGISTER_GUEST_CRASH_P0, HV_X64_MSR_CRASH_P0},
	{HV_REGISTER_GUEST_CRASH_P4, HV_X64_MSR_CRASH_P4},
	{HV_REGISTER_GUEST_CRASH_CTL, HV_X64_MSR_CRASH_CTL},
	{HV_REGISTER_VP_RUNTIME, HV_X64_MSR_VP_RUNTIME},
	{HV_X64_REGISTER_HYPERCALL, HV_X64_MSR_HYPERCALL},
	{HV_REGISTER_GUEST_OSID, HV_X64_MSR_GUEST_OS_ID},
	{HV_REGISTER_VP_INDEX, HV_X64_MSR_VP_INDEX},
	{HV_REGISTER_TIME_REF_COUNT, HV_X64_MSR_TIME_REF_COUNT},
	{HV_REGISTER_VP_ASSIST_PAGE, HV_X64_MSR_VP_ASSIST_PAGE},
	{HV_REGISTER_REFERENCE_TSC, HV_X64_MSR_REFERENCE_TSC},
	{HV_REGISTER_SINT0, HV_X64_MSR_SINT0},
	{HV_REGISTER_SINT0 + 2, HV_X64_MSR_SINT0 + 2},
	{HV_REGISTER_SINT15, HV_X64_MSR_SINT15},
	{HV_REGISTER_SCONTROL, HV_X64_MSR_SCONTROL},
	{HV_REGISTER_SVERSION, HV_X64_MSR_SVERSION},
	{HV_REGISTER_SIEFP, HV_X64_MSR_SIEFP},
	{HV_REGISTER_SIMP, HV_X64_MSR_SIMP},
	{HV_REGISTER_EOM, HV_X64_MSR_EOM},
	{HV_REGISTER_STIMER0_CONFIG, HV_X64_MSR_STIMER0_CONFIG},
	{HV_REGISTER_STIMER3_COUNT, HV_X64_MSR_STIMER3_COUNT},
};

START_TEST(same_as_the_msr)
{
	struct hv_register_value value;

	pg_write(HV_X64_MSR_CRASH_P0, 0x10);
	pg_write(HV_X64_MSR_CRASH_P4, 0x14);
	pg_write(HV_X64_MSR_GUEST_OS_ID, 0x8100);
	pg_write(HV_X64_MSR_HYPERCALL, PG_PAGE | 1);
	pg_write(HV_X64_MSR_REFERENCE_TSC, 2 * PG_PAGE | 1);
	pg_write(HV_X64_MSR_VP_ASSIST_PAGE, 3 * PG_PAGE | 1);
	pg_write(HV_X64_MSR_SINT0 + 2, 0xF3);
	pg_write(HV_X64_MSR_SIMP, 4 * PG_PAGE | 1);
	pg_write(HV_X64_MSR_STIMER3_COUNT, 99);
	value = get(0, pairs[_i].name);
	ck_assert_uint_eq(value.low, pg_read(pairs[_i].msr));
	ck_assert_uint_eq(value.high, 0);
}
END_TEST

START_TEST(others_registers)
{
	ck_assert_uint_eq(get(2, HV_REGISTER_VP_INDEX).low, 2);
	ck_assert_uint_eq(get(2, HV_REGISTER_VP_RUNTIME).low, PG_RUNTIME + 2);
	ck_assert_int_eq(
		partition_msr_write(pg.part, 2, HV_X64_MSR_SINT0 + 5, 0x55), 0);
	ck_assert_uint_eq(get(2, HV_REGISTER_SINT0 + 5).low, 0x55);
	ck_assert_uint_eq(get(1, HV_REGISTER_SINT0 + 5).low,
			  HV_SYNIC_SINT_MASKED);
}
END_TEST

static const struct {
	uint32_t name, leaf;
} leaves[] = {
	{HV_REGISTER_HYPERVISOR_VERSION, 0x40000002},
	{HV_REGISTER_PRIVILEGES_AND_FEATURES_INFO, 0x40000003},
	{HV_REGISTER_FEATURES_INFO, 0x40000004},
	{HV_REGISTER_IMPLEMENTATION_LIMITS_INFO, 0x40000005},
	{HV_REGISTER_HARDWARE_FEATURES_INFO, 0x40000006},
};

START_TEST(same_as_the_leaf)
{
	struct cpuid_leaf out[CPUID_HV_LEAVES_MAX];
	const struct cpuid_leaf *l;
	struct hv_register_value value = get(1, leaves[_i].name);

	cpuid_hyperv_leaves(&pg.features, out);
	l = &out[leaves[_i].leaf - 0x40000000];
	ck_assert_uint_eq(l->index, leaves[_i].leaf);
	ck_assert_uint_eq(value.low, (uint64_t)l->ebx << 32 | l->eax);
	ck_assert_uint_eq(value.high, (uint64_t)l->edx << 32 | l->ecx);
	ck_assert_int_eq(set(0, 0, leaves[_i].name, 0), -EACCES);
}
END_TEST

/* What a kernel with CONFIG_HYPERV_VTL_MODE asks at boot. */
START_TEST(only_vtl_0)
{
	uint64_t vp_status = get(0, HV_REGISTER_VSM_VP_STATUS).low;

	ck_assert_uint_eq(vp_status & 0xF, 0);
	ck_assert_uint_eq(vp_status >> 16 & 0xFFFF, 1);
	ck_assert_uint_eq(get(0, HV_REGISTER_VSM_PARTITION_STATUS).low, 1);
	ck_assert_int_eq(set(0, 0, HV_REGISTER_VSM_VP_STATUS, 0), -EACCES);
}
END_TEST

START_TEST(set_partition_wide)
{
	ck_assert_int_eq(set(0, 2, HV_REGISTER_GUEST_OSID, 0x1234), 0);
	ck_assert_uint_eq(partition_guest_os_id(pg.part), 0x1234);
	ck_assert_int_eq(set(1, 0, HV_X64_REGISTER_HYPERCALL, PG_PAGE | 1), 0);
	ck_assert(partition_hypercalls_enabled(pg.part));
	ck_assert_int_eq(set(0, 0, HV_REGISTER_GUEST_CRASH_CTL,
			     HV_CRASH_CTL_CRASH_NOTIFY),
			 0);
	ck_assert_uint_eq(pg.crashes, 1);
}
END_TEST

/* A VP's own registers are written on its own thread. */
START_TEST(set_a_vps_own)
{
	ck_assert_int_eq(set(1, 1, HV_REGISTER_SINT0 + 2, 0xF3), 0);
	ck_assert_uint_eq(get(1, HV_REGISTER_SINT0 + 2).low, 0xF3);
	ck_assert_int_eq(set(0, 1, HV_REGISTER_SINT0 + 2, 0xF4), -EBUSY);
	ck_assert_uint_eq(get(1, HV_REGISTER_SINT0 + 2).low, 0xF3);
	ck_assert_int_eq(set(0, 1, HV_REGISTER_VP_ASSIST_PAGE, PG_PAGE | 1),
			 -EBUSY);
}
END_TEST

START_TEST(bad_values)
{
	struct hv_register_value wide = {1, 1};

	ck_assert_int_eq(set(0, 0, HV_REGISTER_SINT0, 5), -EINVAL);
	ck_assert_int_eq(partition_set_register(pg.part, 0, 0,
						HV_REGISTER_GUEST_OSID, &wide),
			 -EINVAL);
	ck_assert_uint_eq(partition_guest_os_id(pg.part), 0);
	ck_assert_int_eq(set(0, 0, HV_REGISTER_VP_INDEX, 0), -EACCES);
	ck_assert_int_eq(set(0, 0, HV_REGISTER_TIME_REF_COUNT, 0), -EACCES);
}
END_TEST

static const uint32_t unknown[] = {
	0,          0x00000101, 0x0000020F, 0x00000216, 0x00020000,
	0x00080001, 0x0008FFFF, 0x00090005, 0x00091003, 0x000A0015,
	0x000B0008, 0x000D0002, 0x000D0010, UINT32_MAX,
};

START_TEST(unknown_names)
{
	ck_assert_int_eq(get_error(0, unknown[_i]), -ENOENT);
	ck_assert_int_eq(set(0, 0, unknown[_i], 0), -ENOENT);
}
END_TEST

START_TEST(no_such_vp)
{
	ck_assert_int_eq(get_error(PG_N_VPS, HV_REGISTER_VP_INDEX), -ENOENT);
	ck_assert_int_eq(set(0, PG_N_VPS, HV_REGISTER_GUEST_OSID, 1), -ENOENT);
}
END_TEST

/* As for the MSR: what the profile lacks is not there. */
START_TEST(what_the_profile_lacks)
{
	pg_teardown();
	pg_setup_profile("ws2012");
	ck_assert_int_eq(get_error(0, HV_REGISTER_GUEST_CRASH_P0), -ENOENT);
	ck_assert_int_eq(set(0, 0, HV_REGISTER_GUEST_CRASH_P0, 0), -ENOENT);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("partition/registers");
	TCase *t = tcase_create("registers");

	tcase_add_checked_fixture(t, pg_setup, pg_teardown);
	tcase_add_loop_test(t, same_as_the_msr, 0, (int)G_N_ELEMENTS(pairs));
	tcase_add_test(t, others_registers);
	tcase_add_loop_test(t, same_as_the_leaf, 0, (int)G_N_ELEMENTS(leaves));
	tcase_add_test(t, only_vtl_0);
	tcase_add_test(t, set_partition_wide);
	tcase_add_test(t, set_a_vps_own);
	tcase_add_test(t, bad_values);
	tcase_add_loop_test(t, unknown_names, 0, (int)G_N_ELEMENTS(unknown));
	tcase_add_test(t, no_such_vp);
	tcase_add_test(t, what_the_profile_lacks);
	suite_add_tcase(s, t);
	return check_main(s);
}
