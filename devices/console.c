/* SPDX-License-Identifier: MIT */
#include "devices/console.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "devices/byte_ring.h"
#include "devices/host_fd.h"

#define LOG_CATEGORY "console"

#define CHUNK_BYTES   4096
/* How long output is gathered after the first byte of a burst. */
#define GATHER_MS     1
/* How often a terminal in whose background we are is looked at. */
#define BACKGROUND_NS (500 * NSEC_PER_MSEC)

struct console_port {
	const struct byte_port_ops *ops;
	void *dev;
};

struct console {
	struct console_config config; /* set once */
	int wake_fd; /* set once */
	_Atomic bool woken; /* a wake is on its way */

	/* set before start, then read-only */
	unsigned int n_ports;
	struct console_port ports[CONSOLE_PORTS_MAX];
	struct console_port *input; /* the one that takes it, or NULL */
	bool started;
	pthread_t thread;

	/* console_stop() */
	_Atomic uint64_t deadline_ns; /* 0: not stopping */

	/* console thread */
	struct host_fd in;
	struct host_fd out;
	uint8_t in_buf[CHUNK_BYTES]; /* read, not yet taken by the port */
	size_t in_len;
	uint8_t out_buf[CHUNK_BYTES]; /* taken from a port, not yet written */
	size_t out_pos, out_len;
	int log_fd; /* -1: none */
	bool out_blocked; /* the descriptor would have blocked */

	pthread_mutex_t tail_lock;
	/* tail_lock */
	struct byte_ring tail;

	_Atomic uint64_t lost;
};

struct console *console_new(const struct console_config *config, GError **error)
{
	struct console *c = g_new0(struct console, 1);
	int err;

	c->config = *config;
	c->log_fd = -1;
	pthread_mutex_init(&c->tail_lock, NULL);
	byte_ring_init(&c->tail, CONSOLE_TAIL_BYTES);
	c->in = HOST_FD_NONE;
	c->out = HOST_FD_NONE;
	c->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	err = c->wake_fd < 0 ? -errno : 0;
	if (!err && config->in_fd >= 0)
		err = host_fd_open(&c->in, config->in_fd, HOST_FD_READ);
	if (!err && config->out_fd >= 0)
		err = host_fd_open(&c->out, config->out_fd, HOST_FD_WRITE);
	if (!err)
		return c;
	g_set_error(error, G_FILE_ERROR, (int)g_file_error_from_errno(-err),
		    "console: %s", g_strerror(-err));
	console_free(c);
	return NULL;
}

void console_free(struct console *console)
{
	if (!console)
		return;
	console_stop(console, 0);
	host_fd_close(&console->in);
	host_fd_close(&console->out);
	if (console->wake_fd >= 0)
		close(console->wake_fd);
	byte_ring_clear(&console->tail);
	pthread_mutex_destroy(&console->tail_lock);
	g_free(console);
}

static void wake(void *ctx)
{
	struct console *c = ctx;
	uint64_t one = 1;

	/* Pairs with the exchange in wait_for_work(). */
	if (atomic_exchange(&c->woken, true))
		return;
	if (write(c->wake_fd, &one, sizeof(one)) < 0) {
		/* The counter is full: it is awake. */
	}
}

struct byte_port_host console_host(struct console *console)
{
	return (struct byte_port_host){wake, console};
}

int console_connect(struct console *console, const struct byte_port_ops *ops,
		    void *dev)
{
	struct console_port *port;

	if (console->n_ports == CONSOLE_PORTS_MAX)
		return -ENOSPC;
	port = &console->ports[console->n_ports++];
	port->ops = ops;
	port->dev = dev;
	if (ops->receive && !console->input)
		console->input = port;
	return 0;
}

void console_set_log(struct console *console, int fd)
{
	console->log_fd = fd;
}

/* --- output ---------------------------------------------------------- */

static void keep_tail(struct console *c, const uint8_t *data, size_t len)
{
	pthread_mutex_lock(&c->tail_lock);
	byte_ring_push(&c->tail, data, len);
	pthread_mutex_unlock(&c->tail_lock);
}

