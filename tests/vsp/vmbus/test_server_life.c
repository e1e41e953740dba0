/* SPDX-License-Identifier: MIT */
/*
 * A connection's life in the server: a new kernel, unload, reset; pause, other
 * monitor pages, hv_sock.
 */
#include "support/chan_peer.h"

/* --- a new kernel, unload, reset ------------------------------------------------- */

START_TEST(a_contact_while_connected_starts_over)
{
	struct vmbus_channel_initiate_contact2 m =
		peer_contact(VERSION_WIN10_V5_3);

	peer_setup();
	peer_start(VERSION_WIN10_V5_3);
	peer_open(1);
	peer.obey &= ~BIT(VMBUS_ACTION_CLOSE);
	m.base.target_vcpu = 3;
	peer_send_raw(&m, sizeof(m.base));
	/* Not before the old one is gone. */
	peer_expect_nothing();
	ck_assert_uint_eq(peer.drops, 1);
	ck_assert_uint_eq(peer.actions[VMBUS_ACTION_CLOSE], 1);
	ck_assert_uint_eq(vmbus_server_connection(peer.server)->version, 0);
	vmbus_offer_closed(peer.last.offer);
	peer_act();
	ck_assert_uint_eq(peer_expect(CHANNELMSG_VERSION_RESPONSE).vp, 3);
	ck_assert_uint_eq(peer_stats().n_gpadls, 0);
	ck_assert_uint_eq(peer_stats().n_relids, 0);
	ck_assert_uint_eq(peer.actions[VMBUS_ACTION_CONNECTED], 2);
	ck_assert_uint_eq(peer.actions[VMBUS_ACTION_DISCONNECTED], 1);
	/* The same relid as before. */
	peer_send_empty(CHANNELMSG_REQUESTOFFERS);
	ck_assert_uint_eq(
		peer_expect(CHANNELMSG_OFFERCHANNEL).offer.child_relid, 1);
	peer_teardown();
}
END_TEST

START_TEST(an_unsupported_contact_ends_the_connection_too)
{
	struct vmbus_channel_initiate_contact2 m = peer_contact(0x00070000);

	peer_setup();
	peer_start(VERSION_WIN10);
	peer_open(1);
	m.base.msg_sint = VMBUS_MESSAGE_SINT;
	peer_send_raw(&m, sizeof(m.base));
	ck_assert_uint_eq(peer_expect(CHANNELMSG_VERSION_RESPONSE)
				  .version.base.version_supported,
			  0);
	ck_assert_uint_eq(peer.actions[VMBUS_ACTION_CLOSE], 1);
	ck_assert(vmbus_server_is_idle(peer.server));
	peer_teardown();
}
END_TEST

START_TEST(of_two_contacts_the_second_counts)
{
	struct vmbus_channel_initiate_contact2 m =
		peer_contact(VERSION_WIN10_V5_3);

	peer_setup();
	peer_start(VERSION_WIN10_V5_3);
	peer_open(1);
	peer.obey &= ~BIT(VMBUS_ACTION_CLOSE);
	peer_send_raw(&m, sizeof(m.base));
	m = peer_contact(VERSION_WIN8_1);
	m.base.target_vcpu = 2;
	peer_send_raw(&m, sizeof(m.base));
	peer_expect_nothing();
	vmbus_offer_closed(peer.last.offer);
	peer_act();
	ck_assert_uint_eq(peer_expect(CHANNELMSG_VERSION_RESPONSE).vp, 2);
	peer_expect_nothing();
	ck_assert_uint_eq(vmbus_server_connection(peer.server)->version,
			  VERSION_WIN8_1);
	ck_assert_uint_eq(peer.actions[VMBUS_ACTION_DISCONNECTED], 1);
	peer_teardown();
}
END_TEST

START_TEST(unload_closes_and_answers)
{
	peer_setup();
	peer_start(VERSION_WIN8_1);
	peer_open(1);
	peer.obey &= ~BIT(VMBUS_ACTION_CLOSE);
	peer_send_empty(CHANNELMSG_UNLOAD);
	peer_expect_nothing();
	ck_assert(!vmbus_server_is_idle(peer.server));
	vmbus_offer_closed(peer.last.offer);
	peer_act();
	ck_assert_uint_eq(peer_expect(CHANNELMSG_UNLOAD_RESPONSE).vp, PEER_VP);
	ck_assert(vmbus_server_is_idle(peer.server));
	ck_assert_uint_eq(peer.actions[VMBUS_ACTION_UNLOADED], 1);
	peer_connect(VERSION_WIN10_V5_3);
	peer_teardown();
}
END_TEST

