/* SPDX-License-Identifier: MIT */
#include "vsp/ic/timesync.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include <glib.h>

#include "base/clock.h"
#include "proto/vmbus.h"
#include "vsp/ic/ic.h"
#include "vsp/vsp.h"

/* OpenVMM hyperv_ic src/timesync.rs */
#define PERIOD_S 5u

/* The version whose messages have the reference counter. */
#define VERSION_REFERENCE 4

struct ic_timesync {
	struct ic *ic; /* first */
	struct ic_timesync_clock clock;
	unsigned int messages_max; /* of which one is a SYNC; 0: none */

	/* any thread */
	_Atomic uint64_t syncs, samples; /* that were answered */

	/* the worker */
	bool has_reference; /* the version agreed on */
	bool waiting; /* for an answer to a tick's message */
	unsigned int messages; /* since the last SYNC */
};

static uint64_t host_utc_ns(void *ctx)
{
	struct timespec ts;

	(void)ctx;
	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
}

/* A request waits as its flags alone; the time is that of its sending. */
static uint32_t prepare(void *ctx, void *body, uint32_t bytes)
{
	const struct ic_timesync *t = ctx;
	const struct ic_timesync_clock *c = &t->clock;
	struct ictimesync_ref_data ref = {0};
	struct ictimesync_data m;

	(void)bytes;
	memcpy(&m, body, sizeof(m));
	m.parenttime = WLTIMEDELTA + c->utc_ns(c->ctx) / NSEC_PER_100NS;
	if (!t->has_reference) {
		memcpy(body, &m, sizeof(m));
		return sizeof(m);
	}
	ref.parenttime = m.parenttime;
	ref.vmreferencetime = c->reference(c->ctx);
	ref.flags = m.flags;
	memcpy(body, &ref, sizeof(ref));
	return sizeof(ref);
}

/* Any thread. */
static int send_time(struct ic_timesync *t, uint8_t flags, uint64_t timeout_ns,
		     ic_reply_fn reply, void *ctx)
{
	struct ictimesync_data m = {.flags = flags};

	return ic_request(t->ic, &m, sizeof(m), timeout_ns, reply, ctx);
}

/* --- of our own --------------------------------------------------------------- */

static int on_sync_reply(void *ctx, const struct ic_reply *reply)
{
	struct ic_timesync *t = ctx;

	t->waiting = false;
	if (!reply->err)
		t->syncs++;
	return 0;
}

static int on_sample_reply(void *ctx, const struct ic_reply *reply)
{
	struct ic_timesync *t = ctx;

	t->waiting = false;
	if (!reply->err)
		t->samples++;
	return 0;
}

/* One that nobody asked for. */
static void send_sync(struct ic_timesync *t)
{
	t->messages = 0;
	if (!send_time(t, ICTIMESYNCFLAG_SYNC, 0, on_sync_reply, t))
		t->waiting = true;
}

static void on_ready(void *ctx, struct ic_version version)
{
	struct ic_timesync *t = ctx;

	t->has_reference = version.major >= VERSION_REFERENCE;
	send_sync(t);
}

static void on_tick(void *ctx)
{
	struct ic_timesync *t = ctx;

	if (t->waiting)
		return;
	if (t->messages_max && ++t->messages >= t->messages_max)
		send_sync(t);
	else
		t->waiting = !send_time(t, ICTIMESYNCFLAG_SAMPLE, 0,
					on_sample_reply, t);
}

static void on_resumed(void *ctx)
{
	send_sync(ctx);
}

/* --- the user's ----------------------------------------------------------------- */

struct request {
	struct ic_timesync *t;
	ic_timesync_done_fn done;
	void *ctx;
};

static int on_user_reply(void *ctx, const struct ic_reply *reply)
{
	g_autofree struct request *r = ctx;
	int err = reply->err ? reply->err : ic_status_error(reply->status);

	if (!err)
		r->t->syncs++;
	r->done(r->ctx, err);
	return 0;
}

int ic_timesync_sync(struct ic_timesync *t, uint64_t timeout_ns,
		     ic_timesync_done_fn done, void *ctx)
{
	struct request *r = g_new(struct request, 1);
	int err;

	*r = (struct request){.t = t, .done = done, .ctx = ctx};
	err = send_time(t, ICTIMESYNCFLAG_SYNC, timeout_ns, on_user_reply, r);
	if (err)
		g_free(r);
	return err;
}

/* --- life ------------------------------------------------------------------------ */

/* Linux up to 4.16 asked for 4.0 where VMbus was 4.0 (hv_util.c). */
static const struct ic_version_row versions[] = {
	{{1, 0}, 0},
	{{3, 0}, 0},
	{{4, 0}, VERSION_WIN10},
};

static const struct ic_service service = {
	.if_type = HV_TS_GUID,
	.type = ICMSGTYPE_TIMESYNC,
	.max_body = sizeof(struct ictimesync_data),
	.versions = versions,
	.n_versions = G_N_ELEMENTS(versions),
	.tick_ns = PERIOD_S * NSEC_PER_SEC,
	.ready = on_ready,
	.tick = on_tick,
	.resumed = on_resumed,
	.prepare = prepare,
};

struct ic_timesync *ic_timesync_new(const struct vsp_params *params,
				    const struct ic_timesync_clock *clock,
				    unsigned int sync_s, uint64_t period_ns)
{
	struct ic_timesync *t = g_new0(struct ic_timesync, 1);

	t->clock = *clock;
	if (sync_s)
		t->messages_max = MAX(sync_s / PERIOD_S, 1);
	if (!t->clock.utc_ns)
		t->clock.utc_ns = host_utc_ns;
	t->ic = ic_new(params, &service, t, NULL, period_ns);
	if (!ic_offer(t->ic))
		return t;
	ic_timesync_free(t);
	return NULL;
}

void ic_timesync_free(struct ic_timesync *t)
{
	if (!t)
		return;
	ic_free(t->ic);
	g_free(t);
}

/* --- for the machine ---------------------------------------------------------- */

static void free_device(void *device)
{
	ic_timesync_free(device);
}

static void say_facts(void *device, const struct vsp_facts *to)
{
	struct ic_timesync *t = device;

	ic_facts(t->ic, to);
	to->number(to->ctx, "syncs", t->syncs);
	to->number(to->ctx, "samples", t->samples);
}

const struct vsp_ops ic_timesync_ops = {
	.free = free_device,
	.channel = ic_device_channel,
	.facts = say_facts,
	.run = ic_device_run,
};
