/* SPDX-License-Identifier: MIT */
/*
 * net_impl.h - what net.c and the back ends know of each other.
 *
 * Theory of operation.  net.c has all that is the same everywhere: it checks
 * arguments, keeps the link, does in software what the kind cannot, and
 * counts.  A back end embeds `struct net` and `struct net_queue` at the
 * start of its own, and sees frames of a proper length only, with nothing left
 * to be done to them but what its takes_offloads says.
 *
 * The descriptor of a queue is an epoll set of its own, so that what is behind
 * it can change while another epoll set watches it.  In it is what the back
 * end has in q->host_fd, if any, for what is watched for; a back end that has
 * more of them brings its own watch().
 *
 * Thread: send(), kick() and recv() on the queue's.
 */
#ifndef DEVICES_NET_NET_IMPL_H
#define DEVICES_NET_NET_IMPL_H

#include "devices/net/net.h"

#include <pthread.h>

struct net_ops {
	size_t queue_size; /* of the struct that begins with net_queue */
	/* Sets q->host_fd.  Return: 0; -1 with @error, nothing left over. */
	int (*queue_open)(struct net_queue *q, GError **error);
	void (*queue_close)(struct net_queue *q); /* and host_fd */
	/* As net_queue_send(), but that nothing is counted. */
	int (*send)(struct net_queue *q, const struct virtio_net_hdr *hdr,
		    const struct iovec *iov, unsigned int n_iov);
	void (*kick)(struct net_queue *q); /* NULL: nothing waits */
	/* As net_queue_recv(); @hdr is zeroed. */
	ssize_t (*recv)(struct net_queue *q, struct virtio_net_hdr *hdr,
			const struct iovec *iov, unsigned int n_iov);
	/* NULL: host_fd.  On any thread, under the queue's watch_lock. */
	void (*watch)(struct net_queue *q, unsigned int what);
	void (*set_offloads)(struct net *n,
			     unsigned int offloads); /* or NULL */
	/* The cable is pulled or put in; NULL: the host need not know. */
	void (*set_link)(struct net *n, bool up);
	void (*free)(struct net *n); /* calls net_clear(), first */
};

struct net {
	/* set before the first queue */
	const struct net_ops *ops;
	char *kind;
	struct net_info info;
	unsigned int
		takes_offloads; /* what it can do to a frame that is sent */

	struct net_capture *capture; /* NULL: none; owned */

	/* atomic */
	bool cable, carrier; /* both: the link is up */

	pthread_mutex_t lock; /* a leaf */
	/* lock */
	struct net_queue *queues;
	struct net_stats past; /* of queues that are gone */

	pthread_mutex_t link_lock; /* held while changed() runs */
	/* link_lock */
	void (*changed)(void *ctx);
	void *changed_ctx;
};

/* Segments of one frame that the host has not all taken yet: net_soft.c's. */
struct net_soft;

struct net_queue {
	struct net *net;
	unsigned int index;
	int fd; /* the epoll set */
	int host_fd; /* the back end's; -1: none */

	struct net_queue *next; /* net.lock */

	pthread_mutex_t
		watch_lock; /* a leaf; taken when what is watched changes */
	/* watch_lock; changed on the queue's thread */
	unsigned int watched; /* NET_WATCH_… */
	bool has_rest; /* watch for room, whether or not the user does */

	/* the queue's thread */
	struct net_soft *soft; /* NULL until it is needed */

	/* written by the queue's thread, atomically; read by any */
	struct net_stats stats;
};

/** net_init() - @n is zeroed; @kind is copied; the carrier is there */
void net_init(struct net *n, const struct net_ops *ops, const char *kind,
	      unsigned int max_queues);

/** net_set_kind() - it is known better by now; before anybody else sees it */
void net_set_kind(struct net *n, const char *kind);

/** net_clear() - the mirror of net_init() */
void net_clear(struct net *n);

/** net_set_carrier() - the host's side is there, or not.  Any thread, no lock */
void net_set_carrier(struct net *n, bool up);

/**
 * net_queue_replace_file() - put @fd, which is closed then, behind @host_fd
 * @q: whose it is; NULL: no queue's
 *
 * The old file is not watched any more, even if somebody else has it open.
 * Any thread.
 */
void net_queue_replace_file(struct net_queue *q, int host_fd, int fd);

/**
 * net_queue_set_rest() - something that was taken waits for room
 *
 * It is the descriptor's reason to be readable, and goes in kick().
 */
void net_queue_set_rest(struct net_queue *q, bool has_rest);

/** net_count() - add to one of the numbers of q->stats */
static inline void net_count(uint64_t *number, uint64_t n)
{
	__atomic_store_n(number, *number + n, __ATOMIC_RELAXED);
}

#endif
