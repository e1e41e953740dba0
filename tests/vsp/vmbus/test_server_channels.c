/* SPDX-License-Identifier: MIT */
/*
 * The server: channels that open, close and move to another VP, and monitor pages.
 */
#include "support/chan_peer.h"

/* --- open and close ------------------------------------------------------------------ */

static const struct {
	const char *what;
	uint32_t version, features;
	uint32_t vp, connection_id;
	uint16_t flag;
	/* what the owner gets; vp 0xFF: refused */
	uint32_t want_vp, want_connection;
	uint16_t want_flag;
} opens[] = {
	{"as Linux", VERSION_WIN10, 0, 3, 0, 0, 3, 0x2001, 1},
	{"always VP 0", VERSION_WIN7, 0, 3, 0, 0, 0, 0x2001, 1},
	{"no interrupts", VERSION_WIN10, 0, VMBUS_NO_INTERRUPTS, 0, 0,
	 VMBUS_NO_INTERRUPTS, 0x2001, 1},
	{"no such VP", VERSION_WIN10, 0, PEER_VPS, 0, 0, 0xFF, 0, 0},
	{"signals of its own", VERSION_WIN10_V6_0,
	 VMBUS_FEATURE_GUEST_SIGNAL_PARAMETERS, 1, 0x4321, 77, 1, 0x4321, 77},
	{"not agreed on", VERSION_WIN10_V6_0, 0, 1, 0x4321, 77, 1, 0x2001, 1},
	{"redirected, as far as it goes", VERSION_WIN10_V6_0,
	 VMBUS_FEATURE_INTERRUPT_REDIRECTION, 1, 0x4321, 77, 1, 0x2001, 1},
	{"no such flag", VERSION_WIN10_V6_0,
	 VMBUS_FEATURE_GUEST_SIGNAL_PARAMETERS, 1, 5, 2048, 0xFF, 0, 0},
	{"no such connection", VERSION_WIN10_V6_0,
	 VMBUS_FEATURE_GUEST_SIGNAL_PARAMETERS, 1, 0x1000000, 1, 0xFF, 0, 0},
};

START_TEST(what_an_open_asks_for)
{
	struct vmbus_channel_open_channel2 m = {
		.base = {.header.msgtype = CHANNELMSG_OPENCHANNEL,
			 .child_relid = 1,
			 .openid = 99,
			 .ringbuffer_gpadlhandle = 7,
			 .target_vp = opens[_i].vp,
			 .downstream_ringbuffer_pageoffset = 2},
		.connection_id = opens[_i].connection_id,
		.event_flag = opens[_i].flag,
		.flags = 1, /* OpenVMM: redirect_interrupt */
	};
	const struct vmbus_open_request *r = &peer.last.open;
	bool ok = opens[_i].want_vp != 0xFF;
	struct peer_message answer;

	memset(m.base.userdata, 0x5A, sizeof(m.base.userdata));
	peer_offer(1);
	peer_connect_with(opens[_i].version, opens[_i].features);
	peer_send_empty(CHANNELMSG_REQUESTOFFERS);
	peer_expect(CHANNELMSG_OFFERCHANNEL);
	peer_expect(CHANNELMSG_ALLOFFERS_DELIVERED);
	ck_assert_uint_eq(peer_make_gpadl(1, 7, 4), 0);
	peer_send_raw(&m, sizeof(m));
	answer = peer_expect(CHANNELMSG_OPENCHANNEL_RESULT);
	ck_assert_uint_eq(answer.open_result.openid, 99);
	ck_assert_msg(!answer.open_result.status == ok, "%s", opens[_i].what);
	if (ok) {
		ck_assert_uint_eq(r->openid, 99);
		ck_assert_uint_eq(r->ring_gpadl, 7);
		ck_assert_uint_eq(r->downstream_page, 2);
		ck_assert_uint_eq(r->target_vp, opens[_i].want_vp);
		ck_assert_uint_eq(r->connection_id, opens[_i].want_connection);
		ck_assert_uint_eq(r->event_flag, opens[_i].want_flag);
		ck_assert_mem_eq(r->userdata, m.base.userdata, 120);
	}
}
END_TEST

