/* SPDX-License-Identifier: MIT */
/* Frames: what they say of themselves, how they are batched, and what is not one. */
#include "vsp/netvsp.h"

#include "support/net_guest.h"

#include "support/check_main.h"
#include "support/net_frames.h"

static struct net_frame got;
static uint8_t frame[70000], taken[70000];
static struct virtio_net_hdr hdr;

static void setup_host(void)
{
	bus_setup();
	net_make(VERSION_WIN10_V5_3, 1);
	net_open();
}

static void setup_started(void)
{
	setup_host();
	net_start(1500);
}

/* What the host got, with what is left to do in hdr. */
static size_t take(void)
{
	ssize_t n = net_mem_take(net_mem, 0, &hdr, taken, sizeof(taken));

	ck_assert_int_gt(n, 0);
	return (size_t)n;
}

static uint32_t item(uint8_t *at, uint32_t type, uint32_t data)
{
	return (uint32_t)(ppi_put(at, type, data) - at);
}

/* Send @bytes of frame with an item; Return: NVSP_STAT_… */
static uint32_t send_with(uint32_t bytes, uint32_t type, uint32_t data)
{
	uint8_t items[PPI_BYTES];

	item(items, type, data);
	return net_send(NET_PRIMARY, net_message(net_page(NET_DATA_PFN), frame,
						 bytes, items, sizeof(items)));
}

static const struct net_flow flows[] = {
	{.host = 9, .port = 1000},
	{.host = 9, .port = 1000, .udp = true},
	{.host = 9, .port = 1000, .ip6 = true},
	{.host = 9, .port = 1000, .ip6 = true, .udp = true},
};

/* --- out: offloads ------------------------------------------------------------- */

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

/* --- out: where the bytes are ------------------------------------------------------ */

static uint8_t *section(uint32_t i)
{
	return (uint8_t *)gmem_load(mem, NET_SEND_PFN * (uint64_t)PAGE,
				    NET_SEND_PAGES * (uint64_t)PAGE) +
	       i * (size_t)6144;
}

static uint32_t send_section(uint32_t i, uint32_t section_bytes, uint64_t pfn,
			     uint32_t offset, uint32_t bytes)
{
	struct net_place at = {i, section_bytes, pfn, offset, bytes};
	struct nvsp_message m;

	wait_until(
		net_try_put_rndis(NET_PRIMARY, 0xD1, NVSP_CHANNEL_DATA, &at));
	net_get_completion(NET_PRIMARY, 0xD1, &m);
	return m.send_rndis_pkt_complete.status;
}

/* Several messages, each but the last padded to 8 bytes. */
START_TEST(messages_in_a_section)
{
	uint8_t *at = section(3);
	uint32_t used = 0;

	for (uint8_t i = 0; i < 8; i++) {
		uint32_t len =
			net_message(at + used, frame,
				    net_frame(frame, 61u + i, i), NULL, 0);
		uint32_t padded = i < 7 ? (len + 7) & ~7u : len;

		memcpy(at + used + 4, &padded, sizeof(padded));
		used += padded;
	}
	ck_assert_uint_eq(send_section(3, used, 0, 0, 0), NVSP_STAT_SUCCESS);
	for (uint8_t i = 0; i < 8; i++) {
		net_frame(frame, 61u + i, i);
		ck_assert_uint_eq(take(), 61u + i);
		ck_assert_mem_eq(taken, frame, 61u + i);
	}
	ck_assert_uint_eq(net_status().stats.tx_frames, 8);
}
END_TEST

/* "Partial copy": the section ends with a header, the frame is elsewhere. */
START_TEST(a_header_in_a_section_and_a_frame_in_pages)
{
	uint8_t *at = section(0);
	uint32_t n, first;

	first = net_message(at, frame, net_frame(frame, 80, 1), NULL, 0);
	net_frame(frame, 3000, 2);
	net_message(at + first, frame, 3000, NULL, 0);
	memcpy(net_page(NET_DATA_PFN) + 1000, frame, 3000);
	ck_assert_uint_eq(send_section(0, first + 44, NET_DATA_PFN, 1000, 3000),
			  NVSP_STAT_SUCCESS);
	ck_assert_uint_eq(take(), 80);
	n = (uint32_t)take();
	ck_assert_uint_eq(n, 3000);
	ck_assert_mem_eq(taken, frame, 3000);
}
END_TEST

