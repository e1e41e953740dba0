/* SPDX-License-Identifier: MIT */
/*
 * What a client sends to the control socket, in pieces: after each zero byte,
 * which is not sent, the machine looks.  Commands are answered at once, later
 * or when the client has gone, by their first argument.
 */
#include "control/control.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <json-c/json.h>

#include "fuzz/fuzz.h"

#define HELD_MAX (2 * CONTROL_CALLS_MAX)

static char *path;
static struct control *control;
static struct control_call *held[HELD_MAX];
static unsigned int n_held;

static void echo(void *ctx, struct control_call *call)
{
	const char *text = control_string(call, "text");
	struct json_object *o = json_object_new_object();

	(void)ctx;
	json_object_object_add(
		o, "number",
		json_object_new_uint64(control_number(call, "number", 7)));
	json_object_object_add(o, "text", json_object_new_string(text));
	control_answer(call, o);
}

static void hold(void *ctx, struct control_call *call)
{
	(void)ctx;
	if (n_held == HELD_MAX)
		abort();
	held[n_held++] = call;
}

static void release(void *ctx, struct control_call *call)
{
	(void)ctx;
	while (n_held)
		control_refuse(held[--n_held], "x", "%s", "late");
	control_answer(call, NULL);
}

/* Everything that it was given comes back; and all hear of it. */
static void free_form(void *ctx, struct control_call *call)
{
	(void)ctx;
	control_event(control, "{\"event\":\"X\"}");
	control_answer(call, json_object_get(control_arguments(call)));
}

static const struct control_command commands[] = {
	{.name = "qmp_capabilities",
	 .help = "",
	 .params = {{"enable", CONTROL_ANY, true}},
	 .run = control_negotiate},
	{.name = "free",
	 .help = "",
	 .params = {{"on", CONTROL_BOOL, true}},
	 .run = free_form,
	 .more = true},
	{.name = "echo",
	 .help = "",
	 .params = {{"text", CONTROL_STRING, false},
		    {"number", CONTROL_NUMBER, true}},
	 .run = echo},
	{.name = "hold", .help = "", .run = hold},
	{.name = "release", .help = "", .run = release},
	{0},
};

static void clean_up(void)
{
	char *folder = g_path_get_dirname(path);

	control_free(control);
	rmdir(folder);
	g_free(folder);
	g_free(path);
}

static void start(void)
{
	char *folder = g_dir_make_tmp("kvmbus-fuzz-XXXXXX", NULL);

	path = g_build_filename(folder, "socket", NULL);
	control = control_new(path, commands, NULL, NULL);
	if (!control)
		abort();
	atexit(clean_up);
	g_free(folder);
}

static void turn(void)
{
	while (g_main_context_iteration(NULL, FALSE))
		;
}

static void say(int fd, const uint8_t *data, size_t size)
{
	while (size) {
		const uint8_t *zero = memchr(data, 0, size);
		size_t n = zero ? (size_t)(zero - data) : size;

		if (n && send(fd, data, n, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			return;
		turn();
		n += zero != NULL;
		data += n;
		size -= n;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	static const char hello[] = "{\"execute\":\"qmp_capabilities\"}";
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (!control)
		start();
	g_strlcpy(a.sun_path, path, sizeof(a.sun_path));
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)))
		abort();
	say(fd, (const uint8_t *)hello, strlen(hello));
	say(fd, data, size);
	close(fd);
	turn();
	while (n_held)
		control_answer(held[--n_held], NULL);
	turn();
	return 0;
}
