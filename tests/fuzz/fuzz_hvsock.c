/* SPDX-License-Identifier: MIT */
/*
 * fuzz_hvsock.c - a guest and a program of the host at the two ends of a
 * connection, neither of which means well.
 *
 * The input is a script: what each writes, reads and ends, room in the ring,
 * timers.  The model is the bytes of each stream: they come in order, none is
 * lost or made up, nothing follows an end.
 */
#include "fuzz/fuzz.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/reader.h"
#include "support/fake_channel.h"
#include "vsp/hvsock/impl.h"

#define STREAM_MAX 65536u

struct stream {
	uint8_t bytes[STREAM_MAX]; /* all that was written */
	uint32_t written, read;
	bool ended; /* the reader saw that */
};

static struct hvsock *hvsock;
static struct channel *ch; /* NULL: none */

static struct {
	int fd; /* the host program's end; -1: closed */
	bool from_host, opened, guest_ended;
	bool has_line; /* to_guest.read is behind the host's line */
	bool has_ok; /* the host has read its answer */
	struct stream to_guest, to_host;
} model;

/* --- a worker without a thread --------------------------------------------------- */

static struct watched {
	struct worker_fd *fd;
	uint32_t events;
} watched; /* there is one connection at a time */
static struct worker_timer *timer;

struct worker *worker_new(const char *name, GError **error)
{
	(void)name;
	(void)error;
	return g_malloc(1);
}

void worker_free(struct worker *w)
{
	g_free(w);
}

void worker_queue(struct worker *w, struct worker_task *task)
{
	(void)w;
	task->run(task);
}

void worker_call(struct worker *w, void (*fn)(void *ctx), void *ctx)
{
	(void)w;
	fn(ctx);
}

void worker_timer_set(struct worker *w, struct worker_timer *t,
		      uint64_t deadline)
{
	(void)w;
	(void)deadline;
	timer = t;
}

void worker_timer_stop(struct worker *w, struct worker_timer *t)
{
	(void)w;
	if (timer == t)
		timer = NULL;
}

int worker_watch(struct worker *w, struct worker_fd *fd, uint32_t events)
{
	(void)w;
	expect(fd->fd >= 0 && events);
	watched = (struct watched){fd, events};
	return 0;
}

void worker_unwatch(struct worker *w, struct worker_fd *fd)
{
	(void)w;
	if (watched.fd == fd)
		watched.fd = NULL;
}

static void run_watched(void)
{
	struct pollfd p;

	if (!watched.fd)
		return;
	/* EPOLLIN is POLLIN, and so on. */
	p = (struct pollfd){.fd = watched.fd->fd,
			    .events = (short)watched.events};
	if (poll(&p, 1, 0) > 0)
		watched.fd->run(watched.fd, (uint32_t)p.revents);
}

/* --- streams -------------------------------------------------------------------------- */

static void check(struct stream *s, const uint8_t *data, uint32_t n)
{
	expect(!s->ended && n <= s->written - s->read);
	expect(!memcmp(s->bytes + s->read, data, n));
	s->read += n;
}

static uint32_t make_bytes(struct stream *s, uint32_t n)
{
	n = MIN(n, STREAM_MAX - s->written);
	for (uint32_t i = 0; i < n; i++)
		s->bytes[s->written + i] =
			(uint8_t)((s->written + i) * 2654435761u >> 16);
	return n;
}

/* The guest got a packet. */
static void fake_sent(struct channel *channel, const uint8_t *data,
		      uint32_t bytes)
{
	struct vmbuspipe_hdr h;
	struct stream *s = &model.to_guest;

	expect(channel == ch && bytes >= sizeof(h));
	memcpy(&h, data, sizeof(h));
	expect(h.msgsize == bytes - sizeof(h));
	if (!model.has_line && model.from_host) {
		const uint8_t *end = memchr(s->bytes, '\n', s->written);

		expect(end != NULL);
		s->read = (uint32_t)(end - s->bytes) + 1;
	}
	model.has_line = true;
	check(s, data + sizeof(h), h.msgsize);
	s->ended = !h.msgsize;
	/* All that the host wrote is there before its end. */
	expect(!s->ended || s->read == s->written);
}

/* --- what host and guest do ------------------------------------------------------------- */

static void host_write(const void *data, uint32_t n)
{
	struct stream *s = &model.to_guest;
	ssize_t sent;

	if (model.fd < 0)
		return;
	if (data)
		memcpy(s->bytes + s->written, data, n);
	sent = send(model.fd, s->bytes + s->written, n,
		    MSG_DONTWAIT | MSG_NOSIGNAL);
	s->written += sent > 0 ? (uint32_t)sent : 0;
}

static void host_read(uint32_t n)
{
	static uint8_t data[16384];
	const uint8_t *at = data;
	ssize_t got;

	if (model.fd < 0)
		return;
	got = recv(model.fd, data, n, MSG_DONTWAIT);
	if (got > 0 && model.from_host && !model.has_ok) {
		const uint8_t *end = memchr(data, '\n', (size_t)got);

		if (!end) /* a part of it: it is not looked at */
			return;
		got -= end + 1 - data;
		at = end + 1;
		model.has_ok = true;
	}
	if (got > 0)
		check(&model.to_host, at, (uint32_t)got);
}

