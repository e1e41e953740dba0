/* SPDX-License-Identifier: MIT */
#include "vsp/vmbus/channel.h"

#include <errno.h>
#include <sys/mman.h>

#include "support/channel_bench.h"
#include "support/turns.h"
#include "vsp/vmbus/channel_impl.h"

/* --- opening and closing ------------------------------------------------------- */

static const uint32_t versions[] = {
	VERSION_WIN7,       VERSION_WIN8,       VERSION_WIN8_1,
	VERSION_WIN10,      VERSION_WIN10_V4_1, VERSION_WIN10_V5,
	VERSION_WIN10_V5_3, VERSION_WIN10_V6_0,
};

START_TEST(open_talk_close)
{
	start_version(versions[_i]);
	ck_assert_uint_eq(dev.version, versions[_i]);
	ck_assert_str_eq(dev.userdata, "hello");
	for (unsigned int i = 1; i <= 100; i++)
		ping(i);
	guest_close(&guest);
	ck_assert_uint_eq(dev.opens, 1);
	ck_assert_uint_eq(dev.closes, 1);
	ck_assert_uint_eq(stats().packets_in, 100);
	ck_assert_uint_eq(stats().packets_out, 100);
	ck_assert_uint_eq(stats().bytes_in, 2400);
	ck_assert(!stats().open);
	/* And again. */
	guest_open(&guest, &offer);
	ping(1);
	ck_assert_uint_eq(stats().opens, 2);
}
END_TEST

START_TEST(open_is_refused)
{
	dev.open_ret = -ENOMEM;
	guest_connect(VERSION_WIN10);
	guest_request_offers(&offer, 1);
	ck_assert_uint_eq(guest_try_open(&guest, &offer),
			  VMBUS_STATUS_UNSUCCESSFUL);
	ck_assert_uint_eq(guest_signal(&guest),
			  HV_STATUS_INVALID_CONNECTION_ID);
	guest_teardown(guest.relid, guest.gpadl);
	guest_expect(CHANNELMSG_GPADL_TORNDOWN, NULL, 0);
	guest_drop_rings(&guest);
	dev.open_ret = 0;
	guest_open(&guest, &offer);
	ping(1);
	ck_assert_uint_eq(dev.closes, 0);
}
END_TEST

/* What the device took and waited for is gone with it. */
START_TEST(open_that_fails_leaves_nothing)
{
	struct vmbus_channel_gpadl_torndown r;

	guest_connect(VERSION_WIN10_V5_3);
	guest_request_offers(&offer, 1);
	guest_share(offer.child_relid, 0xE2000, 40, 4);
	dev.open_ret = -ENOMEM;
	dev.open_fills = true;
	dev.open_gpadl = 0xE2000;
	ck_assert_uint_eq(guest_try_open(&guest, &offer),
			  VMBUS_STATUS_UNSUCCESSFUL);
	settle();
	ck_assert_ptr_nonnull(dev.gpadl);
	guest_teardown(guest.relid, 0xE2000);
	guest_expect(CHANNELMSG_GPADL_TORNDOWN, &r, sizeof(r));
	ck_assert_uint_eq(r.gpadl, 0xE2000);
	ck_assert_uint_eq(dev.teardowns, 0);
	guest_teardown(guest.relid, guest.gpadl);
	guest_expect(CHANNELMSG_GPADL_TORNDOWN, NULL, 0);
	guest_drop_rings(&guest);
	dev.open_ret = 0;
	dev.open_fills = false;
	dev.open_gpadl = 0;
	guest_open(&guest, &offer);
	ping(1);
	settle();
	ck_assert_uint_eq(dev.writables, 0);
}
END_TEST

START_TEST(rings_that_cannot_be)
{
	struct vmbus_channel_open_channel m = {
		.child_relid = 1,
		.ringbuffer_gpadlhandle = BUS_GPADL,
		.target_vp = 0,
		.downstream_ringbuffer_pageoffset = _i ? 2 : 3,
	};
	struct vmbus_channel_open_result r;
	uint32_t bad = 4;

	guest_connect(VERSION_WIN10);
	guest_request_offers(&offer, 1);
	guest_share(1, BUS_GPADL, BUS_RING_PFN, 4);
	/* The second time it is an index that is bad. */
	if (_i)
		gmem_write(mem, BUS_RING_PFN * PAGE, &bad, sizeof(bad));
	guest_send(&m, CHANNELMSG_OPENCHANNEL);
	guest_expect(CHANNELMSG_OPENCHANNEL_RESULT, &r, sizeof(r));
	ck_assert_uint_eq(r.status, VMBUS_STATUS_UNSUCCESSFUL);
	ck_assert_uint_eq(dev.opens, 0);
	guest_teardown(1, BUS_GPADL);
	guest_expect(CHANNELMSG_GPADL_TORNDOWN, NULL, 0);
}
END_TEST

