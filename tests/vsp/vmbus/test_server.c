/* SPDX-License-Identifier: MIT */
/*
 * The server: contact, versions, features, pause, unload, reset, and every
 * message of a guest in every state (the table near the end).
 */
#include "support/chan_peer.h"

/* --- contact ------------------------------------------------------------------ */

#define SUPPORTED   0
#define UNSUPPORTED 1

static const struct {
	uint32_t max, asked;
	int answer;
} contacts[] = {
	{VERSION_WIN10_V6_0, VERSION_WS2008, UNSUPPORTED},
	{VERSION_WIN10_V6_0, VERSION_WIN7, SUPPORTED},
	{VERSION_WIN10_V6_0, VERSION_WIN8, SUPPORTED},
	{VERSION_WIN10_V6_0, VERSION_WIN8_1, SUPPORTED},
	{VERSION_WIN10_V6_0, VERSION_WIN10, SUPPORTED},
	{VERSION_WIN10_V6_0, VERSION_WIN10_V4_1, SUPPORTED},
	{VERSION_WIN10_V6_0, VERSION_WIN10_V5, SUPPORTED},
	{VERSION_WIN10_V6_0, VERSION_WIN10_V5_1, SUPPORTED},
	{VERSION_WIN10_V6_0, VERSION_WIN10_V5_2, SUPPORTED},
	{VERSION_WIN10_V6_0, VERSION_WIN10_V5_3, SUPPORTED},
	{VERSION_WIN10_V6_0, VERSION_WIN10_V6_0, SUPPORTED},
	{VERSION_WIN10_V6_0, VERSION_WIN10_V6_0 + 1, UNSUPPORTED},
	{VERSION_WIN10_V6_0, 0x00020005, UNSUPPORTED},
	{VERSION_WIN10_V6_0, 0, UNSUPPORTED},
	{VERSION_WIN10_V6_0, 0xFFFFFFFF, UNSUPPORTED},
	{VERSION_WIN8, VERSION_WIN8_1, UNSUPPORTED},
	{VERSION_WIN8, VERSION_WIN8, SUPPORTED},
	{VERSION_WIN8_1, VERSION_WIN10, UNSUPPORTED},
	{VERSION_WIN8_1, VERSION_WIN8_1, SUPPORTED},
	{VERSION_WIN10, VERSION_WIN10_V5, UNSUPPORTED},
	{VERSION_WIN10, VERSION_WIN10, SUPPORTED},
	{VERSION_WIN10_V5_2, VERSION_WIN10_V5_3, UNSUPPORTED},
	{VERSION_WIN10_V5_2, VERSION_WIN10_V5_2, SUPPORTED},
	{VERSION_WIN10_V5_3, VERSION_WIN10_V6_0, UNSUPPORTED},
	{VERSION_WIN10_V5_3, VERSION_WIN10_V5_3, SUPPORTED},
};

START_TEST(each_contact_has_one_answer)
{
	uint32_t v = contacts[_i].asked;
	struct vmbus_channel_initiate_contact2 m = peer_contact(v);
	struct peer_message r;
	bool ok = contacts[_i].answer == SUPPORTED;

	peer_setup_version(contacts[_i].max);
	peer_send_raw(&m, sizeof(m.base));
	r = peer_expect(CHANNELMSG_VERSION_RESPONSE);
	peer_expect_nothing();
	ck_assert_uint_eq(r.version.base.version_supported, ok);
	ck_assert_uint_eq(r.version.base.connection_state, 0);
	ck_assert_uint_eq(r.sint, VMBUS_MESSAGE_SINT);
	/* The target VP counts from 3.0 on. */
	ck_assert_uint_eq(r.vp, v >= VERSION_WIN8_1 ? PEER_VP : 0);
	ck_assert_uint_eq(r.size, ok && v >= VERSION_WIN10_V6_0 ? 20 : 16);
	if (ok)
		ck_assert_uint_eq(r.version.base.msg_conn_id,
				  v >= VERSION_WIN10_V5 ? 1 : v);
	ck_assert_uint_eq(vmbus_server_connection(peer.server)->version,
			  ok ? v : 0);
	ck_assert_uint_eq(peer.actions[VMBUS_ACTION_CONNECTED], ok);
	peer_teardown();
}
END_TEST

