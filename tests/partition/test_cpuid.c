/* SPDX-License-Identifier: MIT */
#include "partition/cpuid.h"

#include <string.h>

#include "hypercalls/vp_set.h"
#include "partition/profile.h"
#include "support/check_main.h"

static struct partition_features f;
static struct cpuid_leaf out[CPUID_HV_LEAVES_MAX];
static unsigned int n;

static void leaves_of(const struct profile *p)
{
	partition_features_init(&f, p, true, 4, HV_MAX_VPS);
	memset(out, 0xAA, sizeof(out));
	n = cpuid_hyperv_leaves(&f, out);
}

START_TEST(one_after_the_other_up_to_the_highest)
{
	leaves_of(profile_at((unsigned int)_i));
	ck_assert_uint_ge(n, 7);
	for (unsigned int i = 0; i < n; i++)
		ck_assert_uint_eq(out[i].index, 0x40000000 + i);
	ck_assert_uint_eq(out[0].eax, 0x40000000 + n - 1);
	ck_assert_uint_eq(out[0].eax, f.profile->max_leaf);
}
END_TEST

START_TEST(what_linux_looks_for)
{
	char vendor[13] = "";

	leaves_of(profile_at((unsigned int)_i));
	ck_assert_uint_ge(out[0].eax, 0x40000005);
	ck_assert_uint_le(out[0].eax, 0x4000FFFF);
	memcpy(vendor, &out[0].ebx, 4);
	memcpy(vendor + 4, &out[0].ecx, 4);
	memcpy(vendor + 8, &out[0].edx, 4);
	ck_assert_str_eq(vendor, "Microsoft Hv");
	ck_assert_mem_eq(&out[1].eax, "Hv#1", 4);
	/* the hypercall registers and VP_INDEX */
	ck_assert_uint_eq(out[3].eax & 0x60, 0x60);
}
END_TEST

/* As Linux prints it: build-major.minor-pack-branch.number */
static const struct {
	const char *name;
	unsigned int build, major, minor, pack, branch, number;
} versions[] = {
	{"ws2012", 9200, 6, 2, 16, 0, 16384},
	{"ws2012r2", 9600, 6, 3, 16, 0, 16384},
	{"ws2016", 14393, 10, 0, 0, 0, 576},
	{"ws2019", 17763, 10, 0, 0, 0, 737},
	{"ws2022", 20348, 10, 0, 2, 0, 2762},
	{"ws2025", 26100, 10, 0, 7, 0, 7920},
};

START_TEST(version)
{
	leaves_of(profile_find(versions[_i].name));
	ck_assert_uint_eq(out[2].eax, versions[_i].build);
	ck_assert_uint_eq(out[2].ebx >> 16, versions[_i].major);
	ck_assert_uint_eq(out[2].ebx & 0xFFFF, versions[_i].minor);
	ck_assert_uint_eq(out[2].ecx, versions[_i].pack);
	ck_assert_uint_eq(out[2].edx >> 24, versions[_i].branch);
	ck_assert_uint_eq(out[2].edx & 0xFFFFFF, versions[_i].number);
}
END_TEST

START_TEST(words_are_the_features)
{
	leaves_of(profile_at((unsigned int)_i));
	ck_assert_uint_eq(out[3].eax, f.eax);
	ck_assert_uint_eq(out[3].ebx, f.ebx);
	ck_assert_uint_eq(out[3].ecx, 0);
	ck_assert_uint_eq(out[3].edx, f.edx);
	ck_assert_uint_eq(out[4].eax, f.hints);
	ck_assert_uint_eq(out[4].ebx, 0xfff);
	ck_assert_uint_eq(out[5].eax, f.max_vps);
	ck_assert_uint_eq(out[5].ebx, f.max_lps);
	ck_assert_uint_eq(out[6].eax, f.hardware);
}
END_TEST

/* No CPU management, no nesting, no isolation. */
START_TEST(higher_leaves_say_nothing)
{
	leaves_of(profile_at((unsigned int)_i));
	for (unsigned int i = 7; i < n; i++)
		ck_assert(!out[i].eax && !out[i].ebx && !out[i].ecx &&
			  !out[i].edx);
}
END_TEST

START_TEST(never_more_than_there_is_room_for)
{
	partition_features_init(&f, profile_newest(), true, 1, 1);
	f.max_leaf = 0x4000FFFF;
	ck_assert_uint_eq(cpuid_hyperv_leaves(&f, out), CPUID_HV_LEAVES_MAX);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("partition/cpuid");
	TCase *t = tcase_create("cpuid");

	tcase_add_loop_test(t, one_after_the_other_up_to_the_highest, 0, 6);
	tcase_add_loop_test(t, what_linux_looks_for, 0, 6);
	tcase_add_loop_test(t, version, 0, 6);
	tcase_add_loop_test(t, words_are_the_features, 0, 6);
	tcase_add_loop_test(t, higher_leaves_say_nothing, 0, 6);
	tcase_add_test(t, never_more_than_there_is_room_for);
	suite_add_tcase(s, t);
	return check_main(s);
}
