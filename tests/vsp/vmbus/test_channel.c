/* SPDX-License-Identifier: MIT */
/*
 * A small device, which does what a test tells it, and a scripted guest.
 */
#include "vsp/vmbus/channel.h"

#include <errno.h>

#include "base/clock.h"
#include "base/log.h"
#include "support/bus_guest.h"
#include "vsp/vmbus/worker.h"

enum {
	DO_COMPLETE, /* with what the packet has */
	DO_REFUSE, /* say -EINVAL */
	DO_DEFER, /* say -EAGAIN */
	DO_FAIL, /* channel_fail() */
	DO_NOTHING,
};

/* What the device does is set before the guest can see it. */
struct device {
	struct channel *ch;
	/* what open() and close() say, and what packet() does */
	_Atomic int open_ret, close_ret;
	_Atomic int on_packet; /* DO_… */
	uint32_t greeting; /* bytes that open() sends */
	_Atomic unsigned int opens, packets, batches, writables, wakes, closes,
		releases, teardowns;
	_Atomic uint32_t version;
	char userdata[8];
	const struct gpadl *gpadl;
	bool keep_gpadl; /* when the guest wants it back */
};

static struct device dev;
static struct vmbus_channel_offer_channel offer;
static struct guest_channel guest;
static uint64_t buffer[1024];

static int on_open(void *ctx, const struct channel_open *open)
{
	static const uint8_t zeros[4096];
	struct device *d = ctx;

	ck_assert(worker_is_current(channel_worker(d->ch)));
	memcpy(d->userdata, open->userdata, sizeof(d->userdata));
	d->version = open->version;
	if (d->greeting)
		ck_assert_int_eq(channel_send(d->ch, zeros, d->greeting), 0);
	d->opens++;
	return d->open_ret;
}

static int on_packet(void *ctx, const struct packet *packet)
{
	struct device *d = ctx;
	int what = d->on_packet;

	d->packets++;
	switch (what) {
	case DO_COMPLETE:
		return channel_complete(d->ch, packet->trans_id, packet->data,
					packet->bytes);
	case DO_REFUSE:
		return -EINVAL;
	case DO_DEFER:
		return -EAGAIN;
	case DO_FAIL:
		channel_fail(d->ch, "test");
		ck_assert(!channel_is_open(d->ch));
		ck_assert_int_eq(channel_send(d->ch, NULL, 0), -ENOTCONN);
		return 0;
	case DO_NOTHING:
		break;
	}
	return 0;
}

static void on_batch_end(void *ctx)
{
	((struct device *)ctx)->batches++;
}

static void on_writable(void *ctx)
{
	((struct device *)ctx)->writables++;
}

static void on_wake(void *ctx)
{
	struct device *d = ctx;

	ck_assert(worker_is_current(channel_worker(d->ch)));
	d->wakes++;
}

static void on_teardown(void *ctx, const struct gpadl *gpadl)
{
	struct device *d = ctx;

	ck_assert_ptr_eq(gpadl, d->gpadl);
	d->teardowns++;
	if (!d->keep_gpadl)
		channel_gpadl_put(d->ch, gpadl);
}

static int on_close(void *ctx)
{
	struct device *d = ctx;

	ck_assert(!channel_is_open(d->ch));
	ck_assert_int_eq(channel_send(d->ch, NULL, 0), -ENOTCONN);
	ck_assert(!channel_has_room(d->ch, 8));
	ck_assert_ptr_null(channel_gpadl_get(d->ch, guest.gpadl));
	d->closes++;
	return d->close_ret;
}

static void on_released(void *ctx)
{
	((struct device *)ctx)->releases++;
}

static const struct channel_ops ops = {
	.open = on_open,
	.packet = on_packet,
	.batch_end = on_batch_end,
	.writable = on_writable,
	.wake = on_wake,
	.gpadl_teardown = on_teardown,
	.close = on_close,
	.released = on_released,
};

