/* SPDX-License-Identifier: MIT */
/*
 * HvCallGetVpRegisters, HvCallSetVpRegisters, HvCallGetVpIndexFromApicId.
 */
#include <errno.h>
#include <string.h>

#include "hypercalls/table.h"
#include "hypercalls/vtl.h"

/* What a failed register access is to the guest. */
static hv_status_t register_status(int err)
{
	switch (err) {
	case 0:
		return HV_STATUS_SUCCESS;
	case -EINVAL:
		return HV_STATUS_INVALID_REGISTER_VALUE;
	case -EBUSY:
		return HV_STATUS_INVALID_VP_STATE;
	default:
		/* no such register, or not to be written */
		return HV_STATUS_INVALID_PARAMETER;
	}
}

/* Which VP the header of a register call names. */
static hv_status_t decode_target(const struct hypercall *call, uint32_t *vp)
{
	struct hv_vp_register_header in;

	memcpy(&in, call->header, sizeof(in));
	if (in.partition_id != HV_PARTITION_ID_SELF)
		return HV_STATUS_INVALID_PARTITION_ID;
	if (in.reserved[0] || in.reserved[1] || in.reserved[2])
		return HV_STATUS_INVALID_PARAMETER;
	*vp = in.vp_index == HV_VP_INDEX_SELF ? call->vp : in.vp_index;
	if (*vp >= call->params->n_vps)
		return HV_STATUS_INVALID_VP_INDEX;
	return input_vtl_check(in.input_vtl);
}

hv_status_t hc_get_vp_registers(struct hypercall *call)
{
	const struct hypercalls_params *p = call->params;
	uint32_t vp;
	hv_status_t status = decode_target(call, &vp);

	for (unsigned int i = call->rep_start; !status && i < call->rep_count;
	     i++) {
		struct hv_register_value value = {0, 0};
		uint32_t name;

		memcpy(&name, call->rep_input + i * sizeof(name), sizeof(name));
		status = register_status(p->ops->get_register(
			p->ctx, call->vp, vp, name, &value));
		if (status)
			break;
		memcpy(call->output + i * sizeof(value), &value, sizeof(value));
		call->reps_done = i + 1;
	}
	return status;
}

hv_status_t hc_set_vp_registers(struct hypercall *call)
{
	const struct hypercalls_params *p = call->params;
	uint32_t vp;
	hv_status_t status = decode_target(call, &vp);

	for (unsigned int i = call->rep_start; !status && i < call->rep_count;
	     i++) {
		struct hv_register_assoc in;
		struct hv_register_value value;

		memcpy(&in, call->rep_input + i * sizeof(in), sizeof(in));
		if (in.reserved1 || in.reserved2)
			return HV_STATUS_INVALID_PARAMETER;
		value = (struct hv_register_value){in.value_low, in.value_high};
		status = register_status(p->ops->set_register(
			p->ctx, call->vp, vp, in.name, &value));
		if (!status)
			call->reps_done = i + 1;
	}
	return status;
}

hv_status_t hc_get_vp_index_from_apic_id(struct hypercall *call)
{
	const struct hypercalls_params *p = call->params;
	struct hv_get_vp_from_apic_id_in in;

	memcpy(&in, call->header, sizeof(in));
	if (in.partition_id != HV_PARTITION_ID_SELF)
		return HV_STATUS_INVALID_PARTITION_ID;
	if (in.target_vtl)
		return HV_STATUS_INVALID_PARAMETER;

	for (unsigned int i = call->rep_start; i < call->rep_count; i++) {
		uint32_t apic_id, index;
		int found;

		memcpy(&apic_id, call->rep_input + i * sizeof(apic_id),
		       sizeof(apic_id));
		found = p->ops->vp_index_of_apic_id(p->ctx, apic_id);
		if (found < 0)
			return HV_STATUS_INVALID_PARAMETER;
		index = (uint32_t)found;
		memcpy(call->output + i * sizeof(index), &index, sizeof(index));
		call->reps_done = i + 1;
	}
	return HV_STATUS_SUCCESS;
}
