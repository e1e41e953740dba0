/* SPDX-License-Identifier: MIT */
/*
 * fuzz_vmbus_messages.c - a guest that says anything to the VMbus server, in
 * any order, while devices come and go.
 *
 * The input is a script of steps: a message of the guest, with ids that are
 * likely to mean something or as raw bytes; what the owners of channels do
 * and when they answer; how much room there is for messages; time.  A model
 * of the owners checks that the server asks of them only what fits, and a
 * model of the host's messages that each is one that a host may send.  In the
 * end all is torn down: nothing may be left, and a guest that behaves gets
 * its connection.
 */
#include "fuzz/fuzz.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <glib.h>

#include "base/log.h"
#include "base/reader.h"
#include "proto/hv_synic.h"
#include "vsp/vmbus/chanmsg.h"
#include "vsp/vmbus/gpadl.h"
#include "vsp/vmbus/server.h"

#define N_VPS     3u
#define N_SLOTS   12u
/* Fewer devices than slots: some wait until the one before is released. */
#define N_DEVICES 7u
#define RAM_PAGES 64u
#define QUOTA     (1u << 20)
#define MAX_STEPS 400
/* Relids, GPADLs and the like of structured messages are below this. */
#define IDS       12u
#define MSEC      1000000ull
/*
 * What may wait besides VMBUS_OUT_HIGH: answers that owners owe, a few for
 * each offer.
 */
#define OWED_MAX  (8 * N_SLOTS)

static const uint32_t versions[] = {
	VERSION_WIN10_V6_0, VERSION_WIN10_V5_3, VERSION_WIN10_V5,
	VERSION_WIN10,      VERSION_WIN8_1,     VERSION_WIN8,
	VERSION_WIN7,       VERSION_WS2008,
};

/* One offer, as its owner knows it. */
struct slot {
	struct vmbus_offer *offer; /* NULL: free */
	bool rescinded;
	bool open;
	bool opening, closing, modifying, moving; /* to be answered */
	struct vmbus_open_request request;
	const struct gpadl *borrowed;
};

static struct {
	struct vmbus_server *server;
	struct slot slots[N_SLOTS];
	uint64_t now;
	unsigned int room;
	unsigned int headers; /* GPADL_HEADERs that were sent */
	unsigned int created; /* GPADL_CREATEDs that came */
	unsigned int versions; /* VERSION_RESPONSEs that came */
	bool accepted; /* ... the last of them */
} bench;

/* --- the server's side -------------------------------------------------------- */

static int on_post(void *ctx, uint32_t vp, unsigned int sint, const void *msg,
		   size_t size)
{
	const struct chanmsg_row *row = chanmsg_find(chanmsg_peek(msg, size));
	struct vmbus_channel_version_response r;

	(void)ctx;
	expect(vp < N_VPS && sint < HV_SYNIC_SINT_COUNT);
	expect(row && !row->from_guest && size >= row->size &&
	       size <= VMBUS_MESSAGE_MAX);
	if (!bench.room)
		return -EAGAIN;
	bench.room--;
	if (row->number == CHANNELMSG_GPADL_CREATED)
		expect(++bench.created <= bench.headers);
	if (row->number == CHANNELMSG_VERSION_RESPONSE) {
		memcpy(&r, msg, sizeof(r));
		bench.versions++;
		bench.accepted = r.version_supported && !r.connection_state;
	}
	return 0;
}

static void on_drop(void *ctx, uint32_t vp, unsigned int sint)
{
	(void)ctx;
	expect(vp < N_VPS && sint < HV_SYNIC_SINT_COUNT);
}

static bool is_ram(void *ctx, uint64_t pfn)
{
	(void)ctx;
	return pfn < RAM_PAGES;
}

static void give_back(void *ctx, const struct gpadl *gpadl)
{
	(void)ctx;
	expect(gpadl_n_ranges(gpadl));
}

static const struct vmbus_server_ops ops = {
	.post_message = on_post,
	.drop_messages = on_drop,
	.is_ram = is_ram,
	.give_back = give_back,
};

static void put(struct slot *s)
{
	const struct gpadl *g = s->borrowed;

	s->borrowed = NULL;
	if (g)
		vmbus_offer_gpadl_put(s->offer, g);
}

