/* SPDX-License-Identifier: MIT */
/*
 * protocol.c - what the guest's driver and a controller say to each
 * other, but for commands.
 *
 * The guest starts with BEGIN_INITIALIZATION on the primary channel, offers
 * one version after the other, asks for properties, ends with
 * END_INITIALIZATION, and asks for sub-channels before that or after it; these
 * take commands at once.  Out of turn it is refused by a status.  When the
 * primary is closed all starts over, and the sub-channels go.
 *
 * A reset waits for what is in flight, on all channels: its request is
 * remembered, each channel says when it is empty, and the last one has the
 * primary answer.  Meanwhile commands stay in the guest's rings.
 *
 * An answer is as long as its request: a guest that has not heard of the
 * version yet sends 48 bytes, and has room for no more.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/findings.h"
#include "base/log.h"
#include "base/trace.h"
#include "vsp/storvsp/impl.h"

#define LOG_CATEGORY "storage"

/* What an answer takes of the ring to the guest. */
#define SLOT_BYTES \
	(PACKET_HEADER + (uint32_t)sizeof(struct vstor_packet) + PACKET_TRAILER)

/* --- room ------------------------------------------------------------------ */

static bool is_reset_on(const struct storvsp_channel *c)
{
	return storvsp_is_primary(c) && c->s->resetting;
}

bool storvsp_has_room(struct storvsp_channel *c)
{
	uint32_t answers = c->in_flight + is_reset_on(c) + 1;

	if (channel_has_room(c->ch, answers * SLOT_BYTES - PACKET_HEADER -
					    PACKET_TRAILER))
		return true;
	/* The ring may be too small for so many at any time. */
	c->stalled = true;
	return false;
}

static int answer(struct storvsp_channel *c, uint64_t trans_id,
		  struct vstor_packet *p, uint32_t bytes, uint32_t status)
{
	p->operation = VSTOR_OPERATION_COMPLETE_IO;
	p->flags = 0;
	p->status = status;
	storvsp_fault_answer(c, p);
	trace_bytes(storvsc_packet, TRACE_NO_VP, channel_trace(c->ch), p, bytes,
		    TRACE_TO_GUEST, trans_id);
	return channel_complete(c->ch, trans_id, p, bytes);
}

/* --- initialization ---------------------------------------------------------- */

static bool speaks(const struct storvsp *s, uint16_t version)
{
	uint32_t host = s->params.vsp.host_version;

	switch (version) {
	case VMSTOR_PROTO_VERSION_WIN6:
	case VMSTOR_PROTO_VERSION_WIN7:
	case VMSTOR_PROTO_VERSION_WIN8:
		return true;
	case VMSTOR_PROTO_VERSION_WIN8_1:
		return host >= VERSION_WIN8_1;
	case VMSTOR_PROTO_VERSION_WIN10:
		return host >= VERSION_WIN10;
	default:
		return false;
	}
}

static unsigned int max_sub_channels(const struct storvsp *s)
{
	return s->version >= VMSTOR_PROTO_VERSION_WIN8 ? s->n_channels - 1 : 0;
}

static uint32_t query_version(struct storvsp *s, const struct vstor_packet *p)
{
	if (!speaks(s, p->version.major_minor))
		return NT_STATUS_REVISION_MISMATCH;
	s->version = p->version.major_minor;
	s->state = STORVSP_PROPERTIES;
	return NT_STATUS_SUCCESS;
}

static uint32_t query_properties(struct storvsp *s, struct vstor_packet *p)
{
	unsigned int n = max_sub_channels(s);

	memset(&p->vm_srb, 0, sizeof(p->vm_srb));
	p->storage_channel_properties = (struct vmstorage_channel_properties){
		.max_channel_cnt = (uint16_t)n,
		.flags = n ? STORAGE_CHANNEL_SUPPORTS_MULTI_CHANNEL : 0,
		.max_transfer_bytes = STORVSP_TRANSFER_MAX,
	};
	s->state = STORVSP_END;
	return NT_STATUS_SUCCESS;
}

