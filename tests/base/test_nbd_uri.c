/* SPDX-License-Identifier: MIT */
#include "base/nbd_uri.h"

#include <glib.h>

#include "support/check_main.h"

static void is(char *got, const char *wanted)
{
	ck_assert_str_eq(got, wanted);
	g_free(got);
}

START_TEST(over_tcp)
{
	is(nbd_uri_tcp("host", NULL, NULL), "nbd://host/");
	is(nbd_uri_tcp("10.0.0.1", "7", "a/b"), "nbd://10.0.0.1:7/a/b");
	is(nbd_uri_tcp("fd00::7", "7", "x"), "nbd://[fd00::7]:7/x");
}
END_TEST

START_TEST(by_a_socket)
{
	is(nbd_uri_unix("/s", NULL), "nbd+unix:///?socket=/s");
	is(nbd_uri_unix("/a b/s", "x"), "nbd+unix:///x?socket=/a%20b/s");
}
END_TEST

/* What would mean something in a URI does not. */
START_TEST(names_are_only_names)
{
	is(nbd_uri_unix("/a&b=c#d", "?socket=/x"),
	   "nbd+unix:///%3Fsocket%3D/x?socket=/a%26b%3Dc%23d");
	is(nbd_uri_tcp("h/i", NULL, "%41#"), "nbd://h%2Fi/%2541%23");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("base/nbd_uri");
	TCase *t = tcase_create("nbd_uri");

	tcase_add_test(t, over_tcp);
	tcase_add_test(t, by_a_socket);
	tcase_add_test(t, names_are_only_names);
	suite_add_tcase(s, t);
	return check_main(s);
}
