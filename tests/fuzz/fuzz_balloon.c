/* SPDX-License-Identifier: MIT */
/*
 * fuzz_balloon.c - a guest that says anything to the device for dynamic
 * memory.
 *
 * The input is a script: messages, well-formed or not, targets, room in the
 * ring, closing.  The model is what the guest gave: only that comes back, each
 * page once; one request at a time; a request is for whole units.  What is
 * added lies in spare RAM, and nothing of it twice.
 */
#include "fuzz/fuzz.h"

#include "base/log.h"
#include "base/reader.h"
#include "mem/gmem.h"
#include "proto/dynmem.h"
#include "support/fake_channel.h"
#include "vsp/balloon.h"
#include "vsp/vsp.h"

#define PAGE        4096u
#define RAM_BYTES   (96u << 20)
#define SPARE_BYTES (5ull * BLOCK + PAGE)
#define N_PAGES     (RAM_BYTES / PAGE)
#define UNIT        512u
#define BLOCK       (128u << 20)

static struct balloon *balloon;
static struct channel *ch;

static struct {
	bool given[N_PAGES + SPARE_BYTES / PAGE]; /* of RAM, then of spare */
	uint64_t n_given;
	bool must_give, must_take; /* a request that was not answered */
	uint64_t added_at, adding; /* next page of spare RAM; pages on offer */
} model;

static void mark(uint64_t range, bool given)
{
	uint64_t first = range & DM_RANGE_START_MASK;
	uint64_t n = range >> DM_RANGE_COUNT_SHIFT;

	if (first >= N_PAGES) {
		expect(gmem_contains(fake_mem, first * PAGE, n * PAGE));
		first -= gmem_spare(fake_mem)->gpa / PAGE - N_PAGES;
	}
	expect(n && n <= G_N_ELEMENTS(model.given) - first);
	for (uint64_t i = first; i < first + n; i++) {
		expect(model.given[i] != given);
		model.given[i] = given;
	}
	model.n_given += given ? n : -n;
}

/* --- what the host sends ------------------------------------------------------- */

static void check_unballoon(const uint8_t *data, uint32_t bytes)
{
	struct dm_unballoon_request m;
	uint64_t range;

	memcpy(&m, data, sizeof(m));
	expect(bytes == sizeof(m) + 8 * m.range_count && m.range_count);
	for (uint32_t i = 0; i < m.range_count; i++) {
		memcpy(&range, data + sizeof(m) + 8 * i, sizeof(range));
		mark(range, false);
	}
	expect(!model.must_take);
	model.must_take = !(m.more_pages & DM_MORE_PAGES);
}

static void check_add(const uint8_t *data)
{
	const struct gmem_region *spare = gmem_spare(fake_mem);
	struct dm_hot_add m;
	uint64_t first, n;

	memcpy(&m, data, sizeof(m));
	first = m.range & DM_RANGE_START_MASK;
	n = m.range >> DM_RANGE_COUNT_SHIFT;
	expect(!model.must_give && !model.must_take && !model.adding);
	expect(first >= model.added_at && first * PAGE >= spare->gpa);
	expect((first + n) * PAGE <= spare->gpa + spare->bytes);
	expect(n && !(n * PAGE % BLOCK) && !(first % n));
	model.added_at = first;
	model.adding = n;
}

static void fake_sent(struct channel *channel, const uint8_t *data,
		      uint32_t bytes)
{
	struct dm_balloon m;

	(void)channel;
	expect(bytes >= sizeof(struct dm_header));
	memcpy(&m, data, MIN(bytes, sizeof(m)));
	expect(m.hdr.size == bytes);
	if (m.hdr.type == DM_BALLOON_REQUEST) {
		expect(!model.must_give && !model.must_take && !model.adding);
		expect(m.num_pages && !(m.num_pages % UNIT));
		model.must_give = true;
	} else if (m.hdr.type == DM_UNBALLOON_REQUEST) {
		expect(!model.must_give && !model.adding);
		check_unballoon(data, bytes);
	} else if (m.hdr.type == DM_MEM_HOT_ADD_REQUEST) {
		check_add(data);
	}
}

/* --- what the guest does -------------------------------------------------------- */

static void restart(void)
{
	memset(&model, 0, sizeof(model));
	fake_close(ch);
	fake_open(ch);
	ch->room = 4096;
}

/* It was taken: what it says is so. */
static void accepted(const uint8_t *data)
{
	struct dm_balloon_response m;
	uint64_t range;

	memcpy(&m.hdr, data, sizeof(m.hdr));
	if (m.hdr.type == DM_UNBALLOON_RESPONSE) {
		expect(model.must_take);
		model.must_take = false;
	}
	if (m.hdr.type != DM_BALLOON_RESPONSE)
		return;
	expect(model.must_give);
	memcpy(&m, data, sizeof(m));
	for (uint32_t i = 0; i < m.more_pages >> 1; i++) {
		memcpy(&range, data + sizeof(m) + 8 * i, sizeof(range));
		mark(range, true);
	}
	model.must_give = m.more_pages & DM_MORE_PAGES;
}

static void answer_add(const uint8_t *data, uint32_t bytes)
{
	struct dm_hot_add_response m;

	memcpy(&m, data, sizeof(m));
	ch->room = 0;
	if (fake_packet(ch, data, bytes)) {
		restart();
		return;
	}
	expect(m.page_count <= model.adding);
	if (m.page_count)
		model.added_at += model.adding;
	model.adding = 0;
	fake_room(ch, 4096);
}

