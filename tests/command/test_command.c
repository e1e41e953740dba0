/* SPDX-License-Identifier: MIT */
#include "command/command.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "command/agent_wire.h"
#include "support/check_main.h"

/* Longer than anything here takes. */
#define PATIENCE_MS 20000

/* A command with pipes for its user, and us in the place of its guest. */
struct bench {
	char *folder, *hvsock;
	int in, out, err; /* the user's ends */
	int theirs[3];
	struct command *command;
	int guest;
};

static void open_bench(struct bench *b)
{
	int in[2], out[2], err[2];
	struct command_streams streams;

	ck_assert_int_eq(pipe2(in, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(err, O_CLOEXEC), 0);
	b->in = in[1];
	b->out = out[0];
	b->err = err[0];
	b->theirs[0] = streams.in = in[0];
	b->theirs[1] = streams.out = out[1];
	b->theirs[2] = streams.err = err[1];
	b->folder = g_dir_make_tmp("kvmbus-test-XXXXXX", NULL);
	b->hvsock = g_build_filename(b->folder, "hvsock", NULL);
	b->command = command_new(b->hvsock, &streams, NULL);
	ck_assert_ptr_nonnull(b->command);
	b->guest = -1;
}

static void close_bench(struct bench *b)
{
	g_autofree char *path = g_strdup_printf("%s_%d", b->hvsock, AGENT_PORT);

	command_free(b->command);
	ck_assert(!g_file_test(path, G_FILE_TEST_EXISTS));
	g_rmdir(b->folder);
	close(b->in);
	close(b->out);
	close(b->err);
	for (int i = 0; i < 3; i++)
		close(b->theirs[i]);
	if (b->guest >= 0)
		close(b->guest);
	g_free(b->hvsock);
	g_free(b->folder);
}

static void come_by_hvsock(struct bench *b)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	b->guest = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	g_snprintf(address.sun_path, sizeof(address.sun_path), "%s_%d",
		   b->hvsock, AGENT_PORT);
	ck_assert_int_eq(
		connect(b->guest, (struct sockaddr *)&address, sizeof(address)),
		0);
}

static void say(int fd, uint8_t kind, const void *data, size_t len)
{
	const struct agent_frame frame = {.kind = kind, .len = (uint16_t)len};

	ck_assert_int_eq(write(fd, &frame, sizeof(frame)), sizeof(frame));
	if (len)
		ck_assert_int_eq(write(fd, data, len), (ssize_t)len);
}

static void hello(int fd)
{
	say(fd, AGENT_HELLO, AGENT_MAGIC, strlen(AGENT_MAGIC));
}

static void say_exit(int fd, int code, int number)
{
	const struct agent_exit how = {.code = code, .signal = number};

	say(fd, AGENT_EXIT, &how, sizeof(how));
}

static void get(int fd, void *data, size_t len)
{
	uint8_t *to = data;

	while (len) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		ssize_t n;

		ck_assert_int_eq(poll(&p, 1, PATIENCE_MS), 1);
		n = read(fd, to, len);
		ck_assert_int_gt(n, 0);
		to += n;
		len -= (size_t)n;
	}
}

static void wants(int fd, const char *text)
{
	g_autofree char *got = g_malloc0(strlen(text) + 1);

	get(fd, got, strlen(text));
	ck_assert_str_eq(got, text);
}

/* The next frame is of this kind and holds @text. */
static void wants_frame(int fd, uint8_t kind, const char *text)
{
	struct agent_frame frame;

	get(fd, &frame, sizeof(frame));
	ck_assert_uint_eq(frame.kind, kind);
	ck_assert_uint_eq(frame.len, strlen(text));
	wants(fd, text);
}

START_TEST(streams_stay_apart)
{
	struct command_result r;
	struct bench b;

	open_bench(&b);
	ck_assert_int_eq(command_start(b.command, NULL, NULL), 0);
	come_by_hvsock(&b);
	hello(b.guest);
	say(b.guest, AGENT_STDOUT, "out", 3);
	say(b.guest, AGENT_STDERR, "err", 3);
	say(b.guest, AGENT_NOTE, "a\033note", 6);
	say(b.guest, 99, "whatever", 8);
	wants(b.out, "out");
	wants(b.err, "errkvmbus: guest: a?note\n");
	ck_assert_int_eq(write(b.in, "typed", 5), 5);
	wants_frame(b.guest, AGENT_STDIN, "typed");
	close(b.in);
	b.in = open("/dev/null", O_RDONLY | O_CLOEXEC);
	wants_frame(b.guest, AGENT_STDIN, "");
	say_exit(b.guest, 7, 0);
	wants_frame(b.guest, AGENT_BYE, "");
	command_finish(b.command, &r);
	ck_assert(r.connected && r.exited && !r.broken);
	ck_assert_str_eq(r.way, "hv_sock");
	ck_assert_int_eq(r.status, 7);
	ck_assert_int_eq(r.signal, 0);
	ck_assert_uint_eq(r.in_bytes, 5);
	ck_assert_uint_eq(r.out_bytes, 3);
	ck_assert_uint_eq(r.err_bytes, 3);
	close_bench(&b);
}
END_TEST

START_TEST(a_serial_port_may_say_more)
{
	struct command_result r;
	struct bench b;
	int port;

	open_bench(&b);
	port = dup(command_serial(b.command));
	ck_assert_int_eq(command_start(b.command, NULL, NULL), 0);
	ck_assert_int_eq(write(port, "\xff\1\0boot\1\0", 9), 9);
	hello(port);
	say(port, AGENT_STDOUT, "x", 1);
	say_exit(port, -1, 9);
	wants(b.out, "x");
	wants_frame(port, AGENT_BYE, "");
	command_finish(b.command, &r);
	ck_assert_str_eq(r.way, "serial port");
	ck_assert_int_eq(r.status, 137);
	ck_assert_int_eq(r.signal, 9);
	close(port);
	close_bench(&b);
}
END_TEST

