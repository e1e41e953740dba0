/* SPDX-License-Identifier: MIT */
/*
 * channel.c - the life of a channel: offers and events.
 *
 * The server's actions come on the vmbus thread and are handed to the worker
 * as events, in order.  Which way a channel goes is decided on the worker
 * only; what is shared with other threads is the offer (under the server's
 * lock) and whether it is busy (for channel_free()).
 *
 * An offer is the server's until it is released.  Once it was rescinded, or
 * revoked and closed, the pointer may be stale before released() says so.
 */
#include "vsp/vmbus/channel.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/trace.h"
#include "vsp/vmbus/channel_impl.h"

#define LOG_CATEGORY "vmbus"

#define MAX_IN_DEFAULT  (20u * 1024)
#define MAX_OUT_DEFAULT 4096u
/* Guests that fail their channel again and again do so at this pace. */
#define REOFFER_NS      NSEC_PER_SEC

enum event_kind {
	EVENT_OPEN,
	EVENT_CLOSE,
	EVENT_MODIFY,
	EVENT_MOVE_PAGES,
	EVENT_GPADL_TEARDOWN,
	EVENT_RELEASED,
};

struct channel_event {
	enum event_kind kind;
	union {
		struct vmbus_open_request open;
		uint32_t target_vp;
		uint32_t gpadl;
	};
};

struct vmbus_server *channel_server(struct channel *ch)
{
	return vmbus_thread_lock(ch->bus->params.thread);
}

void channel_server_done(struct channel *ch)
{
	vmbus_thread_unlock(ch->bus->params.thread);
}

/* --- offers ---------------------------------------------------------------- */

/* With the server's lock.  Return: 0 or -EBUSY. */
static int make_offer(struct channel *ch, struct vmbus_server *server)
{
	const struct channel_params *p = &ch->params;
	struct vmbus_offer_params params = {
		.if_type = p->if_type,
		.if_instance = p->if_instance,
		.sub_channel_index = p->sub_channel_index,
		.chn_flags = p->chn_flags,
		.mmio_megabytes = p->mmio_megabytes,
		.order = p->order,
		.is_monitored = ch->monitor_id < MONITOR_IDS,
		.monitor_id = ch->monitor_id,
		.name = p->name,
		.ctx = &ch->owner,
	};

	memcpy(params.user_def, p->user_def, sizeof(params.user_def));
	ch->offer = vmbus_server_offer(server, &params);
	ch->rescinded = false;
	return ch->offer ? 0 : -EBUSY;
}

int channel_offer(struct channel *ch)
{
	struct vmbus_server *server = channel_server(ch);
	int err = 0;

	ch->wanted = true;
	if (!ch->offer)
		err = make_offer(ch, server);
	else if (ch->rescinded)
		ch->again = true;
	channel_server_done(ch);
	return err;
}

/*
 * Is the server yet to hear that it is closed?  With the server's lock, so
 * that it does not hear of it meanwhile.
 */
static bool is_busy(struct channel *ch)
{
	bool busy;

	pthread_mutex_lock(&ch->lock);
	busy = ch->busy;
	pthread_mutex_unlock(&ch->lock);
	return busy;
}

/*
 * With the server's lock.  One that was revoked has to be closed; the server
 * still has it, as it is open.
 */
static void rescind_offer(struct channel *ch)
{
	ch->again = false;
	if (ch->offer && (!ch->rescinded || is_busy(ch))) {
		ch->rescinded = true;
		vmbus_offer_rescind(ch->offer);
	}
}

void channel_rescind(struct channel *ch)
{
	channel_server(ch);
	ch->wanted = false;
	rescind_offer(ch);
	channel_server_done(ch);
}

void channel_revoke(struct channel *ch)
{
	channel_server(ch);
	ch->wanted = false;
	ch->again = false;
	if (ch->offer && !ch->rescinded) {
		ch->rescinded = true;
		vmbus_offer_revoke(ch->offer);
	}
	channel_server_done(ch);
}