START_TEST(what_open_sends_is_there_when_it_is_open)
{
	dev.greeting = 100;
	start();
	wait_until(guest_interrupted(&guest, BUS_CHAN_VP));
	ck_assert_uint_eq(guest_get(&guest, buffer, sizeof(buffer)), 120);
	/* Who does not look is told once more. */
	guest_close(&guest);
	guest_open(&guest, &offer);
	wait_until(guest_interrupted(&guest, BUS_CHAN_VP));
	wait_until(guest_interrupted(&guest, BUS_CHAN_VP));
	/* The first time, too, if it was long until it looked. */
	ck_assert_uint_ge(stats().signals_out, 3);
	ck_assert_uint_le(stats().signals_out, 4);
}
END_TEST

static void finish(void *ctx)
{
	channel_closed(((struct device *)ctx)->ch);
}

START_TEST(close_takes_its_time)
{
	struct vmbus_channel_gpadl_torndown r;

	start();
	dev.close_ret = -EINPROGRESS;
	guest_send_relid(CHANNELMSG_CLOSECHANNEL, guest.relid);
	guest_teardown(guest.relid, guest.gpadl);
	wait_until(dev.closes);
	settle();
	ck_assert(!guest_has_message());
	on_worker(finish, &dev);
	guest_expect(CHANNELMSG_GPADL_TORNDOWN, &r, sizeof(r));
	ck_assert_uint_eq(dev.closes, 1);
	dev.close_ret = 0;
}
END_TEST

START_TEST(free_closes_what_is_open)
{
	start();
	channel_free(dev.ch);
	ck_assert_uint_eq(dev.closes, 1);
	ck_assert_uint_eq(dev.releases, 0);
	guest_expect(CHANNELMSG_RESCIND_CHANNELOFFER, NULL, 0);
	guest_send_relid(CHANNELMSG_RELID_RELEASED, 1);
	dev.ch = NULL;
	/* The instance can be had again. */
	struct channel_params p = params_of(1);

	make_device(&p);
	guest_expect(CHANNELMSG_OFFERCHANNEL, &offer, sizeof(offer));
	guest_drop_rings(&guest);
	guest_open(&guest, &offer);
	ping(1);
}
END_TEST

START_TEST(free_while_the_guest_opens_and_closes)
{
	struct vmbus_channel_open_channel m = {
		.child_relid = 1,
		.ringbuffer_gpadlhandle = BUS_GPADL,
		.target_vp = 0,
		.downstream_ringbuffer_pageoffset = 2,
	};

	guest_connect(VERSION_WIN10);
	guest_request_offers(&offer, 1);
	guest_share(1, BUS_GPADL, BUS_RING_PFN, 4);
	guest_send(&m, CHANNELMSG_OPENCHANNEL);
	for (int i = 0; i < 10 * _i; i++)
		give_way();
	channel_free(dev.ch);
	ck_assert_uint_eq(dev.opens, dev.closes);
	dev.ch = NULL;
}
END_TEST

/*
 * What the vmbus thread had in hand when the channel was freed comes when it
 * is gone for all but the server.
 */
START_TEST(events_of_the_past_are_answered_or_dropped)
{
	const struct vmbus_owner_ops *owner_ops;
	struct channel *ch = dev.ch;

	start();
	owner_ops = ch->owner.ops;
	channel_free(ch);
	dev.ch = NULL;
	/* Until the guest has let go it is still there. */
	owner_ops->gpadl_teardown(ch, guest.gpadl);
	owner_ops->close(ch);
	ck_assert(g_queue_is_empty(&ch->events));
	ck_assert(!ch->control.queued);
	guest_expect(CHANNELMSG_RESCIND_CHANNELOFFER, NULL, 0);
	guest_send_relid(CHANNELMSG_RELID_RELEASED, 1);
}
END_TEST

START_TEST(reset_closes_what_is_open)
{
	start();
	vmbus_thread_pause(bus_thread);
	vmbus_thread_reset(bus_thread);
	ck_assert_uint_eq(dev.closes, 1);
	vmbus_thread_resume(bus_thread);
	guest_drop_rings(&guest);
	start();
	ping(1);
}
END_TEST

