/* SPDX-License-Identifier: MIT */
#include "devices/console.h"

#include <fcntl.h>
#include <pty.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <termios.h>

#include "base/clock.h"
#include "support/console_bench.h"

static int master, slave;
static struct termios before;

static void open_terminal(void)
{
	ck_assert_int_eq(openpty(&master, &slave, NULL, NULL, NULL), 0);
	ck_assert_int_eq(tcgetattr(slave, &before), 0);
	ck_assert(before.c_lflag & ICANON);
}

static bool is_raw(void)
{
	struct termios t;

	ck_assert_int_eq(tcgetattr(slave, &t), 0);
	return !(t.c_lflag & (ICANON | ECHO | ISIG)) &&
	       !(t.c_iflag & (ICRNL | IXON)) && (t.c_oflag & OPOST);
}

static bool is_as_before(void)
{
	struct termios t;

	ck_assert_int_eq(tcgetattr(slave, &t), 0);
	return t.c_iflag == before.c_iflag && t.c_oflag == before.c_oflag &&
	       t.c_cflag == before.c_cflag && t.c_lflag == before.c_lflag &&
	       t.c_cc[VMIN] == before.c_cc[VMIN] &&
	       t.c_cc[VTIME] == before.c_cc[VTIME];
}

START_TEST(terminal_is_raw_and_restored)
{
	open_terminal();
	start(slave, slave);
	ck_assert(is_raw());
	/* A key is a key: no line, no signal, no echo. */
	type(master, "a\x03\x04\x11\x13\r");
	expect_input("a\x03\x04\x11\x13\r");
	say("prompt# ");
	expect_text(master, "prompt# ");
	console_stop(con, 0);
	ck_assert(is_as_before());
}
END_TEST

START_TEST(terminal_not_raw_unless_asked)
{
	struct console_config cfg = {.out_fd = -1};

	open_terminal();
	cfg.in_fd = slave;
	con = console_new(&cfg, NULL);
	ck_assert_int_eq(console_start(con), 0);
	ck_assert(is_as_before());
	console_stop(con, 0);
	ck_assert(is_as_before());
}
END_TEST

START_TEST(fatal_signal_restores)
{
	open_terminal();
	start(slave, slave);
	ck_assert(is_raw());
	console_restore_terminal();
	ck_assert(is_as_before());
	/* The thread goes on until the process ends, but not with this. */
	say("x");
	expect_text(master, "x");
	say("y");
	expect_text(master, "y");
	ck_assert(is_as_before());
	console_restore_terminal();
	console_stop(con, 0);
	ck_assert(is_as_before());
}
END_TEST

START_TEST(stopped_and_continued)
{
	open_terminal();
	start(slave, slave);
	console_stop_terminal();
	ck_assert(is_as_before());
	/* Nothing makes it raw before we go on. */
	say("x");
	expect_text(master, "x");
	say("y");
	expect_text(master, "y");
	ck_assert(is_as_before());
	console_continue_terminal();
	ck_assert(is_raw());
	console_continue_terminal();
	ck_assert(is_raw());
	console_stop(con, 0);
	ck_assert(is_as_before());
	console_stop_terminal();
	console_continue_terminal();
	ck_assert(is_as_before());
}
END_TEST

START_TEST(raw_again_after_the_shell)
{
	uint64_t end = clock_monotonic_ns() + PATIENCE_MS * NSEC_PER_MSEC;

	open_terminal();
	start(slave, slave);
	/* A shell puts its own modes back while we are stopped. */
	ck_assert_int_eq(tcsetattr(slave, TCSANOW, &before), 0);
	while (!is_raw() && clock_monotonic_ns() < end) {
		say("x");
		expect_text(master, "x");
	}
	ck_assert(is_raw());
	console_stop(con, 0);
	ck_assert(is_as_before());
}
END_TEST

START_TEST(exit_restores)
{
	pid_t child;
	int status;

	open_terminal();
	child = fork();
	ck_assert_int_ge(child, 0);
	if (!child) {
		start(slave, slave);
		exit(is_raw() ? 7 : 8);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 7);
	ck_assert(is_as_before());
}
END_TEST

START_TEST(escape_leaves)
{
	open_terminal();
	start(slave, slave);
	type(master, "bye\x1dnot this");
	expect_quit();
	expect_input("bye");
	ck_assert_uint_eq(quits, 1);
}
END_TEST

START_TEST(escape_is_seen_while_the_guest_hangs)
{
	open_terminal();
	port.room = 0;
	start(slave, slave);
	/* More than is kept, in pieces that fit a terminal's queue. */
	for (unsigned int i = 0; i < 100; i++) {
		char text[101];

		memset(text, 'k', 100);
		text[100] = '\0';
		type(master, text);
		if (i % 10 == 9) {
			type(master, "\x1d");
			expect_quit();
		}
	}
	ck_assert_uint_eq(quits, 10);
}
END_TEST

START_TEST(nobody_notices_nonblocking)
{
	open_terminal();
	start(slave, from_con[1]);
	ck_assert_int_eq(fcntl(slave, F_GETFL) & O_NONBLOCK, 0);
	ck_assert_int_eq(fcntl(from_con[1], F_GETFL) & O_NONBLOCK, 0);
	console_free(con);
	/* A second open is impossible here, so the flag is put back. */
	start(-1, master);
	ck_assert_int_ne(fcntl(master, F_GETFL) & O_NONBLOCK, 0);
	console_restore_terminal();
	ck_assert_int_eq(fcntl(master, F_GETFL) & O_NONBLOCK, 0);
	console_free(con);
	start(-1, master);
	console_free(con);
	con = NULL;
	ck_assert_int_eq(fcntl(master, F_GETFL) & O_NONBLOCK, 0);
}
END_TEST

START_TEST(hung_up_terminal)
{
	open_terminal();
	start(slave, from_con[1]);
	close(master);
	close(slave);
	say("on we go");
	expect_text(from_con[0], "on we go");
	ck_assert_uint_eq(quits, 0);
}
END_TEST

START_TEST(stopped_terminal_does_not_hang_the_stop)
{
	static char text[256 * 1024];
	uint64_t begin;

	/* Nobody reads the master: as after ^S. */
	open_terminal();
	memset(text, 'x', sizeof(text));
	start(slave, slave);
	say_n(&port, text, sizeof(text));
	begin = clock_monotonic_ns();
	console_stop(con, 20 * NSEC_PER_MSEC);
	ck_assert_uint_lt(clock_monotonic_ns() - begin, 5 * NSEC_PER_SEC);
	ck_assert(is_as_before());
}
END_TEST

int main(void)
{
	Suite *s = suite_create("devices/console_terminal");
	TCase *t = tcase_create("terminals");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, terminal_is_raw_and_restored);
	tcase_add_test(t, terminal_not_raw_unless_asked);
	tcase_add_test(t, fatal_signal_restores);
	tcase_add_test(t, stopped_and_continued);
	tcase_add_test(t, raw_again_after_the_shell);
	tcase_add_test(t, exit_restores);
	tcase_add_test(t, escape_leaves);
	tcase_add_test(t, escape_is_seen_while_the_guest_hangs);
	tcase_add_test(t, nobody_notices_nonblocking);
	tcase_add_test(t, hung_up_terminal);
	tcase_add_test(t, stopped_terminal_does_not_hang_the_stop);
	suite_add_tcase(s, t);
	return check_main(s);
}