static struct channel_params params_of(unsigned int n)
{
	struct channel_params p = {
		.name = "test",
		.if_type = HV_KBD_GUID,
		.order = n,
	};

	p.if_instance.b[0] = (uint8_t)n;
	return p;
}

static void make_device(const struct channel_params *params)
{
	memset(&dev, 0, sizeof(dev));
	dev.ch = channel_new(bus, params, &ops, &dev);
	ck_assert_int_eq(channel_offer(dev.ch), 0);
}

static void dev_setup(void)
{
	struct channel_params p = params_of(1);

	bus_setup();
	make_device(&p);
}

static void dev_teardown(void)
{
	channel_free(dev.ch);
	guest_drop_rings(&guest);
	bus_teardown();
}

static void start_version(uint32_t version)
{
	guest_connect(version);
	guest_request_offers(&offer, 1);
	guest_open(&guest, &offer);
}

static void start(void)
{
	start_version(VERSION_WIN10_V5_3);
}

static struct channel_stats stats(void)
{
	struct channel_stats s;

	channel_get_stats(dev.ch, &s);
	return s;
}

/* Run @fn on the worker. */
static void on_worker(void (*fn)(void *ctx), void *ctx)
{
	worker_call(channel_worker(dev.ch), fn, ctx);
}

static void nothing(void *ctx)
{
	(void)ctx;
}

/* Whatever was queued has run. */
static void settle(void)
{
	for (unsigned int i = 0; i < 10; i++)
		on_worker(nothing, NULL);
}

/* The guest sends @id and gets its answer. */
static void ping(uint64_t id)
{
	uint64_t data = id * 3;

	guest_put(&guest, id, &data, sizeof(data));
	ck_assert_uint_eq(guest_get(&guest, buffer, sizeof(buffer)), 24);
	ck_assert_uint_eq(buffer[1], id);
	ck_assert_uint_eq(buffer[2], data);
}

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
	ck_assert_uint_eq(stats().signals_out, 3);
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
		sched_yield();
	channel_free(dev.ch);
	ck_assert_uint_eq(dev.opens, dev.closes);
	dev.ch = NULL;
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

/* --- signals ----------------------------------------------------------------------- */

START_TEST(no_signal_while_the_host_works)
{
	uint64_t before;

	start();
	dev.on_packet = DO_NOTHING;
	settle();
	before = stats().signals_in;
	/* It sleeps: the first packet needs one, and only that. */
	guest_put(&guest, 0, "x", 1);
	ck_assert_uint_eq(stats().signals_in, before + 1);
	wait_until(dev.packets == 1);
	settle();
	ck_assert_uint_eq(ring_load(RING_WORD(&guest.ring.tx, interrupt_mask)),
			  0);
	ck_assert_uint_ge(dev.batches, 1);
}
END_TEST

START_TEST(one_interrupt_for_a_batch)
{
	uint64_t before;

	start();
	settle();
	/* The guest polls: it has masked its interrupt, then has not. */
	ring_store(RING_WORD(&guest.ring.rx, interrupt_mask), 1);
	ping(1);
	ck_assert_uint_eq(stats().signals_out, 0);
	ring_store(RING_WORD(&guest.ring.rx, interrupt_mask), 0);
	before = stats().signals_out;
	ping(2);
	wait_until(stats().signals_out == before + 1);
	wait_until(guest_interrupted(&guest, BUS_CHAN_VP));
}
END_TEST

START_TEST(interrupts_move_to_another_vp)
{
	struct vmbus_channel_modifychannel m = {.child_relid = 1,
						.target_vp = 3};

	start();
	ping(1);
	wait_until(guest_interrupted(&guest, BUS_CHAN_VP));
	guest_send(&m, CHANNELMSG_MODIFYCHANNEL);
	guest_expect(CHANNELMSG_MODIFYCHANNEL_RESPONSE, NULL, 0);
	ck_assert_uint_eq(stats().target_vp, 3);
	ping(2);
	wait_until(guest_interrupted(&guest, 3));
	ck_assert(!guest_interrupted(&guest, BUS_CHAN_VP));
}
END_TEST