START_TEST(an_open_that_the_owner_refuses)
{
	struct vmbus_offer *o = peer_start(VERSION_WIN10);

	peer.obey = 0;
	peer_make_gpadl(1, 5, 4);
	peer_send_open(1, 5);
	peer_expect_nothing();
	vmbus_offer_opened(o, false);
	ck_assert_uint_ne(
		peer_expect(CHANNELMSG_OPENCHANNEL_RESULT).open_result.status,
		0);
	/* It may try again. */
	peer_send_open(1, 5);
	ck_assert_uint_eq(peer.actions[VMBUS_ACTION_OPEN], 2);
	vmbus_offer_opened(o, true);
	ck_assert_uint_eq(
		peer_expect(CHANNELMSG_OPENCHANNEL_RESULT).open_result.status,
		0);
}
END_TEST

START_TEST(an_open_needs_a_ring_of_its_own)
{
	peer_start(VERSION_WIN10);
	peer_offer(2);
	peer_expect(CHANNELMSG_OFFERCHANNEL);
	peer_make_gpadl(1, 5, 4);
	peer_send_gpadl(2, 6, 27);
	peer_expect(CHANNELMSG_GPADL_CREATED);
	/* none; another channel's; one that is not finished */
	peer_send_open(1, 9);
	peer_send_open(2, 5);
	peer_send_open(1, 6);
	for (unsigned int i = 0; i < 3; i++)
		ck_assert_uint_ne(peer_expect(CHANNELMSG_OPENCHANNEL_RESULT)
					  .open_result.status,
				  0);
	ck_assert_uint_eq(peer.actions[VMBUS_ACTION_OPEN], 0);
}
END_TEST

START_TEST(open_again_waits_for_the_close)
{
	struct vmbus_offer *o = peer_start(VERSION_WIN10);

	peer_open(1);
	peer.obey = 0;
	peer_send_relid(CHANNELMSG_CLOSECHANNEL, 1);
	peer_make_gpadl(1, 8, 4);
	peer_send_open(1, 8);
	/* One is enough. */
	peer_send_open(1, 8);
	ck_assert_uint_ne(
		peer_expect(CHANNELMSG_OPENCHANNEL_RESULT).open_result.status,
		0);
	peer_expect_nothing();
	ck_assert_uint_eq(peer.actions[VMBUS_ACTION_OPEN], 1);
	vmbus_offer_closed(o);
	peer_act();
	ck_assert_uint_eq(peer.actions[VMBUS_ACTION_OPEN], 2);
	ck_assert_uint_eq(peer.last.open.ring_gpadl, 8);
	vmbus_offer_opened(o, true);
	peer_expect(CHANNELMSG_OPENCHANNEL_RESULT);
}
END_TEST

START_TEST(open_again_is_forgotten_with_the_connection)
{
	struct vmbus_offer *o = peer_start(VERSION_WIN10);

	peer_open(1);
	peer.obey = 0;
	peer_send_relid(CHANNELMSG_CLOSECHANNEL, 1);
	peer_send_open(1, 0xE1E10);
	peer_send_empty(CHANNELMSG_UNLOAD);
	vmbus_offer_closed(o);
	peer_act();
	peer_expect(CHANNELMSG_UNLOAD_RESPONSE);
	ck_assert_uint_eq(peer.actions[VMBUS_ACTION_OPEN], 1);
}
END_TEST

START_TEST(twenty_rounds_of_open_and_close)
{
	peer_start(VERSION_WIN10);
	for (unsigned int i = 0; i < 20; i++) {
		peer_open(1);
		peer_send_relid(CHANNELMSG_CLOSECHANNEL, 1);
		peer_send_teardown(1, 0xE1E10);
		peer_expect(CHANNELMSG_GPADL_TORNDOWN);
		peer_expect_nothing();
	}
	ck_assert_uint_eq(peer_stats().n_gpadls, 0);
	ck_assert_uint_eq(peer_stats().gpadl_bytes, 0);
}
END_TEST

/* --- another VP ------------------------------------------------------------------------ */

