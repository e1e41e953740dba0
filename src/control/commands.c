/* SPDX-License-Identifier: MIT */
#include "control/commands.h"

#include <json-c/json.h>

#include "base/clock.h"
#include "control/commands_device.h"
#include "control/commands_disk.h"
#include "control/commands_ic.h"
#include "control/commands_net.h"
#include "report/report.h"
#include "vm/vm.h"

static void add_string(struct json_object *o, const char *key, const char *s)
{
	json_object_object_add(o, key, json_object_new_string(s));
}

static void add_number(struct json_object *o, const char *key, uint64_t n)
{
	json_object_object_add(o, key, json_object_new_uint64(n));
}

static void status(void *ctx, struct control_call *call)
{
	struct json_object *o = json_object_new_object();
	g_autofree char *guest = NULL;
	struct vm_status s;

	vm_get_status(ctx, &s);
	guest = report_guest_name(s.guest_os_id);
	add_string(o, "state", s.paused ? "paused" : "running");
	if (s.stopped_by)
		add_string(o, "stopped_by", s.stopped_by);
	add_string(o, "profile", s.profile);
	add_number(o, "vcpus", s.n_vcpus);
	add_number(o, "memory_bytes", s.memory_bytes);
	add_number(o, "uptime_ms", s.uptime_ns / NSEC_PER_MSEC);
	add_number(o, "resets", s.resets);
	add_string(o, "guest", guest);
	control_answer(call, o);
}

static void inspect(void *ctx, struct control_call *call)
{
	g_autofree char *text = vm_inspect(ctx);

	control_answer(call, json_tokener_parse(text));
}

static void pause_vm(void *ctx, struct control_call *call)
{
	vm_suspend(ctx);
	control_answer(call, NULL);
}

static void resume(void *ctx, struct control_call *call)
{
	vm_continue(ctx);
	control_answer(call, NULL);
}

static void reset(void *ctx, struct control_call *call)
{
	vm_host_reset(ctx);
	control_answer(call, NULL);
}

static void power_button(void *ctx, struct control_call *call)
{
	vm_power_button(ctx);
	control_answer(call, NULL);
}

static void nmi(void *ctx, struct control_call *call)
{
	int err = vm_nmi(ctx);

	if (err)
		control_refuse(call, "failed", "nmi: %s", g_strerror(-err));
	else
		control_answer(call, NULL);
}

static void quit(void *ctx, struct control_call *call)
{
	control_answer(call, NULL);
	vm_quit(ctx, "asked to on the control socket");
}

const struct control_command vm_commands[] = {
	{"status", "state, profile, size, what runs in it", {{0}}, status},
	{"inspect",
	 "everything counted so far, as in the report",
	 {{0}},
	 inspect},
	{"pause", "stop the processors and the guest's time", {{0}}, pause_vm},
	{"resume", "go on after pause", {{0}}, resume},
	{"reset", "press the reset button", {{0}}, reset},
	{"power-button", "press the power button (ACPI)", {{0}}, power_button},
	{"shutdown", "ask the guest to power off", {{0}}, command_shutdown},
	{"reboot", "ask the guest to restart", {{0}}, command_reboot},
	{"hibernate", "ask the guest to hibernate", {{0}}, command_hibernate},
	{"time-sync", "have the guest set its clock", {{0}}, command_time_sync},
	{"kvp-get",
	 "the value of a key in the guest",
	 {{"key", false, false}, {"pool", false, true}},
	 command_kvp_get},
	{"kvp-set",
	 "give a key in the guest a value",
	 {{"key", false, false},
	  {"value", false, false},
	  {"pool", false, true}},
	 command_kvp_set},
	{"kvp-delete",
	 "remove a key from the guest",
	 {{"key", false, false}, {"pool", false, true}},
	 command_kvp_delete},
	{"kvp-list",
	 "all keys and values of a pool",
	 {{"pool", false, true}},
	 command_kvp_list},
	{"kvp-ip",
	 "network settings of the NIC with that MAC address",
	 {{"mac", false, false}},
	 command_kvp_ip},
	{"freeze-check",
	 "could the guest's file systems be frozen?",
	 {{0}},
	 command_freeze_check},
	{"freeze",
	 "freeze the guest's file systems, not for ever",
	 {{"seconds", true, true}},
	 command_freeze},
	{"thaw", "thaw them", {{0}}, command_thaw},
	{"copy-file",
	 "copy a file into a directory of the guest",
	 {{"file", false, false},
	  {"directory", false, false},
	  {"overwrite", true, true}},
	 command_copy_file},
	{"type",
	 "type text on the guest's keyboard",
	 {{"text", false, false}},
	 command_type},
	{"key",
	 "press keys together: ctrl-alt-delete",
	 {{"keys", false, false}},
	 command_key},
	{"mouse",
	 "move the pointer; both from 0 to 32767",
	 {{"x", true, false}, {"y", true, false}},
	 command_mouse},
	{"click",
	 "click with the left, right or middle button",
	 {{"button", false, true}},
	 command_click},
	{"scroll",
	 "turn the wheel, -127 to 127; up is positive",
	 {{"steps", false, false}},
	 command_scroll},
	{"balloon",
	 "have the guest give MIB in all; else: how it is",
	 {{"mib", true, true}},
	 command_balloon},
	{"memory-add",
	 "have the guest take MIB more in all; else: how it is",
	 {{"mib", true, true}},
	 command_memory_add},
	{"disk-add",
	 "put a disk at a SCSI controller, as --disk has it",
	 {{"disk", false, false}},
	 command_disk_add},
	{"disk-remove",
	 "take a disk away: scsi0:3",
	 {{"disk", false, false}},
	 command_disk_remove},
	{"disk-resize",
	 "look at an image's size anew",
	 {{"disk", false, false}},
	 command_disk_resize},
	{"dvd-insert",
	 "put a disc into a drive that is empty",
	 {{"drive", false, false}, {"image", false, false}},
	 command_dvd_insert},
	{"dvd-eject",
	 "take it out; 1: also if the guest has locked it",
	 {{"drive", false, false}, {"force", true, true}},
	 command_dvd_eject},
	{"net-link",
	 "pull a card's cable, or put it in: net0 down",
	 {{"nic", false, false}, {"state", false, false}},
	 command_net_link},
	{"rescind",
	 "take a device on VMbus away from the guest",
	 {{"device", false, false}},
	 command_rescind},
	{"offer",
	 "offer a device that was taken away again",
	 {{"device", false, false}},
	 command_offer},
	{"nmi", "a non-maskable interrupt to every processor", {{0}}, nmi},
	{"quit", "end the run at once, as if the plug was pulled", {{0}}, quit},
	{0},
};
