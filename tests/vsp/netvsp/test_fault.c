/* SPDX-License-Identifier: MIT */
/* Cards that lose, repeat, fail or lie: what the guest's driver gets. */
#include "vsp/netvsp/netvsp.h"

#include "support/net_guest.h"

#include "support/check_main.h"
#include "support/fault_rules.h"

static uint8_t frame[2000];
static struct net_frame got;
static struct net_packet packet;

static void setup_opened(void)
{
	bus_setup();
	net_make(VERSION_WIN10_V5_3, 1);
	net_open();
}

static void setup_started(void)
{
	setup_opened();
	net_start(1500);
}

static void end(void)
{
	net_end();
	fault_clear();
}

/* A frame of its own kind for the guest. */
static void give(uint8_t tag)
{
	ck_assert_int_eq(net_mem_put(net_mem, 0, NULL, frame,
				     net_frame(frame, 200, tag)),
			 0);
}

static uint8_t tag_of(const struct net_frame *f)
{
	return (uint8_t)(f->data[20] - 20 * 7);
}

/* Wait for @n frames of any number of packets, and say which. */
static void get_frames(uint8_t *tags, unsigned int n)
{
	while (n) {
		net_get(NET_PRIMARY, &packet);
		net_check_xfer(&packet, NVSP_CHANNEL_DATA);
		for (uint32_t i = 0; i < packet.p.n_xfer; i++) {
			net_read_message(net_received(&packet.p.xfer[i]),
					 packet.p.xfer[i].byte_count, &got);
			ck_assert_uint_gt(n, 0);
			*tags++ = tag_of(&got);
			n--;
		}
		net_done(NET_PRIMARY, packet.p.trans_id);
	}
}

/* --- frames ------------------------------------------------------------------------ */

START_TEST(a_frame_is_lost)
{
	uint8_t tags[2];

	fault_rule("netvsc.frame-rx:device=net0,nth=2,action=drop");
	give(1);
	give(2);
	give(3);
	get_frames(tags, 2);
	ck_assert_uint_eq(tags[0], 1);
	ck_assert_uint_eq(tags[1], 3);
}
END_TEST

START_TEST(a_frame_comes_twice)
{
	uint8_t tags[3];

	fault_rule("netvsc.frame-rx:nth=1,action=duplicate");
	give(1);
	give(2);
	get_frames(tags, 3);
	ck_assert_uint_eq(tags[0], 1);
	ck_assert_uint_eq(tags[1], 1);
	ck_assert_uint_eq(tags[2], 2);
}
END_TEST

static void give_four(void *ctx)
{
	(void)ctx;
	for (uint8_t i = 1; i <= 4; i++)
		give(i);
}

/* On the card's own thread, so that all are there when it looks. */
START_TEST(a_frame_is_overtaken)
{
	uint8_t tags[4];

	fault_rule("netvsc.frame-rx:nth=1,action=reorder,n=2");
	worker_call(card->channels[0]->worker, give_four, NULL);
	get_frames(tags, 4);
	ck_assert_uint_eq(tags[0], 2);
	ck_assert_uint_eq(tags[1], 3);
	ck_assert_uint_eq(tags[2], 1);
	ck_assert_uint_eq(tags[3], 4);
}
END_TEST

START_TEST(what_is_lossy_goes_on)
{
	uint8_t tag;

	fault_scenario("net-lossy");
	give(1);
	wait_until(fault_hits(1) == 1); /* the first rule: it is lost */
	fault_clear();
	give(2);
	get_frames(&tag, 1);
	ck_assert_uint_eq(tag, 2);
}
END_TEST

/* Sections that were in a packet twice, or lied, are good ones afterwards. */
START_TEST(no_section_is_lost)
{
	fault_rule("netvsc.frame-rx:every=3,action=duplicate");
	fault_rule("netvsc.frame-rx:every=5,action=drop");
	for (unsigned int i = 0; i < 4 * net_sections; i++) {
		give(1);
		wait_until(net_try_get(NET_PRIMARY, &packet) ||
			   i % 5 == 4); /* a lost one */
		if (i % 5 != 4)
			net_done(NET_PRIMARY, packet.p.trans_id);
	}
}
END_TEST

#define AT_PACKET(field) \
	(sizeof(struct rndis_header) + offsetof(struct rndis_packet, field))

static const struct {
	const char *scenario, *rule;
	size_t at;
} lies[] = {
	{"hostile-rndis-length", NULL, 4},
	{"hostile-rndis-data", NULL, AT_PACKET(data_len)},
	{"hostile-rndis-items", NULL, AT_PACKET(per_pkt_info_len)},
	{"hostile-rndis-item-size", NULL, 44},
	{NULL, "netvsc.frame-rx:action=corrupt,kind=data-offset",
	 AT_PACKET(data_offset)},
	{NULL, "netvsc.frame-rx:action=corrupt,kind=items-offset",
	 AT_PACKET(per_pkt_info_offset)},
};

