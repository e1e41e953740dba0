/* SPDX-License-Identifier: MIT */
/*
 * channel_bench.h - a small device, which does what a test tells it, and a
 * scripted guest for it.
 *
 * For test files of one binary each: the state is static.
 */
#ifndef SUPPORT_CHANNEL_BENCH_H
#define SUPPORT_CHANNEL_BENCH_H

#include <errno.h>

#include "base/clock.h"
#include "base/log.h"
#include "support/bus_guest.h"
#include "vsp/vmbus/channel.h"
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
	uint32_t open_gpadl; /* what open() gets, not 0 */
	bool open_fills; /* open() sends until there is no room */
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

static inline int on_open(void *ctx, const struct channel_open *open)
{
	static const uint8_t zeros[4096];
	struct device *d = ctx;

	ck_assert(worker_is_current(channel_worker(d->ch)));
	memcpy(d->userdata, open->userdata, sizeof(d->userdata));
	d->version = open->version;
	if (d->greeting)
		ck_assert_int_eq(channel_send(d->ch, zeros, d->greeting), 0);
	while (d->open_fills && !channel_send(d->ch, zeros, 1000))
		;
	if (d->open_gpadl)
		d->gpadl = channel_gpadl_get(d->ch, d->open_gpadl);
	d->opens++;
	return d->open_ret;
}

static inline int on_packet(void *ctx, const struct packet *packet)
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

static inline void on_batch_end(void *ctx)
{
	((struct device *)ctx)->batches++;
}

static inline void on_writable(void *ctx)
{
	((struct device *)ctx)->writables++;
}

static inline void on_wake(void *ctx)
{
	struct device *d = ctx;

	ck_assert(worker_is_current(channel_worker(d->ch)));
	d->wakes++;
}

static inline void on_teardown(void *ctx, const struct gpadl *gpadl)
{
	struct device *d = ctx;

	ck_assert_ptr_eq(gpadl, d->gpadl);
	d->teardowns++;
	if (!d->keep_gpadl)
		channel_gpadl_put(d->ch, gpadl);
}

static inline int on_close(void *ctx)
{
	struct device *d = ctx;

	ck_assert(!channel_is_open(d->ch));
	ck_assert_int_eq(channel_send(d->ch, NULL, 0), -ENOTCONN);
	ck_assert(!channel_has_room(d->ch, 8));
	ck_assert_ptr_null(channel_gpadl_get(d->ch, guest.gpadl));
	d->closes++;
	return d->close_ret;
}

static inline void on_released(void *ctx)
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

static inline struct channel_params params_of(unsigned int n)
{
	struct channel_params p = {
		.name = "test",
		.if_type = HV_KBD_GUID,
		.order = n,
	};

	p.if_instance.b[0] = (uint8_t)n;
	return p;
}

static inline void make_device(const struct channel_params *params)
{
	memset(&dev, 0, sizeof(dev));
	dev.ch = channel_new(bus, params, &ops, &dev);
	ck_assert_int_eq(channel_offer(dev.ch), 0);
}

static inline void dev_setup(void)
{
	struct channel_params p = params_of(1);

	bus_setup();
	make_device(&p);
}

static inline void dev_teardown(void)
{
	channel_free(dev.ch);
	guest_drop_rings(&guest);
	bus_teardown();
}

static inline void start_version(uint32_t version)
{
	guest_connect(version);
	guest_request_offers(&offer, 1);
	guest_open(&guest, &offer);
}

static inline void start(void)
{
	start_version(VERSION_WIN10_V5_3);
}

static inline struct channel_stats stats(void)
{
	struct channel_stats s;

	channel_get_stats(dev.ch, &s);
	return s;
}

/* Run @fn on the worker. */
static inline void on_worker(void (*fn)(void *ctx), void *ctx)
{
	worker_call(channel_worker(dev.ch), fn, ctx);
}

static inline void nothing(void *ctx)
{
	(void)ctx;
}

/* Whatever was queued has run. */
static inline void settle(void)
{
	for (unsigned int i = 0; i < 10; i++)
		on_worker(nothing, NULL);
}

/* The guest sends @id and gets its answer. */
static inline void ping(uint64_t id)
{
	uint64_t data = id * 3;

	guest_put(&guest, id, &data, sizeof(data));
	ck_assert_uint_eq(guest_get(&guest, buffer, sizeof(buffer)), 24);
	ck_assert_uint_eq(buffer[1], id);
	ck_assert_uint_eq(buffer[2], data);
}

/* --- a guest that signals for nothing ----------------------------------------- */

/* In a second, where needless_max is that. */
#define SIGNALS_MAX 5u

static inline void signal_for_nothing(unsigned int n)
{
	uint64_t before = stats().signals_needless;

	for (unsigned int i = 1; i <= n; i++) {
		guest_signal(&guest);
		wait_until(stats().signals_needless == before + i);
	}
}

/* One that signals too often is heard later. */
static inline void check_throttle(void)
{
	start();
	settle();
	signal_for_nothing(SIGNALS_MAX);
	ck_assert_uint_eq(stats().throttled, 0);
	signal_for_nothing(1);
	wait_until(stats().throttled == 1);
	/* They count, each of them. */
	for (unsigned int i = 0; i < 1000; i++)
		guest_signal(&guest);
	wait_until(stats().signals_needless == SIGNALS_MAX + 1 + 1000);
	ck_assert_uint_ge(stats().throttled, 1);
	ck_assert_uint_lt(stats().throttled, 1000);
	/* Nothing is lost. */
	for (unsigned int i = 1; i <= 10; i++)
		ping(i);
}

/* What was held back ends with the channel. */
static inline void check_end_of_throttle(void)
{
	start();
	settle();
	signal_for_nothing(SIGNALS_MAX + 1);
	wait_until(stats().throttled == 1);
	guest_close(&guest);
	guest_open(&guest, &offer);
	ping(1);
	ping(2);
}

#endif