static uint32_t end_initialization(struct storvsp *s, uint32_t bytes)
{
	s->notice_bytes = bytes;
	/* Whatever there is the guest is going to see anyway. */
	s->notice = false;
	s->state = STORVSP_READY;
	if (s->params.vsp.ready)
		s->params.vsp.ready(s->params.vsp.ctx);
	return NT_STATUS_SUCCESS;
}

static uint32_t create_sub_channels(struct storvsp *s, unsigned int n)
{
	if (s->state < STORVSP_END)
		return NT_STATUS_INVALID_DEVICE_STATE;
	if (n > max_sub_channels(s))
		return NT_STATUS_INVALID_PARAMETER;
	for (unsigned int i = s->sub_channels + 1; i <= n; i++)
		channel_offer(s->channels[i]->ch);
	s->sub_channels = MAX(s->sub_channels, n);
	return NT_STATUS_SUCCESS;
}

/* Is it the turn of @operation? */
static bool is_due(const struct storvsp *s, uint32_t operation)
{
	static const uint32_t due[] = {
		[STORVSP_BEGIN] = VSTOR_OPERATION_BEGIN_INITIALIZATION,
		[STORVSP_VERSION] = VSTOR_OPERATION_QUERY_PROTOCOL_VERSION,
		[STORVSP_PROPERTIES] = VSTOR_OPERATION_QUERY_PROPERTIES,
		[STORVSP_END] = VSTOR_OPERATION_END_INITIALIZATION,
	};

	return s->state != STORVSP_READY && operation == due[s->state];
}

/* Return: NTSTATUS; @p becomes the answer. */
static uint32_t initialize(struct storvsp *s, struct vstor_packet *p,
			   uint32_t bytes)
{
	if (!is_due(s, p->operation))
		return NT_STATUS_INVALID_DEVICE_STATE;
	switch (p->operation) {
	case VSTOR_OPERATION_BEGIN_INITIALIZATION:
		s->state = STORVSP_VERSION;
		return NT_STATUS_SUCCESS;
	case VSTOR_OPERATION_QUERY_PROTOCOL_VERSION:
		return query_version(s, p);
	case VSTOR_OPERATION_QUERY_PROPERTIES:
		return query_properties(s, p);
	default:
		return end_initialization(s, bytes);
	}
}

/* --- reset --------------------------------------------------------------------- */

static void begin_reset(struct storvsp *s, uint64_t trans_id,
			const struct vstor_packet *p, uint32_t bytes)
{
	s->reset_trans_id = trans_id;
	s->reset_packet = *p;
	s->reset_bytes = bytes;
	s->reset_left = s->n_channels;
	s->resetting = true;
	for (unsigned int i = 0; i < s->n_channels; i++)
		worker_queue(s->channels[i]->worker, &s->channels[i]->drain);
}

static void drained(struct storvsp_channel *c)
{
	if (atomic_fetch_sub(&c->s->reset_left, 1) == 1)
		channel_wake(c->s->channels[0]->ch);
}

void storvsp_run_drain(struct worker_task *task)
{
	struct storvsp_channel *c = STORVSP_CHANNEL_OF(task, drain);

	c->draining = c->in_flight != 0;
	if (c->draining)
		storvsp_hurry(c, true);
	else
		drained(c);
}

void storvsp_run_resume(struct worker_task *task)
{
	struct storvsp_channel *c = STORVSP_CHANNEL_OF(task, resume);

	c->stalled = false;
	channel_resume(c->ch);
}

static void finish_close(struct storvsp_channel *c)
{
	if (!c->closing || c->in_flight || is_reset_on(c))
		return;
	c->closing = false;
	storvsp_hurry(c, false);
	channel_closed(c->ch);
}

