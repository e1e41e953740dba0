/* SPDX-License-Identifier: MIT */
/*
 * tx_frame.h - a frame of the guest, made into what the back end takes.
 *
 * Theory of operation.  Most frames go as they are, from the guest's memory.
 * Where a header has to be another (a tag goes in; IP's length and checksum,
 * which the guest leaves out of what is to be cut into segments), the first
 * bytes are copied, the copy is changed, and it goes in their place.  What is
 * left to be done is said in a struct virtio_net_hdr.
 *
 * All that is looked at is looked at in the copy.  The back end reads the rest
 * from the guest's memory; what it finds there is between it and the guest.
 *
 * Thread: any.
 */
#ifndef VSP_NET_TX_FRAME_H
#define VSP_NET_TX_FRAME_H

#include <stdint.h>

#include <linux/virtio_net.h>

#include "vsp/net/frame.h"
#include "vsp/net/ppi.h"
#include "vsp/net/stream.h"

/* Of headers that are changed; longer ones nobody sends. */
#define TX_HEAD_MAX 256u

struct tx_frame {
	struct virtio_net_hdr hdr;
	/* This instead of the guest's first bytes. */
	const uint8_t *head; /* NULL: nothing */
	uint32_t head_bytes;
	uint32_t skip; /* of the guest's */
	/* where the head is; room for a tag in front */
	uint8_t copy[FRAME_TAG + TX_HEAD_MAX];
};

/**
 * tx_frame_prepare() - what becomes of a frame
 * @data:  at the frame
 * @bytes: of the frame; at least FRAME_MIN, at most FRAME_MAX, and left
 *
 * Return: 0; -EPROTO: the guest wants something that cannot be done to it.
 */
int tx_frame_prepare(struct tx_frame *t, const struct tx_info *info,
		     const struct stream *data, uint32_t bytes);

#endif
