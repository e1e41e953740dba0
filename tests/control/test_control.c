/* SPDX-License-Identifier: MIT */
/*
 * A control socket with commands of the test's, clients that are real
 * sockets, and the default main context turned by hand.
 */
#include "control/control.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <json-c/json.h>

#include "control/client.h"
#include "control/request.h"
#include "support/check_main.h"

static char *folder, *path;
static struct control *control;
static struct control_call *held[64];
static unsigned int n_held, n_run;

static void echo(void *ctx, struct control_call *call)
{
	struct json_object *o = json_object_new_object();

	ck_assert_ptr_eq(ctx, &n_run);
	n_run++;
	json_object_object_add(
		o, "text",
		json_object_new_string(control_string(call, "text")));
	json_object_object_add(
		o, "times",
		json_object_new_uint64(control_number(call, "times", 1)));
	control_answer(call, o);
}

static void give_up(void *ctx, struct control_call *call)
{
	(void)ctx;
	control_refuse(call, "timeout", "no %s came", "answer");
}

static void hold(void *ctx, struct control_call *call)
{
	(void)ctx;
	held[n_held++] = call;
}

static void nothing(void *ctx, struct control_call *call)
{
	(void)ctx;
	control_answer(call, NULL);
}

static void big(void *ctx, struct control_call *call)
{
	struct json_object *o = json_object_new_object();
	g_autofree char *text = g_strnfill(1 << 20, 'x');

	(void)ctx;
	n_run++;
	json_object_object_add(o, "text", json_object_new_string(text));
	control_answer(call, o);
}

static void miss(void *ctx, struct control_call *call)
{
	(void)ctx;
	control_refuse(call, "absent", "there is none");
}

/* All that it was given. */
static void free_form(void *ctx, struct control_call *call)
{
	(void)ctx;
	control_answer(call, json_object_get(control_arguments(call)));
}

static const struct control_command commands[] = {
	{.name = "qmp_capabilities",
	 .help = "is said first",
	 .params = {{"enable", CONTROL_ANY, true}},
	 .run = control_negotiate},
	{.name = "miss", .help = "finds nothing", .run = miss},
	{.name = "free",
	 .help = "takes anything",
	 .params = {{"on", CONTROL_BOOL, true}},
	 .run = free_form,
	 .more = true},
	{.name = "kvmbus-short", .help = "of ours", .run = miss},
	{.name = "long_name",
	 .help = "of QEMU's",
	 .run = miss,
	 .verb = "brief"},
	{.name = "echo",
	 .help = "say it again",
	 .params = {{"text", CONTROL_STRING, false},
		    {"times", CONTROL_NUMBER, true}},
	 .run = echo},
	{.name = "fail", .help = "never works", .run = give_up},
	{.name = "hold", .help = "is answered later", .run = hold},
	{.name = "nothing", .help = "has nothing to say", .run = nothing},
	{.name = "big", .help = "has a lot to say", .run = big},
	{0},
};

static void setup(void)
{
	folder = g_dir_make_tmp("kvmbus-control-XXXXXX", NULL);
	path = g_build_filename(folder, "socket", NULL);
	control = control_new(path, commands, &n_run, NULL);
	ck_assert_ptr_nonnull(control);
	n_held = n_run = 0;
}

static void teardown(void)
{
	control_free(control);
	rmdir(folder);
	g_free(path);
	g_free(folder);
}

static void turn(void)
{
	while (g_main_context_iteration(NULL, FALSE))
		;
}

static int dial_only(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	g_strlcpy(a.sun_path, path, sizeof(a.sun_path));
	ck_assert(!connect(fd, (struct sockaddr *)&a, sizeof(a)));
	return fd;
}

static void say(int fd, const char *text)
{
	size_t left = strlen(text);

	while (left) {
		ssize_t n = send(fd, text, left, MSG_NOSIGNAL);

		if (n > 0) {
			text += n;
			left -= (size_t)n;
		}
		turn();
	}
}

/* What has come by now. */
static char *hear(int fd)
{
	GString *s = g_string_new(NULL);
	char buffer[4096];
	ssize_t n;

	turn();
	while ((n = read(fd, buffer, sizeof(buffer))) > 0) {
		g_string_append_len(s, buffer, n);
		turn();
	}
	return g_string_free(s, FALSE);
}

