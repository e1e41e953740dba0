/* SPDX-License-Identifier: MIT */
/*
 * The server: offers, relids, rescind.
 */
#include "support/chan_peer.h"

/* --- offers ------------------------------------------------------------------ */

START_TEST(an_offer_is_as_its_owner_says)
{
	struct vmbus_offer_params p = peer_device(5);
	struct vmbus_channel_offer_channel m;
	struct vmbus_offer *o;

	p.chn_flags = VMBUS_CHANNEL_NAMED_PIPE_MODE;
	p.mmio_megabytes = 8;
	p.sub_channel_index = 3;
	for (unsigned int i = 0; i < sizeof(p.user_def); i++)
		p.user_def[i] = (uint8_t)(i + 1);
	o = vmbus_server_offer(peer.server, &p);
	peer_connect(VERSION_WIN10);
	peer_send_empty(CHANNELMSG_REQUESTOFFERS);
	m = peer_expect(CHANNELMSG_OFFERCHANNEL).offer;
	ck_assert(guid_equal(&m.offer.if_type, &p.if_type));
	ck_assert(guid_equal(&m.offer.if_instance, &p.if_instance));
	ck_assert_uint_eq(m.offer.chn_flags, 0x10);
	ck_assert_uint_eq(m.offer.mmio_megabytes, 8);
	ck_assert_uint_eq(m.offer.mmio_megabytes_optional, 0);
	ck_assert_uint_eq(m.offer.sub_channel_index, 3);
	ck_assert_mem_eq(m.offer.user_def, p.user_def, sizeof(p.user_def));
	ck_assert_uint_eq(m.child_relid, 1);
	ck_assert_uint_eq(m.monitorid, 0xFF);
	ck_assert_uint_eq(m.monitor_allocated, 0);
	ck_assert_uint_eq(m.is_dedicated_interrupt, 1);
	ck_assert_uint_eq(m.connection_id, 0x2001);
	ck_assert_uint_eq(vmbus_offer_relid(o), 1);
	ck_assert_uint_eq(vmbus_offer_params(o)->mmio_megabytes, 8);
	peer_expect(CHANNELMSG_ALLOFFERS_DELIVERED);
	ck_assert_uint_eq(peer.actions[VMBUS_ACTION_OFFERS_SENT], 1);
}
END_TEST

START_TEST(without_offers_there_is_still_an_end)
{
	peer_connect(VERSION_WIN10);
	peer_send_empty(CHANNELMSG_REQUESTOFFERS);
	peer_expect(CHANNELMSG_ALLOFFERS_DELIVERED);
	peer_expect_nothing();
}
END_TEST

/* Take the offers there are; their orders must rise. */
static unsigned int take_offers(bool end)
{
	unsigned int n = 0, last = 0;

	while (peer_inbox()) {
		struct peer_message *m = g_queue_peek_head(&peer.inbox);
		unsigned int order;

		if (m->header.msgtype == CHANNELMSG_ALLOFFERS_DELIVERED)
			break;
		memcpy(&order,
		       peer_expect(CHANNELMSG_OFFERCHANNEL)
			       .offer.offer.if_instance.b,
		       sizeof(order));
		ck_assert_uint_gt(order, last);
		last = order;
		n++;
	}
	if (end)
		peer_expect(CHANNELMSG_ALLOFFERS_DELIVERED);
	return n;
}

START_TEST(the_order_does_not_depend_on_who_was_first)
{
	static const unsigned int numbers[] = {7, 3, 9, 1, 8, 2};

	for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++)
		peer_offer(numbers[i]);
	peer_connect(VERSION_WIN10);
	peer_send_empty(CHANNELMSG_REQUESTOFFERS);
	ck_assert_uint_eq(take_offers(true), 6);
	/* The same relids for the next kernel. */
	peer_connect(VERSION_WIN10_V5);
	peer_send_empty(CHANNELMSG_REQUESTOFFERS);
	for (uint32_t relid = 1; relid <= 6; relid++)
		ck_assert_uint_eq(
			peer_expect(CHANNELMSG_OFFERCHANNEL).offer.child_relid,
			relid);
}
END_TEST

