/* SPDX-License-Identifier: MIT */
#include "vsp/net/tx_frame.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include <glib.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>

/* where the checksum is in the header */
#define TCP_CHECKSUM  ((uint16_t)offsetof(struct tcphdr, check))
#define UDP_CHECKSUM  ((uint16_t)offsetof(struct udphdr, check))
#define TCP_DATA_OFF  12u /* offset of the byte with the header's length */
#define IP4_TOT_LEN   2u
#define IP6_PAYLOAD   4u
#define IP6_HEADER    40u
#define IP_PACKET_MAX 65535u
/* Linux' own (tcp_min_snd_mss); less would be for work without end. */
#define MSS_MIN       48u

/* Copy the head, behind the room for a tag. */
static uint8_t *copy_head(struct tx_frame *t, const struct stream *data,
			  uint32_t bytes)
{
	uint8_t *head = t->copy + FRAME_TAG;

	t->head = head;
	t->head_bytes = MIN(bytes, TX_HEAD_MAX);
	t->skip = t->head_bytes;
	stream_peek(data, head, t->head_bytes);
	return head;
}

/* Leave a checksum to be filled in. */
static int set_csum(struct tx_frame *t, uint32_t l4, uint16_t at,
		    uint32_t bytes)
{
	if (l4 < FRAME_HEADER || l4 + at + sizeof(uint16_t) > bytes)
		return -EPROTO;
	t->hdr.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	t->hdr.csum_start = (uint16_t)l4;
	t->hdr.csum_offset = at;
	return 0;
}

/* A packet to be cut: lengths in, and TCP's length into its checksum. */
static int prepare_lso(struct tx_frame *t, uint32_t lso, const struct frame *f,
		       uint8_t *head, uint32_t bytes)
{
	uint32_t mss = NDIS_LSO_MSS(lso), l4_bytes = bytes - f->l4;
	uint32_t l3_bytes = bytes - f->l3, tcp_header;
	uint8_t *ip = head + f->l3, *tcp = head + f->l4;

	if (!f->l4 || f->proto != FRAME_PROTO_TCP || mss < MSS_MIN ||
	    mss > UINT16_MAX)
		return -EPROTO;
	tcp_header = (tcp[TCP_DATA_OFF] >> 4) * 4u;
	if (tcp_header < FRAME_TCP_HEADER || tcp_header > t->head_bytes - f->l4)
		return -EPROTO;
	if (f->ip == 4) {
		if (l3_bytes > IP_PACKET_MAX)
			return -EPROTO;
		frame_put_be16(ip + IP4_TOT_LEN, l3_bytes);
		frame_ip_checksum(ip, (ip[0] & 0xFu) * 4ul);
	} else {
		if (l3_bytes - IP6_HEADER > IP_PACKET_MAX)
			return -EPROTO;
		frame_put_be16(ip + IP6_PAYLOAD, l3_bytes - IP6_HEADER);
	}
	/* The guest has summed up the pseudo header without a length. */
	frame_put_be16(tcp + TCP_CHECKSUM,
		       frame_fold(frame_be16(tcp + TCP_CHECKSUM) + l4_bytes));
	if (l4_bytes - tcp_header > mss) {
		t->hdr.gso_type = f->ip == 4 ? VIRTIO_NET_HDR_GSO_TCPV4
					     : VIRTIO_NET_HDR_GSO_TCPV6;
		t->hdr.gso_size = (uint16_t)mss;
		t->hdr.hdr_len = (uint16_t)(f->l4 + tcp_header);
	}
	return set_csum(t, f->l4, TCP_CHECKSUM, bytes);
}

/*
 * A checksum.  @f is NULL as long as nobody had to look at the headers: then
 * the guest has said where they are.
 */
static int prepare_csum(struct tx_frame *t, uint32_t csum,
			const struct frame *f, uint32_t bytes)
{
	uint32_t l4 = NDIS_TXCSUM_TRANSPORT_OFFSET(csum);

	if (!(csum & (NDIS_TXCSUM_TCP | NDIS_TXCSUM_UDP)))
		return 0;
	if (!l4 && f)
		l4 = f->l4;
	return set_csum(t, l4,
			csum & NDIS_TXCSUM_TCP ? TCP_CHECKSUM : UDP_CHECKSUM,
			bytes);
}

static void insert_tag(struct tx_frame *t, uint32_t vlan)
{
	uint8_t *head = t->copy;

	memmove(head, head + FRAME_TAG, FRAME_TAG_AT);
	frame_put_be16(head + FRAME_TAG_AT, FRAME_ETHERTYPE_VLAN);
	frame_put_be16(head + FRAME_TAG_AT + 2,
		       NDIS_8021Q_PRI(vlan) << 13 | NDIS_8021Q_CFI(vlan) << 12 |
			       NDIS_8021Q_VLANID(vlan));
	t->head = head;
	t->head_bytes += FRAME_TAG;
	if (t->hdr.flags)
		t->hdr.csum_start = (uint16_t)(t->hdr.csum_start + FRAME_TAG);
	if (t->hdr.gso_type)
		t->hdr.hdr_len = (uint16_t)(t->hdr.hdr_len + FRAME_TAG);
}

/* Do the headers have to be looked at for the checksum? */
static bool csum_needs_head(uint32_t csum)
{
	return csum & NDIS_TXCSUM_IP ||
	       (csum & (NDIS_TXCSUM_TCP | NDIS_TXCSUM_UDP) &&
		!NDIS_TXCSUM_TRANSPORT_OFFSET(csum));
}

static int prepare_head(struct tx_frame *t, const struct tx_info *info,
			const struct stream *data, uint32_t bytes)
{
	uint8_t *head = copy_head(t, data, bytes);
	struct frame f;
	int err = 0;

	frame_parse(head, t->head_bytes, &f);
	if (info->has_lso) {
		err = prepare_lso(t, info->lso, &f, head, bytes);
	} else if (info->has_csum) {
		uint8_t *ip = head + f.l3;

		if (info->csum & NDIS_TXCSUM_IP && f.ip == 4 &&
		    f.l3 + (ip[0] & 0xFu) * 4u <= t->head_bytes)
			frame_ip_checksum(ip, (ip[0] & 0xFu) * 4ul);
		err = prepare_csum(t, info->csum, &f, bytes);
	}
	if (!err && info->has_vlan)
		insert_tag(t, info->vlan);
	return err;
}

int tx_frame_prepare(struct tx_frame *t, const struct tx_info *info,
		     const struct stream *data, uint32_t bytes)
{
	t->hdr = (struct virtio_net_hdr){.gso_type = VIRTIO_NET_HDR_GSO_NONE};
	t->head = NULL;
	t->head_bytes = 0;
	t->skip = 0;
	if (info->has_vlan || info->has_lso ||
	    (info->has_csum && csum_needs_head(info->csum)))
		return prepare_head(t, info, data, bytes);
	return info->has_csum ? prepare_csum(t, info->csum, NULL, bytes) : 0;
}
