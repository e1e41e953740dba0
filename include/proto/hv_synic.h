/* SPDX-License-Identifier: MIT */
/*
 * hv_synic.h - SynIC and stimer registers, message and event-flag pages,
 * reference TSC page, VP assist page.
 *
 * Source: TLFS "Inter-Partition Communication" (SynIC Registers, SIM and SIEF
 * pages), "Timers", "Virtual Interrupts"; names as in Linux
 * include/hyperv/hvgdk_mini.h.
 */
#ifndef PROTO_HV_SYNIC_H
#define PROTO_HV_SYNIC_H

#include "proto/wire.h"

#define HV_SYNIC_SINT_COUNT       16
#define HV_SYNIC_STIMER_COUNT     4
#define HV_SYNIC_VERSION          1
#define HV_EVENT_FLAGS_COUNT      2048
#define HV_EVENT_FLAGS_BYTE_COUNT 256
#define HV_MESSAGE_SIZE           256

#define HV_SYNIC_CONTROL_ENABLE (1ull << 0)

/* HV_X64_MSR_SINTx */
#define HV_SYNIC_SINT_VECTOR_MASK   0xFFull
#define HV_SYNIC_SINT_MASKED        (1ull << 16)
#define HV_SYNIC_SINT_AUTO_EOI      (1ull << 17)
#define HV_SYNIC_SINT_POLLING       (1ull << 18)
#define HV_SYNIC_SINT_RSVD_MASK     0xFFFFFFFFFFF8FF00ull
#define HV_SYNIC_FIRST_VALID_VECTOR 16

/* Message types */
#define HVMSG_NONE          0x00000000u
#define HVMSG_VMBUS         0x00000001u
#define HVMSG_TIMER_EXPIRED 0x80000010u

#define HV_MESSAGE_FLAG_PENDING (1u << 0)
#define HV_MESSAGE_PAYLOAD_MAX  240

struct hv_message_header {
	uint32_t message_type;
	uint8_t payload_size;
	uint8_t message_flags;
	uint16_t reserved;
	uint64_t sender;
};
WIRE_SIZE(struct hv_message_header, 16);

struct hv_message {
	struct hv_message_header header;
	uint8_t payload[HV_MESSAGE_PAYLOAD_MAX];
};
WIRE_SIZE(struct hv_message, HV_MESSAGE_SIZE);

struct hv_timer_message_payload {
	uint32_t timer_index;
	uint32_t reserved;
	uint64_t expiration_time;
	uint64_t delivery_time;
};
WIRE_SIZE(struct hv_timer_message_payload, 24);

/* HV_X64_MSR_STIMERn_CONFIG */
#define HV_STIMER_ENABLE       (1ull << 0)
#define HV_STIMER_PERIODIC     (1ull << 1)
#define HV_STIMER_LAZY         (1ull << 2)
#define HV_STIMER_AUTO_ENABLE  (1ull << 3)
#define HV_STIMER_VECTOR_SHIFT 4
#define HV_STIMER_VECTOR_MASK  0xFFull
#define HV_STIMER_DIRECT_MODE  (1ull << 12)
#define HV_STIMER_SINTX_SHIFT  16
#define HV_STIMER_SINTX_MASK   0xFull
#define HV_STIMER_RSVD_MASK    0xFFFFFFFFFFF0E000ull

/* HV_REFERENCE_TSC_PAGE */
#define HV_REFERENCE_TSC_SEQUENCE_INVALID 0u

struct ms_hyperv_tsc_page {
	uint32_t tsc_sequence;
	uint32_t reserved1;
	uint64_t tsc_scale;
	int64_t tsc_offset;
};
WIRE_SIZE(struct ms_hyperv_tsc_page, 24);

/* HV_VP_ASSIST_PAGE: the first word is all that a guest without VTLs uses */
#define HV_VP_ASSIST_NO_EOI_REQUIRED (1u << 0)

#endif
