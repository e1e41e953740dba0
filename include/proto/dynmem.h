/* SPDX-License-Identifier: MIT */
/*
 * dynmem.h - messages of dynamic memory: the balloon, and hot add.
 *
 * Names as in Linux drivers/hv/hv_balloon.c; where it has bit fields there are
 * masks here.  Counts are pages of 4 KiB.
 */
#ifndef PROTO_DYNMEM_H
#define PROTO_DYNMEM_H

#include "proto/wire.h"

/* major << 16 | minor; Linux numbers them 1, 2, 3 */
#define DYNMEM_PROTOCOL_VERSION_WIN7  0x00000003u /* 0.3 */
#define DYNMEM_PROTOCOL_VERSION_WIN8  0x00010000u /* 1.0 */
#define DYNMEM_PROTOCOL_VERSION_WIN10 0x00020000u /* 2.0 */

#define DM_ERROR                 0
#define DM_VERSION_REQUEST       1
#define DM_VERSION_RESPONSE      2
#define DM_CAPABILITIES_REPORT   3
#define DM_CAPABILITIES_RESPONSE 4
#define DM_STATUS_REPORT         5
#define DM_BALLOON_REQUEST       6
#define DM_BALLOON_RESPONSE      7
#define DM_UNBALLOON_REQUEST     8
#define DM_UNBALLOON_RESPONSE    9
#define DM_MEM_HOT_ADD_REQUEST   10
#define DM_MEM_HOT_ADD_RESPONSE  11
#define DM_INFO_MESSAGE          12 /* from 1.0 */

struct dm_header {
	uint16_t type;
	uint16_t size; /* of all */
	uint32_t trans_id;
} __attribute__((packed));
WIRE_SIZE(struct dm_header, 8);

struct dm_version_request {
	struct dm_header hdr;
	uint32_t version;
	uint32_t is_last_attempt; /* bit 0 */
} __attribute__((packed));
WIRE_SIZE(struct dm_version_request, 16);

/* is_accepted of both answers */
#define DM_ACCEPTED (1ull << 0)

struct dm_version_response {
	struct dm_header hdr;
	uint64_t is_accepted;
} __attribute__((packed));
WIRE_SIZE(struct dm_version_response, 16);

#define DM_CAPS_BALLOON         0x01ull
#define DM_CAPS_HOT_ADD         0x02ull
/* bits 5:2 alignment of hot add, log2 of MiB */
#define DM_CAPS_ADD_ALIGN_SHIFT 2
#define DM_CAPS_ADD_ALIGN_MASK  0xFull

struct dm_capabilities {
	struct dm_header hdr;
	uint64_t caps;
	uint64_t min_page_cnt;
	uint64_t max_page_number;
} __attribute__((packed));
WIRE_SIZE(struct dm_capabilities, 32);

struct dm_capabilities_resp_msg {
	struct dm_header hdr;
	uint64_t is_accepted;
} __attribute__((packed));
WIRE_SIZE(struct dm_capabilities_resp_msg, 16);

struct dm_status {
	struct dm_header hdr;
	uint64_t num_avail;
	uint64_t num_committed;
	uint64_t page_file_size;
	uint64_t zero_free;
	uint32_t page_file_writes;
	uint32_t io_diff;
} __attribute__((packed));
WIRE_SIZE(struct dm_status, 48);

struct dm_balloon {
	struct dm_header hdr;
	uint32_t num_pages; /* Linux: a multiple of 512 */
	uint32_t reservedz;
} __attribute__((packed));
WIRE_SIZE(struct dm_balloon, 16);

/* union dm_mem_page_range: a first page and a number of pages */
#define DM_RANGE_START_MASK  ((1ull << 40) - 1)
#define DM_RANGE_COUNT_SHIFT 40
#define DM_RANGE_COUNT_MAX   ((1u << 24) - 1)

struct dm_balloon_response {
	struct dm_header hdr;
	uint32_t reservedz;
	uint32_t more_pages; /* bit 0 more come; bits 31:1 range count */
	/* uint64_t range_array[] */
} __attribute__((packed));
WIRE_SIZE(struct dm_balloon_response, 16);

struct dm_unballoon_request {
	struct dm_header hdr;
	uint32_t more_pages; /* bit 0 */
	uint32_t range_count;
	/* uint64_t range_array[] */
} __attribute__((packed));
WIRE_SIZE(struct dm_unballoon_request, 16);

/* more_pages of both */
#define DM_MORE_PAGES             (1u << 0)
#define DM_MORE_PAGES_COUNT_SHIFT 1

struct dm_unballoon_response {
	struct dm_header hdr;
} __attribute__((packed));
WIRE_SIZE(struct dm_unballoon_response, 8);

struct dm_hot_add {
	struct dm_header hdr;
	uint64_t range;
} __attribute__((packed));
WIRE_SIZE(struct dm_hot_add, 16);

struct dm_hot_add_response {
	struct dm_header hdr;
	uint32_t page_count;
	uint32_t result; /* 1: success, or never again */
} __attribute__((packed));
WIRE_SIZE(struct dm_hot_add_response, 16);

#define INFO_TYPE_MAX_PAGE_CNT 0

/* With the one information that there is. */
struct dm_info_msg {
	struct dm_header hdr;
	uint32_t reserved;
	uint32_t info_size; /* of what follows */
	uint32_t type;
	uint32_t data_size;
	uint64_t max_page_count;
} __attribute__((packed));
WIRE_SIZE(struct dm_info_msg, 32);
WIRE_FIELD(struct dm_info_msg, max_page_count, 24);

#endif