START_TEST(move_tells_the_new_vp_what_waits)
{
	struct vmbus_channel_modifychannel m = {.child_relid = 1,
						.target_vp = 3};

	start();
	guest_put(&guest, 1, "x", 1);
	wait_until(guest_interrupted(&guest, BUS_CHAN_VP));
	guest_send(&m, CHANNELMSG_MODIFYCHANNEL);
	guest_expect(CHANNELMSG_MODIFYCHANNEL_RESPONSE, NULL, 0);
	ck_assert(guest_interrupted(&guest, 3));
}
END_TEST

START_TEST(old_guests_have_a_page_of_interrupts)
{
	uint8_t *page;

	start_version(VERSION_WIN7);
	ping(1);
	page = gmem_load(mem, 5 * PAGE, PAGE);
	wait_until(guest_event_take(events(0), 2, 0));
	ck_assert_uint_eq(__atomic_load_n(&page[0], __ATOMIC_SEQ_CST), 2);
	ck_assert(!guest_interrupted(&guest, BUS_CHAN_VP));
}
END_TEST

START_TEST(guest_that_wants_no_interrupts)
{
	struct vmbus_channel_open_channel m = {
		.child_relid = 1,
		.ringbuffer_gpadlhandle = BUS_GPADL,
		.target_vp = VMBUS_NO_INTERRUPTS,
		.downstream_ringbuffer_pageoffset = BUS_DOWNSTREAM,
	};

	guest_connect(VERSION_WIN10);
	guest_request_offers(&offer, 1);
	guest = (struct guest_channel){.relid = 1,
				       .connection_id = offer.connection_id};
	guest_make_rings(&guest, BUS_RING_PFN);
	guest_share(1, BUS_GPADL, BUS_RING_PFN, BUS_RING_PAGES);
	guest_send(&m, CHANNELMSG_OPENCHANNEL);
	guest_expect(CHANNELMSG_OPENCHANNEL_RESULT, NULL, 0);
	ping(1);
	ck_assert_uint_eq(stats().signals_out, 0);
	for (uint32_t vp = 0; vp < FAKE_VPS; vp++)
		ck_assert(!guest_interrupted(&guest, vp));
}
END_TEST

START_TEST(polling_instead_of_signals)
{
	struct channel_params p = params_of(1);

	channel_free(dev.ch);
	p.poll_ns = 3600 * NSEC_PER_SEC;
	make_device(&p);
	guest_connect(VERSION_WIN10);
	guest_request_offers(&offer, 1);
	guest_open(&guest, &offer);
	for (unsigned int i = 1; i < 100; i++)
		ping(i);
	ck_assert_uint_eq(stats().signals_in, 0);
	ck_assert_uint_eq(ring_load(RING_WORD(&guest.ring.tx, interrupt_mask)),
			  1);
}
END_TEST

/* --- back pressure ------------------------------------------------------------------ */

#define FLOOD 500u

START_TEST(a_full_ring_to_the_guest_holds_its_packets_back)
{
	unsigned int sent = 0;

	start();
	/* The guest takes nothing: in the end it can send nothing either. */
	do
		settle();
	while (guest_try_put(&guest, ++sent, buffer, 200) ||
	       stats().stalled == 0);
	ck_assert_uint_ge(stats().blocked, 1);
	ck_assert_uint_ne(ring_load(RING_WORD(&guest.ring.rx, pending_send_sz)),
			  0);
	/* All that it could send is answered, in order. */
	for (uint64_t id = 1; id < sent; id++) {
		guest_get(&guest, buffer, sizeof(buffer));
		ck_assert_uint_eq(buffer[1], id);
	}
	wait_until(dev.writables);
	ck_assert_uint_eq(ring_load(RING_WORD(&guest.ring.rx, pending_send_sz)),
			  0);
	ping(sent);
}
END_TEST

