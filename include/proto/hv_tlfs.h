/* SPDX-License-Identifier: MIT */
/*
 * hv_tlfs.h - CPUID leaves, synthetic MSRs, privileges and status codes.
 *
 * Source: TLFS "Feature and Interface Discovery", "Hypercall Interface",
 * "Partition Properties" (HV_PARTITION_PRIVILEGE_MASK); names as in Linux
 * include/hyperv/hvgdk_mini.h, the TLFS name beside them where it differs.
 */
#ifndef PROTO_HV_TLFS_H
#define PROTO_HV_TLFS_H

#include "proto/wire.h"

/* --- CPUID leaves --------------------------------------------------- */

#define HYPERV_CPUID_VENDOR_AND_MAX_FUNCTIONS 0x40000000u
#define HYPERV_CPUID_INTERFACE                0x40000001u
#define HYPERV_CPUID_VERSION                  0x40000002u
#define HYPERV_CPUID_FEATURES                 0x40000003u
#define HYPERV_CPUID_ENLIGHTMENT_INFO         0x40000004u
#define HYPERV_CPUID_IMPLEMENT_LIMITS         0x40000005u
#define HYPERV_CPUID_HARDWARE_FEATURES        0x40000006u
#define HYPERV_CPUID_CPU_MANAGEMENT_FEATURES  0x40000007u
#define HYPERV_CPUID_SVM_FEATURES             0x40000008u
#define HYPERV_CPUID_NESTED_FEATURES          0x4000000Au
#define HYPERV_CPUID_ISOLATION_CONFIG         0x4000000Cu
#define HYPERV_CPUID_VIRT_STACK_INTERFACE     0x40000081u
#define HYPERV_CPUID_VIRT_STACK_PROPERTIES    0x40000082u

/* "Microsoft Hv" in EBX, ECX, EDX of leaf 0x40000000 */
#define HYPERV_VENDOR_EBX                            0x7263694Du
#define HYPERV_VENDOR_ECX                            0x666F736Fu
#define HYPERV_VENDOR_EDX                            0x76482074u
/* "Hv#1" in EAX of leaf 0x40000001 */
#define HYPERV_INTERFACE_HV1                         0x31237648u
/* "VS#1" in EAX of leaf 0x40000081 */
#define HYPERV_VS_INTERFACE_EAX_SIGNATURE            0x31235356u
#define HYPERV_VS_PROPERTIES_EAX_EXTENDED_IOAPIC_RTE (1u << 2)

/* Leaf 0x40000003 EAX: low half of HV_PARTITION_PRIVILEGE_MASK */
#define HV_MSR_VP_RUNTIME_AVAILABLE     (1u << 0)
#define HV_MSR_TIME_REF_COUNT_AVAILABLE (1u << 1)
#define HV_MSR_SYNIC_AVAILABLE          (1u << 2)
#define HV_MSR_SYNTIMER_AVAILABLE       (1u << 3)
#define HV_MSR_APIC_ACCESS_AVAILABLE    (1u << 4)
#define HV_MSR_HYPERCALL_AVAILABLE      (1u << 5)
#define HV_MSR_VP_INDEX_AVAILABLE       (1u << 6)
#define HV_MSR_RESET_AVAILABLE          (1u << 7)
#define HV_MSR_STAT_PAGES_AVAILABLE     (1u << 8)
#define HV_MSR_REFERENCE_TSC_AVAILABLE  (1u << 9)
#define HV_MSR_GUEST_IDLE_AVAILABLE     (1u << 10)
#define HV_ACCESS_FREQUENCY_MSRS        (1u << 11)
#define HV_ACCESS_DEBUG_MSRS            (1u << 12)
#define HV_ACCESS_REENLIGHTENMENT       (1u << 13)
#define HV_ACCESS_TSC_INVARIANT         (1u << 15)