START_TEST(a_frame_lies)
{
	const uint8_t *at;
	uint32_t value;

	if (lies[_i].scenario)
		fault_scenario(lies[_i].scenario);
	else
		fault_rule(lies[_i].rule);
	give(1);
	net_get(NET_PRIMARY, &packet);
	net_check_xfer(&packet, NVSP_CHANNEL_DATA);
	at = net_received(&packet.p.xfer[0]);
	memcpy(&value, at + lies[_i].at, sizeof(value));
	ck_assert_uint_gt(value, net_section * net_sections);
	net_done(NET_PRIMARY, packet.p.trans_id);
	fault_clear();
	give(2);
	net_get_frame(&got);
	ck_assert_uint_eq(tag_of(&got), 2);
}
END_TEST

START_TEST(other_lies_of_frames)
{
	const uint8_t *at;
	uint32_t value;

	fault_rule("netvsc.frame-rx:nth=1,action=corrupt,kind=message-type");
	fault_rule("netvsc.frame-rx:nth=2,action=corrupt,kind=message-short");
	fault_rule("netvsc.frame-rx:nth=3,action=corrupt,kind=bytes");
	for (unsigned int i = 0; i < 3; i++) {
		give(1);
		net_get(NET_PRIMARY, &packet);
		at = net_received(&packet.p.xfer[0]);
		memcpy(&value, at + (i == 1 ? 4 : 0), sizeof(value));
		if (i == 0)
			ck_assert_uint_ne(value, RNDIS_MSG_PACKET);
		else if (i == 1)
			ck_assert_uint_lt(value, 44);
		else
			ck_assert_mem_ne(at + RX_HEAD_AT + 12, frame + 12, 8);
		net_done(NET_PRIMARY, packet.p.trans_id);
	}
}
END_TEST

/* --- answers ------------------------------------------------------------------------- */

START_TEST(a_handshake_fails)
{
	fault_rule("netvsc.control:op=INIT,nth=1,action=fail");
	ck_assert_uint_eq(net_say_version(NVSP_PROTOCOL_VERSION_61,
					  NVSP_PROTOCOL_VERSION_61),
			  NVSP_STAT_FAIL);
	/* As Linux does then: netvsc.c, netvsc_connect_vsp(). */
	ck_assert_uint_eq(net_say_version(NVSP_PROTOCOL_VERSION_6,
					  NVSP_PROTOCOL_VERSION_6),
			  NVSP_STAT_SUCCESS);
}
END_TEST

START_TEST(a_buffer_is_not_taken)
{
	ck_assert_uint_eq(net_say_version(NVSP_PROTOCOL_VERSION_61,
					  NVSP_PROTOCOL_VERSION_61),
			  NVSP_STAT_SUCCESS);
	net_say_config(1500, 0);
	fault_rule("netvsc.control:op=RECV_BUF,action=fail");
	guest_share(NET_PRIMARY->relid, NET_RECV_GPADL, NET_RECV_PFN,
		    NET_RECV_PAGES);
	ck_assert_uint_eq(net_say_recv_buf(NET_RECV_GPADL), NVSP_STAT_FAIL);
}
END_TEST

/* A buffer shared, and what is said of it. */
static struct nvsp_message share(uint32_t type, uint32_t gpadl, uint32_t pfn,
				 uint32_t pages)
{
	struct nvsp_message m = {.msg_type = type,
				 .send_buf = {gpadl, NETVSC_RECEIVE_BUFFER_ID}};

	guest_share(NET_PRIMARY->relid, gpadl, pfn, pages);
	net_ask(&m, sizeof(m));
	return m;
}

START_TEST(a_buffer_is_cut_beyond_its_end)
{
	struct nvsp_1_receive_buffer_section *s;
	struct nvsp_message m;

	net_say_version(NVSP_PROTOCOL_VERSION_61, NVSP_PROTOCOL_VERSION_61);
	fault_scenario("hostile-net-sections");
	m = share(NVSP_MSG1_TYPE_SEND_RECV_BUF, NET_RECV_GPADL, NET_RECV_PFN,
		  NET_RECV_PAGES);
	s = &m.send_recv_buf_complete.sections[0];
	ck_assert_uint_gt((uint64_t)s->num_sub_allocs * s->sub_alloc_size,
			  NET_RECV_PAGES * PAGE);
	fault_clear();
	fault_scenario("hostile-net-send-sections");
	m = share(NVSP_MSG1_TYPE_SEND_SEND_BUF, NET_SEND_GPADL, NET_SEND_PFN,
		  NET_SEND_PAGES);
	ck_assert_uint_eq(m.send_send_buf_complete.section_size, 0);
}
END_TEST

START_TEST(a_version_that_nobody_offered)
{
	struct nvsp_message m = {
		.msg_type = NVSP_MSG_TYPE_INIT,
		.init = {NVSP_PROTOCOL_VERSION_61, NVSP_PROTOCOL_VERSION_61}};

	fault_rule("netvsc.control:op=INIT,action=corrupt,kind=version");
	net_ask(&m, sizeof(m));
	ck_assert_uint_ne(m.init_complete.negotiated_protocol_ver,
			  NVSP_PROTOCOL_VERSION_61);
	ck_assert_uint_eq(m.init_complete.status, NVSP_STAT_SUCCESS);
}
END_TEST

