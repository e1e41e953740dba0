/* SPDX-License-Identifier: MIT */
#include "control/commands_net.h"

#include <string.h>

#include <glib.h>

#include "control/commands.h"
#include "control/control.h"
#include "vm/vm.h"
#include "vm/vm_nics.h"

void command_net_link(void *ctx, struct control_call *call)
{
	const char *state = control_string(call, "state");
	g_autoptr(GError) error = NULL;
	bool up = !strcmp(state, "up");

	if (!up && strcmp(state, "down"))
		control_refuse(call, "failed", "%s: expected up or down",
			       state);
	else if (vm_nics_set_link(vm_network(commands_vm(ctx)),
				  control_string(call, "nic"), up, &error))
		control_refuse(call, "failed", "%s", error->message);
	else
		control_answer(call, NULL);
}
