/* SPDX-License-Identifier: MIT */
#include "vm/devices/vmbus_devices.h"

#include <string.h>
#include <time.h>

#include <glib.h>

#include "base/clock.h"
#include "base/guid.h"
#include "base/log.h"
#include "config/machine_config.h"
#include "partition/profile.h"
#include "report/event.h"
#include "synic/ref_time.h"
#include "vm/devices/device_report.h"
#include "vm/devices/vm_disks.h"
#include "vm/devices/vm_nics.h"
#include "vm/devices/vmbus_host.h"
#include "vm/vm_events.h"
#include "vm/vm_private.h"
#include "vsp/balloon.h"
#include "vsp/echo.h"
#include "vsp/hvsock/hvsock.h"
#include "vsp/ic/fcopy.h"
#include "vsp/ic/heartbeat.h"
#include "vsp/ic/kvp.h"
#include "vsp/ic/shutdown.h"
#include "vsp/ic/timesync.h"
#include "vsp/ic/vss.h"
#include "vsp/netvsp/netvsp.h"
#include "vsp/storvsp/storvsp.h"
#include "vsp/synthhid.h"
#include "vsp/synthkbd.h"
#include "vsp/vmbus/channel.h"
#include "vsp/vsp.h"

#define LOG_CATEGORY "vmbus"

/*
 * The devices, a row for each kind, offered in the order of the table.
 *
 * Where Windows has the same instance on every host, that is its instance.
 * Any other is derived from the machine's UUID and the device's name, so that
 * the same machine has the same devices each time: no name may change once it
 * is published.
 */
struct device_row {
	const char *name;
	const struct vsp_ops *ops;
	/* Return: owned, with its channel offered; NULL: there is none */
	void *(*make)(struct vm *vm, const struct vsp_params *params);
	/*
	 * Or there are many, whose names are the row's and a number: how many,
	 * and the @n-th of them, NULL with @error set.
	 */
	unsigned int (*count)(const struct vm *vm);
	void *(*make_nth)(struct vm *vm, const struct vsp_params *params,
			  unsigned int n, GError **error);
	/* all zeros: derived of the machine's UUID and the name */
	struct guid instance;
	struct guid (*nth_instance)(unsigned int n);
	/* the first VMbus version whose hosts have it */
	uint32_t since;
	bool is_test; /* only with --test-devices */
	bool has_milestone;
	enum milestone milestone; /* reached when it is ready */
};

struct device {
	const struct device_row *row;
	char *name;
	struct milestones *milestones;
	struct vm_events *events;
	struct guid instance;
	void *device; /* NULL: left out */
	_Atomic bool filter_told; /* and not looked at since */
	/* of the report */
	struct device_report *said;
};

struct vmbus_devices {
	struct vm *vm;
	struct channel_bus *bus;
	struct guid machine;
	bool running;
	GPtrArray *devices; /* struct device; those that there are */
	struct report_device *reports; /* as many */
};

static void *make_echo(struct vm *vm, const struct vsp_params *params)
{
	(void)vm;
	return echo_new(params, 0);
}

/* Five milliseconds. */
#define MONITORED_LATENCY_100NS 50000

static void *make_monitored(struct vm *vm, const struct vsp_params *params)
{
	(void)vm;
	return echo_new(params, MONITORED_LATENCY_100NS);
}

static void *make_keyboard(struct vm *vm, const struct vsp_params *params)
{
	(void)vm;
	return synthkbd_new(params);
}

/* Beats in a row that say that something is wrong: ten seconds. */
#define MISSED_MANY 5

static void on_missed(void *ctx, unsigned int n)
{
	(void)ctx;
	if (n == MISSED_MANY)
		log_warn_ratelimited("the guest has missed %u heartbeats", n);
}

static void on_back(void *ctx, unsigned int n)
{
	(void)ctx;
	if (n >= MISSED_MANY)
		log_warn_ratelimited(
			"the guest's heart beats again, after %u missed", n);
}

