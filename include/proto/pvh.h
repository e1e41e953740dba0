/* SPDX-License-Identifier: MIT */
/*
 * pvh.h - the PVH boot ABI: how a kernel asks for it and what it is given.
 *
 * Source: Xen docs/misc/pvh.pandoc, xen/include/public/arch-x86/hvm/
 * start_info.h and elfnote.h.
 */
#ifndef PROTO_PVH_H
#define PROTO_PVH_H

#include <stdint.h>

#include "proto/wire.h"

/* ELF note with the 32-bit physical entry point. */
#define PVH_NOTE_NAME "Xen"
#define PVH_NOTE_TYPE 18

#define PVH_START_MAGIC   0x336EC578u
#define PVH_START_VERSION 1

struct pvh_start_info {
	uint32_t magic;
	uint32_t version;
	uint32_t flags;
	uint32_t nr_modules;
	uint64_t modlist_paddr;
	uint64_t cmdline_paddr;
	uint64_t rsdp_paddr;
	uint64_t memmap_paddr;
	uint32_t memmap_entries;
	uint32_t reserved;
};
WIRE_SIZE(struct pvh_start_info, 56);

struct pvh_module {
	uint64_t paddr;
	uint64_t size;
	uint64_t cmdline_paddr;
	uint64_t reserved;
};
WIRE_SIZE(struct pvh_module, 32);

/* @type is E820's. */
struct pvh_memmap_entry {
	uint64_t addr;
	uint64_t size;
	uint32_t type;
	uint32_t reserved;
};
WIRE_SIZE(struct pvh_memmap_entry, 24);

#endif
