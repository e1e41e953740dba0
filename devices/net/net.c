/* SPDX-License-Identifier: MIT */
#include "devices/net/net.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/counters.h"
#include "devices/net/capture.h"
#include "devices/net/net_impl.h"
#include "devices/net/net_soft.h"

/* A frame that is shorter than its own header is none. */
#define FRAME_MIN    14u
/* Frames that are thrown away in one call: then others have their turn. */
#define DISCARDS_MAX 64u

/* --- plugs ---------------------------------------------------------------- */

void net_init(struct net *n, const struct net_ops *ops, const char *kind,
	      unsigned int max_queues)
{
	n->ops = ops;
	n->kind = g_strdup(kind);
	n->info = (struct net_info){
		.kind = n->kind,
		.max_queues = max_queues,
	};
	n->cable = true;
	n->carrier = true;
	pthread_mutex_init(&n->lock, NULL);
	pthread_mutex_init(&n->link_lock, NULL);
}

void net_set_kind(struct net *n, const char *kind)
{
	g_free(n->kind);
	n->kind = g_strdup(kind);
	n->info.kind = n->kind;
}

void net_clear(struct net *n)
{
	assert(!n->queues);
	net_capture_free(n->capture);
	pthread_mutex_destroy(&n->link_lock);
	pthread_mutex_destroy(&n->lock);
	g_free(n->kind);
}

const struct net_info *net_info(const struct net *n)
{
	return &n->info;
}

void net_set_capture(struct net *n, struct net_capture *capture)
{
	net_capture_free(n->capture);
	n->capture = capture;
}

void net_free(struct net *n)
{
	if (n)
		n->ops->free(n);
}

void net_set_offloads(struct net *n, unsigned int offloads)
{
	offloads &= n->info.offloads;
	if (!(offloads & NET_OFFLOAD_CSUM))
		offloads = 0;
	if (n->ops->set_offloads)
		n->ops->set_offloads(n, offloads);
}

/* --- the link ------------------------------------------------------------- */

bool net_link(const struct net *n)
{
	return __atomic_load_n(&n->cable, __ATOMIC_RELAXED) &&
	       __atomic_load_n(&n->carrier, __ATOMIC_RELAXED);
}

static void set_link_bit(struct net *n, bool *bit, bool up)
{
	bool was;

	pthread_mutex_lock(&n->link_lock);
	was = net_link(n);
	__atomic_store_n(bit, up, __ATOMIC_RELAXED);
	if (net_link(n) != was && n->changed)
		n->changed(n->changed_ctx);
	pthread_mutex_unlock(&n->link_lock);
}

void net_set_link(struct net *n, bool up)
{
	set_link_bit(n, &n->cable, up);
	if (n->ops->set_link)
		n->ops->set_link(n, up);
}

void net_set_carrier(struct net *n, bool up)
{
	set_link_bit(n, &n->carrier, up);
}

void net_on_link(struct net *n, void (*changed)(void *ctx), void *ctx)
{
	pthread_mutex_lock(&n->link_lock);
	n->changed = changed;
	n->changed_ctx = ctx;
	pthread_mutex_unlock(&n->link_lock);
}

/* --- numbers -------------------------------------------------------------- */

void net_get_stats(const struct net *n, struct net_stats *stats)
{
	/* The lock is no part of what the caller may not change. */
	pthread_mutex_t *lock = (pthread_mutex_t *)&n->lock;

	pthread_mutex_lock(lock);
	*stats = n->past;
	for (const struct net_queue *q = n->queues; q; q = q->next)
		counters_add(stats, &q->stats, sizeof(*stats));
	pthread_mutex_unlock(lock);
}

/* --- queues ----------------------------------------------------------------- */

/* Have the epoll set hold host_fd for what it is wanted for. */
static void update_watch(struct net_queue *q)
{
	struct epoll_event event = {0};

	if (q->watched & NET_WATCH_RECV)
		event.events |= EPOLLIN;
	if (q->watched & NET_WATCH_SEND || q->has_rest)
		event.events |= EPOLLOUT;
	/* A file that is not in the set cannot wake it by an error either. */
	if (!event.events)
		epoll_ctl(q->fd, EPOLL_CTL_DEL, q->host_fd, &event);
	else if (epoll_ctl(q->fd, EPOLL_CTL_MOD, q->host_fd, &event))
		epoll_ctl(q->fd, EPOLL_CTL_ADD, q->host_fd, &event);
}

