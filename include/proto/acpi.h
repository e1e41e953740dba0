/* SPDX-License-Identifier: MIT */
/*
 * acpi.h - layouts of the ACPI tables that we write.
 *
 * Source: ACPI 6.3 chapter 5.2, tables named there.
 */
#ifndef PROTO_ACPI_H
#define PROTO_ACPI_H

#include <stdint.h>

#include "proto/wire.h"

struct acpi_rsdp {
	char signature[8];
	/* over the first 20 bytes */
	uint8_t checksum;
	char oem_id[6];
	uint8_t revision;
	uint32_t rsdt_address;
	uint32_t length;
	uint64_t xsdt_address;
	uint8_t extended_checksum;
	uint8_t reserved[3];
} __attribute__((packed));
WIRE_SIZE(struct acpi_rsdp, 36);
#define ACPI_RSDP_V1_BYTES 20

struct acpi_header {
	char signature[4];
	uint32_t length;
	uint8_t revision;
	uint8_t checksum;
	char oem_id[6];
	char oem_table_id[8];
	uint32_t oem_revision;
	char creator_id[4];
	uint32_t creator_revision;
} __attribute__((packed));
WIRE_SIZE(struct acpi_header, 36);

enum acpi_space {
	ACPI_SPACE_MEMORY = 0,
	ACPI_SPACE_IO = 1,
};

enum acpi_access {
	ACPI_ACCESS_BYTE = 1,
	ACPI_ACCESS_WORD = 2,
	ACPI_ACCESS_DWORD = 3,
};

/* Generic Address Structure. */
struct acpi_gas {
	uint8_t space;
	uint8_t bit_width;
	uint8_t bit_offset;
	uint8_t access;
	uint64_t address;
} __attribute__((packed));
WIRE_SIZE(struct acpi_gas, 12);

#define ACPI_FADT_REVISION 6

/* acpi_fadt.iapc_boot_arch */
#define ACPI_BOOT_LEGACY_DEVICES (1u << 0)
#define ACPI_BOOT_8042           (1u << 1)
#define ACPI_BOOT_NO_VGA         (1u << 2)
#define ACPI_BOOT_NO_CMOS_RTC    (1u << 5)

/* acpi_fadt.flags; those of buttons and RTC say that it is not fixed */
#define ACPI_FADT_WBINVD      (1u << 0)
#define ACPI_FADT_PROC_C1     (1u << 2)
#define ACPI_FADT_PWR_BUTTON  (1u << 4)
#define ACPI_FADT_SLP_BUTTON  (1u << 5)
#define ACPI_FADT_FIX_RTC     (1u << 6)
#define ACPI_FADT_TMR_VAL_EXT (1u << 8)
#define ACPI_FADT_RESET_REG   (1u << 10)

/* Latencies from these on say that the C-state does not exist. */
#define ACPI_NO_C2_LATENCY 101
#define ACPI_NO_C3_LATENCY 1001

