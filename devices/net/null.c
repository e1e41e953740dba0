/* SPDX-License-Identifier: MIT */
#include "devices/net/null.h"

#include <errno.h>

#include "devices/net/net_impl.h"

static int queue_open(struct net_queue *q, GError **error)
{
	(void)q;
	(void)error;
	return 0;
}

static void queue_close(struct net_queue *q)
{
	(void)q;
}

/* There is no link, so net.c does not come here. */
static int null_send(struct net_queue *q, const struct virtio_net_hdr *hdr,
		     const struct iovec *iov, unsigned int n_iov)
{
	(void)q;
	(void)hdr;
	(void)iov;
	(void)n_iov;
	return -ENETDOWN;
}

static ssize_t null_recv(struct net_queue *q, struct virtio_net_hdr *hdr,
			 const struct iovec *iov, unsigned int n_iov)
{
	(void)q;
	(void)hdr;
	(void)iov;
	(void)n_iov;
	return -EAGAIN;
}

static void null_free(struct net *n)
{
	net_clear(n);
	g_free(n);
}

static const struct net_ops null_ops = {
	.queue_size = sizeof(struct net_queue),
	.queue_open = queue_open,
	.queue_close = queue_close,
	.send = null_send,
	.recv = null_recv,
	.free = null_free,
};

struct net *net_null_new(unsigned int queues)
{
	struct net *n = g_new0(struct net, 1);

	net_init(n, &null_ops, "null", queues);
	n->takes_offloads = NET_OFFLOAD_ALL;
	n->carrier = false;
	return n;
}
