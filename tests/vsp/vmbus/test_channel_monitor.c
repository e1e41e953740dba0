/* SPDX-License-Identifier: MIT */
/*
 * Channels whose guest signals by monitor page: connected guests of
 * bus_guest.h have the pages 6 and 7.
 */
#include <errno.h>
#include <sys/mman.h>

#include "support/bus_guest.h"
#include "support/turns.h"
#include "vsp/vmbus/channel.h"

#define LATENCY 500u /* 50 us */

static struct channel *ch;
static struct vmbus_channel_offer_channel offer;
static struct guest_channel guest;
static uint64_t buffer[64];

static int on_packet(void *ctx, const struct packet *packet)
{
	(void)ctx;
	return channel_complete(ch, packet->trans_id, packet->data,
				packet->bytes);
}

static const struct channel_ops ops = {.packet = on_packet};

static struct channel *make(unsigned int n, uint16_t latency)
{
	struct channel_params p = {.name = "monitored",
				   .order = n,
				   .monitor_latency_100ns = latency};
	struct channel *made;

	memcpy(p.if_instance.b, &n, sizeof(n));
	p.if_instance.b[15] = 1;
	made = channel_new(bus, &p, &ops, NULL);
	ck_assert_int_eq(channel_offer(made), 0);
	return made;
}

static void mon_setup(void)
{
	bus_setup();
	ch = make(1, LATENCY);
}

static void mon_teardown(void)
{
	channel_free(ch);
	guest_drop_rings(&guest);
	bus_teardown();
}

static void start(void)
{
	guest_connect(VERSION_WIN10_V5_3);
	guest_request_offers(&offer, 1);
	guest_open(&guest, &offer);
}

static struct hv_monitor_page *page_at(uint64_t pfn)
{
	return gmem_load(mem, pfn * PAGE, PAGE);
}

static uint32_t *pending_at(uint64_t pfn)
{
	void *group = &page_at(pfn)->trigger_group[offer.monitorid / 32];

	return group;
}

/* Linux vmbus_setevent() with monitor_allocated. */
static void set_bit_at(uint64_t pfn)
{
	__atomic_fetch_or(pending_at(pfn), 1u << offer.monitorid % 32,
			  __ATOMIC_SEQ_CST);
}

/*
 * The host has seen the bit.  It may have answered before that, if it was at
 * the ring: the next bit would be no new one.
 */
static void wait_for_bit_at(uint64_t pfn)
{
	wait_until(!(__atomic_load_n(pending_at(pfn), __ATOMIC_SEQ_CST) &
		     1u << offer.monitorid % 32));
}

static void put_silently(uint64_t id)
{
	ck_assert(ring_peer_send(&guest.ring, VM_PKT_DATA_INBAND, true, id, &id,
				 sizeof(id)));
	ring_peer_signals(&guest.ring);
}

static void expect_answer(uint64_t id)
{
	wait_until(ring_peer_receive(&guest.ring, buffer, sizeof(buffer)));
	ck_assert_uint_eq(buffer[1], id);
}

START_TEST(a_bit_is_a_signal)
{
	struct channel_stats s;

	start();
	ck_assert_uint_eq(offer.monitor_allocated, 1);
	ck_assert_uint_eq(offer.monitorid, 0);
	for (uint64_t id = 1; id < 50; id++) {
		put_silently(id);
		set_bit_at(7);
		expect_answer(id);
		wait_for_bit_at(7);
	}
	/* A hypercall is one as well. */
	put_silently(50);
	guest_signal(&guest);
	expect_answer(50);
	channel_get_stats(ch, &s);
	ck_assert(s.is_monitored);
	ck_assert_uint_eq(s.monitor_id, offer.monitorid);
	ck_assert_uint_eq(s.monitor_latency_100ns, LATENCY);
	ck_assert_uint_eq(s.signals_by_page, 49);
	ck_assert_uint_eq(s.signals_in, 50);
}
END_TEST

START_TEST(what_guests_show_is_filled_in)
{
	start();
	for (uint64_t pfn = 6; pfn <= 7; pfn++) {
		const struct hv_monitor_page *page = page_at(pfn);
		const void *at = page;
		const uint32_t *state = at;
		uint32_t id;

		/* The host does it after it has said that it is open. */
		wait_until(__atomic_load_n(state, __ATOMIC_SEQ_CST) == 1);
		memcpy(&id, &page->parameter[0][0], sizeof(id));
		ck_assert_uint_eq(page->latency[0][0], LATENCY);
		ck_assert_uint_eq(id, offer.connection_id);
	}
}
END_TEST

START_TEST(other_bits_are_left_alone)
{
	void *group;
	uint32_t *pending;

	start();
	group = &page_at(7)->trigger_group[0];
	pending = group;
	__atomic_store_n(pending, 0xFFFFFFFF, __ATOMIC_SEQ_CST);
	wait_until(__atomic_load_n(pending, __ATOMIC_SEQ_CST) == 0xFFFFFFFE);
	guest_close(&guest);
	/* Nobody looks any more. */
	set_bit_at(7);
	for (unsigned int i = 0; i < 100; i++)
		give_way();
	ck_assert_uint_eq(__atomic_load_n(pending, __ATOMIC_SEQ_CST),
			  0xFFFFFFFF);
}
END_TEST

