/* SPDX-License-Identifier: MIT */
/* Sub-channels: asked for, opened, hashed to, closed. */
#include "vsp/netvsp/netvsp.h"

#include "support/net_guest.h"

#include "support/check_main.h"
#include "support/net_frames.h"
#include "vsp/net/rss.h"

static struct net_frame got;
static uint8_t frame[70000], taken[70000];

static void setup_started(void)
{
	bus_setup();
	net_make(VERSION_WIN10_V5_3, NET_CHANNELS);
	net_open();
	net_start(1500);
}

/* Return: NVSP_STAT_…; @n: out, granted */
static uint32_t ask_for(uint32_t op, uint32_t *n)
{
	struct nvsp_message m = {.msg_type = NVSP_MSG5_TYPE_SUBCHANNEL,
				 .subchn_req = {op, *n}};

	net_ask(&m, sizeof(m));
	ck_assert_uint_eq(m.msg_type, NVSP_MSG5_TYPE_SUBCHANNEL);
	*n = m.subchn_comp.num_subchannels;
	return m.subchn_comp.status;
}

static struct vmbus_channel_offer_channel offers[NET_CHANNELS];

static void get_offers(uint32_t n)
{
	for (uint32_t i = 1; i <= n; i++) {
		guest_expect(CHANNELMSG_OFFERCHANNEL, &offers[i],
			     sizeof(offers[i]));
		ck_assert_uint_eq(offers[i].offer.sub_channel_index, i);
	}
}

static void get_table(uint32_t n_channels)
{
	struct nvsp_send_table_message m;
	struct net_packet p;

	net_get(NET_PRIMARY, &p);
	ck_assert_uint_eq(p.p.type, VM_PKT_DATA_INBAND);
	ck_assert(!p.p.wants_completion);
	ck_assert_uint_ge(p.p.bytes, sizeof(m));
	memcpy(&m, p.p.data, sizeof(m));
	ck_assert_uint_eq(m.message.msg_type,
			  NVSP_MSG5_TYPE_SEND_INDIRECTION_TABLE);
	ck_assert_uint_eq(m.message.send_table.count, 16);
	ck_assert_uint_eq(m.message.send_table.offset, 40);
	for (uint32_t i = 0; i < 16; i++)
		ck_assert_uint_eq(m.table[i], i % n_channels);
}

/* All of them, as Linux does it. */
static void open_all(void)
{
	uint32_t n = NET_CHANNELS - 1;

	ck_assert_uint_eq(ask_for(1, &n), NVSP_STAT_SUCCESS);
	ck_assert_uint_eq(n, NET_CHANNELS - 1);
	get_offers(n);
	for (uint32_t i = 1; i <= n; i++)
		guest_open(&net_guest[i], &offers[i]);
	get_table(NET_CHANNELS);
}

static void setup_all(void)
{
	setup_started();
	open_all();
}

/* Channels of each index of the table, the key of Microsoft's examples. */
static struct ndis_recv_scale_param rss_head(void)
{
	return (struct ndis_recv_scale_param){
		.header = {NDIS_OBJECT_TYPE_RSS_PARAMETERS, 2, 40},
		.hashinfo = NDIS_HASH_FUNC_TOEPLITZ | NDIS_HASH_IPV4 |
			    NDIS_HASH_TCP_IPV4 | NDIS_HASH_IPV6 |
			    NDIS_HASH_TCP_IPV6,
		.indirect_tabsize = 512,
		.indirect_taboffset = 40,
		.hashkey_size = 40,
		.hashkey_offset = 552};
}

static const uint8_t key[40] = {0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2,
				0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0,
				0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4,
				0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30, 0xf2, 0x0c,
				0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa};

static uint8_t param[1024];

/* Return: RNDIS_STATUS_… */
static uint32_t set_rss(uint16_t flag, uint32_t first, uint32_t step)
{
	struct ndis_recv_scale_param p = rss_head();

	p.flag = flag;
	memcpy(param, &p, sizeof(p));
	for (uint32_t i = 0; i < 128; i++) {
		uint32_t c = (first + i * step) % NET_CHANNELS;

		memcpy(param + 40 + 4 * i, &c, sizeof(c));
	}
	memcpy(param + 552, key, sizeof(key));
	return net_set(OID_GEN_RECEIVE_SCALE_PARAMETERS, param, 592);
}

