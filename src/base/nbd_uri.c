/* SPDX-License-Identifier: MIT */
#include "base/nbd_uri.h"

#include <stdbool.h>
#include <string.h>

#include <glib.h>

static char *escape(const char *text, const char *allowed)
{
	return g_uri_escape_string(text ? text : "", allowed, false);
}

char *nbd_uri_tcp(const char *host, const char *port, const char *export)
{
	g_autofree char *name = escape(export, "/");
	g_autofree char *server = escape(host, ":");
	bool v6 = strchr(host, ':') != NULL;

	return g_strdup_printf("nbd://%s%s%s%s%s/%s", v6 ? "[" : "", server,
			       v6 ? "]" : "", port ? ":" : "", port ? port : "",
			       name);
}

char *nbd_uri_unix(const char *path, const char *export)
{
	g_autofree char *name = escape(export, "/");
	g_autofree char *socket = escape(path, "/");

	return g_strdup_printf("nbd+unix:///%s?socket=%s", name, socket);
}
