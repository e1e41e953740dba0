/* SPDX-License-Identifier: MIT */
#include "vsp/scancodes.h"

#include "proto/synthkbd.h"
#include "support/check_main.h"
#include "vsp/synthkbd.h"

#define UP SYNTH_KBD_IS_BREAK
#define E0 SYNTH_KBD_IS_E0
#define E1 SYNTH_KBD_IS_E1

struct row {
	const char *text;
	unsigned int n;
	struct synthkbd_key keys[8];
};

static const struct row texts[] = {
	{"", 0, {{0}}},
	{"a", 2, {{0x1E, 0}, {0x1E, UP}}},
	{"A", 4, {{0x2A, 0}, {0x1E, 0}, {0x1E, UP}, {0x2A, UP}}},
	{"1!", 6, {{2, 0}, {2, UP}, {0x2A, 0}, {2, 0}, {2, UP}, {0x2A, UP}}},
	{"\n\t ",
	 6,
	 {{0x1C, 0}, {0x1C, UP}, {0x0F, 0}, {0x0F, UP}, {0x39, 0}, {0x39, UP}}},
	{"-", 2, {{0x0C, 0}, {0x0C, UP}}},
	{"_", 4, {{0x2A, 0}, {0x0C, 0}, {0x0C, UP}, {0x2A, UP}}},
};

static const struct row chords[] = {
	{"a", 2, {{0x1E, 0}, {0x1E, UP}}},
	{"enter", 2, {{0x1C, 0}, {0x1C, UP}}},
	{"-", 2, {{0x0C, 0}, {0x0C, UP}}},
	{"ctrl-minus", 4, {{0x1D, 0}, {0x0C, 0}, {0x0C, UP}, {0x1D, UP}}},
	{"ctrl-alt-delete",
	 6,
	 {{0x1D, 0},
	  {0x38, 0},
	  {0x53, E0},
	  {0x53, E0 | UP},
	  {0x38, UP},
	  {0x1D, UP}}},
	{"pause", 4, {{0x1D, E1}, {0x45, 0}, {0x1D, E1 | UP}, {0x45, UP}}},
	{"printscreen", 2, {{0x37, E0}, {0x37, E0 | UP}}},
};

static GArray *keys;

static void make_keys(void)
{
	keys = g_array_new(false, false, sizeof(struct synthkbd_key));
}

static void drop_keys(void)
{
	g_array_free(keys, true);
}

static void expect_row(const struct row *row)
{
	ck_assert_uint_eq(keys->len, row->n);
	for (unsigned int i = 0; i < row->n; i++) {
		struct synthkbd_key *k =
			&g_array_index(keys, struct synthkbd_key, i);

		ck_assert_uint_eq(k->make_code, row->keys[i].make_code);
		ck_assert_uint_eq(k->info, row->keys[i].info);
	}
}

START_TEST(text)
{
	ck_assert(scancodes_text(texts[_i].text, keys, NULL));
	expect_row(&texts[_i]);
}
END_TEST

START_TEST(chord)
{
	ck_assert(scancodes_chord(chords[_i].text, keys, NULL));
	expect_row(&chords[_i]);
}
END_TEST

/* Each printable character has a key, and each key but shift goes up again. */
START_TEST(all_of_ascii)
{
	for (int c = 0x20; c < 0x7F; c++) {
		char s[2] = {(char)c, 0};

		g_array_set_size(keys, 0);
		ck_assert(scancodes_text(s, keys, NULL));
		ck_assert(keys->len == 2 || keys->len == 4);
	}
}
END_TEST

static const struct {
	const char *text, *message;
	bool (*fn)(const char *text, GArray *keys, GError **error);
} bad[] = {
	{"a\x01", "character 0x1: no key types it", scancodes_text},
	{"a\xC3\xA4", "character 0xc3: no key types it", scancodes_text},
	{"\x7F", "character 0x7f: no key types it", scancodes_text},
	{"", ": no such key", scancodes_chord},
	{"ctrl-", ": no such key", scancodes_chord},
	{"--", ": no such key", scancodes_chord},
	{"ctrl-any", "any: no such key", scancodes_chord},
	{"Enter", "Enter: no such key", scancodes_chord},
};

START_TEST(no_such_key)
{
	g_autoptr(GError) error = NULL;

	ck_assert(scancodes_text("x", keys, &error));
	ck_assert(!bad[_i].fn(bad[_i].text, keys, &error));
	ck_assert_str_eq(error->message, bad[_i].message);
	ck_assert_uint_eq(keys->len, 2);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/scancodes");
	TCase *t = tcase_create("keys");

	tcase_add_checked_fixture(t, make_keys, drop_keys);
	tcase_add_loop_test(t, text, 0, G_N_ELEMENTS(texts));
	tcase_add_loop_test(t, chord, 0, G_N_ELEMENTS(chords));
	tcase_add_test(t, all_of_ascii);
	tcase_add_loop_test(t, no_such_key, 0, G_N_ELEMENTS(bad));
	suite_add_tcase(s, t);
	return check_main(s);
}