/* Does what the server wants fit to what it knows? */
static void take_action(const struct vmbus_action *a)
{
	struct slot *s = a->ctx;

	switch (a->kind) {
	case VMBUS_ACTION_OPEN:
		expect(s->offer == a->offer && !s->open && !s->opening &&
		       !s->closing);
		expect(a->open.target_vp < N_VPS ||
		       a->open.target_vp == VMBUS_NO_INTERRUPTS);
		s->opening = true;
		s->request = a->open;
		break;
	case VMBUS_ACTION_CLOSE:
		expect(s->offer == a->offer && s->open && !s->closing);
		s->open = false;
		s->closing = true;
		break;
	case VMBUS_ACTION_MODIFY:
		expect(s->offer == a->offer && !s->modifying &&
		       a->target_vp < N_VPS);
		s->modifying = true;
		break;
	case VMBUS_ACTION_MOVE_PAGES:
		expect(s->offer == a->offer && s->open && !s->moving);
		s->moving = true;
		break;
	case VMBUS_ACTION_GPADL_TEARDOWN:
		expect(s->offer == a->offer && s->borrowed &&
		       gpadl_id(s->borrowed) == a->gpadl);
		break;
	case VMBUS_ACTION_RELEASED:
		expect(s->rescinded && !s->open && !s->opening && !s->closing &&
		       !s->modifying && !s->borrowed);
		*s = (struct slot){0};
		break;
	case VMBUS_ACTION_CONNECTED:
		expect(a->connection.version);
		break;
	case VMBUS_ACTION_TL_CONNECT:
		vmbus_server_refuse_tl_connect(bench.server,
					       &a->tl_connect.endpoint,
					       &a->tl_connect.service);
		break;
	case VMBUS_ACTION_OFFERS_SENT:
	case VMBUS_ACTION_DISCONNECTED:
	case VMBUS_ACTION_UNLOADED:
		break;
	}
}

static void take_actions(void)
{
	struct vmbus_action action;

	while (vmbus_server_next_action(bench.server, &action))
		take_action(&action);
}

static void check_bounds(void)
{
	struct vmbus_server_stats stats;

	vmbus_server_get_stats(bench.server, &stats);
	expect(stats.gpadl_bytes <= QUOTA);
	expect(stats.n_gpadls <= VMBUS_GPADLS_MAX);
	expect(stats.n_relids <= stats.n_offers && stats.n_offers <= N_SLOTS);
	expect(stats.out_peak <= VMBUS_OUT_HIGH + OWED_MAX);
}

/* --- the guest's messages ------------------------------------------------------ */

static uint8_t next_byte(struct reader *r)
{
	uint8_t byte = 0;

	reader_bytes(r, &byte, sizeof(byte));
	return byte;
}

static void send(const void *data, size_t size)
{
	uint32_t type = chanmsg_peek(data, size);
	/* A copy of exactly that size: a read beyond it is seen. */
	g_autofree void *copy = g_memdup2(data, size);

	/* As the thread does it (server_thread.c). */
	if (!vmbus_server_wants_input(bench.server) &&
	    type != CHANNELMSG_INITIATE_CONTACT && type != CHANNELMSG_UNLOAD)
		return;
	bench.headers += type == CHANNELMSG_GPADL_HEADER;
	vmbus_server_message(bench.server, bench.now, 0, copy, size);
}

/* Of @n_ranges ranges with @pages pages each, as far as it fits. */
static size_t put_ranges(uint8_t *at, size_t room, uint8_t n_ranges,
			 uint8_t pages)
{
	size_t used = 0;

	for (unsigned int i = 0; i < n_ranges; i++) {
		struct gpa_range range = {.byte_count = pages * 4096u};

		if (room - used < sizeof(range))
			break;
		memcpy(at + used, &range, sizeof(range));
		used += sizeof(range);
		for (uint64_t p = 0; p < pages; p++) {
			if (room - used < sizeof(p))
				return used;
			memcpy(at + used, &p, sizeof(p));
			used += sizeof(p);
		}
	}
	return used;
}

static size_t make_gpadl_header(struct chanmsg *m, const uint8_t arg[4])
{
	uint8_t n_ranges = arg[2] >> 6, pages = arg[2] & 0x3F;

	m->gpadl_header.child_relid = arg[0] % IDS;
	m->gpadl_header.gpadl = arg[1] % IDS;
	m->gpadl_header.rangecount = n_ranges;
	m->gpadl_header.range_buflen =
		(uint16_t)(n_ranges * (8 + 8 * pages) + arg[3]);
	return sizeof(m->gpadl_header) +
	       put_ranges(m->bytes + sizeof(m->gpadl_header),
			  sizeof(m->bytes) - sizeof(m->gpadl_header), n_ranges,
			  pages);
}