/* --- a channel's packet that the halt of the card finds half sent ---------------- */

/* What is held is still the card's: not where other messages are. */
#define HELD_PFN (NET_DATA_PFN + 1)

static void put_two_messages(uint64_t id)
{
	struct net_place place = {.section = NETVSC_INVALID_INDEX,
				  .pfn = HELD_PFN};
	uint8_t *at = net_page(HELD_PFN);

	for (uint8_t tag = 1; tag <= 2; tag++)
		place.bytes += net_message(at + place.bytes, frame,
					   net_frame(frame, 60, tag), NULL, 0);
	wait_until(net_try_put_rndis(&net_guest[1], id, NVSP_CHANNEL_DATA,
				     &place));
}

START_TEST(all_of_a_packet_goes_after_a_halt)
{
	struct rndis_initialize_complete c;
	struct nvsp_message m;
	uint32_t id = 5;

	net_mem_hold(net_mem, 1);
	put_two_messages(1);
	wait_until(net_status().stats.tx_frames == 1);
	ck_assert_uint_eq(net_control(RNDIS_MSG_HALT, &id, sizeof(id)),
			  NVSP_STAT_SUCCESS);
	net_mem_hold(net_mem, UINT_MAX);
	net_get_completion(&net_guest[1], 1, &m);
	ck_assert_uint_eq(net_rndis_init(&c), RNDIS_STATUS_SUCCESS);
	put_two_messages(2);
	net_get_completion(&net_guest[1], 2, &m);
	ck_assert_uint_eq(m.send_rndis_pkt_complete.status, NVSP_STAT_SUCCESS);
	ck_assert_uint_eq(net_status().stats.tx_frames, 3);
}
END_TEST

/* --- asking -------------------------------------------------------------------- */

START_TEST(the_card_says_how_many)
{
	struct ndis_recv_scale_cap cap;
	uint32_t bytes = sizeof(cap);

	net_query(OID_GEN_RECEIVE_SCALE_CAPABILITIES, &cap, &bytes);
	ck_assert_uint_eq(cap.num_recv_que, NET_CHANNELS);
}
END_TEST

static const struct {
	uint32_t asked, granted;
} requests[] = {{0, 0}, {1, 1}, {3, 3}, {4, 3}, {UINT32_MAX, 3}};

START_TEST(as_many_as_there_are)
{
	uint32_t n = requests[_i].asked;

	ck_assert_uint_eq(ask_for(1, &n), NVSP_STAT_SUCCESS);
	ck_assert_uint_eq(n, requests[_i].granted);
	get_offers(n);
}
END_TEST

START_TEST(asked_wrongly)
{
	uint32_t n = 1;

	ck_assert_uint_eq(ask_for(2, &n), NVSP_STAT_FAIL);
	n = 1;
	ck_assert_uint_eq(ask_for(1, &n), NVSP_STAT_SUCCESS);
	get_offers(1);
	n = 1;
	ck_assert_uint_eq(ask_for(1, &n), NVSP_STAT_FAIL);
	ck_assert_uint_eq(net_status().refused, 2);
}
END_TEST

/* The table comes when the last is open, not before. */
START_TEST(the_table_comes_last)
{
	uint32_t n = 3;
	struct net_packet p;

	ask_for(1, &n);
	get_offers(3);
	guest_open(&net_guest[3], &offers[3]);
	guest_open(&net_guest[1], &offers[1]);
	ck_assert(!net_try_get(NET_PRIMARY, &p));
	guest_open(&net_guest[2], &offers[2]);
	get_table(4);
	ck_assert_uint_eq(net_status().sub_channels, 3);
}
END_TEST

/* --- frames ------------------------------------------------------------------------ */

START_TEST(each_channel_has_its_queue)
{
	for (unsigned int i = 0; i < NET_CHANNELS; i++) {
		uint32_t n =
			net_message(net_page(NET_DATA_PFN), frame,
				    net_frame(frame, 100, (uint8_t)i), NULL, 0);

		ck_assert_uint_eq(net_send(&net_guest[i], n),
				  NVSP_STAT_SUCCESS);
		ck_assert_int_eq(
			net_mem_take(net_mem, i, NULL, taken, sizeof(taken)),
			100);
		ck_assert_mem_eq(taken, frame, 100);
		ck_assert_int_eq(net_mem_put(net_mem, i, NULL, frame, 100), 0);
		net_done(&net_guest[i], net_get_frame_of(&net_guest[i], &got));
		ck_assert_mem_eq(got.data, frame, 100);
	}
	ck_assert_uint_eq(net_status().stats.rx_frames, NET_CHANNELS);
	ck_assert_uint_eq(net_status().stats.tx_frames, NET_CHANNELS);
}
END_TEST

