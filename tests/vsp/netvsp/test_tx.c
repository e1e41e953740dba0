/* SPDX-License-Identifier: MIT */
/* Frames of the guest: where their bytes are, and what is no message. */
#include "vsp/netvsp/netvsp.h"

#include "support/net_data.h"

#include "support/check_main.h"

/* --- where the bytes are ------------------------------------------------------ */

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

/* --- what is no message ---------------------------------------------------------- */

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

/* --- a back end without room ---------------------------------------------------------- */

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

int main(void)
{
	Suite *s = suite_create("vsp/netvsp/tx");
	TCase *t = net_case(s, "messages", setup_started);

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

	t = net_case(s, "no room", setup_started);
	tcase_add_test(t, a_packet_is_held);
	tcase_add_test(t, closed_with_a_packet_held);
	tcase_add_test(t, what_is_sent_without_a_link_is_lost);
	t = net_case(s, "short hold", setup_short_hold);
	tcase_add_test(t, a_packet_is_held_too_long);
	return check_main(s);
}
