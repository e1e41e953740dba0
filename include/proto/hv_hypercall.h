/* SPDX-License-Identifier: MIT */
/*
 * hv_hypercall.h - hypercall codes, control and result words, parameter blocks.
 *
 * Source: TLFS "Hypercall Interface" and the page of each call; names as in
 * Linux include/hyperv/hvgdk_mini.h and hvhdk.h.
 */
#ifndef PROTO_HV_HYPERCALL_H
#define PROTO_HV_HYPERCALL_H

#include "proto/wire.h"

#define HVCALL_FLUSH_VIRTUAL_ADDRESS_SPACE        0x0002
#define HVCALL_FLUSH_VIRTUAL_ADDRESS_LIST         0x0003
#define HVCALL_NOTIFY_LONG_SPIN_WAIT              0x0008
#define HVCALL_SEND_IPI                           0x000B
#define HVCALL_FLUSH_VIRTUAL_ADDRESS_SPACE_EX     0x0013
#define HVCALL_FLUSH_VIRTUAL_ADDRESS_LIST_EX      0x0014
#define HVCALL_SEND_IPI_EX                        0x0015
#define HVCALL_GET_PARTITION_ID                   0x0046
#define HVCALL_GET_VP_REGISTERS                   0x0050
#define HVCALL_SET_VP_REGISTERS                   0x0051
#define HVCALL_POST_MESSAGE                       0x005C
#define HVCALL_SIGNAL_EVENT                       0x005D
#define HVCALL_RETARGET_INTERRUPT                 0x007E
#define HVCALL_START_VP                           0x0099
#define HVCALL_GET_VP_INDEX_FROM_APIC_ID          0x009A
#define HVCALL_FLUSH_GUEST_PHYSICAL_ADDRESS_SPACE 0x00AF
#define HVCALL_FLUSH_GUEST_PHYSICAL_ADDRESS_LIST  0x00B0
#define HVCALL_MMIO_READ                          0x0106
#define HVCALL_MMIO_WRITE                         0x0107
#define HV_EXT_CALL_QUERY_CAPABILITIES            0x8001
#define HV_EXT_CALL_GET_BOOT_ZEROED_MEMORY        0x8002
#define HV_EXT_CALL_MEMORY_HEAT_HINT              0x8003

#define HVCALL_MODIFY_SPARSE_GPA_PAGE_HOST_VISIBILITY 0x00DB

/* Control word (HV_HYPERCALL_INPUT) */
#define HV_HYPERCALL_CODE_MASK        0xFFFFull
#define HV_HYPERCALL_FAST_BIT         (1ull << 16)
#define HV_HYPERCALL_VARHEAD_OFFSET   17
#define HV_HYPERCALL_VARHEAD_MASK     0x3FFull
#define HV_HYPERCALL_RSVD0_MASK       (0xFull << 27)
#define HV_HYPERCALL_NESTED           (1ull << 31)
#define HV_HYPERCALL_REP_COMP_OFFSET  32
#define HV_HYPERCALL_REP_COUNT_MASK   0xFFFull
#define HV_HYPERCALL_RSVD1_MASK       (0xFull << 44)
#define HV_HYPERCALL_REP_START_OFFSET 48
#define HV_HYPERCALL_REP_START_MASK   0xFFFull
#define HV_HYPERCALL_RSVD2_MASK       (0xFull << 60)

/* RDX, R8 and XMM0 to XMM5 */
#define HV_HYPERCALL_MAX_XMM_REGISTERS 6
#define HV_HYPERCALL_FAST_BYTES        16
#define HV_HYPERCALL_XMM_FAST_BYTES    (16 + 16 * HV_HYPERCALL_MAX_XMM_REGISTERS)

/* HV_VP_SET */
#define HV_GENERIC_SET_SPARSE_4K 0
#define HV_GENERIC_SET_ALL       1

struct hv_vpset {
	uint64_t format;
	uint64_t valid_bank_mask;
	/* uint64_t bank_contents[popcount(valid_bank_mask)] */
};
WIRE_SIZE(struct hv_vpset, 16);

/* HvCallPostMessage; payload as in a SynIC message */
#define HV_MESSAGE_PAYLOAD_BYTE_COUNT 240

struct hv_input_post_message {
	uint32_t connectionid;
	uint32_t reserved;
	uint32_t message_type;
	uint32_t payload_size;
	uint8_t payload[HV_MESSAGE_PAYLOAD_BYTE_COUNT];
};
WIRE_SIZE(struct hv_input_post_message, 256);

#define HV_CONNECTION_ID_MASK 0x00FFFFFFu

struct hv_input_signal_event {
	uint32_t connectionid;
	uint16_t flag_number;
	uint16_t reserved;
};
WIRE_SIZE(struct hv_input_signal_event, 8);

struct hv_send_ipi {
	uint32_t vector;
	uint8_t target_vtl;
	uint8_t reserved[3];
	uint64_t cpu_mask;
};
WIRE_SIZE(struct hv_send_ipi, 16);

struct hv_send_ipi_ex {
	uint32_t vector;
	uint8_t target_vtl;
	uint8_t reserved[3];
	struct hv_vpset vp_set;
};
WIRE_SIZE(struct hv_send_ipi_ex, 24);

#define HV_FLUSH_ALL_PROCESSORS             (1ull << 0)
#define HV_FLUSH_ALL_VIRTUAL_ADDRESS_SPACES (1ull << 1)
#define HV_FLUSH_NON_GLOBAL_MAPPINGS_ONLY   (1ull << 2)
#define HV_FLUSH_USE_EXTENDED_RANGE_FORMAT  (1ull << 3)

