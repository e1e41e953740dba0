/* SPDX-License-Identifier: MIT */
#include "control/commands/net.h"

#include <string.h>

#include <glib.h>
#include <json-c/json.h>

#include "base/json.h"
#include "control/commands.h"
#include "control/commands/plug.h"
#include "control/control.h"
#include "proto/rndis.h"
#include "vm/devices/vm_hotplug.h"
#include "vm/devices/vm_nics.h"
#include "vm/vm.h"
#include "vsp/netvsp/netvsp.h"

/* As many as a machine can have. */
#define NICS_MAX 8u

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

void command_set_link(void *ctx, struct control_call *call)
{
	const char *name =
		plug_name(commands_plugs(ctx), control_string(call, "name"));
	g_autoptr(GError) error = NULL;

	if (vm_nics_set_link(vm_network(commands_vm(ctx)), name,
			     control_bool(call, "up", true), &error))
		control_refuse(call, "absent", "%s", error->message);
	else
		control_answer(call, NULL);
}

static struct json_object *filter_json(const char *name,
				       const struct netvsp *nic)
{
	static const char *const lists[] = {"unicast-table", "multicast-table",
					    "vlan-table"};
	struct json_object *o = json_object_new_object();
	struct netvsp_status s;
	g_autofree char *mac = NULL;

	netvsp_get_status(nic, &s);
	mac = g_strdup_printf("%02x:%02x:%02x:%02x:%02x:%02x", s.mac[0],
			      s.mac[1], s.mac[2], s.mac[3], s.mac[4], s.mac[5]);
	json_add_text(o, "name", name);
	json_add_bool(o, "promiscuous",
		      s.filter & NDIS_PACKET_TYPE_PROMISCUOUS);
	json_add_text(o, "multicast",
		      s.filter & NDIS_PACKET_TYPE_ALL_MULTICAST ? "all"
		      : s.filter & NDIS_PACKET_TYPE_MULTICAST   ? "normal"
								: "none");
	json_add_text(o, "unicast",
		      s.filter & NDIS_PACKET_TYPE_DIRECTED ? "normal" : "none");
	json_add_text(o, "vlan", "all");
	json_add_bool(o, "broadcast-allowed",
		      s.filter & NDIS_PACKET_TYPE_BROADCAST);
	json_add_bool(o, "multicast-overflow", false);
	json_add_bool(o, "unicast-overflow", false);
	json_add_text(o, "main-mac", mac);
	for (size_t i = 0; i < G_N_ELEMENTS(lists); i++)
		json_object_object_add(o, lists[i], json_object_new_array());
	return o;
}

void query_rx_filter(void *ctx, struct control_call *call)
{
	const char *wanted = control_string(call, "name");
	struct json_object *all = json_object_new_array();

	if (wanted)
		wanted = plug_name(commands_plugs(ctx), wanted);
	for (unsigned int i = 0; i < NICS_MAX; i++) {
		g_autofree char *name = g_strdup_printf("net%u", i);
		const struct netvsp *nic = NULL;

		if (!wanted || !strcmp(wanted, name))
			nic = vm_nic_find(commands_vm(ctx), name);
		if (nic)
			json_object_array_add(all, filter_json(name, nic));
	}
	if (wanted && !json_object_array_length(all)) {
		json_object_put(all);
		control_refuse(call, "absent", "there is no network card '%s'",
			       wanted);
		return;
	}
	control_answer(call, all);
}
