/* SPDX-License-Identifier: MIT */
#include "vsp/netvsp/netvsp.h"

#include "support/net_guest.h"

#include "support/check_main.h"

static struct net_frame got;
static uint8_t frame[70000], taken[70000];

static void setup_host(void)
{
	bus_setup();
	net_make(VERSION_WIN10_V5_3, 4);
	net_open();
}

static void setup_started(void)
{
	setup_host();
	net_start(1500);
}

START_TEST(each_channel_is_served_as_the_card_is_to_be)
{
	struct channel_stats s;

	bus_setup();
	net_params.poll_ns = 30000;
	net_params.monitor_latency_100ns = 1000;
	net_make(VERSION_WIN10_V5_3, 4);
	for (unsigned int i = 0; i < 4; i++) {
		channel_get_stats(card->channels[i]->ch, &s);
		ck_assert_uint_eq(s.poll_ns, 30000);
		ck_assert(s.is_monitored);
		ck_assert_uint_eq(s.monitor_latency_100ns, 1000);
	}
	net_end();
}
END_TEST

/* --- the handshake ----------------------------------------------------------- */

static const struct {
	uint32_t host, newest;
} hosts[] = {
	{VERSION_WS2008, NVSP_PROTOCOL_VERSION_1},
	{VERSION_WIN7, NVSP_PROTOCOL_VERSION_2},
	{VERSION_WIN8, NVSP_PROTOCOL_VERSION_4},
	{VERSION_WIN8_1, NVSP_PROTOCOL_VERSION_5},
	{VERSION_WIN10, NVSP_PROTOCOL_VERSION_6},
	{VERSION_WIN10_V5, NVSP_PROTOCOL_VERSION_61},
};

static const uint32_t versions[] = {
	NVSP_PROTOCOL_VERSION_61, NVSP_PROTOCOL_VERSION_6,
	NVSP_PROTOCOL_VERSION_5,  NVSP_PROTOCOL_VERSION_4,
	NVSP_PROTOCOL_VERSION_2,  NVSP_PROTOCOL_VERSION_1,
};

/* As Linux goes down. */
START_TEST(each_version)
{
	bus_setup();
	net_make(hosts[_i].host, 1);
	net_open();
	for (unsigned int i = 0; i < G_N_ELEMENTS(versions); i++) {
		uint32_t status = net_say_version(versions[i], versions[i]);

		if (versions[i] > hosts[_i].newest) {
			ck_assert_uint_eq(status, NVSP_STAT_PROTOCOL_TOO_NEW);
			continue;
		}
		ck_assert_uint_eq(status, NVSP_STAT_SUCCESS);
		ck_assert_uint_eq(net_status().version, hosts[_i].newest);
		break;
	}
	ck_assert_uint_eq(net_opened, 1);
	net_end();
}
END_TEST

START_TEST(the_newest_of_a_range)
{
	ck_assert_uint_eq(net_say_version(0, 1), NVSP_STAT_PROTOCOL_TOO_OLD);
	ck_assert_uint_eq(net_say_version(2, 0x5FFFF), NVSP_STAT_SUCCESS);
	ck_assert_uint_eq(net_status().version, NVSP_PROTOCOL_VERSION_5);
	ck_assert_uint_eq(net_say_version(2, 2), NVSP_STAT_FAIL);
}
END_TEST

static const struct {
	uint32_t mtu, section;
	uint32_t capability;
} mtus[] = {
	{54, 2048, 0},
	{1500, 2048, 0},
	{1866, 2048, 0},
	{1867, 4096, 0},
	{3914, 4096, 0},
	{3915, 8192, 0},
	{9000, 12288, 0},
	{65507, 69632, 0},
	{1500, 4096, NVSP_NDIS_CAP_RSC},
	{3914, 4096, NVSP_NDIS_CAP_RSC},
	{3915, 8192, NVSP_NDIS_CAP_RSC},
};

START_TEST(sections_hold_frames_of_the_mtu)
{
	net_say_version(NVSP_PROTOCOL_VERSION_61, NVSP_PROTOCOL_VERSION_61);
	net_say_config(mtus[_i].mtu, mtus[_i].capability);
	guest_share(NET_PRIMARY->relid, NET_RECV_GPADL, NET_RECV_PFN, 200);
	ck_assert_uint_eq(net_say_recv_buf(NET_RECV_GPADL), NVSP_STAT_SUCCESS);
	ck_assert_uint_eq(net_section, mtus[_i].section);
	ck_assert_uint_eq(net_sections, 200 * PAGE / net_section);
	ck_assert_uint_eq(net_status().mtu, mtus[_i].mtu);
}
END_TEST