struct hv_tlb_flush {
	uint64_t address_space;
	uint64_t flags;
	uint64_t processor_mask;
	/* uint64_t gva_list[] */
};
WIRE_SIZE(struct hv_tlb_flush, 24);

struct hv_tlb_flush_ex {
	uint64_t address_space;
	uint64_t flags;
	struct hv_vpset hv_vp_set;
	/* bank contents, then uint64_t gva_list[] */
};
WIRE_SIZE(struct hv_tlb_flush_ex, 32);

/* HvCallGetVpRegisters, HvCallSetVpRegisters */
#define HV_PARTITION_ID_SELF 0xFFFFFFFFFFFFFFFFull
#define HV_VP_INDEX_SELF     0xFFFFFFFEu
#define HV_ANY_VP            0xFFFFFFFFu

/* HV_INPUT_VTL */
#define HV_INPUT_VTL_TARGET_MASK 0x0Fu
#define HV_INPUT_VTL_USE_TARGET  0x10u
#define HV_INPUT_VTL_RSVD_MASK   0xE0u

struct hv_vp_register_header {
	uint64_t partition_id;
	uint32_t vp_index;
	uint8_t input_vtl;
	uint8_t reserved[3];
	/* Get: uint32_t names[]; Set: struct hv_register_assoc elements[] */
};
WIRE_SIZE(struct hv_vp_register_header, 16);

struct hv_register_assoc {
	uint32_t name;
	uint32_t reserved1;
	uint64_t reserved2;
	uint64_t value_low;
	uint64_t value_high;
};
WIRE_SIZE(struct hv_register_assoc, 32);

struct hv_register_value {
	uint64_t low;
	uint64_t high;
};
WIRE_SIZE(struct hv_register_value, 16);

struct hv_get_vp_from_apic_id_in {
	uint64_t partition_id;
	uint8_t target_vtl;
	uint8_t reserved[7];
	/* uint32_t apic_ids[] */
};
WIRE_SIZE(struct hv_get_vp_from_apic_id_in, 16);

/* HvExtCallQueryCapabilities output */
#define HV_EXT_CAPABILITY_GET_BOOT_ZEROED_MEMORY   (1ull << 0)
#define HV_EXT_CAPABILITY_MEMORY_COLD_DISCARD_HINT (1ull << 8)

/* HvExtCallGetBootZeroedMemory output */
#define HV_EXT_BOOT_ZEROED_MEMORY_RANGES 255

struct hv_ext_boot_zeroed_range {
	uint64_t start_gfn;
	uint64_t n_pages;
};
WIRE_SIZE(struct hv_ext_boot_zeroed_range, 16);

struct hv_ext_boot_zeroed_memory {
	uint64_t range_count;
	struct hv_ext_boot_zeroed_range
		ranges[HV_EXT_BOOT_ZEROED_MEMORY_RANGES];
};
WIRE_SIZE(struct hv_ext_boot_zeroed_memory, 0xFF8);

/* HvExtCallMemoryHeatHint: type in 1:0 of the header, then page ranges */
#define HV_EXT_MEMORY_HEAT_HINT_TYPE_COLD_DISCARD 2

/* union hv_gpa_page_range */
#define HV_GPA_RANGE_ADDITIONAL_PAGES_MASK 0x7FFull
#define HV_GPA_RANGE_LARGE_PAGE            (1ull << 11)
/* of a large range: 1 GiB pages, else 2 MiB */
#define HV_GPA_RANGE_PAGE_SIZE_1G          (1ull << 12)
#define HV_GPA_RANGE_LARGE_RSVD_MASK       (0xFFull << 13)
#define HV_GPA_RANGE_LARGE_PFN_SHIFT       21

/* --- HV_REGISTER_NAME: the ones that are the same as a leaf or an MSR --- */

#define HV_REGISTER_HYPERVISOR_VERSION           0x00000100u
#define HV_REGISTER_PRIVILEGES_AND_FEATURES_INFO 0x00000200u
#define HV_REGISTER_FEATURES_INFO                0x00000201u
#define HV_REGISTER_IMPLEMENTATION_LIMITS_INFO   0x00000202u
#define HV_REGISTER_HARDWARE_FEATURES_INFO       0x00000203u
#define HV_REGISTER_GUEST_CRASH_P0               0x00000210u
#define HV_REGISTER_GUEST_CRASH_P4               0x00000214u
#define HV_REGISTER_GUEST_CRASH_CTL              0x00000215u
#define HV_REGISTER_VP_RUNTIME                   0x00090000u
#define HV_X64_REGISTER_HYPERCALL                0x00090001u
#define HV_REGISTER_GUEST_OSID                   0x00090002u
#define HV_REGISTER_VP_INDEX                     0x00090003u
#define HV_REGISTER_TIME_REF_COUNT               0x00090004u
#define HV_REGISTER_VP_ASSIST_PAGE               0x00090013u
#define HV_REGISTER_REFERENCE_TSC                0x00090017u
#define HV_REGISTER_SINT0                        0x000A0000u
#define HV_REGISTER_SINT15                       0x000A000Fu
#define HV_REGISTER_SCONTROL                     0x000A0010u
#define HV_REGISTER_SVERSION                     0x000A0011u
#define HV_REGISTER_SIEFP                        0x000A0012u
#define HV_REGISTER_SIMP                         0x000A0013u
#define HV_REGISTER_EOM                          0x000A0014u
#define HV_REGISTER_STIMER0_CONFIG               0x000B0000u
#define HV_REGISTER_STIMER3_COUNT                0x000B0007u
#define HV_REGISTER_VSM_VP_STATUS                0x000D0003u
#define HV_REGISTER_VSM_PARTITION_STATUS         0x000D0004u

#endif
