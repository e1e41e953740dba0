/* SPDX-License-Identifier: MIT */
#include "control/commands/disk.h"

#include <glib.h>
#include <json-c/json.h>

#include "base/json.h"
#include "control/commands.h"
#include "control/commands/plug.h"
#include "control/control.h"
#include "vm/devices/vm_disks.h"
#include "vm/vm.h"

/* @failed: with @error, which is freed. */
static void answer(struct control_call *call, bool failed, GError *error)
{
	if (!failed) {
		control_answer(call, NULL);
		return;
	}
	control_refuse(call, "failed", "%s", error->message);
	g_error_free(error);
}

void command_disk_add(void *ctx, struct control_call *call)
{
	GError *error = NULL;
	g_autofree char *name =
		vm_disks_add(vm_storage(commands_vm(ctx)),
			     control_string(call, "disk"), NULL, &error);
	struct json_object *o;

	if (!name) {
		answer(call, true, error);
		return;
	}
	o = json_object_new_object();
	json_add_text(o, "disk", name);
	control_answer(call, o);
}

void command_disk_resize(void *ctx, struct control_call *call)
{
	GError *error = NULL;
	int err = vm_disks_resize(vm_storage(commands_vm(ctx)),
				  control_string(call, "disk"), &error);

	answer(call, err != 0, error);
}

void command_disk_limits(void *ctx, struct control_call *call)
{
	GError *error = NULL;
	int err = vm_disks_limit(vm_storage(commands_vm(ctx)),
				 control_string(call, "disk"),
				 control_string(call, "limits"), &error);

	answer(call, err != 0, error);
}

void command_dvd_insert(void *ctx, struct control_call *call)
{
	GError *error = NULL;
	int err = vm_disks_insert(vm_storage(commands_vm(ctx)),
				  control_string(call, "drive"),
				  control_string(call, "image"), &error);

	if (!err)
		plug_tell_tray(ctx, control_string(call, "drive"), false);
	answer(call, err != 0, error);
}

void command_dvd_eject(void *ctx, struct control_call *call)
{
	GError *error = NULL;
	int err = vm_disks_eject(vm_storage(commands_vm(ctx)),
				 control_string(call, "drive"),
				 control_number(call, "force", 0) != 0, &error);

	if (!err)
		plug_tell_tray(ctx, control_string(call, "drive"), true);
	answer(call, err != 0, error);
}
