/* SPDX-License-Identifier: MIT */
#include "vm/vm_disks.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "base/guid.h"
#include "config/machine_config.h"
#include "devices/block/block.h"
#include "devices/block/block_open.h"
#include "devices/block/throttle.h"
#include "vsp/scsi/scsi.h"
#include "vsp/storvsp.h"

#define CONTROLLERS_MAX \
	MAX(CONFIG_IDE_DISKS_MAX, CONFIG_SCSI_DISKS_MAX / STORVSP_LUNS)

struct vm_disk {
	struct vm_disks *disks;
	const struct disk_config *config;
	struct disk_config *own_config; /* NULL: the machine's */
	unsigned int controller; /* which of its bus */
	uint8_t lun;
	struct block *block; /* NULL: no disc is in the drive */
	struct scsi_lun *unit;
	struct throttle *throttle; /* NULL: none; a group's is in .groups */
	/* what made it stop: written by the one who sets .stopped */
	_Atomic bool stopped;
	enum block_op stopped_op;
	int stopped_err;
};

struct vm_disks {
	struct guid machine;
	const GPtrArray *configured; /* struct disk_config: from the start */
	GPtrArray *disks; /* struct vm_disk */
	unsigned int n[2]; /* from the start, by enum disk_bus */
	unsigned int n_added; /* later */
	struct storvsp *controllers[2][CONTROLLERS_MAX];
	GPtrArray *partings; /* struct parting, under way */
	GHashTable *groups; /* name: struct throttle */
	void (*stop)(void *ctx, const char *why); /* NULL: nobody is told */
	void *stop_ctx;
};

/* Something that goes when no channel uses it any more. */
struct parting {
	struct vm_disks *disks;
	struct vm_disk *disk; /* this, */
	struct block *block; /* or this */
	void (*done)(void *ctx);
	void *ctx;
};

/* --- images ------------------------------------------------------------------ */

static void free_disk(void *disk)
{
	struct vm_disk *d = disk;

	if (d->unit)
		scsi_lun_free(d->unit);
	if (d->block)
		block_free(d->block);
	g_idle_remove_by_data(d);
	if (!d->config->limits.group)
		throttle_free(d->throttle);
	disk_config_free(d->own_config);
	g_free(d);
}

static char *disk_name(const struct vm_disk *d)
{
	return g_strdup_printf("%s%u:%u", disk_bus_name(d->config->bus),
			       d->controller, d->lun);
}

/*
 * Something that the guest can tell each disk by, the same in each run: its
 * place; for one that came later its image, as places are used again.
 */
