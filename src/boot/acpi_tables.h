/* SPDX-License-Identifier: MIT */
/*
 * acpi_tables.h - the ACPI tables, in guest RAM from MEMMAP_ACPI on.
 *
 * RSDP, XSDT, FADT, FACS, DSDT (dsdt.asl), SSDT, MADT, and SRAT when asked
 * for; under the OEM names that Hyper-V gives its own.  Private to src/boot.
 */
#ifndef BOOT_ACPI_TABLES_H
#define BOOT_ACPI_TABLES_H

struct boot_platform;
struct gmem;

/**
 * acpi_tables_write() - write all of them
 * @platform: of at most BOOT_MAX_CPUS processors
 */
void acpi_tables_write(struct gmem *mem, const struct boot_platform *platform);

#endif
