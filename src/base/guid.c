/* SPDX-License-Identifier: MIT */
#include "base/guid.h"

#include <errno.h>
#include <string.h>

#include <glib.h>

#define TEXT_LENGTH (GUID_TEXT_SIZE - 1)

/* Which byte on the wire each pair of digits is; 0xFF: a hyphen. */
static const uint8_t order[] = {3,    2, 1, 0,    0xFF, 5,  4,  0xFF, 7,  6,
				0xFF, 8, 9, 0xFF, 10,   11, 12, 13,   14, 15};

int guid_parse(const char *text, struct guid *guid)
{
	size_t length = strlen(text);
	struct guid parsed;
	size_t at = 0;

	if (length == TEXT_LENGTH + 2 && text[0] == '{' &&
	    text[length - 1] == '}') {
		text++;
		length -= 2;
	}
	if (length != TEXT_LENGTH)
		return -EINVAL;
	for (size_t i = 0; i < sizeof(order); i++) {
		int high, low;

		if (order[i] == 0xFF) {
			if (text[at++] != '-')
				return -EINVAL;
			continue;
		}
		high = g_ascii_xdigit_value(text[at++]);
		low = g_ascii_xdigit_value(text[at++]);
		if (high < 0 || low < 0)
			return -EINVAL;
		parsed.b[order[i]] = (uint8_t)(high << 4 | low);
	}
	*guid = parsed;
	return 0;
}

char *guid_print(const struct guid *guid, char text[GUID_TEXT_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	char *at = text;

	for (size_t i = 0; i < sizeof(order); i++) {
		if (order[i] == 0xFF) {
			*at++ = '-';
			continue;
		}
		*at++ = digits[guid->b[order[i]] >> 4];
		*at++ = digits[guid->b[order[i]] & 0xF];
	}
	*at = '\0';
	return text;
}

int guid_compare(const struct guid *a, const struct guid *b)
{
	return memcmp(a, b, sizeof(*a));
}

bool guid_equal(const struct guid *a, const struct guid *b)
{
	return !guid_compare(a, b);
}

bool guid_is_null(const struct guid *guid)
{
	static const struct guid null;

	return guid_equal(guid, &null);
}

/* Between the wire's order and RFC 4122's, which is that of the text. */
static void swap_fields(uint8_t b[16])
{
	uint8_t wire[16];
	size_t n = 0;

	memcpy(wire, b, sizeof(wire));
	for (size_t i = 0; i < sizeof(order); i++) {
		if (order[i] != 0xFF)
			b[n++] = wire[order[i]];
	}
}

struct guid guid_derive(const struct guid *space, const char *name)
{
	g_autoptr(GChecksum) sha1 = g_checksum_new(G_CHECKSUM_SHA1);
	struct guid guid = *space;
	uint8_t digest[20];
	gsize size = sizeof(digest);

	swap_fields(guid.b);
	g_checksum_update(sha1, guid.b, sizeof(guid.b));
	g_checksum_update(sha1, (const guchar *)name, -1);
	g_checksum_get_digest(sha1, digest, &size);
	memcpy(guid.b, digest, sizeof(guid.b));
	guid.b[6] = (uint8_t)((guid.b[6] & 0x0F) | 0x50); /* version 5 */
	guid.b[8] = (uint8_t)((guid.b[8] & 0x3F) | 0x80); /* variant */
	swap_fields(guid.b);
	return guid;
}
