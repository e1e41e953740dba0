/* SPDX-License-Identifier: MIT */
/*
 * What is offered: the profile's bits that something stands for, and never
 * one of those that would mislead a guest.
 */
#include "partition/features.h"

#include "hypercalls/table.h"
#include "hypercalls/vp_set.h"
#include "partition/msr.h"
#include "partition/profile.h"
#include "proto/hv_tlfs.h"
#include "support/check_main.h"

#define N_PROFILES 6

static struct partition_features features_of(const char *name, bool invariant)
{
	struct partition_features f;

	partition_features_init(&f, profile_find(name), invariant, 2,
				HV_MAX_VPS);
	return f;
}

static struct partition_features features_at(int i)
{
	return features_of(profile_at((unsigned int)i)->name, true);
}

START_TEST(within_the_profile)
{
	struct partition_features f = features_at(_i);

	ck_assert_uint_eq(f.eax & ~f.profile->features_eax, 0);
	ck_assert_uint_eq(f.ebx & ~f.profile->features_ebx, 0);
	ck_assert_uint_eq(f.edx & ~f.profile->features_edx, 0);
	/* the one bit that we add */
	ck_assert_uint_eq(f.hints & ~f.profile->hints_eax,
			  HV_DEPRECATING_AEOI_RECOMMENDED &
				  ~f.profile->hints_eax);
	ck_assert_uint_eq(f.hardware & ~f.profile->hardware_eax, 0);
}
END_TEST

/* Each privilege offered: at least one row wants it, and all have handlers. */
START_TEST(each_privilege_has_rows)
{
	struct partition_features f = features_at(_i);
	uint64_t offered = partition_privileges(&f), backed = 0;
	unsigned int n_calls, n_msrs;
	const struct hypercall_row *call = hypercall_table(&n_calls);
	const struct msr_row *msr = msr_table(&n_msrs);

	for (unsigned int i = 0; i < n_calls; i++) {
		if (call[i].handler)
			backed |= call[i].privilege;
		else
			ck_assert(!(offered & call[i].privilege));
	}
	for (unsigned int i = 0; i < n_msrs; i++) {
		if (msr[i].read || msr[i].write)
			backed |= msr[i].privilege;
		else
			ck_assert(!(offered & msr[i].privilege));
	}
	ck_assert_uint_eq(offered & ~backed, 0);
}
END_TEST

/* Each recommendation that promises calls: they are all there. */
START_TEST(each_hint_has_its_calls)
{
	struct partition_features f = features_at(_i);
	unsigned int n;
	const struct hypercall_row *call = hypercall_table(&n);

	for (unsigned int i = 0; i < n; i++)
		if (f.hints & call[i].hint)
			ck_assert_msg(call[i].handler, "%s", call[i].name);
}
END_TEST

START_TEST(never_offered)
{
	struct partition_features f = features_at(_i);

	ck_assert(!(f.ebx & (HV_CREATE_PARTITIONS | HV_ACCESS_PARTITION_ID |
			     HV_CPU_MANAGEMENT | HV_ISOLATION | HV_ACCESS_VSM |
			     HV_START_VIRTUAL_PROCESSOR | HV_DEBUGGING)));
	/* by the host, not the profile */
	ck_assert(!(f.hints & HV_X64_APIC_ACCESS_RECOMMENDED));
	ck_assert(!(f.hints & (HV_X64_HYPERV_NESTED |
			       HV_X64_ENLIGHTENED_VMCS_RECOMMENDED |
			       HV_X64_NO_NONARCH_CORESHARING |
			       HV_X64_USE_MMIO_HYPERCALLS)));
}
END_TEST

START_TEST(apic_access_where_the_host_wants_it)
{
	struct partition_features f = features_at(_i), was = f;

	partition_features_recommend_apic(&f);
	ck_assert_uint_eq(f.hints, was.hints | HV_X64_APIC_ACCESS_RECOMMENDED);
	ck_assert_uint_eq(f.eax, was.eax);
	/* not without the registers */
	f = was;
	f.eax &= ~HV_MSR_APIC_ACCESS_AVAILABLE;
	partition_features_recommend_apic(&f);
	ck_assert_uint_eq(f.hints, was.hints);
}
END_TEST

START_TEST(no_bit_without_a_name)
{
	struct partition_features f = features_at(_i);
	const uint32_t words[FEATURE_N_WORDS] = {
		[FEATURE_EAX] = f.eax,           [FEATURE_EBX] = f.ebx,
		[FEATURE_EDX] = f.edx,           [FEATURE_HINTS] = f.hints,
		[FEATURE_HARDWARE] = f.hardware,
	};

	for (unsigned int word = 0; word < FEATURE_N_WORDS; word++)
		for (unsigned int bit = 0; bit < 32; bit++)
			if (words[word] & 1u << bit)
				ck_assert_msg(feature_name(word, bit),
					      "word %u bit %u", word, bit);
}
END_TEST

