/* SPDX-License-Identifier: MIT */
/*
 * nbd.h - images that qemu-nbd reads for us: qcow2, VHDX, VHD, …; and what
 * somebody else's NBD server has.
 *
 * When the server dies every request ends with -EIO, those that are in flight
 * and all later ones; the machine goes on without the disk.
 */
#ifndef DEVICES_BLOCK_NBD_H
#define DEVICES_BLOCK_NBD_H

#include <stdint.h>
#include <sys/types.h>

#include "devices/block/block_open.h"

/* A server has so long to take a connection, and to say what it has. */
#define BLOCK_NBD_ANSWER_MS UINT64_C(10000)

/** block_nbd_open() - start a qemu-nbd for @o.  Return: as block_open() */
struct block *block_nbd_open(const struct block_options *o, const char *format,
			     GError **error);

/**
 * block_nbd_connect() - be a client of the server that @o's path, a URI, is of
 *
 * Without TLS.  A server that the guest may write through must say that all its
 * connections see the same, as each queue has one.
 * Return: as block_open()
 */
struct block *block_nbd_connect(const struct block_options *o, GError **error);

/** block_nbd_pid() - of its qemu-nbd; 0: the server is not ours */
pid_t block_nbd_pid(struct block *b);

#endif
