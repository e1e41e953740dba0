/* SPDX-License-Identifier: MIT */
/*
 * server_offer.c - offers and relids.
 *
 * An offer is sent when the guest has asked for offers and there is room for
 * the message; it gets its relid then, the lowest that is free.  So a guest
 * that connects again finds the same relids as before.
 *
 * After a rescind the guest lets go in its own time; until it has
 * (RELID_RELEASED) neither the relid is used again nor is a device with the
 * same instance offered (Linux channel_mgmt.c:vmbus_onoffer() would take it
 * for the old one).  That also paces hosts that offer and rescind in a hurry.
 */
#include <errno.h>
#include <string.h>

#include "base/fault.h"
#include "base/fault_kinds.h"
#include "base/guid.h"
#include "base/log.h"
#include "vsp/vmbus/server_impl.h"

#define LOG_CATEGORY "vmbus"

/* Offers are added while fewer messages than this wait. */
#define OUT_LOW 4u

/* Connection ids of channels: SINT 2 and the relid (OpenVMM: ConnectionId). */
#define CONNECTION_ID_BASE ((uint32_t)VMBUS_MESSAGE_SINT << 12)

/* --- order and lookup ------------------------------------------------------ */

static int compare(const struct vmbus_offer_params *a,
		   const struct vmbus_offer_params *b)
{
	int order;

	if (a->order != b->order)
		return a->order < b->order ? -1 : 1;
	order = guid_compare(&a->if_type, &b->if_type);
	if (!order)
		order = guid_compare(&a->if_instance, &b->if_instance);
	if (!order)
		order = a->sub_channel_index - b->sub_channel_index;
	return order;
}

static bool is_same_device(const struct vmbus_offer_params *a,
			   const struct vmbus_offer_params *b)
{
	return guid_equal(&a->if_instance, &b->if_instance) &&
	       a->sub_channel_index == b->sub_channel_index;
}

/* FNV-1a.  With thousands of offers a look at each GUID takes too long. */
static uint64_t hash_device(const struct vmbus_offer_params *p)
{
	uint64_t hash = 0xcbf29ce484222325u ^ p->sub_channel_index;

	for (size_t i = 0; i < sizeof(p->if_instance.b); i++)
		hash = (hash ^ p->if_instance.b[i]) * 0x100000001b3u;
	return hash;
}

/* The offer of the same device that is, or is not, rescinded. */
static struct vmbus_offer *find_device(struct vmbus_server *s,
				       const struct vmbus_offer_params *params,
				       bool rescinded)
{
	uint64_t device = hash_device(params);

	for (guint i = 0; i < s->offers->len; i++) {
		struct vmbus_offer *o = g_ptr_array_index(s->offers, i);

		if (o->device == device && o->rescinded == rescinded &&
		    is_same_device(&o->params, params))
			return o;
	}
	return NULL;
}

struct vmbus_offer *server_by_relid(struct vmbus_server *s, uint32_t relid)
{
	struct vmbus_offer *o;

	if (relid >= MAX_CHANNEL_RELIDS)
		return NULL;
	o = s->by_relid[relid];
	if (!o || (o->guest != GUEST_OFFERED && o->guest != GUEST_REVOKED))
		return NULL;
	return o;
}

/* --- relids ------------------------------------------------------------------ */

/* Return: 0 if all are taken. */
static uint16_t take_relid(struct vmbus_server *s, struct vmbus_offer *o)
{
	for (uint16_t relid = 1; relid < MAX_CHANNEL_RELIDS; relid++) {
		if (!s->by_relid[relid]) {
			s->by_relid[relid] = o;
			return relid;
		}
	}
	return 0;
}

static void give_relid_back(struct vmbus_offer *o)
{
	if (o->relid)
		o->server->by_relid[o->relid] = NULL;
	o->relid = 0;
}

/* --- sending offers ------------------------------------------------------------ */

/* A relid that the guest knows already, of another offer than @o. */
static uint16_t stale_relid(const struct vmbus_server *s,
			    const struct vmbus_offer *o)
{
	for (uint16_t relid = 1; relid < MAX_CHANNEL_RELIDS; relid++) {
		if (s->by_relid[relid] && s->by_relid[relid] != o)
			return relid;
	}
	return o->relid;
}