/* What every Linux since 4.19 needs, in each profile. */
START_TEST(always_offered)
{
	struct partition_features f = features_at(_i);
	uint32_t eax = HV_MSR_TIME_REF_COUNT_AVAILABLE |
		       HV_MSR_SYNIC_AVAILABLE | HV_MSR_SYNTIMER_AVAILABLE |
		       HV_MSR_HYPERCALL_AVAILABLE | HV_MSR_VP_INDEX_AVAILABLE |
		       HV_MSR_REFERENCE_TSC_AVAILABLE |
		       HV_ACCESS_FREQUENCY_MSRS;

	ck_assert_uint_eq(f.eax & eax, eax);
	ck_assert_uint_eq(f.ebx & (HV_POST_MESSAGES | HV_SIGNAL_EVENTS),
			  HV_POST_MESSAGES | HV_SIGNAL_EVENTS);
	ck_assert(f.edx & HV_FEATURE_FREQUENCY_MSRS_AVAILABLE);
	ck_assert(f.hints & HV_DEPRECATING_AEOI_RECOMMENDED);
	ck_assert(f.hints & HV_X64_REMOTE_TLB_FLUSH_RECOMMENDED);
}
END_TEST

static const struct {
	const char *name;
	uint32_t eax, ebx, edx, hints;
} offered[] = {
	{"ws2012", 0xe7f, 0x30, 0x130, 0x224},
	{"ws2012r2", 0xe7f, 0x30, 0x530, 0x224},
	{"ws2016", 0x2e7f, 0x120030, 0xec530, 0xe24},
	{"ws2019", 0x2e7f, 0x120030, 0xec530, 0x20e24},
	{"ws2022", 0xae7f, 0x120030, 0xec530, 0xe24},
	{"ws2025", 0xae7f, 0x120030, 0xec530, 0x20e24},
};

START_TEST(words_per_profile)
{
	struct partition_features f = features_of(offered[_i].name, true);

	ck_assert_uint_eq(f.eax, offered[_i].eax);
	ck_assert_uint_eq(f.ebx, offered[_i].ebx);
	ck_assert_uint_eq(f.edx, offered[_i].edx);
	ck_assert_uint_eq(f.hints, offered[_i].hints);
}
END_TEST

START_TEST(invariant_tsc_where_profile_and_host_have_it)
{
	ck_assert(features_of("ws2022", true).eax & HV_ACCESS_TSC_INVARIANT);
	ck_assert(features_of("ws2025", true).eax & HV_ACCESS_TSC_INVARIANT);
	ck_assert(
		!(features_of("ws2022", false).eax & HV_ACCESS_TSC_INVARIANT));
	ck_assert(!(features_of("ws2019", true).eax & HV_ACCESS_TSC_INVARIANT));
	/* the page stays: it then says that the counter is to be read */
	ck_assert(features_of("ws2022", false).eax &
		  HV_MSR_REFERENCE_TSC_AVAILABLE);
}
END_TEST

START_TEST(direct_timers_since_2016)
{
	ck_assert(!(features_of("ws2012", true).edx &
		    HV_STIMER_DIRECT_MODE_AVAILABLE));
	ck_assert(!(features_of("ws2012r2", true).edx &
		    HV_STIMER_DIRECT_MODE_AVAILABLE));
	ck_assert(features_of("ws2016", true).edx &
		  HV_STIMER_DIRECT_MODE_AVAILABLE);
}
END_TEST

START_TEST(processors)
{
	struct partition_features f;
	const struct profile *p = profile_find("ws2012");

	partition_features_init(&f, p, true, 2, HV_MAX_VPS);
	ck_assert_uint_eq(f.max_vps, 64);
	partition_features_init(&f, p, true, 2, 4);
	ck_assert_uint_eq(f.max_vps, 4);
	/* never fewer than there are */
	partition_features_init(&f, p, true, 100, HV_MAX_VPS);
	ck_assert_uint_eq(f.max_vps, 100);
	partition_features_init(&f, profile_find("ws2025"), true, 2,
				HV_MAX_VPS);
	ck_assert_uint_eq(f.max_vps, HV_MAX_VPS);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("partition/features");
	TCase *t = tcase_create("features");

	tcase_add_loop_test(t, within_the_profile, 0, N_PROFILES);
	tcase_add_loop_test(t, each_privilege_has_rows, 0, N_PROFILES);
	tcase_add_loop_test(t, each_hint_has_its_calls, 0, N_PROFILES);
	tcase_add_loop_test(t, never_offered, 0, N_PROFILES);
	tcase_add_loop_test(t, apic_access_where_the_host_wants_it, 0,
			    N_PROFILES);
	tcase_add_loop_test(t, no_bit_without_a_name, 0, N_PROFILES);
	tcase_add_loop_test(t, always_offered, 0, N_PROFILES);
	tcase_add_loop_test(t, words_per_profile, 0, N_PROFILES);
	tcase_add_test(t, invariant_tsc_where_profile_and_host_have_it);
	tcase_add_test(t, direct_timers_since_2016);
	tcase_add_test(t, processors);
	suite_add_tcase(s, t);
	return check_main(s);
}
