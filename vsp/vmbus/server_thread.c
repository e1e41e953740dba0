/* SPDX-License-Identifier: MIT */
#include "vsp/vmbus/server_thread.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/thread.h"
#include "mem/gmem.h"
#include "proto/hv_hypercall.h"
#include "proto/hv_synic.h"
#include "synic/ports.h"
#include "synic/synic.h"
#include "vsp/vmbus/chanmsg.h"
#include "vsp/vmbus/gpadl.h"
#include "vsp/vmbus/message_fault.h"

#define LOG_CATEGORY "vmbus"

struct in_message {
	uint32_t vp;
	uint32_t size;
	uint8_t data[VMBUS_MESSAGE_MAX];
};

enum work {
	WORK_NONE,
	WORK_STOP,
	WORK_ACTIONS,
	WORK_ROOM,
	WORK_EXPIRE,
	WORK_MESSAGE,
};

struct vmbus_thread {
	/* set once */
	struct vmbus_thread_params params;
	pthread_t thread;

	/* held around each call into the server; above the synic's locks */
	pthread_mutex_t server_lock;
	struct vmbus_server *server;
	struct message_fault fault; /* of messages to the guest */

	pthread_mutex_t lock; /* a leaf, below the server's */
	pthread_cond_t changed;
	/* lock */
	struct in_message in[VMBUS_IN_MAX]; /* a ring */
	unsigned int in_first, n_in;
	bool stop;
	bool paused;
	bool busy; /* the thread is at work, not waiting */
	bool has_actions; /* maybe */
	bool has_room; /* in a queue of the synic that was full */
	bool stalled; /* the server wants no input */
	uint64_t deadline; /* the server's */
	uint64_t fault_deadline; /* of t->fault, CLOCK_MONOTONIC */
	uint64_t seq; /* counts changes, for vmbus_thread_reset() */
	uint64_t paused_ns; /* time that the server does not see */
	uint64_t paused_at;
};

static void note_change(struct vmbus_thread *t)
{
	t->seq++;
	pthread_cond_broadcast(&t->changed);
}

/* --- the guest's messages: vCPU threads --------------------------------------- */

static bool ends_connection(const struct in_message *m)
{
	uint32_t type = chanmsg_peek(m->data, m->size);

	return type == CHANNELMSG_INITIATE_CONTACT || type == CHANNELMSG_UNLOAD;
}

static struct in_message *in_at(struct vmbus_thread *t, unsigned int i)
{
	return &t->in[(t->in_first + i) % VMBUS_IN_MAX];
}

static hv_status_t queue_message(struct vmbus_thread *t,
				 const struct in_message *m)
{
	hv_status_t status = HV_STATUS_SUCCESS;

	pthread_mutex_lock(&t->lock);
	if (t->n_in == VMBUS_IN_MAX && t->stalled && ends_connection(m))
		t->n_in = 0;
	if (t->n_in == VMBUS_IN_MAX) {
		status = HV_STATUS_INSUFFICIENT_BUFFERS;
	} else {
		*in_at(t, t->n_in++) = *m;
		note_change(t);
	}
	pthread_mutex_unlock(&t->lock);
	return status;
}

static hv_status_t on_message(void *ctx, uint32_t vp,
			      const struct hv_input_post_message *msg)
{
	struct in_message m = {.vp = vp, .size = msg->payload_size};
	struct vmbus_thread *t = ctx;
	struct fault_hit hit;

	if (msg->message_type != HVMSG_VMBUS) {
		log_debug_ratelimited("message of type 0x%x is not VMbus",
				      msg->message_type);
		return HV_STATUS_SUCCESS;
	}
	memcpy(m.data, msg->payload, sizeof(m.data));
	if (fault_at(FAULT_VMBUS_MESSAGE_IN, NULL, chanmsg_peek(m.data, m.size),
		     &hit)) {
		if (hit.action != FAULT_DUPLICATE)
			return hit.action == FAULT_FAIL ? (hv_status_t)hit.value
							: HV_STATUS_SUCCESS;
		queue_message(t, &m);
	}
	return queue_message(t, &m);
}

static void on_room(void *ctx, uint32_t vp, unsigned int sint)
{
	struct vmbus_thread *t = ctx;

	(void)vp;
	(void)sint;
	pthread_mutex_lock(&t->lock);
	t->has_room = true;
	note_change(t);
	pthread_mutex_unlock(&t->lock);
}

/* --- what the server asks for --------------------------------------------------- */