void channel_fail(struct channel *ch, const char *reason)
{
	assert(worker_is_current(ch->worker));
	if (ch->state != CHANNEL_OPEN && ch->state != CHANNEL_OPENING)
		return;
	log_warn_ratelimited("channel %s: the guest broke the protocol: %s",
			     ch->params.name, reason);
	trace_bytes(channel_fail, TRACE_NO_VP, ch->trace, reason,
		    (uint32_t)strlen(reason), TRACE_FROM_GUEST, 0);
	ch->n.failures++;
	ch->failed = true;
	channel_set_state(ch, CHANNEL_FAILED);
	channel_io_stop(ch);
	channel_server(ch);
	rescind_offer(ch);
	channel_server_done(ch);
}

/* The offer that failed is gone, unless it was made anew already. */
static void run_reoffer(struct worker_timer *timer)
{
	struct channel *ch = CHANNEL_OF(timer, reoffer);
	struct vmbus_server *server = channel_server(ch);

	/* The owner may have taken it back in the meantime. */
	if (ch->wanted && !ch->offer)
		make_offer(ch, server);
	channel_server_done(ch);
}

static void handle_released(struct channel *ch)
{
	if (ch->failed)
		worker_timer_set(ch->worker, &ch->reoffer,
				 clock_monotonic_ns() + REOFFER_NS);
	ch->failed = false;
	if (ch->ops->released)
		ch->ops->released(ch->ctx);
}

/* --- other events ----------------------------------------------------------- */

static void handle_modify(struct channel *ch, uint32_t vp)
{
	channel_io_retarget(ch, vp);
	channel_server(ch);
	vmbus_offer_modified(ch->offer);
	channel_server_done(ch);
}

static void handle_move_pages(struct channel *ch)
{
	channel_monitor_move(ch);
	channel_server(ch);
	vmbus_offer_pages_moved(ch->offer);
	channel_server_done(ch);
}

static void handle_event(struct channel *ch, const struct channel_event *e)
{
	switch (e->kind) {
	case EVENT_OPEN:
		channel_handle_open(ch, &e->open);
		break;
	case EVENT_CLOSE:
		channel_handle_close(ch);
		break;
	case EVENT_MODIFY:
		handle_modify(ch, e->target_vp);
		break;
	case EVENT_MOVE_PAGES:
		handle_move_pages(ch);
		break;
	case EVENT_GPADL_TEARDOWN:
		channel_handle_gpadl_teardown(ch, e->gpadl);
		break;
	case EVENT_RELEASED:
		handle_released(ch);
		break;
	}
}

static void run_control(struct worker_task *task)
{
	struct channel *ch = CHANNEL_OF(task, control);
	struct channel_event *e;
	bool more;

	pthread_mutex_lock(&ch->lock);
	e = g_queue_pop_head(&ch->events);
	more = !g_queue_is_empty(&ch->events);
	pthread_mutex_unlock(&ch->lock);
	/* Before the event, which may be the last thing that happens to it. */
	if (more)
		worker_queue(ch->worker, &ch->control);
	if (e)
		handle_event(ch, e);
	g_free(e);
}

/* --- actions of the server: the vmbus thread ---------------------------------- */

/*
 * The channel is on its way out: the server gets its answer, if it waits for
 * one, and the device hears nothing.  With the server's lock.
 */
static void refuse_event(struct channel *ch, const struct channel_event *event)
{
	if (event->kind == EVENT_OPEN)
		vmbus_offer_opened(ch->offer, false);
	else if (event->kind == EVENT_MODIFY)
		vmbus_offer_modified(ch->offer);
	else if (event->kind == EVENT_MOVE_PAGES)
		vmbus_offer_pages_moved(ch->offer);
}

