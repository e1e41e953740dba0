/* SPDX-License-Identifier: MIT */
#include "control/control.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <glib-unix.h>
#include <json-c/json.h>

#include "base/log.h"

#define LOG_CATEGORY "control"

#define BACKLOG     8
#define READ_BYTES  4096
/* How long not to listen when there are no descriptors, ms. */
#define BREATH_MS   100
#define NESTING_MAX 8

struct client {
	struct control *control;
	int fd;
	guint in_source, out_source; /* 0: none */
	GByteArray *in; /* less than a line */
	GByteArray *out; /* not written yet */
	GPtrArray *calls; /* not owned: their commands answer them */
	bool discarding; /* the rest of a line that was too long */
};

struct control {
	const struct control_command *commands;
	void *ctx;
	char *path;
	int fd;
	guint source;
	GPtrArray *clients; /* owned */
};

struct control_call {
	struct client *client; /* NULL: gone */
	struct json_object *id; /* owned; NULL: none */
	struct json_object *arguments; /* owned; NULL: none */
};

GQuark control_error_quark(void)
{
	return g_quark_from_static_string("control-error");
}

const struct control_command *
control_find(const struct control_command *commands, const char *name)
{
	for (; commands->name; commands++) {
		if (!strcmp(commands->name, name))
			return commands;
	}
	return NULL;
}

/* --- clients ------------------------------------------------------------- */

static void client_free(gpointer data)
{
	struct client *c = data;

	for (guint i = 0; i < c->calls->len; i++) {
		struct control_call *call = c->calls->pdata[i];

		call->client = NULL;
	}
	g_ptr_array_free(c->calls, TRUE);
	if (c->in_source)
		g_source_remove(c->in_source);
	if (c->out_source)
		g_source_remove(c->out_source);
	g_byte_array_free(c->in, TRUE);
	g_byte_array_free(c->out, TRUE);
	close(c->fd);
	g_free(c);
}

static void drop(struct client *c)
{
	g_ptr_array_remove_fast(c->control->clients, c);
}