START_TEST(modify_is_answered_from_5_3)
{
	struct vmbus_offer *o = peer_start(VERSION_WIN10_V5_3);
	struct peer_message m;

	peer_open(1);
	peer.obey = 0;
	peer_send_modify(1, 3);
	ck_assert_uint_eq(peer.last.kind, VMBUS_ACTION_MODIFY);
	ck_assert_uint_eq(peer.last.target_vp, 3);
	peer_expect_nothing();
	/* One at a time. */
	peer_send_modify(1, 2);
	ck_assert_uint_ne(
		peer_expect(CHANNELMSG_MODIFYCHANNEL_RESPONSE).modify.status,
		0);
	vmbus_offer_modified(o);
	m = peer_expect(CHANNELMSG_MODIFYCHANNEL_RESPONSE);
	ck_assert_uint_eq(m.modify.child_relid, 1);
	ck_assert_uint_eq(m.modify.status, 0);
	peer_act();
	ck_assert_uint_eq(peer.actions[VMBUS_ACTION_MODIFY], 1);
}
END_TEST

START_TEST(below_5_3_the_newest_counts)
{
	struct vmbus_offer *o = peer_start(VERSION_WIN10_V5_2);

	peer_open(1);
	peer.obey = 0;
	peer_send_modify(1, 3);
	peer_send_modify(1, 2);
	peer_send_modify(1, 0);
	ck_assert_uint_eq(peer.actions[VMBUS_ACTION_MODIFY], 1);
	vmbus_offer_modified(o);
	peer_act();
	ck_assert_uint_eq(peer.actions[VMBUS_ACTION_MODIFY], 2);
	ck_assert_uint_eq(peer.last.target_vp, 0);
	vmbus_offer_modified(o);
	peer_act();
	ck_assert_uint_eq(peer.actions[VMBUS_ACTION_MODIFY], 2);
	peer_expect_nothing();
}
END_TEST

static const uint32_t bad_vps[] = {PEER_VPS, VMBUS_NO_INTERRUPTS};

START_TEST(modify_to_what_is_no_vp)
{
	peer_start(VERSION_WIN10_V5_3);
	peer_open(1);
	peer_send_modify(1, bad_vps[_i]);
	ck_assert_uint_ne(
		peer_expect(CHANNELMSG_MODIFYCHANNEL_RESPONSE).modify.status,
		0);
	ck_assert_uint_eq(peer.actions[VMBUS_ACTION_MODIFY], 0);
}
END_TEST

START_TEST(close_while_it_is_being_moved)
{
	struct vmbus_offer *o = peer_start(VERSION_WIN10_V5_2);

	peer_open(1);
	peer.obey = 0;
	peer_send_modify(1, 3);
	peer_send_modify(1, 2);
	peer_send_relid(CHANNELMSG_CLOSECHANNEL, 1);
	peer_send_empty(CHANNELMSG_UNLOAD);
	vmbus_offer_modified(o);
	peer_expect_nothing();
	vmbus_offer_closed(o);
	peer_act();
	peer_expect(CHANNELMSG_UNLOAD_RESPONSE);
	ck_assert_uint_eq(peer.actions[VMBUS_ACTION_MODIFY], 1);
}
END_TEST

/* --- monitor pages ------------------------------------------------------------------- */

/* Offers 1 and 3, which are monitored, and 2, which is not, all open. */
static void start_monitored(struct vmbus_offer *offers[3])
{
	for (unsigned int i = 0; i < 3; i++) {
		struct vmbus_offer_params p = peer_device(i + 1);

		p.is_monitored = i != 1;
		p.monitor_id = (uint8_t)i;
		offers[i] = vmbus_server_offer(peer.server, &p);
	}
	peer_connect_with(VERSION_WIN10_V6_0, VMBUS_FEATURE_MODIFY_CONNECTION);
	peer_send_empty(CHANNELMSG_REQUESTOFFERS);
	for (unsigned int i = 0; i < 3; i++)
		peer_expect(CHANNELMSG_OFFERCHANNEL);
	peer_expect(CHANNELMSG_ALLOFFERS_DELIVERED);
	for (uint32_t relid = 1; relid <= 3; relid++) {
		peer_make_gpadl(relid, relid, 4);
		peer_send_open(relid, relid);
		peer_expect(CHANNELMSG_OPENCHANNEL_RESULT);
	}
	peer.obey = 0;
}

