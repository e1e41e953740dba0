/* SPDX-License-Identifier: MIT */
#include "vsp/net/frame.h"

#include <string.h>

/* IPv4, RFC 791 */
#define IP4_HEADER         20u
#define IP4_FRAG           6u
#define IP4_PROTO          9u
#define IP4_CHECKSUM       10u
/* IPv6, RFC 8200 */
#define IP6_HEADER         40u
#define IP6_NEXT           6u
#define IP6_HOP_BY_HOP     0u
#define IP6_ROUTING        43u
#define IP6_FRAGMENT       44u
#define IP6_DESTINATION    60u
/* More than these before TCP nobody sends. */
#define IP6_EXTENSIONS_MAX 8u

/* Is the transport header at @at in the copy? */
static void set_transport(struct frame *f, size_t at, size_t bytes)
{
	size_t need = f->proto == FRAME_PROTO_TCP   ? FRAME_TCP_HEADER
		      : f->proto == FRAME_PROTO_UDP ? FRAME_UDP_HEADER
						    : SIZE_MAX;

	if (!f->fragment && at < bytes && need <= bytes - at)
		f->l4 = (uint16_t)at;
}

static void parse_ip4(const uint8_t *head, size_t bytes, struct frame *f)
{
	const uint8_t *ip = head + f->l3;
	size_t len;

	if (bytes - f->l3 < IP4_HEADER || ip[0] >> 4 != 4)
		return;
	len = (ip[0] & 0xFu) * 4ul;
	if (len < IP4_HEADER)
		return;
	f->ip = 4;
	f->proto = ip[IP4_PROTO];
	/* more to come, or not the first */
	f->fragment = frame_be16(ip + IP4_FRAG) & 0x3FFF;
	set_transport(f, f->l3 + len, bytes);
}

static void parse_ip6(const uint8_t *head, size_t bytes, struct frame *f)
{
	size_t at = f->l3 + IP6_HEADER;
	uint8_t next;

	if (bytes - f->l3 < IP6_HEADER || head[f->l3] >> 4 != 6)
		return;
	f->ip = 6;
	next = head[f->l3 + IP6_NEXT];
	for (unsigned int i = 0; i < IP6_EXTENSIONS_MAX; i++) {
		if (next != IP6_HOP_BY_HOP && next != IP6_ROUTING &&
		    next != IP6_DESTINATION)
			break;
		if (at + 8 > bytes)
			return;
		next = head[at];
		at += (head[at + 1] + 1u) * 8ul;
	}
	f->proto = next;
	f->fragment = next == IP6_FRAGMENT;
	set_transport(f, at, bytes);
}

void frame_parse(const uint8_t *head, size_t bytes, struct frame *f)
{
	uint16_t type;

	*f = (struct frame){0};
	if (bytes < FRAME_HEADER)
		return;
	type = frame_be16(head + FRAME_TAG_AT);
	f->l3 = FRAME_HEADER;
	if (type == FRAME_ETHERTYPE_VLAN && bytes >= FRAME_HEADER + FRAME_TAG) {
		f->tagged = true;
		f->tci = frame_be16(head + FRAME_HEADER);
		type = frame_be16(head + FRAME_TAG_AT + FRAME_TAG);
		f->l3 += FRAME_TAG;
	}
	if (type == FRAME_ETHERTYPE_IP)
		parse_ip4(head, bytes, f);
	else if (type == FRAME_ETHERTYPE_IPV6)
		parse_ip6(head, bytes, f);
}

uint32_t frame_sum(const uint8_t *data, size_t bytes, uint32_t sum)
{
	for (size_t i = 0; i + 1 < bytes; i += 2)
		sum += frame_be16(data + i);
	if (bytes % 2)
		sum += (uint32_t)data[bytes - 1] << 8;
	return sum;
}

uint16_t frame_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xFFFF) + (sum >> 16);
	return (uint16_t)sum;
}

void frame_ip_checksum(uint8_t *ip, size_t bytes)
{
	frame_put_be16(ip + IP4_CHECKSUM, 0);
	frame_put_be16(ip + IP4_CHECKSUM,
		       (uint16_t)~frame_fold(frame_sum(ip, bytes, 0)));
}
