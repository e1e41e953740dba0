/* SPDX-License-Identifier: MIT */
/*
 * extended-calls.c - what the host knows of the guest's memory, and what the
 * guest tells it.
 */
#include "lib/hypercall.h"
#include "lib/instructions.h"
#include "lib/start.h"
#include "lib/tap.h"

static uint8_t input[PAGE_BYTES] __attribute__((aligned(PAGE_BYTES)));
static uint8_t output[PAGE_BYTES] __attribute__((aligned(PAGE_BYTES)));

#define HEAT_PAGES 4

static uint8_t cold[HEAT_PAGES][PAGE_BYTES]
	__attribute__((aligned(PAGE_BYTES)));

static void test_heat_hint(void)
{
	uint64_t *in = (uint64_t *)(void *)input;
	bool same = true;

	memset(cold, 0x77, sizeof(cold));
	in[0] = HV_EXT_MEMORY_HEAT_HINT_TYPE_COLD_DISCARD;
	in[1] = gpa_of(cold[1]) | 1;
	check_equal(
		hypercall_rep(HV_EXT_CALL_MEMORY_HEAT_HINT, 1, 0, input, NULL),
		1ull << 32, "heat hint: two pages");
	for (unsigned int i = 1; i < 3; i++)
		same = same && (memory_is(cold[i], 0, PAGE_BYTES) ||
				memory_is(cold[i], 0x77, PAGE_BYTES));
	check(same, "heat hint: each is as it was, or zeros");
	check(memory_is(cold[0], 0x77, PAGE_BYTES) &&
		      memory_is(cold[3], 0x77, PAGE_BYTES),
	      "heat hint: the pages around are as they were");
	cold[1][5] = 9;
	check_equal(cold[1][5], 9, "heat hint: they can be used again");
	in[0] = 1;
	check_equal(
		hypercall_rep(HV_EXT_CALL_MEMORY_HEAT_HINT, 1, 0, input, NULL),
		HV_STATUS_INVALID_PARAMETER, "heat hint: unknown type");
	in[0] = HV_EXT_MEMORY_HEAT_HINT_TYPE_COLD_DISCARD;
	in[1] = 0x3F000000;
	check_equal(
		hypercall_rep(HV_EXT_CALL_MEMORY_HEAT_HINT, 1, 0, input, NULL),
		HV_STATUS_INVALID_PARAMETER, "heat hint: not RAM");
}

static void test_zeroed_memory(void)
{
	const struct hv_ext_boot_zeroed_memory *out = (const void *)output;
	unsigned int bad = 0;
	uint64_t pages_told = 0;

	memset(output, 0xAA, sizeof(output));
	check_equal(hypercall(HV_EXT_CALL_GET_BOOT_ZEROED_MEMORY, NULL, output),
		    HV_STATUS_SUCCESS, "zeroed memory");
	if (!check_between(out->range_count, 1,
			   HV_EXT_BOOT_ZEROED_MEMORY_RANGES,
			   "zeroed memory: ranges"))
		return;
	for (unsigned int i = 0; i < out->range_count; i++) {
		const struct hv_ext_boot_zeroed_range *r = &out->ranges[i];
		uint64_t last = (r->start_gfn + r->n_pages - 1) * PAGE_BYTES;

		pages_told += r->n_pages;
		bad += !memory_is(
			at((unsigned long)(r->start_gfn * PAGE_BYTES)), 0,
			PAGE_BYTES);
		bad += !memory_is(at((unsigned long)last), 0, PAGE_BYTES);
	}
	check_equal(bad, 0, "zeroed memory: their first and last pages are");
	check_between(pages_told, 1024, 64 * 256, "zeroed memory: most of it");
}

void guest_main(void)
{
	uint64_t capabilities;

	hypercalls_enable();
	if (!(cpuid(HYPERV_CPUID_FEATURES, 0).ebx &
	      HV_ENABLE_EXTENDED_HYPERCALLS)) {
		check_equal(
			hypercall(HV_EXT_CALL_QUERY_CAPABILITIES, NULL, output),
			HV_STATUS_ACCESS_DENIED, "not in this profile");
		return;
	}
	check_equal(hypercall(HV_EXT_CALL_QUERY_CAPABILITIES, NULL, output),
		    HV_STATUS_SUCCESS, "capabilities");
	memory_copy(&capabilities, output, sizeof(capabilities));
	check_equal(capabilities &
			    ~(HV_EXT_CAPABILITY_GET_BOOT_ZEROED_MEMORY |
			      HV_EXT_CAPABILITY_MEMORY_COLD_DISCARD_HINT),
		    0, "capabilities: known ones");
	if (capabilities & HV_EXT_CAPABILITY_GET_BOOT_ZEROED_MEMORY)
		test_zeroed_memory();
	if (capabilities & HV_EXT_CAPABILITY_MEMORY_COLD_DISCARD_HINT)
		test_heat_hint();
}
