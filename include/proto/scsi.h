/* SPDX-License-Identifier: MIT */
/*
 * scsi.h - commands, sense data and pages of SCSI disks.
 *
 * Opcodes, statuses and sense keys are named as in Linux
 * include/scsi/scsi_proto.h, the rest as in SPC-4, SBC-3 and SAM-5.
 */
#ifndef PROTO_SCSI_H
#define PROTO_SCSI_H

#include "proto/big_endian.h"
#include "proto/wire.h"

/* --- operation codes ------------------------------------------------------- */

#define TEST_UNIT_READY               0x00
#define REQUEST_SENSE                 0x03
#define READ_6                        0x08
#define WRITE_6                       0x0a
#define INQUIRY                       0x12
#define MODE_SELECT                   0x15
#define MODE_SENSE                    0x1a
#define START_STOP                    0x1b
#define ALLOW_MEDIUM_REMOVAL          0x1e
#define READ_CAPACITY                 0x25
#define READ_10                       0x28
#define WRITE_10                      0x2a
#define WRITE_VERIFY                  0x2e
#define VERIFY                        0x2f
#define SYNCHRONIZE_CACHE             0x35
#define WRITE_SAME                    0x41
#define UNMAP                         0x42
#define READ_TOC                      0x43
#define GET_CONFIGURATION             0x46
#define GET_EVENT_STATUS_NOTIFICATION 0x4a
#define READ_DISC_INFO                0x51
#define MODE_SELECT_10                0x55
#define MODE_SENSE_10                 0x5a
#define PERSISTENT_RESERVE_IN         0x5e
#define PERSISTENT_RESERVE_OUT        0x5f
#define READ_16                       0x88
#define COMPARE_AND_WRITE             0x89
#define WRITE_16                      0x8a
#define WRITE_VERIFY_16               0x8e
#define VERIFY_16                     0x8f
#define SYNCHRONIZE_CACHE_16          0x91
#define WRITE_SAME_16                 0x93
#define SERVICE_ACTION_IN_16          0x9e
#define REPORT_LUNS                   0xa0
#define MAINTENANCE_IN                0xa3
#define READ_12                       0xa8
#define WRITE_12                      0xaa
#define READ_DVD_STRUCTURE            0xad
#define WRITE_VERIFY_12               0xae
#define VERIFY_12                     0xaf
#define MECHANISM_STATUS              0xbd

/* service actions of SERVICE_ACTION_IN_16 */
#define SAI_READ_CAPACITY_16                0x10
#define SAI_GET_LBA_STATUS                  0x12
/* of MAINTENANCE_IN */
#define MI_REPORT_SUPPORTED_OPERATION_CODES 0x0c

/* --- statuses and sense data ------------------------------------------------ */

#define SAM_STAT_GOOD                 0x00
#define SAM_STAT_CHECK_CONDITION      0x02
#define SAM_STAT_BUSY                 0x08
#define SAM_STAT_RESERVATION_CONFLICT 0x18

#define NO_SENSE        0x0
#define NOT_READY       0x2
#define MEDIUM_ERROR    0x3
#define HARDWARE_ERROR  0x4
#define ILLEGAL_REQUEST 0x5
#define UNIT_ATTENTION  0x6
#define DATA_PROTECT    0x7
#define MISCOMPARE      0xe

/* Key, additional sense code and qualifier in one number. */
#define SENSE(key, asc, ascq) ((uint32_t)(key) << 16 | (asc) << 8 | (ascq))

