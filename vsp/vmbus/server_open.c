/* SPDX-License-Identifier: MIT */
/*
 * server_open.c - opening, closing and moving channels.
 *
 * Decisions:
 *
 * - Every OPENCHANNEL of an offer that is not revoked is answered, also one
 *   of a channel that is open (OpenVMM: silence).  Of a revoked one it is not
 *   (Linux is woken by the rescind).
 * - CLOSECHANNEL has no answer, so a guest may open again at once: that waits
 *   until the owner has closed.
 * - From 5.3 on every MODIFYCHANNEL is answered.  Below, a newer one takes
 *   the place of one that waits.
 * - No channel of ours can be reserved: both requests are answered with a
 *   failure, to the VP and SINT that they name.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "proto/hv_hypercall.h"
#include "proto/hv_synic.h"
#include "vsp/vmbus/server_impl.h"

#define LOG_CATEGORY "vmbus"

/* --- opening ----------------------------------------------------------------- */

static void send_open_result(struct vmbus_server *s, uint32_t relid,
			     uint32_t openid, uint32_t status)
{
	struct vmbus_channel_open_result m = {
		.child_relid = relid, .openid = openid, .status = status};

	server_send(s, &m, CHANNELMSG_OPENCHANNEL_RESULT);
}

static void start_open(struct vmbus_offer *o)
{
	o->owner = OWNER_OPENING;
	server_add_action(o->server,
			  &(struct vmbus_action){.kind = VMBUS_ACTION_OPEN,
						 .offer = o,
						 .ctx = o->params.ctx,
						 .open = o->request});
}

/* Return: 0, or -EINVAL. */
static int read_open(const struct vmbus_server *s, const struct vmbus_offer *o,
		     const struct vmbus_channel_open_channel2 *m,
		     struct vmbus_open_request *r)
{
	*r = (struct vmbus_open_request){
		.openid = m->base.openid,
		.ring_gpadl = m->base.ringbuffer_gpadlhandle,
		.downstream_page = m->base.downstream_ringbuffer_pageoffset,
		.target_vp = m->base.target_vp,
		.connection_id = (uint32_t)VMBUS_MESSAGE_SINT << 12 | o->relid,
		.event_flag = o->relid,
	};
	memcpy(r->userdata, m->base.userdata, sizeof(r->userdata));
	if (s->connection.version < VERSION_WIN8)
		r->target_vp = 0;
	if (s->connection.features & VMBUS_FEATURE_GUEST_SIGNAL_PARAMETERS) {
		r->connection_id = m->connection_id;
		r->event_flag = m->event_flag;
	}
	if (r->target_vp >= s->params.n_vps &&
	    r->target_vp != VMBUS_NO_INTERRUPTS)
		return -EINVAL;
	if (r->connection_id & ~HV_CONNECTION_ID_MASK ||
	    r->event_flag >= HV_EVENT_FLAGS_COUNT)
		return -EINVAL;
	return 0;
}

static int try_open(struct vmbus_server *s, struct vmbus_offer *o,
		    const struct vmbus_channel_open_channel2 *m)
{
	const struct server_gpadl *ring = g_hash_table_lookup(
		o->gpadls, GUINT_TO_POINTER(m->base.ringbuffer_gpadlhandle));
	struct vmbus_open_request request;

	if (!ring || !ring->finished || ring->tearing_down)
		return -ENXIO;
	if (read_open(s, o, m, &request))
		return -EINVAL;
	switch (o->owner) {
	case OWNER_CLOSED:
		o->request = request;
		start_open(o);
		return 0;
	case OWNER_CLOSING:
		if (o->reopen)
			return -EBUSY;
		o->again = request;
		o->reopen = true;
		return 0;
	case OWNER_OPENING:
	case OWNER_OPEN:
		break;
	}
	return -EBUSY;
}

int server_on_open(struct vmbus_server *s, const struct chanmsg *msg)
{
	const struct vmbus_channel_open_channel *m = &msg->open.base;
	struct vmbus_offer *o = server_by_relid(s, m->child_relid);
	int err;

	if (o && o->guest == GUEST_REVOKED)
		return 0;
	err = o ? try_open(s, o, &msg->open) : -ENODEV;
	if (err)
		send_open_result(s, m->child_relid, m->openid,
				 VMBUS_STATUS_UNSUCCESSFUL);
	return err;
}

void vmbus_offer_opened(struct vmbus_offer *offer, bool ok)
{
	struct vmbus_server *s = offer->server;

	assert(offer->owner == OWNER_OPENING);
	offer->owner = ok ? OWNER_OPEN : OWNER_CLOSED;
	if (offer->guest == GUEST_OFFERED)
		send_open_result(s, offer->relid, offer->request.openid,
				 ok ? VMBUS_STATUS_SUCCESS
				    : VMBUS_STATUS_UNSUCCESSFUL);
	else
		offer_start_close(offer);
	offer_settle(offer);
	vmbus_server_flush(s);
}

/* --- closing ------------------------------------------------------------------ */

void offer_start_close(struct vmbus_offer *o)
{
	/* Who closes does not wait for an open any more. */
	o->reopen = false;
	o->modify_again = false;
	if (o->owner != OWNER_OPEN)
		return;
	o->owner = OWNER_CLOSING;
	server_add_action(o->server,
			  &(struct vmbus_action){.kind = VMBUS_ACTION_CLOSE,
						 .offer = o,
						 .ctx = o->params.ctx});
}