/* Since Linux 6.14 a header may cross into the next page. */
START_TEST(headers_that_cross_pages)
{
	uint32_t n = net_packet_of(frame, net_mac, &flows[0], 200), used;
	uint8_t items[PPI_BYTES];
	uint32_t at = PAGE - 1 - (uint32_t)_i;

	item(items, IEEE_8021Q_INFO, NDIS_8021Q_INFO(0, 0, 99u));
	used = net_message(net_page(NET_DATA_PFN) + at, frame, n, items,
			   sizeof(items));
	ck_assert_uint_eq(
		send_section(NETVSC_INVALID_INDEX, 0, NET_DATA_PFN, at, used),
		NVSP_STAT_SUCCESS);
	ck_assert_uint_eq(take(), n + 4);
	ck_assert_mem_eq(taken + 16, frame + 12, n - 12);
}
END_TEST

static const struct {
	const char *what;
	uint32_t index, bytes;
} bad_sections[] = {
	{"the first behind the buffer", NET_SEND_PAGES *PAGE / 6144 + 1, 104},
	{"far behind it", 0x10000000, 104},
	{"so far that the product wraps", 0xFFFFFFFE, 104},
	{"longer than a section", 0, 6145},
	{"nothing", 0, 0},
	{"no whole header", 0, 43},
};

START_TEST(sections_that_are_none)
{
	net_message(section(0), frame, net_frame(frame, 60, 1), NULL, 0);
	ck_assert_uint_ne(send_section(bad_sections[_i].index,
				       bad_sections[_i].bytes, 0, 0, 0),
			  NVSP_STAT_SUCCESS);
	ck_assert_uint_eq(net_status().refused, 1);
	ck_assert_uint_eq(net_status().stats.tx_frames, 0);
}
END_TEST

START_TEST(pages_that_are_none)
{
	ck_assert_uint_eq(send_section(NETVSC_INVALID_INDEX, 0, 5000000, 0, 60),
			  NVSP_STAT_FAIL);
}
END_TEST

/* --- out: what is no message ---------------------------------------------------------- */

/* A word of the message, and what it is instead. */
static const struct {
	const char *what;
	uint32_t at, value;
} bad_words[] = {
	{"type", 0, 2},
	{"type of an answer", 0, 0x80000001},
	{"message shorter than its header", 4, 43},
	{"message longer than there is", 4, 161},
	{"length that wraps", 4, 0xFFFFFFFF},
	{"data behind the end", 8, 153},
	{"data far behind it", 8, 0xFFFFFFFF},
	{"a frame without a header", 12, 13},
	{"a frame longer than the message", 12, 101},
	{"a frame that wraps", 12, 0xFFFFFFF0},
	{"items over the header", 28, 35},
	{"items behind the end", 28, 140},
	{"items that wrap", 28, 0xFFFFFFF8},
	{"items longer than the message", 32, 400},
	{"items cut off", 32, 15},
	{"an item shorter than its header", 44, 11},
	{"an item of no length", 44, 0},
	{"an item longer than all", 44, 17},
	{"data of an item before it", 52, 11},
	{"data of an item behind it", 52, 17},
};

START_TEST(messages_that_are_none)
{
	uint8_t *at = net_page(NET_DATA_PFN), items[PPI_BYTES];
	uint32_t n;

	item(items, IEEE_8021Q_INFO, 0x20);
	n = net_message(at, frame, net_frame(frame, 100, 1), items,
			sizeof(items));
	ck_assert_uint_eq(n, 160);
	memcpy(at + bad_words[_i].at, &bad_words[_i].value, 4);
	ck_assert_uint_eq(net_send(NET_PRIMARY, n),
			  NVSP_STAT_INVALID_RNDIS_PKT);
	ck_assert_uint_eq(net_status().stats.tx_bad, 1);
	/* The next one is none the worse for it. */
	net_message(at, frame, net_frame(frame, 100, 1), NULL, 0);
	ck_assert_uint_eq(net_send(NET_PRIMARY, 144), NVSP_STAT_SUCCESS);
}
END_TEST

/* Those before it have gone; those behind it are not looked at. */
START_TEST(a_bad_message_among_good_ones)
{
	uint8_t *at = net_page(NET_DATA_PFN);
	uint32_t used = 0, bad = 9;

	for (uint8_t i = 0; i < 3; i++)
		used += net_message(at + used, frame, net_frame(frame, 60, i),
				    NULL, 0);
	memcpy(at + 104, &bad, sizeof(bad));
	ck_assert_uint_eq(net_send(NET_PRIMARY, used),
			  NVSP_STAT_INVALID_RNDIS_PKT);
	take();
	ck_assert_int_eq(net_mem_take(net_mem, 0, NULL, taken, 1), -EAGAIN);
}
END_TEST

