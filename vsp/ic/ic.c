/* SPDX-License-Identifier: MIT */
#include "vsp/ic/ic.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <glib.h>

#include "base/clock.h"
#include "base/findings.h"
#include "base/log.h"
#include "base/reader.h"
#include "base/trace.h"
#include "vsp/ic/fault.h"
#include "vsp/vmbus/channel.h"
#include "vsp/vmbus/worker.h"
#include "vsp/vsp.h"

#define LOG_CATEGORY "ic"

/* Framework versions, all that there are; Windows offers both, too. */
static const struct ic_version frameworks[] = {{1, 0}, {3, 0}};

#define N_FRAMEWORKS   G_N_ELEMENTS(frameworks)
/* More versions than any service has. */
#define VERSIONS_MAX   8u
/* What the trace keeps of a message. */
#define TRACE_IC_BYTES 56u
#define NEGOTIATE_MAX                     \
	(sizeof(struct icmsg_negotiate) + \
	 sizeof(struct ic_version) * (N_FRAMEWORKS + VERSIONS_MAX))

enum ic_state {
	IC_CLOSED,
	IC_NEGOTIATING,
	IC_READY,
	IC_REFUSED, /* open, but the guest wants none of the versions */
};

struct request {
	ic_reply_fn reply;
	void *ctx;
	uint64_t deadline; /* CLOCK_MONOTONIC; UINT64_MAX: none */
	uint32_t bytes;
	uint8_t body[];
};

struct ic {
	/* set once */
	const struct ic_service *service;
	void *ctx;
	struct channel *ch;
	void (*on_ready)(void *ctx);
	void *on_ready_ctx;
	uint32_t host_version;
	uint64_t tick_ns;

	pthread_mutex_t lock; /* a leaf */
	/* lock */
	GQueue queue; /* struct request, to be sent */
	unsigned int n_requests; /* those, and the one on its way */
	bool ended; /* takes no more */

	/* any thread */
	_Atomic bool running;
	_Atomic bool resumed;
	_Atomic uint32_t version, framework; /* major << 16 | minor; 0: none */
	_Atomic uint64_t negotiations, requests, replies, timeouts, strays;

	/* the worker */
	enum ic_state state;
	bool ending;
	bool outstanding; /* the guest has a message to answer */
	uint8_t transaction_id; /* of the last message */
	struct request *current; /* on its way; NULL: nobody waits for it */
	struct worker_timer deadline;
	struct worker_timer tick;
};

#define IC_OF(at, member) \
	((struct ic *)(void *)((uint8_t *)(at)-offsetof(struct ic, member)))

static uint32_t packed(struct ic_version v)
{
	return (uint32_t)v.major << 16 | v.minor;
}

/* --- requests --------------------------------------------------------------- */

/* @r is over; not in the queue any more. */
static int finish(struct ic *ic, struct request *r,
		  const struct ic_reply *reply)
{
	int ret;

	pthread_mutex_lock(&ic->lock);
	ic->n_requests--;
	pthread_mutex_unlock(&ic->lock);
	ret = r->reply(r->ctx, reply);
	g_free(r);
	return ret;
}

static void finish_error(struct ic *ic, struct request *r, int err)
{
	finish(ic, r, &(struct ic_reply){.err = err});
}

static struct request *take_first(struct ic *ic)
{
	struct request *r;

	pthread_mutex_lock(&ic->lock);
	r = g_queue_pop_head(&ic->queue);
	pthread_mutex_unlock(&ic->lock);
	return r;
}

static void fail_all(struct ic *ic, int err)
{
	struct request *r = ic->current;

	ic->current = NULL;
	if (r)
		finish_error(ic, r, err);
	while ((r = take_first(ic)))
		finish_error(ic, r, err);
}

/* One of the queue whose time is up. */
static struct request *take_expired(struct ic *ic, uint64_t now)
{
	struct request *r = NULL;

	pthread_mutex_lock(&ic->lock);
	for (GList *at = ic->queue.head; at; at = at->next) {
		struct request *candidate = at->data;

		if (candidate->deadline > now)
			continue;
		r = candidate;
		g_queue_delete_link(&ic->queue, at);
		break;
	}
	pthread_mutex_unlock(&ic->lock);
	return r;
}