/* --- offers ----------------------------------------------------------------------------- */

START_TEST(rescind_and_offer_again)
{
	guest_connect(VERSION_WIN10);
	guest_request_offers(&offer, 1);
	for (unsigned int i = 1; i <= 20; i++) {
		guest_open(&guest, &offer);
		ping(i);
		channel_rescind(dev.ch);
		channel_rescind(dev.ch);
		/* In a hurry: it waits for the guest. */
		if (i % 2)
			ck_assert_int_eq(channel_offer(dev.ch), 0);
		guest_expect(CHANNELMSG_RESCIND_CHANNELOFFER, NULL, 0);
		ck_assert(!guest_has_message());
		guest_send_relid(CHANNELMSG_CLOSECHANNEL, guest.relid);
		guest_drop_rings(&guest);
		guest_send_relid(CHANNELMSG_RELID_RELEASED, guest.relid);
		wait_until(dev.releases == i);
		ck_assert_uint_eq(dev.closes, i);
		ck_assert_int_eq(channel_offer(dev.ch), 0);
		ck_assert_int_eq(channel_offer(dev.ch), 0);
		guest_expect(CHANNELMSG_OFFERCHANNEL, &offer, sizeof(offer));
	}
}
END_TEST

/* What the guest asks of a revoked one is done until it closes it. */
START_TEST(revoke_goes_on)
{
	start();
	channel_revoke(dev.ch);
	channel_revoke(dev.ch);
	guest_expect(CHANNELMSG_RESCIND_CHANNELOFFER, NULL, 0);
	ping(1);
	settle();
	ck_assert_uint_eq(dev.closes, 0);
	if (_i) {
		/* ... or whoever has it waits no longer. */
		channel_rescind(dev.ch);
		wait_until(dev.closes == 1);
	}
	guest_send_relid(CHANNELMSG_CLOSECHANNEL, guest.relid);
	guest_drop_rings(&guest);
	guest_send_relid(CHANNELMSG_RELID_RELEASED, guest.relid);
	wait_until(dev.releases == 1);
	ck_assert_uint_eq(dev.closes, 1);
	ck_assert(!guest_has_message());
	channel_rescind(dev.ch);
	ck_assert_int_eq(channel_offer(dev.ch), 0);
	guest_expect(CHANNELMSG_OFFERCHANNEL, &offer, sizeof(offer));
	guest_open(&guest, &offer);
	ping(1);
}
END_TEST

/* The guest of a rescinded offer frees its rings, and does not wait. */
START_TEST(rings_go_back_when_the_guest_waits)
{
	start();
	guest_close(&guest);
	ck_assert_uint_eq(gmem_left_pages(mem), 0);
	guest_open(&guest, &offer);
	guest_drop_rings(&guest);
	channel_rescind(dev.ch);
	wait_until(dev.closes == 2);
	settle();
	ck_assert_uint_eq(gmem_left_pages(mem), BUS_RING_PAGES);
	guest_expect(CHANNELMSG_RESCIND_CHANNELOFFER, NULL, 0);
	guest_send_relid(CHANNELMSG_RELID_RELEASED, 1);
	wait_until(dev.releases);
	channel_offer(dev.ch);
	guest_expect(CHANNELMSG_OFFERCHANNEL, &offer, sizeof(offer));
	guest_open(&guest, &offer);
	ck_assert_uint_eq(gmem_left_pages(mem), 0);
	ping(1);
}
END_TEST

/*
 * A guest may open again with the same GPADL, and initializes the rings anew
 * before it does: they may not move before it asks for them.
 */
START_TEST(rings_stay_until_their_gpadl_is_torn_down)
{
	struct guest_channel again;

	start();
	guest_drop_rings(&guest);
	guest_send_relid(CHANNELMSG_CLOSECHANNEL, guest.relid);
	wait_until(dev.closes == 1);
	settle();
	ck_assert_uint_eq(gmem_left_pages(mem), BUS_RING_PAGES);
	guest_make_rings(&again, BUS_RING_PFN);
	ck_assert_uint_eq(gmem_left_pages(mem), 0);
	guest_drop_rings(&again);
	guest_teardown(guest.relid, guest.gpadl);
	guest_expect(CHANNELMSG_GPADL_TORNDOWN, NULL, 0);
	ck_assert_uint_eq(gmem_left_pages(mem), 0);
}
END_TEST

