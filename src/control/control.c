/* SPDX-License-Identifier: MIT */
#include "control/control.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <glib-unix.h>
#include <json-c/json.h>

#include "base/descriptors.h"
#include "base/json.h"
#include "base/log.h"
#include "base/trace.h"
#include "control/listen.h"
#include "control/request.h"
#include "report/event.h"

#define LOG_CATEGORY "control"

#define READ_BYTES 4096
/* How long not to listen when there are no descriptors, ms. */
#define BREATH_MS  100

struct client {
	struct control *control;
	int fd;
	guint in_source, out_source; /* 0: none */
	struct request_parser *parser;
	GByteArray *in; /* what the parser has not had yet */
	GByteArray *out; /* not written yet */
	GQueue calls; /* owned: they wait */
	struct control_call *current; /* its command answers it, or NULL */
	uint64_t lost; /* events */
	bool negotiated; /* it has said qmp_capabilities */
	bool ended; /* it says no more */
	bool pumping;
};

struct control {
	const struct control_command *commands;
	void *ctx;
	char *path; /* NULL: not ours to take away */
	int fd;
	guint source;
	GPtrArray *clients; /* owned */
};

struct control_call {
	struct client *client; /* NULL: gone */
	const struct control_command *commands;
	struct json_object *request; /* owned; NULL: none */
	struct json_object *arguments; /* of it; NULL: none */
	const char *wrong; /* static; not NULL: no request at all */
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

const char *control_verb(const struct control_command *command)
{
	static const char own[] = "kvmbus-";

	if (command->verb)
		return command->verb;
	return g_str_has_prefix(command->name, own)
		       ? command->name + strlen(own)
		       : command->name;
}

/* --- clients ------------------------------------------------------------- */

static void pump(struct client *c);

static void call_free(gpointer data)
{
	struct control_call *call = data;

	json_object_put(call->request);
	g_free(call);
}

static void client_free(gpointer data)
{
	struct client *c = data;

	if (c->current)
		c->current->client = NULL;
	g_queue_clear_full(&c->calls, call_free);
	if (c->in_source)
		g_source_remove(c->in_source);
	if (c->out_source)
		g_source_remove(c->out_source);
	request_parser_free(c->parser);
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
	return c->ended && !c->current && !c->calls.length && !c->in->len &&
	       !c->out->len;
}

static gboolean on_writable(gint fd, GIOCondition condition, gpointer data)
{
	struct client *c = data;

	(void)fd;
	(void)condition;
	if (write_out(c)) {
		pump(c);
		if (c->out->len)
			return G_SOURCE_CONTINUE;
		c->out_source = 0;
		if (!is_done(c))
			return G_SOURCE_REMOVE;
	}
	c->out_source = 0;
	drop(c);
	return G_SOURCE_REMOVE;
}

/*
 * The client may be in the middle of reading its requests, so it is not freed
 * here: what went wrong shows when it is next read or written.
 */
static void send_line(struct client *c, const char *text)
{
	/* As QEMU ends them. */
	static const guint8 end[] = {'\r', '\n'};

	g_byte_array_append(c->out, (const guint8 *)text, (guint)strlen(text));
	g_byte_array_append(c->out, end, sizeof(end));
	if (!c->out_source)
		c->out_source = g_unix_fd_add(c->fd, G_IO_OUT | G_IO_ERR,
					      on_writable, c);
}

static void send_json(struct client *c, struct json_object *o)
{
	send_line(c, json_object_to_json_string_ext(
			     o, JSON_C_TO_STRING_PLAIN |
					JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

static void tell_lost(struct client *c)
{
	struct event *e = event_new(EVENT_KVMBUS_EVENTS_LOST);
	g_autofree char *line = NULL;

	event_add_number(e, "count", c->lost);
	line = event_line(e);
	event_free(e);
	c->lost = 0;
	send_line(c, line);
}

void control_event(struct control *control, const char *line)
{
	for (guint i = 0; i < control->clients->len; i++) {
		struct client *c = control->clients->pdata[i];

		if (!c->negotiated || c->ended)
			continue;
		if (c->out->len >= CONTROL_OUT_MAX) {
			c->lost++;
			continue;
		}
		if (c->lost)
			tell_lost(c);
		send_line(c, line);
	}
}

/* --- calls ----------------------------------------------------------------- */

static struct json_object *member(struct json_object *o, const char *name)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(o, name, &value);
	return value;
}

const char *control_string(const struct control_call *call, const char *name)
{
	struct json_object *o = member(call->arguments, name);

	return o ? json_object_get_string(o) : NULL;
}

uint64_t control_number(const struct control_call *call, const char *name,
			uint64_t otherwise)
{
	struct json_object *o = member(call->arguments, name);

	return o ? json_object_get_uint64(o) : otherwise;
}

bool control_bool(const struct control_call *call, const char *name,
		  bool otherwise)
{
	struct json_object *o = member(call->arguments, name);

	return o ? json_object_get_boolean(o) : otherwise;
}

struct json_object *control_arguments(const struct control_call *call)
{
	return call->arguments;
}

const struct control_command *control_table(const struct control_call *call)
{
	return call->commands;
}

/* Send the answer, which is taken, and forget the call. */
/* NOLINTNEXTLINE(misc-no-recursion): pump() is not entered twice */
static void finish(struct control_call *call, const char *key,
		   struct json_object *value)
{
	struct json_object *answer = json_object_new_object();
	struct json_object *id = member(call->request, "id");
	struct client *c = call->client;

	json_object_object_add(answer, key, value);
	if (json_object_object_get_ex(call->request, "id", NULL))
		json_object_object_add(answer, "id", json_object_get(id));
	call_free(call);
	if (!c) {
		json_object_put(answer);
		return;
	}
	c->current = NULL;
	send_json(c, answer);
	pump(c);
}

void control_answer(struct control_call *call, struct json_object *result)
{
	finish(call, "return", result ? result : json_object_new_object());
}

static const char *class_of(const char *code)
{
	static const struct {
		const char *code, *class;
	} classes[] = {
		{"absent", "DeviceNotFound"},
		{"not-ready", "DeviceNotActive"},
		{"no-such-command", "CommandNotFound"},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(classes); i++) {
		if (!strcmp(classes[i].code, code))
			return classes[i].class;
	}
	return "GenericError";
}

/* NOLINTNEXTLINE(misc-no-recursion): pump() is not entered twice */
void control_refuse(struct control_call *call, const char *code,
		    const char *format, ...)
{
	struct json_object *error = json_object_new_object();
	g_autofree char *text = NULL;
	va_list args;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	json_add_any_text(error, "class", class_of(code));
	json_add_any_text(error, "desc", text);
	json_add_any_text(error, "code", code);
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

/* Return: what is wanted instead; NULL: it is right. */
static const char *wrong_type(const struct control_param *p,
			      struct json_object *value)
{
	bool right = true;

	switch (p->type) {
	case CONTROL_STRING:
		right = json_object_is_type(value, json_type_string);
		return right ? NULL : "a string";
	case CONTROL_NUMBER:
		right = json_object_is_type(value, json_type_int) &&
			json_object_get_int64(value) >= 0;
		return right ? NULL : "a number, 0 or more";
	case CONTROL_BOOL:
		right = json_object_is_type(value, json_type_boolean);
		return right ? NULL : "true or false";
	case CONTROL_ANY:
		break;
	}
	return NULL;
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
			const char *wanted = p ? wrong_type(p, value) : NULL;

			if (!p && !command->more)
				return g_strdup_printf("argument %s: %s takes "
						       "none of that name",
						       name, command->name);
			if (wanted)
				return g_strdup_printf(
					"argument %s: expected %s", name,
					wanted);
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

/* Return: the first member that no request has; NULL: there is none. */
static const char *odd_member(struct json_object *request)
{
	json_object_object_foreach(request, name, value)
	{
		(void)value;
		if (strcmp(name, "execute") != 0 &&
		    strcmp(name, "arguments") != 0 && strcmp(name, "id") != 0)
			return name;
	}
	return NULL;
}

/* NOLINTNEXTLINE(misc-no-recursion): pump() is not entered twice */
static void run_command(struct client *c, struct control_call *call,
			const char *name)
{
	const struct control_command *command =
		control_find(c->control->commands, name);
	g_autofree char *wrong = NULL;

	if (!c->negotiated && (!command || command->run != control_negotiate)) {
		control_refuse(call, "no-such-command",
			       "Expecting capabilities negotiation with "
			       "'qmp_capabilities'");
		return;
	}
	if (!command) {
		control_refuse(call, "no-such-command",
			       "The command %s has not been found", name);
		return;
	}
	wrong = check_arguments(command, call->arguments);
	if (wrong) {
		control_refuse(call, "request", "%s: %s", name, wrong);
		return;
	}
	trace_bytes(control_command, TRACE_NO_VP, TRACE_NO_DEVICE,
		    command->name, (uint32_t)strlen(command->name), 0, 0);
	command->run(c->control->ctx, call);
}

/* Do the first of those that wait. */
/* NOLINTNEXTLINE(misc-no-recursion): pump() is not entered twice */
static void begin(struct client *c)
{
	struct control_call *call = g_queue_pop_head(&c->calls);
	struct json_object *name = member(call->request, "execute");
	const char *odd;

	c->current = call;
	if (call->wrong) {
		control_refuse(call, "request", "%s", call->wrong);
		return;
	}
	odd = odd_member(call->request);
	if (odd)
		control_refuse(call, "request",
			       "QMP input member '%s' is unexpected", odd);
	else if (!json_object_is_type(name, json_type_string))
		control_refuse(call, "request",
			       "QMP input lacks a string member 'execute'");
	else
		run_command(c, call, json_object_get_string(name));
}

void control_negotiate(void *ctx, struct control_call *call)
{
	struct json_object *enable = member(call->arguments, "enable");

	(void)ctx;
	if (call->client->negotiated) {
		control_refuse(call, "no-such-command",
			       "Capabilities negotiation is already complete, "
			       "command ignored");
		return;
	}
	if (enable && (!json_object_is_type(enable, json_type_array) ||
		       json_object_array_length(enable))) {
		control_refuse(call, "request",
			       "enable: there are no capabilities");
		return;
	}
	call->client->negotiated = true;
	control_answer(call, NULL);
}

/* Return: false: what came holds no whole request. */
static bool parse_one(struct client *c)
{
	const char *data = (const char *)c->in->data;
	size_t bytes = c->in->len;
	struct json_object *request = NULL;
	const char *wrong = NULL;
	enum request_result result =
		request_parse(c->parser, &data, &bytes, &request, &wrong);
	struct control_call *call;

	g_byte_array_remove_range(c->in, 0, c->in->len - (guint)bytes);
	if (result == REQUEST_MORE)
		return false;
	call = g_new0(struct control_call, 1);
	call->client = c;
	call->commands = c->control->commands;
	call->request = request;
	call->arguments = member(request, "arguments");
	call->wrong = wrong;
	g_queue_push_tail(&c->calls, call);
	return true;
}

/* --- reading ---------------------------------------------------------------- */

static gboolean on_readable(gint fd, GIOCondition condition, gpointer data);

/* Go on with what waits, as far as can be; then read, or do not. */
/* NOLINTNEXTLINE(misc-no-recursion): pump() is not entered twice */
static void pump(struct client *c)
{
	guint source = c->in_source;
	bool wants;

	if (c->pumping)
		return;
	c->pumping = true;
	for (;;) {
		if (!c->current && c->calls.length &&
		    c->out->len < CONTROL_OUT_MAX)
			begin(c);
		else if (c->calls.length >= CONTROL_CALLS_MAX || !c->in->len ||
			 !parse_one(c))
			break;
	}
	c->pumping = false;
	wants = !c->ended && !c->in->len;
	if (wants && !c->in_source)
		c->in_source = g_unix_fd_add(
			c->fd, G_IO_IN | G_IO_HUP | G_IO_ERR, on_readable, c);
	else if (!wants && c->in_source)
		g_source_remove(source);
	if (!wants)
		c->in_source = 0;
}

static gboolean on_readable(gint fd, GIOCondition condition, gpointer data)
{
	struct client *c = data;
	guint8 bytes[READ_BYTES];
	ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	(void)condition;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return G_SOURCE_CONTINUE;
	if (n > 0)
		g_byte_array_append(c->in, bytes, (guint)n);
	else
		c->ended = true;
	/* It may end this source, which is fine. */
	pump(c);
	if (n < 0 || is_done(c))
		drop(c);
	return G_SOURCE_CONTINUE;
}

struct json_object *control_version(void)
{
	struct json_object *o = json_object_new_object();
	struct json_object *numbers = json_object_new_object();
	static const char *const names[] = {"major", "minor", "micro"};
	g_auto(GStrv) words = g_strsplit(KVMBUS_VERSION, ".", 3);

	for (unsigned int i = 0; i < 3 && words[i]; i++)
		json_object_object_add(numbers, names[i],
				       json_object_new_int64(g_ascii_strtoll(
					       words[i], NULL, 10)));
	json_object_object_add(o, "qemu", numbers);
	json_add_text(o, "package", "kvmbus " KVMBUS_VERSION);
	return o;
}

/* As the first thing that a client hears. */
static void greet(struct client *c)
{
	struct json_object *o = json_object_new_object();
	struct json_object *qmp = json_object_new_object();

	json_object_object_add(qmp, "version", control_version());
	json_object_object_add(qmp, "capabilities", json_object_new_array());
	json_object_object_add(o, "QMP", qmp);
	send_json(c, o);
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
	if (client < 0 && descriptors_are_out(errno)) {
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
	c->parser = request_parser_new();
	c->in = g_byte_array_new();
	c->out = g_byte_array_new();
	g_queue_init(&c->calls);
	g_ptr_array_add(control->clients, c);
	greet(c);
	pump(c);
	return G_SOURCE_CONTINUE;
}

/* --- the socket ---------------------------------------------------------------- */

static struct control *listening(int fd, const char *path,
				 const struct control_command *commands,
				 void *ctx)
{
	struct control *control = g_new0(struct control, 1);

	control->commands = commands;
	control->ctx = ctx;
	control->path = g_strdup(path);
	control->fd = fd;
	control->clients = g_ptr_array_new_with_free_func(client_free);
	control->source = g_unix_fd_add(fd, G_IO_IN, on_connection, control);
	return control;
}

struct control *control_new(const char *path,
			    const struct control_command *commands, void *ctx,
			    GError **error)
{
	int fd = listen_at(path);

	if (fd >= 0)
		return listening(fd, path, commands, ctx);
	g_set_error(error, CONTROL_ERROR, -fd, "control socket %s: %s", path,
		    fd == -EADDRINUSE
			    ? "exists, and is not a socket that a machine left "
			      "behind; choose another"
		    : fd == -ENAMETOOLONG ? "a socket's path has 1 to 107 bytes"
					  : g_strerror(-fd));
	return NULL;
}

struct control *control_new_fd(int fd, const struct control_command *commands,
			       void *ctx, GError **error)
{
	if (listen_adopt(fd)) {
		g_set_error(
			error, CONTROL_ERROR, 0,
			"control socket: descriptor %d is not a Unix stream "
			"socket that can listen",
			fd);
		return NULL;
	}
	return listening(fd, NULL, commands, ctx);
}

void control_free(struct control *control)
{
	if (!control)
		return;
	if (control->path)
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
