/* SPDX-License-Identifier: MIT */
#include "command/kernel_source.h"

#include <string.h>
#include <unistd.h>

#include "command/newc.h"
#include "support/check_main.h"
#include "support/deb_file.h"
#include "support/module_file.h"

#define RELEASE "6.1.0-test"

static char *folder, *cache;

static void set_up(void)
{
	folder = test_folder();
	cache = g_build_filename(folder, "cache", NULL);
}

static void tear_down(void)
{
	remove_tree(folder);
	g_free(cache);
	g_free(folder);
}

static char *in_folder(const char *name)
{
	return g_build_filename(folder, name, NULL);
}

static struct kernel_source *find(const char *a, const char *b, GError **error)
{
	g_autofree char *first = in_folder(a);
	g_autofree char *second = b ? in_folder(b) : NULL;
	const char *const paths[] = {first, second, NULL};

	return kernel_source_find(paths, cache, error);
}

static void expect(const char *what, const char *image, const char *modules)
{
	GError *error = NULL;
	struct kernel_source *s = find(what, NULL, &error);
	g_autofree char *want_image = in_folder(image);
	g_autofree char *want_modules = modules ? in_folder(modules) : NULL;

	ck_assert_msg(s != NULL, "%s: %s", what, error ? error->message : "");
	ck_assert_str_eq(s->image, want_image);
	ck_assert_str_eq(s->release, RELEASE);
	ck_assert_msg(!g_strcmp0(s->modules, want_modules), "%s: %s", what,
		      s->modules);
	kernel_source_free(s);
}

START_TEST(files_and_folders)
{
	g_autofree char *top = in_folder("k");

	/* alone */
	put_bzimage(top, "one/bzImage", RELEASE);
	expect("k/one/bzImage", "k/one/bzImage", NULL);
	expect("k/one", "k/one/bzImage", NULL);
	/* as the lab keeps it */
	put_bzimage(top, "two/vmlinuz", RELEASE);
	put_module(top, "two/lib/modules/5.10.0/a.ko", "", NULL);
	put_module(top, "two/lib/modules/" RELEASE "/a.ko", "", NULL);
	expect("k/two", "k/two/vmlinuz", "k/two/lib/modules/" RELEASE);
	expect("k/two/vmlinuz", "k/two/vmlinuz", "k/two/lib/modules/" RELEASE);
	/* as a system has it; the newest by name */
	put_bzimage(top, "three/boot/vmlinuz-5.10.0", "5.10.0");
	put_bzimage(top, "three/boot/vmlinuz-" RELEASE, RELEASE);
	put_module(top, "three/usr/lib/modules/" RELEASE "/a.ko", "", NULL);
	expect("k/three", "k/three/boot/vmlinuz-" RELEASE,
	       "k/three/usr/lib/modules/" RELEASE);
	expect("k/three/boot/vmlinuz-" RELEASE, "k/three/boot/vmlinuz-" RELEASE,
	       "k/three/usr/lib/modules/" RELEASE);
	/* a build tree */
	put_bzimage(top, "four/arch/x86/boot/bzImage", RELEASE);
	put_file(top, "four/modules.order", "", 0);
	expect("k/four", "k/four/arch/x86/boot/bzImage", "k/four");
}
END_TEST

static void refused(const char *a, const char *b, const char *why)
{
	GError *error = NULL;
	struct kernel_source *s = find(a, b, &error);

	ck_assert_msg(!s, "%s", a);
	ck_assert(g_error_matches(error, GUEST_ERROR, 0));
	ck_assert_msg(strstr(error->message, why) != NULL, "%s: %s", a,
		      error->message);
	g_error_free(error);
}

static void put_package(const char *name, const char *const *files)
{
	g_autofree char *path = in_folder(name);
	struct tar_entry entries[4];
	size_t n = 0;

	for (; *files; files++)
		entries[n++] = (struct tar_entry){*files, '0', "x"};
	put_deb(path, entries, n);
}