/* Return: false when nobody is there for it. */
static bool queue_event(struct channel *ch, const struct channel_event *event)
{
	bool deaf;

	pthread_mutex_lock(&ch->lock);
	deaf = ch->deaf;
	if (!deaf) {
		g_queue_push_tail(&ch->events,
				  g_memdup2(event, sizeof(*event)));
		/* With the lock: once it is deaf its worker may be gone. */
		worker_queue(ch->worker, &ch->control);
	}
	pthread_mutex_unlock(&ch->lock);
	return !deaf;
}

static void post_event(struct channel *ch, const struct channel_event *event)
{
	if (queue_event(ch, event))
		return;
	channel_server(ch);
	refuse_event(ch, event);
	channel_server_done(ch);
}

static void on_open(void *ctx, const struct vmbus_open_request *request)
{
	struct channel_event event = {.kind = EVENT_OPEN, .open = *request};
	struct channel *ch = ctx;

	channel_server(ch);
	if (ch->dying || !queue_event(ch, &event))
		refuse_event(ch, &event);
	channel_server_done(ch);
}

static void on_close(void *ctx)
{
	post_event(ctx, &(struct channel_event){.kind = EVENT_CLOSE});
}

static void on_modify(void *ctx, uint32_t target_vp)
{
	post_event(ctx, &(struct channel_event){.kind = EVENT_MODIFY,
						.target_vp = target_vp});
}

static void on_move_pages(void *ctx)
{
	post_event(ctx, &(struct channel_event){.kind = EVENT_MOVE_PAGES});
}

static void on_gpadl_teardown(void *ctx, uint32_t gpadl)
{
	post_event(ctx, &(struct channel_event){.kind = EVENT_GPADL_TEARDOWN,
						.gpadl = gpadl});
}

static void destroy(struct channel *ch)
{
	channel_bus_put_monitor(ch->bus, ch->monitor_id);
	g_queue_clear_full(&ch->events, g_free);
	g_ptr_array_free(ch->gpadls, true);
	pthread_cond_destroy(&ch->closed_cond);
	pthread_mutex_destroy(&ch->lock);
	g_free((char *)ch->params.name);
	g_free(ch);
}

static void on_released(void *ctx)
{
	struct channel *ch = ctx;
	bool orphan;

	struct vmbus_server *server = channel_server(ch);
	ch->offer = NULL;
	orphan = ch->orphan;
	if (ch->again)
		make_offer(ch, server);
	ch->again = false;
	if (!orphan && !ch->dying)
		queue_event(ch,
			    &(struct channel_event){.kind = EVENT_RELEASED});
	channel_server_done(ch);
	if (orphan)
		destroy(ch);
}

static const struct vmbus_owner_ops owner_ops = {
	.open = on_open,
	.close = on_close,
	.modify = on_modify,
	.move_pages = on_move_pages,
	.gpadl_teardown = on_gpadl_teardown,
	.released = on_released,
};

/* --- life ------------------------------------------------------------------- */

static void run_wake(struct worker_task *task)
{
	struct channel *ch = CHANNEL_OF(task, wake);

	channel_enter(ch);
	if (ch->ops->wake)
		ch->ops->wake(ch->ctx);
	channel_leave(ch);
}

struct channel *channel_new(struct channel_bus *bus,
			    const struct channel_params *params,
			    const struct channel_ops *ops, void *ctx)
{
	struct channel *ch = g_new0(struct channel, 1);
	struct channel_params *p = &ch->params;

	ch->bus = bus;
	*p = *params;
	p->name = g_strdup(params->name);
	ch->trace = trace_device(params->name);
	p->max_in = CLAMP(p->max_in ? p->max_in : MAX_IN_DEFAULT, PACKET_HEADER,
			  PACKET_MAX);
	p->max_out = p->max_out ? p->max_out : MAX_OUT_DEFAULT;
	ch->ops = ops;
	ch->ctx = ctx;
	ch->worker = p->worker ? p->worker : bus->worker;
	ch->owner = (struct vmbus_owner){.ops = &owner_ops, .ctx = ch};
	pthread_mutex_init(&ch->lock, NULL);
	pthread_cond_init(&ch->closed_cond, NULL);
	g_queue_init(&ch->events);
	ch->gpadls = g_ptr_array_new();
	ch->control.run = run_control;
	ch->wake.run = run_wake;
	ch->reoffer.run = run_reoffer;
	channel_io_init(ch);
	channel_monitor_init(ch);
	return ch;
}