static int post(struct vmbus_thread *t, uint32_t vp, unsigned int sint,
		const void *msg, size_t size)
{
	struct hv_message m = {.header = {.message_type = HVMSG_VMBUS,
					  .payload_size = (uint8_t)size}};

	memcpy(m.payload, msg, size);
	return synic_message_post(t->params.synic, vp, sint, &m);
}

static int post_fault(void *ctx, const struct fault_message *m)
{
	return post(ctx, m->vp, m->sint, m->data, m->size);
}

static int post_message(void *ctx, uint32_t vp, unsigned int sint,
			const void *msg, size_t size)
{
	struct vmbus_thread *t = ctx;
	struct fault_message m = {.vp = vp, .sint = sint, .size = size};

	memcpy(m.data, msg, size);
	return message_fault_post(&t->fault, &m, clock_monotonic_ns(),
				  post_fault, t);
}

static void drop_messages(void *ctx, uint32_t vp, unsigned int sint)
{
	struct vmbus_thread *t = ctx;

	message_fault_reset(&t->fault);
	synic_message_drop(t->params.synic, vp, sint);
}

static bool is_ram(void *ctx, uint64_t pfn)
{
	const struct vmbus_thread *t = ctx;

	return pfn < UINT64_MAX / HV_PAGE_SIZE &&
	       gmem_contains(t->params.mem, pfn * HV_PAGE_SIZE, HV_PAGE_SIZE);
}

/* Pages that were rings until the channel was closed. */
static void give_back(void *ctx, const struct gpadl *gpadl)
{
	const struct vmbus_thread *t = ctx;

	for (unsigned int i = 0; i < gpadl_n_ranges(gpadl); i++) {
		const struct gpadl_range *range = gpadl_range(gpadl, i);

		gmem_take_back(t->params.mem, range->pfns, range->n_pages);
	}
}

static const struct vmbus_server_ops server_ops = {
	.post_message = post_message,
	.drop_messages = drop_messages,
	.is_ram = is_ram,
	.give_back = give_back,
};

/* --- the thread -------------------------------------------------------------------- */

/* The server's time: it stands still while paused.  With the lock. */
static uint64_t server_now(const struct vmbus_thread *t)
{
	return clock_monotonic_ns() - t->paused_ns;
}

/*
 * While the server wants no input: is there a message that makes what was
 * before it pointless?  Then it is the next.  With the lock.
 */
static bool skip_to_end_of_connection(struct vmbus_thread *t)
{
	for (unsigned int i = t->n_in; i-- > 0;) {
		if (!ends_connection(in_at(t, i)))
			continue;
		t->in_first = (t->in_first + i) % VMBUS_IN_MAX;
		t->n_in -= i;
		return true;
	}
	return false;
}

/* What to do now.  With the lock. */
static enum work pick(struct vmbus_thread *t)
{
	if (t->stop)
		return WORK_STOP;
	if (t->has_actions)
		return WORK_ACTIONS;
	if (t->paused)
		return WORK_NONE;
	if (t->has_room || (t->fault_deadline != VMBUS_NEVER &&
			    clock_monotonic_ns() >= t->fault_deadline))
		return WORK_ROOM;
	if (t->deadline != VMBUS_NEVER && server_now(t) >= t->deadline)
		return WORK_EXPIRE;
	if (t->n_in && (!t->stalled || skip_to_end_of_connection(t)))
		return WORK_MESSAGE;
	return WORK_NONE;
}

static void wait_for_change(struct vmbus_thread *t)
{
	uint64_t until = t->deadline;
	struct timespec ts;

	if (until != VMBUS_NEVER)
		until += t->paused_ns;
	until = MIN(until, t->fault_deadline);
	if (until == VMBUS_NEVER || t->paused) {
		pthread_cond_wait(&t->changed, &t->lock);
		return;
	}
	ts.tv_sec = (time_t)(until / NSEC_PER_SEC);
	ts.tv_nsec = (long)(until % NSEC_PER_SEC);
	pthread_cond_timedwait(&t->changed, &t->lock, &ts);
}

static enum work wait_for_work(struct vmbus_thread *t, struct in_message *m,
			       uint64_t *now)
{
	enum work work;

	pthread_mutex_lock(&t->lock);
	t->busy = false;
	note_change(t);
	while (!(work = pick(t)))
		wait_for_change(t);
	t->busy = true;
	t->has_actions = false;
	if (work == WORK_ROOM)
		t->has_room = false;
	if (work == WORK_MESSAGE) {
		*m = *in_at(t, 0);
		t->in_first = (t->in_first + 1) % VMBUS_IN_MAX;
		t->n_in--;
	}
	*now = server_now(t);
	pthread_mutex_unlock(&t->lock);
	return work;
}