/* Leaf 0x40000003 EBX: high half of HV_PARTITION_PRIVILEGE_MASK */
#define HV_CREATE_PARTITIONS          (1u << 0)
#define HV_ACCESS_PARTITION_ID        (1u << 1)
#define HV_ACCESS_MEMORY_POOL         (1u << 2)
#define HV_ADJUST_MESSAGE_BUFFERS     (1u << 3)
#define HV_POST_MESSAGES              (1u << 4)
#define HV_SIGNAL_EVENTS              (1u << 5)
#define HV_CREATE_PORT                (1u << 6)
#define HV_CONNECT_PORT               (1u << 7)
#define HV_ACCESS_STATS               (1u << 8)
#define HV_DEBUGGING                  (1u << 11)
#define HV_CPU_MANAGEMENT             (1u << 12)
#define HV_ACCESS_VSM                 (1u << 16)
#define HV_ACCESS_VP_REGISTERS        (1u << 17)
#define HV_ENABLE_EXTENDED_HYPERCALLS (1u << 20)
#define HV_START_VIRTUAL_PROCESSOR    (1u << 21)
#define HV_ISOLATION                  (1u << 22)

/* Leaf 0x40000003 EDX: features that are not privileges */
#define HV_X64_MWAIT_AVAILABLE                    (1u << 0)
#define HV_X64_GUEST_DEBUGGING_AVAILABLE          (1u << 1)
#define HV_X64_PERF_MONITOR_AVAILABLE             (1u << 2)
#define HV_X64_CPU_DYNAMIC_PARTITIONING_AVAILABLE (1u << 3)
#define HV_X64_HYPERCALL_XMM_INPUT_AVAILABLE      (1u << 4)
#define HV_X64_GUEST_IDLE_STATE_AVAILABLE         (1u << 5)
#define HV_FEATURE_HYPERVISOR_SLEEP_STATE         (1u << 6)
#define HV_FEATURE_NUMA_DISTANCE_QUERY            (1u << 7)
#define HV_FEATURE_FREQUENCY_MSRS_AVAILABLE       (1u << 8)
#define HV_FEATURE_SYNTHETIC_MACHINE_CHECK        (1u << 9)
#define HV_FEATURE_GUEST_CRASH_MSR_AVAILABLE      (1u << 10)
#define HV_FEATURE_DEBUG_MSRS_AVAILABLE           (1u << 11)
#define HV_FEATURE_NPIEP                          (1u << 12)
#define HV_FEATURE_DISABLE_HYPERVISOR_AVAILABLE   (1u << 13)
#define HV_FEATURE_EXT_GVA_RANGES_FLUSH_VA_LIST   (1u << 14)
#define HV_X64_HYPERCALL_XMM_OUTPUT_AVAILABLE     (1u << 15)
#define HV_FEATURE_SINT_POLLING_MODE              (1u << 17)
#define HV_FEATURE_HYPERCALL_MSR_LOCK             (1u << 18)
#define HV_STIMER_DIRECT_MODE_AVAILABLE           (1u << 19)

/* Leaf 0x40000004 EAX: recommendations */
#define HV_X64_AS_SWITCH_RECOMMENDED             (1u << 0)
#define HV_X64_LOCAL_TLB_FLUSH_RECOMMENDED       (1u << 1)
#define HV_X64_REMOTE_TLB_FLUSH_RECOMMENDED      (1u << 2)
#define HV_X64_APIC_ACCESS_RECOMMENDED           (1u << 3)
#define HV_X64_SYSTEM_RESET_RECOMMENDED          (1u << 4)
#define HV_X64_RELAXED_TIMING_RECOMMENDED        (1u << 5)
#define HV_DMA_REMAPPING_RECOMMENDED             (1u << 6)
#define HV_INTERRUPT_REMAPPING_RECOMMENDED       (1u << 7)
#define HV_X2APIC_MSRS_RECOMMENDED               (1u << 8)
#define HV_DEPRECATING_AEOI_RECOMMENDED          (1u << 9)
#define HV_X64_CLUSTER_IPI_RECOMMENDED           (1u << 10)
#define HV_X64_EX_PROCESSOR_MASKS_RECOMMENDED    (1u << 11)
#define HV_X64_HYPERV_NESTED                     (1u << 12)
#define HV_INT_FOR_MBEC_SYSCALLS_RECOMMENDED     (1u << 13)
#define HV_X64_ENLIGHTENED_VMCS_RECOMMENDED      (1u << 14)
#define HV_SYNCED_TIMELINE_RECOMMENDED           (1u << 15)
#define HV_DIRECT_LOCAL_FLUSH_ENTIRE_RECOMMENDED (1u << 17)
#define HV_X64_NO_NONARCH_CORESHARING            (1u << 18)
#define HV_X64_USE_MMIO_HYPERCALLS               (1u << 21)

