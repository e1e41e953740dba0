/* SPDX-License-Identifier: MIT */
/*
 * bus_guest.h - VMbus as a device and its driver see it: a real synic, ports,
 * vmbus thread and workers on the host's side; on the guest's a scripted one,
 * by Linux' rules.  Waiting is yielding until something is so; Check's timeout
 * bounds it.
 *
 * For test files of one binary each: the state is static.
 */
#ifndef SUPPORT_BUS_GUEST_H
#define SUPPORT_BUS_GUEST_H

#include <stdatomic.h>

#include "proto/hv_hypercall.h"
#include "support/ring_peer.h"
#include "support/synic_bench.h"
#include "support/turns.h"
#include "synic/ports.h"
#include "vsp/vmbus/chanmsg.h"
#include "vsp/vmbus/channel.h"
#include "vsp/vmbus/server_thread.h"

/* Where the guest's driver has its rings: pages of RAM. */
#define BUS_RING_PFN 20u
#ifndef BUS_RING_PAGES
#define BUS_RING_PAGES 7u /* two of data to the host, three to the guest */
#define BUS_DOWNSTREAM 3u
#endif
#define BUS_GPADL   0xE1E10u
#define BUS_VP      1u /* of messages */
#define BUS_CHAN_VP 2u

static struct ports *ports;
static struct vmbus_thread *bus_thread;
static struct channel_bus *bus;
static unsigned int needless_max; /* of the bus; set before bus_setup() */
static uint32_t guest_vp = BUS_VP; /* where its messages come */
static const struct doorbell_ops *doorbell_ops; /* as needless_max */
/* Return: has the processor signalled by itself? */
static bool (*guest_doorbell)(uint32_t connection_id);

/* The guest's end of one channel. */
struct guest_channel {
	uint32_t relid, gpadl, connection_id;
	struct ring_map *map; /* its own mapping */
	struct gpadl *pages;
	struct ring_peer ring;
};

#define wait_until(condition) \
	do                    \
		give_way();   \
	while (!(condition))

static inline void bus_nothing(void *ctx)
{
	(void)ctx;
}

static inline void bus_connected(void *ctx, const struct vmbus_connection *c)
{
	(void)ctx;
	(void)c;
}

static const struct vmbus_events bus_events = {
	.connected = bus_connected,
	.offers_sent = bus_nothing,
	.disconnected = bus_nothing,
	.unloaded = bus_nothing,
};

static inline void bus_setup(void)
{
	setup();
	ports = ports_new();
	bus_thread = vmbus_thread_new(
		&(struct vmbus_thread_params){.max_version = VERSION_WIN10_V6_0,
					      .n_vps = FAKE_VPS,
					      .gpadl_bytes_max = 1 << 30,
					      .mem = mem,
					      .synic = synic,
					      .ports = ports,
					      .events = &bus_events},
		NULL);
	ck_assert_ptr_nonnull(bus_thread);
	bus = channel_bus_new(
		&(struct channel_bus_params){.thread = bus_thread,
					     .mem = mem,
					     .synic = synic,
					     .ports = ports,
					     .needless_max = needless_max,
					     .doorbell = doorbell_ops},
		NULL);
	ck_assert_ptr_nonnull(bus);
	for (uint32_t vp = 0; vp < FAKE_VPS; vp++)
		enable(vp);
	vmbus_thread_resume(bus_thread);
}

/* The test has freed its channels. */
static inline void bus_teardown(void)
{
	vmbus_thread_free(bus_thread);
	channel_bus_free(bus);
	ports_free(ports);
	teardown();
}

/* --- messages ---------------------------------------------------------------- */

static inline void guest_post(const void *msg, size_t size)
{
	struct hv_input_post_message in = {.connectionid =
						   VMBUS_MESSAGE_CONNECTION_ID,
					   .message_type = HVMSG_VMBUS,
					   .payload_size = (uint32_t)size};

	memcpy(in.payload, msg, size);
	while (ports_post_message(ports, BUS_VP, &in) != HV_STATUS_SUCCESS)
		give_way();
}

#define guest_send(msg, type)                      \
	do {                                       \
		(msg)->header.msgtype = (type);    \
		guest_post((msg), sizeof(*(msg))); \
	} while (0)

/* The next message, which is of @type. */
static inline void guest_expect(uint32_t type, void *out, size_t size)
{
	struct hv_message m;

	wait_until(guest_message_take(slot(guest_vp, 2), &m));
	/*
	 * What the host did before it sent that has happened; a race detector
	 * does not know that the slot is mapped twice.
	 */
	vmbus_thread_lock(bus_thread);
	vmbus_thread_unlock(bus_thread);
	if (guest_message_done(slot(guest_vp, 2)))
		wr(guest_vp, EOM, 0);
	ck_assert_uint_eq(chanmsg_peek(m.payload, m.header.payload_size), type);
	ck_assert_uint_ge(m.header.payload_size, size);
	if (out)
		memcpy(out, m.payload, size);
}

