/* SPDX-License-Identifier: MIT */
/*
 * Components answer on a worker's thread, calls are answered on the main one:
 * what is under way is handed over by the main loop.
 */
#include "control/commands_ic.h"

#include <errno.h>

#include "control/control.h"
#include "proto/ic.h"
#include "vm/vm.h"
#include "vsp/ic_shutdown.h"
#include "vsp/ic_timesync.h"

struct pending {
	struct control_call *call;
	int err; /* once it is answered */
};

static void answer(struct control_call *call, int err)
{
	switch (err) {
	case 0:
		control_answer(call, NULL);
		break;
	case -ETIMEDOUT:
		control_refuse(call, "timeout", "the guest did not answer");
		break;
	case -ENOTCONN:
	case -ECONNRESET:
	case -ECANCELED:
		control_refuse(call, "not-ready",
			       "the guest has no driver or daemon for it");
		break;
	case -EBUSY:
		control_refuse(call, "busy", "too much was asked already");
		break;
	default:
		control_refuse(call, "failed", "the guest will not: %s",
			       g_strerror(-err));
		break;
	}
}

static gboolean deliver(gpointer data)
{
	struct pending *p = data;

	answer(p->call, p->err);
	g_free(p);
	return G_SOURCE_REMOVE;
}

static void on_done(void *ctx, int err)
{
	struct pending *p = ctx;

	p->err = err;
	g_idle_add(deliver, p);
}

static struct pending *pending_new(struct control_call *call)
{
	struct pending *p = g_new0(struct pending, 1);

	p->call = call;
	return p;
}

/* @err of the request itself: not 0, and on_done() will not be called. */
static void check_asked(struct pending *p, int err)
{
	if (!err)
		return;
	answer(p->call, err);
	g_free(p);
}

static void *find(void *vm, struct control_call *call,
		  const struct vsp_ops *ops, const char *name)
{
	void *device = vm_device(vm, ops);

	if (!device)
		control_refuse(call, "absent", "this machine has no %s", name);
	return device;
}

static void ask_to_end(void *vm, struct control_call *call, uint32_t flags)
{
	struct ic_shutdown *s = find(vm, call, &ic_shutdown_ops, "shutdown");
	struct pending *p;

	if (!s)
		return;
	p = pending_new(call);
	check_asked(
		p, ic_shutdown_request(s, flags, CONTROL_GUEST_NS, on_done, p));
}

void command_shutdown(void *vm, struct control_call *call)
{
	ask_to_end(vm, call, 0);
}

void command_reboot(void *vm, struct control_call *call)
{
	ask_to_end(vm, call, SHUTDOWN_RESTART);
}

void command_hibernate(void *vm, struct control_call *call)
{
	ask_to_end(vm, call, SHUTDOWN_HIBERNATE);
}

void command_time_sync(void *vm, struct control_call *call)
{
	struct ic_timesync *t = find(vm, call, &ic_timesync_ops, "timesync");
	struct pending *p;

	if (!t)
		return;
	p = pending_new(call);
	check_asked(p, ic_timesync_sync(t, CONTROL_GUEST_NS, on_done, p));
}
