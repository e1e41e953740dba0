/* SPDX-License-Identifier: MIT */
#include "vm/dump/crash_dump.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "config/machine_config.h"
#include "vm/dump/vm_dump.h"
#include "vm/vm.h"
#include "vm/vm_private.h"

#define LOG_CATEGORY "vm"

/* Of root; others have theirs below XDG_DATA_HOME. */
#define SYSTEM_FOLDER  "/var/lib/kvmbus/dump"
/* As libvirt's VIR_DOMAIN_SHORT_NAME_MAX, in bytes. */
#define SHORT_NAME_MAX 20

bool crash_dump_wanted(const struct machine_config *config)
{
	return config->on_crash == LIFECYCLE_COREDUMP_DESTROY ||
	       config->on_crash == LIFECYCLE_COREDUMP_RESTART;
}

char *crash_dump_folder(const struct machine_config *config)
{
	if (config->dump_dir)
		return g_strdup(config->dump_dir);
	if (!geteuid())
		return g_strdup(SYSTEM_FOLDER);
	return g_build_filename(g_get_user_data_dir(), "kvmbus", "dump", NULL);
}

int crash_dump_prepare(const struct machine_config *config, GError **error)
{
	g_autofree char *folder = NULL;

	if (!crash_dump_wanted(config))
		return 0;
	folder = crash_dump_folder(config);
	if (!g_mkdir_with_parents(folder, 0700) && !access(folder, W_OK | X_OK))
		return 0;
	g_set_error(error, G_FILE_ERROR, (int)g_file_error_from_errno(errno),
		    "--on-crash: no dump can be put into %s: %s; say where "
		    "with --dump-dir",
		    folder, g_strerror(errno));
	return -1;
}

/* As much of the name as is whole characters. */
static char *short_name(const char *name)
{
	const char *end = name + SHORT_NAME_MAX;

	if (strlen(name) <= SHORT_NAME_MAX)
		return g_strdup(name);
	while (end > name && ((unsigned char)*end & 0xC0) == 0x80)
		end--;
	return g_strndup(name, (gsize)(end - name));
}

char *crash_dump_path(const struct machine_config *config, int pid,
		      GDateTime *when)
{
	g_autofree char *name =
		short_name(config->name ? config->name : "kvmbus");
	g_autofree char *time = g_date_time_format(when, "%Y-%m-%d-%H:%M:%S");
	g_autofree char *file = g_strdup_printf("%d-%s-%s", pid, name, time);
	g_autofree char *folder = crash_dump_folder(config);

	return g_build_filename(folder, file, NULL);
}

void crash_dump_write(struct vm *vm)
{
	g_autoptr(GDateTime) now = g_date_time_new_now_local();
	g_autofree char *path = crash_dump_path(vm->config, getpid(), now);
	g_autoptr(GError) error = NULL;

	if (vm_dump(vm, path, &error))
		log_error("the crashed guest could not be dumped: %s",
			  error->message);
	else
		log_warn("the crashed guest's memory is in %s", path);
	vm_dump_tell(vm, error);
}
