/* SPDX-License-Identifier: MIT */
#include "control/commands/fault.h"

#include <json-c/json.h>

#include "base/fault.h"
#include "base/json.h"
#include "control/commands.h"
#include "control/control.h"
#include "vm/vm.h"
#include "vm/vm_faults.h"

void command_fault_add(void *ctx, struct control_call *call)
{
	g_autoptr(GError) error = NULL;
	unsigned int id = vm_fault_add(commands_vm(ctx),
				       control_string(call, "rule"), &error);
	struct json_object *o;

	if (!id) {
		control_refuse(call, "request", "%s", error->message);
		return;
	}
	o = json_object_new_object();
	json_add_number(o, "id", id);
	control_answer(call, o);
}

static struct json_object *rule_json(const struct fault_status *s)
{
	struct json_object *o = json_object_new_object();

	json_add_number(o, "id", s->id);
	json_add_text(o, "rule", s->text);
	json_add_number(o, "seen", s->seen);
	json_add_number(o, "hit", s->hit);
	return o;
}

void command_fault_list(void *ctx, struct control_call *call)
{
	g_autofree struct fault_status *rules =
		g_new(struct fault_status, FAULT_RULES_MAX);
	unsigned int n = fault_list(rules, FAULT_RULES_MAX);
	struct json_object *o = json_object_new_object();
	struct json_object *list = json_object_new_array();

	(void)ctx;
	for (unsigned int i = 0; i < n; i++)
		json_object_array_add(list, rule_json(&rules[i]));
	json_object_object_add(o, "rules", list);
	control_answer(call, o);
}

/* All of them, or one. */
void command_fault_clear(void *ctx, struct control_call *call)
{
	uint64_t id = control_number(call, "id", 0);
	g_autofree struct fault_status *rules =
		g_new(struct fault_status, FAULT_RULES_MAX);
	unsigned int n = fault_list(rules, FAULT_RULES_MAX);
	bool found = false;

	(void)ctx;
	for (unsigned int i = 0; i < n; i++) {
		if (!id || id == rules[i].id)
			found |= fault_remove(rules[i].id);
	}
	if (id && !found)
		control_refuse(call, "absent", "there is no rule %u",
			       (unsigned int)id);
	else
		control_answer(call, NULL);
}
