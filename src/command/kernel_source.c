/* SPDX-License-Identifier: MIT */
#include "command/kernel_source.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "command/newc.h"
#include "command/unpack.h"

/* Of a bzImage: Linux Documentation/arch/x86/boot.rst */
#define SETUP_HEADER_AT   0x202
#define SETUP_VERSION_AT  0x20E
#define SETUP_STRINGS_AT  0x200
#define SETUP_BYTES       0x4000
#define SETUP_HEADER_NAME "HdrS"

#define DEB_ENDING ".deb"

static bool is_deb(const char *path)
{
	return g_str_has_suffix(path, DEB_ENDING);
}

static bool is_folder(const char *path)
{
	return g_file_test(path, G_FILE_TEST_IS_DIR);
}

bool kernel_source_is_plain(const char *path)
{
	return !is_deb(path) && !is_folder(path);
}

char *kernel_release(const char *image)
{
	char head[SETUP_BYTES + 1] = {0};
	FILE *file = fopen(image, "re");
	size_t n = file ? fread(head, 1, SETUP_BYTES, file) : 0;
	size_t at;

	if (file)
		fclose(file);
	if (n < SETUP_VERSION_AT + 2 ||
	    memcmp(head + SETUP_HEADER_AT, SETUP_HEADER_NAME, 4) != 0)
		return NULL;
	at = SETUP_STRINGS_AT +
	     ((uint8_t)head[SETUP_VERSION_AT] |
	      (size_t)(uint8_t)head[SETUP_VERSION_AT + 1] << 8);
	if (at >= n)
		return NULL;
	/* The release, a blank, and who built it. */
	head[at + strcspn(head + at, " ")] = '\0';
	return head[at] && !strchr(head + at, '/') && head[at] != '.'
		       ? g_strdup(head + at)
		       : NULL;
}

void kernel_source_free(struct kernel_source *s)
{
	if (!s)
		return;
	g_free(s->image);
	g_free(s->release);
	g_free(s->modules);
	g_free(s);
}

static int by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The entries of a folder that begin with @prefix, sorted. */
static GPtrArray *entries(const char *folder, const char *prefix)
{
	GPtrArray *all = g_ptr_array_new_with_free_func(g_free);
	GDir *dir = g_dir_open(folder, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir)) != NULL) {
		if (g_str_has_prefix(name, prefix))
			g_ptr_array_add(all, g_strdup(name));
	}
	if (dir)
		g_dir_close(dir);
	g_ptr_array_sort(all, by_name);
	return all;
}

/* The image of a folder; owned; NULL: it has none. */
static char *find_image(const char *folder)
{
	static const char *const places[] = {
		"vmlinuz",
		"bzImage",
		"arch/x86/boot/bzImage",
		"vmlinux",
	};
	g_autofree char *boot = g_build_filename(folder, "boot", NULL);
	const char *const folders[] = {boot, folder};

	for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
		g_autofree char *path =
			g_build_filename(folder, places[i], NULL);

		if (g_file_test(path, G_FILE_TEST_IS_REGULAR))
			return g_steal_pointer(&path);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(folders); i++) {
		GPtrArray *found = entries(folders[i], "vmlinuz-");
		char *path = found->len
				     ? g_build_filename(
					       folders[i],
					       (char *)g_ptr_array_index(
						       found, found->len - 1),
					       NULL)
				     : NULL;

		g_ptr_array_free(found, TRUE);
		if (path)
			return path;
	}
	return NULL;
}

/* The modules of a release below @folder; owned; NULL: it has none. */
static char *find_modules(const char *folder, const char *release)
{
	static const char *const places[] = {"lib/modules", "usr/lib/modules"};

	for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
		g_autofree char *all =
			g_build_filename(folder, places[i], NULL);
		GPtrArray *found = entries(all, release ? release : "");
		char *path = NULL;

		for (guint n = 0; n < found->len && !path; n++) {
			const char *name = g_ptr_array_index(found, n);

			if (!release || !strcmp(name, release))
				path = g_build_filename(all, name, NULL);
		}
		g_ptr_array_free(found, TRUE);
		if (path && is_folder(path))
			return path;
		g_free(path);
	}
	return NULL;
}

/* A file: its modules are beside it, or where this system has its own. */
static struct kernel_source *of_file(const char *path, GError **error)
{
	struct kernel_source *s;
	g_autofree char *folder = g_path_get_dirname(path);
	g_autofree char *above = g_path_get_dirname(folder);
	const char *const places[] = {folder, above, "/"};

	/* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): one is given */
	if (access(path, R_OK)) {
		g_set_error(error, GUEST_ERROR, 0, "--kernel %s: %s", path,
			    g_strerror(errno));
		return NULL;
	}
	s = g_new0(struct kernel_source, 1);
	s->image = g_strdup(path);
	s->release = kernel_release(path);
	for (size_t i = 0; s->release && i < G_N_ELEMENTS(places); i++) {
		if (!s->modules)
			s->modules = find_modules(places[i], s->release);
	}
	return s;
}

static struct kernel_source *of_folder(const char *folder, GError **error)
{
	struct kernel_source *s;
	g_autofree char *image = find_image(folder);
	g_autofree char *modules_order =
		g_build_filename(folder, "modules.order", NULL);

