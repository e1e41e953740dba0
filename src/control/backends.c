/* SPDX-License-Identifier: MIT */
#include "control/backends.h"

#include <stdbool.h>
#include <string.h>

#include <json-c/json.h>

#include "base/nbd_uri.h"
#include "base/tcp_place.h"

/* Images over images: a format over a file, and one for whoever counts. */
#define DEPTH_MAX 4

GQuark backend_error_quark(void)
{
	return g_quark_from_static_string("backend-error");
}

static int refuse(GError **error, const char *member, const char *why)
{
	g_set_error(error, BACKEND_ERROR, 0, "%s: %s", member, why);
	return -1;
}

static const char *text_of(struct json_object *o)
{
	return json_object_is_type(o, json_type_string)
		       ? json_object_get_string(o)
		       : NULL;
}

static const char *member_text(struct json_object *o, const char *name)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(o, name, &value);
	return text_of(value);
}

static char *double_commas(const char *text)
{
	g_auto(GStrv) words = g_strsplit(text, ",", -1);

	return g_strjoinv(",,", words);
}

void backend_add_text(GString *to, const char *key, const char *value)
{
	g_autofree char *doubled = double_commas(value);

	g_string_append_printf(to, ",%s=%s", key, doubled);
}

/* --- images ------------------------------------------------------------------ */

struct image {
	const char *format; /* NULL: not said yet */
	char *path; /* owned */
	GString *options; /* owned; of --disk */
	/* of NBD; borrowed */
	struct json_object *server;
	const char *export;
	bool direct, no_flush;
};

static int set_bool(bool *to, struct json_object *value, const char *name,
		    GError **error)
{
	if (!json_object_is_type(value, json_type_boolean))
		return refuse(error, name, "expected true or false");
	*to = json_object_get_boolean(value);
	return 0;
}

static int set_cache(struct image *i, struct json_object *value, GError **error)
{
	if (!json_object_is_type(value, json_type_object))
		return refuse(error, "cache", "expected an object");
	json_object_object_foreach(value, name, what)
	{
		if (!strcmp(name, "direct")) {
			if (set_bool(&i->direct, what, name, error))
				return -1;
		} else if (!strcmp(name, "no-flush")) {
			if (set_bool(&i->no_flush, what, name, error))
				return -1;
		} else {
			return refuse(error, name,
				      "cache has none of that name");
		}
	}
	return 0;
}

/* Where an NBD server is: a path to be. */
static int set_nbd_path(struct image *i, GError **error)
{
	const char *type = member_text(i->server, "type");
	const char *path = member_text(i->server, "path");
	const char *host = member_text(i->server, "host");
	g_autofree char *uri = NULL;

	if (!g_strcmp0(type, "unix") && path && *path == '/')
		uri = nbd_uri_unix(path, i->export);
	else if (!g_strcmp0(type, "inet") && host && *host)
		uri = nbd_uri_tcp(host, member_text(i->server, "port"),
				  i->export);
	else
		return refuse(error, "server",
			      "expected type unix and path, or inet, host and "
			      "port");
	g_free(i->path);
	i->path = double_commas(uri);
	return 0;
}

/* Return: 1: @name is none of NBD's. */
static int set_nbd(struct image *i, const char *name, struct json_object *value,
		   GError **error)
{
	if (!strcmp(name, "server")) {
		i->server = value;
		return 0;
	}
	if (strcmp(name, "export"))
		return 1;
	i->export = text_of(value);
	return i->export ? 0 : refuse(error, name, "expected a string");
}

static int set_word(struct image *i, struct json_object *value,
		    const char *name, GError **error)
{
	const char *text = text_of(value);

	if (!text)
		return refuse(error, name, "expected a string");
	backend_add_text(i->options, name, text);
	return 0;
}

/* NOLINTBEGIN(misc-no-recursion): to DEPTH_MAX */
static int read_image(struct image *i, struct json_object *o, GHashTable *nodes,
		      unsigned int depth, GError **error);

/* Of a format: the image that it lies in. */
static int set_file(struct image *i, struct json_object *value,
		    GHashTable *nodes, unsigned int depth, GError **error)
{
	const char *name = text_of(value);

	if (!name)
		return read_image(i, value, nodes, depth + 1, error);
	/* A node of its own, whose name is a path and options by now. */
	name = g_hash_table_lookup(nodes, name);
	if (!name)
		return refuse(error, "file", "there is no such node");
	if (!g_str_has_suffix(name, ",format=raw"))
		return refuse(error, "file",
			      "a node that is only a file was expected");
	g_free(i->path);
	/* Its commas are doubled. */
	i->path = g_strndup(name, strlen(name) - strlen(",format=raw"));
	return 0;
}

