/* SPDX-License-Identifier: MIT */
/*
 * balloon_guest.h - the guest's dynamic memory driver, scripted: what it
 * answers as Linux does.  On bus_guest.h.
 */
#ifndef SUPPORT_BALLOON_GUEST_H
#define SUPPORT_BALLOON_GUEST_H

#define RAM_BYTES   (320u << 20)
/* Three memory blocks as Linux has them, and a half */
#define SPARE_BYTES (448u << 20)

#include "vsp/balloon.h"

#include "base/log.h"
#include "proto/dynmem.h"
#include "support/bus_guest.h"
#include "vsp/vsp.h"

#define MIB       (1ull << 20)
#define UNIT      512u /* pages */
#define STEP      (32 * UNIT) /* of one request */
/* Where the guest takes pages from, 2 MiB aligned. */
#define FIRST_PFN 0x1000u
#define N_PAGES   (RAM_BYTES / PAGE)
#define BLOCK     (128 * MIB)

static struct balloon *balloon;
static _Atomic unsigned int readies;
static struct vmbus_channel_offer_channel offer;
static struct guest_channel guest;
static uint64_t buffer[1024];
static bool pages[N_PAGES]; /* what the host has */

static inline void on_ready(void *ctx)
{
	ck_assert_ptr_eq(ctx, &readies);
	readies++;
}

static inline void start(uint32_t host_version)
{
	struct vsp_params p = {.name = "balloon",
			       .instance.b[0] = 1,
			       .host_version = host_version,
			       .ready = on_ready,
			       .ctx = &readies};

	bus_setup();
	readies = 0;
	p.bus = bus;
	balloon = balloon_new(&p);
	ck_assert_ptr_nonnull(balloon);
	/* A second one has no place. */
	ck_assert_ptr_null(balloon_new(&p));
	guest_connect(host_version);
	guest_request_offers(&offer, 1);
	guest_open(&guest, &offer);
}

static inline void balloon_setup(void)
{
	start(VERSION_WIN10);
}

static inline void balloon_teardown(void)
{
	balloon_ops.free(balloon);
	balloon_free(NULL);
	guest_drop_rings(&guest);
	bus_teardown();
}

static inline struct balloon_status status(void)
{
	struct balloon_status s;

	balloon_get_status(balloon, &s);
	return s;
}

/* --- a driver, as Linux has it ------------------------------------------------- */

/* The next message. Return: its size; what it says is in *@hdr. */
static inline const void *next_message(struct dm_header *hdr)
{
	static struct packet p;
	uint32_t n = guest_get(&guest, buffer, sizeof(buffer));

	ck_assert_int_eq(packet_parse(buffer, n, &p), 0);
	ck_assert_uint_eq(p.type, VM_PKT_DATA_INBAND);
	ck_assert(!p.wants_completion);
	ck_assert_uint_le(n, 4096);
	memcpy(hdr, p.data, sizeof(*hdr));
	ck_assert_uint_eq((hdr->size + 7u) / 8 * 8, p.bytes);
	return p.data;
}

static inline const void *expect(uint16_t type, uint16_t size)
{
	struct dm_header hdr;
	const void *data = next_message(&hdr);

	ck_assert_uint_eq(hdr.type, type);
	ck_assert_uint_eq(hdr.size, size);
	return data;
}

static inline void send_raw(const void *m, uint32_t bytes)
{
	guest_put(&guest, 0, m, bytes);
}

#define send_message(m, what)                 \
	do {                                  \
		(m)->hdr.type = (what);       \
		(m)->hdr.size = sizeof(*(m)); \
		send_raw((m), sizeof(*(m)));  \
	} while (0)

static inline bool is_version(uint32_t version)
{
	struct dm_version_request m = {.hdr.trans_id = 77, .version = version};
	struct dm_version_response r;

	send_message(&m, DM_VERSION_REQUEST);
	memcpy(&r, expect(DM_VERSION_RESPONSE, sizeof(r)), sizeof(r));
	ck_assert_uint_eq(r.hdr.trans_id, 77);
	ck_assert_uint_le(r.is_accepted, 1);
	return r.is_accepted;
}

static inline void report_capabilities(uint64_t caps, bool wants_info)
{
	struct dm_capabilities m = {.hdr.trans_id = 78, .caps = caps};
	struct dm_capabilities_resp_msg r;
	struct dm_info_msg info;

	send_message(&m, DM_CAPABILITIES_REPORT);
	memcpy(&r, expect(DM_CAPABILITIES_RESPONSE, sizeof(r)), sizeof(r));
	ck_assert_uint_eq(r.hdr.trans_id, 78);
	ck_assert_uint_eq(r.is_accepted, 1);
	if (wants_info) {
		memcpy(&info, expect(DM_INFO_MESSAGE, sizeof(info)),
		       sizeof(info));
		ck_assert_uint_eq(info.info_size, 16);
		ck_assert_uint_eq(info.type, INFO_TYPE_MAX_PAGE_CNT);
		ck_assert_uint_eq(info.data_size, 8);
		ck_assert_uint_eq(info.max_page_count,
				  N_PAGES + SPARE_BYTES / PAGE);
	}
	wait_until(status().ready);
}

