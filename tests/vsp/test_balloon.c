/* SPDX-License-Identifier: MIT */
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
/* Bits 5:2 of what a guest can: its unit is so many MiB, as a power of two */
#define ADD_ALIGN(log2_mib) \
	((uint64_t)(log2_mib) << DM_CAPS_ADD_ALIGN_SHIFT | DM_CAPS_HOT_ADD)

static struct balloon *balloon;
static _Atomic unsigned int readies;
static struct vmbus_channel_offer_channel offer;
static struct guest_channel guest;
static uint64_t buffer[1024];

static void on_ready(void *ctx)
{
	ck_assert_ptr_eq(ctx, &readies);
	readies++;
}

static void start(uint32_t host_version)
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

static void balloon_setup(void)
{
	start(VERSION_WIN10);
}

static void balloon_teardown(void)
{
	balloon_ops.free(balloon);
	balloon_free(NULL);
	guest_drop_rings(&guest);
	bus_teardown();
}

static struct balloon_status status(void)
{
	struct balloon_status s;

	balloon_get_status(balloon, &s);
	return s;
}

/* --- a driver, as Linux has it ------------------------------------------------- */

/* The next message. Return: its size; what it says is in *@hdr. */
static const void *next_message(struct dm_header *hdr)
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

static const void *expect(uint16_t type, uint16_t size)
{
	struct dm_header hdr;
	const void *data = next_message(&hdr);

	ck_assert_uint_eq(hdr.type, type);
	ck_assert_uint_eq(hdr.size, size);
	return data;
}

static void send_raw(const void *m, uint32_t bytes)
{
	guest_put(&guest, 0, m, bytes);
}

#define send_message(m, what)                 \
	do {                                  \
		(m)->hdr.type = (what);       \
		(m)->hdr.size = sizeof(*(m)); \
		send_raw((m), sizeof(*(m)));  \
	} while (0)

static bool is_version(uint32_t version)
{
	struct dm_version_request m = {.hdr.trans_id = 77, .version = version};
	struct dm_version_response r;

	send_message(&m, DM_VERSION_REQUEST);
	memcpy(&r, expect(DM_VERSION_RESPONSE, sizeof(r)), sizeof(r));
	ck_assert_uint_eq(r.hdr.trans_id, 77);
	ck_assert_uint_le(r.is_accepted, 1);
	return r.is_accepted;
}

static void report_capabilities(uint64_t caps, bool wants_info)
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

static void connect_driver(void)
{
	ck_assert(is_version(DYNMEM_PROTOCOL_VERSION_WIN10));
	report_capabilities(DM_CAPS_BALLOON | DM_CAPS_HOT_ADD, true);
}

static uint64_t range(uint64_t first, uint64_t n)
{
	return first | n << DM_RANGE_COUNT_SHIFT;
}

/* Wait to be asked for pages. Return: how many. */
static uint32_t asked(void)
{
	struct dm_balloon m;

	memcpy(&m, expect(DM_BALLOON_REQUEST, sizeof(m)), sizeof(m));
	ck_assert_uint_eq(m.reservedz, 0);
	ck_assert_uint_eq(m.num_pages % UNIT, 0);
	return m.num_pages;
}

/* Give @n ranges of @pages, each @stride after the one before. */
static void give(uint64_t first, uint32_t n, uint64_t pages, uint64_t stride,
		 bool more)
{
	struct {
		struct dm_balloon_response m;
		uint64_t ranges[500];
	} __attribute__((packed))
	m = {.m = {.hdr = {.type = DM_BALLOON_RESPONSE,
			   .size = (uint16_t)(16 + 8 * n)},
		   .more_pages = n << 1 | more}};

	for (uint32_t i = 0; i < n; i++)
		m.ranges[i] = range(first + i * stride, pages);
	send_raw(&m, m.m.hdr.size);
}

/* All that is asked for, until it is so much: in 2 MiB, without a gap. */
static void give_all(uint64_t first, uint64_t n)
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
static uint64_t take(bool pages[N_PAGES], bool *more)
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

