/* SPDX-License-Identifier: MIT */
/*
 * elf_image.h - the program headers of an x86 ELF kernel, 32- or 64-bit.
 *
 * Private to src/boot.
 */
#ifndef BOOT_ELF_IMAGE_H
#define BOOT_ELF_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

struct image;
struct loader;

/* More than any kernel has. */
#define ELF_IMAGE_MAX_SEGMENTS 64u

struct elf_segment {
	/* PT_… */
	uint32_t type;
	uint64_t offset;
	uint64_t vaddr;
	uint64_t paddr;
	uint64_t file_bytes;
	uint64_t memory_bytes;
	uint64_t align;
};

struct elf_image {
	bool is_64bit;
	uint64_t entry;
	unsigned int n_segments;
	struct elf_segment segments[ELF_IMAGE_MAX_SEGMENTS];
};

/**
 * elf_image_parse() - read the headers of @file
 *
 * Return: 1; 0 when it is not an ELF file; -1 with @error set when it is one
 * but is damaged, or not an executable for x86.
 */
int elf_image_parse(const struct image *file, struct elf_image *elf,
		    GError **error);

/**
 * elf_image_load() - put the PT_LOAD segments to their physical addresses
 * @end: first address above them all, at least MEMMAP_KERNEL
 *
 * Return: 0; -1 with @error set.
 */
int elf_image_load(const struct loader *l, const struct elf_image *elf,
		   uint64_t *end, GError **error);

/**
 * elf_image_find_note() - find a note with a number in it
 * @name:  owner
 * @value: the descriptor, 4 or 8 bytes
 *
 * Return: 1; 0 when there is none; -1 with @error set.
 */
int elf_image_find_note(const struct image *file, const struct elf_image *elf,
			const char *name, uint32_t type, uint64_t *value,
			GError **error);

#endif
