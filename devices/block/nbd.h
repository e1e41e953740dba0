/* SPDX-License-Identifier: MIT */
/*
 * nbd.h - images that qemu-nbd reads for us: qcow2, VHDX, VHD, ….
 *
 * When qemu-nbd dies every request ends with -EIO, those that are in flight
 * and all later ones; the machine goes on without the disk.
 */
#ifndef DEVICES_BLOCK_NBD_H
#define DEVICES_BLOCK_NBD_H

#include <sys/types.h>

#include "devices/block/block_open.h"

/** block_nbd_open() - start a qemu-nbd for @o.  Return: as block_open() */
struct block *block_nbd_open(const struct block_options *o, const char *format,
			     GError **error);

/** block_nbd_pid() - of its qemu-nbd */
pid_t block_nbd_pid(struct block *b);

#endif
