/* SPDX-License-Identifier: MIT */
#include "command/newc.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TRAILER      "TRAILER!!!"
/* The magic and thirteen numbers of eight digits. */
#define HEADER_BYTES 110

struct newc {
	int fd;
	uint64_t bytes, bytes_max;
	uint32_t inode;
	GHashTable *names;
	/* gathered until it is worth a write */
	GByteArray *pending;
};

/* Bytes that wait for a write(2), at most. */
#define PENDING_MAX (1u << 20)

GQuark guest_error_quark(void)
{
	return g_quark_from_static_string("guest-error");
}

struct newc *newc_new(int fd, uint64_t bytes_max)
{
	struct newc *newc = g_new0(struct newc, 1);

	newc->fd = fd;
	newc->bytes_max = bytes_max;
	newc->names =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	newc->pending = g_byte_array_new();
	return newc;
}

void newc_free(struct newc *newc)
{
	if (!newc)
		return;
	g_hash_table_unref(newc->names);
	g_byte_array_free(newc->pending, TRUE);
	g_free(newc);
}

static int write_all(struct newc *newc, const uint8_t *data, size_t len,
		     GError **error)
{
	while (len) {
		ssize_t n = write(newc->fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			g_set_error(error, GUEST_ERROR, 0, "initramfs: %s",
				    g_strerror(errno));
			return -1;
		}
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

static int settle(struct newc *newc, GError **error)
{
	int ret =
		write_all(newc, newc->pending->data, newc->pending->len, error);

	g_byte_array_set_size(newc->pending, 0);
	return ret;
}

static int put(struct newc *newc, const void *data, size_t len, GError **error)
{
	if (len > newc->bytes_max - newc->bytes) {
		g_set_error(error, GUEST_ERROR, 0,
			    "the initramfs has more than %" G_GUINT64_FORMAT
			    " MiB",
			    newc->bytes_max >> 20);
		return -1;
	}
	newc->bytes += len;
	if (newc->pending->len + len > PENDING_MAX && settle(newc, error))
		return -1;
	if (len > PENDING_MAX)
		return write_all(newc, data, len, error);
	g_byte_array_append(newc->pending, data, (guint)len);
	return 0;
}

/* Names and data end at a multiple of four. */
static int pad(struct newc *newc, GError **error)
{
	static const uint8_t zeros[3];

	return put(newc, zeros, -newc->bytes & 3, error);
}

static int put_entry(struct newc *newc, const char *path,
		     const struct newc_owner *owner, const void *data,
		     size_t len, GError **error)
{
	char header[HEADER_BYTES + 1];

	if (len > UINT32_MAX) {
		g_set_error(error, GUEST_ERROR, 0,
			    "%s is too large for an initramfs", path);
		return -1;
	}
	snprintf(header, sizeof(header),
		 "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x",
		 newc->inode++, owner->mode, owner->uid, owner->gid,
		 S_ISDIR(owner->mode) ? 2u : 1u, 0u, (uint32_t)len, 0u, 0u,
		 owner->major, owner->minor, (uint32_t)strlen(path) + 1, 0u);
	if (put(newc, header, HEADER_BYTES, error) ||
	    put(newc, path, strlen(path) + 1, error) || pad(newc, error) ||
	    put(newc, data, len, error))
		return -1;
	return pad(newc, error);
}

/* NOLINTBEGIN(misc-no-recursion): one for each / of a path */
static int put_parents(struct newc *newc, const char *path, GError **error)
{
	for (const char *slash = strchr(path, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		g_autofree char *parent =
			g_strndup(path, (gsize)(slash - path));

		if (!newc_has(newc, parent) && newc_folder(newc, parent, error))
			return -1;
	}
	return 0;
}

int newc_add(struct newc *newc, const char *path,
	     const struct newc_owner *owner, const void *data, size_t len,
	     GError **error)
{
	while (*path == '/')
		path++;
	if (newc_has(newc, path))
		return 0;
	if (put_parents(newc, path, error))
		return -1;
	g_hash_table_add(newc->names, g_strdup(path));
	return put_entry(newc, path, owner, data, len, error);
}

int newc_file(struct newc *newc, const char *path, mode_t mode,
	      const void *data, size_t len, GError **error)
{
	const struct newc_owner owner = {.mode = S_IFREG | mode};

	return newc_add(newc, path, &owner, data, len, error);
}

int newc_link(struct newc *newc, const char *path, const char *to,
	      GError **error)
{
	const struct newc_owner owner = {.mode = S_IFLNK | 0777};

	return newc_add(newc, path, &owner, to, strlen(to), error);
}

int newc_folder(struct newc *newc, const char *path, GError **error)
{
	const struct newc_owner owner = {.mode = S_IFDIR | 0755};

	return newc_add(newc, path, &owner, NULL, 0, error);
}
/* NOLINTEND(misc-no-recursion): one for each / of a path */

gboolean newc_has(const struct newc *newc, const char *path)
{
	while (*path == '/')
		path++;
	return g_hash_table_contains(newc->names, path);
}

int newc_end(struct newc *newc, GError **error)
{
	const struct newc_owner nobody = {0};

	newc->inode = 0;
	if (put_entry(newc, TRAILER, &nobody, NULL, 0, error))
		return -1;
	return settle(newc, error);
}