static void corrupt_offer(const struct vmbus_offer *o, uint32_t kind,
			  struct vmbus_channel_offer_channel *m)
{
	switch (kind) {
	case FAULT_OFFER_RELID_ZERO:
		m->child_relid = 0;
		break;
	case FAULT_OFFER_RELID_BEYOND:
		m->child_relid = UINT32_MAX - 1;
		break;
	case FAULT_OFFER_STALE:
		m->child_relid = stale_relid(o->server, o);
		break;
	case FAULT_OFFER_CLASS:
		memset(&m->offer.if_type, 0xE1, sizeof(m->offer.if_type));
		break;
	case FAULT_OFFER_SUB_INDEX:
		memset(&m->offer.if_instance, 0xE2,
		       sizeof(m->offer.if_instance));
		m->offer.sub_channel_index = UINT16_MAX;
		break;
	case FAULT_OFFER_MONITOR:
		m->monitorid = UINT8_MAX - 1;
		m->monitor_allocated = VMBUS_MONITOR_ALLOCATED;
		break;
	default:
		m->connection_id = UINT32_MAX;
		break;
	}
}

static void send_offer_message(struct vmbus_server *s,
			       const struct vmbus_offer *o,
			       struct vmbus_channel_offer_channel *m)
{
	struct fault_hit hit;

	if (fault_at(FAULT_VMBUS_OFFER, o->params.name, FAULT_NO_OP, &hit)) {
		if (hit.action == FAULT_DROP)
			return;
		if (hit.action == FAULT_CORRUPT)
			corrupt_offer(o, hit.value, m);
		if (hit.action == FAULT_DUPLICATE)
			server_send(s, m, CHANNELMSG_OFFERCHANNEL);
	}
	server_send(s, m, CHANNELMSG_OFFERCHANNEL);
}

static void send_offer(struct vmbus_server *s, struct vmbus_offer *o)
{
	const struct vmbus_offer_params *p = &o->params;
	struct vmbus_channel_offer_channel m = {
		.offer = {.if_type = p->if_type,
			  .if_instance = p->if_instance,
			  .chn_flags = p->chn_flags,
			  .mmio_megabytes = p->mmio_megabytes,
			  .sub_channel_index = p->sub_channel_index},
		.child_relid = o->relid,
		.monitorid = VMBUS_NO_MONITOR,
		.is_dedicated_interrupt = VMBUS_DEDICATED_INTERRUPT,
		.connection_id = CONNECTION_ID_BASE | o->relid,
	};

	if (p->is_monitored && s->connection.monitor_page_gpa[1]) {
		m.monitorid = p->monitor_id;
		m.monitor_allocated = VMBUS_MONITOR_ALLOCATED;
	}
	memcpy(m.offer.user_def, p->user_def, sizeof(m.offer.user_def));
	o->guest = GUEST_OFFERED;
	send_offer_message(s, o, &m);
}

/* Return: false when none can be sent. */
static bool send_next_offer(struct vmbus_server *s)
{
	for (guint i = 0; i < s->offers->len; i++) {
		struct vmbus_offer *o = g_ptr_array_index(s->offers, i);

		if (o->guest != GUEST_DUE)
			continue;
		o->relid = take_relid(s, o);
		if (!o->relid)
			return false;
		send_offer(s, o);
		return true;
	}
	return false;
}

void server_send_offers(struct vmbus_server *s)
{
	struct vmbus_channel_message_header done;

	if (!s->offers_requested)
		return;
	while (s->out.length < OUT_LOW) {
		if (send_next_offer(s))
			continue;
		if (s->offers_sent)
			return;
		s->offers_sent = true;
		server_send_to(s, s->message_vp, VMBUS_MESSAGE_SINT, &done,
			       sizeof(done), CHANNELMSG_ALLOFFERS_DELIVERED);
		server_add_action(s, &(struct vmbus_action){
					     .kind = VMBUS_ACTION_OFFERS_SENT});
	}
}

int server_on_request_offers(struct vmbus_server *s, const struct chanmsg *msg)
{
	(void)msg;
	if (s->offers_requested)
		return -EALREADY;
	s->offers_requested = true;
	for (guint i = 0; i < s->offers->len; i++) {
		struct vmbus_offer *o = g_ptr_array_index(s->offers, i);

		if (o->guest == GUEST_UNKNOWN && !o->rescinded)
			o->guest = GUEST_DUE;
	}
	return 0;
}

