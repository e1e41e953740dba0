/* SPDX-License-Identifier: MIT */
#include "vsp/vmbus/message_fault.h"

#include <errno.h>
#include <string.h>

#include <glib.h>

#include "base/clock.h"
#include "base/fault_kinds.h"
#include "vsp/vmbus/chanmsg.h"

/* The longest that one waits for others to overtake it. */
#define HOLD_NS       NSEC_PER_SEC
/* Relids and types that there are not. */
#define STRANGE_RELID (MAX_CHANNEL_RELIDS - 2u)
#define RELID_BEYOND  0x00FFFFF0u
#define STRANGE_TYPE  0x0000FFF0u

static void put32(struct fault_message *m, size_t at, uint32_t value)
{
	if (at + sizeof(value) <= sizeof(m->data))
		memcpy(m->data + at, &value, sizeof(value));
}

/* Where a message says which channel it is about. */
static size_t relid_at(uint32_t type)
{
	if (type == CHANNELMSG_OFFERCHANNEL)
		return offsetof(struct vmbus_channel_offer_channel,
				child_relid);
	/* all others that have one have it first */
	return sizeof(struct vmbus_channel_message_header);
}

static void garbage(struct fault_message *m, uint64_t random)
{
	const size_t from = sizeof(struct vmbus_channel_message_header);
	size_t to = MIN(m->size, sizeof(m->data));

	if (to > from)
		fault_fill(m->data + from, to - from, random);
}

static void corrupt(struct fault_message *m, const struct fault_hit *hit)
{
	uint32_t type = chanmsg_peek(m->data, m->size);

	switch (hit->value) {
	case FAULT_MESSAGE_TYPE:
		put32(m, 0, STRANGE_TYPE);
		break;
	case FAULT_MESSAGE_RELID:
		put32(m, relid_at(type), STRANGE_RELID);
		break;
	case FAULT_MESSAGE_RELID_BEYOND:
		put32(m, relid_at(type), RELID_BEYOND);
		break;
	case FAULT_MESSAGE_SHORT:
		m->size = sizeof(struct vmbus_channel_message_header);
		break;
	default:
		garbage(m, hit->random);
		break;
	}
}

/* --- one message ------------------------------------------------------------- */

static void hold(struct message_fault *f, const struct fault_message *m,
		 unsigned int after, uint64_t now)
{
	f->held = *m;
	f->holding = true;
	f->after = after;
	f->held_until = now + HOLD_NS;
}

/* What becomes of a message that was not seen before. */
static void decide(struct message_fault *f, const struct fault_message *m,
		   uint64_t now)
{
	f->decided = true;
	f->copies = 1;
	f->until = 0;
	f->corrupt = false;
	if (!fault_at(FAULT_VMBUS_MESSAGE_OUT, NULL,
		      chanmsg_peek(m->data, m->size), &f->hit))
		return;
	switch (f->hit.action) {
	case FAULT_DELAY:
		f->until = now + (uint64_t)f->hit.ms * NSEC_PER_MSEC;
		break;
	case FAULT_DROP:
		f->copies = 0;
		break;
	case FAULT_DUPLICATE:
		f->copies = 2;
		break;
	case FAULT_STORM:
		f->copies = 1 + f->hit.n;
		break;
	case FAULT_CORRUPT:
		f->corrupt = true;
		break;
	case FAULT_REORDER:
		/* One at a time. */
		if (f->holding)
			break;
		hold(f, m, f->hit.n + 1, now);
		f->copies = 0;
		break;
	default:
		break;
	}
}

static void let_go(struct message_fault *f, fault_post_fn post, void *ctx)
{
	/* Who has no room says when there is. */
	f->after = 0;
	f->held_until = UINT64_MAX;
	f->holding = post(ctx, &f->held) == -EAGAIN;
}

void message_fault_run(struct message_fault *f, uint64_t now,
		       fault_post_fn post, void *ctx)
{
	if (f->holding && (!f->after || now >= f->held_until))
		let_go(f, post, ctx);
}

int message_fault_post(struct message_fault *f, const struct fault_message *m,
		       uint64_t now, fault_post_fn post, void *ctx)
{
	struct fault_message wrong;
	int err = 0;

	message_fault_run(f, now, post, ctx);
	if (f->holding && !f->after)
		return -EAGAIN;
	if (!f->decided)
		decide(f, m, now);
	if (now < f->until)
		return -EAGAIN;
	f->until = 0;
	if (f->corrupt) {
		wrong = *m;
		corrupt(&wrong, &f->hit);
		m = &wrong;
	}
	for (; f->copies && !err; f->copies--) {
		err = post(ctx, m);
		if (err == -EAGAIN)
			return err;
	}
	f->decided = false;
	if (f->holding)
		f->after--;
	message_fault_run(f, now, post, ctx);
	return err;
}

uint64_t message_fault_deadline(const struct message_fault *f)
{
	uint64_t held = f->holding ? f->held_until : UINT64_MAX;

	return f->decided && f->until && f->until < held ? f->until : held;
}

void message_fault_reset(struct message_fault *f)
{
	*f = (struct message_fault){0};
}
