/* SPDX-License-Identifier: MIT */
/*
 * Theory of operation
 *
 * One request at a time: while the guest gives (GIVING), takes (TAKING) or is
 * given more (ADDING) nothing else is asked of it.  When it is done the target is compared again
 * with what there is.  A request is for STEP_PAGES at most, which bounds what
 * one answer may contain and so for how long it keeps the worker.
 *
 * The guest answers a request for pages with any number of messages, the last
 * of which says so.  What is given back goes in as many messages as it needs,
 * as the ring has room for them; the guest answers the last.
 *
 * More memory is added a unit at a time, each after the one before in spare
 * RAM.  A unit that the guest took a part of is used up, and one whose answer
 * never came; one that it did not take at all is what it gets next.
 *
 * What of it kernels have is in spare_memory.h.  For the same reason as there
 * nothing of what was given is ever taken back by the host.
 *
 * A guest that never answers is waited for: some ignore requests when they
 * are about to hibernate, and no time would be right.
 */
#include "vsp/balloon.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include <glib.h>

#include "base/checked.h"
#include "base/log.h"
#include "mem/gmem.h"
#include "proto/dynmem.h"
#include "proto/guids.h"
#include "proto/hv_tlfs.h"
#include "proto/vmbus.h"
#include "vsp/page_set.h"
#include "vsp/spare_memory.h"
#include "vsp/vmbus/channel.h"
#include "vsp/vsp.h"

#define LOG_CATEGORY "balloon"

/* Longest message of the guest: Linux' are of one page (send_buffer). */
#define MESSAGE_MAX 4096u

#define MIB                (1ull << 20)
/* Linux' memory blocks, for guests that do not say what they want. */
#define ADD_UNIT_BYTES_MIN (128 * MIB)

#define UNIT_PAGES (BALLOON_UNIT_BYTES / HV_PAGE_SIZE)
/* Of one request, 64 MiB. */
#define STEP_PAGES (32 * UNIT_PAGES)
/* Of one message that gives back; a page would have room for 500. */
#define RANGES_MAX 256u

/* Two answers at once, with what packets cost: more than enough. */
#define ANSWERS_BYTES 128u

enum state {
	WANT_VERSION,
	WANT_CAPABILITIES,
	IDLE,
	GIVING, /* was asked for `asked` pages, and gave some of them */
	TAKING, /* `left` pages have not been sent yet; 0: wait for its answer */
	ADDING, /* was given `asked` pages at `add_at` */
};

struct balloon {
	/* set once */
	struct channel *ch;
	struct vsp_params params;
	struct gmem *mem;

	/* the worker */
	enum state state;
	struct page_set *pages; /* that the guest gave */
	uint64_t asked;
	uint64_t left;
	uint32_t trans_id; /* of our own requests */
	struct spare_memory spare;
	uint64_t added; /* pages of it, to this kernel */
	uint64_t connection, resets; /* which one that is */
	uint64_t add_at; /* what is being added */

	pthread_mutex_t lock;
	/* lock */
	struct balloon_status status;

	/* set once */
	void (*changed)(void *ctx); /* NULL: nobody wants to know */
	void *changed_ctx;
};

/* --- requests ------------------------------------------------------------------ */

static void set_state(struct balloon *b, enum state state)
{
	b->state = state;
	pthread_mutex_lock(&b->lock);
	b->status.ready = state >= IDLE;
	b->status.busy = state > IDLE;
	b->status.ballooned_bytes = page_set_count(b->pages) * HV_PAGE_SIZE;
	pthread_mutex_unlock(&b->lock);
	if (b->changed)
		b->changed(b->changed_ctx);
}

void balloon_on_change(struct balloon *b, void (*changed)(void *ctx), void *ctx)
{
	b->changed_ctx = ctx;
	b->changed = changed;
}

