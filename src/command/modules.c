/* SPDX-License-Identifier: MIT */
#include "command/modules.h"

#include <elf.h>
#include <string.h>
#include <sys/stat.h>

#include "command/newc.h"
#include "command/unpack.h"

/* Files looked at below a folder, and how deep. */
#define FILES_MAX        400000
#define DEPTH_MAX        16
/* Debian's largest, with debugging information, has 60 MiB. */
#define MODULE_BYTES_MAX (256ull << 20)
/* Modules that need each other in a circle end here, too. */
#define NEEDS_DEPTH_MAX  32

enum state {
	UNKNOWN,
	WANTED, /* loaded before whoever asks again */
	LEFT_OUT,
	BUILT_IN,
};

struct modules {
	char *dir;
	GHashTable *files; /* name to path below dir */
	GHashTable *states; /* name to enum state */
	GPtrArray *order; /* struct module */
	unsigned int n_seen;
};

static void module_free(void *module)
{
	struct module *m = module;

	g_free(m->name);
	g_free(m->path);
	g_strfreev(m->depends);
	g_bytes_unref(m->image);
	g_free(m);
}

/* Where ".ko" begins, also in "x.ko.xz"; NULL: no module. */
static char *find_ending(char *file)
{
	char *ko = g_strrstr(file, ".ko");

	if (!ko || (ko[3] && ko[3] != '.') || (ko[3] && strchr(ko + 4, '.')))
		return NULL;
	/* .ko.cmd and the like of a build tree */
	if (ko[3] && strcmp(ko + 3, ".xz") && strcmp(ko + 3, ".zst") &&
	    strcmp(ko + 3, ".gz"))
		return NULL;
	return ko;
}

/* "kernel/fs/nls-x.ko.xz" to "nls_x"; owned; NULL: no module. */
static char *name_of(const char *path)
{
	g_autofree char *file = g_path_get_basename(path);
	char *ko = find_ending(file);

	if (!ko || ko == file)
		return NULL;
	*ko = '\0';
	return g_strdup(g_strdelimit(file, "-", '_'));
}

static char *plain(const char *name)
{
	return g_strdelimit(g_strdup(name), "-", '_');
}

static enum state state_of(const struct modules *m, const char *name)
{
	return (enum state)GPOINTER_TO_UINT(
		g_hash_table_lookup(m->states, name));
}

static void set_state(struct modules *m, const char *name, enum state state)
{
	g_hash_table_insert(m->states, g_strdup(name), GUINT_TO_POINTER(state));
}

/* NOLINTBEGIN(misc-no-recursion): to DEPTH_MAX */
static void walk(struct modules *m, const char *below, unsigned int depth)
{
	g_autofree char *path = g_build_filename(m->dir, below, NULL);
	GDir *dir = g_dir_open(path, 0, NULL);
	const char *entry;

	while (dir && m->n_seen < FILES_MAX &&
	       (entry = g_dir_read_name(dir)) != NULL) {
		g_autofree char *sub =
			*below ? g_strconcat(below, "/", entry, NULL)
			       : g_strdup(entry);
		g_autofree char *full = g_build_filename(m->dir, sub, NULL);
		char *name;
		struct stat st;

		m->n_seen++;
		if (lstat(full, &st))
			continue;
		if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX)
			walk(m, sub, depth + 1);
		if (!S_ISREG(st.st_mode))
			continue;
		name = name_of(entry);
		if (name && !g_hash_table_contains(m->files, name))
			g_hash_table_insert(m->files, name,
					    g_steal_pointer(&sub));
		else
			g_free(name);
	}
	if (dir)
		g_dir_close(dir);
}
/* NOLINTEND(misc-no-recursion): to DEPTH_MAX */

static void read_builtin(struct modules *m)
{
	g_autofree char *path =
		g_build_filename(m->dir, "modules.builtin", NULL);
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;

	if (!g_file_get_contents(path, &text, NULL, NULL))
		return;
	lines = g_strsplit(text, "\n", -1);
	for (char **l = lines; *l; l++) {
		g_autofree char *name = name_of(g_strstrip(*l));

		if (name)
			set_state(m, name, BUILT_IN);
	}
}

struct modules *modules_new(const char *dir, GError **error)
{
	struct modules *m = g_new0(struct modules, 1);

