/* SPDX-License-Identifier: MIT */
/*
 * vmbus.h - versions, channel messages, offers, ring header, packets, GPA
 * ranges, pipe header.
 *
 * Names as in Linux include/linux/hyperv.h; what Linux has no name for is
 * called after OpenVMM's vmbus_core/src/protocol.rs, and says so.  Fields that
 * only some versions have are in a struct of their own, with the longer size.
 */
#ifndef PROTO_VMBUS_H
#define PROTO_VMBUS_H

#include "proto/guids.h"
#include "proto/wire.h"

/* --- versions: major << 16 | minor ------------------------------------ */

#define VERSION_WS2008     0x0000000Du
#define VERSION_WIN7       0x00010001u
#define VERSION_WIN8       0x00020004u
#define VERSION_WIN8_1     0x00030000u
#define VERSION_WIN10      0x00040000u
#define VERSION_WIN10_V4_1 0x00040001u
#define VERSION_WIN10_V5   0x00050000u
#define VERSION_WIN10_V5_1 0x00050001u
#define VERSION_WIN10_V5_2 0x00050002u
#define VERSION_WIN10_V5_3 0x00050003u
/* OpenVMM: Copper */
#define VERSION_WIN10_V6_0 0x00060000u

/* Feature flags of version 6.0 (OpenVMM: FeatureFlags) */
#define VMBUS_FEATURE_GUEST_SIGNAL_PARAMETERS (1u << 0)
#define VMBUS_FEATURE_INTERRUPT_REDIRECTION   (1u << 1)
#define VMBUS_FEATURE_MODIFY_CONNECTION       (1u << 2)
#define VMBUS_FEATURE_CLIENT_ID               (1u << 3)
#define VMBUS_FEATURE_CONFIDENTIAL_CHANNELS   (1u << 4)
#define VMBUS_FEATURE_PAUSE_RESUME            (1u << 5)
#define VMBUS_FEATURE_SERVER_MONITOR_PAGES    (1u << 6)
#define VMBUS_FEATURE_GPA_PINNING             (1u << 7)

/* --- the bus ----------------------------------------------------------- */

/* Linux: VMBUS_MESSAGE_SINT */
#define VMBUS_MESSAGE_SINT            2
/* message connections of the guest */
#define VMBUS_MESSAGE_CONNECTION_ID   1
#define VMBUS_MESSAGE_CONNECTION_ID_4 4
/* relids are 1 to 2047: relid n is event flag n */
#define MAX_CHANNEL_RELIDS            2048
/* as target VP: no interrupts (OpenVMM: VP_INDEX_DISABLE_INTERRUPT) */
#define VMBUS_NO_INTERRUPTS           0xFFFFFFFFu
#define VMBUS_MESSAGE_MAX             240
#define MAX_USER_DEFINED_BYTES        120
#define MAX_PIPE_USER_DEFINED_BYTES   116

/* NTSTATUS that messages carry; Linux looks at zero or not */
#define VMBUS_STATUS_SUCCESS            0x00000000u
#define VMBUS_STATUS_UNSUCCESSFUL       0xC0000001u
#define VMBUS_STATUS_CONNECTION_REFUSED 0xC0000236u

/* --- channel messages -------------------------------------------------- */

#define CHANNELMSG_OFFERCHANNEL           1
#define CHANNELMSG_RESCIND_CHANNELOFFER   2
#define CHANNELMSG_REQUESTOFFERS          3
#define CHANNELMSG_ALLOFFERS_DELIVERED    4
#define CHANNELMSG_OPENCHANNEL            5
#define CHANNELMSG_OPENCHANNEL_RESULT     6
#define CHANNELMSG_CLOSECHANNEL           7
#define CHANNELMSG_GPADL_HEADER           8
#define CHANNELMSG_GPADL_BODY             9
#define CHANNELMSG_GPADL_CREATED          10
#define CHANNELMSG_GPADL_TEARDOWN         11
#define CHANNELMSG_GPADL_TORNDOWN         12
#define CHANNELMSG_RELID_RELEASED         13
#define CHANNELMSG_INITIATE_CONTACT       14
#define CHANNELMSG_VERSION_RESPONSE       15
#define CHANNELMSG_UNLOAD                 16
#define CHANNELMSG_UNLOAD_RESPONSE        17
/* OpenVMM: OPEN_RESERVED_CHANNEL and so on; Linux: CHANNELMSG_18 to 20 */
#define CHANNELMSG_OPEN_RESERVED          18
#define CHANNELMSG_CLOSE_RESERVED         19
#define CHANNELMSG_CLOSE_RESERVED_RESULT  20
#define CHANNELMSG_TL_CONNECT_REQUEST     21
#define CHANNELMSG_MODIFYCHANNEL          22
#define CHANNELMSG_TL_CONNECT_RESULT      23
#define CHANNELMSG_MODIFYCHANNEL_RESPONSE 24
/* OpenVMM: MODIFY_CONNECTION and so on; unknown to Linux */
#define CHANNELMSG_MODIFY_CONNECTION      25
#define CHANNELMSG_MODIFY_CONNECTION_DONE 26
#define CHANNELMSG_PAUSE                  27
#define CHANNELMSG_PAUSE_RESPONSE         28
#define CHANNELMSG_RESUME                 29
#define CHANNELMSG_MAX                    29

