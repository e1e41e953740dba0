/* SPDX-License-Identifier: MIT */
/*
 * qemu_nbd.h - a qemu-nbd of our own, for one image.
 *
 * It listens on a socket that only we can reach, and is given that socket
 * already listening, so that a connection made at once waits for it.  It is
 * not --persistent: it ends by itself when the last connection is
 * gone, also when we are killed.
 */
#ifndef DEVICES_BLOCK_QEMU_NBD_H
#define DEVICES_BLOCK_QEMU_NBD_H

#include <sys/types.h>

#include "devices/block/block_open.h"

struct qemu_nbd;

/** qemu_nbd_start() - Return: owned; NULL with @error set */
struct qemu_nbd *qemu_nbd_start(const struct block_options *o,
				const char *format, GError **error);

/** qemu_nbd_socket() - the path that it listens on, for this process only */
const char *qemu_nbd_socket(const struct qemu_nbd *s);

pid_t qemu_nbd_pid(const struct qemu_nbd *s);

/** qemu_nbd_words() - what it complained of; "" if of nothing.  Owned */
char *qemu_nbd_words(const struct qemu_nbd *s);

/** qemu_nbd_free() - all connections are closed: wait until it has ended */
void qemu_nbd_free(struct qemu_nbd *s);

#endif
