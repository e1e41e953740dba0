/* SPDX-License-Identifier: MIT */
/*
 * input_bench.h - a keyboard or a mouse, and a guest whose driver has opened
 * its channel.
 *
 * For test files of one binary each: the state is static.
 */
#ifndef SUPPORT_INPUT_BENCH_H
#define SUPPORT_INPUT_BENCH_H

#include "base/log.h"
#include "support/bus_guest.h"
#include "vsp/vsp.h"

static _Atomic unsigned int readies;
static struct vmbus_channel_offer_channel offer;
static struct guest_channel guest;
static uint64_t buffer[512];

static inline void input_on_ready(void *ctx)
{
	ck_assert_ptr_eq(ctx, &readies);
	readies++;
}

/* What the device under test is made with; with a bus. */
static inline struct vsp_params input_begin(const char *name)
{
	bus_setup();
	readies = 0;
	return (struct vsp_params){.bus = bus,
				   .name = name,
				   .instance.b[0] = 1,
				   .ready = input_on_ready,
				   .ctx = &readies};
}

/* The guest opens the one that there is. */
static inline void input_open(void)
{
	guest_connect(VERSION_WIN10);
	guest_request_offers(&offer, 1);
	guest_open(&guest, &offer);
}

static inline void input_end(const struct vsp_ops *ops, void *device)
{
	ops->free(device);
	guest_drop_rings(&guest);
	bus_teardown();
}

/* The next packet of the host's: in-band, and nobody waits for an answer. */
static inline const struct packet *input_packet(void)
{
	static struct packet p;
	uint32_t n = guest_get(&guest, buffer, sizeof(buffer));

	ck_assert_int_eq(packet_parse(buffer, n, &p), 0);
	ck_assert_uint_eq(p.type, VM_PKT_DATA_INBAND);
	ck_assert(!p.wants_completion);
	return &p;
}

/* For vsp_ops.facts: "key=value " to a GString. */
static inline void input_on_number(void *ctx, const char *key, uint64_t value)
{
	g_string_append_printf(ctx, "%s=%u ", key, (unsigned int)value);
}

#endif
