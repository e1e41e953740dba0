/* SPDX-License-Identifier: MIT */
/*
 * fault.c - what a controller does wrong when rules want it.
 *
 * A command that fails by a rule never gets to its unit.  One that is late has
 * been done, and its memory is the guest's still: it stays in flight, so that
 * whoever waits for commands in flight waits for it, or has it hurried.  One
 * that is lost has been done, too, and no answer ever comes.
 */
#include "base/clock.h"
#include "base/fault_kinds.h"
#include "proto/scsi.h"
#include "vsp/storvsp/impl.h"

/* Numbers that mean nothing to anybody. */
#define STRANGE_STATUS    0x3Fu
#define STRANGE_OPERATION 0x7FFFu

/* --- commands ------------------------------------------------------------------ */

bool storvsp_fault_begin(struct storvsp_request *r)
{
	r->is_faulty =
		fault_at(FAULT_STORVSC_COMMAND, channel_name(r->channel->ch),
			 r->scsi.cdb[0], &r->fault);
	if (!r->is_faulty || r->fault.action != FAULT_FAIL)
		return false;
	scsi_fail(&r->scsi, r->fault.value);
	return true;
}

void storvsp_fault_lie(struct storvsp_request *r)
{
	struct vmscsi_request *srb = &r->packet.vm_srb;

	if (r->fault.action != FAULT_CORRUPT)
		return;
	switch (r->fault.value) {
	case FAULT_COMMAND_DATA_LENGTH:
		srb->data_transfer_length = UINT32_MAX;
		break;
	case FAULT_COMMAND_SENSE_LENGTH:
		srb->sense_info_length = UINT8_MAX;
		srb->srb_status = SRB_STATUS_ERROR | SRB_STATUS_AUTOSENSE_VALID;
		srb->scsi_status = SAM_STAT_CHECK_CONDITION;
		break;
	case FAULT_COMMAND_SRB_STATUS:
		srb->srb_status = STRANGE_STATUS;
		break;
	case FAULT_COMMAND_SCSI_STATUS:
		srb->scsi_status = STRANGE_STATUS;
		break;
	default:
		r->packet.operation = STRANGE_OPERATION;
		break;
	}
}

/* --- late ones ------------------------------------------------------------------ */

static void set_timer(struct storvsp_channel *c)
{
	if (c->late)
		worker_timer_set(c->worker, &c->late_timer, c->late->due);
	else
		worker_timer_stop(c->worker, &c->late_timer);
}

/* Sorted; of the same moment the first comes first. */
static void put_off(struct storvsp_request *r, uint64_t due)
{
	struct storvsp_channel *c = r->channel;
	struct storvsp_request **at = &c->late;

	r->due = due;
	while (*at && (*at)->due <= due)
		at = &(*at)->next_late;
	r->next_late = *at;
	*at = r;
	set_timer(c);
}

static void answer_until(struct storvsp_channel *c, uint64_t now)
{
	channel_hold(c->ch);
	while (c->late && c->late->due <= now) {
		struct storvsp_request *r = c->late;

		c->late = r->next_late;
		storvsp_answer(r);
	}
	channel_unhold(c->ch);
	set_timer(c);
}

static void run_late(struct worker_timer *timer)
{
	struct storvsp_channel *c = STORVSP_CHANNEL_OF(timer, late_timer);

	c->now = clock_monotonic_ns();
	answer_until(c, c->now);
}

void storvsp_fault_hurry(struct storvsp_channel *c)
{
	if (c->late)
		answer_until(c, UINT64_MAX);
}

bool storvsp_fault_done(struct storvsp_request *r)
{
	if (r->fault.action == FAULT_DROP) {
		storvsp_forget(r);
		return true;
	}
	/* Nobody waits for long who waits for all that is in flight. */
	if (r->fault.action != FAULT_DELAY || r->channel->closing ||
	    r->channel->draining || (r->unit && r->unit->change))
		return false;
	put_off(r,
		clock_monotonic_ns() + (uint64_t)r->fault.ms * NSEC_PER_MSEC);
	return true;
}

void storvsp_fault_init(struct storvsp_channel *c)
{
	c->late_timer.run = run_late;
	c->lie = FAULT_ANY;
}

/* --- other requests --------------------------------------------------------------- */

bool storvsp_fault_control(struct storvsp_channel *c, uint32_t operation,
			   enum fault_action *action, uint32_t *status)
{
	struct fault_hit hit;

	c->lie = FAULT_ANY;
	if (!fault_at(FAULT_STORVSC_CONTROL, channel_name(c->ch), operation,
		      &hit))
		return false;
	*action = hit.action;
	*status = hit.value;
	if (hit.action != FAULT_CORRUPT)
		return true;
	c->lie = hit.value;
	return false;
}

void storvsp_fault_answer(struct storvsp_channel *c, struct vstor_packet *p)
{
	struct vmstorage_channel_properties *properties =
		&p->storage_channel_properties;
	uint32_t lie = c->lie;

	c->lie = FAULT_ANY;
	switch (lie) {
	case FAULT_STORVSC_CHANNELS:
		properties->max_channel_cnt = UINT16_MAX;
		properties->flags |= STORAGE_CHANNEL_SUPPORTS_MULTI_CHANNEL;
		break;
	case FAULT_STORVSC_TRANSFER_ZERO:
		properties->max_transfer_bytes = 0;
		break;
	case FAULT_STORVSC_TRANSFER_BEYOND:
		properties->max_transfer_bytes = UINT32_MAX;
		break;
	case FAULT_STORVSC_OPERATION:
		p->operation = STRANGE_OPERATION;
		break;
	default:
		break;
	}
}
