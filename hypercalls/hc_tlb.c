/* SPDX-License-Identifier: MIT */
/*
 * HvCallFlushVirtualAddressSpace and -List, and their Ex forms.
 *
 * The TLFS lets a flush do more than was asked for.  All of ours flush the
 * whole TLB of the VPs they name: from user space there is no finer one.  So
 * neither the address space nor the addresses are looked at; addresses that
 * make no sense are ignored anyway.
 */
#include <string.h>

#include "hypercalls/table.h"
#include "hypercalls/vp_set.h"

/* What each form may say in its flags. */
#define SPACE_FLAGS                                                      \
	(HV_FLUSH_ALL_PROCESSORS | HV_FLUSH_ALL_VIRTUAL_ADDRESS_SPACES | \
	 HV_FLUSH_NON_GLOBAL_MAPPINGS_ONLY)
#define LIST_FLAGS \
	(HV_FLUSH_ALL_PROCESSORS | HV_FLUSH_ALL_VIRTUAL_ADDRESS_SPACES)

/* The extended range format exists where leaf 3 EDX says so. */
static uint64_t list_flags(const struct hypercall *call)
{
	if (call->params->features_edx &
	    HV_FEATURE_EXT_GVA_RANGES_FLUSH_VA_LIST)
		return LIST_FLAGS | HV_FLUSH_USE_EXTENDED_RANGE_FORMAT;
	return LIST_FLAGS;
}

static void flush(struct hypercall *call, const struct vp_bitmap *vps)
{
	const struct hypercalls_params *p = call->params;

	if (vp_bitmap_any(vps))
		p->ops->flush_tlb(p->ctx, call->vp, vps);
	call->reps_done = call->rep_count;
}

static hv_status_t flush_mask(struct hypercall *call, uint64_t allowed_flags)
{
	struct hv_tlb_flush in;
	struct vp_bitmap vps;

	memcpy(&in, call->header, sizeof(in));
	if (in.flags & ~allowed_flags)
		return HV_STATUS_INVALID_PARAMETER;
	if (in.flags & HV_FLUSH_ALL_PROCESSORS)
		vp_bitmap_all(&vps, call->params->n_vps);
	else
		vp_set_from_mask(&vps, in.processor_mask, call->params->n_vps);
	flush(call, &vps);
	return HV_STATUS_SUCCESS;
}

static hv_status_t flush_set(struct hypercall *call, uint64_t allowed_flags)
{
	struct hv_tlb_flush_ex in;
	struct vp_bitmap vps;
	hv_status_t status = HV_STATUS_SUCCESS;

	memcpy(&in, call->header, sizeof(in));
	if (in.flags & ~allowed_flags)
		return HV_STATUS_INVALID_PARAMETER;
	if (in.flags & HV_FLUSH_ALL_PROCESSORS)
		vp_bitmap_all(&vps, call->params->n_vps);
	else
		status = vp_set_decode(&vps, in.hv_vp_set.format,
				       in.hv_vp_set.valid_bank_mask, call->var,
				       call->n_var, call->params->n_vps);
	if (!status)
		flush(call, &vps);
	return status;
}

hv_status_t hc_flush_space(struct hypercall *call)
{
	return flush_mask(call, SPACE_FLAGS);
}

hv_status_t hc_flush_list(struct hypercall *call)
{
	return flush_mask(call, list_flags(call));
}

hv_status_t hc_flush_space_ex(struct hypercall *call)
{
	return flush_set(call, SPACE_FLAGS);
}

hv_status_t hc_flush_list_ex(struct hypercall *call)
{
	return flush_set(call, list_flags(call));
}