START_TEST(pages_that_move)
{
	struct vmbus_channel_modify_connection m = {.monitor_page1 = 16 * PAGE,
						    .monitor_page2 = 17 * PAGE};
	struct vmbus_channel_initiate_contact2 c = {
		.base = {.header.msgtype = CHANNELMSG_INITIATE_CONTACT,
			 .vmbus_version_requested = VERSION_WIN10_V6_0,
			 .target_vcpu = BUS_VP,
			 .msg_sint = VMBUS_MESSAGE_SINT,
			 .feature_flags = VMBUS_FEATURE_MODIFY_CONNECTION,
			 .monitor_page1 = 6 * PAGE,
			 .monitor_page2 = 7 * PAGE}};

	guest_vp = BUS_VP;
	guest_post(&c, sizeof(c.base));
	guest_expect(CHANNELMSG_VERSION_RESPONSE, NULL, 0);
	guest_request_offers(&offer, 1);
	guest_open(&guest, &offer);
	guest_send(&m, CHANNELMSG_MODIFY_CONNECTION);
	guest_expect(CHANNELMSG_MODIFY_CONNECTION_DONE, NULL, 0);
	/* Whatever is done with the old ones now is nobody's business. */
	memset(page_at(7), 0xFF, PAGE);
	put_silently(1);
	set_bit_at(17);
	expect_answer(1);
	for (unsigned int i = 0; i < PAGE; i++)
		ck_assert_uint_eq(((const uint8_t *)page_at(7))[i], 0xFF);
}
END_TEST

/* They are the guest's as any other, and may have been a ring. */
START_TEST(pages_that_were_rings_are_pinned)
{
	const uint64_t pfns[] = {6, 7};
	void *at = mmap(NULL, 2 * PAGE, PROT_NONE,
			/* cppcheck-suppress invalidFunctionArg ; fd -1 */
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ck_assert_int_eq(gmem_alias(mem, at, pfns, 2), 0);
	munmap(at, 2 * PAGE);
	gmem_unalias_later(mem, pfns, 2);
	start();
	put_silently(1);
	set_bit_at(7);
	expect_answer(1);
	gmem_settle(mem);
	ck_assert_uint_eq(gmem_left_pages(mem), 2);
	guest_close(&guest);
	gmem_settle(mem);
	ck_assert_uint_eq(gmem_left_pages(mem), 0);
}
END_TEST

START_TEST(guests_without_pages_signal_as_always)
{
	struct vmbus_channel_initiate_contact m = {.vmbus_version_requested =
							   VERSION_WIN10,
						   .target_vcpu = BUS_VP};

	guest_vp = BUS_VP;
	guest_send(&m, CHANNELMSG_INITIATE_CONTACT);
	guest_expect(CHANNELMSG_VERSION_RESPONSE, NULL, 0);
	guest_request_offers(&offer, 1);
	ck_assert_uint_eq(offer.monitor_allocated, 0);
	ck_assert_uint_eq(offer.monitorid, VMBUS_NO_MONITOR);
	guest_open(&guest, &offer);
	guest_put(&guest, 1, "x", 1);
	expect_answer(1);
}
END_TEST

START_TEST(only_who_asks_has_one_and_there_are_128)
{
	static struct vmbus_channel_offer_channel offers[131];
	struct channel *others[130];

	for (unsigned int i = 0; i < 130; i++)
		others[i] = make(2 + i, i ? LATENCY : 0);
	guest_connect(VERSION_WIN10);
	guest_request_offers(offers, 131);
	ck_assert_uint_eq(offers[1].monitor_allocated, 0);
	for (unsigned int i = 2; i < 129; i++) {
		ck_assert_uint_eq(offers[i].monitor_allocated, 1);
		ck_assert_uint_eq(offers[i].monitorid, i - 1);
	}
	ck_assert_uint_eq(offers[129].monitor_allocated, 0);
	ck_assert_uint_eq(offers[130].monitor_allocated, 0);
	for (unsigned int i = 0; i < 130; i++)
		channel_free(others[i]);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/vmbus/channel_monitor");
	TCase *t = tcase_create("channel_monitor");

	tcase_set_timeout(t, 30);
	tcase_add_checked_fixture(t, mon_setup, mon_teardown);
	tcase_add_test(t, a_bit_is_a_signal);
	tcase_add_test(t, what_guests_show_is_filled_in);
	tcase_add_test(t, other_bits_are_left_alone);
	tcase_add_test(t, pages_that_move);
	tcase_add_test(t, pages_that_were_rings_are_pinned);
	tcase_add_test(t, guests_without_pages_signal_as_always);
	tcase_add_test(t, only_who_asks_has_one_and_there_are_128);
	suite_add_tcase(s, t);
	return check_main(s);
}
