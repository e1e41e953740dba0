/* SPDX-License-Identifier: MIT */
/*
 * vm_power.c - the wish that the guest powers off, and the signals that have
 * it.
 */
#include <signal.h>
#include <stdio.h>

#include <glib-unix.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/signals.h"
#include "report/event.h"
#include "vm/vm.h"
#include "vm/vm_events.h"
#include "vm/vm_private.h"
#include "vsp/ic/shutdown.h"

#define LOG_CATEGORY "vm"

/* How long the guest may take to say that it will. */
#define ANSWER_NS (30 * NSEC_PER_SEC)

/* Main thread. */
static gboolean press_button(gpointer data)
{
	struct vm *vm = data;

	log_info("the guest's shutdown component does not answer; pressing "
		 "the power button");
	vm_power_button(vm);
	return G_SOURCE_REMOVE;
}

/* A worker's thread. */
static void on_answer(void *ctx, int err)
{
	/* It ends, or is gone: then nobody runs the main loop any more. */
	if (err)
		g_idle_add_full(G_PRIORITY_DEFAULT, press_button, ctx, NULL);
}

void vm_power_down(struct vm *vm)
{
	struct ic_shutdown *s = vm_device(vm, &ic_shutdown_ops);

	vm_events_tell(vm->events, event_new(EVENT_POWERDOWN));
	if (!s || ic_shutdown_request(s, 0, ANSWER_NS, on_answer, vm))
		vm_power_button(vm);
}

/* --- signals ---------------------------------------------------------------- */

static void end(struct vm *vm, int number, const char *what)
{
	vm_post_event(vm, VM_EVENT_SIGNAL, (unsigned int)number, what);
}

/* The first one asks the guest, if it can hear it; the next one does not. */
static void ask_or_end(struct vm *vm, int number, const char *what)
{
	if (vm->asked_to_end || vm->suspended) {
		end(vm, number, what);
		return;
	}
	vm->asked_to_end = true;
	fprintf(stderr,
		"kvmbus: %s: the guest is asked to power off; once more ends "
		"it at once\r\n",
		what);
	vm_power_down(vm);
}

static gboolean on_sigint(gpointer data)
{
	ask_or_end(data, SIGINT, "interrupted");
	return G_SOURCE_CONTINUE;
}

static gboolean on_sigterm(gpointer data)
{
	ask_or_end(data, SIGTERM, "terminated");
	return G_SOURCE_CONTINUE;
}

static gboolean on_sighup(gpointer data)
{
	end(data, SIGHUP, "hung up");
	return G_SOURCE_CONTINUE;
}

void vm_watch_signals(struct vm *vm, guint sources[VM_SIGNALS])
{
	sources[0] = g_unix_signal_add(SIGINT, on_sigint, vm);
	sources[1] = g_unix_signal_add(SIGTERM, on_sigterm, vm);
	sources[2] = signal_is_ignored(SIGHUP)
			     ? 0
			     : g_unix_signal_add(SIGHUP, on_sighup, vm);
}
