/* SPDX-License-Identifier: MIT */
#include "control/client.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <json-c/json.h>

#include "base/json.h"
#include "control/control.h"

#define EXIT_REFUSED   1
#define EXIT_USAGE     2
#define EXIT_NO_SOCKET 4

#define USAGE_WIDTH 37

/* Of the request, as events and other answers have none or another. */
#define ID "ctl"

static char *synopsis(const struct control_command *command)
{
	GString *text = g_string_new(control_verb(command));

	for (const struct control_param *p = command->params; p->name; p++) {
		g_autofree char *name = g_ascii_strup(p->name, -1);

		g_string_append_printf(text, p->optional ? " [%s]" : " %s",
				       name);
	}
	return g_string_free(text, FALSE);
}

/* Is it called otherwise than in QMP, or listed all the same? */
static bool has_verb(const struct control_command *command)
{
	return command->verb || control_verb(command) != command->name;
}

void control_usage(const struct control_command *commands, FILE *out)
{
	fputs("Usage: kvmbus ctl SOCKET COMMAND [ARGUMENT]...\n\n", out);
	for (; commands->name; commands++) {
		g_autofree char *text = synopsis(commands);

		if (has_verb(commands))
			fprintf(out, "  %-*s %s\n", USAGE_WIDTH, text,
				commands->help);
	}
	fputs("\nAny other command of kvmbus-qmp(7) by its own name, with "
	      "NAME=VALUE...\n",
	      out);
}

static const struct control_command *
find(const struct control_command *commands, const char *word)
{
	for (const struct control_command *c = commands; c->name; c++) {
		if (!strcmp(control_verb(c), word))
			return c;
	}
	return control_find(commands, word);
}

/* --- the request -------------------------------------------------------- */

/* JSON if it is some, else a string. */
static struct json_object *any_value(const char *value)
{
	struct json_object *o = json_tokener_parse(value);

	return o ? o : json_object_new_string(value);
}

static int add_argument(struct json_object *arguments,
			const struct control_param *p, const char *value)
{
	struct json_object *o = NULL;
	guint64 number;

	switch (p->type) {
	case CONTROL_STRING:
		o = json_object_new_string(value);
		break;
	case CONTROL_NUMBER:
		if (!g_ascii_string_to_unsigned(value, 10, 0, G_MAXINT64,
						&number, NULL))
			return -EINVAL;
		o = json_object_new_uint64(number);
		break;
	case CONTROL_BOOL:
		if (strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
			return -EINVAL;
		o = json_object_new_boolean(*value == 't');
		break;
	case CONTROL_ANY:
		o = any_value(value);
		break;
	}
	json_object_object_add(arguments, p->name, o);
	return 0;
}

/* NAME=VALUE of a parameter; then *@value is what follows the sign. */
static const struct control_param *
named_param(const struct control_command *command, const char **value)
{
	for (const struct control_param *p = command->params; p->name; p++) {
		size_t n = strlen(p->name);

		if (!strncmp(*value, p->name, n) && (*value)[n] == '=') {
			*value += n + 1;
			return p;
		}
	}
	return NULL;
}

/* NAME=VALUE of a member that no parameter is.  Return: was it one? */
static bool add_member(struct json_object *arguments, const char *text)
{
	const char *equals = strchr(text, '=');
	g_autofree char *name = NULL;

	if (!equals || equals == text)
		return false;
	name = g_strndup(text, (gsize)(equals - text));
	json_object_object_add(arguments, name, any_value(equals + 1));
	return true;
}

/* Return: what is to be sent; NULL with what is wrong said on @err. */
static char *make_request(const struct control_command *command, char **args,
			  FILE *err)
{
	struct json_object *request = json_object_new_object();
	struct json_object *arguments = json_object_new_object();
	const struct control_param *next = command->params;
	char *line = NULL;

	json_add_text(request, "execute", command->name);
	json_object_object_add(request, "arguments", arguments);
	json_add_text(request, "id", ID);
	for (; *args; args++) {
		const char *value = *args;
		const struct control_param *p = named_param(command, &value);

		if (!p && command->more && add_member(arguments, value))
			continue;
		if (!p && next->name)
			p = next++;
		if (!p) {
			fprintf(err,
				"kvmbus: ctl: %s: '%s' is one argument "
				"too many\n",
				control_verb(command), *args);
			goto out;
		}
		if (add_argument(arguments, p, value)) {
			fprintf(err, "kvmbus: ctl: %s: %s is %s, not '%s'\n",
				control_verb(command), p->name,
				p->type == CONTROL_BOOL ? "true or false"
							: "a number",
				value);
			goto out;
		}
	}
	for (; next->name && !next->optional; next++) {
		if (!json_object_object_get_ex(arguments, next->name, NULL)) {
			g_autofree char *text = synopsis(command);

			fprintf(err, "kvmbus: ctl: %s is missing; usage: %s\n",
				next->name, text);
			goto out;
		}
	}
	line = g_strconcat(
		"{\"execute\":\"qmp_capabilities\"}\n",
		json_object_to_json_string_ext(request, JSON_C_TO_STRING_PLAIN),
		"\n", NULL);
out:
	json_object_put(request);
	return line;
}

/* --- there and back ------------------------------------------------------- */

static int dial(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address))) {
		int err = -errno;

		close(fd);
		return err;
	}
	return fd;
}

