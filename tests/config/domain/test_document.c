/* SPDX-License-Identifier: MIT */
#include "config/domain/document.h"

#include <stdbool.h>
#include <string.h>

#include <glib.h>

#include "support/check_main.h"

struct said {
	unsigned int n, line;
	char *text;
};

static void on_wrong(void *ctx, unsigned int line, const char *text)
{
	struct said *s = ctx;

	if (s->n++)
		return;
	s->line = line;
	s->text = g_strdup(text);
}

static bool parses(const char *text, struct said *said)
{
	xmlDoc *doc;

	memset(said, 0, sizeof(*said));
	doc = document_parse(text, strlen(text), on_wrong, said);
	ck_assert_int_eq(doc == NULL, said->n != 0);
	xmlFreeDoc(doc);
	return doc != NULL;
}

START_TEST(a_document_is_read)
{
	struct said said;

	ck_assert(parses("<a b='c'>\n<d/>text<![CDATA[<x>]]></a>", &said));
	ck_assert(parses("<?xml version='1.0' encoding='UTF-8'?>"
			 "<!-- c --><a/>",
			 &said));
}
END_TEST

static const struct {
	const char *text, *said;
	unsigned int line;
} wrong[] = {
	{"", "empty", 1},
	{"plain", "Start tag expected", 1},
	{"<a>\n<b>\n</a>", "mismatch", 3},
	{"<a b=c/>", "AttValue", 1},
	{"\n<!DOCTYPE a>\n<a/>", "DOCTYPE", 2},
	{"<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", "DOCTYPE", 1},
	{"<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>", "DOCTYPE", 1},
	{"<!DOCTYPE a [<!ENTITY % x SYSTEM 'file:///etc/passwd'>%x;]><a/>",
	 "DOCTYPE", 1},
	{"<a>&x;</a>", "not defined", 1},
	{"<a xmlns:b='c'><d:e/></a>", "Namespace", 1},
};

START_TEST(what_is_wrong_has_a_line)
{
	struct said said;

	ck_assert(!parses(wrong[_i].text, &said));
	ck_assert_msg(strstr(said.text, wrong[_i].said) != NULL,
		      "%s: said '%s'", wrong[_i].text, said.text);
	ck_assert_uint_eq(said.line, wrong[_i].line);
	g_free(said.text);
}
END_TEST

static char *repeat(const char *before, const char *one, unsigned int n,
		    const char *after)
{
	GString *s = g_string_new(before);

	while (n--)
		g_string_append(s, one);
	g_string_append(s, after);
	return g_string_free(s, FALSE);
}

START_TEST(bounds)
{
	g_autofree char *deep = repeat("", "<a>", DOCUMENT_DEPTH_MAX + 1, "");
	g_autofree char *ends = repeat("", "</a>", DOCUMENT_DEPTH_MAX + 1, "");
	g_autofree char *both = g_strconcat(deep, ends, NULL);
	g_autofree char *just = g_strconcat(deep + 3, ends + 4, NULL);
	g_autofree char *many =
		repeat("<a>", "<b/>", DOCUMENT_NODES_MAX, "</a>");
	g_autofree char *attrs =
		repeat("<a>", "<b c='' d=''/>", DOCUMENT_NODES_MAX / 2, "</a>");
	g_autofree char *large = repeat("<a>", "0123456789abcdef",
					DOCUMENT_BYTES_MAX / 16, "</a>");
	struct said said;

	ck_assert(parses(just, &said));
	ck_assert(!parses(both, &said));
	ck_assert_str_eq(said.text, "is too deep in others");
	g_free(said.text);
	ck_assert(!parses(many, &said));
	ck_assert_str_eq(said.text, "has too many elements");
	g_free(said.text);
	ck_assert(!parses(attrs, &said));
	g_free(said.text);
	ck_assert(!parses(large, &said));
	ck_assert_str_eq(said.text, "is longer than 1 MiB: no domain");
	g_free(said.text);
}
END_TEST

START_TEST(bytes_that_are_no_text)
{
	static const char zero[] = "<a>\0</a>";
	static const char bad[] = "<a>\xff\xfe</a>";
	struct said said = {0};

	ck_assert_ptr_null(
		document_parse(zero, sizeof(zero) - 1, on_wrong, &said));
	ck_assert_ptr_nonnull(strstr(said.text, "byte 0"));
	g_free(said.text);
	ck_assert(!parses(bad, &said));
	g_free(said.text);
}
END_TEST

START_TEST(errors_are_bounded)
{
	g_autofree char *text = repeat("<a>", "&x;", 1000, "</a>");
	struct said said;

	ck_assert(!parses(text, &said));
	ck_assert_uint_le(said.n, DOCUMENT_ERRORS_MAX);
	g_free(said.text);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("config/domain/document");
	TCase *t = tcase_create("document");

	tcase_add_test(t, a_document_is_read);
	tcase_add_loop_test(t, what_is_wrong_has_a_line, 0,
			    G_N_ELEMENTS(wrong));
	tcase_add_test(t, bounds);
	tcase_add_test(t, bytes_that_are_no_text);
	tcase_add_test(t, errors_are_bounded);
	suite_add_tcase(s, t);
	return check_main(s);
}