static const struct ic_heartbeat_events heartbeat_events = {
	.missed = on_missed,
	.back = on_back,
};

static void *make_heartbeat(struct vm *vm, const struct vsp_params *params)
{
	return ic_heartbeat_new(params, &heartbeat_events, vm, 0);
}

static uint64_t reference_now(void *ctx)
{
	return ref_time_now(((struct vm *)ctx)->ref_time);
}

/* What the guest is to take for UTC. */
static uint64_t utc_now(void *ctx)
{
	const struct vm *vm = ctx;
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)(ts.tv_sec + vm->clock.utc_s) * NSEC_PER_SEC +
	       (uint64_t)ts.tv_nsec;
}

static void *make_timesync(struct vm *vm, const struct vsp_params *params)
{
	const struct ic_timesync_clock clock = {
		.utc_ns = utc_now, .reference = reference_now, .ctx = vm};

	return ic_timesync_new(params, &clock, vm->config->time_sync_s, 0);
}

static void *make_shutdown(struct vm *vm, const struct vsp_params *params)
{
	(void)vm;
	return ic_shutdown_new(params);
}

static void *make_mouse(struct vm *vm, const struct vsp_params *params)
{
	(void)vm;
	return synthhid_new(params);
}

static void *make_balloon(struct vm *vm, const struct vsp_params *params)
{
	(void)vm;
	return balloon_new(params);
}

static void refuse_hvsock(void *ctx, const struct guid *endpoint,
			  const struct guid *service)
{
	struct vm *vm = ctx;

	vmbus_host_refuse_tl_connect(vm->vmbus, endpoint, service);
}

/* Nobody can connect before hvsock_listen(). */
static void *make_hvsock(struct vm *vm, const struct vsp_params *params)
{
	const struct hvsock_params how = {.refuse = refuse_hvsock, .ctx = vm};

	return vm->config->hvsock ? hvsock_new(params, &how, NULL) : NULL;
}

static void *make_kvp(struct vm *vm, const struct vsp_params *params)
{
	(void)vm;
	return ic_kvp_new(params);
}

static void *make_vss(struct vm *vm, const struct vsp_params *params)
{
	(void)vm;
	return ic_vss_new(params, 0);
}

static void *make_fcopy(struct vm *vm, const struct vsp_params *params)
{
	(void)vm;
	return ic_fcopy_new(params);
}

static unsigned int count_scsi(const struct vm *vm)
{
	return vm_disks_controllers(vm->disks, DISK_SCSI);
}

static unsigned int count_ide(const struct vm *vm)
{
	return vm_disks_controllers(vm->disks, DISK_IDE);
}

static void on_storage_io(void *ctx)
{
	const struct device *d = ctx;

	milestone_reach(d->milestones, MILESTONE_STORVSC_IO);
}

static void *make_storage(struct vm *vm, const struct vsp_params *params,
			  enum disk_bus bus, unsigned int n, GError **error)
{
	struct storvsp_params p = {
		.vsp = *params,
		.ide = bus == DISK_IDE,
		.max_sub_channels = vm->n_vcpus - 1,
		.io = on_storage_io,
	};
	struct storvsp *s;

	vm_disks_describe(vm->disks, bus, n, &p);
	s = storvsp_new(&p, error);
	if (s)
		vm_disks_attach(vm->disks, bus, n, s);
	return s;
}

static void *make_scsi(struct vm *vm, const struct vsp_params *params,
		       unsigned int n, GError **error)
{
	return make_storage(vm, params, DISK_SCSI, n, error);
}

static void *make_ide(struct vm *vm, const struct vsp_params *params,
		      unsigned int n, GError **error)
{
	return make_storage(vm, params, DISK_IDE, n, error);
}

/* Two disks at each of two channels. */
static struct guid ide_instance(unsigned int n)
{
	return storvsp_ide_instance((uint8_t)(n / 2), (uint8_t)(n % 2));
}

