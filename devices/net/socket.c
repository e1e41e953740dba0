/* SPDX-License-Identifier: MIT */
#include "devices/net/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <glib-unix.h>

#include "base/descriptors.h"
#include "base/log.h"
#include "devices/net/net_impl.h"
#include "devices/net/stream_address.h"

#define LOG_CATEGORY "net"

#define LENGTH_BYTES 4u
#define BUFFER_BYTES (256u << 10)
#define FRAME_MIN    14u
/* To look again for a peer that was not there. */
#define RETRY_MS     200

/* Bytes from @from to @to. */
struct buffer {
	size_t from, to;
	uint8_t bytes[BUFFER_BYTES];
};

struct sock {
	struct net net;
	char *path; /* as the user has it; NULL: it came by descriptor */
	struct stream_address address; /* of it */
	bool listens;
	int listener; /* -1: none */
	int pending; /* it is not connected yet; -1: none */
	guint listener_source, retry_source, pending_source; /* main */

	pthread_mutex_t lock; /* a leaf but for the queue's watch_lock */
	/* lock */
	int fd; /* always open: the connection, or idle */
	bool connected;
	guint ended_source; /* the main thread is about to hear of it */
	struct net_queue *user; /* NULL: none */

	unsigned int generation; /* of the connection; atomic */

	/* the queue's thread; the next queue goes on with them */
	unsigned int buffered; /* generation of what is in the buffers */
	struct buffer in, out;
};

static struct sock *to_sock(const struct net *n)
{
	return (struct sock *)n;
}

/* --- connections -------------------------------------------------------------------- */

