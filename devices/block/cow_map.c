/* SPDX-License-Identifier: MIT */
#include "devices/block/cow_map.h"

#include <sys/mman.h>

#include <glib.h>

#define WORD_BITS 64u

struct cow_map {
	uint64_t *words; /* atomic */
	uint64_t map_bytes;
	uint32_t block_bytes;
};

struct cow_map *cow_map_new(uint64_t bytes, uint32_t block_bytes)
{
	struct cow_map *map = g_new0(struct cow_map, 1);

	map->block_bytes = block_bytes;
	map->map_bytes =
		(bytes / block_bytes / WORD_BITS + 1) * sizeof(uint64_t);
	map->words = mmap(NULL, map->map_bytes, PROT_READ | PROT_WRITE,
			  /* cppcheck-suppress invalidFunctionArg ; fd -1 */
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (map->words == MAP_FAILED) {
		g_free(map);
		return NULL;
	}
	return map;
}

void cow_map_free(struct cow_map *map)
{
	if (!map)
		return;
	munmap(map->words, map->map_bytes);
	g_free(map);
}

void cow_map_mark(struct cow_map *map, uint64_t offset, uint64_t bytes)
{
	uint64_t block = (offset + map->block_bytes - 1) / map->block_bytes;
	uint64_t end = (offset + bytes) / map->block_bytes;

	while (block < end) {
		uint64_t first = block % WORD_BITS;
		uint64_t n = MIN(end - block, WORD_BITS - first);
		uint64_t bits = (n == WORD_BITS ? 0 : 1ull << n) - 1;

		/* Pairs with the load in cow_map_run(). */
		__atomic_fetch_or(&map->words[block / WORD_BITS], bits << first,
				  __ATOMIC_RELEASE);
		block += n;
	}
}

uint64_t cow_map_run(const struct cow_map *map, uint64_t offset, uint64_t bytes,
		     bool *written)
{
	uint64_t block = offset / map->block_bytes;
	uint64_t end = (offset + bytes - 1) / map->block_bytes + 1;
	uint64_t at = block;
	bool is = false;

	while (at < end) {
		/* Pairs with cow_map_mark(). */
		uint64_t word = __atomic_load_n(&map->words[at / WORD_BITS],
						__ATOMIC_ACQUIRE);
		uint64_t left = WORD_BITS - at % WORD_BITS;
		uint64_t same;

		word >>= at % WORD_BITS;
		if (at == block)
			is = word & 1;
		/* How many bits of the word, from here on, are as @is? */
		if (is)
			word = ~word;
		same = word ? (uint64_t)__builtin_ctzll(word) : WORD_BITS;
		at += MIN(same, left);
		if (same < left)
			break;
	}
	*written = is;
	return MIN(MIN(at, end) * map->block_bytes - offset, bytes);
}
