/* SPDX-License-Identifier: MIT */
/*
 * chan_peer.h - a server with a scripted guest on one side and obedient owners
 * on the other.
 *
 * The guest's side: peer_send() and peer_expect().  The owners' side: after
 * each call the actions are taken; those whose kind is in `obey` are answered
 * at once, the others are counted and left to the test.
 *
 * For test files of one binary each: the state is static.
 */
#ifndef SUPPORT_CHAN_PEER_H
#define SUPPORT_CHAN_PEER_H

#include <errno.h>
#include <string.h>

#include <glib.h>

#include "base/coverage.h"
#include "base/guid.h"
#include "support/check_main.h"
#include "vsp/vmbus/chanmsg.h"
#include "vsp/vmbus/gpadl.h"
#include "vsp/vmbus/server.h"

#define PEER_VPS       4u
#define PEER_RAM_PAGES 0x10000u
#define PEER_QUOTA     (1024ull * 4096)
#define PEER_VP        1u /* where it wants its messages */
#define PEER_OBEY_ALL  0xFFFFFFFFu
#define BIT(n)         (1u << (n))

struct peer_message {
	uint32_t vp;
	unsigned int sint;
	size_t size;
	union {
		struct vmbus_channel_message_header header;
		struct vmbus_channel_offer_channel offer;
		struct vmbus_channel_rescind_offer rescind;
		struct vmbus_channel_open_result open_result;
		struct vmbus_channel_gpadl_created created;
		struct vmbus_channel_gpadl_torndown torndown;
		struct vmbus_channel_version_response2 version;
		struct vmbus_channel_modifychannel_response modify;
		struct vmbus_channel_modify_connection_done modified;
		struct vmbus_channel_tl_connect_result tl_result;
		uint8_t data[VMBUS_MESSAGE_MAX];
	};
};

struct peer {
	struct vmbus_server *server;
	GQueue inbox; /* struct peer_message */
	unsigned int room; /* posts until -EAGAIN */
	unsigned int drops; /* calls of drop_messages */
	uint32_t given_back; /* the last GPADL, */
	unsigned int inbox_then; /* and what the guest knew then */
	uint32_t obey; /* bit per action */
	unsigned int actions[VMBUS_ACTION_TL_CONNECT + 1];
	struct vmbus_action last; /* that was not a connection's */
	uint64_t now;
};

static struct peer peer;

static inline int peer_on_post(void *ctx, uint32_t vp, unsigned int sint,
			       const void *msg, size_t size)
{
	struct peer_message *m;

	(void)ctx;
	if (vp >= PEER_VPS)
		return -EINVAL;
	if (!peer.room)
		return -EAGAIN;
	if (peer.room != ~0u)
		peer.room--;
	ck_assert_uint_le(size, VMBUS_MESSAGE_MAX);
	m = g_new0(struct peer_message, 1);
	m->vp = vp;
	m->sint = sint;
	m->size = size;
	memcpy(m->data, msg, size);
	g_queue_push_tail(&peer.inbox, m);
	return 0;
}

static inline void peer_on_drop(void *ctx, uint32_t vp, unsigned int sint)
{
	(void)ctx;
	(void)vp;
	ck_assert_uint_eq(sint, VMBUS_MESSAGE_SINT);
	peer.drops++;
}

static inline bool peer_is_ram(void *ctx, uint64_t pfn)
{
	(void)ctx;
	return pfn < PEER_RAM_PAGES;
}

static inline void peer_on_give_back(void *ctx, const struct gpadl *gpadl)
{
	(void)ctx;
	peer.given_back = gpadl_id(gpadl);
	peer.inbox_then = peer.inbox.length;
}

static const struct vmbus_server_ops peer_ops = {
	.post_message = peer_on_post,
	.drop_messages = peer_on_drop,
	.is_ram = peer_is_ram,
	.give_back = peer_on_give_back,
};

static inline void peer_setup_version(uint32_t max_version)
{
	memset(&peer, 0, sizeof(peer));
	peer.room = ~0u;
	peer.obey = PEER_OBEY_ALL;
	g_queue_init(&peer.inbox);
	peer.server = vmbus_server_new(&(struct vmbus_server_params){
		.max_version = max_version,
		.n_vps = PEER_VPS,
		.gpadl_bytes_max = PEER_QUOTA,
		.ops = &peer_ops,
	});
}

static inline void peer_setup(void)
{
	peer_setup_version(VERSION_WIN10_V6_0);
}

static inline void peer_teardown(void)
{
	vmbus_server_free(peer.server);
	g_queue_clear_full(&peer.inbox, g_free);
}