/* A copy; one that fails is given up, with one warning. */
static void keep_log(struct console *c)
{
	size_t at = 0;

	while (c->log_fd >= 0 && at < c->out_len) {
		ssize_t n = write(c->log_fd, c->out_buf + at, c->out_len - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			log_warn("the log of a serial port fails (%s)",
				 g_strerror(errno));
			c->log_fd = -1;
			return;
		}
		at += (size_t)n;
	}
}

/* Fill the empty out_buf from the ports; returns whether there was any. */
static bool pull_output(struct console *c)
{
	for (unsigned int i = 0; i < c->n_ports; i++) {
		const struct console_port *p = &c->ports[i];

		c->out_pos = 0;
		c->out_len = p->ops->transmit(p->dev, c->out_buf, CHUNK_BYTES);
		if (c->out_len) {
			keep_tail(c, c->out_buf, c->out_len);
			keep_log(c);
			return true;
		}
	}
	return false;
}

static void lose_output(struct console *c)
{
	if (c->config.out_fd >= 0)
		atomic_fetch_add(&c->lost, c->out_len - c->out_pos);
	c->out_pos = c->out_len;
}

/* Write out_buf as far as it goes without blocking. */
static void push_output(struct console *c)
{
	c->out_blocked = false;
	while (c->out_pos < c->out_len) {
		ssize_t n;

		if (c->out.fd < 0) {
			lose_output(c);
			return;
		}
		n = host_fd_write(&c->out, c->out_buf + c->out_pos,
				  c->out_len - c->out_pos);
		if (n >= 0) {
			c->out_pos += (size_t)n;
			continue;
		}
		if (n == -EAGAIN) {
			c->out_blocked = true;
			return;
		}
		log_warn("output fails (%s), what follows is not shown",
			 g_strerror((int)-n));
		host_fd_close(&c->out);
	}
}

static void move_output(struct console *c)
{
	do {
		push_output(c);
	} while (!c->out_blocked && pull_output(c));
}

/* --- input ----------------------------------------------------------- */

static void push_input(struct console *c)
{
	size_t n;

	if (!c->in_len || !c->input)
		return;
	n = c->input->ops->receive(c->input->dev, c->in_buf, c->in_len);
	memmove(c->in_buf, c->in_buf + n, c->in_len - n);
	c->in_len -= n;
}

/*
 * On a terminal everything is read at once, because an escape must be seen
 * also while the guest takes no input; what does not fit is dropped, as by a
 * terminal's own queue.  Anything else waits in its pipe.
 */
static bool want_input(const struct console *c)
{
	if (c->in.fd < 0)
		return false;
	if (c->in.terminal)
		return host_fd_in_foreground(&c->in);
	return c->input && c->in_len < sizeof(c->in_buf);
}

static void read_input(struct console *c)
{
	uint8_t data[CHUNK_BYTES];
	size_t room = sizeof(c->in_buf) - c->in_len;
	bool quit = false;
	ssize_t n;

	n = host_fd_read(&c->in, data, c->in.terminal ? sizeof(data) : room);
	if (n == -EAGAIN)
		return;
	if (n < 0 && c->in.terminal && !host_fd_in_foreground(&c->in))
		return; /* EIO: we lost it between poll and read */
	if (n <= 0) {
		log_debug("end of input");
		host_fd_close(&c->in);
		return;
	}
	if (c->in.terminal) {
		const uint8_t *esc = memchr(data, CONSOLE_ESCAPE, (size_t)n);

		if (esc) {
			n = esc - data;
			quit = true;
		}
	}
	n = MIN(n, (ssize_t)room);
	memcpy(c->in_buf + c->in_len, data, (size_t)n);
	c->in_len += (size_t)n;
	if (quit && c->config.quit)
		c->config.quit(c->config.ctx);
}

/* --- thread ---------------------------------------------------------- */

