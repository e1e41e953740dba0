/* SPDX-License-Identifier: MIT */
/*
 * ic.h - integration components: framing, negotiation, and the messages of
 * heartbeat, time sync, shutdown, KVP, VSS and file copy.
 *
 * Each message is one in-band packet with a pipe header in front (vmbus.h).
 * The guest answers with the very packet that it got, body and status changed,
 * so that what it is to fill in must be there from the start.
 *
 * Names as in Linux include/linux/hyperv.h and include/uapi/linux/hyperv.h;
 * what these do not name is called after OpenVMM hyperv_ic_protocol.
 */
#ifndef PROTO_IC_H
#define PROTO_IC_H

#include "proto/guids.h"
#include "proto/wire.h"

/* --- framing ------------------------------------------------------------- */

/* icmsgtype */
#define ICMSGTYPE_NEGOTIATE   0
#define ICMSGTYPE_HEARTBEAT   1
#define ICMSGTYPE_KVPEXCHANGE 2
#define ICMSGTYPE_SHUTDOWN    3
#define ICMSGTYPE_TIMESYNC    4
#define ICMSGTYPE_VSS         5
#define ICMSGTYPE_FCOPY       7

/* icflags */
#define ICMSGHDRFLAG_TRANSACTION 1
#define ICMSGHDRFLAG_REQUEST     2
#define ICMSGHDRFLAG_RESPONSE    4

/* status, an HRESULT */
#define HV_S_OK                       0x00000000u
#define HV_E_FAIL                     0x80004005u
#define HV_S_CONT                     0x80070103u /* no more items */
#define HV_ERROR_NOT_SUPPORTED        0x80070032u
#define HV_ERROR_ALREADY_EXISTS       0x80070050u
#define HV_INVALIDARG                 0x80070057u
#define HV_ERROR_DISK_FULL            0x80070070u
#define HV_ERROR_MACHINE_LOCKED       0x800704F7u
#define HV_ERROR_DEVICE_NOT_CONNECTED 0x8007048Fu
#define HV_GUID_NOTFOUND              0x80041002u

struct ic_version {
	uint16_t major;
	uint16_t minor;
} __attribute__((packed));
WIRE_SIZE(struct ic_version, 4);

struct icmsg_hdr {
	struct ic_version icverframe;
	uint16_t icmsgtype;
	struct ic_version icvermsg;
	uint16_t icmsgsize; /* bytes behind this header */
	uint32_t status;
	uint8_t ictransaction_id;
	uint8_t icflags;
	uint8_t reserved[2];
} __attribute__((packed));
WIRE_SIZE(struct icmsg_hdr, 20);

/* Followed by framework versions, then message versions (ic_version). */
struct icmsg_negotiate {
	uint16_t icframe_vercnt;
	uint16_t icmsg_vercnt;
	uint32_t reserved;
} __attribute__((packed));
WIRE_SIZE(struct icmsg_negotiate, 8);

/* --- heartbeat ------------------------------------------------------------ */

/* application_state (OpenVMM: ApplicationState) */
#define HEARTBEAT_STATE_UNKNOWN  0
#define HEARTBEAT_STATE_HEALTHY  1
#define HEARTBEAT_STATE_CRITICAL 2
#define HEARTBEAT_STATE_STOPPED  3

/* The guest answers with the next sequence number. */
struct heartbeat_msg_data {
	uint64_t seq_num;
	uint32_t application_state; /* the guest's */
	uint32_t reserved[7];
} __attribute__((packed));
WIRE_SIZE(struct heartbeat_msg_data, 40);

/* --- shutdown -------------------------------------------------------------- */

#define SHTDN_REASON_FLAG_PLANNED 0x80000000u

/* flags */
#define SHUTDOWN_FORCE     0x1u
#define SHUTDOWN_RESTART   0x2u
#define SHUTDOWN_HIBERNATE 0x4u

struct shutdown_msg_data {
	uint32_t reason_code;
	uint32_t timeout_seconds;
	uint32_t flags;
	uint8_t display_message[2048]; /* UTF-16 */
} __attribute__((packed));
WIRE_SIZE(struct shutdown_msg_data, 2060);

/* --- time sync -------------------------------------------------------------- */

/* Units of 100 ns from 1601 to 1970. */
#define WLTIMEDELTA 116444736000000000ull

/* flags */
#define ICTIMESYNCFLAG_PROBE  0
#define ICTIMESYNCFLAG_SYNC   1
#define ICTIMESYNCFLAG_SAMPLE 2

/* below version 4.0 */
struct ictimesync_data {
	uint64_t parenttime; /* UTC since 1601, 100 ns */
	uint64_t childtime;
	uint64_t roundtriptime;
	uint8_t flags;
	uint8_t reserved[3];
} __attribute__((packed));
WIRE_SIZE(struct ictimesync_data, 28);

/* from version 4.0 */
struct ictimesync_ref_data {
	uint64_t parenttime;
	uint64_t vmreferencetime; /* the partition's, at parenttime */
	uint8_t flags;
	uint8_t leapflags; /* NTP */
	uint8_t stratum; /* NTP */
	uint8_t reserved[5];
} __attribute__((packed));
WIRE_SIZE(struct ictimesync_ref_data, 24);

/* --- KVP ---------------------------------------------------------------------- */

/* operation */
#define KVP_OP_GET         0
#define KVP_OP_SET         1
#define KVP_OP_DELETE      2
#define KVP_OP_ENUMERATE   3
#define KVP_OP_GET_IP_INFO 4
#define KVP_OP_SET_IP_INFO 5

