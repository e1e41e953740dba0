/* SPDX-License-Identifier: MIT */
#include "vm/cpu/cpuid_build.h"

#include <linux/kvm.h>
#include <string.h>

#include <glib.h>

#include "config/cpu_config.h"
#include "config/hyperv_config.h"
#include "partition/enlightenment.h"
#include "partition/features.h"
#include "partition/profile.h"
#include "proto/hv_tlfs.h"
#include "support/check_main.h"
#include "vm/cpu/topology.h"

#define INTEL 0x756E6547u
#define AMD   0x68747541u

/* A host of either vendor, as KVM describes it. */
static const struct kvm_cpuid_entry2 host_entries[] = {
	{.function = 0, .eax = 0xD, .ebx = INTEL},
	{.function = 1,
	 .eax = 0x806F8,
	 .ebx = 0x07FF0842,
	 .ecx = 0xFFFAFFFF,
	 .edx = 0xBFEBFBFF},
	{.function = 4, .index = 0, .eax = 0xFC1FC121}, /* L1 */
	{.function = 4, .index = 1, .eax = 0xFC1FC163}, /* L3 */
	{.function = 4, .index = 2, .eax = 0},
	{.function = 6, .eax = 4},
	{.function = 7, .index = 0, .eax = 1, .ebx = 0xFFFFFFFF},
	{.function = 7, .index = 1, .eax = 0x10},
	{.function = 0xA, .eax = 0x7300402},
	{.function = 0xB, .index = 0, .edx = 0x55},
	{.function = 0x1F, .index = 0, .edx = 0x55},
	{.function = 0x40000000, .eax = 0x40000001, .ebx = 0x4B4D564B},
	{.function = 0x80000000, .eax = 0x80000021},
	{.function = 0x80000001, .ecx = 0x121, .edx = 0x2C1FFBFF},
	{.function = 0x80000002}, /* empty, as of KVM */
	{.function = 0x80000003},
	{.function = 0x80000004},
	{.function = 0x80000007, .edx = 0x100},
	{.function = 0x80000008, .eax = 0x302E},
	{.function = 0x8000001D, .index = 0, .eax = 0x121},
	{.function = 0x8000001D, .index = 3, .eax = 0x163},
	{.function = 0x8000001E, .eax = 0x55, .ebx = 0x155, .ecx = 7},
};

static struct kvm_cpuid2 *host;
static struct partition_features features;
static struct topology topology;
static struct cpu_config cpu;
static struct cpuid_plan plan;
static struct kvm_cpuid2 *built;

static void setup(void)
{
	host = g_malloc0(sizeof(*host) + sizeof(host_entries));
	host->nent = G_N_ELEMENTS(host_entries);
	memcpy(host->entries, host_entries, sizeof(host_entries));
	partition_features_init(&features, profile_newest(), true, 4, 4);
	topology_init(&topology, 1, 1, 4, 1);
	cpu_config_init(&cpu);
	plan = (struct cpuid_plan){.features = &features,
				   .topology = &topology,
				   .cpu = &cpu,
				   .phys_bits = 46};
}

static void teardown(void)
{
	g_clear_pointer(&built, g_free);
	g_clear_pointer(&host, g_free);
	cpu_config_clear(&cpu);
}

static void build(unsigned int vp)
{
	g_free(built);
	built = cpuid_build(&plan, vp, host);
}

static const struct kvm_cpuid_entry2 *find(uint32_t leaf, uint32_t index)
{
	for (uint32_t i = 0; i < built->nent; i++)
		if (built->entries[i].function == leaf &&
		    built->entries[i].index == index)
			return &built->entries[i];
	return NULL;
}

static const struct kvm_cpuid_entry2 *leaf(uint32_t number, uint32_t index)
{
	const struct kvm_cpuid_entry2 *e = find(number, index);

	ck_assert_msg(e != NULL, "leaf 0x%x.%u", number, index);
	return e;
}

