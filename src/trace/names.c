/* SPDX-License-Identifier: MIT */
#include "trace/names.h"

#include <glib.h>

#include "base/guid.h"
#include "hypercalls/table.h"
#include "partition/msr.h"
#include "proto/hv_synic.h"
#include "proto/hv_tlfs.h"
#include "proto/ic.h"
#include "proto/nvsp.h"
#include "proto/rndis.h"
#include "proto/scsi.h"
#include "proto/storvsp.h"
#include "vsp/vmbus/chanmsg.h"

struct name {
	uint32_t number;
	const char *text;
};

/* The constant's own name, without what all of them begin with. */
#define N(prefix, rest)             \
	{                           \
		prefix##rest, #rest \
	}

#define LOOK_UP(names, number) look_up(names, G_N_ELEMENTS(names), number)

static const char *look_up(const struct name *names, size_t n, uint32_t number)
{
	for (size_t i = 0; i < n; i++) {
		if (names[i].number == number)
			return names[i].text;
	}
	return NULL;
}

const char *name_of_msr(uint32_t msr)
{
	unsigned int n;
	const struct msr_row *row = msr_table(&n);

	for (; n--; row++) {
		if (row->msr == msr)
			return row->name;
	}
	return NULL;
}

const char *name_of_hypercall(uint16_t code)
{
	const struct hypercall_row *row = hypercall_find(code);

	return row ? row->name : NULL;
}

const char *name_of_channel_message(uint32_t type)
{
	const struct chanmsg_row *row = chanmsg_find(type);

	return row ? row->name : NULL;
}

/* clang-format off */
const char *name_of_hv_status(uint32_t status)
{
	static const struct name names[] = {
		N(HV_STATUS_, SUCCESS), N(HV_STATUS_, INVALID_HYPERCALL_CODE),
		N(HV_STATUS_, INVALID_HYPERCALL_INPUT),
		N(HV_STATUS_, INVALID_ALIGNMENT),
		N(HV_STATUS_, INVALID_PARAMETER), N(HV_STATUS_, ACCESS_DENIED),
		N(HV_STATUS_, INVALID_PARTITION_STATE),
		N(HV_STATUS_, OPERATION_DENIED),
		N(HV_STATUS_, UNKNOWN_PROPERTY),
		N(HV_STATUS_, PROPERTY_VALUE_OUT_OF_RANGE),
		N(HV_STATUS_, INSUFFICIENT_MEMORY),
		N(HV_STATUS_, INVALID_PARTITION_ID),
		N(HV_STATUS_, INVALID_VP_INDEX), N(HV_STATUS_, INVALID_PORT_ID),
		N(HV_STATUS_, INVALID_CONNECTION_ID),
		N(HV_STATUS_, INSUFFICIENT_BUFFERS),
		N(HV_STATUS_, INVALID_VP_STATE),
		N(HV_STATUS_, INVALID_REGISTER_VALUE), N(HV_STATUS_, TIME_OUT),
	};

	return LOOK_UP(names, status);
}

const char *name_of_sint_message(uint32_t type)
{
	static const struct name names[] = {
		N(HVMSG_, NONE), N(HVMSG_, VMBUS), N(HVMSG_, TIMER_EXPIRED),
	};

	return LOOK_UP(names, type);
}

const char *name_of_vstor_operation(uint32_t operation)
{
	static const struct name names[] = {
		N(VSTOR_OPERATION_, COMPLETE_IO),
		N(VSTOR_OPERATION_, REMOVE_DEVICE),
		N(VSTOR_OPERATION_, EXECUTE_SRB),
		N(VSTOR_OPERATION_, RESET_LUN),
		N(VSTOR_OPERATION_, RESET_ADAPTER),
		N(VSTOR_OPERATION_, RESET_BUS),
		N(VSTOR_OPERATION_, BEGIN_INITIALIZATION),
		N(VSTOR_OPERATION_, END_INITIALIZATION),
		N(VSTOR_OPERATION_, QUERY_PROTOCOL_VERSION),
		N(VSTOR_OPERATION_, QUERY_PROPERTIES),
		N(VSTOR_OPERATION_, ENUMERATE_BUS),
		N(VSTOR_OPERATION_, FCHBA_DATA),
		N(VSTOR_OPERATION_, CREATE_SUB_CHANNELS),
	};

	return LOOK_UP(names, operation);
}

