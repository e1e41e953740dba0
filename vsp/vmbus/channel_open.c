/* SPDX-License-Identifier: MIT */
/*
 * channel_open.c - opening and closing a channel, and the GPADLs that it uses
 * in between.
 */
#include <assert.h>
#include <errno.h>
#include <sched.h>
#include <sys/uio.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/findings.h"
#include "base/log.h"
#include "base/trace.h"
#include "mem/gmem.h"
#include "proto/hv_tlfs.h"
#include "synic/ports.h"
#include "vsp/vmbus/channel_impl.h"
#include "vsp/vmbus/gpadl.h"
#include "vsp/vmbus/ring_map.h"

#define LOG_CATEGORY "vmbus"

/* --- opening -------------------------------------------------------------- */

void channel_set_state(struct channel *ch, enum channel_state state)
{
	ch->state = state;
	ch->is_open = state == CHANNEL_OPEN;
	pthread_mutex_lock(&ch->lock);
	ch->busy = state != CHANNEL_CLOSED;
	pthread_cond_broadcast(&ch->closed_cond);
	pthread_mutex_unlock(&ch->lock);
}

void channel_note_signals(struct channel *ch, uint32_t vp, uint64_t n)
{
	trace_event(ring_signal_in, vp, ch->trace, ch->request.connection_id);
	atomic_fetch_add_explicit(&ch->n_signals_in, n, memory_order_relaxed);
	if (ch->params.poll_max_ns)
		atomic_store_explicit(&ch->signalled_at, clock_monotonic_ns(),
				      memory_order_relaxed);
}

/* The guest signals.  A vCPU thread, the lock of ports held. */
static hv_status_t on_signal(void *ctx, uint32_t vp, uint16_t flag)
{
	struct channel *ch = ctx;

	(void)flag;
	channel_note_signals(ch, vp, 1);
	atomic_store_explicit(&ch->signalled_on, sched_getcpu(),
			      memory_order_relaxed);
	/* Pairs with run_throttle(), which looks at the ring after clearing. */
	if (!atomic_load(&ch->is_throttled))
		worker_queue(ch->worker, &ch->data);
	return HV_STATUS_SUCCESS;
}

/* What the server knows of the connection and the ring. */
static void look_up(struct channel *ch)
{
	struct iovec page = {.iov_len = HV_PAGE_SIZE};
	struct gmem *mem = ch->bus->params.mem;
	const struct vmbus_connection *c;

	c = vmbus_server_connection(channel_server(ch));
	ch->version = c->version;
	ch->connection = c->number;
	ch->resets = c->resets;
	if (c->version < VERSION_WIN8 && c->interrupt_page_gpa)
		page.iov_base =
			gmem_load(mem, c->interrupt_page_gpa, page.iov_len);
	ch->ring_gpadl =
		vmbus_offer_gpadl_get(ch->offer, ch->request.ring_gpadl);
	channel_server_done(ch);
	ch->interrupt_page = page.iov_base;
	ch->interrupt_pin = gmem_pin(mem, &page, page.iov_base ? 1 : 0);
}

/*
 * CLOSECHANNEL has no answer, and who was told of a rescind waits for nothing.
 * So the pages stay where they are until the guest asks for them (GPADL_TEARDOWN,
 * server_thread.c:give_back()), or the processors stop.
 */
static void unmap_ring(struct channel *ch)
{
	const struct channel_bus_params *bus = &ch->bus->params;

	ring_map_free(ch->map);
	ch->map = NULL;
	g_clear_pointer(&ch->copy, g_free);
	if (bus->settle && gmem_left_pages(bus->mem) > RING_PAGES_LEFT_MANY)
		bus->settle(bus->ctx);
}

static void put_ring(struct channel *ch)
{
	gmem_unpin(ch->bus->params.mem, ch->interrupt_pin);
	ch->interrupt_pin = NULL;
	ch->interrupt_page = NULL;
	if (!ch->ring_gpadl)
		return;
	unmap_ring(ch);
	channel_server(ch);
	vmbus_offer_gpadl_put(ch->offer, ch->ring_gpadl);
	channel_server_done(ch);
	ch->ring_gpadl = NULL;
}

static void put_gpadls(struct channel *ch)
{
	channel_server(ch);
	for (guint i = 0; i < ch->gpadls->len; i++)
		vmbus_offer_gpadl_put(ch->offer,
				      g_ptr_array_index(ch->gpadls, i));
	channel_server_done(ch);
	g_ptr_array_set_size(ch->gpadls, 0);
}

static int call_open(struct channel *ch)
{
	struct channel_open open = {.version = ch->version,
				    .connection = ch->connection,
				    .resets = ch->resets,
				    .userdata = ch->request.userdata};

	return ch->ops->open ? ch->ops->open(ch->ctx, &open) : 0;
}