START_TEST(only_data_on_sub_channels)
{
	struct nvsp_message m = {.msg_type = NVSP_MSG_TYPE_INIT};
	uint32_t id = 1;
	struct rndis_header h = {RNDIS_MSG_KEEPALIVE, 12};

	guest_put(&net_guest[1], 3, &m, sizeof(m));
	net_get_completion(&net_guest[1], 3, &m);
	ck_assert_uint_eq(m.init_complete.status, NVSP_STAT_FAIL);
	memcpy(net_page(NET_DATA_PFN), &h, sizeof(h));
	memcpy(net_page(NET_DATA_PFN) + 8, &id, sizeof(id));
	net_put_rndis(&net_guest[1], 4, NVSP_CHANNEL_CONTROL, 12);
	net_get_completion(&net_guest[1], 4, &m);
	ck_assert_uint_eq(m.send_rndis_pkt_complete.status,
			  NVSP_STAT_INVALID_RNDIS_PKT);
}
END_TEST

/* A hash that is computed a bit at a time. */
static uint32_t slow_hash(const uint8_t *in, unsigned int bytes)
{
	uint32_t hash = 0;

	for (unsigned int i = 0; i < bytes * 8; i++) {
		if (!(in[i / 8] & 0x80 >> i % 8))
			continue;
		for (unsigned int b = 0; b < 32; b++) {
			unsigned int at = i + b;

			if (key[at / 8] & 0x80 >> at % 8)
				hash ^= 1u << (31 - b);
		}
	}
	return hash;
}

static uint32_t hash_of(const struct net_flow *f)
{
	uint8_t in[36];
	uint32_t n = f->ip6 ? 32 : 8;

	memcpy(in, frame + (f->ip6 ? 22 : 26), n);
	if (f->udp)
		return slow_hash(in, n);
	memcpy(in + n, frame + net_l4(f), 4);
	return slow_hash(in, n + 4);
}

/* Wherever a frame comes in, it goes where the table says, with its hash. */
START_TEST(frames_go_where_their_hash_says)
{
	ck_assert_uint_eq(set_rss(0, 0, 1), RNDIS_STATUS_SUCCESS);
	for (unsigned int i = 0; i < 200; i++) {
		struct net_flow f = {.ip6 = i & 1,
				     .udp = i & 2,
				     .host = (uint8_t)i,
				     .port = (uint16_t)(1000 + i)};
		uint32_t n = net_packet_of(frame, net_mac, &f, 100 + i);
		uint32_t hash = hash_of(&f), c = hash % 128 % NET_CHANNELS;

		wait_until(!net_mem_put(net_mem, i % NET_CHANNELS, NULL, frame,
					n));
		net_done(&net_guest[c], net_get_frame_of(&net_guest[c], &got));
		ck_assert_uint_eq(got.bytes, n);
		ck_assert_mem_eq(got.data, frame, n);
		ck_assert(got.has_hash);
		ck_assert_uint_eq(got.hash, hash);
	}
	ck_assert_uint_eq(net_status().stats.rx_frames, 200);
	ck_assert_uint_eq(net_status().stats.rx_no_buffer, 0);
}
END_TEST

/* Sections that are lent come back: many times as many frames as there are. */
START_TEST(lent_sections_come_back)
{
	uint32_t n_frames = 0, n = 0;
	struct net_packet p;

	/* All to the third channel, all by the first one's queue. */
	ck_assert_uint_eq(set_rss(0, 3, 0), RNDIS_STATUS_SUCCESS);
	while (n_frames < 5000) {
		struct net_flow f = {.host = 1, .port = (uint16_t)n};
		uint32_t bytes = net_packet_of(frame, net_mac, &f, 10);

		if (n < 5000 && !net_mem_put(net_mem, 0, NULL, frame, bytes))
			n++;
		if (!net_try_get(&net_guest[3], &p))
			continue;
		net_check_xfer(&p, NVSP_CHANNEL_DATA);
		for (uint32_t i = 0; i < p.p.n_xfer; i++, n_frames++) {
			net_read_message(net_received(&p.p.xfer[i]),
					 p.p.xfer[i].byte_count, &got);
			ck_assert_uint_eq(net_get16(got.data + 34), n_frames);
		}
		net_done(&net_guest[3], p.p.trans_id);
	}
	ck_assert_uint_eq(net_status().stats.rx_frames, 5000);
}
END_TEST