static void send_taken(void)
{
	struct dm_unballoon_response m = {.hdr.trans_id = 5};

	send_message(&m, DM_UNBALLOON_RESPONSE);
}

static void take_all(bool pages[N_PAGES], uint64_t n)
{
	bool more;

	while (n) {
		uint64_t now = take(pages, &more);

		ck_assert_uint_le(now, n);
		n -= now;
		if (!more)
			send_taken();
	}
}

static void mark(bool pages[N_PAGES], uint64_t first, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		pages[first + i] = true;
}

static void set_target(uint64_t bytes)
{
	ck_assert_int_eq(balloon_set_target(balloon, bytes), 0);
}

/* The host asks for nothing: a status report is the next thing it handles. */
static void expect_quiet(void)
{
	struct dm_status m = {.num_avail = 1};
	uint64_t before = status().reports;

	send_message(&m, DM_STATUS_REPORT);
	wait_until(status().reports == before + 1);
	ck_assert(!ring_peer_receive(&guest.ring, buffer, sizeof(buffer)));
}

/* --- versions ------------------------------------------------------------------------ */

static const struct {
	uint32_t host, version;
	bool ok;
} versions[] = {
	{VERSION_WIN8, DYNMEM_PROTOCOL_VERSION_WIN7, true},
	{VERSION_WIN8, DYNMEM_PROTOCOL_VERSION_WIN8, true},
	{VERSION_WIN8, DYNMEM_PROTOCOL_VERSION_WIN10, false},
	{VERSION_WIN8_1, DYNMEM_PROTOCOL_VERSION_WIN10, false},
	{VERSION_WIN10, DYNMEM_PROTOCOL_VERSION_WIN7, true},
	{VERSION_WIN10, DYNMEM_PROTOCOL_VERSION_WIN8, true},
	{VERSION_WIN10, DYNMEM_PROTOCOL_VERSION_WIN10, true},
	{VERSION_WIN10, 0, false},
	{VERSION_WIN10, 0x00000002, false},
	{VERSION_WIN10, 0x00010001, false},
	{VERSION_WIN10, 0x00030000, false},
	{VERSION_WIN10, ~0u, false},
};

START_TEST(version)
{
	uint32_t v = versions[_i].version;

	start(versions[_i].host);
	ck_assert(is_version(v) == versions[_i].ok);
	if (!versions[_i].ok) {
		/* The guest tries an older one. */
		ck_assert(is_version(DYNMEM_PROTOCOL_VERSION_WIN8));
		v = DYNMEM_PROTOCOL_VERSION_WIN8;
	}
	report_capabilities(DM_CAPS_BALLOON, v >= DYNMEM_PROTOCOL_VERSION_WIN8);
	wait_until(readies == 1);
	ck_assert_uint_eq(status().version, v);
	ck_assert(status().can_balloon);
	balloon_teardown();
}
END_TEST

/* --- pages ------------------------------------------------------------------------------ */

static bool pages[N_PAGES];

START_TEST(pages_go_and_come_back)
{
	static const char zeros[8];
	char text[8];

	gmem_write(mem, FIRST_PFN * PAGE, "pattern", 8);
	gmem_write(mem, (FIRST_PFN + 2 * STEP) * PAGE - 8, "pattern", 8);
	gmem_write(mem, (FIRST_PFN + 2 * STEP) * PAGE, "outside", 8);
	connect_driver();
	set_target(128 * MIB + 5);
	ck_assert_uint_eq(status().target_bytes, 128 * MIB);
	give_all(FIRST_PFN, 2 * STEP);
	wait_until(status().ballooned_bytes == 128 * MIB);
	wait_until(!status().busy);
	gmem_read(mem, FIRST_PFN * PAGE, text, 8);
	ck_assert_mem_eq(text, zeros, 8);
	gmem_read(mem, (FIRST_PFN + 2 * STEP) * PAGE - 8, text, 8);
	ck_assert_mem_eq(text, zeros, 8);
	gmem_read(mem, (FIRST_PFN + 2 * STEP) * PAGE, text, 8);
	ck_assert_mem_eq(text, "outside", 8);
	ck_assert(!status().limited);
	expect_quiet();

	mark(pages, FIRST_PFN, 2 * STEP);
	set_target(0);
	take_all(pages, 2 * STEP);
	wait_until(!status().busy);
	ck_assert_uint_eq(status().ballooned_bytes, 0);
	expect_quiet();
}
END_TEST