static int idle_file(void)
{
	return socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/* Put @fd, which is closed then, behind the descriptor.  Under the lock. */
static void replace_file(struct sock *s, int fd, bool connected)
{
	if (fd < 0)
		return; /* no more descriptors: it ends anew, and is tried */
	/*
	 * First: the queue's thread may read at any time, and the file that
	 * was idle had nothing to say.
	 */
	__atomic_fetch_add(&s->generation, 1, __ATOMIC_RELEASE);
	net_queue_replace_file(s->user, s->fd, fd);
	s->connected = connected;
}

static void connect_later(struct sock *s);

/* Main thread. */
static gboolean on_ended(gpointer sock)
{
	struct sock *s = sock;
	bool again;

	pthread_mutex_lock(&s->lock);
	s->ended_source = 0;
	again = s->connected;
	pthread_mutex_unlock(&s->lock);
	if (again) /* the other was quicker */
		return G_SOURCE_REMOVE;
	net_set_carrier(&s->net, false);
	if (s->path && !s->listens)
		connect_later(s);
	return G_SOURCE_REMOVE;
}

/* The queue's thread: the connection is no more. */
static void end(struct net_queue *q)
{
	struct sock *s = to_sock(q->net);

	pthread_mutex_lock(&s->lock);
	if (s->connected &&
	    s->buffered == __atomic_load_n(&s->generation, __ATOMIC_RELAXED)) {
		replace_file(s, idle_file(), false);
		if (!s->ended_source)
			s->ended_source = g_idle_add_full(G_PRIORITY_DEFAULT,
							  on_ended, s, NULL);
	}
	pthread_mutex_unlock(&s->lock);
}

static void begin(struct sock *s, int fd)
{
	stream_settle(fd);
	pthread_mutex_lock(&s->lock);
	replace_file(s, fd, true);
	pthread_mutex_unlock(&s->lock);
	net_set_carrier(&s->net, true);
}

static gboolean watch_listener(gpointer sock);

static gboolean on_connection(gint listener, GIOCondition condition,
			      gpointer sock)
{
	struct sock *s = sock;
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	bool taken;

	(void)condition;
	if (fd < 0 && descriptors_are_out(errno)) {
		s->listener_source = g_timeout_add(RETRY_MS, watch_listener, s);
		return G_SOURCE_REMOVE;
	}
	if (fd < 0)
		return G_SOURCE_CONTINUE;
	pthread_mutex_lock(&s->lock);
	taken = s->connected;
	pthread_mutex_unlock(&s->lock);
	if (taken) {
		log_warn("%s: refused a second connection", s->path);
		close(fd);
	} else {
		begin(s, fd);
	}
	return G_SOURCE_CONTINUE;
}

static gboolean watch_listener(gpointer sock)
{
	struct sock *s = sock;

	s->listener_source =
		g_unix_fd_add(s->listener, G_IO_IN, on_connection, s);
	return G_SOURCE_REMOVE;
}

static gboolean on_pending(gint fd, GIOCondition condition, gpointer sock)
{
	struct sock *s = sock;

	(void)condition;
	s->pending = -1;
	s->pending_source = 0;
	if (stream_connected(fd)) {
		close(fd);
		connect_later(s);
	} else {
		begin(s, fd);
	}
	return G_SOURCE_REMOVE;
}

/* Return: false: the other is not there. */
static bool try_connect(struct sock *s)
{
	bool pending;
	int fd = stream_connect(&s->address, &pending);

	if (fd < 0)
		return false;
	if (!pending) {
		begin(s, fd);
		return true;
	}
	s->pending = fd;
	s->pending_source = g_unix_fd_add(fd, G_IO_OUT, on_pending, s);
	return true;
}

static gboolean on_retry(gpointer sock)
{
	struct sock *s = sock;

	if (!try_connect(s))
		return G_SOURCE_CONTINUE;
	s->retry_source = 0;
	return G_SOURCE_REMOVE;
}

static void connect_later(struct sock *s)
{
	if (!s->retry_source)
		s->retry_source = g_timeout_add(RETRY_MS, on_retry, s);
}

/* --- frames to the other ----------------------------------------------------------- */

/* What belongs to a connection that has ended goes with it. */
static struct sock *current(struct net_queue *q)
{
	struct sock *s = to_sock(q->net);
	unsigned int now = __atomic_load_n(&s->generation, __ATOMIC_ACQUIRE);

	if (s->buffered != now) {
		s->buffered = now;
		s->in.from = s->in.to = 0;
		s->out.from = s->out.to = 0;
		net_queue_set_rest(q, false);
	}
	return s;
}

static void sock_kick(struct net_queue *q)
{
	struct buffer *out = &current(q)->out;
	ssize_t n = 0;

	while (out->from < out->to) {
		n = send(q->host_fd, out->bytes + out->from,
			 out->to - out->from, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0)
			break;
		out->from += (size_t)n;
	}
	if (out->from == out->to)
		out->from = out->to = 0;
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		end(q);
	else
		net_queue_set_rest(q, out->from < out->to);
}

static bool has_room(const struct buffer *b, size_t bytes)
{
	return bytes <= BUFFER_BYTES - b->to;
}

static void compact(struct buffer *b)
{
	memmove(b->bytes, b->bytes + b->from, b->to - b->from);
	b->to -= b->from;
	b->from = 0;
}

static int sock_send(struct net_queue *q, const struct virtio_net_hdr *hdr,
		     const struct iovec *iov, unsigned int n_iov)
{
	struct buffer *out = &current(q)->out;
	size_t bytes = 0;
	uint32_t length;

	(void)hdr; /* nothing is left to do */
	for (unsigned int i = 0; i < n_iov; i++)
		bytes += iov[i].iov_len;
	if (!has_room(out, LENGTH_BYTES + bytes)) {
		sock_kick(q);
		compact(out);
	}
	if (!has_room(out, LENGTH_BYTES + bytes))
		return -EAGAIN;
	length = htonl((uint32_t)bytes);
	memcpy(out->bytes + out->to, &length, LENGTH_BYTES);
	out->to += LENGTH_BYTES;
	for (unsigned int i = 0; i < n_iov; i++) {
		if (iov[i].iov_len)
			memcpy(out->bytes + out->to, iov[i].iov_base,
			       iov[i].iov_len);
		out->to += iov[i].iov_len;
	}
	return 0;
}

/* --- frames from the other --------------------------------------------------------- */

/* Return: the bytes of the frame that is next; 0: it is not all there. */
static size_t next_frame(const struct buffer *in)
{
	size_t have = in->to - in->from, bytes;
	uint32_t length;

	if (have < LENGTH_BYTES)
		return 0;
	memcpy(&length, in->bytes + in->from, LENGTH_BYTES);
	bytes = ntohl(length);
	return bytes <= have - LENGTH_BYTES ? bytes : 0;
}

/* Is what stands where a length should be none? */
static bool is_nonsense(const struct buffer *in)
{
	uint32_t length;

	if (in->to - in->from < LENGTH_BYTES)
		return false;
	memcpy(&length, in->bytes + in->from, LENGTH_BYTES);
	return ntohl(length) < FRAME_MIN || ntohl(length) > NET_FRAME_MAX;
}

/* Return: false: nothing came. */
static bool fill(struct net_queue *q, struct buffer *in)
{
	ssize_t n;

	compact(in);
	n = recv(q->host_fd, in->bytes + in->to, BUFFER_BYTES - in->to,
		 MSG_DONTWAIT);
	if (n > 0) {
		in->to += (size_t)n;
		return true;
	}
	if (!n || (errno != EAGAIN && errno != EINTR))
		end(q);
	return false;
}

static size_t scatter(const struct iovec *iov, unsigned int n_iov,
		      const uint8_t *frame, size_t bytes)
{
	size_t done = 0;

	for (unsigned int i = 0; i < n_iov; i++) {
		size_t piece = MIN(iov[i].iov_len, bytes - done);

		if (piece)
			memcpy(iov[i].iov_base, frame + done, piece);
		done += piece;
	}
	return done;
}

static ssize_t sock_recv(struct net_queue *q, struct virtio_net_hdr *hdr,
			 const struct iovec *iov, unsigned int n_iov)
{
	struct buffer *in = &current(q)->in;
	const uint8_t *frame;
	size_t bytes;

	(void)hdr;
	while (!(bytes = next_frame(in)) && !is_nonsense(in))
		if (!fill(q, in))
			return -EAGAIN;
	if (is_nonsense(in)) {
		log_warn_ratelimited("%s: not the length of a frame; the "
				     "connection is ended",
				     q->net->kind);
		end(q);
		return -EAGAIN;
	}
	frame = in->bytes + in->from + LENGTH_BYTES;
	in->from += LENGTH_BYTES + bytes;
	if (scatter(iov, n_iov, frame, bytes) < bytes)
		return -EMSGSIZE;
	return (ssize_t)bytes;
}

/* --- life --------------------------------------------------------------------------- */

static int queue_open(struct net_queue *q, GError **error)
{
	struct sock *s = to_sock(q->net);

	(void)error;
	pthread_mutex_lock(&s->lock);
	q->host_fd = s->fd;
	s->user = q;
	pthread_mutex_unlock(&s->lock);
	net_queue_set_rest(q, s->out.from < s->out.to);
	return 0;
}

static void queue_close(struct net_queue *q)
{
	struct sock *s = to_sock(q->net);

	pthread_mutex_lock(&s->lock);
	s->user = NULL;
	pthread_mutex_unlock(&s->lock);
}

static void remove_source(guint source)
{
	if (source)
		g_source_remove(source);
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

static void sock_free(struct net *n)
{
	struct sock *s = to_sock(n);

	net_clear(n);
	remove_source(s->listener_source);
	remove_source(s->retry_source);
	remove_source(s->pending_source);
	remove_source(s->ended_source);
	if (s->listener >= 0 && !stream_address_is_tcp(s->path))
		unlink(s->path);
	close_fd(s->listener);
	close_fd(s->pending);
	close_fd(s->fd);
	pthread_mutex_destroy(&s->lock);
	g_free(s->path);
	g_free(s);
}

static const struct net_ops sock_ops = {
	.queue_size = sizeof(struct net_queue),
	.queue_open = queue_open,
	.queue_close = queue_close,
	.send = sock_send,
	.kick = sock_kick,
	.recv = sock_recv,
	.free = sock_free,
};

static int start_listening(struct sock *s)
{
	int fd = stream_listen(s->path, &s->address);

	if (fd < 0)
		return fd; /* what is there is not ours */
	s->listener = fd;
	watch_listener(s);
	return 0;
}

static int take_over(struct sock *s, int fd)
{
	int type, flags = fcntl(fd, F_GETFL);
	socklen_t size = sizeof(type);

	if (flags < 0 || getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size))
		return -errno;
	if (type != SOCK_STREAM)
		return -EPROTOTYPE;
	if (fcntl(fd, F_SETFL, flags | O_NONBLOCK))
		return -errno;
	begin(s, fd);
	return 0;
}

static int start(struct sock *s, const struct net_socket_options *o)
{
	s->fd = idle_file();
	if (s->fd < 0)
		return -errno;
	if (!s->path)
		return take_over(s, o->fd);
	if (s->listens)
		return start_listening(s);
	if (!try_connect(s))
		connect_later(s);
	return 0;
}

static struct net *refuse(struct sock *s, const struct net_socket_options *o)
{
	if (!s->path)
		close_fd(o->fd);
	sock_free(&s->net);
	return NULL;
}

struct net *net_socket_new(const struct net_socket_options *options,
			   GError **error)
{
	struct sock *s = g_new0(struct sock, 1);
	g_autofree char *kind =
		options->path ? g_strdup_printf("socket %s", options->path)
			      : g_strdup("socket");
	int err;

	net_init(&s->net, &sock_ops, kind, 1);
	pthread_mutex_init(&s->lock, NULL);
	s->net.carrier = false;
	s->path = g_strdup(options->path);
	s->listens = options->listen;
	s->fd = s->listener = s->pending = -1;
	if (s->path && stream_address_parse(s->path, &s->address, error)) {
		g_prefix_error(error, "socket ");
		return refuse(s, options);
	}
	err = start(s, options);
	if (!err)
		return &s->net;
	g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(-err),
		    "%s: %s", kind, g_strerror(-err));
	return refuse(s, options);
}
