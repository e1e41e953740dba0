/* SPDX-License-Identifier: MIT */
/*
 * The server: GPADLs in pieces, their bounds, their lifetime, and who uses
 * them.  The ranges themselves are tests/vsp/vmbus/test_gpadl.c's.
 */
#include "support/chan_peer.h"

/* A header message for ranges of @len bytes, with @n_words of them. */
static void send_header(uint32_t relid, uint32_t id, uint16_t len,
			uint16_t n_ranges, const uint64_t *words,
			unsigned int n_words)
{
	struct vmbus_channel_gpadl_header h = {
		{CHANNELMSG_GPADL_HEADER, 0}, relid, id, len, n_ranges};
	uint8_t buf[VMBUS_MESSAGE_MAX];

	memcpy(buf, &h, sizeof(h));
	memcpy(buf + sizeof(h), words, n_words * 8);
	peer_send_raw(buf, sizeof(h) + n_words * 8);
}

static void send_body(uint32_t id, const uint64_t *words, unsigned int n_words)
{
	struct vmbus_channel_gpadl_body b = {{CHANNELMSG_GPADL_BODY, 0}, 0, id};
	uint8_t buf[VMBUS_MESSAGE_MAX];

	memcpy(buf, &b, sizeof(b));
	memcpy(buf + sizeof(b), words, n_words * 8);
	peer_send_raw(buf, sizeof(b) + n_words * 8);
}

static void expect_created(uint32_t id, bool ok)
{
	struct peer_message m = peer_expect(CHANNELMSG_GPADL_CREATED);

	ck_assert_uint_eq(m.created.gpadl, id);
	ck_assert_int_eq(!m.created.creation_status, ok);
}

static const uint64_t page[] = {4096, 50};
static const uint64_t two_pages[] = {8192, 50, 51};

/* --- building ------------------------------------------------------------------ */

static const unsigned int page_counts[] = {1,  2,   25,  26,  27,   54,
					   55, 128, 256, 257, 1000, 1024};

START_TEST(of_any_length)
{
	peer_start(VERSION_WIN10);
	ck_assert_uint_eq(peer_make_gpadl(1, 77, page_counts[_i]), 0);
	peer_expect_nothing();
	ck_assert_uint_eq(peer_stats().n_gpadls, 1);
	ck_assert_uint_eq(peer_stats().gpadl_bytes, page_counts[_i] * 4096ull);
	peer_send_teardown(1, 77);
	ck_assert_uint_eq(peer_expect(CHANNELMSG_GPADL_TORNDOWN).torndown.gpadl,
			  77);
	ck_assert_uint_eq(peer_stats().gpadl_bytes, 0);
}
END_TEST

START_TEST(a_header_without_pages)
{
	peer_start(VERSION_WIN10);
	peer_faults();
	/* Not a single one: nothing says that bodies will come. */
	send_header(1, 5, 16, 1, page, 0);
	expect_created(5, false);
	/* Half of it is fine. */
	send_header(1, 5, 24, 1, two_pages, 1);
	peer_expect_nothing();
	send_body(5, two_pages + 1, 1);
	peer_expect_nothing();
	send_body(5, two_pages + 2, 1);
	expect_created(5, true);
	ck_assert_uint_eq(peer_faults(), 1);
}
END_TEST

START_TEST(two_at_once)
{
	peer_start(VERSION_WIN10);
	send_header(1, 5, 24, 1, two_pages, 2);
	send_header(1, 6, 24, 1, two_pages, 2);
	send_body(6, two_pages + 2, 1);
	expect_created(6, true);
	send_body(5, two_pages + 2, 1);
	expect_created(5, true);
}
END_TEST

START_TEST(bodies_that_nobody_waits_for)
{
	peer_start(VERSION_WIN10);
	peer_faults();
	send_body(5, page, 1);
	ck_assert_uint_eq(peer_make_gpadl(1, 5, 1), 0);
	send_body(5, page, 1);
	send_body(4, page, 1);
	ck_assert_uint_eq(peer_faults(), 3);
	peer_expect_nothing();
}
END_TEST

