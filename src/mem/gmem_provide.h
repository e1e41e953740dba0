/* SPDX-License-Identifier: MIT */
/*
 * gmem_provide.h - have the host provide guest RAM before it is used.
 *
 * Thread: main, with every vCPU stopped.
 */
#ifndef MEM_GMEM_PROVIDE_H
#define MEM_GMEM_PROVIDE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <glib.h>

struct gmem;
struct gmem_region;

/**
 * gmem_provide() - all that the guest starts with; not spare RAM
 * @huge: it is an error if it is not all in pages of 2 MiB, as far as it is
 *        whole ones
 *
 * RAM that is anonymous can not come from hugetlbfs, as single pages of it
 * are mapped otherwise for a while (gmem_share.c); the host's transparent
 * huge pages serve the same end.
 *
 * Return: 0; -1 with @error (G_FILE_ERROR) set.
 */
int gmem_provide(struct gmem *mem, bool huge, GError **error);

/**
 * gmem_lock() - from now on nothing of this process that was used once is
 * paged out; the locked memory is bounded by RLIMIT_MEMLOCK
 *
 * Return: 0; -1 with @error (G_FILE_ERROR) set.
 */
int gmem_lock(GError **error);

/**
 * gmem_huge_bytes() - of a region, how much is in pages of 2 MiB
 * @smaps: open on /proc/self/smaps, or on something like it
 */
uint64_t gmem_huge_bytes(FILE *smaps, const struct gmem_region *region);

#endif
