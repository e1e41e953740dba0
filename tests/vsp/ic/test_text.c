/* SPDX-License-Identifier: MIT */
#include "vsp/ic/text.h"

#include <errno.h>
#include <string.h>

#include <glib.h>

#include "support/check_main.h"

static const struct {
	const char *text;
	uint16_t wide[8];
	uint32_t bytes;
} good[] = {
	{"", {0}, 2},
	{"abc", {'a', 'b', 'c', 0}, 8},
	{"\xC3\xA4\xE2\x82\xAC", {0xE4, 0x20AC, 0}, 6},
	{"\xF0\x9F\x98\x80", {0xD83D, 0xDE00, 0}, 6},
};

START_TEST(there_and_back)
{
	uint16_t field[8] = {0};
	uint32_t used;
	char *text;

	ck_assert_int_eq(
		ic_text_put(field, sizeof(field), good[_i].text, &used), 0);
	ck_assert_uint_eq(used, good[_i].bytes);
	ck_assert_mem_eq(field, good[_i].wide, sizeof(field));
	text = ic_text_get(field, sizeof(field));
	ck_assert_str_eq(text, good[_i].text);
	g_free(text);
}
END_TEST

START_TEST(room_for_the_zero)
{
	uint16_t field[4] = {0};

	ck_assert_int_eq(ic_text_put(field, sizeof(field), "abc", NULL), 0);
	ck_assert_int_eq(ic_text_put(field, sizeof(field), "abcd", NULL),
			 -ENAMETOOLONG);
	ck_assert_int_eq(ic_text_put(field, sizeof(field), "a\xFF", NULL),
			 -EILSEQ);
}
END_TEST

START_TEST(a_field_without_an_end)
{
	const uint16_t field[] = {'a', 'b', 'c'};
	char *text = ic_text_get(field, sizeof(field));

	ck_assert_str_eq(text, "abc");
	g_free(text);
	/* Odd, and empty. */
	text = ic_text_get(field, 3);
	ck_assert_str_eq(text, "a");
	g_free(text);
	text = ic_text_get(NULL, 0);
	ck_assert_str_eq(text, "");
	g_free(text);
}
END_TEST

START_TEST(half_a_pair)
{
	const uint16_t field[] = {'a', 0xD83D, 0};

	ck_assert_ptr_null(ic_text_get(field, sizeof(field)));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/ic/text");
	TCase *t = tcase_create("text");

	tcase_add_loop_test(t, there_and_back, 0, G_N_ELEMENTS(good));
	tcase_add_test(t, room_for_the_zero);
	tcase_add_test(t, a_field_without_an_end);
	tcase_add_test(t, half_a_pair);
	suite_add_tcase(s, t);
	return check_main(s);
}
