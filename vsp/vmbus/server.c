/* SPDX-License-Identifier: MIT */
/*
 * server.c - the server's life, its queues, and the way of a message through
 * it.
 *
 * Back pressure.  What the guest asks for makes at most one answer, and its
 * next message is taken only while fewer than VMBUS_OUT_HIGH answers wait
 * (vmbus_server_wants_input()).  A contact and an Unload are always taken:
 * what waits is dropped then, or they have no answer.  Answers that owners owe
 * (an open, a teardown) come on top, at most a few per offer and GPADL, both
 * of which are bounded.  Offers are not queued but made when the queue runs
 * low, so that 2047 of them wait as a flag each.
 */
#include "vsp/vmbus/server.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/coverage.h"
#include "base/findings.h"
#include "base/log.h"
#include "base/trace.h"
#include "vsp/vmbus/server_impl.h"

#define LOG_CATEGORY "vmbus"

/* --- messages to the guest ------------------------------------------------ */

void server_send_to(struct vmbus_server *s, uint32_t vp, uint8_t sint,
		    struct vmbus_channel_message_header *msg, size_t size,
		    uint32_t type)
{
	struct out_message *out = g_new0(struct out_message, 1);

	assert(chanmsg_find(type) && !chanmsg_find(type)->from_guest &&
	       size >= chanmsg_find(type)->size);
	assert(size <= sizeof(out->data));
	*msg = (struct vmbus_channel_message_header){.msgtype = type};
	out->vp = vp;
	out->sint = sint;
	out->size = (uint8_t)size;
	memcpy(out->data, msg, size);
	trace_bytes(vmbus_message, vp, TRACE_NO_DEVICE, out->data, out->size,
		    TRACE_TO_GUEST, size);
	g_queue_push_tail(&s->out, out);
	coverage_hit(&s->coverage->entries[type - 1]);
	s->stats.out_peak = MAX(s->stats.out_peak, s->out.length);
}

void server_drop_out(struct vmbus_server *s)
{
	s->stats.dropped += s->out.length;
	g_queue_clear_full(&s->out, g_free);
}

void vmbus_server_flush(struct vmbus_server *server)
{
	const struct vmbus_server_params *p = &server->params;

	while (!server->muted) {
		struct out_message *out;
		int err;

		server_send_offers(server);
		out = g_queue_peek_head(&server->out);
		if (!out)
			return;
		err = p->ops->post_message(p->ctx, out->vp, out->sint,
					   out->data, out->size);
		if (err == -EAGAIN)
			return;
		if (err) {
			server->stats.dropped++;
			log_debug_ratelimited("message to VP %u: %s", out->vp,
					      g_strerror(-err));
		}
		/* It was the last that the guest wants to hear for now. */
		server->muted =
			server->paused && chanmsg_peek(out->data, out->size) ==
						  CHANNELMSG_PAUSE_RESPONSE;
		g_free(g_queue_pop_head(&server->out));
	}
}

/* --- messages of the guest ------------------------------------------------ */

bool vmbus_server_wants_input(const struct vmbus_server *server)
{
	/* Nothing but RESUME is answered while it is paused. */
	return server->paused || server->out.length < VMBUS_OUT_HIGH;
}

static const char *fault_name(int err)
{
	switch (err) {
	case -EMSGSIZE:
		return "wrong size";
	case -ENOENT:
		return "no such message";
	case -EPERM:
		return "only a host sends it";
	case -EPROTO:
		return "not in this version";
	case -EBUSY:
		return "not while paused";
	default:
		return g_strerror(-err);
	}
}

/* A message that was not handed to its handler. */
static enum finding rule_of_fault(int err)
{
	switch (err) {
	case -EMSGSIZE:
		return FINDING_MESSAGE_SIZE;
	case -EPERM:
		return FINDING_MESSAGE_HOSTS;
	case -EPROTO:
		return FINDING_MESSAGE_VERSION;
	case -EBUSY:
		return FINDING_MESSAGE_PAUSED;
	default:
		return FINDING_MESSAGE_UNKNOWN;
	}
}

static enum finding rule_of_gpadl(uint32_t type, int err)
{
	if (err == -ENODEV && type == CHANNELMSG_GPADL_HEADER)
		return FINDING_CHANNEL_UNKNOWN;
	if (err == -EEXIST)
		return FINDING_GPADL_AGAIN;
	if (type == CHANNELMSG_GPADL_TEARDOWN || err == -ENXIO)
		return FINDING_GPADL_UNKNOWN;
	return FINDING_GPADL_INVALID;
}

/* One that its handler did not take. */
static enum finding rule_of_refusal(uint32_t type, int err)
{
	switch (type) {
	case CHANNELMSG_GPADL_HEADER:
	case CHANNELMSG_GPADL_BODY:
	case CHANNELMSG_GPADL_TEARDOWN:
		return rule_of_gpadl(type, err);
	case CHANNELMSG_INITIATE_CONTACT:
	case CHANNELMSG_MODIFY_CONNECTION:
		return FINDING_CONTACT_TARGET;
	case CHANNELMSG_REQUESTOFFERS:
		return FINDING_OFFERS_AGAIN;
	case CHANNELMSG_RESUME:
		return FINDING_MESSAGE_PAUSED;
	case CHANNELMSG_OPEN_RESERVED:
	case CHANNELMSG_CLOSE_RESERVED:
		return FINDING_CHANNEL_UNKNOWN;
	default:
		break;
	}
	if (err == -ENODEV)
		return FINDING_CHANNEL_UNKNOWN;
	if (err == -ENOTCONN)
		return FINDING_CHANNEL_NOT_OPEN;
	if (err != -EBUSY)
		return FINDING_CHANNEL_PARAMETER;
	if (type == CHANNELMSG_RELID_RELEASED)
		return FINDING_RELID_IN_USE;
	return type == CHANNELMSG_OPENCHANNEL ? FINDING_CHANNEL_AGAIN
					      : FINDING_CHANNEL_PARAMETER;
}