/* Carry out what the server wants of the owners. */
static inline void peer_act(void)
{
	struct vmbus_action a;

	while (vmbus_server_next_action(peer.server, &a)) {
		peer.actions[a.kind]++;
		if (a.kind != VMBUS_ACTION_CONNECTED &&
		    a.kind != VMBUS_ACTION_DISCONNECTED)
			peer.last = a;
		if (!(peer.obey & BIT(a.kind)))
			continue;
		if (a.kind == VMBUS_ACTION_OPEN)
			vmbus_offer_opened(a.offer, true);
		else if (a.kind == VMBUS_ACTION_CLOSE)
			vmbus_offer_closed(a.offer);
		else if (a.kind == VMBUS_ACTION_MODIFY)
			vmbus_offer_modified(a.offer);
		else if (a.kind == VMBUS_ACTION_MOVE_PAGES)
			vmbus_offer_pages_moved(a.offer);
	}
}

static inline void peer_send_raw(const void *msg, size_t size)
{
	/* A copy of exactly that size: a read beyond it is seen by ASan. */
	g_autofree void *copy = g_memdup2(msg, size);

	vmbus_server_message(peer.server, peer.now, PEER_VP, copy, size);
	peer_act();
}

/* Send a message that has a header; its type is filled in. */
#define peer_send(msg, type)                          \
	do {                                          \
		(msg)->header.msgtype = (type);       \
		peer_send_raw((msg), sizeof(*(msg))); \
	} while (0)

static inline void peer_send_empty(uint32_t type)
{
	struct vmbus_channel_message_header m = {.msgtype = type};

	peer_send_raw(&m, sizeof(m));
}

static inline unsigned int peer_inbox(void)
{
	return peer.inbox.length;
}

/* The next message, which is of @type and whole. */
static inline struct peer_message peer_expect(uint32_t type)
{
	g_autofree struct peer_message *m = g_queue_pop_head(&peer.inbox);

	ck_assert_msg(m != NULL, "no message where %u was expected", type);
	ck_assert_uint_eq(m->header.msgtype, type);
	ck_assert_uint_eq(m->header.padding, 0);
	ck_assert_uint_ge(m->size, chanmsg_find(type)->size);
	return *m;
}

static inline void peer_expect_nothing(void)
{
	const struct peer_message *m = g_queue_peek_head(&peer.inbox);

	ck_assert_msg(!m, "message %u, none was expected",
		      m ? m->header.msgtype : 0);
}

/* How many messages were against the protocol since the last call. */
static inline uint64_t peer_faults(void)
{
	static uint64_t before;
	struct vmbus_server_stats stats;
	uint64_t n;

	vmbus_server_get_stats(peer.server, &stats);
	n = stats.ignored - (stats.ignored < before ? 0 : before);
	before = stats.ignored;
	return n;
}

static inline struct vmbus_server_stats peer_stats(void)
{
	struct vmbus_server_stats stats;

	vmbus_server_get_stats(peer.server, &stats);
	return stats;
}

/* --- what a guest does ------------------------------------------------------- */

static inline struct vmbus_channel_initiate_contact2
peer_contact(uint32_t version)
{
	struct vmbus_channel_initiate_contact2 m = {
		.base = {.header.msgtype = CHANNELMSG_INITIATE_CONTACT,
			 .vmbus_version_requested = version,
			 .target_vcpu = PEER_VP,
			 .monitor_page1 = 0x1000,
			 .monitor_page2 = 0x2000}};

	if (version >= VERSION_WIN10_V5)
		m.base.msg_sint = VMBUS_MESSAGE_SINT;
	return m;
}

static inline void peer_connect_with(uint32_t version, uint32_t features)
{
	struct vmbus_channel_initiate_contact2 m = peer_contact(version);
	struct peer_message r;

	m.base.feature_flags |= version >= VERSION_WIN10_V6_0 ? features : 0;
	peer_send_raw(&m, sizeof(m));
	r = peer_expect(CHANNELMSG_VERSION_RESPONSE);
	ck_assert_uint_eq(r.version.base.version_supported, 1);
	ck_assert_uint_eq(r.version.base.connection_state, 0);
	peer_expect_nothing();
}

static inline void peer_connect(uint32_t version)
{
	peer_connect_with(version, 0);
}

/* Instance @n of a class; order is @n too. */
static inline struct vmbus_offer_params peer_device(unsigned int n)
{
	struct vmbus_offer_params p = {.if_type = HV_SCSI_GUID, .order = n};

	memcpy(p.if_instance.b, &n, sizeof(n));
	p.if_instance.b[15] = 0xAA;
	return p;
}