static void guest_let_go(void)
{
	struct channel *old = ch;

	ch = NULL;
	if (old)
		fake_release(old);
}

/* The channel fails, or closes, and is released. */
static void guest_fails(void)
{
	struct channel *old = ch;

	fake_close(old);
	expect(old->rescinded);
	guest_let_go();
}

static void guest_packet(const void *data, uint32_t n)
{
	int err;

	if (!ch || !ch->is_open)
		return;
	err = fake_packet(ch, data, n);
	if (err && err != -EAGAIN)
		guest_fails();
}

static void guest_write(uint32_t n)
{
	static struct {
		struct vmbuspipe_hdr h;
		uint8_t data[4096];
	} m;
	struct stream *s = &model.to_host;

	if (!ch || !ch->is_open || model.guest_ended)
		return;
	n = make_bytes(s, n);
	m.h = (struct vmbuspipe_hdr){VMBUS_PIPE_DATA, n};
	if (!n) /* that would be an end */
		return;
	memcpy(m.data, s->bytes + s->written, n);
	/* It may be thrown away when the host is gone, but not reordered. */
	s->written += n;
	if (fake_packet(ch, &m, (uint32_t)sizeof(m.h) + n) == -EAGAIN)
		s->written -= n;
}

static void guest_end(void)
{
	const struct vmbuspipe_hdr h = {VMBUS_PIPE_DATA, 0};

	if (!ch || !ch->is_open || model.guest_ended)
		return;
	if (!fake_packet(ch, &h, sizeof(h)))
		model.guest_ended = true;
}

/* --- life ------------------------------------------------------------------------------------ */

static void finish(void)
{
	if (model.fd >= 0)
		close(model.fd);
	model.fd = -1;
	if (ch && ch->rescinded)
		guest_let_go();
	ch = NULL;
	hvsock_free(hvsock);
	expect(!watched.fd && !timer);
	hvsock = NULL;
}

static void refuse(void *ctx, const struct guid *endpoint,
		   const struct guid *service)
{
	(void)ctx;
	(void)endpoint;
	(void)service;
}

static void begin(bool from_host)
{
	const struct vsp_params params = {.name = "hvsock"};
	const struct hvsock_params how = {.refuse = refuse};
	const struct guid id = HV_SOCK_TEMPLATE_GUID;
	struct connection *c;
	int fds[2];

	hvsock = hvsock_new(&params, &how, NULL);
	memset(&model, 0, sizeof(model));
	model.from_host = from_host;
	fake_last = NULL;
	expect(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds));
	model.fd = fds[0];
	c = connection_new(hvsock, fds[1], from_host);
	if (from_host)
		connection_read_line(c);
	else
		expect(!connection_offer(c, &id, &id));
	ch = fake_last;
}

static uint8_t next_byte(struct reader *r)
{
	uint8_t byte = 0;

	reader_bytes(r, &byte, sizeof(byte));
	return byte;
}

static void host_step(struct reader *r, uint8_t op, uint8_t arg)
{
	uint8_t data[256];

	switch (op % 6) {
	case 0:
		host_write(NULL, make_bytes(&model.to_guest, arg * 33u));
		break;
	case 1:
		arg %= 40;
		reader_bytes(r, data, arg);
		if (arg <= STREAM_MAX - model.to_guest.written)
			host_write(data, arg);
		break;
	case 2:
		if (!model.to_guest.written)
			host_write("CONNECT 4000\n", 13);
		break;
	case 3:
		host_read(arg * 64u + 1);
		break;
	case 4:
		if (model.fd >= 0)
			shutdown(model.fd, SHUT_WR);
		break;
	default:
		if (model.fd >= 0)
			close(model.fd);
		model.fd = -1;
	}
}

static void guest_step(struct reader *r, uint8_t op, uint8_t arg)
{
	uint8_t data[256];

	switch (op % 6) {
	case 0:
		if (ch && !model.opened) {
			model.opened = true;
			ch->room = 8192;
			fake_open(ch);
		}
		break;
	case 1:
		guest_write(arg * 16u);
		break;
	case 2:
		guest_end();
		break;
	case 3:
		arg %= 64;
		reader_bytes(r, data, arg);
		/* What it says as data is not in the model. */
		if (arg < 8 || data[0] != 1)
			guest_packet(data, arg);
		break;
	case 4:
		if (ch)
			fake_room(ch, arg * 64u);
		break;
	default:
		if (ch && ch->is_open)
			guest_fails();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_init(data, size);
	struct worker_timer *due;

	log_set_level("error");
	begin(next_byte(&r) & 1);
	while (reader_left(&r)) {
		uint8_t op = next_byte(&r), arg = next_byte(&r);

		if (op >> 6 == 0)
			host_step(&r, op, arg);
		else if (op >> 6 == 1)
			guest_step(&r, op, arg);
		else if (op != 0xFF)
			run_watched();
		else if ((due = timer)) {
			timer = NULL;
			due->run(due);
		}
		if (!ch && fake_last)
			ch = fake_last;
	}
	finish();
	return 0;
}