/* All channels are empty: answer. */
static void finish_reset(struct storvsp_channel *c)
{
	struct storvsp *s = c->s;
	struct vstor_packet *p = &s->reset_packet;
	bool all = p->operation != VSTOR_OPERATION_RESET_LUN;

	for (unsigned int i = 0; i < STORVSP_LUNS; i++) {
		if (c->units[i].lun && (all || i == p->vm_srb.lun))
			scsi_lun_reset(c->units[i].lun);
	}
	answer(c, s->reset_trans_id, p, s->reset_bytes, NT_STATUS_SUCCESS);
	s->resets++;
	s->resetting = false;
	for (unsigned int i = 0; i < s->n_channels; i++)
		worker_queue(s->channels[i]->worker, &s->channels[i]->resume);
	finish_close(c);
}

void storvsp_idle(struct storvsp_channel *c)
{
	if (c->draining) {
		c->draining = false;
		storvsp_hurry(c, false);
		drained(c);
	}
	finish_close(c);
}

/* --- packets ------------------------------------------------------------------- */

static int refuse(struct storvsp_channel *c, uint64_t trans_id,
		  struct vstor_packet *p, uint32_t bytes, uint32_t status)
{
	storvsp_count(&c->n.refused, 1);
	/* Older versions than the guest's newest are asked for in turn. */
	if (status != NT_STATUS_REVISION_MISMATCH)
		findings_hit(FINDING_STORAGE_ORDER, channel_name(c->ch),
			     "operation %u: 0x%08x", p->operation, status);
	return answer(c, trans_id, p, bytes, status);
}

static int on_reset(struct storvsp_channel *c, uint64_t trans_id,
		    struct vstor_packet *p, uint32_t bytes)
{
	if (c->s->state != STORVSP_READY)
		return refuse(c, trans_id, p, bytes,
			      NT_STATUS_INVALID_DEVICE_STATE);
	if (c->s->resetting) {
		c->stalled = true;
		return -EAGAIN;
	}
	begin_reset(c->s, trans_id, p, bytes);
	return 0;
}

static int on_request(struct storvsp_channel *c, uint64_t trans_id,
		      struct vstor_packet *p, uint32_t bytes)
{
	enum fault_action fault;
	uint32_t status;

	if (!storvsp_has_room(c))
		return -EAGAIN;
	if (storvsp_fault_control(c, p->operation, &fault, &status))
		return fault == FAULT_FAIL
			       ? refuse(c, trans_id, p, bytes, status)
			       : 0;
	if (!storvsp_is_primary(c))
		return refuse(c, trans_id, p, bytes,
			      NT_STATUS_INVALID_DEVICE_STATE);
	switch (p->operation) {
	case VSTOR_OPERATION_BEGIN_INITIALIZATION:
	case VSTOR_OPERATION_QUERY_PROTOCOL_VERSION:
	case VSTOR_OPERATION_QUERY_PROPERTIES:
	case VSTOR_OPERATION_END_INITIALIZATION:
		status = initialize(c->s, p, bytes);
		break;
	case VSTOR_OPERATION_CREATE_SUB_CHANNELS:
		status = create_sub_channels(c->s, p->sub_channel_count);
		break;
	case VSTOR_OPERATION_RESET_LUN:
	case VSTOR_OPERATION_RESET_ADAPTER:
	case VSTOR_OPERATION_RESET_BUS:
		return on_reset(c, trans_id, p, bytes);
	default:
		/* FCHBA_DATA, too: there is no Fibre Channel. */
		status = NT_STATUS_INVALID_DEVICE_REQUEST;
		break;
	}
	if (status)
		return refuse(c, trans_id, p, bytes, status);
	return answer(c, trans_id, p, bytes, NT_STATUS_SUCCESS);
}

