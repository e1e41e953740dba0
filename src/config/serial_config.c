/* SPDX-License-Identifier: MIT */
#include "config/serial_config.h"

#include <string.h>

#include <json-c/json.h>

#include "base/json.h"
#include "config/machine_config.h"
#include "config/option_list.h"

static const char *const kinds[] = {
	[SERIAL_NULL] = "null", [SERIAL_STDIO] = "stdio", [SERIAL_PTY] = "pty",
	[SERIAL_FILE] = "file", [SERIAL_UNIX] = "unix",   [SERIAL_TCP] = "tcp",
	[SERIAL_PIPE] = "pipe", [SERIAL_DEV] = "dev",     [SERIAL_FD] = "fd",
};

const char *serial_kind_name(enum serial_kind kind)
{
	return kinds[kind];
}

void serial_config_free(struct serial_config *serial)
{
	if (!serial)
		return;
	g_free(serial->path);
	g_free(serial->host);
	g_free(serial->log);
	g_free(serial);
}

static bool wants_path(enum serial_kind kind)
{
	return kind == SERIAL_FILE || kind == SERIAL_UNIX ||
	       kind == SERIAL_PIPE || kind == SERIAL_DEV;
}

static bool is_socket(enum serial_kind kind)
{
	return kind == SERIAL_UNIX || kind == SERIAL_TCP;
}

/* "5555", "host:5555", "[::1]:5555" */
static int set_address(struct serial_config *s, const char *value,
		       GError **error)
{
	const char *colon = strrchr(value, ':');
	const char *port = colon ? colon + 1 : value;
	guint64 n;

	if (!g_ascii_string_to_unsigned(port, 10, 1, UINT16_MAX, &n, NULL))
		return option_refuse(error, value, "expected [HOST:]PORT");
	s->port = (uint16_t)n;
	g_clear_pointer(&s->host, g_free);
	if (!colon || colon == value)
		return 0;
	if (*value == '[' && colon[-1] == ']')
		s->host = g_strndup(value + 1, (gsize)(colon - value - 2));
	else
		s->host = g_strndup(value, (gsize)(colon - value));
	return 0;
}

static int set_kind(struct serial_config *s, const char *word, GError **error)
{
	const char *value = strchr(word, '=');
	g_autofree char *name =
		value ? g_strndup(word, (gsize)(value - word)) : g_strdup(word);
	unsigned int i = 0;
	guint64 n;

	while (i < G_N_ELEMENTS(kinds) && strcmp(kinds[i], name) != 0)
		i++;
	if (i == G_N_ELEMENTS(kinds))
		return option_refuse(error, name,
				     "expected stdio, pty, file=, unix=, tcp=, "
				     "pipe=, dev=, fd= or null");
	s->kind = (enum serial_kind)i;
	if (s->kind == SERIAL_TCP)
		return value ? set_address(s, value + 1, error)
			     : option_refuse(error, name, "wants [HOST:]PORT");
	if (s->kind == SERIAL_FD) {
		if (!value || !g_ascii_string_to_unsigned(value + 1, 10, 0,
							  INT32_MAX, &n, NULL))
			return option_refuse(error, name, "wants a number");
		s->fd = (int)n;
		return 0;
	}
	if (wants_path(s->kind))
		return option_set_text(&s->path, name, value ? value + 1 : NULL,
				       error);
	return value ? option_refuse(error, name, "takes no value") : 0;
}

static int set_option(struct serial_config *s, const char *word, GError **error)
{
	const char *equals = strchr(word, '=');
	const char *value = equals ? equals + 1 : NULL;
	g_autofree char *key = equals ? g_strndup(word, (gsize)(equals - word))
				      : g_strdup(word);
	guint64 n;

	if (!strcmp(key, "append"))
		return option_set_flag(&s->append, key, value, error);
	if (!strcmp(key, "listen"))
		return option_set_flag(&s->listen, key, value, error);
	if (!strcmp(key, "telnet"))
		return option_set_flag(&s->telnet, key, value, error);
	if (!strcmp(key, "log"))
		return option_set_text(&s->log, key, value, error);
	if (!strcmp(key, "log-append"))
		return option_set_flag(&s->log_append, key, value, error);
	if (strcmp(key, "reconnect") != 0)
		return option_refuse(error, key, "no such option");
	if (!value ||
	    !g_ascii_string_to_unsigned(value, 10, 1, 86400, &n, NULL))
		return option_refuse(error, key, "wants seconds, 1 to 86400");
	s->reconnect_s = (unsigned int)n;
	return 0;
}

struct serial_config *serial_config_parse(const char *text, GError **error)
{
	struct serial_config *s = g_new0(struct serial_config, 1);
	const char *at = text;
	g_autofree char *kind = option_list_next(&at);
	int err = set_kind(s, kind, error);

	while (at && !err) {
		g_autofree char *word = option_list_next(&at);

		err = set_option(s, word, error);
	}
	if (!err && !serial_config_check(s, error))
		return s;
	serial_config_free(s);
	return NULL;
}

int serial_config_check(const struct serial_config *s, GError **error)
{
	const char *kind = kinds[s->kind];

	if (wants_path(s->kind) && (!s->path || !*s->path))
		return option_refuse(error, kind, "wants a path");
	if (s->kind == SERIAL_TCP && !s->port)
		return option_refuse(error, kind, "wants a port");
	if (s->kind == SERIAL_FD && s->fd < 0)
		return option_refuse(error, kind, "wants a descriptor");
	if (s->append && s->kind != SERIAL_FILE)
		return option_refuse(error, "append", "is for file=");
	if (s->listen && !is_socket(s->kind))
		return option_refuse(error, "listen", "is for unix= and tcp=");
	if (s->telnet && s->kind != SERIAL_TCP)
		return option_refuse(error, "telnet", "is for tcp=");
	if (s->reconnect_s && (!is_socket(s->kind) || s->listen))
		return option_refuse(error, "reconnect",
				     "is for unix= and tcp= that connect");
	if (s->log_append && !s->log)
		return option_refuse(error, "log-append", "is for log=");
	return 0;
}

struct json_object *serial_config_json(const struct serial_config *s)
{
	struct json_object *o = json_object_new_object();

	json_add_text(o, "kind", kinds[s->kind]);
	if (s->path)
		json_add_text(o, "path", s->path);
	if (s->kind == SERIAL_TCP) {
		json_add_text(o, "host", s->host);
		json_object_object_add(o, "port", json_object_new_int(s->port));
		json_add_bool(o, "telnet", s->telnet);
	}
	if (s->kind == SERIAL_FD)
		json_object_object_add(o, "fd", json_object_new_int(s->fd));
	if (s->kind == SERIAL_FILE)
		json_add_bool(o, "append", s->append);
	if (is_socket(s->kind)) {
		json_add_bool(o, "listen", s->listen);
		json_object_object_add(
			o, "reconnect",
			json_object_new_int((int)s->reconnect_s));
	}
	if (s->log) {
		json_add_text(o, "log", s->log);
		json_add_bool(o, "log_append", s->log_append);
	}
	return o;
}