#define SENSE_NONE              SENSE(NO_SENSE, 0x00, 0x00)
#define SENSE_BECOMING_READY    SENSE(NOT_READY, 0x04, 0x01)
#define SENSE_NO_MEDIUM_CLOSED  SENSE(NOT_READY, 0x3a, 0x01)
#define SENSE_NO_MEDIUM_OPEN    SENSE(NOT_READY, 0x3a, 0x02)
#define SENSE_WRITE_ERROR       SENSE(MEDIUM_ERROR, 0x0c, 0x00)
#define SENSE_READ_ERROR        SENSE(MEDIUM_ERROR, 0x11, 0x00)
#define SENSE_LIST_LENGTH       SENSE(ILLEGAL_REQUEST, 0x1a, 0x00)
#define SENSE_INVALID_OPCODE    SENSE(ILLEGAL_REQUEST, 0x20, 0x00)
#define SENSE_LBA_OUT_OF_RANGE  SENSE(ILLEGAL_REQUEST, 0x21, 0x00)
#define SENSE_INVALID_CDB       SENSE(ILLEGAL_REQUEST, 0x24, 0x00)
#define SENSE_NO_SUCH_LUN       SENSE(ILLEGAL_REQUEST, 0x25, 0x00)
#define SENSE_INVALID_PARAMETER SENSE(ILLEGAL_REQUEST, 0x26, 0x00)
#define SENSE_INVALID_RELEASE   SENSE(ILLEGAL_REQUEST, 0x26, 0x04)
#define SENSE_INCOMPATIBLE      SENSE(ILLEGAL_REQUEST, 0x30, 0x02)
#define SENSE_SAVING            SENSE(ILLEGAL_REQUEST, 0x39, 0x00)
#define SENSE_REMOVAL_PREVENTED SENSE(ILLEGAL_REQUEST, 0x53, 0x02)
#define SENSE_MEDIUM_CHANGED    SENSE(UNIT_ATTENTION, 0x28, 0x00)
#define SENSE_RESET             SENSE(UNIT_ATTENTION, 0x29, 0x00)
#define SENSE_CAPACITY_CHANGED  SENSE(UNIT_ATTENTION, 0x2a, 0x09)
#define SENSE_WRITE_PROTECTED   SENSE(DATA_PROTECT, 0x27, 0x00)
#define SENSE_NO_SPACE          SENSE(DATA_PROTECT, 0x27, 0x07)
#define SENSE_MISCOMPARE        SENSE(MISCOMPARE, 0x1d, 0x00)

/* Fixed format (SPC-4 "Fixed format sense data"). */
#define SENSE_FIXED_CURRENT 0x70
#define SENSE_INFO_VALID    0x80 /* in response_code: information is one */
/* sense_key_specific of ILLEGAL REQUEST: where the fault is */
#define SENSE_SKS_VALID     0x80
#define SENSE_SKS_CDB       0x40 /* else in the parameter list */
#define SENSE_SKS_BIT       0x08 /* the low three bits are a bit of that byte */

struct scsi_sense_fixed {
	uint8_t response_code;
	uint8_t obsolete;
	uint8_t key;
	struct be32 information;
	uint8_t additional_length;
	uint8_t command_specific[4];
	uint8_t asc, ascq;
	uint8_t fru;
	uint8_t sks_flags;
	struct be16 sks_pointer;
};
WIRE_SIZE(struct scsi_sense_fixed, 18);
WIRE_FIELD(struct scsi_sense_fixed, asc, 12);

/* --- commands --------------------------------------------------------------- */

struct scsi_cdb_rw6 {
	uint8_t opcode;
	struct be24 lba; /* 21 bits */
	uint8_t blocks; /* 0 is 256 */
	uint8_t control;
};
WIRE_SIZE(struct scsi_cdb_rw6, 6);

#define RW6_LBA_MASK 0x1fffffu

/* flags, byte 1 of all longer reads, writes and verifications */
#define RW_PROTECT_SHIFT 5
#define RW_PROTECT_MASK  0xe0
#define RW_FUA           0x08
#define RW_BYTCHK_MASK   0x06
#define RW_BYTCHK_DATA   0x02 /* compare with the data that come along */

struct scsi_cdb_rw10 {
	uint8_t opcode, flags;
	struct be32 lba;
	uint8_t group;
	struct be16 blocks;
	uint8_t control;
};
WIRE_SIZE(struct scsi_cdb_rw10, 10);