static inline bool guest_has_message(void)
{
	struct hv_message m;

	return guest_message_take(slot(guest_vp, 2), &m);
}

/* Connect with what page 5 has for interrupts, where there is one. */
static inline void guest_connect(uint32_t version)
{
	struct vmbus_channel_initiate_contact m = {.vmbus_version_requested =
							   version,
						   .target_vcpu = BUS_VP,
						   .monitor_page1 = 6 * PAGE,
						   .monitor_page2 = 7 * PAGE};
	struct vmbus_channel_version_response r;

	m.interrupt_page =
		version < VERSION_WIN10_V5 ? 5 * PAGE : VMBUS_MESSAGE_SINT;
	guest_send(&m, CHANNELMSG_INITIATE_CONTACT);
	/* Where older hosts tell it is not the guest's choice. */
	guest_vp = version < VERSION_WIN8_1 ? 0 : BUS_VP;
	guest_expect(CHANNELMSG_VERSION_RESPONSE, &r, sizeof(r));
	ck_assert_uint_eq(r.version_supported, 1);
}

/* Ask for offers, which are @n. */
static inline void
guest_request_offers(struct vmbus_channel_offer_channel *offers, unsigned int n)
{
	struct vmbus_channel_message_header m = {
		.msgtype = CHANNELMSG_REQUESTOFFERS};

	guest_post(&m, sizeof(m));
	for (unsigned int i = 0; i < n; i++)
		guest_expect(CHANNELMSG_OFFERCHANNEL, &offers[i],
			     sizeof(offers[i]));
	guest_expect(CHANNELMSG_ALLOFFERS_DELIVERED, NULL, 0);
}

/* --- a channel ------------------------------------------------------------------ */

/* Share @n pages from @pfn on. */
static inline void guest_share(uint32_t relid, uint32_t gpadl, uint64_t pfn,
			       uint32_t n)
{
	struct {
		struct vmbus_channel_gpadl_header h;
		struct gpa_range range;
		uint64_t pfns[26];
	} __attribute__((packed)) m = {
		.h = {.header.msgtype = CHANNELMSG_GPADL_HEADER,
		      .child_relid = relid,
		      .gpadl = gpadl,
		      .range_buflen = (uint16_t)(8 + 8 * n),
		      .rangecount = 1},
		.range = {.byte_count = n * PAGE},
	};
	struct {
		struct vmbus_channel_gpadl_body h;
		uint64_t pfns[28];
	} __attribute__((packed))
	body = {.h = {.header.msgtype = CHANNELMSG_GPADL_BODY, .gpadl = gpadl}};
	struct vmbus_channel_gpadl_created r;
	uint32_t at = MIN(n, 26);

	for (uint32_t i = 0; i < at; i++)
		m.pfns[i] = pfn + i;
	guest_post(&m, 28 + 8ul * at);
	while (at < n) {
		uint32_t more = MIN(n - at, 28);

		for (uint32_t i = 0; i < more; i++)
			body.pfns[i] = pfn + at + i;
		body.h.msgnumber++;
		guest_post(&body, sizeof(body.h) + 8ul * more);
		at += more;
	}
	guest_expect(CHANNELMSG_GPADL_CREATED, &r, sizeof(r));
	ck_assert_uint_eq(r.creation_status, 0);
}

/* Map the rings, the guest's way: zeroed. */
static inline void guest_make_rings(struct guest_channel *g, uint64_t pfn)
{
	uint64_t pfns[BUS_RING_PAGES];
	struct ring_out out;
	struct ring_in in;
	int err;

	memset(gmem_load(mem, pfn * PAGE, PAGE), 0, PAGE);
	memset(gmem_load(mem, (pfn + BUS_DOWNSTREAM) * PAGE, PAGE), 0, PAGE);
	for (uint32_t i = 0; i < BUS_RING_PAGES; i++)
		pfns[i] = pfn + i;
	g->pages = make_gpadl(pfns, BUS_RING_PAGES);
	ck_assert_int_eq(gpadl_check(g->pages, ring_bench_is_ram, mem), 0);
	g->map = ring_map_new(mem, g->pages, BUS_DOWNSTREAM, &err);
	ck_assert_ptr_nonnull(g->map);
	ck_assert_int_eq(ring_map_init(g->map, &in, &out), 0);
	g->ring = (struct ring_peer){
		.tx = {.header = (void *)in.shared,
		       .data = (uint8_t *)in.shared + PAGE,
		       .size = in.size},
		.rx = {.header = (void *)out.shared,
		       .data = out.data,
		       .size = out.size},
	};
	ring_store(RING_WORD(&g->ring.tx, interrupt_mask), 0);
	ring_store(RING_WORD(&g->ring.tx, feature_bits), 1);
}

