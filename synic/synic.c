/* SPDX-License-Identifier: MIT */
/*
 * Theory of operation.  What happens to a VP happens in three steps: with its
 * lock held a register is written, a message queued or a timer expired; then
 * whatever can be delivered is written to the message page; and last, still
 * under the lock, the interrupts that this made are asserted (struct visit).
 * So a guest that has stopped a timer sees no interrupt of it any more: Linux
 * frees its clock event device then (hv_stimer_global_cleanup()).  Interrupts
 * are edges, it does no harm that two of one vector become one.
 *
 * Events go past all that.  The registers are atomics that only the VP's own
 * vCPU thread writes, the event page is mapped here for good whether the
 * guest sees it or not, and setting a flag is one atomic or: a signal that
 * races with the guest switching things off is a signal that came before or
 * after it, and both are fine.  (A reset is different, it also clears the
 * page; that is why it wants the devices quiet.)
 *
 * Decisions, where the TLFS leaves room or other hosts differ:
 *
 * - SCONTROL is 0 at reset (TLFS "SCONTROL Register", and KVM; OpenVMM starts
 *   with 1).
 * - Messages for a VP whose SynIC or message page is off wait (TLFS
 *   "Reliability and Sequencing"); they are delivered when it is switched on.
 * - A masked SINT gets its message without an interrupt, which is lost (TLFS
 *   "Messages", and "EOM Register": a masked SINT can be drained).  Its event
 *   flags are not set (TLFS "Event Flag Delivery").
 * - The polling bit is as good as unmasked, without interrupts (TLFS "SINTx
 *   Registers"), where the partition has it; else it is a reserved bit.
 * - Reserved bits of SCONTROL, SIMP, SIEFP and SINTx are RsvdP: kept as
 *   written, without a meaning.
 * - A vector below 16 is #GP, but a masked SINT may hold one, as it does
 *   after reset (KVM: the same).
 * - A page beyond the guest physical address space cannot be seen by the
 *   guest, but is no fault (TLFS "SIMP Register").
 * - The pages are cleared at creation and reset only; hidden and shown again
 *   they are as the guest left them (TLFS "SIM Page"; Linux depends on it:
 *   drivers/hv/channel_mgmt.c:vmbus_wait_for_unload() empties all slots for
 *   the next kernel).
 * - Writing a timer's registers takes back a message that was not delivered
 *   yet (KVM: the same).  One that is in its slot stays: it is the guest's,
 *   whose handler may be reading it while it sets the timer anew, and its
 *   interrupt is pending before the write has returned.
 */
#include "synic/synic.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include <glib.h>

#include "base/clock.h"
#include "base/findings.h"
#include "base/trace.h"
#include "mem/overlay.h"
#include "proto/hv_tlfs.h"
#include "synic/deadlines.h"
#include "synic/event.h"
#include "synic/message.h"
#include "synic/ref_time.h"
#include "synic/stimer.h"
#include "synic/synic_impl.h"

/* --- what is on --------------------------------------------------------- */

static bool has_messages_on(const struct synic_vp *vp)
{
	return (reg_get(&vp->scontrol) & HV_SYNIC_CONTROL_ENABLE) &&
	       (reg_get(&vp->simp) & HV_OVERLAY_ENABLE);
}

static bool has_events_on(const struct synic_vp *vp)
{
	return (reg_get(&vp->scontrol) & HV_SYNIC_CONTROL_ENABLE) &&
	       (reg_get(&vp->siefp) & HV_OVERLAY_ENABLE);
}

static bool is_polled(const struct synic_vp *vp, uint64_t sint)
{
	return vp->synic->params.sint_polling && (sint & HV_SYNIC_SINT_POLLING);
}

/* Does this SINT make interrupts? */
static bool is_interrupting(const struct synic_vp *vp, uint64_t sint)
{
	return !(sint & HV_SYNIC_SINT_MASKED) && !is_polled(vp, sint);
}

/* --- visits ------------------------------------------------------------ */

/* How long a message may wait for its slot before that is a finding. */
#define NOT_TAKEN_100NS (30 * REF_TIME_PER_SEC)
/* ... and how far in the past a timer may be set. */
#define PAST_100NS      (10 * REF_TIME_PER_SEC)

struct visit synic_enter(struct synic *s, uint32_t vp)
{
	struct visit v = {.vp = &s->vps[vp]};

