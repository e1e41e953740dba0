/* SPDX-License-Identifier: MIT */
#include "control/commands/device.h"

#include <errno.h>
#include <string.h>

#include <json-c/json.h>

#include "base/json.h"
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

/* Type what @translate makes of @text. */
static void
press(struct control_call *call, struct synthkbd *kbd, const char *text,
      bool (*translate)(const char *text, GArray *keys, GError **error))
{
	g_autoptr(GArray) keys =
		g_array_new(FALSE, FALSE, sizeof(struct synthkbd_key));
	g_autoptr(GError) error = NULL;

	if (!translate(text, keys, &error)) {
		control_refuse(call, "request", "%s", error->message);
		return;
	}
	answer(call, "keyboard",
	       synthkbd_type(kbd,
			     (const struct synthkbd_key *)(void *)keys->data,
			     keys->len));
}

static struct synthkbd *keyboard_of(void *ctx, struct control_call *call)
{
	return command_device(ctx, call, &synthkbd_ops, "keyboard");
}

void command_type(void *ctx, struct control_call *call)
{
	struct synthkbd *kbd = keyboard_of(ctx, call);

	if (kbd)
		press(call, kbd, control_string(call, "text"), scancodes_text);
}

void command_key(void *ctx, struct control_call *call)
{
	struct synthkbd *kbd = keyboard_of(ctx, call);

	if (kbd)
		press(call, kbd, control_string(call, "keys"), scancodes_chord);
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
	json_add_number(o, key, bytes / MIB);
}

static struct json_object *balloon_json(struct balloon *b)
{
	struct json_object *o = json_object_new_object();
	struct balloon_status s;

	balloon_get_status(b, &s);
	json_add_bool(o, "ready", s.ready && s.can_balloon);
	json_add_bool(o, "busy", s.busy);
	json_add_bool(o, "limited", s.limited);
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
	json_add_bool(o, "ready", s.ready && s.can_add);
	json_add_bool(o, "busy", s.busy);
	json_add_bool(o, "limited", s.add_limited);
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

/* --- QEMU's ------------------------------------------------------------------ */

/* Its values are what is left of the memory from the start. */
void command_qemu_balloon(void *ctx, struct control_call *call)
{
	struct balloon *b = command_device(ctx, call, &balloon_ops, "balloon");
	uint64_t value = control_number(call, "value", 0);
	struct vm_status s;

	if (!b)
		return;
	vm_get_status(commands_vm(ctx), &s);
	answer(call, "balloon",
	       value > s.memory_bytes
		       ? -EINVAL
		       : balloon_set_target(b, s.memory_bytes - value));
}

void query_balloon(void *ctx, struct control_call *call)
{
	struct balloon *b = command_device(ctx, call, &balloon_ops, "balloon");
	struct json_object *o;
	struct balloon_status now;
	struct vm_status s;

	if (!b)
		return;
	vm_get_status(commands_vm(ctx), &s);
	balloon_get_status(b, &now);
	o = json_object_new_object();
	json_add_number(o, "actual", s.memory_bytes - now.ballooned_bytes);
	control_answer(call, o);
}

/* QKeyCode where scancodes.h has another name for it. */
static const char *key_of(const char *code)
{
	static const char *const names[][2] = {
		{"ret", "enter"},
		{"spc", "space"},
		{"pgup", "pageup"},
		{"pgdn", "pagedown"},
		{"print", "printscreen"},
		{"meta_l", "meta"},
		{"shift_r", "shift"},
		{"ctrl_r", "ctrl"},
		{"alt_r", "alt"},
		{"minus", "-"},
		{"equal", "="},
		{"comma", ","},
		{"dot", "."},
		{"slash", "/"},
		{"semicolon", ";"},
		{"apostrophe", "'"},
		{"grave_accent", "`"},
		{"backslash", "\\"},
		{"bracket_left", "["},
		{"bracket_right", "]"},
		{"compose", "menu"},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		if (!strcmp(names[i][0], code))
			return names[i][1];
	}
	return code;
}

/* Return: as scancodes_chord() wants it, owned; NULL: @call is answered. */
static char *chord_of(struct control_call *call)
{
	struct json_object *keys = NULL, *o, *type, *data;
	GString *text = g_string_new(NULL);
	size_t n, i;

	json_object_object_get_ex(control_arguments(call), "keys", &keys);
	n = json_object_is_type(keys, json_type_array)
		    ? json_object_array_length(keys)
		    : 0;
	for (i = 0; i < n; i++) {
		o = json_object_array_get_idx(keys, i);
		if (!json_object_object_get_ex(o, "type", &type) ||
		    !json_object_object_get_ex(o, "data", &data) ||
		    g_strcmp0(json_object_get_string(type), "qcode") != 0 ||
		    !json_object_is_type(data, json_type_string))
			break;
		g_string_append_printf(text, "%s%s", i ? "-" : "",
				       key_of(json_object_get_string(data)));
	}
	if (n && i == n)
		return g_string_free(text, FALSE);
	g_string_free(text, TRUE);
	control_refuse(call, "request",
		       "keys: expected a list of {\"type\": \"qcode\", "
		       "\"data\": KEY}");
	return NULL;
}

void command_send_key(void *ctx, struct control_call *call)
{
	struct synthkbd *kbd = keyboard_of(ctx, call);
	g_autofree char *chord = kbd ? chord_of(call) : NULL;

	if (chord)
		press(call, kbd, chord, scancodes_chord);
}