START_TEST(unload_without_a_connection)
{
	peer_setup();
	peer_send_empty(CHANNELMSG_UNLOAD);
	ck_assert_uint_eq(peer_expect(CHANNELMSG_UNLOAD_RESPONSE).vp, 0);
	peer_connect(VERSION_WIN10);
	peer_send_empty(CHANNELMSG_UNLOAD);
	peer_expect(CHANNELMSG_UNLOAD_RESPONSE);
	/* Once more: where the guest was heard of last. */
	peer_send_empty(CHANNELMSG_UNLOAD);
	ck_assert_uint_eq(peer_expect(CHANNELMSG_UNLOAD_RESPONSE).vp, PEER_VP);
	peer_expect_nothing();
	peer_teardown();
}
END_TEST

START_TEST(a_contact_after_unload_takes_its_place)
{
	struct vmbus_channel_initiate_contact2 m = peer_contact(VERSION_WIN10);

	peer_setup();
	peer_start(VERSION_WIN10);
	peer_open(1);
	peer.obey &= ~BIT(VMBUS_ACTION_CLOSE);
	peer_send_empty(CHANNELMSG_UNLOAD);
	peer_send_raw(&m, sizeof(m.base));
	vmbus_offer_closed(peer.last.offer);
	peer_act();
	peer_expect(CHANNELMSG_VERSION_RESPONSE);
	peer_expect_nothing();
	peer_teardown();
}
END_TEST

START_TEST(messages_for_the_old_kernel_are_dropped)
{
	peer_setup();
	for (unsigned int i = 1; i < 20; i++)
		peer_offer(i);
	peer_connect(VERSION_WIN10);
	peer.room = 2;
	peer_send_empty(CHANNELMSG_REQUESTOFFERS);
	ck_assert_uint_eq(peer_inbox(), 2);
	peer_send_empty(CHANNELMSG_UNLOAD);
	ck_assert_uint_eq(peer.drops, 1);
	ck_assert_uint_gt(peer_stats().dropped, 0);
	peer.room = ~0u;
	vmbus_server_flush(peer.server);
	peer_expect(CHANNELMSG_OFFERCHANNEL);
	peer_expect(CHANNELMSG_OFFERCHANNEL);
	peer_expect(CHANNELMSG_UNLOAD_RESPONSE);
	peer_expect_nothing();
	peer_teardown();
}
END_TEST

/* How far a guest had come when it was reset. */
static void reach(unsigned int stage)
{
	if (stage > 0)
		peer_connect(VERSION_WIN10_V5_3);
	if (stage > 1)
		peer_send_empty(CHANNELMSG_REQUESTOFFERS);
	if (stage > 2)
		peer_send_gpadl(1, 0x100, 2);
	if (stage > 3)
		peer_send_gpadl(1, 0xE1E10, 4);
	if (stage > 4)
		peer_send_open(1, 0xE1E10);
	if (stage > 5)
		vmbus_offer_opened(peer.last.offer, true);
	if (stage > 6)
		peer_send_modify(1, 3);
	if (stage > 7)
		peer_send_relid(CHANNELMSG_CLOSECHANNEL, 1);
}

START_TEST(reset_at_any_moment)
{
	struct vmbus_offer *o;

	peer_setup();
	o = peer_offer(1);
	peer_offer(2);
	peer.obey = 0;
	reach((unsigned int)_i);
	vmbus_server_reset(peer.server);
	peer_act();
	if (_i == 5) {
		/* The owner was opening; he closes what he has opened. */
		vmbus_offer_opened(o, true);
		peer_act();
	}
	if (_i > 6)
		vmbus_offer_modified(o);
	if (_i > 4)
		vmbus_offer_closed(o);
	ck_assert(vmbus_server_is_idle(peer.server));
	ck_assert_uint_eq(peer_stats().n_gpadls, 0);
	ck_assert_uint_eq(peer_stats().gpadl_bytes, 0);
	ck_assert_uint_eq(peer_stats().n_relids, 0);
	ck_assert_uint_eq(peer_stats().n_offers, 2);
	g_queue_clear_full(&peer.inbox, g_free);
	/* And it boots again. */
	peer.obey = PEER_OBEY_ALL;
	peer_connect(VERSION_WIN10_V5_3);
	peer_send_empty(CHANNELMSG_REQUESTOFFERS);
	peer_expect(CHANNELMSG_OFFERCHANNEL);
	peer_expect(CHANNELMSG_OFFERCHANNEL);
	peer_expect(CHANNELMSG_ALLOFFERS_DELIVERED);
	peer_open(1);
	peer_teardown();
}
END_TEST

