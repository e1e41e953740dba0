/* SPDX-License-Identifier: MIT */
#include "partition/enlightenment.h"

#include <string.h>

#include <glib.h>

#include "hypercalls/vp_set.h"
#include "partition/features.h"
#include "partition/profile.h"
#include "proto/hv_tlfs.h"
#include "support/check_main.h"

static const char *const none[] = {NULL};

static struct partition_features choose(const char *profile,
					enum enlightenment_base base,
					const char *const *kept,
					const char *const *added)
{
	const struct enlightenment_choice c = {
		.base = base, .kept = kept, .added = added};
	struct partition_features f;

	partition_features_init(&f, profile_find(profile), true, 2, HV_MAX_VPS);
	enlightenments_choose(&f, &c, true);
	return f;
}

/* All names that there are. */
static const char *const *all_names(void)
{
	static const char *names[33];
	unsigned int n = 0;

	for (const struct enlightenment *e; (e = enlightenment_at(n)); n++)
		names[n] = e->name;
	return names;
}

START_TEST(nothing_is_the_way_to_hypercalls)
{
	struct partition_features f =
		choose("ws2025", ENLIGHTENMENTS_NONE, none, none);

	ck_assert_uint_eq(f.eax, HV_MSR_HYPERCALL_AVAILABLE);
	ck_assert_uint_eq(f.ebx | f.edx | f.hints, 0);
	ck_assert_uint_eq(f.spin_retries, UINT32_MAX);
}
END_TEST

/* One alone, and what of it is offered. */
static const struct {
	const char *name;
	uint32_t eax, ebx, edx, hints;
} alone[] = {
	{"relaxed", 0, 0, 0, 0x20},
	{"vapic", 0x10, 0, 0, 0x8},
	{"spinlocks", 0, 0, 0, 0},
	{"vpindex", 0x40, 0, 0, 0},
	{"runtime", 0x1, 0, 0, 0},
	{"synic", 0x4, 0x30, 0, 0},
	{"stimer", 0x8, 0, 0, 0},
	{"stimer-direct", 0, 0, 0x80000, 0},
	{"reset", 0x80, 0, 0, 0},
	{"vendor-id", 0, 0, 0, 0},
	{"frequencies", 0x800, 0, 0x100, 0},
	{"reenlightenment", 0x2000, 0, 0, 0},
	{"tlbflush", 0, 0, 0, 0x804},
	{"tlbflush-direct", 0, 0, 0, 0},
	{"tlbflush-extended", 0, 0, 0x4000, 0},
	{"ipi", 0, 0, 0, 0xC00},
	{"evmcs", 0, 0, 0, 0}, /* known, and not implemented */
	{"avic", 0, 0, 0, 0x200},
	{"emsr-bitmap", 0, 0, 0, 0},
	{"xmm-input", 0, 0, 0x10, 0},
	{"clock", 0x202, 0, 0, 0},
	{"crash", 0, 0, 0x400, 0},
};

START_TEST(each_is_its_bits)
{
	const char *const names[] = {alone[_i].name, NULL};
	/* The oldest profile: what is added is not the profile's business. */
	struct partition_features f =
		choose("ws2012", ENLIGHTENMENTS_NONE, names, names);

	ck_assert_ptr_nonnull(enlightenment_find(alone[_i].name));
	ck_assert_uint_eq(f.eax, HV_MSR_HYPERCALL_AVAILABLE | alone[_i].eax);
	ck_assert_uint_eq(f.ebx, alone[_i].ebx);
	ck_assert_uint_eq(f.edx, alone[_i].edx);
	ck_assert_uint_eq(f.hints, alone[_i].hints);
}
END_TEST

START_TEST(no_row_is_forgotten)
{
	unsigned int n = 0;

	while (enlightenment_at(n))
		n++;
	ck_assert_uint_eq(n, G_N_ELEMENTS(alone));
	ck_assert_ptr_null(enlightenment_find("warp"));
}
END_TEST

