/* SPDX-License-Identifier: MIT */
#include "devices/serial_relay.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/descriptors.h"
#include "base/log.h"
#include "base/thread.h"

#define LOG_CATEGORY "serial"

#define CHUNK_BYTES 4096u
/* How often a pseudo terminal that nobody has open is looked at. */
#define HANGUP_MS   200
#define BREATH_NS   (200 * NSEC_PER_MSEC)
#define DRAIN_NS    NSEC_PER_SEC
#define CONNECT_MS  10000

#define TELNET_IAC  255
#define TELNET_DONT 254
#define TELNET_WILL 251
#define TELNET_DO   253
#define TELNET_SB   250
#define TELNET_SE   240
#define TELNET_ECHO 1
#define TELNET_SGA  3

enum telnet_state {
	TELNET_DATA,
	TELNET_COMMAND, /* after IAC */
	TELNET_OPTION, /* after WILL, WONT, DO, DONT */
	TELNET_SUB, /* within a subnegotiation */
	TELNET_SUB_COMMAND,
};

struct pipe_buffer {
	uint8_t data[2 * CHUNK_BYTES]; /* telnet may double it */
	size_t at, len;
};

struct serial_relay {
	struct serial_relay_params params; /* set once */
	int console_fd, near_fd, stop_fd; /* set once */
	pthread_t thread;
	bool started;

	/* its thread */
	int peer; /* -1: none */
	bool connecting;
	uint64_t retry_ns; /* when to connect, or listen, again; 0: not */
	struct pipe_buffer out, in; /* to the peer, and from it */
	enum telnet_state telnet;
	struct termios was;
	bool has_modes;
};

static void set_nonblocking(int fd)
{
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

/* --- the peer ------------------------------------------------------------------ */

static void greet(struct serial_relay *r)
{
	static const uint8_t offers[] = {
		TELNET_IAC, TELNET_WILL, TELNET_ECHO, TELNET_IAC, TELNET_WILL,
		TELNET_SGA, TELNET_IAC,  TELNET_WILL, 0,          TELNET_IAC,
		TELNET_DO,  0, /* 0: binary, both ways */
	};

	r->telnet = TELNET_DATA;
	if (!r->params.telnet)
		return;
	memcpy(r->out.data, offers, sizeof(offers));
	r->out.len = sizeof(offers);
}

static void set_peer(struct serial_relay *r, int fd)
{
	r->peer = fd;
	r->connecting = false;
	r->out.at = r->out.len = r->in.at = r->in.len = 0;
	set_nonblocking(fd);
	greet(r);
}

static void lose_peer(struct serial_relay *r)
{
	/* A pseudo terminal is there all the time; only its users go. */
	if (r->params.kind == RELAY_PTY) {
		r->out.len = r->out.at = 0;
		return;
	}
	if (r->peer >= 0 && r->peer != r->params.fd)
		close(r->peer);
	r->peer = -1;
	r->connecting = false;
	r->out.at = r->out.len = 0;
	if (r->params.reconnect_s)
		r->retry_ns = clock_monotonic_ns() +
			      r->params.reconnect_s * NSEC_PER_SEC;
}

/* Return: 0, connected or on its way; -errno. */
static int connect_peer(struct serial_relay *r)
{
	const struct serial_relay_params *p = &r->params;
	int fd = socket(p->address.ss_family,
			SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int err = 0;

	r->retry_ns = 0;
	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&p->address, p->address_bytes))
		err = errno;
	if (err && err != EINPROGRESS) {
		close(fd);
		return -err;
	}
	set_peer(r, fd);
	r->connecting = err;
	return 0;
}

/* Return: 0 or -errno. */
static int finish_connect(struct serial_relay *r)
{
	socklen_t len = sizeof(int);
	int err = 0;

	getsockopt(r->peer, SOL_SOCKET, SO_ERROR, &err, &len);
	r->connecting = false;
	if (!err)
		return 0;
	log_debug("connect: %s", g_strerror(err));
	lose_peer(r);
	return -err;
}

/* Who does not try again is told now that nobody is there. */
static int connect_first(struct serial_relay *r)
{
	int err = connect_peer(r);
	struct pollfd p = {.fd = r->peer, .events = POLLOUT};

	if (err || !r->connecting)
		return err;
	return poll(&p, 1, CONNECT_MS) == 1 ? finish_connect(r) : -ETIMEDOUT;
}

static void accept_peer(struct serial_relay *r)
{
	int fd = accept4(r->params.fd, NULL, NULL, SOCK_CLOEXEC);

	if (fd >= 0)
		set_peer(r, fd);
	else if (descriptors_are_out(errno))
		r->retry_ns = clock_monotonic_ns() + BREATH_NS;
}