	m->dir = g_strdup(dir);
	m->files =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	m->states =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	m->order = g_ptr_array_new_with_free_func(module_free);
	read_builtin(m);
	walk(m, "", 0);
	if (m->n_seen < FILES_MAX)
		return m;
	g_set_error(error, GUEST_ERROR, 0,
		    "%s has too many files for a folder of modules", dir);
	modules_free(m);
	return NULL;
}

void modules_free(struct modules *m)
{
	if (!m)
		return;
	g_ptr_array_free(m->order, TRUE);
	g_hash_table_unref(m->states);
	g_hash_table_unref(m->files);
	g_free(m->dir);
	g_free(m);
}

unsigned int modules_count(const struct modules *m)
{
	return g_hash_table_size(m->files);
}

void modules_leave_out(struct modules *m, const char *name)
{
	g_autofree char *key = plain(name);

	set_state(m, key, LEFT_OUT);
}

/* NOLINTBEGIN(misc-no-recursion): to NEEDS_DEPTH_MAX */
static int want(struct modules *m, const char *name, unsigned int depth,
		GError **error);

/* Those of a softdep are as good as needed, as far as there are any. */
static int want_soft(struct modules *m, GBytes *image, unsigned int depth,
		     GError **error)
{
	g_auto(GStrv) lines = modinfo(image, "softdep");

	for (char **l = lines; *l; l++) {
		g_auto(GStrv) words = g_strsplit_set(*l, " \t", -1);
		bool before = false;

		for (char **w = words; *w; w++) {
			g_autofree char *key = plain(*w);
			/* crypto-crc32c is what crc32c_generic is, for one */
			const char *bare = g_str_has_prefix(key, "crypto_")
						   ? key + 7
						   : key;
			g_autofree char *generic =
				g_strconcat(bare, "_generic", NULL);
			const char *found =
				g_hash_table_contains(m->files, bare) ? bare
								      : generic;

			if (g_str_has_suffix(*w, ":"))
				before = !strcmp(*w, "pre:");
			else if (before &&
				 g_hash_table_contains(m->files, found) &&
				 want(m, found, depth, error))
				return -1;
		}
	}
	return 0;
}

static struct module *load(const struct modules *m, const char *name,
			   GError **error)
{
	const char *file = g_hash_table_lookup(m->files, name);
	g_autofree char *path = g_build_filename(m->dir, file, NULL);
	GBytes *image = unpack_file(path, MODULE_BYTES_MAX, error);
	g_auto(GStrv) depends = NULL;
	struct module *module;
	char *ko;

	if (!image)
		return NULL;
	depends = modinfo(image, "depends");
	module = g_new0(struct module, 1);
	module->name = g_strdup(name);
	module->path = g_strdup(file);
	ko = find_ending(module->path);
	if (ko)
		ko[3] = '\0';
	module->depends = depends[0] ? g_strsplit(depends[0], ",", -1)
				     : g_new0(char *, 1);
	module->image = image;
	for (char **d = module->depends; *d; d++)
		g_strdelimit(*d, "-", '_');
	return module;
}

static int want(struct modules *m, const char *name, unsigned int depth,
		GError **error)
{
	struct module *module;

	if (!*name || state_of(m, name) != UNKNOWN)
		return 0;
	if (!g_hash_table_contains(m->files, name) || depth > NEEDS_DEPTH_MAX) {
		g_set_error(error, GUEST_ERROR, 0,
			    "this kernel has no module %s (%s)", name, m->dir);
		return -1;
	}
	set_state(m, name, WANTED);
	module = load(m, name, error);
	if (!module)
		return -1;
	if (want_soft(m, module->image, depth + 1, error)) {
		module_free(module);
		return -1;
	}
	for (char **d = module->depends; *d; d++) {
		if (want(m, *d, depth + 1, error)) {
			module_free(module);
			return -1;
		}
	}
	g_ptr_array_add(m->order, module);
	return 0;
}
/* NOLINTEND(misc-no-recursion): to NEEDS_DEPTH_MAX */

int modules_want(struct modules *m, const char *name, bool optional,
		 GError **error)
{
	g_autofree char *key = plain(name);

	if (optional && state_of(m, key) == UNKNOWN &&
	    !g_hash_table_contains(m->files, key))
		return 0;
	return want(m, key, 0, error);
}

