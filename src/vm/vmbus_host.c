/* SPDX-License-Identifier: MIT */
#include "vm/vmbus_host.h"

#include <pthread.h>

#include "base/guid.h"
#include "base/log.h"
#include "config/machine_config.h"
#include "partition/profile.h"
#include "vm/vm_private.h"
#include "vsp/echo.h"
#include "vsp/vmbus/channel.h"
#include "vsp/vmbus/server_thread.h"

#define LOG_CATEGORY "vmbus"

/*
 * The devices, one row each, offered in the order of the table.
 *
 * A device's instance is derived from the machine's UUID and its name, so that
 * the same machine has the same devices each time: no name may change once it
 * is published.
 */
struct device_row {
	const char *name;
	bool is_test; /* only with --test-devices */
	/*
	 * With name, instance and order in @params.  Return: the device, with
	 * its channel offered; NULL: left out.
	 */
	void *(*make)(struct vm *vm, struct channel_bus *bus,
		      const struct channel_params *params);
	void (*free)(void *device);
};

static void *make_echo(struct vm *vm, struct channel_bus *bus,
		       const struct channel_params *params)
{
	(void)vm;
	return echo_new(bus, params);
}

static void free_echo(void *device)
{
	echo_free(device);
}

static const struct device_row devices[] = {
	{"echo", true, make_echo, free_echo},
};

#define N_DEVICES G_N_ELEMENTS(devices)

struct vmbus_host {
	/* set once */
	struct vm *vm;
	struct vmbus_thread *bus;
	struct channel_bus *channels;
	struct guid machine;
	void *devices[N_DEVICES]; /* NULL: left out */

	pthread_mutex_t lock; /* a leaf */
	/* lock */
	struct vmbus_connection last; /* the last that was agreed on */

	/* main thread */
	struct report_vmbus report;
};

/* --- what the bus tells us: its thread ------------------------------------ */

static void on_connected(void *ctx, const struct vmbus_connection *c)
{
	struct vmbus_host *h = ctx;

	milestone_reach(&h->vm->milestones, MILESTONE_VMBUS_CONTACT);
	pthread_mutex_lock(&h->lock);
	h->last = *c;
	pthread_mutex_unlock(&h->lock);
}

static void on_offers_sent(void *ctx)
{
	struct vmbus_host *h = ctx;

	milestone_reach(&h->vm->milestones, MILESTONE_VMBUS_OFFERS);
}

static void on_disconnected(void *ctx)
{
	(void)ctx;
	log_debug_ratelimited("the guest is gone");
}

static void on_unloaded(void *ctx)
{
	struct vmbus_host *h = ctx;

	milestone_reach(&h->vm->milestones, MILESTONE_UNLOAD);
}

static const struct vmbus_events bus_events = {
	.connected = on_connected,
	.offers_sent = on_offers_sent,
	.disconnected = on_disconnected,
	.unloaded = on_unloaded,
};

/* --- devices ----------------------------------------------------------------- */

static void add_device(struct vmbus_host *h, uint32_t i)
{
	const struct device_row *row = &devices[i];
	struct channel_params params = {
		.name = row->name,
		.if_instance = guid_derive(&h->machine, row->name),
		.order = i,
	};

	if (!row->is_test || h->vm->config->test_devices)
		h->devices[i] = row->make(h->vm, h->channels, &params);
}

/* --- life ---------------------------------------------------------------------- */

struct vmbus_host *vmbus_host_new(struct vm *vm, GError **error)
{
	struct vmbus_host *h = g_new0(struct vmbus_host, 1);

	h->vm = vm;
	pthread_mutex_init(&h->lock, NULL);
	guid_parse(vm->config->uuid, &h->machine);
	h->bus = vmbus_thread_new(
		&(struct vmbus_thread_params){
			.max_version = vm->profile->vmbus_version,
			.n_vps = vm->n_vcpus,
			.gpadl_bytes_max = (uint64_t)vm->profile->gpadl_mib
					   << 20,
			.mem = vm->mem,
			.synic = vm->synic,
			.ports = vm->ports,
			.events = &bus_events,
			.ctx = h,
		},
		error);
	if (!h->bus)
		goto fail;
	h->channels = channel_bus_new(
		&(struct channel_bus_params){.thread = h->bus,
					     .mem = vm->mem,
					     .synic = vm->synic,
					     .ports = vm->ports},
		error);
	if (!h->channels)
		goto fail;
	for (uint32_t i = 0; i < N_DEVICES; i++)
		add_device(h, i);
	return h;
fail:
	vmbus_host_free(h);
	return NULL;
}

void vmbus_host_free(struct vmbus_host *host)
{
	if (!host)
		return;
	for (uint32_t i = 0; i < N_DEVICES; i++) {
		if (host->devices[i])
			devices[i].free(host->devices[i]);
	}
	/* Channels want the thread, and the thread wants workers to close. */
	vmbus_thread_free(host->bus);
	channel_bus_free(host->channels);
	pthread_mutex_destroy(&host->lock);
	g_free(host);
}

void vmbus_host_pause(struct vmbus_host *host)
{
	vmbus_thread_pause(host->bus);
}

void vmbus_host_resume(struct vmbus_host *host)
{
	vmbus_thread_resume(host->bus);
}

void vmbus_host_reset(struct vmbus_host *host)
{
	vmbus_thread_reset(host->bus);
}

const struct report_vmbus *vmbus_host_report(struct vmbus_host *host)
{
	struct report_vmbus *r = &host->report;
	const struct vmbus_server *server = vmbus_thread_lock(host->bus);
	struct vmbus_server_stats stats;

	vmbus_server_get_stats(server, &stats);
	*r = (struct report_vmbus){
		.max_version = host->vm->profile->vmbus_version,
		.connected = vmbus_server_connection(server)->version != 0,
		.messages = vmbus_server_coverage(server),
		.contacts = stats.contacts,
		.ignored = stats.ignored,
		.dropped = stats.dropped,
		.waiting_peak = stats.out_peak,
		.n_offers = stats.n_offers,
		.n_gpadls = stats.n_gpadls,
		.gpadl_bytes = stats.gpadl_bytes,
		.gpadl_bytes_max = (uint64_t)host->vm->profile->gpadl_mib << 20,
		.gpadls_expired = stats.expired,
	};
	vmbus_thread_unlock(host->bus);
	pthread_mutex_lock(&host->lock);
	r->version = host->last.version;
	r->features = host->last.features;
	r->message_vp = host->last.message_vp;
	pthread_mutex_unlock(&host->lock);
	return r;
}