START_TEST(guests_that_signal_no_room)
{
	unsigned int sent = 0;

	start();
	ring_store(RING_WORD(&guest.ring.rx, feature_bits), 0);
	do
		settle();
	while (guest_try_put(&guest, ++sent, buffer, 200) ||
	       stats().stalled == 0);
	for (uint64_t id = 1; id < sent; id++) {
		wait_until(
			ring_peer_receive(&guest.ring, buffer, sizeof(buffer)));
		ck_assert_uint_eq(buffer[1], id);
	}
	wait_until(dev.writables);
}
END_TEST

static void resume(void *ctx)
{
	channel_resume(ctx);
}

START_TEST(a_packet_that_is_deferred_comes_again)
{
	start();
	dev.on_packet = DO_DEFER;
	guest_put(&guest, 7, "x", 1);
	guest_put(&guest, 8, "x", 1);
	wait_until(dev.packets == 1);
	settle();
	ck_assert_uint_eq(dev.packets, 1);
	on_worker(resume, dev.ch);
	wait_until(dev.packets == 2);
	dev.on_packet = DO_COMPLETE;
	on_worker(resume, dev.ch);
	for (uint64_t id = 7; id <= 8; id++) {
		guest_get(&guest, buffer, sizeof(buffer));
		ck_assert_uint_eq(buffer[1], id);
	}
	on_worker(resume, dev.ch);
	ck_assert_uint_eq(stats().packets_in, 2);
	ck_assert_uint_eq(stats().stalled, 2);
}
END_TEST

static void send_a_lot(void *ctx)
{
	struct device *d = ctx;

	while (!channel_send(d->ch, buffer, 500))
		;
	ck_assert_int_eq(channel_send(d->ch, buffer, 500), -EAGAIN);
	ck_assert(!channel_has_room(d->ch, 500));
}

START_TEST(writable_is_called_once_there_is_room)
{
	unsigned int n = 0;

	start();
	on_worker(send_a_lot, &dev);
	settle();
	ck_assert_uint_eq(dev.writables, 0);
	wait_until(guest_interrupted(&guest, BUS_CHAN_VP));
	/* The guest is told of all of it without a callback's end. */
	while (ring_peer_receive(&guest.ring, buffer, sizeof(buffer)))
		n++;
	ck_assert_uint_eq(n, 3 * 4096 / 528);
	guest_ring_bell(&guest);
	wait_until(dev.writables == 1);
	settle();
	ck_assert_uint_eq(dev.writables, 1);
}
END_TEST

static void send_odd(void *ctx)
{
	struct device *d = ctx;
	const struct vmtransfer_page_range ranges[2] = {{1, 2}, {3, 4}};

	ck_assert_int_eq(channel_send(d->ch, buffer, 4096 - 16 + 1), -EMSGSIZE);
	ck_assert_int_eq(channel_send(d->ch, buffer, ~0u), -EMSGSIZE);
	ck_assert(!channel_has_room(d->ch, ~0u));
	ck_assert(channel_has_room(d->ch, 8));
	ck_assert_int_eq(channel_request(d->ch, 55, "abc", 3), 0);
	ck_assert_int_eq(channel_send_pipe(d->ch, "abc", 3), 0);
	ck_assert_int_eq(channel_send_packet(
				 d->ch,
				 &(struct packet_out){
					 .type = VM_PKT_DATA_USING_XFER_PAGES,
					 .trans_id = 66,
					 .xfer_pageset_id = 0xBEEF,
					 .n_xfer = 2,
					 .xfer = ranges,
					 .data = {"abc"},
					 .bytes = {3}}),
			 0);
}

