/* SPDX-License-Identifier: MIT */
#include "config/option_list.h"

#include <glib.h>

char *option_list_next(const char **at)
{
	GString *word = g_string_new(NULL);
	const char *p = *at;

	while (*p && (*p != ',' || p[1] == ',')) {
		if (*p == ',')
			p++;
		g_string_append_c(word, *p++);
	}
	*at = *p ? p + 1 : NULL;
	return g_string_free(word, FALSE);
}