static unsigned int count_nets(const struct vm *vm)
{
	return vm_nics_count(vm->nics);
}

static void on_net_open(void *ctx)
{
	const struct device *d = ctx;

	milestone_reach(d->milestones, MILESTONE_NETVSC_OPEN);
}

static void on_net_link(void *ctx)
{
	const struct device *d = ctx;

	milestone_reach(d->milestones, MILESTONE_NETVSC_LINK);
}

static void on_net_received(void *ctx)
{
	const struct device *d = ctx;

	milestone_reach(d->milestones, MILESTONE_NETVSC_RX);
}

static void on_net_sent(void *ctx)
{
	const struct device *d = ctx;

	milestone_reach(d->milestones, MILESTONE_NETVSC_TX);
}

/* As QEMU: once, until somebody has looked. */
static void on_net_filter(void *ctx)
{
	struct device *d = ctx;
	struct event *e;

	if (atomic_exchange(&d->filter_told, true))
		return;
	e = event_new(EVENT_NIC_RX_FILTER_CHANGED);
	event_add_text(e, "name", d->name);
	event_add_text(e, "path", d->name);
	vm_events_tell(d->events, e);
}

static void *make_net(struct vm *vm, const struct vsp_params *params,
		      unsigned int n, GError **error)
{
	struct netvsp_params p = {
		.vsp = *params,
		.opened = on_net_open,
		.link = on_net_link,
		.received = on_net_received,
		.sent = on_net_sent,
		.filter = on_net_filter,
	};

	vm_nics_describe(vm->nics, n, &p);
	return netvsp_new(&p, error);
}

static const struct device_row rows[] = {
	{
		.name = "ide",
		.ops = &storvsp_ops,
		.count = count_ide,
		.make_nth = make_ide,
		.nth_instance = ide_instance,
		.has_milestone = true,
		.milestone = MILESTONE_STORVSC_OPEN,
	},
	{
		.name = "scsi",
		.ops = &storvsp_ops,
		.count = count_scsi,
		.make_nth = make_scsi,
		.has_milestone = true,
		.milestone = MILESTONE_STORVSC_OPEN,
	},
	{
		.name = "net",
		.ops = &netvsp_ops,
		.count = count_nets,
		.make_nth = make_net,
	},
	{
		.name = "heartbeat",
		.ops = &ic_heartbeat_ops,
		.make = make_heartbeat,
		.instance = HV_HEART_BEAT_INSTANCE_GUID,
		.has_milestone = true,
		.milestone = MILESTONE_IC_HEARTBEAT,
	},
	{
		.name = "timesync",
		.ops = &ic_timesync_ops,
		.make = make_timesync,
		.instance = HV_TS_INSTANCE_GUID,
		.has_milestone = true,
		.milestone = MILESTONE_IC_TIMESYNC,
	},
	{
		.name = "shutdown",
		.ops = &ic_shutdown_ops,
		.make = make_shutdown,
		.instance = HV_SHUTDOWN_INSTANCE_GUID,
		.has_milestone = true,
		.milestone = MILESTONE_IC_SHUTDOWN,
	},
	{
		.name = "kvp",
		.ops = &ic_kvp_ops,
		.make = make_kvp,
		.instance = HV_KVP_INSTANCE_GUID,
		.has_milestone = true,
		.milestone = MILESTONE_IC_KVP,
	},
	{
		/* Linux will not have it below (hv_snapshot.c:hv_vss_init()) */
		.name = "vss",
		.ops = &ic_vss_ops,
		.make = make_vss,
		.instance = HV_VSS_INSTANCE_GUID,
		.since = VERSION_WIN8_1,
		.has_milestone = true,
		.milestone = MILESTONE_IC_VSS,
	},
	{
		/* new in Windows Server 2012 R2 */
		.name = "fcopy",
		.ops = &ic_fcopy_ops,
		.make = make_fcopy,
		.instance = HV_FCOPY_INSTANCE_GUID,
		.since = VERSION_WIN8_1,
		.has_milestone = true,
		.milestone = MILESTONE_IC_FCOPY,
	},
	{
		.name = "keyboard",
		.ops = &synthkbd_ops,
		.make = make_keyboard,
		.instance = HV_KBD_INSTANCE_GUID,
		.has_milestone = true,
		.milestone = MILESTONE_KEYBOARD,
	},
	{
		.name = "mouse",
		.ops = &synthhid_ops,
		.make = make_mouse,
		.instance = HV_MOUSE_INSTANCE_GUID,
		.has_milestone = true,
		.milestone = MILESTONE_MOUSE,
	},
	{
		.name = "balloon",
		.ops = &balloon_ops,
		.make = make_balloon,
		.instance = HV_DM_INSTANCE_GUID,
		.has_milestone = true,
		.milestone = MILESTONE_BALLOON,
	},
	{
		.name = "hvsock",
		.ops = &hvsock_ops,
		.make = make_hvsock,
		.since = VERSION_WIN10,
		.has_milestone = true,
		.milestone = MILESTONE_HVSOCK,
	},
	{
		.name = "echo",
		.ops = &echo_ops,
		.make = make_echo,
		.is_test = true,
	},
	{
		.name = "monitored-echo",
		.ops = &echo_ops,
		.make = make_monitored,
		.is_test = true,
	},
};