/* Ask for @n pages. Return: 0 or what channel_send() does. */
static int ask(struct balloon *b, uint64_t n)
{
	struct dm_balloon m = {.hdr = {.type = DM_BALLOON_REQUEST,
				       .size = sizeof(m),
				       .trans_id = b->trans_id + 1},
			       .num_pages = (uint32_t)n};
	int err = channel_send(b->ch, &m, sizeof(m));

	if (err)
		return err;
	b->trans_id++;
	b->asked = n;
	set_state(b, GIVING);
	return 0;
}

/* Have it take @n pages more. */
static void add(struct balloon *b, uint64_t n)
{
	struct dm_hot_add m = {.hdr = {.type = DM_MEM_HOT_ADD_REQUEST,
				       .size = sizeof(m),
				       .trans_id = b->trans_id + 1},
			       .range = b->add_at | n << DM_RANGE_COUNT_SHIFT};

	if (channel_send(b->ch, &m, sizeof(m)))
		return;
	b->trans_id++;
	b->asked = n;
	set_state(b, ADDING);
}

struct give_back {
	struct dm_unballoon_request m;
	uint64_t ranges[RANGES_MAX];
} __attribute__((packed));

/* The next ranges of @max pages in all. Return: pages in them. */
static uint64_t fill_ranges(const struct balloon *b, struct give_back *to,
			    uint64_t max)
{
	uint64_t from = 0, n_pages = 0, n, first;

	to->m.range_count = 0;
	while (n_pages < max && to->m.range_count < RANGES_MAX) {
		n = page_set_next(b->pages, from, max - n_pages, &first);
		if (!n)
			break;
		to->ranges[to->m.range_count++] =
			first | n << DM_RANGE_COUNT_SHIFT;
		n_pages += n;
		from = first + n;
	}
	return n_pages;
}

static void remove_ranges(struct balloon *b, const struct give_back *sent)
{
	for (uint32_t i = 0; i < sent->m.range_count; i++)
		page_set_remove(b->pages, sent->ranges[i] & DM_RANGE_START_MASK,
				sent->ranges[i] >> DM_RANGE_COUNT_SHIFT);
}

/* Send what is left, until the ring is full: then work() is called again. */
static void give_back(struct balloon *b)
{
	struct give_back m = {.m.hdr.type = DM_UNBALLOON_REQUEST};

	while (b->left) {
		uint64_t n = fill_ranges(b, &m, b->left);
		size_t bytes =
			sizeof(m.m) + m.m.range_count * sizeof(m.ranges[0]);

		m.m.hdr.size = (uint16_t)bytes;
		m.m.hdr.trans_id = b->trans_id + 1;
		m.m.more_pages = n < b->left ? DM_MORE_PAGES : 0;
		if (channel_send(b->ch, &m, (uint32_t)bytes))
			break;
		b->trans_id++;
		b->left -= n;
		remove_ranges(b, &m);
	}
	set_state(b, TAKING);
}

/* b->lock held. */
static void show_added(struct balloon *b)
{
	b->status.added_bytes = b->added * HV_PAGE_SIZE;
	b->status.given_bytes = spare_memory_given(&b->spare) * HV_PAGE_SIZE;
}

/* Add what is wanted and not there, if the guest takes it. */
static void work_on_adding(struct balloon *b)
{
	uint64_t unit, wanted;

	pthread_mutex_lock(&b->lock);
	unit = b->status.add_unit_bytes / HV_PAGE_SIZE;
	wanted = (b->status.add_target_bytes - b->status.added_bytes) /
		 HV_PAGE_SIZE;
	if (b->status.add_limited)
		wanted = 0;
	pthread_mutex_unlock(&b->lock);
	if (unit && wanted >= unit &&
	    spare_memory_next(&b->spare, unit, &b->add_at))
		add(b, unit);
}