START_TEST(a_guest_that_gives_less)
{
	connect_driver();
	set_target(32 * MIB);
	ck_assert_uint_eq(asked(), 16 * UNIT);
	give(FIRST_PFN, 3, UNIT, UNIT, true);
	give(FIRST_PFN + 3 * UNIT, 7, 1, 2, true);
	give(0, 0, 0, 0, false);
	wait_until(status().limited);
	wait_until(!status().busy);
	ck_assert_uint_eq(status().ballooned_bytes, (3 * UNIT + 7) * PAGE);
	expect_quiet();
	/* Asked anew: for what is missing, in whole units. */
	set_target(32 * MIB);
	ck_assert_uint_eq(asked(), 12 * UNIT);
	ck_assert(!status().limited);
	give(0, 0, 0, 0, false);
	wait_until(status().limited);
	/* What it gave it gets back. */
	mark(pages, FIRST_PFN, 3 * UNIT);
	for (unsigned int i = 0; i < 7; i++)
		pages[FIRST_PFN + 3 * UNIT + 2 * i] = true;
	set_target(0);
	take_all(pages, 3 * UNIT + 7);
	wait_until(!status().busy);
}
END_TEST

START_TEST(targets_change_while_it_works)
{
	uint32_t n;

	connect_driver();
	set_target(128 * MIB);
	n = asked();
	/* The one that it was asked for, then what it has too much. */
	set_target(2 * MIB);
	expect_quiet();
	give(FIRST_PFN, n / UNIT, UNIT, UNIT, false);
	mark(pages, FIRST_PFN, n);
	take_all(pages, n - UNIT);
	wait_until(!status().busy);
	ck_assert_uint_eq(status().ballooned_bytes, 2 * MIB);
	set_target(2 * MIB);
	expect_quiet();
}
END_TEST

/* So scattered that what goes back needs more messages than the ring holds. */
START_TEST(every_other_page)
{
	uint32_t n, at = FIRST_PFN;

	connect_driver();
	set_target(64 * MIB);
	n = asked();
	ck_assert_uint_eq(n, STEP);
	for (uint32_t i = 0; i < n; i += 256, at += 512)
		give(at, 256, 1, 2, i + 256 < n);
	wait_until(status().ballooned_bytes == 64 * MIB);
	for (uint32_t i = 0; i < n; i++)
		pages[FIRST_PFN + 2 * i] = true;
	set_target(0);
	take_all(pages, n);
	wait_until(!status().busy);
	ck_assert_uint_eq(status().ballooned_bytes, 0);
}
END_TEST

START_TEST(targets_that_cannot_be)
{
	ck_assert_int_eq(balloon_set_target(balloon, 0), -ENOTCONN);
	ck_assert(is_version(DYNMEM_PROTOCOL_VERSION_WIN10));
	ck_assert_int_eq(balloon_set_target(balloon, 2 * MIB), -ENOTCONN);
	report_capabilities(DM_CAPS_HOT_ADD, true);
	ck_assert_int_eq(balloon_set_target(balloon, 2 * MIB), -EOPNOTSUPP);
	ck_assert_int_eq(balloon_set_target(balloon, RAM_BYTES + 1), -EINVAL);
	ck_assert_int_eq(balloon_set_target(balloon, UINT64_MAX), -EINVAL);
	expect_quiet();
}
END_TEST

