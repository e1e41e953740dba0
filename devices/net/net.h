/* SPDX-License-Identifier: MIT */
/*
 * net.h - what a network card is plugged into on the host: a tap, user
 * networking, a socket to another guest, nothing.
 *
 * Theory of operation.  A `struct net` is one plug: which kind it is, how many
 * queues it has, whether the link is up.  A `struct net_queue` is one thread's
 * way into it, with nothing shared on the way of a frame: a worker opens one
 * for each channel, sends from and receives into iovecs that may point to the
 * guest's memory, and looks at one descriptor, which stays the same whatever
 * happens to the host's side.
 *
 *	net_queue_send() n times, net_queue_kick() once    one batch
 *	net_queue_fd() is readable: net_queue_kick(), for what the host had no
 *		room for, then net_queue_recv() until -EAGAIN
 *
 * Frames begin with the Ethernet header and have no FCS; an 802.1Q tag is part
 * of the frame.  What is left to be done to one (its checksum, to be cut into
 * segments), or is known of it, is in a struct virtio_net_hdr, little endian,
 * as Linux has it with IFF_VNET_HDR.  A frame with a gso_type is well formed
 * as a whole: IP's lengths and header checksum are those of the large packet,
 * and TCP's or UDP's checksum field has the sum of the pseudo header, with
 * VIRTIO_NET_HDR_F_NEEDS_CSUM.  What a kind cannot do is done in software
 * here, so that a card can offer its guest the same with every kind.
 *
 * Nothing is queued here for the caller beyond what the kind itself has and
 * the rest of one frame that was begun: send says -EAGAIN, and the frame is
 * still the caller's.
 *
 * The host's side may go and come back (an interface is set down, or removed
 * and made again): the link shows it, what is sent meanwhile is lost, and the
 * queues stay as they are.
 *
 * Layer: devices/net knows no guest: no RNDIS, no channels.
 */
#ifndef DEVICES_NET_NET_H
#define DEVICES_NET_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <glib.h>
#include <linux/virtio_net.h>

/* Newer than Linux 6.1's header. */
#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif

struct net;
struct net_capture;
struct net_queue;

/* What may be left to be done to a frame: bits. */
#define NET_OFFLOAD_CSUM 0x01u /* F_NEEDS_CSUM; the others need it */
#define NET_OFFLOAD_TSO4 0x02u
#define NET_OFFLOAD_TSO6 0x04u
#define NET_OFFLOAD_USO4 0x08u
#define NET_OFFLOAD_USO6 0x10u
#define NET_OFFLOAD_ALL  0x1fu

/* The largest IPv6 packet, an Ethernet header and a tag. */
#define NET_FRAME_MAX (18u + 40u + 65535u)
/* The most pieces of a frame. */
#define NET_IOV_MAX   64u

struct net_info {
	const char *kind; /* "tap vnet0", "user", …; as long as the net */
	unsigned int max_queues; /* at least 1 */
	/* frames can come with these left to do, if net_set_offloads() says */
	unsigned int offloads;
};

const struct net_info *net_info(const struct net *n);

/** net_free() - after all of its queues */
void net_free(struct net *n);

/**
 * net_set_capture() - have all frames in a file; before the first queue
 * @capture: now its own; of what was sent, and what has come
 */
void net_set_capture(struct net *n, struct net_capture *capture);

/**
 * net_set_offloads() - what the guest takes: frames may come with it from now
 * @offloads: NET_OFFLOAD_…; at first none.  What the kind has not is ignored
 *
 * Any thread.  Frames that are under way may still be as before.
 */
void net_set_offloads(struct net *n, unsigned int offloads);

/** net_link() - is the host's side there, and the cable in?  Any thread */
bool net_link(const struct net *n);

/**
 * net_set_link() - pull the cable, or put it in again.  Any thread
 *
 * Without it nothing comes, and what is sent is lost.
 */
void net_set_link(struct net *n, bool up);

/**
 * net_on_link() - have @changed called when net_link() may be another
 * @changed: on any thread, under a lock of this module: it tells another
 *           thread, and calls nothing of net.h but net_link(); NULL: no more
 *
 * When this returns the one before is not called any more.  With no lock held
 * that @changed takes.
 */
void net_on_link(struct net *n, void (*changed)(void *ctx), void *ctx);

/* Counted over all queues.  Each number by itself is right, at any time. */
struct net_stats {
	/* from the guest; a frame that is cut into segments is one */
	uint64_t sent, sent_bytes;
	uint64_t lost; /* errors, and while the link was down */
	/* to the guest */
	uint64_t received, received_bytes;
	uint64_t discarded; /* longer than the room for it; link down */
	/* done in software */
	uint64_t checksums; /* frames */
	uint64_t segments; /* that large frames became */
};

void net_get_stats(const struct net *n, struct net_stats *stats);

/* --- queues ----------------------------------------------------------------- */

/**
 * net_queue_new() - a way into @n for one thread
 * @index: below max_queues; each once at a time
 *
 * All net_queue_… calls for it are made on that thread, but for _new and
 * _free.  Frames come to all queues that there are; which one a frame comes
 * to is the host's choice.
 *
 * Return: owned; NULL with @error set.
 */
struct net_queue *net_queue_new(struct net *n, unsigned int index,
				GError **error);
void net_queue_free(struct net_queue *q);

struct net *net_queue_net(const struct net_queue *q);

/** net_queue_fd() - readable (EPOLLIN) while what is watched for is so */
int net_queue_fd(const struct net_queue *q);

#define NET_WATCH_RECV 0x1u /* a frame may be there */
#define NET_WATCH_SEND 0x2u /* after -EAGAIN: there may be room again */

/**
 * net_queue_watch() - what makes the descriptor readable
 * @what: NET_WATCH_…; at first NET_WATCH_RECV
 *
 * Free if it is what it was.  Who does not want frames (no room for them)
 * watches for none, or its thread does not sleep.
 */
void net_queue_watch(struct net_queue *q, unsigned int what);

/**
 * net_queue_send() - one frame
 * @hdr: copied
 * @iov: read once, in this call (for a capture, once more); @n_iov is 1 to NET_IOV_MAX, together 14 to
 *       NET_FRAME_MAX bytes
 *
 * Return: 0; -EAGAIN: not taken, NET_WATCH_SEND tells when; another -errno: it
 * is lost and counted (-EINVAL: @hdr or the lengths are not as they should be,
 * -ENETDOWN: no link, …).
 */
int net_queue_send(struct net_queue *q, const struct virtio_net_hdr *hdr,
		   const struct iovec *iov, unsigned int n_iov);

/** net_queue_kick() - what was sent goes to the host, if it has not yet */
void net_queue_kick(struct net_queue *q);

/**
 * net_queue_recv() - one frame into @iov
 * @hdr:   filled in when there is one; no more in it than net_set_offloads()
 *         allows, but for F_DATA_VALID
 * @n_iov: 1 to NET_IOV_MAX
 *
 * Some kinds hold frames that the descriptor does not tell of: who ends
 * before -EAGAIN comes again by itself.
 *
 * Return: its bytes; -EAGAIN: none; -EMSGSIZE: it was longer than @iov, and is
 * discarded and counted.  Nothing else.
 */
ssize_t net_queue_recv(struct net_queue *q, struct virtio_net_hdr *hdr,
		       const struct iovec *iov, unsigned int n_iov);

#endif
