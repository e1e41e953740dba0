/* SPDX-License-Identifier: MIT */
/*
 * spare_memory.h - which of the machine's spare RAM kernels were given, and
 * what the one that runs is to be given next.
 *
 * A kernel that is given what it has already refuses it, and all that comes
 * later (Linux hv_balloon.c:hv_mem_hot_add(), -EEXIST).  So what was given is
 * known for as long as some kernel may have it, which is until the machine is
 * reset, and not for as long as a driver is there.  After kexec nobody says
 * what the kernel has: kexec_load() tells it of what was added to the one
 * before, kexec_file_load() does not.  So what no kernel had is first, and the
 * rest when there is no more of that.
 *
 * Thread: one at a time.  All numbers are pages.
 */
#ifndef VSP_SPARE_MEMORY_H
#define VSP_SPARE_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

struct spare_memory {
	uint64_t first, end; /* all there is */
	uint64_t given_end; /* below it some kernel may have it */
	uint64_t old_at, old_end; /* ... but not from here to there this one */
};

/** spare_memory_init() - [@first, @end), of which nothing was given */
void spare_memory_init(struct spare_memory *m, uint64_t first, uint64_t end);

/**
 * spare_memory_next_kernel() - another one runs
 * @was_reset: the machine was, and none of those before matters any more
 */
void spare_memory_next_kernel(struct spare_memory *m, bool was_reset);

/** spare_memory_room() - how much may be given in units of @unit */
uint64_t spare_memory_room(const struct spare_memory *m, uint64_t unit);

/**
 * spare_memory_next() - the unit that is to be given next
 * @at: out: where it is, a multiple of @unit
 *
 * The same again until it was given.  Return: false there is none.
 */
bool spare_memory_next(const struct spare_memory *m, uint64_t unit,
		       uint64_t *at);

/**
 * spare_memory_give() - the kernel has, or may have, [@at, @at + @n)
 * @at: as spare_memory_next() said
 */
void spare_memory_give(struct spare_memory *m, uint64_t at, uint64_t n);

/** spare_memory_given() - from the first on, some kernel may have so much */
uint64_t spare_memory_given(const struct spare_memory *m);

#endif
