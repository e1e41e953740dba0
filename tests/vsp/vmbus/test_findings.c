/* SPDX-License-Identifier: MIT */
/* Rules about channel messages, offers and GPADLs. */
#include "support/chan_peer.h"

#include "support/finding_cases.h"

static struct vmbus_offer *offer;

/* --- conduct that is right ------------------------------------------------------ */

static void go(void)
{
	offer = peer_start(VERSION_WIN10_V5_3);
}

/* From contact to unload, with all that a driver does. */
static void whole_life(void)
{
	go();
	peer_open(1);
	peer_send_modify(1, 1);
	peer_expect(CHANNELMSG_MODIFYCHANNEL_RESPONSE);
	peer_send_relid(CHANNELMSG_CLOSECHANNEL, 1);
	peer_send_teardown(1, 0xE1E10);
	peer_expect(CHANNELMSG_GPADL_TORNDOWN);
	peer_open(1);
}

static void features(void)
{
	peer_connect_with(VERSION_WIN10_V6_0, VMBUS_FEATURE_PAUSE_RESUME);
	peer_send_empty(CHANNELMSG_PAUSE);
	peer_expect(CHANNELMSG_PAUSE_RESPONSE);
	peer_send_empty(CHANNELMSG_RESUME);
	peer_send_empty(CHANNELMSG_REQUESTOFFERS);
	peer_expect(CHANNELMSG_ALLOFFERS_DELIVERED);
}

/* Versions are tried one after the other, and Unload ends each connection. */
static void contacts(void)
{
	struct vmbus_channel_initiate_contact2 m =
		peer_contact(VERSION_WIN10_V6_0 + 1);

	peer_send_raw(&m, sizeof(m.base));
	peer_expect(CHANNELMSG_VERSION_RESPONSE);
	peer_connect(VERSION_WIN10_V5_3);
	peer_send_empty(CHANNELMSG_UNLOAD);
	peer_expect(CHANNELMSG_UNLOAD_RESPONSE);
	/* Who has no connection may say so, too. */
	peer_send_empty(CHANNELMSG_UNLOAD);
	peer_expect(CHANNELMSG_UNLOAD_RESPONSE);
	/* Before VMbus 3.0 Linux says none, and contacts again. */
	peer_send_empty(CHANNELMSG_UNLOAD);
	peer_expect(CHANNELMSG_UNLOAD_RESPONSE);
	peer_connect(VERSION_WIN8);
	peer_connect(VERSION_WIN8);
	peer_connect(VERSION_WIN8_1);
	peer_send_empty(CHANNELMSG_UNLOAD);
	peer_expect(CHANNELMSG_UNLOAD_RESPONSE);
	peer_connect(VERSION_WIN10_V5_3);
}

/* What the host has taken back may still be spoken of. */
static void rescinded(void)
{
	whole_life();
	vmbus_offer_rescind(offer);
	peer_act();
	peer_expect(CHANNELMSG_RESCIND_CHANNELOFFER);
	peer_send_relid(CHANNELMSG_CLOSECHANNEL, 1);
	peer_send_open(1, 0xE1E10);
	peer_send_relid(CHANNELMSG_RELID_RELEASED, 1);
	offer = peer_offer(2);
	peer_expect(CHANNELMSG_OFFERCHANNEL);
}

/* A long one, in pieces, in time. */
static void long_gpadl(void)
{
	go();
	peer_send_gpadl(1, 0xE1E20, 60);
	ck_assert_uint_eq(
		peer_expect(CHANNELMSG_GPADL_CREATED).created.creation_status,
		0);
}

/* Unload ends what is open; who has closed gives back himself. */
static void unload_open(void)
{
	whole_life();
	peer_send_empty(CHANNELMSG_UNLOAD);
	peer_expect(CHANNELMSG_UNLOAD_RESPONSE);
	peer_connect(VERSION_WIN10_V5_3);
	peer_send_empty(CHANNELMSG_REQUESTOFFERS);
	peer_expect(CHANNELMSG_OFFERCHANNEL);
	peer_expect(CHANNELMSG_ALLOFFERS_DELIVERED);
}

/* --- and wrong -------------------------------------------------------------------- */

static void too_short(void)
{
	struct vmbus_channel_open_channel m = {.header.msgtype =
						       CHANNELMSG_OPENCHANNEL};

	peer_send_raw(&m, sizeof(m) - 1);
}

static void no_such_message(void)
{
	peer_send_empty(CHANNELMSG_MAX + 1);
}

static void before_contact(void)
{
	peer_send_empty(CHANNELMSG_REQUESTOFFERS);
}

static void the_hosts(void)
{
	peer_send_empty(CHANNELMSG_ALLOFFERS_DELIVERED);
}

static void not_while_paused(void)
{
	peer_send_empty(CHANNELMSG_PAUSE);
	peer_send_empty(CHANNELMSG_REQUESTOFFERS);
}

static void contact_again(void)
{
	struct vmbus_channel_initiate_contact2 m =
		peer_contact(VERSION_WIN10_V5_3);

	peer_send_raw(&m, sizeof(m.base));
}

