/* SPDX-License-Identifier: MIT */
#include "command/initramfs.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "command/agent_image.h"
#include "command/agent_wire.h"
#include "command/modules.h"
#include "command/newc.h"
#include "command/unpack.h"

/* All of it is in the guest's memory, twice while it is unpacked. */
#define INITRAMFS_BYTES_MAX (4ull << 30)
#define FILE_BYTES_MAX      (2ull << 30)
#define DEPTH_MAX           64

/* What a guest on Hyper-V uses, as far as its kernel has it. */
static const char *const usual_modules[] = {
	"hv_vmbus?",   "hv_utils?",    "hv_storvsc?", "sd_mod?",
	"sr_mod?",     "hv_netvsc?",   "hv_balloon?", "hyperv_keyboard?",
	"hid_hyperv?", "hid_generic?", "hv_sock?",    "af_packet?",
	NULL,
};

/* What the disk of --rootfs may want. */
static const char *const disk_modules[] = {
	"ext4?", "xfs?", "btrfs?", "erofs?", "squashfs?", "isofs?", NULL,
};

/* What udhcpc calls: the address, the way out, the name server. */
static const char dhcp_script[] =
	"#!/" AGENT_BUSYBOX " sh\n"
	"b=/" AGENT_BUSYBOX "\n"
	"case $1 in\n"
	"bound | renew)\n"
	"	$b ip addr add \"$ip/${mask:-24}\" dev \"$interface\"\n"
	"	for r in $router; do\n"
	"		$b ip route add default via \"$r\" dev \"$interface\"\n"
	"		break\n"
	"	done\n"
	"	$b mkdir -p /etc\n"
	"	for d in $dns; do\n"
	"		$b echo \"nameserver $d\"\n"
	"	done >/etc/resolv.conf\n"
	"	;;\n"
	"esac\n";

static int add_modules(struct newc *newc, const char *lib,
		       const struct initramfs_params *p, GError **error)
{
	struct modules *m = modules_new(p->modules_dir, error);
	/* "+name" is besides the usual ones, "name" instead of them. */
	bool usual = !p->modules || !p->modules[0] || *p->modules[0] == '+';
	const char *const *lists[] = {
		usual ? usual_modules : NULL,
		p->modules,
		p->root_disk ? disk_modules : NULL,
	};
	g_autofree char *dir = g_build_filename(
		lib, p->release ? p->release : "unknown", NULL);
	g_autofree char *dep = NULL;
	g_autofree char *dep_path = g_build_filename(dir, "modules.dep", NULL);
	g_autoptr(GString) list = g_string_new(NULL);
	int ret = m ? 0 : -1;

	for (const char *const *w = p->without; m && w && *w; w++)
		modules_leave_out(m, *w);
	if (m && usual && !p->hvsock)
		modules_leave_out(m, "hv_sock");
	for (size_t i = 0; i < G_N_ELEMENTS(lists); i++) {
		for (const char *const *n = lists[i]; n && *n && !ret; n++) {
			bool optional = g_str_has_suffix(*n, "?");
			const char *bare = *n + (**n == '+');
			g_autofree char *name =
				g_strndup(bare, strlen(bare) - optional);

			ret = modules_want(m, name, optional, error);
		}
	}
	for (guint i = 0; !ret && i < modules_order(m)->len; i++) {
		const struct module *module =
			g_ptr_array_index(modules_order(m), i);
		g_autofree char *path =
			g_build_filename(dir, module->path, NULL);
		gsize len;
		const void *image = g_bytes_get_data(module->image, &len);

		g_string_append_printf(list, "/%s\n", path);
		ret = newc_file(newc, path, 0644, image, len, error);
	}
	if (!ret) {
		dep = modules_dep(m);
		ret = newc_file(newc, dep_path, 0644, dep, strlen(dep),
				error) ||
		      newc_file(newc, AGENT_MODULES, 0644, list->str, list->len,
				error);
	}
	modules_free(m);
	return ret ? -1 : 0;
}

