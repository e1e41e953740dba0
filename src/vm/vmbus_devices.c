/* SPDX-License-Identifier: MIT */
#include "vm/vmbus_devices.h"

#include <string.h>

#include <glib.h>

#include "base/guid.h"
#include "base/log.h"
#include "config/machine_config.h"
#include "partition/profile.h"
#include "synic/ref_time.h"
#include "vm/vm_private.h"
#include "vm/vmbus_host.h"
#include "vsp/balloon.h"
#include "vsp/echo.h"
#include "vsp/hvsock.h"
#include "vsp/ic_fcopy.h"
#include "vsp/ic_heartbeat.h"
#include "vsp/ic_kvp.h"
#include "vsp/ic_shutdown.h"
#include "vsp/ic_timesync.h"
#include "vsp/ic_vss.h"
#include "vsp/synthhid.h"
#include "vsp/synthkbd.h"
#include "vsp/vmbus/channel.h"
#include "vsp/vsp.h"

#define LOG_CATEGORY "vmbus"

/*
 * The devices, one row each, offered in the order of the table.
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
	/* all zeros: derived */
	struct guid instance;
	/* the first VMbus version whose hosts have it */
	uint32_t since;
	bool is_test; /* only with --test-devices */
	bool has_milestone;
	enum milestone milestone; /* reached when it is ready */
};

static void *make_echo(struct vm *vm, const struct vsp_params *params)
{
	(void)vm;
	return echo_new(params);
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

static void *make_timesync(struct vm *vm, const struct vsp_params *params)
{
	const struct ic_timesync_clock clock = {.reference = reference_now,
						.ctx = vm};

	return ic_timesync_new(params, &clock, 0);
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

static const struct device_row rows[] = {
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
};

#define N_ROWS G_N_ELEMENTS(rows)

struct device {
	const struct device_row *row;
	struct milestones *milestones;
	struct guid instance;
	void *device; /* NULL: left out */
	/* of the report */
	GArray *facts, *channel; /* struct report_fact */
};

struct vmbus_devices {
	bool running;
	struct device devices[N_ROWS];
	/* of the report: those that there are */
	struct report_device reports[N_ROWS];
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
	return row->since <= vm->profile->vmbus_version &&
	       (!row->is_test || vm->config->test_devices);
}

static void clear_fact(void *fact)
{
	struct report_fact *f = fact;

	g_free((char *)f->key);
	g_free((char *)f->text);
}

static GArray *facts_new(void)
{
	GArray *a = g_array_new(FALSE, TRUE, sizeof(struct report_fact));

	g_array_set_clear_func(a, clear_fact);
	return a;
}

static void add_device(struct vm *vm, struct channel_bus *bus,
		       const struct guid *machine, struct device *d,
		       uint32_t order)
{
	const struct device_row *row = d->row;
	struct vsp_params params = {
		.bus = bus,
		.name = row->name,
		.order = order,
		.host_version = vm->profile->vmbus_version,
		.ready = on_ready,
		.ctx = d,
	};

	d->milestones = &vm->milestones;
	d->instance = guid_is_null(&row->instance)
			      ? guid_derive(machine, row->name)
			      : row->instance;
	params.instance = d->instance;
	d->facts = facts_new();
	d->channel = facts_new();
	if (is_wanted(row, vm))
		d->device = row->make(vm, &params);
}

struct vmbus_devices *vmbus_devices_new(struct vm *vm, struct channel_bus *bus,
					const struct guid *machine)
{
	struct vmbus_devices *ds = g_new0(struct vmbus_devices, 1);

	for (uint32_t i = 0; i < N_ROWS; i++) {
		ds->devices[i].row = &rows[i];
		add_device(vm, bus, machine, &ds->devices[i], i);
	}
	return ds;
}

void vmbus_devices_free(struct vmbus_devices *ds)
{
	if (!ds)
		return;
	for (uint32_t i = 0; i < N_ROWS; i++) {
		struct device *d = &ds->devices[i];

		if (d->device)
			d->row->ops->free(d->device);
		g_array_free(d->facts, TRUE);
		g_array_free(d->channel, TRUE);
	}
	g_free(ds);
}

void vmbus_devices_run(struct vmbus_devices *ds, bool running)
{
	if (ds->running == running)
		return;
	ds->running = running;
	for (uint32_t i = 0; i < N_ROWS; i++) {
		struct device *d = &ds->devices[i];

		if (d->device && d->row->ops->run)
			d->row->ops->run(d->device, running);
	}
}

void *vmbus_devices_find(struct vmbus_devices *ds, const struct vsp_ops *ops)
{
	for (uint32_t i = 0; i < N_ROWS; i++) {
		if (rows[i].ops == ops)
			return ds->devices[i].device;
	}
	return NULL;
}

struct channel *vmbus_devices_channel(struct vmbus_devices *ds,
				      const char *name)
{
	for (uint32_t i = 0; i < N_ROWS; i++) {
		const struct device *d = &ds->devices[i];

		if (d->device && d->row->ops->channel &&
		    !strcmp(d->row->name, name))
			return d->row->ops->channel(d->device);
	}
	return NULL;
}

/* --- the report ------------------------------------------------------------ */

static void add_number(void *ctx, const char *key, uint64_t value)
{
	struct report_fact f = {.key = g_strdup(key), .number = value};

	g_array_append_val((GArray *)ctx, f);
}

static void add_text(void *ctx, const char *key, const char *value)
{
	struct report_fact f = {.key = g_strdup(key), .text = g_strdup(value)};

	g_array_append_val((GArray *)ctx, f);
}

static void channel_facts(struct channel *ch, GArray *to)
{
	struct channel_stats s;

	channel_get_stats(ch, &s);
	add_number(to, "relid", s.relid);
	add_number(to, "open", s.open);
	add_number(to, "opens", s.opens);
	add_number(to, "failures", s.failures);
	add_number(to, "target_vp", s.target_vp);
	add_number(to, "ring_in_bytes", s.ring_in_bytes);
	add_number(to, "ring_out_bytes", s.ring_out_bytes);
	add_number(to, "packets_in", s.packets_in);
	add_number(to, "packets_out", s.packets_out);
	add_number(to, "bytes_in", s.bytes_in);
	add_number(to, "bytes_out", s.bytes_out);
	add_number(to, "signals_in", s.signals_in);
	add_number(to, "signals_out", s.signals_out);
	add_number(to, "blocked", s.blocked);
	add_number(to, "stalled", s.stalled);
}

static void report_one(struct device *d, struct report_device *r)
{
	const struct vsp_ops *ops = d->row->ops;
	struct vsp_facts to = {
		.number = add_number,
		.text = add_text,
		.ctx = d->facts,
	};

	g_array_set_size(d->facts, 0);
	g_array_set_size(d->channel, 0);
	if (ops->facts)
		ops->facts(d->device, &to);
	if (ops->channel)
		channel_facts(ops->channel(d->device), d->channel);
	*r = (struct report_device){
		.name = d->row->name,
		.facts = (const struct report_fact *)(void *)d->facts->data,
		.n_facts = d->facts->len,
		.channel = (const struct report_fact *)(void *)d->channel->data,
		.n_channel = d->channel->len,
	};
	guid_print(&d->instance, r->instance);
}

const struct report_device *vmbus_devices_report(struct vmbus_devices *ds,
						 unsigned int *n)
{
	*n = 0;
	for (uint32_t i = 0; i < N_ROWS; i++) {
		if (ds->devices[i].device)
			report_one(&ds->devices[i], &ds->reports[(*n)++]);
	}
	return ds->reports;
}
