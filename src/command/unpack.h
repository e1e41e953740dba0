/* SPDX-License-Identifier: MIT */
/*
 * unpack.h - Debian packages, and files that are compressed.
 *
 * Both may be anybody's: what is unpacked is bounded in bytes and names, and
 * stays below the folder that it is for, whatever its names are.
 *
 * Thread: any.
 */
#ifndef COMMAND_UNPACK_H
#define COMMAND_UNPACK_H

#include <stdint.h>

#include <glib.h>

/**
 * unpack_deb() - kernel and modules of a Debian package
 * @deb: the package
 * @dir: a folder that is there, with no links in it
 *
 * Its plain files below boot and lib/modules; anything else is left out.
 *
 * Return: 0; -1 with @error (GUEST_ERROR).  @dir may hold some of it then.
 */
int unpack_deb(const char *deb, const char *dir, GError **error);

/**
 * unpack_file() - a file as it was before xz, zstd or gzip
 * @bytes_max: more is refused
 *
 * One that is not compressed comes as it is.
 * Return: owned; NULL with @error (GUEST_ERROR).
 */
GBytes *unpack_file(const char *path, uint64_t bytes_max, GError **error);

#endif
