/* SPDX-License-Identifier: MIT */
/*
 * fault.c - what a network card does wrong when rules want it.
 *
 * Frames are lost before they take a section.  One that comes twice is two
 * ranges of one packet over the same section; one that is overtaken changes
 * places with those that follow in the same packet.  Lies are written over an
 * RNDIS message when it is in its section, or over an answer before it is sent.
 */
#include <string.h>

#include "base/fault_kinds.h"
#include "vsp/netvsp/impl.h"

/* Larger than any buffer. */
#define BEYOND          0x7FFFFFF0u
#define STRANGE_TYPE    0x7Fu
#define STRANGE_VERSION 0x00990099u
/* Where the frame's type is, behind its addresses. */
#define FRAME_TYPE_AT   12u

/* --- frames ----------------------------------------------------------------------- */

bool netvsp_fault_frame(struct netvsp_channel *c)
{
	c->is_faulty = fault_at(FAULT_NETVSC_FRAME_RX, channel_name(c->ch),
				FAULT_NO_OP, &c->fault);
	return c->is_faulty && c->fault.action == FAULT_DROP;
}

static void write32(struct netvsp_channel *c, uint32_t at, uint32_t value)
{
	guest_buffer_write(c->recv, at, &value, sizeof(value));
}

#define PACKET_FIELD(field)                      \
	((uint32_t)sizeof(struct rndis_header) + \
	 (uint32_t)offsetof(struct rndis_packet, field))

static void lie(struct netvsp_channel *c, uint32_t at)
{
	uint32_t header =
		sizeof(struct rndis_header) + sizeof(struct rndis_packet);
	uint64_t random = c->fault.random;

	switch (c->fault.value) {
	case FAULT_FRAME_MESSAGE_TYPE:
		write32(c, at, STRANGE_TYPE);
		break;
	case FAULT_FRAME_MESSAGE_LENGTH:
		write32(c, at + offsetof(struct rndis_header, msg_len), BEYOND);
		break;
	case FAULT_FRAME_MESSAGE_SHORT:
		write32(c, at + offsetof(struct rndis_header, msg_len),
			sizeof(struct rndis_header));
		break;
	case FAULT_FRAME_DATA_OFFSET:
		write32(c, at + PACKET_FIELD(data_offset), BEYOND);
		break;
	case FAULT_FRAME_DATA_LENGTH:
		write32(c, at + PACKET_FIELD(data_len), BEYOND);
		break;
	case FAULT_FRAME_ITEMS_OFFSET:
		write32(c, at + PACKET_FIELD(per_pkt_info_offset), BEYOND);
		write32(c, at + PACKET_FIELD(per_pkt_info_len), PPI_BYTES);
		break;
	case FAULT_FRAME_ITEMS_LENGTH:
		write32(c, at + PACKET_FIELD(per_pkt_info_offset),
			header - (uint32_t)sizeof(struct rndis_header));
		write32(c, at + PACKET_FIELD(per_pkt_info_len), BEYOND);
		break;
	case FAULT_FRAME_ITEM_SIZE:
		write32(c, at + PACKET_FIELD(per_pkt_info_offset),
			header - (uint32_t)sizeof(struct rndis_header));
		write32(c, at + PACKET_FIELD(per_pkt_info_len), PPI_BYTES);
		write32(c, at + header, BEYOND);
		break;
	default:
		guest_buffer_write(c->recv, at + RX_HEAD_AT + FRAME_TYPE_AT,
				   &random, sizeof(random));
		break;
	}
}

void netvsp_fault_put(struct netvsp_channel *c, uint32_t first)
{
	if (c->fault.action == FAULT_CORRUPT)
		lie(c, first * c->sections->bytes);
}

/* Is there room in the packet for @n ranges more? */
static bool has_room(const struct netvsp_channel *c, unsigned int n)
{
	return c->batch.n + n <= MIN(c->ranges_max, NETVSP_RANGES_MAX);
}

void netvsp_fault_added(struct netvsp_channel *c, unsigned int n)
{
	struct vmtransfer_page_range *ranges = c->batch.ranges, moved;
	struct netvsp_overtaken *o = &c->overtaken;

	if (c->is_faulty && c->fault.action == FAULT_DUPLICATE &&
	    has_room(c, n)) {
		memcpy(ranges + c->batch.n, ranges + c->batch.n - n,
		       n * sizeof(ranges[0]));
		c->batch.n += n;
	} else if (c->is_faulty && c->fault.action == FAULT_REORDER && n == 1 &&
		   !o->after) {
		*o = (struct netvsp_overtaken){.at = c->batch.n - 1,
					       .after = c->fault.n};
	} else if (o->after) {
		moved = ranges[o->at];
		memmove(ranges + o->at, ranges + o->at + 1,
			(c->batch.n - 1 - o->at) * sizeof(ranges[0]));
		o->at = c->batch.n - 1;
		ranges[o->at] = moved;
		o->after--;
	}
	c->is_faulty = false;
}

