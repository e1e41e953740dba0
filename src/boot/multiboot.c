/* SPDX-License-Identifier: MIT */
/*
 * Theory of operation
 *
 * A multiboot image has a header in its first 8 KiB.  When the header has
 * addresses they say what to load; else the image is ELF and its program
 * headers do.  The kernel is entered in protected mode with a magic number
 * in EAX and the address of multiboot_info in EBX.
 *
 * The initrd is the image's only module and lies right behind the kernel, as
 * QEMU has it: kernels of this kind tend to map little more than themselves.
 */
#include "boot/loader.h"

#include <inttypes.h>
#include <string.h>

#include "base/checked.h"
#include "base/log.h"
#include "boot/boot.h"
#include "boot/elf_image.h"
#include "boot/image.h"
#include "boot/memmap.h"
#include "mem/gmem.h"
#include "proto/multiboot.h"

#define LOG_CATEGORY "boot"

#define KNOWN_FLAGS                                                 \
	(MULTIBOOT_HEADER_ALIGN_MODULES | MULTIBOOT_HEADER_MEMORY | \
	 MULTIBOOT_HEADER_VIDEO)

#define LOADER_NAME "kvmbus"

/* What EBX points to, and what that points to. */
struct info_area {
	struct multiboot_info info;
	struct multiboot_module module;
	struct multiboot_mmap_entry mmap[E820_MAX];
	char loader[sizeof(LOADER_NAME)];
};
G_STATIC_ASSERT(sizeof(struct info_area) <=
		MEMMAP_START_INFO_END - MEMMAP_START_INFO);

/* Guest address of a field of struct info_area. */
#define AREA_GPA(field) \
	((uint32_t)(MEMMAP_START_INFO + offsetof(struct info_area, field)))

struct multiboot {
	struct multiboot_header header;
	/* where in the file the header is */
	uint64_t header_off;
	/* as loaded */
	uint32_t entry;
	uint64_t end;
};

/* Return: 1 found, 0 not; -1 with @error set. */
static int find_header(const struct image *kernel, struct multiboot *mb,
		       GError **error)
{
	uint32_t words[MULTIBOOT_SEARCH_BYTES / sizeof(uint32_t)];
	ssize_t n = image_peek(kernel, 0, words, sizeof(words), error);
	size_t n_words;

	if (n < 0)
		return -1;
	n_words = (size_t)n / sizeof(words[0]);
	for (size_t i = 0; i + 2 < n_words; i++) {
		size_t len = MIN(sizeof(mb->header),
				 (n_words - i) * sizeof(words[0]));

		if (words[i] != MULTIBOOT_HEADER_MAGIC ||
		    words[i] + words[i + 1] + words[i + 2] != 0)
			continue;
		memset(&mb->header, 0, sizeof(mb->header));
		memcpy(&mb->header, &words[i], len);
		mb->header_off = i * sizeof(words[0]);
		return 1;
	}
	return 0;
}

static void set_error(GError **error, const struct image *kernel,
		      const char *what)
{
	g_set_error(error, BOOT_ERROR, BOOT_ERROR_FORMAT,
		    "%s: multiboot header %s", image_name(kernel), what);
}

/* The image says in its header what goes where. */
static int load_by_addresses(const struct loader *l, struct multiboot *mb,
			     GError **error)
{
	const struct multiboot_header *h = &mb->header;
	uint64_t file = image_bytes(l->kernel), off, bytes;
	uint64_t load_end = h->load_end_addr, bss_end = h->bss_end_addr;
	void *bss;

	if (h->load_addr > h->header_addr ||
	    h->header_addr - h->load_addr > mb->header_off) {
		set_error(error, l->kernel,
			  "says that the image begins before the file does");
		return -1;
	}
	off = mb->header_off - (h->header_addr - h->load_addr);
	if (!load_end)
		load_end = h->load_addr + (file - off);
	if (load_end < h->load_addr || (bss_end && bss_end < load_end)) {
		set_error(error, l->kernel, "has addresses out of order");
		return -1;
	}
	bytes = load_end - h->load_addr;
	mb->end = MAX(load_end, bss_end);
	if (h->load_addr < MEMMAP_KERNEL ||
	    !gmem_contains(l->mem, h->load_addr, mb->end - h->load_addr)) {
		g_set_error(error, BOOT_ERROR, BOOT_ERROR_MEMORY,
			    "%s: loads from 0x%x to 0x%" PRIx64
			    ", which is not all RAM above 1 MiB",
			    image_name(l->kernel), h->load_addr, mb->end);
		return -1;
	}
	if (image_load(l->kernel, off, l->mem, h->load_addr, bytes, error))
		return -1;
	bss = gmem_load(l->mem, load_end, mb->end - load_end);
	memset(bss, 0, mb->end - load_end);
	mb->entry = h->entry_addr;
	return 0;
}

/*
 * Where the entry point is in physical memory.  Kernels give it as either
 * kind of address; a virtual one is only taken for one when it is not a
 * physical one, too.
 */
