/* SPDX-License-Identifier: MIT */
/*
 * frame.h - where the headers of an Ethernet frame are.
 *
 * Works on a private copy of the frame's first bytes; headers that are not all
 * in there count as not being there.
 *
 * Thread: any.
 */
#ifndef VSP_NET_FRAME_H
#define VSP_NET_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_MAC_BYTES      6u
#define FRAME_HEADER         14u
#define FRAME_TAG            4u
#define FRAME_TAG_AT         12u
#define FRAME_MIN            FRAME_HEADER
/* An IP packet of the greatest size, IPv6's header not counted, tagged. */
#define FRAME_MAX            (FRAME_HEADER + FRAME_TAG + 40u + 65535u)
#define FRAME_ETHERTYPE_IP   0x0800u
#define FRAME_ETHERTYPE_VLAN 0x8100u
#define FRAME_ETHERTYPE_IPV6 0x86DDu
#define FRAME_PROTO_TCP      6u
#define FRAME_PROTO_UDP      17u
#define FRAME_TCP_HEADER     20u
#define FRAME_UDP_HEADER     8u

struct frame {
	bool tagged; /* 802.1Q */
	uint16_t tci; /* of the tag */
	uint8_t ip; /* 4, 6, or 0: neither */
	bool fragment; /* of IP, the first one, too: no transport */
	uint16_t l3; /* offset of the IP header */
	uint8_t proto; /* behind IP's headers, 0 unknown */
	uint16_t l4; /* offset of TCP's or UDP's header; 0: neither is there */
};

/** frame_parse() - look at the first @bytes of a frame */
void frame_parse(const uint8_t *head, size_t bytes, struct frame *f);

static inline uint16_t frame_be16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static inline void frame_put_be16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/** frame_sum() - add bytes to a sum of 16-bit words, the Internet's way */
uint32_t frame_sum(const uint8_t *data, size_t bytes, uint32_t sum);

/** frame_fold() - the sum as 16 bits, not inverted */
uint16_t frame_fold(uint32_t sum);

/** frame_ip_checksum() - fill in the header checksum of an IPv4 header */
void frame_ip_checksum(uint8_t *ip, size_t bytes);

#endif
