/* SPDX-License-Identifier: MIT */
/*
 * frames.h - Ethernet frames for tests: made of parts, and looked at by code
 * of the tests' own, which has nothing in common with devices/net.
 */
#ifndef SUPPORT_FRAMES_H
#define SUPPORT_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <linux/virtio_net.h>

#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif

#define FRAME_MAX 70000u

/* What a frame is made of. */
struct frame_kind {
	const char *what;
	unsigned int tags; /* 802.1Q, the outer of two is 802.1ad */
	bool v6, udp;
	unsigned int ip_options; /* bytes of IPv4 options, multiple of 4 */
	unsigned int extensions; /* of 8, 16, 8, … bytes, IPv6 */
	unsigned int tcp_options; /* bytes, multiple of 4 */
};

struct frame {
	uint8_t bytes[FRAME_MAX];
	size_t n;
	size_t ip, l4, data;
	bool v6, udp;
};

static inline void frame_put(uint8_t *at, unsigned int bytes, uint64_t value)
{
	for (unsigned int i = 0; i < bytes; i++)
		at[i] = (uint8_t)(value >> 8 * (bytes - 1 - i));
}

static inline uint32_t frame_get(const uint8_t *at, unsigned int bytes)
{
	uint32_t value = 0;

	for (unsigned int i = 0; i < bytes; i++)
		value = value << 8 | at[i];
	return value;
}

