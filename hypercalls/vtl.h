/* SPDX-License-Identifier: MIT */
/*
 * vtl.h - the one virtual trust level that our VPs have, VTL 0.
 *
 * Source: TLFS HV_INPUT_VTL.
 */
#ifndef HYPERCALLS_VTL_H
#define HYPERCALLS_VTL_H

#include "proto/hv_hypercall.h"
#include "proto/hv_tlfs.h"

/** input_vtl_check() - does @vtl, an HV_INPUT_VTL, name VTL 0? */
static inline hv_status_t input_vtl_check(uint8_t vtl)
{
	if (vtl & HV_INPUT_VTL_RSVD_MASK)
		return HV_STATUS_INVALID_PARAMETER;
	/* Without UseTargetVtl it is the caller's own. */
	if (vtl & HV_INPUT_VTL_USE_TARGET && vtl & HV_INPUT_VTL_TARGET_MASK)
		return HV_STATUS_INVALID_PARAMETER;
	return HV_STATUS_SUCCESS;
}

#endif