/* --- pause, modify connection, hv_sock --------------------------------------------- */

START_TEST(paused_nothing_is_said)
{
	peer_setup();
	peer_offer(1);
	peer_connect_with(VERSION_WIN10_V6_0, VMBUS_FEATURE_PAUSE_RESUME);
	peer_send_empty(CHANNELMSG_REQUESTOFFERS);
	peer_expect(CHANNELMSG_OFFERCHANNEL);
	peer_expect(CHANNELMSG_ALLOFFERS_DELIVERED);
	peer_send_empty(CHANNELMSG_PAUSE);
	peer_expect(CHANNELMSG_PAUSE_RESPONSE);
	peer_offer(2);
	peer_expect_nothing();
	/* Nothing is heard either. */
	peer_faults();
	peer_send_gpadl(1, 5, 1);
	peer_send_empty(CHANNELMSG_PAUSE);
	ck_assert_uint_eq(peer_faults(), 2);
	peer_expect_nothing();
	peer_send_empty(CHANNELMSG_RESUME);
	ck_assert_uint_eq(
		peer_expect(CHANNELMSG_OFFERCHANNEL).offer.child_relid, 2);
	peer_expect_nothing();
	peer_send_empty(CHANNELMSG_RESUME);
	ck_assert_uint_eq(peer_faults(), 1);
	peer_teardown();
}
END_TEST

START_TEST(what_waits_comes_before_the_pause)
{
	peer_setup();
	for (unsigned int i = 1; i < 4; i++)
		peer_offer(i);
	peer_connect_with(VERSION_WIN10_V6_0, VMBUS_FEATURE_PAUSE_RESUME);
	peer.room = 0;
	peer_send_empty(CHANNELMSG_REQUESTOFFERS);
	peer_send_empty(CHANNELMSG_PAUSE);
	peer.room = ~0u;
	vmbus_server_flush(peer.server);
	for (unsigned int i = 1; i < 4; i++)
		peer_expect(CHANNELMSG_OFFERCHANNEL);
	peer_expect(CHANNELMSG_ALLOFFERS_DELIVERED);
	peer_expect(CHANNELMSG_PAUSE_RESPONSE);
	peer_expect_nothing();
	peer_teardown();
}
END_TEST

START_TEST(paused_guests_can_leave)
{
	peer_setup();
	peer_connect_with(VERSION_WIN10_V6_0, VMBUS_FEATURE_PAUSE_RESUME);
	peer_send_empty(CHANNELMSG_PAUSE);
	peer_expect(CHANNELMSG_PAUSE_RESPONSE);
	ck_assert(vmbus_server_wants_input(peer.server));
	peer_send_empty(CHANNELMSG_UNLOAD);
	peer_expect(CHANNELMSG_UNLOAD_RESPONSE);
	peer_connect_with(VERSION_WIN10_V6_0, VMBUS_FEATURE_PAUSE_RESUME);
	peer_send_empty(CHANNELMSG_PAUSE);
	peer_expect(CHANNELMSG_PAUSE_RESPONSE);
	peer_connect(VERSION_WIN10);
	peer_teardown();
}
END_TEST

static const struct {
	uint64_t page1, page2;
	uint8_t state;
} modifications[] = {
	{0x5000, 0x6000, VMBUS_CONNECTION_OK},
	{0, 0, VMBUS_CONNECTION_OK},
	{0x5000, 0, VMBUS_CONNECTION_FAILED},
	{0, 0x5000, VMBUS_CONNECTION_FAILED},
	{0x5000, 0x6001, VMBUS_CONNECTION_FAILED},
	{0x5000, 1ull << 45, VMBUS_CONNECTION_FAILED},
};

