/* SPDX-License-Identifier: MIT */
/*
 * vm_run.c - the machine's life after construction: events, pause, resume,
 * reset, and what the run's outcome is.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <glib-unix.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/trace.h"
#include "config/machine_config.h"
#include "kvm/kvm.h"
#include "kvm/kvm_vcpu.h"
#include "mem/gmem.h"
#include "partition/partition.h"
#include "partition/profile.h"
#include "report/event.h"
#include "synic/ref_time.h"
#include "synic/synic.h"
#include "synic/timer_queue.h"
#include "vm/devices/vm_disks.h"
#include "vm/devices/vm_hotplug.h"
#include "vm/devices/vmbus_host.h"
#include "vm/dump/crash_dump.h"
#include "vm/vm.h"
#include "vm/vm_events.h"
#include "vm/vm_private.h"

#define LOG_CATEGORY "vm"

static void request_stop(struct vm *vm)
{
	for (unsigned int i = 0; i < vm->n_vcpus; i++)
		vcpu_request(&vm->vcpus[i], VCPU_REQUEST_STOP);
}

/*
 * The first event counts; but the end of the run, which is the user's or our
 * own wish, is not lost behind a reset.
 */
static bool outranks(enum vm_event_kind kind, enum vm_event_kind pending)
{
	if (pending == VM_EVENT_NONE)
		return true;
	return pending == VM_EVENT_RESET &&
	       (kind == VM_EVENT_QUIT || kind == VM_EVENT_SIGNAL ||
		kind == VM_EVENT_TIMEOUT || kind == VM_EVENT_FAILED);
}

void vm_post_event(struct vm *vm, enum vm_event_kind kind, unsigned int value,
		   const char *detail)
{
	static const uint64_t one = 1;
	bool counts;

	pthread_mutex_lock(&vm->lock);
	counts = outranks(kind, vm->event);
	if (counts) {
		vm->event = kind;
		vm->event_value = value;
		g_free(vm->event_detail);
		vm->event_detail = g_strdup(detail);
		if (vm->run_state == VM_RUNNING)
			vm->run_state = VM_PAUSED;
	}
	pthread_mutex_unlock(&vm->lock);
	if (!counts)
		return;
	trace_event(machine, TRACE_NO_VP, TRACE_NO_DEVICE,
		    kind == VM_EVENT_RESET ? TRACE_MACHINE_RESETS
					   : TRACE_MACHINE_ENDS,
		    kind);
	request_stop(vm);
	if (write(vm->event_fd, &one, sizeof(one)) < 0)
		log_warn("event descriptor: %s", g_strerror(errno));
}

void vm_pause(struct vm *vm)
{
	pthread_mutex_lock(&vm->lock);
	vm->run_state = VM_PAUSED;
	pthread_mutex_unlock(&vm->lock);
	trace_event(machine, TRACE_NO_VP, TRACE_NO_DEVICE,
		    TRACE_MACHINE_PAUSES);
	request_stop(vm);
	pthread_mutex_lock(&vm->lock);
	while (vm->n_stopped < vm->n_vcpus)
		pthread_cond_wait(&vm->changed, &vm->lock);
	pthread_mutex_unlock(&vm->lock);
	timer_queue_pause(vm->timers);
	vmbus_host_pause(vm->vmbus);
	vm_time_pause(vm);
	/* No processor sees it, so it can be done whenever we are here. */
	gmem_settle(vm->mem);
}

static enum vm_event_kind pending_event(struct vm *vm)
{
	enum vm_event_kind event;

	pthread_mutex_lock(&vm->lock);
	event = vm->event;
	pthread_mutex_unlock(&vm->lock);
	return event;
}