struct vmbus_channel_message_header {
	uint32_t msgtype;
	uint32_t padding;
} __attribute__((packed));
WIRE_SIZE(struct vmbus_channel_message_header, 8);

/* chn_flags of an offer */
#define VMBUS_CHANNEL_ENUMERATE_DEVICE_INTERFACE 0x0001u
#define VMBUS_CHANNEL_CONFIDENTIAL_RING          0x0002u
#define VMBUS_CHANNEL_CONFIDENTIAL_EXTERNAL      0x0004u
#define VMBUS_CHANNEL_REQUIRE_PINNED             0x0008u
#define VMBUS_CHANNEL_NAMED_PIPE_MODE            0x0010u
#define VMBUS_CHANNEL_TLNPI_PROVIDER_OFFER       0x2000u

/* pipe_mode */
#define VMBUS_PIPE_TYPE_BYTE    0x00000000u
#define VMBUS_PIPE_TYPE_MESSAGE 0x00000004u

struct vmbus_channel_offer {
	struct guid if_type;
	struct guid if_instance;
	uint64_t reserved1;
	uint64_t reserved2;
	uint16_t chn_flags;
	uint16_t mmio_megabytes;
	uint8_t user_def[MAX_USER_DEFINED_BYTES];
	uint16_t sub_channel_index;
	uint16_t mmio_megabytes_optional;
} __attribute__((packed));
WIRE_SIZE(struct vmbus_channel_offer, 176);
WIRE_FIELD(struct vmbus_channel_offer, user_def, 52);

/* user_def of a pipe; the rest of it is the pipe's own */
struct vmbus_pipe_user_def {
	uint32_t pipe_mode;
	uint8_t user_def[MAX_PIPE_USER_DEFINED_BYTES];
} __attribute__((packed));
WIRE_SIZE(struct vmbus_pipe_user_def, MAX_USER_DEFINED_BYTES);

/* user_def of a hv_sock (OpenVMM: HvsockUserDefinedParameters) */
struct vmbus_hvsock_user_def {
	uint32_t pipe_mode;
	uint8_t is_for_guest_accept;
	uint8_t is_for_guest_container;
	uint32_t version;
	struct guid silo_id;
	uint8_t padding[2];
} __attribute__((packed));
WIRE_SIZE(struct vmbus_hvsock_user_def, 28);
WIRE_FIELD(struct vmbus_hvsock_user_def, version, 6);
WIRE_FIELD(struct vmbus_hvsock_user_def, silo_id, 10);

/* monitorid of a channel that has none */
#define VMBUS_NO_MONITOR          0xFFu
#define VMBUS_MONITOR_ALLOCATED   (1u << 0)
#define VMBUS_DEDICATED_INTERRUPT (1u << 0)

struct vmbus_channel_offer_channel {
	struct vmbus_channel_message_header header;
	struct vmbus_channel_offer offer;
	uint32_t child_relid;
	uint8_t monitorid;
	uint8_t monitor_allocated; /* bit 0 */
	uint16_t is_dedicated_interrupt; /* bit 0 */
	uint32_t connection_id;
} __attribute__((packed));
WIRE_SIZE(struct vmbus_channel_offer_channel, 196);
WIRE_FIELD(struct vmbus_channel_offer_channel, child_relid, 184);
WIRE_FIELD(struct vmbus_channel_offer_channel, is_dedicated_interrupt, 190);

struct vmbus_channel_rescind_offer {
	struct vmbus_channel_message_header header;
	uint32_t child_relid;
} __attribute__((packed));
WIRE_SIZE(struct vmbus_channel_rescind_offer, 12);

struct vmbus_channel_open_channel {
	struct vmbus_channel_message_header header;
	uint32_t child_relid;
	uint32_t openid;
	uint32_t ringbuffer_gpadlhandle;
	uint32_t target_vp;
	uint32_t downstream_ringbuffer_pageoffset;
	uint8_t userdata[MAX_USER_DEFINED_BYTES];
} __attribute__((packed));
WIRE_SIZE(struct vmbus_channel_open_channel, 148);
WIRE_FIELD(struct vmbus_channel_open_channel, userdata, 28);