START_TEST(a_bad_piece_ends_it)
{
	static const uint64_t nowhere[] = {1ull << 40};

	peer_start(VERSION_WIN10);
	send_header(1, 5, 24, 1, two_pages, 2);
	send_body(5, page, 0);
	expect_created(5, false);
	send_header(1, 5, 24, 1, two_pages, 2);
	send_body(5, nowhere, 1);
	expect_created(5, false);
	ck_assert_uint_eq(peer_stats().n_gpadls, 0);
	ck_assert_uint_eq(peer_stats().gpadl_bytes, 0);
	/* The id is free again. */
	ck_assert_uint_eq(peer_make_gpadl(1, 5, 1), 0);
}
END_TEST

START_TEST(an_id_twice)
{
	peer_start(VERSION_WIN10);
	peer_offer(2);
	peer_expect(CHANNELMSG_OFFERCHANNEL);
	ck_assert_uint_eq(peer_make_gpadl(1, 5, 1), 0);
	ck_assert_uint_ne(peer_make_gpadl(1, 5, 1), 0);
	/* Ids are the guest's, not a channel's. */
	ck_assert_uint_ne(peer_make_gpadl(2, 5, 1), 0);
	send_header(1, 6, 24, 1, two_pages, 2);
	send_header(1, 6, 24, 1, two_pages, 2);
	expect_created(6, false);
	/* The first is not disturbed. */
	send_body(6, two_pages + 2, 1);
	expect_created(6, true);
}
END_TEST

/* --- bounds ------------------------------------------------------------------------ */

START_TEST(memory_in_all)
{
	peer_start(VERSION_WIN10);
	ck_assert_uint_eq(peer_make_gpadl(1, 1, 1000), 0);
	ck_assert_uint_eq(peer_make_gpadl(1, 2, 1), 0);
	/* 1001 of 1024 pages are used. */
	send_header(1, 3, 8 + 8 * 24, 1, page, 2);
	expect_created(3, false);
	ck_assert_uint_eq(peer_make_gpadl(1, 4, 23), 0);
	ck_assert_uint_ne(peer_make_gpadl(1, 5, 1), 0);
	ck_assert_uint_eq(peer_stats().gpadl_bytes, PEER_QUOTA);
	peer_send_teardown(1, 2);
	peer_expect(CHANNELMSG_GPADL_TORNDOWN);
	ck_assert_uint_eq(peer_make_gpadl(1, 5, 1), 0);
}
END_TEST

START_TEST(unfinished_ones)
{
	peer_start(VERSION_WIN10);
	for (unsigned int i = 0; i < VMBUS_UNFINISHED_MAX; i++)
		send_header(1, i + 1, 24, 1, two_pages, 2);
	peer_expect_nothing();
	send_header(1, 1000, 24, 1, two_pages, 2);
	expect_created(1000, false);
	send_body(1, two_pages + 2, 1);
	expect_created(1, true);
	send_header(1, 1000, 24, 1, two_pages, 2);
	peer_expect_nothing();
	ck_assert_uint_eq(peer_stats().n_gpadls, VMBUS_UNFINISHED_MAX + 1);
}
END_TEST

START_TEST(how_many_there_are)
{
	vmbus_server_free(peer.server);
	peer.server = vmbus_server_new(&(struct vmbus_server_params){
		.max_version = VERSION_WIN10,
		.n_vps = PEER_VPS,
		.gpadl_bytes_max = 1ull << 40,
		.ops = &peer_ops,
	});
	peer_start(VERSION_WIN10);
	for (unsigned int i = 0; i < VMBUS_GPADLS_MAX; i++)
		ck_assert_uint_eq(peer_make_gpadl(1, i + 1, 1), 0);
	ck_assert_uint_ne(peer_make_gpadl(1, 0, 1), 0);
	peer_send_teardown(1, 1);
	peer_expect(CHANNELMSG_GPADL_TORNDOWN);
	ck_assert_uint_eq(peer_make_gpadl(1, 0, 1), 0);
}
END_TEST

