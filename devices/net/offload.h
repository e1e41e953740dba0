/* SPDX-License-Identifier: MIT */
/*
 * offload.h - what network cards do to frames: checksums, segments.
 *
 * Frames are plain memory that nobody else writes to, with what is left to do
 * in a struct virtio_net_hdr as net.h says.  They may have 802.1Q and 802.1ad
 * tags, IPv4 options and IPv6 extension headers.  Nothing of them is trusted:
 * what is wrong is -EINVAL, and nothing was written.
 *
 * Sources: RFC 1071 (the sum), 791, 8200, 9293, 768; Linux
 * net/ipv4/tcp_offload.c:tcp_gso_segment(), udp_offload.c, net/core/dev.c:
 * skb_checksum_help().
 */
#ifndef DEVICES_NET_OFFLOAD_H
#define DEVICES_NET_OFFLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include <linux/virtio_net.h>

/**
 * offload_sum() - the sum of RFC 1071, not yet folded and in the host's order
 * @bytes: an odd one counts as if a zero were behind it
 * @sum:   what to begin with
 */
uint64_t offload_sum(const void *data, size_t bytes, uint64_t sum);

/** offload_fold() - of any such sum, the 16 bits; not inverted */
uint16_t offload_fold(uint64_t sum);

/* Where a frame's headers are. */
struct offload_headers {
	size_t ip; /* where IP begins */
	size_t l4; /* … and TCP or UDP */
	size_t data; /* … and what they carry */
	uint8_t protocol; /* IPPROTO_TCP or IPPROTO_UDP */
	bool is_v6;
};

/**
 * offload_parse() - find them
 * @bytes: of @frame that are there; headers must be, all of them
 *
 * Return: 0; -EINVAL: it is no TCP or UDP, or a fragment, or cut off.
 */
int offload_parse(const uint8_t *frame, size_t bytes,
		  struct offload_headers *headers);

/**
 * offload_checksum() - finish the checksum of F_NEEDS_CSUM
 *
 * Whatever protocol it is.  Return: 0; -EINVAL: it would not be in the frame.
 */
int offload_checksum(uint8_t *frame, size_t bytes,
		     const struct virtio_net_hdr *hdr);

/**
 * offload_prepare_gso() - make the headers of a large frame what net.h says
 * @head:        the beginning of the frame, with all headers
 * @frame_bytes: of all of it
 *
 * IP's lengths and header checksum, UDP's length and the sum of the pseudo
 * header, which senders that leave segmentation to others leave out or have
 * for another length.
 *
 * Return: 0; -EINVAL.
 */
int offload_prepare_gso(uint8_t *head, size_t head_bytes, size_t frame_bytes);

/* --- segments --------------------------------------------------------------- */

/* Ethernet, two tags, 60 of IPv4 or 40 and extensions of IPv6, 60 of TCP. */
#define OFFLOAD_HEADERS_MAX 512u

/* A large frame on its way to be segments. */
struct offload_segments {
	const uint8_t *frame;
	size_t bytes;
	struct offload_headers headers;
	size_t at; /* of what is carried, from the frame's beginning */
	uint32_t n; /* made */
	uint16_t size; /* of what one carries, at most */
	uint16_t pseudo; /* the sum of the pseudo header without a length */
	/* the segment's; good until the next */
	uint8_t head[OFFLOAD_HEADERS_MAX];
};

/**
 * offload_segments_init() - begin to cut @frame
 * @frame: used until the last segment was made
 *
 * Return: 0; -EINVAL.
 */
int offload_segments_init(struct offload_segments *s, const uint8_t *frame,
			  size_t bytes, const struct virtio_net_hdr *hdr);

/**
 * offload_segments_next() - the next one, with nothing left to do
 * @iov: its headers and its part of what the frame carries, which may be
 *       nothing
 *
 * Return: its bytes; 0: there are no more.
 */
size_t offload_segments_next(struct offload_segments *s, struct iovec iov[2]);

#endif
