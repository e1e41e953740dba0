/* SPDX-License-Identifier: MIT */
#include "devices/net/user.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <slirp/libslirp.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "devices/net/frame_fifo.h"
#include "devices/net/net_impl.h"

#define LOG_CATEGORY "net"

/* Of the socket pair, each way: several large frames. */
#define SOCKET_BYTES   (1 << 20)
/* What waits for the guest; from so many on nothing is read for it. */
#define BACKLOG_BYTES  (1u << 20)
#define BACKLOG_FRAMES 256u
/* Frames of the guest that are looked at before the host's sockets are. */
#define FRAMES_AT_ONCE 64u
#define MTU_DEFAULT    1500u
#define PREFIX_DEFAULT 24u

/* Where in the network slirp, its name server and the guest are. */
#define HOST_ROUTER 2u
#define HOST_DNS    3u
#define HOST_GUEST  15u

enum {
	POLL_FRAMES, /* the socket to the guest */
	POLL_STOP,
	N_POLLS,
};

struct user {
	struct net net;
	int guest_fd, host_fd; /* the ends of the socket pair */
	int stop_fd;
	pthread_t thread;
	bool started;
	struct in_addr guest; /* the first address of DHCP */

	/* the thread's */
	Slirp *slirp;
	GArray *polls; /* struct pollfd */
	struct frame_fifo *backlog;
	unsigned int n_backlog;
	bool timer_armed;
	int64_t timer_ms;
	SlirpTimerId timer_id;
	void *timer_ctx;
	uint64_t dropped; /* frames for the guest */
	uint8_t frame[NET_FRAME_MAX];
};

static struct user *to_user(struct net *n)
{
	return (struct user *)n;
}

/* --- frames for the guest: slirp's thread ----------------------------------------- */