START_TEST(linux_tries_downwards)
{
	static const uint32_t list[] = {VERSION_WIN10_V5_3, VERSION_WIN10_V5_2,
					VERSION_WIN10_V5_1, VERSION_WIN10_V5,
					VERSION_WIN10_V4_1, VERSION_WIN10};
	struct peer_message r;

	peer_setup_version(VERSION_WIN10);
	for (size_t i = 0; i < G_N_ELEMENTS(list); i++) {
		struct vmbus_channel_initiate_contact2 m =
			peer_contact(list[i]);

		peer_send_raw(&m, sizeof(m.base));
		r = peer_expect(CHANNELMSG_VERSION_RESPONSE);
		ck_assert_uint_eq(r.version.base.version_supported,
				  list[i] == VERSION_WIN10);
	}
	peer_expect_nothing();
	ck_assert_uint_eq(peer.drops, 0);
	peer_teardown();
}
END_TEST

/* What a contact's pages do to its answer; 0xFF: unsupported. */
static const struct {
	const char *what;
	uint32_t version;
	uint64_t pages[3]; /* interrupt, monitor 1 and 2 */
	uint8_t state;
} pages[] = {
	{"both monitor pages", VERSION_WIN8, {0, 0x1000, 0x2000}, 0},
	{"none", VERSION_WIN8, {0, 0, 0}, 0},
	{"only the first", VERSION_WIN8, {0, 0x1000, 0}, 2},
	{"only the second", VERSION_WIN8, {0, 0, 0x1000}, 2},
	{"not at a page", VERSION_WIN8, {0, 0x1000, 0x2008}, 2},
	{"not RAM", VERSION_WIN8, {0, 0x1000, 1ull << 40}, 2},
	{"only one, from 6.0", VERSION_WIN10_V6_0, {2, 0x1000, 0}, 2},
	{"only one, below 2.4", VERSION_WIN7, {0, 0x1000, 0}, 0xFF},
	{"an interrupt page", VERSION_WIN7, {0x3000, 0, 0}, 0},
	{"an interrupt page nowhere", VERSION_WIN7, {1ull << 50, 0, 0}, 0xFF},
	{"an unaligned one", VERSION_WIN7, {0x3001, 0, 0}, 0xFF},
	{"one that does not matter", VERSION_WIN8, {1ull << 50, 0, 0}, 0},
	{"nor here", VERSION_WIN10, {0x123, 0, 0}, 0},
};

START_TEST(pages_of_a_contact)
{
	struct vmbus_channel_initiate_contact2 m =
		peer_contact(pages[_i].version);
	const struct vmbus_connection *c;
	struct peer_message r;

	peer_setup();
	m.base.interrupt_page = pages[_i].pages[0];
	m.base.monitor_page1 = pages[_i].pages[1];
	m.base.monitor_page2 = pages[_i].pages[2];
	peer_send_raw(&m, sizeof(m.base));
	r = peer_expect(CHANNELMSG_VERSION_RESPONSE);
	ck_assert_msg(r.version.base.version_supported ==
			      (pages[_i].state != 0xFF),
		      "%s", pages[_i].what);
	if (pages[_i].state != 0xFF)
		ck_assert_msg(r.version.base.connection_state ==
				      pages[_i].state,
			      "%s", pages[_i].what);
	c = vmbus_server_connection(peer.server);
	ck_assert_int_eq(c->version != 0, pages[_i].state == 0);
	if (c->version) {
		ck_assert_uint_eq(c->monitor_page_gpa[0], pages[_i].pages[1]);
		ck_assert_uint_eq(c->monitor_page_gpa[1], pages[_i].pages[2]);
		ck_assert_uint_eq(c->interrupt_page_gpa,
				  pages[_i].version < VERSION_WIN8
					  ? pages[_i].pages[0]
					  : 0);
	}
	peer_teardown();
}
END_TEST

static const struct {
	const char *what;
	uint32_t version, vp;
	uint8_t sint, vtl;
	int answer; /* -1: none */
	unsigned int at_sint;
} targets[] = {
	{"as Linux", VERSION_WIN10_V5, 1, 2, 0, SUPPORTED, 2},
	{"another SINT", VERSION_WIN10_V5, 1, 7, 0, UNSUPPORTED, 7},
	{"no SINT", VERSION_WIN10_V5, 1, 16, 0, -1, 0},
	{"another VTL", VERSION_WIN10_V5_1, 1, 2, 2, UNSUPPORTED, 2},
	{"VTLs do not exist yet", VERSION_WIN10_V5, 1, 2, 2, SUPPORTED, 2},
	{"nor SINTs", VERSION_WIN10, 1, 7, 1, SUPPORTED, 2},
	{"the last VP", VERSION_WIN10, PEER_VPS - 1, 0, 0, SUPPORTED, 2},
	{"no VP", VERSION_WIN10, PEER_VPS, 0, 0, -1, 0},
	{"no VP at all", VERSION_WIN8_1, UINT32_MAX, 0, 0, -1, 0},
	{"VPs do not count yet", VERSION_WIN8, PEER_VPS, 0, 0, SUPPORTED, 2},
};

