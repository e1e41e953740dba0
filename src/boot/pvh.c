/* SPDX-License-Identifier: MIT */
/*
 * An ELF kernel with a PVH note is entered in protected mode, 64-bit kernels
 * too, with EBX pointing to hvm_start_info.
 */
#include "boot/loader.h"

#include <inttypes.h>

#include "boot/boot.h"
#include "boot/elf_image.h"
#include "boot/image.h"
#include "boot/memmap.h"
#include "mem/gmem.h"
#include "proto/pvh.h"

/* What EBX points to, and what that points to. */
struct start_area {
	struct pvh_start_info info;
	struct pvh_module module;
	struct pvh_memmap_entry memmap[E820_MAX];
};
G_STATIC_ASSERT(sizeof(struct start_area) <=
		MEMMAP_START_INFO_END - MEMMAP_START_INFO);

/* Return: 1, 0; -1 with @error set. */
static int find_entry(const struct image *kernel, struct elf_image *elf,
		      uint64_t *entry, GError **error)
{
	int is = elf_image_parse(kernel, elf, error);

	if (is <= 0)
		return is;
	return elf_image_find_note(kernel, elf, PVH_NOTE_NAME, PVH_NOTE_TYPE,
				   entry, error);
}

static void write_start_info(const struct loader *l,
			     const struct loader_module *initrd)
{
	struct e820_entry e820[E820_MAX];
	unsigned int n = memmap_e820(l->mem, e820);
	struct start_area area = {
		.info =
			{
				.magic = PVH_START_MAGIC,
				.version = PVH_START_VERSION,
				.nr_modules = initrd->bytes != 0,
				.cmdline_paddr = MEMMAP_CMDLINE,
				.rsdp_paddr = MEMMAP_RSDP,
				.memmap_paddr =
					MEMMAP_START_INFO +
					offsetof(struct start_area, memmap),
				.memmap_entries = n,
			},
		.module =
			{
				.paddr = initrd->gpa,
				.size = initrd->bytes,
			},
	};

	if (initrd->bytes)
		area.info.modlist_paddr =
			MEMMAP_START_INFO + offsetof(struct start_area, module);
	for (unsigned int i = 0; i < n; i++)
		area.memmap[i] = (struct pvh_memmap_entry){
			.addr = e820[i].base,
			.size = e820[i].bytes,
			.type = e820[i].type,
		};
	gmem_write(l->mem, MEMMAP_START_INFO, &area, sizeof(area));
}

int pvh_load(const struct loader *l, struct boot_entry *entry, GError **error)
{
	struct loader_module initrd;
	struct elf_image elf;
	uint64_t start = 0, end;
	int is = find_entry(l->kernel, &elf, &start, error);

	if (is <= 0)
		return is;
	if (start > UINT32_MAX) {
		g_set_error(error, BOOT_ERROR, BOOT_ERROR_FORMAT,
			    "%s: its PVH entry point 0x%" PRIx64
			    " is not below 4 GiB",
			    image_name(l->kernel), start);
		return -1;
	}
	if (loader_cmdline(l, l->cmdline, UINT64_MAX, error) ||
	    elf_image_load(l, &elf, &end, error) ||
	    loader_initrd_high(l, end, UINT64_MAX, &initrd, error))
		return -1;
	write_start_info(l, &initrd);
	entry->mode = BOOT_PROTECTED;
	entry->rip = start;
	entry->rbx = MEMMAP_START_INFO;
	entry->protocol = elf.is_64bit ? "PVH, 64-bit ELF" : "PVH, 32-bit ELF";
	return 1;
}
