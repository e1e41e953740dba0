/* SPDX-License-Identifier: MIT */
/*
 * channel_io.c - packets of a channel: the data task, sending, interrupts.
 *
 * The data task runs when the guest signals, when there is room again that
 * was waited for, and when the device wants packets again.  A run takes a
 * batch of packets; while there are more it queues itself anew, so that other
 * channels of the worker get their turn.  From its first packet until the
 * ring is empty the guest is asked not to signal (interrupt_mask); also while
 * the device does not want any.
 *
 * A guest that signals for nothing, more often than it may, is not listened to
 * for a while: its signals only count.  Then the ring is looked at, so what it
 * put meanwhile is late, and not lost.
 *
 * What the guest must know it is told at the end of the outermost callback
 * (channel_leave()): packets that were put, room that was made, room that is
 * waited for; one interrupt for all.
 */
#include <assert.h>
#include <errno.h>

#include "base/clock.h"
#include "base/findings.h"
#include "base/log.h"
#include "base/trace.h"
#include "synic/synic.h"
#include "vsp/vmbus/channel_impl.h"

#define LOG_CATEGORY "vmbus"

/* Packets that a channel may take before others of its worker get a turn. */
#define BATCH                   128
/*
 * Linux' storage driver does not look at its ring before it has handled the
 * result of its open, and loses an interrupt that comes earlier (OpenVMM
 * vmbus_server/src/lib.rs signals once more after this time).
 */
#define UNSTICK_NS              (100 * NSEC_PER_MSEC)
/* How often to look for room when the guest does not know pending_send_sz. */
#define ROOM_RETRY_NS           (10 * NSEC_PER_MSEC)
/* And when it does: some do not signal while their own mask is on. */
#define ROOM_SIGNALLED_RETRY_NS (100 * NSEC_PER_MSEC)

/* How long signals are not looked at. */
#define THROTTLE_NS (10 * NSEC_PER_MSEC)

/* The only writer of a counter. */
static void count(_Atomic uint64_t *counter, uint64_t n)
{
	uint64_t old = atomic_load_explicit(counter, memory_order_relaxed);

	atomic_store_explicit(counter, old + n, memory_order_relaxed);
}

/* --- telling the guest ----------------------------------------------------- */

/* Below VERSION_WIN8 all channels share event flag 0 and a page of bits. */
static int interrupt_by_page(struct channel *ch)
{
	uint16_t relid = ch->request.event_flag;

	if (!ch->interrupt_page)
		return 0;
	/* Linux drivers/hv/vmbus_drv.c:vmbus_chan_sched(), recv_int_page */
	__atomic_fetch_or(&ch->interrupt_page[relid / 8],
			  (uint8_t)(1u << relid % 8), __ATOMIC_SEQ_CST);
	return synic_event_set(ch->bus->params.synic, 0, VMBUS_MESSAGE_SINT, 0);
}

void channel_interrupt(struct channel *ch)
{
	uint32_t vp = ch->target_vp;
	int ret;

	if (vp == VMBUS_NO_INTERRUPTS)
		return;
	count(&ch->n.signals_out, 1);
	if (ch->version < VERSION_WIN8)
		ret = interrupt_by_page(ch);
	else
		ret = synic_event_set(ch->bus->params.synic, vp,
				      VMBUS_MESSAGE_SINT,
				      ch->request.event_flag);
	trace_event(ring_signal_out, TRACE_NO_VP, ch->trace, vp, ret);
	if (ret == -ENOTCONN)
		findings_hit(FINDING_INTERRUPT_LOST, ch->params.name,
			     "channel %u at VP %u", ch->request.event_flag, vp);
}

/* The guest has put an index where there can be none. */
static void fail_index(struct channel *ch, const char *which)
{
	findings_hit(FINDING_RING_INDEX, ch->params.name, "%s", which);
	channel_fail(ch, which);
}

static void interrupt(struct channel *ch)
{
	if (!channel_fault_signal(ch))
		channel_interrupt(ch);
}

static void wait_for_room(struct channel *ch)
{
	int ret = ring_out_wait(&ch->out, ch->want);
	uint64_t wait;

	if (ret < 0) {
		fail_index(ch, "read index of the ring to the guest");
		return;
	}
	ch->waiting = !ret;
	if (ret) {
		worker_queue(ch->worker, &ch->data);
		return;
	}
	wait = ring_in_guest_signals_room(&ch->in) ? ROOM_SIGNALLED_RETRY_NS
						   : ROOM_RETRY_NS;
	worker_timer_set(ch->worker, &ch->retry, clock_monotonic_ns() + wait);
}

/* The guest gets a packet: it is likely to answer. */
static void note_sent(struct channel *ch)
{
	channel_pace_active(ch);
	if (ch->asks_signals && channel_pace_polls(ch))
		worker_queue(ch->worker, &ch->data);
}