static size_t make_gpadl_body(struct chanmsg *m, const uint8_t arg[4])
{
	uint64_t n = arg[2] % 29;

	m->gpadl_body.gpadl = arg[1] % IDS;
	for (uint64_t i = 0; i < n; i++)
		memcpy(m->bytes + sizeof(m->gpadl_body) + i * 8, &i, 8);
	return sizeof(m->gpadl_body) + n * 8 + arg[3] % 8;
}

static size_t make_contact(struct chanmsg *m, const uint8_t arg[4])
{
	uint32_t version = versions[arg[0] % G_N_ELEMENTS(versions)];

	m->contact.base.vmbus_version_requested = version;
	m->contact.base.target_vcpu = arg[1] % (N_VPS + 1);
	if (version >= VERSION_WIN10_V5) {
		m->contact.base.msg_sint = arg[1] & 0x80 ? arg[1] & 0x1F : 2;
		m->contact.base.feature_flags = arg[2];
	}
	m->contact.base.monitor_page1 = (arg[3] & 0x3F) * 4096ull;
	m->contact.base.monitor_page2 = (arg[3] >> 2 & 0x3F) * 4096ull;
	return arg[2] & 0x80 ? sizeof(m->contact.base) : sizeof(m->contact);
}

static size_t make_open(struct chanmsg *m, const uint8_t arg[4])
{
	m->open.base.child_relid = arg[0] % IDS;
	m->open.base.openid = arg[3];
	m->open.base.ringbuffer_gpadlhandle = arg[1] % IDS;
	m->open.base.target_vp =
		arg[2] == 0xFF ? VMBUS_NO_INTERRUPTS : arg[2] % (N_VPS + 1);
	m->open.base.downstream_ringbuffer_pageoffset = arg[3] >> 4;
	m->open.event_flag = (uint16_t)(arg[3] << 4);
	m->open.connection_id = arg[2];
	return arg[3] & 1 ? sizeof(m->open.base) : sizeof(m->open);
}

static void send_structured(struct reader *r, uint8_t type)
{
	struct chanmsg m = {.header.msgtype = type % (CHANNELMSG_MAX + 2)};
	size_t size;
	uint8_t arg[4];

	for (size_t i = 0; i < sizeof(arg); i++)
		arg[i] = next_byte(r);
	switch (m.header.msgtype) {
	case CHANNELMSG_INITIATE_CONTACT:
		size = make_contact(&m, arg);
		break;
	case CHANNELMSG_GPADL_HEADER:
		size = make_gpadl_header(&m, arg);
		break;
	case CHANNELMSG_GPADL_BODY:
		size = make_gpadl_body(&m, arg);
		break;
	case CHANNELMSG_OPENCHANNEL:
		size = make_open(&m, arg);
		break;
	default: /* relid first, then a GPADL or a VP */
		m.gpadl_teardown.child_relid = arg[0] % IDS;
		m.gpadl_teardown.gpadl = arg[1] % IDS;
		size = chanmsg_find(m.header.msgtype)
			       ? chanmsg_find(m.header.msgtype)->size
			       : 40;
		/* Some are a byte short. */
		size -= arg[3] == 0xFF;
	}
	send(m.bytes, MIN(size, sizeof(m.bytes)));
}

static void send_raw(struct reader *r)
{
	uint8_t bytes[VMBUS_MESSAGE_MAX + 1] = {0};
	size_t size = next_byte(r) % (sizeof(bytes) + 1);

	reader_bytes(r, bytes, MIN(size, reader_left(r)));
	send(bytes, size);
}

/* --- the owners ------------------------------------------------------------------- */

static void offer(struct slot *s, uint8_t device)
{
	struct vmbus_offer_params params = {.if_type = HV_SCSI_GUID,
					    .order = device % 3,
					    .is_monitored = device & 1,
					    .ctx = s};

	if (s->offer)
		return;
	params.if_instance.b[0] = device % N_DEVICES;
	s->offer = vmbus_server_offer(bench.server, &params);
}

static void rescind(struct slot *s)
{
	if (!s->offer || s->rescinded)
		return;
	s->rescinded = true;
	vmbus_offer_rescind(s->offer);
}

