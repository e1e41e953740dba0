/* SPDX-License-Identifier: MIT */
#include "devices/console.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "devices/uart16550.h"
#include "support/console_bench.h"
#include "support/fake_board.h"

/* --- pipes ----------------------------------------------------------- */

START_TEST(prints_to_a_pipe)
{
	start(-1, from_con[1]);
	say("hello, ");
	expect_text(from_con[0], "hello, ");
	say("world\r\n");
	expect_text(from_con[0], "world\r\n");
	expect_tail_end("hello, world\r\n");
	ck_assert_uint_eq(console_lost(con), 0);
}
END_TEST

START_TEST(output_before_start_is_kept)
{
	make(-1, from_con[1]);
	say("early\n");
	ck_assert_int_eq(console_start(con), 0);
	expect_text(from_con[0], "early\n");
}
END_TEST

START_TEST(reads_from_a_pipe)
{
	start(to_con[0], from_con[1]);
	type(to_con[1], "ls\r");
	expect_input("ls\r");
}
END_TEST

START_TEST(waits_for_a_guest_that_reads_slowly)
{
	port.room = 3;
	start(to_con[0], from_con[1]);
	type(to_con[1], "abcdefgh");
	expect_input("abc");
	pthread_mutex_lock(&port.lock);
	port.room = 8;
	pthread_mutex_unlock(&port.lock);
	byte_port_wake(&port.host);
	expect_input("abcdefgh");
}
END_TEST

START_TEST(input_that_nobody_takes_waits_in_its_pipe)
{
	static char text[16384];
	struct pollfd p = {.fd = to_con[1], .events = POLLOUT};

	/* Far more than the console may keep. */
	port.room = 0;
	memset(text, 'x', sizeof(text));
	ck_assert_int_ge(fcntl(to_con[1], F_SETPIPE_SZ, 4096), 4096);
	fcntl(to_con[1], F_SETFL, O_NONBLOCK);
	start(to_con[0], from_con[1]);
	ck_assert_int_eq(write(to_con[1], text, 4096), 4096);
	ck_assert_int_eq(poll(&p, 1, PATIENCE_MS), 1);
	ck_assert_int_eq(write(to_con[1], text, 4096), 4096);
	/* The console's thread is alive and well. */
	say("ok");
	expect_text(from_con[0], "ok");
	ck_assert_int_eq(write(to_con[1], text, 4096), -1);
	ck_assert_int_eq(errno, EAGAIN);
}
END_TEST

START_TEST(end_of_input_is_no_exit)
{
	start(to_con[0], from_con[1]);
	type(to_con[1], "x");
	close(to_con[1]);
	expect_input("x");
	say("still here");
	expect_text(from_con[0], "still here");
	ck_assert_uint_eq(quits, 0);
}
END_TEST

START_TEST(escape_in_a_pipe_is_data)
{
	start(to_con[0], from_con[1]);
	type(to_con[1], "a\x1d"
			"b");
	expect_input("a\x1d"
		     "b");
	ck_assert_uint_eq(quits, 0);
}
END_TEST

START_TEST(slow_reader_holds_the_port)
{
	static uint8_t text[512 * 1024], back[sizeof(text)];
	size_t got = 0;

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)(i * 7 + i / 256);
	ck_assert_int_ge(fcntl(from_con[1], F_SETPIPE_SZ, 4096), 4096);
	start(-1, from_con[1]);
	say_n(&port, text, sizeof(text));
	while (got < sizeof(text)) {
		size_t n = MIN(sizeof(text) - got, 1000u);

		/* Never more than a pipe and a buffer ahead of us. */
		pthread_mutex_lock(&port.lock);
		ck_assert_uint_le(port.taken, got + 3 * 4096);
		pthread_mutex_unlock(&port.lock);
		read_n(from_con[0], back + got, n);
		got += n;
	}
	ck_assert_mem_eq(text, back, sizeof(text));
	ck_assert_uint_eq(console_lost(con), 0);
}
END_TEST

START_TEST(reader_that_goes_away)
{
	start(to_con[0], from_con[1]);
	close(from_con[0]);
	say("into the void");
	/* It lives: input still works, and the tail is kept. */
	type(to_con[1], "x");
	expect_input("x");
	console_stop(con, 0);
	expect_tail_end("into the void");
	ck_assert_uint_eq(console_lost(con), 13);
}
END_TEST