START_TEST(nothing_of_the_host_shows)
{
	build(1);
	ck_assert_ptr_null(find(6, 0));
	ck_assert_ptr_null(find(0xA, 0));
	ck_assert_ptr_null(find(0x1F, 0));
	ck_assert_uint_eq(leaf(0xB, 0)->edx, 1);
	ck_assert_uint_eq(leaf(0x40000000, 0)->ebx, HYPERV_VENDOR_EBX);
	ck_assert_uint_eq(leaf(0x8000001E, 0)->eax, 1);
}
END_TEST

START_TEST(the_name_is_the_hosts)
{
	static const char name[48] =
		"A processor with a name of its own @ 2 GHz";
	char seen[sizeof(name)];

	memcpy(plan.name, name, sizeof(name));
	build(3);
	for (uint32_t i = 0; i < 3; i++) {
		const struct kvm_cpuid_entry2 *e = find(0x80000002 + i, 0);

		ck_assert_ptr_nonnull(e);
		memcpy(&seen[i * 16],
		       (uint32_t[]){e->eax, e->ebx, e->ecx, e->edx}, 16);
	}
	ck_assert_str_eq(seen, name);
}
END_TEST

START_TEST(leaf1_has_its_place)
{
	build(3);
	ck_assert_uint_eq(leaf(1, 0)->ebx >> 24, 3);
	ck_assert_uint_eq(leaf(1, 0)->ebx >> 16 & 0xFF, 4);
	ck_assert(leaf(1, 0)->edx & 1u << 28);
	/* monitor, TSC deadline; x2APIC, hypervisor */
	ck_assert_uint_eq(leaf(1, 0)->ecx & (1u << 3 | 1u << 24), 0);
	ck_assert_uint_eq(leaf(1, 0)->ecx & (1u << 21 | 1u << 31),
			  1u << 21 | 1u << 31);
	topology_init(&topology, 4, 1, 1, 1);
	build(3);
	ck_assert_uint_eq(leaf(1, 0)->ebx >> 16 & 0xFF, 1);
	ck_assert(!(leaf(1, 0)->edx & 1u << 28));
}
END_TEST

/* sockets, dies, cores, threads; a processor, and what it is told */
static const struct {
	unsigned int sockets, dies, cores, threads, vp;
	uint32_t id;
	uint32_t smt_shift, threads_in_core, package_shift, in_package;
	uint32_t l1_sharing, l3_sharing, core_ids;
	uint32_t ext_ebx, ext_ecx, nc;
} places[] = {
	{1, 1, 4, 1, 2, 2, 0, 1, 2, 4, 0, 3, 3, 2, 0, 0x2003},
	{2, 1, 2, 2, 5, 5, 1, 2, 2, 4, 1, 3, 1, 0x100, 1, 0x2003},
	{2, 1, 3, 1, 4, 5, 0, 1, 2, 3, 0, 3, 3, 1, 1, 0x2002},
	{2, 2, 2, 1, 7, 7, 0, 1, 2, 4, 0, 1, 3, 1, 0x103, 0x2003},
	{1, 1, 1, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0},
};

START_TEST(each_knows_its_place)
{
	const struct kvm_cpuid_entry2 *e;

	topology_init(&topology, places[_i].sockets, places[_i].dies,
		      places[_i].cores, places[_i].threads);
	build(places[_i].vp);
	e = leaf(0xB, 0);
	ck_assert_uint_eq(e->eax, places[_i].smt_shift);
	ck_assert_uint_eq(e->ebx, places[_i].threads_in_core);
	ck_assert_uint_eq(e->ecx, 0x100);
	ck_assert_uint_eq(e->edx, places[_i].id);
	e = leaf(0xB, 1);
	ck_assert_uint_eq(e->eax, places[_i].package_shift);
	ck_assert_uint_eq(e->ebx, places[_i].in_package);
	ck_assert_uint_eq(e->ecx, 0x201);
	ck_assert_uint_eq(leaf(0xB, 2)->ecx, 2);
	ck_assert_uint_eq(leaf(4, 0)->eax >> 14 & 0xFFF, places[_i].l1_sharing);
	ck_assert_uint_eq(leaf(4, 1)->eax >> 14 & 0xFFF, places[_i].l3_sharing);
	ck_assert_uint_eq(leaf(4, 0)->eax >> 26, places[_i].core_ids);
	ck_assert_uint_eq(leaf(4, 0)->eax & 0x3FFF, 0x121);
	ck_assert_uint_eq(leaf(4, 2)->eax, 0);
	ck_assert_uint_eq(leaf(0x8000001D, 3)->eax >> 14,
			  places[_i].l3_sharing);
	e = leaf(0x8000001E, 0);
	ck_assert_uint_eq(e->eax, places[_i].id);
	ck_assert_uint_eq(e->ebx, places[_i].ext_ebx);
	ck_assert_uint_eq(e->ecx, places[_i].ext_ecx);
	ck_assert_uint_eq(leaf(0x80000008, 0)->ecx, places[_i].nc);
}
END_TEST

