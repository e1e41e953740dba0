/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/clock.h"
#include "config/machine_config.h"
#include "devices/block/block_open.h"
#include "devices/block/throttle.h"
#include "vm/devices/vm_disks_private.h"

/* --- errors and limits ----------------------------------------------------------- */

/* Main thread. */
static gboolean tell_stopped(gpointer disk)
{
	const struct vm_disk *d = disk;
	g_autofree char *name = vm_disk_name(d);
	g_autofree char *why =
		g_strdup_printf("disk %s: %s: %s", name,
				d->stopped_op == BLOCK_READ ? "read" : "write",
				g_strerror(-d->stopped_err));

	if (d->disks->events)
		d->disks->events->stop(d->disks->ctx, why);
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
	g_idle_add_full(G_PRIORITY_DEFAULT, tell_stopped, d, NULL);
}

/* Between two errors of a disk that are told. */
#define FAILED_PACE_NS NSEC_PER_SEC

/* A channel's thread. */
static void on_failed(void *ctx, enum block_op op, int err,
		      enum block_policy policy)
{
	static const char *const actions[] = {
		[BLOCK_REPORT] = "report",
		[BLOCK_STOP] = "stop",
		[BLOCK_IGNORE] = "ignore",
	};
	struct vm_disk *d = ctx;
	uint64_t now = clock_monotonic_ns();
	uint64_t last = atomic_load(&d->failed_ns);
	g_autofree char *name = NULL;

	/* One of many that fail at once is told. */
	if (!d->disks->events || !d->disks->events->failed ||
	    (last && now - last < FAILED_PACE_NS) ||
	    !atomic_compare_exchange_strong(&d->failed_ns, &last, now))
		return;
	name = vm_disk_name(d);
	d->disks->events->failed(d->disks->ctx, name, d->node ? d->node : name,
				 op == BLOCK_READ, err, actions[policy]);
}

/* As libvirt: what is said of errors is of reads too, if nothing else is. */
static void set_errors(struct vm_disk *d, struct block *block)
{
	const char *both = d->config->error_policy;
	struct block_errors e = {.on_read = BLOCK_REPORT,
				 .on_write = BLOCK_ENOSPACE,
				 .stopped = on_stopped,
				 .failed = on_failed,
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

static struct throttle_limits throttle_limits(const struct disk_limits *from)
{
	struct throttle_limits l = {.iops_bytes = from->iops_bytes};

	for (unsigned int i = 0; i < THROTTLE_LIMITS; i++)
		l.of[i] =
			(struct throttle_limit){.rate = from->of[i].rate,
						.burst = from->of[i].burst,
						.burst_s = from->of[i].burst_s};
	return l;
}

static struct throttle *make_throttle(const struct disk_limits *from)
{
	struct throttle_limits l = throttle_limits(from);

	return throttle_new(&l);
}

void vm_disk_set_limits(struct vm_disk *d, const struct disk_limits *limits)
{
	struct throttle_limits l = throttle_limits(limits);

	if (d->throttle) {
		throttle_set(d->throttle, &l);
		return;
	}
	d->throttle = throttle_new(&l);
	if (d->block)
		block_set_throttle(d->block, d->throttle);
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

struct block *vm_disk_open(struct vm_disk *d, const char *path, GError **error)
{
	const struct disk_config *config = d->config;
	struct block_options options = {
		.path = path,
		.remote = disk_config_is_nbd(path),
		.format = config->format,
		.readonly = config->readonly || config->dvd,
		.snapshot = config->snapshot,
		.shareable = config->shareable,
		.block_bytes = config->block_bytes,
	};
	struct block *block;

	/* The configuration has checked the words. */
	if (config->cache)
		block_cache_parse(config->cache, &options.cache);
	if (config->io)
		block_aio_parse(config->io, &options.aio);
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
	if (!d->throttle)
		d->throttle = find_throttle(d);
	if (!d->throttle && config->limits.group) {
		g_set_error(error, CONFIG_ERROR, 0,
			    "disk: throttle-group=%s: none of its disks has "
			    "limits",
			    config->limits.group);
		block_free(block);
		return NULL;
	}
	set_errors(d, block);
	block_set_throttle(block, d->throttle);
	return block;
}
