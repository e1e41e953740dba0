/* SPDX-License-Identifier: MIT */
/*
 * random.h - numbers that look random and are the same in every run.
 */
#ifndef SUPPORT_RANDOM_H
#define SUPPORT_RANDOM_H

#include <stdint.h>

/** random_u64() - the next number (splitmix64) */
static inline uint64_t random_u64(void)
{
	static uint64_t state;
	uint64_t z = state += 0x9E3779B97F4A7C15;

	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
	return z ^ (z >> 31);
}

#endif