/* Leaf 0x40000004 EBX: "never notify long spin waits" */
#define HV_SPINLOCK_RETRY_NEVER 0xFFFFFFFFu

/* Leaf 0x40000006 EAX: hardware features in use */
#define HV_HW_APIC_OVERLAY_ASSIST       (1u << 0)
#define HV_HW_MSR_BITMAPS               (1u << 1)
#define HV_HW_ARCH_PERF_COUNTERS        (1u << 2)
#define HV_HW_SLAT                      (1u << 3)
#define HV_HW_DMA_REMAPPING             (1u << 4)
#define HV_HW_INTERRUPT_REMAPPING       (1u << 5)
#define HV_HW_MEMORY_PATROL_SCRUBBER    (1u << 6)
#define HV_HW_DMA_PROTECTION            (1u << 7)
#define HV_HW_HPET_REQUESTED            (1u << 8)
#define HV_HW_SYNTHETIC_TIMERS_VOLATILE (1u << 9)

/* --- Synthetic MSRs -------------------------------------------------- */

#define HV_X64_MSR_FIRST                   0x40000000u
#define HV_X64_MSR_GUEST_OS_ID             0x40000000u
#define HV_X64_MSR_HYPERCALL               0x40000001u
#define HV_X64_MSR_VP_INDEX                0x40000002u
#define HV_X64_MSR_RESET                   0x40000003u
#define HV_X64_MSR_VP_RUNTIME              0x40000010u
#define HV_X64_MSR_TIME_REF_COUNT          0x40000020u
#define HV_X64_MSR_REFERENCE_TSC           0x40000021u
#define HV_X64_MSR_TSC_FREQUENCY           0x40000022u
#define HV_X64_MSR_APIC_FREQUENCY          0x40000023u
#define HV_X64_MSR_EOI                     0x40000070u
#define HV_X64_MSR_ICR                     0x40000071u
#define HV_X64_MSR_TPR                     0x40000072u
#define HV_X64_MSR_VP_ASSIST_PAGE          0x40000073u
#define HV_X64_MSR_SCONTROL                0x40000080u
#define HV_X64_MSR_SVERSION                0x40000081u
#define HV_X64_MSR_SIEFP                   0x40000082u
#define HV_X64_MSR_SIMP                    0x40000083u
#define HV_X64_MSR_EOM                     0x40000084u
#define HV_X64_MSR_SINT0                   0x40000090u
#define HV_X64_MSR_SINT15                  0x4000009Fu
#define HV_X64_MSR_STIMER0_CONFIG          0x400000B0u
#define HV_X64_MSR_STIMER0_COUNT           0x400000B1u
#define HV_X64_MSR_STIMER3_COUNT           0x400000B7u
#define HV_X64_MSR_GUEST_IDLE              0x400000F0u
#define HV_X64_MSR_CRASH_P0                0x40000100u
#define HV_X64_MSR_CRASH_P4                0x40000104u
#define HV_X64_MSR_CRASH_CTL               0x40000105u
#define HV_X64_MSR_REENLIGHTENMENT_CONTROL 0x40000106u
#define HV_X64_MSR_TSC_EMULATION_CONTROL   0x40000107u
#define HV_X64_MSR_TSC_EMULATION_STATUS    0x40000108u
#define HV_X64_MSR_TSC_INVARIANT_CONTROL   0x40000118u
/* The whole range that is ours; the nested (L0) aliases start at 0x1000. */
#define HV_X64_MSR_LAST                    0x40001FFFu