/* Everything that the guest does not know yet. */
static void flush(struct channel *ch)
{
	int room, signal;
	bool sends;

	if (channel_fault_stalls(ch))
		return;
	sends = ring_out_is_unpublished(&ch->out);
	/*
	 * Room first: a guest that sees a packet before it has the room of
	 * what it answered may have none for the next answer, and Linux' file
	 * copy does not try again (hv_fcopy.c:fcopy_respond_to_host()).
	 */
	room = ring_in_release(&ch->in);
	signal = ring_out_publish(&ch->out);
	if (room < 0) {
		fail_index(ch, "write index of the ring to the host");
		return;
	}
	if (signal || room)
		interrupt(ch);
	if (sends)
		note_sent(ch);
	if (ch->want && !ch->waiting)
		wait_for_room(ch);
}

void channel_enter(struct channel *ch)
{
	ch->depth++;
}

void channel_leave(struct channel *ch)
{
	if (--ch->depth == 0 && ch->state == CHANNEL_OPEN)
		flush(ch);
}

void channel_hold(struct channel *ch)
{
	assert(worker_is_current(ch->worker));
	channel_enter(ch);
}

void channel_unhold(struct channel *ch)
{
	channel_leave(ch);
}

void channel_flush(struct channel *ch)
{
	assert(worker_is_current(ch->worker));
	if (ch->state == CHANNEL_OPEN)
		flush(ch);
}

/* --- packets of the guest ---------------------------------------------------- */

/* Is there room for what had none?  Then the device may go on. */
static void check_room(struct channel *ch)
{
	int ret;

	if (!ch->want)
		return;
	ret = ring_out_has_room(&ch->out, ch->want);
	if (ret < 0)
		fail_index(ch, "read index of the ring to the guest");
	if (ret <= 0)
		return;
	ring_out_unwait(&ch->out);
	worker_timer_stop(ch->worker, &ch->retry);
	ch->waiting = false;
	ch->want = 0;
	ch->stalled = false;
	if (ch->ops->writable)
		ch->ops->writable(ch->ctx);
}

static void fail_packet(struct channel *ch, int err)
{
	const char *what = err == -EMSGSIZE ? "a packet that is too long"
					    : "a packet that is none";

	if (ring_in_index_is_bad(&ch->in)) {
		fail_index(ch, "write index of the ring to the host");
		return;
	}
	findings_hit(FINDING_PACKET_INVALID, ch->params.name, "%s", what);
	channel_fail(ch, what);
}

/* Return: was there a packet, and did the device take it? */
static bool take_packet(struct channel *ch)
{
	int bytes = ring_in_peek(&ch->in, ch->copy, ch->params.max_in);
	struct packet packet;
	int err;

	if (!bytes)
		return false;
	err = bytes;
	if (bytes > 0)
		err = packet_parse(ch->copy, (uint32_t)bytes, &packet);
	if (err) {
		fail_packet(ch, err);
		return false;
	}
	if (ch->ops->packet)
		err = ch->ops->packet(ch->ctx, &packet);
	if (ch->state != CHANNEL_OPEN)
		return false;
	if (err == -EAGAIN) {
		ch->stalled = true;
		count(&ch->n.stalled, 1);
		return false;
	}
	if (err) {
		channel_fail(ch, g_strerror(-err));
		return false;
	}
	ring_in_pop(&ch->in);
	count(&ch->n.packets_in, 1);
	count(&ch->n.bytes_in, (uint32_t)bytes);
	return true;
}

/* Return: how many were taken. */
static unsigned int take_packets(struct channel *ch)
{
	unsigned int n = 0;

	while (n < BATCH && !ch->stalled && take_packet(ch))
		n++;
	if (n && ch->ops->batch_end)
		ch->ops->batch_end(ch->ctx);
	if (n)
		trace_event(ring_batch, TRACE_NO_VP, ch->trace, n,
			    ring_in_used(&ch->in), ch->stalled);
	return n;
}

/* Nothing is there any more: have the guest signal, or look again. */
static void settle(struct channel *ch, bool progress)
{
	int more = ring_in_has_more(&ch->in);

	if (!more && progress && channel_pace_empty(ch)) {
		more = ring_in_has_more(&ch->in);
		if (!more)
			channel_pace_took(ch, 0);
	}
	if (!more && progress)
		channel_pace_active(ch);
	if (!more && channel_pace_polls(ch))
		more = 1;
	if (!more) {
		more = ring_in_unmask(&ch->in);
		ch->asks_signals = !more;
	}
	if (more < 0)
		fail_packet(ch, more);
	else if (more)
		worker_queue(ch->worker, &ch->data);
}

