/* SPDX-License-Identifier: MIT */
/*
 * stor_guest.h - the guest's storage driver, scripted: what it sends to a
 * controller and how it reads answers.  On bus_guest.h.
 */
#ifndef SUPPORT_STOR_GUEST_H
#define SUPPORT_STOR_GUEST_H

#ifndef BUS_RING_PAGES
#define BUS_RING_PAGES 7u
#define BUS_DOWNSTREAM 3u
#endif
#ifndef RAM_BYTES
#define RAM_BYTES (1024 * PAGE)
#endif

#include "support/bus_guest.h"

#include "proto/scsi.h"
#include "proto/storvsp.h"
#include "vsp/storvsp/storvsp.h"
#include "vsp/vsp.h"

/* Where the guest's data is. */
#define STOR_DATA_PFN 256u

#define STOR_CHANNELS 4u

static struct storvsp *stor;
static struct guest_channel stor_guest[STOR_CHANNELS];
static _Atomic unsigned int stor_ready, stor_io;

static inline void stor_on_ready(void *ctx)
{
	(void)ctx;
	stor_ready++;
}

static inline void stor_on_io(void *ctx)
{
	(void)ctx;
	stor_io++;
}

/* As of struct channel_params. */
static uint64_t stor_poll_ns, stor_poll_max_ns;
static uint16_t stor_monitor_100ns;

/* A controller for a host of that VMbus version. */
static inline void stor_make(uint32_t host_version, bool ide,
			     unsigned int max_sub_channels)
{
	struct storvsp_params p = {
		.vsp = {.bus = bus,
			.name = ide ? "ide0" : "scsi0",
			.instance = storvsp_ide_instance(0, 1),
			.host_version = host_version,
			.ready = stor_on_ready},
		.ide = ide,
		.max_sub_channels = max_sub_channels,
		.poll_ns = stor_poll_ns,
		.poll_max_ns = stor_poll_max_ns,
		.monitor_latency_100ns = stor_monitor_100ns,
		.io = stor_on_io,
	};

	stor_ready = 0;
	stor_io = 0;
	stor = storvsp_new(&p, NULL);
	ck_assert_ptr_nonnull(stor);
}

/* Connect, and open the primary channel. */
static inline void stor_open(void)
{
	struct vmbus_channel_offer_channel offer;

	guest_connect(VERSION_WIN10);
	guest_request_offers(&offer, 1);
	guest_open(&stor_guest[0], &offer);
}

/* --- packets ---------------------------------------------------------------------- */

/* Wait for a completion with @id.  Return: its payload's bytes. */
static inline uint32_t stor_get_on(struct guest_channel *g, uint64_t id,
				   struct vstor_packet *out)
{
	static uint64_t copy[4096];
	uint32_t n = guest_get(g, copy, sizeof(copy));
	struct packet p;

	ck_assert_int_eq(packet_parse(copy, n, &p), 0);
	ck_assert_uint_eq(p.trans_id, id);
	ck_assert_uint_eq(p.type, id ? VM_PKT_COMP : VM_PKT_DATA_INBAND);
	ck_assert_uint_le(p.bytes, sizeof(*out));
	memset(out, 0, sizeof(*out));
	memcpy(out, p.data, p.bytes);
	return p.bytes;
}

/* Send @p with @bytes, take the answer.  Return: its NTSTATUS. */
static inline uint32_t stor_ask(struct vstor_packet *p, uint32_t bytes)
{
	uint64_t id = 0xABC0 + p->operation;

	p->flags = 1;
	guest_put(&stor_guest[0], id, p, bytes);
	ck_assert_uint_eq(stor_get_on(&stor_guest[0], id, p), bytes);
	ck_assert_uint_eq(p->operation, VSTOR_OPERATION_COMPLETE_IO);
	return p->status;
}

/* One without content. */
static inline uint32_t stor_say(uint32_t operation)
{
	struct vstor_packet p = {.operation = operation};

	return stor_ask(&p, sizeof(p));
}

static inline uint32_t stor_say_version(uint16_t version, uint32_t bytes)
{
	struct vstor_packet p = {.operation =
					 VSTOR_OPERATION_QUERY_PROTOCOL_VERSION,
				 .version.major_minor = version};

	return stor_ask(&p, bytes);
}

