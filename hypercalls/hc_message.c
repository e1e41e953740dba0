/* SPDX-License-Identifier: MIT */
/*
 * HvCallPostMessage and HvCallSignalEvent: to the port that the connection
 * leads to.
 */
#include <string.h>

#include "hypercalls/table.h"
#include "synic/ports.h"

hv_status_t hc_post_message(struct hypercall *call)
{
	struct hv_input_post_message in;

	memcpy(&in, call->header, sizeof(in));
	return ports_post_message(call->params->ports, call->vp, &in);
}

hv_status_t hc_signal_event(struct hypercall *call)
{
	struct hv_input_signal_event in;

	memcpy(&in, call->header, sizeof(in));
	if (in.reserved)
		return HV_STATUS_INVALID_PARAMETER;
	return ports_signal_event(call->params->ports, call->vp,
				  in.connectionid, in.flag_number);
}
