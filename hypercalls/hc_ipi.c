/* SPDX-License-Identifier: MIT */
/*
 * HvCallSendSyntheticClusterIpi, its Ex form, and HvCallNotifyLongSpinWait.
 */
#include <string.h>

#include "hypercalls/table.h"
#include "hypercalls/vp_set.h"
#include "hypercalls/vtl.h"

#define IPI_VECTOR_MIN 0x10u
#define IPI_VECTOR_MAX 0xFFu

static void send(struct hypercall *call, const struct vp_bitmap *vps,
		 uint32_t vector)
{
	const struct hypercalls_params *p = call->params;

	if (vp_bitmap_any(vps))
		p->ops->send_ipi(p->ctx, vps, (uint8_t)vector);
}

static hv_status_t check_ipi(uint32_t vector, uint8_t target_vtl)
{
	if (vector < IPI_VECTOR_MIN || vector > IPI_VECTOR_MAX)
		return HV_STATUS_INVALID_PARAMETER;
	return input_vtl_check(target_vtl);
}

hv_status_t hc_send_ipi(struct hypercall *call)
{
	struct hv_send_ipi in;
	struct vp_bitmap vps;
	hv_status_t status;

	memcpy(&in, call->header, sizeof(in));
	status = check_ipi(in.vector, in.target_vtl);
	if (status)
		return status;
	vp_set_from_mask(&vps, in.cpu_mask, call->params->n_vps);
	send(call, &vps, in.vector);
	return HV_STATUS_SUCCESS;
}

hv_status_t hc_send_ipi_ex(struct hypercall *call)
{
	struct hv_send_ipi_ex in;
	struct vp_bitmap vps;
	hv_status_t status;

	memcpy(&in, call->header, sizeof(in));
	status = check_ipi(in.vector, in.target_vtl);
	if (!status)
		status = vp_set_decode(&vps, in.vp_set.format,
				       in.vp_set.valid_bank_mask, call->var,
				       call->n_var, call->params->n_vps);
	if (status)
		return status;
	send(call, &vps, in.vector);
	return HV_STATUS_SUCCESS;
}

/* Advice only: it never fails, whatever the count. */
hv_status_t hc_notify_long_spin_wait(struct hypercall *call)
{
	const struct hypercalls_params *p = call->params;

	p->ops->yield(p->ctx, call->vp);
	return HV_STATUS_SUCCESS;
}
