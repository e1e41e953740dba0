/* SPDX-License-Identifier: MIT */
/*
 * storvsp.h - messages of storage on VMbus.
 *
 * Names as in Linux drivers/scsi/storvsc_drv.c; SRB is Windows' name for a
 * SCSI request.
 */
#ifndef PROTO_STORVSP_H
#define PROTO_STORVSP_H

#include "proto/wire.h"

/* major << 8 | minor (vmstor_protocols) */
#define VMSTOR_PROTO_VERSION_WIN6   0x0200u
#define VMSTOR_PROTO_VERSION_WIN7   0x0402u
#define VMSTOR_PROTO_VERSION_WIN8   0x0501u
#define VMSTOR_PROTO_VERSION_WIN8_1 0x0600u
#define VMSTOR_PROTO_VERSION_WIN10  0x0602u

/* operation of a vstor_packet */
#define VSTOR_OPERATION_COMPLETE_IO            1 /* all that the host answers */
#define VSTOR_OPERATION_REMOVE_DEVICE          2 /* of the host */
#define VSTOR_OPERATION_EXECUTE_SRB            3
#define VSTOR_OPERATION_RESET_LUN              4
#define VSTOR_OPERATION_RESET_ADAPTER          5
#define VSTOR_OPERATION_RESET_BUS              6
#define VSTOR_OPERATION_BEGIN_INITIALIZATION   7
#define VSTOR_OPERATION_END_INITIALIZATION     8
#define VSTOR_OPERATION_QUERY_PROTOCOL_VERSION 9
#define VSTOR_OPERATION_QUERY_PROPERTIES       10
#define VSTOR_OPERATION_ENUMERATE_BUS          11 /* of the host */
#define VSTOR_OPERATION_FCHBA_DATA             12
#define VSTOR_OPERATION_CREATE_SUB_CHANNELS    13
#define N_VSTOR_OPERATIONS                     14

/* status: Windows' NTSTATUS */
#define NT_STATUS_SUCCESS                0x00000000u
#define NT_STATUS_INVALID_PARAMETER      0xC000000Du
#define NT_STATUS_INVALID_DEVICE_REQUEST 0xC0000010u
#define NT_STATUS_REVISION_MISMATCH      0xC0000059u
#define NT_STATUS_DEVICE_NOT_EXIST       0xC00000C0u
#define NT_STATUS_INVALID_DEVICE_STATE   0xC0000184u
#define NT_STATUS_IO_DEVICE_ERROR        0xC0000185u

/* srb_status; the lower six bits are a number (SRB_STATUS()) */
#define SRB_STATUS_AUTOSENSE_VALID 0x80u
#define SRB_STATUS_SUCCESS         0x01u
#define SRB_STATUS_ERROR           0x04u
#define SRB_STATUS_BUSY            0x05u
#define SRB_STATUS_INVALID_REQUEST 0x06u
#define SRB_STATUS_INVALID_LUN     0x20u

/* data_in */
#define VSTOR_DATA_WRITE 0u /* to the device (WRITE_TYPE) */
#define VSTOR_DATA_READ  1u
#define VSTOR_DATA_NONE  2u /* UNKNOWN_TYPE */

#define STORVSC_MAX_CMD_LEN                16u
/* Of sense data; what a guest has room for below VMSTOR_PROTO_VERSION_WIN8. */
#define STORVSC_SENSE_BUFFER_SIZE          20u
#define PRE_WIN8_STORVSC_SENSE_BUFFER_SIZE 18u

struct vmscsi_request {
	uint16_t length;
	uint8_t srb_status;
	uint8_t scsi_status;
	uint8_t port_number;
	uint8_t path_id;
	uint8_t target_id;
	uint8_t lun;
	uint8_t cdb_length;
	uint8_t sense_info_length;
	uint8_t data_in;
	uint8_t reserved;
	uint32_t data_transfer_length;
	union {
		uint8_t cdb[STORVSC_MAX_CMD_LEN]; /* to the host */
		uint8_t sense_data[STORVSC_SENSE_BUFFER_SIZE];
	};
	/* since VMSTOR_PROTO_VERSION_WIN8 */
	uint16_t reserve;
	uint8_t queue_tag;
	uint8_t queue_action;
	uint32_t srb_flags;
	uint32_t time_out_value;
	uint32_t queue_sort_ey;
} __attribute__((packed));
WIRE_SIZE(struct vmscsi_request, 52);
WIRE_FIELD(struct vmscsi_request, data_transfer_length, 12);
WIRE_FIELD(struct vmscsi_request, sense_data, 16);
WIRE_FIELD(struct vmscsi_request, srb_flags, 40);

/* flags: the guest may ask for sub-channels */
#define STORAGE_CHANNEL_SUPPORTS_MULTI_CHANNEL 0x1u

struct vmstorage_channel_properties {
	uint32_t reserved;
	uint16_t max_channel_cnt; /* of sub-channels */
	uint16_t reserved1;
	uint32_t flags;
	uint32_t max_transfer_bytes;
	uint64_t reserved2;
} __attribute__((packed));
WIRE_SIZE(struct vmstorage_channel_properties, 24);
WIRE_FIELD(struct vmstorage_channel_properties, max_transfer_bytes, 12);

/* What an offer of an IDE disk carries. */
#define STORAGE_OFFER_IDE 0x2u /* flags (Linux: STORAGE_CHANNEL_EMULATED_…) */

struct vmstorage_ide_offer {
	uint16_t reserved;
	uint8_t path_id;
	uint8_t target_id;
	uint32_t reserved1;
	uint32_t flags;
	uint8_t reserved2[12];
} __attribute__((packed));
WIRE_SIZE(struct vmstorage_ide_offer, 24);
WIRE_FIELD(struct vmstorage_ide_offer, flags, 8);

struct vmstorage_protocol_version {
	uint16_t major_minor;
	uint16_t revision;
} __attribute__((packed));
WIRE_SIZE(struct vmstorage_protocol_version, 4);

struct vstor_packet {
	uint32_t operation;
	uint32_t flags;
	uint32_t status;
	union {
		struct vmscsi_request vm_srb;
		struct vmstorage_channel_properties storage_channel_properties;
		struct vmstorage_protocol_version version;
		uint16_t sub_channel_count;
	};
} __attribute__((packed));
WIRE_SIZE(struct vstor_packet, 64);
WIRE_FIELD(struct vstor_packet, vm_srb, 12);

/*
 * What a guest sends that has not heard of a version since
 * VMSTOR_PROTO_VERSION_WIN8: the packet without its last fields
 * (vmscsi_size_delta).
 */
#define VSTOR_PACKET_V1_SIZE 48u

#endif