/* with a feature of the first two (OpenVMM: OpenChannel2) */
struct vmbus_channel_open_channel2 {
	struct vmbus_channel_open_channel base;
	uint32_t connection_id;
	uint16_t event_flag;
	uint16_t flags;
} __attribute__((packed));
WIRE_SIZE(struct vmbus_channel_open_channel2, 156);

struct vmbus_channel_open_result {
	struct vmbus_channel_message_header header;
	uint32_t child_relid;
	uint32_t openid;
	uint32_t status;
} __attribute__((packed));
WIRE_SIZE(struct vmbus_channel_open_result, 20);

struct vmbus_channel_close_channel {
	struct vmbus_channel_message_header header;
	uint32_t child_relid;
} __attribute__((packed));
WIRE_SIZE(struct vmbus_channel_close_channel, 12);

/* Followed by ceil((byte_offset + byte_count) / 4096) page numbers. */
struct gpa_range {
	uint32_t byte_count;
	uint32_t byte_offset;
	/* uint64_t pfn_array[] */
} __attribute__((packed));
WIRE_SIZE(struct gpa_range, 8);

struct vmbus_channel_gpadl_header {
	struct vmbus_channel_message_header header;
	uint32_t child_relid;
	uint32_t gpadl;
	uint16_t range_buflen; /* bytes of all ranges */
	uint16_t rangecount;
	/* struct gpa_range range[] */
} __attribute__((packed));
WIRE_SIZE(struct vmbus_channel_gpadl_header, 20);

struct vmbus_channel_gpadl_body {
	struct vmbus_channel_message_header header;
	uint32_t msgnumber;
	uint32_t gpadl;
	/* what did not fit into the header message */
} __attribute__((packed));
WIRE_SIZE(struct vmbus_channel_gpadl_body, 16);

struct vmbus_channel_gpadl_created {
	struct vmbus_channel_message_header header;
	uint32_t child_relid;
	uint32_t gpadl;
	uint32_t creation_status;
} __attribute__((packed));
WIRE_SIZE(struct vmbus_channel_gpadl_created, 20);

struct vmbus_channel_gpadl_teardown {
	struct vmbus_channel_message_header header;
	uint32_t child_relid;
	uint32_t gpadl;
} __attribute__((packed));
WIRE_SIZE(struct vmbus_channel_gpadl_teardown, 16);

struct vmbus_channel_gpadl_torndown {
	struct vmbus_channel_message_header header;
	uint32_t gpadl;
} __attribute__((packed));
WIRE_SIZE(struct vmbus_channel_gpadl_torndown, 12);

struct vmbus_channel_relid_released {
	struct vmbus_channel_message_header header;
	uint32_t child_relid;
} __attribute__((packed));
WIRE_SIZE(struct vmbus_channel_relid_released, 12);

struct vmbus_channel_initiate_contact {
	struct vmbus_channel_message_header header;
	uint32_t vmbus_version_requested;
	uint32_t target_vcpu;
	union {
		uint64_t interrupt_page; /* below 5.0 */
		struct { /* from 5.0 */
			uint8_t msg_sint;
			uint8_t msg_vtl;
			uint16_t reserved;
			uint32_t feature_flags; /* from 6.0 */
		};
	};
	uint64_t monitor_page1; /* host to guest */
	uint64_t monitor_page2; /* guest to host */
} __attribute__((packed));
WIRE_SIZE(struct vmbus_channel_initiate_contact, 40);
WIRE_FIELD(struct vmbus_channel_initiate_contact, feature_flags, 20);
WIRE_FIELD(struct vmbus_channel_initiate_contact, monitor_page1, 24);

/* with VMBUS_FEATURE_CLIENT_ID (OpenVMM: InitiateContact2) */
struct vmbus_channel_initiate_contact2 {
	struct vmbus_channel_initiate_contact base;
	struct guid client_id;
} __attribute__((packed));
WIRE_SIZE(struct vmbus_channel_initiate_contact2, 56);

/* connection_state (OpenVMM: ConnectionState) */
#define VMBUS_CONNECTION_OK            0
#define VMBUS_CONNECTION_LOW_RESOURCES 1
#define VMBUS_CONNECTION_FAILED        2

