/* SPDX-License-Identifier: MIT */
/*
 * control.c - RNDIS but for frames: requests of the guest and their
 * answers, and what the guest is told of the link.
 *
 * An answer goes into a section that is kept for that.  When there is none, or
 * no room in the ring, it waits in a queue; a guest that has so many requests
 * that the queue is full is told that its message failed.
 *
 * The link.  Linux looks at changes every two seconds, and some versions lose
 * one of two that are close together (OpenVMM netvsp/src/lib.rs,
 * LINK_DELAY_DURATION).  So after one nothing is said for five seconds, and
 * then what is so by then; if it went away and came back meanwhile the guest
 * is told that the network may be another, which has it look for addresses.
 */
#include <string.h>

#include "base/checked.h"
#include "base/clock.h"
#include "base/findings.h"
#include "base/log.h"
#include "base/trace.h"
#include "vsp/netvsp/impl.h"

#define LOG_CATEGORY "net"

#define LINK_PACE_NS_DEFAULT (5 * NSEC_PER_SEC)

/* --- answers --------------------------------------------------------------------- */

static bool send_reply(struct netvsp *s, const struct netvsp_reply *r,
		       uint32_t section)
{
	struct netvsp_channel *c = s->channels[0];
	struct nvsp_message m = {
		.msg_type = NVSP_MSG1_TYPE_SEND_RNDIS_PKT,
		.send_rndis_pkt = {.channel_type = NVSP_CHANNEL_CONTROL,
				   .send_buf_section_index =
					   NETVSC_INVALID_INDEX},
	};
	struct vmtransfer_page_range range = {
		.byte_count = r->bytes,
		.byte_offset = section * s->sections->bytes};
	struct packet_out out = {
		.type = VM_PKT_DATA_USING_XFER_PAGES,
		.wants_completion = true,
		.data = {&m},
		.bytes = {16},
		.xfer_pageset_id = s->recv_id,
		.n_xfer = 1,
		.xfer = &range,
	};

	guest_buffer_write(s->recv, range.byte_offset, r->data, r->bytes);
	out.trans_id = sections_sent(s->sections, section, c->index);
	if (!channel_send_packet(c->ch, &out)) {
		trace_bytes(netvsc_rndis, TRACE_NO_VP, channel_trace(c->ch),
			    r->data, MIN(r->bytes, TRACE_RNDIS_BYTES),
			    TRACE_TO_GUEST, r->bytes);
		return true;
	}
	sections_completed(s->sections, out.trans_id, c->index);
	return false;
}

void netvsp_send_replies(struct netvsp *s)
{
	while (s->n_replies && s->sections) {
		uint32_t section =
			section_pool_take(s->sections, &s->control_pool);

		if (section == SECTION_NONE)
			break;
		if (!send_reply(s, &s->replies[s->reply_at], section)) {
			section_pool_put(s->sections, &s->control_pool,
					 section);
			break;
		}
		s->reply_at = (s->reply_at + 1) % NETVSP_REPLIES;
		s->n_replies--;
	}
}

/* Room for an answer; NULL: there is none. */
static struct netvsp_reply *new_reply(struct netvsp *s)
{
	struct netvsp_reply *r;

	if (s->n_replies == NETVSP_REPLIES)
		return NULL;
	r = &s->replies[(s->reply_at + s->n_replies) % NETVSP_REPLIES];
	r->bytes = 0;
	return r;
}

/*
 * Fill in a message, with @more bytes that stand behind @body already.  It is
 * sent later: the room in the ring is for the request's completion first.
 */
static void reply(struct netvsp *s, struct netvsp_reply *r, uint32_t type,
		  const void *body, uint32_t bytes, uint32_t more)
{
	struct rndis_header h = {.msg_type = type,
				 .msg_len = (uint32_t)sizeof(h) + bytes + more};

	memcpy(r->data, &h, sizeof(h));
	memcpy(r->data + sizeof(h), body, bytes);
	r->bytes = h.msg_len;
	if (!netvsp_fault_reply(s->channels[0], r))
		s->n_replies++;
}

/* --- requests ---------------------------------------------------------------------- */

/* The body of a request, private. */
struct request {
	const uint8_t *body;
	uint32_t bytes;
	struct netvsp_reply *reply;
};

static void set_ready(struct netvsp *s, bool ready)
{
	s->ready = ready;
	s->config.halted = s->config.ready && !ready;
	s->config.ready = ready;
	s->filter = s->config.filter.bits;
	s->config.up = ready && s->config.filter.bits;
	netvsp_apply(s);
}

void netvsp_halt(struct netvsp *s)
{
	s->config.filter.bits = 0;
	s->config.offload = (struct offload){0};
	net_set_offloads(s->params.net, 0);
	set_ready(s, false);
}

