/* SPDX-License-Identifier: MIT */
/*
 * ram.h - a disk in memory: for tests, fuzzers and benchmarks.
 *
 * A request is done when it is submitted, and reported in the next reap, as
 * of any other back end.  It can be told to fail or to wait.
 */
#ifndef DEVICES_BLOCK_RAM_H
#define DEVICES_BLOCK_RAM_H

#include "devices/block/block.h"

/**
 * block_ram_new() - a disk of zeroes
 * @bytes:       a multiple of @block_bytes, not 0; used only where written
 * @block_bytes: 512 or 4096
 *
 * Return: owned.  NULL: no address space for twice as much.
 */
struct block *block_ram_new(uint64_t bytes, uint32_t block_bytes);

/** block_ram_data() - its bytes, as long as it lives */
uint8_t *block_ram_data(struct block *b);

/**
 * block_ram_info() - what block_info() says
 *
 * To be changed before the first queue: readonly, can_discard, …  But for the
 * size, which is block_ram_resize()'s.
 */
struct block_info *block_ram_info(struct block *b);

/**
 * block_ram_resize() - as if someone had truncated or extended the file
 * @bytes: at most twice what it was made with
 *
 * The disk's size stays until block_refresh(); what is read or written behind
 * the image's end is -EIO.
 */
void block_ram_resize(struct block *b, uint64_t bytes);

/* What happens to some of the requests from now on. */
struct block_ram_fault {
	bool any_op;
	enum block_op op; /* of these; not looked at with @any_op */
	unsigned int after; /* this many still go well */
	unsigned int times; /* then this many end with @result */
	int result; /* -errno; nothing is read, written or zeroed */
};

/** block_ram_fail() - replaces what was said before.  Any thread */
void block_ram_fail(struct block *b, const struct block_ram_fault *fault);

/**
 * block_ram_hold() - requests that are submitted from now on do not end
 * @hold: false: they do, and those that were held do now.  Any thread
 */
void block_ram_hold(struct block *b, bool hold);

#endif
