/* SPDX-License-Identifier: MIT */
#include "boot/cpu_state.h"

#include <string.h>

#include <glib.h>

#include "boot/boot.h"
#include "boot/memmap.h"
#include "mem/gmem.h"

/* Intel SDM volume 3, 3.4.5 and 7.2.2: descriptors. */
enum gdt_index {
	GDT_CODE = 2,
	GDT_DATA = 3,
	GDT_TSS = 4,
	/* in long mode a TSS descriptor is twice as long */
	GDT_ENTRIES = 6,
};

#define DESC_CODE_64 0x00AF9B000000FFFFull
#define DESC_CODE_32 0x00CF9B000000FFFFull
#define DESC_DATA_32 0x00CF93000000FFFFull
#define DESC_TSS     0x00008B0000000067ull

/* Intel SDM volume 3, 4.5: 4-level paging. */
#define PTE_PRESENT (1ull << 0)
#define PTE_WRITE   (1ull << 1)
#define PTE_PAGE    (1ull << 7)

#define PAGE_BYTES  4096ull
#define PTES        512u
#define LARGE_BYTES (2ull << 20)

/* Page directories; each maps 1 GiB.  Hosts may lack pages of that size. */
#define MAPPED_GIB 4u

static void write_gdt(struct gmem *mem, struct boot_entry *entry)
{
	uint64_t gdt[GDT_ENTRIES] = {
		[GDT_CODE] =
			entry->mode == BOOT_LONG ? DESC_CODE_64 : DESC_CODE_32,
		[GDT_DATA] = DESC_DATA_32,
		[GDT_TSS] = DESC_TSS,
	};

	gmem_write(mem, MEMMAP_GDT, gdt, sizeof(gdt));
	entry->gdt_base = MEMMAP_GDT;
	entry->gdt_limit = sizeof(gdt) - 1;
	entry->code_selector = GDT_CODE * sizeof(gdt[0]);
	entry->data_selector = GDT_DATA * sizeof(gdt[0]);
	entry->tss_selector = GDT_TSS * sizeof(gdt[0]);
}

static void write_page_tables(struct gmem *mem, uint64_t gpa)
{
	uint64_t table[PTES] = {gpa + PAGE_BYTES + (PTE_PRESENT | PTE_WRITE)};
	uint64_t directories = gpa + 2 * PAGE_BYTES;

	G_STATIC_ASSERT(MEMMAP_PAGE_TABLES + (2 + MAPPED_GIB) * PAGE_BYTES <=
			MEMMAP_CMDLINE);
	gmem_write(mem, gpa, table, sizeof(table));
	memset(table, 0, sizeof(table));
	for (unsigned int i = 0; i < MAPPED_GIB; i++)
		table[i] = (directories + i * PAGE_BYTES) |
			   (PTE_PRESENT | PTE_WRITE);
	gmem_write(mem, gpa + PAGE_BYTES, table, sizeof(table));
	for (unsigned int i = 0; i < MAPPED_GIB; i++) {
		for (unsigned int j = 0; j < PTES; j++)
			table[j] = (i * PTES + j) * LARGE_BYTES |
				   (PTE_PRESENT | PTE_WRITE | PTE_PAGE);
		gmem_write(mem, directories + i * PAGE_BYTES, table,
			   sizeof(table));
	}
}

void cpu_state_write(struct gmem *mem, struct boot_entry *entry)
{
	write_gdt(mem, entry);
	entry->rsp = MEMMAP_STACK_TOP;
	if (entry->mode == BOOT_LONG) {
		write_page_tables(mem, MEMMAP_PAGE_TABLES);
		entry->cr3 = MEMMAP_PAGE_TABLES;
	}
}
