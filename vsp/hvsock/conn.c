/* SPDX-License-Identifier: MIT */
/*
 * conn.c - one connection: a channel and a Unix socket.
 *
 * Theory of operation.  Nothing is queued but the rest of one packet of the
 * guest.  The socket is read only when the ring has room for what may come of
 * it, and not looked at while it has not (`blocked`); a packet of the guest is
 * left in the ring while the socket did not take all of the one before.  So
 * each side feels that the other does not read.
 *
 * A half ends with a packet without bytes to the guest, with shutdown(2) to
 * the host.  When both have (or the host has closed its end, and the guest
 * has all that it sent before) the offer is rescinded, for which Linux waits without end (vmbus_hvsock_device_unregister());
 * what is in the ring by then it reads all the same.  The channel is freed
 * when the guest has let go of it.
 *
 * A descriptor without events is not watched at all: else its hang-up would
 * be reported again and again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "proto/vmbus.h"
#include "vsp/hvsock/impl.h"
#include "vsp/vmbus/channel.h"

#define LOG_CATEGORY "hvsock"

/* Packets that a connection may send before others get a turn. */
#define BATCH 16u

#define CONNECTION_OF(at, member)                                \
	((struct connection *)(void *)((uint8_t *)(at)-offsetof( \
		struct connection, member)))

/* --- the socket's events --------------------------------------------------------- */

static void watch(struct connection *c)
{
	uint32_t events = 0;

	if (c->is_over)
		return;
	if (!c->ch || (c->is_open && !c->host_end && !c->blocked))
		events |= EPOLLIN;
	if (c->rest_bytes)
		events |= EPOLLOUT;
	if (events)
		worker_watch(c->h->worker, &c->socket, events);
	else
		worker_unwatch(c->h->worker, &c->socket);
}

/* Both halves have ended, and each side knows. */
static bool is_done(const struct connection *c)
{
	return c->end_sent && (c->guest_end || c->host_gone) && !c->rest_bytes;
}

/* After whatever may have changed it; @c may be gone. */
static void settle(struct connection *c)
{
	if (is_done(c))
		connection_end(c);
	else
		watch(c);
}

/* --- host to guest ----------------------------------------------------------------- */

static void send_end(struct connection *c)
{
	if (c->host_end && !c->end_sent && !channel_send_pipe(c->ch, NULL, 0))
		c->end_sent = true;
}

/* Return: was there something? */
static bool send_chunk(struct connection *c)
{
	uint8_t *buffer = c->h->buffer;
	ssize_t n;

	if (!channel_has_room(c->ch, sizeof(struct vmbuspipe_hdr) + c->chunk)) {
		c->blocked = true;
		return false;
	}
	n = recv(c->socket.fd, buffer, c->chunk, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		c->host_end = true;
		return false;
	}
	channel_send_pipe(c->ch, buffer, (uint32_t)n);
	c->h->bytes_to_guest += (uint64_t)n;
	return true;
}

static void send_to_guest(struct connection *c)
{
	for (unsigned int i = 0; i < BATCH && !c->host_end; i++) {
		if (!send_chunk(c))
			break;
	}
	send_end(c);
}

/* --- guest to host ------------------------------------------------------------------ */

/*
 * Return: how many bytes need not be written any more: all of them, once the
 * host has closed its end.  What it sent before the guest gets all the same.
 */
