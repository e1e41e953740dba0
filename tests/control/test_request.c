/* SPDX-License-Identifier: MIT */
#include "control/request.h"

#include <string.h>

#include <glib.h>
#include <json-c/json.h>

#include "support/check_main.h"

/* Every result in turn: the object, "!" and why, as one text. */
static char *parse(const char *text, size_t bytes, size_t piece)
{
	struct request_parser *p = request_parser_new();
	GString *got = g_string_new(NULL);

	for (size_t at = 0; at < bytes; at += piece) {
		const char *data = text + at, *why;
		size_t left = MIN(piece, bytes - at);
		struct json_object *o;
		enum request_result r;

		while ((r = request_parse(p, &data, &left, &o, &why)) !=
		       REQUEST_MORE) {
			if (r == REQUEST_BAD) {
				g_string_append_printf(got, "!%s;", why);
				continue;
			}
			g_string_append_printf(
				got, "%s;",
				json_object_to_json_string_ext(
					o, JSON_C_TO_STRING_PLAIN));
			json_object_put(o);
		}
		ck_assert_uint_eq(left, 0);
	}
	request_parser_free(p);
	return g_string_free(got, FALSE);
}

static const struct {
	const char *what, *text, *result;
} cases[] = {
	{"nothing", "", ""},
	{"white space", " \r\n\t\n", ""},
	{"one", "{\"a\":1}", "{\"a\":1};"},
	{"two without anything between", "{}{\"a\":{}}", "{};{\"a\":{}};"},
	{"on several lines", "{\n\"a\"\n:\n[\n]\n}\n", "{\"a\":[]};"},
	{"one that does not end", "{\"a\":", ""},
	{"UTF-8", "{\"a\":\"\u00e4\u20ac\U0001F600\"}",
	 "{\"a\":\"\u00e4\u20ac\U0001F600\"};"},
	{"braces in a string", "{\"a\":\"}{\"}", "{\"a\":\"}{\"};"},
	{"an escaped quote", "{\"a\":\"\\\"}\"}", "{\"a\":\"\\\"}\"};"},
	{"single quotes, as QEMU takes them", "{'a':1}", "{\"a\":1};"},
	{"no object", "7\n{}", "!expected a JSON object;{};"},
	{"an array", "[{}]{}\n{}", "!expected a JSON object;{};"},
	{"half a character", "{\"a\":\"\xc3\"}\n{}", "!not UTF-8;{};"},
	{"a byte that is in no UTF-8", "{\"a\":\"\xff\"}\n{}",
	 "!not UTF-8;{};"},
	{"QEMU's reset byte", "\xff\n{}", "!expected a JSON object;{};"},
};

START_TEST(streams)
{
	for (size_t piece = 1; piece < 12; piece++) {
		g_autofree char *got =
			parse(cases[_i].text, strlen(cases[_i].text), piece);

		ck_assert_msg(!strcmp(got, cases[_i].result),
			      "%s, pieces of %zu: %s", cases[_i].what, piece,
			      got);
	}
}
END_TEST

static const char *const bad[] = {
	"{]\n",         "{\"a\" 1}\n",       "{\"a\":x}\n",  "{a:1}\n",
	"{\"a\":1,}\n", "{\"a\":\"\\q\"}\n", "{\"a\":01}\n",
};

/* One complaint, and the next line is heard. */
START_TEST(what_is_no_json)
{
	g_autofree char *text = g_strconcat(bad[_i], "{}", NULL);

	for (size_t piece = 1; piece < 12; piece++) {
		g_autofree char *got = parse(text, strlen(text), piece);

		ck_assert_msg(*got == '!' && g_str_has_suffix(got, ";{};") &&
				      strchr(got, ';') + 4 == got + strlen(got),
			      "%s: %s", text, got);
	}
}
END_TEST

static char *nested(unsigned int depth)
{
	GString *s = g_string_new(NULL);

	for (unsigned int i = 1; i < depth; i++)
		g_string_append(s, "{\"a\":");
	g_string_append(s, "{}");
	for (unsigned int i = 1; i < depth; i++)
		g_string_append(s, "}");
	return g_string_free(s, FALSE);
}

START_TEST(depth_has_a_bound)
{
	g_autofree char *deep = nested(REQUEST_DEPTH_MAX);
	g_autofree char *deeper = nested(REQUEST_DEPTH_MAX + 1);
	g_autofree char *good = parse(deep, strlen(deep), 7);
	g_autofree char *refused = parse(deeper, strlen(deeper), 7);

	ck_assert_int_eq(*good, '{');
	ck_assert_int_eq(*refused, '!');
}
END_TEST

START_TEST(length_has_a_bound)
{
	static const size_t around = sizeof("{\"a\":\"\"}") - 1;
	g_autofree char *fits = g_strnfill(REQUEST_BYTES_MAX - around, 'x');
	g_autofree char *longest = g_strdup_printf("{\"a\":\"%s\"}", fits);
	g_autofree char *longer = g_strdup_printf("{\"a\":\"%sx\"}\n{}", fits);
	g_autofree char *good = parse(longest, strlen(longest), 1000);
	g_autofree char *refused = parse(longer, strlen(longer), 1000);
	g_autofree char *blank = g_strnfill(3 * (gsize)REQUEST_BYTES_MAX, ' ');
	g_autofree char *spaces = g_strconcat(blank, "{}", NULL);
	g_autofree char *spaced = parse(spaces, strlen(spaces), 1000);

	ck_assert_int_eq(*good, '{');
	ck_assert_str_eq(refused, "!a request may have 65536 bytes;{};");
	/* Between requests nothing is kept. */
	ck_assert_str_eq(spaced, "{};");
}
END_TEST

START_TEST(zero_bytes)
{
	static const char text[] = "{\"a\":\"\0\"}\n\0\n{}";
	g_autofree char *got = parse(text, sizeof(text) - 1, 3);

	ck_assert_int_eq(*got, '!');
	ck_assert(g_str_has_suffix(got, ";{};"));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("control/request");
	TCase *t = tcase_create("request");

	tcase_add_loop_test(t, streams, 0, G_N_ELEMENTS(cases));
	tcase_add_loop_test(t, what_is_no_json, 0, G_N_ELEMENTS(bad));
	tcase_add_test(t, depth_has_a_bound);
	tcase_add_test(t, length_has_a_bound);
	tcase_add_test(t, zero_bytes);
	suite_add_tcase(s, t);
	return check_main(s);
}