START_TEST(a_new_driver_begins_with_nothing)
{
	connect_driver();
	set_target(4 * MIB);
	give_all(FIRST_PFN, 2 * UNIT);
	wait_until(!status().busy);
	guest_close(&guest);
	ck_assert(!status().ready);
	ck_assert_uint_eq(status().ballooned_bytes, 0);
	ck_assert_uint_eq(status().target_bytes, 0);
	ck_assert_int_eq(balloon_set_target(balloon, 0), -ENOTCONN);
	guest_open(&guest, &offer);
	connect_driver();
	expect_quiet();
	/* The same pages: they are the guest's. */
	set_target(2 * MIB);
	give_all(FIRST_PFN, UNIT);
	wait_until(status().ballooned_bytes == 2 * MIB);
	wait_until(readies == 2);
}
END_TEST

START_TEST(close_while_it_works)
{
	connect_driver();
	set_target(64 * MIB);
	give(FIRST_PFN, 1, UNIT, UNIT, _i);
	if (!_i) {
		wait_until(status().limited);
		set_target(0);
		wait_until(status().busy);
	}
	guest_close(&guest);
	ck_assert(!status().busy);
	guest_open(&guest, &offer);
	connect_driver();
	expect_quiet();
}
END_TEST

/* --- more memory ----------------------------------------------------------------------- */

/* Wait to be given more memory: @pages of it at @first. */
static void expect_added(uint64_t first, uint64_t n)
{
	struct dm_hot_add m;

	memcpy(&m, expect(DM_MEM_HOT_ADD_REQUEST, sizeof(m)), sizeof(m));
	ck_assert_uint_eq(m.range & DM_RANGE_START_MASK, first);
	ck_assert_uint_eq(m.range >> DM_RANGE_COUNT_SHIFT, n);
}

static void send_added(uint64_t n, uint32_t result)
{
	struct dm_hot_add_response m = {.page_count = (uint32_t)n,
					.result = result};

	send_message(&m, DM_MEM_HOT_ADD_RESPONSE);
}

static uint64_t spare_pfn(void)
{
	return gmem_spare(mem)->gpa / PAGE;
}

static void add_memory(uint64_t bytes)
{
	ck_assert_int_eq(balloon_add_memory(balloon, bytes), 0);
}

/* What a guest says of its unit, the unit, and what that leaves of the spare */
static const struct {
	uint64_t caps, unit_mib, room_mib;
} units[] = {
	{ADD_ALIGN(0), 128, 384}, /* does not say: Linux' */
	{ADD_ALIGN(7), 128, 384}, /* Linux */
	{ADD_ALIGN(8), 256, 256},  {ADD_ALIGN(9), 512, 0},
	{ADD_ALIGN(15), 32768, 0},
};

START_TEST(memory_is_added_in_units)
{
	uint64_t unit = units[_i].unit_mib * MIB;
	uint64_t room = units[_i].room_mib * MIB, at = spare_pfn();

	ck_assert(is_version(DYNMEM_PROTOCOL_VERSION_WIN10));
	report_capabilities(units[_i].caps, true);
	ck_assert(status().can_add);
	ck_assert_uint_eq(status().add_unit_bytes, unit);
	ck_assert_uint_eq(status().add_room_bytes, room);
	ck_assert_int_eq(balloon_add_memory(balloon, room + 1), -EINVAL);
	add_memory(room);
	for (uint64_t had = 0; had < room; had += unit) {
		expect_added(at, unit / PAGE);
		ck_assert_uint_eq(status().added_bytes, had);
		send_added(unit / PAGE, 1);
		at += unit / PAGE;
	}
	expect_quiet();
	ck_assert_uint_eq(status().added_bytes, room);
	ck_assert(!status().add_limited && !status().busy);
}
END_TEST