static void expire(struct ic *ic, uint64_t now)
{
	struct request *r = ic->current;

	if (r && r->deadline <= now) {
		/* The guest still has it: `outstanding` stays. */
		ic->current = NULL;
		ic->timeouts++;
		finish_error(ic, r, -ETIMEDOUT);
	}
	while ((r = take_expired(ic, now))) {
		ic->timeouts++;
		finish_error(ic, r, -ETIMEDOUT);
	}
}

static uint64_t earliest_deadline(struct ic *ic)
{
	uint64_t min = ic->current ? ic->current->deadline : UINT64_MAX;

	pthread_mutex_lock(&ic->lock);
	for (GList *at = ic->queue.head; at; at = at->next)
		min = MIN(min, ((struct request *)at->data)->deadline);
	pthread_mutex_unlock(&ic->lock);
	return min;
}

static void set_deadline(struct ic *ic)
{
	uint64_t min = earliest_deadline(ic);
	struct worker *w = channel_worker(ic->ch);

	if (min == UINT64_MAX || ic->ending)
		worker_timer_stop(w, &ic->deadline);
	else
		worker_timer_set(w, &ic->deadline, min);
}

/* --- sending ----------------------------------------------------------------- */

static int send_message(struct ic *ic, uint16_t type, uint32_t framework,
			uint32_t version, const void *body, uint32_t bytes)
{
	struct icmsg_hdr h = {
		.icverframe = {(uint16_t)(framework >> 16),
			       (uint16_t)framework},
		.icmsgtype = type,
		.icvermsg = {(uint16_t)(version >> 16), (uint16_t)version},
		.icmsgsize = (uint16_t)bytes,
		.ictransaction_id = (uint8_t)(ic->transaction_id + 1),
		.icflags = ICMSGHDRFLAG_TRANSACTION | ICMSGHDRFLAG_REQUEST,
	};
	g_autofree uint8_t *message = g_malloc(sizeof(h) + bytes);
	int err;

	memcpy(message, &h, sizeof(h));
	memcpy(message + sizeof(h), body, bytes);
	err = ic_fault_send(ic->ch, message, (uint32_t)sizeof(h) + bytes);
	if (err)
		return err;
	trace_bytes(ic_message, TRACE_NO_VP, channel_trace(ic->ch), message,
		    MIN((uint32_t)sizeof(h) + bytes, TRACE_IC_BYTES),
		    TRACE_TO_GUEST, sizeof(h) + bytes);
	ic->transaction_id = h.ictransaction_id;
	ic->outstanding = true;
	return 0;
}

static void send_next(struct ic *ic)
{
	struct request *r;
	int err;

	while (!ic->outstanding && (r = take_first(ic))) {
		if (ic->service->prepare)
			r->bytes = ic->service->prepare(ic->ctx, r->body,
							r->bytes);
		err = send_message(ic, ic->service->type, ic->framework,
				   ic->version, r->body, r->bytes);
		if (!err) {
			ic->current = r;
			ic->requests++;
			return;
		}
		if (err == -EMSGSIZE) {
			finish_error(ic, r, err);
			continue;
		}
		/* It waits for room, or for the close that follows. */
		pthread_mutex_lock(&ic->lock);
		g_queue_push_head(&ic->queue, r);
		pthread_mutex_unlock(&ic->lock);
		return;
	}
}

/* After anything that may let a request go on, or end. */
static void pump(struct ic *ic)
{
	expire(ic, clock_monotonic_ns());
	if (ic->state == IC_CLOSED)
		fail_all(ic, -ENOTCONN);
	else if (ic->state == IC_REFUSED)
		fail_all(ic, -EPROTONOSUPPORT);
	else if (ic->state == IC_READY)
		send_next(ic);
	set_deadline(ic);
}