static void send_modify_connection(uint64_t page)
{
	struct vmbus_channel_modify_connection m = {
		.monitor_page1 = page, .monitor_page2 = page + 4096};

	peer_send(&m, CHANNELMSG_MODIFY_CONNECTION);
}

static void expect_modified(uint8_t state)
{
	ck_assert_uint_eq(peer_expect(CHANNELMSG_MODIFY_CONNECTION_DONE)
				  .modified.connection_state,
			  state);
}

START_TEST(who_looks_at_the_monitor_pages_lets_go_first)
{
	struct vmbus_offer *offers[3];

	start_monitored(offers);
	send_modify_connection(0x5000);
	ck_assert_uint_eq(peer.actions[VMBUS_ACTION_MOVE_PAGES], 2);
	peer_expect_nothing();
	/* One at a time. */
	send_modify_connection(0x8000);
	expect_modified(VMBUS_CONNECTION_FAILED);
	ck_assert_uint_eq(
		vmbus_server_connection(peer.server)->monitor_page_gpa[0],
		0x5000);
	vmbus_offer_pages_moved(offers[0]);
	peer_expect_nothing();
	vmbus_offer_pages_moved(offers[2]);
	expect_modified(VMBUS_CONNECTION_OK);
	peer.obey = PEER_OBEY_ALL;
	send_modify_connection(0x8000);
	expect_modified(VMBUS_CONNECTION_OK);
	peer_expect_nothing();
}
END_TEST

/* One that closes looks until it has closed. */
START_TEST(a_close_lets_go_of_the_monitor_pages)
{
	struct vmbus_offer *offers[3];
	bool before = _i;

	start_monitored(offers);
	if (before)
		peer_send_relid(CHANNELMSG_CLOSECHANNEL, 3);
	send_modify_connection(0x5000);
	ck_assert_uint_eq(peer.actions[VMBUS_ACTION_MOVE_PAGES], 2u - before);
	if (!before)
		peer_send_relid(CHANNELMSG_CLOSECHANNEL, 3);
	vmbus_offer_pages_moved(offers[0]);
	peer_expect_nothing();
	vmbus_offer_closed(offers[2]);
	expect_modified(VMBUS_CONNECTION_OK);
}
END_TEST

START_TEST(pages_that_move_are_forgotten_with_the_connection)
{
	struct vmbus_offer *offers[3];

	start_monitored(offers);
	send_modify_connection(0x5000);
	peer.obey = PEER_OBEY_ALL;
	peer_send_empty(CHANNELMSG_UNLOAD);
	vmbus_offer_pages_moved(offers[0]);
	vmbus_offer_pages_moved(offers[2]);
	for (uint32_t relid = 1; relid <= 3; relid++)
		peer_act();
	peer_expect(CHANNELMSG_UNLOAD_RESPONSE);
	peer_expect_nothing();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/vmbus/server_channels");
	TCase *t = tcase_create("server_channels");

	tcase_add_checked_fixture(t, peer_setup, peer_teardown);
	tcase_add_loop_test(t, what_an_open_asks_for, 0, G_N_ELEMENTS(opens));
	tcase_add_test(t, an_open_that_the_owner_refuses);
	tcase_add_test(t, an_open_needs_a_ring_of_its_own);
	tcase_add_test(t, open_again_waits_for_the_close);
	tcase_add_test(t, open_again_is_forgotten_with_the_connection);
	tcase_add_test(t, twenty_rounds_of_open_and_close);
	tcase_add_test(t, modify_is_answered_from_5_3);
	tcase_add_test(t, below_5_3_the_newest_counts);
	tcase_add_loop_test(t, modify_to_what_is_no_vp, 0,
			    G_N_ELEMENTS(bad_vps));
	tcase_add_test(t, close_while_it_is_being_moved);
	tcase_add_test(t, who_looks_at_the_monitor_pages_lets_go_first);
	tcase_add_loop_test(t, a_close_lets_go_of_the_monitor_pages, 0, 2);
	tcase_add_test(t, pages_that_move_are_forgotten_with_the_connection);
	suite_add_tcase(s, t);
	return check_main(s);
}
