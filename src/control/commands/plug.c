/* SPDX-License-Identifier: MIT */
#include "control/commands/plug.h"

#include <stdbool.h>
#include <string.h>

#include <glib.h>
#include <json-c/json.h>

#include "base/json.h"
#include "control/backends.h"
#include "control/commands.h"
#include "control/control.h"
#include "vm/devices/vm_disks.h"
#include "vm/devices/vm_hotplug.h"
#include "vm/vm.h"

/* That a client can have us remember, of each kind. */
#define REMEMBERED_MAX 1024u

/* A device that came by device_add. */
struct plug {
	char *id; /* NULL: none */
	char *name; /* ours: "scsi0:3" */
	char *backend; /* its node or netdev; NULL: none */
	bool is_nic;
	bool going;
};

struct plugs {
	GHashTable *nodes; /* name: text of --disk */
	GHashTable *netdevs; /* id: text of --net */
	GPtrArray *devices; /* struct plug */
};

static void plug_free(void *plug)
{
	struct plug *p = plug;

	g_free(p->id);
	g_free(p->name);
	g_free(p->backend);
	g_free(p);
}

struct plugs *plugs_new(void)
{
	struct plugs *p = g_new0(struct plugs, 1);

	p->nodes =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	p->netdevs =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	p->devices = g_ptr_array_new_with_free_func(plug_free);
	return p;
}

void plugs_free(struct plugs *plugs)
{
	if (!plugs)
		return;
	g_hash_table_destroy(plugs->nodes);
	g_hash_table_destroy(plugs->netdevs);
	g_ptr_array_free(plugs->devices, TRUE);
	g_free(plugs);
}

/* --- who is called what -------------------------------------------------------- */

static struct plug *by_id(const struct plugs *plugs, const char *id)
{
	for (guint i = 0; i < plugs->devices->len; i++) {
		struct plug *p = g_ptr_array_index(plugs->devices, i);

		if (!g_strcmp0(p->id, id))
			return p;
	}
	return NULL;
}

static struct plug *by_name(const struct plugs *plugs, const char *name)
{
	for (guint i = 0; i < plugs->devices->len; i++) {
		struct plug *p = g_ptr_array_index(plugs->devices, i);

		if (!strcmp(p->name, name) && !p->going)
			return p;
	}
	return NULL;
}

static bool is_used(const struct plugs *plugs, const char *backend, bool is_nic)
{
	for (guint i = 0; i < plugs->devices->len; i++) {
		const struct plug *p = g_ptr_array_index(plugs->devices, i);

		if (p->is_nic == is_nic && !g_strcmp0(p->backend, backend))
			return true;
	}
	return false;
}

const char *plug_name(const struct plugs *plugs, const char *id)
{
	const struct plug *p = by_id(plugs, id);

	return p ? p->name : id;
}

const char *plug_id(const struct plugs *plugs, const char *name)
{
	const struct plug *p = by_name(plugs, name);

	return p ? p->id : NULL;
}

const char *plug_node(const struct plugs *plugs, const char *name)
{
	const struct plug *p = by_name(plugs, name);

	return p ? p->backend : NULL;
}

void plug_tell_tray(void *ctx, const char *name, bool open)
{
	vm_tell_tray(commands_vm(ctx), name, plug_id(commands_plugs(ctx), name),
		     open);
}

/* --- what is remembered ---------------------------------------------------------- */

/* @text is taken; NULL: @error says why, and is freed. */
static void remember(struct control_call *call, GHashTable *where,
		     const char *key, char *text, GError *error)
{
	if (!text) {
		control_refuse(call, "request", "%s", error->message);
		g_error_free(error);
		return;
	}
	if (g_hash_table_contains(where, key) || !*key ||
	    g_hash_table_size(where) >= REMEMBERED_MAX) {
		g_free(text);
		control_refuse(call, "already",
			       "'%s' is there already, or there are too many",
			       key);
		return;
	}
	g_hash_table_insert(where, g_strdup(key), text);
	control_answer(call, NULL);
}

static void forget(struct plugs *plugs, struct control_call *call, bool is_nic,
		   const char *key)
{
	GHashTable *where = is_nic ? plugs->netdevs : plugs->nodes;

	if (!g_hash_table_contains(where, key)) {
		control_refuse(call, "absent", "there is no '%s'", key);
	} else if (is_used(plugs, key, is_nic)) {
		control_refuse(call, "busy", "a device uses '%s'", key);
	} else {
		g_hash_table_remove(where, key);
		control_answer(call, NULL);
	}
}

