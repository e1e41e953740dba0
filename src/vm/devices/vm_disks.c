/* SPDX-License-Identifier: MIT */
#include "vm/devices/vm_disks.h"

#include <errno.h>
#include <string.h>

#include "base/guid.h"
#include "config/machine_config.h"
#include "devices/block/block.h"
#include "devices/block/throttle.h"
#include "vm/devices/vm_disks_private.h"
#include "vsp/scsi/scsi.h"
#include "vsp/storvsp/storvsp.h"

/* Something that goes when no channel uses it any more. */
struct parting {
	struct vm_disks *disks;
	struct vm_disk *disk; /* it goes, or */
	struct block *block; /* this, of it, if it is not NULL */
	bool renews; /* or nothing: its queues are made anew */
	bool waiting; /* for another change of @disk to be over */
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
	g_free(d->node);
	g_free(d->path);
	g_free(d);
}

char *vm_disk_name(const struct vm_disk *d)
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
		name = vm_disk_name(d);
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
		.identity = {.vendor = d->config->vendor,
			     .product = d->config->product,
			     .serial = d->config->serial,
			     .wwn = d->config->wwn},
		.max_transfer_bytes = STORVSP_TRANSFER_MAX,
		.readonly = d->config->readonly,
	};
	struct guid id = disk_id(disks, d);

	memcpy(p.identity.id, id.b, sizeof(p.identity.id));
	if (d->config->dvd)
		return scsi_dvd_new(d->block, &p.identity);
	return scsi_disk_new(d->block, &p);
}

/* --- opening --------------------------------------------------------------------- */

/* Open the image of a disk that has its place.  Return: 0; -1 with @error. */
static int open_disk(struct vm_disks *disks, struct vm_disk *d, GError **error)
{
	if (d->config->path) {
		d->block = vm_disk_open(d, d->config->path, error);
		if (!d->block)
			return -1;
	}
	d->unit = make_unit(disks, d);
	g_ptr_array_add(disks->disks, d);
	return 0;
}

/* Has a disk of the configuration asked for this place, or been given it? */
static bool is_taken(const struct vm_disks *disks, enum disk_bus bus,
		     unsigned int place)
{
	for (guint i = 0; i < disks->configured->len; i++) {
		const struct disk_config *c =
			g_ptr_array_index(disks->configured, i);

		if (c->bus == bus && c->has_place && c->place == place)
			return true;
	}
	for (guint i = 0; i < disks->disks->len; i++) {
		const struct vm_disk *d = g_ptr_array_index(disks->disks, i);

		if (d->config->bus == bus &&
		    (bus == DISK_IDE
			     ? d->controller
			     : d->controller * STORVSP_LUNS + d->lun) == place)
			return true;
	}
	return false;
}

static unsigned int choose_place(const struct vm_disks *disks,
				 const struct disk_config *config)
{
	unsigned int place = 0;

	if (config->has_place)
		return config->place;
	/* The configuration has checked that there is room. */
	while (is_taken(disks, config->bus, place))
		place++;
	return place;
}

static int open_first_disk(struct vm_disks *disks,
			   const struct disk_config *config, GError **error)
{
	struct vm_disk *d = g_new0(struct vm_disk, 1);
	unsigned int n = choose_place(disks, config);

	disks->n[config->bus] = MAX(disks->n[config->bus], n + 1);
	d->disks = disks;
	d->config = config;
	d->controller = config->bus == DISK_IDE ? n : n / STORVSP_LUNS;
	d->lun = config->bus == DISK_IDE ? 0 : (uint8_t)(n % STORVSP_LUNS);
	if (!open_disk(disks, d, error))
		return 0;
	free_disk(d);
	return -1;
}

static struct storvsp *controller_of(const struct vm_disks *disks,
				     const struct vm_disk *d)
{
	return disks->controllers[d->config->bus][d->controller];
}

/* --- what goes ----------------------------------------------------------------- */

static void begin_block_parting(struct parting *p);

/* Others of the disk that had to wait: for them to end, if it is gone. */
static void go_on_parting(struct vm_disks *disks, const struct vm_disk *d,
			  bool gone)
{
	for (guint i = disks->partings->len; i-- > 0;) {
		struct parting *p = g_ptr_array_index(disks->partings, i);

		if (p->disk != d || !p->waiting)
			continue;
		if (!gone) {
			begin_block_parting(p);
			continue;
		}
		g_ptr_array_remove_index(disks->partings, i);
		block_free(p->block);
		g_free(p);
	}
}

/* Main thread. */
static gboolean finish_parting(gpointer data)
{
	struct parting *p = data;
	struct vm_disks *disks = p->disks;
	bool disk_goes = !p->block && !p->renews;

	g_ptr_array_remove(disks->partings, p);
	if (!disks->ending)
		go_on_parting(disks, p->disk, disk_goes);
	if (p->block)
		block_free(p->block);
	else if (disk_goes)
		g_ptr_array_remove(disks->disks, p->disk);
	if (p->done)
		p->done(p->ctx);
	g_free(p);
	return G_SOURCE_REMOVE;
}

/* Any thread. */
static void on_parted(void *ctx)
{
	g_idle_add_full(G_PRIORITY_DEFAULT, finish_parting, ctx, NULL);
}

static struct parting *parting_new(struct vm_disks *disks, struct vm_disk *d)
{
	struct parting *p = g_new0(struct parting, 1);