static int on_packet(void *ctx, const struct packet *packet)
{
	struct storvsp_channel *c = ctx;
	struct vstor_packet p = {0};
	int err;

	if (packet->type == VM_PKT_COMP) {
		findings_hit(FINDING_COMPLETION_UNKNOWN, channel_name(c->ch),
			     "transaction 0x%" PRIx64, packet->trans_id);
		return 0;
	}
	if (packet->bytes < VSTOR_PACKET_V1_SIZE || packet->bytes > sizeof(p) ||
	    !packet->wants_completion)
		findings_hit(FINDING_STORAGE_PACKET, channel_name(c->ch),
			     "%u bytes%s", packet->bytes,
			     packet->wants_completion ? "" : ", no completion");
	if (packet->bytes < VSTOR_PACKET_V1_SIZE || packet->bytes > sizeof(p))
		return -EPROTO;
	if (!packet->wants_completion) {
		/* There is nothing that it could be told. */
		storvsp_count(&c->n.refused, 1);
		return 0;
	}
	memcpy(&p, packet->data, packet->bytes);
	if (p.operation == VSTOR_OPERATION_EXECUTE_SRB)
		return storvsp_execute(c, packet, &p);
	trace_bytes(storvsc_packet, TRACE_NO_VP, channel_trace(c->ch), &p,
		    packet->bytes, TRACE_FROM_GUEST, packet->trans_id);
	err = on_request(c, packet->trans_id, &p, packet->bytes);
	if (!err)
		log_debug("channel %s: operation %u", channel_name(c->ch),
			  p.operation);
	return err;
}

static void on_batch_end(void *ctx)
{
	storvsp_kick(ctx);
}

/* --- changes of units -------------------------------------------------------------- */

/* Tell the guest that units came or went. */
static void send_notice(struct storvsp_channel *c)
{
	struct vstor_packet p = {.operation = VSTOR_OPERATION_ENUMERATE_BUS};
	struct storvsp *s = c->s;

	/* Older ones do not know it (OpenVMM does the same). */
	if (!s->notice || s->state != STORVSP_READY ||
	    s->version < VMSTOR_PROTO_VERSION_WIN7)
		return;
	if (!storvsp_has_room(c) || channel_send(c->ch, &p, s->notice_bytes))
		return;
	trace_bytes(storvsc_packet, TRACE_NO_VP, channel_trace(c->ch), &p,
		    s->notice_bytes, TRACE_TO_GUEST, 0);
	s->notice = false;
}

static void on_wake(void *ctx)
{
	struct storvsp_channel *c = ctx;

	if (!storvsp_is_primary(c))
		return;
	if (c->s->resetting && !c->s->reset_left)
		finish_reset(c);
	if (channel_is_open(c->ch))
		send_notice(c);
}

static void on_writable(void *ctx)
{
	struct storvsp_channel *c = ctx;

	if (storvsp_is_primary(c))
		send_notice(c);
}

/* --- opening and closing -------------------------------------------------------------- */

static int on_open(void *ctx, const struct channel_open *open)
{
	struct storvsp_channel *c = ctx;

	(void)open;
	c->stalled = false;
	/* A driver that starts believes in none that went before. */
	for (unsigned int i = 0; i < STORVSP_LUNS; i++)
		c->units[i].gone_since = 0;
	if (storvsp_is_primary(c)) {
		c->s->state = STORVSP_BEGIN;
		c->s->version = 0;
	}
	return 0;
}

static int on_close(void *ctx)
{
	struct storvsp_channel *c = ctx;
	struct storvsp *s = c->s;

	if (storvsp_is_primary(c)) {
		s->state = STORVSP_BEGIN;
		s->unseen = 0;
		s->sub_channels = 0;
		for (unsigned int i = 1; i < s->n_channels; i++)
			channel_rescind(s->channels[i]->ch);
	}
	c->closing = c->in_flight || is_reset_on(c);
	if (!c->closing)
		return 0;
	storvsp_hurry(c, true);
	return -EINPROGRESS;
}

const struct channel_ops storvsp_channel_ops = {
	.open = on_open,
	.packet = on_packet,
	.batch_end = on_batch_end,
	.writable = on_writable,
	.wake = on_wake,
	.close = on_close,
};
