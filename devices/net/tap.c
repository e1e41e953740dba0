/* SPDX-License-Identifier: MIT */
#include "devices/net/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <glib-unix.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "base/log.h"
#include "devices/net/net_impl.h"
#include "devices/net/tap_link.h"

#define LOG_CATEGORY "net"

#define HEADER_BYTES sizeof(struct virtio_net_hdr)
/* Frames of an earlier guest that are thrown away when a queue is opened. */
#define STALE_MAX    1024u
#define NAME_OF_OURS "kvmbus%d"

struct tap {
	struct net net;
	char name[IFNAMSIZ];
	bool handed_over; /* by descriptors: it cannot be opened again */
	bool multi;
	int netlink;
	guint source; /* of netlink */

	pthread_mutex_t lock; /* a leaf but for a queue's watch_lock */
	/* lock */
	int fds[NET_TAP_QUEUES_MAX]; /* -1: not open */
	struct net_queue *users[NET_TAP_QUEUES_MAX]; /* of them */
	unsigned int index; /* of the interface; 0: it is not there */
	unsigned int offloads;
};

static struct tap *to_tap(const struct net *n)
{
	return (struct tap *)n;
}

static int refuse(GError **error, const char *what, const char *name, int err)
{
	const char *hint = "";

	if (err == -EPERM || err == -EACCES)
		hint = "; it wants CAP_NET_ADMIN, or a tap that was made for "
		       "this user ('ip tuntap add')";
	else if (err == -EBUSY)
		hint = "; is it in use?";
	g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(-err),
		    "%s %s: %s%s", what, name, g_strerror(-err), hint);
	return -1;
}

/* --- frames ----------------------------------------------------------------------- */

/*
 * For each frame: as writev() and readv(), but nobody's cancellation points,
 * which in a process with threads take two atomic operations each.
 */
static ssize_t write_frame(int fd, const struct iovec *iov, unsigned int n)
{
	return syscall(SYS_writev, fd, iov, n);
}

static ssize_t read_frame(int fd, const struct iovec *iov, unsigned int n)
{
	return syscall(SYS_readv, fd, iov, n);
}

static int tap_send(struct net_queue *q, const struct virtio_net_hdr *hdr,
		    const struct iovec *iov, unsigned int n_iov)
{
	struct iovec all[NET_IOV_MAX + 1];

	all[0] = (struct iovec){(void *)hdr, HEADER_BYTES};
	memcpy(all + 1, iov, n_iov * sizeof(*iov));
	if (write_frame(q->host_fd, all, n_iov + 1) >= 0)
		return 0;
	return -errno;
}

static ssize_t tap_recv(struct net_queue *q, struct virtio_net_hdr *hdr,
			const struct iovec *iov, unsigned int n_iov)
{
	struct iovec all[NET_IOV_MAX + 2];
	size_t room = HEADER_BYTES;
	uint8_t more;
	ssize_t n;

	all[0] = (struct iovec){hdr, HEADER_BYTES};
	for (unsigned int i = 0; i < n_iov; i++) {
		all[i + 1] = iov[i];
		room += iov[i].iov_len;
	}
	/* What is cut off is not told: is there one byte more? */
	all[n_iov + 1] = (struct iovec){&more, 1};
	n = read_frame(q->host_fd, all, n_iov + 2);
	if (n <= (ssize_t)HEADER_BYTES)
		return -EAGAIN;
	return (size_t)n > room ? -EMSGSIZE : n - (ssize_t)HEADER_BYTES;
}

static void tap_set_offloads(struct net *n, unsigned int offloads)
{
	struct tap *t = to_tap(n);

	pthread_mutex_lock(&t->lock);
	t->offloads = offloads;
	/* Of the interface, whichever queue says it. */
	for (unsigned int i = 0; i < n->info.max_queues; i++)
		if (t->fds[i] >= 0 && !tap_link_offloads(t->fds[i], offloads))
			break;
	pthread_mutex_unlock(&t->lock);
}

static void tap_set_link(struct net *n, bool up)
{
	struct tap *t = to_tap(n);

	pthread_mutex_lock(&t->lock);
	/* The host can see it; older kernels have no way. */
	if (t->fds[0] >= 0)
		tap_link_carrier(t->fds[0], up);
	pthread_mutex_unlock(&t->lock);
}

/* --- queues ------------------------------------------------------------------------ */

static void throw_away(int fd)
{
	uint8_t byte[HEADER_BYTES];

	for (unsigned int i = 0; i < STALE_MAX; i++)
		if (read(fd, byte, sizeof(byte)) <= 0)
			return;
}

