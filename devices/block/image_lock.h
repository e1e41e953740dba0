/* SPDX-License-Identifier: MIT */
/*
 * image_lock.h - so that two writers can not open one image.
 *
 * The scheme is QEMU's (block/file-posix.c:raw_apply_lock_bytes()), so that
 * its programs and ours see each other: open file description locks, all of
 * them shared, on bytes behind 100 ("I do this") and behind 200 ("nobody else
 * may do this").  Who finds a lock of another that forbids what he wants, or
 * does what he forbids, takes his own back.  They end with the descriptor.
 */
#ifndef DEVICES_BLOCK_IMAGE_LOCK_H
#define DEVICES_BLOCK_IMAGE_LOCK_H

#include <stdbool.h>

/**
 * image_lock() - use the image behind @fd
 * @write:     else it is only read
 * @shareable: others may write too
 *
 * Return: 0; -EBUSY: someone uses it in a way that does not go with this;
 * -EOPNOTSUPP: the file system has no such locks.
 */
int image_lock(int fd, bool write, bool shareable);

/** image_unlock() - now: a ring that is going away may still hold the file */
void image_unlock(int fd);

#endif