const char *name_of_nt_status(uint32_t status)
{
	static const struct name names[] = {
		N(NT_STATUS_, SUCCESS), N(NT_STATUS_, INVALID_PARAMETER),
		N(NT_STATUS_, INVALID_DEVICE_REQUEST),
		N(NT_STATUS_, REVISION_MISMATCH),
		N(NT_STATUS_, DEVICE_NOT_EXIST),
		N(NT_STATUS_, INVALID_DEVICE_STATE),
		N(NT_STATUS_, IO_DEVICE_ERROR),
	};

	return LOOK_UP(names, status);
}

const char *name_of_srb_status(uint8_t status)
{
	static const struct name names[] = {
		N(SRB_STATUS_, SUCCESS), N(SRB_STATUS_, ERROR),
		N(SRB_STATUS_, BUSY), N(SRB_STATUS_, INVALID_REQUEST),
		N(SRB_STATUS_, INVALID_LUN),
	};

	return LOOK_UP(names, status & ~SRB_STATUS_AUTOSENSE_VALID);
}

const char *name_of_scsi_status(uint8_t status)
{
	static const struct name names[] = {
		N(SAM_STAT_, GOOD), N(SAM_STAT_, CHECK_CONDITION),
		N(SAM_STAT_, BUSY), N(SAM_STAT_, RESERVATION_CONFLICT),
	};

	return LOOK_UP(names, status);
}

const char *name_of_nvsp_message(uint32_t type)
{
	static const struct name names[] = {
		N(NVSP_MSG_TYPE_, INIT), N(NVSP_MSG_TYPE_, INIT_COMPLETE),
		N(NVSP_MSG1_TYPE_, SEND_NDIS_VER),
		N(NVSP_MSG1_TYPE_, SEND_RECV_BUF),
		N(NVSP_MSG1_TYPE_, SEND_RECV_BUF_COMPLETE),
		N(NVSP_MSG1_TYPE_, REVOKE_RECV_BUF),
		N(NVSP_MSG1_TYPE_, SEND_SEND_BUF),
		N(NVSP_MSG1_TYPE_, SEND_SEND_BUF_COMPLETE),
		N(NVSP_MSG1_TYPE_, REVOKE_SEND_BUF),
		N(NVSP_MSG1_TYPE_, SEND_RNDIS_PKT),
		N(NVSP_MSG1_TYPE_, SEND_RNDIS_PKT_COMPLETE),
		N(NVSP_MSG2_TYPE_, SEND_NDIS_CONFIG),
		N(NVSP_MSG4_TYPE_, SEND_VF_ASSOCIATION),
		N(NVSP_MSG4_TYPE_, SWITCH_DATA_PATH),
		N(NVSP_MSG5_TYPE_, OID_QUERY_EX),
		N(NVSP_MSG5_TYPE_, OID_QUERY_EX_COMP),
		N(NVSP_MSG5_TYPE_, SUBCHANNEL),
		N(NVSP_MSG5_TYPE_, SEND_INDIRECTION_TABLE),
	};

	return LOOK_UP(names, type);
}

const char *name_of_nvsp_status(uint32_t status)
{
	static const struct name names[] = {
		N(NVSP_STAT_, SUCCESS), N(NVSP_STAT_, FAIL),
		N(NVSP_STAT_, PROTOCOL_TOO_NEW),
		N(NVSP_STAT_, PROTOCOL_TOO_OLD),
		N(NVSP_STAT_, INVALID_RNDIS_PKT), N(NVSP_STAT_, BUSY),
		N(NVSP_STAT_, PROTOCOL_UNSUPPORTED),
	};

	return LOOK_UP(names, status);
}

