/* SPDX-License-Identifier: MIT */
/*
 * image_file.h - files of a test that are gone when it is.
 */
#ifndef SUPPORT_IMAGE_FILE_H
#define SUPPORT_IMAGE_FILE_H

#include <check.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib.h>

/* A file without a name: .path leads to it as long as .fd is open. */
struct image_file {
	int fd;
	char path[64];
};

static inline void image_file_set(struct image_file *f, int fd, uint64_t bytes)
{
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, (off_t)bytes), 0);
	f->fd = fd;
	snprintf(f->path, sizeof(f->path), "/proc/%d/fd/%d", (int)getpid(), fd);
}

/** image_file_make() - in /tmp, sparse */
static inline void image_file_make(struct image_file *f, uint64_t bytes)
{
	char name[] = "/tmp/kvmbus-test-XXXXXX";
	int fd = mkostemp(name, O_CLOEXEC);

	unlink(name);
	image_file_set(f, fd, bytes);
}

/** image_file_make_tmpfs() - on a tmpfs, which does not know all calls */
static inline void image_file_make_tmpfs(struct image_file *f, uint64_t bytes)
{
	image_file_set(f, memfd_create("kvmbus-test", MFD_CLOEXEC), bytes);
}

/**
 * image_file_make_format() - in /tmp, by qemu-img
 * @format: of qemu-img
 *
 * Return: false: it is not installed.
 */
static inline bool image_file_make_format(struct image_file *f,
					  const char *format, uint64_t bytes)
{
	g_autofree char *qemu_img = g_find_program_in_path("qemu-img");
	g_autofree char *command = NULL;
	int status = -1;

	if (!qemu_img)
		return false;
	image_file_make(f, 0);
	/* VHDs have sizes of cylinders, if they are not told otherwise. */
	command = g_strdup_printf(
		"%s create -q -f %s %s %s %" PRIu64, qemu_img, format,
		strcmp(format, "vpc") ? "" : "-o force_size", f->path, bytes);
	ck_assert(
		g_spawn_command_line_sync(command, NULL, NULL, &status, NULL));
	ck_assert_int_eq(status, 0);
	return true;
}

static inline void image_file_end(struct image_file *f)
{
	close(f->fd);
}

/** image_file_used() - bytes of storage that it has */
static inline uint64_t image_file_used(const struct image_file *f)
{
	struct stat st;

	fsync(f->fd);
	ck_assert_int_eq(fstat(f->fd, &st), 0);
	return (uint64_t)st.st_blocks * 512;
}

#endif
