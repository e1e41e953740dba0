/* SPDX-License-Identifier: MIT */
#include "control/commands/block.h"

#include <string.h>

#include <glib.h>
#include <json-c/json.h>

#include "base/json.h"
#include "control/commands.h"
#include "control/commands/plug.h"
#include "control/control.h"
#include "vm/devices/vm_disks.h"
#include "vm/devices/vm_disks_info.h"
#include "vm/vm.h"

/* --- what there is ---------------------------------------------------------- */

/* Have @one make an object of each disk, and answer with them. */
static void answer_each(
	void *ctx, struct control_call *call,
	struct json_object *(*one)(const struct plugs *plugs, const char *name,
				   const struct vm_disk_info *info))
{
	const struct vm_disks *disks = vm_storage(commands_vm(ctx));
	struct json_object *all = json_object_new_array();
	g_auto(GStrv) names = vm_disks_names(disks);
	struct vm_disk_info info;

	for (char **name = names; *name; name++) {
		struct json_object *o = NULL;

		if (!vm_disks_info(disks, *name, &info))
			o = one(commands_plugs(ctx), *name, &info);
		if (o)
			json_object_array_add(all, o);
	}
	control_answer(call, all);
}

/* "raw, io_uring" is raw to QEMU, "nbd qcow2" is qcow2. */
static char *format_of(const struct vm_disk_info *info)
{
	static const char nbd[] = "nbd ";
	const char *kind = info->kind;

	if (g_str_has_prefix(kind, nbd))
		return g_strdup(kind + strlen(nbd));
	return g_strndup(kind, strcspn(kind, ", "));
}

static struct json_object *node_json(const struct plugs *plugs,
				     const char *name,
				     const struct vm_disk_info *info)
{
	struct json_object *o, *image, *cache;
	const char *mode = info->cache ? info->cache : "writeback";
	const char *node = plug_node(plugs, name);
	g_autofree char *format = NULL;

	if (!info->kind)
		return NULL;
	format = format_of(info);
	o = json_object_new_object();
	json_add_text(o, "node-name", node ? node : name);
	json_add_text(o, "file", info->path);
	json_add_text(o, "drv", format);
	json_add_bool(o, "ro", info->readonly);
	json_add_bool(o, "encrypted", false);
	json_add_text(o, "detect_zeroes",
		      info->detect_zeroes ? info->detect_zeroes : "off");
	json_add_number(o, "backing_file_depth", 0);
	json_add_number(o, "write_threshold", 0);
	image = json_object_new_object();
	json_add_text(image, "filename", info->path);
	json_add_text(image, "format", format);
	json_add_number(image, "virtual-size", info->bytes);
	json_object_object_add(o, "image", image);
	cache = json_object_new_object();
	json_add_bool(cache, "writeback",
		      strcmp(mode, "writethrough") != 0 &&
			      strcmp(mode, "directsync") != 0);
	json_add_bool(cache, "direct",
		      !strcmp(mode, "none") || !strcmp(mode, "directsync"));
	json_add_bool(cache, "no-flush", !strcmp(mode, "unsafe"));
	json_object_object_add(o, "cache", cache);
	return o;
}

static struct json_object *block_json(const struct plugs *plugs,
				      const char *name,
				      const struct vm_disk_info *info)
{
	struct json_object *o = json_object_new_object();
	struct json_object *inserted = node_json(plugs, name, info);
	const char *id = plug_id(plugs, name);

	json_add_text(o, "device", name);
	json_add_text(o, "qdev", id ? id : name);
	json_add_text(o, "type", "unknown");
	json_add_bool(o, "removable", info->dvd);
	json_add_bool(o, "locked", info->locked);
	if (info->dvd)
		json_add_bool(o, "tray_open", info->tray_open);
	json_add_text(o, "io-status", info->stopped ? "failed" : "ok");
	if (inserted)
		json_object_object_add(o, "inserted", inserted);
	return o;
}