	p->disks = disks;
	p->disk = d;
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
	disks->ending = true;
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

void vm_disks_describe(const struct vm_disks *disks, enum disk_bus bus,
		       unsigned int n, struct storvsp_params *params)
{
	struct channel_config all = {0};

	for (guint i = 0; i < disks->disks->len; i++) {
		const struct vm_disk *d = g_ptr_array_index(disks->disks, i);

		if (d->config->bus == bus && d->controller == n)
			channel_config_join(&all, &d->config->channel);
	}
	params->poll_ns = channel_config_poll_ns(&all);
	params->poll_max_ns = channel_config_poll_max_ns(&all);
	params->monitor_latency_100ns = channel_config_monitor_100ns(&all);
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

void vm_disks_listen(struct vm_disks *disks,
		     const struct vm_disks_events *events, void *ctx)
{
	disks->events = events;
	disks->ctx = ctx;
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

static int refuse(GError **error, const char *name, const char *why)
{
	g_set_error(error, CONFIG_ERROR, 0, "%s: %s", name, why);
	return -1;
}

/* One that is on its way out has no place any more. */
static bool is_there(const struct vm_disks *disks, const struct vm_disk *d)
{
	return storvsp_unit(controller_of(disks, d), d->lun) == d->unit;
}

/* Return: NULL with @error set. */
static struct vm_disk *find(const struct vm_disks *disks, const char *name,
			    GError **error)
{
	for (guint i = 0; i < disks->disks->len; i++) {
		struct vm_disk *d = g_ptr_array_index(disks->disks, i);
		g_autofree char *its = vm_disk_name(d);

		if (!strcmp(its, name) && is_there(disks, d))
			return d;
	}
	refuse(error, name, "no such disk; scsi0:0 is the first");
	return NULL;
}

/*
 * A place at a controller that is there, as late as can be one that a disk had
 * before.  Linux scans all units between the moment when it learns that one
 * went and the one when it lets go of it (storvsc_host_scan(), on an ordered
 * queue); to a disk that comes there meanwhile it would still write what the
 * old one was to get.
 */
static bool attach_after_last(struct vm_disks *disks, struct vm_disk *d)
{
	for (unsigned int i = 1; i <= CONFIG_SCSI_DISKS_MAX; i++) {
		unsigned int place = (disks->last + i) % CONFIG_SCSI_DISKS_MAX;
		struct storvsp *s;

		d->controller = place / STORVSP_LUNS;
		d->lun = (uint8_t)(place % STORVSP_LUNS);
		s = controller_of(disks, d);
		if (s && !storvsp_add(s, d->lun, d->unit)) {
			disks->last = place;
			return true;
		}
	}
	return false;
}

/* Choose a place and attach it.  Return: 0; -1 with @error set. */
static int attach_anywhere(struct vm_disks *disks, struct vm_disk *d,
			   GError **error)
{
	const unsigned int max = CONFIG_SCSI_DISKS_MAX / STORVSP_LUNS;

	if (attach_after_last(disks, d))
		return 0;
	d->lun = 0;
	/* A new one gets all that is its own, so this too. */
	for (d->controller = 0; d->controller < max; d->controller++) {
		if (!controller_of(disks, d) && disks->events) {
			disks->last = d->controller * STORVSP_LUNS;
			return disks->events->grow(disks->ctx, d->controller,
						   error);
		}
	}
	return refuse(error, d->config->path ? d->config->path : "disk",
		      "all controllers are full");
}

char *vm_disks_add(struct vm_disks *disks, const char *text, const char *node,
		   GError **error)
{
	struct disk_config *config = disk_config_parse(text, error);
	struct vm_disk *d;

	if (!config)
		return NULL;
	d = g_new0(struct vm_disk, 1);
	d->disks = disks;
	d->config = config;
	d->own_config = config;
	d->node = g_strdup(node);
	disks->n_added++;
	if (config->bus == DISK_IDE)
		refuse(error, text, "disks on IDE are there from the start");
	else if (config->channel.poll_us || config->channel.monitor_us)
		refuse(error, text,
		       "poll and monitor are a controller's, from the start");
	else if (!open_disk(disks, d, error)) {
		if (!attach_anywhere(disks, d, error))
			return vm_disk_name(d);
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
	p = parting_new(disks, d);
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

/*
 * Its channels make new ways into the storage, with the limits of now; on the
 * old ones nothing waits any more.  Return: 0; -1 with @error set.
 */
static int renew_queues(struct vm_disks *disks, struct vm_disk *d,
			GError **error)
{
	struct parting *p = parting_new(disks, d);

	p->renews = true;
	if (!storvsp_let_go(controller_of(disks, d), d->lun, on_parted, p))
		return 0;
	parting_free(p);
	return refuse(error, disk_bus_name(d->config->bus),
		      "a disk is about to change: say it again");
}

int vm_disks_limit(struct vm_disks *disks, const char *name, const char *text,
		   GError **error)
{
	struct vm_disk *d = find(disks, name, error);
	struct disk_limits limits;
	int failed;

	if (!d)
		return -1;
	failed = disk_limits_parse(&limits, text, error);
	if (!failed)
		vm_disk_set_limits(d, &limits);
	disk_limits_clear(&limits);
	for (guint i = 0; i < disks->disks->len && !failed; i++) {
		struct vm_disk *other = g_ptr_array_index(disks->disks, i);

		if (other->throttle == d->throttle && is_there(disks, other))
			failed = renew_queues(disks, other, error);
	}
	return failed;
}

static void begin_block_parting(struct parting *p)
{
	const struct vm_disk *d = p->disk;

	/* Any error: another change of the drive is under way. */
	p->waiting = storvsp_let_go(controller_of(p->disks, d), d->lun,
				    on_parted, p) != 0;
}

/* Close @old as soon as no channel has a queue into it. */
static void close_later(struct vm_disks *disks, struct vm_disk *d,
			struct block *old)
{
	struct parting *p = parting_new(disks, d);

	p->block = old;
	begin_block_parting(p);
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
	block = vm_disk_open(d, path, error);
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
	g_free(d->path);
	d->path = g_strdup(path);
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