/* @n signals were for nothing: are they too many? */
static void throttle(struct channel *ch, uint64_t n)
{
	uint64_t now = clock_monotonic_ns();

	if (now - ch->needless_since >= NSEC_PER_SEC) {
		ch->needless_since = now;
		ch->needless = 0;
	}
	ch->needless += n;
	if (ch->is_throttled || ch->needless <= ch->bus->params.needless_max)
		return;
	atomic_store(&ch->is_throttled, true);
	channel_doorbell_listen(ch, false);
	count(&ch->n.throttled, 1);
	worker_timer_set(ch->worker, &ch->throttle, now + THROTTLE_NS);
}

/* More than that is no race. */
#define SURPLUS_MIN 100u

/*
 * Each packet may be signalled once, and each time that we wait for room; all
 * that was put has been taken.  The rest is needless by the guest's own fault:
 * one that we took while the guest was about to signal it is not.
 */
static void judge_signals(struct channel *ch, uint64_t signals)
{
	uint64_t due = ch->n.packets_in + ch->n.blocked + SURPLUS_MIN;
	uint64_t surplus = signals > due ? signals - due : 0;

	if (surplus <= ch->surplus)
		return;
	findings_add(FINDING_SIGNAL_NEEDLESS, surplus - ch->surplus,
		     ch->params.name, "signals without a packet");
	ch->surplus = surplus;
}

/* Did the guest signal, although nothing is there and nothing is waited for? */
static void count_needless(struct channel *ch)
{
	uint64_t signals = ch->n_signals_in, n = signals - ch->signals_seen;

	ch->signals_seen = signals;
	if (!n || ch->want || ring_in_has_more(&ch->in))
		return;
	count(&ch->n.signals_needless, n);
	judge_signals(ch, signals);
	if (ch->bus->params.needless_max)
		throttle(ch, n);
}

static void run_data(struct worker_task *task)
{
	struct channel *ch = CHANNEL_OF(task, data);
	unsigned int n = 0;

	if (ch->state != CHANNEL_OPEN)
		return;
	ring_in_mask(&ch->in);
	channel_pace_signalled(ch);
	ch->asks_signals = false;
	count_needless(ch);
	channel_enter(ch);
	check_room(ch);
	if (ch->state == CHANNEL_OPEN)
		n = take_packets(ch);
	channel_leave(ch);
	channel_pace_took(ch, n);
	if (ch->state == CHANNEL_OPEN && !ch->stalled)
		settle(ch, n > 0);
}

void channel_resume(struct channel *ch)
{
	assert(worker_is_current(ch->worker));
	if (!ch->stalled)
		return;
	ch->stalled = false;
	worker_queue(ch->worker, &ch->data);
}

/* --- sending ------------------------------------------------------------------- */

bool channel_is_open(const struct channel *ch)
{
	return ch->state == CHANNEL_OPEN || ch->state == CHANNEL_OPENING;
}

/* @bytes have no room: the device is told when they have. */
static void want_room(struct channel *ch, uint32_t bytes)
{
	count(&ch->n.blocked, 1);
	trace_event(ring_full, TRACE_NO_VP, ch->trace, bytes);
	if (bytes > ch->want) {
		ch->want = bytes;
		ch->waiting = false;
	}
}

/* After something was put, or found to have no room. */
static void sent(struct channel *ch)
{
	if (!ch->depth && ch->state == CHANNEL_OPEN)
		flush(ch);
}

int channel_send_packet(struct channel *ch, const struct packet_out *packet)
{
	uint32_t bytes = packet_out_size(packet);
	int err;

	assert(worker_is_current(ch->worker));
	if (!channel_is_open(ch))
		return -ENOTCONN;
	if (!bytes || bytes > ch->params.max_out)
		return -EMSGSIZE;
	err = channel_fault_put(ch, packet, bytes);
	if (err == -EPROTO) {
		fail_index(ch, "read index of the ring to the guest");
		return -ENOTCONN;
	}
	if (err == -EAGAIN)
		want_room(ch, bytes);
	if (!err) {
		count(&ch->n.packets_out, 1);
		count(&ch->n.bytes_out, bytes);
	}
	sent(ch);
	return err;
}

int channel_send(struct channel *ch, const void *data, uint32_t bytes)
{
	return channel_send_packet(
		ch, &(struct packet_out){.type = VM_PKT_DATA_INBAND,
					 .data = {data},
					 .bytes = {bytes}});
}

int channel_request(struct channel *ch, uint64_t trans_id, const void *data,
		    uint32_t bytes)
{
	return channel_send_packet(
		ch, &(struct packet_out){.type = VM_PKT_DATA_INBAND,
					 .wants_completion = true,
					 .trans_id = trans_id,
					 .data = {data},
					 .bytes = {bytes}});
}

