/* SPDX-License-Identifier: MIT */
#include "vsp/ic/text.h"

#include <errno.h>
#include <string.h>

#include <glib.h>

int ic_text_put(void *field, size_t size, const char *text, uint32_t *used)
{
	glong units;
	g_autofree gunichar2 *wide =
		g_utf8_to_utf16(text, -1, NULL, &units, NULL);
	size_t bytes;

	if (!wide)
		return -EILSEQ;
	bytes = ((size_t)units + 1) * sizeof(*wide);
	if (bytes > size)
		return -ENAMETOOLONG;
	memcpy(field, wide, bytes);
	if (used)
		*used = (uint32_t)bytes;
	return 0;
}

char *ic_text_get(const void *field, size_t size)
{
	size_t units = size / sizeof(gunichar2);
	g_autofree gunichar2 *wide = g_new0(gunichar2, units + 1);

	if (units)
		memcpy(wide, field, units * sizeof(*wide));
	return g_utf16_to_utf8(wide, -1, NULL, NULL, NULL);
}
