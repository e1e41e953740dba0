/* SPDX-License-Identifier: MIT */
#include "vm/devices/vmbus_host.h"

#include <linux/kvm.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/guid.h"
#include "base/log.h"
#include "base/trace.h"
#include "config/machine_config.h"
#include "hypercalls/hypercall.h"
#include "hypercalls/page.h"
#include "kvm/kvm.h"
#include "partition/features.h"
#include "partition/profile.h"
#include "proto/hv_tlfs.h"
#include "vm/devices/vmbus_devices.h"
#include "vm/vm_private.h"
#include "vsp/hvsock/hvsock.h"
#include "vsp/vmbus/channel.h"
#include "vsp/vmbus/server_thread.h"

#define LOG_CATEGORY "vmbus"

struct vmbus_host {
	/* set once */
	struct vm *vm;
	struct vmbus_thread *bus;
	struct channel_bus *channels;
	struct vmbus_devices *devices;

	pthread_mutex_t lock; /* a leaf */
	/* lock */
	struct vmbus_connection last; /* the last that was agreed on */

	/* any thread */
	_Atomic bool settle_due; /* settle() will be called */

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

/* NULL: the machine has none.  The devices are there before the guest runs. */
static struct hvsock *find_hvsock(struct vmbus_host *h)
{
	return h->devices ? vmbus_devices_find(h->devices, &hvsock_ops) : NULL;
}

static void on_disconnected(void *ctx)
{
	struct hvsock *hvsock = find_hvsock(ctx);

	if (hvsock)
		hvsock_disconnected(hvsock);
	log_debug_ratelimited("the guest is gone");
}

static void on_unloaded(void *ctx)
{
	struct vmbus_host *h = ctx;

	milestone_reach(&h->vm->milestones, MILESTONE_UNLOAD);
}

static void on_tl_connect(void *ctx, const struct guid *endpoint,
			  const struct guid *service, const struct guid *silo)
{
	struct hvsock *hvsock = find_hvsock(ctx);

	(void)silo; /* of containers, which Linux does not know */
	if (hvsock)
		hvsock_connect(hvsock, endpoint, service);
	else
		vmbus_host_refuse_tl_connect(ctx, endpoint, service);
}

void vmbus_host_refuse_tl_connect(struct vmbus_host *host,
				  const struct guid *endpoint,
				  const struct guid *service)
{
	vmbus_server_refuse_tl_connect(vmbus_thread_lock(host->bus), endpoint,
				       service);
	vmbus_thread_unlock(host->bus);
}

static const struct vmbus_events bus_events = {
	.connected = on_connected,
	.offers_sent = on_offers_sent,
	.disconnected = on_disconnected,
	.unloaded = on_unloaded,
	.tl_connect = on_tl_connect,
};

/* Main thread: stop the processors for it, which settles. */
static gboolean settle(gpointer data)
{
	struct vmbus_host *h = data;
	struct vm *vm = h->vm;

	atomic_store(&h->settle_due, false);
	vm_pause(vm);
	vm_resume(vm);
	return G_SOURCE_REMOVE;
}

/* Any thread. */
static void on_settle(void *ctx)
{
	struct vmbus_host *h = ctx;

	/* Its turn comes with all others', whatever the main thread does. */
	if (!atomic_exchange(&h->settle_due, true))
		g_idle_add_full(G_PRIORITY_DEFAULT, settle, h, NULL);
}

/* --- doorbells: workers ---------------------------------------------------- */

static int set_doorbell(void *ctx, uint32_t connection_id, int fd, bool on)
{
	struct vmbus_host *h = ctx;

	return kvm_port_event(h->vm->kvm, DOORBELL_PORT, connection_id, fd, on);
}

static void count_signals(void *ctx, uint64_t n)
{
	struct vmbus_host *h = ctx;

	hypercalls_signalled(h->vm->hypercalls, n);
}

static bool runs_on(void *ctx, int processor)
{
	struct vmbus_host *h = ctx;

	for (unsigned int i = 0; i < h->vm->n_vcpus; i++) {
		if (atomic_load_explicit(&h->vm->vcpus[i].processor,
					 memory_order_relaxed) == processor)
			return true;
	}
	return false;
}

static const struct doorbell_ops doorbell_ops = {
	.set = set_doorbell,
	.count = count_signals,
	.runs_on = runs_on,
};

/*
 * Not past a guest that has no right to signal, nor past those who want to see
 * each.
 */
static const struct doorbell_ops *doorbells(const struct vm *vm)
{
	const struct trace_config *trace = &vm->config->trace;
	uint32_t ebx = (uint32_t)(partition_privileges(&vm->features) >> 32);

	if (!(ebx & HV_SIGNAL_EVENTS))
		return NULL;
	if (trace->file &&
	    trace->mask & (1u << TRACE_HYPERCALL | 1u << TRACE_RING))
		return NULL;
	return kvm_value(vm->kvm, KVM_CAP_IOEVENTFD) > 0 ? &doorbell_ops : NULL;
}

/* --- life ---------------------------------------------------------------------- */

struct vmbus_host *vmbus_host_new(struct vm *vm, GError **error)
{
	struct vmbus_host *h = g_new0(struct vmbus_host, 1);
	struct guid machine = {0};