static inline void guest_drop_rings(struct guest_channel *g)
{
	ring_map_free(g->map);
	gpadl_free(g->pages);
	g->map = NULL;
	g->pages = NULL;
}

/* Share and open; Return: the status that the host gives. */
static inline uint32_t
guest_try_open(struct guest_channel *g,
	       const struct vmbus_channel_offer_channel *offer)
{
	struct vmbus_channel_open_channel m = {
		.child_relid = offer->child_relid,
		.openid = offer->child_relid,
		.ringbuffer_gpadlhandle = BUS_GPADL + offer->child_relid,
		.target_vp = BUS_CHAN_VP,
		.downstream_ringbuffer_pageoffset = BUS_DOWNSTREAM,
		.userdata = "hello",
	};
	uint64_t pfn = BUS_RING_PFN + BUS_RING_PAGES * (offer->child_relid - 1);
	struct vmbus_channel_open_result r;

	*g = (struct guest_channel){.relid = offer->child_relid,
				    .gpadl = m.ringbuffer_gpadlhandle,
				    .connection_id = offer->connection_id};
	guest_make_rings(g, pfn);
	guest_share(g->relid, g->gpadl, pfn, BUS_RING_PAGES);
	guest_send(&m, CHANNELMSG_OPENCHANNEL);
	guest_expect(CHANNELMSG_OPENCHANNEL_RESULT, &r, sizeof(r));
	ck_assert_uint_eq(r.child_relid, g->relid);
	return r.status;
}

static inline void guest_open(struct guest_channel *g,
			      const struct vmbus_channel_offer_channel *offer)
{
	ck_assert_uint_eq(guest_try_open(g, offer), 0);
}

static inline void guest_send_relid(uint32_t type, uint32_t relid)
{
	struct vmbus_channel_close_channel m = {.child_relid = relid};

	guest_send(&m, type);
}

static inline void guest_teardown(uint32_t relid, uint32_t gpadl)
{
	struct vmbus_channel_gpadl_teardown m = {.child_relid = relid,
						 .gpadl = gpadl};

	guest_send(&m, CHANNELMSG_GPADL_TEARDOWN);
}

/* Close, and take the rings back. */
static inline void guest_close(struct guest_channel *g)
{
	struct vmbus_channel_gpadl_torndown r;

	guest_send_relid(CHANNELMSG_CLOSECHANNEL, g->relid);
	guest_drop_rings(g);
	guest_teardown(g->relid, g->gpadl);
	guest_expect(CHANNELMSG_GPADL_TORNDOWN, &r, sizeof(r));
	ck_assert_uint_eq(r.gpadl, g->gpadl);
}

/* --- rings ----------------------------------------------------------------------- */

static inline hv_status_t guest_signal(const struct guest_channel *g)
{
	if (guest_doorbell && guest_doorbell(g->connection_id))
		return HV_STATUS_SUCCESS;
	return ports_signal_event(ports, BUS_CHAN_VP, g->connection_id, 0);
}

/* Signal if the rules say so. */
static inline void guest_ring_bell(struct guest_channel *g)
{
	if (ring_peer_signals(&g->ring))
		ck_assert_uint_eq(guest_signal(g), HV_STATUS_SUCCESS);
}

static inline bool guest_try_put(struct guest_channel *g, uint64_t id,
				 const void *data, uint32_t bytes)
{
	bool sent = ring_peer_send(&g->ring, VM_PKT_DATA_INBAND, id != 0, id,
				   data, bytes);

	guest_ring_bell(g);
	return sent;
}

static inline void guest_put(struct guest_channel *g, uint64_t id,
			     const void *data, uint32_t bytes)
{
	wait_until(guest_try_put(g, id, data, bytes));
}

/* Wait for a packet. Return: its bytes; @out is aligned to 8. */
static inline uint32_t guest_get(struct guest_channel *g, void *out,
				 uint32_t max)
{
	uint32_t n;

	wait_until((n = ring_peer_receive(&g->ring, out, max)));
	guest_ring_bell(g);
	return n;
}

/* Was the guest interrupted for the channel at @vp since the last time? */
static inline bool guest_interrupted(const struct guest_channel *g, uint32_t vp)
{
	return guest_event_take(events(vp), 2, g->relid);
}

#endif
