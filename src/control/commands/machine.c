/* SPDX-License-Identifier: MIT */
#include "control/commands/machine.h"

#include <string.h>

#include <json-c/json.h>

#include "base/clock.h"
#include "base/json.h"
#include "control/commands.h"
#include "control/control.h"
#include "report/event.h"
#include "report/report.h"
#include "vm/dump/vm_dump.h"
#include "vm/vm.h"
#include "vm/vm_events.h"
#include "vsp/balloon.h"

/* --- ours ---------------------------------------------------------------- */

void command_status(void *ctx, struct control_call *call)
{
	struct json_object *o = json_object_new_object();
	g_autofree char *guest = NULL;
	struct vm_status s;

	vm_get_status(commands_vm(ctx), &s);
	guest = report_guest_name(s.guest_os_id);
	json_add_text(o, "state", s.paused ? "paused" : "running");
	if (s.ended)
		json_add_text(o, "ended", s.ended);
	if (s.stopped_by)
		json_add_text(o, "stopped_by", s.stopped_by);
	json_add_text(o, "profile", s.profile);
	json_add_number(o, "vcpus", s.n_vcpus);
	json_add_number(o, "memory_bytes", s.memory_bytes);
	json_add_number(o, "uptime_ms", s.uptime_ns / NSEC_PER_MSEC);
	json_add_number(o, "resets", s.resets);
	json_add_text(o, "guest", guest);
	control_answer(call, o);
}

void command_inspect(void *ctx, struct control_call *call)
{
	g_autofree char *text = vm_inspect(commands_vm(ctx));

	control_answer(call, json_tokener_parse(text));
}

void command_power_button(void *ctx, struct control_call *call)
{
	vm_power_button(commands_vm(ctx));
	control_answer(call, NULL);
}

void command_dump(void *ctx, struct control_call *call)
{
	g_autoptr(GError) error = NULL;

	if (vm_dump(commands_vm(ctx), control_string(call, "file"), &error))
		control_refuse(call, "failed", "%s", error->message);
	else
		control_answer(call, NULL);
}

/* --- QEMU's ---------------------------------------------------------------- */

void command_stop(void *ctx, struct control_call *call)
{
	vm_suspend(commands_vm(ctx));
	control_answer(call, NULL);
}

void command_cont(void *ctx, struct control_call *call)
{
	vm_continue(commands_vm(ctx));
	control_answer(call, NULL);
}

void command_system_reset(void *ctx, struct control_call *call)
{
	vm_host_reset(commands_vm(ctx));
	control_answer(call, NULL);
}

void command_system_powerdown(void *ctx, struct control_call *call)
{
	vm_power_down(commands_vm(ctx));
	control_answer(call, NULL);
}

void command_inject_nmi(void *ctx, struct control_call *call)
{
	int err = vm_nmi(commands_vm(ctx));

	if (err)
		control_refuse(call, "failed", "nmi: %s", g_strerror(-err));
	else
		control_answer(call, NULL);
}

void command_quit(void *ctx, struct control_call *call)
{
	control_answer(call, NULL);
	vm_quit(commands_vm(ctx), "asked to on the control socket");
}

void command_dump_guest_memory(void *ctx, struct control_call *call)
{
	static const char file[] = "file:";
	const char *protocol = control_string(call, "protocol");
	const char *format = control_string(call, "format");
	bool detach = control_bool(call, "detach", false);
	struct vm *vm = commands_vm(ctx);
	g_autoptr(GError) error = NULL;

	if (control_bool(call, "paging", false)) {
		control_refuse(call, "request",
			       "paging: only physical addresses are dumped");
	} else if (format && strcmp(format, "elf") != 0) {
		control_refuse(call, "request", "format %s: only elf", format);
	} else if (!g_str_has_prefix(protocol, file)) {
		control_refuse(call, "request", "protocol %s: only file:PATH",
			       protocol);
	} else if (vm_dump(vm, protocol + strlen(file), &error) && !detach) {
		control_refuse(call, "failed", "%s", error->message);
	} else {
		control_answer(call, NULL);
		vm_dump_tell(vm, error);
	}
}

void command_monitor(void *ctx, struct control_call *call)
{
	(void)ctx;
	control_refuse(call, "request",
		       "there is no human monitor; kvmbus-qmp(7) lists the "
		       "commands that there are");
}

void query_status(void *ctx, struct control_call *call)
{
	struct json_object *o = json_object_new_object();
	struct vm_status s;

	vm_get_status(commands_vm(ctx), &s);
	json_add_bool(o, "running", !s.paused);
	json_add_bool(o, "singlestep", false);
	json_add_text(o, "status",
		      !s.paused      ? "running"
		      : s.ended      ? s.ended
		      : s.stopped_by ? "io-error"
				     : "paused");
	control_answer(call, o);
}

void query_version(void *ctx, struct control_call *call)
{
	(void)ctx;
	control_answer(call, control_version());
}

/* It has none yet, which QEMU says like that. */
void query_name(void *ctx, struct control_call *call)
{
	(void)ctx;
	control_answer(call, NULL);
}

void query_uuid(void *ctx, struct control_call *call)
{
	struct json_object *o = json_object_new_object();
	struct vm_status s;

	vm_get_status(commands_vm(ctx), &s);
	json_add_text(o, "UUID", s.uuid);
	control_answer(call, o);
}

void query_kvm(void *ctx, struct control_call *call)
{
	struct json_object *o = json_object_new_object();

	(void)ctx;
	json_add_bool(o, "enabled", true);
	json_add_bool(o, "present", true);
	control_answer(call, o);
}

void query_target(void *ctx, struct control_call *call)
{
	struct json_object *o = json_object_new_object();

	(void)ctx;
	json_add_text(o, "arch", "x86_64");
	control_answer(call, o);
}

void query_cpus_fast(void *ctx, struct control_call *call)
{
	struct vm *vm = commands_vm(ctx);
	struct json_object *all = json_object_new_array();
	struct vm_status s;

	vm_get_status(vm, &s);
	for (unsigned int i = 0; i < s.n_vcpus; i++) {
		struct json_object *o = json_object_new_object();
		g_autofree char *path = g_strdup_printf("/machine/cpu[%u]", i);

		json_add_number(o, "cpu-index", i);
		json_add_text(o, "qom-path", path);
		json_add_number(o, "thread-id", (uint64_t)vm_thread_id(vm, i));
		json_add_text(o, "target", "x86_64");
		json_object_array_add(all, o);
	}
	control_answer(call, all);
}

void query_memory_size_summary(void *ctx, struct control_call *call)
{
	struct json_object *o = json_object_new_object();
	struct balloon *b = vm_device(commands_vm(ctx), &balloon_ops);
	struct balloon_status now = {0};
	struct vm_status s;

	vm_get_status(commands_vm(ctx), &s);
	if (b)
		balloon_get_status(b, &now);
	json_add_number(o, "base-memory", s.memory_bytes);
	json_add_number(o, "plugged-memory", now.added_bytes);
	control_answer(call, o);
}
