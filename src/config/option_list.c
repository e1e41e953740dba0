/* SPDX-License-Identifier: MIT */
#include "config/option_list.h"

#include <glib.h>

#include "config/machine_config.h"

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

int option_refuse(GError **error, const char *word, const char *hint)
{
	g_set_error(error, CONFIG_ERROR, 0, "%s: %s", word, hint);
	return -1;
}

int option_set_text(char **field, const char *key, const char *value,
		    GError **error)
{
	if (!value || !*value)
		return option_refuse(error, key, "wants a value");
	g_free(*field);
	*field = g_strdup(value);
	return 0;
}

int option_set_flag(bool *flag, const char *key, const char *value,
		    GError **error)
{
	if (value)
		return option_refuse(error, key, "takes no value");
	*flag = true;
	return 0;
}
