/* SPDX-License-Identifier: MIT */
/*
 * checked.h - arithmetic on numbers that a guest or a file chose.
 */
#ifndef BASE_CHECKED_H
#define BASE_CHECKED_H

#include <stdbool.h>
#include <stdint.h>

/** checked_add() - *@sum = @a + @b; false (and *@sum undefined) on overflow */
static inline bool checked_add(uint64_t a, uint64_t b, uint64_t *sum)
{
	return !__builtin_add_overflow(a, b, sum);
}

/** checked_mul() - *@product = @a * @b; false on overflow */
static inline bool checked_mul(uint64_t a, uint64_t b, uint64_t *product)
{
	return !__builtin_mul_overflow(a, b, product);
}

/** range_fits() - does [@off, @off + @len) lie within [0, @size)? */
static inline bool range_fits(uint64_t off, uint64_t len, uint64_t size)
{
	return off <= size && len <= size - off;
}

/** align_up() - @value rounded up to @align, a power of two; wraps at 2^64 */
static inline uint64_t align_up(uint64_t value, uint64_t align)
{
	return (value + align - 1) & ~(align - 1);
}

/** align_down() - @value rounded down to @align, a power of two */
static inline uint64_t align_down(uint64_t value, uint64_t align)
{
	return value & ~(align - 1);
}

/** is_aligned() - is @value a multiple of @align, a power of two? */
static inline bool is_aligned(uint64_t value, uint64_t align)
{
	return !(value & (align - 1));
}

#endif