int ic_request(struct ic *ic, const void *body, uint32_t bytes,
	       uint64_t timeout_ns, ic_reply_fn reply, void *ctx)
{
	struct request *r;
	int err = 0;

	if (bytes > ic->service->max_body)
		return -EMSGSIZE;
	r = g_malloc(sizeof(*r) + bytes);
	*r = (struct request){
		.reply = reply,
		.ctx = ctx,
		.deadline = timeout_ns ? clock_monotonic_ns() + timeout_ns
				       : UINT64_MAX,
		.bytes = bytes,
	};
	memcpy(r->body, body, bytes);
	pthread_mutex_lock(&ic->lock);
	if (ic->ended)
		err = -ECANCELED;
	else if (ic->n_requests == IC_REQUESTS_MAX)
		err = -EBUSY;
	if (!err) {
		ic->n_requests++;
		g_queue_push_tail(&ic->queue, r);
	}
	pthread_mutex_unlock(&ic->lock);
	if (err)
		g_free(r);
	else
		channel_wake(ic->ch);
	return err;
}

/* --- timers ------------------------------------------------------------------ */

static void run_deadline(struct worker_timer *timer)
{
	pump(IC_OF(timer, deadline));
}

static void set_tick(struct ic *ic)
{
	if (ic->tick_ns && !ic->ending)
		worker_timer_set(channel_worker(ic->ch), &ic->tick,
				 clock_monotonic_ns() + ic->tick_ns);
}

static void run_tick(struct worker_timer *timer)
{
	struct ic *ic = IC_OF(timer, tick);

	set_tick(ic);
	if (ic->running && ic->state == IC_READY && ic->service->tick)
		ic->service->tick(ic->ctx);
}

/* --- negotiation --------------------------------------------------------------- */

/* Those that a host of that version has.  Return: how many. */
static unsigned int our_versions(const struct ic *ic,
				 struct ic_version out[VERSIONS_MAX])
{
	const struct ic_service *s = ic->service;
	unsigned int n = 0;

	for (unsigned int i = 0; i < s->n_versions && n < VERSIONS_MAX; i++) {
		if (s->versions[i].since <= ic->host_version)
			out[n++] = s->versions[i].version;
	}
	return n;
}

static int send_negotiation(struct ic *ic)
{
	struct ic_version versions[VERSIONS_MAX] = {{0}};
	unsigned int n = our_versions(ic, versions);
	struct icmsg_negotiate m = {.icframe_vercnt = N_FRAMEWORKS,
				    .icmsg_vercnt = (uint16_t)n};
	uint8_t body[NEGOTIATE_MAX];
	uint32_t bytes = sizeof(m) + sizeof(frameworks);

	memcpy(body, &m, sizeof(m));
	memcpy(body + sizeof(m), frameworks, sizeof(frameworks));
	memcpy(body + bytes, versions, n * sizeof(versions[0]));
	bytes += n * (uint32_t)sizeof(versions[0]);
	return send_message(ic, ICMSGTYPE_NEGOTIATE, packed(frameworks[0]),
			    packed(versions[0]), body, bytes);
}

static bool is_among(struct ic_version v, const struct ic_version *list,
		     unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		if (packed(list[i]) == packed(v))
			return true;
	}
	return false;
}

static void refuse(struct ic *ic)
{
	log_warn_ratelimited("%s: the guest knows none of our versions",
			     channel_name(ic->ch));
	ic->state = IC_REFUSED;
	ic->version = 0;
	ic->framework = 0;
	pump(ic);
}

static void agree(struct ic *ic, struct ic_version framework,
		  struct ic_version version)
{
	ic->state = IC_READY;
	ic->framework = packed(framework);
	ic->version = packed(version);
	ic->negotiations++;
	log_debug("%s: version %u.%u, framework %u.%u", channel_name(ic->ch),
		  version.major, version.minor, framework.major,
		  framework.minor);
	set_tick(ic);
	if (ic->service->ready)
		ic->service->ready(ic->ctx, version);
	if (ic->on_ready)
		ic->on_ready(ic->on_ready_ctx);
	pump(ic);
}

static int bad_answer(struct ic *ic, const char *what)
{
	findings_hit(FINDING_COMPONENT_ANSWER, channel_name(ic->ch), "%s",
		     what);
	return -EPROTO;
}