START_TEST(targets_are_whole_units)
{
	connect_driver();
	add_memory(BLOCK - 1);
	ck_assert_uint_eq(status().add_target_bytes, 0);
	expect_quiet();
	add_memory(2 * BLOCK - 1);
	ck_assert_uint_eq(status().add_target_bytes, BLOCK);
	expect_added(spare_pfn(), BLOCK / PAGE);
	send_added(BLOCK / PAGE, 1);
	expect_quiet();
	/* What it has stays. */
	ck_assert_int_eq(balloon_add_memory(balloon, BLOCK - 1), -EINVAL);
	add_memory(BLOCK);
	expect_quiet();
}
END_TEST

/* Linux: it may be tried again (0), or it can take no more at all (1). */
START_TEST(a_guest_that_takes_nothing)
{
	connect_driver();
	add_memory(2 * BLOCK);
	expect_added(spare_pfn(), BLOCK / PAGE);
	send_added(0, (uint32_t)_i);
	wait_until(status().add_limited);
	expect_quiet();
	ck_assert_uint_eq(status().added_bytes, 0);
	/* Asked anew it is given the same. */
	add_memory(BLOCK);
	ck_assert(!status().add_limited);
	expect_added(spare_pfn(), BLOCK / PAGE);
	send_added(BLOCK / PAGE, 1);
	wait_until(status().added_bytes == BLOCK);
	ck_assert(!status().add_limited);
}
END_TEST

START_TEST(a_guest_that_takes_a_part)
{
	connect_driver();
	add_memory(2 * BLOCK);
	expect_added(spare_pfn(), BLOCK / PAGE);
	send_added(100, 1);
	wait_until(status().add_limited);
	expect_quiet();
	ck_assert_uint_eq(status().added_bytes, 100 * PAGE);
	/* The next begins behind it. */
	add_memory(2 * BLOCK);
	expect_added(spare_pfn() + BLOCK / PAGE, BLOCK / PAGE);
	send_added(BLOCK / PAGE, 1);
	wait_until(status().added_bytes == BLOCK + 100 * PAGE);
	expect_quiet();
	/* One unit is left. */
	add_memory(3 * BLOCK);
	expect_added(spare_pfn() + 2 * BLOCK / PAGE, BLOCK / PAGE);
	send_added(BLOCK / PAGE, 1);
	expect_quiet();
	ck_assert_int_eq(balloon_add_memory(balloon, 4 * BLOCK), -EINVAL);
}
END_TEST

START_TEST(added_memory_goes_into_the_balloon)
{
	connect_driver();
	ck_assert_int_eq(balloon_set_target(balloon, RAM_BYTES + 2 * MIB),
			 -EINVAL);
	add_memory(BLOCK);
	expect_added(spare_pfn(), BLOCK / PAGE);
	/* One request at a time. */
	set_target(2 * MIB);
	expect_quiet();
	gmem_write(mem, spare_pfn() * PAGE, "pattern", 8);
	send_added(BLOCK / PAGE, 1);
	give_all(spare_pfn(), UNIT);
	wait_until(status().ballooned_bytes == 2 * MIB);
	ck_assert_int_eq(memcmp(gmem_load(mem, spare_pfn() * PAGE, 8),
				(const char[8]){0}, 8),
			 0);
	set_target(RAM_BYTES + 2 * MIB);
	ck_assert_uint_eq(asked(), STEP);
}
END_TEST

START_TEST(memory_that_cannot_be_added)
{
	ck_assert_int_eq(balloon_add_memory(balloon, 0), -ENOTCONN);
	ck_assert(is_version(DYNMEM_PROTOCOL_VERSION_WIN10));
	ck_assert_int_eq(balloon_add_memory(balloon, 0), -ENOTCONN);
	report_capabilities(DM_CAPS_BALLOON, true);
	ck_assert_int_eq(balloon_add_memory(balloon, BLOCK), -EOPNOTSUPP);
	ck_assert_int_eq(balloon_add_memory(balloon, 0), -EOPNOTSUPP);
	ck_assert_uint_eq(status().add_room_bytes, 0);
	expect_quiet();
}
END_TEST

