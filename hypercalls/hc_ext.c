/* SPDX-License-Identifier: MIT */
/*
 * The extended calls: HvExtCallQueryCapabilities, -GetBootZeroedMemory,
 * -MemoryHeatHint.
 *
 * Source: TLFS; for the heat hint Linux include/hyperv/hvgdk_mini.h (struct
 * hv_memory_hint, union hv_gpa_page_range) and drivers/hv/hv_balloon.c.
 */
#include <string.h>

#include "base/checked.h"
#include "hypercalls/table.h"
#include "mem/gmem.h"

#define PAGE_2M_SHIFT 21
#define PAGE_1G_SHIFT 30

hv_status_t hc_ext_query_capabilities(struct hypercall *call)
{
	uint64_t capabilities = HV_EXT_CAPABILITY_GET_BOOT_ZEROED_MEMORY;

	if (call->params->ops->discard)
		capabilities |= HV_EXT_CAPABILITY_MEMORY_COLD_DISCARD_HINT;
	memcpy(call->output, &capabilities, sizeof(capabilities));
	return HV_STATUS_SUCCESS;
}

/* RAM that the host has not had to provide yet is zero. */
hv_status_t hc_ext_get_boot_zeroed_memory(struct hypercall *call)
{
	struct hv_ext_boot_zeroed_memory out = {.range_count = 0};
	uint64_t gpa = 0, bytes;

	while (out.range_count < HV_EXT_BOOT_ZEROED_MEMORY_RANGES &&
	       gmem_next_untouched(call->params->mem, &gpa, &bytes)) {
		out.ranges[out.range_count++] =
			(struct hv_ext_boot_zeroed_range){
				gpa >> HV_PAGE_SHIFT, bytes >> HV_PAGE_SHIFT};
		gpa += bytes;
	}
	memcpy(call->output, &out, sizeof(out));
	return HV_STATUS_SUCCESS;
}

/* Where an HV_GPA_PAGE_RANGE lies; false if it makes no sense. */
static bool decode_range(uint64_t range, uint64_t *gpa, uint64_t *bytes)
{
	uint64_t pages = (range & HV_GPA_RANGE_ADDITIONAL_PAGES_MASK) + 1;
	unsigned int shift = HV_PAGE_SHIFT;

	if (!(range & HV_GPA_RANGE_LARGE_PAGE)) {
		*gpa = range & HV_OVERLAY_PFN_MASK;
	} else {
		if (range & HV_GPA_RANGE_LARGE_RSVD_MASK)
			return false;
		shift = range & HV_GPA_RANGE_PAGE_SIZE_1G ? PAGE_1G_SHIFT
							  : PAGE_2M_SHIFT;
		*gpa = align_down(range, 1ull << HV_GPA_RANGE_LARGE_PFN_SHIFT);
		if (!is_aligned(*gpa, 1ull << shift))
			return false;
	}
	*bytes = pages << shift;
	return true;
}

hv_status_t hc_ext_memory_heat_hint(struct hypercall *call)
{
	const struct hypercalls_params *p = call->params;
	uint64_t type;

	if (!p->ops->discard)
		return HV_STATUS_INVALID_HYPERCALL_CODE;
	memcpy(&type, call->header, sizeof(type));
	if (type != HV_EXT_MEMORY_HEAT_HINT_TYPE_COLD_DISCARD)
		return HV_STATUS_INVALID_PARAMETER;

	for (unsigned int i = call->rep_start; i < call->rep_count; i++) {
		uint64_t range, gpa, bytes;

		memcpy(&range, call->rep_input + i * sizeof(range),
		       sizeof(range));
		if (!decode_range(range, &gpa, &bytes) ||
		    !gmem_contains(p->mem, gpa, bytes))
			return HV_STATUS_INVALID_PARAMETER;
		p->ops->discard(p->ctx, gpa, bytes);
		call->reps_done = i + 1;
	}
	return HV_STATUS_SUCCESS;
}