/* Connect, and say what has to be said first. */
static int dial(void)
{
	int fd = dial_only();

	say(fd, "{\"execute\":\"qmp_capabilities\"}");
	g_free(hear(fd));
	return fd;
}

static void expect(const char *request, const char *answer)
{
	int fd = dial();
	g_autofree char *line = g_strconcat(request, "\n", NULL);
	g_autofree char *got = NULL;

	say(fd, line);
	got = hear(fd);
	ck_assert_msg(strstr(got, answer), "%s: %s", request, got);
	close(fd);
	turn();
}

/* --- cases ------------------------------------------------------------------- */

static const struct {
	const char *request, *answer;
} exchanges[] = {
	{"{\"execute\":\"echo\",\"arguments\":{\"text\":\"a\"}}",
	 "{\"return\":{\"text\":\"a\",\"times\":1}}\r\n"},
	{"{\"id\":7,\"execute\":\"echo\",\"arguments\":{\"text\":\"a\","
	 "\"times\":3}}",
	 "{\"return\":{\"text\":\"a\",\"times\":3},\"id\":7}\r\n"},
	{"{\"id\":{\"any\":[1]},\"execute\":\"nothing\"}",
	 "{\"return\":{},\"id\":{\"any\":[1]}}\r\n"},
	{"{\"id\":null,\"execute\":\"nothing\"}",
	 "{\"return\":{},\"id\":null}\r\n"},
	{"{\"execute\":\"fail\"}",
	 "{\"error\":{\"class\":\"GenericError\",\"desc\":\"no answer came\","
	 "\"code\":\"timeout\"}}\r\n"},
	{"{\"execute\":\"miss\"}", "\"class\":\"DeviceNotFound\""},
	{"{\"execute\":\"dance\"}", "\"class\":\"CommandNotFound\""},
	{"{\"execute\":\"qmp_capabilities\"}", "already complete"},
	{"{\"execute\":7}", "lacks a string member 'execute'"},
	{"{}", "lacks a string member 'execute'"},
	{"{\"execute\":\"nothing\",\"x\":1}", "member 'x' is unexpected"},
	{"{\"exec-oob\":\"nothing\"}", "member 'exec-oob' is unexpected"},
	{"[]", "expected a JSON object"},
	{"null", "expected a JSON object"},
	{"{\"execute\":\"no\xFF\"}", "not UTF-8"},
	{"{\"execute\":\"echo\"}", "argument text is missing"},
	{"{\"execute\":\"echo\",\"arguments\":[]}", "not an object"},
	{"{\"execute\":\"echo\",\"arguments\":{\"text\":1}}",
	 "text: expected a string"},
	{"{\"execute\":\"echo\",\"arguments\":{\"text\":null}}",
	 "text: expected a string"},
	{"{\"execute\":\"echo\",\"arguments\":{\"text\":\"a\",\"times\":-1}}",
	 "times: expected a number"},
	{"{\"execute\":\"echo\",\"arguments\":{\"text\":\"a\",\"times\":\"2\"}"
	 "}",
	 "times: expected a number"},
	{"{\"execute\":\"echo\",\"arguments\":{\"text\":\"a\",\"loud\":1}}",
	 "takes none of that name"},
	{"{\"execute\":\"free\",\"arguments\":{\"on\":true,\"loud\":[1]}}",
	 "{\"return\":{\"on\":true,\"loud\":[1]}}\r\n"},
	{"{\"execute\":\"free\",\"arguments\":{\"on\":1}}",
	 "on: expected true or false"},
	{"{\"execute\":\n \"nothing\"\n}", "{\"return\":{}}\r\n"},
};

START_TEST(requests_and_answers)
{
	expect(exchanges[_i].request, exchanges[_i].answer);
}
END_TEST

START_TEST(only_the_owner_may_connect)
{
	struct stat st;

	ck_assert(!stat(path, &st));
	ck_assert(S_ISSOCK(st.st_mode));
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
}
END_TEST

