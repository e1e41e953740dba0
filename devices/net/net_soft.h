/* SPDX-License-Identifier: MIT */
/*
 * net_soft.h - checksums and segments for a kind of net that has none.
 *
 * Theory of operation.  The frame is copied, as its memory is the guest's and
 * a checksum over bytes that change is none; then it is finished, or cut, by
 * offload.h, and what comes out is sent as frames with nothing left to do.  If
 * the host has no room for all of them the rest waits here: one frame's.
 *
 * Thread: the queue's.
 */
#ifndef DEVICES_NET_NET_SOFT_H
#define DEVICES_NET_NET_SOFT_H

#include "devices/net/net.h"

struct net_soft;

/**
 * net_soft_send() - send a frame that @q's kind cannot finish
 * @work: NET_OFFLOAD_… that it wants
 *
 * After net_soft_flush().  Return: as net_queue_send().
 */
int net_soft_send(struct net_queue *q, const struct virtio_net_hdr *hdr,
		  const struct iovec *iov, unsigned int n_iov,
		  unsigned int work);

/** net_soft_flush() - send the rest of it; Return: 0; -EAGAIN: some is left */
int net_soft_flush(struct net_queue *q);

/** net_soft_has_rest() - is some left? */
bool net_soft_has_rest(const struct net_soft *soft);

void net_soft_free(struct net_soft *soft);

#endif