static bool try_send(struct user *u, const void *frame, size_t bytes)
{
	ssize_t n;

	do
		n = send(u->host_fd, frame, bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n >= 0 || (errno != EAGAIN && errno != ENOBUFS);
}

static void send_backlog(struct user *u)
{
	struct frame_record r;

	while (frame_fifo_peek(u->backlog, &r)) {
		if (!try_send(u, r.frame, r.frame_bytes))
			return;
		frame_fifo_pop(u->backlog);
		u->n_backlog--;
	}
}

static ssize_t on_frame(const void *frame, size_t bytes, void *ctx)
{
	const struct iovec iov = {(void *)frame, bytes};
	struct user *u = ctx;

	if (!u->n_backlog && try_send(u, frame, bytes))
		return (ssize_t)bytes;
	if (frame_fifo_put(u->backlog, NULL, &iov, 1))
		u->n_backlog++;
	else if (!u->dropped++)
		log_debug("frames for the guest are dropped");
	return (ssize_t)bytes;
}

static bool is_behind(const struct user *u)
{
	return u->n_backlog > BACKLOG_FRAMES;
}

/* --- what else slirp wants ------------------------------------------------------------ */

static void on_guest_error(const char *text, void *ctx)
{
	(void)ctx;
	log_debug_ratelimited("user networking: %s", text);
}

static int64_t now_ns(void *ctx)
{
	(void)ctx;
	return (int64_t)clock_monotonic_ns();
}

static int64_t now_ms(void)
{
	return (int64_t)(clock_monotonic_ns() / NSEC_PER_MSEC);
}

/* It has one timer, for router advertisements. */
static void *timer_new(SlirpTimerId id, void *timer_ctx, void *ctx)
{
	struct user *u = ctx;

	u->timer_id = id;
	u->timer_ctx = timer_ctx;
	return u;
}

static void timer_free(void *timer, void *ctx)
{
	struct user *u = ctx;

	(void)timer;
	u->timer_armed = false;
}

static void timer_set(void *timer, int64_t expire_ms, void *ctx)
{
	struct user *u = ctx;

	(void)timer;
	u->timer_armed = true;
	u->timer_ms = expire_ms;
}

static void run_timer(struct user *u)
{
	if (!u->timer_armed || now_ms() < u->timer_ms)
		return;
	u->timer_armed = false;
	slirp_handle_timer(u->slirp, u->timer_id, u->timer_ctx);
}

static void poll_fd_ignored(int fd, void *ctx)
{
	(void)fd;
	(void)ctx;
}

/* All calls of slirp are made on its thread: it is awake. */
static void nothing_to_notify(void *ctx)
{
	(void)ctx;
}

static const SlirpCb callbacks = {
	.send_packet = on_frame,
	.guest_error = on_guest_error,
	.clock_get_ns = now_ns,
	.timer_new_opaque = timer_new,
	.timer_free = timer_free,
	.timer_mod = timer_set,
	.register_poll_fd = poll_fd_ignored,
	.unregister_poll_fd = poll_fd_ignored,
	.notify = nothing_to_notify,
};

/* --- the thread ------------------------------------------------------------------------- */

static int add_poll(int fd, int events, void *ctx)
{
	struct user *u = ctx;
	struct pollfd p = {.fd = fd};

	if (events & SLIRP_POLL_IN && !is_behind(u))
		p.events |= POLLIN;
	if (events & SLIRP_POLL_OUT)
		p.events |= POLLOUT;
	if (events & SLIRP_POLL_PRI && !is_behind(u))
		p.events |= POLLPRI;
	/* A socket that is not wanted now must not wake us by an error. */
	if (!p.events)
		p.fd = -1;
	g_array_append_val(u->polls, p);
	return (int)u->polls->len - 1;
}

static int get_revents(int index, void *ctx)
{
	const struct user *u = ctx;
	short revents = g_array_index(u->polls, struct pollfd, index).revents;
	int events = 0;

	if (revents & POLLIN)
		events |= SLIRP_POLL_IN;
	if (revents & POLLOUT)
		events |= SLIRP_POLL_OUT;
	if (revents & POLLPRI)
		events |= SLIRP_POLL_PRI;
	if (revents & POLLERR)
		events |= SLIRP_POLL_ERR;
	if (revents & POLLHUP)
		events |= SLIRP_POLL_HUP;
	return events;
}

static void take_frames(struct user *u)
{
	for (unsigned int i = 0; i < FRAMES_AT_ONCE; i++) {
		ssize_t n = recv(u->host_fd, u->frame, sizeof(u->frame),
				 MSG_DONTWAIT);

		if (n <= 0)
			return;
		slirp_input(u->slirp, u->frame, (int)n);
	}
}

static int timeout_ms(const struct user *u, uint32_t slirps)
{
	int64_t timeout = slirps == UINT32_MAX ? -1 : (int64_t)slirps;
	int64_t left = u->timer_ms - now_ms();

	if (u->timer_armed && (timeout < 0 || left < timeout))
		timeout = MAX(left, 0);
	return (int)MIN(timeout, INT32_MAX);
}

/* Return: false: it is over. */
static bool run_once(struct user *u)
{
	uint32_t timeout = UINT32_MAX;
	struct pollfd polls[N_POLLS] = {
		[POLL_FRAMES] = {.fd = u->host_fd, .events = POLLIN},
		[POLL_STOP] = {.fd = u->stop_fd, .events = POLLIN},
	};
	const struct pollfd *p;
	int n;

	if (u->n_backlog)
		polls[POLL_FRAMES].events |= POLLOUT;
	g_array_set_size(u->polls, 0);
	g_array_append_vals(u->polls, polls, N_POLLS);
	slirp_pollfds_fill(u->slirp, &timeout, add_poll, u);
	n = poll((struct pollfd *)(void *)u->polls->data, u->polls->len,
		 timeout_ms(u, timeout));
	if (n < 0 && errno != EINTR)
		return false;
	p = &g_array_index(u->polls, struct pollfd, 0);
	if (n > 0 && p[POLL_STOP].revents)
		return false;
	send_backlog(u);
	if (n > 0 && p[POLL_FRAMES].revents & POLLIN)
		take_frames(u);
	slirp_pollfds_poll(u->slirp, n < 0, get_revents, u);
	run_timer(u);
	return true;
}

static void *run(void *ctx)
{
	struct user *u = ctx;

	while (run_once(u))
		;
	return NULL;
}

/* --- queues ------------------------------------------------------------------------------- */

static int queue_open(struct net_queue *q, GError **error)
{
	(void)error;
	q->host_fd = to_user(q->net)->guest_fd;
	return 0;
}

static void queue_close(struct net_queue *q)
{
	(void)q; /* the descriptor stays, and so do the guest's connections */
}

static int user_send(struct net_queue *q, const struct virtio_net_hdr *hdr,
		     const struct iovec *iov, unsigned int n_iov)
{
	const struct msghdr message = {.msg_iov = (struct iovec *)iov,
				       .msg_iovlen = n_iov};

	(void)hdr; /* only large TCP, which slirp takes as it is */
	if (sendmsg(q->host_fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return 0;
	return errno == ENOBUFS ? -EAGAIN : -errno;
}

static ssize_t user_recv(struct net_queue *q, struct virtio_net_hdr *hdr,
			 const struct iovec *iov, unsigned int n_iov)
{
	struct msghdr message = {.msg_iov = (struct iovec *)iov,
				 .msg_iovlen = n_iov};
	ssize_t n = recvmsg(q->host_fd, &message, MSG_DONTWAIT);

	if (n <= 0)
		return -EAGAIN;
	if (message.msg_flags & MSG_TRUNC)
		return -EMSGSIZE;
	/* It was made in this process. */
	hdr->flags = VIRTIO_NET_HDR_F_DATA_VALID;
	return n;
}

/* --- life --------------------------------------------------------------------------------- */

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

static void user_free(struct net *n)
{
	struct user *u = to_user(n);
	uint64_t one = 1;

	net_clear(n);
	if (u->started) {
		while (write(u->stop_fd, &one, sizeof(one)) < 0 &&
		       errno == EINTR)
			;
		pthread_join(u->thread, NULL);
	}
	if (u->slirp)
		slirp_cleanup(u->slirp);
	close_fd(u->guest_fd);
	close_fd(u->host_fd);
	close_fd(u->stop_fd);
	frame_fifo_free(u->backlog);
	g_array_free(u->polls, TRUE);
	g_free(u);
}

static const struct net_ops user_ops = {
	.queue_size = sizeof(struct net_queue),
	.queue_open = queue_open,
	.queue_close = queue_close,
	.send = user_send,
	.recv = user_recv,
	.free = user_free,
};

static struct in_addr host_of(struct in_addr network, uint32_t host)
{
	return (struct in_addr){htonl(ntohl(network.s_addr) + host)};
}

static struct in6_addr host6_of(struct in6_addr network, uint8_t host)
{
	network.s6_addr[15] = host;
	return network;
}

static void configure(struct user *u, SlirpConfig *c,
		      const struct net_user_options *o)
{
	unsigned int prefix = o->network.s_addr ? o->prefix : PREFIX_DEFAULT;
	struct in_addr network = {o->network.s_addr ? o->network.s_addr
						    : inet_addr("10.0.2.0")};
	struct in6_addr network6 = o->network6;
	uint32_t hosts = UINT32_MAX >> prefix;

	if (IN6_IS_ADDR_UNSPECIFIED(&network6))
		inet_pton(AF_INET6, "fec0::", &network6);
	network.s_addr &= htonl(~hosts);
	/* A small network has no place 15. */
	u->guest = host_of(network, MIN(HOST_GUEST, hosts - 1));
	*c = (SlirpConfig){
		.version = 4,
		.restricted = o->restricted,
		.in_enabled = true,
		.vnetwork = network,
		.vnetmask.s_addr = htonl(~hosts),
		.vhost = host_of(network, HOST_ROUTER),
		.vnameserver = host_of(network, HOST_DNS),
		.vdhcp_start = u->guest,
		.in6_enabled = !o->no_ipv6,
		.vprefix_addr6 = network6,
		.vprefix_len = 64,
		.vhost6 = host6_of(network6, HOST_ROUTER),
		.vnameserver6 = host6_of(network6, HOST_DNS),
		.vhostname = o->hostname,
		.if_mtu = o->mtu ? o->mtu : MTU_DEFAULT,
		.if_mru = o->mtu ? o->mtu : MTU_DEFAULT,
	};
}

static socklen_t address_bytes(const struct sockaddr_storage *a)
{
	return a->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
					: sizeof(struct sockaddr_in);
}

static int refuse_forward(const struct net_forward *f, GError **error)
{
	int err = errno;
	char host[INET6_ADDRSTRLEN] = "";
	const struct sockaddr_in *v4 = (const void *)&f->host;
	const struct sockaddr_in6 *v6 = (const void *)&f->host;

	if (f->host.ss_family == AF_INET6)
		inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof(host));
	else
		inet_ntop(AF_INET, &v4->sin_addr, host, sizeof(host));
	/* The port is at the same place in both. */
	g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(err),
		    "user networking: cannot forward %s port %u of %s: %s",
		    f->udp ? "UDP" : "TCP", ntohs(v4->sin_port), host,
		    g_strerror(err));
	return -1;
}

static int add_forward(struct user *u, const struct net_forward *f,
		       GError **error)
{
	int flags = f->udp ? SLIRP_HOSTFWD_UDP : 0;
	struct sockaddr_storage guest = f->guest;
	struct sockaddr_in *v4 = (void *)&guest;

	if (guest.ss_family == AF_INET && !v4->sin_addr.s_addr)
		v4->sin_addr = u->guest;
	if (f->host.ss_family == AF_INET6)
		flags |= SLIRP_HOSTFWD_V6ONLY;
	if (slirp_add_hostxfwd(u->slirp, (const void *)&f->host,
			       address_bytes(&f->host), (const void *)&guest,
			       address_bytes(&guest), flags))
		return refuse_forward(f, error);
	return 0;
}

static int open_fds(struct user *u)
{
	const int bytes = SOCKET_BYTES;
	int pair[2];

	u->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (u->stop_fd < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -errno;
	u->guest_fd = pair[0];
	u->host_fd = pair[1];
	/* As much as the host allows. */
	for (unsigned int i = 0; i < 2; i++)
		setsockopt(pair[i], SOL_SOCKET, SO_SNDBUF, &bytes,
			   sizeof(bytes));
	return 0;
}

static int start(struct user *u, const struct net_user_options *o,
		 GError **error)
{
	SlirpConfig config;
	int err = open_fds(u);

	if (!err) {
		configure(u, &config, o);
		u->slirp = slirp_new(&config, &callbacks, u);
		err = u->slirp ? 0 : -EINVAL;
	}
	for (unsigned int i = 0; !err && i < o->n_forwards; i++)
		if (add_forward(u, &o->forwards[i], error))
			return -1;
	if (!err)
		err = thread_start(&u->thread, "net/user", run, u);
	u->started = !err;
	if (err)
		g_set_error(error, G_FILE_ERROR,
			    (gint)g_file_error_from_errno(-err),
			    "user networking: %s", g_strerror(-err));
	return err ? -1 : 0;
}

struct net *net_user_new(const struct net_user_options *options, GError **error)
{
	struct user *u = g_new0(struct user, 1);

	net_init(&u->net, &user_ops, "user", 1);
	/* ip6_input() refuses what is longer than the MTU, ip_input() not. */
	u->net.takes_offloads = NET_OFFLOAD_TSO4;
	u->guest_fd = u->host_fd = u->stop_fd = -1;
	u->polls = g_array_new(FALSE, TRUE, sizeof(struct pollfd));
	u->backlog = frame_fifo_new(BACKLOG_BYTES, 0);
	if (!start(u, options, error))
		return &u->net;
	user_free(&u->net);
	return NULL;
}