/* Do what is next, if the guest can be asked. */
static void work(void *ctx)
{
	struct balloon *b = ctx;
	uint64_t have = page_set_count(b->pages), target, n;
	bool is_able;

	if (b->state == TAKING && b->left)
		give_back(b);
	if (b->state != IDLE)
		return;
	pthread_mutex_lock(&b->lock);
	target = b->status.target_bytes / HV_PAGE_SIZE;
	is_able = b->status.can_balloon && !b->status.limited;
	pthread_mutex_unlock(&b->lock);
	if (have > target) {
		b->left = MIN(have - target, STEP_PAGES);
		set_state(b, TAKING);
		give_back(b);
	} else if (is_able) {
		n = MIN(target - have, STEP_PAGES) / UNIT_PAGES * UNIT_PAGES;
		if (n)
			ask(b, n);
	}
	if (b->state == IDLE)
		work_on_adding(b);
}

int balloon_set_target(struct balloon *b, uint64_t bytes)
{
	int err = 0;

	pthread_mutex_lock(&b->lock);
	if (!b->status.ready)
		err = -ENOTCONN;
	else if (!b->status.can_balloon)
		err = -EOPNOTSUPP;
	if (bytes > gmem_bytes(b->mem) + b->status.added_bytes)
		err = -EINVAL;
	if (!err) {
		b->status.target_bytes = bytes - bytes % BALLOON_UNIT_BYTES;
		b->status.limited = false;
	}
	pthread_mutex_unlock(&b->lock);
	if (!err)
		channel_wake(b->ch);
	return err;
}

int balloon_add_memory(struct balloon *b, uint64_t bytes)
{
	struct balloon_status *s = &b->status;
	int err = 0;

	pthread_mutex_lock(&b->lock);
	if (!s->ready)
		err = -ENOTCONN;
	else if (!s->can_add)
		err = -EOPNOTSUPP;
	else if (bytes > s->add_room_bytes || bytes < s->added_bytes)
		err = -EINVAL;
	if (!err) {
		s->add_target_bytes = bytes - bytes % s->add_unit_bytes;
		s->add_target_bytes = MAX(s->add_target_bytes, s->added_bytes);
		s->add_limited = false;
	}
	pthread_mutex_unlock(&b->lock);
	if (!err)
		channel_wake(b->ch);
	return err;
}

void balloon_get_status(struct balloon *b, struct balloon_status *status)
{
	pthread_mutex_lock(&b->lock);
	*status = b->status;
	pthread_mutex_unlock(&b->lock);
}

/* --- messages of the guest ------------------------------------------------------- */

/* A message that was checked to be whole. */
union message {
	struct dm_header hdr;
	struct dm_version_request version;
	struct dm_capabilities caps;
	struct dm_status status;
	struct dm_balloon_response given;
	struct dm_hot_add_response added;
};

/* The newest that a host of that time spoke. */
static uint32_t newest_version(const struct balloon *b)
{
	return b->params.host_version >= VERSION_WIN10
		       ? DYNMEM_PROTOCOL_VERSION_WIN10
		       : DYNMEM_PROTOCOL_VERSION_WIN8;
}

static bool is_version(const struct balloon *b, uint32_t version)
{
	return (version == DYNMEM_PROTOCOL_VERSION_WIN7 ||
		version == DYNMEM_PROTOCOL_VERSION_WIN8 ||
		version == DYNMEM_PROTOCOL_VERSION_WIN10) &&
	       version <= newest_version(b);
}

static int handle_version(struct balloon *b, const union message *m,
			  const void *data)
{
	uint32_t version = m->version.version;
	struct dm_version_response r = {.hdr = {.type = DM_VERSION_RESPONSE,
						.size = sizeof(r),
						.trans_id = m->hdr.trans_id}};
	int err;

	(void)data;
	if (b->state != WANT_VERSION)
		return -EPROTO;
	r.is_accepted = is_version(b, version) ? DM_ACCEPTED : 0;
	err = channel_send(b->ch, &r, sizeof(r));
	if (err || !r.is_accepted)
		return err;
	pthread_mutex_lock(&b->lock);
	b->status.version = version;
	pthread_mutex_unlock(&b->lock);
	set_state(b, WANT_CAPABILITIES);
	return 0;
}