START_TEST(targets_of_a_contact)
{
	struct vmbus_channel_initiate_contact2 m =
		peer_contact(targets[_i].version);
	struct peer_message r;

	peer_setup();
	m.base.target_vcpu = targets[_i].vp;
	m.base.msg_sint = targets[_i].sint;
	m.base.msg_vtl = targets[_i].vtl;
	peer_send_raw(&m, sizeof(m.base));
	if (targets[_i].answer >= 0) {
		r = peer_expect(CHANNELMSG_VERSION_RESPONSE);
		ck_assert_msg(r.version.base.version_supported ==
				      (targets[_i].answer == SUPPORTED),
			      "%s", targets[_i].what);
		ck_assert_uint_eq(r.sint, targets[_i].at_sint);
	}
	peer_expect_nothing();
	peer_teardown();
}
END_TEST

START_TEST(a_second_client_leaves_the_first_alone)
{
	struct vmbus_channel_initiate_contact2 m;

	peer_setup();
	peer_start(VERSION_WIN10_V5_3);
	peer_open(1);
	m = peer_contact(VERSION_WIN10_V5_3);
	m.base.msg_sint = 7;
	peer_send_raw(&m, sizeof(m.base));
	peer_expect(CHANNELMSG_VERSION_RESPONSE);
	ck_assert_uint_eq(peer.actions[VMBUS_ACTION_CLOSE], 0);
	ck_assert_uint_eq(vmbus_server_connection(peer.server)->version,
			  VERSION_WIN10_V5_3);
	peer_teardown();
}
END_TEST

static const struct {
	const char *what;
	uint32_t version, asked, got;
} features[] = {
	{"none", VERSION_WIN10_V6_0, 0, 0},
	{"all there are", VERSION_WIN10_V6_0, 0xFFFFFFFF, 0x2F},
	{"confidential channels", VERSION_WIN10_V6_0, 0x10, 0},
	{"server monitor pages", VERSION_WIN10_V6_0, 0x40, 0},
	{"too early for any", VERSION_WIN10_V5_3, 0xFFFFFFFF, 0},
};

START_TEST(features_are_what_both_have)
{
	struct vmbus_channel_initiate_contact2 m =
		peer_contact(features[_i].version);
	const struct vmbus_connection *c;
	struct peer_message r;

	peer_setup();
	m.base.feature_flags = features[_i].asked;
	m.client_id = (struct guid)HV_KVP_GUID;
	peer_send_raw(&m, sizeof(m));
	r = peer_expect(CHANNELMSG_VERSION_RESPONSE);
	c = vmbus_server_connection(peer.server);
	ck_assert_msg(c->features == features[_i].got, "%s", features[_i].what);
	if (features[_i].version >= VERSION_WIN10_V6_0)
		ck_assert_uint_eq(r.version.feature_flags, features[_i].got);
	ck_assert_int_eq(guid_equal(&c->client_id, &m.client_id),
			 (features[_i].got & VMBUS_FEATURE_CLIENT_ID) != 0);
	peer_teardown();
}
END_TEST

START_TEST(a_client_id_that_is_not_there)
{
	struct vmbus_channel_initiate_contact2 m =
		peer_contact(VERSION_WIN10_V6_0);
	struct peer_message r;

	peer_setup();
	m.base.feature_flags = VMBUS_FEATURE_CLIENT_ID;
	peer_send_raw(&m, sizeof(m) - 1);
	r = peer_expect(CHANNELMSG_VERSION_RESPONSE);
	ck_assert_uint_eq(r.version.base.version_supported, 1);
	ck_assert_uint_eq(r.version.feature_flags, 0);
	peer_teardown();
}
END_TEST

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

/* --- every message in every state ------------------------------------------------------ */

enum stage {
	S_DISCONNECTED,
	S_CONNECTED,
	S_OFFERED, /* channel 1, with a GPADL 0xE1E10 of 4 pages */
	S_OPENING,
	S_OPEN,
	S_CLOSING,
	S_REVOKED, /* was open, its owner has closed */
	S_UNLOADING, /* an owner has not closed yet */
	S_PAUSED, /* offered */
	N_STAGES,
};

