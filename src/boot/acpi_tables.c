/* SPDX-License-Identifier: MIT */
/*
 * Theory of operation
 *
 * The tables are built one after the other in a byte array that stands for
 * guest memory from MEMMAP_ACPI on, so that the address of a table is known
 * when it is begun.  A table is begun with a blank header and ended by
 * filling in its length and checksum; what points to others (FADT, XSDT)
 * comes after them.  At the end the array is copied to the guest at once.
 */
#include "boot/acpi_tables.h"

#include <string.h>

#include "base/checked.h"
#include "boot/boot.h"
#include "boot/dsdt.h"
#include "boot/memmap.h"
#include "boot/ssdt.h"
#include "mem/gmem.h"
#include "proto/acpi.h"
#include "proto/platform.h"

/* Hyper-V's; the creator is whoever compiled the table, and that is us. */
#define OEM_ID       "VRTUAL"
#define OEM_TABLE_ID "MICROSFT"
#define CREATOR_ID   "MSFT"

/* Linux on other processors knows Hyper-V by it, arch/arm64/hyperv. */
#define HYPERVISOR "MsHyperV"

#define TABLE_ALIGN 64u

#define XAPIC_MAX_ID 254u

struct tables {
	GByteArray *blob;
	/* guest addresses for the XSDT */
	uint64_t listed[8];
	unsigned int n_listed;
};

static void append(struct tables *t, const void *data, size_t len)
{
	g_byte_array_append(t->blob, data, (guint)len);
}

static uint8_t checksum(const uint8_t *bytes, size_t len)
{
	uint8_t sum = 0;

	while (len--)
		sum = (uint8_t)(sum + *bytes++);
	return (uint8_t)-sum;
}

/* Pad to a table's alignment; returns where in the blob it begins. */
static guint align_blob(struct tables *t)
{
	static const uint8_t zeros[TABLE_ALIGN];
	guint len = t->blob->len;

	append(t, zeros, (size_t)(align_up(len, TABLE_ALIGN) - len));
	return t->blob->len;
}

static struct acpi_header header(const char *signature, uint8_t revision)
{
	struct acpi_header h = {
		.revision = revision,
		.oem_revision = 1,
		.creator_revision = 1,
	};

	memcpy(h.signature, signature, sizeof(h.signature));
	memcpy(h.oem_id, OEM_ID, sizeof(h.oem_id));
	memcpy(h.oem_table_id, OEM_TABLE_ID, sizeof(h.oem_table_id));
	memcpy(h.creator_id, CREATOR_ID, sizeof(h.creator_id));
	return h;
}

/* Length and checksum of the table that begins at @start and is last. */
static uint64_t end_table(struct tables *t, guint start)
{
	uint8_t *table = t->blob->data + start;
	uint32_t len = t->blob->len - start;
	uint8_t sum;

	memcpy(table + offsetof(struct acpi_header, length), &len, sizeof(len));
	table[offsetof(struct acpi_header, checksum)] = 0;
	sum = checksum(table, len);
	table[offsetof(struct acpi_header, checksum)] = sum;
	return MEMMAP_ACPI + start;
}

static void list(struct tables *t, uint64_t gpa)
{
	g_assert(t->n_listed < G_N_ELEMENTS(t->listed));
	t->listed[t->n_listed++] = gpa;
}

static uint64_t put_facs(struct tables *t)
{
	struct acpi_facs facs = {
		.signature = {'F', 'A', 'C', 'S'},
		.length = sizeof(facs),
		.version = 2,
	};
	guint start = align_blob(t);

	append(t, &facs, sizeof(facs));
	return MEMMAP_ACPI + start;
}

static uint64_t put_dsdt(struct tables *t)
{
	guint start = align_blob(t);

	/* As iasl made it, checksum and all. */
	append(t, dsdt_aml_code, sizeof(dsdt_aml_code));
	return MEMMAP_ACPI + start;
}

static struct acpi_gas io_register(uint32_t port, unsigned int bytes,
				   enum acpi_access access)
{
	return (struct acpi_gas){
		.space = ACPI_SPACE_IO,
		.bit_width = (uint8_t)(bytes * 8),
		.access = (uint8_t)access,
		.address = port,
	};
}

