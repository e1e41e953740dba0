/* SPDX-License-Identifier: MIT */
/*
 * memmap.h - what lies where in guest physical memory.
 *
 *   0x00001000  GDT                      0x000A0000  nothing (no VGA)
 *   0x00002000  PVH or multiboot info    0x000C0000  ACPI tables
 *   0x00007000  zero page (boot_params)  0x000E0000  RSDP
 *   0x00008000  boot stack               0x000E1000  VM generation ID
 *   0x00009000  page tables, 6 pages     0x000F0000  SMBIOS
 *   0x00020000  command line, 64 KiB     0x00100000  kernel
 *   0x0009FC00  EBDA, empty              top of low RAM  initrd, downwards
 *
 *   0xC0000000  low MMIO window of VMBus, up to the IOAPIC
 *   0xFEC00000  IOAPIC, LAPIC
 *   above all RAM, 1 GiB aligned: high MMIO window of VMBus
 *
 * Everything below 0x9FC00 is ordinary RAM to the guest once it has read it;
 * 0xC0000 to 1 MiB is reserved in E820.  RAM itself is gmem's.
 */
#ifndef BOOT_MEMMAP_H
#define BOOT_MEMMAP_H

#include <stdint.h>

struct gmem;

#define MEMMAP_GDT            0x00001000ull
#define MEMMAP_START_INFO     0x00002000ull
#define MEMMAP_START_INFO_END 0x00007000ull
#define MEMMAP_ZERO_PAGE      0x00007000ull
#define MEMMAP_STACK_TOP      0x00009000ull
#define MEMMAP_PAGE_TABLES    0x00009000ull
#define MEMMAP_CMDLINE        0x00020000ull
#define MEMMAP_CMDLINE_BYTES  0x00010000ull
#define MEMMAP_EBDA           0x0009FC00ull
#define MEMMAP_EBDA_END       0x000A0000ull
#define MEMMAP_ACPI           0x000C0000ull
#define MEMMAP_ACPI_END       0x000E0000ull
#define MEMMAP_RSDP           0x000E0000ull
#define MEMMAP_GENID          0x000E1000ull
#define MEMMAP_SMBIOS         0x000F0000ull
#define MEMMAP_SMBIOS_END     0x00100000ull
#define MEMMAP_KERNEL         0x00100000ull

/* The least RAM that boot_load() works with. */
#define MEMMAP_MIN_RAM 0x00200000ull

/* The low MMIO window. */
#define MEMMAP_LOW_MMIO     0xC0000000ull
#define MEMMAP_LOW_MMIO_END 0xFEC00000ull

/* The most that the high MMIO window is ever given. */
#define MEMMAP_HIGH_MMIO_MAX (64ull << 30)

struct memmap_range {
	uint64_t base;
	uint64_t bytes;
};

/**
 * memmap_low_mmio() - the VMBus window below 4 GiB
 */
struct memmap_range memmap_low_mmio(void);

/**
 * memmap_high_mmio() - the VMBus window above RAM
 * @mem:       guest RAM
 * @phys_bits: width of a guest physical address, CPUID 0x80000008 EAX[7:0];
 *	       0 counts as 36
 *
 * Return: @bytes is 0 when RAM leaves no room below 2^@phys_bits.
 */
struct memmap_range memmap_high_mmio(const struct gmem *mem,
				     unsigned int phys_bits);

/* E820 types, ACPI 6.3 table 15-374. */
enum e820_type {
	E820_RAM = 1,
	E820_RESERVED = 2,
};

struct e820_entry {
	uint64_t base;
	uint64_t bytes;
	enum e820_type type;
};

#define E820_MAX 8

/**
 * memmap_e820() - describe RAM to the guest
 * @table: at least E820_MAX entries; ascending, no overlaps
 *
 * Return: entries used.
 */
unsigned int memmap_e820(const struct gmem *mem, struct e820_entry *table);

#endif