START_TEST(last_words_are_heard)
{
	struct command_result r;
	struct bench b;

	open_bench(&b);
	ck_assert_int_eq(command_start(b.command, NULL, NULL), 0);
	come_by_hvsock(&b);
	hello(b.guest);
	say(b.guest, AGENT_STDOUT, "first", 5);
	wants(b.out, "first");
	say(b.guest, AGENT_STDOUT, "last", 4);
	command_finish(b.command, &r);
	wants(b.out, "last");
	ck_assert(r.connected && !r.exited);
	close_bench(&b);
}
END_TEST

START_TEST(nobody_comes)
{
	struct command_result r;
	struct bench b;

	open_bench(&b);
	ck_assert_int_eq(command_start(b.command, NULL, NULL), 0);
	command_finish(b.command, &r);
	ck_assert(!r.connected && !r.exited && !r.way);
	/* and a second one who never said hello is not heard */
	close_bench(&b);
}
END_TEST

START_TEST(a_guest_that_says_nonsense)
{
	struct agent_frame frame = {.kind = AGENT_STDOUT, .len = 0xFFFF};
	struct command_result r;
	struct bench b;
	uint8_t byte;

	open_bench(&b);
	ck_assert_int_eq(command_start(b.command, NULL, NULL), 0);
	come_by_hvsock(&b);
	hello(b.guest);
	/* an exit of the wrong size is none */
	say(b.guest, AGENT_EXIT, "x", 1);
	ck_assert_int_eq(write(b.guest, &frame, sizeof(frame)), sizeof(frame));
	ck_assert_int_eq(read(b.guest, &byte, 1), 0); /* hung up */
	command_finish(b.command, &r);
	ck_assert(r.broken && !r.exited);
	close_bench(&b);
}
END_TEST

START_TEST(much_goes_both_ways_at_once)
{
	enum {
		FRAMES = 400
	};
	g_autofree uint8_t *data = g_malloc0(AGENT_DATA_MAX);
	struct command_result r;
	struct bench b;
	size_t sent = 0, got = 0, typed = 0, read_in = 0;

	open_bench(&b);
	ck_assert_int_eq(command_start(b.command, NULL, NULL), 0);
	come_by_hvsock(&b);
	hello(b.guest);
	fcntl(b.in, F_SETFL, O_NONBLOCK);
	fcntl(b.guest, F_SETFL, O_NONBLOCK);
	memset(data, 0, AGENT_DATA_MAX);
	data[0] = AGENT_STDOUT;
	data[2] = 0xFC; /* 4092 bytes behind the header */
	data[3] = 0x0F;
	while (got < FRAMES * 4092ul) {
		struct pollfd p[] = {
			{.fd = b.in, .events = POLLOUT},
			{.fd = b.guest,
			 .events = (short)(POLLIN |
					   (sent < FRAMES * 4096ul ? POLLOUT
								   : 0))},
			{.fd = b.out, .events = POLLIN},
		};
		uint8_t sink[8192];
		ssize_t n;

		if (typed > 1 << 20)
			p[0].fd = -1;
		ck_assert_int_gt(poll(p, 3, PATIENCE_MS), 0);
		if (p[0].revents && (n = write(b.in, sink, sizeof(sink))) > 0)
			typed += (size_t)n;
		if (p[1].revents & POLLIN &&
		    (n = read(b.guest, sink, sizeof(sink))) > 0)
			read_in += (size_t)n;
		if (p[1].revents & POLLOUT &&
		    (n = write(b.guest, data + sent % 4096,
			       4096 - sent % 4096)) > 0)
			sent += (size_t)n;
		if (p[2].revents && (n = read(b.out, sink, sizeof(sink))) > 0)
			got += (size_t)n;
	}
	command_finish(b.command, &r);
	ck_assert_uint_eq(r.out_bytes, FRAMES * 4092ul);
	ck_assert_uint_gt(read_in, 0);
	close_bench(&b);
}
END_TEST

START_TEST(a_reader_that_went_away)
{
	struct command_result r;
	struct bench b;

	signal(SIGPIPE, SIG_IGN);
	open_bench(&b);
	close(b.out);
	b.out = open("/dev/null", O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(command_start(b.command, NULL, NULL), 0);
	come_by_hvsock(&b);
	hello(b.guest);
	for (int i = 0; i < 100; i++)
		say(b.guest, AGENT_STDOUT, "text", 4);
	say_exit(b.guest, 0, 0);
	wants_frame(b.guest, AGENT_BYE, "");
	command_finish(b.command, &r);
	ck_assert(r.exited);
	ck_assert_uint_eq(r.out_bytes, 400);
	close_bench(&b);
}
END_TEST

START_TEST(a_socket_that_can_not_be)
{
	const struct command_streams streams = {0, 1, 2};
	GError *error = NULL;

	ck_assert_ptr_null(
		command_new("/nonexistent/hvsock", &streams, &error));
	ck_assert_ptr_nonnull(strstr(error->message, "/nonexistent"));
	g_error_free(error);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("command");
	TCase *t = tcase_create("command");

	tcase_add_test(t, streams_stay_apart);
	tcase_add_test(t, a_serial_port_may_say_more);
	tcase_add_test(t, last_words_are_heard);
	tcase_add_test(t, nobody_comes);
	tcase_add_test(t, a_guest_that_says_nonsense);
	tcase_add_test(t, much_goes_both_ways_at_once);
	tcase_add_test(t, a_reader_that_went_away);
	tcase_add_test(t, a_socket_that_can_not_be);
	suite_add_tcase(s, t);
	return check_main(s);
}