	pthread_mutex_lock(&v.vp->lock);
	v.now = ref_time_now(s->params.ref_time);
	return v;
}

/* Have @vector asserted at the end of the visit. */
static void raise_vector(struct visit *v, unsigned int vector, bool auto_eoi)
{
	uint64_t bit = 1ull << (vector % 64);

	/* A local APIC does not take the vectors of exceptions. */
	if (vector < HV_SYNIC_FIRST_VALID_VECTOR)
		return;
	v->vectors[vector / 64] |= bit;
	if (auto_eoi)
		v->auto_eoi[vector / 64] |= bit;
}

static void assert_vectors(const struct visit *v)
{
	const struct synic_params *p = &v->vp->synic->params;

	for (unsigned int word = 0; word < G_N_ELEMENTS(v->vectors); word++) {
		uint64_t left = v->vectors[word];

		while (left) {
			unsigned int bit = (unsigned int)__builtin_ctzll(left);

			p->ops->interrupt(p->ctx, v->vp->index,
					  (uint8_t)(word * 64 + bit),
					  v->auto_eoi[word] >> bit & 1);
			left &= left - 1;
		}
	}
}

static void note_queued(struct synic_vp *vp)
{
	uint32_t queued = 0;

	for (unsigned int i = 0; i < HV_SYNIC_SINT_COUNT; i++)
		if (vp->queue[i].head)
			queued |= 1u << i;
	atomic_store_explicit(&vp->queued, queued, memory_order_release);
}

/* Return: the SINTs that somebody waits for and that have room again. */
static uint32_t take_room(struct synic_vp *vp)
{
	uint32_t room = 0;

	for (uint32_t left = vp->wanted; left; left &= left - 1) {
		unsigned int i = (unsigned int)__builtin_ctz(left);

		if (vp->queue[i].n_posted <= SYNIC_QUEUE_MAX / 2)
			room |= 1u << i;
	}
	vp->wanted &= ~room;
	return room;
}

static void tell_room(const struct synic_vp *vp, uint32_t room)
{
	const struct synic *s = vp->synic;

	for (; room && s->room_hook; room &= room - 1)
		s->room_hook(s->room_hook_ctx, vp->index,
			     (unsigned int)__builtin_ctz(room));
}

void synic_leave(const struct visit *v)
{
	struct synic_vp *vp = v->vp;
	struct synic *s = vp->synic;
	uint64_t deadline = DEADLINE_NONE;
	uint32_t room = take_room(vp);
	bool nearer = false;

	for (unsigned int i = 0; i < HV_SYNIC_STIMER_COUNT; i++)
		deadline = MIN(deadline, stimer_deadline(&vp->timers[i].timer));
	/* Under the lock, so that the value set last is the last one. */
	if (deadline != vp->deadline) {
		vp->deadline = deadline;
		nearer = deadlines_set(s->deadlines, vp->index, deadline);
	}
	note_queued(vp);
	assert_vectors(v);
	pthread_mutex_unlock(&vp->lock);

	tell_room(vp, room);
	if (!nearer)
		return;
	if (s->hook)
		s->hook(s->hook_ctx, deadline);
	if (s->params.ops->timer_changed)
		s->params.ops->timer_changed(s->params.ctx);
}

/* --- messages ---------------------------------------------------------- */

static struct vp_timer *timer_of(struct message *m)
{
	return (void *)((char *)m - offsetof(struct vp_timer, message));
}

/* A timer's message goes into its slot: say when, and let the timer go on. */
static bool take_timer_message(struct vp_timer *t, uint64_t now)
{
	uint8_t *at = t->message.msg.payload +
		      offsetof(struct hv_timer_message_payload, delivery_time);

	t->queued = false;
	memcpy(at, &now, sizeof(now));
	return stimer_deliver(&t->timer, now);
}

/* The first message that is not to be skipped; out of the queue. */
static struct message *next_message(struct message_queue *q, uint64_t now)
{
	struct message *m;

	while ((m = message_queue_pop(q)))
		if (m->posted || take_timer_message(timer_of(m), now))
			break;
	return m;
}