/* Fixed hardware; there is no SMI command, so ACPI mode is on from reset. */
static void fill_fixed_hardware(struct acpi_fadt *fadt)
{
	fadt->sci_int = PLATFORM_SCI_IRQ;
	fadt->pm1a_evt_blk = PLATFORM_PM1_EVT_PORT;
	fadt->pm1_evt_len = PLATFORM_PM1_EVT_BYTES;
	fadt->x_pm1a_evt_blk =
		io_register(PLATFORM_PM1_EVT_PORT, PLATFORM_PM1_EVT_BYTES,
			    ACPI_ACCESS_WORD);
	fadt->pm1a_cnt_blk = PLATFORM_PM1_CNT_PORT;
	fadt->pm1_cnt_len = PLATFORM_PM1_CNT_BYTES;
	fadt->x_pm1a_cnt_blk =
		io_register(PLATFORM_PM1_CNT_PORT, PLATFORM_PM1_CNT_BYTES,
			    ACPI_ACCESS_WORD);
	fadt->pm_tmr_blk = PLATFORM_PM_TMR_PORT;
	fadt->pm_tmr_len = PLATFORM_PM_TMR_BYTES;
	fadt->x_pm_tmr_blk = io_register(
		PLATFORM_PM_TMR_PORT, PLATFORM_PM_TMR_BYTES, ACPI_ACCESS_DWORD);
	fadt->reset_reg = io_register(PLATFORM_RESET_PORT, 1, ACPI_ACCESS_BYTE);
	fadt->reset_value = PLATFORM_RESET_VALUE;
}

static void put_fadt(struct tables *t, const struct boot_platform *platform,
		     uint64_t facs, uint64_t dsdt)
{
	struct acpi_fadt fadt = {
		.header = header("FACP", ACPI_FADT_REVISION),
		.firmware_ctrl = (uint32_t)facs,
		.dsdt = (uint32_t)dsdt,
		.x_dsdt = dsdt,
		.p_lvl2_lat = ACPI_NO_C2_LATENCY,
		.p_lvl3_lat = ACPI_NO_C3_LATENCY,
		.century = PLATFORM_RTC_CENTURY,
		.iapc_boot_arch = ACPI_BOOT_LEGACY_DEVICES | ACPI_BOOT_NO_VGA,
		/* A fixed power button; no fixed sleep button, no RTC wake. */
		.flags = ACPI_FADT_WBINVD | ACPI_FADT_PROC_C1 |
			 ACPI_FADT_SLP_BUTTON | ACPI_FADT_FIX_RTC |
			 ACPI_FADT_TMR_VAL_EXT | ACPI_FADT_RESET_REG,
	};
	guint start = align_blob(t);

	if (platform->i8042)
		fadt.iapc_boot_arch |= ACPI_BOOT_8042;
	memcpy(fadt.hypervisor, HYPERVISOR, sizeof(fadt.hypervisor));
	fill_fixed_hardware(&fadt);
	append(t, &fadt, sizeof(fadt));
	list(t, end_table(t, start));
}

static void put_ssdt(struct tables *t, const struct gmem *mem,
		     const struct boot_platform *platform)
{
	guint start = align_blob(t);
	struct acpi_header h = header("SSDT", 2);

	append(t, &h, sizeof(h));
	ssdt_body(t->blob, mem, platform);
	list(t, end_table(t, start));
}

static unsigned int n_all_cpus(const struct boot_platform *platform)
{
	return MAX(platform->n_cpus, platform->n_possible_cpus);
}

static uint32_t apic_id(const struct boot_platform *platform, unsigned int cpu)
{
	return platform->apic_ids ? platform->apic_ids[cpu] : cpu;
}

static void madt_cpu(struct tables *t, uint32_t uid, uint32_t id, bool enabled)
{
	uint32_t flags = enabled ? ACPI_LAPIC_ENABLED : 0;
	struct acpi_madt_lapic lapic = {
		.type = ACPI_MADT_LAPIC,
		.length = sizeof(lapic),
		.uid = (uint8_t)uid,
		.apic_id = (uint8_t)id,
		.flags = flags,
	};
	struct acpi_madt_x2apic x2apic = {
		.type = ACPI_MADT_X2APIC,
		.length = sizeof(x2apic),
		.apic_id = id,
		.flags = flags,
		.uid = uid,
	};

	if (id <= XAPIC_MAX_ID)
		append(t, &lapic, sizeof(lapic));
	else
		append(t, &x2apic, sizeof(x2apic));
}

static void madt_override(struct tables *t, uint8_t source, uint32_t gsi,
			  uint16_t flags)
{
	struct acpi_madt_int_override o = {
		.type = ACPI_MADT_INT_OVERRIDE,
		.length = sizeof(o),
		.source = source,
		.gsi = gsi,
		.flags = flags,
	};

	append(t, &o, sizeof(o));
}

/* LINT1 is the NMI of every processor, as on a PC. */
static void madt_nmi(struct tables *t, bool x2apic)
{
	struct acpi_madt_lapic_nmi nmi = {
		.type = ACPI_MADT_LAPIC_NMI,
		.length = sizeof(nmi),
		.uid = ACPI_LAPIC_NMI_ALL,
		.lint = 1,
	};
	struct acpi_madt_x2apic_nmi x2nmi = {
		.type = ACPI_MADT_X2APIC_NMI,
		.length = sizeof(x2nmi),
		.uid = ACPI_X2APIC_NMI_ALL,
		.lint = 1,
	};

	append(t, &nmi, sizeof(nmi));
	if (x2apic)
		append(t, &x2nmi, sizeof(x2nmi));
}

