/* SPDX-License-Identifier: MIT */
#include "vsp/ic/shutdown.h"

#include <errno.h>
#include <stdatomic.h>

#include <glib.h>

#include "proto/vmbus.h"
#include "vsp/ic/ic.h"
#include "vsp/vsp.h"

#define FLAGS_KNOWN (SHUTDOWN_FORCE | SHUTDOWN_RESTART | SHUTDOWN_HIBERNATE)

struct ic_shutdown {
	struct ic *ic; /* first */
	_Atomic uint64_t accepted, refused;
};

struct request {
	struct ic_shutdown *s;
	ic_shutdown_done_fn done;
	void *ctx;
};

static int on_reply(void *ctx, const struct ic_reply *reply)
{
	g_autofree struct request *r = ctx;
	int err = reply->err;

	if (!err) {
		err = ic_status_error(reply->status);
		if (err)
			r->s->refused++;
		else
			r->s->accepted++;
	}
	r->done(r->ctx, err);
	return 0;
}

int ic_shutdown_request(struct ic_shutdown *s, uint32_t flags,
			uint64_t timeout_ns, ic_shutdown_done_fn done,
			void *ctx)
{
	struct shutdown_msg_data m = {
		.reason_code = SHTDN_REASON_FLAG_PLANNED,
		.flags = flags,
	};
	struct request *r;
	int err;

	if (flags & ~FLAGS_KNOWN ||
	    (flags & SHUTDOWN_RESTART && flags & SHUTDOWN_HIBERNATE))
		return -EINVAL;
	r = g_new(struct request, 1);
	*r = (struct request){.s = s, .done = done, .ctx = ctx};
	err = ic_request(s->ic, &m, sizeof(m), timeout_ns, on_reply, r);
	if (err)
		g_free(r);
	return err;
}

/*
 * Minor versions came with restart and hibernation; Linux takes any of them
 * for all, as hv_util.c looks at the flags alone.  Which host knows which is
 * our judgement.
 */
static const struct ic_version_row versions[] = {
	{{1, 0}, 0},
	{{3, 0}, 0},
	{{3, 1}, VERSION_WIN10},
	{{3, 2}, VERSION_WIN10_V5},
};

static const struct ic_service service = {
	.if_type = HV_SHUTDOWN_GUID,
	.type = ICMSGTYPE_SHUTDOWN,
	.max_body = sizeof(struct shutdown_msg_data),
	.versions = versions,
	.n_versions = G_N_ELEMENTS(versions),
};

struct ic_shutdown *ic_shutdown_new(const struct vsp_params *params)
{
	struct ic_shutdown *s = g_new0(struct ic_shutdown, 1);

	s->ic = ic_new(params, &service, s, NULL, 0);
	if (!ic_offer(s->ic))
		return s;
	ic_shutdown_free(s);
	return NULL;
}

void ic_shutdown_free(struct ic_shutdown *s)
{
	if (!s)
		return;
	ic_free(s->ic);
	g_free(s);
}

/* --- for the machine ---------------------------------------------------------- */

static void free_device(void *device)
{
	ic_shutdown_free(device);
}

static void say_facts(void *device, const struct vsp_facts *to)
{
	struct ic_shutdown *s = device;

	ic_facts(s->ic, to);
	to->number(to->ctx, "accepted", s->accepted);
	to->number(to->ctx, "refused", s->refused);
}

const struct vsp_ops ic_shutdown_ops = {
	.free = free_device,
	.channel = ic_device_channel,
	.facts = say_facts,
	.run = ic_device_run,
};