const GPtrArray *modules_order(const struct modules *m)
{
	return m->order;
}

/* NOLINTBEGIN(misc-no-recursion): to NEEDS_DEPTH_MAX */
/* All that @module needs, the first needed last, as modprobe reads it. */
static void add_needs(const struct modules *m, const struct module *module,
		      GPtrArray *needs, unsigned int depth)
{
	for (guint i = m->order->len; depth < NEEDS_DEPTH_MAX && i > 0; i--) {
		const struct module *other = g_ptr_array_index(m->order, i - 1);

		if (!g_strv_contains((const char *const *)module->depends,
				     other->name))
			continue;
		g_ptr_array_remove(needs, other->path);
		g_ptr_array_add(needs, other->path);
		add_needs(m, other, needs, depth + 1);
	}
}
/* NOLINTEND(misc-no-recursion): to NEEDS_DEPTH_MAX */

char *modules_dep(const struct modules *m)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < m->order->len; i++) {
		const struct module *module = g_ptr_array_index(m->order, i);
		GPtrArray *needs = g_ptr_array_new();

		add_needs(m, module, needs, 0);
		g_string_append_printf(text, "%s:", module->path);
		for (guint n = 0; n < needs->len; n++)
			g_string_append_printf(
				text, " %s",
				(const char *)g_ptr_array_index(needs, n));
		g_string_append_c(text, '\n');
		g_ptr_array_free(needs, TRUE);
	}
	return g_string_free(text, FALSE);
}

/* --- .modinfo -------------------------------------------------------------- */

/* Bytes @at to @at + @len of @image, if it has them. */
static const uint8_t *bytes_at(GBytes *image, uint64_t at, uint64_t len)
{
	gsize size;
	const uint8_t *data = g_bytes_get_data(image, &size);

	return at <= size && len <= size - at ? data + at : NULL;
}

static bool section_at(GBytes *image, const Elf64_Ehdr *header,
		       unsigned int index, Elf64_Shdr *out)
{
	const uint8_t *at = NULL;

	if (index < header->e_shnum &&
	    header->e_shoff <= UINT64_MAX - (uint64_t)index * sizeof(*out))
		at = bytes_at(image,
			      header->e_shoff + (uint64_t)index * sizeof(*out),
			      sizeof(*out));
	if (at)
		memcpy(out, at, sizeof(*out));
	return at != NULL;
}

/* Return: the section .modinfo, @len bytes; NULL: there is none. */
static const char *find_modinfo(GBytes *image, size_t *len)
{
	static const char wanted[] = ".modinfo";
	const uint8_t *start = bytes_at(image, 0, sizeof(Elf64_Ehdr));
	Elf64_Ehdr header;
	Elf64_Shdr names, s;

	if (!start || memcmp(start, ELFMAG, SELFMAG) != 0 ||
	    start[EI_CLASS] != ELFCLASS64)
		return NULL;
	memcpy(&header, start, sizeof(header));
	if (header.e_shentsize != sizeof(s) ||
	    !section_at(image, &header, header.e_shstrndx, &names))
		return NULL;
	for (unsigned int i = 0; section_at(image, &header, i, &s); i++) {
		const uint8_t *name;

		if (names.sh_offset > UINT64_MAX - s.sh_name)
			continue;
		name = bytes_at(image, names.sh_offset + s.sh_name,
				sizeof(wanted));
		if (!name || memcmp(name, wanted, sizeof(wanted)) != 0)
			continue;
		*len = s.sh_size;
		return (const char *)bytes_at(image, s.sh_offset, s.sh_size);
	}
	return NULL;
}

GStrv modinfo(GBytes *image, const char *key)
{
	GPtrArray *values = g_ptr_array_new();
	size_t len = 0, key_len = strlen(key);
	const char *info = find_modinfo(image, &len);

	for (const char *p = info; info && p < info + len;) {
		size_t left = len - (size_t)(p - info), n = strnlen(p, left);

		if (n > key_len && !memcmp(p, key, key_len) &&
		    p[key_len] == '=')
			g_ptr_array_add(values, g_strndup(p + key_len + 1,
							  n - key_len - 1));
		p += n < left ? n + 1 : n;
	}
	g_ptr_array_add(values, NULL);
	return (GStrv)g_ptr_array_free(values, FALSE);
}