void vm_resume(struct vm *vm)
{
	if (vm->suspended || pending_event(vm) != VM_EVENT_NONE)
		return;
	vm_time_resume(vm);
	partition_update_tsc_page(vm->partition);
	timer_queue_resume(vm->timers);
	vmbus_host_resume(vm->vmbus);
	pthread_mutex_lock(&vm->lock);
	if (vm->event == VM_EVENT_NONE)
		vm->run_state = VM_RUNNING;
	trace_event(machine, TRACE_NO_VP, TRACE_NO_DEVICE, TRACE_MACHINE_RUNS);
	pthread_cond_broadcast(&vm->changed);
	pthread_mutex_unlock(&vm->lock);
}

int vm_reset(struct vm *vm, GError **error)
{
	int err;

	vm->resets++;
	/* First of all, as channels use memory, SynIC and devices. */
	vmbus_host_reset(vm->vmbus);
	platform_reset(vm->platform);
	partition_reset(vm->partition);
	synic_reset(vm->synic);
	err = gmem_zero_all(vm->mem);
	if (!err)
		err = kvm_chips_load(vm->kvm, vm->power_on_chips);
	for (unsigned int i = 0; i < vm->n_vcpus && !err; i++) {
		for (unsigned int w = 0; w < 4; w++)
			atomic_store(&vm->vcpus[i].auto_eoi[w], 0);
		err = kvm_vcpu_load(vm->vcpus[i].kvm, vm->vcpus[i].power_on);
	}
	if (err) {
		g_set_error(error, VM_ERROR, -err, "reset: %s",
			    g_strerror(-err));
		return -1;
	}
	ref_time_restart(vm->ref_time);
	vm->paused_tsc = 0;
	if (vm_provide_memory(vm, error))
		return -1;
	return vm_load_kernel(vm, error);
}

/* --- the outcome ---------------------------------------------------- */

/* Names of all that are missing; owned; NULL: none is. */
static char *missing_requirements(const struct vm *vm)
{
	GString *all = NULL;

	for (char **name = vm->config->require; *name; name++) {
		int which = milestone_find(*name);

		if (which >= 0 &&
		    milestone_reached(&vm->milestones, (enum milestone)which))
			continue;
		if (all)
			g_string_append_printf(all, ", %s", *name);
		else
			all = g_string_new(*name);
	}
	return all ? g_string_free(all, FALSE) : NULL;
}

static void set_outcome(struct outcome *o, enum outcome_kind kind,
			int exit_code)
{
	o->kind = kind;
	o->exit_code = exit_code;
}

static void outcome_of_event(const struct vm *vm, struct outcome *o)
{
	switch (vm->event) {
	case VM_EVENT_POWER_OFF:
		set_outcome(o, OUTCOME_POWEROFF, 0);
		break;
	case VM_EVENT_RESET:
		set_outcome(o, OUTCOME_RESET, EXIT_RESET);
		break;
	case VM_EVENT_CRASH:
		set_outcome(o, OUTCOME_PANIC, EXIT_PANIC);
		break;
	case VM_EVENT_TRIPLE_FAULT:
		set_outcome(o, OUTCOME_TRIPLE_FAULT, EXIT_TRIPLE_FAULT);
		break;
	case VM_EVENT_TEST_EXIT:
		set_outcome(o, OUTCOME_TEST_EXIT,
			    (int)((vm->event_value << 1 | 1) & 0xFF));
		break;
	case VM_EVENT_TIMEOUT:
		set_outcome(o, OUTCOME_TIMEOUT, EXIT_TIMEOUT);
		break;
	case VM_EVENT_QUIT:
		set_outcome(o, OUTCOME_QUIT, 0);
		break;
	case VM_EVENT_SIGNAL:
		set_outcome(o, OUTCOME_SIGNAL,
			    EXIT_SIGNAL_BASE + (int)vm->event_value);
		break;
	case VM_EVENT_NONE:
	case VM_EVENT_FAILED:
		set_outcome(o, OUTCOME_FAILED, EXIT_FAILED);
		break;
	}
}

/* Who ends a machine that was preserved ends what its guest had done. */
static void recall(struct vm *vm)
{
	if (vm->preserved == VM_EVENT_NONE || vm->event != VM_EVENT_QUIT)
		return;
	vm->event = vm->preserved;
	g_free(vm->event_detail);
	vm->event_detail = g_steal_pointer(&vm->preserved_detail);
}