/* It may have booted anew: it is given the same again, and may refuse. */
START_TEST(a_new_driver_has_nothing_added)
{
	connect_driver();
	add_memory(2 * BLOCK);
	expect_added(spare_pfn(), BLOCK / PAGE);
	if (_i)
		send_added(BLOCK / PAGE, 1);
	guest_close(&guest);
	ck_assert_uint_eq(status().added_bytes, 0);
	ck_assert_uint_eq(status().add_target_bytes, 0);
	ck_assert_int_eq(balloon_add_memory(balloon, BLOCK), -ENOTCONN);
	guest_open(&guest, &offer);
	connect_driver();
	expect_quiet();
	add_memory(BLOCK);
	expect_added(spare_pfn(), BLOCK / PAGE);
}
END_TEST

/* --- status ---------------------------------------------------------------------------- */

START_TEST(status_reports)
{
	struct dm_status m = {.num_avail = 10, .num_committed = 20};

	connect_driver();
	send_message(&m, DM_STATUS_REPORT);
	wait_until(status().reports == 1);
	ck_assert_uint_eq(status().available_bytes, 10 * PAGE);
	ck_assert_uint_eq(status().committed_bytes, 20 * PAGE);
	m.num_avail = UINT64_MAX;
	m.num_committed = UINT64_MAX / PAGE;
	send_message(&m, DM_STATUS_REPORT);
	wait_until(status().reports == 2);
	ck_assert_uint_eq(status().available_bytes, UINT64_MAX);
	ck_assert_uint_eq(status().committed_bytes, UINT64_MAX - PAGE + 1);
}
END_TEST

static void on_number(void *ctx, const char *key, uint64_t value)
{
	g_string_append_printf(ctx, "%s=%lu ", key, value);
}

static void on_text(void *ctx, const char *key, const char *value)
{
	g_string_append_printf(ctx, "%s=%s ", key, value);
}

START_TEST(what_the_report_says)
{
	struct vsp_facts to = {.number = on_number,
			       .text = on_text,
			       .ctx = g_string_new(NULL)};
	GString *s = to.ctx;

	ck_assert_str_eq(channel_name(balloon_ops.channel(balloon)), "balloon");
	connect_driver();
	balloon_ops.facts(balloon, &to);
	ck_assert_str_eq(s->str,
			 "ready=1 version=2.0 can_balloon=1 busy=0 limited=0 "
			 "target_bytes=0 ballooned_bytes=0 available_bytes=0 "
			 "committed_bytes=0 reports=0 can_add=1 add_limited=0 "
			 "add_target_bytes=0 added_bytes=0 "
			 "add_room_bytes=402653184 ");
	g_string_free(s, true);
}
END_TEST

/* --- guests that break the protocol -------------------------------------------------------- */

enum stage {
	FRESH,
	VERSION_DONE,
	READY,
	ASKED, /* for STEP pages; it gave UNIT from FIRST_PFN on */
	OWED, /* it has not answered that it took UNIT pages back */
	MORE, /* it has not answered that it has BLOCK more */
};

#define HDR(type, size) ((type) | (uint64_t)(size) << 16)
#define GIVEN(n)        HDR(DM_BALLOON_RESPONSE, 16 + 8 * (n)), (uint64_t)(n) << 33
#define RANGE(first, n) ((first) | (uint64_t)(n) << 40)