static struct guid disk_id(const struct vm_disks *disks,
			   const struct vm_disk *d)
{
	g_autofree char *name = NULL;

	if (!d->own_config)
		name = disk_name(d);
	else if (d->config->path)
		name = g_strdup(d->config->path);
	else
		name = g_strdup_printf("drive%u", disks->n_added);
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

/* --- errors and limits ----------------------------------------------------------- */

/* Main thread. */
static gboolean tell_stopped(gpointer disk)
{
	const struct vm_disk *d = disk;
	g_autofree char *name = disk_name(d);
	g_autofree char *why =
		g_strdup_printf("disk %s: %s: %s", name,
				d->stopped_op == BLOCK_READ ? "read" : "write",
				g_strerror(-d->stopped_err));

	if (d->disks->stop)
		d->disks->stop(d->disks->stop_ctx, why);
	return G_SOURCE_REMOVE;
}

/* A channel's thread. */
static void on_stopped(void *ctx, enum block_op op, int err)
{
	struct vm_disk *d = ctx;

	/* One of many that fail at once is told. */
	if (atomic_exchange(&d->stopped, true))
		return;
	d->stopped_op = op;
	d->stopped_err = err;
	g_idle_add(tell_stopped, d);
}

/* As libvirt: what is said of errors is of reads too, if nothing else is. */
static void set_errors(struct vm_disk *d, struct block *block)
{
	const char *both = d->config->error_policy;
	struct block_errors e = {.on_read = BLOCK_REPORT,
				 .on_write = BLOCK_ENOSPACE,
				 .stopped = on_stopped,
				 .ctx = d};

	/* The configuration has checked the words. */
	if (both)
		block_policy_parse(both, &e.on_write);
	if (d->config->rerror_policy)
		block_policy_parse(d->config->rerror_policy, &e.on_read);
	else if (both && e.on_write != BLOCK_ENOSPACE)
		e.on_read = e.on_write;
	block_set_errors(block, &e);
}

/* The two are in the same order. */
_Static_assert((int)DISK_LIMITS == (int)THROTTLE_LIMITS &&
		       (int)DISK_IOPS == (int)THROTTLE_IOPS &&
		       (int)DISK_BPS_READ == (int)THROTTLE_BPS_READ &&
		       (int)DISK_IOPS_READ == (int)THROTTLE_IOPS_READ,
	       "limits of the configuration are those of devices/block");

static struct throttle *make_throttle(const struct disk_limits *from)
{
	struct throttle_limits l = {.iops_bytes = from->iops_bytes};

	for (unsigned int i = 0; i < THROTTLE_LIMITS; i++)
		l.of[i] =
			(struct throttle_limit){.rate = from->of[i].rate,
						.burst = from->of[i].burst,
						.burst_s = from->of[i].burst_s};
	return throttle_new(&l);
}

/* What those of a group say that say something; NULL: none does. */
static const struct disk_limits *group_limits(const struct vm_disk *d)
{
	const GPtrArray *all = d->disks->configured;

	if (disk_limits_any(&d->config->limits))
		return &d->config->limits;
	for (guint i = 0; i < all->len; i++) {
		const struct disk_config *c = g_ptr_array_index(all, i);

		if (!g_strcmp0(c->limits.group, d->config->limits.group) &&
		    disk_limits_any(&c->limits))
			return &c->limits;
	}
	return NULL;
}

/* Return: NULL: it has no limits. */
static struct throttle *find_throttle(const struct vm_disk *d)
{
	const struct disk_limits *l = &d->config->limits;
	struct throttle *t;

	if (!l->group)
		return disk_limits_any(l) ? make_throttle(l) : NULL;
	t = g_hash_table_lookup(d->disks->groups, l->group);
	if (t)
		return t;
	l = group_limits(d);
	if (!l)
		return NULL;
	t = make_throttle(l);
	g_hash_table_insert(d->disks->groups, g_strdup(d->config->limits.group),
			    t);
	return t;
}

/* --- opening --------------------------------------------------------------------- */

/*
 * An image that cannot be used is a mistake of the configuration; what this
 * host has too little of, or not at all, is not.
 */
static void blame(GError *error)
{
	static const int hosts[] = {G_FILE_ERROR_NOMEM, G_FILE_ERROR_MFILE,
				    G_FILE_ERROR_NFILE, G_FILE_ERROR_AGAIN,
				    G_FILE_ERROR_NOSYS};

	if (!error || error->domain != G_FILE_ERROR)
		return;
	for (size_t i = 0; i < G_N_ELEMENTS(hosts); i++) {
		if (error->code == hosts[i])
			return;
	}
	error->domain = CONFIG_ERROR;
	error->code = 0;
}

/* Return: owned; NULL with @error set. */
static struct block *open_image(struct vm_disk *d, const char *path,
				GError **error)
{
	const struct disk_config *config = d->config;
	struct block_options options = {
		.path = path,
		.format = config->format,
		.readonly = config->readonly || config->dvd,
		.snapshot = config->snapshot,
		.block_bytes = config->block_bytes,
	};
	struct block *block;

	/* The configuration has checked the words. */
	if (config->cache)
		block_cache_parse(config->cache, &options.cache);
	if (config->discard)
		block_discard_parse(config->discard, &options.discard);
	if (config->detect_zeroes)
		block_detect_parse(config->detect_zeroes,
				   &options.detect_zeroes);
	block = block_open(&options, error);
	if (!block) {
		blame(*error);
		g_prefix_error(error, "disk: ");
		return NULL;
	}
	set_errors(d, block);
	if (!d->throttle)
		d->throttle = find_throttle(d);
	block_set_throttle(block, d->throttle);
	return block;
}

/* Open the image of a disk that has its place.  Return: 0; -1 with @error. */
static int open_disk(struct vm_disks *disks, struct vm_disk *d, GError **error)
{
	if (d->config->path) {
		d->block = open_image(d, d->config->path, error);
		if (!d->block)
			return -1;
	}
	d->unit = make_unit(disks, d);
	g_ptr_array_add(disks->disks, d);
	return 0;
}

static int open_first_disk(struct vm_disks *disks,
			   const struct disk_config *config, GError **error)
{
	struct vm_disk *d = g_new0(struct vm_disk, 1);
	unsigned int n = disks->n[config->bus]++;

	d->disks = disks;
	d->config = config;
	d->controller = config->bus == DISK_IDE ? n : n / STORVSP_LUNS;
	d->lun = config->bus == DISK_IDE ? 0 : (uint8_t)(n % STORVSP_LUNS);
	if (!open_disk(disks, d, error))
		return 0;
	free_disk(d);
	return -1;
}

/* --- what goes ----------------------------------------------------------------- */

/* Main thread. */
static gboolean finish_parting(gpointer data)
{
	struct parting *p = data;

	g_ptr_array_remove(p->disks->partings, p);
	if (p->disk)
		g_ptr_array_remove(p->disks->disks, p->disk);
	if (p->block)
		block_free(p->block);
	if (p->done)
		p->done(p->ctx);
	g_free(p);
	return G_SOURCE_REMOVE;
}

/* Any thread. */
static void on_parted(void *ctx)
{
	g_idle_add(finish_parting, ctx);
}

static struct parting *parting_new(struct vm_disks *disks)
{
	struct parting *p = g_new0(struct parting, 1);

	p->disks = disks;
	g_ptr_array_add(disks->partings, p);
	return p;
}

static void parting_free(struct parting *p)
{
	g_ptr_array_remove(p->disks->partings, p);
	g_free(p);
}

/* --- life ---------------------------------------------------------------------- */

static void free_throttle(void *throttle)
{
	throttle_free(throttle);
}

struct vm_disks *vm_disks_new(const struct machine_config *config,
			      GError **error)
{
	struct vm_disks *disks = g_new0(struct vm_disks, 1);

	guid_parse(config->uuid, &disks->machine);
	disks->disks = g_ptr_array_new_with_free_func(free_disk);
	disks->partings = g_ptr_array_new();
	disks->configured = config->disks;
	disks->groups = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
					      free_throttle);
	for (guint i = 0; i < config->disks->len; i++) {
		if (open_first_disk(disks, g_ptr_array_index(config->disks, i),
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
	/* The controllers are gone, so all have been called back. */
	while (disks->partings->len) {
		struct parting *p = g_ptr_array_index(disks->partings, 0);

		g_idle_remove_by_data(p);
		finish_parting(p);
	}
	g_ptr_array_free(disks->partings, TRUE);
	g_ptr_array_free(disks->disks, TRUE);
	g_hash_table_destroy(disks->groups);
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

/* --- stops -------------------------------------------------------------------- */

void vm_disks_on_stop(struct vm_disks *disks,
		      void (*stop)(void *ctx, const char *why), void *ctx)
{
	disks->stop = stop;
	disks->stop_ctx = ctx;
}

void vm_disks_retry(struct vm_disks *disks)
{
	for (guint i = 0; i < disks->disks->len; i++) {
		struct vm_disk *d = g_ptr_array_index(disks->disks, i);

		g_idle_remove_by_data(d);
		atomic_store(&d->stopped, false);
	}
	for (unsigned int bus = 0; bus < 2; bus++) {
		for (unsigned int i = 0; i < CONTROLLERS_MAX; i++) {
			if (disks->controllers[bus][i])
				storvsp_retry(disks->controllers[bus][i]);
		}
	}
}

/* --- while the machine runs ------------------------------------------------------ */

static struct storvsp *controller_of(const struct vm_disks *disks,
				     const struct vm_disk *d)
{
	return disks->controllers[d->config->bus][d->controller];
}

static int refuse(GError **error, const char *name, const char *why)
{
	g_set_error(error, CONFIG_ERROR, 0, "%s: %s", name, why);
	return -1;
}

/* Return: NULL with @error set. */
static struct vm_disk *find(const struct vm_disks *disks, const char *name,
			    GError **error)
{
	for (guint i = 0; i < disks->disks->len; i++) {
		struct vm_disk *d = g_ptr_array_index(disks->disks, i);
		g_autofree char *its = disk_name(d);

		/* One that is on its way out has no place any more. */
		if (!strcmp(its, name) &&
		    storvsp_unit(controller_of(disks, d), d->lun) == d->unit)
			return d;
	}
	refuse(error, name, "no such disk; scsi0:0 is the first");
	return NULL;
}

/* Choose a place and attach it.  Return: 0; -1: all are taken. */
static int attach_anywhere(const struct vm_disks *disks, struct vm_disk *d)
{
	unsigned int n = vm_disks_controllers(disks, DISK_SCSI);

	for (d->controller = 0; d->controller < n; d->controller++) {
		struct storvsp *s = controller_of(disks, d);

		for (d->lun = 0; d->lun < STORVSP_LUNS; d->lun++) {
			if (!storvsp_add(s, d->lun, d->unit))
				return 0;
		}
	}
	return -1;
}

char *vm_disks_add(struct vm_disks *disks, const char *text, GError **error)
{
	struct disk_config *config = disk_config_parse(text, error);
	struct vm_disk *d;

	if (!config)
		return NULL;
	d = g_new0(struct vm_disk, 1);
	d->disks = disks;
	d->config = config;
	d->own_config = config;
	disks->n_added++;
	if (config->bus == DISK_IDE)
		refuse(error, text, "disks on IDE are there from the start");
	else if (!vm_disks_controllers(disks, DISK_SCSI))
		refuse(error, text,
		       "this machine has no SCSI controller, as it was "
		       "started without a disk");
	else if (!open_disk(disks, d, error)) {
		if (!attach_anywhere(disks, d))
			return disk_name(d);
		refuse(error, text, "all controllers are full");
		g_ptr_array_remove(disks->disks, d);
		return NULL;
	}
	free_disk(d);
	return NULL;
}

int vm_disks_remove(struct vm_disks *disks, const char *name,
		    void (*done)(void *ctx), void *ctx, GError **error)
{
	struct vm_disk *d = find(disks, name, error);
	struct parting *p;
	int err;

	if (!d)
		return -1;
	if (d->config->bus == DISK_IDE)
		return refuse(error, name, "a disk on IDE stays");
	p = parting_new(disks);
	p->disk = d;
	p->done = done;
	p->ctx = ctx;
	err = storvsp_remove(controller_of(disks, d), d->lun, on_parted, p);
	if (!err)
		return 0;
	parting_free(p);
	return refuse(error, name, g_strerror(-err));
}

int vm_disks_resize(struct vm_disks *disks, const char *name, GError **error)
{
	const struct vm_disk *d = find(disks, name, error);
	int err;

	if (!d)
		return -1;
	if (!d->block || d->config->dvd)
		return refuse(error, name, "no disk that has a size");
	err = block_refresh(d->block);
	if (err)
		return refuse(error, name, g_strerror(-err));
	storvsp_resized(controller_of(disks, d), d->lun);
	return 0;
}

/* Close @old as soon as no channel has a queue into it. */
static void close_later(struct vm_disks *disks, const struct vm_disk *d,
			struct block *old)
{
	struct parting *p = parting_new(disks);

	p->block = old;
	/* If another change is under way it is closed when the run ends. */
	storvsp_let_go(controller_of(disks, d), d->lun, on_parted, p);
}

static struct vm_disk *find_drive(const struct vm_disks *disks,
				  const char *name, GError **error)
{
	struct vm_disk *d = find(disks, name, error);

	if (!d || d->config->dvd)
		return d;
	refuse(error, name, "not a DVD drive");
	return NULL;
}

int vm_disks_insert(struct vm_disks *disks, const char *name, const char *path,
		    GError **error)
{
	struct vm_disk *d = find_drive(disks, name, error);
	struct block *block, *old;
	int err;

	if (!d)
		return -1;
	block = open_image(d, path, error);
	if (!block)
		return -1;
	err = scsi_dvd_insert(d->unit, block);
	if (err) {
		block_free(block);
		return refuse(error, name,
			      err == -EBUSY ? "there is a disc in it"
					    : g_strerror(-err));
	}
	/* The guest may have ejected the one before. */
	old = d->block;
	d->block = block;
	if (old)
		close_later(disks, d, old);
	return 0;
}

int vm_disks_eject(struct vm_disks *disks, const char *name, bool force,
		   GError **error)
{
	struct vm_disk *d = find_drive(disks, name, error);
	struct block *old;
	int err;

	if (!d)
		return -1;
	err = scsi_dvd_eject(d->unit, force);
	if (err == -EBUSY)
		return refuse(
			error, name,
			"the guest has locked it, and is asked to let go");
	if (err)
		return refuse(error, name, "there is no disc in it");
	old = d->block;
	d->block = NULL;
	if (old)
		close_later(disks, d, old);
	return 0;
}
