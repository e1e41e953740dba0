/* SPDX-License-Identifier: MIT */
/*
 * cow_map.h - which blocks of a snapshot were written.
 *
 * A bit for each block of the disk, in memory that is used only where bits
 * are set: 4 KiB of it for each 16 MiB of a disk with blocks of 512 bytes.
 * With whole blocks as its grain nothing has ever to be copied from the image
 * to complete what is written, so that no two requests depend on each other.
 *
 * Thread: any.  What cow_map_mark() told is seen by whoever is told of it.
 */
#ifndef DEVICES_BLOCK_COW_MAP_H
#define DEVICES_BLOCK_COW_MAP_H

#include <stdbool.h>
#include <stdint.h>

struct cow_map;

/** cow_map_new() - Return: owned; NULL: no address space */
struct cow_map *cow_map_new(uint64_t bytes, uint32_t block_bytes);
void cow_map_free(struct cow_map *map);

/** cow_map_mark() - the whole blocks that lie in this range were written */
void cow_map_mark(struct cow_map *map, uint64_t offset, uint64_t bytes);

/**
 * cow_map_run() - how far is it the same from @offset on?
 * @bytes:   at most this, not 0; within the disk
 * @written: what it is
 *
 * Return: bytes, at least 1: to the end of a block, or @bytes.
 */
uint64_t cow_map_run(const struct cow_map *map, uint64_t offset, uint64_t bytes,
		     bool *written);

#endif