/* The time is up: connect, or listen, again. */
static void retry(struct serial_relay *r)
{
	if (r->params.kind == RELAY_LISTEN)
		r->retry_ns = 0;
	else if (connect_peer(r))
		lose_peer(r);
}

/* Is there somebody who reads what the guest prints? */
static bool has_peer(const struct serial_relay *r)
{
	struct pollfd p = {.fd = r->peer};

	if (r->peer < 0 || r->connecting)
		return false;
	return r->params.kind != RELAY_PTY ||
	       (poll(&p, 1, 0) >= 0 && !(p.revents & POLLHUP));
}

/* --- bytes ---------------------------------------------------------------------- */

static void put_out(struct serial_relay *r, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		r->out.data[r->out.len++] = data[i];
		if (r->params.telnet && data[i] == TELNET_IAC)
			r->out.data[r->out.len++] = TELNET_IAC;
	}
}

/* Return: true if @byte is the user's. */
static bool is_data(struct serial_relay *r, uint8_t byte)
{
	switch (r->telnet) {
	case TELNET_COMMAND:
		r->telnet = TELNET_DATA;
		if (byte == TELNET_IAC)
			return true;
		if (byte == TELNET_SB)
			r->telnet = TELNET_SUB;
		else if (byte >= TELNET_WILL && byte <= TELNET_DONT)
			r->telnet = TELNET_OPTION;
		return false;
	case TELNET_OPTION:
		r->telnet = TELNET_DATA;
		return false;
	case TELNET_SUB:
		if (byte == TELNET_IAC)
			r->telnet = TELNET_SUB_COMMAND;
		return false;
	case TELNET_SUB_COMMAND:
		r->telnet = byte == TELNET_SE ? TELNET_DATA : TELNET_SUB;
		return false;
	case TELNET_DATA:
	default:
		if (byte == TELNET_IAC)
			r->telnet = TELNET_COMMAND;
		return byte != TELNET_IAC;
	}
}

static void put_in(struct serial_relay *r, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!r->params.telnet || is_data(r, data[i]))
			r->in.data[r->in.len++] = data[i];
}

/* From the console; thrown away where nobody reads. */
static void read_near(struct serial_relay *r)
{
	uint8_t data[CHUNK_BYTES];
	ssize_t n = read(r->near_fd, data, sizeof(data));

	if (n > 0 && has_peer(r))
		put_out(r, data, (size_t)n);
}

static void read_peer(struct serial_relay *r)
{
	uint8_t data[CHUNK_BYTES];
	ssize_t n = read(r->peer, data, sizeof(data));

	if (n > 0)
		put_in(r, data, (size_t)n);
	else if (!n || (errno != EAGAIN && errno != EINTR))
		lose_peer(r);
}

