/* SPDX-License-Identifier: MIT */
/* nbd_handle.h - connections to NBD servers, by libnbd. */
#ifndef DEVICES_BLOCK_NBD_HANDLE_H
#define DEVICES_BLOCK_NBD_HANDLE_H

#include <glib.h>

struct nbd_handle;
struct qemu_nbd;

/**
 * block_nbd_handle() - connect, within BLOCK_NBD_ANSWER_MS
 * @path:   for messages; without @server the URI
 * @server: ours; NULL: somebody else's
 *
 * Return: owned, ready for commands; NULL with @error set.
 */
struct nbd_handle *block_nbd_handle(const char *path,
				    const struct qemu_nbd *server,
				    GError **error);

#endif