/* --- the way out ----------------------------------------------------------------- */

bool offer_is_busy(const struct vmbus_offer *o)
{
	return o->owner != OWNER_CLOSED || o->modifying ||
	       g_hash_table_size(o->gpadls);
}

void offer_free(struct vmbus_offer *o)
{
	g_hash_table_destroy(o->gpadls);
	g_free(o);
}

static void remove_offer(struct vmbus_offer *o)
{
	struct vmbus_server *s = o->server;
	struct vmbus_offer *successor;

	g_ptr_array_remove(s->offers, o);
	server_add_action(s,
			  &(struct vmbus_action){.kind = VMBUS_ACTION_RELEASED,
						 .ctx = o->params.ctx});
	/* A new one of the same device may have waited for that. */
	successor = find_device(s, &o->params, false);
	if (successor && s->offers_requested &&
	    successor->guest == GUEST_UNKNOWN)
		successor->guest = GUEST_DUE;
	offer_free(o);
}

void offer_settle(struct vmbus_offer *o)
{
	struct vmbus_server *s = o->server;

	if (o->guest == GUEST_UNKNOWN && !offer_is_busy(o)) {
		give_relid_back(o);
		if (o->rescinded)
			remove_offer(o);
	}
	server_settle(s);
}

void offer_leave(struct vmbus_offer *o)
{
	o->guest = GUEST_UNKNOWN;
	offer_start_close(o);
	offer_drop_gpadls(o);
	offer_settle(o);
}

int server_on_relid_released(struct vmbus_server *s, const struct chanmsg *msg)
{
	struct vmbus_offer *o =
		server_by_relid(s, msg->relid_released.child_relid);

	/* After UNLOAD Linux still releases what it had; so did we. */
	if (s->state != SERVER_CONNECTED)
		return 0;
	if (!o)
		return -ENODEV;
	/* Not rescinded: Linux does not want the device. */
	if (o->guest == GUEST_OFFERED && o->owner != OWNER_CLOSED)
		return -EBUSY;
	offer_leave(o);
	return 0;
}

/* --- owners ------------------------------------------------------------------------ */

struct vmbus_offer *vmbus_server_offer(struct vmbus_server *server,
				       const struct vmbus_offer_params *params)
{
	struct vmbus_offer *o;
	guint at = server->offers->len;

	if (server->offers->len >= VMBUS_OFFERS_MAX ||
	    find_device(server, params, false))
		return NULL;
	o = g_new0(struct vmbus_offer, 1);
	o->server = server;
	o->params = *params;
	o->device = hash_device(params);
	o->gpadls = g_hash_table_new(NULL, NULL);
	if (server->offers_requested && !find_device(server, params, true))
		o->guest = GUEST_DUE;
	/* Mostly they come in their order. */
	for (; at > 0; at--) {
		const struct vmbus_offer *other =
			g_ptr_array_index(server->offers, at - 1);

		if (compare(params, &other->params) >= 0)
			break;
	}
	g_ptr_array_insert(server->offers, (int)at, o);
	vmbus_server_flush(server);
	return o;
}

void vmbus_offer_revoke(struct vmbus_offer *offer)
{
	struct vmbus_server *s = offer->server;
	struct vmbus_channel_rescind_offer m = {.child_relid = offer->relid};

	if (offer->rescinded)
		return;
	offer->rescinded = true;
	if (offer->guest != GUEST_OFFERED) {
		offer_leave(offer);
	} else {
		offer->guest = GUEST_REVOKED;
		server_send(s, &m, CHANNELMSG_RESCIND_CHANNELOFFER);
	}
	vmbus_server_flush(s);
}

void vmbus_offer_rescind(struct vmbus_offer *offer)
{
	struct vmbus_server *s = offer->server;

	offer_start_close(offer);
	vmbus_offer_revoke(offer); /* the last that is known of it */
	vmbus_server_flush(s);
}

uint16_t vmbus_offer_relid(const struct vmbus_offer *offer)
{
	return offer->relid;
}

const struct vmbus_offer_params *
vmbus_offer_params(const struct vmbus_offer *offer)
{
	return &offer->params;
}