static void rewatch(struct net_queue *q)
{
	pthread_mutex_lock(&q->watch_lock);
	if (q->net->ops->watch)
		q->net->ops->watch(q, q->watched);
	else if (q->host_fd >= 0)
		update_watch(q);
	pthread_mutex_unlock(&q->watch_lock);
}

void net_queue_replace_file(struct net_queue *q, int host_fd, int fd)
{
	struct epoll_event unused = {0};

	if (!q) {
		dup3(fd, host_fd, O_CLOEXEC);
	} else {
		pthread_mutex_lock(&q->watch_lock);
		epoll_ctl(q->fd, EPOLL_CTL_DEL, host_fd, &unused);
		dup3(fd, host_fd, O_CLOEXEC);
		update_watch(q);
		pthread_mutex_unlock(&q->watch_lock);
	}
	close(fd);
}

void net_queue_set_rest(struct net_queue *q, bool has_rest)
{
	if (q->has_rest == has_rest)
		return;
	pthread_mutex_lock(&q->watch_lock);
	q->has_rest = has_rest;
	pthread_mutex_unlock(&q->watch_lock);
	rewatch(q);
}

static int open_queue(struct net_queue *q, GError **error)
{
	q->fd = epoll_create1(EPOLL_CLOEXEC);
	if (q->fd < 0) {
		g_set_error(error, G_FILE_ERROR,
			    (gint)g_file_error_from_errno(errno),
			    "%s: epoll: %s", q->net->kind, g_strerror(errno));
		return -1;
	}
	if (!q->net->ops->queue_open(q, error))
		return 0;
	close(q->fd);
	return -1;
}

struct net_queue *net_queue_new(struct net *n, unsigned int index,
				GError **error)
{
	struct net_queue *q = g_malloc0(n->ops->queue_size);

	assert(index < n->info.max_queues);
	q->net = n;
	q->index = index;
	q->host_fd = -1;
	q->watched = NET_WATCH_RECV;
	pthread_mutex_init(&q->watch_lock, NULL);
	if (open_queue(q, error)) {
		pthread_mutex_destroy(&q->watch_lock);
		g_free(q);
		return NULL;
	}
	rewatch(q);
	pthread_mutex_lock(&n->lock);
	q->next = n->queues;
	n->queues = q;
	pthread_mutex_unlock(&n->lock);
	return q;
}

void net_queue_free(struct net_queue *q)
{
	struct net_queue **at;
	struct net *n;

	if (!q)
		return;
	n = q->net;
	pthread_mutex_lock(&n->lock);
	for (at = &n->queues; *at != q; at = &(*at)->next)
		;
	*at = q->next;
	counters_add(&n->past, &q->stats, sizeof(n->past));
	pthread_mutex_unlock(&n->lock);
	n->ops->queue_close(q);
	close(q->fd);
	net_soft_free(q->soft);
	pthread_mutex_destroy(&q->watch_lock);
	g_free(q);
}

struct net *net_queue_net(const struct net_queue *q)
{
	return q->net;
}

int net_queue_fd(const struct net_queue *q)
{
	return q->fd;
}

void net_queue_watch(struct net_queue *q, unsigned int what)
{
	if (q->watched == what)
		return;
	pthread_mutex_lock(&q->watch_lock);
	q->watched = what;
	pthread_mutex_unlock(&q->watch_lock);
	rewatch(q);
}

/* --- frames ------------------------------------------------------------------- */

/* Return: its bytes; 0: it is no frame. */
static size_t frame_bytes(const struct iovec *iov, unsigned int n_iov)
{
	size_t bytes = 0;

	if (!n_iov || n_iov > NET_IOV_MAX)
		return 0;
	for (unsigned int i = 0; i < n_iov; i++) {
		if (iov[i].iov_len > NET_FRAME_MAX - bytes)
			return 0;
		bytes += iov[i].iov_len;
	}
	return bytes < FRAME_MIN ? 0 : bytes;
}