static void tl_connect(struct vmbus_thread *t, const struct vmbus_action *a)
{
	const struct vmbus_events *e = t->params.events;

	if (e->tl_connect) {
		e->tl_connect(t->params.ctx, &a->tl_connect.endpoint,
			      &a->tl_connect.service, &a->tl_connect.silo);
		return;
	}
	vmbus_server_refuse_tl_connect(vmbus_thread_lock(t),
				       &a->tl_connect.endpoint,
				       &a->tl_connect.service);
	vmbus_thread_unlock(t);
}

static void carry_out(struct vmbus_thread *t, const struct vmbus_action *a)
{
	const struct vmbus_events *e = t->params.events;
	const struct vmbus_owner *owner = a->ctx;

	switch (a->kind) {
	case VMBUS_ACTION_OPEN:
		owner->ops->open(owner->ctx, &a->open);
		break;
	case VMBUS_ACTION_CLOSE:
		owner->ops->close(owner->ctx);
		break;
	case VMBUS_ACTION_MODIFY:
		owner->ops->modify(owner->ctx, a->target_vp);
		break;
	case VMBUS_ACTION_MOVE_PAGES:
		owner->ops->move_pages(owner->ctx);
		break;
	case VMBUS_ACTION_GPADL_TEARDOWN:
		owner->ops->gpadl_teardown(owner->ctx, a->gpadl);
		break;
	case VMBUS_ACTION_RELEASED:
		owner->ops->released(owner->ctx);
		break;
	case VMBUS_ACTION_CONNECTED:
		e->connected(t->params.ctx, &a->connection);
		break;
	case VMBUS_ACTION_OFFERS_SENT:
		e->offers_sent(t->params.ctx);
		break;
	case VMBUS_ACTION_DISCONNECTED:
		e->disconnected(t->params.ctx);
		break;
	case VMBUS_ACTION_UNLOADED:
		e->unloaded(t->params.ctx);
		break;
	case VMBUS_ACTION_TL_CONNECT:
		tl_connect(t, a);
		break;
	}
}

static void run_actions(struct vmbus_thread *t)
{
	struct vmbus_action action;
	bool more;

	do {
		pthread_mutex_lock(&t->server_lock);
		more = vmbus_server_next_action(t->server, &action);
		pthread_mutex_unlock(&t->server_lock);
		if (more)
			carry_out(t, &action);
	} while (more);
}

/* Have the queue know how the server is. */
static void publish(struct vmbus_thread *t)
{
	pthread_mutex_lock(&t->server_lock);
	pthread_mutex_lock(&t->lock);
	t->stalled = !vmbus_server_wants_input(t->server);
	t->deadline = vmbus_server_deadline(t->server);
	t->fault_deadline = message_fault_deadline(&t->fault);
	pthread_mutex_unlock(&t->lock);
	pthread_mutex_unlock(&t->server_lock);
}

/* There is room for messages, or one that was late is due. */
static void go_on(struct vmbus_thread *t)
{
	message_fault_run(&t->fault, clock_monotonic_ns(), post_fault, t);
	vmbus_server_flush(t->server);
}

static void do_work(struct vmbus_thread *t, enum work work,
		    const struct in_message *m, uint64_t now)
{
	pthread_mutex_lock(&t->server_lock);
	if (work == WORK_MESSAGE)
		vmbus_server_message(t->server, now, m->vp, m->data, m->size);
	else if (work == WORK_ROOM)
		go_on(t);
	else if (work == WORK_EXPIRE)
		vmbus_server_expire(t->server, now);
	pthread_mutex_unlock(&t->server_lock);
	run_actions(t);
	publish(t);
}

static void *run(void *arg)
{
	struct vmbus_thread *t = arg;
	struct in_message m;
	enum work work;
	uint64_t now;

	while ((work = wait_for_work(t, &m, &now)) != WORK_STOP)
		do_work(t, work, &m, now);
	return NULL;
}

/* --- other threads --------------------------------------------------------------------- */

struct vmbus_server *vmbus_thread_lock(struct vmbus_thread *t)
{
	pthread_mutex_lock(&t->server_lock);
	return t->server;
}

void vmbus_thread_unlock(struct vmbus_thread *t)
{
	pthread_mutex_lock(&t->lock);
	t->has_actions = true;
	note_change(t);
	pthread_mutex_unlock(&t->lock);
	/* Last: an owner's answer may be what vmbus_thread_free() waits for. */
	pthread_mutex_unlock(&t->server_lock);
}

void vmbus_thread_pause(struct vmbus_thread *t)
{
	pthread_mutex_lock(&t->lock);
	if (!t->paused)
		t->paused_at = clock_monotonic_ns();
	t->paused = true;
	note_change(t);
	while (t->busy)
		pthread_cond_wait(&t->changed, &t->lock);
	pthread_mutex_unlock(&t->lock);
}