static void put_madt(struct tables *t, const struct boot_platform *platform)
{
	struct acpi_madt madt = {
		.header = header("APIC", ACPI_MADT_REVISION),
		.lapic_address = PLATFORM_LAPIC_BASE,
		.flags = ACPI_MADT_PCAT_COMPAT,
	};
	struct acpi_madt_ioapic ioapic = {
		.type = ACPI_MADT_IOAPIC,
		.length = sizeof(ioapic),
		.id = PLATFORM_IOAPIC_ID,
		.address = PLATFORM_IOAPIC_BASE,
	};
	unsigned int n = n_all_cpus(platform);
	guint start = align_blob(t);

	append(t, &madt, sizeof(madt));
	for (uint32_t i = 0; i < n; i++)
		madt_cpu(t, i, apic_id(platform, i), i < platform->n_cpus);
	append(t, &ioapic, sizeof(ioapic));
	madt_override(t, 0, PLATFORM_PIT_GSI, ACPI_INTI_CONFORMS);
	madt_override(t, PLATFORM_SCI_IRQ, PLATFORM_SCI_IRQ,
		      ACPI_INTI_ACTIVE_HIGH | ACPI_INTI_LEVEL);
	madt_nmi(t, apic_id(platform, n - 1) > XAPIC_MAX_ID);
	list(t, end_table(t, start));
}

static void srat_cpu(struct tables *t, uint32_t id)
{
	struct acpi_srat_cpu cpu = {
		.type = ACPI_SRAT_CPU,
		.length = sizeof(cpu),
		.apic_id = (uint8_t)id,
		.flags = ACPI_SRAT_ENABLED,
	};
	struct acpi_srat_x2apic x2apic = {
		.type = ACPI_SRAT_X2APIC,
		.length = sizeof(x2apic),
		.apic_id = id,
		.flags = ACPI_SRAT_ENABLED,
	};

	if (id <= XAPIC_MAX_ID)
		append(t, &cpu, sizeof(cpu));
	else
		append(t, &x2apic, sizeof(x2apic));
}

/* Everything is in proximity domain 0. */
static void put_srat(struct tables *t, const struct gmem *mem,
		     const struct boot_platform *platform)
{
	struct acpi_srat srat = {
		.header = header("SRAT", ACPI_SRAT_REVISION),
		.reserved = 1,
	};
	struct e820_entry e820[E820_MAX];
	unsigned int n_e820 = memmap_e820(mem, e820);
	guint start = align_blob(t);

	append(t, &srat, sizeof(srat));
	for (uint32_t i = 0; i < n_all_cpus(platform); i++)
		srat_cpu(t, apic_id(platform, i));
	for (unsigned int i = 0; i < n_e820; i++) {
		struct acpi_srat_memory m = {
			.type = ACPI_SRAT_MEMORY,
			.length = sizeof(m),
			.base = e820[i].base,
			.bytes = e820[i].bytes,
			.flags = ACPI_SRAT_ENABLED,
		};

		if (e820[i].type == E820_RAM)
			append(t, &m, sizeof(m));
	}
	list(t, end_table(t, start));
}

static uint64_t put_xsdt(struct tables *t)
{
	struct acpi_header h = header("XSDT", 1);
	guint start = align_blob(t);

	append(t, &h, sizeof(h));
	append(t, t->listed, t->n_listed * sizeof(t->listed[0]));
	return end_table(t, start);
}

static void write_rsdp(struct gmem *mem, uint64_t xsdt)
{
	struct acpi_rsdp rsdp = {
		.signature = {'R', 'S', 'D', ' ', 'P', 'T', 'R', ' '},
		.revision = 2,
		.length = sizeof(rsdp),
		.xsdt_address = xsdt,
	};

	memcpy(rsdp.oem_id, OEM_ID, sizeof(rsdp.oem_id));
	rsdp.checksum = checksum((const uint8_t *)&rsdp, ACPI_RSDP_V1_BYTES);
	rsdp.extended_checksum = checksum((const uint8_t *)&rsdp, sizeof(rsdp));
	gmem_write(mem, MEMMAP_RSDP, &rsdp, sizeof(rsdp));
}

void acpi_tables_write(struct gmem *mem, const struct boot_platform *platform)
{
	g_autoptr(GByteArray) blob = g_byte_array_new();
	struct tables t = {.blob = blob};
	uint64_t facs, dsdt, xsdt;

	facs = put_facs(&t);
	dsdt = put_dsdt(&t);
	put_fadt(&t, platform, facs, dsdt);
	put_ssdt(&t, mem, platform);
	put_madt(&t, platform);
	if (platform->srat)
		put_srat(&t, mem, platform);
	xsdt = put_xsdt(&t);
	/* BOOT_MAX_CPUS fill little more than half of it. */
	g_assert(blob->len <= MEMMAP_ACPI_END - MEMMAP_ACPI);
	gmem_write(mem, MEMMAP_ACPI, blob->data, blob->len);
	write_rsdp(mem, xsdt);
}