struct vmbus_channel_version_response {
	struct vmbus_channel_message_header header;
	uint8_t version_supported;
	uint8_t connection_state;
	uint16_t padding;
	/* from 5.0: where to post from now on; below: the version */
	uint32_t msg_conn_id;
} __attribute__((packed));
WIRE_SIZE(struct vmbus_channel_version_response, 16);

/* from 6.0 (OpenVMM: VersionResponse2) */
struct vmbus_channel_version_response2 {
	struct vmbus_channel_version_response base;
	uint32_t feature_flags;
} __attribute__((packed));
WIRE_SIZE(struct vmbus_channel_version_response2, 20);

/* with VMBUS_FEATURE_SERVER_MONITOR_PAGES (OpenVMM: VersionResponse3) */
struct vmbus_channel_version_response3 {
	struct vmbus_channel_version_response2 base;
	uint32_t padding;
	uint64_t monitor_page1;
	uint64_t monitor_page2;
} __attribute__((packed));
WIRE_SIZE(struct vmbus_channel_version_response3, 40);

/* OpenVMM: OpenReservedChannel */
struct vmbus_channel_open_reserved {
	struct vmbus_channel_message_header header;
	uint32_t child_relid;
	uint32_t target_vp;
	uint32_t target_sint;
	uint32_t ringbuffer_gpadlhandle;
	uint32_t downstream_ringbuffer_pageoffset;
} __attribute__((packed));
WIRE_SIZE(struct vmbus_channel_open_reserved, 28);

/* OpenVMM: CloseReservedChannel */
struct vmbus_channel_close_reserved {
	struct vmbus_channel_message_header header;
	uint32_t child_relid;
	uint32_t target_vp;
	uint32_t target_sint;
} __attribute__((packed));
WIRE_SIZE(struct vmbus_channel_close_reserved, 20);

/* OpenVMM: CloseReservedChannelResponse */
struct vmbus_channel_close_reserved_result {
	struct vmbus_channel_message_header header;
	uint32_t child_relid;
} __attribute__((packed));
WIRE_SIZE(struct vmbus_channel_close_reserved_result, 12);

struct vmbus_channel_tl_connect_request {
	struct vmbus_channel_message_header header;
	struct guid guest_endpoint_id;
	struct guid host_service_id;
} __attribute__((packed));
WIRE_SIZE(struct vmbus_channel_tl_connect_request, 40);

/* from 5.2, where the guest cares (OpenVMM: TlConnectRequest2) */
struct vmbus_channel_tl_connect_request2 {
	struct vmbus_channel_tl_connect_request base;
	struct guid silo_id;
} __attribute__((packed));
WIRE_SIZE(struct vmbus_channel_tl_connect_request2, 56);

/* OpenVMM: TlConnectResult */
struct vmbus_channel_tl_connect_result {
	struct vmbus_channel_message_header header;
	struct guid guest_endpoint_id;
	struct guid host_service_id;
	uint32_t status;
} __attribute__((packed));
WIRE_SIZE(struct vmbus_channel_tl_connect_result, 44);

struct vmbus_channel_modifychannel {
	struct vmbus_channel_message_header header;
	uint32_t child_relid;
	uint32_t target_vp;
} __attribute__((packed));
WIRE_SIZE(struct vmbus_channel_modifychannel, 16);

struct vmbus_channel_modifychannel_response {
	struct vmbus_channel_message_header header;
	uint32_t child_relid;
	uint32_t status;
} __attribute__((packed));
WIRE_SIZE(struct vmbus_channel_modifychannel_response, 16);

/* OpenVMM: ModifyConnection */
struct vmbus_channel_modify_connection {
	struct vmbus_channel_message_header header;
	uint64_t monitor_page1;
	uint64_t monitor_page2;
} __attribute__((packed));
WIRE_SIZE(struct vmbus_channel_modify_connection, 24);

/* OpenVMM: ModifyConnectionResponse */
struct vmbus_channel_modify_connection_done {
	struct vmbus_channel_message_header header;
	uint8_t connection_state;
} __attribute__((packed));
WIRE_SIZE(struct vmbus_channel_modify_connection_done, 9);

/* --- rings ------------------------------------------------------------- */

/* feature_bits */
#define HV_RING_FEATURE_PENDING_SEND_SZ (1u << 0)

/* The header page of one direction; the data follow it. */
struct hv_ring_buffer {
	uint32_t write_index; /* sender's; multiple of 8 */
	uint32_t read_index; /* receiver's; multiple of 8 */
	uint32_t interrupt_mask; /* receiver's */
	uint32_t pending_send_sz; /* sender's */
	uint32_t reserved1[12];
	uint32_t feature_bits;
	uint8_t reserved2[4028];
} __attribute__((packed));
WIRE_SIZE(struct hv_ring_buffer, 4096);
WIRE_FIELD(struct hv_ring_buffer, feature_bits, 64);