static struct json_object *stats_json(const struct plugs *plugs,
				      const char *name,
				      const struct vm_disk_info *info)
{
	struct json_object *o = json_object_new_object();
	struct json_object *stats = json_object_new_object();
	const char *id = plug_id(plugs, name), *node = plug_node(plugs, name);

	json_add_text(o, "device", name);
	json_add_text(o, "qdev", id ? id : name);
	if (info->kind)
		json_add_text(o, "node-name", node ? node : name);
	json_add_number(stats, "rd_operations", info->reads);
	json_add_number(stats, "rd_bytes", info->read_bytes);
	json_add_number(stats, "wr_operations", info->writes);
	json_add_number(stats, "wr_bytes", info->written_bytes);
	json_add_number(stats, "flush_operations", info->flushes);
	json_add_number(stats, "unmap_operations", info->discards);
	json_add_number(stats, "unmap_bytes", info->discarded_bytes);
	json_add_number(stats, "kvmbus-errors", info->errors);
	json_object_object_add(o, "stats", stats);
	return o;
}

void query_block(void *ctx, struct control_call *call)
{
	answer_each(ctx, call, block_json);
}

void query_blockstats(void *ctx, struct control_call *call)
{
	answer_each(ctx, call, stats_json);
}

void query_named_block_nodes(void *ctx, struct control_call *call)
{
	answer_each(ctx, call, node_json);
}

/* --- changes ------------------------------------------------------------------ */

/* Return: our name of it, owned; NULL: @call is answered. */
static char *disk_of(void *ctx, struct control_call *call)
{
	static const char *const members[] = {"id", "device", "node-name"};
	const struct plugs *plugs = commands_plugs(ctx);
	const char *said = NULL;
	g_auto(GStrv) names = NULL;

	for (size_t i = 0; i < G_N_ELEMENTS(members) && !said; i++)
		said = control_string(call, members[i]);
	if (!said) {
		control_refuse(call, "request",
			       "id, device or node-name is missing");
		return NULL;
	}
	names = vm_disks_names(vm_storage(commands_vm(ctx)));
	for (char **name = names; *name; name++) {
		if (!strcmp(*name, plug_name(plugs, said)) ||
		    !g_strcmp0(plug_node(plugs, *name), said))
			return g_strdup(*name);
	}
	control_refuse(call, "absent", "there is no disk '%s'", said);
	return NULL;
}

static void answer(struct control_call *call, int err, const GError *error)
{
	if (err)
		control_refuse(call, "failed", "%s", error->message);
	else
		control_answer(call, NULL);
}

void command_block_resize(void *ctx, struct control_call *call)
{
	g_autofree char *name = disk_of(ctx, call);
	g_autoptr(GError) error = NULL;
	int err;

	if (!name)
		return;
	err = vm_disks_set_size(vm_storage(commands_vm(ctx)), name,
				control_number(call, "size", 0), &error);
	answer(call, err, error);
}

void command_eject(void *ctx, struct control_call *call)
{
	g_autofree char *name = disk_of(ctx, call);
	g_autoptr(GError) error = NULL;
	int err;

	if (!name)
		return;
	err = vm_disks_eject(vm_storage(commands_vm(ctx)), name,
			     control_bool(call, "force", false), &error);
	if (!err)
		plug_tell_tray(ctx, name, true);
	answer(call, err, error);
}

void command_change_medium(void *ctx, struct control_call *call)
{
	struct vm_disks *disks = vm_storage(commands_vm(ctx));
	g_autofree char *name = disk_of(ctx, call);
	g_autoptr(GError) error = NULL;
	struct vm_disk_info info;
	int err = 0;

	if (!name)
		return;
	if (!vm_disks_info(disks, name, &info) && info.kind) {
		err = vm_disks_eject(disks, name,
				     control_bool(call, "force", false),
				     &error);
		if (!err)
			plug_tell_tray(ctx, name, true);
	}
	if (!err)
		err = vm_disks_insert(disks, name,
				      control_string(call, "filename"), &error);
	if (!err)
		plug_tell_tray(ctx, name, false);
	answer(call, err, error);
}