struct acpi_fadt {
	struct acpi_header header;
	uint32_t firmware_ctrl;
	uint32_t dsdt;
	uint8_t reserved;
	uint8_t preferred_pm_profile;
	uint16_t sci_int;
	uint32_t smi_cmd;
	uint8_t acpi_enable;
	uint8_t acpi_disable;
	uint8_t s4bios_req;
	uint8_t pstate_cnt;
	uint32_t pm1a_evt_blk;
	uint32_t pm1b_evt_blk;
	uint32_t pm1a_cnt_blk;
	uint32_t pm1b_cnt_blk;
	uint32_t pm2_cnt_blk;
	uint32_t pm_tmr_blk;
	uint32_t gpe0_blk;
	uint32_t gpe1_blk;
	uint8_t pm1_evt_len;
	uint8_t pm1_cnt_len;
	uint8_t pm2_cnt_len;
	uint8_t pm_tmr_len;
	uint8_t gpe0_blk_len;
	uint8_t gpe1_blk_len;
	uint8_t gpe1_base;
	uint8_t cst_cnt;
	uint16_t p_lvl2_lat;
	uint16_t p_lvl3_lat;
	uint16_t flush_size;
	uint16_t flush_stride;
	uint8_t duty_offset;
	uint8_t duty_width;
	uint8_t day_alrm;
	uint8_t mon_alrm;
	uint8_t century;
	uint16_t iapc_boot_arch;
	uint8_t reserved2;
	uint32_t flags;
	struct acpi_gas reset_reg;
	uint8_t reset_value;
	uint16_t arm_boot_arch;
	uint8_t minor_version;
	uint64_t x_firmware_ctrl;
	uint64_t x_dsdt;
	struct acpi_gas x_pm1a_evt_blk;
	struct acpi_gas x_pm1b_evt_blk;
	struct acpi_gas x_pm1a_cnt_blk;
	struct acpi_gas x_pm1b_cnt_blk;
	struct acpi_gas x_pm2_cnt_blk;
	struct acpi_gas x_pm_tmr_blk;
	struct acpi_gas x_gpe0_blk;
	struct acpi_gas x_gpe1_blk;
	struct acpi_gas sleep_control;
	struct acpi_gas sleep_status;
	char hypervisor[8];
} __attribute__((packed));
WIRE_SIZE(struct acpi_fadt, 276);
WIRE_FIELD(struct acpi_fadt, iapc_boot_arch, 109);
WIRE_FIELD(struct acpi_fadt, x_pm1a_evt_blk, 148);

struct acpi_facs {
	char signature[4];
	uint32_t length;
	uint32_t hardware_signature;
	uint32_t firmware_waking_vector;
	uint32_t global_lock;
	uint32_t flags;
	uint64_t x_firmware_waking_vector;
	uint8_t version;
	uint8_t reserved[3];
	uint32_t ospm_flags;
	uint8_t reserved2[24];
} __attribute__((packed));
WIRE_SIZE(struct acpi_facs, 64);

/*
 * Revision 5 has an "online capable" bit, and a disabled entry without it is
 * not a processor that may appear.  With 3 it is: what Windows Server 2019
 * and older tell their guests.
 */
#define ACPI_MADT_REVISION    3
#define ACPI_MADT_PCAT_COMPAT (1u << 0)

struct acpi_madt {
	struct acpi_header header;
	uint32_t lapic_address;
	uint32_t flags;
} __attribute__((packed));
WIRE_SIZE(struct acpi_madt, 44);

enum acpi_madt_type {
	ACPI_MADT_LAPIC = 0,
	ACPI_MADT_IOAPIC = 1,
	ACPI_MADT_INT_OVERRIDE = 2,
	ACPI_MADT_LAPIC_NMI = 4,
	ACPI_MADT_X2APIC = 9,
	ACPI_MADT_X2APIC_NMI = 10,
};

#define ACPI_LAPIC_ENABLED (1u << 0)

/* Interrupt flags: how the line behaves. */
#define ACPI_INTI_CONFORMS    0x0
#define ACPI_INTI_ACTIVE_HIGH 0x1
#define ACPI_INTI_LEVEL       0xC

struct acpi_madt_lapic {
	uint8_t type;
	uint8_t length;
	uint8_t uid;
	uint8_t apic_id;
	uint32_t flags;
} __attribute__((packed));
WIRE_SIZE(struct acpi_madt_lapic, 8);

struct acpi_madt_ioapic {
	uint8_t type;
	uint8_t length;
	uint8_t id;
	uint8_t reserved;
	uint32_t address;
	uint32_t gsi_base;
} __attribute__((packed));
WIRE_SIZE(struct acpi_madt_ioapic, 12);

struct acpi_madt_int_override {
	uint8_t type;
	uint8_t length;
	/* 0: ISA */
	uint8_t bus;
	uint8_t source;
	uint32_t gsi;
	uint16_t flags;
} __attribute__((packed));
WIRE_SIZE(struct acpi_madt_int_override, 10);

#define ACPI_LAPIC_NMI_ALL  0xFF
#define ACPI_X2APIC_NMI_ALL 0xFFFFFFFFu