/* Return: all that was said, owned; NULL: the machine is not to be heard. */
static char *exchange(int fd, const char *line)
{
	g_autoptr(GString) answer = g_string_new(NULL);
	size_t bytes = strlen(line);
	char buffer[4096];
	ssize_t n;

	while (bytes) {
		n = send(fd, line, bytes, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return NULL;
		line += n;
		bytes -= (size_t)n;
	}
	/* All is said: the end of the answers is the end of the stream. */
	shutdown(fd, SHUT_WR);
	do {
		n = read(fd, buffer, sizeof(buffer));
		if (n > 0)
			g_string_append_len(answer, buffer, n);
	} while (n > 0 || (n < 0 && errno == EINTR && !answer->len));
	return g_strdup(answer->str);
}

static void print_result(struct json_object *result, FILE *out)
{
	bool is_object = json_object_is_type(result, json_type_object);
	int n = is_object ? json_object_object_length(result) : -1;

	if (!n)
		return;
	if (n == 1) {
		struct json_object_iterator it = json_object_iter_begin(result);
		struct json_object *value = json_object_iter_peek_value(&it);

		if (!json_object_is_type(value, json_type_object) &&
		    !json_object_is_type(value, json_type_array)) {
			fprintf(out, "%s\n", json_object_get_string(value));
			return;
		}
	}
	fprintf(out, "%s\n", json_pretty(result));
}

/* Among the greeting and events.  Return: owned; NULL: there is none. */
static struct json_object *find_answer(const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (char **line = lines; *line; line++) {
		struct json_object *o = json_tokener_parse(*line), *id;

		if (json_object_object_get_ex(o, "id", &id) &&
		    !g_strcmp0(json_object_get_string(id), ID))
			return o;
		json_object_put(o);
	}
	return NULL;
}

static int print_answer(struct json_object *answer, FILE *out, FILE *err)
{
	struct json_object *member = NULL, *message = NULL;
	int code = EXIT_REFUSED;

	if (json_object_object_get_ex(answer, "return", &member)) {
		print_result(member, out);
		code = 0;
	} else if (json_object_object_get_ex(answer, "error", &member) &&
		   json_object_object_get_ex(member, "desc", &message)) {
		fprintf(err, "kvmbus: ctl: %s\n",
			json_object_get_string(message));
	} else {
		fputs("kvmbus: ctl: the answer cannot be understood\n", err);
	}
	return code;
}

int control_client(char **args, const struct control_command *commands,
		   FILE *out, FILE *err)
{
	const struct control_command *command;
	g_autofree char *line = NULL, *heard = NULL;
	struct json_object *answer;
	int fd, code;

	if (!args[0] || !args[1]) {
		control_usage(commands, err);
		return EXIT_USAGE;
	}
	command = find(commands, args[1]);
	if (!command) {
		fprintf(err, "kvmbus: ctl: no command '%s'\n", args[1]);
		control_usage(commands, err);
		return EXIT_USAGE;
	}
	line = make_request(command, args + 2, err);
	if (!line)
		return EXIT_USAGE;
	fd = dial(args[0]);
	if (fd < 0) {
		fprintf(err,
			"kvmbus: ctl: %s: %s; is a machine with "
			"--control %s running?\n",
			args[0], g_strerror(-fd), args[0]);
		return EXIT_NO_SOCKET;
	}
	heard = exchange(fd, line);
	close(fd);
	answer = heard ? find_answer(heard) : NULL;
	if (!answer) {
		fputs("kvmbus: ctl: the machine ended before it answered\n",
		      err);
		return EXIT_REFUSED;
	}
	code = print_answer(answer, out, err);
	json_object_put(answer);
	return code;
}
