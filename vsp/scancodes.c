/* SPDX-License-Identifier: MIT */
#include "vsp/scancodes.h"

#include <string.h>

#include "proto/synthkbd.h"
#include "vsp/synthkbd.h"

#define E0 SYNTH_KBD_IS_E0
#define E1 SYNTH_KBD_IS_E1

#define CODE_LEFT_SHIFT 0x2A
/* Pause is two codes, the first with E1. */
#define CODE_PAUSE_1    0x1D

struct key {
	const char *name;
	uint16_t code;
	uint16_t prefix;
	char shifted; /* what it types with shift; 0: its name does not type */
};

static const struct key keys_us[] = {
	{"esc", 0x01, 0, 0},          {"1", 0x02, 0, '!'},
	{"2", 0x03, 0, '@'},          {"3", 0x04, 0, '#'},
	{"4", 0x05, 0, '$'},          {"5", 0x06, 0, '%'},
	{"6", 0x07, 0, '^'},          {"7", 0x08, 0, '&'},
	{"8", 0x09, 0, '*'},          {"9", 0x0A, 0, '('},
	{"0", 0x0B, 0, ')'},          {"-", 0x0C, 0, '_'},
	{"minus", 0x0C, 0, 0},        {"=", 0x0D, 0, '+'},
	{"backspace", 0x0E, 0, 0},    {"tab", 0x0F, 0, 0},
	{"\t", 0x0F, 0, '\t'},        {"q", 0x10, 0, 'Q'},
	{"w", 0x11, 0, 'W'},          {"e", 0x12, 0, 'E'},
	{"r", 0x13, 0, 'R'},          {"t", 0x14, 0, 'T'},
	{"y", 0x15, 0, 'Y'},          {"u", 0x16, 0, 'U'},
	{"i", 0x17, 0, 'I'},          {"o", 0x18, 0, 'O'},
	{"p", 0x19, 0, 'P'},          {"[", 0x1A, 0, '{'},
	{"]", 0x1B, 0, '}'},          {"enter", 0x1C, 0, 0},
	{"\n", 0x1C, 0, '\n'},        {"ctrl", 0x1D, 0, 0},
	{"rightctrl", 0x1D, E0, 0},   {"a", 0x1E, 0, 'A'},
	{"s", 0x1F, 0, 'S'},          {"d", 0x20, 0, 'D'},
	{"f", 0x21, 0, 'F'},          {"g", 0x22, 0, 'G'},
	{"h", 0x23, 0, 'H'},          {"j", 0x24, 0, 'J'},
	{"k", 0x25, 0, 'K'},          {"l", 0x26, 0, 'L'},
	{";", 0x27, 0, ':'},          {"'", 0x28, 0, '"'},
	{"`", 0x29, 0, '~'},          {"shift", 0x2A, 0, 0},
	{"\\", 0x2B, 0, '|'},         {"z", 0x2C, 0, 'Z'},
	{"x", 0x2D, 0, 'X'},          {"c", 0x2E, 0, 'C'},
	{"v", 0x2F, 0, 'V'},          {"b", 0x30, 0, 'B'},
	{"n", 0x31, 0, 'N'},          {"m", 0x32, 0, 'M'},
	{",", 0x33, 0, '<'},          {".", 0x34, 0, '>'},
	{"/", 0x35, 0, '?'},          {"rightshift", 0x36, 0, 0},
	{"alt", 0x38, 0, 0},          {"rightalt", 0x38, E0, 0},
	{"space", 0x39, 0, 0},        {" ", 0x39, 0, ' '},
	{"capslock", 0x3A, 0, 0},     {"f1", 0x3B, 0, 0},
	{"f2", 0x3C, 0, 0},           {"f3", 0x3D, 0, 0},
	{"f4", 0x3E, 0, 0},           {"f5", 0x3F, 0, 0},
	{"f6", 0x40, 0, 0},           {"f7", 0x41, 0, 0},
	{"f8", 0x42, 0, 0},           {"f9", 0x43, 0, 0},
	{"f10", 0x44, 0, 0},          {"numlock", 0x45, 0, 0},
	{"pause", 0x45, E1, 0},       {"scrolllock", 0x46, 0, 0},
	{"f11", 0x57, 0, 0},          {"f12", 0x58, 0, 0},
	{"home", 0x47, E0, 0},        {"up", 0x48, E0, 0},
	{"pageup", 0x49, E0, 0},      {"left", 0x4B, E0, 0},
	{"right", 0x4D, E0, 0},       {"end", 0x4F, E0, 0},
	{"down", 0x50, E0, 0},        {"pagedown", 0x51, E0, 0},
	{"insert", 0x52, E0, 0},      {"delete", 0x53, E0, 0},
	{"meta", 0x5B, E0, 0},        {"menu", 0x5D, E0, 0},
	{"keypad7", 0x47, 0, 0},      {"keypad8", 0x48, 0, 0},
	{"keypad9", 0x49, 0, 0},      {"keypad4", 0x4B, 0, 0},
	{"keypad5", 0x4C, 0, 0},      {"keypad6", 0x4D, 0, 0},
	{"keypad1", 0x4F, 0, 0},      {"keypad2", 0x50, 0, 0},
	{"keypad3", 0x51, 0, 0},      {"keypad0", 0x52, 0, 0},
	{"printscreen", 0x37, E0, 0},
};

