/* SPDX-License-Identifier: MIT */
/*
 * module_file.h - files of a kernel for tests: modules that say what they
 * need, folders of them, and packages.
 */
#ifndef SUPPORT_MODULE_FILE_H
#define SUPPORT_MODULE_FILE_H

#include <elf.h>
#include <string.h>

#include <check.h>
#include <glib.h>
#include <glib/gstdio.h>

/** test_folder() - a new folder below /tmp; owned */
static inline char *test_folder(void)
{
	char *path = g_dir_make_tmp("kvmbus-test-XXXXXX", NULL);

	ck_assert_ptr_nonnull(path);
	return path;
}

/* NOLINTBEGIN(misc-no-recursion): as deep as a test made it */
/** remove_tree() - all of @path, with links that lead elsewhere left alone */
static inline void remove_tree(const char *path)
{
	GDir *dir = g_file_test(path, G_FILE_TEST_IS_SYMLINK)
			    ? NULL
			    : g_dir_open(path, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir)) != NULL) {
		g_autofree char *sub = g_build_filename(path, name, NULL);

		remove_tree(sub);
	}
	if (dir)
		g_dir_close(dir);
	g_remove(path);
}
/* NOLINTEND(misc-no-recursion): as deep as a test made it */

/** put_file() - a file below a folder, which is made if need be */
static inline void put_file(const char *folder, const char *name,
			    const void *data, size_t len)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);
	g_autofree char *parent = g_path_get_dirname(path);

	ck_assert_int_eq(g_mkdir_with_parents(parent, 0755), 0);
	ck_assert(g_file_set_contents(path, data, (gssize)len, NULL));
}

/**
 * module_image() - an ELF file with a section .modinfo, and nothing else
 * @info: with the NULs between its strings
 */
static inline GBytes *module_image(const char *info, size_t len)
{
	static const char names[] = "\0.modinfo\0.shstrtab";
	GByteArray *all = g_byte_array_new();
	Elf64_Ehdr header = {
		.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
			    ELFDATA2LSB, EV_CURRENT},
		.e_type = ET_REL,
		.e_machine = EM_X86_64,
		.e_shentsize = sizeof(Elf64_Shdr),
		.e_shnum = 3,
		.e_shstrndx = 2,
	};
	Elf64_Shdr sections[3] = {0};

	sections[1].sh_name = 1;
	sections[1].sh_offset = sizeof(header);
	sections[1].sh_size = len;
	sections[2].sh_name = 10;
	sections[2].sh_offset = sizeof(header) + len;
	sections[2].sh_size = sizeof(names);
	header.e_shoff = sizeof(header) + len + sizeof(names);
	g_byte_array_append(all, (const guint8 *)&header, sizeof(header));
	g_byte_array_append(all, (const guint8 *)info, (guint)len);
	g_byte_array_append(all, (const guint8 *)names, sizeof(names));
	g_byte_array_append(all, (const guint8 *)sections, sizeof(sections));
	return g_byte_array_free_to_bytes(all);
}

/** put_module() - a module that needs @depends ("a,b") below a folder */
static inline void put_module(const char *folder, const char *path,
			      const char *depends, const char *softdep)
{
	g_autoptr(GString) info = g_string_new("license=GPL");
	GBytes *image;
	gsize len;
	const void *data;

	g_string_append_c(info, '\0');
	g_string_append_printf(info, "depends=%s", depends);
	g_string_append_c(info, '\0');
	if (softdep) {
		g_string_append_printf(info, "softdep=%s", softdep);
		g_string_append_c(info, '\0');
	}
	image = module_image(info->str, info->len);
	data = g_bytes_get_data(image, &len);
	put_file(folder, path, data, len);
	g_bytes_unref(image);
}

/** put_bzimage() - a file that says it is this release, and no more */
static inline void put_bzimage(const char *folder, const char *name,
			       const char *release)
{
	char image[0x800] = {0};

	memcpy(image + 0x202, "HdrS", 4);
	image[0x20F] = 0x04; /* the string is at 0x600 */
	g_snprintf(image + 0x600, 0x200, "%s (nobody@nowhere) #1", release);
	put_file(folder, name, image, sizeof(image));
}

#endif