/* Return: 0 or -errno; what can not be written now stays. */
static int flush(struct pipe_buffer *b, int fd)
{
	while (b->at < b->len) {
		ssize_t n = write(fd, b->data + b->at, b->len - b->at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : -errno;
		b->at += (size_t)n;
	}
	b->at = b->len = 0;
	return 0;
}

static void flush_all(struct serial_relay *r)
{
	if (r->peer >= 0 && !r->connecting && flush(&r->out, r->peer))
		lose_peer(r);
	flush(&r->in, r->near_fd);
}

/* --- the thread ------------------------------------------------------------------- */

enum {
	POLL_STOP,
	POLL_NEAR,
	POLL_PEER,
	POLL_LISTEN,
	N_POLL
};

/* Return: true if nobody has the pseudo terminal's other side open. */
static bool describe(const struct serial_relay *r, struct pollfd fds[N_POLL])
{
	bool is_hung_up = r->params.kind == RELAY_PTY && !has_peer(r);

	fds[POLL_STOP] = (struct pollfd){.fd = r->stop_fd, .events = POLLIN};
	fds[POLL_NEAR] = (struct pollfd){.fd = r->near_fd};
	if (!r->out.len)
		fds[POLL_NEAR].events |= POLLIN;
	if (r->in.len)
		fds[POLL_NEAR].events |= POLLOUT;
	fds[POLL_PEER] = (struct pollfd){.fd = is_hung_up ? -1 : r->peer};
	if (!r->in.len)
		fds[POLL_PEER].events |= POLLIN;
	if (r->out.len || r->connecting)
		fds[POLL_PEER].events |= POLLOUT;
	/* That it hung up is told at once, and whether it is asked or not. */
	if (!fds[POLL_PEER].events)
		fds[POLL_PEER].fd = -1;
	fds[POLL_LISTEN] = (struct pollfd){.fd = -1, .events = POLLIN};
	if (r->params.kind == RELAY_LISTEN && r->peer < 0 && !r->retry_ns)
		fds[POLL_LISTEN].fd = r->params.fd;
	return is_hung_up;
}

/* @is_hung_up: as describe() found it, for the peer is polled by that. */
static int timeout_ms(const struct serial_relay *r, bool is_hung_up)
{
	uint64_t now = clock_monotonic_ns();

	if (is_hung_up)
		return HANGUP_MS;
	if (!r->retry_ns)
		return -1;
	return r->retry_ns > now
		       ? (int)((r->retry_ns - now) / NSEC_PER_MSEC) + 1
		       : 0;
}

/* What the console has written by now goes to the peer, within bounds. */
static void drain(struct serial_relay *r)
{
	uint64_t end = clock_monotonic_ns() + DRAIN_NS;
	struct pollfd p = {.fd = r->peer, .events = POLLOUT};

	while (has_peer(r) && clock_monotonic_ns() < end) {
		struct pollfd near = {.fd = r->near_fd, .events = POLLIN};

		if (!r->out.len && poll(&near, 1, 0) > 0)
			read_near(r);
		if (!r->out.len || flush(&r->out, r->peer))
			return;
		if (r->out.len)
			poll(&p, 1, 10);
	}
}

static void step(struct serial_relay *r, const struct pollfd fds[N_POLL])
{
	if (fds[POLL_LISTEN].revents)
		accept_peer(r);
	if (r->connecting && fds[POLL_PEER].revents)
		finish_connect(r);
	else if (r->peer >= 0 && fds[POLL_PEER].fd == r->peer &&
		 fds[POLL_PEER].revents & (POLLIN | POLLHUP | POLLERR) &&
		 !r->in.len)
		read_peer(r);
	if (fds[POLL_NEAR].revents & POLLIN && !r->out.len)
		read_near(r);
	flush_all(r);
	if (r->retry_ns && clock_monotonic_ns() >= r->retry_ns)
		retry(r);
}

static void *relay_thread(void *arg)
{
	struct serial_relay *r = arg;
	struct pollfd fds[N_POLL];

	for (;;) {
		bool is_hung_up = describe(r, fds);

		if (poll(fds, N_POLL, timeout_ms(r, is_hung_up)) < 0 &&
		    errno != EINTR)
			return NULL;
		if (fds[POLL_STOP].revents)
			break;
		step(r, fds);
	}
	drain(r);
	return NULL;
}

/* --- life ---------------------------------------------------------------------------- */

static void make_raw(struct serial_relay *r)
{
	struct termios raw;

	if (tcgetattr(r->params.fd, &r->was))
		return;
	raw = r->was;
	cfmakeraw(&raw);
	r->has_modes = !tcsetattr(r->params.fd, TCSANOW, &raw);
}

static int begin(struct serial_relay *r)
{
	int err = 0;

	switch (r->params.kind) {
	case RELAY_CONNECT:
		if (!r->params.reconnect_s)
			err = connect_first(r);
		else if (connect_peer(r))
			lose_peer(r);
		break;
	case RELAY_TERMINAL:
		make_raw(r);
		set_peer(r, r->params.fd);
		break;
	case RELAY_PTY:
		set_peer(r, r->params.fd);
		break;
	case RELAY_LISTEN:
	default:
		set_nonblocking(r->params.fd);
		break;
	}
	return err;
}

struct serial_relay *serial_relay_new(const struct serial_relay_params *params,
				      GError **error)
{
	struct serial_relay *r = g_new0(struct serial_relay, 1);
	int pair[2] = {-1, -1}, err;

	r->params = *params;
	r->peer = -1;
	r->stop_fd = eventfd(0, EFD_CLOEXEC);
	err = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) ? -errno
								       : 0;
	r->console_fd = pair[0];
	r->near_fd = pair[1];
	if (!err) {
		set_nonblocking(r->near_fd);
		err = begin(r);
	}
	if (!err) {
		err = thread_start(&r->thread, "serial", relay_thread, r);
		r->started = !err;
	}
	if (!err)
		return r;
	g_set_error(error, G_FILE_ERROR, (int)g_file_error_from_errno(-err),
		    "%s", g_strerror(-err));
	serial_relay_free(r);
	return NULL;
}

void serial_relay_free(struct serial_relay *r)
{
	uint64_t one = 1;

	if (!r)
		return;
	if (r->started) {
		if (write(r->stop_fd, &one, sizeof(one)) < 0)
			log_warn("stop: %s", g_strerror(errno));
		pthread_join(r->thread, NULL);
	}
	if (r->has_modes)
		tcsetattr(r->params.fd, TCSANOW, &r->was);
	if (r->peer >= 0 && r->peer != r->params.fd)
		close(r->peer);
	if (r->params.fd >= 0)
		close(r->params.fd);
	if (r->near_fd >= 0)
		close(r->near_fd);
	if (r->console_fd >= 0)
		close(r->console_fd);
	if (r->stop_fd >= 0)
		close(r->stop_fd);
	g_free(r);
}

int serial_relay_fd(const struct serial_relay *relay)
{
	return relay->console_fd;
}