/*
 * A next request may be sent before the message's fate is known here, so the
 * model learns of it first and is thrown away if it was refused.
 */
static void send_message(const uint8_t *data, uint32_t bytes)
{
	static uint8_t copy[PAGE];
	struct dm_header hdr = {0};
	int err;

	memset(copy, 0, sizeof(copy));
	if (bytes)
		memcpy(copy, data, bytes);
	memcpy(&hdr, copy, sizeof(hdr));
	/* Messages of the guest that change the model, if whole and due. */
	if (hdr.type == DM_UNBALLOON_RESPONSE && model.must_take &&
	    hdr.size >= 8 && hdr.size <= bytes) {
		accepted(copy);
		expect(!fake_packet(ch, copy, bytes));
		return;
	}
	if (hdr.type == DM_BALLOON_RESPONSE && model.must_give) {
		ch->room = 0; /* nothing is sent before the model knows */
		err = fake_packet(ch, copy, bytes);
		if (err) {
			restart();
			return;
		}
		accepted(copy);
		fake_room(ch, 4096);
		return;
	}
	if (hdr.type == DM_MEM_HOT_ADD_RESPONSE && model.adding) {
		answer_add(copy, bytes);
		return;
	}
	err = fake_packet(ch, copy, bytes);
	if (err && err != -EAGAIN)
		restart();
}

static uint8_t next_byte(struct reader *r)
{
	uint8_t byte = 0;

	reader_bytes(r, &byte, sizeof(byte));
	return byte;
}

static void send_raw(struct reader *r)
{
	uint8_t data[256];
	uint8_t n = next_byte(r);

	reader_bytes(r, data, n);
	send_message(data, n);
}

static void shake_hands(uint8_t arg)
{
	struct dm_version_request v = {
		.hdr = {.type = DM_VERSION_REQUEST, .size = sizeof(v)},
		.version = arg & 1 ? DYNMEM_PROTOCOL_VERSION_WIN10
				   : DYNMEM_PROTOCOL_VERSION_WIN7};
	struct dm_capabilities c = {
		.hdr = {.type = DM_CAPABILITIES_REPORT, .size = sizeof(c)},
		.caps = DM_CAPS_BALLOON | (arg & 0x3E)};

	restart();
	send_message((const uint8_t *)&v, sizeof(v));
	send_message((const uint8_t *)&c, sizeof(c));
}

/* Ranges that are mostly good. */
static void give(struct reader *r, uint8_t arg)
{
	struct {
		struct dm_balloon_response m;
		uint64_t ranges[16];
	} __attribute__((packed)) m = {.m.hdr.type = DM_BALLOON_RESPONSE};
	uint32_t n = arg % 16;

	m.m.hdr.size = (uint16_t)(sizeof(m.m) + 8 * n);
	m.m.more_pages = n << 1 | arg >> 7;
	for (uint32_t i = 0; i < n; i++) {
		uint64_t at = next_byte(r), count = next_byte(r);

		m.ranges[i] = at * (count & 0x80 ? 97 : UNIT) |
			      (count % 8 ? count : UNIT)
				      << DM_RANGE_COUNT_SHIFT;
	}
	send_message((const uint8_t *)&m, m.m.hdr.size);
}

static void take(void)
{
	struct dm_unballoon_response m = {
		.hdr = {.type = DM_UNBALLOON_RESPONSE, .size = sizeof(m)}};

	send_message((const uint8_t *)&m, sizeof(m));
}

static void taken_more(uint8_t arg)
{
	struct dm_hot_add_response m = {
		.hdr = {.type = DM_MEM_HOT_ADD_RESPONSE, .size = sizeof(m)},
		.page_count =
			arg < 2 ? arg : (uint32_t)model.adding + arg / 128,
		.result = 1};

	send_message((const uint8_t *)&m, sizeof(m));
}

static void step(struct reader *r, uint8_t op)
{
	uint8_t arg = next_byte(r);

	switch (op % 16 < 10 ? op % 16 : op % 8) {
	case 0:
		send_raw(r);
		break;
	case 1:
		shake_hands(arg);
		break;
	case 2:
	case 3:
		give(r, arg);
		break;
	case 4:
		take();
		break;
	case 8:
		taken_more(arg);
		break;
	case 9:
		balloon_add_memory(balloon, (uint64_t)arg << 23);
		break;
	case 5:
		balloon_set_target(balloon, (uint64_t)arg << 20);
		break;
	case 6:
		fake_room(ch, (uint32_t)arg << 6);
		break;
	default:
		restart();
	}
	if (ch->woken) {
		ch->woken = false;
		ch->ops->wake(ch->ctx);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vsp_params params = {.name = "balloon",
				    .host_version = VERSION_WIN10};
	struct reader r = reader_init(data, size);
	struct balloon_status s;

	log_set_level("error");
	if (!fake_mem)
		fake_mem = gmem_new_with_spare(RAM_BYTES, SPARE_BYTES, NULL);
	balloon = balloon_new(&params);
	ch = fake_last;
	restart();
	while (reader_left(&r)) {
		step(&r, next_byte(&r));
		balloon_get_status(balloon, &s);
		expect(s.ballooned_bytes / PAGE == model.n_given);
	}
	balloon_free(balloon);
	return 0;
}