START_TEST(clients_are_greeted_and_negotiate)
{
	g_autofree char *greeting = NULL, *early = NULL, *done = NULL;
	int fd = dial_only();

	greeting = hear(fd);
	ck_assert(g_str_has_prefix(greeting, "{\"QMP\":{\"version\":{\"qemu\":{"
					     "\"major\":"));
	ck_assert(g_str_has_suffix(greeting, "\"capabilities\":[]}}\r\n"));
	control_event(control, "{\"event\":\"X\"}");
	say(fd, "{\"execute\":\"nothing\"}{\"execute\":\"dance\"}"
		"{\"execute\":\"qmp_capabilities\","
		"\"arguments\":{\"enable\":[\"oob\"]}}");
	early = hear(fd);
	ck_assert_ptr_nonnull(strstr(early, "CommandNotFound"));
	ck_assert_ptr_nonnull(strstr(early, "capabilities negotiation"));
	ck_assert_ptr_nonnull(strstr(early, "there are no capabilities"));
	ck_assert_ptr_null(strstr(early, "\"event\""));
	say(fd, "{\"execute\":\"qmp_capabilities\","
		"\"arguments\":{\"enable\":[]}}{\"execute\":\"nothing\"}");
	done = hear(fd);
	ck_assert_str_eq(done, "{\"return\":{}}\r\n{\"return\":{}}\r\n");
	close(fd);
}
END_TEST

START_TEST(many_requests_at_once_and_one_in_pieces)
{
	g_autofree char *got = NULL, *rest = NULL;
	int fd = dial();

	say(fd, "{\"id\":1,\"execute\":\"nothing\"}"
		"\n\n{\"id\":2,\"execute\":\"nothing\"}\n{\"id\":3,\"exec");
	got = hear(fd);
	ck_assert_str_eq(got, "{\"return\":{},\"id\":1}\r\n"
			      "{\"return\":{},\"id\":2}\r\n");
	say(fd, "ute\"\n:\"nothing\"\n}\n");
	rest = hear(fd);
	ck_assert_str_eq(rest, "{\"return\":{},\"id\":3}\r\n");
	close(fd);
}
END_TEST

START_TEST(commands_are_done_in_order)
{
	g_autofree char *none = NULL, *got = NULL;
	int fd = dial();

	say(fd, "{\"id\":1,\"execute\":\"hold\"}"
		"{\"id\":2,\"execute\":\"nothing\"}"
		"{\"id\":3,\"execute\":\"hold\"}");
	shutdown(fd, SHUT_WR);
	turn();
	ck_assert_uint_eq(n_held, 1);
	none = hear(fd);
	ck_assert_str_eq(none, "");
	/* Another client does not wait. */
	expect("{\"execute\":\"nothing\"}", "return");
	control_answer(held[0], NULL);
	turn();
	ck_assert_uint_eq(n_held, 2);
	control_answer(held[1], NULL);
	got = hear(fd);
	ck_assert_str_eq(got, "{\"return\":{},\"id\":1}\r\n"
			      "{\"return\":{},\"id\":2}\r\n"
			      "{\"return\":{},\"id\":3}\r\n");
	/* And then the connection ends, as it was done. */
	ck_assert_int_eq(read(fd, &(char){0}, 1), 0);
	close(fd);
}
END_TEST

START_TEST(events_come_to_all)
{
	int fds[3] = {dial(), dial(), dial()};

	control_event(control, "{\"event\":\"X\"}");
	for (unsigned int i = 0; i < G_N_ELEMENTS(fds); i++) {
		g_autofree char *got = hear(fds[i]);

		ck_assert_str_eq(got, "{\"event\":\"X\"}\r\n");
		close(fds[i]);
	}
	turn();
}
END_TEST

/* Who does not read loses what does not fit, and is told how much. */
START_TEST(events_that_wait_have_a_bound)
{
	g_autofree char *text = g_strnfill(10000, 'x');
	g_autofree char *line = g_strdup_printf("{\"event\":\"%s\"}", text);
	g_autofree char *got = NULL, *more = NULL;
	unsigned int n = 0;
	int fd = dial();

	for (unsigned int i = 0; i < 1000; i++) {
		control_event(control, line);
		turn();
	}
	expect("{\"execute\":\"nothing\"}", "return");
	got = hear(fd);
	for (const char *at = got; (at = strstr(at, "event")); at++)
		n++;
	/* What waits here and in the socket. */
	ck_assert_uint_ge(n, CONTROL_OUT_MAX / 10100);
	ck_assert_uint_lt(n, 200);
	control_event(control, "{\"event\":\"X\"}");
	more = hear(fd);
	ck_assert(g_str_has_prefix(more, "{\"event\":\"KVMBUS_EVENTS_LOST\","
					 "\"data\":{\"count\":"));
	ck_assert(g_str_has_suffix(more, "{\"event\":\"X\"}\r\n"));
	close(fd);
}
END_TEST

