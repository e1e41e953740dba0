/* SPDX-License-Identifier: MIT */
/*
 * memory.h - bytes in memory; also what the compiler itself calls.
 */
#ifndef LIB_MEMORY_H
#define LIB_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_BYTES 4096u

void *memcpy(void *to, const void *from, size_t n);
void *memset(void *to, int c, size_t n);
void *memmove(void *to, const void *from, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);

static inline void memory_copy(void *to, const void *from, size_t n)
{
	memcpy(to, from, n);
}

static inline bool memory_equal(const void *a, const void *b, size_t n)
{
	return !memcmp(a, b, n);
}

/** memory_is() - is every byte @c? */
bool memory_is(const void *p, uint8_t c, size_t n);

/** memory_checksum() - sum of all bytes, modulo 256 */
uint8_t memory_checksum(const void *p, size_t n);

#endif