static void note_waiting(const struct visit *v, unsigned int sint)
{
	uint64_t *since = &v->vp->waits_since[sint];
	char where[16];

	if (!*since) {
		*since = MAX(v->now, 1);
		return;
	}
	if (v->now - *since < NOT_TAKEN_100NS)
		return;
	*since = v->now;
	g_snprintf(where, sizeof(where), "SINT%u", sint);
	findings_hit(FINDING_MESSAGE_NOT_TAKEN, where, "of VP %u",
		     v->vp->index);
}

/* Fill the SINT's slot if it is free and something waits. */
static void deliver(struct visit *v, unsigned int sint)
{
	struct synic_vp *vp = v->vp;
	struct message_queue *q = &vp->queue[sint];
	void *slot = vp->message_page + (size_t)sint * HV_MESSAGE_SIZE;
	uint64_t value = reg_get(&vp->sint[sint]);
	struct message *m;

	if (!q->head || !has_messages_on(vp)) {
		vp->waits_since[sint] = 0;
		return;
	}
	if (!message_slot_is_free(slot)) {
		note_waiting(v, sint);
		return;
	}
	vp->waits_since[sint] = 0;
	m = next_message(q, v->now);
	if (!m)
		return;
	message_slot_write(slot, &m->msg, q->head != NULL);
	trace_event(message_deliver, vp->index, TRACE_NO_DEVICE, sint,
		    m->msg.header.message_type, q->head != NULL);
	message_free(m);
	if (is_interrupting(vp, value))
		raise_vector(v, value & HV_SYNIC_SINT_VECTOR_MASK,
			     value & HV_SYNIC_SINT_AUTO_EOI);
}

void synic_deliver_all(struct visit *v)
{
	for (unsigned int i = 0; i < HV_SYNIC_SINT_COUNT; i++)
		deliver(v, i);
}

int synic_message_post(struct synic *synic, uint32_t vp, unsigned int sint,
		       const struct hv_message *message)
{
	struct message_queue *q;
	struct visit v;
	int err;

	if (vp >= synic->params.n_vps || sint >= HV_SYNIC_SINT_COUNT ||
	    message->header.message_type == HVMSG_NONE ||
	    message->header.payload_size > HV_MESSAGE_PAYLOAD_MAX)
		return -EINVAL;
	v = synic_enter(synic, vp);
	q = &v.vp->queue[sint];
	err = message_queue_post(q, message, SYNIC_QUEUE_MAX);
	deliver(&v, sint);
	if (err) /* that may have made room */
		err = message_queue_post(q, message, SYNIC_QUEUE_MAX);
	if (err)
		v.vp->wanted |= 1u << sint;
	trace_event(message_queue, vp, TRACE_NO_DEVICE, sint,
		    message->header.message_type, err);
	synic_leave(&v);
	return err;
}

void synic_message_drop(struct synic *synic, uint32_t vp, unsigned int sint)
{
	struct visit v;

	if (vp >= synic->params.n_vps || sint >= HV_SYNIC_SINT_COUNT)
		return;
	v = synic_enter(synic, vp);
	message_queue_drop_posted(&v.vp->queue[sint]);
	synic_leave(&v);
}

void synic_set_room_hook(struct synic *synic,
			 void (*hook)(void *ctx, uint32_t vp,
				      unsigned int sint),
			 void *ctx)
{
	synic->room_hook = hook;
	synic->room_hook_ctx = ctx;
}

void synic_eoi(struct synic *synic, uint32_t vp, uint8_t vector)
{
	struct visit v;

	if (vp >= synic->params.n_vps ||
	    !atomic_load_explicit(&synic->vps[vp].queued, memory_order_acquire))
		return;
	v = synic_enter(synic, vp);
	for (unsigned int i = 0; i < HV_SYNIC_SINT_COUNT; i++) {
		uint64_t sint = reg_get(&v.vp->sint[i]);

		if ((sint & HV_SYNIC_SINT_VECTOR_MASK) == vector)
			deliver(&v, i);
	}
	synic_leave(&v);
}

/* --- events ------------------------------------------------------------ */

/* Without a lock, at once.  @sint: the register. */
static int assert_sint(const struct synic_vp *vp, uint64_t sint)
{
	const struct synic_params *p = &vp->synic->params;

	if (!is_interrupting(vp, sint))
		return -ENOTCONN;
	p->ops->interrupt(p->ctx, vp->index, sint & HV_SYNIC_SINT_VECTOR_MASK,
			  sint & HV_SYNIC_SINT_AUTO_EOI);
	return 0;
}