/* What is to be done to it; 0 with @known false: nobody knows. */
static unsigned int work_of(const struct virtio_net_hdr *hdr, bool *known)
{
	unsigned int csum =
		hdr->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM ? NET_OFFLOAD_CSUM : 0;

	*known = true;
	switch (hdr->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
	case VIRTIO_NET_HDR_GSO_NONE:
		return csum;
	case VIRTIO_NET_HDR_GSO_TCPV4:
		*known = csum && hdr->gso_size;
		return csum | NET_OFFLOAD_TSO4;
	case VIRTIO_NET_HDR_GSO_TCPV6:
		*known = csum && hdr->gso_size;
		return csum | NET_OFFLOAD_TSO6;
	case VIRTIO_NET_HDR_GSO_UDP_L4:
		/* Which of them is in the frame: who takes one takes both. */
		*known = csum && hdr->gso_size;
		return csum | NET_OFFLOAD_USO4 | NET_OFFLOAD_USO6;
	default:
		*known = false;
		return 0;
	}
}

static int send_frame(struct net_queue *q, const struct virtio_net_hdr *hdr,
		      const struct iovec *iov, unsigned int n_iov, size_t bytes)
{
	bool known;
	unsigned int work = work_of(hdr, &known);

	if (!bytes || !known)
		return -EINVAL;
	if (!net_link(q->net))
		return -ENETDOWN;
	if (q->soft && net_soft_flush(q))
		return -EAGAIN;
	if (work & ~q->net->takes_offloads)
		return net_soft_send(q, hdr, iov, n_iov, work);
	return q->net->ops->send(q, hdr, iov, n_iov);
}

int net_queue_send(struct net_queue *q, const struct virtio_net_hdr *hdr,
		   const struct iovec *iov, unsigned int n_iov)
{
	size_t bytes = frame_bytes(iov, n_iov);
	int err = send_frame(q, hdr, iov, n_iov, bytes);

	if (!err) {
		if (q->net->capture)
			net_capture_add(q->net->capture, true, iov, n_iov,
					bytes);
		net_count(&q->stats.sent, 1);
		net_count(&q->stats.sent_bytes, bytes);
	} else if (err != -EAGAIN) {
		net_count(&q->stats.lost, 1);
	}
	return err;
}

void net_queue_kick(struct net_queue *q)
{
	if (q->soft)
		net_soft_flush(q);
	if (q->net->ops->kick)
		q->net->ops->kick(q);
	/* The kind knows of its own rest only. */
	if (q->soft && net_soft_has_rest(q->soft))
		net_queue_set_rest(q, true);
}

/* The cable is out: what comes goes nowhere. */
static void discard(struct net_queue *q, const struct iovec *iov,
		    unsigned int n_iov)
{
	struct virtio_net_hdr hdr;

	for (unsigned int i = 0; i < DISCARDS_MAX; i++) {
		ssize_t bytes = q->net->ops->recv(q, &hdr, iov, n_iov);

		if (bytes < 0 && bytes != -EMSGSIZE)
			return;
		net_count(&q->stats.discarded, 1);
	}
}

ssize_t net_queue_recv(struct net_queue *q, struct virtio_net_hdr *hdr,
		       const struct iovec *iov, unsigned int n_iov)
{
	ssize_t bytes;

	assert(n_iov && n_iov <= NET_IOV_MAX);
	if (!net_link(q->net)) {
		discard(q, iov, n_iov);
		return -EAGAIN;
	}
	memset(hdr, 0, sizeof(*hdr));
	bytes = q->net->ops->recv(q, hdr, iov, n_iov);
	if (bytes > 0) {
		if (q->net->capture)
			net_capture_add(q->net->capture, false, iov, n_iov,
					(size_t)bytes);
		net_count(&q->stats.received, 1);
		net_count(&q->stats.received_bytes, (uint64_t)bytes);
		return bytes;
	}
	if (bytes != -EMSGSIZE)
		return -EAGAIN;
	net_count(&q->stats.discarded, 1);
	return bytes;
}