/* A file that is no tap, and has nothing to say. */
static int idle_file(void)
{
	return socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static int open_interface(struct tap *t)
{
	bool multi = t->multi;
	int fd = tap_link_open(t->name, &multi);

	if (fd >= 0 && multi != t->multi) {
		close(fd);
		return -EBUSY; /* another than it was */
	}
	return fd;
}

/* Under the lock.  Return: the queue's file, or -errno. */
static int queue_file(struct tap *t, unsigned int index)
{
	int *fd = &t->fds[index];

	if (*fd >= 0) {
		if (index && t->multi)
			tap_link_attach(*fd, true);
		return *fd;
	}
	/* Without an interface it waits for one, as the others do. */
	*fd = t->index ? open_interface(t) : idle_file();
	if (*fd < 0) {
		int err = *fd;

		*fd = -1;
		return t->index ? err : -errno;
	}
	if (t->index)
		tap_link_offloads(*fd, t->offloads);
	return *fd;
}

static int queue_open(struct net_queue *q, GError **error)
{
	struct tap *t = to_tap(q->net);
	int fd;

	pthread_mutex_lock(&t->lock);
	fd = queue_file(t, q->index);
	if (fd >= 0) {
		throw_away(fd);
		q->host_fd = fd;
		t->users[q->index] = q;
	}
	pthread_mutex_unlock(&t->lock);
	return fd < 0 ? refuse(error, "tap", t->name, fd) : 0;
}

/* The first stays, as without one a tap of ours would go. */
static void queue_close(struct net_queue *q)
{
	struct tap *t = to_tap(q->net);
	unsigned int i = q->index;

	pthread_mutex_lock(&t->lock);
	t->users[i] = NULL;
	if (i && t->handed_over) {
		tap_link_attach(t->fds[i], false);
	} else if (i) {
		close(t->fds[i]);
		t->fds[i] = -1;
	}
	pthread_mutex_unlock(&t->lock);
}

/* --- an interface that goes and comes ------------------------------------------------ */

/* Put @fd, which is closed then, behind a queue's descriptor. */
static void replace_file(struct tap *t, unsigned int i, int fd)
{
	net_queue_replace_file(t->users[i], t->fds[i], fd);
}

static void go(struct tap *t)
{
	log_info("%s: the interface is gone", t->name);
	t->index = 0;
	for (unsigned int i = 0; i < t->net.info.max_queues; i++) {
		int fd = t->fds[i] >= 0 ? idle_file() : -1;

		if (fd >= 0)
			replace_file(t, i, fd);
	}
}

static void come(struct tap *t, unsigned int index)
{
	for (unsigned int i = 0; i < t->net.info.max_queues; i++) {
		int fd = t->fds[i] >= 0 ? open_interface(t) : -1;

		if (fd >= 0) {
			tap_link_offloads(fd, t->offloads);
			replace_file(t, i, fd);
		} else if (t->fds[i] >= 0) {
			log_warn("%s: there again, and cannot be opened: %s",
				 t->name, g_strerror(-fd));
			return;
		}
	}
	log_info("%s: the interface is there again", t->name);
	t->index = index;
	if (!__atomic_load_n(&t->net.cable, __ATOMIC_RELAXED))
		tap_link_carrier(t->fds[0], false);
}

/* What became of the interface? */
static void look(struct tap *t)
{
	unsigned int index = if_nametoindex(t->name);
	bool up;

	pthread_mutex_lock(&t->lock);
	if (t->index && t->index != index)
		go(t);
	if (index && !t->index && !t->handed_over)
		come(t, index);
	up = t->index && tap_link_is_up(t->name) == 1;
	pthread_mutex_unlock(&t->lock);
	net_set_carrier(&t->net, up);
}

static gboolean on_netlink(gint fd, GIOCondition condition, gpointer tap)
{
	uint8_t message[4096];

	(void)condition;
	/* Whatever it says, and also if some was lost. */
	while (recv(fd, message, sizeof(message), MSG_DONTWAIT) > 0 ||
	       errno == ENOBUFS)
		;
	look(tap);
	return G_SOURCE_CONTINUE;
}

static void listen_to_netlink(struct tap *t)
{
	struct sockaddr_nl address = {.nl_family = AF_NETLINK,
				      .nl_groups = RTMGRP_LINK};

	t->netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (t->netlink < 0 ||
	    bind(t->netlink, (struct sockaddr *)&address, sizeof(address))) {
		log_warn("%s: changes of the link are not seen: %s", t->name,
			 g_strerror(errno));
		return;
	}
	t->source = g_unix_fd_add(t->netlink, G_IO_IN, on_netlink, t);
}

/* --- life ---------------------------------------------------------------------------- */

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

static void tap_free(struct net *n)
{
	struct tap *t = to_tap(n);

	net_clear(n);
	if (t->source)
		g_source_remove(t->source);
	close_fd(t->netlink);
	for (unsigned int i = 0; i < NET_TAP_QUEUES_MAX; i++)
		close_fd(t->fds[i]);
	pthread_mutex_destroy(&t->lock);
	g_free(t);
}

static const struct net_ops tap_ops = {
	.queue_size = sizeof(struct net_queue),
	.queue_open = queue_open,
	.queue_close = queue_close,
	.send = tap_send,
	.recv = tap_recv,
	.set_offloads = tap_set_offloads,
	.set_link = tap_set_link,
	.free = tap_free,
};

/* An interface that was not there before. */
static int set_up(const struct tap *t, const struct net_tap_options *o,
		  GError **error)
{
	unsigned int mtu = o->mtu;
	int err = 0;

	if (o->bridge) {
		err = tap_link_add_to(t->name, o->bridge);
		if (err)
			return refuse(error, "bridge", o->bridge, err);
	}
	/* Or the bridge's becomes as small as ours. */
	if (!mtu && o->bridge)
		mtu = (unsigned int)MAX(tap_link_get_mtu(o->bridge), 0);
	if (mtu)
		err = tap_link_set_mtu(t->name, mtu);
	if (!err)
		err = tap_link_up(t->name);
	return err ? refuse(error, "tap", t->name, err) : 0;
}

static int open_by_name(struct tap *t, const struct net_tap_options *o,
			GError **error)
{
	bool was_there = o->name && if_nametoindex(o->name);
	int fd;

	if (o->bridge && !if_nametoindex(o->bridge)) {
		g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NODEV,
			    "bridge %s: there is none", o->bridge);
		return -1;
	}
	g_strlcpy(t->name, o->name ? o->name : NAME_OF_OURS, IFNAMSIZ);
	t->multi = o->queues > 1;
	fd = tap_link_open(t->name, &t->multi);
	if (fd < 0)
		return refuse(error, "tap", o->name ? o->name : "of ours", fd);
	t->fds[0] = fd;
	t->net.info.max_queues =
		t->multi ? CLAMP(o->queues, 1, NET_TAP_QUEUES_MAX) : 1;
	return was_there ? 0 : set_up(t, o, error);
}

