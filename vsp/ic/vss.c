/* SPDX-License-Identifier: MIT */
#include "vsp/ic/vss.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#include <glib.h>

#include "base/clock.h"
#include "base/log.h"
#include "proto/vmbus.h"
#include "vsp/ic/ic.h"
#include "vsp/vsp.h"

#define LOG_CATEGORY "ic"

#define LOOK_NS NSEC_PER_SEC

enum vss_state {
	VSS_IDLE,
	VSS_FREEZING, /* asked for */
	VSS_FROZEN,
	VSS_THAWING, /* asked for */
};

struct ic_vss {
	struct ic *ic; /* first */
	/* any thread */
	_Atomic uint64_t freezes, thaws, thaws_of_ours, failures;

	pthread_mutex_t lock; /* a leaf */
	/* lock */
	enum vss_state state;
	uint64_t hold_ns;
	uint64_t thaw_at; /* while frozen */
};

/* What a user asked for. */
struct request {
	struct ic_vss *v;
	ic_vss_done_fn done;
	void *ctx;
};

/* Return: what it was. */
static enum vss_state set_state(struct ic_vss *v, enum vss_state state)
{
	enum vss_state before;

	pthread_mutex_lock(&v->lock);
	before = v->state;
	v->state = state;
	v->thaw_at = clock_monotonic_ns() + v->hold_ns;
	pthread_mutex_unlock(&v->lock);
	return before;
}

/* Go from one state to another.  Return: was it in the first? */
static bool change_state(struct ic_vss *v, enum vss_state from,
			 enum vss_state to, enum vss_state *is)
{
	pthread_mutex_lock(&v->lock);
	*is = v->state;
	if (v->state == from)
		v->state = to;
	pthread_mutex_unlock(&v->lock);
	return *is == from;
}

static int send_operation(struct ic_vss *v, uint8_t operation,
			  uint64_t timeout_ns, ic_reply_fn reply, void *ctx)
{
	struct hv_vss_msg m = {.operation = operation};

	return ic_request(v->ic, &m, sizeof(m), timeout_ns, reply, ctx);
}

static int ask(struct ic_vss *v, uint8_t operation, uint64_t timeout_ns,
	       ic_reply_fn reply, ic_vss_done_fn done, void *ctx)
{
	struct request *r = g_new(struct request, 1);
	int err;

	*r = (struct request){.v = v, .done = done, .ctx = ctx};
	err = send_operation(v, operation, timeout_ns, reply, r);
	if (err)
		g_free(r);
	return err;
}

static int error_of(const struct ic_reply *reply)
{
	return reply->err ? reply->err : ic_status_error(reply->status);
}

/* --- thaw ------------------------------------------------------------------- */

static int on_own_thaw(void *ctx, const struct ic_reply *reply)
{
	struct ic_vss *v = ctx;

	(void)reply;
	set_state(v, VSS_IDLE);
	return 0;
}

/* Nobody asked, but it must be: for as long as the guest wants to take. */
static void thaw_ourselves(struct ic_vss *v)
{
	set_state(v, VSS_THAWING);
	v->thaws_of_ours++;
	if (send_operation(v, VSS_OP_THAW, 0, on_own_thaw, v))
		/* Too much is asked for: on_tick() tries again. */
		set_state(v, VSS_FROZEN);
}

static int on_thaw(void *ctx, const struct ic_reply *reply)
{
	g_autofree struct request *r = ctx;
	struct ic_vss *v = r->v;
	int err = error_of(reply);

	set_state(v, VSS_IDLE);
	if (err)
		v->failures++;
	else
		v->thaws++;
	/*
	 * It may not even have been sent.  A guest that says it could not is
	 * not asked again: nothing would change.
	 */
	if (err == -ETIMEDOUT)
		thaw_ourselves(v);
	r->done(r->ctx, err);
	return 0;
}

int ic_vss_thaw(struct ic_vss *v, uint64_t timeout_ns, ic_vss_done_fn done,
		void *ctx)
{
	enum vss_state is;
	int err;

	if (!change_state(v, VSS_FROZEN, VSS_THAWING, &is))
		return is == VSS_FREEZING ? -EBUSY : -EALREADY;
	err = ask(v, VSS_OP_THAW, timeout_ns, on_thaw, done, ctx);
	if (err)
		change_state(v, VSS_THAWING, VSS_FROZEN, &is);
	return err;
}

static void on_tick(void *ctx)
{
	struct ic_vss *v = ctx;
	bool late;

	pthread_mutex_lock(&v->lock);
	late = v->state == VSS_FROZEN && clock_monotonic_ns() >= v->thaw_at;
	pthread_mutex_unlock(&v->lock);
	if (!late)
		return;
	log_warn_ratelimited("nobody thawed the guest in time: it is thawed");
	thaw_ourselves(v);
}