/* The guest writes its choice in front of the list, and the counts. */
static int handle_negotiation(struct ic *ic, struct reader *r)
{
	struct ic_version framework, version, versions[VERSIONS_MAX];
	unsigned int n = our_versions(ic, versions);
	struct icmsg_negotiate m;

	reader_bytes(r, &m, sizeof(m));
	if (reader_ok(r) && (!m.icframe_vercnt || !m.icmsg_vercnt)) {
		refuse(ic);
		return 0;
	}
	reader_bytes(r, &framework, sizeof(framework));
	reader_bytes(r, &version, sizeof(version));
	if (!reader_ok(r) || m.icframe_vercnt != 1 || m.icmsg_vercnt != 1 ||
	    !is_among(framework, frameworks, N_FRAMEWORKS) ||
	    !is_among(version, versions, n))
		return bad_answer(ic, "a version that was not offered");
	agree(ic, framework, version);
	return 0;
}

/* --- the channel ----------------------------------------------------------------- */

static int handle_reply(struct ic *ic, const struct icmsg_hdr *h,
			const void *body, uint32_t bytes)
{
	struct request *r = ic->current;
	int ret = 0;

	ic->current = NULL;
	if (r && bytes < r->bytes) {
		finish_error(ic, r, -ECONNRESET);
		return bad_answer(ic, "shorter than its request");
	}
	ic->replies++;
	if (r)
		ret = finish(ic, r,
			     &(struct ic_reply){.status = h->status,
						.body = body,
						.bytes = bytes});
	if (!ret)
		pump(ic);
	return ret;
}

static int on_packet(void *ctx, const struct packet *packet)
{
	struct ic *ic = ctx;
	bool negotiating = ic->state == IC_NEGOTIATING;
	struct icmsg_hdr h;
	struct reader r;
	const void *data;
	uint32_t bytes;

	if (packet->type != VM_PKT_DATA_INBAND ||
	    packet_pipe(packet, &data, &bytes))
		return -EPROTO;
	trace_bytes(ic_message, TRACE_NO_VP, channel_trace(ic->ch), data,
		    MIN(bytes, TRACE_IC_BYTES), TRACE_FROM_GUEST, bytes);
	r = reader_init(data, bytes);
	reader_bytes(&r, &h, sizeof(h));
	if (!reader_ok(&r) || h.icmsgsize > reader_left(&r) ||
	    !(h.icflags & ICMSGHDRFLAG_RESPONSE) ||
	    (h.icmsgtype != ICMSGTYPE_NEGOTIATE &&
	     h.icmsgtype != ic->service->type))
		return bad_answer(ic, "not a message, or of another kind");
	if (!ic->outstanding || h.ictransaction_id != ic->transaction_id ||
	    (h.icmsgtype == ICMSGTYPE_NEGOTIATE) != negotiating) {
		ic->strays++;
		bad_answer(ic, "to nothing that was asked");
		return 0;
	}
	ic->outstanding = false;
	if (negotiating)
		return handle_negotiation(ic, &r);
	return handle_reply(ic, &h, r.data + r.pos, (uint32_t)reader_left(&r));
}

static int on_open(void *ctx, const struct channel_open *open)
{
	struct ic *ic = ctx;
	int err;

	(void)open;
	ic->state = IC_NEGOTIATING;
	err = send_negotiation(ic);
	if (err)
		ic->state = IC_CLOSED;
	return err;
}

static int on_close(void *ctx)
{
	struct ic *ic = ctx;

	ic->state = IC_CLOSED;
	ic->outstanding = false;
	worker_timer_stop(channel_worker(ic->ch), &ic->tick);
	fail_all(ic, -ECONNRESET);
	set_deadline(ic);
	if (ic->service->closed)
		ic->service->closed(ic->ctx);
	return 0;
}

static void on_writable(void *ctx)
{
	pump(ctx);
}

static void on_wake(void *ctx)
{
	struct ic *ic = ctx;

	if (atomic_exchange(&ic->resumed, false) && ic->state == IC_READY) {
		/* What came of the time before says nothing. */
		set_tick(ic);
		if (ic->service->resumed)
			ic->service->resumed(ic->ctx);
	}
	pump(ic);
}

static const struct channel_ops channel_ops = {
	.open = on_open,
	.packet = on_packet,
	.writable = on_writable,
	.wake = on_wake,
	.close = on_close,
};

/* --- life ------------------------------------------------------------------------- */