START_TEST(dies_have_a_leaf)
{
	const struct kvm_cpuid_entry2 *e;

	topology_init(&topology, 1, 2, 2, 2);
	build(6);
	ck_assert_uint_eq(leaf(0, 0)->eax, 0x1F);
	e = leaf(0x1F, 1);
	ck_assert_uint_eq(e->eax, 2);
	ck_assert_uint_eq(e->ebx, 4);
	ck_assert_uint_eq(e->ecx, 0x201);
	e = leaf(0x1F, 2);
	ck_assert_uint_eq(e->eax, 3);
	ck_assert_uint_eq(e->ebx, 8);
	ck_assert_uint_eq(e->ecx, 0x502);
	ck_assert_uint_eq(e->edx, 6);
	ck_assert_uint_eq(leaf(0x1F, 3)->ecx, 3);
	host->entries[0].ebx = AMD;
	build(6);
	ck_assert_uint_eq(leaf(0, 0)->eax, 0xD);
}
END_TEST

START_TEST(threads_of_amd_want_an_extension)
{
	topology_init(&topology, 2, 1, 1, 2);
	build(0);
	ck_assert(!(leaf(0x80000001, 0)->ecx & 1u << 22));
	host->entries[0].ebx = AMD;
	build(0);
	ck_assert(leaf(0x80000001, 0)->ecx & 1u << 22);
	topology_init(&topology, 1, 1, 4, 1);
	build(0);
	ck_assert(!(leaf(0x80000001, 0)->ecx & 1u << 22));
}
END_TEST

static void drop(uint32_t number)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < host->nent; i++)
		if (host->entries[i].function != number)
			host->entries[kept++] = host->entries[i];
	host->nent = kept;
}

/* Linux looks at no leaf beyond what leaves 0 and 0x80000000 say is last. */
START_TEST(leaves_reach_the_topology)
{
	topology_init(&topology, 2, 1, 2, 2);
	host->entries[0].ebx = AMD;
	for (uint32_t i = 0; i < host->nent; i++) {
		if (host->entries[i].function == 0)
			host->entries[i].eax = 7;
		if (host->entries[i].function == 0x80000000)
			host->entries[i].eax = 0x8000001A;
	}
	drop(0x8000001D);
	drop(0x8000001E);
	build(7);
	ck_assert_uint_eq(leaf(0, 0)->eax, 0xB);
	ck_assert_uint_eq(leaf(0xB, 0)->edx, 7);
	ck_assert_uint_eq(leaf(0x80000000, 0)->eax, 0x8000001E);
	ck_assert_uint_eq(leaf(0x8000001E, 0)->eax, 7);
	ck_assert_uint_eq(leaf(0x8000001E, 0)->ebx, 0x101);
	ck_assert_uint_eq(leaf(0x8000001E, 0)->ecx, 1);
	ck_assert(leaf(0x80000001, 0)->ecx & 1u << 22);
	/* Where nobody asks for them they are the host's. */
	topology_init(&topology, 1, 1, 4, 1);
	build(0);
	ck_assert_uint_eq(leaf(0x80000000, 0)->eax, 0x8000001A);
	ck_assert_ptr_null(find(0x8000001E, 0));
}
END_TEST

START_TEST(addresses_are_as_wide_as_they_are_to_be)
{
	plan.phys_bits = 40;
	build(0);
	ck_assert_uint_eq(leaf(0x80000008, 0)->eax, 0x3028);
}
END_TEST