START_TEST(sockets)
{
	int s[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
	start(s[0], s[0]);
	say("login: ");
	expect_text(s[1], "login: ");
	type(s[1], "root");
	expect_input("root");
	ck_assert_int_eq(fcntl(s[0], F_GETFL) & O_NONBLOCK, 0);
	close(s[1]);
	close(s[0]);
	say("x");
	console_stop(con, 0);
	ck_assert_uint_eq(console_lost(con), 1);
}
END_TEST

START_TEST(files)
{
	char name[] = "/tmp/kvmbus-console-XXXXXX", data[16] = {0};
	int fd = mkstemp(name);

	ck_assert_int_ge(fd, 0);
	unlink(name);
	type(fd, "type me");
	lseek(fd, 0, SEEK_SET);
	start(fd, -1);
	expect_input("type me");
	console_free(con);

	/* Where the file stood is where we write. */
	start(-1, fd);
	say(" and me");
	console_stop(con, 0);
	ck_assert_int_eq(pread(fd, data, sizeof(data), 0), 14);
	ck_assert_str_eq(data, "type me and me");
	close(fd);
}
END_TEST

START_TEST(no_descriptors_at_all)
{
	start(-1, -1);
	say("only the report sees this");
	console_stop(con, 0);
	expect_tail_end("only the report sees this");
	ck_assert_uint_eq(console_lost(con), 0);
}
END_TEST

START_TEST(descriptors_that_are_none)
{
	struct console_config cfg = {.in_fd = 999, .out_fd = -1};
	GError *error = NULL;

	ck_assert_ptr_null(console_new(&cfg, &error));
	ck_assert_ptr_nonnull(error);
	g_error_free(error);
}
END_TEST

START_TEST(several_ports)
{
	struct fake_port second;

	port_init(&second);
	make(to_con[0], from_con[1]);
	second.host = console_host(con);
	ck_assert_int_eq(console_connect(con, &print_ops, &second), 0);
	ck_assert_int_eq(console_connect(con, &print_ops, &second), 0);
	ck_assert_int_eq(console_connect(con, &print_ops, &second), 0);
	ck_assert_int_eq(console_connect(con, &print_ops, &second), -ENOSPC);
	ck_assert_int_eq(console_start(con), 0);
	say_n(&second, "two", 3);
	expect_text(from_con[0], "two");
	say("one");
	expect_text(from_con[0], "one");
	type(to_con[1], "in");
	expect_input("in");
	console_stop(con, 0);
	byte_ring_clear(&second.out);
}
END_TEST

START_TEST(tail_is_bounded)
{
	static char text[CONSOLE_TAIL_BYTES + 1000];
	size_t len;
	char *tail;

	memset(text, 'a', sizeof(text));
	memcpy(text + sizeof(text) - 5, "end.\n", 5);
	start(-1, -1);
	say_n(&port, text, sizeof(text));
	console_stop(con, NSEC_PER_SEC);
	tail = console_tail(con, &len);
	ck_assert_uint_eq(len, CONSOLE_TAIL_BYTES);
	ck_assert_mem_eq(tail, text + 1000, len);
	g_free(tail);
}
END_TEST

/* --- stop ------------------------------------------------------------ */

static uint8_t stop_text[300 * 1024];

static void *late_reader(void *arg)
{
	uint8_t *back = arg;

	read_n(from_con[0], back, sizeof(stop_text));
	return NULL;
}

START_TEST(stop_waits_for_the_reader)
{
	static uint8_t back[sizeof(stop_text)];
	pthread_t reader;

	memset(stop_text, '.', sizeof(stop_text));
	memcpy(stop_text + sizeof(stop_text) - 6, "panic\n", 6);
	start(-1, from_con[1]);
	say_n(&port, stop_text, sizeof(stop_text));
	pthread_create(&reader, NULL, late_reader, back);
	console_stop(con, PATIENCE_MS * NSEC_PER_MSEC);
	pthread_join(reader, NULL);
	ck_assert_mem_eq(back, stop_text, sizeof(stop_text));
	ck_assert_uint_eq(console_lost(con), 0);
}
END_TEST

START_TEST(stop_does_not_wait_for_ever)
{
	uint64_t begin;

	memset(stop_text, '.', sizeof(stop_text));
	start(-1, from_con[1]);
	say_n(&port, stop_text, sizeof(stop_text));
	say("last words");
	begin = clock_monotonic_ns();
	console_stop(con, 50 * NSEC_PER_MSEC);
	ck_assert_uint_ge(clock_monotonic_ns() - begin, 50 * NSEC_PER_MSEC);
	ck_assert_uint_lt(clock_monotonic_ns() - begin, 5 * NSEC_PER_SEC);
	ck_assert_uint_gt(console_lost(con), 0);
	expect_tail_end("last words");
	console_stop(con, 0); /* twice is fine */
}
END_TEST

START_TEST(stop_without_start)
{
	make(to_con[0], from_con[1]);
	console_stop(con, 0);
	console_free(con);
	con = NULL;
	console_free(NULL);
}
END_TEST

/* --- with the real device -------------------------------------------- */

#define LINES 2000u

static void *guest(void *arg)
{
	struct fake_board *b = arg;
	char line[32];

	/* As an early console: THRE, then a byte; the last line is last. */
	for (unsigned int i = 0; i < LINES; i++) {
		snprintf(line, sizeof(line), "line %u of the guest\n", i);
		for (char *p = line; *p; p++) {
			while (!(inb(b, 0x3FD) & 0x20))
				;
			outb(b, 0x3F8, (uint8_t)*p);
		}
	}
	return NULL;
}

START_TEST(uart_to_slow_pipe_loses_nothing)
{
	struct console_config cfg = {.in_fd = -1, .out_fd = from_con[1]};
	struct fake_board b;
	struct uart16550 *uart;
	pthread_t vcpu;
	FILE *reader = fdopen(from_con[0], "r");
	char line[64], want[64];

	ck_assert_int_ge(fcntl(from_con[1], F_SETPIPE_SZ, 4096), 4096);
	fake_board_init(&b);
	con = console_new(&cfg, NULL);
	uart = uart16550_new(fake_irq(&b, 4), console_host(con));
	uart16550_attach(uart, b.pio, 0x3F8);
	ck_assert_int_eq(console_connect(con, &uart16550_port_ops, uart), 0);
	ck_assert_int_eq(console_start(con), 0);
	pthread_create(&vcpu, NULL, guest, &b);
	for (unsigned int i = 0; i < LINES; i++) {
		snprintf(want, sizeof(want), "line %u of the guest\n", i);
		ck_assert_ptr_nonnull(fgets(line, sizeof(line), reader));
		ck_assert_str_eq(line, want);
	}
	pthread_join(vcpu, NULL);
	ck_assert_uint_eq(uart16550_lost(uart), 0);
	console_stop(con, 0);
	uart16550_free(uart);
	fake_board_clear(&b);
	fclose(reader);
}
END_TEST

/* An interrupt handler as Linux has it: each edge lets it loop on IIR. */
#define FLOOD_BYTES 40000u

static int edges[2];

static void on_edge(void *ctx, unsigned int gsi, bool level)
{
	(void)ctx;
	(void)gsi;
	if (level)
		ck_assert_int_eq(write(edges[1], "", 1), 1);
}

static void *flooding_guest(void *arg)
{
	struct fake_board *b = arg;
	unsigned int n = 0;
	char byte;

	outb(b, 0x3FA, 0xC7);
	outb(b, 0x3FC, 0x08);
	outb(b, 0x3F9, 0x02);
	while (n < FLOOD_BYTES) {
		if (inb(b, 0x3FA) & 0x01) {
			read_n(edges[0], &byte, 1);
			continue;
		}
		for (unsigned int i = 0; i < 16; i++, n++)
			outb(b, 0x3F8, (uint8_t)('a' + n % 26));
	}
	return NULL;
}

START_TEST(interrupt_driven_flood)
{
	struct console_config cfg = {.in_fd = -1, .out_fd = from_con[1]};
	static char text[FLOOD_BYTES];
	struct uart16550 *uart;
	struct fake_board b;
	pthread_t vcpu;
	bool ok = true;

	ck_assert_int_eq(pipe(edges), 0);
	fake_board_init(&b);
	con = console_new(&cfg, NULL);
	uart = uart16550_new((struct irq_line){.set = on_edge},
			     console_host(con));
	uart16550_attach(uart, b.pio, 0x3F8);
	console_connect(con, &uart16550_port_ops, uart);
	ck_assert_int_eq(console_start(con), 0);
	pthread_create(&vcpu, NULL, flooding_guest, &b);
	read_n(from_con[0], text, FLOOD_BYTES);
	pthread_join(vcpu, NULL);
	for (unsigned int i = 0; i < FLOOD_BYTES; i++)
		ok &= text[i] == (char)('a' + i % 26);
	ck_assert(ok);
	console_stop(con, 0);
	uart16550_free(uart);
	fake_board_clear(&b);
}
END_TEST

static TCase *tcase(Suite *s, const char *name)
{
	TCase *t = tcase_create(name);

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	suite_add_tcase(s, t);
	return t;
}

int main(void)
{
	Suite *s = suite_create("devices/console");
	TCase *t = tcase(s, "pipes");

	tcase_add_test(t, prints_to_a_pipe);
	tcase_add_test(t, output_before_start_is_kept);
	tcase_add_test(t, reads_from_a_pipe);
	tcase_add_test(t, waits_for_a_guest_that_reads_slowly);
	tcase_add_test(t, input_that_nobody_takes_waits_in_its_pipe);
	tcase_add_test(t, end_of_input_is_no_exit);
	tcase_add_test(t, escape_in_a_pipe_is_data);
	tcase_add_test(t, slow_reader_holds_the_port);
	tcase_add_test(t, reader_that_goes_away);
	tcase_add_test(t, sockets);
	tcase_add_test(t, files);
	tcase_add_test(t, no_descriptors_at_all);
	tcase_add_test(t, descriptors_that_are_none);
	tcase_add_test(t, several_ports);
	tcase_add_test(t, tail_is_bounded);
	t = tcase(s, "stop");
	tcase_add_test(t, stop_waits_for_the_reader);
	tcase_add_test(t, stop_does_not_wait_for_ever);
	tcase_add_test(t, stop_without_start);
	t = tcase(s, "uart");
	tcase_add_test(t, uart_to_slow_pipe_loses_nothing);
	tcase_add_test(t, interrupt_driven_flood);
	return check_main(s);
}