static void finish(struct vm *vm, struct outcome *o)
{
	memset(o, 0, sizeof(*o));
	recall(vm);
	outcome_of_event(vm, o);
	o->detail = g_strdup(vm->event_detail);
	o->crashed = vm->crashed;
	memcpy(o->crash, vm->crash, sizeof(o->crash));
	o->crash_message = g_strdup(vm->crash_message);
	if (!o->exit_code) {
		g_autofree char *missing = missing_requirements(vm);

		if (missing) {
			set_outcome(o, OUTCOME_REQUIREMENT, EXIT_REQUIREMENT);
			g_free(o->detail);
			o->detail = g_strdup_printf(
				"required milestone not reached: %s", missing);
		}
	}
}

/* --- events ----------------------------------------------------------- */

/* QEMU's ShutdownCause; some are the guest's own doing. */
static const struct {
	const char *reason;
	bool guest;
} causes[] = {
	[VM_EVENT_NONE] = {"host-error", false},
	[VM_EVENT_POWER_OFF] = {"guest-shutdown", true},
	[VM_EVENT_RESET] = {"guest-reset", true},
	[VM_EVENT_CRASH] = {"guest-panic", true},
	[VM_EVENT_TRIPLE_FAULT] = {"guest-reset", true},
	[VM_EVENT_TEST_EXIT] = {"guest-shutdown", true},
	[VM_EVENT_TIMEOUT] = {"host-error", false},
	[VM_EVENT_QUIT] = {"host-qmp-quit", false},
	[VM_EVENT_SIGNAL] = {"host-signal", false},
	[VM_EVENT_FAILED] = {"host-error", false},
};

static void tell_cause(struct vm *vm, enum event_kind kind)
{
	struct event *e = event_new(kind);
	/* of a reset: 1 the user wants it */
	bool host = vm->event == VM_EVENT_RESET && vm->event_value;

	event_add_bool(e, "guest", causes[vm->event].guest && !host);
	event_add_text(e, "reason",
		       host ? "host-qmp-system-reset"
			    : causes[vm->event].reason);
	vm_events_tell(vm->events, e);
}

static void tell_panic(struct vm *vm)
{
	static const char *const args[] = {"arg1", "arg2", "arg3", "arg4",
					   "arg5"};
	struct event *e = event_new(EVENT_GUEST_PANICKED);

	event_add_text(e, "action",
		       vm->config->on_crash == LIFECYCLE_PRESERVE ? "pause"
								  : "poweroff");
	event_begin(e, "info");
	event_add_text(e, "type", "hyper-v");
	for (unsigned int i = 0; i < G_N_ELEMENTS(args); i++)
		event_add_number(e, args[i], vm->crash[i]);
	vm_events_tell(vm->events, e);
}

/* The last that is heard. */
static void tell_end(struct vm *vm, const struct outcome *o)
{
	struct event *e = event_new(EVENT_KVMBUS_OUTCOME);

	tell_cause(vm, EVENT_SHUTDOWN);
	event_add_text(e, "kind", outcome_name(o->kind));
	event_add_number(e, "exit-code", (uint64_t)o->exit_code);
	if (o->detail)
		event_add_text(e, "detail", o->detail);
	vm_events_tell(vm->events, e);
	vm_events_flush(vm->events);
}

/* --- the main loop -------------------------------------------------- */

static const char *event_text(const struct vm *vm)
{
	return vm->event_detail ? vm->event_detail : causes[vm->event].reason;
}

static enum lifecycle_action action_of(const struct vm *vm)
{
	switch (vm->event) {
	case VM_EVENT_POWER_OFF:
		return vm->config->on_poweroff;
	case VM_EVENT_RESET:
		return vm->event_value ? LIFECYCLE_RESTART
				       : vm->config->on_reboot;
	case VM_EVENT_CRASH:
	case VM_EVENT_TRIPLE_FAULT:
		return vm->config->on_crash;
	default:
		return LIFECYCLE_DESTROY;
	}
}