START_TEST(more_messages_than_anybody_sends)
{
	uint8_t *at = net_page(NET_DATA_PFN);
	uint32_t used = 0;

	for (uint8_t i = 0; i < 65; i++)
		used += net_message(at + used, frame, net_frame(frame, 14, i),
				    NULL, 0);
	ck_assert_uint_eq(net_send(NET_PRIMARY, used),
			  NVSP_STAT_INVALID_RNDIS_PKT);
	ck_assert_uint_eq(net_status().stats.tx_frames, 64);
}
END_TEST

START_TEST(the_longest_frame)
{
	uint8_t *at = net_page(NET_DATA_PFN);

	net_frame(frame, 65593, 1);
	ck_assert_uint_eq(
		net_send(NET_PRIMARY, net_message(at, frame, 65593, NULL, 0)),
		NVSP_STAT_SUCCESS);
	ck_assert_uint_eq(take(), 65593);
	ck_assert_mem_eq(taken, frame, 65593);
	ck_assert_uint_eq(
		net_send(NET_PRIMARY, net_message(at, frame, 65594, NULL, 0)),
		NVSP_STAT_INVALID_RNDIS_PKT);
}
END_TEST

/* --- out: a back end without room ---------------------------------------------------------- */

/* It stays in the ring until there is room; nothing is sent twice. */
START_TEST(a_packet_is_held)
{
	uint8_t *at = net_page(NET_DATA_PFN);
	struct nvsp_message m;
	struct net_packet p;
	uint32_t used = 0;

	for (uint8_t i = 0; i < 4; i++)
		used += net_message(at + used, frame, net_frame(frame, 60, i),
				    NULL, 0);
	net_mem_hold(net_mem, 2);
	net_put_rndis(NET_PRIMARY, 1, NVSP_CHANNEL_DATA, used);
	wait_until(net_status().stats.tx_frames == 2);
	ck_assert(!net_try_get(NET_PRIMARY, &p));
	net_mem_hold(net_mem, UINT_MAX);
	net_get_completion(NET_PRIMARY, 1, &m);
	ck_assert_uint_eq(m.send_rndis_pkt_complete.status, NVSP_STAT_SUCCESS);
	for (uint8_t i = 0; i < 4; i++) {
		net_frame(frame, 60, i);
		ck_assert_uint_eq(take(), 60);
		ck_assert_mem_eq(taken, frame, 60);
	}
	ck_assert_uint_eq(net_status().stats.tx_lost, 0);
}
END_TEST

static void setup_short_hold(void)
{
	net_params.hold_ns = 1000000;
	setup_started();
}

/* But not for ever, as requests wait behind it. */
START_TEST(a_packet_is_held_too_long)
{
	uint32_t n = net_message(net_page(NET_DATA_PFN), frame,
				 net_frame(frame, 60, 1), NULL, 0);

	net_mem_hold(net_mem, 0);
	ck_assert_uint_eq(net_send(NET_PRIMARY, n), NVSP_STAT_SUCCESS);
	ck_assert_uint_eq(net_send(NET_PRIMARY, n), NVSP_STAT_SUCCESS);
	ck_assert_uint_eq(net_query_u32(OID_GEN_XMIT_ERROR), 2);
	ck_assert_uint_eq(net_status().stats.tx_lost, 2);
	net_mem_hold(net_mem, UINT_MAX);
	net_message(net_page(NET_DATA_PFN), frame, net_frame(frame, 60, 1),
		    NULL, 0);
	ck_assert_uint_eq(net_send(NET_PRIMARY, n), NVSP_STAT_SUCCESS);
	ck_assert_uint_eq(net_status().stats.tx_frames, 1);
}
END_TEST

START_TEST(closed_with_a_packet_held)
{
	uint32_t n = net_message(net_page(NET_DATA_PFN), frame,
				 net_frame(frame, 60, 1), NULL, 0);

	net_mem_hold(net_mem, 0);
	net_put_rndis(NET_PRIMARY, 1, NVSP_CHANNEL_DATA, n);
	guest_close(NET_PRIMARY);
	net_mem_hold(net_mem, UINT_MAX);
	ck_assert(!net_status().ready);
}
END_TEST

START_TEST(what_is_sent_without_a_link_is_lost)
{
	uint32_t n = net_message(net_page(NET_DATA_PFN), frame,
				 net_frame(frame, 60, 1), NULL, 0);

	net_set_link(net_mem, false);
	/* The guest is told first. */
	ck_assert_uint_gt(net_get_control(frame, 100), 0);
	ck_assert_uint_eq(net_send(NET_PRIMARY, n), NVSP_STAT_SUCCESS);
	ck_assert_uint_eq(net_status().stats.tx_lost, 1);
}
END_TEST

