/* SPDX-License-Identifier: MIT */
#include "command/command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/thread.h"
#include "command/agent_wire.h"
#include "command/newc.h"

#define NOTES_MAX     100
/* For a slow reader, when the guest is gone. */
#define LAST_WORDS_MS 2000
#define FRAME_BYTES   (sizeof(struct agent_frame) + AGENT_DATA_MAX)

/* Where a guest may come from. */
enum way {
	BY_HVSOCK,
	BY_SERIAL,
	N_WAYS,
};

struct stream {
	int fd; /* -1: none */
	bool chosen; /* it said hello */
	uint8_t data[FRAME_BYTES];
	size_t len;
};

struct command {
	/* set once */
	struct command_streams host;
	int listener; /* -1: no hv_sock */
	char *socket; /* its path; owned */
	int vm_serial; /* the machine's end */
	int wake; /* eventfd: stop */
	void (*hello)(void *ctx);
	void *ctx;
	pthread_t thread;
	bool started;
	_Atomic bool stop;

	/* its thread; main before and after */
	struct stream ways[N_WAYS];
	struct stream *guest; /* the chosen one; NULL: not yet */
	bool in_ended, out_gone, err_gone;
	uint8_t to_guest[FRAME_BYTES];
	size_t to_at, to_len;
	bool bye;
	unsigned int notes;
	struct command_result result;
};

static int fail(GError **error, const char *what)
{
	g_set_error(error, GUEST_ERROR, 0, "%s: %s", what, g_strerror(errno));
	return -1;
}

static int listen_at(struct command *c, const char *hvsock, GError **error)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	c->socket = g_strdup_printf("%s_%d", hvsock, AGENT_PORT);
	if (strlen(c->socket) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return fail(error, c->socket);
	}
	g_strlcpy(address.sun_path, c->socket, sizeof(address.sun_path));
	c->listener =
		socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	unlink(c->socket);
	if (c->listener < 0 ||
	    bind(c->listener, (struct sockaddr *)&address, sizeof(address)) ||
	    listen(c->listener, 1))
		return fail(error, c->socket);
	return 0;
}

struct command *command_new(const char *hvsock,
			    const struct command_streams *streams,
			    GError **error)
{
	struct command *c = g_new0(struct command, 1);
	int pair[2];

	c->host = *streams;
	c->listener = c->vm_serial = -1;
	c->ways[BY_HVSOCK].fd = c->ways[BY_SERIAL].fd = -1;
	c->wake = eventfd(0, EFD_CLOEXEC);
	if (c->wake < 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) {
		fail(error, "sockets of a command");
		command_free(c);
		return NULL;
	}
	c->vm_serial = pair[0];
	c->ways[BY_SERIAL].fd = pair[1];
	if (hvsock && listen_at(c, hvsock, error)) {
		command_free(c);
		return NULL;
	}
	return c;
}

int command_serial(const struct command *c)
{
	return c->vm_serial;
}

/*
 * Return: whether somebody still reads it.  A pipe that has room takes a
 * frame whole; where the reader is slow and all is over, it has two seconds.
 */