START_TEST(equal_orders_go_by_class_instance_and_index)
{
	struct vmbus_offer_params p = peer_device(1);

	p.sub_channel_index = 2;
	ck_assert_ptr_nonnull(vmbus_server_offer(peer.server, &p));
	p.sub_channel_index = 0;
	ck_assert_ptr_nonnull(vmbus_server_offer(peer.server, &p));
	p.sub_channel_index = 1;
	ck_assert_ptr_nonnull(vmbus_server_offer(peer.server, &p));
	peer_connect(VERSION_WIN10);
	peer_send_empty(CHANNELMSG_REQUESTOFFERS);
	for (unsigned int i = 0; i < 3; i++)
		ck_assert_uint_eq(peer_expect(CHANNELMSG_OFFERCHANNEL)
					  .offer.offer.sub_channel_index,
				  i);
}
END_TEST

START_TEST(offers_wait_for_room_and_keep_their_order)
{
	unsigned int got = 0;

	for (unsigned int i = 1; i <= 300; i++)
		peer_offer(i);
	peer_connect(VERSION_WIN10);
	peer.room = 7;
	peer_send_empty(CHANNELMSG_REQUESTOFFERS);
	while (peer_stats().n_relids < 300 || peer_inbox()) {
		unsigned int n = take_offers(false);

		ck_assert_uint_gt(n, 0);
		got += n;
		/* Other requests do not wait behind all of them. */
		ck_assert(vmbus_server_wants_input(peer.server));
		peer.room = 7;
		vmbus_server_flush(peer.server);
		if (got == 300)
			break;
	}
	peer_expect(CHANNELMSG_ALLOFFERS_DELIVERED);
	ck_assert_uint_eq(got, 300);
	ck_assert_uint_lt(peer_stats().out_peak, 10);
}
END_TEST

START_TEST(there_are_2047_relids)
{
	struct vmbus_offer *last = NULL, *first = peer_offer(1);

	for (unsigned int i = 2; i <= 2048; i++)
		last = peer_offer(i);
	peer_connect(VERSION_WIN10);
	peer_send_empty(CHANNELMSG_REQUESTOFFERS);
	ck_assert_uint_eq(take_offers(true), 2047);
	ck_assert_uint_eq(vmbus_offer_relid(last), 0);
	/* The last gets the first that comes free. */
	vmbus_offer_rescind(first);
	peer_expect(CHANNELMSG_RESCIND_CHANNELOFFER);
	peer_send_relid(CHANNELMSG_RELID_RELEASED, 1);
	ck_assert_uint_eq(
		peer_expect(CHANNELMSG_OFFERCHANNEL).offer.child_relid, 1);
	ck_assert_uint_eq(vmbus_offer_relid(last), 1);
	peer_expect_nothing();
}
END_TEST

START_TEST(offers_are_bounded_and_unique)
{
	struct vmbus_offer_params p;

	for (unsigned int i = 1; i <= VMBUS_OFFERS_MAX; i++) {
		p = peer_device(i);
		ck_assert_ptr_nonnull(vmbus_server_offer(peer.server, &p));
		if (i == 1)
			ck_assert_ptr_null(vmbus_server_offer(peer.server, &p));
	}
	p = peer_device(0);
	ck_assert_ptr_null(vmbus_server_offer(peer.server, &p));
}
END_TEST

START_TEST(hot_plug)
{
	peer_start(VERSION_WIN10);
	peer_offer(9);
	ck_assert_uint_eq(
		peer_expect(CHANNELMSG_OFFERCHANNEL).offer.child_relid, 2);
	/* No second end. */
	peer_expect_nothing();
	ck_assert_uint_eq(peer.actions[VMBUS_ACTION_OFFERS_SENT], 1);
}
END_TEST

START_TEST(hot_plug_before_offers_are_asked_for)
{
	peer_connect(VERSION_WIN10);
	peer_offer(9);
	peer_expect_nothing();
	peer_send_empty(CHANNELMSG_REQUESTOFFERS);
	ck_assert_uint_eq(take_offers(true), 1);
}
END_TEST

/* --- rescind --------------------------------------------------------------------- */