int channel_complete(struct channel *ch, uint64_t trans_id, const void *data,
		     uint32_t bytes)
{
	return channel_send_packet(ch,
				   &(struct packet_out){.type = VM_PKT_COMP,
							.trans_id = trans_id,
							.data = {data},
							.bytes = {bytes}});
}

int channel_send_pipe(struct channel *ch, const void *data, uint32_t bytes)
{
	struct vmbuspipe_hdr h = {.flags = VMBUS_PIPE_DATA, .msgsize = bytes};

	return channel_send_packet(
		ch, &(struct packet_out){.type = VM_PKT_DATA_INBAND,
					 .data = {&h, data},
					 .bytes = {sizeof(h), bytes}});
}

bool channel_has_room(struct channel *ch, uint32_t bytes)
{
	struct packet_out packet = {.type = VM_PKT_DATA_INBAND,
				    .bytes = {bytes}};
	uint32_t size = packet_out_size(&packet);
	int ret;

	assert(worker_is_current(ch->worker));
	if (!channel_is_open(ch) || !size || size > ring_out_max(&ch->out))
		return false;
	ret = ring_out_has_room(&ch->out, size);
	if (ret < 0)
		fail_index(ch, "read index of the ring to the guest");
	if (!ret) {
		want_room(ch, size);
		sent(ch);
	}
	return ret > 0;
}

/* --- start and stop -------------------------------------------------------------- */

static void run_unstick(struct worker_timer *timer)
{
	struct channel *ch = CHANNEL_OF(timer, unstick);

	if (ch->state == CHANNEL_OPEN && ring_out_is_unread(&ch->out))
		interrupt(ch);
}

static void run_retry(struct worker_timer *timer)
{
	struct channel *ch = CHANNEL_OF(timer, retry);

	/* If there is no room yet, this is set anew. */
	ch->waiting = false;
	worker_queue(ch->worker, &ch->data);
}

static void run_throttle(struct worker_timer *timer)
{
	struct channel *ch = CHANNEL_OF(timer, throttle);

	/* Pairs with on_signal(): who was not heard has put before this. */
	atomic_store(&ch->is_throttled, false);
	atomic_thread_fence(memory_order_seq_cst);
	channel_doorbell_listen(ch, true);
	worker_queue(ch->worker, &ch->data);
}

/*
 * The guest itself closes it, so none of its processors is on its way to
 * signal.  A channel with a monitor bit is not signalled.
 */
void channel_io_closing(struct channel *ch)
{
	const struct vmbus_connection *c;

	if (ch->state != CHANNEL_OPEN)
		return;
	c = vmbus_server_connection(channel_server(ch));
	ch->closed_by_guest = !ch->rescinded && c->version;
	channel_server_done(ch);
	channel_doorbell_take(ch);
	if (ch->closed_by_guest && ch->asks_signals && !ch->monitor_page &&
	    ch->n_signals_in == ch->signals_seen &&
	    ring_in_has_more(&ch->in) == 1)
		findings_hit(FINDING_SIGNAL_LOST, ch->params.name,
			     "%u bytes were left", ring_in_used(&ch->in));
	ring_in_has_more(&ch->in);
	ch->write_at_close = ch->in.write;
}

void channel_io_init(struct channel *ch)
{
	ch->throttle.run = run_throttle;
	channel_fault_init(ch);
	ch->data.run = run_data;
	ch->unstick.run = run_unstick;
	ch->retry.run = run_retry;
	channel_pace_reset(ch);
}

void channel_io_start(struct channel *ch)
{
	if (ch->state != CHANNEL_OPEN)
		return;
	worker_timer_set(ch->worker, &ch->unstick,
			 clock_monotonic_ns() + UNSTICK_NS);
	channel_pace_active(ch);
	worker_queue(ch->worker, &ch->data);
}

void channel_io_stop(struct channel *ch)
{
	worker_cancel(ch->worker, &ch->data);
	worker_timer_stop(ch->worker, &ch->unstick);
	worker_timer_stop(ch->worker, &ch->retry);
	worker_timer_stop(ch->worker, &ch->throttle);
	channel_fault_stop(ch);
	atomic_store(&ch->is_throttled, false);
	channel_monitor_stop(ch);
	ch->stalled = false;
	ch->waiting = false;
	ch->want = 0;
	channel_pace_reset(ch);
	ch->asks_signals = false;
}

void channel_io_retarget(struct channel *ch, uint32_t vp)
{
	ch->target_vp = vp;
	/* What the VP before was told may have been for this ring. */
	if (ch->state == CHANNEL_OPEN && ring_out_is_unread(&ch->out))
		interrupt(ch);
}
