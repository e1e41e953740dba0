/* SPDX-License-Identifier: MIT */
/*
 * loader.h - what boot.c gives each image format, and the formats.
 *
 * Private to src/boot.
 */
#ifndef BOOT_LOADER_H
#define BOOT_LOADER_H

#include <stdint.h>

#include <glib.h>

struct boot_entry;
struct gmem;
struct image;

struct loader {
	struct gmem *mem;
	const struct image *kernel;
	/* NULL: none */
	const struct image *initrd;
	/* never NULL */
	const char *cmdline;
};

/* Where the initrd is; @bytes is 0 without one. */
struct loader_module {
	uint64_t gpa;
	uint64_t bytes;
};

/**
 * loader_low_ram_end() - first address above the RAM below 4 GiB
 */
uint64_t loader_low_ram_end(const struct loader *l);

/**
 * loader_initrd_high() - load the initrd as high as it may be
 * @floor: first address that the kernel leaves free
 * @limit: first address that the initrd may not use
 * @out:   where it is
 *
 * It is below 4 GiB and begins at a page.
 *
 * Return: 0; -1 with @error set.
 */
int loader_initrd_high(const struct loader *l, uint64_t floor, uint64_t limit,
		       struct loader_module *out, GError **error);

/**
 * loader_initrd_low() - load the initrd to the first page from @floor on
 *
 * As loader_initrd_high().
 */
int loader_initrd_low(const struct loader *l, uint64_t floor,
		      struct loader_module *out, GError **error);

/**
 * loader_cmdline() - write @text, with its NUL, to MEMMAP_CMDLINE
 * @max: the longest that the kernel takes, without the NUL
 *
 * Return: 0; -1 with @error set.
 */
int loader_cmdline(const struct loader *l, const char *text, uint64_t max,
		   GError **error);

/*
 * The formats.  Each looks at the kernel and loads it with all it needs if it
 * is of its format.
 *
 * Return: 1, with @entry's mode, registers and protocol filled in; 0 when it
 * is of another format; -1 with @error set.
 */
int bzimage_load(const struct loader *l, struct boot_entry *entry,
		 GError **error);
int pvh_load(const struct loader *l, struct boot_entry *entry, GError **error);
int multiboot_load(const struct loader *l, struct boot_entry *entry,
		   GError **error);

#endif