static int add_host_file(struct newc *newc, const char *from, const char *to,
			 const struct newc_owner *owner, GError **error)
{
	g_autoptr(GError) why = NULL;
	g_autofree char *data = NULL;
	gsize len = 0;
	struct stat st;

	if (!stat(from, &st) && (uint64_t)st.st_size > FILE_BYTES_MAX) {
		g_set_error(error, GUEST_ERROR, 0,
			    "%s is too large for an initramfs", from);
		return -1;
	}
	if (!g_file_get_contents(from, &data, &len, &why)) {
		g_set_error(error, GUEST_ERROR, 0, "%s", why->message);
		return -1;
	}
	return newc_add(newc, to, owner, data, len, error);
}

static int add_link(struct newc *newc, const char *from, const char *to,
		    const struct newc_owner *owner, GError **error)
{
	g_autofree char *target = g_file_read_link(from, NULL);

	if (!target) {
		g_set_error(error, GUEST_ERROR, 0, "%s: %s", from,
			    g_strerror(errno));
		return -1;
	}
	return newc_add(newc, to, owner, target, strlen(target), error);
}

/* What the guest mounts over it is not needed. */
static bool is_mounted_over(const char *path)
{
	static const char *const places[] = {"dev", "proc", "sys", "run",
					     "tmp"};

	for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
		if (!strcmp(path, places[i]))
			return true;
	}
	return false;
}

static int by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorted, so that the same folder gives the same bytes. */
static GPtrArray *sorted_entries(const char *path, GError **error)
{
	GPtrArray *all = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GError) why = NULL;
	GDir *dir = g_dir_open(path, 0, &why);
	const char *name;

	if (!dir) {
		g_set_error(error, GUEST_ERROR, 0, "%s", why->message);
		g_ptr_array_free(all, TRUE);
		return NULL;
	}
	while ((name = g_dir_read_name(dir)) != NULL)
		g_ptr_array_add(all, g_strdup(name));
	g_dir_close(dir);
	g_ptr_array_sort(all, by_name);
	return all;
}

/* NOLINTBEGIN(misc-no-recursion): to DEPTH_MAX */
static int add_tree(struct newc *newc, const char *root, const char *below,
		    unsigned int depth, GError **error);

static int add_entry(struct newc *newc, const char *root, const char *path,
		     unsigned int depth, GError **error)
{
	g_autofree char *from = g_build_filename(root, path, NULL);
	struct newc_owner owner;
	struct stat st;

	if (lstat(from, &st)) {
		g_set_error(error, GUEST_ERROR, 0, "%s: %s", from,
			    g_strerror(errno));
		return -1;
	}
	owner = (struct newc_owner){
		.mode = st.st_mode,
		.uid = st.st_uid,
		.gid = st.st_gid,
		.major = major(st.st_rdev),
		.minor = minor(st.st_rdev),
	};
	if (S_ISREG(st.st_mode))
		return add_host_file(newc, from, path, &owner, error);
	if (S_ISLNK(st.st_mode))
		return add_link(newc, from, path, &owner, error);
	if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
		return newc_add(newc, path, &owner, NULL, 0, error);
	if (!S_ISDIR(st.st_mode))
		return 0;
	if (newc_add(newc, path, &owner, NULL, 0, error))
		return -1;
	if (is_mounted_over(path) || depth >= DEPTH_MAX)
		return 0;
	return add_tree(newc, root, path, depth + 1, error);
}

static int add_tree(struct newc *newc, const char *root, const char *below,
		    unsigned int depth, GError **error)
{
	g_autofree char *path = g_build_filename(root, below, NULL);
	GPtrArray *all = sorted_entries(path, error);
	int ret = all ? 0 : -1;

	for (guint i = 0; !ret && i < all->len; i++) {
		const char *name = g_ptr_array_index(all, i);
		g_autofree char *sub =
			*below ? g_strconcat(below, "/", name, NULL)
			       : g_strdup(name);

		ret = add_entry(newc, root, sub, depth, error);
	}
	if (all)
		g_ptr_array_free(all, TRUE);
	return ret;
}
/* NOLINTEND(misc-no-recursion): to DEPTH_MAX */