/*
 * What comes of it: the type of the answer; OK: none, but it was heard;
 * or a fault that is counted, with (F | type) or without an answer.
 */
#define OK   0x100
#define F    0x200
#define FAIL F

static const struct {
	uint32_t type;
	const char *name;
	/* disconnected, connected, offered, opening, open, closing, revoked,
	   unloading, paused */
	int want[N_STAGES];
} matrix[] = {
	{3, "REQUESTOFFERS", {F, 4, F, F, F, F, F, F, F}},
	{5, "OPENCHANNEL", {F, F | 6, 6, F | 6, F | 6, OK, OK, F, F}},
	{7, "CLOSECHANNEL", {F, F, F, F, OK, F, OK, F, F}},
	{8, "GPADL_HEADER", {F, F | 10, 10, 10, 10, 10, 10, F, F}},
	{9, "GPADL_BODY", {F, F, F, F, F, F, F, F, F}},
	{11, "GPADL_TEARDOWN", {F, F | 12, 12, 12, 12, 12, 12, F, F}},
	{13, "RELID_RELEASED", {OK, F, OK, F, F, F, OK, OK, F}},
	{14, "INITIATE_CONTACT", {15, 15, 15, OK, OK, OK, 15, OK, 15}},
	{16, "UNLOAD", {17, 17, 17, OK, OK, OK, 17, OK, 17}},
	{18,
	 "OPEN_RESERVED",
	 {F, F | 6, F | 6, F | 6, F | 6, F | 6, F | 6, F, F}},
	{19,
	 "CLOSE_RESERVED",
	 {F, F | 20, F | 20, F | 20, F | 20, F | 20, F | 20, F, F}},
	{21, "TL_CONNECT_REQUEST", {F, OK, OK, OK, OK, OK, OK, F, F}},
	{22,
	 "MODIFYCHANNEL",
	 {F, F | 24, F | 24, F | 24, OK, F | 24, F | 24, F, F}},
	{25, "MODIFY_CONNECTION", {F, 26, 26, 26, 26, 26, 26, F, F}},
	{27, "PAUSE", {F, 28, 28, 28, 28, 28, 28, F, F}},
	{29, "RESUME", {F, F, F, F, F, F, F, F, OK}},
	/* the host's own, and what is none */
	{1, "OFFERCHANNEL", {F, F, F, F, F, F, F, F, F}},
	{2, "RESCIND", {F, F, F, F, F, F, F, F, F}},
	{4, "ALLOFFERS", {F, F, F, F, F, F, F, F, F}},
	{6, "OPEN_RESULT", {F, F, F, F, F, F, F, F, F}},
	{10, "GPADL_CREATED", {F, F, F, F, F, F, F, F, F}},
	{12, "GPADL_TORNDOWN", {F, F, F, F, F, F, F, F, F}},
	{15, "VERSION_RESPONSE", {F, F, F, F, F, F, F, F, F}},
	{17, "UNLOAD_RESPONSE", {F, F, F, F, F, F, F, F, F}},
	{20, "CLOSE_RESERVED_RESULT", {F, F, F, F, F, F, F, F, F}},
	{23, "TL_CONNECT_RESULT", {F, F, F, F, F, F, F, F, F}},
	{24, "MODIFYCHANNEL_RESPONSE", {F, F, F, F, F, F, F, F, F}},
	{26, "MODIFY_CONNECTION_DONE", {F, F, F, F, F, F, F, F, F}},
	{28, "PAUSE_RESPONSE", {F, F, F, F, F, F, F, F, F}},
	{0, "0", {F, F, F, F, F, F, F, F, F}},
	{30, "30", {F, F, F, F, F, F, F, F, F}},
};

/* A message of each kind that would be right if the state were. */
static size_t example(uint32_t type, uint8_t buf[VMBUS_MESSAGE_MAX])
{
	struct vmbus_channel_initiate_contact2 contact =
		peer_contact(VERSION_WIN10_V6_0);
	const uint32_t words[] = {type, 0, 1, 0xE1E10, 0xE1E10, 2, 2};
	/* relid 1, id 0x55, one range of one page */
	const struct vmbus_channel_gpadl_header header = {
		{type, 0}, 1, 0x55, 16, 1};
	const uint64_t range[] = {4096, 100};

	memset(buf, 0, VMBUS_MESSAGE_MAX);
	memcpy(buf, words, sizeof(words));
	if (type == CHANNELMSG_INITIATE_CONTACT)
		memcpy(buf, &contact, sizeof(contact));
	if (type == CHANNELMSG_GPADL_HEADER) {
		memcpy(buf, &header, sizeof(header));
		memcpy(buf + sizeof(header), range, sizeof(range));
		return sizeof(header) + sizeof(range);
	}
	if (type == CHANNELMSG_OPEN_RESERVED ||
	    type == CHANNELMSG_CLOSE_RESERVED)
		memset(buf + 12, 0, 16); /* VP 0, SINT 0 */
	if (type == CHANNELMSG_MODIFYCHANNEL)
		memset(buf + 12, 0, 4); /* VP 0 */
	if (type == CHANNELMSG_MODIFY_CONNECTION)
		memset(buf + 8, 0, 16);
	if (chanmsg_find(type))
		return chanmsg_find(type)->size;
	return 40;
}

