/* SPDX-License-Identifier: MIT */
/*
 * deb_file.h - Debian packages for tests, also such as nobody would make.
 */
#ifndef SUPPORT_DEB_FILE_H
#define SUPPORT_DEB_FILE_H

#include <stdio.h>
#include <string.h>

#include <check.h>
#include <glib.h>

struct tar_entry {
	const char *name;
	char kind; /* '0' file, '5' folder, '2' link, '1' hard link */
	const char *data; /* or where the link leads */
};

static inline void tar_add(GByteArray *tar, const struct tar_entry *e)
{
	char h[512] = {0};
	size_t len = e->kind == '0' && e->data ? strlen(e->data) : 0;
	unsigned int sum = 0;

	g_strlcpy(h, e->name, 100);
	memcpy(h + 100, "0000644", 7);
	memcpy(h + 108, "0000000", 7);
	memcpy(h + 116, "0000000", 7);
	snprintf(h + 124, 12, "%011o", (unsigned int)len & 0xFFFF);
	memcpy(h + 136, "00000000000", 11);
	h[156] = e->kind;
	if (e->kind == '1' || e->kind == '2')
		g_strlcpy(h + 157, e->data, 100);
	memcpy(h + 257, "ustar\00000", 8);
	memset(h + 148, ' ', 8);
	for (size_t i = 0; i < sizeof(h); i++)
		sum += (unsigned char)h[i];
	snprintf(h + 148, 8, "%06o", sum & 0x3FFFF);
	g_byte_array_append(tar, (const guint8 *)h, sizeof(h));
	if (len) {
		char block[512] = {0};

		ck_assert_uint_le(len, sizeof(block));
		memcpy(block, e->data, len);
		g_byte_array_append(tar, (const guint8 *)block, sizeof(block));
	}
}

static inline void ar_add(GByteArray *ar, const char *name, const void *data,
			  guint len)
{
	g_autofree char *head = g_strdup_printf(
		"%-16s%-12d%-6d%-6d%-8s%-10u`\n", name, 0, 0, 0, "100644", len);

	g_byte_array_append(ar, (const guint8 *)head, (guint)strlen(head));
	g_byte_array_append(ar, data, len);
	if (len % 2)
		g_byte_array_append(ar, (const guint8 *)"\n", 1);
}

/** put_deb_around() - a package with these bytes for its files */
static inline void put_deb_around(const char *path, const char *member,
				  const void *data, guint len)
{
	static const guint8 end[1024];
	GByteArray *ar = g_byte_array_new();

	g_byte_array_append(ar, (const guint8 *)"!<arch>\n", 8);
	ar_add(ar, "debian-binary", "2.0\n", 4);
	ar_add(ar, "control.tar", end, sizeof(end));
	ar_add(ar, member, data, len);
	ck_assert(g_file_set_contents(path, (const char *)ar->data, ar->len,
				      NULL));
	g_byte_array_free(ar, TRUE);
}

/** put_deb() - a package with these files */
static inline void put_deb(const char *path, const struct tar_entry *entries,
			   size_t n)
{
	static const guint8 end[1024];
	GByteArray *tar = g_byte_array_new();

	for (size_t i = 0; i < n; i++)
		tar_add(tar, &entries[i]);
	g_byte_array_append(tar, end, sizeof(end));
	put_deb_around(path, "data.tar", tar->data, tar->len);
	g_byte_array_free(tar, TRUE);
}

#endif