struct detach {
	struct channel *ch;
	bool done;
};

/* Those that are there and, post_event(), those that the thread has in hand. */
static void refuse_events(struct channel *ch)
{
	struct channel_event *e;

	channel_server(ch);
	pthread_mutex_lock(&ch->lock);
	ch->deaf = true;
	while ((e = g_queue_pop_head(&ch->events))) {
		refuse_event(ch, e);
		g_free(e);
	}
	pthread_mutex_unlock(&ch->lock);
	channel_server_done(ch);
}

/* On the worker. */
static void detach(void *ctx)
{
	struct detach *d = ctx;
	struct channel *ch = d->ch;

	if (ch->state != CHANNEL_CLOSED)
		return;
	refuse_events(ch);
	channel_io_stop(ch);
	worker_timer_stop(ch->worker, &ch->reoffer);
	worker_cancel(ch->worker, &ch->control);
	worker_cancel(ch->worker, &ch->wake);
	d->done = true;
}

static void wait_until_closed(struct channel *ch)
{
	pthread_mutex_lock(&ch->lock);
	while (ch->busy)
		pthread_cond_wait(&ch->closed_cond, &ch->lock);
	pthread_mutex_unlock(&ch->lock);
}

void channel_free(struct channel *ch)
{
	struct detach d = {.ch = ch};
	bool released;

	if (!ch)
		return;
	channel_server(ch);
	ch->dying = true;
	ch->wanted = false;
	rescind_offer(ch);
	channel_server_done(ch);
	while (!d.done) {
		assert(!worker_is_current(ch->worker) ||
		       ch->state == CHANNEL_CLOSED);
		wait_until_closed(ch);
		worker_call(ch->worker, detach, &d);
	}
	channel_server(ch);
	released = !ch->offer;
	ch->orphan = true;
	channel_server_done(ch);
	if (released)
		destroy(ch);
}

void channel_wake(struct channel *ch)
{
	worker_queue(ch->worker, &ch->wake);
}

struct worker *channel_worker(const struct channel *ch)
{
	return ch->worker;
}

const char *channel_name(const struct channel *ch)
{
	return ch->params.name;
}

uint16_t channel_trace(const struct channel *ch)
{
	return ch->trace;
}

/* --- looking -------------------------------------------------------------------- */

void channel_get_stats(struct channel *ch, struct channel_stats *stats)
{
	*stats = (struct channel_stats){
		.packets_in = ch->n.packets_in,
		.bytes_in = ch->n.bytes_in,
		.packets_out = ch->n.packets_out,
		.bytes_out = ch->n.bytes_out,
		.signals_in = ch->n_signals_in,
		.signals_by_page = ch->n_signals_by_page,
		.signals_needless = ch->n.signals_needless,
		.throttled = ch->n.throttled,
		.signals_out = ch->n.signals_out,
		.blocked = ch->n.blocked,
		.stalled = ch->n.stalled,
		.opens = ch->n.opens,
		.failures = ch->n.failures,
		.open = ch->is_open,
		.target_vp = ch->target_vp,
		.ring_in_bytes = ch->ring_in_bytes,
		.ring_out_bytes = ch->ring_out_bytes,
		.is_monitored = ch->monitor_id < MONITOR_IDS,
		.monitor_id = (uint8_t)ch->monitor_id,
		.poll_ns = ch->params.poll_ns,
		.poll_now_ns = ch->poll_now_ns,
		.monitor_latency_100ns = ch->params.monitor_latency_100ns,
	};
	channel_server(ch);
	if (ch->offer && !ch->rescinded)
		stats->relid = vmbus_offer_relid(ch->offer);
	channel_server_done(ch);
}