void command_blockdev_add(void *ctx, struct control_call *call)
{
	struct plugs *plugs = commands_plugs(ctx);
	GError *error = NULL;
	char *text =
		backend_disk(control_arguments(call), plugs->nodes, &error);

	remember(call, plugs->nodes, control_string(call, "node-name"), text,
		 error);
}

void command_blockdev_del(void *ctx, struct control_call *call)
{
	forget(commands_plugs(ctx), call, false,
	       control_string(call, "node-name"));
}

void command_netdev_add(void *ctx, struct control_call *call)
{
	struct plugs *plugs = commands_plugs(ctx);
	GError *error = NULL;
	char *text = backend_net(control_arguments(call), &error);

	remember(call, plugs->netdevs, control_string(call, "id"), text, error);
}

void command_netdev_del(void *ctx, struct control_call *call)
{
	forget(commands_plugs(ctx), call, true, control_string(call, "id"));
}

/* --- devices that come ------------------------------------------------------------ */

/* What a kind of device may be given, besides driver and id. */
static const struct driver {
	const char *name;
	bool is_nic, is_dvd;
	const char *backend; /* member that names what it is plugged into */
	const char *options[5]; /* members that are options of --disk, --net */
} drivers[] = {
	{"scsi-hd", false, false, "drive", {"serial"}},
	{"scsi-cd", false, true, "drive", {"serial"}},
	{"netvsc",
	 true,
	 false,
	 "netdev",
	 {"mac", "mtu", "queues", "poll", "monitor"}},
};

static const struct driver *find_driver(const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(drivers); i++) {
		if (!strcmp(drivers[i].name, name))
			return &drivers[i];
	}
	return NULL;
}

/* Return: false: @call is answered. */
static bool add_options(struct control_call *call, const struct driver *d,
			GString *text)
{
	json_object_object_foreach(control_arguments(call), name, value)
	{
		bool known = !strcmp(name, "driver") || !strcmp(name, "id") ||
			     !strcmp(name, d->backend);

		for (size_t i = 0; i < G_N_ELEMENTS(d->options); i++) {
			if (g_strcmp0(d->options[i], name) != 0)
				continue;
			known = true;
			if (!value) {
				control_refuse(call, "request", "%s: is null",
					       name);
				return false;
			}
			backend_add_text(text, name,
					 json_object_get_string(value));
		}
		if (!known) {
			control_refuse(call, "request",
				       "%s: %s has none of that name; its "
				       "place is chosen for it",
				       name, d->name);
			return false;
		}
	}
	return true;
}

/* Return: as of --disk or --net, owned; NULL: @call is answered. */
static GString *device_text(const struct plugs *plugs,
			    struct control_call *call, const struct driver *d,
			    const char **backend)
{
	GHashTable *where = d->is_nic ? plugs->netdevs : plugs->nodes;
	struct json_object *o = NULL;
	GString *text;

	json_object_object_get_ex(control_arguments(call), d->backend, &o);
	*backend = o ? json_object_get_string(o) : NULL;
	if (!*backend && !d->is_dvd) {
		control_refuse(call, "request", "%s is missing", d->backend);
		return NULL;
	}
	if (*backend && !g_hash_table_contains(where, *backend)) {
		control_refuse(call, "absent", "%s: there is no '%s'",
			       d->backend, *backend);
		return NULL;
	}
	if (*backend && is_used(plugs, *backend, d->is_nic)) {
		control_refuse(call, "busy", "a device uses '%s'", *backend);
		return NULL;
	}
	text = g_string_new(*backend ? g_hash_table_lookup(where, *backend)
				     : "");
	if (d->is_dvd)
		g_string_append(text, ",dvd");
	if (add_options(call, d, text))
		return text;
	g_string_free(text, TRUE);
	return NULL;
}