	if (!image) {
		g_set_error(error, GUEST_ERROR, 0,
			    "--kernel %s: no kernel in this folder (vmlinuz, "
			    "boot/vmlinuz-*, arch/x86/boot/bzImage)",
			    folder);
		return NULL;
	}
	s = g_new0(struct kernel_source, 1);
	s->image = g_steal_pointer(&image);
	s->release = kernel_release(s->image);
	s->modules = find_modules(folder, s->release);
	/* A build tree has them all over it. */
	if (!s->modules && g_file_test(modules_order, G_FILE_TEST_EXISTS))
		s->modules = g_strdup(folder);
	if (s->modules && !s->release)
		s->release = g_path_get_basename(s->modules);
	return s;
}

/* --- packages ---------------------------------------------------------------- */

/* A folder's name for what is in these packages. */
static char *cache_name(const char *const *debs, GError **error)
{
	GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
	g_autofree char *base = g_path_get_basename(debs[0]);
	char *name;

	for (const char *const *d = debs; *d; d++) {
		g_autofree char *full = g_canonicalize_filename(*d, NULL);
		g_autofree char *text = NULL;
		struct stat st;

		if (stat(*d, &st)) {
			g_set_error(error, GUEST_ERROR, 0, "--kernel %s: %s",
				    *d, g_strerror(errno));
			g_checksum_free(sum);
			return NULL;
		}
		text = g_strdup_printf(
			"%s\n%lld\n%lld.%09ld\n", full, (long long)st.st_size,
			(long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
		g_checksum_update(sum, (const guchar *)text, -1);
	}
	base[strlen(base) - strlen(DEB_ENDING)] = '\0';
	name = g_strdup_printf("%s-%.12s", base, g_checksum_get_string(sum));
	g_checksum_free(sum);
	return name;
}

/* NOLINTBEGIN(misc-no-recursion): as deep as we made it */
/* Everything below a folder of ours, which has no links. */
static void remove_all(const char *path)
{
	GDir *dir = g_dir_open(path, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir)) != NULL) {
		g_autofree char *sub = g_build_filename(path, name, NULL);

		if (g_remove(sub))
			remove_all(sub);
	}
	if (dir)
		g_dir_close(dir);
	g_rmdir(path);
}
/* NOLINTEND(misc-no-recursion): as deep as we made it */

/* Complete or not there: beside, and renamed. */
static int unpack_all(const char *const *debs, const char *to, GError **error)
{
	g_autofree char *made = g_strconcat(to, ".XXXXXX", NULL);
	int ret = 0;

	if (!g_mkdtemp_full(made, 0755)) {
		g_set_error(error, GUEST_ERROR, 0, "%s: %s", made,
			    g_strerror(errno));
		return -1;
	}
	for (const char *const *d = debs; *d && !ret; d++)
		ret = unpack_deb(*d, made, error);
	if (!ret && rename(made, to) && errno != EEXIST && errno != ENOTEMPTY) {
		g_set_error(error, GUEST_ERROR, 0, "%s: %s", to,
			    g_strerror(errno));
		ret = -1;
	}
	/* Also when somebody else was faster. */
	if (g_file_test(made, G_FILE_TEST_EXISTS))
		remove_all(made);
	return ret;
}

static struct kernel_source *of_debs(const char *const *debs, const char *cache,
				     GError **error)
{
	g_autofree char *folder =
		cache ? g_strdup(cache)
		      : g_build_filename(g_get_user_cache_dir(), "kvmbus",
					 "packages", NULL);
	g_autofree char *name = cache_name(debs, error);
	g_autofree char *to = NULL;
	g_autofree char *image = NULL;
	g_autofree char *modules = NULL;

	if (!name)
		return NULL;
	to = g_build_filename(folder, name, NULL);
	if (g_mkdir_with_parents(folder, 0755)) {
		g_set_error(error, GUEST_ERROR, 0, "%s: %s", folder,
			    g_strerror(errno));
		return NULL;
	}
	if (!is_folder(to) && unpack_all(debs, to, error))
		return NULL;
	image = find_image(to);
	modules = find_modules(to, NULL);
	if (image && modules)
		return of_folder(to, error);
	/* No use in keeping it. */
	remove_all(to);
	if (!image && !modules)
		g_set_error(error, GUEST_ERROR, 0,
			    "--kernel %s: neither a kernel nor modules in it; "
			    "it may only name the package that has them "
			    "('dpkg-deb -f %s Depends')",
			    debs[0], debs[0]);
	else
		g_set_error(error, GUEST_ERROR, 0,
			    "--kernel %s: %s; where a kernel comes in two "
			    "packages (linux-binary and linux-modules), give "
			    "both, each with --kernel",
			    debs[0],
			    image ? "no modules in it" : "no kernel in it");
	return NULL;
}

struct kernel_source *kernel_source_find(const char *const *paths,
					 const char *cache, GError **error)
{
	for (const char *const *p = paths; paths[1] && *p; p++) {
		if (is_deb(*p))
			continue;
		g_set_error(error, GUEST_ERROR, 0,
			    "--kernel %s: only packages (.deb) may be many",
			    *p);
		return NULL;
	}
	if (is_folder(paths[0]))
		return of_folder(paths[0], error);
	if (is_deb(paths[0]))
		return of_debs(paths, cache, error);
	return of_file(paths[0], error);
}