static const struct {
	const char *what;
	enum stage stage;
	uint32_t bytes;
	uint64_t words[6];
} crimes[] = {
	{"nothing", FRESH, 0, {0}},
	{"an error", FRESH, 8, {HDR(DM_ERROR, 8)}},
	{"a version cut off", FRESH, 8, {HDR(DM_VERSION_REQUEST, 8)}},
	{"a version that says more than there is",
	 FRESH,
	 16,
	 {HDR(DM_VERSION_REQUEST, 17), 0x20000}},
	{"a version that says less",
	 FRESH,
	 16,
	 {HDR(DM_VERSION_REQUEST, 15), 0x20000}},
	{"capabilities before a version",
	 FRESH,
	 32,
	 {HDR(DM_CAPABILITIES_REPORT, 32), 1}},
	{"status before a version", FRESH, 48, {HDR(DM_STATUS_REPORT, 48)}},
	{"pages before a version", FRESH, 16, {GIVEN(0)}},
	{"a second version",
	 VERSION_DONE,
	 16,
	 {HDR(DM_VERSION_REQUEST, 16), 0x20000}},
	{"status before capabilities",
	 VERSION_DONE,
	 48,
	 {HDR(DM_STATUS_REPORT, 48)}},
	{"capabilities cut off",
	 VERSION_DONE,
	 24,
	 {HDR(DM_CAPABILITIES_REPORT, 24), 1}},
	{"capabilities again", READY, 32, {HDR(DM_CAPABILITIES_REPORT, 32), 1}},
	{"a version at last",
	 READY,
	 16,
	 {HDR(DM_VERSION_REQUEST, 16), 0x20000}},
	{"status cut off", READY, 40, {HDR(DM_STATUS_REPORT, 40)}},
	{"a message of the host",
	 READY,
	 16,
	 {HDR(DM_BALLOON_REQUEST, 16), 512}},
	{"pages that nobody asked for",
	 READY,
	 24,
	 {GIVEN(1), RANGE(FIRST_PFN, 1)}},
	{"the answer to nothing", READY, 8, {HDR(DM_UNBALLOON_RESPONSE, 8)}},
	{"hot add that nobody asked for",
	 READY,
	 16,
	 {HDR(DM_MEM_HOT_ADD_RESPONSE, 16), 1}},
	{"information", READY, 32, {HDR(DM_INFO_MESSAGE, 32)}},
	{"an unknown type", READY, 16, {HDR(13, 16)}},
	{"the last type", READY, 16, {HDR(0xFFFF, 16)}},
	{"more ranges than there are",
	 ASKED,
	 24,
	 {HDR(DM_BALLOON_RESPONSE, 24), 2ull << 33, RANGE(0x5000, 1)}},
	{"2^31 - 1 ranges",
	 ASKED,
	 24,
	 {HDR(DM_BALLOON_RESPONSE, 24), 0xFFFFFFFEull << 32, RANGE(0x5000, 1)}},
	{"pages that it gave already",
	 ASKED,
	 24,
	 {GIVEN(1), RANGE(FIRST_PFN + UNIT - 1, 1)}},
	{"pages twice",
	 ASKED,
	 32,
	 {GIVEN(2), RANGE(0x5000, 4), RANGE(0x5003, 1)}},
	{"no pages", ASKED, 24, {GIVEN(1), RANGE(0x5000, 0)}},
	{"more pages than it was asked for",
	 ASKED,
	 24,
	 {GIVEN(1), RANGE(0x5000, STEP - UNIT + 1)}},
	{"all pages that can be said",
	 ASKED,
	 24,
	 {GIVEN(1), RANGE(0, DM_RANGE_COUNT_MAX)}},
	{"a page above RAM", ASKED, 24, {GIVEN(1), RANGE(N_PAGES, 1)}},
	{"pages half above RAM", ASKED, 24, {GIVEN(1), RANGE(N_PAGES - 1, 2)}},
	{"the last page that can be said",
	 ASKED,
	 24,
	 {GIVEN(1), RANGE(DM_RANGE_START_MASK, 1)}},
	{"taken back what it is to give",
	 ASKED,
	 8,
	 {HDR(DM_UNBALLOON_RESPONSE, 8)}},
	{"an answer to hot add when it is to give",
	 ASKED,
	 16,
	 {HDR(DM_MEM_HOT_ADD_RESPONSE, 16), 1}},
	{"an answer to hot add cut off",
	 MORE,
	 8,
	 {HDR(DM_MEM_HOT_ADD_RESPONSE, 8)}},
	{"more than was added",
	 MORE,
	 16,
	 {HDR(DM_MEM_HOT_ADD_RESPONSE, 16), 1ull << 32 | (BLOCK / PAGE + 1)}},
	{"all that can be said to be added",
	 MORE,
	 16,
	 {HDR(DM_MEM_HOT_ADD_RESPONSE, 16), UINT64_MAX}},
	{"pages when it is to take more", MORE, 16, {GIVEN(0)}},
	{"pages when it is to take", OWED, 24, {GIVEN(1), RANGE(0x5000, 1)}},
};

