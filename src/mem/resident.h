/* SPDX-License-Identifier: MIT */
/*
 * resident.h - what this process itself needs of the host's memory.
 */
#ifndef MEM_RESIDENT_H
#define MEM_RESIDENT_H

#include <stdint.h>
#include <stdio.h>

struct gmem;

/**
 * resident_besides_ram() - resident bytes of all mappings that are not RAM
 * @smaps: open on /proc/self/smaps, or on something like it
 *
 * RAM is what lies at a region of @mem, and what is mapped a second time
 * (gmem_alias()).  Pages of libraries count in full, though other processes
 * may share them.
 *
 * Return: bytes.  Thread: any.
 */
uint64_t resident_besides_ram(FILE *smaps, const struct gmem *mem);

#endif