/* What the owner owes, one at a time. */
static void answer(struct slot *s, uint8_t how)
{
	if (s->opening) {
		bool ok = !(how & 1);

		s->opening = false;
		s->open = ok;
		if (ok && (how & 2) && !s->borrowed)
			s->borrowed = vmbus_offer_gpadl_get(
				s->offer, s->request.ring_gpadl);
		vmbus_offer_opened(s->offer, ok);
	} else if (s->moving) {
		s->moving = false;
		vmbus_offer_pages_moved(s->offer);
	} else if (s->modifying) {
		s->modifying = false;
		vmbus_offer_modified(s->offer);
	} else if (s->closing) {
		put(s);
		s->closing = false;
		vmbus_offer_closed(s->offer);
	}
}

static void borrow(struct slot *s, uint8_t id)
{
	/* An owner does that while his channel is open. */
	if (s->open && !s->borrowed)
		s->borrowed = vmbus_offer_gpadl_get(s->offer, id % IDS);
}

/* --- the script --------------------------------------------------------------------- */

enum op {
	OP_MESSAGE, /* and every number that is no op */
	OP_RAW,
	OP_OFFER,
	OP_RESCIND,
	OP_ANSWER,
	OP_ROOM,
	OP_TIME,
	OP_RESET,
	OP_BORROW,
	OP_PUT,
};

static void step(struct reader *r)
{
	uint8_t op = next_byte(r), arg = next_byte(r);
	struct slot *s = &bench.slots[arg % N_SLOTS];

	switch (op & 0x0F) {
	case OP_RAW:
		send_raw(r);
		break;
	case OP_OFFER:
		offer(s, arg);
		break;
	case OP_RESCIND:
		rescind(s);
		break;
	case OP_ANSWER:
		answer(s, op >> 4);
		break;
	case OP_ROOM:
		bench.room = arg;
		vmbus_server_flush(bench.server);
		break;
	case OP_TIME:
		bench.now += arg * 100 * MSEC;
		if (vmbus_server_deadline(bench.server) <= bench.now)
			vmbus_server_expire(bench.server, bench.now);
		expect(vmbus_server_deadline(bench.server) > bench.now);
		break;
	case OP_RESET:
		vmbus_server_reset(bench.server);
		break;
	case OP_BORROW:
		borrow(s, op >> 4);
		break;
	case OP_PUT:
		put(s);
		break;
	default:
		send_structured(r, arg);
	}
	take_actions();
}

/* All owners let go of everything. */
static void answer_all(void)
{
	for (unsigned int rounds = 0; rounds < 4; rounds++)
		for (struct slot *s = bench.slots; s < bench.slots + N_SLOTS;
		     s++) {
			if (s->offer)
				put(s);
			take_actions();
			answer(s, 0);
			take_actions();
		}
}

static void check_end(void)
{
	struct chanmsg m = {.header.msgtype = CHANNELMSG_INITIATE_CONTACT};
	struct vmbus_server_stats stats;

	bench.room = UINT32_MAX;
	vmbus_server_reset(bench.server);
	take_actions();
	answer_all();
	vmbus_server_get_stats(bench.server, &stats);
	expect(vmbus_server_is_idle(bench.server));
	expect(!stats.n_gpadls && !stats.gpadl_bytes && !stats.n_relids);
	expect(vmbus_server_deadline(bench.server) == VMBUS_NEVER);
	for (unsigned int i = 0; i < N_SLOTS; i++)
		expect(!bench.slots[i].rescinded);
	m.contact.base.vmbus_version_requested = VERSION_WIN10;
	bench.versions = 0;
	send(m.bytes, sizeof(m.contact.base));
	take_actions();
	expect(bench.versions == 1 && bench.accepted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_init(data, size);

	log_set_level("error");
	memset(&bench, 0, sizeof(bench));
	bench.room = UINT32_MAX;
	bench.server = vmbus_server_new(&(struct vmbus_server_params){
		.max_version = VERSION_WIN10_V6_0,
		.n_vps = N_VPS,
		.gpadl_bytes_max = QUOTA,
		.ops = &ops,
	});
	for (unsigned int i = 0; i < MAX_STEPS && reader_left(&r); i++) {
		step(&r);
		if (i % 16 == 0) /* it takes its time */
			check_bounds();
	}
	check_bounds();
	check_end();
	vmbus_server_free(bench.server);
	return 0;
}