static void go_to(enum stage stage)
{
	bool more;

	if (stage == VERSION_DONE)
		is_version(DYNMEM_PROTOCOL_VERSION_WIN10);
	if (stage < READY)
		return;
	connect_driver();
	if (stage == READY)
		return;
	if (stage == MORE) {
		add_memory(BLOCK);
		expect_added(spare_pfn(), BLOCK / PAGE);
		return;
	}
	set_target(64 * MIB);
	ck_assert_uint_eq(asked(), STEP);
	give(FIRST_PFN, 1, UNIT, UNIT, stage == ASKED);
	wait_until(status().ballooned_bytes == 2 * MIB);
	if (stage == ASKED)
		return;
	wait_until(status().limited);
	set_target(0);
	mark(pages, FIRST_PFN, UNIT);
	ck_assert_uint_eq(take(pages, &more), UNIT);
	ck_assert(!more);
}

START_TEST(who_breaks_the_protocol_loses_the_balloon)
{
	go_to(crimes[_i].stage);
	send_raw(crimes[_i].words, crimes[_i].bytes);
	guest_expect(CHANNELMSG_RESCIND_CHANNELOFFER, NULL, 0);
	wait_until(!status().ready);
	ck_assert_uint_eq(status().ballooned_bytes, 0);
	ck_assert_int_eq(balloon_set_target(balloon, 0), -ENOTCONN);
}
END_TEST

START_TEST(a_packet_that_is_too_long)
{
	static uint8_t m[4104];
	struct dm_header hdr = {.type = DM_STATUS_REPORT, .size = sizeof(m)};

	connect_driver();
	memcpy(m, &hdr, sizeof(hdr));
	send_raw(m, sizeof(m));
	guest_expect(CHANNELMSG_RESCIND_CHANNELOFFER, NULL, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/balloon");
	TCase *t = tcase_create("versions");

	log_set_level("error");
	tcase_set_timeout(t, 30);
	tcase_add_loop_test(t, version, 0, G_N_ELEMENTS(versions));
	suite_add_tcase(s, t);
	t = tcase_create("balloon");
	tcase_set_timeout(t, 30);
	tcase_add_checked_fixture(t, balloon_setup, balloon_teardown);
	tcase_add_test(t, pages_go_and_come_back);
	tcase_add_test(t, a_guest_that_gives_less);
	tcase_add_test(t, targets_change_while_it_works);
	tcase_add_test(t, every_other_page);
	tcase_add_test(t, targets_that_cannot_be);
	tcase_add_test(t, a_new_driver_begins_with_nothing);
	tcase_add_loop_test(t, close_while_it_works, 0, 2);
	tcase_add_loop_test(t, memory_is_added_in_units, 0,
			    G_N_ELEMENTS(units));
	tcase_add_test(t, targets_are_whole_units);
	tcase_add_loop_test(t, a_guest_that_takes_nothing, 0, 2);
	tcase_add_test(t, a_guest_that_takes_a_part);
	tcase_add_test(t, added_memory_goes_into_the_balloon);
	tcase_add_test(t, memory_that_cannot_be_added);
	tcase_add_loop_test(t, a_new_driver_has_nothing_added, 0, 2);
	tcase_add_test(t, status_reports);
	tcase_add_test(t, what_the_report_says);
	tcase_add_loop_test(t, who_breaks_the_protocol_loses_the_balloon, 0,
			    G_N_ELEMENTS(crimes));
	tcase_add_test(t, a_packet_that_is_too_long);
	suite_add_tcase(s, t);
	return check_main(s);
}