/* Return: true when the run goes on. */
static bool restart(struct vm *vm)
{
	g_autoptr(GError) error = NULL;
	bool is_over;

	log_info("the guest boots again: %s", event_text(vm));
	tell_cause(vm, EVENT_RESET);
	/* From here on it is a reset, behind which the end is not lost. */
	pthread_mutex_lock(&vm->lock);
	vm->event = VM_EVENT_RESET;
	pthread_mutex_unlock(&vm->lock);
	vm->preserved = VM_EVENT_NONE;
	vm->crashed = false;
	if (vm_reset(vm, &error)) {
		vm_post_event(vm, VM_EVENT_FAILED, 0, error->message);
		return false;
	}
	pthread_mutex_lock(&vm->lock);
	is_over = vm->event == VM_EVENT_RESET;
	if (is_over)
		vm->event = VM_EVENT_NONE;
	pthread_mutex_unlock(&vm->lock);
	if (is_over)
		vm_resume(vm);
	return is_over;
}

static void preserve(struct vm *vm)
{
	log_warn("%s; the machine stays as it is, paused", event_text(vm));
	tell_cause(vm, EVENT_SHUTDOWN);
	pthread_mutex_lock(&vm->lock);
	vm->preserved = vm->event;
	g_free(vm->preserved_detail);
	vm->preserved_detail = g_steal_pointer(&vm->event_detail);
	vm->event = VM_EVENT_NONE;
	pthread_mutex_unlock(&vm->lock);
	vm_suspend(vm);
}

/* Return: true when the run goes on. */
static bool goes_on(struct vm *vm)
{
	switch (action_of(vm)) {
	case LIFECYCLE_COREDUMP_RESTART:
		crash_dump_write(vm);
		return restart(vm);
	case LIFECYCLE_RESTART:
		return restart(vm);
	case LIFECYCLE_PRESERVE:
		preserve(vm);
		return true;
	case LIFECYCLE_COREDUMP_DESTROY:
		crash_dump_write(vm);
		return false;
	case LIFECYCLE_DESTROY:
	default:
		return false;
	}
}

static gboolean on_event(gint fd, GIOCondition condition, gpointer data)
{
	struct vm *vm = data;
	uint64_t count;

	(void)condition;
	if (read(fd, &count, sizeof(count)) != sizeof(count))
		return G_SOURCE_CONTINUE;
	vm_pause(vm);
	if (vm->event == VM_EVENT_POWER_OFF)
		milestone_reach(&vm->milestones, MILESTONE_POWEROFF);
	if (vm->event == VM_EVENT_CRASH)
		tell_panic(vm);
	if (!goes_on(vm))
		g_main_loop_quit(vm->loop);
	return G_SOURCE_CONTINUE;
}

static gboolean on_timeout(gpointer data)
{
	vm_post_event(data, VM_EVENT_TIMEOUT, 0, "the time of --timeout is up");
	return G_SOURCE_REMOVE;
}

void vm_run(struct vm *vm, struct outcome *outcome)
{
	guint sources[2 + VM_SIGNALS];
	unsigned int n = VM_SIGNALS;

	vm->loop = g_main_loop_new(NULL, FALSE);
	vm_watch_signals(vm, sources);
	sources[n++] = g_unix_fd_add(vm->event_fd, G_IO_IN, on_event, vm);
	if (vm->config->timeout_s)
		sources[n++] = g_timeout_add_seconds(vm->config->timeout_s,
						     on_timeout, vm);
	vm_resume(vm);
	g_main_loop_run(vm->loop);
	platform_stop(vm->platform);
	finish(vm, outcome);
	tell_end(vm, outcome);
	for (unsigned int i = 0; i < n; i++) {
		if (sources[i] &&
		    g_main_context_find_source_by_id(NULL, sources[i]))
			g_source_remove(sources[i]);
	}
	g_main_loop_unref(vm->loop);
	vm->loop = NULL;
}