static bool write_out(struct command *c, int fd, const uint8_t *data,
		      size_t len)
{
	while (len) {
		struct pollfd fds[] = {
			{.fd = fd, .events = POLLOUT},
			{.fd = c->wake, .events = POLLIN},
		};
		ssize_t n;

		poll(fds, 2, -1);
		if (!fds[0].revents && poll(fds, 1, LAST_WORDS_MS) <= 0)
			return false;
		n = write(fd, data, len);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

/* A line of the guest's, without what a terminal might obey. */
static void print_note(struct command *c, const uint8_t *data, size_t len)
{
	g_autofree char *text = g_strndup((const char *)data, len);

	if (c->notes++ >= NOTES_MAX)
		return;
	for (char *p = text; *p; p++) {
		if (!g_ascii_isprint(*p))
			*p = '?';
	}
	dprintf(c->host.err, "kvmbus: guest: %s\n", text);
}

static void on_exit_frame(struct command *c, const uint8_t *data, size_t len)
{
	struct agent_exit how;

	if (len != sizeof(how) || c->result.exited)
		return;
	memcpy(&how, data, sizeof(how));
	c->result.exited = true;
	c->bye = true;
	if (how.code < 0) {
		c->result.signal = how.signal & 0x7F;
		c->result.status = 128 + c->result.signal;
	} else {
		c->result.status = how.code & 0xFF;
	}
}

static void on_frame(struct command *c, uint8_t kind, const uint8_t *data,
		     size_t len)
{
	switch (kind) {
	case AGENT_STDOUT:
		c->result.out_bytes += len;
		if (!c->out_gone)
			c->out_gone = !write_out(c, c->host.out, data, len);
		break;
	case AGENT_STDERR:
		c->result.err_bytes += len;
		if (!c->err_gone)
			c->err_gone = !write_out(c, c->host.err, data, len);
		break;
	case AGENT_NOTE:
		print_note(c, data, len);
		break;
	case AGENT_EXIT:
		on_exit_frame(c, data, len);
		break;
	default:
		break;
	}
}

static void forget(struct command *c, struct stream *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	s->len = 0;
	if (s->chosen)
		c->to_len = c->to_at = 0;
}

static void drop_bytes(struct stream *s, size_t n)
{
	s->len -= n;
	memmove(s->data, s->data + n, s->len);
}

/* What a serial port had to say before the first frame is skipped. */
static void look_for_hello(struct command *c, struct stream *s)
{
	static const uint8_t hello[] = {AGENT_HELLO, 0, sizeof(AGENT_MAGIC) - 1,
					0};
	const size_t magic_len = sizeof(AGENT_MAGIC) - 1;

	while (s->len >= sizeof(hello) + magic_len) {
		if (!memcmp(s->data, hello, sizeof(hello)) &&
		    !memcmp(s->data + sizeof(hello), AGENT_MAGIC, magic_len)) {
			drop_bytes(s, sizeof(hello) + magic_len);
			s->chosen = true;
			c->guest = s;
			c->result.connected = true;
			if (c->hello)
				c->hello(c->ctx);
			c->result.way = s == &c->ways[BY_HVSOCK]
						? "hv_sock"
						: "serial port";
			return;
		}
		drop_bytes(s, 1);
	}
}

static void take_frames(struct command *c, struct stream *s)
{
	struct agent_frame frame;

	while (s->len >= sizeof(frame)) {
		memcpy(&frame, s->data, sizeof(frame));
		if (frame.len > AGENT_DATA_MAX) {
			c->result.broken = true;
			forget(c, s);
			return;
		}
		if (s->len < sizeof(frame) + frame.len)
			return;
		on_frame(c, frame.kind, s->data + sizeof(frame), frame.len);
		drop_bytes(s, sizeof(frame) + frame.len);
	}
}

/* Return: whether something came. */
static bool read_guest(struct command *c, struct stream *s)
{
	ssize_t n = recv(s->fd, s->data + s->len, sizeof(s->data) - s->len,
			 MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		forget(c, s);
		return false;
	}
	s->len += (size_t)n;
	if (!c->guest)
		look_for_hello(c, s);
	if (s->chosen)
		take_frames(c, s);
	return true;
}

static void queue_frame(struct command *c, enum agent_kind kind, size_t len)
{
	const struct agent_frame frame = {.kind = (uint8_t)kind,
					  .len = (uint16_t)len};

	memcpy(c->to_guest, &frame, sizeof(frame));
	c->to_at = 0;
	c->to_len = sizeof(frame) + len;
}

/* Not in the background of a terminal, where that would stop us. */
static bool may_read(int fd)
{
	return !isatty(fd) || tcgetpgrp(fd) == getpgrp();
}

static void read_host(struct command *c)
{
	ssize_t n;

	if (!may_read(c->host.in))
		return;
	n = read(c->host.in, c->to_guest + sizeof(struct agent_frame),
		 AGENT_DATA_MAX);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0)
		n = 0;
	c->in_ended = !n;
	c->result.in_bytes += (uint64_t)n;
	queue_frame(c, AGENT_STDIN, (size_t)n);
}

static void write_guest(struct command *c)
{
	ssize_t n = send(c->guest->fd, c->to_guest + c->to_at,
			 c->to_len - c->to_at, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		forget(c, c->guest);
		return;
	}
	c->to_at += (size_t)n;
	if (c->to_at == c->to_len)
		c->to_at = c->to_len = 0;
}

static void accept_guest(struct command *c)
{
	int fd = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return;
	if (c->ways[BY_HVSOCK].fd >= 0)
		close(fd);
	else
		c->ways[BY_HVSOCK].fd = fd;
}

enum slot {
	SLOT_WAKE,
	SLOT_LISTENER,
	SLOT_HVSOCK,
	SLOT_SERIAL,
	SLOT_INPUT,
	N_SLOTS,
};

static bool is_connected(const struct command *c)
{
	return c->guest && c->guest->fd >= 0;
}

static void fill_slots(struct command *c, struct pollfd fds[N_SLOTS])
{
	bool room = is_connected(c) && !c->to_len;

	if (room && c->bye) {
		queue_frame(c, AGENT_BYE, 0);
		c->bye = false;
		c->in_ended = true;
		room = false;
	}
	fds[SLOT_WAKE] = (struct pollfd){.fd = c->wake, .events = POLLIN};
	fds[SLOT_LISTENER] = (struct pollfd){.fd = c->guest ? -1 : c->listener,
					     .events = POLLIN};
	for (int i = 0; i < N_WAYS; i++) {
		struct stream *s = &c->ways[i];

		fds[SLOT_HVSOCK + i] = (struct pollfd){
			.fd = c->guest && !s->chosen ? -1 : s->fd,
			.events =
				(short)(POLLIN |
					(s->chosen && c->to_len ? POLLOUT : 0)),
		};
	}
	fds[SLOT_INPUT] = (struct pollfd){
		.fd = room && !c->in_ended ? c->host.in : -1,
		.events = POLLIN,
	};
}

/* In the background of a terminal, look again now and then. */
#define LOOK_AGAIN_MS 500

static void turn(struct command *c)
{
	struct pollfd fds[N_SLOTS];
	bool foreground = may_read(c->host.in);

	fill_slots(c, fds);
	if (!foreground)
		fds[SLOT_INPUT].fd = -1;
	if (poll(fds, N_SLOTS, foreground ? -1 : LOOK_AGAIN_MS) <= 0)
		return;
	for (int i = 0; i < N_WAYS; i++) {
		struct stream *s = &c->ways[i];

		if (s->fd >= 0 && fds[SLOT_HVSOCK + i].revents & POLLOUT)
			write_guest(c);
		if (s->fd >= 0 && fds[SLOT_HVSOCK + i].revents & ~POLLOUT)
			read_guest(c, s);
	}
	if (fds[SLOT_LISTENER].revents)
		accept_guest(c);
	if (fds[SLOT_INPUT].revents)
		read_host(c);
}

static void *run(void *arg)
{
	struct command *c = arg;

	while (!atomic_load(&c->stop))
		turn(c);
	return NULL;
}

int command_start(struct command *c, void (*hello)(void *ctx), void *ctx)
{
	int err;

	c->hello = hello;
	c->ctx = ctx;
	err = thread_start(&c->thread, "command", run, c);
	c->started = !err;
	return err;
}

void command_finish(struct command *c, struct command_result *result)
{
	static const uint64_t one = 1;

	if (c->started) {
		atomic_store(&c->stop, true);
		if (write(c->wake, &one, sizeof(one)) == sizeof(one))
			pthread_join(c->thread, NULL);
		c->started = false;
	}
	/* What it said with its last breath. */
	for (int i = 0; i < N_WAYS; i++) {
		struct stream *s = &c->ways[i];

		while (s->fd >= 0 && (!c->guest || s->chosen) &&
		       read_guest(c, s))
			;
	}
	*result = c->result;
}

void command_free(struct command *c)
{
	struct command_result ignored;

	if (!c)
		return;
	command_finish(c, &ignored);
	for (int i = 0; i < N_WAYS; i++)
		forget(c, &c->ways[i]);
	if (c->listener >= 0)
		close(c->listener);
	if (c->socket)
		unlink(c->socket);
	if (c->vm_serial >= 0)
		close(c->vm_serial);
	if (c->wake >= 0)
		close(c->wake);
	g_free(c->socket);
	g_free(c);
}
