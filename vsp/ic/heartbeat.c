/* SPDX-License-Identifier: MIT */
#include "vsp/ic/heartbeat.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include <glib.h>

#include "base/clock.h"
#include "base/log.h"
#include "proto/vmbus.h"
#include "vsp/ic/ic.h"
#include "vsp/vsp.h"

#define LOG_CATEGORY "ic"

/* Linux drivers/hv/hv_util.c, "Every two seconds" */
#define PERIOD_NS (2 * NSEC_PER_SEC)

struct ic_heartbeat {
	struct ic *ic; /* first */
	const struct ic_heartbeat_events *events;
	void *ctx;

	/* any thread */
	_Atomic bool alive;
	_Atomic uint64_t beats, missed;
	_Atomic uint32_t application_state;

	/* the worker */
	uint64_t sequence;
	bool waiting; /* for an answer */
	unsigned int missed_in_row;
};

static int on_reply(void *ctx, const struct ic_reply *reply)
{
	struct ic_heartbeat *h = ctx;
	struct heartbeat_msg_data m;

	h->waiting = false;
	if (reply->err)
		return 0;
	memcpy(&m, reply->body, sizeof(m));
	if (m.seq_num != h->sequence + 1)
		return -EPROTO;
	h->sequence = m.seq_num;
	h->application_state = m.application_state;
	h->beats++;
	h->alive = true;
	if (h->missed_in_row && h->events && h->events->back)
		h->events->back(h->ctx, h->missed_in_row);
	h->missed_in_row = 0;
	return 0;
}

static void beat(struct ic_heartbeat *h)
{
	struct heartbeat_msg_data m = {.seq_num = h->sequence};

	h->waiting = !ic_request(h->ic, &m, sizeof(m), 0, on_reply, h);
}

static void on_ready(void *ctx, struct ic_version version)
{
	struct ic_heartbeat *h = ctx;

	(void)version;
	h->missed_in_row = 0;
	beat(h);
}

static void on_tick(void *ctx)
{
	struct ic_heartbeat *h = ctx;

	if (!h->waiting) {
		beat(h);
		return;
	}
	h->alive = false;
	h->missed++;
	h->missed_in_row++;
	log_debug_ratelimited("the guest missed %u heartbeats",
			      h->missed_in_row);
	if (h->events && h->events->missed)
		h->events->missed(h->ctx, h->missed_in_row);
}

static void on_closed(void *ctx)
{
	struct ic_heartbeat *h = ctx;

	h->alive = false;
}

static const struct ic_version_row versions[] = {
	{{1, 0}, 0},
	{{3, 0}, 0},
};

static const struct ic_service service = {
	.if_type = HV_HEART_BEAT_GUID,
	.type = ICMSGTYPE_HEARTBEAT,
	.max_body = sizeof(struct heartbeat_msg_data),
	.versions = versions,
	.n_versions = G_N_ELEMENTS(versions),
	.tick_ns = PERIOD_NS,
	.ready = on_ready,
	.tick = on_tick,
	.closed = on_closed,
};

struct ic_heartbeat *ic_heartbeat_new(const struct vsp_params *params,
				      const struct ic_heartbeat_events *events,
				      void *ctx, uint64_t period_ns)
{
	struct ic_heartbeat *h = g_new0(struct ic_heartbeat, 1);

	h->events = events;
	h->ctx = ctx;
	h->ic = ic_new(params, &service, h, NULL, period_ns);
	if (!ic_offer(h->ic))
		return h;
	ic_heartbeat_free(h);
	return NULL;
}

void ic_heartbeat_free(struct ic_heartbeat *h)
{
	if (!h)
		return;
	ic_free(h->ic);
	g_free(h);
}

void ic_heartbeat_get_status(struct ic_heartbeat *h,
			     struct ic_heartbeat_status *status)
{
	*status = (struct ic_heartbeat_status){
		.alive = h->alive,
		.beats = h->beats,
		.missed = h->missed,
		.application_state = h->application_state,
	};
}

/* --- for the machine ---------------------------------------------------------- */

static void free_device(void *device)
{
	ic_heartbeat_free(device);
}

static void say_facts(void *device, const struct vsp_facts *to)
{
	struct ic_heartbeat *h = device;

	ic_facts(h->ic, to);
	to->number(to->ctx, "alive", h->alive);
	to->number(to->ctx, "beats", h->beats);
	to->number(to->ctx, "missed", h->missed);
	to->number(to->ctx, "application_state", h->application_state);
}

const struct vsp_ops ic_heartbeat_ops = {
	.free = free_device,
	.channel = ic_device_channel,
	.facts = say_facts,
	.run = ic_device_run,
};
