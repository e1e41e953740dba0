/* SPDX-License-Identifier: MIT */
/*
 * multiboot.h - the header in a multiboot 1 image and what it is given.
 *
 * Source: Multiboot Specification 0.6.96, chapter 3.
 */
#ifndef PROTO_MULTIBOOT_H
#define PROTO_MULTIBOOT_H

#include <stdint.h>

#include "proto/wire.h"

/* The header is in the first so many bytes of the file, 4-byte aligned. */
#define MULTIBOOT_SEARCH_BYTES 8192u

#define MULTIBOOT_HEADER_MAGIC 0x1BADB002u
#define MULTIBOOT_ENTRY_MAGIC  0x2BADB002u

/* multiboot_header.flags: the low half must be understood. */
#define MULTIBOOT_HEADER_ALIGN_MODULES (1u << 0)
#define MULTIBOOT_HEADER_MEMORY        (1u << 1)
#define MULTIBOOT_HEADER_VIDEO         (1u << 2)
#define MULTIBOOT_HEADER_REQUIRED      0xFFFFu
#define MULTIBOOT_HEADER_ADDRESSES     (1u << 16)

struct multiboot_header {
	uint32_t magic;
	uint32_t flags;
	/* magic + flags + checksum is 0 */
	uint32_t checksum;
	/* with MULTIBOOT_HEADER_ADDRESSES */
	uint32_t header_addr;
	uint32_t load_addr;
	uint32_t load_end_addr;
	uint32_t bss_end_addr;
	uint32_t entry_addr;
};
WIRE_SIZE(struct multiboot_header, 32);

/* multiboot_info.flags: which fields are valid. */
#define MULTIBOOT_INFO_MEMORY  (1u << 0)
#define MULTIBOOT_INFO_CMDLINE (1u << 2)
#define MULTIBOOT_INFO_MODULES (1u << 3)
#define MULTIBOOT_INFO_MMAP    (1u << 6)
#define MULTIBOOT_INFO_LOADER  (1u << 9)

struct multiboot_info {
	uint32_t flags;
	/* KiB from 0, and from 1 MiB */
	uint32_t mem_lower;
	uint32_t mem_upper;
	uint32_t boot_device;
	uint32_t cmdline;
	uint32_t mods_count;
	uint32_t mods_addr;
	uint32_t syms[4];
	uint32_t mmap_length;
	uint32_t mmap_addr;
	uint32_t drives_length;
	uint32_t drives_addr;
	uint32_t config_table;
	uint32_t boot_loader_name;
	uint32_t apm_table;
	uint32_t vbe[6];
};
WIRE_SIZE(struct multiboot_info, 96);
WIRE_FIELD(struct multiboot_info, mmap_length, 44);

struct multiboot_module {
	uint32_t start;
	uint32_t end;
	uint32_t string;
	uint32_t reserved;
};
WIRE_SIZE(struct multiboot_module, 16);

/* @size does not count itself; @type is E820's. */
struct multiboot_mmap_entry {
	uint32_t size;
	uint64_t addr;
	uint64_t len;
	uint32_t type;
} __attribute__((packed));
WIRE_SIZE(struct multiboot_mmap_entry, 24);

#endif