static inline void connect_driver(void)
{
	ck_assert(is_version(DYNMEM_PROTOCOL_VERSION_WIN10));
	report_capabilities(DM_CAPS_BALLOON | DM_CAPS_HOT_ADD, true);
}

static inline uint64_t range(uint64_t first, uint64_t n)
{
	return first | n << DM_RANGE_COUNT_SHIFT;
}

/* Wait to be asked for pages. Return: how many. */
static inline uint32_t asked(void)
{
	struct dm_balloon m;

	memcpy(&m, expect(DM_BALLOON_REQUEST, sizeof(m)), sizeof(m));
	ck_assert_uint_eq(m.reservedz, 0);
	ck_assert_uint_eq(m.num_pages % UNIT, 0);
	return m.num_pages;
}

/* Give @n ranges of @length pages, each @stride after the one before. */
static inline void give(uint64_t first, uint32_t n, uint64_t length,
			uint64_t stride, bool more)
{
	struct {
		struct dm_balloon_response m;
		uint64_t ranges[500];
	} __attribute__((packed))
	m = {.m = {.hdr = {.type = DM_BALLOON_RESPONSE,
			   .size = (uint16_t)(16 + 8 * n)},
		   .more_pages = n << 1 | more}};

	for (uint32_t i = 0; i < n; i++)
		m.ranges[i] = range(first + i * stride, length);
	send_raw(&m, m.m.hdr.size);
}

/* All that is asked for, until it is so much: in 2 MiB, without a gap. */
static inline void give_all(uint64_t first, uint64_t n)
{
	while (n) {
		uint32_t now = asked();

		ck_assert_uint_le(now, n);
		give(first, now / UNIT, UNIT, UNIT, false);
		first += now;
		n -= now;
	}
}

/* The next pages that come back. Return: how many; @more: a part of them. */
static inline uint64_t take(bool *more)
{
	struct dm_header hdr;
	const uint8_t *data = next_message(&hdr);
	struct dm_unballoon_request m;
	uint64_t r, count = 0;

	ck_assert_uint_eq(hdr.type, DM_UNBALLOON_REQUEST);
	memcpy(&m, data, sizeof(m));
	ck_assert_uint_eq(m.hdr.size, sizeof(m) + 8 * m.range_count);
	*more = m.more_pages & 1;
	ck_assert_uint_le(m.more_pages, 1);
	ck_assert_uint_gt(m.range_count, 0);
	for (uint32_t i = 0; i < m.range_count; i++) {
		memcpy(&r, data + sizeof(m) + 8 * i, 8);
		count += r >> 40;
		for (uint64_t j = 0; j < r >> 40; j++) {
			ck_assert(pages[(r & DM_RANGE_START_MASK) + j]);
			pages[(r & DM_RANGE_START_MASK) + j] = false;
		}
	}
	return count;
}

static inline void send_taken(void)
{
	struct dm_unballoon_response m = {.hdr.trans_id = 5};

	send_message(&m, DM_UNBALLOON_RESPONSE);
}

static inline void take_all(uint64_t n)
{
	bool more;

	while (n) {
		uint64_t now = take(&more);

		ck_assert_uint_le(now, n);
		n -= now;
		if (!more)
			send_taken();
	}
}

static inline void mark(uint64_t first, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		pages[first + i] = true;
}

static inline void set_target(uint64_t bytes)
{
	ck_assert_int_eq(balloon_set_target(balloon, bytes), 0);
}

/* The host asks for nothing: a status report is the next thing it handles. */
static inline void expect_quiet(void)
{
	struct dm_status m = {.num_avail = 1};
	uint64_t before = status().reports;

	send_message(&m, DM_STATUS_REPORT);
	wait_until(status().reports == before + 1);
	ck_assert(!ring_peer_receive(&guest.ring, buffer, sizeof(buffer)));
}

/* Wait to be given more memory: @pages of it at @first. */
static inline void expect_added(uint64_t first, uint64_t n)
{
	struct dm_hot_add m;

	memcpy(&m, expect(DM_MEM_HOT_ADD_REQUEST, sizeof(m)), sizeof(m));
	ck_assert_uint_eq(m.range & DM_RANGE_START_MASK, first);
	ck_assert_uint_eq(m.range >> DM_RANGE_COUNT_SHIFT, n);
}

static inline void send_added(uint64_t n, uint32_t result)
{
	struct dm_hot_add_response m = {.page_count = (uint32_t)n,
					.result = result};

	send_message(&m, DM_MEM_HOT_ADD_RESPONSE);
}

static inline uint64_t spare_pfn(void)
{
	return gmem_spare(mem)->gpa / PAGE;
}

static inline void add_memory(uint64_t bytes)
{
	ck_assert_int_eq(balloon_add_memory(balloon, bytes), 0);
}

#endif