START_TEST(a_client_may_leave_before_the_answer)
{
	int fd = dial();

	say(fd, "{\"execute\":\"hold\"}{\"execute\":\"hold\"}");
	turn();
	close(fd);
	turn();
	ck_assert_uint_eq(n_held, 1);
	control_refuse(held[0], "x", "y");
	/* The other was begun before it shows that nobody listens. */
	ck_assert_uint_eq(n_held, 2);
	turn();
	control_answer(held[1], NULL);
	turn();
	expect("{\"execute\":\"nothing\"}", "return");
}
END_TEST

START_TEST(the_socket_may_leave_before_the_answer)
{
	int fd = dial();

	say(fd, "{\"execute\":\"hold\"}\n");
	turn();
	control_free(control);
	control = NULL;
	control_answer(held[0], NULL);
	ck_assert_int_eq(access(path, F_OK), -1);
	close(fd);
}
END_TEST

START_TEST(the_last_answer_is_not_lost)
{
	g_autofree char *got = NULL;
	int fd = dial();

	say(fd, "{\"execute\":\"hold\"}\n");
	turn();
	control_answer(held[0], NULL);
	control_free(control);
	control = NULL;
	got = hear(fd);
	ck_assert_str_eq(got, "{\"return\":{}}\r\n");
	close(fd);
}
END_TEST

START_TEST(a_request_has_a_bound)
{
	g_autofree char *text = g_strnfill(2 * (gsize)REQUEST_BYTES_MAX, 'x');
	g_autofree char *got = NULL;
	int fd = dial();

	say(fd, "{\"execute\":\"");
	say(fd, text);
	say(fd, "\"}\n{\"execute\":\"nothing\"}\n");
	got = hear(fd);
	ck_assert_ptr_nonnull(strstr(got, "a request may have"));
	ck_assert(g_str_has_suffix(got, "}\r\n{\"return\":{}}\r\n"));
	close(fd);
}
END_TEST

/* The rest stays in the socket until there is room. */
START_TEST(commands_that_wait_have_a_bound)
{
	static const char request[] = "{\"execute\":\"hold\"}";
	unsigned int n = 0;
	int fd = dial();

	for (unsigned int i = 0; i < 1000; i++) {
		if (send(fd, request, strlen(request), MSG_NOSIGNAL) > 0)
			n++;
		turn();
	}
	ck_assert_uint_gt(n, CONTROL_CALLS_MAX);
	for (unsigned int i = 0; i < n; i++) {
		ck_assert_uint_eq(n_held, 1);
		n_held = 0;
		control_answer(held[0], NULL);
		g_free(hear(fd));
	}
	ck_assert_uint_eq(n_held, 0);
	close(fd);
}
END_TEST

/* Each answer is a megabyte: one, and no more before it is read. */
START_TEST(answers_that_wait_have_a_bound)
{
	unsigned int n = 0;
	int fd = dial();

	for (unsigned int i = 0; i < 8; i++)
		say(fd, "{\"execute\":\"big\"}");
	turn();
	ck_assert_uint_eq(n_run, 1);
	for (unsigned int i = 0; i < 100 && n < 8; i++) {
		g_autofree char *got = hear(fd);

		for (const char *at = got; (at = strstr(at, "return")); at++)
			n++;
	}
	ck_assert_uint_eq(n, 8);
	close(fd);
}
END_TEST

START_TEST(a_thousand_clients_come_and_go)
{
	int before = dial_only(), after;

	close(before);
	turn();
	for (unsigned int i = 0; i < 1000; i++) {
		int fd = dial_only();

		/* Some say nothing, some too much, some leave in the middle. */
		if (i % 3)
			say(fd, "{\"execute\":\"qmp_capabilities\"}"
				"{\"execute\":\"nothing\"}{\"exec");
		if (i % 2)
			turn();
		close(fd);
		if (i % 50 == 0)
			turn();
	}
	turn();
	after = dial_only();
	ck_assert_int_eq(before, after);
	close(after);
	turn();
	expect("{\"execute\":\"nothing\"}", "return");
}
END_TEST