void vmbus_thread_resume(struct vmbus_thread *t)
{
	pthread_mutex_lock(&t->lock);
	if (t->paused)
		t->paused_ns += clock_monotonic_ns() - t->paused_at;
	t->paused = false;
	note_change(t);
	pthread_mutex_unlock(&t->lock);
}

static bool is_at_rest(struct vmbus_thread *t)
{
	const struct vmbus_server *s;
	bool rest;

	pthread_mutex_lock(&t->server_lock);
	s = t->server;
	rest = vmbus_server_is_idle(s) && !vmbus_server_has_action(s);
	pthread_mutex_unlock(&t->server_lock);
	pthread_mutex_lock(&t->lock);
	rest = rest && !t->busy && !t->has_actions;
	pthread_mutex_unlock(&t->lock);
	return rest;
}

void vmbus_thread_reset(struct vmbus_thread *t)
{
	uint64_t seq;

	pthread_mutex_lock(&t->lock);
	t->n_in = 0;
	t->has_room = false;
	pthread_mutex_unlock(&t->lock);
	pthread_mutex_lock(&t->server_lock);
	message_fault_reset(&t->fault);
	pthread_mutex_unlock(&t->server_lock);
	vmbus_server_reset(vmbus_thread_lock(t));
	vmbus_thread_unlock(t);
	for (;;) {
		pthread_mutex_lock(&t->lock);
		seq = t->seq;
		pthread_mutex_unlock(&t->lock);
		if (is_at_rest(t))
			return;
		/* An owner closes, or the thread has done something. */
		pthread_mutex_lock(&t->lock);
		while (t->seq == seq)
			pthread_cond_wait(&t->changed, &t->lock);
		pthread_mutex_unlock(&t->lock);
	}
}

/* --- life ---------------------------------------------------------------------------------- */

static void init_locks(struct vmbus_thread *t)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&t->server_lock, NULL);
	pthread_mutex_init(&t->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&t->changed, &attr);
	pthread_condattr_destroy(&attr);
}

static void destroy(struct vmbus_thread *t)
{
	vmbus_server_free(t->server);
	pthread_cond_destroy(&t->changed);
	pthread_mutex_destroy(&t->lock);
	pthread_mutex_destroy(&t->server_lock);
	g_free(t);
}

struct vmbus_thread *vmbus_thread_new(const struct vmbus_thread_params *params,
				      GError **error)
{
	struct vmbus_thread *t = g_new0(struct vmbus_thread, 1);
	int err;

	t->params = *params;
	t->paused = true;
	t->paused_at = clock_monotonic_ns();
	t->deadline = VMBUS_NEVER;
	t->fault_deadline = VMBUS_NEVER;
	init_locks(t);
	t->server = vmbus_server_new(&(struct vmbus_server_params){
		.max_version = params->max_version,
		.n_vps = params->n_vps,
		.gpadl_bytes_max = params->gpadl_bytes_max,
		.ops = &server_ops,
		.ctx = t,
	});
	err = ports_add_message(params->ports, VMBUS_MESSAGE_CONNECTION_ID,
				on_message, t);
	if (err)
		goto no_port;
	err = ports_add_message(params->ports, VMBUS_MESSAGE_CONNECTION_ID_4,
				on_message, t);
	if (err)
		goto no_port_4;
	err = thread_start(&t->thread, "vmbus", run, t);
	if (err)
		goto no_thread;
	synic_set_room_hook(params->synic, on_room, t);
	return t;
no_thread:
	ports_remove(params->ports, VMBUS_MESSAGE_CONNECTION_ID_4);
no_port_4:
	ports_remove(params->ports, VMBUS_MESSAGE_CONNECTION_ID);
no_port:
	destroy(t);
	g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(-err),
		    "vmbus: %s", g_strerror(-err));
	return NULL;
}

void vmbus_thread_free(struct vmbus_thread *t)
{
	if (!t)
		return;
	vmbus_thread_pause(t);
	ports_remove(t->params.ports, VMBUS_MESSAGE_CONNECTION_ID_4);
	ports_remove(t->params.ports, VMBUS_MESSAGE_CONNECTION_ID);
	vmbus_thread_reset(t);
	synic_set_room_hook(t->params.synic, NULL, NULL);
	pthread_mutex_lock(&t->lock);
	t->stop = true;
	note_change(t);
	pthread_mutex_unlock(&t->lock);
	pthread_join(t->thread, NULL);
	destroy(t);
}