/* --- packets ----------------------------------------------------------- */

#define VM_PKT_INVALID               0x0
#define VM_PKT_SYNCH                 0x1
#define VM_PKT_ADD_XFER_PAGESET      0x2
#define VM_PKT_RM_XFER_PAGESET       0x3
#define VM_PKT_ESTABLISH_GPADL       0x4
#define VM_PKT_TEARDOWN_GPADL        0x5
#define VM_PKT_DATA_INBAND           0x6
#define VM_PKT_DATA_USING_XFER_PAGES 0x7
#define VM_PKT_DATA_USING_GPADL      0x8
#define VM_PKT_DATA_USING_GPA_DIRECT 0x9
#define VM_PKT_CANCEL_REQUEST        0xA
#define VM_PKT_COMP                  0xB
#define VM_PKT_ADDITIONAL_PKT        0xC
#define VM_PKT_ADDITIONAL_DATA       0xD

#define VMBUS_DATA_PACKET_FLAG_COMPLETION_REQUESTED 1

struct vmpacket_descriptor {
	uint16_t type;
	uint16_t offset8; /* to the payload, in 8 bytes */
	uint16_t len8; /* of all, in 8 bytes, without the trailer */
	uint16_t flags;
	uint64_t trans_id;
} __attribute__((packed));
WIRE_SIZE(struct vmpacket_descriptor, 16);

/* After a packet; not counted in len8 (Linux: VMBUS_PKT_TRAILER). */
struct vmpacket_trailer {
	uint32_t reserved;
	uint32_t start_offset; /* write index before this packet */
} __attribute__((packed));
WIRE_SIZE(struct vmpacket_trailer, 8);

struct vmtransfer_page_range {
	uint32_t byte_count;
	uint32_t byte_offset;
} __attribute__((packed));
WIRE_SIZE(struct vmtransfer_page_range, 8);

struct vmtransfer_page_packet_header {
	struct vmpacket_descriptor d;
	uint16_t xfer_pageset_id;
	uint8_t sender_owns_set;
	uint8_t reserved;
	uint32_t range_cnt;
	/* struct vmtransfer_page_range ranges[] */
} __attribute__((packed));
WIRE_SIZE(struct vmtransfer_page_packet_header, 24);

struct vmdata_gpa_direct {
	struct vmpacket_descriptor d;
	uint32_t reserved;
	uint32_t range_cnt;
	/* struct gpa_range range[] */
} __attribute__((packed));
WIRE_SIZE(struct vmdata_gpa_direct, 24);

/* --- pipes ------------------------------------------------------------- */

/* In front of the payload on a pipe (Linux: vmbuspipe_hdr). */
struct vmbuspipe_hdr {
	uint32_t flags;
	uint32_t msgsize;
} __attribute__((packed));
WIRE_SIZE(struct vmbuspipe_hdr, 8);

#define VMBUS_PIPE_DATA 1

/* --- monitor pages ------------------------------------------------------ */

#define HV_MONITOR_GROUPS   4
#define HV_MONITOR_TRIGGERS 32

struct hv_monitor_trigger_group {
	uint32_t pending;
	uint32_t armed;
} __attribute__((packed));
WIRE_SIZE(struct hv_monitor_trigger_group, 8);

struct hv_monitor_parameter {
	uint32_t connectionid;
	uint16_t flag_number;
	uint16_t reserved;
} __attribute__((packed));
WIRE_SIZE(struct hv_monitor_parameter, 8);

struct hv_monitor_page {
	uint32_t trigger_state; /* bits 3:0 enable a group */
	uint32_t reserved1;
	struct hv_monitor_trigger_group trigger_group[HV_MONITOR_GROUPS];
	uint64_t reserved2[3];
	int32_t next_checktime[HV_MONITOR_GROUPS][HV_MONITOR_TRIGGERS];
	uint16_t latency[HV_MONITOR_GROUPS][HV_MONITOR_TRIGGERS]; /* 100 ns */
	uint64_t reserved3[32];
	struct hv_monitor_parameter parameter[HV_MONITOR_GROUPS]
					     [HV_MONITOR_TRIGGERS];
	uint8_t reserved4[1984];
} __attribute__((packed));
WIRE_SIZE(struct hv_monitor_page, 4096);
WIRE_FIELD(struct hv_monitor_page, next_checktime, 64);
WIRE_FIELD(struct hv_monitor_page, latency, 576);
WIRE_FIELD(struct hv_monitor_page, parameter, 1088);

#endif