/* --- life ---------------------------------------------------------------- */

static void on_ready(void *ctx)
{
	struct device *d = ctx;

	if (d->row->has_milestone)
		milestone_reach(d->milestones, d->row->milestone);
}

static bool is_wanted(const struct device_row *row, const struct vm *vm)
{
	return row->since <= vm->vmbus_version &&
	       machine_config_has(vm->config, row->name) &&
	       (!row->is_test || vm->config->test_devices);
}

static void free_device(void *device)
{
	struct device *d = device;

	if (d->device)
		d->row->ops->free(d->device);
	device_report_free(d->said);
	g_free(d->name);
	g_free(d);
}

static struct guid choose_instance(const struct device *d, unsigned int n,
				   const struct guid *machine)
{
	if (d->row->nth_instance)
		return d->row->nth_instance(n);
	return guid_is_null(&d->row->instance) ? guid_derive(machine, d->name)
					       : d->row->instance;
}

/* Where all devices are made. */
struct making {
	struct vmbus_devices *ds;
	struct vm *vm;
	struct channel_bus *bus;
	const struct guid *machine;
};

/* Return: 0, also when it is left out; -1 with @error set. */
static int add_device(const struct making *m, const struct device_row *row,
		      unsigned int n, GError **error)
{
	struct device *d = g_new0(struct device, 1);
	struct vsp_params params = {
		.bus = m->bus,
		.order = (uint32_t)(row - rows),
		.host_version = m->vm->vmbus_version,
		.ready = on_ready,
		.ctx = d,
	};
	bool failed = false;

	d->row = row;
	d->name = row->make_nth ? g_strdup_printf("%s%u", row->name, n)
				: g_strdup(row->name);
	d->milestones = &m->vm->milestones;
	d->events = m->vm->events;
	d->instance = choose_instance(d, n, m->machine);
	d->said = device_report_new();
	params.name = d->name;
	params.instance = d->instance;
	if (row->make_nth) {
		d->device = row->make_nth(m->vm, &params, n, error);
		failed = !d->device;
	} else {
		d->device = row->make(m->vm, &params);
	}
	if (d->device)
		g_ptr_array_add(m->ds->devices, d);
	else
		free_device(d);
	return failed ? -1 : 0;
}

