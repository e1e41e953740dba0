/* SPDX-License-Identifier: MIT */
#include "devices/net/offload.h"

#include <errno.h>
#include <string.h>

#include <netinet/in.h>

#include <glib.h>

/* Bytes of headers, and where in them something is. */
#define ETH_BYTES     14u
#define ETH_TYPE      12u
#define TAG_BYTES     4u
#define TAGS_MAX      2u
#define IP4_BYTES     20u
#define IP4_LENGTH    2u
#define IP4_ID        4u
#define IP4_FRAGMENT  6u
#define IP4_PROTOCOL  9u
#define IP4_CHECK     10u
#define IP4_ADDRESSES 12u
#define IP6_BYTES     40u
#define IP6_LENGTH    4u
#define IP6_NEXT      6u
#define IP6_ADDRESSES 8u
#define TCP_BYTES     20u
#define TCP_SEQ       4u
#define TCP_DOFF      12u
#define TCP_FLAGS     13u
#define TCP_CHECK     16u
#define UDP_BYTES     8u
#define UDP_LENGTH    4u
#define UDP_CHECK     6u

#define TYPE_IP4           0x0800u
#define TYPE_IP6           0x86ddu
#define TYPE_TAG           0x8100u
#define TYPE_SERVICE_TAG   0x88a8u
#define IP4_FRAGMENT_BITS  0x3fffu /* more of them, or not the first */
#define TCP_FIN            0x01u
#define TCP_PSH            0x08u
#define TCP_CWR            0x80u
#define IP6_EXTENSIONS_MAX 8u

static uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static void put16(uint8_t *at, size_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static uint32_t get32(const uint8_t *at)
{
	return (uint32_t)get16(at) << 16 | get16(at + 2);
}

static void put32(uint8_t *at, uint32_t value)
{
	put16(at, value >> 16);
	put16(at + 2, value & 0xffff);
}

/* --- sums --------------------------------------------------------------------- */

static uint64_t add(uint64_t sum, uint64_t more)
{
	sum += more;
	return sum + (sum < more);
}

/* What a register holds without being asked for more than x86-64 has. */
typedef uint64_t lanes __attribute__((vector_size(16)));

/*
 * The words of 32 bits of both halves: no carry is lost before there are 2^32.
 */
static inline lanes words_at(const uint8_t *at)
{
	lanes v;

	memcpy(&v, at, sizeof(v));
	return (v & 0xffffffff) + (v >> 32);
}

#define STRIDE (4 * sizeof(lanes))

/* Four sums go on side by side, without carries: half the time of one with. */
uint64_t offload_sum(const void *data, size_t bytes, uint64_t sum)
{
	const uint8_t *at = data;
	lanes a = {0}, b = {0}, c = {0}, d = {0};
	uint64_t rest[STRIDE / sizeof(uint64_t)] = {0};
	unsigned __int128 all = sum;

	for (; bytes >= STRIDE; bytes -= STRIDE, at += STRIDE) {
		a += words_at(at);
		b += words_at(at + sizeof(lanes));
		c += words_at(at + 2 * sizeof(lanes));
		d += words_at(at + 3 * sizeof(lanes));
	}
	a += b + c + d;
	memcpy(rest, at, bytes);
	for (size_t i = 0; i < STRIDE / sizeof(uint64_t); i++)
		all += rest[i];
	all += a[0];
	all += a[1];
	return add((uint64_t)all, (uint64_t)(all >> 64));
}

uint16_t offload_fold(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* What a checksum field is to have: never the 0 that is none to UDP. */
static void put_check(uint8_t *at, uint64_t sum)
{
	uint16_t check = (uint16_t)~offload_fold(sum);

	check = check ? check : 0xffff;
	memcpy(at, &check, sizeof(check));
}

static uint16_t get_check(const uint8_t *at)
{
	uint16_t check;

	memcpy(&check, at, sizeof(check));
	return check;
}

static void finish_ip4(uint8_t *ip, size_t header_bytes)
{
	uint16_t check;

	put16(ip + IP4_CHECK, 0);
	check = (uint16_t)~offload_fold(offload_sum(ip, header_bytes, 0));
	memcpy(ip + IP4_CHECK, &check, sizeof(check));
}

/* --- headers -------------------------------------------------------------------- */

static int parse_ip4(const uint8_t *frame, size_t bytes,
		     struct offload_headers *h)
{
	const uint8_t *ip = frame + h->ip;
	size_t header_bytes;

	if (bytes - h->ip < IP4_BYTES || ip[0] >> 4 != 4)
		return -EINVAL;
	header_bytes = 4 * (size_t)(ip[0] & 15);
	if (header_bytes < IP4_BYTES || header_bytes > bytes - h->ip ||
	    get16(ip + IP4_FRAGMENT) & IP4_FRAGMENT_BITS)
		return -EINVAL;
	h->l4 = h->ip + header_bytes;
	h->protocol = ip[IP4_PROTOCOL];
	return 0;
}

static bool is_extension(uint8_t protocol)
{
	return protocol == IPPROTO_HOPOPTS || protocol == IPPROTO_ROUTING ||
	       protocol == IPPROTO_DSTOPTS;
}

static int parse_ip6(const uint8_t *frame, size_t bytes,
		     struct offload_headers *h)
{
	const uint8_t *ip = frame + h->ip;

	if (bytes - h->ip < IP6_BYTES || ip[0] >> 4 != 6)
		return -EINVAL;
	h->is_v6 = true;
	h->protocol = ip[IP6_NEXT];
	h->l4 = h->ip + IP6_BYTES;
	for (unsigned int i = 0; is_extension(h->protocol); i++) {
		size_t length;

		if (i == IP6_EXTENSIONS_MAX || bytes - h->l4 < 8)
			return -EINVAL;
		length = 8 * ((size_t)frame[h->l4 + 1] + 1);
		if (length > bytes - h->l4)
			return -EINVAL;
		h->protocol = frame[h->l4];
		h->l4 += length;
	}
	return 0;
}

static int parse_l4(const uint8_t *frame, size_t bytes,
		    struct offload_headers *h)
{
	size_t length = UDP_BYTES;

	if (h->protocol == IPPROTO_TCP) {
		if (bytes - h->l4 < TCP_BYTES)
			return -EINVAL;
		length = 4 * (size_t)(frame[h->l4 + TCP_DOFF] >> 4);
		if (length < TCP_BYTES)
			return -EINVAL;
	} else if (h->protocol != IPPROTO_UDP) {
		return -EINVAL;
	}
	if (length > bytes - h->l4)
		return -EINVAL;
	h->data = h->l4 + length;
	return 0;
}

int offload_parse(const uint8_t *frame, size_t bytes,
		  struct offload_headers *headers)
{
	struct offload_headers h = {0};
	size_t at = ETH_TYPE;
	uint16_t type;
	int err;

	if (bytes < ETH_BYTES)
		return -EINVAL;
	type = get16(frame + at);
	for (unsigned int tags = 0;
	     type == TYPE_TAG || type == TYPE_SERVICE_TAG; tags++) {
		at += TAG_BYTES;
		if (tags == TAGS_MAX || bytes < at + 2)
			return -EINVAL;
		type = get16(frame + at);
	}
	h.ip = at + 2;
	if (type == TYPE_IP4)
		err = parse_ip4(frame, bytes, &h);
	else if (type == TYPE_IP6)
		err = parse_ip6(frame, bytes, &h);
	else
		err = -EINVAL;
	if (!err)
		err = parse_l4(frame, bytes, &h);
	if (!err)
		*headers = h;
	return err;
}

/* Where in the frame the checksum of TCP or UDP is. */
static size_t check_at(const struct offload_headers *h)
{
	return h->l4 + (h->protocol == IPPROTO_TCP ? TCP_CHECK : UDP_CHECK);
}

/* --- one frame -------------------------------------------------------------------- */

int offload_checksum(uint8_t *frame, size_t bytes,
		     const struct virtio_net_hdr *hdr)
{
	size_t start = hdr->csum_start;

	if (start > bytes || hdr->csum_offset > bytes - start ||
	    bytes - start - hdr->csum_offset < 2)
		return -EINVAL;
	put_check(frame + start + hdr->csum_offset,
		  offload_sum(frame + start, bytes - start, 0));
	return 0;
}

int offload_prepare_gso(uint8_t *head, size_t head_bytes, size_t frame_bytes)
{
	struct offload_headers h;
	uint16_t check;
	uint64_t sum;
	size_t l4_bytes;

	if (offload_parse(head, head_bytes, &h) || frame_bytes < h.data)
		return -EINVAL;
	l4_bytes = frame_bytes - h.l4;
	if (h.is_v6) {
		if (frame_bytes - h.ip - IP6_BYTES > UINT16_MAX)
			return -EINVAL;
		put16(head + h.ip + IP6_LENGTH, frame_bytes - h.ip - IP6_BYTES);
		sum = offload_sum(head + h.ip + IP6_ADDRESSES, 32, 0);
	} else {
		if (frame_bytes - h.ip > UINT16_MAX)
			return -EINVAL;
		put16(head + h.ip + IP4_LENGTH, frame_bytes - h.ip);
		finish_ip4(head + h.ip, h.l4 - h.ip);
		sum = offload_sum(head + h.ip + IP4_ADDRESSES, 8, 0);
	}
	if (h.protocol == IPPROTO_UDP)
		put16(head + h.l4 + UDP_LENGTH, l4_bytes);
	sum = add(sum, htons((uint16_t)l4_bytes));
	sum = add(sum, htons(h.protocol));
	check = offload_fold(sum);
	memcpy(head + check_at(&h), &check, sizeof(check));
	return 0;
}

/* --- segments --------------------------------------------------------------------- */

static bool is_of_type(const struct offload_headers *h, uint8_t gso_type)
{
	switch (gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
	case VIRTIO_NET_HDR_GSO_TCPV4:
		return h->protocol == IPPROTO_TCP && !h->is_v6;
	case VIRTIO_NET_HDR_GSO_TCPV6:
		return h->protocol == IPPROTO_TCP && h->is_v6;
	default:
		return h->protocol == IPPROTO_UDP;
	}
}

/* Where the packet ends, as IP says; 0: not within the frame. */
static size_t packet_end(const uint8_t *frame, size_t bytes,
			 const struct offload_headers *h)
{
	size_t end =
		h->is_v6 ? h->ip + IP6_BYTES + get16(frame + h->ip + IP6_LENGTH)
			 : h->ip + get16(frame + h->ip + IP4_LENGTH);

	return end >= h->data && end <= bytes ? end : 0;
}

int offload_segments_init(struct offload_segments *s, const uint8_t *frame,
			  size_t bytes, const struct virtio_net_hdr *hdr)
{
	struct offload_headers *h = &s->headers;
	uint16_t l4_bytes;
	uint64_t sum;

	s->frame = NULL;
	if (!hdr->gso_size || offload_parse(frame, bytes, h) ||
	    h->data > OFFLOAD_HEADERS_MAX || !is_of_type(h, hdr->gso_type) ||
	    hdr->csum_start != h->l4 || hdr->csum_offset != check_at(h) - h->l4)
		return -EINVAL;
	s->bytes = packet_end(frame, bytes, h);
	if (!s->bytes)
		return -EINVAL;
	l4_bytes = (uint16_t)~htons((uint16_t)(s->bytes - h->l4));
	sum = add(get_check(frame + check_at(h)), l4_bytes);
	s->pseudo = offload_fold(sum);
	s->frame = frame;
	s->at = h->data;
	s->n = 0;
	s->size = hdr->gso_size;
	return 0;
}

static void fix_ip(struct offload_segments *s, size_t ip_bytes)
{
	const struct offload_headers *h = &s->headers;
	uint8_t *ip = s->head + h->ip;

	if (h->is_v6) {
		put16(ip + IP6_LENGTH, ip_bytes - IP6_BYTES);
		return;
	}
	put16(ip + IP4_LENGTH, ip_bytes);
	put16(ip + IP4_ID, get16(ip + IP4_ID) + s->n);
	finish_ip4(ip, h->l4 - h->ip);
}

static void fix_l4(struct offload_segments *s, size_t l4_bytes, bool is_last)
{
	const struct offload_headers *h = &s->headers;
	uint8_t *l4 = s->head + h->l4;

	if (h->protocol == IPPROTO_UDP) {
		put16(l4 + UDP_LENGTH, l4_bytes);
		return;
	}
	put32(l4 + TCP_SEQ, get32(l4 + TCP_SEQ) + s->n * s->size);
	if (s->n)
		l4[TCP_FLAGS] &= (uint8_t)~TCP_CWR;
	if (!is_last)
		l4[TCP_FLAGS] &= (uint8_t) ~(TCP_FIN | TCP_PSH);
}

size_t offload_segments_next(struct offload_segments *s, struct iovec iov[2])
{
	const struct offload_headers *h = &s->headers;
	size_t piece, l4_bytes;
	uint64_t sum;

	if (!s->frame || (s->at == s->bytes && s->n))
		return 0;
	piece = MIN(s->size, s->bytes - s->at);
	l4_bytes = h->data - h->l4 + piece;
	memcpy(s->head, s->frame, h->data);
	fix_ip(s, h->data - h->ip + piece);
	fix_l4(s, l4_bytes, s->at + piece == s->bytes);
	put16(s->head + check_at(h), 0);
	sum = offload_sum(s->head + h->l4, h->data - h->l4,
			  htons((uint16_t)l4_bytes));
	sum = offload_sum(s->frame + s->at, piece, sum);
	put_check(s->head + check_at(h), add(sum, s->pseudo));
	iov[0] = (struct iovec){s->head, h->data};
	iov[1] = (struct iovec){(void *)(s->frame + s->at), piece};
	s->at += piece;
	s->n++;
	return h->data + piece;
}
