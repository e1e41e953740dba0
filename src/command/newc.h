/* SPDX-License-Identifier: MIT */
/*
 * newc.h - writes an initramfs: a cpio archive as the kernel unpacks it.
 *
 * The same calls give the same bytes: times are zero, inodes are counted, and
 * folders that a name needs are made once, before it.
 *
 * Thread: one at a time.
 * Source: Linux Documentation/driver-api/early-userspace/buffer-format.rst.
 */
#ifndef COMMAND_NEWC_H
#define COMMAND_NEWC_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <glib.h>

/* An initramfs that cannot be made (exit 3). */
#define GUEST_ERROR (guest_error_quark())
GQuark guest_error_quark(void);

struct newc;

struct newc_owner {
	uint32_t mode; /* with S_IFMT of the kind of file */
	uint32_t uid, gid;
	uint32_t major, minor; /* of a device */
};

/**
 * newc_new() - an archive with nothing in it
 * @fd:        where it goes; borrowed
 * @bytes_max: more is refused
 *
 * Return: owned; free with newc_free().
 */
struct newc *newc_new(int fd, uint64_t bytes_max);
void newc_free(struct newc *newc);

/**
 * newc_add() - one file, link, folder or device
 * @path:  relative to the root, without "." or ".."
 * @owner: its kind, mode and owner
 * @data:  of a file, or where a link leads; may be NULL with @len 0
 *
 * What was added before by that name stays, and this one is left out.
 * Return: 0; -1 with @error (GUEST_ERROR).
 */
int newc_add(struct newc *newc, const char *path,
	     const struct newc_owner *owner, const void *data, size_t len,
	     GError **error);

/** newc_file() - newc_add() of a file of root's */
int newc_file(struct newc *newc, const char *path, mode_t mode,
	      const void *data, size_t len, GError **error);

/** newc_link() - newc_add() of a symbolic link */
int newc_link(struct newc *newc, const char *path, const char *to,
	      GError **error);

/** newc_folder() - newc_add() of a folder */
int newc_folder(struct newc *newc, const char *path, GError **error);

/** newc_has() - was something added by that name? */
gboolean newc_has(const struct newc *newc, const char *path);

/** newc_end() - what ends an archive; nothing may be added behind it */
int newc_end(struct newc *newc, GError **error);

#endif