void command_device_add(void *ctx, struct control_call *call)
{
	struct plugs *plugs = commands_plugs(ctx);
	const char *kind = control_string(call, "driver");
	const char *id = control_string(call, "id"), *backend;
	const struct driver *d = find_driver(kind);
	g_autoptr(GError) error = NULL;
	struct plug *plug;
	GString *text;
	char *name;

	if (!d) {
		control_refuse(call, "request",
			       "'%s' is not a valid device model name; "
			       "scsi-hd, scsi-cd or netvsc",
			       kind);
		return;
	}
	if (id && by_id(plugs, id)) {
		control_refuse(call, "already", "there is a device '%s'", id);
		return;
	}
	text = device_text(plugs, call, d, &backend);
	if (!text)
		return;
	name = d->is_nic ? vm_nic_add(commands_vm(ctx), text->str, &error)
			 : vm_disks_add(vm_storage(commands_vm(ctx)), text->str,
					backend, &error);
	g_string_free(text, TRUE);
	if (!name) {
		control_refuse(call, "failed", "%s", error->message);
		return;
	}
	plug = g_new0(struct plug, 1);
	plug->id = g_strdup(id);
	plug->name = name;
	plug->backend = g_strdup(backend);
	plug->is_nic = d->is_nic;
	g_ptr_array_add(plugs->devices, plug);
	control_answer(call, NULL);
}

/* --- devices that go ----------------------------------------------------------------- */

struct going {
	void *ctx;
	struct plug *plug; /* NULL: it did not come by device_add */
	char *name;
	struct control_call *call; /* to be answered then; NULL: it was */
};

/* It is gone; on the main thread. */
static void on_gone(void *data)
{
	struct going *g = data;
	struct plugs *plugs = commands_plugs(g->ctx);

	vm_tell_deleted(commands_vm(g->ctx), g->name,
			g->plug ? g->plug->id : NULL);
	if (g->plug)
		g_ptr_array_remove(plugs->devices, g->plug);
	if (g->call)
		control_answer(g->call, NULL);
	g_free(g->name);
	g_free(g);
}

/*
 * @call: answered when it is gone; NULL: nobody waits
 * Return: 0, and it goes; -1 with @error set.
 */
static int take_away(void *ctx, const char *name, struct control_call *call,
		     GError **error)
{
	struct vm *vm = commands_vm(ctx);
	struct going *g = g_new0(struct going, 1);
	int err;

	g->ctx = ctx;
	g->call = call;
	g->plug = by_name(commands_plugs(ctx), name);
	g->name = g_strdup(name);
	/* It may be gone at once. */
	if (g->plug)
		g->plug->going = true;
	if (g_str_has_prefix(name, "net"))
		err = vm_nic_remove(vm, name, on_gone, g, error);
	else
		err = vm_disks_remove(vm_storage(vm), name, on_gone, g, error);
	if (!err)
		return 0;
	if (g->plug)
		g->plug->going = false;
	g_free(g->name);
	g_free(g);
	return -1;
}

void command_device_del(void *ctx, struct control_call *call)
{
	const char *id = control_string(call, "id");
	const struct plug *p = by_id(commands_plugs(ctx), id);
	g_autofree char *name = g_strdup(p ? p->name : id);
	g_autoptr(GError) error = NULL;

	if (p && p->going)
		control_refuse(call, "already", "'%s' is on its way out", id);
	else if (take_away(ctx, name, NULL, &error))
		control_refuse(call, "absent", "%s", error->message);
	else
		control_answer(call, NULL);
}

void command_net_add(void *ctx, struct control_call *call)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *name = vm_nic_add(commands_vm(ctx),
					   control_string(call, "net"), &error);
	struct json_object *o;

	if (!name) {
		control_refuse(call, "failed", "%s", error->message);
		return;
	}
	o = json_object_new_object();
	json_add_text(o, "nic", name);
	control_answer(call, o);
}

/* @is_nic: else it is a disk. */
static void remove_named(void *ctx, struct control_call *call, const char *name,
			 bool is_nic)
{
	g_autoptr(GError) error = NULL;

	if (is_nic != g_str_has_prefix(name, "net"))
		control_refuse(call, "failed",
			       "%s: no such %s; %s is the first", name,
			       is_nic ? "network card" : "disk",
			       is_nic ? "net0" : "scsi0:0");
	else if (take_away(ctx, name, call, &error))
		control_refuse(call, "failed", "%s", error->message);
}

void command_net_remove(void *ctx, struct control_call *call)
{
	remove_named(ctx, call, control_string(call, "nic"), true);
}

void command_disk_remove(void *ctx, struct control_call *call)
{
	remove_named(ctx, call, control_string(call, "disk"), false);
}
