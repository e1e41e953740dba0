/* SPDX-License-Identifier: MIT */
/*
 * Theory of operation
 *
 * A bzImage is a real-mode part of setup_sects sectors (and the boot sector),
 * then the protected-mode kernel of syssize paragraphs.  We use only the
 * latter, at 1 MiB, and hand over a zero page: all zeros but for a copy of
 * the image's setup header and what a boot loader fills in.  The copy begins
 * at 0x1F1 and ends where the jump at 0x200 goes; copying more would bring in
 * the sentinel and make the kernel distrust the whole page.
 *
 * A 64-bit kernel is entered at +0x200 in long mode, a 32-bit one at +0 in
 * protected mode.  Both then move and decompress themselves; the memory that
 * takes is known beforehand: init_size bytes from where the kernel will run.
 *
 * Source: Linux Documentation/arch/x86/boot.rst.
 */
#include "boot/loader.h"

#include <inttypes.h>
#include <string.h>

#include <asm/bootparam.h>

#include "base/checked.h"
#include "boot/boot.h"
#include "boot/image.h"
#include "boot/memmap.h"
#include "mem/gmem.h"
#include "proto/wire.h"

/* The build machine's idea of the wire format. */
WIRE_SIZE(struct boot_params, 4096);
WIRE_FIELD(struct boot_params, hdr, 0x1F1);
WIRE_FIELD(struct boot_params, e820_table, 0x2D0);

#define HEADER_OFF       0x1F1u
#define HEADER_MAX_END   0x290u
#define HEADER_JUMP_OFF  0x201u
#define HEADER_JUMP_FROM 0x202u
#define BOOT_FLAG        0xAA55u
#define HEADER_MAGIC     0x53726448u
#define SECTOR_BYTES     512u
#define PARAGRAPH_BYTES  16u
#define DEFAULT_SECTS    4u
#define ENTRY_64_OFF     0x200u
#define LOADER_UNKNOWN   0xFFu

/* Versions of the boot protocol, and what came with them. */
#define VERSION_CMD_LINE_PTR    0x202u
#define VERSION_INITRD_ADDR_MAX 0x203u
#define VERSION_CMDLINE_SIZE    0x206u
#define VERSION_INIT_SIZE       0x20Au
#define VERSION_XLOADFLAGS      0x20Cu

/* What holds for kernels too old to say. */
#define OLD_INITRD_ADDR_MAX 0x37FFFFFFu
#define OLD_CMDLINE_SIZE    255u

/* Old kernels do not say what they unpack to; none grows by more. */
#define OLD_EXPANSION 4u

struct bzimage {
	/* the zero page to be; its hdr is the image's */
	struct boot_params params;
	/* the protected-mode kernel in the file */
	uint64_t kernel_off;
	uint64_t kernel_bytes;
	/* first address that is free once the kernel runs */
	uint64_t runtime_end;
	bool is_64bit;
};

/* Return: 1, 0; -1 with @error set. */
static int is_bzimage(const struct image *kernel, GError **error)
{
	uint8_t sector[SECTOR_BYTES + sizeof(struct setup_header)];
	struct setup_header hdr;
	ssize_t n = image_peek(kernel, 0, sector, sizeof(sector), error);

	if (n < 0)
		return -1;
	if ((size_t)n < HEADER_OFF + offsetof(struct setup_header, version))
		return 0;
	memcpy(&hdr, sector + HEADER_OFF,
	       MIN(sizeof(hdr), (size_t)n - HEADER_OFF));
	return hdr.boot_flag == BOOT_FLAG && hdr.header == HEADER_MAGIC;
}

/* The setup header, as much of it as this image has, into the zero page. */
static int read_header(const struct image *kernel, struct bzimage *bz,
		       GError **error)
{
	uint8_t jump;
	size_t end;

	if (image_read(kernel, HEADER_JUMP_OFF, &jump, 1, error))
		return -1;
	end = HEADER_JUMP_FROM + jump;
	if (end > HEADER_MAX_END) {
		g_set_error(error, BOOT_ERROR, BOOT_ERROR_FORMAT,
			    "%s: bzImage whose setup header ends at 0x%zx, "
			    "beyond its place in the zero page",
			    image_name(kernel), end);
		return -1;
	}
	return image_read(kernel, HEADER_OFF,
			  (uint8_t *)&bz->params + HEADER_OFF, end - HEADER_OFF,
			  error);
}

static int check_version(const struct image *kernel,
			 const struct setup_header *hdr, GError **error)
{
	if (hdr->version < VERSION_CMD_LINE_PTR) {
		g_set_error(error, BOOT_ERROR, BOOT_ERROR_FORMAT,
			    "%s: Linux boot protocol %u.%02u is too old, 2.02 "
			    "or newer is needed",
			    image_name(kernel), hdr->version >> 8,
			    hdr->version & 0xFFu);
		return -1;
	}
	if (!(hdr->loadflags & LOADED_HIGH)) {
		g_set_error(error, BOOT_ERROR, BOOT_ERROR_FORMAT,
			    "%s: a zImage, which loads below 1 MiB; build the "
			    "kernel as bzImage",
			    image_name(kernel));
		return -1;
	}
	return 0;
}