START_TEST(a_descriptor_to_listen_on)
{
	g_autofree char *bound = g_build_filename(folder, "bound", NULL);
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), client;
	struct control *second;
	GError *error = NULL;
	char byte;

	g_strlcpy(a.sun_path, bound, sizeof(a.sun_path));
	ck_assert(!bind(fd, (struct sockaddr *)&a, sizeof(a)));
	second = control_new_fd(fd, commands, &n_run, NULL);
	ck_assert_ptr_nonnull(second);
	client = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert(!connect(client, (struct sockaddr *)&a, sizeof(a)));
	turn();
	ck_assert_int_eq(read(client, &byte, 1), 1);
	close(client);
	control_free(second);
	/* Whoever made it takes it away. */
	ck_assert(!unlink(bound));
	ck_assert_ptr_null(control_new_fd(0, commands, &n_run, &error));
	ck_assert_int_eq(error->domain, CONTROL_ERROR);
	g_error_free(error);
}
END_TEST

START_TEST(clients_have_a_bound)
{
	int fds[CONTROL_CLIENTS_MAX + 1];
	char byte;

	for (unsigned int i = 0; i < G_N_ELEMENTS(fds); i++) {
		fds[i] = dial_only();
		turn();
	}
	ck_assert_int_eq(read(fds[CONTROL_CLIENTS_MAX], &byte, 1), 0);
	g_free(hear(fds[0]));
	ck_assert_int_eq(read(fds[0], &byte, 1), -1);
	for (unsigned int i = 0; i < G_N_ELEMENTS(fds); i++)
		close(fds[i]);
	turn();
	expect("{\"execute\":\"nothing\"}", "return");
}
END_TEST

START_TEST(no_descriptor_for_a_client)
{
	struct rlimit limit, none;
	static const char request[] = "{\"execute\":\"qmp_capabilities\"}"
				      "{\"execute\":\"hold\"}";
	int fd = dial_only();

	ck_assert(!getrlimit(RLIMIT_NOFILE, &limit));
	none = limit;
	none.rlim_cur = (rlim_t)fd + 1;
	ck_assert(!setrlimit(RLIMIT_NOFILE, &none));
	/* It ends: the socket is not looked at for a while. */
	turn();
	ck_assert(!setrlimit(RLIMIT_NOFILE, &limit));
	ck_assert_int_eq(send(fd, request, strlen(request), 0),
			 (int)strlen(request));
	while (!n_held)
		g_main_context_iteration(NULL, TRUE);
	control_answer(held[0], NULL);
	close(fd);
}
END_TEST

static void expect_no_socket(const char *where, const char *why)
{
	GError *error = NULL;

	ck_assert_ptr_null(control_new(where, commands, NULL, &error));
	ck_assert_int_eq(error->domain, CONTROL_ERROR);
	ck_assert_msg(strstr(error->message, why), "%s", error->message);
	g_error_free(error);
}

START_TEST(paths_that_are_refused)
{
	g_autofree char *file = g_build_filename(folder, "file", NULL);
	g_autofree char *nowhere = g_build_filename(folder, "no", "x", NULL);
	g_autofree char *longer = g_strnfill(108, 'a');

	ck_assert(g_file_set_contents(file, "precious", -1, NULL));
	expect_no_socket(path, "exists");
	expect_no_socket(file, "exists");
	expect_no_socket(nowhere, "No such file");
	expect_no_socket(longer, "107 bytes");
	expect_no_socket("", "107 bytes");
	ck_assert(!unlink(file));
	expect("{\"execute\":\"nothing\"}", "return");
}
END_TEST

START_TEST(what_a_killed_machine_left_is_replaced)
{
	g_autofree char *old = g_build_filename(folder, "old", NULL);
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct control *second;

	g_strlcpy(a.sun_path, old, sizeof(a.sun_path));
	ck_assert(!bind(fd, (struct sockaddr *)&a, sizeof(a)));
	close(fd);
	second = control_new(old, commands, NULL, NULL);
	ck_assert_ptr_nonnull(second);
	control_free(second);
	control_free(NULL);
}
END_TEST

/* --- the client ---------------------------------------------------------------- */

static gpointer serve(gpointer stop)
{
	while (!g_atomic_int_get((gint *)stop)) {
		if (!g_main_context_iteration(NULL, FALSE))
			g_usleep(200);
	}
	return NULL;
}

