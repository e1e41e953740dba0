/* SPDX-License-Identifier: MIT */
/*
 * Every message of a guest in every state of the server, and each of them cut
 * short, padded, and repeated.
 */
#include "support/chan_peer.h"

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

int main(void)
{
	Suite *s = suite_create("vsp/vmbus/server_states");
	TCase *t = tcase_create("states");

	tcase_add_loop_test(t, every_message_in_every_state, 0,
			    G_N_ELEMENTS(matrix));
	tcase_add_loop_test(t, every_message_cut_short_or_padded, 0,
			    G_N_ELEMENTS(matrix));
	tcase_add_loop_test(t, every_message_twice, 0, G_N_ELEMENTS(matrix));
	suite_add_tcase(s, t);
	return check_main(s);
}
