/* SPDX-License-Identifier: MIT */
#include "vm/vm_disks.h"

#include <string.h>

#include "base/guid.h"
#include "config/machine_config.h"
#include "devices/block/block.h"
#include "devices/block/block_open.h"
#include "vsp/scsi/scsi.h"
#include "vsp/storvsp.h"

#define CONTROLLERS_MAX \
	MAX(CONFIG_IDE_DISKS_MAX, CONFIG_SCSI_DISKS_MAX / STORVSP_LUNS)

struct vm_disk {
	const struct disk_config *config;
	unsigned int controller; /* which of its bus */
	uint8_t lun;
	struct block *block; /* NULL: no disc is in the drive */
	struct scsi_lun *unit;
};

struct vm_disks {
	struct guid machine;
	GPtrArray *disks; /* struct vm_disk */
	unsigned int n[2]; /* by enum disk_bus */
	struct storvsp *controllers[2][CONTROLLERS_MAX];
};

/* --- images ------------------------------------------------------------------ */

static void free_disk(void *disk)
{
	struct vm_disk *d = disk;

	if (d->unit)
		scsi_lun_free(d->unit);
	if (d->block)
		block_free(d->block);
	g_free(d);
}

/* Something that the guest can tell each disk by, the same in each run. */
static struct guid disk_id(const struct vm_disks *disks,
			   const struct vm_disk *d)
{
	g_autofree char *name =
		g_strdup_printf("%s%u-lun%u", disk_bus_name(d->config->bus),
				d->controller, d->lun);

	return guid_derive(&disks->machine, name);
}

static struct scsi_lun *make_unit(const struct vm_disks *disks,
				  const struct vm_disk *d)
{
	struct scsi_disk_params p = {
		.identity.serial = d->config->serial,
		.max_transfer_bytes = STORVSP_TRANSFER_MAX,
		.readonly = d->config->readonly,
	};
	struct guid id = disk_id(disks, d);

	memcpy(p.identity.id, id.b, sizeof(p.identity.id));
	if (d->config->dvd)
		return scsi_dvd_new(d->block, &p.identity);
	return scsi_disk_new(d->block, &p);
}

static int open_disk(struct vm_disks *disks, const struct disk_config *config,
		     GError **error)
{
	struct vm_disk *d = g_new0(struct vm_disk, 1);
	struct block_options options = {
		.path = config->path,
		.format = config->format,
		.readonly = config->readonly || config->dvd,
		.snapshot = config->snapshot,
		.block_bytes = config->block_bytes,
	};
	unsigned int n = disks->n[config->bus]++;

	/* The configuration has checked the word. */
	if (config->cache)
		block_cache_parse(config->cache, &options.cache);
	d->config = config;
	d->controller = config->bus == DISK_IDE ? n : n / STORVSP_LUNS;
	d->lun = config->bus == DISK_IDE ? 0 : (uint8_t)(n % STORVSP_LUNS);
	if (config->path) {
		d->block = block_open(&options, error);
		if (!d->block) {
			g_prefix_error(error, "--disk: ");
			g_free(d);
			return -1;
		}
	}
	d->unit = make_unit(disks, d);
	g_ptr_array_add(disks->disks, d);
	return 0;
}

/* --- life ---------------------------------------------------------------------- */

struct vm_disks *vm_disks_new(const struct machine_config *config,
			      GError **error)
{
	struct vm_disks *disks = g_new0(struct vm_disks, 1);

	guid_parse(config->uuid, &disks->machine);
	disks->disks = g_ptr_array_new_with_free_func(free_disk);
	for (guint i = 0; i < config->disks->len; i++) {
		if (open_disk(disks, g_ptr_array_index(config->disks, i),
			      error)) {
			vm_disks_free(disks);
			return NULL;
		}
	}
	return disks;
}

void vm_disks_free(struct vm_disks *disks)
{
	if (!disks)
		return;
	g_ptr_array_free(disks->disks, TRUE);
	g_free(disks);
}

unsigned int vm_disks_controllers(const struct vm_disks *disks,
				  enum disk_bus bus)
{
	unsigned int n = disks->n[bus];

	return bus == DISK_IDE ? n : (n + STORVSP_LUNS - 1) / STORVSP_LUNS;
}

void vm_disks_attach(struct vm_disks *disks, enum disk_bus bus, unsigned int n,
		     struct storvsp *controller)
{
	disks->controllers[bus][n] = controller;
	for (guint i = 0; i < disks->disks->len; i++) {
		const struct vm_disk *d = g_ptr_array_index(disks->disks, i);

		if (d->config->bus == bus && d->controller == n)
			storvsp_add(controller, d->lun, d->unit);
	}
}