	h->vm = vm;
	pthread_mutex_init(&h->lock, NULL);
	guid_parse(vm->config->uuid, &machine);
	h->bus = vmbus_thread_new(
		&(struct vmbus_thread_params){
			.max_version = vm->vmbus_version,
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
					     .ports = vm->ports,
					     .needless_max =
						     vm->config->signals_max,
					     .settle = on_settle,
					     .doorbell = doorbells(vm),
					     .ctx = h},
		error);
	if (!h->channels)
		goto fail;
	h->devices = vmbus_devices_new(vm, h->channels, &machine, error);
	if (!h->devices)
		goto fail;
	if (vm->config->hvsock && !find_hvsock(h))
		log_warn("--hvsock: %s has no stream sockets",
			 vm->profile->name);
	if (find_hvsock(h) &&
	    !hvsock_listen(find_hvsock(h), vm->config->hvsock, error))
		goto fail;
	return h;
fail:
	vmbus_host_free(h);
	return NULL;
}

void vmbus_host_free(struct vmbus_host *host)
{
	struct vmbus_devices *devices;

	if (!host)
		return;
	/* Devices are told that the guest is gone while there are any. */
	if (host->bus) {
		vmbus_thread_pause(host->bus);
		vmbus_thread_reset(host->bus);
	}
	devices = host->devices;
	host->devices = NULL;
	vmbus_devices_free(devices);
	/* Channels want the thread, and the thread wants workers to close. */
	vmbus_thread_free(host->bus);
	channel_bus_free(host->channels);
	while (g_idle_remove_by_data(host))
		;
	pthread_mutex_destroy(&host->lock);
	g_free(host);
}

void vmbus_host_pause(struct vmbus_host *host)
{
	vmbus_devices_run(host->devices, false);
	vmbus_thread_pause(host->bus);
}

void vmbus_host_resume(struct vmbus_host *host)
{
	vmbus_thread_resume(host->bus);
	vmbus_devices_run(host->devices, true);
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
		.max_version = host->vm->vmbus_version,
		.connected = vmbus_server_connection(server)->version != 0,
		.messages = vmbus_server_coverage(server),
		.contacts = stats.contacts,
		.ignored = stats.ignored,
		.dropped = stats.dropped,
		.waiting_peak = stats.out_peak,
		.n_offers = stats.n_offers,
		.n_relids = stats.n_relids,
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

const struct report_device *vmbus_host_devices(struct vmbus_host *host,
					       unsigned int *n)
{
	return vmbus_devices_report(host->devices, n);
}

void *vmbus_host_find(struct vmbus_host *host, const struct vsp_ops *ops)
{
	return vmbus_devices_find(host->devices, ops);
}

struct channel *vmbus_host_channel(struct vmbus_host *host, const char *name)
{
	return vmbus_devices_channel(host->devices, name);
}

int vmbus_host_add(struct vmbus_host *host, const char *kind, unsigned int n,
		   GError **error)
{
	return vmbus_devices_add(host->devices, kind, n, error);
}

struct vmbus_devices *vmbus_host_all(struct vmbus_host *host)
{
	return host->devices;
}
