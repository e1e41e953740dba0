/* SPDX-License-Identifier: MIT */
/*
 * arithmetic.h - 64-bit products and quotients, without a run-time library.
 */
#ifndef LIB_ARITHMETIC_H
#define LIB_ARITHMETIC_H

#include <stdint.h>

/** divide() - @value / @by; the remainder in @rest, which may be NULL */
static inline uint64_t divide(uint64_t value, uint32_t by, uint32_t *rest)
{
	uint32_t high = (uint32_t)(value >> 32);
	uint32_t low = (uint32_t)value;
	uint32_t r = high % by;

	high /= by;
	asm("divl %2" : "+a"(low), "+d"(r) : "rm"(by) : "cc");
	if (rest)
		*rest = r;
	return (uint64_t)high << 32 | low;
}

/** multiply_high() - bits 127 to 64 of @a * @b */
static inline uint64_t multiply_high(uint64_t a, uint64_t b)
{
	uint64_t a0 = (uint32_t)a, a1 = a >> 32;
	uint64_t b0 = (uint32_t)b, b1 = b >> 32;
	uint64_t middle = a1 * b0 + (a0 * b0 >> 32);
	uint64_t other = a0 * b1 + (uint32_t)middle;

	return a1 * b1 + (middle >> 32) + (other >> 32);
}

#endif