struct acpi_madt_lapic_nmi {
	uint8_t type;
	uint8_t length;
	uint8_t uid;
	uint16_t flags;
	uint8_t lint;
} __attribute__((packed));
WIRE_SIZE(struct acpi_madt_lapic_nmi, 6);

struct acpi_madt_x2apic {
	uint8_t type;
	uint8_t length;
	uint16_t reserved;
	uint32_t apic_id;
	uint32_t flags;
	uint32_t uid;
} __attribute__((packed));
WIRE_SIZE(struct acpi_madt_x2apic, 16);

struct acpi_madt_x2apic_nmi {
	uint8_t type;
	uint8_t length;
	uint16_t flags;
	uint32_t uid;
	uint8_t lint;
	uint8_t reserved[3];
} __attribute__((packed));
WIRE_SIZE(struct acpi_madt_x2apic_nmi, 12);

#define ACPI_SRAT_REVISION 3

struct acpi_srat {
	struct acpi_header header;
	/* 1 */
	uint32_t reserved;
	uint64_t reserved2;
} __attribute__((packed));
WIRE_SIZE(struct acpi_srat, 48);

enum acpi_srat_type {
	ACPI_SRAT_CPU = 0,
	ACPI_SRAT_MEMORY = 1,
	ACPI_SRAT_X2APIC = 2,
};

/* flags of all three */
#define ACPI_SRAT_ENABLED (1u << 0)

struct acpi_srat_cpu {
	uint8_t type;
	uint8_t length;
	uint8_t domain_7_0;
	uint8_t apic_id;
	uint32_t flags;
	uint8_t sapic_eid;
	uint8_t domain_31_8[3];
	uint32_t clock_domain;
} __attribute__((packed));
WIRE_SIZE(struct acpi_srat_cpu, 16);

struct acpi_srat_memory {
	uint8_t type;
	uint8_t length;
	uint32_t domain;
	uint16_t reserved;
	uint64_t base;
	uint64_t bytes;
	uint32_t reserved2;
	uint32_t flags;
	uint64_t reserved3;
} __attribute__((packed));
WIRE_SIZE(struct acpi_srat_memory, 40);

struct acpi_srat_x2apic {
	uint8_t type;
	uint8_t length;
	uint16_t reserved;
	uint32_t domain;
	uint32_t apic_id;
	uint32_t flags;
	uint32_t clock_domain;
	uint32_t reserved2;
} __attribute__((packed));
WIRE_SIZE(struct acpi_srat_x2apic, 24);

/* Address-space resource descriptors, ACPI 6.3 section 6.4.3.5. */
#define ACPI_RES_DWORD_SPACE 0x87
#define ACPI_RES_QWORD_SPACE 0x8A
#define ACPI_RES_END_TAG     0x79

#define ACPI_RES_MEMORY        0
/* producer, positive decode, minimum and maximum fixed */
#define ACPI_RES_MIN_MAX_FIXED 0x0C
/* read-write, cacheable */
#define ACPI_RES_MEMORY_RW     0x03

struct acpi_res_dword_space {
	uint8_t tag;
	uint16_t length;
	uint8_t type;
	uint8_t flags;
	uint8_t type_flags;
	uint32_t granularity;
	uint32_t minimum;
	uint32_t maximum;
	uint32_t translation;
	uint32_t bytes;
} __attribute__((packed));
WIRE_SIZE(struct acpi_res_dword_space, 26);

struct acpi_res_qword_space {
	uint8_t tag;
	uint16_t length;
	uint8_t type;
	uint8_t flags;
	uint8_t type_flags;
	uint64_t granularity;
	uint64_t minimum;
	uint64_t maximum;
	uint64_t translation;
	uint64_t bytes;
} __attribute__((packed));
WIRE_SIZE(struct acpi_res_qword_space, 46);

struct acpi_res_end_tag {
	uint8_t tag;
	/* 0: not checked */
	uint8_t checksum;
} __attribute__((packed));
WIRE_SIZE(struct acpi_res_end_tag, 2);
#define ACPI_RES_LARGE_HEADER 3

#endif