/* While frames run; the flow goes over to where it is wanted. */
START_TEST(the_table_is_changed)
{
	for (unsigned int i = 0; i < 40; i++) {
		struct net_flow f = {.host = 3, .port = 5};
		uint32_t c = i % NET_CHANNELS;

		ck_assert_uint_eq(
			set_rss(i > 4 ? NDIS_RSS_PARAM_FLAG_HASH_KEY_UNCHANGED |
						NDIS_RSS_PARAM_FLAG_HASH_INFO_UNCHANGED
				      : 0,
				c, 0),
			RNDIS_STATUS_SUCCESS);
		net_packet_of(frame, net_mac, &f, 10);
		wait_until(!net_mem_put(net_mem, 1, NULL, frame, 64));
		net_done(&net_guest[c], net_get_frame_of(&net_guest[c], &got));
		ck_assert_uint_eq(got.hash, hash_of(&f));
	}
	/* Off: it stays where it comes. */
	ck_assert_uint_eq(set_rss(NDIS_RSS_PARAM_FLAG_DISABLE_RSS, 0, 0),
			  RNDIS_STATUS_SUCCESS);
	wait_until(!net_mem_put(net_mem, 1, NULL, frame, 64));
	net_done(&net_guest[1], net_get_frame_of(&net_guest[1], &got));
	ck_assert(!got.has_hash);
}
END_TEST

static const struct {
	const char *what;
	uint32_t at, bytes, value;
	uint32_t status;
} bad_rss[] = {
	{"cut off", 0, 4, 0x00280289, RNDIS_STATUS_INVALID_LENGTH},
	{"another type", 0, 1, 0x88, RNDIS_STATUS_INVALID_DATA},
	{"another function", 8, 1, 2, RNDIS_STATUS_INVALID_DATA},
	{"a table of odd size", 12, 2, 6, RNDIS_STATUS_INVALID_LENGTH},
	{"a table of three", 12, 2, 12, RNDIS_STATUS_INVALID_LENGTH},
	{"a table of too many", 12, 2, 1024, RNDIS_STATUS_INVALID_LENGTH},
	{"a table behind the end", 16, 4, 81, RNDIS_STATUS_INVALID_LENGTH},
	{"a table far away", 16, 4, 0xFFFFFFF0, RNDIS_STATUS_INVALID_LENGTH},
	{"a short key", 20, 2, 39, RNDIS_STATUS_INVALID_LENGTH},
	{"a key behind the end", 24, 4, 553, RNDIS_STATUS_INVALID_LENGTH},
	{"a channel that there is not", 40, 4, 4, RNDIS_STATUS_INVALID_DATA},
	{"the last is none", 548, 4, 0xFFFFFFFF, RNDIS_STATUS_INVALID_DATA},
};

START_TEST(rss_that_cannot_be)
{
	ck_assert_uint_eq(set_rss(0, 0, 1), RNDIS_STATUS_SUCCESS);
	memcpy(param + bad_rss[_i].at, &bad_rss[_i].value, bad_rss[_i].bytes);
	ck_assert_uint_eq(
		net_set(OID_GEN_RECEIVE_SCALE_PARAMETERS, param, _i ? 592 : 39),
		bad_rss[_i].status);
}
END_TEST

START_TEST(no_table_is_the_first_channel)
{
	struct ndis_recv_scale_param p = rss_head();
	struct net_flow f = {.host = 77, .port = 5};

	p.indirect_tabsize = 0;
	memcpy(param, &p, sizeof(p));
	memcpy(param + 552, key, sizeof(key));
	ck_assert_uint_eq(net_set(OID_GEN_RECEIVE_SCALE_PARAMETERS, param, 592),
			  RNDIS_STATUS_SUCCESS);
	net_packet_of(frame, net_mac, &f, 10);
	wait_until(!net_mem_put(net_mem, 2, NULL, frame, 64));
	net_get_frame(&got);
	ck_assert(got.has_hash);
}
END_TEST

/* --- the end -------------------------------------------------------------------------- */