/* An RNDIS request; the answer as it came. */
static void ask_rndis(uint32_t type, uint32_t oid, struct net_answer *a)
{
	struct rndis_oid_request q = {
		.req_id = 77, .oid = oid, .info_buf_offset = sizeof(q)};

	ck_assert_uint_eq(net_control(type, &q, sizeof(q)), NVSP_STAT_SUCCESS);
	net_get_control(a, sizeof(*a));
}

START_TEST(rndis_answers_lie)
{
	static struct net_answer a;
	struct rndis_query_complete c;

	fault_scenario("hostile-rndis-answers");
	ask_rndis(RNDIS_MSG_QUERY, OID_GEN_LINK_SPEED, &a);
	memcpy(&c, a.body, sizeof(c));
	ck_assert_uint_gt(c.info_buf_offset, sizeof(a));
	ask_rndis(RNDIS_MSG_SET, OID_GEN_CURRENT_PACKET_FILTER, &a);
	ck_assert_uint_gt(a.h.msg_len, sizeof(a));
}
END_TEST

START_TEST(rndis_answers_fail_or_are_of_nothing)
{
	static struct net_answer a;
	struct rndis_query_complete c;

	fault_rule("netvsc.control:op=RNDIS_QUERY,nth=1,action=fail");
	fault_rule("netvsc.control:op=RNDIS_QUERY,nth=2,action=corrupt,"
		   "kind=rndis-id");
	ask_rndis(RNDIS_MSG_QUERY, OID_GEN_LINK_SPEED, &a);
	memcpy(&c, a.body, sizeof(c));
	ck_assert_uint_eq(c.status, RNDIS_STATUS_FAILURE);
	ask_rndis(RNDIS_MSG_QUERY, OID_GEN_LINK_SPEED, &a);
	memcpy(&c, a.body, sizeof(c));
	ck_assert_uint_ne(c.req_id, 77);
}
END_TEST

START_TEST(an_answer_never_comes)
{
	static struct net_answer a;
	struct rndis_oid_request q = {.req_id = 5,
				      .oid = OID_GEN_LINK_SPEED,
				      .info_buf_offset = sizeof(q)};
	uint32_t id;

	fault_rule("netvsc.control:op=RNDIS_QUERY,nth=1,action=drop");
	ck_assert_uint_eq(net_control(RNDIS_MSG_QUERY, &q, sizeof(q)),
			  NVSP_STAT_SUCCESS);
	ask_rndis(RNDIS_MSG_QUERY, OID_GEN_LINK_SPEED, &a);
	memcpy(&id, a.body, sizeof(id));
	ck_assert_uint_eq(id, 77);
}
END_TEST

/* --- the send table ---------------------------------------------------------------------- */

START_TEST(the_send_table_is_outside)
{
	struct nvsp_message m = {.msg_type = NVSP_MSG5_TYPE_SUBCHANNEL,
				 .subchn_req = {NVSP_SUBCHANNEL_ALLOCATE, 1}};
	struct vmbus_channel_offer_channel offer;

	bus_setup();
	net_make(VERSION_WIN10_V5_3, 2);
	net_open();
	net_start(1500);
	fault_scenario("hostile-net-table");
	net_ask(&m, sizeof(m));
	guest_expect(CHANNELMSG_OFFERCHANNEL, &offer, sizeof(offer));
	guest_open(&net_guest[1], &offer);
	net_get(NET_PRIMARY, &packet);
	ck_assert_uint_eq(packet.m.msg_type,
			  NVSP_MSG5_TYPE_SEND_INDIRECTION_TABLE);
	ck_assert_uint_gt(packet.m.send_table.offset, 4096);
	end();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/netvsp/fault");
	TCase *t = tcase_create("frames");

	tcase_set_timeout(t, 30);
	tcase_add_checked_fixture(t, setup_started, end);
	tcase_add_test(t, a_frame_is_lost);
	tcase_add_test(t, a_frame_comes_twice);
	tcase_add_test(t, a_frame_is_overtaken);
	tcase_add_test(t, what_is_lossy_goes_on);
	tcase_add_test(t, no_section_is_lost);
	tcase_add_loop_test(t, a_frame_lies, 0, G_N_ELEMENTS(lies));
	tcase_add_test(t, other_lies_of_frames);
	tcase_add_test(t, rndis_answers_lie);
	tcase_add_test(t, rndis_answers_fail_or_are_of_nothing);
	tcase_add_test(t, an_answer_never_comes);
	suite_add_tcase(s, t);
	t = tcase_create("handshake");
	tcase_set_timeout(t, 30);
	tcase_add_checked_fixture(t, setup_opened, end);
	tcase_add_test(t, a_handshake_fails);
	tcase_add_test(t, a_buffer_is_not_taken);
	tcase_add_test(t, a_buffer_is_cut_beyond_its_end);
	tcase_add_test(t, a_version_that_nobody_offered);
	suite_add_tcase(s, t);
	t = net_case(s, "table", NULL);
	tcase_add_test(t, the_send_table_is_outside);
	return check_main(s);
}