START_TEST(who_does_not_go_on_is_given_up)
{
	peer_start(VERSION_WIN10);
	ck_assert_uint_eq(vmbus_server_deadline(peer.server), VMBUS_NEVER);
	peer.now = 1000;
	send_header(1, 5, 32, 1, two_pages, 2);
	peer.now = 2000;
	send_header(1, 6, 32, 1, two_pages, 2);
	ck_assert_uint_eq(vmbus_server_deadline(peer.server),
			  1000 + VMBUS_UNFINISHED_NS);
	/* Each piece gives it more time. */
	peer.now = 5000;
	send_body(5, page, 1);
	ck_assert_uint_eq(vmbus_server_deadline(peer.server),
			  2000 + VMBUS_UNFINISHED_NS);
	vmbus_server_expire(peer.server, 1999 + VMBUS_UNFINISHED_NS);
	peer_expect_nothing();
	vmbus_server_expire(peer.server, 2000 + VMBUS_UNFINISHED_NS);
	expect_created(6, false);
	peer_expect_nothing();
	vmbus_server_expire(peer.server, VMBUS_NEVER);
	expect_created(5, false);
	ck_assert_uint_eq(peer_stats().n_gpadls, 0);
	ck_assert_uint_eq(peer_stats().expired, 2);
	ck_assert_uint_eq(vmbus_server_deadline(peer.server), VMBUS_NEVER);
	/* Its last piece comes too late. */
	send_body(6, page, 1);
	peer_expect_nothing();
}
END_TEST

START_TEST(unfinished_ones_end_with_the_connection)
{
	peer_start(VERSION_WIN10);
	send_header(1, 5, 24, 1, two_pages, 2);
	peer_connect(VERSION_WIN10);
	ck_assert_uint_eq(peer_stats().n_gpadls, 0);
	ck_assert_uint_eq(vmbus_server_deadline(peer.server), VMBUS_NEVER);
	peer_send_empty(CHANNELMSG_REQUESTOFFERS);
	peer_expect(CHANNELMSG_OFFERCHANNEL);
	peer_expect(CHANNELMSG_ALLOFFERS_DELIVERED);
	peer_faults();
	send_body(5, two_pages + 2, 1);
	ck_assert_uint_eq(peer_faults(), 1);
}
END_TEST

/* --- teardown ------------------------------------------------------------------------ */

START_TEST(teardown_of_an_unfinished_one)
{
	peer_start(VERSION_WIN10);
	send_header(1, 5, 24, 1, two_pages, 2);
	peer_send_teardown(1, 5);
	expect_created(5, false);
	peer_expect(CHANNELMSG_GPADL_TORNDOWN);
	ck_assert_uint_eq(peer_stats().n_gpadls, 0);
}
END_TEST

START_TEST(teardown_of_none_is_answered)
{
	peer_start(VERSION_WIN10);
	peer_faults();
	peer_send_teardown(1, 5);
	peer_expect(CHANNELMSG_GPADL_TORNDOWN);
	peer_make_gpadl(1, 5, 1);
	peer_send_teardown(1, 5);
	peer_send_teardown(1, 5);
	peer_expect(CHANNELMSG_GPADL_TORNDOWN);
	peer_expect(CHANNELMSG_GPADL_TORNDOWN);
	ck_assert_uint_eq(peer_faults(), 2);
}
END_TEST

START_TEST(teardown_through_another_channel)
{
	peer_start(VERSION_WIN10);
	peer_offer(2);
	peer_expect(CHANNELMSG_OFFERCHANNEL);
	peer_make_gpadl(1, 5, 1);
	peer_send_teardown(2, 5);
	peer_send_teardown(3, 5);
	peer_expect_nothing();
	ck_assert_uint_eq(peer_stats().n_gpadls, 1);
}
END_TEST

START_TEST(teardown_waits_for_who_uses_it)
{
	struct vmbus_offer *o = peer_start(VERSION_WIN10);
	const struct gpadl *g, *again;

	peer_make_gpadl(1, 5, 3);
	g = vmbus_offer_gpadl_get(o, 5);
	again = vmbus_offer_gpadl_get(o, 5);
	ck_assert_ptr_nonnull(g);
	ck_assert_ptr_eq(g, again);
	ck_assert_uint_eq(gpadl_bytes(g), 3 * 4096);
	ck_assert_ptr_null(vmbus_offer_gpadl_get(o, 6));
	peer_send_teardown(1, 5);
	ck_assert_uint_eq(peer.actions[VMBUS_ACTION_GPADL_TEARDOWN], 1);
	ck_assert_uint_eq(peer.last.gpadl, 5);
	/* No new users; the guest's second request changes nothing. */
	ck_assert_ptr_null(vmbus_offer_gpadl_get(o, 5));
	peer_send_teardown(1, 5);
	peer_expect_nothing();
	vmbus_offer_gpadl_put(o, g);
	peer_expect_nothing();
	ck_assert_uint_eq(peer.given_back, 0);
	vmbus_offer_gpadl_put(o, again);
	peer_expect(CHANNELMSG_GPADL_TORNDOWN);
	peer_expect_nothing();
	ck_assert_uint_eq(peer_stats().n_gpadls, 0);
	/* Its pages are the guest's before it knows. */
	ck_assert_uint_eq(peer.given_back, 5);
	ck_assert_uint_eq(peer.inbox_then, 0);
}
END_TEST