/* RFC 1071, word by word, as slow as it is plain. */
static inline uint32_t frame_sum(const uint8_t *at, size_t bytes, uint32_t sum)
{
	for (size_t i = 0; i < bytes; i++) {
		sum += i % 2 ? at[i] : (uint32_t)at[i] << 8;
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return sum;
}

/* The sum of the pseudo header with the length that the frame has. */
static inline uint32_t frame_pseudo(const struct frame *f)
{
	uint32_t sum = (uint32_t)(f->n - f->l4) + (f->udp ? 17 : 6);

	sum = (sum & 0xffff) + (sum >> 16);
	return f->v6 ? frame_sum(f->bytes + f->ip + 8, 32, sum)
		     : frame_sum(f->bytes + f->ip + 12, 8, sum);
}

static inline uint8_t *frame_check(struct frame *f)
{
	return f->bytes + f->l4 + (f->udp ? 6 : 16);
}

static inline void frame_lengths(struct frame *f)
{
	uint8_t *ip = f->bytes + f->ip;

	if (f->v6) {
		frame_put(ip + 4, 2, f->n - f->ip - 40);
	} else {
		frame_put(ip + 2, 2, f->n - f->ip);
		frame_put(ip + 10, 2, 0);
		frame_put(ip + 10, 2,
			  ~frame_sum(ip, f->l4 - f->ip, 0) & 0xffff);
	}
	if (f->udp)
		frame_put(f->bytes + f->l4 + 4, 2, f->n - f->l4);
}

/** frame_finish() - its checksum, in full */
static inline void frame_finish(struct frame *f)
{
	uint32_t check;

	frame_put(frame_check(f), 2, 0);
	check = ~frame_sum(f->bytes + f->l4, f->n - f->l4, frame_pseudo(f)) &
		0xffff;
	frame_put(frame_check(f), 2, check ? check : 0xffff);
}

/** frame_unfinish() - only the pseudo header's sum, as for F_NEEDS_CSUM */
static inline void frame_unfinish(struct frame *f)
{
	frame_put(frame_check(f), 2, frame_pseudo(f));
}

/** frame_is_sound() - lengths and sums are what they should be */
static inline bool frame_is_sound(const struct frame *f)
{
	const uint8_t *ip = f->bytes + f->ip;

	if (f->v6 ? frame_get(ip + 4, 2) != f->n - f->ip - 40
		  : frame_get(ip + 2, 2) != f->n - f->ip ||
			    frame_sum(ip, f->l4 - f->ip, 0) != 0xffff)
		return false;
	if (f->udp && frame_get(f->bytes + f->l4 + 4, 2) != f->n - f->l4)
		return false;
	return frame_sum(f->bytes + f->l4, f->n - f->l4, frame_pseudo(f)) ==
	       0xffff;
}

static inline size_t frame_ethernet(struct frame *f, const struct frame_kind *k)
{
	static const uint8_t addresses[12] = {0x52, 0x54, 0,    1, 2, 3,
					      0x00, 0x15, 0x5d, 4, 5, 6};
	size_t at = 12;

	memcpy(f->bytes, addresses, sizeof(addresses));
	for (unsigned int i = 0; i < k->tags; i++, at += 4) {
		frame_put(f->bytes + at, 2, i + 1 < k->tags ? 0x88a8 : 0x8100);
		frame_put(f->bytes + at + 2, 2, 100 + i);
	}
	frame_put(f->bytes + at, 2, k->v6 ? 0x86dd : 0x0800);
	return at + 2;
}

static inline size_t frame_ip4(uint8_t *ip, const struct frame_kind *k)
{
	size_t bytes = 20 + k->ip_options;

	memset(ip, 1, bytes); /* options: no operation */
	frame_put(ip, 4, (0x40 + bytes / 4) << 24);
	frame_put(ip + 4, 4, 0x12ff4000); /* id, don't fragment */
	frame_put(ip + 8, 4, k->udp ? 0x40110000 : 0x40060000);
	frame_put(ip + 12, 4, 0x0a00020f);
	frame_put(ip + 16, 4, 0x0a000202);
	return bytes;
}

static inline size_t frame_ip6(uint8_t *ip, const struct frame_kind *k)
{
	static const uint8_t types[] = {0, 60, 43};
	uint8_t *next = ip + 6;
	size_t at = 40;

	frame_put(ip, 4, 0x60012345);
	frame_put(ip + 4, 4, 0x40);
	for (unsigned int i = 0; i < 32; i++)
		ip[8 + i] = (uint8_t)(0xfe - i * 3);
	for (unsigned int i = 0; i < k->extensions; i++) {
		size_t bytes = 8 + i % 2 * 8;

		*next = types[i % 3];
		memset(ip + at, 0, bytes);
		ip[at + 1] = (uint8_t)(bytes / 8 - 1);
		ip[at + 2] = 1; /* padding */
		ip[at + 3] = (uint8_t)(bytes - 4);
		next = ip + at;
		at += bytes;
	}
	*next = k->udp ? 17 : 6;
	return at;
}

/** frame_make() - one that carries @bytes, and is sound */
static inline void frame_make(struct frame *f, const struct frame_kind *k,
			      size_t bytes)
{
	uint8_t *l4;

	f->v6 = k->v6;
	f->udp = k->udp;
	f->ip = frame_ethernet(f, k);
	f->l4 = f->ip + (k->v6 ? frame_ip6(f->bytes + f->ip, k)
			       : frame_ip4(f->bytes + f->ip, k));
	f->data = f->l4 + (k->udp ? 8 : 20 + k->tcp_options);
	f->n = f->data + bytes;
	l4 = f->bytes + f->l4;
	memset(l4, 1, f->data - f->l4);
	frame_put(l4, 4, 0x1f900050);
	if (!k->udp) {
		frame_put(l4 + 4, 4, 0xffffff00); /* it wraps */
		frame_put(l4 + 8, 4, 0x01020304);
		frame_put(l4 + 12, 2, (5 + k->tcp_options / 4) << 12 | 0x99);
		frame_put(l4 + 14, 4, 0x20000000);
		frame_put(l4 + 18, 2, 0);
	}
	for (size_t i = 0; i < bytes; i++)
		f->bytes[f->data + i] = (uint8_t)(i * 31 + i / 256 * 7);
	frame_lengths(f);
	frame_finish(f);
}

/** frame_copy() - its first @bytes */
static inline void frame_copy(struct frame *to, const struct frame *f,
			      size_t bytes)
{
	memcpy(to->bytes, f->bytes, bytes);
	to->n = f->n;
	to->ip = f->ip;
	to->l4 = f->l4;
	to->data = f->data;
	to->v6 = f->v6;
	to->udp = f->udp;
}

/** frame_hdr() - what is left to do to a frame that is unfinished */
static inline struct virtio_net_hdr frame_hdr(const struct frame *f,
					      uint16_t gso_size)
{
	struct virtio_net_hdr h = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.hdr_len = (uint16_t)f->data,
		.gso_size = gso_size,
		.csum_start = (uint16_t)f->l4,
		.csum_offset = f->udp ? 6 : 16,
	};

	if (!gso_size)
		return h;
	if (f->udp)
		h.gso_type = VIRTIO_NET_HDR_GSO_UDP_L4;
	else
		h.gso_type = f->v6 ? VIRTIO_NET_HDR_GSO_TCPV6
				   : VIRTIO_NET_HDR_GSO_TCPV4;
	return h;
}

#endif