static int set_event(struct synic *synic, uint32_t vp_index, unsigned int sint,
		     unsigned int flag)
{
	const struct synic_vp *vp;
	uint64_t value;

	if (vp_index >= synic->params.n_vps || sint >= HV_SYNIC_SINT_COUNT ||
	    flag >= HV_EVENT_FLAGS_COUNT)
		return -EINVAL;
	vp = &synic->vps[vp_index];
	value = reg_get(&vp->sint[sint]);
	if (!has_events_on(vp))
		return -ENOTCONN;
	if ((value & HV_SYNIC_SINT_MASKED) && !is_polled(vp, value))
		return -ENOTCONN;
	if (!event_flag_set(vp->event_page, sint, flag))
		return 0;
	assert_sint(vp, value);
	return 1;
}

int synic_event_set(struct synic *synic, uint32_t vp, unsigned int sint,
		    unsigned int flag)
{
	int ret = set_event(synic, vp, sint, flag);

	trace_event(event_flag, vp, TRACE_NO_DEVICE, sint, flag, ret);
	return ret;
}

int synic_sint_raise(struct synic *synic, uint32_t vp, unsigned int sint)
{
	if (vp >= synic->params.n_vps || sint >= HV_SYNIC_SINT_COUNT)
		return -EINVAL;
	return assert_sint(&synic->vps[vp],
			   reg_get(&synic->vps[vp].sint[sint]));
}

/* --- timers ------------------------------------------------------------ */

static void send_timer_message(struct visit *v, struct vp_timer *t,
			       const struct stimer_signal *signal)
{
	struct hv_timer_message_payload payload = {
		.timer_index = (uint32_t)(t - v->vp->timers),
		.expiration_time = signal->expiration,
	};
	struct hv_message *msg = &t->message.msg;

	msg->header = (struct hv_message_header){
		.message_type = HVMSG_TIMER_EXPIRED,
		.payload_size = sizeof(payload),
	};
	memcpy(msg->payload, &payload, sizeof(payload));
	t->sint = signal->sint;
	t->queued = true;
	message_queue_add(&v->vp->queue[t->sint], &t->message);
	deliver(v, t->sint);
}

static void expire(struct visit *v)
{
	for (unsigned int i = 0; i < HV_SYNIC_STIMER_COUNT; i++) {
		struct vp_timer *t = &v->vp->timers[i];
		struct stimer_signal signal;

		if (!stimer_expire(&t->timer, v->now, &signal))
			continue;
		trace_event(stimer_fire, v->vp->index, TRACE_NO_DEVICE, i,
			    signal.expiration, v->now, signal.direct,
			    signal.direct ? signal.vector : signal.sint);
		if (signal.direct)
			raise_vector(v, signal.vector, false);
		else
			send_timer_message(v, t, &signal);
	}
}

/* Take back the message of a timer that is programmed anew. */
static void recall(struct synic_vp *vp, struct vp_timer *t)
{
	if (t->queued)
		message_queue_remove(&vp->queue[t->sint], &t->message);
	t->queued = false;
}

static void judge_config(const struct visit *v, unsigned int n, uint64_t value)
{
	char where[16];

	if (!(value & HV_STIMER_ENABLE) || value & HV_STIMER_DIRECT_MODE ||
	    value >> HV_STIMER_SINTX_SHIFT & HV_STIMER_SINTX_MASK)
		return;
	g_snprintf(where, sizeof(where), "STIMER%u", n);
	findings_hit(FINDING_STIMER_NO_TARGET, where,
		     "config 0x%" G_GINT64_MODIFIER "x of VP %u", value,
		     v->vp->index);
}

static void judge_count(const struct visit *v, unsigned int n)
{
	const struct stimer *t = &v->vp->timers[n].timer;
	char where[16];

	if (!(t->config & HV_STIMER_ENABLE) || !t->count ||
	    t->config & HV_STIMER_PERIODIC || v->now < t->count ||
	    v->now - t->count < PAST_100NS)
		return;
	g_snprintf(where, sizeof(where), "STIMER%u", n);
	findings_hit(FINDING_STIMER_PAST, where,
		     "count %" G_GINT64_MODIFIER "u at %" G_GINT64_MODIFIER
		     "u of VP %u",
		     t->count, v->now, v->vp->index);
}

