/* SPDX-License-Identifier: MIT */
/*
 * The server: contact, versions, features, and back pressure.
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

/* What is handled though answers wait, again and again. */
static const struct {
	const char *what;
	bool connected, paused;
	uint32_t type, version;
	uint8_t sint, vtl;
} ends[] = {
	{"a version that nobody speaks", false, false,
	 CHANNELMSG_INITIATE_CONTACT, 0x00070000, 2, 0},
	{"a contact", true, false, CHANNELMSG_INITIATE_CONTACT,
	 VERSION_WIN10_V5_3, 2, 0},
	{"a second client's", true, false, CHANNELMSG_INITIATE_CONTACT,
	 VERSION_WIN10_V5_3, 7, 0},
	{"a second client's, paused", true, true, CHANNELMSG_INITIATE_CONTACT,
	 VERSION_WIN10_V5_3, 7, 0},
	{"another VTL's", true, false, CHANNELMSG_INITIATE_CONTACT,
	 VERSION_WIN10_V5_3, 2, 1},
	{"Unload", false, false, CHANNELMSG_UNLOAD, 0, 0, 0},
	{"Unload of a connection", true, false, CHANNELMSG_UNLOAD, 0, 0, 0},
};

START_TEST(the_end_is_not_answered_without_a_bound)
{
	struct vmbus_channel_initiate_contact2 m =
		peer_contact(ends[_i].version);

	m.base.msg_sint = ends[_i].sint;
	m.base.msg_vtl = ends[_i].vtl;
	peer_setup();
	if (ends[_i].connected)
		peer_connect(VERSION_WIN10_V6_0);
	peer.room = 0;
	if (ends[_i].paused)
		peer_send_empty(CHANNELMSG_PAUSE);
	for (unsigned int i = 0; i < 4 * VMBUS_OUT_HIGH; i++) {
		if (ends[_i].type == CHANNELMSG_UNLOAD)
			peer_send_empty(CHANNELMSG_UNLOAD);
		else
			peer_send_raw(&m, sizeof(m.base));
	}
	ck_assert_msg(peer_stats().out_peak <= VMBUS_OUT_HIGH, "%s",
		      ends[_i].what);
	/* Who takes them has an answer to the last. */
	peer.room = ~0u;
	if (ends[_i].paused)
		peer_send_empty(CHANNELMSG_RESUME);
	vmbus_server_flush(peer.server);
	ck_assert_uint_gt(peer_inbox(), 0);
	ck_assert(vmbus_server_wants_input(peer.server));
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
	tcase_add_test(t, no_input_while_answers_wait);
	tcase_add_loop_test(t, the_end_is_not_answered_without_a_bound, 0,
			    G_N_ELEMENTS(ends));
	tcase_add_test(t, a_post_that_cannot_succeed_is_dropped);
	tcase_add_test(t, messages_are_counted_by_type);
	suite_add_tcase(s, t);
	return check_main(s);
}