static inline uint32_t stor_say_sub_channels(uint16_t n)
{
	struct vstor_packet p = {.operation =
					 VSTOR_OPERATION_CREATE_SUB_CHANNELS,
				 .sub_channel_count = n};

	return stor_ask(&p, sizeof(p));
}

static inline void stor_initialize(uint16_t version)
{
	ck_assert_uint_eq(stor_say(VSTOR_OPERATION_BEGIN_INITIALIZATION), 0);
	ck_assert_uint_eq(stor_say_version(version, 64), 0);
	ck_assert_uint_eq(stor_say(VSTOR_OPERATION_QUERY_PROPERTIES), 0);
	ck_assert_uint_eq(stor_say(VSTOR_OPERATION_END_INITIALIZATION), 0);
}

/* Ask for @n sub-channels, and open them. */
static inline void stor_open_sub_channels(uint16_t n)
{
	struct vmbus_channel_offer_channel offers[STOR_CHANNELS];

	ck_assert_uint_eq(stor_say_sub_channels(n), 0);
	for (uint16_t i = 1; i <= n; i++) {
		guest_expect(CHANNELMSG_OFFERCHANNEL, &offers[i],
			     sizeof(offers[i]));
		ck_assert_uint_eq(offers[i].offer.sub_channel_index, i);
	}
	for (uint16_t i = 1; i <= n; i++)
		guest_open(&stor_guest[i], &offers[i]);
}

/* --- commands ---------------------------------------------------------------------- */

static inline struct vstor_packet stor_srb(uint8_t lun, uint8_t opcode,
					   uint8_t data_in, uint32_t bytes)
{
	return (struct vstor_packet){
		.operation = VSTOR_OPERATION_EXECUTE_SRB,
		.flags = 1,
		.vm_srb = {.length = sizeof(struct vmscsi_request),
			   .lun = lun,
			   .cdb_length = 10,
			   .sense_info_length = STORVSC_SENSE_BUFFER_SIZE,
			   .data_in = data_in,
			   .data_transfer_length = bytes,
			   .cdb = {opcode}},
	};
}

/*
 * Put a command whose data is @data_bytes from @offset into page
 * STOR_DATA_PFN on; pages in order.  Return: was there room?
 */
static inline bool stor_put_on(struct guest_channel *g, uint64_t id,
			       const struct vstor_packet *p, uint32_t bytes,
			       uint32_t data_bytes, uint32_t offset)
{
	static uint64_t words[600];
	uint32_t n = (offset + data_bytes + PAGE - 1) / PAGE, header = 4 + n;
	bool sent;

	if (!data_bytes)
		return guest_try_put(g, id, p, bytes);
	words[0] = VM_PKT_DATA_USING_GPA_DIRECT | (uint64_t)header << 16 |
		   (uint64_t)(header + bytes / 8) << 32 | 1ull << 48;
	words[1] = id;
	words[2] = 1ull << 32;
	words[3] = (uint64_t)offset << 32 | data_bytes;
	for (uint32_t i = 0; i < n; i++)
		words[4 + i] = STOR_DATA_PFN + i;
	memcpy(words + header, p, bytes);
	sent = ring_peer_send_raw(&g->ring, words, 8 * header + bytes);
	guest_ring_bell(g);
	return sent;
}

static inline void stor_put(uint64_t id, const struct vstor_packet *p,
			    uint32_t data_bytes)
{
	wait_until(
		stor_put_on(&stor_guest[0], id, p, sizeof(*p), data_bytes, 0));
}

/* A command from put to get, on the primary. */
static inline struct vstor_packet stor_do(uint8_t lun, uint8_t opcode,
					  uint8_t data_in, uint32_t bytes)
{
	struct vstor_packet p = stor_srb(lun, opcode, data_in, bytes);

	stor_put(77, &p, bytes);
	ck_assert_uint_eq(stor_get_on(&stor_guest[0], 77, &p), sizeof(p));
	ck_assert_uint_eq(p.operation, VSTOR_OPERATION_COMPLETE_IO);
	return p;
}

#endif