static bool on_init(struct netvsp *s, const struct request *q)
{
	struct rndis_initialize_request in;
	struct rndis_initialize_complete out = {
		.status = RNDIS_STATUS_SUCCESS,
		.major_ver = RNDIS_MAJOR_VERSION,
		.minor_ver = RNDIS_MINOR_VERSION,
		.dev_flags = RNDIS_DF_CONNECTIONLESS,
		.medium = RNDIS_MEDIUM_802_3,
		.max_pkt_per_msg = NETVSP_MESSAGES_TOLD,
		.max_xfer_size = NETVSP_TRANSFER_MAX,
		.pkt_alignment_factor = NETVSP_ALIGNMENT_EXPONENT,
	};

	if (q->bytes < sizeof(in))
		return false;
	memcpy(&in, q->body, sizeof(in));
	out.req_id = in.req_id;
	if (in.major_ver != RNDIS_MAJOR_VERSION) {
		out.status = RNDIS_STATUS_BAD_VERSION;
	} else {
		bool was_ready = s->ready;

		set_ready(s, true);
		atomic_store(&s->link_moved, false);
		s->link = netvsp_link(s);
		if (!was_ready && s->params.vsp.ready)
			s->params.vsp.ready(s->params.vsp.ctx);
	}
	reply(s, q->reply, RNDIS_MSG_INIT_C, &out, sizeof(out), 0);
	return true;
}

static bool on_halt(struct netvsp *s, const struct request *q)
{
	(void)q;
	netvsp_halt(s);
	return true;
}

/* Return: is the request whole?  @data is what it has behind it. */
static bool read_oid_request(const struct request *q,
			     struct rndis_oid_request *in, const uint8_t **data)
{
	if (q->bytes < sizeof(*in))
		return false;
	memcpy(in, q->body, sizeof(*in));
	*data = NULL;
	if (!in->info_buflen)
		return true;
	if (!range_fits(in->info_buf_offset, in->info_buflen, q->bytes))
		return false;
	*data = q->body + in->info_buf_offset;
	return true;
}

static bool on_query(struct netvsp *s, const struct request *q)
{
	struct rndis_query_complete out = {.info_buf_offset = sizeof(out)};
	uint32_t at = (uint32_t)(sizeof(struct rndis_header) + sizeof(out));
	struct rndis_oid_request in;
	uint32_t bytes;

	/* It says how much room it has, but need not send so many bytes. */
	if (q->bytes < sizeof(in))
		return false;
	memcpy(&in, q->body, sizeof(in));
	out.req_id = in.req_id;
	out.status =
		netvsp_oid_query(s, in.oid, in.info_buflen, q->reply->data + at,
				 NETVSP_REPLY_BYTES - at, &bytes);
	out.info_buflen = out.status ? 0 : bytes;
	log_debug("%s: query of %08x: %08x", s->params.vsp.name, in.oid,
		  out.status);
	reply(s, q->reply, RNDIS_MSG_QUERY_C, &out, sizeof(out),
	      out.info_buflen);
	return true;
}

static bool on_set(struct netvsp *s, const struct request *q)
{
	struct rndis_set_complete out = {0};
	struct rndis_oid_request in;
	const uint8_t *data;

	if (!read_oid_request(q, &in, &data))
		return false;
	out.req_id = in.req_id;
	out.status = netvsp_oid_set(s, in.oid, data, in.info_buflen);
	log_debug("%s: set of %08x: %08x", s->params.vsp.name, in.oid,
		  out.status);
	reply(s, q->reply, RNDIS_MSG_SET_C, &out, sizeof(out), 0);
	return true;
}

static bool on_reset(struct netvsp *s, const struct request *q)
{
	/* Filters are as they were at first, and the guest sets them anew. */
	struct rndis_reset_complete out = {.status = RNDIS_STATUS_SUCCESS,
					   .addressing_reset = 1};

	s->config.filter.bits = 0;
	s->config.filter.n_groups = 0;
	set_ready(s, s->ready);
	reply(s, q->reply, RNDIS_MSG_RESET_C, &out, sizeof(out), 0);
	return true;
}

static bool on_keepalive(struct netvsp *s, const struct request *q)
{
	struct rndis_set_complete out = {.status = RNDIS_STATUS_SUCCESS};

	if (q->bytes < sizeof(out.req_id))
		return false;
	memcpy(&out.req_id, q->body, sizeof(out.req_id));
	reply(s, q->reply, RNDIS_MSG_KEEPALIVE_C, &out, sizeof(out), 0);
	return true;
}

