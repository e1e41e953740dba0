/* SPDX-License-Identifier: MIT */
#include "base/pidfile.h"

#include <stdlib.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "support/check_main.h"

static char *folder, *path;

static void setup(void)
{
	folder = g_dir_make_tmp("kvmbus-pidfile-XXXXXX", NULL);
	path = g_build_filename(folder, "pid", NULL);
}

static void teardown(void)
{
	g_rmdir(folder);
	g_free(path);
	g_free(folder);
}

static void expect_our_number(void)
{
	g_autofree char *text = NULL;

	ck_assert(g_file_get_contents(path, &text, NULL, NULL));
	ck_assert_int_eq(g_ascii_strtoll(text, NULL, 10), getpid());
}

START_TEST(it_is_there_as_long_as_we_want)
{
	struct pidfile *file = pidfile_new(path, NULL);

	ck_assert_ptr_nonnull(file);
	expect_our_number();
	pidfile_free(file);
	ck_assert_int_ne(access(path, F_OK), 0);
	pidfile_free(NULL);
}
END_TEST

START_TEST(what_was_left_behind_is_taken)
{
	struct pidfile *file;

	ck_assert(g_file_set_contents(path, "123456789\n", -1, NULL));
	file = pidfile_new(path, NULL);
	ck_assert_ptr_nonnull(file);
	expect_our_number();
	pidfile_free(file);
}
END_TEST

START_TEST(another_that_runs_has_it)
{
	struct pidfile *file = pidfile_new(path, NULL);
	GError *error = NULL;

	ck_assert_ptr_null(pidfile_new(path, &error));
	ck_assert_ptr_nonnull(strstr(error->message, "process that runs"));
	g_error_free(error);
	expect_our_number();
	pidfile_free(file);
}
END_TEST

START_TEST(places_that_cannot_be)
{
	g_autofree char *target = g_build_filename(folder, "target", NULL);
	GError *error = NULL;

	ck_assert_ptr_null(pidfile_new("/nowhere/pid", &error));
	ck_assert(g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOENT));
	g_clear_error(&error);
	/* Somebody else's link leads nowhere. */
	ck_assert(!symlink(target, path));
	ck_assert_ptr_null(pidfile_new(path, &error));
	g_clear_error(&error);
	ck_assert_int_ne(access(target, F_OK), 0);
	g_unlink(path);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("base/pidfile");
	TCase *t = tcase_create("pidfile");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, it_is_there_as_long_as_we_want);
	tcase_add_test(t, what_was_left_behind_is_taken);
	tcase_add_test(t, another_that_runs_has_it);
	tcase_add_test(t, places_that_cannot_be);
	suite_add_tcase(s, t);
	return check_main(s);
}
