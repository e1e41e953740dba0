/* SPDX-License-Identifier: MIT */
#include "config/domain/map.h"

#include <string.h>

#include <glib.h>

#include "config/domain/domain.h"

/* What @map makes of @name; NULL: it is not of it */
static char *apply(const char *map, const char *name)
{
	const char *to = strchr(map, '=') + 1;
	size_t from = (size_t)(to - 1 - map), end = strlen(to);
	g_autofree char *rest = NULL;
	bool any = map[from - 1] == '*';

	if (any)
		from--;
	if (g_ascii_strncasecmp(map, name, from) ||
	    (!any && strlen(name) != from))
		return NULL;
	if (!any || to[end - 1] != '*')
		return g_strdup(to);
	rest = g_strdelimit(g_strdup(name + from), "\\", '/');
	return g_strdup_printf("%.*s%s", (int)(end - 1), to, rest);
}

static char *apply_first(const char *const *maps, const char *name)
{
	for (const char *const *m = maps; m && *m; m++) {
		char *mapped = apply(*m, name);

		if (mapped)
			return mapped;
	}
	return NULL;
}

char *domain_map_disk(const struct domain_options *options, const char *path)
{
	return apply_first(options->map_disk, path);
}

char *domain_map_bridge(const struct domain_options *options, const char *name)
{
	return apply_first(options->map_bridge, name);
}

bool domain_map_is_windows(const char *path)
{
	return g_str_has_prefix(path, "\\\\") ||
	       (g_ascii_isalpha(path[0]) && path[1] == ':' &&
		(path[2] == '\\' || path[2] == '/'));
}