static uint64_t physical_entry(const struct elf_image *elf)
{
	for (unsigned int i = 0; i < elf->n_segments; i++) {
		const struct elf_segment *s = &elf->segments[i];

		if (elf->entry >= s->paddr &&
		    elf->entry - s->paddr < s->memory_bytes)
			return elf->entry;
	}
	for (unsigned int i = 0; i < elf->n_segments; i++) {
		const struct elf_segment *s = &elf->segments[i];

		if (elf->entry >= s->vaddr &&
		    elf->entry - s->vaddr < s->memory_bytes)
			return s->paddr + (elf->entry - s->vaddr);
	}
	return elf->entry;
}

static int load_elf(const struct loader *l, struct multiboot *mb,
		    GError **error)
{
	struct elf_image elf;
	uint64_t entry;
	int is = elf_image_parse(l->kernel, &elf, error);

	if (is < 0)
		return -1;
	if (!is) {
		set_error(error, l->kernel,
			  "has no addresses, and the file is not ELF");
		return -1;
	}
	entry = physical_entry(&elf);
	if (entry > UINT32_MAX) {
		set_error(error, l->kernel,
			  "in an ELF file that starts above 4 GiB");
		return -1;
	}
	mb->entry = (uint32_t)entry;
	return elf_image_load(l, &elf, &mb->end, error);
}

static int check_flags(const struct image *kernel, uint32_t flags,
		       GError **error)
{
	uint32_t unknown = flags & MULTIBOOT_HEADER_REQUIRED & ~KNOWN_FLAGS;

	if (unknown) {
		g_set_error(error, BOOT_ERROR, BOOT_ERROR_FORMAT,
			    "%s: multiboot header requires unknown features "
			    "(flags 0x%x)",
			    image_name(kernel), unknown);
		return -1;
	}
	if (flags & MULTIBOOT_HEADER_VIDEO)
		log_warn("%s: wants a video mode; there is no display",
			 image_name(kernel));
	return 0;
}

static void write_info(const struct loader *l,
		       const struct loader_module *initrd)
{
	struct e820_entry e820[E820_MAX];
	unsigned int n = memmap_e820(l->mem, e820);
	struct info_area area = {
		.info =
			{
				.flags = MULTIBOOT_INFO_MEMORY |
					 MULTIBOOT_INFO_CMDLINE |
					 MULTIBOOT_INFO_MODULES |
					 MULTIBOOT_INFO_MMAP |
					 MULTIBOOT_INFO_LOADER,
				.mem_lower = (uint32_t)(MEMMAP_EBDA >> 10),
				.mem_upper = (uint32_t)((loader_low_ram_end(l) -
							 MEMMAP_KERNEL) >>
							10),
				.cmdline = (uint32_t)MEMMAP_CMDLINE,
				.mods_count = initrd->bytes != 0,
				.mods_addr = AREA_GPA(module),
				.mmap_length =
					n *
					(uint32_t)sizeof(
						struct multiboot_mmap_entry),
				.mmap_addr = AREA_GPA(mmap),
				.boot_loader_name = AREA_GPA(loader),
			},
		.module =
			{
				.start = (uint32_t)initrd->gpa,
				.end = (uint32_t)(initrd->gpa + initrd->bytes),
			},
		.loader = LOADER_NAME,
	};

	for (unsigned int i = 0; i < n; i++)
		area.mmap[i] = (struct multiboot_mmap_entry){
			.size = sizeof(area.mmap[i]) - sizeof(uint32_t),
			.addr = e820[i].base,
			.len = e820[i].bytes,
			.type = e820[i].type,
		};
	gmem_write(l->mem, MEMMAP_START_INFO, &area, sizeof(area));
}

int multiboot_load(const struct loader *l, struct boot_entry *entry,
		   GError **error)
{
	/* By convention the first word is the image's own name. */
	g_autofree char *cmdline =
		g_strdup_printf("%s%s%s", image_name(l->kernel),
				*l->cmdline ? " " : "", l->cmdline);
	struct loader_module initrd;
	struct multiboot mb = {0};
	int err, is = find_header(l->kernel, &mb, error);

	if (is <= 0)
		return is;
	if (check_flags(l->kernel, mb.header.flags, error) ||
	    loader_cmdline(l, cmdline, UINT64_MAX, error))
		return -1;
	err = mb.header.flags & MULTIBOOT_HEADER_ADDRESSES
		      ? load_by_addresses(l, &mb, error)
		      : load_elf(l, &mb, error);
	if (err || loader_initrd_low(l, mb.end, &initrd, error))
		return -1;
	write_info(l, &initrd);
	entry->mode = BOOT_PROTECTED;
	entry->rip = mb.entry;
	entry->rax = MULTIBOOT_ENTRY_MAGIC;
	entry->rbx = MEMMAP_START_INFO;
	entry->protocol = "multiboot";
	return 1;
}