START_TEST(rescind_of_what_the_guest_does_not_know)
{
	vmbus_offer_rescind(peer_offer(1));
	peer_act();
	ck_assert_uint_eq(peer.actions[VMBUS_ACTION_RELEASED], 1);
	peer_connect(VERSION_WIN10);
	peer_send_empty(CHANNELMSG_REQUESTOFFERS);
	ck_assert_uint_eq(take_offers(true), 0);
	ck_assert_uint_eq(peer_stats().n_offers, 0);
}
END_TEST

START_TEST(rescind_of_an_offer_that_waits_for_room)
{
	struct vmbus_offer *o[9];

	peer_connect(VERSION_WIN10);
	peer.room = 0;
	peer_send_empty(CHANNELMSG_REQUESTOFFERS);
	for (unsigned int i = 0; i < 9; i++)
		o[i] = peer_offer(i + 1);
	vmbus_offer_rescind(o[8]); /* due */
	vmbus_offer_rescind(o[0]); /* queued: the rescind comes after it */
	peer.room = ~0u;
	vmbus_server_flush(peer.server);
	peer_act();
	ck_assert_uint_eq(peer.actions[VMBUS_ACTION_RELEASED], 1);
	peer_expect(CHANNELMSG_ALLOFFERS_DELIVERED);
	ck_assert_uint_eq(
		peer_expect(CHANNELMSG_OFFERCHANNEL).offer.child_relid, 1);
	for (unsigned int i = 2; peer_inbox() > 1; i++) {
		struct peer_message *m = g_queue_peek_head(&peer.inbox);

		if (m->header.msgtype == CHANNELMSG_RESCIND_CHANNELOFFER)
			break;
		peer_expect(CHANNELMSG_OFFERCHANNEL);
	}
	ck_assert_uint_eq(peer_expect(CHANNELMSG_RESCIND_CHANNELOFFER)
				  .rescind.child_relid,
			  1);
}
END_TEST

START_TEST(rescind_while_open)
{
	struct vmbus_offer *o = peer_start(VERSION_WIN10);

	peer_open(1);
	peer.obey &= ~BIT(VMBUS_ACTION_CLOSE);
	vmbus_offer_rescind(o);
	vmbus_offer_rescind(o);
	peer_act();
	ck_assert_uint_eq(peer_expect(CHANNELMSG_RESCIND_CHANNELOFFER)
				  .rescind.child_relid,
			  1);
	ck_assert_uint_eq(peer.actions[VMBUS_ACTION_CLOSE], 1);
	/* What Linux does then: close, no teardown, let go. */
	peer_faults();
	peer_send_relid(CHANNELMSG_CLOSECHANNEL, 1);
	peer_send_relid(CHANNELMSG_RELID_RELEASED, 1);
	ck_assert_uint_eq(peer_faults(), 0);
	peer_expect_nothing();
	/* The relid is taken until the owner has closed. */
	peer_offer(2);
	ck_assert_uint_eq(
		peer_expect(CHANNELMSG_OFFERCHANNEL).offer.child_relid, 2);
	ck_assert_uint_eq(peer.actions[VMBUS_ACTION_RELEASED], 0);
	vmbus_offer_closed(o);
	peer_act();
	ck_assert_uint_eq(peer.actions[VMBUS_ACTION_RELEASED], 1);
	ck_assert_uint_eq(peer_stats().n_gpadls, 0);
	peer_offer(3);
	ck_assert_uint_eq(
		peer_expect(CHANNELMSG_OFFERCHANNEL).offer.child_relid, 1);
}
END_TEST