/* Interrupts are told apart there: no bit may be lost. */
START_TEST(an_interrupt_page_that_was_a_ring_is_pinned)
{
	const uint64_t pfns[] = {5};
	void *at = mmap(NULL, PAGE, PROT_NONE,
			/* cppcheck-suppress invalidFunctionArg ; fd -1 */
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ck_assert_int_eq(gmem_alias(mem, at, pfns, 1), 0);
	munmap(at, PAGE);
	gmem_unalias_later(mem, pfns, 1);
	start_version(VERSION_WIN7);
	gmem_settle(mem);
	ck_assert_uint_eq(gmem_left_pages(mem), 1);
	ping(1);
	guest_close(&guest);
	gmem_settle(mem);
	ck_assert_uint_eq(gmem_left_pages(mem), 0);
}
END_TEST

START_TEST(rescind_takes_back_a_second_offer)
{
	guest_connect(VERSION_WIN10);
	guest_request_offers(&offer, 1);
	channel_rescind(dev.ch);
	channel_offer(dev.ch);
	channel_rescind(dev.ch);
	guest_expect(CHANNELMSG_RESCIND_CHANNELOFFER, NULL, 0);
	guest_send_relid(CHANNELMSG_RELID_RELEASED, 1);
	wait_until(dev.releases == 1);
	settle();
	ck_assert(!guest_has_message());
	ck_assert_uint_eq(stats().relid, 0);
}
END_TEST

static void run_timer(void *ctx)
{
	struct worker_timer *timer = ctx;

	timer->run(timer);
}

static void fail_device(void *ctx)
{
	struct device *d = ctx;

	channel_fail(d->ch, "test");
}

/* It stays away, though it would have been offered again in a second. */
START_TEST(rescind_after_a_failure)
{
	start();
	on_worker(fail_device, &dev);
	guest_expect(CHANNELMSG_RESCIND_CHANNELOFFER, NULL, 0);
	guest_send_relid(CHANNELMSG_RELID_RELEASED, 1);
	wait_until(dev.releases == 1);
	channel_rescind(dev.ch);
	if (_i)
		ck_assert_int_eq(channel_offer(dev.ch), 0);
	settle();
	/* As the timer does when it is due. */
	on_worker(run_timer, &dev.ch->reoffer);
	ck_assert_int_eq(guest_has_message(), _i);
}
END_TEST

START_TEST(an_instance_that_is_taken)
{
	struct channel_params p = params_of(1);
	struct channel *twin = channel_new(bus, &p, &ops, &dev), *sub;

	ck_assert_int_eq(channel_offer(twin), -EBUSY);
	channel_free(twin);
	/* As a sub-channel it may. */
	p.sub_channel_index = 1;
	sub = channel_new(bus, &p, &ops, &dev);
	ck_assert_int_eq(channel_offer(sub), 0);
	channel_free(sub);
	channel_free(NULL);
}
END_TEST

#define MANY (MAX_CHANNEL_RELIDS - 1)

START_TEST(as_many_as_there_are_relids)
{
	static struct vmbus_channel_offer_channel offers[MANY];
	static struct channel *others[MANY - 1];

	for (unsigned int i = 0; i < MANY - 1; i++) {
		struct channel_params p = params_of(1);
		uint16_t n = (uint16_t)i;

		memcpy(&p.if_instance.b[1], &n, sizeof(n));
		p.if_instance.b[15] = 1;
		p.order = 2 + i;
		others[i] = channel_new(bus, &p, &ops, &dev);
		ck_assert_int_eq(channel_offer(others[i]), 0);
	}
	guest_connect(VERSION_WIN10);
	guest_request_offers(offers, MANY);
	ck_assert_uint_eq(offers[MANY - 1].child_relid, MANY);
	guest_open(&guest, &offers[0]);
	ping(1);
	for (unsigned int i = 0; i < MANY - 1; i++)
		channel_free(others[i]);
	ping(2);
}
END_TEST

START_TEST(sub_channels_have_threads_of_their_own)
{
	struct channel_params p = params_of(1);
	struct vmbus_channel_offer_channel offers[2];
	struct device primary = {.on_packet = DO_COMPLETE};
	struct guest_channel second;
	struct worker *w = worker_new("sub", NULL);

	guest_connect(VERSION_WIN10);
	guest_request_offers(&offers[0], 1);
	p.sub_channel_index = 1;
	p.worker = w;
	primary.ch = channel_new(bus, &p, &ops, &primary);
	channel_offer(primary.ch);
	guest_expect(CHANNELMSG_OFFERCHANNEL, &offers[1], sizeof(offers[1]));
	ck_assert_uint_eq(offers[1].offer.sub_channel_index, 1);
	guest_open(&guest, &offers[0]);
	guest_open(&second, &offers[1]);
	ck_assert_uint_ne(guest.connection_id, second.connection_id);
	for (uint64_t i = 1; i < 500; i++) {
		guest_put(&guest, i, buffer, 100);
		guest_put(&second, i, buffer, 100);
		guest_get(&guest, buffer, sizeof(buffer));
		guest_get(&second, buffer, sizeof(buffer));
	}
	channel_free(primary.ch);
	worker_free(w);
	guest_drop_rings(&second);
}
END_TEST

/* --- GPADLs ------------------------------------------------------------------------------- */

#define BUFFER_PFN 40u

static void get_gpadl(void *ctx)
{
	dev.gpadl = channel_gpadl_get(dev.ch, *(uint32_t *)ctx);
}

static void put_gpadl(void *ctx)
{
	(void)ctx;
	channel_gpadl_put(dev.ch, dev.gpadl);
}

START_TEST(a_gpadl_goes_when_the_device_is_done)
{
	uint32_t id = 0xE2000, none = 1;

	start();
	guest_share(guest.relid, id, BUFFER_PFN, 4);
	on_worker(get_gpadl, &none);
	ck_assert_ptr_null(dev.gpadl);
	on_worker(get_gpadl, &id);
	ck_assert_ptr_nonnull(dev.gpadl);
	dev.keep_gpadl = _i;
	guest_teardown(guest.relid, id);
	wait_until(dev.teardowns);
	settle();
	if (_i) {
		ck_assert(!guest_has_message());
		on_worker(put_gpadl, NULL);
	}
	guest_expect(CHANNELMSG_GPADL_TORNDOWN, NULL, 0);
}
END_TEST

START_TEST(what_is_not_put_goes_with_the_close)
{
	uint32_t id = 0xE2000;

	start();
	guest_share(guest.relid, id, BUFFER_PFN, 4);
	on_worker(get_gpadl, &id);
	dev.keep_gpadl = true;
	guest_teardown(guest.relid, id);
	wait_until(dev.teardowns);
	guest_send_relid(CHANNELMSG_CLOSECHANNEL, guest.relid);
	guest_expect(CHANNELMSG_GPADL_TORNDOWN, NULL, 0);
	ck_assert_uint_eq(dev.closes, 1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/vmbus/channel");
	TCase *t = tcase_create("channel");

	log_set_level("error");
	tcase_set_timeout(t, 30);
	tcase_add_checked_fixture(t, dev_setup, dev_teardown);
	tcase_add_loop_test(t, open_talk_close, 0, G_N_ELEMENTS(versions));
	tcase_add_test(t, open_is_refused);
	tcase_add_test(t, open_that_fails_leaves_nothing);
	tcase_add_loop_test(t, rings_that_cannot_be, 0, 2);
	tcase_add_test(t, what_open_sends_is_there_when_it_is_open);
	tcase_add_test(t, close_takes_its_time);
	tcase_add_test(t, free_closes_what_is_open);
	tcase_add_loop_test(t, free_while_the_guest_opens_and_closes, 0, 20);
	tcase_add_test(t, events_of_the_past_are_answered_or_dropped);
	tcase_add_test(t, reset_closes_what_is_open);
	tcase_add_test(t, rescind_and_offer_again);
	tcase_add_loop_test(t, revoke_goes_on, 0, 2);
	tcase_add_test(t, rings_go_back_when_the_guest_waits);
	tcase_add_test(t, rings_stay_until_their_gpadl_is_torn_down);
	tcase_add_test(t, an_interrupt_page_that_was_a_ring_is_pinned);
	tcase_add_test(t, rescind_takes_back_a_second_offer);
	tcase_add_loop_test(t, rescind_after_a_failure, 0, 2);
	tcase_add_test(t, an_instance_that_is_taken);
	tcase_add_test(t, as_many_as_there_are_relids);
	tcase_add_test(t, sub_channels_have_threads_of_their_own);
	tcase_add_loop_test(t, a_gpadl_goes_when_the_device_is_done, 0, 2);
	tcase_add_test(t, what_is_not_put_goes_with_the_close);
	suite_add_tcase(s, t);
	return check_main(s);
}
