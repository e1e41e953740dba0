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
	json_object_object_add(o, "text", json_object_new_string(text));
	control_answer(call, o);
}

static const struct control_command commands[] = {
	{"echo",
	 "say it again",
	 {{"text", false, false}, {"times", true, true}},
	 echo},
	{"fail", "never works", {{0}}, give_up},
	{"hold", "is answered later", {{0}}, hold},
	{"nothing", "has nothing to say", {{0}}, nothing},
	{"big", "has a lot to say", {{0}}, big},
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

static int dial(void)
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
	{"{\"command\":\"echo\",\"arguments\":{\"text\":\"a\"}}",
	 "{\"result\":{\"text\":\"a\",\"times\":1}}\n"},
	{"{\"id\":7,\"command\":\"echo\",\"arguments\":{\"text\":\"a\","
	 "\"times\":3}}",
	 "{\"id\":7,\"result\":{\"text\":\"a\",\"times\":3}}\n"},
	{"{\"id\":{\"any\":[1]},\"command\":\"nothing\"}",
	 "{\"id\":{\"any\":[1]},\"result\":{}}\n"},
	{"{\"command\":\"fail\"}",
	 "{\"error\":{\"code\":\"timeout\",\"message\":\"no answer came\"}}\n"},
	{"{\"command\":\"dance\"}", "no command 'dance'"},
	{"{\"command\":7}", "no command"},
	{"{}", "no command"},
	{"[]", "not a JSON object"},
	{"null", "whole JSON"},
	{"7", "whole JSON"},
	{"{\"command\":", "whole JSON"},
	{"dance", "not JSON"},
	{"{\"command\":\"nothing\"} x", "not JSON"},
	{"{\"command\":\"no\xFF\"}", "not JSON"},
	{"[[[[[[[[[[[[1]]]]]]]]]]]]", "not JSON"},
	{"{\"command\":\"echo\"}", "argument text is missing"},
	{"{\"command\":\"echo\",\"arguments\":[]}", "not an object"},
	{"{\"command\":\"echo\",\"arguments\":{\"text\":1}}",
	 "text: expected a string"},
	{"{\"command\":\"echo\",\"arguments\":{\"text\":null}}",
	 "text: expected a string"},
	{"{\"command\":\"echo\",\"arguments\":{\"text\":\"a\",\"times\":-1}}",
	 "times: expected a number"},
	{"{\"command\":\"echo\",\"arguments\":{\"text\":\"a\",\"times\":\"2\"}"
	 "}",
	 "times: expected a number"},
	{"{\"command\":\"echo\",\"arguments\":{\"text\":\"a\",\"loud\":1}}",
	 "takes none of that name"},
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

START_TEST(many_lines_at_once_and_one_in_pieces)
{
	g_autofree char *got = NULL, *rest = NULL;
	int fd = dial();

	say(fd, "{\"id\":1,\"command\":\"nothing\"}\n\n"
		"{\"id\":2,\"command\":\"nothing\"}\n{\"id\":3,\"comm");
	got = hear(fd);
	ck_assert_str_eq(got, "{\"id\":1,\"result\":{}}\n"
			      "{\"id\":2,\"result\":{}}\n");
	say(fd, "and\":\"nothing\"}\n");
	rest = hear(fd);
	ck_assert_str_eq(rest, "{\"id\":3,\"result\":{}}\n");
	close(fd);
}
END_TEST

START_TEST(answers_come_when_they_are_ready)
{
	g_autofree char *got = NULL;
	int fd = dial();

	say(fd, "{\"id\":1,\"command\":\"hold\"}\n"
		"{\"id\":2,\"command\":\"hold\"}\n"
		"{\"id\":3,\"command\":\"nothing\"}\n");
	shutdown(fd, SHUT_WR);
	turn();
	ck_assert_uint_eq(n_held, 2);
	control_answer(held[1], NULL);
	control_answer(held[0], NULL);
	got = hear(fd);
	ck_assert_str_eq(got, "{\"id\":3,\"result\":{}}\n"
			      "{\"id\":2,\"result\":{}}\n"
			      "{\"id\":1,\"result\":{}}\n");
	/* And then the connection ends, as it was done. */
	ck_assert_int_eq(read(fd, &(char){0}, 1), 0);
	close(fd);
}
END_TEST

START_TEST(a_client_may_leave_before_the_answer)
{
	int fd = dial();

	say(fd, "{\"command\":\"hold\"}\n{\"command\":\"hold\"}\n");
	turn();
	close(fd);
	turn();
	control_answer(held[0], NULL);
	turn();
	control_refuse(held[1], "x", "y");
	turn();
	expect("{\"command\":\"nothing\"}", "result");
}
END_TEST

START_TEST(the_socket_may_leave_before_the_answer)
{
	int fd = dial();

	say(fd, "{\"command\":\"hold\"}\n");
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

	say(fd, "{\"command\":\"hold\"}\n");
	turn();
	control_answer(held[0], NULL);
	control_free(control);
	control = NULL;
	got = hear(fd);
	ck_assert_str_eq(got, "{\"result\":{}}\n");
	close(fd);
}
END_TEST

START_TEST(a_line_has_a_bound)
{
	g_autofree char *line = g_strnfill(3 * CONTROL_LINE_MAX, 'x');
	g_autofree char *got = NULL;
	int fd = dial();

	say(fd, line);
	say(fd, "\n{\"command\":\"nothing\"}\n");
	got = hear(fd);
	ck_assert_ptr_nonnull(strstr(got, "a line may have"));
	ck_assert(g_str_has_suffix(got, "}\n{\"result\":{}}\n"));
	close(fd);
}
END_TEST

START_TEST(commands_under_way_have_a_bound)
{
	g_autofree char *got = NULL;
	int fd = dial();

	for (unsigned int i = 0; i < CONTROL_CALLS_MAX + 1; i++)
		say(fd, "{\"command\":\"hold\"}\n");
	got = hear(fd);
	ck_assert_uint_eq(n_held, CONTROL_CALLS_MAX);
	ck_assert_ptr_nonnull(strstr(got, "\"busy\""));
	for (unsigned int i = 0; i < n_held; i++)
		control_answer(held[i], NULL);
	close(fd);
}
END_TEST

START_TEST(answers_that_wait_have_a_bound)
{
	int fd = dial();

	for (unsigned int i = 0; i < 8; i++) {
		const char *line = "{\"command\":\"big\"}\n";

		/* Once it is cut off, nothing goes any more. */
		if (send(fd, line, strlen(line), MSG_NOSIGNAL) < 0)
			break;
		turn();
	}
	ck_assert_int_eq(send(fd, "\n", 1, MSG_NOSIGNAL), -1);
	close(fd);
	expect("{\"command\":\"nothing\"}", "result");
}
END_TEST

START_TEST(clients_have_a_bound)
{
	int fds[CONTROL_CLIENTS_MAX + 1];
	char byte;

	for (unsigned int i = 0; i < G_N_ELEMENTS(fds); i++) {
		fds[i] = dial();
		turn();
	}
	ck_assert_int_eq(read(fds[CONTROL_CLIENTS_MAX], &byte, 1), 0);
	ck_assert_int_eq(read(fds[0], &byte, 1), -1);
	for (unsigned int i = 0; i < G_N_ELEMENTS(fds); i++)
		close(fds[i]);
	turn();
	expect("{\"command\":\"nothing\"}", "result");
}
END_TEST

START_TEST(no_descriptor_for_a_client)
{
	struct rlimit limit, none;
	int fd = dial();

	ck_assert(!getrlimit(RLIMIT_NOFILE, &limit));
	none = limit;
	none.rlim_cur = (rlim_t)fd + 1;
	ck_assert(!setrlimit(RLIMIT_NOFILE, &none));
	/* It ends: the socket is not looked at for a while. */
	turn();
	ck_assert(!setrlimit(RLIMIT_NOFILE, &limit));
	ck_assert(send(fd, "{\"command\":\"hold\"}\n", 19, 0) == 19);
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
	expect("{\"command\":\"nothing\"}", "result");
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
	tcase_add_test(t, many_lines_at_once_and_one_in_pieces);
	tcase_add_test(t, answers_come_when_they_are_ready);
	tcase_add_test(t, a_client_may_leave_before_the_answer);
	tcase_add_test(t, the_socket_may_leave_before_the_answer);
	tcase_add_test(t, the_last_answer_is_not_lost);
	tcase_add_test(t, a_line_has_a_bound);
	tcase_add_test(t, commands_under_way_have_a_bound);
	tcase_add_test(t, answers_that_wait_have_a_bound);
	tcase_add_test(t, clients_have_a_bound);
	tcase_add_test(t, no_descriptor_for_a_client);
	tcase_add_test(t, paths_that_are_refused);
	tcase_add_test(t, what_a_killed_machine_left_is_replaced);
	tcase_add_loop_test(t, the_client_asks_and_prints, 0,
			    G_N_ELEMENTS(calls));
	tcase_add_test(t, nobody_listens);
	suite_add_tcase(s, t);
	return check_main(s);
}