/* --- what the user asks for ------------------------------------------ */

void vm_get_status(const struct vm *vm, struct vm_status *status)
{
	uint64_t first_run = atomic_load(&vm->first_run_ns);

	*status = (struct vm_status){
		.paused = vm->suspended,
		.ended = vm->preserved == VM_EVENT_NONE    ? NULL
			 : vm->preserved == VM_EVENT_CRASH ? "guest-panicked"
							   : "shutdown",
		.stopped_by = vm->stopped_by,
		.profile = vm->profile->name,
		.uuid = vm->config->uuid,
		.n_vcpus = vm->n_vcpus,
		.memory_bytes = gmem_bytes(vm->mem),
		.resets = vm->resets,
		.uptime_ns = first_run ? clock_monotonic_ns() - first_run : 0,
		.guest_os_id = vm->guest_os_id,
	};
}

void vm_suspend(struct vm *vm)
{
	if (!vm->suspended)
		vm_events_tell(vm->events, event_new(EVENT_STOP));
	vm->suspended = true;
	vm_pause(vm);
}

void vm_continue(struct vm *vm)
{
	if (!vm->suspended)
		return;
	if (vm->preserved != VM_EVENT_NONE && vm->preserved != VM_EVENT_CRASH) {
		log_warn("the guest has ended: reset the machine first");
		return;
	}
	vm->preserved = VM_EVENT_NONE;
	vm->suspended = false;
	vm_events_tell(vm->events, event_new(EVENT_RESUME));
	g_clear_pointer(&vm->stopped_by, g_free);
	vm_resume(vm);
	vm_disks_retry(vm->disks);
}

static void on_disk_stop(void *ctx, const char *why)
{
	struct vm *vm = ctx;
	struct event *e;

	log_error("%s; the machine is paused, and 'kvmbus ctl resume' tries "
		  "it again",
		  why);
	g_free(vm->stopped_by);
	vm->stopped_by = g_strdup(why);
	e = event_new(EVENT_KVMBUS_DISK_STOPPED);
	event_add_text(e, "reason", why);
	vm_events_tell(vm->events, e);
	vm_suspend(vm);
}

static int on_disks_grow(void *ctx, unsigned int n, GError **error)
{
	struct vm *vm = ctx;

	return vmbus_host_add(vm->vmbus, "scsi", n, error);
}

const struct vm_disks_events vm_disks_events = {
	.failed = vm_tell_disk_failed,
	.stop = on_disk_stop,
	.grow = on_disks_grow,
};

void vm_host_reset(struct vm *vm)
{
	vm_post_event(vm, VM_EVENT_RESET, 1, "the user resets it");
}

void vm_power_button(struct vm *vm)
{
	platform_power_button(vm->platform);
}

pid_t vm_thread_id(const struct vm *vm, unsigned int index)
{
	return atomic_load(&vm->vcpus[index].thread_id);
}

int vm_nmi(struct vm *vm)
{
	int err = 0;

	vm_pause(vm);
	for (unsigned int i = 0; i < vm->n_vcpus && !err; i++)
		err = kvm_vcpu_nmi(vm->vcpus[i].kvm);
	vm_resume(vm);
	return err;
}

void *vm_device(struct vm *vm, const struct vsp_ops *ops)
{
	return vmbus_host_find(vm->vmbus, ops);
}

struct vm_events *vm_event_source(struct vm *vm)
{
	return vm->events;
}

struct vm_nics *vm_network(struct vm *vm)
{
	return vm->nics;
}

struct vm_disks *vm_storage(struct vm *vm)
{
	return vm->disks;
}

struct channel *vm_channel(struct vm *vm, const char *name)
{
	return vmbus_host_channel(vm->vmbus, name);
}

void vm_quit(struct vm *vm, const char *why)
{
	vm_post_event(vm, VM_EVENT_QUIT, 0, why);
}
