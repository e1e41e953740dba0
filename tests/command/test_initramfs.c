/* SPDX-License-Identifier: MIT */
#include "command/initramfs.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command/agent_wire.h"
#include "support/check_main.h"
#include "support/module_file.h"

static const char *const argv[] = {"sh", "-c", "exit 7", NULL};
static char *folder, *modules;

static void set_up(void)
{
	folder = test_folder();
	modules = g_build_filename(folder, "modules", NULL);
	put_module(modules, "kernel/hv_vmbus.ko", "", NULL);
	put_module(modules, "kernel/hv_netvsc.ko", "hv_vmbus", NULL);
	put_module(modules, "kernel/nvme.ko", "", NULL);
}

static void tear_down(void)
{
	remove_tree(folder);
	g_free(modules);
	g_free(folder);
}

struct entry {
	char *name;
	unsigned long mode;
	char *data;
	size_t len;
};

/* What is in a cpio archive, by name. */
static GHashTable *unpack(int fd)
{
	GHashTable *all = g_hash_table_new(g_str_hash, g_str_equal);
	off_t end = lseek(fd, 0, SEEK_END);
	char *text = g_malloc((gsize)end);
	size_t at = 0;

	ck_assert_int_eq(pread(fd, text, (size_t)end, 0), end);
	for (;;) {
		struct entry *e = g_new0(struct entry, 1);
		unsigned long n[13], name_len;

		for (unsigned int i = 0; i < G_N_ELEMENTS(n); i++) {
			char digits[9] = {0};

			memcpy(digits, text + at + 6 + i * 8, 8);
			n[i] = strtoul(digits, NULL, 16);
		}
		name_len = n[11];
		e->name = text + at + 110;
		e->mode = n[1];
		e->data = text + at + ((110 + name_len + 3) & ~3ul);
		e->len = n[6];
		at = (size_t)(e->data - text) + ((e->len + 3) & ~3ul);
		if (!strcmp(e->name, "TRAILER!!!")) {
			g_free(e);
			return all;
		}
		ck_assert_msg(!g_hash_table_contains(all, e->name), "%s twice",
			      e->name);
		g_hash_table_insert(all, e->name, e);
	}
}

static GHashTable *made(const struct initramfs_params *params)
{
	int fd = memfd_create("initramfs", MFD_CLOEXEC);
	GError *error = NULL;
	GHashTable *all;

	ck_assert_msg(!initramfs_write(fd, params, &error), "%s",
		      error ? error->message : "");
	all = unpack(fd);
	close(fd);
	return all;
}

static const struct entry *entry(GHashTable *all, const char *name)
{
	const struct entry *e = g_hash_table_lookup(all, name);

	ck_assert_msg(e != NULL, "no %s", name);
	return e;
}

static void holds(GHashTable *all, const char *name, const char *text)
{
	const struct entry *e = entry(all, name);
	g_autofree char *got = g_strndup(e->data, e->len);

	ck_assert_str_eq(got, text);
}

START_TEST(the_command_and_who_starts_it)
{
	const struct initramfs_params p = {
		.busybox = "/bin/true",
		.argv = argv,
		.hvsock = true,
		.nics = 1,
		.disks = 2,
	};
	GHashTable *all = made(&p);
	const struct entry *e = entry(all, "init");

	ck_assert_uint_eq(e->mode, S_IFREG | 0755);
	ck_assert_int_eq(memcmp(e->data, "\177ELF", 4), 0);
	e = entry(all, AGENT_ARGV);
	ck_assert_uint_eq(e->len, 13);
	ck_assert_int_eq(memcmp(e->data, "sh\0-c\0exit 7", 13), 0);
	holds(all, AGENT_CONFIG,
	      "hvsock=1\nnics=1\ndisks=2\nroot=0\ninstall=1\n");
	ck_assert_uint_eq(entry(all, AGENT_BUSYBOX)->mode, S_IFREG | 0755);
	ck_assert_uint_eq(entry(all, AGENT_DHCP)->mode, S_IFREG | 0755);
	ck_assert_uint_eq(entry(all, "dev/console")->mode, S_IFCHR | 0600);
	ck_assert_uint_eq(entry(all, "sbin")->mode, S_IFDIR | 0755);
	ck_assert(!g_hash_table_contains(all, AGENT_MODULES));
}
END_TEST

