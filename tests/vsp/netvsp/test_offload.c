/* SPDX-License-Identifier: MIT */
/* What is said of a frame, and what of it is left to others, each way. */
#include "vsp/netvsp/netvsp.h"

#include "support/net_data.h"

#include "support/check_main.h"

static struct net_frame got;

/* --- out -------------------------------------------------------------- */

static uint32_t csum_item(const struct net_flow *f, uint32_t offset)
{
	return (f->ip6 ? NDIS_TXCSUM_IS_IPV6 : NDIS_TXCSUM_IS_IPV4) |
	       (f->udp ? NDIS_TXCSUM_UDP : NDIS_TXCSUM_TCP) | offset << 16;
}

/* Also where the guest does not say where the header is. */
START_TEST(a_checksum_is_left_to_the_host)
{
	const struct net_flow *f = &flows[_i / 2];
	uint32_t n = net_packet_of(frame, net_mac, f, 100);
	uint32_t offset = _i % 2 ? 0 : net_l4(f);

	ck_assert_uint_eq(
		send_with(n, TCPIP_CHKSUM_PKTINFO, csum_item(f, offset)),
		NVSP_STAT_SUCCESS);
	ck_assert_uint_eq(take(), n);
	ck_assert_mem_eq(taken, frame, n);
	ck_assert_uint_eq(hdr.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
	ck_assert_uint_eq(hdr.gso_type, VIRTIO_NET_HDR_GSO_NONE);
	ck_assert_uint_eq(hdr.csum_start, net_l4(f));
	ck_assert_uint_eq(hdr.csum_offset, f->udp ? 6 : 16);
}
END_TEST

START_TEST(ip_header_checksum)
{
	uint32_t n = net_packet_of(frame, net_mac, &flows[0], 10);

	memcpy(taken, frame, n);
	frame[24] = 0;
	frame[25] = 0;
	ck_assert_uint_eq(send_with(n, TCPIP_CHKSUM_PKTINFO,
				    NDIS_TXCSUM_IS_IPV4 | NDIS_TXCSUM_IP),
			  NVSP_STAT_SUCCESS);
	memcpy(frame, taken, n);
	ck_assert_uint_eq(take(), n);
	ck_assert_mem_eq(taken, frame, n);
	ck_assert_uint_eq(hdr.flags, 0);
}
END_TEST

static const uint32_t bad_offsets[] = {13, 150, 0x3FF};

START_TEST(a_checksum_that_is_nowhere)
{
	uint32_t n = net_packet_of(frame, net_mac, &flows[0], 100);

	ck_assert_uint_eq(send_with(n, TCPIP_CHKSUM_PKTINFO,
				    csum_item(&flows[0], bad_offsets[_i])),
			  NVSP_STAT_INVALID_RNDIS_PKT);
	ck_assert_int_eq(net_mem_take(net_mem, 0, NULL, taken, 1), -EAGAIN);
	ck_assert_uint_eq(net_status().stats.tx_bad, 1);
}
END_TEST

static uint32_t lso_item(const struct net_flow *f, uint32_t mss)
{
	return mss | net_l4(f) << 20 | NDIS_LSO_V2 |
	       (f->ip6 ? NDIS_LSO_IPV6 : 0);
}

/* As Linux sends it: without IP's length, without TCP's in the sum. */
static uint32_t make_lso(const struct net_flow *f, uint32_t payload)
{
	uint32_t n = net_packet_of(frame, net_mac, f, payload), sum;

	if (f->ip6) {
		net_put16(frame + 18, 0);
	} else {
		net_put16(frame + 16, 0);
		net_put16(frame + 24, 0);
	}
	sum = net_pseudo_sum(frame, f);
	net_put16(frame + net_l4(f) + 16, (sum & 0xFFFF) + (sum >> 16));
	return n;
}

static const uint32_t lso_payloads[] = {1461, 30000, 62000};

START_TEST(a_large_send)
{
	const struct net_flow *f = &flows[_i % 2 ? 2 : 0];
	uint32_t payload = lso_payloads[_i / 2];
	uint32_t n = make_lso(f, payload);

	ck_assert_uint_eq(
		send_with(n, TCP_LARGESEND_PKTINFO, lso_item(f, 1460)),
		NVSP_STAT_SUCCESS);
	net_packet_of(frame, net_mac, f, payload);
	ck_assert_uint_eq(take(), n);
	ck_assert_mem_eq(taken, frame, n);
	ck_assert_uint_eq(hdr.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
	ck_assert_uint_eq(hdr.gso_type, f->ip6 ? VIRTIO_NET_HDR_GSO_TCPV6
					       : VIRTIO_NET_HDR_GSO_TCPV4);
	ck_assert_uint_eq(hdr.gso_size, 1460);
	ck_assert_uint_eq(hdr.hdr_len, net_l4(f) + 20);
	ck_assert_uint_eq(hdr.csum_start, net_l4(f));
	ck_assert_uint_eq(hdr.csum_offset, 16);
}
END_TEST

START_TEST(a_large_send_that_is_small)
{
	uint32_t n = make_lso(&flows[0], 1460);

	ck_assert_uint_eq(
		send_with(n, TCP_LARGESEND_PKTINFO, lso_item(&flows[0], 1460)),
		NVSP_STAT_SUCCESS);
	ck_assert_uint_eq(take(), n);
	ck_assert_uint_eq(hdr.gso_type, VIRTIO_NET_HDR_GSO_NONE);
	ck_assert_uint_eq(hdr.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
}
END_TEST

START_TEST(large_sends_that_cannot_be)
{
	uint32_t n = make_lso(&flows[0], 3000);
	uint32_t good = lso_item(&flows[0], 1460);

	ck_assert_uint_eq(send_with(n, TCP_LARGESEND_PKTINFO, good & ~0xFFFFFu),
			  NVSP_STAT_INVALID_RNDIS_PKT);
	ck_assert_uint_eq(send_with(n, TCP_LARGESEND_PKTINFO, good | 0xFFFFFu),
			  NVSP_STAT_INVALID_RNDIS_PKT);
	/* Ten thousands of frames of a byte each */
	ck_assert_uint_eq(
		send_with(n, TCP_LARGESEND_PKTINFO, lso_item(&flows[0], 1)),
		NVSP_STAT_INVALID_RNDIS_PKT);
	ck_assert_uint_eq(
		send_with(n, TCP_LARGESEND_PKTINFO, lso_item(&flows[0], 47)),
		NVSP_STAT_INVALID_RNDIS_PKT);
	frame[46] = 0x40; /* TCP's header is too short */
	ck_assert_uint_eq(send_with(n, TCP_LARGESEND_PKTINFO, good),
			  NVSP_STAT_INVALID_RNDIS_PKT);
	frame[46] = 0xF0; /* longer than the frame's head */
	ck_assert_uint_eq(send_with(90, TCP_LARGESEND_PKTINFO, good),
			  NVSP_STAT_INVALID_RNDIS_PKT);
	n = make_lso(&flows[1], 3000);
	ck_assert_uint_eq(send_with(n, TCP_LARGESEND_PKTINFO, good),
			  NVSP_STAT_INVALID_RNDIS_PKT);
	ck_assert_int_eq(net_mem_take(net_mem, 0, NULL, taken, 1), -EAGAIN);
}
END_TEST

/* The tag goes in behind the addresses; all else moves on by four bytes. */
START_TEST(a_tag_out)
{
	static const uint8_t tag[] = {0x81, 0x00, 0xB1, 0x23};
	uint8_t items[2 * PPI_BYTES];
	uint32_t n = net_packet_of(frame, net_mac, &flows[0], 400), used;

	used = item(items, IEEE_8021Q_INFO, NDIS_8021Q_INFO(5u, 1u, 0x123u));
	used += item(items + used, TCPIP_CHKSUM_PKTINFO,
		     csum_item(&flows[0], 34));
	ck_assert_uint_eq(
		net_send(NET_PRIMARY, net_message(net_page(NET_DATA_PFN), frame,
						  n, items, used)),
		NVSP_STAT_SUCCESS);
	ck_assert_uint_eq(take(), n + 4);
	ck_assert_mem_eq(taken, frame, 12);
	ck_assert_mem_eq(taken + 12, tag, 4);
	ck_assert_mem_eq(taken + 16, frame + 12, n - 12);
	ck_assert_uint_eq(hdr.csum_start, 38);
}
END_TEST

START_TEST(a_tag_on_a_large_send)
{
	uint8_t items[2 * PPI_BYTES];
	uint32_t n = make_lso(&flows[2], 9000), used;

	used = item(items, TCP_LARGESEND_PKTINFO, lso_item(&flows[2], 1400));
	used += item(items + used, IEEE_8021Q_INFO, NDIS_8021Q_INFO(0, 0, 7u));
	ck_assert_uint_eq(
		net_send(NET_PRIMARY, net_message(net_page(NET_DATA_PFN), frame,
						  n, items, used)),
		NVSP_STAT_SUCCESS);
	ck_assert_uint_eq(take(), n + 4);
	ck_assert_uint_eq(net_get16(taken + 14), 7);
	ck_assert_uint_eq(hdr.csum_start, 58);
	ck_assert_uint_eq(hdr.hdr_len, 78);
}
END_TEST

/* Items that are for others are skipped. */
START_TEST(a_hash_value_means_nothing)
{
	uint32_t n = net_frame(frame, 64, 1);

	ck_assert_uint_eq(send_with(n, NBL_HASH_VALUE, 0x12345678),
			  NVSP_STAT_SUCCESS);
	ck_assert_uint_eq(take(), n);
}
END_TEST

/* --- in ------------------------------------------------------------------------------------- */

static void turn_on(uint8_t csum, uint8_t rsc)
{
	struct ndis_offload_params p = {
		.header = {NDIS_OBJECT_TYPE_DEFAULT, 3, sizeof(p)},
		.tcp_ip_v4_csum = csum,
		.udp_ip_v4_csum = csum,
		.tcp_ip_v6_csum = csum,
		.udp_ip_v6_csum = csum,
		.rsc_ip_v4 = rsc,
		.rsc_ip_v6 = rsc,
	};

	ck_assert_uint_eq(net_set(OID_TCP_OFFLOAD_PARAMETERS, &p, sizeof(p)),
			  RNDIS_STATUS_SUCCESS);
}

/* What the host has not summed up is, here, and what was is said to be good. */
START_TEST(a_checksum_in)
{
	const struct net_flow *f = &flows[_i % 4];
	uint32_t n = net_packet_of(frame, net_mac, f, 1000 + (_i & 1u));
	struct virtio_net_hdr h = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
				   .csum_start = (uint16_t)net_l4(f),
				   .csum_offset = f->udp ? 6 : 16};

	turn_on(_i < 4 ? NDIS_OFFLOAD_PARAMETERS_TX_RX_ENABLED
		       : NDIS_OFFLOAD_PARAMETERS_TX_RX_DISABLED,
		NDIS_OFFLOAD_PARAMETERS_ON);
	ck_assert_uint_eq(net_mem_offloads(net_mem), NET_OFFLOAD_CSUM |
							     NET_OFFLOAD_TSO4 |
							     NET_OFFLOAD_TSO6);
	put(&h, n);
	net_get_frame(&got);
	ck_assert_uint_eq(got.bytes, n);
	ck_assert(net_l4_is_good(got.data, n, f));
	ck_assert(got.has_csum == (_i < 4));
	if (_i < 4)
		ck_assert_uint_eq(got.csum, f->udp ? NDIS_RXCSUM_UDP_SUCCEEDED
						   : NDIS_RXCSUM_TCP_SUCCEEDED);
}
END_TEST

START_TEST(nobody_looked_at_the_checksum)
{
	turn_on(NDIS_OFFLOAD_PARAMETERS_TX_RX_ENABLED, 0);
	ck_assert_uint_eq(net_mem_offloads(net_mem), 0);
	put(NULL, net_packet_of(frame, net_mac, &flows[0], 10));
	net_get_frame(&got);
	ck_assert(!got.has_csum);
}
END_TEST

START_TEST(a_tag_in)
{
	static const uint8_t tag[] = {0x81, 0x00, 0xB1, 0x23};
	uint32_t n = net_packet_of(taken, net_mac, &flows[0], _i ? 1446 : 0);

	memcpy(frame, taken, 12);
	memcpy(frame + 12, tag, 4);
	memcpy(frame + 16, taken + 12, n - 12);
	put(NULL, n + 4);
	net_get_frame(&got);
	ck_assert_uint_eq(got.bytes, n);
	ck_assert_mem_eq(got.data, taken, n);
	ck_assert(got.has_vlan);
	ck_assert_uint_eq(got.vlan, NDIS_8021Q_INFO(5u, 1u, 0x123u));
}
END_TEST

static const uint32_t large[] = {3933, 7736, 7737, 30000, 65549};

/* Receive segment coalescing: one frame in many sections, in one packet. */
START_TEST(a_large_frame_in)
{
	uint32_t payload = large[_i] - 54, n, at = 0;
	struct virtio_net_hdr h = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
				   .gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
				   .gso_size = 1460,
				   .hdr_len = 54,
				   .csum_start = 34,
				   .csum_offset = 16};
	struct net_packet p;

	turn_on(NDIS_OFFLOAD_PARAMETERS_TX_RX_ENABLED,
		NDIS_OFFLOAD_PARAMETERS_ON);
	n = net_packet_of(frame, net_mac, &flows[0], payload);
	put(&h, n);
	net_get(NET_PRIMARY, &p);
	net_check_xfer(&p, NVSP_CHANNEL_DATA);
	ck_assert_uint_eq(p.p.n_xfer, 1 + (n - 128 - 1) / (4096 - 256 - 36));
	for (uint32_t i = 0; i < p.p.n_xfer; i++) {
		bool last = i == p.p.n_xfer - 1;

		net_read_message(net_received(&p.p.xfer[i]),
				 p.p.xfer[i].byte_count, &got);
		ck_assert(got.has_id);
		ck_assert_uint_eq(got.id.ver, 1);
		ck_assert_uint_eq(got.id.flag,
				  RNDIS_PKTINFO_SUBALLOC |
					  (i ? 0 : RNDIS_PKTINFO_1ST_FRAG) |
					  (last ? RNDIS_PKTINFO_LAST_FRAG : 0));
		ck_assert(got.has_csum == !i);
		memcpy(taken + at, got.data, got.bytes);
		at += got.bytes;
	}
	net_done(NET_PRIMARY, p.p.trans_id);
	ck_assert_uint_eq(at, n);
	ck_assert(net_l4_is_good(taken, n, &flows[0]));
	net_put16(taken + 50, net_get16(frame + 50));
	ck_assert_mem_eq(taken, frame, n);
}
END_TEST

/* A guest that takes none gets none. */

static void add_out(TCase *t)
{
	tcase_add_loop_test(t, a_checksum_is_left_to_the_host, 0, 8);
	tcase_add_test(t, ip_header_checksum);
	tcase_add_loop_test(t, a_checksum_that_is_nowhere, 0,
			    G_N_ELEMENTS(bad_offsets));
	tcase_add_loop_test(t, a_large_send, 0, 2 * G_N_ELEMENTS(lso_payloads));
	tcase_add_test(t, a_large_send_that_is_small);
	tcase_add_test(t, large_sends_that_cannot_be);
	tcase_add_test(t, a_tag_out);
	tcase_add_test(t, a_tag_on_a_large_send);
	tcase_add_test(t, a_hash_value_means_nothing);
}

int main(void)
{
	Suite *s = suite_create("vsp/netvsp/offload");
	TCase *t = net_case(s, "out", setup_started);

	add_out(t);
	t = net_case(s, "in", setup_started);
	tcase_add_loop_test(t, a_checksum_in, 0, 8);
	tcase_add_test(t, nobody_looked_at_the_checksum);
	tcase_add_loop_test(t, a_tag_in, 0, 2);
	tcase_add_loop_test(t, a_large_frame_in, 0, G_N_ELEMENTS(large));
	return check_main(s);
}
