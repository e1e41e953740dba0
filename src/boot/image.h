/* SPDX-License-Identifier: MIT */
/*
 * image.h - a file to load from, or bytes that stand for one.
 *
 * Nothing in it is trusted: every access says how much it wants, and one
 * that goes past the end fails with BOOT_ERROR_TRUNCATED and the file's name.
 */
#ifndef BOOT_IMAGE_H
#define BOOT_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include <glib.h>

struct gmem;
struct image;

/**
 * image_open() - open the regular file @path for reading
 *
 * Return: owned; NULL with @error set.
 */
struct image *image_open(const char *path, GError **error);

/** image_from_bytes() - @bytes as a file called @name; takes a reference */
struct image *image_from_bytes(const char *name, GBytes *bytes);
void image_free(struct image *image);

/** image_name() - the file's name for messages; borrowed */
const char *image_name(const struct image *image);
uint64_t image_bytes(const struct image *image);

/**
 * image_read() - copy @len bytes at @off
 *
 * Return: 0; -1 with @error set.
 */
int image_read(const struct image *image, uint64_t off, void *out, size_t len,
	       GError **error);

/**
 * image_peek() - as image_read(), for what may be shorter: reads what is there
 *
 * Return: bytes read, at most @len; -1 with @error set.
 */
ssize_t image_peek(const struct image *image, uint64_t off, void *out,
		   size_t len, GError **error);

/**
 * image_load() - put @len bytes at @off into guest RAM at @gpa
 *
 * The bytes go there directly; nothing parses them afterwards.
 *
 * Return: 0; -1 with @error set (BOOT_ERROR_MEMORY when @gpa is not RAM).
 */
int image_load(const struct image *image, uint64_t off, struct gmem *mem,
	       uint64_t gpa, uint64_t len, GError **error);

#endif