/* Return: false when the client is gone. */
static bool write_out(struct client *c)
{
	while (c->out->len) {
		ssize_t n = send(c->fd, c->out->data, c->out->len,
				 MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN;
		g_byte_array_remove_range(c->out, 0, (guint)n);
	}
	return true;
}

/* It has said its last and got all its answers. */
static bool is_done(const struct client *c)
{
	return !c->in_source && !c->calls->len && !c->out->len;
}

static gboolean on_writable(gint fd, GIOCondition condition, gpointer data)
{
	struct client *c = data;
	bool alive = write_out(c);

	(void)fd;
	(void)condition;
	if (alive && c->out->len)
		return G_SOURCE_CONTINUE;
	c->out_source = 0;
	if (!alive || is_done(c))
		drop(c);
	return G_SOURCE_REMOVE;
}

/*
 * The client may be in the middle of reading its requests, so it is not freed
 * here: what went wrong shows when it is next read or written.
 */
static void send_line(struct client *c, const char *text)
{
	size_t bytes = strlen(text);

	if (c->out->len + bytes >= CONTROL_OUT_MAX) {
		log_warn_ratelimited("a client of the control socket does not "
				     "take its answers");
		shutdown(c->fd, SHUT_RDWR);
		return;
	}
	g_byte_array_append(c->out, (const guint8 *)text, (guint)bytes);
	g_byte_array_append(c->out, (const guint8 *)"\n", 1);
	if (!c->out_source)
		c->out_source = g_unix_fd_add(c->fd, G_IO_OUT | G_IO_ERR,
					      on_writable, c);
}

/* --- calls ----------------------------------------------------------------- */

const char *control_string(const struct control_call *call, const char *name)
{
	struct json_object *o = NULL;

	json_object_object_get_ex(call->arguments, name, &o);
	return o ? json_object_get_string(o) : NULL;
}

uint64_t control_number(const struct control_call *call, const char *name,
			uint64_t otherwise)
{
	struct json_object *o = NULL;

	json_object_object_get_ex(call->arguments, name, &o);
	return o ? json_object_get_uint64(o) : otherwise;
}

/* Send the answer, which is taken, and forget the call. */
static void finish(struct control_call *call, const char *member,
		   struct json_object *value)
{
	struct json_object *answer = json_object_new_object();

	if (call->id)
		json_object_object_add(answer, "id", call->id);
	json_object_object_add(answer, member, value);
	if (call->client) {
		g_ptr_array_remove_fast(call->client->calls, call);
		send_line(call->client,
			  json_object_to_json_string_ext(
				  answer,
				  JSON_C_TO_STRING_PLAIN |
					  JSON_C_TO_STRING_NOSLASHESCAPE));
	}
	json_object_put(answer);
	json_object_put(call->arguments);
	g_free(call);
}

void control_answer(struct control_call *call, struct json_object *result)
{
	finish(call, "result", result ? result : json_object_new_object());
}

static void add_text(struct json_object *o, const char *key, const char *text)
{
	g_autofree char *valid = g_utf8_make_valid(text, -1);

	json_object_object_add(o, key, json_object_new_string(valid));
}

void control_refuse(struct control_call *call, const char *code,
		    const char *format, ...)
{
	struct json_object *error = json_object_new_object();
	g_autofree char *message = NULL;
	va_list args;

	va_start(args, format);
	message = g_strdup_vprintf(format, args);
	va_end(args);
	add_text(error, "code", code);
	add_text(error, "message", message);
	finish(call, "error", error);
}

/* --- requests --------------------------------------------------------------- */

static const struct control_param *
find_param(const struct control_command *command, const char *name)
{
	for (const struct control_param *p = command->params; p->name; p++) {
		if (!strcmp(p->name, name))
			return p;
	}
	return NULL;
}

static bool has_type(const struct control_param *p, struct json_object *value)
{
	if (!p->is_number)
		return json_object_is_type(value, json_type_string);
	return json_object_is_type(value, json_type_int) &&
	       (json_object_get_int64(value) >= 0);
}

/* Return: what is wrong with the arguments; NULL: nothing. */
static char *check_arguments(const struct control_command *command,
			     struct json_object *arguments)
{
	if (arguments && !json_object_is_type(arguments, json_type_object))
		return g_strdup("arguments: not an object");
	if (arguments) {
		json_object_object_foreach(arguments, name, value)
		{
			const struct control_param *p =
				find_param(command, name);

			if (!p)
				return g_strdup_printf("argument %s: %s takes "
						       "none of that name",
						       name, command->name);
			if (!has_type(p, value))
				return g_strdup_printf(
					"argument %s: expected a %s", name,
					p->is_number ? "number, 0 or more"
						     : "string");
		}
	}
	for (const struct control_param *p = command->params; p->name; p++) {
		if (!p->optional &&
		    !json_object_object_get_ex(arguments, p->name, NULL))
			return g_strdup_printf("argument %s is missing",
					       p->name);
	}
	return NULL;
}

static void run_request(struct client *c, struct control_call *call,
			struct json_object *request)
{
	const struct control_command *command;
	struct json_object *name = NULL, *arguments = NULL;
	g_autofree char *wrong = NULL;

	if (json_object_object_get_ex(request, "id", &call->id))
		json_object_get(call->id);
	if (c->calls->len > CONTROL_CALLS_MAX) {
		control_refuse(call, "busy", "%u commands are under way",
			       CONTROL_CALLS_MAX);
		return;
	}
	json_object_object_get_ex(request, "command", &name);
	if (!json_object_is_type(name, json_type_string)) {
		control_refuse(call, "request", "no command");
		return;
	}
	command = control_find(c->control->commands,
			       json_object_get_string(name));
	if (!command) {
		control_refuse(call, "request", "no command '%s'",
			       json_object_get_string(name));
		return;
	}
	json_object_object_get_ex(request, "arguments", &arguments);
	wrong = check_arguments(command, arguments);
	if (wrong) {
		control_refuse(call, "request", "%s: %s", command->name, wrong);
		return;
	}
	call->arguments = json_object_get(arguments);
	command->run(c->control->ctx, call);
}

static struct control_call *call_new(struct client *c)
{
	struct control_call *call = g_new0(struct control_call, 1);

	call->client = c;
	g_ptr_array_add(c->calls, call);
	return call;
}

static void handle_line(struct client *c, const char *line, size_t bytes)
{
	struct json_tokener *tokener = json_tokener_new_ex(NESTING_MAX);
	struct control_call *call = call_new(c);
	struct json_object *request;

	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT |
						JSON_TOKENER_VALIDATE_UTF8);
	request = json_tokener_parse_ex(tokener, line, (int)bytes);
	if (!request &&
	    json_tokener_get_error(tokener) == json_tokener_continue)
		control_refuse(call, "request", "the line is no whole JSON");
	else if (json_tokener_get_error(tokener) != json_tokener_success)
		control_refuse(call, "request", "not JSON: %s",
			       json_tokener_error_desc(
				       json_tokener_get_error(tokener)));
	else if (!json_object_is_type(request, json_type_object))
		control_refuse(call, "request", "not a JSON object");
	else
		run_request(c, call, request);
	json_object_put(request);
	json_tokener_free(tokener);
}