static void go_to(enum stage stage)
{
	struct vmbus_offer *o;

	peer_setup();
	peer.obey = 0;
	if (stage == S_DISCONNECTED)
		return;
	peer_connect_with(VERSION_WIN10_V6_0,
			  VMBUS_FEATURE_MODIFY_CONNECTION |
				  VMBUS_FEATURE_PAUSE_RESUME);
	if (stage == S_CONNECTED)
		return;
	o = peer_offer(1);
	peer_send_empty(CHANNELMSG_REQUESTOFFERS);
	peer_send_gpadl(1, 0xE1E10, 4);
	if (stage == S_PAUSED)
		peer_send_empty(CHANNELMSG_PAUSE);
	if (stage == S_OFFERED || stage == S_PAUSED)
		return;
	peer_send_open(1, 0xE1E10);
	if (stage == S_OPENING)
		return;
	vmbus_offer_opened(o, true);
	if (stage == S_CLOSING)
		peer_send_relid(CHANNELMSG_CLOSECHANNEL, 1);
	if (stage == S_UNLOADING)
		peer_send_empty(CHANNELMSG_UNLOAD);
	if (stage == S_REVOKED) {
		vmbus_offer_rescind(o);
		vmbus_offer_closed(o);
	}
	peer_act();
}

START_TEST(every_message_in_every_state)
{
	uint8_t buf[VMBUS_MESSAGE_MAX];

	for (unsigned int stage = 0; stage < N_STAGES; stage++) {
		int want = matrix[_i].want[stage];
		size_t size = example(matrix[_i].type, buf);

		go_to((enum stage)stage);
		g_queue_clear_full(&peer.inbox, g_free);
		peer_faults();
		peer_send_raw(buf, size);
		ck_assert_msg(peer_faults() == !!(want & F),
			      "%s in state %u: fault", matrix[_i].name, stage);
		if (stage == S_OFFERED && matrix[_i].type == 5) {
			/* The owner answers. */
			ck_assert_uint_eq(peer.actions[VMBUS_ACTION_OPEN], 1);
			vmbus_offer_opened(peer.last.offer, true);
		}
		ck_assert_msg(peer_inbox() == !!(want & 0xFF),
			      "%s in state %u: %u answers", matrix[_i].name,
			      stage, peer_inbox());
		if (want & 0xFF)
			peer_expect((uint32_t)want & 0xFF);
		peer_teardown();
	}
}
END_TEST

START_TEST(every_message_cut_short_or_padded)
{
	uint8_t buf[VMBUS_MESSAGE_MAX];
	uint32_t type = matrix[_i].type;
	const struct chanmsg_row *row = chanmsg_find(type);

	if (!row || !row->from_guest)
		return;
	go_to(S_OPEN);
	g_queue_clear_full(&peer.inbox, g_free);
	peer_faults();
	example(type, buf);
	for (size_t size = 0; size < row->size; size++)
		peer_send_raw(buf, size);
	ck_assert_uint_eq(peer_faults(), row->size);
	peer_expect_nothing();
	peer_teardown();
	/* UEFI pads all of its messages to 240 bytes. */
	for (unsigned int stage = 0; stage < N_STAGES; stage++) {
		int want = matrix[_i].want[stage];

		go_to((enum stage)stage);
		g_queue_clear_full(&peer.inbox, g_free);
		peer_faults();
		example(type, buf);
		peer_send_raw(buf, sizeof(buf));
		ck_assert_msg(peer_faults() == !!(want & F), "%s in state %u",
			      matrix[_i].name, stage);
		peer_teardown();
	}
}
END_TEST

