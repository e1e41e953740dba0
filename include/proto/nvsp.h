/* SPDX-License-Identifier: MIT */
/*
 * nvsp.h - messages of a network card on VMbus.  One of them carries RNDIS
 * messages (proto/rndis.h).
 *
 * Names as in Linux drivers/net/hyperv/hyperv_net.h.
 */
#ifndef PROTO_NVSP_H
#define PROTO_NVSP_H

#include "proto/wire.h"

/* major << 16 | minor */
#define NVSP_PROTOCOL_VERSION_1  0x00000002u
#define NVSP_PROTOCOL_VERSION_2  0x00030002u
#define NVSP_PROTOCOL_VERSION_4  0x00040000u
#define NVSP_PROTOCOL_VERSION_5  0x00050000u
#define NVSP_PROTOCOL_VERSION_6  0x00060000u
#define NVSP_PROTOCOL_VERSION_61 0x00060001u

/* message types; what stands here is what anybody sends */
#define NVSP_MSG_TYPE_INIT                     1
#define NVSP_MSG_TYPE_INIT_COMPLETE            2
#define NVSP_MSG1_TYPE_SEND_NDIS_VER           100
#define NVSP_MSG1_TYPE_SEND_RECV_BUF           101
#define NVSP_MSG1_TYPE_SEND_RECV_BUF_COMPLETE  102
#define NVSP_MSG1_TYPE_REVOKE_RECV_BUF         103
#define NVSP_MSG1_TYPE_SEND_SEND_BUF           104
#define NVSP_MSG1_TYPE_SEND_SEND_BUF_COMPLETE  105
#define NVSP_MSG1_TYPE_REVOKE_SEND_BUF         106
#define NVSP_MSG1_TYPE_SEND_RNDIS_PKT          107
#define NVSP_MSG1_TYPE_SEND_RNDIS_PKT_COMPLETE 108
#define NVSP_MSG2_TYPE_SEND_NDIS_CONFIG        125
#define NVSP_MSG4_TYPE_SEND_VF_ASSOCIATION     128
#define NVSP_MSG4_TYPE_SWITCH_DATA_PATH        129
#define NVSP_MSG5_TYPE_OID_QUERY_EX            131
#define NVSP_MSG5_TYPE_OID_QUERY_EX_COMP       132
#define NVSP_MSG5_TYPE_SUBCHANNEL              133
#define NVSP_MSG5_TYPE_SEND_INDIRECTION_TABLE  134

/* status */
#define NVSP_STAT_SUCCESS              1u
#define NVSP_STAT_FAIL                 2u
#define NVSP_STAT_PROTOCOL_TOO_NEW     3u
#define NVSP_STAT_PROTOCOL_TOO_OLD     4u
#define NVSP_STAT_INVALID_RNDIS_PKT    5u
#define NVSP_STAT_BUSY                 6u
#define NVSP_STAT_PROTOCOL_UNSUPPORTED 7u

/* channel_type of a RNDIS packet (OpenVMM: DATA_CHANNEL_TYPE, …) */
#define NVSP_CHANNEL_DATA    0u
#define NVSP_CHANNEL_CONTROL 1u

#define NETVSC_RECEIVE_BUFFER_ID           0xCAFEu
#define NETVSC_SEND_BUFFER_ID              0u
#define NETVSC_INVALID_INDEX               0xFFFFFFFFu
#define NETVSC_MTU_MIN                     68u
/* of a frame: the longest that a guest asks for */
#define NETVSC_MTU                         65521u
#define NETVSC_RECEIVE_BUFFER_SIZE_LEGACY  (15u << 20)
#define VRSS_SEND_TAB_SIZE                 16u
/* ranges of one transfer-page packet (OpenVMM: NVSP_MAX_PACKETS_PER_RECEIVE) */
#define NVSP_MAX_PACKETS_PER_RECEIVE       375u
#define NVSP_MAX_PACKETS_PER_RECEIVE_NDIS5 64u

/* capability of NVSP_MSG2_TYPE_SEND_NDIS_CONFIG: bits */
#define NVSP_NDIS_CAP_VMQ       (1u << 0)
#define NVSP_NDIS_CAP_CHIMNEY   (1u << 1)
#define NVSP_NDIS_CAP_SRIOV     (1u << 2)
#define NVSP_NDIS_CAP_IEEE8021Q (1u << 3)
#define NVSP_NDIS_CAP_TEAMING   (1u << 5)
#define NVSP_NDIS_CAP_RSC       (1u << 7)

#define NVSP_SUBCHANNEL_ALLOCATE 1u

#define NVSP_DATAPATH_SYNTHETIC 0u
#define NVSP_DATAPATH_VF        1u

struct nvsp_message_init {
	uint32_t min_protocol_ver;
	uint32_t max_protocol_ver;
} __attribute__((packed));
WIRE_SIZE(struct nvsp_message_init, 8);

struct nvsp_message_init_complete {
	uint32_t negotiated_protocol_ver;
	uint32_t max_mdl_chain_len;
	uint32_t status;
} __attribute__((packed));
WIRE_SIZE(struct nvsp_message_init_complete, 12);

