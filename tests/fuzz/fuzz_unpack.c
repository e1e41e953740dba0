/* SPDX-License-Identifier: MIT */
/*
 * fuzz_unpack.c - Debian packages, and modules that are compressed.
 *
 * The input is a package; the first byte says whether it goes as it is, or is
 * the member data.tar of one that is made around it, so that the tar and what
 * it is compressed with are near.  Whatever it is, there are plain files in
 * boot and lib/modules of its folder afterwards, and nothing anywhere else.
 */
#include "fuzz/fuzz.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib.h>
#include <glib/gstdio.h>

#include "command/unpack.h"

#define FILE_MAX (1u << 20)

/* NOLINTBEGIN(misc-no-recursion): as deep as names are long */
/* Files and folders only; all of it goes. */
static void check_and_remove(const char *path)
{
	GDir *dir;
	const char *name;
	struct stat st;

	expect(!lstat(path, &st));
	if (S_ISREG(st.st_mode)) {
		expect(st.st_nlink == 1 && !g_remove(path));
		return;
	}
	expect(S_ISDIR(st.st_mode));
	dir = g_dir_open(path, 0, NULL);
	expect(dir != NULL);
	while ((name = g_dir_read_name(dir)) != NULL) {
		g_autofree char *sub = g_build_filename(path, name, NULL);

		check_and_remove(sub);
	}
	g_dir_close(dir);
	expect(!g_rmdir(path));
}
/* NOLINTEND(misc-no-recursion): as deep as names are long */

/* Nothing but @names in @path. */
static void check_names(const char *path, const char *const *names)
{
	GDir *dir = g_dir_open(path, 0, NULL);
	const char *name;

	expect(dir != NULL);
	while ((name = g_dir_read_name(dir)) != NULL)
		expect(g_strv_contains(names, name));
	g_dir_close(dir);
}

static void put(int fd, const void *data, size_t bytes)
{
	expect(write(fd, data, bytes) == (ssize_t)bytes);
}

static void put_member(int fd, const uint8_t *data, size_t bytes)
{
	char head[64];

	snprintf(head, sizeof(head), "%-16s%-12d%-6d%-6d%-8s%-10u`\n",
		 "data.tar", 0, 0, 0, "100644", (unsigned int)bytes);
	put(fd, "!<arch>\n", 8);
	put(fd, head, 60);
	put(fd, data, bytes);
	put(fd, "\n", bytes % 2);
}

static void check_package(const char *deb, const char *above)
{
	static const char *const only_folder[] = {"folder", NULL};
	static const char *const top[] = {"boot", "lib", "usr", NULL};
	g_autofree char *folder = g_build_filename(above, "folder", NULL);
	GError *error = NULL;

	expect(!g_mkdir(folder, 0700));
	expect(!unpack_deb(deb, folder, &error) == !error);
	g_clear_error(&error);
	check_names(above, only_folder);
	check_names(folder, top);
	check_and_remove(folder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *above = g_dir_make_tmp("kvmbus-fuzz-XXXXXX", NULL);
	int fd = memfd_create("input", MFD_CLOEXEC);
	g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fd);
	GError *error = NULL;
	GBytes *bytes;

	expect(above && fd >= 0);
	if (size && data[0] == 'm')
		put_member(fd, data + 1, size - 1);
	else if (size)
		put(fd, data, size);
	check_package(path, above);
	bytes = unpack_file(path, FILE_MAX, &error);
	expect(!bytes == !!error);
	if (bytes) {
		expect(g_bytes_get_size(bytes) <= FILE_MAX);
		g_bytes_unref(bytes);
	}
	g_clear_error(&error);
	close(fd);
	expect(!g_rmdir(above));
	return 0;
}