/* Most overlay registers look alike: enable in bit 0, GPA page in 63:12 */
#define HV_OVERLAY_ENABLE   (1ull << 0)
#define HV_OVERLAY_PFN_MASK 0xFFFFFFFFFFFFF000ull
#define HV_PAGE_SHIFT       12
#define HV_PAGE_SIZE        4096u

/* HV_X64_MSR_HYPERCALL */
#define HV_X64_MSR_HYPERCALL_ENABLE (1ull << 0)
#define HV_X64_MSR_HYPERCALL_LOCKED (1ull << 1)
#define HV_X64_MSR_HYPERCALL_RSVD   0xFFCull

/* HV_X64_MSR_GUEST_OS_ID */
#define HV_GUEST_OS_ID_OPEN_SOURCE (1ull << 63)
#define HV_GUEST_OS_ID_TYPE_SHIFT  56
#define HV_GUEST_OS_ID_TYPE_MASK   0x7Full
#define HV_GUEST_OS_TYPE_LINUX     1
#define HV_GUEST_OS_TYPE_FREEBSD   2

/* HV_X64_MSR_CRASH_CTL (HV_CRASH_CTL_REG_CONTENTS) */
#define HV_CRASH_CTL_PRE_OS_ID_SHIFT  58
#define HV_CRASH_CTL_NO_CRASH_DUMP    (1ull << 61)
#define HV_CRASH_CTL_CRASH_NOTIFY_MSG (1ull << 62)
#define HV_CRASH_CTL_CRASH_NOTIFY     (1ull << 63)

/* HV_X64_MSR_REENLIGHTENMENT_CONTROL */
#define HV_REENLIGHTENMENT_VECTOR_MASK  0xFFull
#define HV_REENLIGHTENMENT_ENABLE       (1ull << 16)
#define HV_TSC_EMULATION_CONTROL_ENABLE (1ull << 0)
#define HV_EXPOSE_INVARIANT_TSC         (1ull << 0)

/* --- Status codes (HV_STATUS) ---------------------------------------- */

typedef uint16_t hv_status_t;

#define HV_STATUS_SUCCESS                     0x0000
#define HV_STATUS_INVALID_HYPERCALL_CODE      0x0002
#define HV_STATUS_INVALID_HYPERCALL_INPUT     0x0003
#define HV_STATUS_INVALID_ALIGNMENT           0x0004
#define HV_STATUS_INVALID_PARAMETER           0x0005
#define HV_STATUS_ACCESS_DENIED               0x0006
#define HV_STATUS_INVALID_PARTITION_STATE     0x0007
#define HV_STATUS_OPERATION_DENIED            0x0008
#define HV_STATUS_UNKNOWN_PROPERTY            0x0009
#define HV_STATUS_PROPERTY_VALUE_OUT_OF_RANGE 0x000A
#define HV_STATUS_INSUFFICIENT_MEMORY         0x000B
#define HV_STATUS_INVALID_PARTITION_ID        0x000D
#define HV_STATUS_INVALID_VP_INDEX            0x000E
#define HV_STATUS_INVALID_PORT_ID             0x0011
#define HV_STATUS_INVALID_CONNECTION_ID       0x0012
#define HV_STATUS_INSUFFICIENT_BUFFERS        0x0013
#define HV_STATUS_INVALID_VP_STATE            0x0015
#define HV_STATUS_INVALID_REGISTER_VALUE      0x0050
#define HV_STATUS_TIME_OUT                    0x0078

#endif