struct scsi_cdb_rw12 {
	uint8_t opcode, flags;
	struct be32 lba;
	struct be32 blocks;
	uint8_t group, control;
};
WIRE_SIZE(struct scsi_cdb_rw12, 12);

struct scsi_cdb_rw16 {
	uint8_t opcode, flags;
	struct be64 lba;
	struct be32 blocks;
	uint8_t group, control;
};
WIRE_SIZE(struct scsi_cdb_rw16, 16);

/* COMPARE AND WRITE is alike, but its number has one byte. */
#define COMPARE_AND_WRITE_COUNT 13

struct scsi_cdb_inquiry {
	uint8_t opcode, flags, page;
	struct be16 allocation;
	uint8_t control;
};
WIRE_SIZE(struct scsi_cdb_inquiry, 6);

#define INQUIRY_EVPD  0x01
#define INQUIRY_CMDDT 0x02 /* obsolete */

struct scsi_cdb_sai16 {
	uint8_t opcode, action;
	struct be64 lba;
	struct be32 allocation;
	uint8_t flags, control;
};
WIRE_SIZE(struct scsi_cdb_sai16, 16);

#define SERVICE_ACTION_MASK 0x1f

struct scsi_cdb_report_luns {
	uint8_t opcode, reserved, select, reserved2[3];
	struct be32 allocation;
	uint8_t reserved3, control;
};
WIRE_SIZE(struct scsi_cdb_report_luns, 12);

/* select: which units (SPC-4 "REPORT LUNS command") */
#define REPORT_LUNS_ADDRESSABLE 0x00
#define REPORT_LUNS_WELL_KNOWN  0x01
#define REPORT_LUNS_ALL         0x02
#define REPORT_LUNS_ALLOC_MIN   16

struct scsi_cdb_report_opcodes {
	uint8_t opcode, action, options, requested;
	struct be16 requested_action;
	struct be32 allocation;
	uint8_t reserved, control;
};
WIRE_SIZE(struct scsi_cdb_report_opcodes, 12);

#define REPORT_OPCODES_RCTD   0x80 /* with timeouts */
#define REPORT_OPCODES_MASK   0x07
#define REPORT_OPCODES_ALL    0x00
#define REPORT_OPCODES_NO_SA  0x01
#define REPORT_OPCODES_SA     0x02
#define REPORT_OPCODES_EITHER 0x03

/* byte 4 of START_STOP */
#define START_STOP_START          0x01
#define START_STOP_LOEJ           0x02
#define START_STOP_NO_FLUSH       0x04
#define START_STOP_CONDITION_MASK 0xf0

/* byte 1 of REQUEST_SENSE, of READ_CAPACITY (byte 8) */
#define REQUEST_SENSE_DESC 0x01
#define READ_CAPACITY_PMI  0x01

/* --- INQUIRY ---------------------------------------------------------------- */

#define TYPE_DISK   0x00
#define TYPE_ROM    0x05
#define TYPE_NO_LUN 0x7f /* qualifier 3: no unit can be here */

#define INQUIRY_REMOVABLE    0x80
#define INQUIRY_VERSION_SPC3 0x05
#define INQUIRY_FORMAT       0x02
#define INQUIRY_CMDQUE       0x02

struct scsi_inquiry_data {
	uint8_t peripheral, removable, version, format;
	uint8_t additional_length;
	uint8_t flags5, flags6, flags7;
	char vendor[8];
	char product[16];
	char revision[4];
	uint8_t vendor_specific[20];
	uint8_t reserved[2];
	struct be16 version_descriptors[8];
	uint8_t reserved2[22];
};
WIRE_SIZE(struct scsi_inquiry_data, 96);
WIRE_FIELD(struct scsi_inquiry_data, version_descriptors, 58);

#define VPD_SUPPORTED_PAGES    0x00
#define VPD_UNIT_SERIAL        0x80
#define VPD_DEVICE_ID          0x83
#define VPD_EXTENDED_INQUIRY   0x86
#define VPD_BLOCK_LIMITS       0xb0
#define VPD_BLOCK_DEVICE       0xb1
#define VPD_BLOCK_PROVISIONING 0xb2

