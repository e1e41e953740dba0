/* SPDX-License-Identifier: MIT */
#include "command/unpack.h"

#include <stdbool.h>
#include <string.h>

#include "command/newc.h"
#include "support/check_main.h"
#include "support/deb_file.h"
#include "support/module_file.h"

static bool has(const char *folder, const char *name, const char *text)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);
	g_autofree char *got = NULL;

	return g_file_get_contents(path, &got, NULL, NULL) &&
	       !g_strcmp0(got, text);
}

static bool exists(const char *folder, const char *name)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);

	return g_file_test(path, G_FILE_TEST_EXISTS) ||
	       g_file_test(path, G_FILE_TEST_IS_SYMLINK);
}

START_TEST(kernel_and_modules_come_out)
{
	static const struct tar_entry entries[] = {
		{"./", '5', NULL},
		{"./boot/", '5', NULL},
		{"./boot/vmlinuz-6.1", '0', "kernel"},
		{"./lib/modules/6.1/kernel/a.ko", '0', "module"},
		{"./usr/lib/modules/6.1/b.ko", '0', "other"},
		{"./usr/share/doc/linux/copyright", '0', "GPL"},
		{"./lib/modules/6.1/build", '2', "/usr/src/linux"},
	};
	g_autofree char *folder = test_folder();
	g_autofree char *deb = g_build_filename(folder, "a.deb", NULL);

	put_deb(deb, entries, G_N_ELEMENTS(entries));
	ck_assert_int_eq(unpack_deb(deb, folder, NULL), 0);
	ck_assert(has(folder, "boot/vmlinuz-6.1", "kernel"));
	ck_assert(has(folder, "lib/modules/6.1/kernel/a.ko", "module"));
	ck_assert(has(folder, "usr/lib/modules/6.1/b.ko", "other"));
	/* neither what nobody asked for, nor links */
	ck_assert(!exists(folder, "usr/share"));
	ck_assert(!exists(folder, "lib/modules/6.1/build"));
	remove_tree(folder);
}
END_TEST

START_TEST(nothing_leaves_the_folder)
{
	static const struct {
		const char *what;
		struct tar_entry entries[2];
		size_t n;
		bool refused;
	} cases[] = {
		{"upwards", {{"boot/../../out", '0', "x"}}, 1, true},
		{"upwards at the end", {{"boot/a/..", '0', "x"}}, 1, true},
		{"from the root", {{"/out", '0', "x"}}, 1, false},
		{"through a link",
		 {{"boot/l", '2', "../.."}, {"boot/l/out", '0', "x"}},
		 2,
		 false},
		{"a hard link", {{"boot/h", '1', "/etc/passwd"}}, 1, false},
		{"twice",
		 {{"boot/a", '0', "x"}, {"boot/a", '0', "y"}},
		 2,
		 true},
		{"a file for a folder",
		 {{"boot/a", '0', "x"}, {"boot/a/b", '0', "y"}},
		 2,
		 true},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *top = test_folder();
		g_autofree char *deb = g_build_filename(top, "a.deb", NULL);
		g_autofree char *folder = g_build_filename(top, "in", NULL);
		GError *error = NULL;
		int ret;

		ck_assert_int_eq(g_mkdir(folder, 0755), 0);
		put_deb(deb, cases[i].entries, cases[i].n);
		ret = unpack_deb(deb, folder, &error);
		ck_assert_msg((ret != 0) == cases[i].refused, "%s: %s",
			      cases[i].what, error ? error->message : "fine");
		ck_assert_msg(!exists(top, "out"), "%s", cases[i].what);
		ck_assert_msg(!exists(folder, "boot/h"), "%s", cases[i].what);
		if (error)
			ck_assert(g_error_matches(error, GUEST_ERROR, 0));
		g_clear_error(&error);
		remove_tree(top);
	}
}
END_TEST