/* Linux prints it, and nothing else. */
static int send_info(struct balloon *b)
{
	const struct gmem_region *spare = gmem_spare(b->mem);
	struct dm_info_msg m = {
		.hdr = {.type = DM_INFO_MESSAGE,
			.size = sizeof(m),
			.trans_id = ++b->trans_id},
		.info_size = sizeof(m) - offsetof(struct dm_info_msg, type),
		.type = INFO_TYPE_MAX_PAGE_CNT,
		.data_size = sizeof(m.max_page_count),
		.max_page_count =
			(gmem_bytes(b->mem) + (spare ? spare->bytes : 0)) /
			HV_PAGE_SIZE,
	};

	return channel_send(b->ch, &m, sizeof(m));
}

/* What it says of how it wants more memory; b->lock held. */
static void learn_adding(struct balloon *b, uint64_t caps)
{
	uint64_t align = MIB << (caps >> DM_CAPS_ADD_ALIGN_SHIFT &
				 DM_CAPS_ADD_ALIGN_MASK);
	uint64_t unit = MAX(align, ADD_UNIT_BYTES_MIN);

	show_added(b);
	b->status.add_target_bytes = b->status.added_bytes;
	b->status.can_add = caps & DM_CAPS_HOT_ADD;
	b->status.add_unit_bytes = unit;
	if (b->status.can_add)
		b->status.add_room_bytes =
			b->status.added_bytes +
			spare_memory_room(&b->spare, unit / HV_PAGE_SIZE) *
				HV_PAGE_SIZE;
}

static int handle_capabilities(struct balloon *b, const union message *m,
			       const void *data)
{
	struct dm_capabilities_resp_msg r = {
		.hdr = {.type = DM_CAPABILITIES_RESPONSE,
			.size = sizeof(r),
			.trans_id = m->hdr.trans_id},
		.is_accepted = DM_ACCEPTED};
	int err;

	(void)data;
	if (b->state != WANT_CAPABILITIES)
		return -EPROTO;
	/* For both, or the message comes again. */
	if (!channel_has_room(b->ch, ANSWERS_BYTES))
		return channel_is_open(b->ch) ? -EAGAIN : 0;
	err = channel_send(b->ch, &r, sizeof(r));
	if (!err && b->status.version >= DYNMEM_PROTOCOL_VERSION_WIN8)
		err = send_info(b);
	if (err)
		return err;
	pthread_mutex_lock(&b->lock);
	b->status.can_balloon = m->caps.caps & DM_CAPS_BALLOON;
	learn_adding(b, m->caps.caps);
	pthread_mutex_unlock(&b->lock);
	set_state(b, IDLE);
	if (b->params.ready)
		b->params.ready(b->params.ctx);
	return 0;
}

/* What is beyond all RAM is nonsense; it is only shown. */
static uint64_t pages_to_bytes(uint64_t pages)
{
	return pages > UINT64_MAX / HV_PAGE_SIZE ? UINT64_MAX
						 : pages * HV_PAGE_SIZE;
}

static int handle_status(struct balloon *b, const union message *m,
			 const void *data)
{
	(void)data;
	if (b->state < IDLE)
		return -EPROTO;
	pthread_mutex_lock(&b->lock);
	b->status.available_bytes = pages_to_bytes(m->status.num_avail);
	b->status.committed_bytes = pages_to_bytes(m->status.num_committed);
	b->status.reports++;
	pthread_mutex_unlock(&b->lock);
	return 0;
}