/* --- NVSP messages ------------------------------------------------------------------ */

static void fail_message(struct netvsp *s, struct nvsp_message *m,
			 uint32_t status)
{
	switch (m->msg_type) {
	case NVSP_MSG_TYPE_INIT_COMPLETE:
		m->init_complete.status = status;
		/* The guest may ask for another. */
		s->version = 0;
		break;
	case NVSP_MSG1_TYPE_SEND_RECV_BUF_COMPLETE:
		m->send_recv_buf_complete.status = status;
		break;
	case NVSP_MSG1_TYPE_SEND_SEND_BUF_COMPLETE:
		m->send_send_buf_complete.status = status;
		break;
	case NVSP_MSG5_TYPE_SUBCHANNEL:
		m->subchn_comp.status = status;
		break;
	default:
		break;
	}
}

static void lie_in_message(struct nvsp_message *m, uint32_t kind)
{
	struct nvsp_1_message_send_receive_buffer_complete *recv =
		&m->send_recv_buf_complete;

	switch (kind) {
	case FAULT_NETVSC_VERSION:
		if (m->msg_type == NVSP_MSG_TYPE_INIT_COMPLETE)
			m->init_complete.negotiated_protocol_ver =
				STRANGE_VERSION;
		break;
	case FAULT_NETVSC_SECTIONS:
		if (m->msg_type == NVSP_MSG1_TYPE_SEND_RECV_BUF_COMPLETE)
			recv->sections[0].num_sub_allocs = BEYOND;
		break;
	case FAULT_NETVSC_SECTION_ZERO:
		if (m->msg_type == NVSP_MSG1_TYPE_SEND_RECV_BUF_COMPLETE)
			recv->sections[0].sub_alloc_size = 0;
		break;
	case FAULT_NETVSC_SEND_SECTION:
		if (m->msg_type == NVSP_MSG1_TYPE_SEND_SEND_BUF_COMPLETE)
			m->send_send_buf_complete.section_size = 0;
		break;
	case FAULT_NETVSC_TABLE_OFFSET:
		if (m->msg_type == NVSP_MSG5_TYPE_SEND_INDIRECTION_TABLE)
			m->send_table.offset = BEYOND;
		break;
	default:
		break;
	}
}

bool netvsp_fault_message(struct netvsp_channel *c, struct nvsp_message *m)
{
	struct fault_hit hit;

	if (!fault_at(FAULT_NETVSC_CONTROL, channel_name(c->ch), m->msg_type,
		      &hit))
		return false;
	if (hit.action == FAULT_FAIL)
		fail_message(c->s, m, hit.value);
	else if (hit.action == FAULT_CORRUPT)
		lie_in_message(m, hit.value);
	return hit.action == FAULT_DROP;
}

/* --- RNDIS answers -------------------------------------------------------------------- */

/* The body of an answer: req_id, status, and of a query where its data are. */
static void lie_in_reply(struct netvsp_reply *r, uint32_t kind)
{
	struct rndis_query_complete body;
	struct rndis_header h;

	memcpy(&h, r->data, sizeof(h));
	memcpy(&body, r->data + sizeof(h), sizeof(body));
	switch (kind) {
	case FAULT_NETVSC_RNDIS_LENGTH:
		h.msg_len = BEYOND;
		break;
	case FAULT_NETVSC_RNDIS_INFO:
		if (h.msg_type != RNDIS_MSG_QUERY_C)
			break;
		body.info_buflen = NETVSP_REPLY_BYTES;
		body.info_buf_offset = BEYOND;
		break;
	case FAULT_NETVSC_RNDIS_ID:
		body.req_id = ~body.req_id;
		break;
	default:
		break;
	}
	memcpy(r->data, &h, sizeof(h));
	memcpy(r->data + sizeof(h), &body, sizeof(body));
}

static void fail_reply(struct netvsp_reply *r)
{
	uint32_t status = RNDIS_STATUS_FAILURE;

	memcpy(r->data + sizeof(struct rndis_header) +
		       offsetof(struct rndis_query_complete, status),
	       &status, sizeof(status));
}

bool netvsp_fault_reply(struct netvsp_channel *c, struct netvsp_reply *r)
{
	struct fault_hit hit;
	uint32_t type;

	memcpy(&type, r->data, sizeof(type));
	if (!fault_at(FAULT_NETVSC_CONTROL, channel_name(c->ch), type, &hit))
		return false;
	if (hit.action == FAULT_FAIL && type & RNDIS_MSG_COMPLETION)
		fail_reply(r);
	else if (hit.action == FAULT_CORRUPT)
		lie_in_reply(r, hit.value);
	return hit.action == FAULT_DROP;
}
