/* SPDX-License-Identifier: MIT */
/* Frames for the guest: its sections, and what it wants to have. */
#include "vsp/netvsp/netvsp.h"

#include "support/net_data.h"

#include "support/check_main.h"

static struct net_frame got;

START_TEST(a_frame_that_is_too_long)
{
	uint32_t longest = 128 + net_section - 256 - 36;

	net_frame(frame, longest + 1, 1);
	put(NULL, longest + 1);
	net_frame(frame, longest, 2);
	put(NULL, longest);
	net_get_frame(&got);
	ck_assert_uint_eq(got.bytes, longest);
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

/* --- the guest has no sections left -------------------------------------------------------- */

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

/* One interrupt for both: what is on this host answers at once. */
START_TEST(an_answer_comes_with_the_completion)
{
	struct net_mem_params mp = {.queues = 1, .loop = true};
	struct net_packet p;

	bus_setup();
	net_make_on(net_mem_new(&mp), VERSION_WIN10_V5_3);
	net_open();
	net_start(1500);
	net_frame(frame, 100, 1);
	for (unsigned int i = 1; i <= 100; i++) {
		net_put_rndis(NET_PRIMARY, i, NVSP_CHANNEL_DATA,
			      net_message(net_page(NET_DATA_PFN), frame, 100,
					  NULL, 0));
		net_get(NET_PRIMARY, &p);
		ck_assert_uint_eq(p.p.type, VM_PKT_COMP);
		ck_assert(net_try_get(NET_PRIMARY, &p));
		net_check_xfer(&p, NVSP_CHANNEL_DATA);
		net_done(NET_PRIMARY, p.p.trans_id);
	}
	net_end();
}
END_TEST

/* --- the way out ------------------------------------------------------------- */

START_TEST(a_card_that_goes)
{
	struct net_packet p;

	ck_assert(netvsp_is_open(card));
	hold_all();
	netvsp_part(card);
	ck_assert(!netvsp_has_parted(card));
	/* No frames come, though there are, and requests are answered. */
	net_frame(frame, 100, 1);
	net_mem_put(net_mem, 0, NULL, frame, 100);
	while (n_held)
		net_done(NET_PRIMARY, held[--n_held]);
	ck_assert_uint_eq(net_get_indication(), RNDIS_STATUS_MEDIA_DISCONNECT);
	wait_until(netvsp_has_parted(card));
	net_query_u32(OID_GEN_MEDIA_CONNECT_STATUS);
	wait_until(netvsp_has_parted(card));
	ck_assert(!net_try_get(NET_PRIMARY, &p));
	/* What the guest sends is completed until it closes the channel. */
	netvsp_revoke(card);
	guest_expect(CHANNELMSG_RESCIND_CHANNELOFFER, NULL, 0);
	ck_assert_uint_eq(
		net_send(NET_PRIMARY, net_message(net_page(NET_DATA_PFN), frame,
						  100, NULL, 0)),
		NVSP_STAT_SUCCESS);
	ck_assert_uint_eq(take(), 100);
	ck_assert(netvsp_is_open(card));
	guest_send_relid(CHANNELMSG_CLOSECHANNEL, NET_PRIMARY->relid);
	wait_until(!netvsp_is_open(card));
}
END_TEST

/* An answer that the guest has not completed holds it up, too. */
START_TEST(a_card_that_goes_with_an_answer_out)
{
	struct net_packet p;
	uint32_t id = 7;

	ck_assert_uint_eq(net_control(RNDIS_MSG_KEEPALIVE, &id, sizeof(id)),
			  NVSP_STAT_SUCCESS);
	net_get(NET_PRIMARY, &p);
	net_check_xfer(&p, NVSP_CHANNEL_CONTROL);
	netvsp_part(card);
	ck_assert_uint_eq(net_get_indication(), RNDIS_STATUS_MEDIA_DISCONNECT);
	for (unsigned int i = 0; i < 1000; i++)
		ck_assert(!netvsp_has_parted(card));
	net_done(NET_PRIMARY, p.p.trans_id);
	wait_until(netvsp_has_parted(card));
	/* Nor does it tell of its cable any more. */
	net_set_link(net_mem, false);
	net_set_link(net_mem, true);
	net_query_u32(OID_GEN_MEDIA_CONNECT_STATUS);
	wait_until(netvsp_has_parted(card));
	ck_assert(!net_try_get(NET_PRIMARY, &p));
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

/* --- what the guest wants -------------------------------------------------------------------- */

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

int main(void)
{
	Suite *s = suite_create("vsp/netvsp/rx");
	TCase *t = net_case(s, "sections", setup_started);

	tcase_add_test(t, a_frame_that_is_too_long);
	tcase_add_test(t, many_frames_are_one_packet);
	tcase_add_test(t, all_sections_are_the_guests);
	tcase_add_test(t, closed_with_sections_in_flight);
	tcase_add_test(t, a_card_that_goes);
	tcase_add_test(t, a_card_that_goes_with_an_answer_out);
	tcase_add_test(t, completions_that_are_not_due);

	t = net_case(s, "filters", setup_started);
	tcase_add_loop_test(t, filters_filter, 0, G_N_ELEMENTS(filters));
	tcase_add_test(t, no_filter_no_frames);

	t = net_case(s, "answers", NULL);
	tcase_add_test(t, an_answer_comes_with_the_completion);
	return check_main(s);
}