struct nvsp_1_message_send_ndis_version {
	uint32_t ndis_major_ver;
	uint32_t ndis_minor_ver;
} __attribute__((packed));
WIRE_SIZE(struct nvsp_1_message_send_ndis_version, 8);

/* of a receive buffer, and of a send buffer */
struct nvsp_1_message_send_buffer {
	uint32_t gpadl_handle;
	uint16_t id;
} __attribute__((packed));
WIRE_SIZE(struct nvsp_1_message_send_buffer, 6);

struct nvsp_1_receive_buffer_section {
	uint32_t offset;
	uint32_t sub_alloc_size;
	uint32_t num_sub_allocs;
	uint32_t end_offset;
} __attribute__((packed));
WIRE_SIZE(struct nvsp_1_receive_buffer_section, 16);

struct nvsp_1_message_send_receive_buffer_complete {
	uint32_t status;
	uint32_t num_sections;
	struct nvsp_1_receive_buffer_section sections[1];
} __attribute__((packed));
WIRE_SIZE(struct nvsp_1_message_send_receive_buffer_complete, 24);

/* of a receive buffer, and of a send buffer */
struct nvsp_1_message_revoke_buffer {
	uint16_t id;
} __attribute__((packed));
WIRE_SIZE(struct nvsp_1_message_revoke_buffer, 2);

struct nvsp_1_message_send_send_buffer_complete {
	uint32_t status;
	uint32_t section_size;
} __attribute__((packed));
WIRE_SIZE(struct nvsp_1_message_send_send_buffer_complete, 8);

struct nvsp_1_message_send_rndis_packet {
	uint32_t channel_type;
	uint32_t send_buf_section_index;
	uint32_t send_buf_section_size;
} __attribute__((packed));
WIRE_SIZE(struct nvsp_1_message_send_rndis_packet, 12);

struct nvsp_1_message_send_rndis_packet_complete {
	uint32_t status;
} __attribute__((packed));
WIRE_SIZE(struct nvsp_1_message_send_rndis_packet_complete, 4);

struct nvsp_2_send_ndis_config {
	uint32_t mtu; /* with the Ethernet header */
	uint32_t reserved;
	uint64_t capability; /* NVSP_NDIS_CAP_… */
} __attribute__((packed));
WIRE_SIZE(struct nvsp_2_send_ndis_config, 16);

struct nvsp_4_send_vf_association {
	uint32_t allocated;
	uint32_t serial;
} __attribute__((packed));
WIRE_SIZE(struct nvsp_4_send_vf_association, 8);

struct nvsp_4_sw_datapath {
	uint32_t active_datapath;
} __attribute__((packed));
WIRE_SIZE(struct nvsp_4_sw_datapath, 4);

struct nvsp_5_subchannel_request {
	uint32_t op;
	uint32_t num_subchannels;
} __attribute__((packed));
WIRE_SIZE(struct nvsp_5_subchannel_request, 8);

struct nvsp_5_subchannel_complete {
	uint32_t status;
	uint32_t num_subchannels;
} __attribute__((packed));
WIRE_SIZE(struct nvsp_5_subchannel_complete, 8);

struct nvsp_5_send_indirect_table {
	uint32_t count;
	uint32_t offset; /* from the start of the message */
} __attribute__((packed));
WIRE_SIZE(struct nvsp_5_send_indirect_table, 8);

struct nvsp_message {
	uint32_t msg_type;
	union {
		struct nvsp_message_init init;
		struct nvsp_message_init_complete init_complete;
		struct nvsp_1_message_send_ndis_version send_ndis_ver;
		struct nvsp_1_message_send_buffer send_buf;
		struct nvsp_1_message_send_receive_buffer_complete
			send_recv_buf_complete;
		struct nvsp_1_message_revoke_buffer revoke_buf;
		struct nvsp_1_message_send_send_buffer_complete
			send_send_buf_complete;
		struct nvsp_1_message_send_rndis_packet send_rndis_pkt;
		struct nvsp_1_message_send_rndis_packet_complete
			send_rndis_pkt_complete;
		struct nvsp_2_send_ndis_config send_ndis_config;
		struct nvsp_4_send_vf_association vf_assoc;
		struct nvsp_4_sw_datapath active_dp;
		struct nvsp_5_subchannel_request subchn_req;
		struct nvsp_5_subchannel_complete subchn_comp;
		struct nvsp_5_send_indirect_table send_table;
		uint8_t body[36];
	};
} __attribute__((packed));
WIRE_SIZE(struct nvsp_message, 40);
WIRE_FIELD(struct nvsp_message, init, 4);
WIRE_FIELD(struct nvsp_message, send_ndis_config.capability, 12);
WIRE_FIELD(struct nvsp_message, send_recv_buf_complete.sections, 12);

/*
 * As the host sends it: the table is where guests look for it that do not
 * trust the offset (Linux netvsc.c:netvsc_send_table()).
 */
struct nvsp_send_table_message {
	struct nvsp_message message;
	uint32_t table[VRSS_SEND_TAB_SIZE];
} __attribute__((packed));
WIRE_SIZE(struct nvsp_send_table_message, 104);

#endif
