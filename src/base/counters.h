/* SPDX-License-Identifier: MIT */
/*
 * counters.h - a struct of uint64_t numbers only, each written by one thread
 * and read by any.
 */
#ifndef BASE_COUNTERS_H
#define BASE_COUNTERS_H

#include <stddef.h>
#include <stdint.h>

/**
 * counters_add() - add up one by one
 * @sum:   the caller's own
 * @more:  what another thread may be counting; each number is right by itself
 * @bytes: of either
 */
static inline void counters_add(void *sum, const void *more, size_t bytes)
{
	uint64_t *to = sum;
	const uint64_t *from = more;

	for (size_t i = 0; i < bytes / sizeof(*to); i++)
		to[i] += __atomic_load_n(&from[i], __ATOMIC_RELAXED);
}

#endif