/* pool */
#define KVP_POOL_EXTERNAL      0
#define KVP_POOL_GUEST         1
#define KVP_POOL_AUTO          2
#define KVP_POOL_AUTO_EXTERNAL 3
#define KVP_POOL_AUTO_INTERNAL 4
#define KVP_POOL_COUNT         5

/* value_type */
#define REG_SZ  1
#define REG_U32 4

#define HV_KVP_EXCHANGE_MAX_KEY_SIZE   512
#define HV_KVP_EXCHANGE_MAX_VALUE_SIZE 2048

struct hv_kvp_hdr {
	uint8_t operation;
	uint8_t pool;
	uint16_t pad;
} __attribute__((packed));
WIRE_SIZE(struct hv_kvp_hdr, 4);

/* Texts are UTF-16; sizes are in bytes, with the terminating zero. */
struct hv_kvp_exchg_msg_value {
	uint32_t value_type;
	uint32_t key_size;
	uint32_t value_size;
	uint8_t key[HV_KVP_EXCHANGE_MAX_KEY_SIZE];
	uint8_t value[HV_KVP_EXCHANGE_MAX_VALUE_SIZE];
} __attribute__((packed));
WIRE_SIZE(struct hv_kvp_exchg_msg_value, 2572);

/* KVP_OP_GET, KVP_OP_SET */
struct hv_kvp_msg_set {
	struct hv_kvp_hdr kvp_hdr;
	struct hv_kvp_exchg_msg_value data;
} __attribute__((packed));
WIRE_SIZE(struct hv_kvp_msg_set, 2576);

struct hv_kvp_msg_delete {
	struct hv_kvp_hdr kvp_hdr;
	uint32_t key_size;
	uint8_t key[HV_KVP_EXCHANGE_MAX_KEY_SIZE];
} __attribute__((packed));
WIRE_SIZE(struct hv_kvp_msg_delete, 520);

struct hv_kvp_msg_enumerate {
	struct hv_kvp_hdr kvp_hdr;
	uint32_t index;
	struct hv_kvp_exchg_msg_value data;
} __attribute__((packed));
WIRE_SIZE(struct hv_kvp_msg_enumerate, 2580);

/* addr_family */
#define ADDR_FAMILY_NONE 0x00
#define ADDR_FAMILY_IPV4 0x01
#define ADDR_FAMILY_IPV6 0x02

#define MAX_ADAPTER_ID_SIZE 128
#define MAX_IP_ADDR_SIZE    1024
#define MAX_GATEWAY_SIZE    512

/* Without the padding that the others have; texts are UTF-16, zero at the end */
struct hv_kvp_ip_msg {
	uint8_t operation;
	uint8_t pool;
	uint8_t adapter_id[MAX_ADAPTER_ID_SIZE * 2];
	uint8_t addr_family;
	uint8_t dhcp_enabled;
	uint8_t ip_addr[MAX_IP_ADDR_SIZE * 2];
	uint8_t sub_net[MAX_IP_ADDR_SIZE * 2];
	uint8_t gate_way[MAX_GATEWAY_SIZE * 2];
	uint8_t dns_addr[MAX_IP_ADDR_SIZE * 2];
} __attribute__((packed));
WIRE_SIZE(struct hv_kvp_ip_msg, 7428);
WIRE_FIELD(struct hv_kvp_ip_msg, addr_family, 258);
WIRE_FIELD(struct hv_kvp_ip_msg, gate_way, 4356);

/* --- VSS ----------------------------------------------------------------------- */

/* operation */
#define VSS_OP_CREATE       0
#define VSS_OP_DELETE       1
#define VSS_OP_HOT_BACKUP   2
#define VSS_OP_GET_DM_INFO  3
#define VSS_OP_BU_COMPLETE  4
/* from version 5.0 */
#define VSS_OP_FREEZE       5
#define VSS_OP_THAW         6
#define VSS_OP_AUTO_RECOVER 7

/* flags of VSS_OP_HOT_BACKUP's answer */
#define VSS_HBU_NO_AUTO_RECOVERY 0x5u

struct hv_vss_msg {
	uint8_t operation;
	uint8_t reserved[7];
	uint32_t flags;
	uint8_t reserved2[20];
} __attribute__((packed));
WIRE_SIZE(struct hv_vss_msg, 32);

/* --- file copy -------------------------------------------------------------------- */

/* operation */
#define START_FILE_COPY 0
#define WRITE_TO_FILE   1
#define COMPLETE_FCOPY  2
#define CANCEL_FCOPY    3

#define W_MAX_PATH        260
#define DATA_FRAGMENT     6144
#define FCOPY_OVER_WRITE  0x1u
#define FCOPY_CREATE_PATH 0x2u

struct hv_fcopy_hdr {
	uint32_t operation;
	struct guid service_id0;
	struct guid service_id1;
} __attribute__((packed));
WIRE_SIZE(struct hv_fcopy_hdr, 36);

struct hv_start_fcopy {
	struct hv_fcopy_hdr hdr;
	uint8_t file_name[W_MAX_PATH * 2]; /* UTF-16 */
	uint8_t path_name[W_MAX_PATH * 2];
	uint32_t copy_flags;
	uint64_t file_size;
} __attribute__((packed));
WIRE_SIZE(struct hv_start_fcopy, 1088);
WIRE_FIELD(struct hv_start_fcopy, copy_flags, 1076);

struct hv_do_fcopy {
	struct hv_fcopy_hdr hdr;
	uint32_t pad;
	uint64_t offset;
	uint32_t size;
	uint8_t data[DATA_FRAGMENT];
} __attribute__((packed));
WIRE_SIZE(struct hv_do_fcopy, 6196);

#endif