START_TEST(packages_are_unpacked_once)
{
	static const char *const both[] = {"./boot/vmlinuz-6",
					   "./lib/modules/6/kernel/a.ko", NULL};
	struct kernel_source *s;
	g_autofree char *image = NULL;
	g_autofree char *mark = NULL;

	put_package("k.deb", both);
	s = find("k.deb", NULL, NULL);
	ck_assert_ptr_nonnull(s);
	ck_assert(g_str_has_prefix(s->image, cache));
	ck_assert(g_str_has_suffix(s->image, "/boot/vmlinuz-6"));
	ck_assert(g_str_has_suffix(s->modules, "/lib/modules/6"));
	ck_assert_str_eq(s->release, "6");
	image = g_strdup(s->image);
	kernel_source_free(s);
	/* What is there is used: it has what was put beside it since. */
	mark = g_strconcat(image, ".mark", NULL);
	ck_assert(g_file_set_contents(mark, "", 0, NULL));
	s = find("k.deb", NULL, NULL);
	ck_assert(g_file_test(mark, G_FILE_TEST_EXISTS));
	kernel_source_free(s);
}
END_TEST

START_TEST(packages_may_belong_together)
{
	static const char *const kernel[] = {"./boot/vmlinuz-7", NULL};
	static const char *const modules[] = {"./usr/lib/modules/7/a.ko", NULL};
	static const char *const nothing[] = {"./usr/share/doc/x", NULL};
	struct kernel_source *s;

	put_package("linux-binary.deb", kernel);
	put_package("linux-modules.deb", modules);
	put_package("linux-image.deb", nothing);
	refused("linux-binary.deb", NULL, "no modules in it");
	refused("linux-modules.deb", NULL, "no kernel in it");
	refused("linux-image.deb", NULL, "neither a kernel nor modules");
	s = find("linux-binary.deb", "linux-modules.deb", NULL);
	ck_assert_ptr_nonnull(s);
	ck_assert(g_str_has_suffix(s->modules, "usr/lib/modules/7"));
	kernel_source_free(s);
}
END_TEST

START_TEST(what_is_missing_is_said)
{
	g_autofree char *empty = in_folder("empty");

	put_bzimage(folder, "bzImage", RELEASE);
	ck_assert_int_eq(g_mkdir(empty, 0755), 0);
	refused("nothing", NULL, "No such file");
	refused("nothing.deb", NULL, "No such file");
	refused("empty", NULL, "no kernel in this folder");
	refused("bzImage", "bzImage", "only packages");
	ck_assert(kernel_source_is_plain("/boot/vmlinuz"));
	ck_assert(!kernel_source_is_plain("linux-image.deb"));
	ck_assert(!kernel_source_is_plain(empty));
}
END_TEST

START_TEST(releases_that_are_no_names)
{
	static const char *const bad[] = {"../../etc", ".", "", "a/b"};
	g_autofree char *path = in_folder("bzImage");
	char image[0x300] = {0};

	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		put_bzimage(folder, "bzImage", bad[i]);
		ck_assert_ptr_null(kernel_release(path));
	}
	/* no header, cut, and a string that is not in it */
	put_file(folder, "bzImage", image, sizeof(image));
	ck_assert_ptr_null(kernel_release(path));
	memcpy(image + 0x202, "HdrS", 4);
	put_file(folder, "bzImage", image, 0x20F);
	ck_assert_ptr_null(kernel_release(path));
	image[0x20F] = 0x70;
	put_file(folder, "bzImage", image, sizeof(image));
	ck_assert_ptr_null(kernel_release(path));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("kernel_source");
	TCase *t = tcase_create("kernel_source");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, files_and_folders);
	tcase_add_test(t, packages_are_unpacked_once);
	tcase_add_test(t, packages_may_belong_together);
	tcase_add_test(t, what_is_missing_is_said);
	tcase_add_test(t, releases_that_are_no_names);
	suite_add_tcase(s, t);
	return check_main(s);
}