/* Who has it open hears of it when the guest closes it, or sooner. */
START_TEST(revoke_while_open)
{
	struct vmbus_offer *o = peer_start(VERSION_WIN10);

	peer_open(1);
	vmbus_offer_revoke(o);
	vmbus_offer_revoke(o);
	peer_act();
	ck_assert_uint_eq(peer_expect(CHANNELMSG_RESCIND_CHANNELOFFER)
				  .rescind.child_relid,
			  1);
	peer_expect_nothing();
	ck_assert_uint_eq(peer.actions[VMBUS_ACTION_CLOSE], 0);
	if (_i == 0) {
		peer_faults();
		peer_send_relid(CHANNELMSG_CLOSECHANNEL, 1);
		ck_assert_uint_eq(peer_faults(), 0);
	} else if (_i == 1) {
		vmbus_offer_rescind(o);
		peer_act();
	}
	if (_i < 2) {
		ck_assert_uint_eq(peer.actions[VMBUS_ACTION_CLOSE], 1);
		ck_assert_uint_eq(peer.actions[VMBUS_ACTION_RELEASED], 0);
	}
	/* A guest may let go of what it has not closed. */
	peer_send_relid(CHANNELMSG_RELID_RELEASED, 1);
	ck_assert_uint_eq(peer.actions[VMBUS_ACTION_CLOSE], 1);
	ck_assert_uint_eq(peer.actions[VMBUS_ACTION_RELEASED], 1);
	peer_expect_nothing();
}
END_TEST

START_TEST(rescind_while_opening)
{
	struct vmbus_offer *o = peer_start(VERSION_WIN10);

	peer_make_gpadl(1, 0xE1E10, 4);
	peer.obey &= ~BIT(VMBUS_ACTION_OPEN);
	peer_send_open(1, 0xE1E10);
	vmbus_offer_rescind(o);
	peer_expect(CHANNELMSG_RESCIND_CHANNELOFFER);
	peer_send_relid(CHANNELMSG_RELID_RELEASED, 1);
	vmbus_offer_opened(o, true);
	peer_act();
	/* No answer, and it was closed again. */
	peer_expect_nothing();
	ck_assert_uint_eq(peer.actions[VMBUS_ACTION_CLOSE], 1);
	ck_assert_uint_eq(peer.actions[VMBUS_ACTION_RELEASED], 1);
}
END_TEST

START_TEST(gpadls_of_a_revoked_offer)
{
	struct vmbus_offer *o = peer_start(VERSION_WIN10);

	peer_make_gpadl(1, 1, 4);
	/* One is under way. */
	peer_send_gpadl(1, 2, 27);
	peer_expect(CHANNELMSG_GPADL_CREATED);
	vmbus_offer_rescind(o);
	peer_expect(CHANNELMSG_RESCIND_CHANNELOFFER);
	/* Linux cannot stand a failure here (OpenVMM #3649). */
	ck_assert_uint_eq(peer_make_gpadl(1, 3, 30), 0);
	peer_send_teardown(1, 1);
	ck_assert_uint_eq(peer_expect(CHANNELMSG_GPADL_TORNDOWN).torndown.gpadl,
			  1);
	peer_send_open(1, 3);
	peer_expect_nothing();
	peer_send_relid(CHANNELMSG_RELID_RELEASED, 1);
	ck_assert_uint_eq(peer_stats().n_gpadls, 0);
}
END_TEST

START_TEST(the_same_device_again_waits_for_the_old_one)
{
	struct vmbus_offer *o = peer_start(VERSION_WIN10);

	vmbus_offer_rescind(o);
	peer_expect(CHANNELMSG_RESCIND_CHANNELOFFER);
	peer_offer(1);
	peer_expect_nothing();
	peer_send_relid(CHANNELMSG_RELID_RELEASED, 1);
	ck_assert_uint_eq(
		peer_expect(CHANNELMSG_OFFERCHANNEL).offer.child_relid, 1);
	peer_expect_nothing();
}
END_TEST

START_TEST(offer_and_rescind_in_a_hurry)
{
	for (unsigned int i = 0; i < 1000; i++) {
		struct vmbus_offer *o = peer_offer(1);

		if (i == 0)
			peer_connect(VERSION_WIN10);
		if (i == 0)
			peer_send_empty(CHANNELMSG_REQUESTOFFERS);
		vmbus_offer_rescind(o);
		peer_act();
	}
	/* The guest saw one, and lets go of it. */
	peer_expect(CHANNELMSG_OFFERCHANNEL);
	peer_expect(CHANNELMSG_ALLOFFERS_DELIVERED);
	peer_expect(CHANNELMSG_RESCIND_CHANNELOFFER);
	peer_expect_nothing();
	peer_send_relid(CHANNELMSG_RELID_RELEASED, 1);
	ck_assert_uint_eq(peer.actions[VMBUS_ACTION_RELEASED], 1000);
	ck_assert_uint_eq(peer_stats().n_offers, 0);
}
END_TEST

