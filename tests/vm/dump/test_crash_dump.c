/* SPDX-License-Identifier: MIT */
#include "vm/dump/crash_dump.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "config/machine_config.h"
#include "support/check_main.h"

static struct machine_config *config;
static char *folder;

static void setup(void)
{
	folder = g_dir_make_tmp("kvmbus-crash-XXXXXX", NULL);
	config = machine_config_new();
	config->on_crash = LIFECYCLE_COREDUMP_DESTROY;
}

static void teardown(void)
{
	machine_config_free(config);
	rmdir(folder);
	g_free(folder);
}

START_TEST(only_of_a_crash_that_wants_it)
{
	static const bool wanted[] = {
		[LIFECYCLE_DESTROY] = false,
		[LIFECYCLE_RESTART] = false,
		[LIFECYCLE_PRESERVE] = false,
		[LIFECYCLE_COREDUMP_DESTROY] = true,
		[LIFECYCLE_COREDUMP_RESTART] = true,
	};

	for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++) {
		config->on_crash = (enum lifecycle_action)i;
		ck_assert_int_eq(crash_dump_wanted(config), wanted[i]);
	}
}
END_TEST

START_TEST(named_as_libvirt_names_them)
{
	static const struct {
		const char *name, *file;
	} cases[] = {
		{NULL, "7-kvmbus-2026-02-03-04:05:06"},
		{"web01", "7-web01-2026-02-03-04:05:06"},
		{"12345678901234567890", "7-12345678901234567890-2026-02-03-"
					 "04:05:06"},
		{"123456789012345678901", "7-12345678901234567890-2026-02-03-"
					  "04:05:06"},
		/* a character is whole, or not there */
		{"1234567890123456789\303\274", "7-1234567890123456789-2026-02-"
						"03-04:05:06"},
	};
	g_autoptr(GDateTime) when = g_date_time_new_utc(2026, 2, 3, 4, 5, 6);

	config->dump_dir = g_strdup("/dumps");
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *want =
			g_strconcat("/dumps/", cases[i].file, NULL);
		g_autofree char *path = NULL;

		g_free(config->name);
		config->name = g_strdup(cases[i].name);
		path = crash_dump_path(config, 7, when);
		ck_assert_str_eq(path, want);
	}
}
END_TEST

START_TEST(the_folder_is_made_for_the_owner)
{
	g_autofree char *outer = g_build_filename(folder, "a", NULL);
	g_autofree char *inner = g_build_filename(outer, "b", NULL);
	struct stat st;

	config->dump_dir = g_strdup(inner);
	ck_assert_int_eq(crash_dump_prepare(config, NULL), 0);
	ck_assert(!stat(inner, &st));
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
	/* It may be there. */
	ck_assert_int_eq(crash_dump_prepare(config, NULL), 0);
	rmdir(inner);
	rmdir(outer);
}
END_TEST

START_TEST(what_cannot_be_is_refused_at_the_start)
{
	GError *error = NULL;

	config->dump_dir = g_strdup("/dev/null/dumps");
	ck_assert_int_eq(crash_dump_prepare(config, &error), -1);
	ck_assert_ptr_nonnull(strstr(error->message, "/dev/null/dumps"));
	ck_assert_ptr_nonnull(strstr(error->message, "--dump-dir"));
	g_error_free(error);
	/* Nobody asked for it. */
	config->on_crash = LIFECYCLE_DESTROY;
	ck_assert_int_eq(crash_dump_prepare(config, NULL), 0);
}
END_TEST

START_TEST(without_an_option_it_is_the_users_own)
{
	g_autofree char *its = crash_dump_folder(config);

	if (!geteuid())
		ck_assert_str_eq(its, "/var/lib/kvmbus/dump");
	else
		ck_assert(g_str_has_suffix(its, "/kvmbus/dump"));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vm/dump/crash_dump");
	TCase *t = tcase_create("crash_dump");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, only_of_a_crash_that_wants_it);
	tcase_add_test(t, named_as_libvirt_names_them);
	tcase_add_test(t, the_folder_is_made_for_the_owner);
	tcase_add_test(t, what_cannot_be_is_refused_at_the_start);
	tcase_add_test(t, without_an_option_it_is_the_users_own);
	suite_add_tcase(s, t);
	return check_main(s);
}
