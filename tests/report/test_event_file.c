/* SPDX-License-Identifier: MIT */
#include "report/event_file.h"

#include <unistd.h>

#include <glib/gstdio.h>

#include "support/check_main.h"

START_TEST(lines_are_there_at_once)
{
	g_autofree char *path =
		g_strdup_printf("/tmp/kvmbus-events.%d", (int)getpid());
	g_autofree char *now = NULL, *later = NULL, *anew = NULL;
	struct event_file *f = event_file_open(path, NULL);

	ck_assert_ptr_nonnull(f);
	event_file_write(f, "{\"a\":1}");
	ck_assert(g_file_get_contents(path, &now, NULL, NULL));
	ck_assert_str_eq(now, "{\"a\":1}\n");
	event_file_write(f, "{}");
	event_file_close(f);
	ck_assert(g_file_get_contents(path, &later, NULL, NULL));
	ck_assert_str_eq(later, "{\"a\":1}\n{}\n");
	f = event_file_open(path, NULL);
	event_file_close(f);
	ck_assert(g_file_get_contents(path, &anew, NULL, NULL));
	ck_assert_str_eq(anew, "");
	g_unlink(path);
}
END_TEST

START_TEST(a_file_that_cannot_be)
{
	GError *error = NULL;

	ck_assert_ptr_null(event_file_open("/nowhere/file", &error));
	ck_assert(g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOENT));
	g_error_free(error);
	event_file_close(NULL);
}
END_TEST

START_TEST(a_disk_that_is_full)
{
	struct event_file *f = event_file_open("/dev/full", NULL);

	ck_assert_ptr_nonnull(f);
	event_file_write(f, "{}");
	event_file_write(f, "{}");
	event_file_close(f);
}
END_TEST

START_TEST(standard_output)
{
	struct event_file *f = event_file_open("-", NULL);

	ck_assert_ptr_nonnull(f);
	event_file_close(f);
	ck_assert_int_eq(write(STDOUT_FILENO, "", 0), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("report/event_file");
	TCase *t = tcase_create("event_file");

	tcase_add_test(t, lines_are_there_at_once);
	tcase_add_test(t, a_file_that_cannot_be);
	tcase_add_test(t, a_disk_that_is_full);
	tcase_add_test(t, standard_output);
	suite_add_tcase(s, t);
	return check_main(s);
}