struct scsi_vpd_header {
	uint8_t peripheral, page;
	struct be16 length;
};
WIRE_SIZE(struct scsi_vpd_header, 4);

/* Designators of page 83h. */
#define DESIGNATOR_BINARY 0x01 /* code sets */
#define DESIGNATOR_ASCII  0x02
#define DESIGNATOR_T10    0x01 /* types, of the logical unit */
#define DESIGNATOR_NAA    0x03

struct scsi_designator {
	uint8_t code_set, type, reserved, length;
};
WIRE_SIZE(struct scsi_designator, 4);

/* NAA 6 and Microsoft's company id, 00-22-48 */
#define NAA_MICROSOFT 0x60022480u

struct scsi_vpd_extended {
	struct scsi_vpd_header header;
	uint8_t check, task, cache, luiclr;
	uint8_t reserved[56];
};
WIRE_SIZE(struct scsi_vpd_extended, 64);

#define EXTENDED_SIMPSUP 0x01
#define EXTENDED_V_SUP   0x01
#define EXTENDED_LUICLR  0x01

struct scsi_vpd_limits {
	struct scsi_vpd_header header;
	uint8_t wsnz;
	uint8_t max_compare_and_write;
	struct be16 transfer_granularity;
	struct be32 max_transfer, optimal_transfer, max_prefetch;
	struct be32 max_unmap_blocks, max_unmap_descriptors;
	struct be32 unmap_granularity, unmap_alignment;
	struct be64 max_write_same;
	uint8_t reserved[20];
};
WIRE_SIZE(struct scsi_vpd_limits, 64);
WIRE_FIELD(struct scsi_vpd_limits, max_write_same, 36);

#define LIMITS_WSNZ     0x01
#define LIMITS_UGAVALID 0x80000000u

struct scsi_vpd_block_device {
	struct scsi_vpd_header header;
	struct be16 rotation_rate;
	uint8_t product_type, form_factor;
	uint8_t reserved[56];
};
WIRE_SIZE(struct scsi_vpd_block_device, 64);

#define ROTATION_RATE_NONE 1

struct scsi_vpd_provisioning {
	struct scsi_vpd_header header;
	uint8_t threshold_exponent;
	uint8_t flags;
	uint8_t type;
	uint8_t reserved;
};
WIRE_SIZE(struct scsi_vpd_provisioning, 8);

#define PROVISIONING_LBPU    0x80
#define PROVISIONING_LBPWS   0x40
#define PROVISIONING_LBPWS10 0x20
#define PROVISIONING_LBPRZ   0x04
#define PROVISIONING_THIN    0x02 /* type */

/* --- capacity and LUNs ------------------------------------------------------- */

struct scsi_capacity_10 {
	struct be32 last_lba, block_bytes;
};
WIRE_SIZE(struct scsi_capacity_10, 8);

struct scsi_capacity_16 {
	struct be64 last_lba;
	struct be32 block_bytes;
	uint8_t protection;
	uint8_t exponents; /* low 4 bits: logical blocks in a physical one */
	struct be16 provisioning; /* and the lowest aligned LBA */
	uint8_t reserved[16];
};
WIRE_SIZE(struct scsi_capacity_16, 32);

#define CAPACITY_LBPME 0x8000u
#define CAPACITY_LBPRZ 0x4000u

struct scsi_lba_header {
	struct be32 length; /* of what follows */
	uint8_t reserved[4];
};
WIRE_SIZE(struct scsi_lba_header, 8);

struct scsi_lba_descriptor {
	struct be64 lba;
	struct be32 blocks;
	uint8_t status;
	uint8_t reserved[3];
};
WIRE_SIZE(struct scsi_lba_descriptor, 16);

#define LBA_MAPPED      0 /* or not known */
#define LBA_DEALLOCATED 1

#define LUN_BYTES 8 /* of a LUN, and of the header, in REPORT LUNS data */

/* --- mode pages -------------------------------------------------------------- */