static void handle_input(struct client *c)
{
	guint8 *end;

	while ((end = memchr(c->in->data, '\n', c->in->len))) {
		guint bytes = (guint)(end - c->in->data);

		if (c->discarding)
			c->discarding = false;
		else if (bytes)
			handle_line(c, (const char *)c->in->data, bytes);
		g_byte_array_remove_range(c->in, 0, bytes + 1);
	}
	if (c->in->len < CONTROL_LINE_MAX)
		return;
	if (!c->discarding)
		control_refuse(call_new(c), "request",
			       "a line may have %u bytes", CONTROL_LINE_MAX);
	c->discarding = true;
	g_byte_array_set_size(c->in, 0);
}

static gboolean on_readable(gint fd, GIOCondition condition, gpointer data)
{
	struct client *c = data;
	guint8 bytes[READ_BYTES];
	ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	(void)condition;
	if (n > 0) {
		g_byte_array_append(c->in, bytes, (guint)n);
		handle_input(c);
		return G_SOURCE_CONTINUE;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return G_SOURCE_CONTINUE;
	c->in_source = 0;
	if (n < 0 || is_done(c))
		drop(c);
	return G_SOURCE_REMOVE;
}

static gboolean on_connection(gint fd, GIOCondition condition, gpointer data);

static gboolean listen_again(gpointer data)
{
	struct control *control = data;

	control->source =
		g_unix_fd_add(control->fd, G_IO_IN, on_connection, control);
	return G_SOURCE_REMOVE;
}

static gboolean on_connection(gint fd, GIOCondition condition, gpointer data)
{
	struct control *control = data;
	struct client *c;
	int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)condition;
	if (client < 0 && (errno == EMFILE || errno == ENFILE)) {
		/* Who connects stays in the backlog, and would be seen at once. */
		control->source =
			g_timeout_add(BREATH_MS, listen_again, control);
		return G_SOURCE_REMOVE;
	}
	if (client < 0)
		return G_SOURCE_CONTINUE;
	if (control->clients->len >= CONTROL_CLIENTS_MAX) {
		log_warn_ratelimited("control socket: more than %u clients",
				     CONTROL_CLIENTS_MAX);
		close(client);
		return G_SOURCE_CONTINUE;
	}
	c = g_new0(struct client, 1);
	c->control = control;
	c->fd = client;
	c->in = g_byte_array_new();
	c->out = g_byte_array_new();
	c->calls = g_ptr_array_new();
	c->in_source = g_unix_fd_add(client, G_IO_IN | G_IO_HUP | G_IO_ERR,
				     on_readable, c);
	g_ptr_array_add(control->clients, c);
	return G_SOURCE_CONTINUE;
}

/* --- the socket ---------------------------------------------------------------- */

/* Is there a socket that its owner left behind? */
static bool is_stale(const struct sockaddr_un *address)
{
	struct stat st;
	int fd, err;

	if (lstat(address->sun_path, &st) || !S_ISSOCK(st.st_mode))
		return false;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	err = connect(fd, (const struct sockaddr *)address, sizeof(*address))
		      ? errno
		      : 0;
	close(fd);
	return err == ECONNREFUSED;
}

static int listen_at(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	mode_t mask;
	int fd, err = 0;

	if (!*path || strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (is_stale(&address))
		unlink(path);
	/* So there is no moment at which others may connect. */
	mask = umask(0177);
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) ||
	    listen(fd, BACKLOG))
		err = -errno;
	umask(mask);
	if (err)
		close(fd);
	return err ? err : fd;
}

struct control *control_new(const char *path,
			    const struct control_command *commands, void *ctx,
			    GError **error)
{
	struct control *control;
	int fd = listen_at(path);

	if (fd < 0) {
		g_set_error(error, CONTROL_ERROR, -fd, "control socket %s: %s",
			    path,
			    fd == -EADDRINUSE
				    ? "exists, and is not a socket that a "
				      "machine left behind; choose another"
			    : fd == -ENAMETOOLONG
				    ? "a socket's path has 1 to 107 bytes"
				    : g_strerror(-fd));
		return NULL;
	}
	control = g_new0(struct control, 1);
	control->commands = commands;
	control->ctx = ctx;
	control->path = g_strdup(path);
	control->fd = fd;
	control->clients = g_ptr_array_new_with_free_func(client_free);
	control->source = g_unix_fd_add(fd, G_IO_IN, on_connection, control);
	return control;
}

void control_free(struct control *control)
{
	if (!control)
		return;
	unlink(control->path);
	g_source_remove(control->source);
	close(control->fd);
	/* The answer to "quit" is not to be lost. */
	for (guint i = 0; i < control->clients->len; i++)
		write_out(control->clients->pdata[i]);
	g_ptr_array_free(control->clients, TRUE);
	g_free(control->path);
	g_free(control);
}
