/* SPDX-License-Identifier: MIT */
#include "devices/net/net_soft.h"

#include <errno.h>
#include <string.h>

#include "devices/net/net_impl.h"
#include "devices/net/offload.h"

#define SEGMENTS (NET_OFFLOAD_ALL & ~NET_OFFLOAD_CSUM)

struct net_soft {
	uint8_t frame[NET_FRAME_MAX];
	struct offload_segments segments;
	/* the one that is to be sent next; no bytes: there is none */
	struct iovec iov[2];
	size_t bytes;
};

void net_soft_free(struct net_soft *soft)
{
	g_free(soft);
}

static size_t copy_frame(struct net_soft *soft, const struct iovec *iov,
			 unsigned int n_iov)
{
	size_t bytes = 0;

	/* Of a length that net.c has checked. */
	for (unsigned int i = 0; i < n_iov; i++) {
		if (iov[i].iov_len)
			memcpy(soft->frame + bytes, iov[i].iov_base,
			       iov[i].iov_len);
		bytes += iov[i].iov_len;
	}
	return bytes;
}

static int send_segment(struct net_queue *q)
{
	static const struct virtio_net_hdr nothing;
	const struct net_soft *soft = q->soft;

	return q->net->ops->send(q, &nothing, soft->iov,
				 soft->iov[1].iov_len ? 2 : 1);
}

static void next_segment(struct net_queue *q)
{
	struct net_soft *soft = q->soft;

	soft->bytes = offload_segments_next(&soft->segments, soft->iov);
	if (soft->bytes)
		net_count(&q->stats.segments, 1);
}

int net_soft_flush(struct net_queue *q)
{
	struct net_soft *soft = q->soft;

	if (!soft->bytes)
		return 0;
	while (soft->bytes) {
		if (send_segment(q) == -EAGAIN) {
			net_queue_set_rest(q, true);
			return -EAGAIN;
		}
		/* One that is lost is lost alone, as on a wire. */
		next_segment(q);
	}
	net_queue_set_rest(q, false);
	return 0;
}

bool net_soft_has_rest(const struct net_soft *soft)
{
	return soft->bytes != 0;
}

/* The whole frame is refused if its first segment is. */
static int send_segments(struct net_queue *q)
{
	struct net_soft *soft = q->soft;
	int err;

	soft->bytes = offload_segments_next(&soft->segments, soft->iov);
	err = send_segment(q);
	if (err) {
		soft->bytes = 0;
		return err;
	}
	net_count(&q->stats.segments, 1);
	next_segment(q);
	net_soft_flush(q);
	return 0;
}

/* Give the rest of the work to the kind, without the checksum. */
static int send_checked(struct net_queue *q, const struct virtio_net_hdr *hdr,
			size_t bytes)
{
	struct virtio_net_hdr rest = *hdr;
	const struct iovec iov = {q->soft->frame, bytes};
	int err;

	rest.flags = (uint8_t)(rest.flags & ~VIRTIO_NET_HDR_F_NEEDS_CSUM);
	rest.csum_start = 0;
	rest.csum_offset = 0;
	err = q->net->ops->send(q, &rest, &iov, 1);
	if (!err)
		net_count(&q->stats.checksums, 1);
	return err;
}

int net_soft_send(struct net_queue *q, const struct virtio_net_hdr *hdr,
		  const struct iovec *iov, unsigned int n_iov,
		  unsigned int work)
{
	struct net_soft *soft;
	size_t bytes;

	if (!q->soft)
		q->soft = g_new0(struct net_soft, 1);
	soft = q->soft;
	bytes = copy_frame(soft, iov, n_iov);
	if (work & SEGMENTS & ~q->net->takes_offloads) {
		if (offload_segments_init(&soft->segments, soft->frame, bytes,
					  hdr))
			return -EINVAL;
		return send_segments(q);
	}
	if (offload_checksum(soft->frame, bytes, hdr))
		return -EINVAL;
	return send_checked(q, hdr, bytes);
}