/* One range of pages that the guest does not use any more. */
static int take(struct balloon *b, uint64_t range)
{
	uint64_t first = range & DM_RANGE_START_MASK;
	uint64_t n = range >> DM_RANGE_COUNT_SHIFT;
	uint64_t gpa = first * HV_PAGE_SIZE, bytes = n * HV_PAGE_SIZE;
	int err;

	if (!n || n > b->asked || !gmem_contains(b->mem, gpa, bytes) ||
	    page_set_add(b->pages, first, n))
		return -EPROTO;
	b->asked -= n;
	err = gmem_discard(b->mem, gpa, bytes);
	if (err)
		log_warn_ratelimited("pages are not given back: %s",
				     g_strerror(-err));
	return 0;
}

static int handle_given(struct balloon *b, const union message *m,
			const void *data)
{
	const uint8_t *at = (const uint8_t *)data + sizeof(m->given);
	uint32_t n = m->given.more_pages >> DM_MORE_PAGES_COUNT_SHIFT;
	uint64_t range;

	if (b->state != GIVING || n > (m->hdr.size - sizeof(m->given)) / 8)
		return -EPROTO;
	for (uint32_t i = 0; i < n; i++) {
		memcpy(&range, at + i * sizeof(range), sizeof(range));
		if (take(b, range))
			return -EPROTO;
	}
	if (m->given.more_pages & DM_MORE_PAGES) {
		set_state(b, GIVING);
		return 0;
	}
	pthread_mutex_lock(&b->lock);
	b->status.limited = b->asked != 0;
	pthread_mutex_unlock(&b->lock);
	set_state(b, IDLE);
	work(b);
	return 0;
}

static int handle_taken(struct balloon *b, const union message *m,
			const void *data)
{
	(void)m;
	(void)data;
	if (b->state != TAKING || b->left)
		return -EPROTO;
	set_state(b, IDLE);
	work(b);
	return 0;
}

static int handle_added(struct balloon *b, const union message *m,
			const void *data)
{
	uint64_t n = m->added.page_count;

	(void)data;
	if (b->state != ADDING || n > b->asked)
		return -EPROTO;
	if (n)
		spare_memory_give(&b->spare, b->add_at, b->asked);
	b->added += n;
	pthread_mutex_lock(&b->lock);
	show_added(b);
	b->status.add_limited = n < b->asked;
	pthread_mutex_unlock(&b->lock);
	set_state(b, IDLE);
	work(b);
	return 0;
}

/* Messages of the guest: the least that is in one, and what is done with it. */
static const struct message_row {
	uint16_t size;
	/* @data: all of the message, hdr.size bytes */
	int (*handle)(struct balloon *b, const union message *m,
		      const void *data);
} message_rows[] = {
	[DM_VERSION_REQUEST] = {sizeof(struct dm_version_request),
				handle_version},
	[DM_CAPABILITIES_REPORT] = {sizeof(struct dm_capabilities),
				    handle_capabilities},
	[DM_STATUS_REPORT] = {sizeof(struct dm_status), handle_status},
	[DM_BALLOON_RESPONSE] = {sizeof(struct dm_balloon_response),
				 handle_given},
	[DM_UNBALLOON_RESPONSE] = {sizeof(struct dm_unballoon_response),
				   handle_taken},
	[DM_MEM_HOT_ADD_RESPONSE] = {sizeof(struct dm_hot_add_response),
				     handle_added},
};

static int on_packet(void *ctx, const struct packet *packet)
{
	const struct message_row *row;
	union message m = {.hdr.type = DM_ERROR};

	if (packet->type == VM_PKT_COMP)
		return 0;
	if (packet->type != VM_PKT_DATA_INBAND || packet->bytes < sizeof(m.hdr))
		return -EPROTO;
	memcpy(&m, packet->data, MIN(packet->bytes, sizeof(m)));
	if (m.hdr.type >= G_N_ELEMENTS(message_rows))
		return -EPROTO;
	row = &message_rows[m.hdr.type];
	if (!row->handle || m.hdr.size < row->size ||
	    m.hdr.size > packet->bytes)
		return -EPROTO;
	return row->handle(ctx, &m, packet->data);
}