static int add_agent(struct newc *newc, const struct initramfs_params *p,
		     GError **error)
{
	const struct newc_owner console = {
		.mode = S_IFCHR | 0600,
		.major = 5,
		.minor = 1,
	};
	const struct newc_owner program = {.mode = S_IFREG | 0755};
	g_autofree char *config = g_strdup_printf(
		AGENT_KEY_HVSOCK "=%d\n" AGENT_KEY_NICS "=%u\n" AGENT_KEY_DISKS
				 "=%u\n" AGENT_KEY_ROOT
				 "=%d\n" AGENT_KEY_INSTALL "=%d\n",
		p->hvsock, p->nics, p->disks, p->root_disk,
		!p->rootfs && !p->root_disk);
	g_autoptr(GString) argv = g_string_new(NULL);

	for (const char *const *a = p->argv; *a; a++)
		g_string_append_len(argv, *a, (gssize)strlen(*a) + 1);
	if (newc_file(
		    newc, "init", 0755, agent_image_start,
		    /* cppcheck-suppress comparePointers ; ends of one image */
		    (size_t)(agent_image_end - agent_image_start), error) ||
	    newc_add(newc, "dev/console", &console, NULL, 0, error) ||
	    newc_file(newc, AGENT_CONFIG, 0644, config, strlen(config),
		      error) ||
	    newc_file(newc, AGENT_ARGV, 0644, argv->str, argv->len, error) ||
	    newc_file(newc, AGENT_DHCP, 0755, dhcp_script,
		      sizeof(dhcp_script) - 1, error))
		return -1;
	return p->busybox ? add_host_file(newc, p->busybox, AGENT_BUSYBOX,
					  &program, error)
			  : 0;
}

/* Where everything of a system belongs, when there is nothing but busybox. */
static int add_folders(struct newc *newc, GError **error)
{
	static const char *const folders[] = {
		"bin",  "etc", "mnt", "proc",    "root",     "run",
		"sbin", "sys", "tmp", "usr/bin", "usr/sbin", "var",
	};

	for (size_t i = 0; i < G_N_ELEMENTS(folders); i++) {
		if (newc_folder(newc, folders[i], error))
			return -1;
	}
	return 0;
}

int initramfs_write(int fd, const struct initramfs_params *p, GError **error)
{
	struct newc *newc = newc_new(fd, INITRAMFS_BYTES_MAX);
	g_autofree char *lib =
		p->rootfs ? g_build_filename(p->rootfs, "lib", NULL) : NULL;
	/* The folder must not be in the place of the link. */
	const char *modules = lib && g_file_test(lib, G_FILE_TEST_IS_SYMLINK)
				      ? "usr/lib/modules"
				      : "lib/modules";
	int ret = add_agent(newc, p, error);

	if (!ret && p->modules_dir)
		ret = add_modules(newc, modules, p, error);
	if (!ret && p->rootfs)
		ret = add_tree(newc, p->rootfs, "", 0, error);
	else if (!ret)
		ret = add_folders(newc, error);
	if (!ret)
		ret = newc_end(newc, error);
	newc_free(newc);
	return ret;
}

/* --- busybox ---------------------------------------------------------------- */

bool initramfs_is_static(const char *path)
{
	FILE *file = fopen(path, "re");
	Elf64_Ehdr header;
	Elf64_Phdr p;
	bool is_static;

	is_static = file && fread(&header, sizeof(header), 1, file) == 1 &&
		    !memcmp(header.e_ident, ELFMAG, SELFMAG) &&
		    header.e_ident[EI_CLASS] == ELFCLASS64 &&
		    header.e_machine == EM_X86_64 &&
		    header.e_phentsize == sizeof(p) &&
		    !fseek(file, (long)header.e_phoff, SEEK_SET);
	for (unsigned int i = 0; is_static && i < header.e_phnum; i++)
		is_static = fread(&p, sizeof(p), 1, file) == 1 &&
			    p.p_type != PT_INTERP;
	if (file)
		fclose(file);
	return is_static;
}

char *initramfs_busybox(void)
{
	static const char *const places[] = {
		"busybox",
		"/bin/busybox",
		"/usr/bin/busybox",
		"/usr/bin/busybox-static",
	};

	for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
		char *path = g_find_program_in_path(places[i]);

		if (path && initramfs_is_static(path))
			return path;
		g_free(path);
	}
	return NULL;
}