START_TEST(modify_connection)
{
	struct vmbus_channel_modify_connection m = {
		.monitor_page1 = modifications[_i].page1,
		.monitor_page2 = modifications[_i].page2};
	bool ok = modifications[_i].state == VMBUS_CONNECTION_OK;
	struct peer_message r;

	peer_setup();
	peer_connect_with(VERSION_WIN10_V6_0, VMBUS_FEATURE_MODIFY_CONNECTION);
	peer_send(&m, CHANNELMSG_MODIFY_CONNECTION);
	r = peer_expect(CHANNELMSG_MODIFY_CONNECTION_DONE);
	ck_assert_uint_eq(r.size, 9);
	ck_assert_uint_eq(r.modified.connection_state, modifications[_i].state);
	ck_assert_uint_eq(
		vmbus_server_connection(peer.server)->monitor_page_gpa[0],
		ok ? modifications[_i].page1 : 0x1000);
	ck_assert_uint_eq(peer.actions[VMBUS_ACTION_CONNECTED], 1u + ok);
	peer_teardown();
}
END_TEST

static const struct {
	uint32_t version;
	size_t size;
	bool asked, silo, refused;
} tl_connects[] = {
	{VERSION_WIN8_1, 40, false, false, false},
	{VERSION_WIN10, 40, true, false, false},
	{VERSION_WIN10_V5, 40, true, false, false},
	{VERSION_WIN10_V5_1, 56, true, false, true},
	{VERSION_WIN10_V5_2, 56, true, true, true},
	{VERSION_WIN10_V5_3, 40, true, false, true},
};

START_TEST(tl_connect)
{
	struct vmbus_channel_tl_connect_request2 m = {
		.base = {.header.msgtype = CHANNELMSG_TL_CONNECT_REQUEST,
			 .guest_endpoint_id = HV_SOCK_TEMPLATE_GUID,
			 .host_service_id = HV_KVP_GUID},
		.silo_id = HV_NIC_GUID};
	const struct vmbus_action *a = &peer.last;
	struct peer_message r;

	peer_setup();
	peer_connect(tl_connects[_i].version);
	peer_send_raw(&m, tl_connects[_i].size);
	ck_assert_uint_eq(peer.actions[VMBUS_ACTION_TL_CONNECT],
			  tl_connects[_i].asked);
	if (tl_connects[_i].asked) {
		ck_assert(guid_equal(&a->tl_connect.endpoint,
				     &m.base.guest_endpoint_id));
		ck_assert(guid_equal(&a->tl_connect.service,
				     &m.base.host_service_id));
		ck_assert_int_eq(!guid_is_null(&a->tl_connect.silo),
				 tl_connects[_i].silo);
	}
	vmbus_server_refuse_tl_connect(peer.server, &a->tl_connect.endpoint,
				       &a->tl_connect.service);
	if (tl_connects[_i].refused) {
		r = peer_expect(CHANNELMSG_TL_CONNECT_RESULT);
		ck_assert_uint_eq(r.tl_result.status, 0xC0000236);
		ck_assert(guid_equal(&r.tl_result.host_service_id,
				     &m.base.host_service_id));
	}
	peer_expect_nothing();
	peer_teardown();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/vmbus/server_life");
	TCase *t = tcase_create("life");

	tcase_add_test(t, a_contact_while_connected_starts_over);
	tcase_add_test(t, an_unsupported_contact_ends_the_connection_too);
	tcase_add_test(t, of_two_contacts_the_second_counts);
	tcase_add_test(t, unload_closes_and_answers);
	tcase_add_test(t, unload_without_a_connection);
	tcase_add_test(t, a_contact_after_unload_takes_its_place);
	tcase_add_test(t, messages_for_the_old_kernel_are_dropped);
	tcase_add_loop_test(t, reset_at_any_moment, 0, 9);
	tcase_add_test(t, paused_nothing_is_said);
	tcase_add_test(t, what_waits_comes_before_the_pause);
	tcase_add_test(t, paused_guests_can_leave);
	tcase_add_loop_test(t, modify_connection, 0,
			    G_N_ELEMENTS(modifications));
	tcase_add_loop_test(t, tl_connect, 0, G_N_ELEMENTS(tl_connects));
	suite_add_tcase(s, t);
	return check_main(s);
}
