/* SPDX-License-Identifier: MIT */
#include "command/session.h"

#include <string.h>
#include <unistd.h>

#include "command/command.h"
#include "config/disk_config.h"
#include "config/machine_config.h"
#include "report/report.h"
#include "support/check_main.h"
#include "support/module_file.h"

START_TEST(what_comes_of_it)
{
	static const struct command_result seven = {
		.connected = true, .exited = true, .status = 7};
	static const struct command_result good = {.connected = true,
						   .exited = true};
	static const struct command_result killed = {
		.connected = true, .exited = true, .status = 137, .signal = 9};
	static const struct command_result begun = {.connected = true};
	static const struct command_result never = {0};
	static const struct {
		enum outcome_kind was;
		int was_code;
		const struct command_result *result;
		enum outcome_kind kind;
		int code;
		const char *detail;
	} cases[] = {
		{OUTCOME_POWEROFF, 0, &seven, OUTCOME_COMMAND, 7,
		 "the command exited with 7"},
		{OUTCOME_POWEROFF, 0, &good, OUTCOME_COMMAND, 0,
		 "the command exited with 0"},
		{OUTCOME_POWEROFF, 0, &killed, OUTCOME_COMMAND, 137,
		 "the command was ended by signal 9"},
		/* A requirement outranks the status. */
		{OUTCOME_REQUIREMENT, EXIT_REQUIREMENT, &seven,
		 OUTCOME_REQUIREMENT, EXIT_REQUIREMENT,
		 "before; the command exited with 7"},
		{OUTCOME_POWEROFF, 0, &begun, OUTCOME_POWEROFF, EXIT_GUEST_DIED,
		 "the guest powered off before the command ended (before)"},
		{OUTCOME_REQUIREMENT, EXIT_REQUIREMENT, &never,
		 OUTCOME_REQUIREMENT, EXIT_GUEST_DIED,
		 "the guest powered off before the command was started "
		 "(before)"},
		{OUTCOME_PANIC, EXIT_PANIC, &begun, OUTCOME_PANIC,
		 EXIT_GUEST_DIED,
		 "the guest panicked before the command ended (before)"},
		{OUTCOME_TRIPLE_FAULT, EXIT_TRIPLE_FAULT, &never,
		 OUTCOME_TRIPLE_FAULT, EXIT_GUEST_DIED,
		 "the guest had a triple fault before the command was started "
		 "(before)"},
		{OUTCOME_RESET, EXIT_RESET, &begun, OUTCOME_RESET,
		 EXIT_GUEST_DIED,
		 "the guest rebooted before the command ended (before)"},
		/* It ended, and then the guest had a panic: that counts. */
		{OUTCOME_PANIC, EXIT_PANIC, &good, OUTCOME_PANIC, EXIT_PANIC,
		 "before; the command exited with 0"},
		/* not the guest's doing */
		{OUTCOME_TIMEOUT, EXIT_TIMEOUT, &begun, OUTCOME_TIMEOUT,
		 EXIT_TIMEOUT, "before"},
		{OUTCOME_SIGNAL, 130, &begun, OUTCOME_SIGNAL, 130, "before"},
		{OUTCOME_FAILED, EXIT_FAILED, &never, OUTCOME_FAILED,
		 EXIT_FAILED, "before"},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct outcome o = {
			.kind = cases[i].was,
			.exit_code = cases[i].was_code,
			.detail = g_strdup("before"),
		};

		session_judge(cases[i].result, &o);
		ck_assert_msg(o.kind == cases[i].kind, "%zu: %s", i,
			      outcome_name(o.kind));
		ck_assert_msg(o.exit_code == cases[i].code, "%zu: %d", i,
			      o.exit_code);
		ck_assert_str_eq(o.detail, cases[i].detail);
		outcome_clear(&o);
	}
}
END_TEST

static char *folder;

static void set_up(void)
{
	folder = test_folder();
	put_bzimage(folder, "k/vmlinuz", "6.1");
	put_module(folder, "k/lib/modules/6.1/hv_vmbus.ko", "", NULL);
	put_file(folder, "root/etc/hostname", "guest", 5);
	put_file(folder, "disk", "", 0);
}

static void tear_down(void)
{
	remove_tree(folder);
	g_free(folder);
}

static struct machine_config *config_for(const char *kernel, bool command)
{
	struct machine_config *c = machine_config_new();

	c->kernels = g_new0(char *, 2);
	c->kernels[0] = g_build_filename(folder, kernel, NULL);
	c->kernel = g_strdup(c->kernels[0]);
	if (command)
		c->command = g_strsplit("sh -c true", " ", -1);
	c->rootfs = command ? g_build_filename(folder, "root", NULL) : NULL;
	return c;
}