/* --- freeze ------------------------------------------------------------------ */

static int on_freeze(void *ctx, const struct ic_reply *reply)
{
	g_autofree struct request *r = ctx;
	struct ic_vss *v = r->v;
	int err = error_of(reply);

	if (!err) {
		v->freezes++;
		set_state(v, VSS_FROZEN);
	} else {
		v->failures++;
		/* The guest did it in part, or will do it yet. */
		if (!reply->err || err == -ETIMEDOUT)
			thaw_ourselves(v);
		else
			set_state(v, VSS_IDLE);
	}
	r->done(r->ctx, err);
	return 0;
}

int ic_vss_freeze(struct ic_vss *v, uint64_t hold_ns, uint64_t timeout_ns,
		  ic_vss_done_fn done, void *ctx)
{
	enum vss_state is;
	int err;

	if (!change_state(v, VSS_IDLE, VSS_FREEZING, &is))
		return is == VSS_THAWING ? -EBUSY : -EALREADY;
	pthread_mutex_lock(&v->lock);
	v->hold_ns = hold_ns ? MIN(hold_ns, IC_VSS_HOLD_MAX_NS)
			     : IC_VSS_HOLD_DEFAULT_NS;
	pthread_mutex_unlock(&v->lock);
	err = ask(v, VSS_OP_FREEZE, timeout_ns, on_freeze, done, ctx);
	if (err)
		change_state(v, VSS_FREEZING, VSS_IDLE, &is);
	return err;
}

/* --- check -------------------------------------------------------------------- */

static int on_check(void *ctx, const struct ic_reply *reply)
{
	g_autofree struct request *r = ctx;

	r->done(r->ctx, error_of(reply));
	return 0;
}

int ic_vss_check(struct ic_vss *v, uint64_t timeout_ns, ic_vss_done_fn done,
		 void *ctx)
{
	return ask(v, VSS_OP_HOT_BACKUP, timeout_ns, on_check, done, ctx);
}

bool ic_vss_is_frozen(struct ic_vss *v)
{
	bool frozen;

	pthread_mutex_lock(&v->lock);
	frozen = v->state == VSS_FROZEN || v->state == VSS_THAWING;
	pthread_mutex_unlock(&v->lock);
	return frozen;
}

/* --- life ----------------------------------------------------------------------- */

static void on_closed(void *ctx)
{
	set_state(ctx, VSS_IDLE);
}

/*
 * Windows 8.1's, the first that has freeze and thaw, and Linux' only (OpenVMM
 * hyperv_ic_protocol src/vss.rs, Linux hv_snapshot.c).
 */
static const struct ic_version_row versions[] = {
	{{5, 0}, 0},
};

static const struct ic_service service = {
	.if_type = HV_VSS_GUID,
	.type = ICMSGTYPE_VSS,
	.max_body = sizeof(struct hv_vss_msg),
	.versions = versions,
	.n_versions = G_N_ELEMENTS(versions),
	.tick_ns = LOOK_NS,
	.tick = on_tick,
	.closed = on_closed,
};

struct ic_vss *ic_vss_new(const struct vsp_params *params, uint64_t look_ns)
{
	struct ic_vss *v = g_new0(struct ic_vss, 1);

	pthread_mutex_init(&v->lock, NULL);
	v->ic = ic_new(params, &service, v, NULL, look_ns);
	if (!ic_offer(v->ic))
		return v;
	ic_vss_free(v);
	return NULL;
}

void ic_vss_free(struct ic_vss *v)
{
	if (!v)
		return;
	ic_free(v->ic);
	pthread_mutex_destroy(&v->lock);
	g_free(v);
}

/* --- for the machine ---------------------------------------------------------- */

static void free_device(void *device)
{
	ic_vss_free(device);
}

static void say_facts(void *device, const struct vsp_facts *to)
{
	struct ic_vss *v = device;

	ic_facts(v->ic, to);
	to->number(to->ctx, "frozen", ic_vss_is_frozen(v));
	to->number(to->ctx, "freezes", v->freezes);
	to->number(to->ctx, "thaws", v->thaws);
	to->number(to->ctx, "thaws_of_ours", v->thaws_of_ours);
	to->number(to->ctx, "failures", v->failures);
}

const struct vsp_ops ic_vss_ops = {
	.free = free_device,
	.channel = ic_device_channel,
	.facts = say_facts,
	.run = ic_device_run,
};