/* What belongs to a channel that is closed stays where it comes. */
START_TEST(a_sub_channel_is_closed)
{
	struct net_flow f = {.host = 3, .port = 5};

	ck_assert_uint_eq(set_rss(0, 2, 0), RNDIS_STATUS_SUCCESS);
	net_packet_of(frame, net_mac, &f, 10);
	/* It has a lent section, and does not give it back. */
	wait_until(!net_mem_put(net_mem, 0, NULL, frame, 64));
	net_get_frame_of(&net_guest[2], &got);
	guest_close(&net_guest[2]);
	ck_assert_uint_eq(net_status().sub_channels, 2);
	wait_until(!net_mem_put(net_mem, 0, NULL, frame, 64));
	net_get_frame(&got);
	ck_assert_uint_eq(got.bytes, 64);
}
END_TEST

/* Packets of any channel hold the card up; only the primary is revoked. */
START_TEST(a_card_with_many_channels_goes)
{
	struct net_flow f = {.host = 3, .port = 5};
	struct net_packet p;

	ck_assert_uint_eq(set_rss(0, 2, 0), RNDIS_STATUS_SUCCESS);
	net_packet_of(frame, net_mac, &f, 10);
	wait_until(!net_mem_put(net_mem, 0, NULL, frame, 64));
	net_get(&net_guest[2], &p);
	netvsp_part(card);
	ck_assert_uint_eq(net_get_indication(), RNDIS_STATUS_MEDIA_DISCONNECT);
	for (unsigned int i = 0; i < 1000; i++)
		ck_assert(!netvsp_has_parted(card));
	net_done(&net_guest[2], p.p.trans_id);
	wait_until(netvsp_has_parted(card));
	netvsp_revoke(card);
	guest_expect(CHANNELMSG_RESCIND_CHANNELOFFER, NULL, 0);
	for (unsigned int i = 1; i < NET_CHANNELS; i++)
		guest_close(&net_guest[i]);
	ck_assert(netvsp_is_open(card));
	guest_send_relid(CHANNELMSG_CLOSECHANNEL, NET_PRIMARY->relid);
	wait_until(!netvsp_is_open(card));
}
END_TEST

/* In either order, with frames in flight. */
START_TEST(all_are_closed)
{
	ck_assert_uint_eq(set_rss(0, 0, 1), RNDIS_STATUS_SUCCESS);
	for (unsigned int i = 0; i < 50; i++) {
		struct net_flow f = {.host = (uint8_t)i, .port = 5};

		net_packet_of(frame, net_mac, &f, 10);
		wait_until(!net_mem_put(net_mem, i % NET_CHANNELS, NULL, frame,
					64));
	}
	if (_i) {
		for (unsigned int i = 1; i < NET_CHANNELS; i++)
			guest_close(&net_guest[i]);
	}
	guest_send_relid(CHANNELMSG_CLOSECHANNEL, NET_PRIMARY->relid);
	for (unsigned int i = 1; i < NET_CHANNELS; i++) {
		struct vmbus_channel_rescind_offer r;

		guest_expect(CHANNELMSG_RESCIND_CHANNELOFFER, &r, sizeof(r));
	}
	wait_until(!net_status().version);
	ck_assert(!net_status().ready);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/netvsp/queues");
	TCase *t = net_case(s, "started", setup_started);

	tcase_add_test(t, the_card_says_how_many);
	tcase_add_loop_test(t, as_many_as_there_are, 0, G_N_ELEMENTS(requests));
	tcase_add_test(t, asked_wrongly);
	tcase_add_test(t, the_table_comes_last);

	t = net_case(s, "all open", setup_all);
	tcase_add_test(t, each_channel_has_its_queue);
	tcase_add_test(t, all_of_a_packet_goes_after_a_halt);
	tcase_add_test(t, only_data_on_sub_channels);
	tcase_add_test(t, frames_go_where_their_hash_says);
	tcase_add_test(t, lent_sections_come_back);
	tcase_add_test(t, the_table_is_changed);
	tcase_add_loop_test(t, rss_that_cannot_be, 0, G_N_ELEMENTS(bad_rss));
	tcase_add_test(t, no_table_is_the_first_channel);
	tcase_add_test(t, a_sub_channel_is_closed);
	tcase_add_loop_test(t, all_are_closed, 0, 2);
	tcase_add_test(t, a_card_with_many_channels_goes);
	return check_main(s);
}