/* Return: 0, or -errno and all is as before. */
static int try_open(struct channel *ch)
{
	const struct channel_bus_params *bus = &ch->bus->params;
	struct fault_hit hit;
	int err = -ENXIO;

	look_up(ch);
	if (!ch->ring_gpadl ||
	    fault_at(FAULT_CHANNEL_OPEN, ch->params.name, FAULT_NO_OP, &hit))
		goto no_map;
	ch->map = ring_map_new(bus->mem, ch->ring_gpadl,
			       ch->request.downstream_page, &err);
	if (!ch->map)
		goto no_map;
	err = ring_map_init(ch->map, &ch->in, &ch->out);
	if (err == -EPROTO)
		findings_hit(FINDING_RING_INDEX, ch->params.name,
			     "when it was opened");
	if (err)
		goto no_ring;
	ch->ring_in_bytes = ch->in.size;
	ch->ring_out_bytes = ch->out.size;
	ch->copy = g_malloc(ch->params.max_in);
	/* The guest may signal before it knows that it is open. */
	err = ports_add_event(bus->ports, ch->request.connection_id, 1,
			      on_signal, ch);
	if (err)
		goto no_ring;
	channel_doorbell_start(ch);
	channel_set_state(ch, CHANNEL_OPENING);
	channel_enter(ch);
	err = call_open(ch);
	if (!err)
		return 0;
	channel_leave(ch);
	/* What it sent and took is nobody's any more. */
	channel_io_stop(ch);
	channel_set_state(ch, CHANNEL_CLOSED);
	channel_doorbell_stop(ch);
	ports_remove(bus->ports, ch->request.connection_id);
	put_gpadls(ch);
no_ring:
no_map:
	put_ring(ch);
	return err;
}

void channel_handle_open(struct channel *ch,
			 const struct vmbus_open_request *request)
{
	int err;

	ch->request = *request;
	ch->target_vp = request->target_vp;
	err = try_open(ch);
	if (err)
		log_warn_ratelimited("channel %s cannot be opened: %s",
				     ch->params.name, g_strerror(-err));
	else
		ch->n.opens++;
	channel_server(ch);
	trace_event(channel_open, TRACE_NO_VP, ch->trace, ch->ring_in_bytes,
		    ch->ring_out_bytes, request->target_vp, err,
		    vmbus_offer_relid(ch->offer));
	vmbus_offer_opened(ch->offer, !err);
	channel_server_done(ch);
	if (err)
		return;
	if (ch->state == CHANNEL_OPENING)
		channel_set_state(ch, CHANNEL_OPEN);
	channel_leave(ch);
	channel_io_start(ch);
	channel_monitor_start(ch);
}

/* --- closing -------------------------------------------------------------- */

/* Nobody of the guest's has anything to do there since it closed it. */
static void look_for_moves(struct channel *ch)
{
	bool moved = ch->closed_by_guest && ring_in_has_more(&ch->in) >= 0 &&
		     ch->in.write != ch->write_at_close;

	ch->closed_by_guest = false;
	if (moved)
		findings_hit(FINDING_RING_MOVED, ch->params.name,
			     "write index 0x%x, at the close 0x%x",
			     ch->in.write, ch->write_at_close);
}

static void finish_close(struct channel *ch)
{
	look_for_moves(ch);
	put_gpadls(ch);
	put_ring(ch);
	channel_set_state(ch, CHANNEL_CLOSED);
	trace_event(channel_close, TRACE_NO_VP, ch->trace, ch->n.packets_in,
		    ch->n.packets_out);
	channel_server(ch);
	vmbus_offer_closed(ch->offer);
	channel_server_done(ch);
}

void channel_handle_close(struct channel *ch)
{
	int ret = 0;

	channel_io_closing(ch);
	channel_io_stop(ch);
	channel_doorbell_stop(ch);
	ports_remove(ch->bus->params.ports, ch->request.connection_id);
	channel_set_state(ch, CHANNEL_CLOSING);
	if (ch->ops->close)
		ret = ch->ops->close(ch->ctx);
	/* It may have called channel_closed() already. */
	if (ret != -EINPROGRESS && ch->state == CHANNEL_CLOSING)
		finish_close(ch);
}

void channel_closed(struct channel *ch)
{
	assert(worker_is_current(ch->worker));
	assert(ch->state == CHANNEL_CLOSING);
	finish_close(ch);
}

/* --- GPADLs ------------------------------------------------------------------ */

static const struct gpadl *find_gpadl(struct channel *ch, uint32_t id)
{
	for (guint i = 0; i < ch->gpadls->len; i++) {
		const struct gpadl *g = g_ptr_array_index(ch->gpadls, i);

		if (gpadl_id(g) == id)
			return g;
	}
	return NULL;
}

void channel_handle_gpadl_teardown(struct channel *ch, uint32_t id)
{
	const struct gpadl *g = find_gpadl(ch, id);

	if (g) {
		if (ch->ops->gpadl_teardown)
			ch->ops->gpadl_teardown(ch->ctx, g);
		else
			channel_gpadl_put(ch, g);
	} else if (ch->ring_gpadl && gpadl_id(ch->ring_gpadl) == id) {
		/*
		 * Linux closes first; so it is not a guest that behaves.  It
		 * has its answer when the close is over, as always.
		 */
		findings_hit(FINDING_GPADL_IN_USE, ch->params.name,
			     "GPADL 0x%x", id);
		channel_fail(ch, "the rings' GPADL is torn down");
	}
}

const struct gpadl *channel_gpadl_get(struct channel *ch, uint32_t id)
{
	const struct gpadl *g = NULL;

	assert(worker_is_current(ch->worker));
	if (ch->state != CHANNEL_OPEN && ch->state != CHANNEL_OPENING)
		return NULL;
	channel_server(ch);
	g = vmbus_offer_gpadl_get(ch->offer, id);
	channel_server_done(ch);
	if (g)
		g_ptr_array_add(ch->gpadls, (void *)g);
	return g;
}

void channel_gpadl_put(struct channel *ch, const struct gpadl *gpadl)
{
	assert(worker_is_current(ch->worker));
	g_ptr_array_remove_fast(ch->gpadls, (void *)gpadl);
	channel_server(ch);
	vmbus_offer_gpadl_put(ch->offer, gpadl);
	channel_server_done(ch);
}