static void contact_nowhere(void)
{
	struct vmbus_channel_initiate_contact2 m =
		peer_contact(VERSION_WIN10_V5_3);

	m.base.target_vcpu = PEER_VPS;
	peer_send_raw(&m, sizeof(m.base));
}

static void offers_again(void)
{
	peer_send_empty(CHANNELMSG_REQUESTOFFERS);
}

static void no_such_channel(void)
{
	peer_send_relid(CHANNELMSG_CLOSECHANNEL, 9);
}

static void open_again(void)
{
	peer_send_open(1, 0xE1E10);
}

static void close_again(void)
{
	peer_send_relid(CHANNELMSG_CLOSECHANNEL, 1);
}

static void move_nowhere(void)
{
	peer_send_modify(1, PEER_VPS);
}

static void release_open(void)
{
	peer_send_relid(CHANNELMSG_RELID_RELEASED, 1);
}

static void teardown_of_none(void)
{
	peer_send_teardown(1, 0xE1E77);
}

static void gpadl_again(void)
{
	peer_send_gpadl(1, 0xE1E10, 4);
}

static void gpadl_of_no_ram(void)
{
	struct {
		struct vmbus_channel_gpadl_header h;
		struct gpa_range range;
		uint64_t pfn;
	} __attribute__((packed)) m = {.h = {.child_relid = 1,
					     .gpadl = 0xE1E30,
					     .range_buflen = 16,
					     .rangecount = 1},
				       .range = {.byte_count = 4096},
				       .pfn = PEER_RAM_PAGES};

	m.h.header.msgtype = CHANNELMSG_GPADL_HEADER;
	peer_send_raw(&m, sizeof(m));
}

static void gpadl_without_end(void)
{
	struct {
		struct vmbus_channel_gpadl_header h;
		struct gpa_range range;
		uint64_t pfn;
	} __attribute__((packed)) m = {.h = {.child_relid = 1,
					     .gpadl = 0xE1E30,
					     .range_buflen = 8 + 8 * 50,
					     .rangecount = 1},
				       .range = {.byte_count = 50 * 4096},
				       .pfn = 1};

	m.h.header.msgtype = CHANNELMSG_GPADL_HEADER;
	peer_send_raw(&m, sizeof(m));
	vmbus_server_expire(peer.server, peer.now + VMBUS_UNFINISHED_NS - 1);
	finding_expect_clean();
	vmbus_server_expire(peer.server, peer.now + VMBUS_UNFINISHED_NS);
}

static void leave_gpadl(void)
{
	peer_open(1);
	peer_send_relid(CHANNELMSG_CLOSECHANNEL, 1);
	peer_send_empty(CHANNELMSG_UNLOAD);
}

static void closed(void)
{
	whole_life();
	peer_send_relid(CHANNELMSG_CLOSECHANNEL, 1);
}

static const struct finding_case cases[] = {
	{FINDING_MESSAGE_SIZE, "OpenChannel", whole_life, too_short},
	{FINDING_MESSAGE_UNKNOWN, "unknown message", whole_life,
	 no_such_message},
	{FINDING_MESSAGE_VERSION, "RequestOffers", NULL, before_contact},
	{FINDING_MESSAGE_HOSTS, "AllOffersDelivered", whole_life, the_hosts},
	{FINDING_MESSAGE_PAUSED, "RequestOffers", features, not_while_paused},
	{FINDING_CONTACT_AGAIN, "InitiateContact", contacts, contact_again},
	{FINDING_CONTACT_TARGET, "InitiateContact", contacts, contact_nowhere},
	{FINDING_OFFERS_AGAIN, "RequestOffers", go, offers_again},
	{FINDING_CHANNEL_UNKNOWN, "CloseChannel", rescinded, no_such_channel},
	{FINDING_CHANNEL_AGAIN, "OpenChannel", whole_life, open_again},
	{FINDING_CHANNEL_NOT_OPEN, "CloseChannel", closed, close_again},
	{FINDING_CHANNEL_PARAMETER, "ModifyChannel", whole_life, move_nowhere},
	{FINDING_RELID_IN_USE, "RelidReleased", whole_life, release_open},
	{FINDING_GPADL_UNKNOWN, "GpadlTeardown", whole_life, teardown_of_none},
	{FINDING_GPADL_AGAIN, "GpadlHeader", whole_life, gpadl_again},
	{FINDING_GPADL_INVALID, "GpadlHeader", long_gpadl, gpadl_of_no_ram},
	{FINDING_GPADL_EXPIRED, "GpadlBody", long_gpadl, gpadl_without_end},
	{FINDING_GPADL_LEFT, "Unload", unload_open, leave_gpadl},
};

START_TEST(rules_of_messages)
{
	finding_run(&cases[_i]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("findings");
	TCase *tc = tcase_create("findings");

	tcase_add_checked_fixture(tc, peer_setup, peer_teardown);
	tcase_add_loop_test(tc, rules_of_messages, 0, G_N_ELEMENTS(cases));
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
