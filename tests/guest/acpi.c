/* SPDX-License-Identifier: MIT */
/*
 * acpi.c - the tables that describe the machine: found, whole, and true.
 *
 * Argument: possible= how many processors the MADT lists, enabled or not.
 */
#include "proto/acpi.h"

#include "lib/arguments.h"
#include "lib/instructions.h"
#include "lib/ioapic.h"
#include "lib/memory.h"
#include "lib/smp.h"
#include "lib/start.h"
#include "lib/tap.h"
#include "proto/platform.h"

#define SEARCH_FIRST 0xE0000u
#define SEARCH_END   0x100000u
#define SEARCH_STEP  16u
#define TABLES_MAX   16u

static const struct acpi_header *tables[TABLES_MAX];
static unsigned int n_tables;

static const void *address(uint64_t gpa)
{
	return at((unsigned long)gpa);
}

static const struct acpi_rsdp *find_rsdp(void)
{
	for (uint32_t a = SEARCH_FIRST; a < SEARCH_END; a += SEARCH_STEP) {
		if (memory_equal(address(a), "RSD PTR ", 8))
			return address(a);
	}
	return NULL;
}

static const struct acpi_header *find(const char *signature)
{
	for (unsigned int i = 0; i < n_tables; i++) {
		if (memory_equal(tables[i]->signature, signature, 4))
			return tables[i];
	}
	return NULL;
}

static bool is_whole(const struct acpi_header *table)
{
	return table->length >= sizeof(*table) && table->length < 0x20000 &&
	       memory_checksum(table, table->length) == 0;
}

static bool find_tables(void)
{
	const struct acpi_rsdp *rsdp = find_rsdp();
	const struct acpi_header *xsdt;
	const uint8_t *entries;

	if (!check(rsdp != NULL, "RSDP"))
		return false;
	check_equal(memory_checksum(rsdp, ACPI_RSDP_V1_BYTES), 0,
		    "RSDP: checksum");
	check_between(rsdp->revision, 2, 10, "RSDP: revision");
	check_equal(memory_checksum(rsdp, rsdp->length), 0,
		    "RSDP: checksum of all");
	xsdt = address(rsdp->xsdt_address);
	if (!check(memory_equal(xsdt->signature, "XSDT", 4) && is_whole(xsdt),
		   "XSDT"))
		return false;
	entries = (const uint8_t *)(xsdt + 1);
	for (uint32_t i = 0;
	     i < (xsdt->length - sizeof(*xsdt)) / 8 && n_tables < TABLES_MAX;
	     i++) {
		uint64_t gpa;

		memory_copy(&gpa, entries + 8 * i, sizeof(gpa));
		tables[n_tables++] = address(gpa);
	}
	for (unsigned int i = 0; i < n_tables; i++)
		check(is_whole(tables[i]), "table %c%c%c%c",
		      tables[i]->signature[0], tables[i]->signature[1],
		      tables[i]->signature[2], tables[i]->signature[3]);
	return true;
}

static void test_fadt(void)
{
	const struct acpi_fadt *fadt = (const void *)find("FACP");
	const struct acpi_header *dsdt;

	if (!check(fadt != NULL, "FADT"))
		return;
	check_equal(fadt->pm1a_evt_blk, PLATFORM_PM1_EVT_PORT,
		    "FADT: event block");
	check_equal(fadt->pm1a_cnt_blk, PLATFORM_PM1_CNT_PORT,
		    "FADT: control block");
	check_equal(fadt->pm_tmr_blk, PLATFORM_PM_TMR_PORT, "FADT: PM timer");
	check(fadt->flags & ACPI_FADT_TMR_VAL_EXT, "FADT: of 32 bits");
	check(fadt->flags & ACPI_FADT_RESET_REG, "FADT: reset register");
	check(fadt->reset_reg.space == ACPI_SPACE_IO &&
		      fadt->reset_reg.address == PLATFORM_RESET_PORT &&
		      fadt->reset_value == PLATFORM_RESET_VALUE,
	      "FADT: where and how");
	check_equal(fadt->sci_int, PLATFORM_SCI_IRQ, "FADT: SCI");
	check(in16(PLATFORM_PM1_CNT_PORT) & 1, "the machine is in ACPI mode");
	dsdt = address(fadt->x_dsdt ? fadt->x_dsdt : fadt->dsdt);
	check(memory_equal(dsdt->signature, "DSDT", 4) && is_whole(dsdt),
	      "DSDT");
}

struct madt_counts {
	unsigned int enabled, listed, ioapics, bad;
	uint32_t ioapic_address;
};

static void count_entry(const uint8_t *entry, struct madt_counts *n)
{
	if (entry[0] == ACPI_MADT_LAPIC) {
		struct acpi_madt_lapic e;

		memory_copy(&e, entry, sizeof(e));
		if (e.flags & ACPI_LAPIC_ENABLED)
			n->bad += e.apic_id != smp_apic_id(n->enabled++);
		n->listed++;
	} else if (entry[0] == ACPI_MADT_X2APIC) {
		n->listed++;
	} else if (entry[0] == ACPI_MADT_IOAPIC) {
		struct acpi_madt_ioapic e;

		memory_copy(&e, entry, sizeof(e));
		n->ioapics++;
		n->ioapic_address = e.address;
	}
}

static void test_madt(void)
{
	const struct acpi_madt *madt = (const void *)find("APIC");
	const uint8_t *entry, *end;
	struct madt_counts n = {0};

	if (!check(madt != NULL, "MADT"))
		return;
	check_equal(madt->lapic_address, PLATFORM_LAPIC_BASE,
		    "MADT: local APIC");
	entry = (const uint8_t *)(madt + 1);
	end = (const uint8_t *)madt + madt->header.length;
	while (entry + 2 <= end && entry[1] >= 2 && entry + entry[1] <= end) {
		count_entry(entry, &n);
		entry += entry[1];
	}
	check(entry == end, "MADT: entries fill it");
	check_equal(n.enabled, smp_cpus(), "MADT: enabled processors");
	check_equal(n.bad, 0, "MADT: APIC ids from 0 up");
	if (argument_given("possible"))
		check_between(n.listed, smp_cpus() + 1, 4096,
			      "MADT: processors that may come");
	else
		check_equal(n.listed, smp_cpus(), "MADT: no other processors");
	check_equal(n.ioapics, 1, "MADT: one IOAPIC");
	check_equal(n.ioapic_address, PLATFORM_IOAPIC_BASE,
		    "MADT: where it is");
	check_equal(ioapic_pins(), 24, "and it has 24 pins");
}

void guest_main(void)
{
	if (!find_tables())
		return;
	test_fadt();
	test_madt();
}
