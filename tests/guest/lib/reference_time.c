/* SPDX-License-Identifier: MIT */
#include "lib/reference_time.h"

#include "lib/arithmetic.h"

uint8_t reference_page[PAGE_BYTES] __attribute__((aligned(PAGE_BYTES)));

void reference_page_enable(void)
{
	wrmsr(HV_X64_MSR_REFERENCE_TSC,
	      gpa_of(reference_page) | HV_OVERLAY_ENABLE);
}

void reference_page_disable(void)
{
	wrmsr(HV_X64_MSR_REFERENCE_TSC, 0);
}

struct ms_hyperv_tsc_page reference_page_copy(void)
{
	const volatile struct ms_hyperv_tsc_page *page =
		at((unsigned long)reference_page);
	struct ms_hyperv_tsc_page copy = {0};

	do {
		copy.tsc_sequence = page->tsc_sequence;
		memory_barrier();
		copy.tsc_scale = page->tsc_scale;
		copy.tsc_offset = page->tsc_offset;
		memory_barrier();
	} while (copy.tsc_sequence != page->tsc_sequence);
	copy.reserved1 = page->reserved1;
	return copy;
}

uint64_t reference_time_of(const struct ms_hyperv_tsc_page *page, uint64_t tsc)
{
	return multiply_high(tsc, page->tsc_scale) + (uint64_t)page->tsc_offset;
}

bool reference_page_time(uint64_t *time)
{
	const volatile struct ms_hyperv_tsc_page *page =
		at((unsigned long)reference_page);
	uint32_t sequence;

	do {
		struct ms_hyperv_tsc_page copy = {0};

		sequence = page->tsc_sequence;
		if (!sequence)
			return false;
		memory_barrier();
		copy.tsc_scale = page->tsc_scale;
		copy.tsc_offset = page->tsc_offset;
		*time = reference_time_of(&copy, rdtsc());
		memory_barrier();
	} while (page->tsc_sequence != sequence);
	return true;
}
