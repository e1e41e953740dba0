/* SPDX-License-Identifier: MIT */
#include "control/commands_device.h"

#include <errno.h>

#include <json-c/json.h>

#include "control/commands.h"
#include "control/control.h"
#include "vm/vm.h"
#include "vsp/balloon.h"
#include "vsp/scancodes.h"
#include "vsp/synthhid.h"
#include "vsp/synthkbd.h"
#include "vsp/vmbus/channel.h"

/* Answer with what a device's call returned. */
static void answer(struct control_call *call, const char *device, int err)
{
	switch (err) {
	case 0:
		control_answer(call, NULL);
		break;
	case -ENOTCONN:
		control_refuse(call, "not-ready",
			       "the guest has no driver for the %s", device);
		break;
	case -ENOBUFS:
		control_refuse(call, "full",
			       "too much waits already for the guest to take "
			       "from the %s",
			       device);
		break;
	case -EINVAL:
		control_refuse(call, "request", "out of range for the %s",
			       device);
		break;
	default:
		control_refuse(call, "failed", "%s: %s", device,
			       g_strerror(-err));
		break;
	}
}

void *command_device(void *ctx, struct control_call *call,
		     const struct vsp_ops *ops, const char *name)
{
	void *device = vm_device(commands_vm(ctx), ops);

	if (!device)
		control_refuse(call, "absent", "this machine has no %s", name);
	return device;
}

static void type_keys(void *ctx, struct control_call *call, const char *what,
		      bool (*translate)(const char *text, GArray *keys,
					GError **error))
{
	g_autoptr(GArray) keys =
		g_array_new(FALSE, FALSE, sizeof(struct synthkbd_key));
	struct synthkbd *kbd =
		command_device(ctx, call, &synthkbd_ops, "keyboard");
	g_autoptr(GError) error = NULL;

	if (!kbd)
		return;
	if (!translate(control_string(call, what), keys, &error)) {
		control_refuse(call, "request", "%s", error->message);
		return;
	}
	answer(call, "keyboard",
	       synthkbd_type(kbd,
			     (const struct synthkbd_key *)(void *)keys->data,
			     keys->len));
}

void command_type(void *ctx, struct control_call *call)
{
	type_keys(ctx, call, "text", scancodes_text);
}

void command_key(void *ctx, struct control_call *call)
{
	type_keys(ctx, call, "keys", scancodes_chord);
}

void command_mouse(void *ctx, struct control_call *call)
{
	struct synthhid *hid =
		command_device(ctx, call, &synthhid_ops, "mouse");
	uint64_t x = control_number(call, "x", 0);
	uint64_t y = control_number(call, "y", 0);

	if (hid)
		answer(call, "mouse",
		       x > SYNTHHID_POSITION_MAX || y > SYNTHHID_POSITION_MAX
			       ? -EINVAL
			       : synthhid_move(hid, (uint32_t)x, (uint32_t)y));
}

void command_click(void *ctx, struct control_call *call)
{
	static const char *const names[] = {"left", "right", "middle"};
	struct synthhid *hid =
		command_device(ctx, call, &synthhid_ops, "mouse");
	const char *button = control_string(call, "button");

	if (!hid)
		return;
	for (unsigned int i = 0; i < G_N_ELEMENTS(names); i++) {
		if (!g_strcmp0(button ? button : "left", names[i])) {
			answer(call, "mouse", synthhid_click(hid, 1u << i));
			return;
		}
	}
	control_refuse(call, "request", "no button '%s'; left, right or middle",
		       button);
}

void command_scroll(void *ctx, struct control_call *call)
{
	struct synthhid *hid =
		command_device(ctx, call, &synthhid_ops, "mouse");
	const char *text = control_string(call, "steps");
	gint64 steps;

	if (!hid)
		return;
	if (!g_ascii_string_to_signed(text, 10, -SYNTHHID_WHEEL_MAX,
				      SYNTHHID_WHEEL_MAX, &steps, NULL))
		control_refuse(call, "request",
			       "'%s' is no number from -%d (towards the user) "
			       "to %d",
			       text, SYNTHHID_WHEEL_MAX, SYNTHHID_WHEEL_MAX);
	else
		answer(call, "mouse", synthhid_scroll(hid, (int)steps));
}

#define MIB (1ull << 20)

static void add_mib(struct json_object *o, const char *key, uint64_t bytes)
{
	json_object_object_add(o, key, json_object_new_uint64(bytes / MIB));
}

static void add_bool(struct json_object *o, const char *key, bool value)
{
	json_object_object_add(o, key, json_object_new_boolean(value));
}

static struct json_object *balloon_json(struct balloon *b)
{
	struct json_object *o = json_object_new_object();
	struct balloon_status s;

	balloon_get_status(b, &s);
	add_bool(o, "ready", s.ready && s.can_balloon);
	add_bool(o, "busy", s.busy);
	add_bool(o, "limited", s.limited);
	add_mib(o, "target_mib", s.target_bytes);
	add_mib(o, "ballooned_mib", s.ballooned_bytes);
	add_mib(o, "available_mib", s.available_bytes);
	add_mib(o, "committed_mib", s.committed_bytes);
	return o;
}

static struct json_object *memory_json(struct balloon *b)
{
	struct json_object *o = json_object_new_object();
	struct balloon_status s;

	balloon_get_status(b, &s);
	add_bool(o, "ready", s.ready && s.can_add);
	add_bool(o, "busy", s.busy);
	add_bool(o, "limited", s.add_limited);
	add_mib(o, "target_mib", s.add_target_bytes);
	add_mib(o, "added_mib", s.added_bytes);
	add_mib(o, "unit_mib", s.add_unit_bytes);
	add_mib(o, "room_mib", s.add_room_bytes);
	return o;
}

/* Say how it is, or have it be so many MiB. */
static void how_much(void *ctx, struct control_call *call,
		     struct json_object *(*json)(struct balloon *b),
		     int (*set)(struct balloon *b, uint64_t bytes))
{
	struct balloon *b = command_device(ctx, call, &balloon_ops, "balloon");
	uint64_t mib = control_number(call, "mib", UINT64_MAX);

	if (!b)
		return;
	if (mib == UINT64_MAX)
		control_answer(call, json(b));
	else
		answer(call, "balloon",
		       mib > UINT64_MAX / MIB ? -EINVAL : set(b, mib * MIB));
}

void command_balloon(void *ctx, struct control_call *call)
{
	how_much(ctx, call, balloon_json, balloon_set_target);
}

void command_memory_add(void *ctx, struct control_call *call)
{
	how_much(ctx, call, memory_json, balloon_add_memory);
}

/* Return: the channel; NULL: @call is answered. */
static struct channel *find_channel(void *ctx, struct control_call *call)
{
	const char *name = control_string(call, "device");
	struct channel *ch = vm_channel(commands_vm(ctx), name);

	if (!ch)
		control_refuse(call, "absent",
			       "no device '%s' on VMbus; inspect lists them",
			       name);
	return ch;
}

void command_rescind(void *ctx, struct control_call *call)
{
	struct channel *ch = find_channel(ctx, call);

	if (!ch)
		return;
	channel_rescind(ch);
	control_answer(call, NULL);
}

void command_offer(void *ctx, struct control_call *call)
{
	struct channel *ch = find_channel(ctx, call);

	if (ch)
		answer(call, channel_name(ch), channel_offer(ch));
}