START_TEST(without_a_command_it_only_finds_the_kernel)
{
	struct machine_config *c = config_for("k", false);
	struct session *s = session_new(c, folder, true, NULL);
	g_autofree char *image = g_build_filename(folder, "k/vmlinuz", NULL);
	struct outcome o = {.kind = OUTCOME_POWEROFF};

	ck_assert_ptr_nonnull(s);
	ck_assert_str_eq(c->kernel, image);
	ck_assert_ptr_null(c->initrd);
	ck_assert_int_eq(c->com1_fd, CONFIG_FD_TERMINAL);
	ck_assert_int_eq(session_start(s, NULL, NULL, NULL), 0);
	ck_assert(!session_finish(s, &o));
	ck_assert_int_eq(o.kind, OUTCOME_POWEROFF);
	session_free(s);
	machine_config_free(c);
	/* A file is taken as it is, also one that is not there. */
	c = config_for("nothing", false);
	s = session_new(c, folder, true, NULL);
	ck_assert_ptr_nonnull(s);
	session_free(s);
	machine_config_free(c);
}
END_TEST

START_TEST(a_command_makes_its_machine)
{
	struct machine_config *c = config_for("k", true);
	struct session *s;
	struct outcome o = {.kind = OUTCOME_POWEROFF};

	c->cmdline = g_strdup("debug");
	s = session_new(c, folder, true, NULL);
	ck_assert_ptr_nonnull(s);
	ck_assert(g_str_has_prefix(c->initrd, "/proc/self/fd/"));
	ck_assert_int_eq(access(c->initrd, R_OK), 0);
	ck_assert_str_eq(c->cmdline, "console=ttyS0 panic=-1 loglevel=5 debug");
	ck_assert_ptr_nonnull(c->hvsock);
	ck_assert_int_eq(c->com1_fd, CONFIG_FD_NONE);
	ck_assert_int_ge(c->com2_fd, 0);
	ck_assert_int_eq(c->on_reboot, LIFECYCLE_DESTROY);
	ck_assert_int_eq(session_start(s, NULL, NULL, NULL), 0);
	ck_assert(session_finish(s, &o));
	ck_assert_int_eq(o.exit_code, EXIT_GUEST_DIED);
	ck_assert_str_eq(o.command->argv[2], "true");
	ck_assert_ptr_null(o.command->way);
	outcome_clear(&o);
	session_free(s);
	/* nothing stays behind */
	ck_assert(!g_file_test(c->hvsock, G_FILE_TEST_EXISTS));
	machine_config_free(c);
}
END_TEST

START_TEST(an_image_is_a_disk)
{
	struct machine_config *c = config_for("k", true);
	struct session *s;
	const struct disk_config *d;

	g_free(c->rootfs);
	c->rootfs = g_build_filename(folder, "disk,format=raw", NULL);
	c->verbose = true;
	c->on_reboot_given = true;
	s = session_new(c, folder, true, NULL);
	ck_assert_ptr_nonnull(s);
	ck_assert_uint_eq(c->disks->len, 1);
	d = g_ptr_array_index(c->disks, 0);
	ck_assert_str_eq(d->serial, "kvmbus-root");
	ck_assert(d->snapshot);
	ck_assert_str_eq(c->cmdline, "console=ttyS0 panic=-1");
	ck_assert_int_eq(c->com1_fd, STDERR_FILENO);
	ck_assert_int_eq(c->on_reboot, LIFECYCLE_RESTART);
	session_free(s);
	machine_config_free(c);
}
END_TEST

START_TEST(what_can_not_be)
{
	struct machine_config *c = config_for("k", true);
	GError *error = NULL;

	c->initrd = g_strdup("i");
	ck_assert_ptr_null(session_new(c, folder, true, &error));
	ck_assert_ptr_nonnull(strstr(error->message, "--initrd"));
	g_clear_error(&error);
	machine_config_free(c);
	c = config_for("nothing", true);
	ck_assert_ptr_null(session_new(c, folder, true, &error));
	ck_assert_ptr_nonnull(strstr(error->message, "--kernel"));
	g_clear_error(&error);
	machine_config_free(c);
	/* no modules to choose of */
	put_bzimage(folder, "alone/vmlinuz", "6.9-nowhere");
	c = config_for("alone", true);
	c->modules = g_strsplit("a", " ", -1);
	ck_assert_ptr_null(session_new(c, folder, true, &error));
	ck_assert_ptr_nonnull(strstr(error->message, "--modules"));
	g_clear_error(&error);
	machine_config_free(c);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("session");
	TCase *t = tcase_create("session");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, what_comes_of_it);
	tcase_add_test(t, without_a_command_it_only_finds_the_kernel);
	tcase_add_test(t, a_command_makes_its_machine);
	tcase_add_test(t, an_image_is_a_disk);
	tcase_add_test(t, what_can_not_be);
	suite_add_tcase(s, t);
	return check_main(s);
}