/* --- in ------------------------------------------------------------------------------------- */

static void put(const struct virtio_net_hdr *h, uint32_t bytes)
{
	wait_until(!net_mem_put(net_mem, 0, h, frame, bytes));
}

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

static const uint32_t large[] = {1885, 3640, 3641, 30000, 65549};

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
	ck_assert_uint_eq(p.p.n_xfer, 1 + (n - 128 - 1) / 1756);
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
START_TEST(a_frame_that_is_too_long)
{
	net_frame(frame, 1885, 1);
	put(NULL, 1885);
	net_frame(frame, 1884, 2);
	put(NULL, 1884);
	net_get_frame(&got);
	ck_assert_uint_eq(got.bytes, 1884);
	ck_assert_uint_eq(net_status().stats.rx_long, 1);
}
END_TEST

/* Many frames, one packet; they are the same that came, in their order. */
START_TEST(many_frames_are_one_packet)
{
	struct net_packet p;
	uint32_t n = 0;

	net_set_filter(0);
	net_set_filter(NET_FILTER_LINUX);
	for (uint8_t i = 0; i < 40; i++) {
		net_frame(frame, 200u + i, i);
		put(NULL, 200u + i);
	}
	while (n < 40) {
		net_get(NET_PRIMARY, &p);
		net_check_xfer(&p, NVSP_CHANNEL_DATA);
		for (uint32_t i = 0; i < p.p.n_xfer; i++, n++) {
			net_read_message(net_received(&p.p.xfer[i]),
					 p.p.xfer[i].byte_count, &got);
			net_frame(frame, 200 + n, (uint8_t)n);
			ck_assert_uint_eq(got.bytes, 200 + n);
			ck_assert_mem_eq(got.data, frame, 200 + n);
		}
		net_done(NET_PRIMARY, p.p.trans_id);
	}
	ck_assert_uint_eq(net_status().stats.rx_frames, 40);
}
END_TEST

/* --- in: the guest has no sections left -------------------------------------------------------- */

static unsigned int n_held;
static uint64_t held[1024];

/* Until nothing comes any more; sections stay the guest's. */
static unsigned int hold_all(void)
{
	uint64_t before = net_status().stats.rx_frames;
	unsigned int frames = 0;
	struct net_packet p;

	n_held = 0;
	while (!net_status().stats.rx_no_buffer) {
		net_frame(frame, 100, 1);
		net_mem_put(net_mem, 0, NULL, frame, 100);
		while (net_try_get(NET_PRIMARY, &p)) {
			net_check_xfer(&p, NVSP_CHANNEL_DATA);
			frames += p.p.n_xfer;
			held[n_held++] = p.p.trans_id;
		}
	}
	while (frames < net_status().stats.rx_frames - before) {
		net_get(NET_PRIMARY, &p);
		frames += p.p.n_xfer;
		held[n_held++] = p.p.trans_id;
	}
	return frames;
}

START_TEST(all_sections_are_the_guests)
{
	struct net_packet p;

	/* All but those for answers. */
	ck_assert_uint_eq(hold_all(), net_sections - 16);
	/* Requests are answered all the same. */
	for (int i = 0; i < 100; i++)
		ck_assert_uint_eq(net_query_u32(OID_GEN_MEDIA_CONNECT_STATUS),
				  0);
	/* Some come back: frames come. */
	net_done(NET_PRIMARY, held[--n_held]);
	net_frame(frame, 100, 1);
	put(NULL, 100);
	net_get(NET_PRIMARY, &p);
	net_check_xfer(&p, NVSP_CHANNEL_DATA);
}
END_TEST

START_TEST(closed_with_sections_in_flight)
{
	hold_all();
	guest_close(NET_PRIMARY);
	ck_assert(!net_status().ready);
}
END_TEST

START_TEST(completions_that_are_not_due)
{
	static const uint64_t ids[] = {0, 1, 5, 100000, UINT64_MAX};
	uint64_t id;

	net_frame(frame, 100, 1);
	put(NULL, 100);
	id = net_get_frame_of(NET_PRIMARY, &got);
	for (size_t i = 0; i < G_N_ELEMENTS(ids); i++) {
		if (ids[i] != id)
			net_done(NET_PRIMARY, ids[i]);
	}
	net_done(NET_PRIMARY, id);
	net_done(NET_PRIMARY, id);
	net_query_u32(OID_GEN_RCV_OK);
	ck_assert_uint_ge(net_status().refused, 5);
	hold_all();
	ck_assert_uint_gt(n_held, 0);
}
END_TEST