/* Each taken from each profile: its bits go, but for those of others. */
START_TEST(what_is_taken_is_gone)
{
	for (unsigned int p = 0; profile_at(p); p++) {
		const char *name = profile_at(p)->name;
		struct partition_features was = choose(
			name, ENLIGHTENMENTS_OF_PROFILE, all_names(), none);
		const char *kept[33] = {NULL};
		struct partition_features f;
		unsigned int n = 0;

		for (unsigned int i = 0; i < G_N_ELEMENTS(alone); i++)
			if (i != (unsigned int)_i)
				kept[n++] = alone[i].name;
		f = choose(name, ENLIGHTENMENTS_OF_PROFILE, kept, none);
		ck_assert_uint_eq(f.eax, was.eax & ~alone[_i].eax);
		ck_assert_uint_eq(f.ebx, was.ebx & ~alone[_i].ebx);
		ck_assert_uint_eq(f.edx, was.edx & ~alone[_i].edx);
		/* tlbflush and ipi share the bit of the larger calls */
		ck_assert_uint_eq(
			f.hints,
			was.hints & ~(alone[_i].hints &
				      ~HV_X64_EX_PROCESSOR_MASKS_RECOMMENDED));
	}
}
END_TEST

START_TEST(all_that_a_profile_has_is_the_profile)
{
	for (unsigned int p = 0; profile_at(p); p++) {
		struct partition_features f, is;

		partition_features_init(&is, profile_at(p), true, 2,
					HV_MAX_VPS);
		f = choose(profile_at(p)->name, ENLIGHTENMENTS_OF_PROFILE,
			   all_names(), none);
		ck_assert_int_eq(memcmp(&f, &is, sizeof(f)), 0);
	}
}
END_TEST

START_TEST(all_is_what_is_implemented)
{
	struct partition_features f =
		choose("ws2012", ENLIGHTENMENTS_ALL, all_names(), none);
	struct partition_features can;

	partition_features_implemented(&can, true);
	ck_assert_uint_eq(f.eax, can.eax);
	ck_assert_uint_eq(f.ebx, can.ebx);
	ck_assert_uint_eq(f.edx, can.edx);
	ck_assert_uint_eq(f.hints | HV_X64_APIC_ACCESS_RECOMMENDED, can.hints);
	ck_assert(f.eax & HV_MSR_RESET_AVAILABLE);
	ck_assert_uint_eq(f.profile->build, 9200);
}
END_TEST

START_TEST(an_invariant_tsc_is_the_hosts)
{
	const struct enlightenment_choice c = {
		.base = ENLIGHTENMENTS_ALL, .kept = all_names(), .added = none};
	struct partition_features f;

	partition_features_init(&f, profile_newest(), false, 2, HV_MAX_VPS);
	enlightenments_choose(&f, &c, false);
	ck_assert(!(f.eax & HV_ACCESS_TSC_INVARIANT));
}
END_TEST

START_TEST(numbers_and_texts)
{
	struct enlightenment_choice c = {.kept = all_names(),
					 .added = none,
					 .spin_retries = 8191,
					 .vendor = "KVM Hv"};
	struct partition_features f;

	partition_features_init(&f, profile_newest(), true, 2, HV_MAX_VPS);
	enlightenments_choose(&f, &c, true);
	ck_assert_uint_eq(f.spin_retries, 8191);
	ck_assert_int_eq(memcmp(f.vendor, "KVM Hv\0\0\0\0\0\0", 12), 0);
	c.vendor = "exactly twel";
	c.spin_retries = 0;
	partition_features_init(&f, profile_newest(), true, 2, HV_MAX_VPS);
	enlightenments_choose(&f, &c, true);
	ck_assert_uint_eq(f.spin_retries, 4095);
	ck_assert_int_eq(memcmp(f.vendor, "exactly twel", 12), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("partition/enlightenment");
	TCase *t = tcase_create("enlightenment");

	tcase_add_test(t, nothing_is_the_way_to_hypercalls);
	tcase_add_loop_test(t, each_is_its_bits, 0, (int)G_N_ELEMENTS(alone));
	tcase_add_test(t, no_row_is_forgotten);
	tcase_add_loop_test(t, what_is_taken_is_gone, 0,
			    (int)G_N_ELEMENTS(alone));
	tcase_add_test(t, all_that_a_profile_has_is_the_profile);
	tcase_add_test(t, all_is_what_is_implemented);
	tcase_add_test(t, an_invariant_tsc_is_the_hosts);
	tcase_add_test(t, numbers_and_texts);
	suite_add_tcase(s, t);
	return check_main(s);
}