struct vmbus_devices *vmbus_devices_new(struct vm *vm, struct channel_bus *bus,
					const struct guid *machine,
					GError **error)
{
	struct vmbus_devices *ds = g_new0(struct vmbus_devices, 1);
	const struct making m = {ds, vm, bus, machine};

	ds->vm = vm;
	ds->bus = bus;
	ds->machine = *machine;
	ds->devices = g_ptr_array_new_with_free_func(free_device);
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		const struct device_row *row = &rows[i];
		unsigned int n = row->count ? row->count(vm) : 1;

		if (!is_wanted(row, vm))
			continue;
		for (unsigned int k = 0; k < n; k++) {
			if (add_device(&m, row, k, error)) {
				vmbus_devices_free(ds);
				return NULL;
			}
		}
	}
	ds->reports = g_new0(struct report_device, ds->devices->len);
	return ds;
}

int vmbus_devices_add(struct vmbus_devices *ds, const char *kind,
		      unsigned int n, GError **error)
{
	const struct making m = {ds, ds->vm, ds->bus, &ds->machine};
	const struct device_row *row = rows;
	const struct device *d;

	while (strcmp(row->name, kind) != 0)
		row++;
	if (add_device(&m, row, n, error))
		return -1;
	ds->reports =
		g_renew(struct report_device, ds->reports, ds->devices->len);
	d = g_ptr_array_index(ds->devices, ds->devices->len - 1);
	if (ds->running && row->ops->run)
		row->ops->run(d->device, true);
	return 0;
}

static struct device *find_named(struct vmbus_devices *ds, const char *name)
{
	for (guint i = 0; i < ds->devices->len; i++) {
		struct device *d = g_ptr_array_index(ds->devices, i);

		if (!strcmp(d->name, name))
			return d;
	}
	return NULL;
}

void vmbus_devices_remove(struct vmbus_devices *ds, const char *name)
{
	g_ptr_array_remove(ds->devices, find_named(ds, name));
}

void *vmbus_devices_named(struct vmbus_devices *ds, const struct vsp_ops *ops,
			  const char *name)
{
	struct device *d = find_named(ds, name);

	return d && d->row->ops == ops ? d->device : NULL;
}

void vmbus_devices_filter_seen(struct vmbus_devices *ds, const char *name)
{
	struct device *d = find_named(ds, name);

	if (d)
		atomic_store(&d->filter_told, false);
}

void vmbus_devices_free(struct vmbus_devices *ds)
{
	if (!ds)
		return;
	g_ptr_array_free(ds->devices, TRUE);
	g_free(ds->reports);
	g_free(ds);
}

void vmbus_devices_run(struct vmbus_devices *ds, bool running)
{
	if (ds->running == running)
		return;
	ds->running = running;
	for (guint i = 0; i < ds->devices->len; i++) {
		const struct device *d = g_ptr_array_index(ds->devices, i);

		if (d->row->ops->run)
			d->row->ops->run(d->device, running);
	}
}

void *vmbus_devices_find(struct vmbus_devices *ds, const struct vsp_ops *ops)
{
	for (guint i = 0; i < ds->devices->len; i++) {
		const struct device *d = g_ptr_array_index(ds->devices, i);

		if (d->row->ops == ops)
			return d->device;
	}
	return NULL;
}

struct channel *vmbus_devices_channel(struct vmbus_devices *ds,
				      const char *name)
{
	for (guint i = 0; i < ds->devices->len; i++) {
		const struct device *d = g_ptr_array_index(ds->devices, i);

		if (d->row->ops->channel && !strcmp(d->name, name))
			return d->row->ops->channel(d->device);
	}
	return NULL;
}

/* --- the report ------------------------------------------------------------ */

static void report_one(struct device *d, struct report_device *r)
{
	device_report_take(d->said, d->row->ops, d->device, r);
	r->name = d->name;
	guid_print(&d->instance, r->instance);
}

const struct report_device *vmbus_devices_report(struct vmbus_devices *ds,
						 unsigned int *n)
{
	*n = ds->devices->len;
	for (guint i = 0; i < ds->devices->len; i++)
		report_one(g_ptr_array_index(ds->devices, i), &ds->reports[i]);
	return ds->reports;
}