int server_on_close(struct vmbus_server *s, const struct chanmsg *msg)
{
	struct vmbus_offer *o = server_by_relid(s, msg->close.child_relid);

	if (!o)
		return -ENODEV;
	/* It may be closed already if it was rescinded. */
	if (o->guest == GUEST_OFFERED && o->owner != OWNER_OPEN)
		return -ENOTCONN;
	offer_start_close(o);
	return 0;
}

void vmbus_offer_closed(struct vmbus_offer *offer)
{
	struct vmbus_server *s = offer->server;

	assert(offer->owner == OWNER_CLOSING);
	offer->owner = OWNER_CLOSED;
	offer->old_pages = false;
	server_pages_moved(s);
	if (offer->reopen) {
		offer->reopen = false;
		offer->request = offer->again;
		start_open(offer);
	}
	offer_settle(offer);
	vmbus_server_flush(s);
}

/* --- moving to another VP -------------------------------------------------------- */

static void start_modify(struct vmbus_offer *o, uint32_t vp)
{
	o->modifying = true;
	o->request.target_vp = vp;
	server_add_action(o->server,
			  &(struct vmbus_action){.kind = VMBUS_ACTION_MODIFY,
						 .offer = o,
						 .ctx = o->params.ctx,
						 .target_vp = vp});
}

static void send_modify_response(struct vmbus_server *s, uint32_t relid,
				 uint32_t status)
{
	struct vmbus_channel_modifychannel_response m = {.child_relid = relid,
							 .status = status};

	if (s->connection.version >= VERSION_WIN10_V5_3)
		server_send(s, &m, CHANNELMSG_MODIFYCHANNEL_RESPONSE);
}

static int try_modify(struct vmbus_server *s, struct vmbus_offer *o,
		      uint32_t vp)
{
	if (!o)
		return -ENODEV;
	if (o->guest != GUEST_OFFERED || o->owner != OWNER_OPEN)
		return -ENOTCONN;
	/* Interrupts can be neither switched off nor on that way. */
	if (vp >= s->params.n_vps ||
	    o->request.target_vp == VMBUS_NO_INTERRUPTS)
		return -EINVAL;
	if (!o->modifying) {
		start_modify(o, vp);
		return 0;
	}
	if (s->connection.version >= VERSION_WIN10_V5_3)
		return -EBUSY;
	o->modify_again = true;
	o->modify_vp = vp;
	return 0;
}

int server_on_modify_channel(struct vmbus_server *s, const struct chanmsg *msg)
{
	uint32_t relid = msg->modify.child_relid;
	int err =
		try_modify(s, server_by_relid(s, relid), msg->modify.target_vp);

	if (err)
		send_modify_response(s, relid, VMBUS_STATUS_UNSUCCESSFUL);
	return err;
}

void vmbus_offer_modified(struct vmbus_offer *offer)
{
	struct vmbus_server *s = offer->server;

	assert(offer->modifying);
	offer->modifying = false;
	if (offer->guest == GUEST_OFFERED)
		send_modify_response(s, offer->relid, VMBUS_STATUS_SUCCESS);
	if (offer->modify_again && offer->owner == OWNER_OPEN)
		start_modify(offer, offer->modify_vp);
	offer->modify_again = false;
	offer_settle(offer);
	vmbus_server_flush(s);
}

/* --- monitor pages elsewhere --------------------------------------------------------- */

void offer_move_pages(struct vmbus_offer *o)
{
	/* One that is being opened looks for them when it is open. */
	if (!o->params.is_monitored ||
	    (o->owner != OWNER_OPEN && o->owner != OWNER_CLOSING))
		return;
	o->old_pages = true;
	if (o->owner == OWNER_OPEN)
		server_add_action(
			o->server,
			&(struct vmbus_action){.kind = VMBUS_ACTION_MOVE_PAGES,
					       .offer = o,
					       .ctx = o->params.ctx});
}

void vmbus_offer_pages_moved(struct vmbus_offer *offer)
{
	struct vmbus_server *s = offer->server;

	offer->old_pages = false;
	server_pages_moved(s);
	vmbus_server_flush(s);
}

/* --- reserved channels -------------------------------------------------------------- */

static bool is_target(const struct vmbus_server *s, uint32_t vp, uint32_t sint)
{
	return vp < s->params.n_vps && sint < HV_SYNIC_SINT_COUNT;
}

int server_on_open_reserved(struct vmbus_server *s, const struct chanmsg *msg)
{
	const struct vmbus_channel_open_reserved *m = &msg->open_reserved;
	struct vmbus_channel_open_result r = {
		.child_relid = m->child_relid,
		.status = VMBUS_STATUS_UNSUCCESSFUL};

	if (is_target(s, m->target_vp, m->target_sint))
		server_send_to(s, m->target_vp, (uint8_t)m->target_sint,
			       &r.header, sizeof(r),
			       CHANNELMSG_OPENCHANNEL_RESULT);
	return -EOPNOTSUPP;
}

int server_on_close_reserved(struct vmbus_server *s, const struct chanmsg *msg)
{
	const struct vmbus_channel_close_reserved *m = &msg->close_reserved;
	struct vmbus_channel_close_reserved_result r = {.child_relid =
								m->child_relid};

	if (is_target(s, m->target_vp, m->target_sint))
		server_send_to(s, m->target_vp, (uint8_t)m->target_sint,
			       &r.header, sizeof(r),
			       CHANNELMSG_CLOSE_RESERVED_RESULT);
	return -EOPNOTSUPP;
}
