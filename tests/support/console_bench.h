/* SPDX-License-Identifier: MIT */
/*
 * console_bench.h - a console between a fake serial port and two pipes.
 *
 * For test files of one binary each: the state is static.  Whatever is waited
 * for is waited for in poll(), with a limit.
 */
#ifndef SUPPORT_CONSOLE_BENCH_H
#define SUPPORT_CONSOLE_BENCH_H

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "devices/byte_ring.h"
#include "devices/console.h"
#include "support/check_main.h"

/* Nothing here takes that long; a test that does has failed. */
#define PATIENCE_MS 10000

/* A device with an endless output queue and room for @room bytes of input. */
struct fake_port {
	struct byte_port_host host;
	pthread_mutex_t lock;
	struct byte_ring out;
	size_t taken;
	uint8_t in[4096];
	size_t in_len, room;
	int in_event[2]; /* a byte for each receive that took something */
};

static struct fake_port port;
static struct console *con;
static int to_con[2], from_con[2]; /* pipes: [1] is written, [0] read */
static atomic_uint quits;
static int quit_event[2];

static inline size_t fake_transmit(void *dev, uint8_t *data, size_t len)
{
	struct fake_port *p = dev;
	size_t n;

	pthread_mutex_lock(&p->lock);
	n = byte_ring_take(&p->out, data, len);
	p->taken += n;
	pthread_mutex_unlock(&p->lock);
	return n;
}

static inline size_t fake_receive(void *dev, const uint8_t *data, size_t len)
{
	struct fake_port *p = dev;
	size_t n;

	pthread_mutex_lock(&p->lock);
	n = MIN(len, p->room - p->in_len);
	memcpy(p->in + p->in_len, data, n);
	p->in_len += n;
	pthread_mutex_unlock(&p->lock);
	if (n)
		ck_assert_int_eq(write(p->in_event[1], "", 1), 1);
	return n;
}

static const struct byte_port_ops fake_ops = {.transmit = fake_transmit,
					      .receive = fake_receive};
static const struct byte_port_ops print_ops = {.transmit = fake_transmit};

static inline void on_quit(void *ctx)
{
	(void)ctx;
	atomic_fetch_add(&quits, 1);
	ck_assert_int_eq(write(quit_event[1], "", 1), 1);
}

static inline void port_init(struct fake_port *p)
{
	memset(p, 0, sizeof(*p));
	pthread_mutex_init(&p->lock, NULL);
	byte_ring_init(&p->out, 1u << 20);
	p->room = sizeof(p->in);
	ck_assert_int_eq(pipe(p->in_event), 0);
}

static inline void setup(void)
{
	port_init(&port);
	ck_assert_int_eq(pipe(to_con), 0);
	ck_assert_int_eq(pipe(from_con), 0);
	ck_assert_int_eq(pipe(quit_event), 0);
	quits = 0;
	con = NULL;
}

static inline void teardown(void)
{
	console_free(con);
	byte_ring_clear(&port.out);
}

static inline struct console *make(int in_fd, int out_fd)
{
	struct console_config cfg = {
		.in_fd = in_fd,
		.out_fd = out_fd,
		.raw = true,
		.quit = on_quit,
	};

	con = console_new(&cfg, NULL);
	ck_assert_ptr_nonnull(con);
	port.host = console_host(con);
	ck_assert_int_eq(console_connect(con, &fake_ops, &port), 0);
	return con;
}

static inline void start(int in_fd, int out_fd)
{
	make(in_fd, out_fd);
	ck_assert_int_eq(console_start(con), 0);
}

static inline void say_n(struct fake_port *p, const void *data, size_t len)
{
	pthread_mutex_lock(&p->lock);
	ck_assert_uint_eq(byte_ring_put(&p->out, data, len), len);
	pthread_mutex_unlock(&p->lock);
	byte_port_wake(&p->host);
}

static inline void say(const char *text)
{
	say_n(&port, text, strlen(text));
}

/* Read exactly @len bytes from @fd, in bounded time. */
static inline void read_n(int fd, void *data, size_t len)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	size_t got = 0;

	while (got < len) {
		ssize_t n;

		ck_assert_int_eq(poll(&p, 1, PATIENCE_MS), 1);
		n = read(fd, (uint8_t *)data + got, len - got);
		ck_assert_int_gt(n, 0);
		got += (size_t)n;
	}
}

static inline void expect_text(int fd, const char *text)
{
	char data[256] = {0};

	read_n(fd, data, strlen(text));
	ck_assert_str_eq(data, text);
}

static inline void expect_input(const char *text)
{
	char byte;

	for (;;) {
		bool there;

		pthread_mutex_lock(&port.lock);
		there = port.in_len >= strlen(text);
		pthread_mutex_unlock(&port.lock);
		if (there)
			break;
		read_n(port.in_event[0], &byte, 1);
	}
	ck_assert_uint_eq(port.in_len, strlen(text));
	ck_assert_mem_eq(port.in, text, port.in_len);
}

static inline void expect_quit(void)
{
	char byte;

	read_n(quit_event[0], &byte, 1);
}

static inline void type(int fd, const char *text)
{
	ck_assert_int_eq(write(fd, text, strlen(text)), (int)strlen(text));
}

static inline void expect_tail_end(const char *text)
{
	size_t len;
	char *tail = console_tail(con, &len);

	ck_assert_uint_ge(len, strlen(text));
	ck_assert_str_eq(tail + len - strlen(text), text);
	g_free(tail);
}

#endif