START_TEST(what_is_no_package_is_said)
{
	static const char *const contents[] = {"", "no package",
					       "!<arch>\nbroken"};
	g_autofree char *folder = test_folder();
	g_autofree char *deb = g_build_filename(folder, "a.deb", NULL);

	ck_assert_int_eq(unpack_deb("/nonexistent.deb", folder, NULL), -1);
	for (size_t i = 0; i < G_N_ELEMENTS(contents); i++) {
		GError *error = NULL;

		put_file(folder, "a.deb", contents[i], strlen(contents[i]));
		ck_assert_int_eq(unpack_deb(deb, folder, &error), -1);
		ck_assert(g_str_has_prefix(error->message, deb));
		g_error_free(error);
	}
	remove_tree(folder);
}
END_TEST

/* "kernel\n" */
static const uint8_t gzip[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00,
			       0x00, 0x00, 0x03, 0xcb, 0x4e, 0x2d, 0xca,
			       0x4b, 0xcd, 0xe1, 0x02, 0x00, 0x69, 0xae,
			       0x8e, 0x73, 0x07, 0x00, 0x00, 0x00};

START_TEST(files_are_unpacked_or_left_as_they_are)
{
	g_autofree char *folder = test_folder();
	g_autofree char *path = g_build_filename(folder, "a", NULL);
	GBytes *bytes;
	GError *error = NULL;

	put_file(folder, "a", "plain", 5);
	bytes = unpack_file(path, 100, NULL);
	ck_assert_uint_eq(g_bytes_get_size(bytes), 5);
	g_bytes_unref(bytes);
	put_file(folder, "a", gzip, sizeof(gzip));
	bytes = unpack_file(path, 100, NULL);
	ck_assert_ptr_nonnull(bytes);
	ck_assert_uint_eq(g_bytes_get_size(bytes), 7);
	ck_assert_int_eq(memcmp(g_bytes_get_data(bytes, NULL), "kernel\n", 7),
			 0);
	g_bytes_unref(bytes);
	ck_assert_ptr_null(unpack_file(path, 6, &error));
	ck_assert_ptr_nonnull(strstr(error->message, "too large"));
	g_clear_error(&error);
	put_file(folder, "a", "", 0);
	bytes = unpack_file(path, 6, NULL);
	ck_assert_uint_eq(g_bytes_get_size(bytes), 0);
	g_bytes_unref(bytes);
	ck_assert_ptr_null(unpack_file("/nonexistent", 6, NULL));
	remove_tree(folder);
}
END_TEST

/* libarchive would start a program for some kinds of compressed files. */
START_TEST(no_program_is_started_by_a_file)
{
	static const char grzip[] = "GRZipII\0\2\4:)and so on";
	static const char script[] = "#!/bin/sh\ntouch \"${0%/*}/started\"\n";
	g_autofree char *folder = test_folder();
	g_autofree char *deb = g_build_filename(folder, "a.deb", NULL);
	g_autofree char *program = g_build_filename(folder, "grzip", NULL);
	g_autofree char *path = g_strdup(g_getenv("PATH"));
	g_autofree char *longer = g_strconcat(folder, ":", path, NULL);

	put_file(folder, "grzip", script, strlen(script));
	ck_assert_int_eq(g_chmod(program, 0700), 0);
	put_deb_around(deb, "data.tar.grz", grzip, sizeof(grzip));
	g_setenv("PATH", longer, TRUE);
	ck_assert_int_eq(unpack_deb(deb, folder, NULL), -1);
	put_file(folder, "a.ko", grzip, sizeof(grzip));
	g_free(deb);
	deb = g_build_filename(folder, "a.ko", NULL);
	g_bytes_unref(unpack_file(deb, 100, NULL));
	g_setenv("PATH", path, TRUE);
	ck_assert(!exists(folder, "started"));
	remove_tree(folder);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("unpack");
	TCase *t = tcase_create("unpack");

	tcase_add_test(t, kernel_and_modules_come_out);
	tcase_add_test(t, nothing_leaves_the_folder);
	tcase_add_test(t, what_is_no_package_is_said);
	tcase_add_test(t, files_are_unpacked_or_left_as_they_are);
	tcase_add_test(t, no_program_is_started_by_a_file);
	suite_add_tcase(s, t);
	return check_main(s);
}