const char *name_of_rndis_message(uint32_t type)
{
	static const struct name names[] = {
		N(RNDIS_MSG_, PACKET), N(RNDIS_MSG_, INIT),
		N(RNDIS_MSG_, HALT), N(RNDIS_MSG_, QUERY), N(RNDIS_MSG_, SET),
		N(RNDIS_MSG_, RESET), N(RNDIS_MSG_, INDICATE),
		N(RNDIS_MSG_, KEEPALIVE), N(RNDIS_MSG_, INIT_C),
		N(RNDIS_MSG_, QUERY_C), N(RNDIS_MSG_, SET_C),
		N(RNDIS_MSG_, RESET_C), N(RNDIS_MSG_, KEEPALIVE_C),
	};

	return LOOK_UP(names, type);
}

const char *name_of_rndis_status(uint32_t status)
{
	static const struct name names[] = {
		N(RNDIS_STATUS_, SUCCESS), N(RNDIS_STATUS_, FAILURE),
		N(RNDIS_STATUS_, NOT_SUPPORTED), N(RNDIS_STATUS_, BAD_VERSION),
		N(RNDIS_STATUS_, MULTICAST_FULL),
		N(RNDIS_STATUS_, INVALID_LENGTH),
		N(RNDIS_STATUS_, INVALID_DATA),
		N(RNDIS_STATUS_, MEDIA_CONNECT),
		N(RNDIS_STATUS_, MEDIA_DISCONNECT),
		N(RNDIS_STATUS_, LINK_SPEED_CHANGE),
		N(RNDIS_STATUS_, NETWORK_CHANGE),
	};

	return LOOK_UP(names, status);
}

const char *name_of_ic_message(uint16_t type)
{
	static const struct name names[] = {
		N(ICMSGTYPE_, NEGOTIATE), N(ICMSGTYPE_, HEARTBEAT),
		N(ICMSGTYPE_, KVPEXCHANGE), N(ICMSGTYPE_, SHUTDOWN),
		N(ICMSGTYPE_, TIMESYNC), N(ICMSGTYPE_, VSS),
		N(ICMSGTYPE_, FCOPY),
	};

	return LOOK_UP(names, type);
}

const char *name_of_ic_status(uint32_t status)
{
	static const struct name names[] = {
		N(HV_, S_OK), N(HV_, E_FAIL), N(HV_, S_CONT),
		N(HV_, ERROR_NOT_SUPPORTED), N(HV_, ERROR_ALREADY_EXISTS),
		N(HV_, INVALIDARG), N(HV_, ERROR_DISK_FULL),
		N(HV_, ERROR_MACHINE_LOCKED),
		N(HV_, ERROR_DEVICE_NOT_CONNECTED), N(HV_, GUID_NOTFOUND),
	};

	return LOOK_UP(names, status);
}

#define CLASS(name) {name##_GUID, #name}

const char *name_of_class(const struct guid *if_type)
{
	static const struct {
		struct guid guid;
		const char *text;
	} names[] = {
		CLASS(HV_NIC), CLASS(HV_IDE), CLASS(HV_SCSI), CLASS(HV_SYNTHFC),
		CLASS(HV_PCIE), CLASS(HV_ND), CLASS(HV_SHUTDOWN), CLASS(HV_TS),
		CLASS(HV_HEART_BEAT), CLASS(HV_KVP), CLASS(HV_VSS),
		CLASS(HV_FCOPY), CLASS(HV_DM), CLASS(HV_MOUSE), CLASS(HV_KBD),
		CLASS(HV_SYNTHVID),
	};

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		if (guid_equal(&names[i].guid, if_type))
			return names[i].text;
	}
	return NULL;
}
/* clang-format on */