START_TEST(modules_in_their_order)
{
	static const char *const net[] = {"hv_netvsc", NULL};
	static const char *const vmbus[] = {"hv-vmbus", NULL};
	static const char *const more[] = {"+nvme", "+nobody?", NULL};
	static const char *const others[] = {"nvme", NULL};
	static const struct {
		const char *const *modules, *const *without;
		const char *list;
	} cases[] = {
		{NULL, NULL,
		 "/lib/modules/6.1/kernel/hv_vmbus.ko\n"
		 "/lib/modules/6.1/kernel/hv_netvsc.ko\n"},
		{NULL, net, "/lib/modules/6.1/kernel/hv_vmbus.ko\n"},
		{NULL, vmbus, "/lib/modules/6.1/kernel/hv_netvsc.ko\n"},
		{more, NULL,
		 "/lib/modules/6.1/kernel/hv_vmbus.ko\n"
		 "/lib/modules/6.1/kernel/hv_netvsc.ko\n"
		 "/lib/modules/6.1/kernel/nvme.ko\n"},
		{others, NULL, "/lib/modules/6.1/kernel/nvme.ko\n"},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		const struct initramfs_params p = {
			.modules_dir = modules,
			.release = "6.1",
			.argv = argv,
			.modules = cases[i].modules,
			.without = cases[i].without,
		};
		GHashTable *all = made(&p);

		holds(all, AGENT_MODULES, cases[i].list);
		if (!i)
			holds(all, "lib/modules/6.1/modules.dep",
			      "kernel/hv_vmbus.ko:\n"
			      "kernel/hv_netvsc.ko: kernel/hv_vmbus.ko\n");
	}
}
END_TEST

START_TEST(a_folder_is_the_root)
{
	g_autofree char *root = g_build_filename(folder, "root", NULL);
	g_autofree char *lib = g_build_filename(root, "lib", NULL);
	g_autofree char *tool = g_build_filename(root, "usr/bin/tool", NULL);
	const struct initramfs_params p = {
		.modules_dir = modules,
		.release = "6.1",
		.argv = argv,
		.rootfs = root,
	};
	GHashTable *all;

	put_file(root, "usr/bin/tool", "tool", 4);
	put_file(root, "usr/lib/libc.so", "libc", 4);
	put_file(root, "init", "another", 7);
	put_file(root, "proc/1/stat", "no", 2);
	put_file(root, "dev/null", "no", 2);
	ck_assert_int_eq(chmod(tool, 04755), 0);
	ck_assert_int_eq(symlink("usr/lib", lib), 0);
	all = made(&p);
	holds(all, "usr/bin/tool", "tool");
	ck_assert_uint_eq(entry(all, "usr/bin/tool")->mode, S_IFREG | 04755);
	/* It stays a link, so its programs find their libraries. */
	holds(all, "lib", "usr/lib");
	holds(all, AGENT_MODULES,
	      "/usr/lib/modules/6.1/kernel/hv_vmbus.ko\n"
	      "/usr/lib/modules/6.1/kernel/hv_netvsc.ko\n");
	/* ours */
	ck_assert_int_eq(memcmp(entry(all, "init")->data, "\177ELF", 4), 0);
	/* what is mounted over */
	ck_assert_uint_eq(entry(all, "proc")->mode & S_IFMT, S_IFDIR);
	ck_assert(!g_hash_table_contains(all, "proc/1"));
	ck_assert(!g_hash_table_contains(all, "dev/null"));
}
END_TEST

START_TEST(what_is_wrong_is_said)
{
	static const char *const nobody[] = {"nobody", NULL};
	const struct initramfs_params cases[] = {
		{.argv = argv, .rootfs = "/nonexistent"},
		{.argv = argv, .busybox = "/nonexistent"},
		{.argv = argv, .modules_dir = modules, .modules = nobody},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		int fd = memfd_create("initramfs", MFD_CLOEXEC);
		GError *error = NULL;

		ck_assert_int_eq(initramfs_write(fd, &cases[i], &error), -1);
		ck_assert_ptr_nonnull(error);
		g_error_free(error);
		close(fd);
	}
}
END_TEST

START_TEST(the_same_gives_the_same)
{
	const struct initramfs_params p = {
		.modules_dir = modules, .release = "6.1", .argv = argv};
	char *text[2];
	off_t len[2];

	for (int i = 0; i < 2; i++) {
		int fd = memfd_create("initramfs", MFD_CLOEXEC);

		ck_assert_int_eq(initramfs_write(fd, &p, NULL), 0);
		len[i] = lseek(fd, 0, SEEK_END);
		text[i] = g_malloc((gsize)len[i]);
		ck_assert_int_eq(pread(fd, text[i], (size_t)len[i], 0), len[i]);
		close(fd);
	}
	ck_assert_int_eq(len[0], len[1]);
	ck_assert_int_eq(memcmp(text[0], text[1], (size_t)len[0]), 0);
	g_free(text[0]);
	g_free(text[1]);
}
END_TEST

START_TEST(static_programs)
{
	put_file(folder, "script", "#!/bin/sh\n", 10);
	ck_assert(!initramfs_is_static("/nonexistent"));
	ck_assert(!initramfs_is_static("/proc/self/exe"));
	ck_assert(!initramfs_is_static(folder));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("initramfs");
	TCase *t = tcase_create("initramfs");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, the_command_and_who_starts_it);
	tcase_add_test(t, modules_in_their_order);
	tcase_add_test(t, a_folder_is_the_root);
	tcase_add_test(t, what_is_wrong_is_said);
	tcase_add_test(t, the_same_gives_the_same);
	tcase_add_test(t, static_programs);
	suite_add_tcase(s, t);
	return check_main(s);
}