/* How long to sleep at most; UINT64_MAX for ever. */
static uint64_t wait_ns(const struct console *c, uint64_t deadline)
{
	uint64_t ns = UINT64_MAX, now;

	if (deadline) {
		now = clock_monotonic_ns();
		ns = now < deadline ? deadline - now : 0;
	} else if (c->in.terminal && !want_input(c)) {
		ns = BACKGROUND_NS;
	}
	/* While output is stuck nobody is taken any from. */
	for (unsigned int i = 0; i < c->n_ports && !c->out_blocked; i++) {
		const struct console_port *p = &c->ports[i];

		if (p->ops->again_ns)
			ns = MIN(ns, p->ops->again_ns(p->dev));
	}
	return ns;
}

/* Sleep until there is something to do. */
static void wait_for_work(struct console *c, uint64_t deadline)
{
	bool input = want_input(c);
	struct pollfd fds[] = {
		{.fd = c->wake_fd, .events = POLLIN},
		{.fd = input ? c->in.fd : -1, .events = POLLIN},
		{.fd = c->out_blocked ? c->out.fd : -1, .events = POLLOUT},
	};
	uint64_t ns = wait_ns(c, deadline), count;
	struct timespec ts = {
		.tv_sec = (time_t)(ns / NSEC_PER_SEC),
		.tv_nsec = (long)(ns % NSEC_PER_SEC),
	};

	/* The shell had the terminal meanwhile, and its modes. */
	if (c->config.raw && input)
		host_fd_make_raw(&c->in);
	if (ppoll(fds, G_N_ELEMENTS(fds), ns == UINT64_MAX ? NULL : &ts,
		  NULL) <= 0)
		return;
	if (fds[0].revents) {
		if (!deadline)
			poll(NULL, 0, GATHER_MS);
		if (read(c->wake_fd, &count, sizeof(count)) < 0) {
			/* Cannot be: it was readable and is ours. */
		}
		atomic_exchange(&c->woken, false);
	}
	if (fds[1].revents)
		read_input(c);
}

static void *console_thread(void *arg)
{
	struct console *c = arg;

	for (;;) {
		/* Loaded first: what was sent before the stop is moved. */
		uint64_t deadline = atomic_load(&c->deadline_ns);

		move_output(c);
		push_input(c);
		if (deadline &&
		    (!c->out_blocked || clock_monotonic_ns() >= deadline))
			return NULL;
		wait_for_work(c, deadline);
	}
}

int console_start(struct console *console)
{
	int err;

	if (console->config.raw && want_input(console))
		host_fd_make_raw(&console->in);
	err = thread_start(&console->thread, "console", console_thread,
			   console);
	console->started = !err;
	if (err)
		host_fd_restore(&console->in);
	return err;
}

void console_stop(struct console *console, uint64_t drain_ns)
{
	uint64_t one = 1;

	if (!console->started)
		return;
	atomic_store(&console->deadline_ns, clock_monotonic_ns() + drain_ns);
	if (write(console->wake_fd, &one, sizeof(one)) < 0) {
		/* The counter is full: it is awake. */
	}
	pthread_join(console->thread, NULL);
	console->started = false;
	/* The reader was too slow; the report gets it all the same. */
	do {
		lose_output(console);
	} while (pull_output(console));
	host_fd_restore(&console->in);
}

char *console_tail(struct console *console, size_t *len)
{
	char *text = g_malloc(CONSOLE_TAIL_BYTES + 1);
	size_t n;

	pthread_mutex_lock(&console->tail_lock);
	n = byte_ring_peek(&console->tail, (uint8_t *)text, CONSOLE_TAIL_BYTES);
	pthread_mutex_unlock(&console->tail_lock);
	text[n] = '\0';
	if (len)
		*len = n;
	return text;
}

uint64_t console_lost(struct console *console)
{
	return atomic_load(&console->lost);
}

void console_restore_terminal(void)
{
	host_fd_restore_all();
}

void console_stop_terminal(void)
{
	host_fd_stop_all();
}

void console_continue_terminal(void)
{
	host_fd_continue_all();
}
