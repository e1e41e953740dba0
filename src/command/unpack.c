/* SPDX-License-Identifier: MIT */
#include "command/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include <archive.h>
#include <archive_entry.h>

#include "command/newc.h"

/* A kernel's package has 110 MiB and 4500 names unpacked; one with debugging
 * information ten times as much. */
#define DEB_BYTES_MAX   (4ull << 30)
#define DEB_ENTRIES_MAX 200000
#define PIECE_BYTES     (64u << 10)

/* What a kernel's package has that is wanted; all else stays packed. */
static const char *const wanted[] = {"boot/", "lib/modules/",
				     "usr/lib/modules/"};

static int fail(GError **error, const char *path, const char *why)
{
	g_set_error(error, GUEST_ERROR, 0, "%s: %s", path,
		    why ? why : "can not be read");
	return -1;
}

/*
 * What dpkg(1) and the kernel's build compress with.  Not all that libarchive
 * has: for some it would start a program that the file names by its first bytes.
 */
static void support_filters(struct archive *a)
{
	archive_read_support_filter_gzip(a);
	archive_read_support_filter_bzip2(a);
	archive_read_support_filter_lzma(a);
	archive_read_support_filter_xz(a);
	archive_read_support_filter_zstd(a);
}

/* The package's member data.tar, read as it comes. */
struct member {
	struct archive *package;
	uint8_t piece[PIECE_BYTES];
};

static la_ssize_t read_member(struct archive *inner, void *ctx,
			      const void **data)
{
	struct member *m = ctx;
	la_ssize_t n =
		archive_read_data(m->package, m->piece, sizeof(m->piece));

	if (n < 0)
		archive_set_error(inner, EIO, "%s",
				  archive_error_string(m->package));
	*data = m->piece;
	return n;
}

/* "./boot/x" to "boot/x"; NULL: it is not wanted. */
static const char *plain_name(const char *name)
{
	while (name && name[0] == '.' && name[1] == '/')
		name += 2;
	for (size_t i = 0; name && i < G_N_ELEMENTS(wanted); i++) {
		if (g_str_has_prefix(name, wanted[i]))
			return name;
	}
	return NULL;
}

/* Does a part of it lead upwards, or nowhere? */
static bool leads_out(const char *name)
{
	g_auto(GStrv) parts = g_strsplit(name, "/", -1);

	for (char **p = parts; *p; p++) {
		if (!**p || !strcmp(*p, ".") || !strcmp(*p, ".."))
			return true;
	}
	return false;
}

static int copy_data(struct archive *tar, int fd, uint64_t *left,
		     const char *deb, GError **error)
{
	const void *data;
	size_t len;
	la_int64_t at;
	int got;

	while ((got = archive_read_data_block(tar, &data, &len, &at)) ==
	       ARCHIVE_OK) {
		if (at < 0 || (uint64_t)at > DEB_BYTES_MAX || len > *left)
			return fail(error, deb, "too large");
		*left -= len;
		if (pwrite(fd, data, len, at) != (ssize_t)len)
			return fail(error, deb, g_strerror(errno));
	}
	return got == ARCHIVE_EOF ? 0
				  : fail(error, deb, archive_error_string(tar));
}

/*
 * Files only: where no link is ever made, none can lead out.  A file that is
 * there already, or in the place of a folder, is an error.
 */
static int put_file(struct archive *tar, const char *name, const char *dir,
		    uint64_t *left, const char *deb, GError **error)
{
	g_autofree char *path = g_build_filename(dir, name, NULL);
	g_autofree char *folder = g_path_get_dirname(path);
	int fd, ret;

	if (leads_out(name))
		return fail(error, deb, "has a name outside of its folder");
	if (g_mkdir_with_parents(folder, 0755))
		return fail(error, deb, g_strerror(errno));
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		  0644);
	if (fd < 0)
		return fail(error, deb, g_strerror(errno));
	ret = copy_data(tar, fd, left, deb, error);
	if (close(fd) && !ret)
		ret = fail(error, deb, g_strerror(errno));
	return ret;
}

static int unpack_tar(struct archive *tar, const char *deb, const char *dir,
		      GError **error)
{
	uint64_t left = DEB_BYTES_MAX;
	struct archive_entry *e;
	int ret = 0, got = ARCHIVE_OK;

	for (unsigned int n = 0; !ret; n++) {
		const char *name;

		got = archive_read_next_header(tar, &e);
		if (got != ARCHIVE_OK)
			break;
		name = plain_name(archive_entry_pathname(e));
		if (n >= DEB_ENTRIES_MAX)
			ret = fail(error, deb, "has too many files");
		else if (name && archive_entry_filetype(e) == AE_IFREG &&
			 !archive_entry_hardlink(e))
			ret = put_file(tar, name, dir, &left, deb, error);
	}
	if (!ret && got != ARCHIVE_EOF)
		ret = fail(error, deb, archive_error_string(tar));
	return ret;
}

/* Up to the member that has the files. */
static int find_data(struct archive *package, const char *deb, GError **error)
{
	struct archive_entry *e;
	int got;

	while ((got = archive_read_next_header(package, &e)) == ARCHIVE_OK) {
		const char *name = archive_entry_pathname(e);

		if (name && g_str_has_prefix(name, "data.tar"))
			return 0;
	}
	return fail(error, deb,
		    got == ARCHIVE_EOF ? "no Debian package: it has no data.tar"
				       : archive_error_string(package));
}

int unpack_deb(const char *deb, const char *dir, GError **error)
{
	struct archive *tar = archive_read_new();
	struct member *m = g_new0(struct member, 1);
	int ret;

	m->package = archive_read_new();
	archive_read_support_format_ar(m->package);
	archive_read_support_format_tar(tar);
	support_filters(tar);
	if (archive_read_open_filename(m->package, deb, PIECE_BYTES))
		ret = fail(error, deb, archive_error_string(m->package));
	else if (find_data(m->package, deb, error))
		ret = -1;
	else if (archive_read_open(tar, m, NULL, read_member, NULL))
		ret = fail(error, deb, archive_error_string(tar));
	else
		ret = unpack_tar(tar, deb, dir, error);
	archive_read_free(tar);
	archive_read_free(m->package);
	g_free(m);
	return ret;
}

GBytes *unpack_file(const char *path, uint64_t bytes_max, GError **error)
{
	struct archive *a = archive_read_new();
	GByteArray *all = g_byte_array_new();
	g_autofree uint8_t *piece = g_malloc(PIECE_BYTES);
	struct archive_entry *e;
	la_ssize_t n = 0;
	int got;

	archive_read_support_format_raw(a);
	archive_read_support_format_empty(a);
	support_filters(a);
	if (archive_read_open_filename(a, path, PIECE_BYTES) ||
	    ((got = archive_read_next_header(a, &e)) != ARCHIVE_OK &&
	     got != ARCHIVE_EOF)) {
		fail(error, path, archive_error_string(a));
		goto failed;
	}
	while (got == ARCHIVE_OK &&
	       (n = archive_read_data(a, piece, PIECE_BYTES)) > 0) {
		if ((uint64_t)n > bytes_max - all->len) {
			fail(error, path, "too large");
			goto failed;
		}
		g_byte_array_append(all, piece, (guint)n);
	}
	if (n < 0) {
		fail(error, path, archive_error_string(a));
		goto failed;
	}
	archive_read_free(a);
	return g_byte_array_free_to_bytes(all);

failed:
	archive_read_free(a);
	g_byte_array_free(all, TRUE);
	return NULL;
}