static uint32_t write_host(struct connection *c, const void *data,
			   uint32_t bytes)
{
	ssize_t n = 0;

	if (!c->host_gone)
		n = send(c->socket.fd, data, bytes,
			 MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		c->host_gone = true;
	if (c->host_gone)
		return bytes;
	n = MAX(n, 0);
	c->h->bytes_to_host += (uint64_t)n;
	return (uint32_t)n;
}

static void write_rest(struct connection *c)
{
	uint32_t n = write_host(c, c->rest + c->rest_at, c->rest_bytes);

	c->rest_at += n;
	c->rest_bytes -= n;
	if (!c->rest_bytes)
		channel_resume(c->ch);
}

static int on_data(struct connection *c, const void *data, uint32_t bytes)
{
	uint32_t n = write_host(c, data, bytes);

	c->rest_at = 0;
	c->rest_bytes = bytes - n;
	if (c->rest_bytes) {
		if (!c->rest)
			c->rest = g_malloc(DATA_MAX);
		memcpy(c->rest, (const uint8_t *)data + n, c->rest_bytes);
	}
	settle(c);
	return 0;
}

static int on_end(struct connection *c)
{
	c->guest_end = true;
	shutdown(c->socket.fd, SHUT_WR);
	settle(c);
	return 0;
}

static int on_packet(void *ctx, const struct packet *packet)
{
	struct connection *c = ctx;
	const void *data;
	uint32_t bytes;

	if (c->is_over || packet->type == VM_PKT_COMP)
		return 0;
	if (packet->type != VM_PKT_DATA_INBAND || c->guest_end ||
	    packet_pipe(packet, &data, &bytes) || bytes > DATA_MAX)
		return -EPROTO;
	if (c->rest_bytes)
		return -EAGAIN;
	return bytes ? on_data(c, data, bytes) : on_end(c);
}

static void on_writable(void *ctx)
{
	struct connection *c = ctx;

	c->blocked = false;
	send_end(c);
	settle(c);
}

/* --- whom the host wants --------------------------------------------------------------- */

static struct guid random_guid(void)
{
	struct guid g;

	if (getrandom(&g, sizeof(g), 0) != sizeof(g))
		abort();
	return g;
}

/* "CONNECT 1024" Return: 0 and it is offered. */
static int connect_line(struct connection *c)
{
	static const char word[] = "CONNECT ";
	struct guid service = HV_SOCK_TEMPLATE_GUID, endpoint = random_guid();
	const char *digits = c->line + strlen(word);
	uint64_t port;

	if (!g_str_has_prefix(c->line, word) ||
	    !g_ascii_string_to_unsigned(digits, 10, 0, HVSOCK_PORT_MAX, &port,
					NULL))
		return -EINVAL;
	memcpy(&service, &(uint32_t){(uint32_t)port}, sizeof(uint32_t));
	/* Linux has room for the host's ports here (MIN_HOST_EPHEMERAL_PORT). */
	c->port = c->h->next_port++;
	if (c->h->next_port == UINT32_MAX)
		c->h->next_port = HVSOCK_PORT_MAX + 1;
	memcpy(&endpoint, &c->port, sizeof(c->port));
	return connection_offer(c, &service, &endpoint);
}

/* Byte by byte, as what follows the line is the guest's. */
static void read_line(struct connection *c)
{
	char byte;

	for (;;) {
		ssize_t n = recv(c->socket.fd, &byte, 1, MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n != 1 || c->n_line == LINE_MAX_BYTES - 1)
			break;
		if (byte == '\n') {
			if (connect_line(c))
				break;
			return;
		}
		c->line[c->n_line++] = byte;
	}
	log_debug_ratelimited("no request, or one that is none: \"%.*s\"",
			      (int)c->n_line, c->line);
	c->h->refused++;
	connection_end(c);
}

void connection_read_line(struct connection *c)
{
	worker_timer_set(c->h->worker, &c->timer,
			 clock_monotonic_ns() + c->h->how.timeout_ns);
	watch(c);
}

static void run_socket(struct worker_fd *fd, uint32_t events)
{
	struct connection *c = CONNECTION_OF(fd, socket);

	if (!c->ch) {
		read_line(c);
		return;
	}
	if (c->rest_bytes)
		write_rest(c);
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		send_to_guest(c);
	settle(c);
}

/* --- life ----------------------------------------------------------------------------------- */

/* The guest does not open it, or the host does not say whom it wants. */
static void run_timer(struct worker_timer *timer)
{
	struct connection *c = CONNECTION_OF(timer, timer);

	c->h->timeouts++;
	connection_end(c);
}

static bool say_ok(struct connection *c)
{
	char text[32];
	int n = g_snprintf(text, sizeof(text), "OK %u\n", c->port);

	return send(c->socket.fd, text, (size_t)n,
		    MSG_DONTWAIT | MSG_NOSIGNAL) == n;
}

/*
 * So long that two have room in the ring: one can be sent while the other is
 * read.  With what a packet has beside its data.
 */
static uint32_t chunk_of(struct channel *ch)
{
	const uint32_t cost = PACKET_HEADER + sizeof(struct vmbuspipe_hdr) +
			      PACKET_TRAILER + PACKET_UNIT;
	struct channel_stats stats;

	channel_get_stats(ch, &stats);
	return MIN(DATA_MAX, stats.ring_out_bytes / 2 - cost);
}

static int on_open(void *ctx, const struct channel_open *open)
{
	struct connection *c = ctx;
	struct hvsock *h = c->h;

	(void)open;
	if (c->is_over)
		return -ECONNABORTED;
	worker_timer_stop(h->worker, &c->timer);
	if (c->from_host && !say_ok(c)) {
		connection_end(c);
		return -EPIPE;
	}
	c->is_open = true;
	c->chunk = chunk_of(c->ch);
	if (c->from_host)
		h->from_host++;
	else
		h->from_guest++;
	if (h->params.ready)
		h->params.ready(h->params.ctx);
	watch(c);
	return 0;
}

/* The guest crashed, or broke the protocol. */
static int on_close(void *ctx)
{
	connection_end(ctx);
	return 0;
}

static void on_released(void *ctx)
{
	hvsock_remove(ctx);
}

static const struct channel_ops channel_ops = {
	.open = on_open,
	.packet = on_packet,
	.writable = on_writable,
	.close = on_close,
	.released = on_released,
};

int connection_offer(struct connection *c, const struct guid *service,
		     const struct guid *endpoint)
{
	const struct vmbus_hvsock_user_def user_def = {
		.pipe_mode = VMBUS_PIPE_TYPE_BYTE,
		.is_for_guest_accept = c->from_host,
		.version = 1,
	};
	struct channel_params p = {
		.name = "hvsock",
		.if_type = *service,
		.if_instance = *endpoint,
		.chn_flags = VMBUS_CHANNEL_ENUMERATE_DEVICE_INTERFACE |
			     VMBUS_CHANNEL_NAMED_PIPE_MODE |
			     VMBUS_CHANNEL_TLNPI_PROVIDER_OFFER,
		.order = c->h->params.order,
		.max_in =
			PACKET_HEADER + sizeof(struct vmbuspipe_hdr) + DATA_MAX,
		.max_out =
			PACKET_HEADER + sizeof(struct vmbuspipe_hdr) + DATA_MAX,
		.worker = c->h->worker,
	};
	struct channel *ch;
	int err;

	memcpy(p.user_def, &user_def, sizeof(user_def));
	ch = channel_new(c->h->params.bus, &p, &channel_ops, c);
	err = channel_offer(ch);
	if (err) {
		channel_free(ch);
		return err;
	}
	c->ch = ch;
	worker_timer_set(c->h->worker, &c->timer,
			 clock_monotonic_ns() + c->h->how.timeout_ns);
	watch(c);
	return 0;
}

struct connection *connection_new(struct hvsock *h, int fd, bool from_host)
{
	struct connection *c = g_new0(struct connection, 1);

	c->h = h;
	c->from_host = from_host;
	c->socket = (struct worker_fd){.fd = fd, .run = run_socket};
	c->timer.run = run_timer;
	c->link.data = c;
	g_queue_push_tail_link(&h->connections, &c->link);
	h->n_connections++;
	return c;
}

void connection_end(struct connection *c)
{
	if (c->is_over)
		return;
	c->is_over = true;
	c->rest_bytes = 0;
	worker_timer_stop(c->h->worker, &c->timer);
	worker_unwatch(c->h->worker, &c->socket);
	close(c->socket.fd);
	c->socket.fd = -1;
	if (c->ch)
		channel_rescind(c->ch);
	else
		hvsock_remove(c);
}

void connection_free(struct connection *c)
{
	channel_free(c->ch);
	c->h->n_connections--;
	g_free(c->rest);
	g_free(c);
}