static const struct {
	const char *args[4];
	int code;
	const char *out, *err;
} calls[] = {
	{{"echo", "a b"}, 0, "\"text\":\"a b\"", ""},
	{{"echo", "a", "2"}, 0, "\"times\":2", ""},
	{{"echo", "times=2", "a"}, 0, "\"times\":2", ""},
	{{"nothing"}, 0, "", ""},
	{{"big"}, 0, "xxxx", ""},
	{{"fail"}, 1, "", "kvmbus: ctl: no answer came\n"},
	{{"short"}, 1, "", "there is none"},
	{{"kvmbus-short"}, 1, "", "there is none"},
	{{"brief"}, 1, "", "there is none"},
	{{"long_name"}, 1, "", "there is none"},
	{{"free", "on=true", "loud=[1]"}, 0, "\"loud\":[", ""},
	{{"free", "on=1"}, 2, "", "on is true or false, not '1'"},
	{{NULL}, 2, "", "Usage"},
	{{"dance"}, 2, "", "no command 'dance'"},
	{{"echo"}, 2, "", "text is missing; usage: echo TEXT [TIMES]"},
	{{"echo", "a", "b"}, 2, "", "times is a number, not 'b'"},
	{{"echo", "a", "1", "c"}, 2, "", "one argument too many"},
};

START_TEST(the_client_asks_and_prints)
{
	const char *args[6] = {path};
	g_autofree char *out = NULL, *err = NULL;
	size_t out_size, err_size;
	FILE *o = open_memstream(&out, &out_size);
	FILE *e = open_memstream(&err, &err_size);
	gint stop = 0;
	GThread *server = g_thread_new("server", serve, &stop);
	int code;

	memcpy(args + 1, calls[_i].args, sizeof(calls[_i].args));
	code = control_client((char **)args, commands, o, e);
	g_atomic_int_set(&stop, 1);
	g_thread_join(server);
	fclose(o);
	fclose(e);
	ck_assert_int_eq(code, calls[_i].code);
	ck_assert_msg(strstr(out, calls[_i].out), "%s", out);
	ck_assert_msg(strstr(err, calls[_i].err), "%s", err);
	ck_assert(*calls[_i].out || !*out);
	ck_assert(*calls[_i].err || !*err);
}
END_TEST

START_TEST(nobody_listens)
{
	const char *args[] = {"/nowhere/socket", "nothing", NULL};
	g_autofree char *err = NULL;
	size_t size;
	FILE *e = open_memstream(&err, &size);

	ck_assert_int_eq(control_client((char **)args, commands, stdout, e), 4);
	fclose(e);
	ck_assert_ptr_nonnull(strstr(err, "/nowhere/socket"));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("control/control");
	TCase *t = tcase_create("control");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, requests_and_answers, 0,
			    G_N_ELEMENTS(exchanges));
	tcase_add_test(t, only_the_owner_may_connect);
	tcase_add_test(t, clients_are_greeted_and_negotiate);
	tcase_add_test(t, many_requests_at_once_and_one_in_pieces);
	tcase_add_test(t, commands_are_done_in_order);
	tcase_add_test(t, events_come_to_all);
	tcase_add_test(t, events_that_wait_have_a_bound);
	tcase_add_test(t, a_client_may_leave_before_the_answer);
	tcase_add_test(t, the_socket_may_leave_before_the_answer);
	tcase_add_test(t, the_last_answer_is_not_lost);
	tcase_add_test(t, a_request_has_a_bound);
	tcase_add_test(t, commands_that_wait_have_a_bound);
	tcase_add_test(t, answers_that_wait_have_a_bound);
	tcase_add_test(t, clients_have_a_bound);
	tcase_add_test(t, a_thousand_clients_come_and_go);
	tcase_add_test(t, a_descriptor_to_listen_on);
	tcase_add_test(t, no_descriptor_for_a_client);
	tcase_add_test(t, paths_that_are_refused);
	tcase_add_test(t, what_a_killed_machine_left_is_replaced);
	tcase_add_loop_test(t, the_client_asks_and_prints, 0,
			    G_N_ELEMENTS(calls));
	tcase_add_test(t, nobody_listens);
	suite_add_tcase(s, t);
	return check_main(s);
}