/* --- in: what the guest wants -------------------------------------------------------------------- */

static const uint8_t group[6] = {0x33, 0x33, 0, 0, 0, 1};
static const uint8_t other_group[6] = {0x33, 0x33, 0, 0, 0, 2};
static const uint8_t all[6] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
static const uint8_t other[6] = {2, 2, 2, 2, 2, 2};

static const struct {
	const char *what;
	uint32_t bits;
	const uint8_t *to;
	bool comes;
} filters[] = {
	{"directed", NDIS_PACKET_TYPE_DIRECTED, net_mac, true},
	{"directed to another", NDIS_PACKET_TYPE_DIRECTED, other, false},
	{"promiscuous", NDIS_PACKET_TYPE_PROMISCUOUS, other, true},
	{"no broadcast", NDIS_PACKET_TYPE_DIRECTED, all, false},
	{"broadcast", NDIS_PACKET_TYPE_BROADCAST, all, true},
	{"no multicast", NDIS_PACKET_TYPE_BROADCAST, group, false},
	{"all multicast", NDIS_PACKET_TYPE_ALL_MULTICAST, other_group, true},
	{"a group", NDIS_PACKET_TYPE_MULTICAST, group, true},
	{"another group", NDIS_PACKET_TYPE_MULTICAST, other_group, false},
	{"only multicast", NDIS_PACKET_TYPE_ALL_MULTICAST, net_mac, false},
};

START_TEST(filters_filter)
{
	ck_assert_uint_eq(net_set(OID_802_3_MULTICAST_LIST, group, 6),
			  RNDIS_STATUS_SUCCESS);
	net_set_filter(filters[_i].bits);
	net_frame(frame, 100, 1);
	memcpy(frame, filters[_i].to, 6);
	put(NULL, 100);
	if (filters[_i].comes) {
		net_get_frame(&got);
		ck_assert_mem_eq(got.data, frame, 100);
		ck_assert_uint_eq(net_status().stats.rx_filtered, 0);
	} else {
		wait_until(net_status().stats.rx_filtered == 1);
		ck_assert_uint_eq(net_status().stats.rx_frames, 0);
	}
}
END_TEST

/* What comes while the interface is down is not brought when it is up. */
START_TEST(no_filter_no_frames)
{
	net_set_filter(0);
	net_frame(frame, 100, 1);
	put(NULL, 100);
	net_set_filter(NET_FILTER_LINUX);
	net_frame(frame, 101, 1);
	put(NULL, 101);
	net_get_frame(&got);
	ck_assert_uint_eq(got.bytes, 101);
}
END_TEST

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
	tcase_add_test(t, messages_in_a_section);
	tcase_add_test(t, a_header_in_a_section_and_a_frame_in_pages);
	tcase_add_loop_test(t, headers_that_cross_pages, 0, 70);
	tcase_add_loop_test(t, sections_that_are_none, 0,
			    G_N_ELEMENTS(bad_sections));
	tcase_add_test(t, pages_that_are_none);
	tcase_add_loop_test(t, messages_that_are_none, 0,
			    G_N_ELEMENTS(bad_words));
	tcase_add_test(t, a_bad_message_among_good_ones);
	tcase_add_test(t, more_messages_than_anybody_sends);
	tcase_add_test(t, the_longest_frame);
	tcase_add_test(t, a_packet_is_held);
	tcase_add_test(t, closed_with_a_packet_held);
	tcase_add_test(t, what_is_sent_without_a_link_is_lost);
}

int main(void)
{
	Suite *s = suite_create("vsp/netvsp_data");
	TCase *t = net_case(s, "out", setup_started);

	add_out(t);
	t = net_case(s, "short hold", setup_short_hold);
	tcase_add_test(t, a_packet_is_held_too_long);

	t = net_case(s, "in", setup_started);
	tcase_add_loop_test(t, a_checksum_in, 0, 8);
	tcase_add_test(t, nobody_looked_at_the_checksum);
	tcase_add_loop_test(t, a_tag_in, 0, 2);
	tcase_add_loop_test(t, a_large_frame_in, 0, G_N_ELEMENTS(large));
	tcase_add_test(t, a_frame_that_is_too_long);
	tcase_add_test(t, many_frames_are_one_packet);
	tcase_add_test(t, all_sections_are_the_guests);
	tcase_add_test(t, closed_with_sections_in_flight);
	tcase_add_test(t, completions_that_are_not_due);
	tcase_add_loop_test(t, filters_filter, 0, G_N_ELEMENTS(filters));
	tcase_add_test(t, no_filter_no_frames);
	return check_main(s);
}