int synic_timer_write(struct visit *v, uint32_t msr, uint64_t value)
{
	unsigned int n = msr - HV_X64_MSR_STIMER0_CONFIG;
	struct vp_timer *t = &v->vp->timers[n / 2];

	if (n % 2)
		stimer_set_count(&t->timer, value, v->now);
	else if (stimer_set_config(&t->timer, value, v->now,
				   v->vp->synic->params.direct_timers))
		return -EINVAL;
	recall(v->vp, t);
	if (n % 2)
		judge_count(v, n / 2);
	else
		judge_config(v, n / 2, value);
	trace_event(stimer_set, v->vp->index, TRACE_NO_DEVICE, n / 2,
		    t->timer.config, t->timer.count, v->now);
	/* A one-shot in the past goes off at once. */
	expire(v);
	return 0;
}

uint64_t synic_next_deadline(struct synic *synic)
{
	return deadlines_earliest(synic->deadlines);
}

void synic_run_timers(struct synic *synic)
{
	/* After its visit a VP is not due before time has gone on. */
	for (unsigned int n = 0; n < synic->params.n_vps; n++) {
		uint64_t now = ref_time_now(synic->params.ref_time);
		int due = deadlines_due(synic->deadlines, now);
		struct visit v;

		if (due < 0)
			return;
		v = synic_enter(synic, (uint32_t)due);
		expire(&v);
		synic_leave(&v);
	}
}

void synic_set_timer_hook(struct synic *synic,
			  void (*hook)(void *ctx, uint64_t deadline), void *ctx)
{
	synic->hook = hook;
	synic->hook_ctx = ctx;
}

/* --- life --------------------------------------------------------------- */

static void vp_reset(struct synic *s, uint32_t index)
{
	struct visit v = synic_enter(s, index);
	struct synic_vp *vp = v.vp;

	reg_set(&vp->scontrol, 0);
	reg_set(&vp->simp, 0);
	reg_set(&vp->siefp, 0);
	for (unsigned int i = 0; i < HV_SYNIC_SINT_COUNT; i++) {
		reg_set(&vp->sint[i], HV_SYNIC_SINT_MASKED);
		message_queue_clear(&vp->queue[i]);
	}
	vp->wanted = 0;
	memset(vp->waits_since, 0, sizeof(vp->waits_since));
	for (unsigned int i = 0; i < HV_SYNIC_STIMER_COUNT; i++) {
		stimer_reset(&vp->timers[i].timer);
		vp->timers[i].queued = false;
	}
	overlay_hide(vp->simp_overlay);
	overlay_hide(vp->siefp_overlay);
	memset(vp->message_page, 0, HV_PAGE_SIZE);
	memset(vp->event_page, 0, HV_PAGE_SIZE);
	synic_leave(&v);
}

static void vp_init(struct synic *s, struct synic_vp *vp, uint32_t index)
{
	vp->synic = s;
	vp->index = index;
	vp->simp_overlay = overlay_new(s->params.overlays);
	vp->siefp_overlay = overlay_new(s->params.overlays);
	vp->message_page = overlay_page(vp->simp_overlay);
	vp->event_page = overlay_page(vp->siefp_overlay);
	vp->deadline = DEADLINE_NONE;
	pthread_mutex_init(&vp->lock, NULL);
	vp_reset(s, index);
}

struct synic *synic_new(const struct synic_params *params)
{
	struct synic *s = g_aligned_alloc0(
		1, sizeof(*s) + params->n_vps * sizeof(s->vps[0]), CACHE_LINE);

	s->params = *params;
	s->deadlines = deadlines_new(params->n_vps);
	for (uint32_t i = 0; i < params->n_vps; i++)
		vp_init(s, &s->vps[i], i);
	return s;
}

void synic_free(struct synic *synic)
{
	if (!synic)
		return;
	for (unsigned int i = 0; i < synic->params.n_vps; i++) {
		vp_reset(synic, i);
		pthread_mutex_destroy(&synic->vps[i].lock);
	}
	deadlines_free(synic->deadlines);
	g_aligned_free(synic);
}

unsigned int synic_overlays_needed(unsigned int n_vps)
{
	return 2 * n_vps;
}

void synic_reset(struct synic *synic)
{
	for (unsigned int i = 0; i < synic->params.n_vps; i++)
		vp_reset(synic, i);
}