/* Is it another kernel than the one that opened it last? */
static int on_open(void *ctx, const struct channel_open *open)
{
	struct balloon *b = ctx;

	if (b->connection != open->connection) {
		spare_memory_next_kernel(&b->spare, b->resets != open->resets);
		b->added = 0;
	}
	b->connection = open->connection;
	b->resets = open->resets;
	return 0;
}

/* What it gave is its own again; what it was given stays the kernel's. */
static int on_close(void *ctx)
{
	struct balloon *b = ctx;

	page_set_clear(b->pages);
	if (b->state == ADDING)
		spare_memory_give(&b->spare, b->add_at, b->asked);
	pthread_mutex_lock(&b->lock);
	b->status = (struct balloon_status){.reports = b->status.reports};
	show_added(b);
	b->status.added_bytes = 0;
	pthread_mutex_unlock(&b->lock);
	set_state(b, WANT_VERSION);
	return 0;
}

static const struct channel_ops channel_ops = {
	.open = on_open,
	.packet = on_packet,
	.writable = work,
	.wake = work,
	.close = on_close,
};

/* --- life ---------------------------------------------------------------------------- */

struct balloon *balloon_new(const struct vsp_params *params)
{
	struct balloon *b = g_new0(struct balloon, 1);
	struct channel_params p = {
		.name = params->name,
		.if_type = HV_DM_GUID,
		.if_instance = params->instance,
		.order = params->order,
		.max_in = MESSAGE_MAX + PACKET_HEADER,
	};
	const struct gmem_region *spare;

	b->params = *params;
	b->mem = channel_bus_mem(params->bus);
	spare = gmem_spare(b->mem);
	b->pages = page_set_new(gmem_end(b->mem) / HV_PAGE_SIZE);
	if (spare)
		spare_memory_init(&b->spare, spare->gpa / HV_PAGE_SIZE,
				  (spare->gpa + spare->bytes) / HV_PAGE_SIZE);
	pthread_mutex_init(&b->lock, NULL);
	b->ch = channel_new(params->bus, &p, &channel_ops, b);
	if (!channel_offer(b->ch))
		return b;
	balloon_free(b);
	return NULL;
}

void balloon_free(struct balloon *b)
{
	if (!b)
		return;
	channel_free(b->ch);
	page_set_free(b->pages);
	pthread_mutex_destroy(&b->lock);
	g_free(b);
}

/* --- for the machine ------------------------------------------------------------------- */

static void free_device(void *device)
{
	balloon_free(device);
}

static struct channel *get_channel(void *device)
{
	return ((struct balloon *)device)->ch;
}

static void facts(void *device, const struct vsp_facts *to)
{
	struct balloon_status s;
	char version[16];

	balloon_get_status(device, &s);
	g_snprintf(version, sizeof(version), "%u.%u", s.version >> 16,
		   s.version & 0xFFFF);
	to->number(to->ctx, "ready", s.ready);
	to->text(to->ctx, "version", s.ready ? version : "none");
	to->number(to->ctx, "can_balloon", s.can_balloon);
	to->number(to->ctx, "busy", s.busy);
	to->number(to->ctx, "limited", s.limited);
	to->number(to->ctx, "target_bytes", s.target_bytes);
	to->number(to->ctx, "ballooned_bytes", s.ballooned_bytes);
	to->number(to->ctx, "available_bytes", s.available_bytes);
	to->number(to->ctx, "committed_bytes", s.committed_bytes);
	to->number(to->ctx, "reports", s.reports);
	to->number(to->ctx, "can_add", s.can_add);
	to->number(to->ctx, "add_limited", s.add_limited);
	to->number(to->ctx, "add_target_bytes", s.add_target_bytes);
	to->number(to->ctx, "added_bytes", s.added_bytes);
	to->number(to->ctx, "add_room_bytes", s.add_room_bytes);
}

const struct vsp_ops balloon_ops = {
	.free = free_device,
	.channel = get_channel,
	.facts = facts,
};