struct ic *ic_new(const struct vsp_params *params,
		  const struct ic_service *service, void *ctx,
		  struct worker *worker, uint64_t tick_ns)
{
	struct ic *ic = g_new0(struct ic, 1);
	uint32_t longest = PACKET_HEADER + sizeof(struct vmbuspipe_hdr) +
			   sizeof(struct icmsg_hdr) + PACKET_UNIT +
			   MAX(service->max_body, (uint32_t)NEGOTIATE_MAX);
	struct channel_params p = {
		.name = params->name,
		.if_type = service->if_type,
		.if_instance = params->instance,
		.order = params->order,
		.max_in = longest,
		.max_out = longest,
		.worker = worker,
	};

	ic->service = service;
	ic->ctx = ctx;
	ic->on_ready = params->ready;
	ic->on_ready_ctx = params->ctx;
	ic->host_version = params->host_version;
	ic->tick_ns = tick_ns ? tick_ns : service->tick_ns;
	pthread_mutex_init(&ic->lock, NULL);
	g_queue_init(&ic->queue);
	ic->deadline.run = run_deadline;
	ic->tick.run = run_tick;
	ic->ch = channel_new(params->bus, &p, &channel_ops, ic);
	return ic;
}

int ic_offer(struct ic *ic)
{
	return channel_offer(ic->ch);
}

/* On the worker: no timer runs from now on. */
static void end_timers(void *ctx)
{
	struct ic *ic = ctx;

	ic->ending = true;
	worker_timer_stop(channel_worker(ic->ch), &ic->tick);
	worker_timer_stop(channel_worker(ic->ch), &ic->deadline);
}

void ic_free(struct ic *ic)
{
	if (!ic)
		return;
	worker_call(channel_worker(ic->ch), end_timers, ic);
	/* A callback that fails may want to ask for something else. */
	pthread_mutex_lock(&ic->lock);
	ic->ended = true;
	pthread_mutex_unlock(&ic->lock);
	channel_free(ic->ch);
	fail_all(ic, -ECANCELED);
	pthread_mutex_destroy(&ic->lock);
	g_free(ic);
}

void ic_run(struct ic *ic, bool running)
{
	ic->running = running;
	if (!running)
		return;
	ic->resumed = true;
	channel_wake(ic->ch);
}

struct channel *ic_channel(struct ic *ic)
{
	return ic->ch;
}

struct channel *ic_device_channel(void *device)
{
	return ic_channel(*(struct ic **)device);
}

void ic_device_run(void *device, bool running)
{
	ic_run(*(struct ic **)device, running);
}

/* --- looking ------------------------------------------------------------------------ */

static void version_fact(const struct vsp_facts *to, const char *key,
			 uint32_t version)
{
	char text[24];

	snprintf(text, sizeof(text), "%u.%u", version >> 16, version & 0xFFFF);
	to->text(to->ctx, key, text);
}

void ic_facts(struct ic *ic, const struct vsp_facts *to)
{
	if (ic->version) {
		version_fact(to, "version", ic->version);
		version_fact(to, "framework", ic->framework);
	}
	to->number(to->ctx, "negotiations", ic->negotiations);
	to->number(to->ctx, "requests", ic->requests);
	to->number(to->ctx, "replies", ic->replies);
	to->number(to->ctx, "timeouts", ic->timeouts);
	to->number(to->ctx, "strays", ic->strays);
}

int ic_status_error(uint32_t status)
{
	static const struct {
		uint32_t status;
		int err;
	} rows[] = {
		{HV_S_OK, 0},
		{HV_S_CONT, -ENOENT},
		{HV_GUID_NOTFOUND, -ENOENT},
		{HV_ERROR_NOT_SUPPORTED, -EOPNOTSUPP},
		{HV_ERROR_ALREADY_EXISTS, -EEXIST},
		{HV_INVALIDARG, -EINVAL},
		{HV_ERROR_DISK_FULL, -ENOSPC},
		{HV_ERROR_MACHINE_LOCKED, -EBUSY},
		{HV_ERROR_DEVICE_NOT_CONNECTED, -ENODEV},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		if (rows[i].status == status)
			return rows[i].err;
	}
	return -EIO;
}
