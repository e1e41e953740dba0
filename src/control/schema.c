/* SPDX-License-Identifier: MIT */
#include "control/schema.h"

#include <glib.h>
#include <json-c/json.h>

#include "base/json.h"
#include "control/control.h"
#include "report/event.h"

void query_commands(void *ctx, struct control_call *call)
{
	struct json_object *all = json_object_new_array();

	(void)ctx;
	for (const struct control_command *c = control_table(call); c->name;
	     c++) {
		struct json_object *o = json_object_new_object();

		json_add_text(o, "name", c->name);
		json_object_array_add(all, o);
	}
	control_answer(call, all);
}

/* Of QEMU's meta-types those that we have. */
static struct json_object *entry(struct json_object *all, const char *kind,
				 const char *name)
{
	struct json_object *o = json_object_new_object();

	json_add_text(o, "name", name);
	json_add_text(o, "meta-type", kind);
	json_object_array_add(all, o);
	return o;
}

static void add_builtins(struct json_object *all)
{
	static const char *const types[][2] = {
		{"str", "string"}, {"int", "int"}, {"bool", "boolean"}};

	for (size_t i = 0; i < G_N_ELEMENTS(types); i++)
		json_add_text(entry(all, "builtin", types[i][0]), "json-type",
			      types[i][1]);
	json_add_text(entry(all, "builtin", "any"), "json-type", "value");
}

static struct json_object *add_object(struct json_object *all, const char *name)
{
	struct json_object *members = json_object_new_array();

	json_object_object_add(entry(all, "object", name), "members", members);
	return members;
}

static struct json_object *add_member(struct json_object *members,
				      const char *name, const char *type)
{
	struct json_object *o = json_object_new_object();

	json_add_text(o, "name", name);
	json_add_text(o, "type", type);
	json_object_array_add(members, o);
	return o;
}

static void add_command(struct json_object *all,
			const struct control_command *c)
{
	static const char *const types[] = {
		[CONTROL_STRING] = "str",
		[CONTROL_NUMBER] = "int",
		[CONTROL_BOOL] = "bool",
		[CONTROL_ANY] = "any",
	};
	g_autofree char *type = g_strconcat(c->name, "-arg", NULL);
	struct json_object *members = add_object(all, type);
	struct json_object *o = entry(all, "command", c->name);

	for (const struct control_param *p = c->params; p->name; p++) {
		struct json_object *m =
			add_member(members, p->name, types[p->type]);

		if (p->optional)
			json_object_object_add(m, "default", NULL);
	}
	json_add_text(o, "arg-type", type);
	json_add_text(o, "ret-type", "any");
}

static void add_event(struct json_object *all, const struct event_row *row)
{
	static const char *const types[] = {
		[EVENT_TEXT] = "str",
		[EVENT_NUMBER] = "int",
		[EVENT_BOOL] = "bool",
		[EVENT_OBJECT] = "any",
	};
	g_autofree char *type = g_strconcat(row->name, "-arg", NULL);
	struct json_object *members = add_object(all, type);

	for (unsigned int i = 0; row->members[i].name; i++)
		add_member(members, row->members[i].name,
			   types[row->members[i].type]);
	json_add_text(entry(all, "event", row->name), "arg-type", type);
}

void query_qmp_schema(void *ctx, struct control_call *call)
{
	struct json_object *all = json_object_new_array();

	(void)ctx;
	add_builtins(all);
	for (const struct control_command *c = control_table(call); c->name;
	     c++)
		add_command(all, c);
	for (unsigned int i = 0; i < N_EVENTS; i++)
		add_event(all, &event_rows[i]);
	control_answer(call, all);
}