static int set_option(struct image *i, const char *name,
		      struct json_object *value, GHashTable *nodes,
		      unsigned int depth, GError **error)
{
	static const char *const nothing[] = {
		"node-name", "driver", "auto-read-only", "aio", "locking"};
	bool yes = false;
	int ret;

	for (size_t k = 0; k < G_N_ELEMENTS(nothing); k++) {
		if (!strcmp(name, nothing[k]))
			return 0;
	}
	ret = set_nbd(i, name, value, error);
	if (ret <= 0)
		return ret;
	if (!strcmp(name, "file"))
		return set_file(i, value, nodes, depth, error);
	if (!strcmp(name, "filename")) {
		if (!text_of(value))
			return refuse(error, name, "expected a string");
		g_free(i->path);
		i->path = double_commas(text_of(value));
		return 0;
	}
	if (!strcmp(name, "read-only")) {
		if (set_bool(&yes, value, name, error))
			return -1;
		/* Of a file below a format it says nothing more. */
		if (yes && !depth)
			g_string_append(i->options, ",readonly");
		return 0;
	}
	if (!strcmp(name, "cache"))
		return set_cache(i, value, error);
	if (!strcmp(name, "discard") || !strcmp(name, "detect-zeroes"))
		return depth ? 0 : set_word(i, value, name, error);
	return refuse(error, name, "is not known here");
}

static int read_image(struct image *i, struct json_object *o, GHashTable *nodes,
		      unsigned int depth, GError **error)
{
	const char *driver = member_text(o, "driver");
	bool is_file, is_nbd;

	if (depth == DEPTH_MAX)
		return refuse(error, "file", "too many of them");
	if (!json_object_is_type(o, json_type_object) || !driver)
		return refuse(error, "driver", "expected, and a string");
	is_nbd = !strcmp(driver, "nbd");
	is_file = is_nbd || !strcmp(driver, "file") ||
		  !strcmp(driver, "host_device");
	if (!i->format)
		i->format = is_file ? "raw" : driver;
	else if (!is_file)
		return refuse(error, driver, "a format over a format");
	json_object_object_foreach(o, name, value)
	{
		if (set_option(i, name, value, nodes, depth, error))
			return -1;
	}
	return is_nbd ? set_nbd_path(i, error) : 0;
}
/* NOLINTEND(misc-no-recursion): to DEPTH_MAX */

char *backend_disk(struct json_object *o, GHashTable *nodes, GError **error)
{
	struct image i = {.options = g_string_new(NULL)};
	char *text = NULL;

	if (read_image(&i, o, nodes, 0, error)) {
		/* said */
	} else if (!i.path) {
		refuse(error, "filename", "expected, of driver file");
	} else {
		if (i.no_flush)
			backend_add_text(i.options, "cache", "unsafe");
		else if (i.direct)
			backend_add_text(i.options, "cache", "none");
		text = g_strdup_printf("%s%s,format=%s", i.path, i.options->str,
				       i.format);
	}
	g_free(i.path);
	g_string_free(i.options, TRUE);
	return text;
}

/* --- networks ------------------------------------------------------------------ */

static int add_forwards(GString *to, struct json_object *list, GError **error)
{
	size_t n = json_object_is_type(list, json_type_array)
			   ? json_object_array_length(list)
			   : 0;

	if (!json_object_is_type(list, json_type_array))
		return refuse(error, "hostfwd", "expected a list");
	for (size_t i = 0; i < n; i++) {
		struct json_object *o = json_object_array_get_idx(list, i);
		/* QEMU's own schema wants {"str": "tcp::2222-:22"}. */
		const char *text =
			text_of(o) ? text_of(o) : member_text(o, "str");

		if (!text)
			return refuse(error, "hostfwd",
				      "expected strings, as tcp::2222-:22");
		backend_add_text(to, "hostfwd", text);
	}
	return 0;
}