static void blame(const struct chanmsg *msg, int err, bool handled)
{
	enum finding rule = handled && msg->row
				    ? rule_of_refusal(msg->row->number, err)
				    : rule_of_fault(err);

	/* Behind the header most have the channel, then the GPADL. */
	findings_hit(rule, msg->row ? msg->row->name : "unknown message",
		     "type %u, %zu bytes: %u 0x%x", msg->header.msgtype,
		     msg->size, msg->relid_released.child_relid,
		     msg->gpadl_teardown.gpadl);
}

static void count_fault(struct vmbus_server *s, const struct chanmsg *msg,
			int err)
{
	s->stats.ignored++;
	trace_event(vmbus_refused, msg->vp, TRACE_NO_DEVICE,
		    msg->header.msgtype, err);
	if (!msg->row) {
		coverage_unknown(s->coverage);
		log_debug_ratelimited("message type %u of %zu bytes: %s",
				      msg->header.msgtype, msg->size,
				      fault_name(err));
		return;
	}
	coverage_refuse(&s->coverage->entries[msg->row->number - 1]);
	log_debug_ratelimited("%s of %zu bytes: %s", msg->row->name, msg->size,
			      fault_name(err));
}

static bool is_heard_while_paused(const struct chanmsg *msg)
{
	return msg->row->number == CHANNELMSG_RESUME ||
	       msg->row->number == CHANNELMSG_UNLOAD ||
	       msg->row->number == CHANNELMSG_INITIATE_CONTACT;
}

void vmbus_server_message(struct vmbus_server *server, uint64_t now,
			  uint32_t vp, const void *data, size_t size)
{
	const struct vmbus_connection *c = &server->connection;
	struct chanmsg msg;
	bool handled;
	int err;

	trace_bytes(vmbus_message, vp, TRACE_NO_DEVICE, data, (uint32_t)size,
		    TRACE_FROM_GUEST, size);
	err = chanmsg_decode(data, size, c->version, c->features, &msg);
	msg.vp = vp;
	if (!err) {
		coverage_hit(&server->coverage->entries[msg.row->number - 1]);
		if (server->paused && !is_heard_while_paused(&msg))
			err = -EBUSY;
	}
	handled = !err;
	if (!err) {
		server->now = now;
		err = msg.row->handler(server, &msg);
	}
	if (err) {
		blame(&msg, err, handled);
		count_fault(server, &msg, err);
	}
	vmbus_server_flush(server);
}

/* --- actions -------------------------------------------------------------- */

void server_add_action(struct vmbus_server *s,
		       const struct vmbus_action *action)
{
	g_queue_push_tail(&s->actions, g_memdup2(action, sizeof(*action)));
}

bool vmbus_server_next_action(struct vmbus_server *server,
			      struct vmbus_action *action)
{
	g_autofree struct vmbus_action *next =
		g_queue_pop_head(&server->actions);

	if (!next)
		return false;
	*action = *next;
	return true;
}

bool vmbus_server_has_action(const struct vmbus_server *server)
{
	return server->actions.length;
}

/* --- looking -------------------------------------------------------------- */

const struct vmbus_connection *
vmbus_server_connection(const struct vmbus_server *server)
{
	return &server->connection;
}

const struct coverage_set *
vmbus_server_coverage(const struct vmbus_server *server)
{
	return server->coverage;
}

void vmbus_server_get_stats(const struct vmbus_server *server,
			    struct vmbus_server_stats *stats)
{
	*stats = server->stats;
	stats->n_offers = server->offers->len;
	stats->n_gpadls = g_hash_table_size(server->gpadls);
	stats->n_relids = 0;
	for (unsigned int i = 1; i < MAX_CHANNEL_RELIDS; i++)
		stats->n_relids += server->by_relid[i] != NULL;
}

/* --- life ------------------------------------------------------------------ */

struct vmbus_server *vmbus_server_new(const struct vmbus_server_params *params)
{
	struct vmbus_server *s = g_new0(struct vmbus_server, 1);

	assert(params->max_version >= VERSION_WIN7);
	s->params = *params;
	s->coverage = chanmsg_coverage_new();
	s->offers = g_ptr_array_new();
	s->gpadls = g_hash_table_new_full(NULL, NULL, NULL, server_gpadl_free);
	g_queue_init(&s->out);
	g_queue_init(&s->actions);
	return s;
}

void vmbus_server_free(struct vmbus_server *server)
{
	if (!server)
		return;
	g_queue_clear_full(&server->out, g_free);
	g_queue_clear_full(&server->actions, g_free);
	g_hash_table_destroy(server->gpadls);
	for (guint i = 0; i < server->offers->len; i++)
		offer_free(g_ptr_array_index(server->offers, i));
	g_ptr_array_free(server->offers, TRUE);
	coverage_free(server->coverage);
	g_free(server);
}
