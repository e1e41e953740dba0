/* SPDX-License-Identifier: MIT */
/*
 * net_frames.h - frames with TCP or UDP in them, and sums over them that share
 * nothing with what is tested.
 */
#ifndef SUPPORT_NET_FRAMES_H
#define SUPPORT_NET_FRAMES_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct net_flow {
	bool ip6, udp;
	uint8_t host; /* last byte of the source address */
	uint16_t port; /* source */
};

static inline void net_put16(uint8_t *at, uint32_t v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

static inline uint32_t net_get16(const uint8_t *at)
{
	return (uint32_t)at[0] << 8 | at[1];
}

/* RFC 1071, a byte at a time. */
static inline uint32_t net_sum16(const uint8_t *at, size_t bytes, uint32_t sum)
{
	for (size_t i = 0; i < bytes; i++) {
		sum += i % 2 ? at[i] : (uint32_t)at[i] << 8;
		sum = (sum & 0xFFFF) + (sum >> 16);
	}
	return sum;
}

static inline uint32_t net_l4(const struct net_flow *f)
{
	return f->ip6 ? 54 : 34;
}

/* Of the addresses and the protocol, without a length. */
static inline uint32_t net_pseudo_sum(const uint8_t *frame,
				      const struct net_flow *f)
{
	uint32_t sum = f->udp ? 17 : 6;

	return f->ip6 ? net_sum16(frame + 22, 32, sum)
		      : net_sum16(frame + 26, 8, sum);
}

/* Is TCP's or UDP's checksum right?  For a frame without a tag. */
static inline bool net_l4_is_good(const uint8_t *frame, uint32_t bytes,
				  const struct net_flow *f)
{
	uint32_t l4 = net_l4(f), sum = net_pseudo_sum(frame, f);

	sum = net_sum16(frame + l4, bytes - l4, sum + (bytes - l4));
	return (sum & 0xFFFF) + (sum >> 16) == 0xFFFF;
}

/*
 * A packet of @payload bytes; IP is whole, the field of the checksum has the
 * sum of the pseudo header.  Return: bytes of the frame.
 */
static inline uint32_t net_packet_of(uint8_t *at, const uint8_t *to,
				     const struct net_flow *f, uint32_t payload)
{
	uint32_t l4 = net_l4(f), header = f->udp ? 8 : 20;
	uint32_t bytes = l4 + header + payload, sum;
	uint8_t *ip = at + 14, *t = at + l4;

	memset(at, 0, l4 + header);
	memcpy(at, to, 6);
	at[6] = 2;
	net_put16(at + 12, f->ip6 ? 0x86DD : 0x0800);
	if (f->ip6) {
		ip[0] = 0x60;
		net_put16(ip + 4, header + payload);
		ip[6] = f->udp ? 17 : 6;
		ip[8] = 0xFD;
		ip[23] = f->host;
		ip[24] = 0xFD;
		ip[39] = 1;
	} else {
		ip[0] = 0x45;
		net_put16(ip + 2, 20 + header + payload);
		ip[8] = 64;
		ip[9] = f->udp ? 17 : 6;
		ip[12] = 10;
		ip[15] = f->host;
		ip[16] = 10;
		ip[19] = 1;
		net_put16(ip + 10, ~net_sum16(ip, 20, 0) & 0xFFFF);
	}
	net_put16(t, f->port);
	net_put16(t + 2, 80);
	if (f->udp)
		net_put16(t + 4, header + payload);
	else
		t[12] = 0x50;
	for (uint32_t i = 0; i < payload; i++)
		at[l4 + header + i] = (uint8_t)(i * 11 + (i >> 8));
	sum = net_pseudo_sum(at, f) + header + payload;
	net_put16(t + (f->udp ? 6 : 16), (sum & 0xFFFF) + (sum >> 16));
	return bytes;
}

#endif