static int set_user(GString *to, const char *name, struct json_object *value,
		    GError **error)
{
	bool yes = false;

	if (!strcmp(name, "hostfwd"))
		return add_forwards(to, value, error);
	if (!strcmp(name, "net") || !strcmp(name, "hostname")) {
		if (!text_of(value))
			return refuse(error, name, "expected a string");
		backend_add_text(to, name, text_of(value));
		return 0;
	}
	if (!strcmp(name, "restrict") || !strcmp(name, "ipv6")) {
		if (set_bool(&yes, value, name, error))
			return -1;
		if (*name == 'r' && yes)
			g_string_append(to, ",restrict");
		if (*name == 'i' && !yes)
			g_string_append(to, ",ipv6=off");
		return 0;
	}
	return refuse(error, name, "is not known here");
}

/* "/etc/script" to run is refused, "no" is what there is. */
static int set_tap(GString *to, const char *name, struct json_object *value,
		   GError **error)
{
	const char *text = text_of(value);

	if (json_object_is_type(value, json_type_boolean) &&
	    !json_object_get_boolean(value) && !strcmp(name, "vhost"))
		return 0;
	if (!text)
		return refuse(error, name, "is not known here, or no string");
	if (!strcmp(name, "ifname")) {
		g_autofree char *doubled = double_commas(text);

		/* The kind is the first word. */
		g_string_insert(to, strlen("tap"), doubled);
		g_string_insert_c(to, strlen("tap"), '=');
		return 0;
	}
	if (!strcmp(name, "fd") || !strcmp(name, "fds")) {
		backend_add_text(to, "fd", text);
		return 0;
	}
	if ((!strcmp(name, "script") || !strcmp(name, "downscript")) &&
	    !strcmp(text, "no"))
		return 0;
	return refuse(error, name, "is not known here");
}

static int set_bridge(GString *to, const char *name, struct json_object *value,
		      GError **error)
{
	g_autofree char *doubled = NULL;

	if (strcmp(name, "br") != 0 || !text_of(value))
		return refuse(error, name, "is not known here, or no string");
	doubled = double_commas(text_of(value));
	g_string_append_printf(to, "=%s", doubled);
	return 0;
}

/* As of --net, owned; NULL: it is none. */
static char *stream_place(struct json_object *address)
{
	const char *type = member_text(address, "type");
	const char *path = member_text(address, "path");
	const char *host = member_text(address, "host");
	const char *port = member_text(address, "port");

	if (!g_strcmp0(type, "unix"))
		return g_strdup(path);
	if (g_strcmp0(type, "inet") != 0 || !host || !port)
		return NULL;
	return tcp_place(host, port);
}

static int set_stream(GString *to, const char *name, struct json_object *value,
		      GError **error)
{
	g_autofree char *place = NULL;

	if (!strcmp(name, "server"))
		return 0; /* looked at with the address */
	if (!strcmp(name, "addr"))
		place = stream_place(value);
	if (!place)
		return refuse(error, name,
			      "expected the address of a socket, unix with "
			      "path or inet with host and port");
	backend_add_text(to, "PLACE", place);
	return 0;
}

static const struct {
	const char *type, *kind;
	int (*set)(GString *to, const char *name, struct json_object *value,
		   GError **error);
} kinds[] = {
	{"user", "user", set_user},
	{"tap", "tap", set_tap},
	{"bridge", "bridge", set_bridge},
	{"stream", "socket", set_stream},
};

static int read_net(GString *to, struct json_object *o, size_t kind,
		    GError **error)
{
	g_string_append(to, kinds[kind].kind);
	json_object_object_foreach(o, name, value)
	{
		if (!strcmp(name, "type") || !strcmp(name, "id"))
			continue;
		if (kinds[kind].set(to, name, value, error))
			return -1;
	}
	return 0;
}

char *backend_net(struct json_object *o, GError **error)
{
	const char *type = member_text(o, "type");
	struct json_object *server = NULL;
	GString *to = g_string_new(NULL);

	for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
		if (g_strcmp0(kinds[i].type, type) != 0)
			continue;
		if (read_net(to, o, i, error)) {
			g_string_free(to, TRUE);
			return NULL;
		}
		json_object_object_get_ex(o, "server", &server);
		g_string_replace(to, "PLACE=",
				 json_object_get_boolean(server) ? "listen="
								 : "connect=",
				 1);
		return g_string_free(to, FALSE);
	}
	g_string_free(to, TRUE);
	refuse(error, "type", "expected user, tap, bridge or stream");
	return NULL;
}