START_TEST(every_message_twice)
{
	uint8_t buf[VMBUS_MESSAGE_MAX];

	for (unsigned int stage = 0; stage < N_STAGES; stage++) {
		size_t size = example(matrix[_i].type, buf);

		go_to((enum stage)stage);
		peer.obey = PEER_OBEY_ALL;
		peer_send_raw(buf, size);
		peer_send_raw(buf, size);
		peer_send_raw(buf, size);
		/* Whatever came of it, it ends here. */
		peer.obey = 0;
		vmbus_server_reset(peer.server);
		peer_teardown();
	}
}
END_TEST

/* --- back pressure ------------------------------------------------------------------- */

START_TEST(no_input_while_answers_wait)
{
	unsigned int sent = 0;

	peer_setup();
	peer_start(VERSION_WIN10);
	peer.room = 0;
	while (vmbus_server_wants_input(peer.server)) {
		peer_send_gpadl(1, 100 + sent, 1);
		sent++;
		ck_assert_uint_le(sent, VMBUS_OUT_HIGH);
	}
	ck_assert_uint_eq(sent, VMBUS_OUT_HIGH);
	ck_assert_uint_eq(peer_stats().out_peak, VMBUS_OUT_HIGH);
	peer.room = 1;
	vmbus_server_flush(peer.server);
	ck_assert(vmbus_server_wants_input(peer.server));
	peer.room = ~0u;
	vmbus_server_flush(peer.server);
	/* In the order of the requests. */
	for (unsigned int i = 0; i < sent; i++)
		ck_assert_uint_eq(
			peer_expect(CHANNELMSG_GPADL_CREATED).created.gpadl,
			100 + i);
	peer_expect_nothing();
	peer_teardown();
}
END_TEST

START_TEST(a_post_that_cannot_succeed_is_dropped)
{
	struct vmbus_channel_open_reserved m = {.child_relid = 1};

	peer_setup();
	peer_start(VERSION_WIN10);
	peer_send(&m, CHANNELMSG_OPEN_RESERVED);
	peer_expect(CHANNELMSG_OPENCHANNEL_RESULT);
	m.target_vp = PEER_VPS;
	peer_send(&m, CHANNELMSG_OPEN_RESERVED);
	m.target_vp = 0;
	m.target_sint = 16;
	peer_send(&m, CHANNELMSG_OPEN_RESERVED);
	peer_expect_nothing();
	peer_teardown();
}
END_TEST

START_TEST(messages_are_counted_by_type)
{
	const struct coverage_set *set;

	peer_setup();
	peer_start(VERSION_WIN10);
	peer_send_empty(CHANNELMSG_REQUESTOFFERS);
	peer_send_empty(77);
	set = vmbus_server_coverage(peer.server);
	ck_assert_uint_eq(set->entries[CHANNELMSG_REQUESTOFFERS - 1].count, 2);
	ck_assert_uint_eq(set->entries[CHANNELMSG_REQUESTOFFERS - 1].refused,
			  1);
	ck_assert_uint_eq(set->entries[CHANNELMSG_OFFERCHANNEL - 1].count, 1);
	ck_assert_uint_eq(set->entries[CHANNELMSG_VERSION_RESPONSE - 1].count,
			  1);
	ck_assert_uint_eq(set->unknown, 1);
	peer_teardown();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/vmbus/server");
	TCase *t = tcase_create("server");

	tcase_add_loop_test(t, each_contact_has_one_answer, 0,
			    G_N_ELEMENTS(contacts));
	tcase_add_test(t, linux_tries_downwards);
	tcase_add_loop_test(t, pages_of_a_contact, 0, G_N_ELEMENTS(pages));
	tcase_add_loop_test(t, targets_of_a_contact, 0, G_N_ELEMENTS(targets));
	tcase_add_test(t, a_second_client_leaves_the_first_alone);
	tcase_add_loop_test(t, features_are_what_both_have, 0,
			    G_N_ELEMENTS(features));
	tcase_add_test(t, a_client_id_that_is_not_there);
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
	tcase_add_loop_test(t, every_message_in_every_state, 0,
			    G_N_ELEMENTS(matrix));
	tcase_add_loop_test(t, every_message_cut_short_or_padded, 0,
			    G_N_ELEMENTS(matrix));
	tcase_add_loop_test(t, every_message_twice, 0, G_N_ELEMENTS(matrix));
	tcase_add_test(t, no_input_while_answers_wait);
	tcase_add_test(t, a_post_that_cannot_succeed_is_dropped);
	tcase_add_test(t, messages_are_counted_by_type);
	suite_add_tcase(s, t);
	return check_main(s);
}