START_TEST(buffers_that_are_none)
{
	net_say_version(NVSP_PROTOCOL_VERSION_61, NVSP_PROTOCOL_VERSION_61);
	ck_assert_uint_eq(net_say_recv_buf(0x77), NVSP_STAT_FAIL);
	ck_assert_uint_eq(net_say_send_buf(0x77), NVSP_STAT_FAIL);
	/* too small: seven sections; less than a section */
	guest_share(NET_PRIMARY->relid, 1, NET_RECV_PFN, 3);
	ck_assert_uint_eq(net_say_recv_buf(1), NVSP_STAT_FAIL);
	guest_share(NET_PRIMARY->relid, 2, NET_SEND_PFN, 1);
	ck_assert_uint_eq(net_say_send_buf(2), NVSP_STAT_FAIL);
	net_share_buffers();
	ck_assert_uint_eq(net_say_recv_buf(NET_RECV_GPADL), NVSP_STAT_FAIL);
	ck_assert_uint_eq(net_say_send_buf(NET_SEND_GPADL), NVSP_STAT_FAIL);
}
END_TEST

START_TEST(nothing_before_a_version)
{
	struct nvsp_message m = {.msg_type = NVSP_MSG1_TYPE_SEND_RNDIS_PKT};

	ck_assert_uint_eq(net_say_recv_buf(1), NVSP_STAT_FAIL);
	ck_assert_uint_eq(net_say_send_buf(1), NVSP_STAT_FAIL);
	net_ask(&m, sizeof(m));
	ck_assert_uint_eq(m.msg_type, NVSP_MSG1_TYPE_SEND_RNDIS_PKT_COMPLETE);
	ck_assert_uint_eq(m.send_rndis_pkt_complete.status, NVSP_STAT_FAIL);
	m = (struct nvsp_message){.msg_type = NVSP_MSG5_TYPE_SUBCHANNEL,
				  .subchn_req = {1, 1}};
	net_ask(&m, sizeof(m));
	ck_assert_uint_eq(m.subchn_comp.status, NVSP_STAT_FAIL);
	m = (struct nvsp_message){.msg_type = 4711};
	net_ask(&m, sizeof(m));
	ck_assert_uint_eq(net_status().refused, 5);
}
END_TEST

/* Linux knows the completion by its being empty. */
START_TEST(the_data_path_is_switched)
{
	struct nvsp_message m = {.msg_type = NVSP_MSG4_TYPE_SWITCH_DATA_PATH};
	struct net_packet p;

	guest_put(NET_PRIMARY, 5, &m, sizeof(m));
	net_get(NET_PRIMARY, &p);
	ck_assert_uint_eq(p.p.trans_id, 5);
	ck_assert_uint_eq(p.p.bytes, 0);
	ck_assert_uint_eq(net_status().refused, 0);
}
END_TEST

/* --- frames -------------------------------------------------------------------- */

START_TEST(a_frame_goes_out)
{
	uint32_t n =
		net_message(net_page(NET_DATA_PFN), frame,
			    net_frame(frame, 60 + (uint32_t)_i, 1), NULL, 0);

	ck_assert_uint_eq(net_send(NET_PRIMARY, n), NVSP_STAT_SUCCESS);
	ck_assert_int_eq(net_mem_take(net_mem, 0, NULL, taken, sizeof(taken)),
			 60 + _i);
	ck_assert_mem_eq(taken, frame, (size_t)(60 + _i));
	ck_assert_uint_eq(net_tx, 1);
	ck_assert_uint_eq(net_status().stats.tx_frames, 1);
	ck_assert_uint_eq(net_status().stats.tx_bytes, (uint64_t)(60 + _i));
}
END_TEST

START_TEST(a_frame_comes_in)
{
	size_t bytes = 60 + (size_t)_i;

	net_frame(frame, (uint32_t)bytes, 3);
	ck_assert_int_eq(net_mem_put(net_mem, 0, NULL, frame, bytes), 0);
	net_get_frame(&got);
	ck_assert_uint_eq(got.bytes, bytes);
	ck_assert_mem_eq(got.data, frame, bytes);
	ck_assert(!got.has_csum && !got.has_vlan && !got.has_hash &&
		  !got.has_id);
	wait_until(net_rx == 1);
	ck_assert_uint_eq(net_status().stats.rx_frames, 1);
	ck_assert_uint_eq(net_status().stats.rx_bytes, bytes);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/netvsp/netvsp");
	TCase *t = net_case(s, "alone", NULL);

	tcase_add_loop_test(t, each_version, 0, G_N_ELEMENTS(hosts));
	tcase_add_test(t, each_channel_is_served_as_the_card_is_to_be);

	t = net_case(s, "open", setup_host);
	tcase_add_test(t, the_newest_of_a_range);
	tcase_add_loop_test(t, sections_hold_frames_of_the_mtu, 0,
			    G_N_ELEMENTS(mtus));
	tcase_add_test(t, buffers_that_are_none);
	tcase_add_test(t, nothing_before_a_version);

	t = net_case(s, "started", setup_started);
	tcase_add_test(t, the_data_path_is_switched);
	tcase_add_loop_test(t, a_frame_goes_out, 0, 3);
	tcase_add_loop_test(t, a_frame_comes_in, 0, 3);
	return check_main(s);
}
