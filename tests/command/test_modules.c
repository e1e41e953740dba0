/* SPDX-License-Identifier: MIT */
#include "command/modules.h"

#include <string.h>

#include "command/newc.h"
#include "support/check_main.h"
#include "support/module_file.h"

static char *folder;

static void set_up(void)
{
	folder = test_folder();
	put_module(folder, "kernel/hv/hv_vmbus.ko", "", NULL);
	put_module(folder, "kernel/scsi/scsi-common.ko", "", NULL);
	put_module(folder, "kernel/scsi/scsi_mod.ko", "scsi_common", NULL);
	put_module(folder, "kernel/scsi/scsi_transport_fc.ko", "scsi_mod",
		   NULL);
	put_module(folder, "kernel/scsi/hv_storvsc.ko",
		   "hv_vmbus,scsi_mod,scsi-transport-fc", NULL);
	put_module(folder, "kernel/ext4.ko", "", "pre: crypto-crc32c nobody");
	put_module(folder, "kernel/crc32c_generic.ko", "", NULL);
	put_module(folder, "kernel/a.ko", "b", NULL);
	put_module(folder, "kernel/b.ko", "a", NULL);
	put_module(folder, "kernel/lost.ko", "gone", NULL);
	put_file(folder, "kernel/x.ko.cmd", "", 0);
	put_file(folder, "modules.builtin", "kernel/drivers/hv/hid-hyperv.ko\n",
		 32);
}

static void tear_down(void)
{
	remove_tree(folder);
	g_free(folder);
}

static char *order(struct modules *m)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < modules_order(m)->len; i++) {
		const struct module *module =
			g_ptr_array_index(modules_order(m), i);

		g_string_append_printf(text, "%s%s", i ? " " : "",
				       module->name);
	}
	return g_string_free(text, FALSE);
}

START_TEST(each_comes_after_what_it_needs)
{
	static const struct {
		const char *names, *order;
	} cases[] = {
		{"hv_storvsc", "hv_vmbus scsi_common scsi_mod "
			       "scsi_transport_fc hv_storvsc"},
		/* as modprobe takes names; each once */
		{"hv-vmbus hv_storvsc hv_vmbus",
		 "hv_vmbus scsi_common scsi_mod scsi_transport_fc hv_storvsc"},
		{"hid_hyperv hv_vmbus", "hv_vmbus"}, /* built in */
		{"ext4", "crc32c_generic ext4"}, /* and nobody: no matter */
		{"a", "b a"}, /* a circle has an end */
		{"nobody?", ""},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct modules *m = modules_new(folder, NULL);
		g_auto(GStrv) names = g_strsplit(cases[i].names, " ", -1);
		g_autofree char *got = NULL;

		for (char **n = names; *n; n++) {
			bool optional = g_str_has_suffix(*n, "?");

			if (optional)
				(*n)[strlen(*n) - 1] = '\0';
			ck_assert_int_eq(modules_want(m, *n, optional, NULL),
					 0);
		}
		got = order(m);
		ck_assert_str_eq(got, cases[i].order);
		modules_free(m);
	}
}
END_TEST

START_TEST(what_is_missing_is_named)
{
	struct modules *m = modules_new(folder, NULL);
	GError *error = NULL;

	ck_assert_uint_eq(modules_count(m), 10);
	ck_assert_int_eq(modules_want(m, "nobody", false, &error), -1);
	ck_assert_ptr_nonnull(strstr(error->message, "no module nobody"));
	g_clear_error(&error);
	/* one that another needs */
	ck_assert_int_eq(modules_want(m, "lost", true, &error), -1);
	ck_assert_ptr_nonnull(strstr(error->message, "no module gone"));
	g_clear_error(&error);
	modules_free(m);
}
END_TEST

START_TEST(one_may_be_left_out)
{
	struct modules *m = modules_new(folder, NULL);
	g_autofree char *got = NULL;

	modules_leave_out(m, "scsi-mod");
	modules_leave_out(m, "never-heard-of");
	ck_assert_int_eq(modules_want(m, "hv_storvsc", false, NULL), 0);
	got = order(m);
	ck_assert_str_eq(got, "hv_vmbus scsi_transport_fc hv_storvsc");
	modules_free(m);
}
END_TEST

START_TEST(modprobe_can_read_what_they_need)
{
	struct modules *m = modules_new(folder, NULL);
	g_autofree char *dep = NULL;

	ck_assert_int_eq(modules_want(m, "scsi_transport_fc", false, NULL), 0);
	dep = modules_dep(m);
	ck_assert_str_eq(
		dep, "kernel/scsi/scsi-common.ko:\n"
		     "kernel/scsi/scsi_mod.ko: kernel/scsi/scsi-common.ko\n"
		     "kernel/scsi/scsi_transport_fc.ko: "
		     "kernel/scsi/scsi_mod.ko kernel/scsi/scsi-common.ko\n");
	modules_free(m);
}
END_TEST

START_TEST(broken_modules_need_nothing)
{
	static const char info[] = "depends=x,y\0alias=z";
	GBytes *good = module_image(info, sizeof(info));
	gsize len;
	const guint8 *data = g_bytes_get_data(good, &len);
	g_auto(GStrv) depends = modinfo(good, "depends");
	g_auto(GStrv) alias = modinfo(good, "alias");

	ck_assert_str_eq(depends[0], "x,y");
	ck_assert_str_eq(alias[0], "z");
	/* Cut anywhere, and with any of its bytes all ones. */
	for (gsize n = 0; n < len; n++) {
		g_autofree guint8 *bytes = g_memdup2(data, len);
		GBytes *cut = g_bytes_new(data, n), *odd;

		bytes[n] = 0xFF;
		odd = g_bytes_new(bytes, len);
		g_strfreev(modinfo(cut, "depends"));
		g_strfreev(modinfo(odd, "depends"));
		g_bytes_unref(cut);
		g_bytes_unref(odd);
	}
	g_bytes_unref(good);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("modules");
	TCase *t = tcase_create("modules");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, each_comes_after_what_it_needs);
	tcase_add_test(t, what_is_missing_is_named);
	tcase_add_test(t, one_may_be_left_out);
	tcase_add_test(t, modprobe_can_read_what_they_need);
	tcase_add_test(t, broken_modules_need_nothing);
	suite_add_tcase(s, t);
	return check_main(s);
}
