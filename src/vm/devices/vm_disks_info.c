/* SPDX-License-Identifier: MIT */
#include "vm/devices/vm_disks_info.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/machine_config.h"
#include "vm/devices/vm_disks_private.h"
#include "vsp/scsi/scsi.h"

/* One that is on its way out has no place any more. */
static bool is_there(const struct vm_disks *disks, const struct vm_disk *d)
{
	const struct storvsp *s =
		disks->controllers[d->config->bus][d->controller];

	return s && storvsp_unit(s, d->lun) == d->unit;
}

GStrv vm_disks_names(const struct vm_disks *disks)
{
	GPtrArray *names = g_ptr_array_new();

	for (guint i = 0; i < disks->disks->len; i++) {
		const struct vm_disk *d = g_ptr_array_index(disks->disks, i);

		if (is_there(disks, d))
			g_ptr_array_add(names, vm_disk_name(d));
	}
	g_ptr_array_add(names, NULL);
	return (GStrv)g_ptr_array_free(names, FALSE);
}

static const struct vm_disk *find(const struct vm_disks *disks,
				  const char *name)
{
	for (guint i = 0; i < disks->disks->len; i++) {
		const struct vm_disk *d = g_ptr_array_index(disks->disks, i);
		g_autofree char *its = vm_disk_name(d);

		if (is_there(disks, d) && !strcmp(its, name))
			return d;
	}
	return NULL;
}

static void count(const struct block *b, struct vm_disk_info *info)
{
	struct block_stats s;

	block_get_stats(b, &s);
	info->reads = s.reads;
	info->writes = s.writes;
	info->flushes = s.flushes;
	info->discards = s.discards;
	info->read_bytes = s.read_bytes;
	info->written_bytes = s.written_bytes;
	info->discarded_bytes = s.discarded_bytes;
	info->errors = s.errors;
}

int vm_disks_info(const struct vm_disks *disks, const char *name,
		  struct vm_disk_info *info)
{
	const struct vm_disk *d = find(disks, name);
	struct scsi_dvd_status tray = {0};

	if (!d)
		return -1;
	*info = (struct vm_disk_info){
		.format = d->config->format,
		.cache = d->config->cache,
		.detect_zeroes = d->config->detect_zeroes,
		.dvd = d->config->dvd,
		.readonly = d->config->dvd || d->config->readonly,
		.stopped = atomic_load(&d->stopped),
	};
	if (d->config->dvd)
		scsi_dvd_get_status(d->unit, &tray);
	info->tray_open = tray.tray_open;
	info->locked = tray.locked;
	if (d->block) {
		info->path = d->path ? d->path : d->config->path;
		info->kind = block_kind(d->block);
		info->bytes = block_info(d->block).bytes;
		count(d->block, info);
	}
	return 0;
}

/* Return: 0 or -errno. */
static int grow(const char *path, uint64_t bytes)
{
	struct stat st;

	if (stat(path, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -ENOTSUP;
	if (bytes < (uint64_t)st.st_size)
		return -EINVAL;
	return truncate(path, (off_t)bytes) ? -errno : 0;
}

int vm_disks_set_size(struct vm_disks *disks, const char *name, uint64_t bytes,
		      GError **error)
{
	struct vm_disk_info info;
	const char *why = NULL;
	int err = 0;

	if (vm_disks_info(disks, name, &info))
		why = "no such disk; scsi0:0 is the first";
	else if (info.dvd || !info.kind || !g_str_has_prefix(info.kind, "raw"))
		why = "only a raw image can be given another size";
	else if (info.readonly || find(disks, name)->config->snapshot)
		why = "its image may not change";
	else if (bytes < info.bytes || bytes > G_MAXINT64)
		why = "a disk does not shrink";
	else
		err = grow(info.path, bytes);
	if (!why && !err)
		return vm_disks_resize(disks, name, error);
	g_set_error(error, CONFIG_ERROR, 0, "%s: %s", name,
		    why ? why : g_strerror(-err));
	return -1;
}
