/* SPDX-License-Identifier: MIT */
#include "boot/aml.h"

#include <string.h>

enum aml_op {
	AML_ZERO = 0x00,
	AML_ONE = 0x01,
	AML_NAME = 0x08,
	AML_BYTE = 0x0A,
	AML_WORD = 0x0B,
	AML_DWORD = 0x0C,
	AML_STRING = 0x0D,
	AML_QWORD = 0x0E,
	AML_SCOPE = 0x10,
	AML_BUFFER = 0x11,
	AML_PACKAGE = 0x12,
	AML_DUAL_NAME = 0x2E,
	AML_MULTI_NAME = 0x2F,
	AML_EXT = 0x5B,
	AML_EXT_DEVICE = 0x82,
};

#define SEG_BYTES 4u

static void put_byte(GByteArray *aml, unsigned int byte)
{
	uint8_t b = (uint8_t)byte;

	g_byte_array_append(aml, &b, 1);
}

static void put_le(GByteArray *aml, uint64_t value, unsigned int bytes)
{
	g_byte_array_append(aml, (const uint8_t *)&value, bytes);
}

/* NameString: [\] then one, two or a counted number of 4-character segments */
static void put_path(GByteArray *aml, const char *path)
{
	g_auto(GStrv) segs = NULL;
	unsigned int n;

	if (*path == '\\') {
		put_byte(aml, '\\');
		path++;
	}
	segs = g_strsplit(path, ".", -1);
	n = g_strv_length(segs);
	if (n == 2) {
		put_byte(aml, AML_DUAL_NAME);
	} else if (n > 2) {
		put_byte(aml, AML_MULTI_NAME);
		put_byte(aml, n);
	}
	for (unsigned int i = 0; i < n; i++) {
		char seg[SEG_BYTES] = {'_', '_', '_', '_'};

		g_assert(strlen(segs[i]) <= SEG_BYTES);
		memcpy(seg, segs[i], strlen(segs[i]));
		g_byte_array_append(aml, (const uint8_t *)seg, SEG_BYTES);
	}
}

static void put_integer(GByteArray *aml, uint64_t value)
{
	if (value <= 1) {
		put_byte(aml, value ? AML_ONE : AML_ZERO);
	} else if (value <= UINT8_MAX) {
		put_byte(aml, AML_BYTE);
		put_le(aml, value, 1);
	} else if (value <= UINT16_MAX) {
		put_byte(aml, AML_WORD);
		put_le(aml, value, 2);
	} else if (value <= UINT32_MAX) {
		put_byte(aml, AML_DWORD);
		put_le(aml, value, 4);
	} else {
		put_byte(aml, AML_QWORD);
		put_le(aml, value, 8);
	}
}

/*
 * PkgLength counts itself.  One byte holds 6 bits; with more bytes the first
 * has their number in bits 7:6 and the low 4 bits of the length.
 */
static void put_package(GByteArray *aml, const GByteArray *body)
{
	uint32_t len = body->len + 1;

	if (len < 1u << 6) {
		put_byte(aml, len);
	} else {
		unsigned int more = 1;

		while (more < 3 && body->len + 1 + more >= 1u << (4 + 8 * more))
			more++;
		len = body->len + 1 + more;
		g_assert(len < 1u << 28);
		put_byte(aml, more << 6 | (len & 0xF));
		put_le(aml, len >> 4, more);
	}
	g_byte_array_append(aml, body->data, body->len);
}

/* A package of the path @name, then @body. */
static void put_named_package(GByteArray *aml, const char *name,
			      const GByteArray *body)
{
	g_autoptr(GByteArray) inner = g_byte_array_new();

	put_path(inner, name);
	g_byte_array_append(inner, body->data, body->len);
	put_package(aml, inner);
}

void aml_name_integer(GByteArray *aml, const char *name, uint64_t value)
{
	put_byte(aml, AML_NAME);
	put_path(aml, name);
	put_integer(aml, value);
}

void aml_name_string(GByteArray *aml, const char *name, const char *value)
{
	put_byte(aml, AML_NAME);
	put_path(aml, name);
	put_byte(aml, AML_STRING);
	g_byte_array_append(aml, (const uint8_t *)value,
			    (guint)strlen(value) + 1);
}

void aml_name_buffer(GByteArray *aml, const char *name, const void *data,
		     size_t len)
{
	g_autoptr(GByteArray) inner = g_byte_array_new();

	put_integer(inner, len);
	g_byte_array_append(inner, data, (guint)len);
	put_byte(aml, AML_NAME);
	put_path(aml, name);
	put_byte(aml, AML_BUFFER);
	put_package(aml, inner);
}

void aml_name_package(GByteArray *aml, const char *name, const uint64_t *values,
		      unsigned int n)
{
	g_autoptr(GByteArray) inner = g_byte_array_new();

	put_byte(inner, n);
	for (unsigned int i = 0; i < n; i++)
		put_integer(inner, values[i]);
	put_byte(aml, AML_NAME);
	put_path(aml, name);
	put_byte(aml, AML_PACKAGE);
	put_package(aml, inner);
}

void aml_scope(GByteArray *aml, const char *name, const GByteArray *body)
{
	put_byte(aml, AML_SCOPE);
	put_named_package(aml, name, body);
}

void aml_device(GByteArray *aml, const char *name, const GByteArray *body)
{
	put_byte(aml, AML_EXT);
	put_byte(aml, AML_EXT_DEVICE);
	put_named_package(aml, name, body);
}