static const struct key *find_name(const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(keys_us); i++) {
		if (!strcmp(keys_us[i].name, name))
			return &keys_us[i];
	}
	return NULL;
}

/* Return: the key that types @c; NULL: none does. */
static const struct key *find_char(char c, bool *shift)
{
	for (size_t i = 0; i < G_N_ELEMENTS(keys_us); i++) {
		const struct key *k = &keys_us[i];

		*shift = k->name[0] != c;
		if (k->shifted && (k->name[0] == c || k->shifted == c))
			return k;
	}
	return NULL;
}

static void add(GArray *keys, uint16_t code, uint16_t info)
{
	struct synthkbd_key key = {.make_code = code, .info = info};

	g_array_append_val(keys, key);
}

static void add_key(GArray *keys, const struct key *key, bool up)
{
	uint16_t up_bit = up ? SYNTH_KBD_IS_BREAK : 0;
	uint16_t prefix = key->prefix;

	if (prefix == E1) {
		add(keys, CODE_PAUSE_1, E1 | up_bit);
		prefix = 0;
	}
	add(keys, key->code, prefix | up_bit);
}

/* Return: is there a key of that name? */
static bool add_named(GArray *keys, const char *name, bool up)
{
	const struct key *key = find_name(name);

	if (key)
		add_key(keys, key, up);
	return key;
}

static bool fail(GError **error, GArray *keys, guint len, const char *what,
		 const char *name)
{
	g_array_set_size(keys, len);
	g_set_error(error, g_quark_from_static_string("kvmbus-scancodes"), 0,
		    "%s: %s", name, what);
	return false;
}

bool scancodes_text(const char *text, GArray *keys, GError **error)
{
	guint len = keys->len;

	for (const char *c = text; *c; c++) {
		const struct key *key;
		bool shift;

		key = find_char(*c, &shift);
		if (!key) {
			g_autofree char *name = g_strdup_printf(
				"character %#x", (unsigned int)(uint8_t)*c);

			return fail(error, keys, len, "no key types it", name);
		}
		if (shift)
			add(keys, CODE_LEFT_SHIFT, 0);
		add_key(keys, key, false);
		add_key(keys, key, true);
		if (shift)
			add(keys, CODE_LEFT_SHIFT, SYNTH_KBD_IS_BREAK);
	}
	return true;
}

bool scancodes_chord(const char *names, GArray *keys, GError **error)
{
	g_auto(GStrv) list = g_strsplit(names, "-", -1);
	guint len = keys->len, n = g_strv_length(list);

	/* The key itself, not what stands between two. */
	if (!strcmp(names, "-"))
		return add_named(keys, "-", false) &&
		       add_named(keys, "-", true);
	for (guint i = 0; i < n; i++) {
		if (!add_named(keys, list[i], false))
			return fail(error, keys, len, "no such key", list[i]);
	}
	for (guint i = n; i-- > 0;)
		add_named(keys, list[i], true);
	return n > 0 || fail(error, keys, len, "no such key", names);
}