/* Where in the file the protected-mode kernel is. */
static int find_kernel(const struct image *kernel, struct bzimage *bz,
		       GError **error)
{
	const struct setup_header *hdr = &bz->params.hdr;
	uint64_t sects = hdr->setup_sects ? hdr->setup_sects : DEFAULT_SECTS;
	uint64_t end;

	bz->kernel_off = (sects + 1) * SECTOR_BYTES;
	bz->kernel_bytes = (uint64_t)hdr->syssize * PARAGRAPH_BYTES;
	if (bz->kernel_bytes <= ENTRY_64_OFF) {
		g_set_error(error, BOOT_ERROR, BOOT_ERROR_FORMAT,
			    "%s: bzImage that says its kernel has "
			    "%" PRIu64 " bytes",
			    image_name(kernel), bz->kernel_bytes);
		return -1;
	}
	end = bz->kernel_off + bz->kernel_bytes;
	if (end > image_bytes(kernel)) {
		g_set_error(error, BOOT_ERROR, BOOT_ERROR_TRUNCATED,
			    "%s: truncated: the bzImage header promises "
			    "%" PRIu64 " bytes, the file has %" PRIu64,
			    image_name(kernel), end, image_bytes(kernel));
		return -1;
	}
	return 0;
}

/* boot.rst, "init_size": the memory that the kernel runs in. */
static int find_runtime(const struct loader *l, struct bzimage *bz,
			GError **error)
{
	const struct setup_header *hdr = &bz->params.hdr;
	uint64_t start = MEMMAP_KERNEL, bytes = bz->kernel_bytes;
	uint64_t align = hdr->kernel_alignment;

	if (hdr->version < VERSION_INIT_SIZE) {
		bytes *= OLD_EXPANSION;
	} else if (!hdr->relocatable_kernel) {
		start = hdr->pref_address;
		bytes = hdr->init_size;
	} else if (!align || (align & (align - 1))) {
		g_set_error(error, BOOT_ERROR, BOOT_ERROR_FORMAT,
			    "%s: bzImage with a kernel alignment of "
			    "0x%" PRIx64 ", which is no power of two",
			    image_name(l->kernel), align);
		return -1;
	} else {
		start = MAX(align_up(start, align), hdr->pref_address);
		bytes = hdr->init_size;
	}
	if (!checked_add(start, bytes, &bz->runtime_end) ||
	    bz->runtime_end > loader_low_ram_end(l)) {
		g_set_error(error, BOOT_ERROR, BOOT_ERROR_MEMORY,
			    "%s: the kernel needs %" PRIu64 " MiB at 0x%" PRIx64
			    " to unpack itself; give the guest more memory "
			    "(--memory)",
			    image_name(l->kernel), (bytes + 0xFFFFF) >> 20,
			    start);
		return -1;
	}
	/* It is loaded, compressed, at 1 MiB before it moves. */
	bz->runtime_end =
		MAX(bz->runtime_end, MEMMAP_KERNEL + bz->kernel_bytes);
	return 0;
}

static int read_image(const struct loader *l, struct bzimage *bz,
		      GError **error)
{
	const struct setup_header *hdr = &bz->params.hdr;

	memset(bz, 0, sizeof(*bz));
	if (read_header(l->kernel, bz, error) ||
	    check_version(l->kernel, hdr, error) ||
	    find_kernel(l->kernel, bz, error) || find_runtime(l, bz, error))
		return -1;
	bz->is_64bit = hdr->version >= VERSION_XLOADFLAGS &&
		       (hdr->xloadflags & XLF_KERNEL_64);
	return 0;
}

/* What a boot loader fills in. */
static void fill_params(const struct loader *l, struct bzimage *bz,
			const struct loader_module *initrd)
{
	struct boot_params *p = &bz->params;
	struct e820_entry e820[E820_MAX];

	p->hdr.type_of_loader = LOADER_UNKNOWN;
	p->hdr.code32_start = (uint32_t)MEMMAP_KERNEL;
	p->hdr.cmd_line_ptr = (uint32_t)MEMMAP_CMDLINE;
	p->hdr.ramdisk_image = (uint32_t)initrd->gpa;
	p->hdr.ramdisk_size = (uint32_t)initrd->bytes;
	p->hdr.setup_data = 0;
	/* Kernels before 5.0 do not look here and find it by scanning. */
	p->acpi_rsdp_addr = MEMMAP_RSDP;

	p->e820_entries = (uint8_t)memmap_e820(l->mem, e820);
	for (unsigned int i = 0; i < p->e820_entries; i++)
		p->e820_table[i] = (struct boot_e820_entry){
			.addr = e820[i].base,
			.size = e820[i].bytes,
			.type = e820[i].type,
		};
}

int bzimage_load(const struct loader *l, struct boot_entry *entry,
		 GError **error)
{
	struct bzimage bz;
	const struct setup_header *hdr = &bz.params.hdr;
	struct loader_module initrd;
	uint64_t initrd_max = OLD_INITRD_ADDR_MAX, cmdline = OLD_CMDLINE_SIZE;
	int is = is_bzimage(l->kernel, error);

	if (is <= 0)
		return is;
	if (read_image(l, &bz, error))
		return -1;
	if (hdr->version >= VERSION_INITRD_ADDR_MAX)
		initrd_max = hdr->initrd_addr_max;
	if (hdr->version >= VERSION_CMDLINE_SIZE)
		cmdline = hdr->cmdline_size;
	if (loader_cmdline(l, l->cmdline, cmdline, error) ||
	    loader_initrd_high(l, bz.runtime_end, initrd_max + 1, &initrd,
			       error) ||
	    image_load(l->kernel, bz.kernel_off, l->mem, MEMMAP_KERNEL,
		       bz.kernel_bytes, error))
		return -1;
	fill_params(l, &bz, &initrd);
	gmem_write(l->mem, MEMMAP_ZERO_PAGE, &bz.params, sizeof(bz.params));

	entry->mode = bz.is_64bit ? BOOT_LONG : BOOT_PROTECTED;
	entry->rip = MEMMAP_KERNEL + (bz.is_64bit ? ENTRY_64_OFF : 0);
	entry->rsi = MEMMAP_ZERO_PAGE;
	entry->protocol = bz.is_64bit ? "bzImage 64-bit" : "bzImage 32-bit";
	return 1;
}