struct scsi_cdb_mode6 {
	uint8_t opcode, flags, page, subpage, length, control;
};
WIRE_SIZE(struct scsi_cdb_mode6, 6);

struct scsi_cdb_mode10 {
	uint8_t opcode, flags, page, subpage, reserved[3];
	struct be16 length;
	uint8_t control;
};
WIRE_SIZE(struct scsi_cdb_mode10, 10);

/* flags of MODE SENSE */
#define MODE_DBD           0x08
#define MODE_LLBAA         0x10
/* of MODE SELECT */
#define MODE_PF            0x10
#define MODE_SP            0x01
/* page of MODE SENSE */
#define MODE_PAGE_MASK     0x3f
#define MODE_CONTROL_SHIFT 6
#define MODE_CURRENT       0
#define MODE_CHANGEABLE    1
#define MODE_DEFAULT       2
#define MODE_SAVED         3

struct scsi_mode_header_6 {
	uint8_t length, medium_type, device, descriptor_bytes;
};
WIRE_SIZE(struct scsi_mode_header_6, 4);

struct scsi_mode_header_10 {
	struct be16 length;
	uint8_t medium_type, device, longlba, reserved;
	struct be16 descriptor_bytes;
};
WIRE_SIZE(struct scsi_mode_header_10, 8);

#define MODE_DEVICE_WP     0x80
#define MODE_DEVICE_DPOFUA 0x10
#define MODE_LONGLBA       0x01

struct scsi_mode_descriptor {
	struct be32 blocks;
	uint8_t reserved;
	struct be24 block_bytes;
};
WIRE_SIZE(struct scsi_mode_descriptor, 8);

struct scsi_mode_descriptor_long {
	struct be64 blocks;
	uint8_t reserved[4];
	struct be32 block_bytes;
};
WIRE_SIZE(struct scsi_mode_descriptor_long, 16);

#define MODE_PAGE_CACHING      0x08
#define MODE_PAGE_CONTROL      0x0a
#define MODE_PAGE_CAPABILITIES 0x2a
#define MODE_PAGE_ALL          0x3f
#define MODE_SUBPAGE_ALL       0xff
#define MODE_PAGE_PS           0x80 /* in the code: can be saved */
#define MODE_PAGE_SPF          0x40 /* a subpage */

struct scsi_mode_caching {
	uint8_t code, length, flags;
	uint8_t rest[17];
};
WIRE_SIZE(struct scsi_mode_caching, 20);

#define CACHING_WCE 0x04

struct scsi_mode_control {
	uint8_t code, length, flags2, flags3, flags4, flags5;
	uint8_t obsolete[2];
	struct be16 busy_timeout, self_test_time;
};
WIRE_SIZE(struct scsi_mode_control, 12);

#define CONTROL_REORDER 0x10 /* flags3: commands are done in any order */

/* --- REPORT SUPPORTED OPERATION CODES ---------------------------------------- */

struct scsi_opcode_descriptor {
	uint8_t opcode, reserved;
	struct be16 action;
	uint8_t reserved2, flags;
	struct be16 cdb_bytes;
};
WIRE_SIZE(struct scsi_opcode_descriptor, 8);

#define OPCODE_SERVACTV 0x01
#define OPCODE_CTDP     0x02 /* a timeouts descriptor follows */

struct scsi_opcode_timeouts {
	struct be16 length;
	uint8_t reserved, specific;
	struct be32 nominal, recommended;
};
WIRE_SIZE(struct scsi_opcode_timeouts, 12);

struct scsi_one_opcode {
	uint8_t reserved, support;
	struct be16 cdb_bytes;
};
WIRE_SIZE(struct scsi_one_opcode, 4);

#define ONE_OPCODE_CTDP      0x80
#define ONE_OPCODE_ABSENT    0x01
#define ONE_OPCODE_SUPPORTED 0x03

/* --- UNMAP and WRITE SAME ----------------------------------------------------- */