static void choose(const char *name, bool on)
{
	ck_assert_msg(!cpu_config_choose(&cpu, name, on, NULL), "%s", name);
}

START_TEST(what_is_forbidden_is_gone)
{
	choose("cx16", false);
	choose("avx2", false);
	choose("avx-vnni", false);
	choose("lahf-lm", false);
	choose("arat", false);
	build(0);
	ck_assert(!(leaf(1, 0)->ecx & 1u << 13));
	ck_assert(!(leaf(7, 0)->ebx & 1u << 5));
	ck_assert(!(leaf(7, 1)->eax & 1u << 4));
	ck_assert(!(leaf(0x80000001, 0)->ecx & 1));
	ck_assert_ptr_null(cpuid_missing(&plan, built));
}
END_TEST

START_TEST(amd_says_some_twice)
{
	choose("mmx", false);
	build(0);
	ck_assert(!(leaf(1, 0)->edx & 1u << 23));
	ck_assert(!(leaf(0x80000001, 0)->edx & 1u << 23));
	ck_assert(leaf(0x80000001, 0)->edx & 1u << 11); /* syscall is its own */
}
END_TEST

START_TEST(what_is_required_is_there_or_missing)
{
	choose("cx16", true);
	choose("tsc-deadline", true); /* not by itself */
	build(0);
	ck_assert_ptr_null(cpuid_missing(&plan, built));
	ck_assert(leaf(1, 0)->ecx & 1u << 24);
	choose("svm", true); /* the host has none */
	build(0);
	ck_assert_str_eq(cpuid_missing(&plan, built)->name, "svm");
	choose("svm", false);
	choose("tsc-adjust", true); /* the machine can not */
	build(0);
	ck_assert_str_eq(cpuid_missing(&plan, built)->name, "tsc-adjust");
	choose("tsc-adjust", false);
	choose("npt", true); /* not even the leaf */
	build(0);
	ck_assert_str_eq(cpuid_missing(&plan, built)->name, "npt");
}
END_TEST

START_TEST(invariant_tsc_is_the_partitions)
{
	build(0);
	ck_assert_uint_eq(leaf(0x80000007, 0)->edx, 0x100);
	features.eax &= ~HV_ACCESS_TSC_INVARIANT;
	build(0);
	ck_assert_uint_eq(leaf(0x80000007, 0)->edx, 0);
	choose("invtsc", true);
	build(0);
	ck_assert_uint_eq(leaf(0x80000007, 0)->edx, 0x100);
}
END_TEST

/* Both have a table; the names are what joins them. */
START_TEST(enlightenments_of_the_configuration_are_known)
{
	for (unsigned int i = 0; i < HYPERV_N_FEATURES; i++) {
		const char *name = hyperv_feature_name((enum hyperv_feature)i);

		ck_assert_msg(enlightenment_find(name) != NULL, "%s", name);
	}
	ck_assert_ptr_null(enlightenment_at(HYPERV_N_FEATURES));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vm/cpu/cpuid_build");
	TCase *t = tcase_create("cpuid");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, nothing_of_the_host_shows);
	tcase_add_test(t, the_name_is_the_hosts);
	tcase_add_test(t, leaf1_has_its_place);
	tcase_add_loop_test(t, each_knows_its_place, 0,
			    (int)G_N_ELEMENTS(places));
	tcase_add_test(t, dies_have_a_leaf);
	tcase_add_test(t, threads_of_amd_want_an_extension);
	tcase_add_test(t, leaves_reach_the_topology);
	tcase_add_test(t, addresses_are_as_wide_as_they_are_to_be);
	tcase_add_test(t, what_is_forbidden_is_gone);
	tcase_add_test(t, amd_says_some_twice);
	tcase_add_test(t, what_is_required_is_there_or_missing);
	tcase_add_test(t, enlightenments_of_the_configuration_are_known);
	tcase_add_test(t, invariant_tsc_is_the_partitions);
	suite_add_tcase(s, t);
	return check_main(s);
}