START_TEST(put_without_teardown_keeps_it)
{
	struct vmbus_offer *o = peer_start(VERSION_WIN10);

	peer_make_gpadl(1, 5, 3);
	vmbus_offer_gpadl_put(o, vmbus_offer_gpadl_get(o, 5));
	ck_assert_uint_eq(peer_stats().n_gpadls, 1);
	ck_assert_ptr_nonnull(vmbus_offer_gpadl_get(o, 5));
}
END_TEST

START_TEST(a_connection_ends_when_nobody_uses_its_memory)
{
	struct vmbus_offer *o = peer_start(VERSION_WIN10);
	const struct gpadl *g;

	peer_make_gpadl(1, 5, 3);
	peer_make_gpadl(1, 6, 3);
	g = vmbus_offer_gpadl_get(o, 5);
	peer_send_empty(CHANNELMSG_UNLOAD);
	ck_assert_uint_eq(peer.actions[VMBUS_ACTION_GPADL_TEARDOWN], 1);
	peer_expect_nothing();
	vmbus_offer_gpadl_put(o, g);
	/* No TORNDOWN: nobody asked for it, nor waits. */
	ck_assert_uint_eq(peer.given_back, 0);
	peer_expect(CHANNELMSG_UNLOAD_RESPONSE);
	peer_expect_nothing();
	ck_assert_uint_eq(peer_stats().n_gpadls, 0);
}
END_TEST

START_TEST(a_rescinded_offer_goes_when_nobody_uses_its_memory)
{
	struct vmbus_offer *o = peer_start(VERSION_WIN10);
	const struct gpadl *g;

	peer_make_gpadl(1, 5, 3);
	g = vmbus_offer_gpadl_get(o, 5);
	vmbus_offer_rescind(o);
	peer_send_relid(CHANNELMSG_RELID_RELEASED, 1);
	ck_assert_uint_eq(peer.actions[VMBUS_ACTION_RELEASED], 0);
	vmbus_offer_gpadl_put(o, g);
	peer_act();
	ck_assert_uint_eq(peer.actions[VMBUS_ACTION_RELEASED], 1);
	ck_assert_uint_eq(peer_stats().n_offers, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/vmbus/server_gpadls");
	TCase *t = tcase_create("server_gpadls");

	tcase_add_checked_fixture(t, peer_setup, peer_teardown);
	tcase_add_loop_test(t, of_any_length, 0, G_N_ELEMENTS(page_counts));
	tcase_add_test(t, a_header_without_pages);
	tcase_add_test(t, two_at_once);
	tcase_add_test(t, bodies_that_nobody_waits_for);
	tcase_add_test(t, a_bad_piece_ends_it);
	tcase_add_test(t, an_id_twice);
	tcase_add_test(t, memory_in_all);
	tcase_add_test(t, unfinished_ones);
	tcase_add_test(t, how_many_there_are);
	tcase_add_test(t, who_does_not_go_on_is_given_up);
	tcase_add_test(t, unfinished_ones_end_with_the_connection);
	tcase_add_test(t, teardown_of_an_unfinished_one);
	tcase_add_test(t, teardown_of_none_is_answered);
	tcase_add_test(t, teardown_through_another_channel);
	tcase_add_test(t, teardown_waits_for_who_uses_it);
	tcase_add_test(t, put_without_teardown_keeps_it);
	tcase_add_test(t, a_connection_ends_when_nobody_uses_its_memory);
	tcase_add_test(t, a_rescinded_offer_goes_when_nobody_uses_its_memory);
	suite_add_tcase(s, t);
	return check_main(s);
}