static inline struct vmbus_offer *peer_offer(unsigned int n)
{
	struct vmbus_offer_params p = peer_device(n);
	struct vmbus_offer *o = vmbus_server_offer(peer.server, &p);

	ck_assert_ptr_nonnull(o);
	return o;
}

/* Connect and take one offer: its relid is 1. */
static inline struct vmbus_offer *peer_start(uint32_t version)
{
	struct vmbus_offer *o = peer_offer(1);

	peer_connect(version);
	peer_send_empty(CHANNELMSG_REQUESTOFFERS);
	ck_assert_uint_eq(
		peer_expect(CHANNELMSG_OFFERCHANNEL).offer.child_relid, 1);
	peer_expect(CHANNELMSG_ALLOFFERS_DELIVERED);
	peer_expect_nothing();
	return o;
}

/* The messages of a GPADL of one range, as Linux makes them. */
static inline void peer_send_gpadl(uint32_t relid, uint32_t id,
				   unsigned int n_pages)
{
	const unsigned int first_max = (VMBUS_MESSAGE_MAX - 28) / 8;
	const unsigned int next_max = (VMBUS_MESSAGE_MAX - 16) / 8;
	uint8_t buf[VMBUS_MESSAGE_MAX] = {0};
	struct vmbus_channel_gpadl_header h = {
		.header.msgtype = CHANNELMSG_GPADL_HEADER,
		.child_relid = relid,
		.gpadl = id,
		.range_buflen = (uint16_t)(8 + 8 * n_pages),
		.rangecount = 1};
	struct gpa_range range = {.byte_count = n_pages * 4096};
	struct vmbus_channel_gpadl_body b = {
		.header.msgtype = CHANNELMSG_GPADL_BODY, .gpadl = id};
	unsigned int sent = MIN(n_pages, first_max);
	uint64_t pfns[32];

	for (unsigned int i = 0; i < 32; i++)
		pfns[i] = 100 + i;
	memcpy(buf, &h, sizeof(h));
	memcpy(buf + sizeof(h), &range, sizeof(range));
	memcpy(buf + 28, pfns, sent * 8);
	peer_send_raw(buf, 28 + sent * 8);
	while (sent < n_pages) {
		unsigned int n = MIN(n_pages - sent, next_max);

		memcpy(buf, &b, sizeof(b));
		memcpy(buf + sizeof(b), pfns, n * 8);
		peer_send_raw(buf, sizeof(b) + n * 8);
		sent += n;
	}
}

static inline uint32_t peer_make_gpadl(uint32_t relid, uint32_t id,
				       unsigned int n_pages)
{
	struct peer_message m;

	peer_send_gpadl(relid, id, n_pages);
	m = peer_expect(CHANNELMSG_GPADL_CREATED);
	ck_assert_uint_eq(m.created.child_relid, relid);
	ck_assert_uint_eq(m.created.gpadl, id);
	return m.created.creation_status;
}

static inline void peer_send_open(uint32_t relid, uint32_t gpadl)
{
	struct vmbus_channel_open_channel m = {
		.child_relid = relid,
		.openid = relid + 1000,
		.ringbuffer_gpadlhandle = gpadl,
		.target_vp = 2,
		.downstream_ringbuffer_pageoffset = 2,
	};

	peer_send(&m, CHANNELMSG_OPENCHANNEL);
}

/* Share a ring of 4 pages with id 0xE1E10 and open; expects success. */
static inline void peer_open(uint32_t relid)
{
	struct peer_message m;

	ck_assert_uint_eq(peer_make_gpadl(relid, 0xE1E10, 4), 0);
	peer_send_open(relid, 0xE1E10);
	m = peer_expect(CHANNELMSG_OPENCHANNEL_RESULT);
	ck_assert_uint_eq(m.open_result.child_relid, relid);
	ck_assert_uint_eq(m.open_result.openid, relid + 1000);
	ck_assert_uint_eq(m.open_result.status, 0);
}

static inline void peer_send_relid(uint32_t type, uint32_t relid)
{
	struct vmbus_channel_close_channel m = {.child_relid = relid};

	peer_send(&m, type);
}

static inline void peer_send_teardown(uint32_t relid, uint32_t gpadl)
{
	struct vmbus_channel_gpadl_teardown m = {.child_relid = relid,
						 .gpadl = gpadl};

	peer_send(&m, CHANNELMSG_GPADL_TEARDOWN);
}

static inline void peer_send_modify(uint32_t relid, uint32_t vp)
{
	struct vmbus_channel_modifychannel m = {.child_relid = relid,
						.target_vp = vp};

	peer_send(&m, CHANNELMSG_MODIFYCHANNEL);
}

#endif