static int take_over(struct tap *t, const struct net_tap_options *o,
		     GError **error)
{
	for (unsigned int i = 0; i < o->n_fds; i++) {
		g_autofree char *number = g_strdup_printf("%d", o->fds[i]);
		int err = tap_link_prepare(o->fds[i]);

		if (!err)
			err = tap_link_name(o->fds[i], t->name, &t->multi);
		if (!err && i)
			err = tap_link_attach(o->fds[i], false);
		if (err == -EINVAL || err == -ENOTTY || err == -EBADFD) {
			g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
				    "descriptor %s: no tap with IFF_VNET_HDR",
				    number);
			return -1;
		}
		if (err)
			return refuse(error, "descriptor", number, err);
	}
	t->handed_over = true;
	t->net.info.max_queues = o->n_fds;
	return 0;
}

/* Which of them are there?  The last is newer than others. */
static void find_offloads(struct tap *t)
{
	unsigned int all = NET_OFFLOAD_ALL;

	if (tap_link_offloads(t->fds[0], all))
		all &= ~(NET_OFFLOAD_USO4 | NET_OFFLOAD_USO6);
	tap_link_offloads(t->fds[0], 0);
	t->net.info.offloads = all;
	t->net.takes_offloads = all;
}

struct net *net_tap_new(const struct net_tap_options *options, GError **error)
{
	struct tap *t = g_new0(struct tap, 1);
	g_autofree char *kind = NULL;
	int failed;

	net_init(&t->net, &tap_ops, "tap", 1);
	pthread_mutex_init(&t->lock, NULL);
	t->netlink = -1;
	for (unsigned int i = 0; i < NET_TAP_QUEUES_MAX; i++)
		t->fds[i] = i < options->n_fds ? options->fds[i] : -1;
	failed = options->n_fds ? take_over(t, options, error)
				: open_by_name(t, options, error);
	if (failed) {
		tap_free(&t->net);
		return NULL;
	}
	kind = g_strdup_printf("tap %s", t->name);
	net_set_kind(&t->net, kind);
	find_offloads(t);
	t->index = if_nametoindex(t->name);
	listen_to_netlink(t);
	/* One of another network namespace is up, for all that we know. */
	if (t->index)
		look(t);
	return &t->net;
}