static const struct {
	uint32_t type;
	bool early; /* also before RNDIS is initialized */
	/* Return: false: it is too short, or its offsets are wrong. */
	bool (*handle)(struct netvsp *s, const struct request *q);
} requests[] = {
	{RNDIS_MSG_INIT, true, on_init},
	{RNDIS_MSG_HALT, true, on_halt},
	{RNDIS_MSG_QUERY, false, on_query},
	{RNDIS_MSG_SET, false, on_set},
	{RNDIS_MSG_RESET, false, on_reset},
	{RNDIS_MSG_KEEPALIVE, false, on_keepalive},
};

static uint32_t control(struct netvsp *s, const void *message, uint32_t bytes)
{
	struct rndis_header h;
	struct request q = {.reply = new_reply(s)};

	if (!s->sections)
		return NVSP_STAT_FAIL;
	if (bytes < sizeof(h))
		return NVSP_STAT_INVALID_RNDIS_PKT;
	memcpy(&h, message, sizeof(h));
	if (h.msg_len < sizeof(h) || h.msg_len > bytes)
		return NVSP_STAT_INVALID_RNDIS_PKT;
	if (!q.reply)
		return NVSP_STAT_BUSY;
	q.body = (const uint8_t *)message + sizeof(h);
	q.bytes = h.msg_len - (uint32_t)sizeof(h);
	for (size_t i = 0; i < G_N_ELEMENTS(requests); i++) {
		if (requests[i].type != h.msg_type)
			continue;
		if (!requests[i].early && !s->ready)
			return NVSP_STAT_FAIL;
		return requests[i].handle(s, &q) ? NVSP_STAT_SUCCESS
						 : NVSP_STAT_INVALID_RNDIS_PKT;
	}
	return NVSP_STAT_INVALID_RNDIS_PKT;
}

/* A FAIL is one out of turn; what is busy is not the guest's fault. */
uint32_t netvsp_control(struct netvsp *s, const void *message, uint32_t bytes)
{
	uint32_t status = control(s, message, bytes), type = 0;

	memcpy(&type, message, MIN(bytes, sizeof(type)));
	if (status == NVSP_STAT_FAIL)
		findings_hit(FINDING_RNDIS_ORDER, s->params.vsp.name,
			     "message 0x%x", type);
	else if (status == NVSP_STAT_INVALID_RNDIS_PKT)
		findings_hit(FINDING_RNDIS_LENGTH, s->params.vsp.name,
			     "message 0x%x of %u bytes", type, bytes);
	return status;
}

/* --- the link -------------------------------------------------------------------------- */

static bool indicate(struct netvsp *s, uint32_t status)
{
	struct rndis_indicate_status m = {.status = status,
					  .status_buf_offset = sizeof(m)};
	struct netvsp_reply *r = new_reply(s);

	if (!r)
		return false;
	log_debug("%s: indicates %08x", s->params.vsp.name, status);
	reply(s, r, RNDIS_MSG_INDICATE, &m, sizeof(m), 0);
	netvsp_send_replies(s);
	return true;
}

static void tell_link(struct netvsp *s)
{
	bool link = netvsp_link(s), told = true;

	if (link != s->link)
		told = indicate(s, link ? RNDIS_STATUS_MEDIA_CONNECT
					: RNDIS_STATUS_MEDIA_DISCONNECT);
	else if (s->link_flapped && link)
		told = indicate(s, RNDIS_STATUS_NETWORK_CHANGE);
	if (!told)
		return; /* the next change, or the next timer */
	if (link != s->link || s->link_flapped)
		s->link_told_at = clock_monotonic_ns();
	s->link = link;
	s->link_flapped = false;
}

void netvsp_look_at_link(struct netvsp *s)
{
	uint64_t pace = s->params.link_pace_ns ? s->params.link_pace_ns
					       : LINK_PACE_NS_DEFAULT;
	uint64_t now = clock_monotonic_ns();

	/* Not all that has us look is one of the link. */
	if (!s->ready || !atomic_exchange(&s->link_moved, false))
		return;
	/* It went and came back before anybody looked. */
	if (netvsp_link(s) == s->link)
		s->link_flapped = true;
	if (s->link_told_at && now - s->link_told_at < pace) {
		s->link_flapped = true;
		worker_timer_set(s->channels[0]->worker, &s->link_timer,
				 s->link_told_at + pace);
		return;
	}
	tell_link(s);
}

void netvsp_run_link_timer(struct worker_timer *timer)
{
	struct netvsp *s = (void *)((uint8_t *)timer -
				    offsetof(struct netvsp, link_timer));

	if (s->ready && channel_is_open(s->channels[0]->ch))
		tell_link(s);
}