START_TEST(a_rescinded_offer_does_not_survive_the_connection)
{
	struct vmbus_offer *o = peer_start(VERSION_WIN10);

	vmbus_offer_rescind(o);
	peer_offer(1);
	peer_send_empty(CHANNELMSG_UNLOAD);
	ck_assert_uint_eq(peer.actions[VMBUS_ACTION_RELEASED], 1);
	g_queue_clear_full(&peer.inbox, g_free);
	peer_connect(VERSION_WIN10);
	peer_send_empty(CHANNELMSG_REQUESTOFFERS);
	ck_assert_uint_eq(take_offers(true), 1);
}
END_TEST

START_TEST(a_device_that_the_guest_does_not_want)
{
	struct vmbus_offer *o = peer_start(VERSION_WIN10);

	/* channel_mgmt.c:vmbus_add_channel_work() when it fails */
	peer_make_gpadl(1, 1, 1);
	peer_send_relid(CHANNELMSG_RELID_RELEASED, 1);
	ck_assert_uint_eq(peer_stats().n_relids, 0);
	ck_assert_uint_eq(peer_stats().n_gpadls, 0);
	peer_expect_nothing();
	vmbus_offer_rescind(o);
	peer_act();
	ck_assert_uint_eq(peer.actions[VMBUS_ACTION_RELEASED], 1);
	peer_expect_nothing();
}
END_TEST

START_TEST(relids_that_are_none)
{
	static const uint32_t relids[] = {0, 2, 2047, 2048, 0xFFFFFFFF};

	peer_start(VERSION_WIN10_V5_3);
	peer_faults();
	for (size_t i = 0; i < G_N_ELEMENTS(relids); i++) {
		peer_send_relid(CHANNELMSG_CLOSECHANNEL, relids[i]);
		peer_send_relid(CHANNELMSG_RELID_RELEASED, relids[i]);
		ck_assert_uint_eq(peer_faults(), 2);
		ck_assert_uint_ne(peer_make_gpadl(relids[i], 1, 1), 0);
		peer_send_open(relids[i], 1);
		ck_assert_uint_ne(peer_expect(CHANNELMSG_OPENCHANNEL_RESULT)
					  .open_result.status,
				  0);
		peer_send_modify(relids[i], 0);
		ck_assert_uint_ne(peer_expect(CHANNELMSG_MODIFYCHANNEL_RESPONSE)
					  .modify.status,
				  0);
		ck_assert_uint_eq(peer_faults(), 3);
		peer_expect_nothing();
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/vmbus/server_offers");
	TCase *t = tcase_create("server_offers");

	tcase_add_checked_fixture(t, peer_setup, peer_teardown);
	tcase_add_test(t, an_offer_is_as_its_owner_says);
	tcase_add_test(t, without_offers_there_is_still_an_end);
	tcase_add_test(t, the_order_does_not_depend_on_who_was_first);
	tcase_add_test(t, equal_orders_go_by_class_instance_and_index);
	tcase_add_test(t, offers_wait_for_room_and_keep_their_order);
	tcase_add_test(t, there_are_2047_relids);
	tcase_add_test(t, offers_are_bounded_and_unique);
	tcase_add_test(t, hot_plug);
	tcase_add_test(t, hot_plug_before_offers_are_asked_for);
	tcase_add_test(t, rescind_of_what_the_guest_does_not_know);
	tcase_add_test(t, rescind_of_an_offer_that_waits_for_room);
	tcase_add_test(t, rescind_while_open);
	tcase_add_loop_test(t, revoke_while_open, 0, 3);
	tcase_add_test(t, rescind_while_opening);
	tcase_add_test(t, gpadls_of_a_revoked_offer);
	tcase_add_test(t, the_same_device_again_waits_for_the_old_one);
	tcase_add_test(t, offer_and_rescind_in_a_hurry);
	tcase_add_test(t, a_rescinded_offer_does_not_survive_the_connection);
	tcase_add_test(t, a_device_that_the_guest_does_not_want);
	tcase_add_test(t, relids_that_are_none);
	suite_add_tcase(s, t);
	return check_main(s);
}
