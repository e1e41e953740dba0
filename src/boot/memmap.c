/* SPDX-License-Identifier: MIT */
#include "boot/memmap.h"

#include <glib.h>

#include "base/checked.h"
#include "mem/gmem.h"

G_STATIC_ASSERT(MEMMAP_LOW_MMIO == GMEM_HOLE_START);
G_STATIC_ASSERT(MEMMAP_LOW_MMIO_END < GMEM_HOLE_END);

#define MIB (1ull << 20)
#define GIB (1ull << 30)

#define DEFAULT_PHYS_BITS 36u
#define MAX_PHYS_BITS     52u

struct memmap_range memmap_low_mmio(void)
{
	return (struct memmap_range){
		.base = MEMMAP_LOW_MMIO,
		.bytes = MEMMAP_LOW_MMIO_END - MEMMAP_LOW_MMIO,
	};
}

struct memmap_range memmap_high_mmio(const struct gmem *mem,
				     unsigned int phys_bits)
{
	uint64_t base = align_up(MAX(gmem_end(mem), GMEM_HOLE_END), GIB);
	uint64_t limit;

	if (!phys_bits)
		phys_bits = DEFAULT_PHYS_BITS;
	limit = 1ull << MIN(phys_bits, MAX_PHYS_BITS);
	if (base >= limit)
		return (struct memmap_range){.base = base};
	return (struct memmap_range){
		.base = base,
		.bytes = MIN(limit - base, MEMMAP_HIGH_MMIO_MAX),
	};
}

unsigned int memmap_e820(const struct gmem *mem, struct e820_entry *table)
{
	const struct gmem_region *regions;
	unsigned int n_regions, n = 0;

	regions = gmem_regions(mem, &n_regions);
	table[n++] = (struct e820_entry){0, MEMMAP_EBDA, E820_RAM};
	table[n++] = (struct e820_entry){
		MEMMAP_EBDA, MEMMAP_EBDA_END - MEMMAP_EBDA, E820_RESERVED};
	table[n++] = (struct e820_entry){MEMMAP_ACPI, MIB - MEMMAP_ACPI,
					 E820_RESERVED};
	table[n++] = (struct e820_entry){MIB, regions[0].bytes - MIB, E820_RAM};
	for (unsigned int i = 1; i < n_regions; i++)
		table[n++] = (struct e820_entry){regions[i].gpa,
						 regions[i].bytes, E820_RAM};
	return n;
}