/* flags of WRITE SAME */
#define SAME_NDOB     0x01 /* no data: zeroes. Of 16 alone */
#define SAME_OBSOLETE 0x06
#define SAME_UNMAP    0x08
#define SAME_ANCHOR   0x10

struct scsi_cdb_unmap {
	uint8_t opcode, anchor, reserved[4], group;
	struct be16 length;
	uint8_t control;
};
WIRE_SIZE(struct scsi_cdb_unmap, 10);

#define UNMAP_ANCHOR 0x01

struct scsi_unmap_header {
	struct be16 bytes, descriptors_bytes;
	uint8_t reserved[4];
};
WIRE_SIZE(struct scsi_unmap_header, 8);

struct scsi_unmap_descriptor {
	struct be64 lba;
	struct be32 blocks;
	uint8_t reserved[4];
};
WIRE_SIZE(struct scsi_unmap_descriptor, 16);

/* --- PERSISTENT RESERVE --------------------------------------------------------- */

/* service actions of PERSISTENT RESERVE IN, Linux: PRIN */
#define PRI_READ_KEYS           0x00
#define PRI_READ_RESERVATION    0x01
#define PRI_REPORT_CAPABILITIES 0x02
#define PRI_READ_FULL_STATUS    0x03
/* of OUT */
#define PRO_REGISTER            0x00
#define PRO_RESERVE             0x01
#define PRO_RELEASE             0x02
#define PRO_CLEAR               0x03
#define PRO_PREEMPT             0x04
#define PRO_PREEMPT_AND_ABORT   0x05
#define PRO_REGISTER_AND_IGNORE 0x06

/* types; the scope, above them, is 0: the logical unit */
#define PR_WRITE_EXCLUSIVE              0x01
#define PR_EXCLUSIVE_ACCESS             0x03
#define PR_WRITE_EXCLUSIVE_REGISTRANTS  0x05
#define PR_EXCLUSIVE_ACCESS_REGISTRANTS 0x06
#define PR_WRITE_EXCLUSIVE_ALL          0x07
#define PR_EXCLUSIVE_ACCESS_ALL         0x08

struct scsi_cdb_reserve_in {
	uint8_t opcode, action, reserved[5];
	struct be16 allocation;
	uint8_t control;
};
WIRE_SIZE(struct scsi_cdb_reserve_in, 10);

struct scsi_cdb_reserve_out {
	uint8_t opcode, action, type, reserved[2];
	struct be32 length;
	uint8_t control;
};
WIRE_SIZE(struct scsi_cdb_reserve_out, 10);

struct scsi_reserve_list {
	struct be64 key, action_key;
	uint8_t obsolete[4];
	uint8_t flags;
	uint8_t reserved[3];
};
WIRE_SIZE(struct scsi_reserve_list, 24);

/* flags: SPEC_I_PT, ALL_TG_PT, APTPL */
#define PR_LIST_REFUSED 0x0d

struct scsi_reserve_header {
	struct be32 generation, length;
};
WIRE_SIZE(struct scsi_reserve_header, 8);

struct scsi_reservation_data {
	struct be64 key;
	uint8_t obsolete[4], reserved, type, obsolete2[2];
};
WIRE_SIZE(struct scsi_reservation_data, 16);

struct scsi_reserve_capabilities {
	struct be16 length;
	uint8_t flags, tmv;
	uint8_t types[2];
	uint8_t reserved[2];
};
WIRE_SIZE(struct scsi_reserve_capabilities, 8);

#define PR_TMV                       0x80 /* types are valid */
/* types: all of the first byte, one of the second */
#define PR_MASK_TYPES                0xea
#define PR_MASK_EXCLUSIVE_ACCESS_ALL 0x01

struct scsi_full_status {
	struct be64 key;
	uint8_t reserved[4], holder, type, reserved2[4];
	struct be16 port;
	struct be32 transport_bytes;
	uint8_t transport[24];
};
WIRE_SIZE(struct scsi_full_status, 48);

#define PR_HOLDER             0x01
#define PR_TRANSPORT_PARALLEL 0x01

#endif