START_TEST(all_kinds_of_packets_to_the_guest)
{
	struct packet p;
	const void *data;
	uint32_t n;

	start();
	on_worker(send_odd, &dev);
	n = guest_get(&guest, buffer, sizeof(buffer));
	ck_assert_int_eq(packet_parse(buffer, n, &p), 0);
	ck_assert(p.wants_completion);
	ck_assert_uint_eq(p.trans_id, 55);
	n = guest_get(&guest, buffer, sizeof(buffer));
	ck_assert_int_eq(packet_parse(buffer, n, &p), 0);
	ck_assert(!p.wants_completion);
	ck_assert_uint_eq(p.trans_id, 0);
	ck_assert_int_eq(packet_pipe(&p, &data, &n), 0);
	ck_assert_uint_eq(n, 3);
	ck_assert_mem_eq(data, "abc", 3);
	n = guest_get(&guest, buffer, sizeof(buffer));
	ck_assert_int_eq(packet_parse(buffer, n, &p), 0);
	ck_assert_uint_eq(p.type, VM_PKT_DATA_USING_XFER_PAGES);
	ck_assert_uint_eq(p.xfer_pageset_id, 0xBEEF);
	ck_assert_uint_eq(p.n_xfer, 2);
}
END_TEST

/* --- a guest that breaks the protocol --------------------------------------------------- */

static void bad_write_index(void)
{
	ring_store(RING_WORD(&guest.ring.tx, write_index), 4);
}

static void bad_read_index(void)
{
	ring_store(RING_WORD(&guest.ring.rx, read_index), ~0u);
	/* It is looked at when the ring seems full. */
	for (unsigned int i = 0; i < FLOOD && !dev.closes; i++) {
		guest_try_put(&guest, 1, buffer, 400);
		sched_yield();
	}
}

static void bad_length(void)
{
	uint64_t zeros[4] = {0};

	ring_peer_send_raw(&guest.ring, zeros, sizeof(zeros));
}

static void bad_type(void)
{
	uint64_t synch[2] = {VM_PKT_SYNCH | 2 << 16 | 2ull << 32};

	ring_peer_send_raw(&guest.ring, synch, sizeof(synch));
}

static void bad_ranges(void)
{
	uint64_t direct[4] = {VM_PKT_DATA_USING_GPA_DIRECT | 4 << 16 |
			      4ull << 32};

	ring_peer_send_raw(&guest.ring, direct, sizeof(direct));
}

static void too_long(void)
{
	uint64_t packet[256] = {VM_PKT_DATA_INBAND | 2 << 16 | 256ull << 32};

	ring_peer_send_raw(&guest.ring, packet, sizeof(packet));
}

static void against_the_device(void)
{
	dev.on_packet = DO_REFUSE;
	guest_put(&guest, 1, "x", 1);
}

static void device_has_enough(void)
{
	dev.on_packet = DO_FAIL;
	guest_put(&guest, 1, "x", 1);
}

static void no_more_rings(void)
{
	guest_teardown(guest.relid, guest.gpadl);
}

static void (*const crimes[])(void) = {
	bad_write_index,    bad_read_index,    bad_length,
	bad_type,           bad_ranges,        too_long,
	against_the_device, device_has_enough, no_more_rings,
};

