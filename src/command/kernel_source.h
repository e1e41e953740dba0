/* SPDX-License-Identifier: MIT */
/*
 * kernel_source.h - what --kernel names: an image, a folder with one and its
 * modules, or Debian packages of it.
 *
 * Packages are unpacked once, into a folder of their own in the cache
 * ($XDG_CACHE_HOME/kvmbus/packages), and are looked for there the next time.
 *
 * Thread: any.
 */
#ifndef COMMAND_KERNEL_SOURCE_H
#define COMMAND_KERNEL_SOURCE_H

#include <stdbool.h>

#include <glib.h>

/* A kernel that is there. */
struct kernel_source {
	char *image; /* bzImage or ELF */
	char *release; /* "6.1.0-18-cloud-amd64"; NULL: not known */
	char *modules; /* folder; NULL: none */
};

/**
 * kernel_source_is_plain() - is it the image itself?
 *
 * Then nothing but its modules is to be looked for.
 */
bool kernel_source_is_plain(const char *path);

/**
 * kernel_source_find() - what @paths are
 * @paths: a file; or a folder, as a package has it, as "make
 *         modules_install" leaves it, or a build tree; or packages that belong
 *         together
 * @cache: where packages are unpacked; NULL: the user's cache
 *
 * Return: owned; NULL with @error (GUEST_ERROR) that says what is missing.
 */
struct kernel_source *kernel_source_find(const char *const *paths,
					 const char *cache, GError **error);
void kernel_source_free(struct kernel_source *source);

/** kernel_release() - what a bzImage says it is; owned; NULL: it does not */
char *kernel_release(const char *image);

#endif