START_TEST(who_breaks_the_protocol_loses_the_channel)
{
	struct channel_params p = params_of(1);

	channel_free(dev.ch);
	p.max_in = 1024;
	make_device(&p);
	start();
	ping(1);
	crimes[_i]();
	guest_signal(&guest);
	wait_until(dev.closes);
	if (crimes[_i] == no_more_rings)
		guest_expect(CHANNELMSG_RESCIND_CHANNELOFFER, NULL, 0);
	/* The bus goes on. */
	if (crimes[_i] == no_more_rings)
		guest_expect(CHANNELMSG_GPADL_TORNDOWN, NULL, 0);
	else
		guest_expect(CHANNELMSG_RESCIND_CHANNELOFFER, NULL, 0);
	ck_assert_uint_eq(stats().failures, 1);
	ck_assert_uint_eq(guest_signal(&guest),
			  HV_STATUS_INVALID_CONNECTION_ID);
	guest_drop_rings(&guest);
	guest_send_relid(CHANNELMSG_RELID_RELEASED, 1);
	/* A new start, a little later. */
	guest_expect(CHANNELMSG_OFFERCHANNEL, &offer, sizeof(offer));
	ck_assert_uint_eq(dev.releases, 1);
	dev.on_packet = DO_COMPLETE;
	guest_open(&guest, &offer);
	ping(1);
	ck_assert_uint_eq(dev.closes, 1);
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

/* --- threads -------------------------------------------------------------------------------- */

START_TEST(wake_from_another_thread)
{
	for (unsigned int i = 0; i < 10; i++)
		channel_wake(dev.ch);
	wait_until(dev.wakes);
	start();
	dev.wakes = 0;
	channel_wake(dev.ch);
	wait_until(dev.wakes);
}
END_TEST

START_TEST(many_packets_both_ways)
{
	uint64_t sent = 0, received = 0;

	start();
	while (received < 20000) {
		if (sent < 20000 &&
		    guest_try_put(&guest, sent + 1, &sent, sizeof(sent)))
			sent++;
		else
			sched_yield();
		while (ring_peer_receive(&guest.ring, buffer, sizeof(buffer))) {
			ck_assert_uint_eq(buffer[1], ++received);
			ck_assert_uint_eq(buffer[2], received - 1);
		}
		guest_ring_bell(&guest);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/vmbus/channel");
	TCase *t = tcase_create("life");

	log_set_level("error");
	tcase_set_timeout(t, 30);
	tcase_add_checked_fixture(t, dev_setup, dev_teardown);
	tcase_add_loop_test(t, open_talk_close, 0, G_N_ELEMENTS(versions));
	tcase_add_test(t, open_is_refused);
	tcase_add_loop_test(t, rings_that_cannot_be, 0, 2);
	tcase_add_test(t, what_open_sends_is_there_when_it_is_open);
	tcase_add_test(t, close_takes_its_time);
	tcase_add_test(t, free_closes_what_is_open);
	tcase_add_loop_test(t, free_while_the_guest_opens_and_closes, 0, 20);
	tcase_add_test(t, reset_closes_what_is_open);
	tcase_add_test(t, rescind_and_offer_again);
	tcase_add_test(t, rings_go_back_when_the_guest_waits);
	tcase_add_test(t, rescind_takes_back_a_second_offer);
	tcase_add_test(t, an_instance_that_is_taken);
	tcase_add_test(t, sub_channels_have_threads_of_their_own);
	tcase_add_loop_test(t, a_gpadl_goes_when_the_device_is_done, 0, 2);
	tcase_add_test(t, what_is_not_put_goes_with_the_close);
	suite_add_tcase(s, t);
	t = tcase_create("packets");
	tcase_set_timeout(t, 30);
	tcase_add_checked_fixture(t, dev_setup, dev_teardown);
	tcase_add_test(t, no_signal_while_the_host_works);
	tcase_add_test(t, one_interrupt_for_a_batch);
	tcase_add_test(t, interrupts_move_to_another_vp);
	tcase_add_test(t, move_tells_the_new_vp_what_waits);
	tcase_add_test(t, old_guests_have_a_page_of_interrupts);
	tcase_add_test(t, guest_that_wants_no_interrupts);
	tcase_add_test(t, polling_instead_of_signals);
	tcase_add_test(t, a_full_ring_to_the_guest_holds_its_packets_back);
	tcase_add_test(t, guests_that_signal_no_room);
	tcase_add_test(t, a_packet_that_is_deferred_comes_again);
	tcase_add_test(t, writable_is_called_once_there_is_room);
	tcase_add_test(t, all_kinds_of_packets_to_the_guest);
	tcase_add_loop_test(t, who_breaks_the_protocol_loses_the_channel, 0,
			    G_N_ELEMENTS(crimes));
	tcase_add_test(t, wake_from_another_thread);
	tcase_add_test(t, many_packets_both_ways);
	suite_add_tcase(s, t);
	return check_main(s);
}
