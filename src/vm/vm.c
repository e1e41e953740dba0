/* SPDX-License-Identifier: MIT */
/*
 * vm.c - construction, in the one order in which it works, and its mirror.
 */
#include "vm/vm.h"

#include <errno.h>
#include <linux/kvm.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "config/machine_config.h"
#include "devices/bus.h"
#include "hypercalls/hypercall.h"
#include "kvm/kvm.h"
#include "kvm/kvm_vcpu.h"
#include "mem/gmem.h"
#include "mem/gmem_provide.h"
#include "mem/overlay.h"
#include "partition/enlightenment.h"
#include "partition/partition.h"
#include "partition/profile.h"
#include "report/event.h"
#include "synic/ports.h"
#include "synic/ref_time.h"
#include "synic/synic.h"
#include "synic/timer_queue.h"
#include "vm/devices/vm_disks.h"
#include "vm/devices/vm_hotplug.h"
#include "vm/devices/vm_nics.h"
#include "vm/devices/vm_serials.h"
#include "vm/devices/vmbus_host.h"
#include "vm/dump/crash_dump.h"
#include "vm/vm_events.h"
#include "vm/vm_faults.h"
#include "vm/vm_private.h"

#define LOG_CATEGORY "vm"

/* MADT entries for processors that could be added, as old hosts have them. */
#define POSSIBLE_CPUS_OLD_HOST 240u

GQuark vm_error_quark(void)
{
	return g_quark_from_static_string("vm-error");
}

static int map_region(struct vm *vm, const struct gmem_region *region,
		      GError **error)
{
	int err = kvm_map(vm->kvm, region->gpa, region->bytes, region->host);

	if (!err)
		return 0;
	g_set_error(error, KVM_ERROR, -err,
		    "guest memory at 0x%" G_GINT64_MODIFIER "x: %s",
		    region->gpa, g_strerror(-err));
	return -1;
}

static int map_memory(struct vm *vm, GError **error)
{
	unsigned int n;
	const struct gmem_region *regions = gmem_regions(vm->mem, &n);
	const struct gmem_region *spare = gmem_spare(vm->mem);

	for (unsigned int i = 0; i < n; i++) {
		if (map_region(vm, &regions[i], error))
			return -1;
	}
	if (spare && map_region(vm, spare, error))
		return -1;
	vm->overlays = overlay_space_new(
		vm->mem,
		synic_overlays_needed(vm->n_vcpus) +
			partition_overlays_needed(vm->n_vcpus),
		error);
	if (!vm->overlays)
		return -1;
	overlay_space_set_hole_ops(vm->overlays, &vm_overlay_hole_ops, vm);
	return 0;
}

static int make_vcpus(struct vm *vm, GError **error)
{
	unsigned int max = kvm_max_vcpus(vm->kvm);

	if (vm->n_vcpus > max) {
		g_set_error(error, KVM_ERROR, 0,
			    "--vcpus %u: this host's KVM allows %u",
			    vm->n_vcpus, max);
		return -1;
	}
	vm->vcpus = g_new0(struct vcpu, vm->n_vcpus);
	for (unsigned int i = 0; i < vm->n_vcpus; i++) {
		if (vcpu_init(vm, i, error))
			return -1;
	}
	return 0;
}

/* The Hyper-V side; none of it can fail but its threads. */
static int make_partition(struct vm *vm, GError **error)
{
	uint64_t max_gpa = 1ull << vm->phys_bits;

	vm->ports = ports_new();
	vm->synic = synic_new(&(struct synic_params){
		.n_vps = vm->n_vcpus,
		.mem = vm->mem,
		.overlays = vm->overlays,
		.ref_time = vm->ref_time,
		.ops = &vm_synic_ops,
		.ctx = vm,
		.direct_timers =
			vm->features.edx & HV_STIMER_DIRECT_MODE_AVAILABLE,
		.sint_polling = vm->features.edx & HV_FEATURE_SINT_POLLING_MODE,
		.max_gpa = max_gpa,
	});
	vm->timers = timer_queue_new(vm->synic, vm->ref_time, error);
	if (!vm->timers)
		return -1;
	vm->partition = partition_new(&(struct partition_params){
		.features = &vm->features,
		.n_vps = vm->n_vcpus,
		.mem = vm->mem,
		.overlays = vm->overlays,
		.ref_time = vm->ref_time,
		.synic = vm->synic,
		.max_gpa = max_gpa,
		.ops = &vm_partition_ops,
		.ctx = vm,
	});
	vm->hypercalls = hypercalls_new(&(struct hypercalls_params){
		.mem = vm->mem,
		.ports = vm->ports,
		.n_vps = vm->n_vcpus,
		.privileges = partition_privileges(&vm->features),
		.features_edx = vm->features.edx,
		.hints = vm->features.hints,
		.ops = &vm_hypercall_ops,
		.ctx = vm,
	});
	vm->disks = vm_disks_new(vm->config, error);
	if (!vm->disks)
		return -1;
	vm_disks_listen(vm->disks, &vm_disks_events, vm);
	vm->nics = vm_nics_new(vm->config, error);
	if (!vm->nics)
		return -1;
	vm->vmbus = vmbus_host_new(vm, error);
	if (!vm->vmbus)
		return -1;
	vm_watch_balloon(vm);
	return 0;
}

/* Boot images and tables into RAM, which is all that it touches. */
static int load_images(const struct vm *vm, struct boot_entry *entry,
		       GError **error)
{
	struct boot_source source = {
		.kernel = vm->config->kernel,
		.initrd = vm->config->initrd,
		.cmdline = vm->config->cmdline,
	};
	g_autofree uint32_t *apic_ids = g_new(uint32_t, vm->n_possible_vcpus);
	struct boot_platform platform = {
		.apic_ids = apic_ids,
		.n_cpus = vm->n_vcpus,
		.n_possible_cpus = vm->n_possible_vcpus,
		.n_serial = vm_serials_count(vm->config),
		.phys_bits = vm->phys_bits,
		.srat = vm->config->srat,
		.vm_uuid = vm->config->uuid,
		.smbios = &vm->config->smbios,
		.genid = vm->config->genid,
		.i8042 = false,
	};

	for (unsigned int i = 0; i < vm->n_possible_vcpus; i++)
		apic_ids[i] = topology_apic_id(&vm->topology, i);
	return boot_load(vm->mem, &source, &platform, entry, error);
}

static int enter_kernel(struct vm *vm, const struct boot_entry *entry,
			GError **error)
{
	int err = vcpu_set_entry(&vm->vcpus[0], entry);

	vm->boot_protocol = entry->protocol;
	if (!err)
		return 0;
	g_set_error(error, VM_ERROR, -err,
		    "registers of the first processor: %s", g_strerror(-err));
	return -1;
}

int vm_load_kernel(struct vm *vm, GError **error)
{
	struct boot_entry entry = {0};

	if (load_images(vm, &entry, error))
		return -1;
	return enter_kernel(vm, &entry, error);
}

static int save_power_on_state(struct vm *vm, GError **error)
{
	vm->power_on_chips = kvm_chips_save(vm->kvm);
	for (unsigned int i = 0; i < vm->n_vcpus; i++) {
		vm->vcpus[i].power_on =
			kvm_vcpu_save(vm->kvm, vm->vcpus[i].kvm);
		if (!vm->vcpus[i].power_on || !vm->power_on_chips) {
			g_set_error(error, VM_ERROR, errno,
				    "power-on state: %s", g_strerror(errno));
			return -1;
		}
	}
	return 0;
}

static int start_threads(struct vm *vm, GError **error)
{
	int err = platform_start(vm->platform);

	for (unsigned int i = 0; i < vm->n_vcpus && !err; i++)
		err = vcpu_start(&vm->vcpus[i]);
	if (err) {
		g_set_error(error, VM_ERROR, -err, "threads: %s",
			    g_strerror(-err));
		return -1;
	}
	return 0;
}

/* The boot images on their way into RAM, on a thread of their own. */
struct loading {
	/* set before start, then read-only */
	const struct vm *vm;
	pthread_t thread;
	/* its thread; ours when that has ended */
	struct boot_entry entry;
	GError *error;
};

static void *load(void *arg)
{
	struct loading *l = arg;

	return GINT_TO_POINTER(load_images(l->vm, &l->entry, &l->error));
}

static int trap_msrs(struct vm *vm, GError **error)
{
	int err = kvm_trap_msrs(vm->kvm, !vm->lazy_eoi);

	if (!err)
		return 0;
	g_set_error(error, KVM_ERROR, -err,
		    "cannot trap the synthetic MSRs: %s", g_strerror(-err));
	return -1;
}

/* All processors that there are, or that tables say there could be. */
static void choose_processors(struct vm *vm)
{
	const struct machine_config *c = vm->config;
	struct cpu_config t;

	vm->n_vcpus = c->vcpus;
	vm->n_possible_vcpus = vm->n_vcpus;
	if (vm->profile->madt_possible_cpus)
		vm->n_possible_vcpus =
			MAX(vm->n_vcpus,
			    MIN(vm->profile->max_vps, POSSIBLE_CPUS_OLD_HOST));
	t = cpu_config_topology(&c->cpu, vm->n_possible_vcpus);
	topology_init(&vm->topology, t.sockets, t.dies, t.cores, t.threads);
	/* Who says how many there are of each has said it of all. */
	vm->n_possible_vcpus =
		MIN(vm->n_possible_vcpus,
		    t.sockets * topology_package_threads(&vm->topology));
}

static bool is_forbidden(const struct machine_config *c, const char *feature)
{
	const struct cpu_feature *f = cpu_feature_find(feature);

	for (guint i = 0; i < c->cpu.choices->len; i++) {
		const struct cpu_choice *choice =
			&g_array_index(c->cpu.choices, struct cpu_choice, i);

		if (choice->feature == f)
			return !choice->on;
	}
	return false;
}

static void choose_enlightenments(struct vm *vm, bool tsc_invariant)
{
	static const enum enlightenment_base bases[] = {
		[HYPERV_OF_PROFILE] = ENLIGHTENMENTS_OF_PROFILE,
		[HYPERV_NOTHING] = ENLIGHTENMENTS_NONE,
		[HYPERV_EVERYTHING] = ENLIGHTENMENTS_ALL,
	};
	const struct hyperv_config *h = &vm->config->hyperv;
	const char *kept[HYPERV_N_FEATURES + 1] = {NULL};
	const char *added[HYPERV_N_FEATURES + 1] = {NULL};
	uint32_t set = hyperv_config_features(h);
	unsigned int n_kept = 0, n_added = 0;

	for (unsigned int i = 0; i < HYPERV_N_FEATURES; i++) {
		const char *name = hyperv_feature_name((enum hyperv_feature)i);

		if (!(set & HYPERV_BIT(i)))
			continue;
		kept[n_kept++] = name;
		if (h->on & HYPERV_BIT(i))
			added[n_added++] = name;
	}
	enlightenments_choose(&vm->features,
			      &(struct enlightenment_choice){
				      .base = bases[h->base],
				      .kept = kept,
				      .added = added,
				      .spin_retries = h->spinlocks,
				      .vendor = h->vendor_id,
			      },
			      tsc_invariant);
}

static void choose_features(struct vm *vm, bool tsc_invariant)
{
	const struct machine_config *c = vm->config;

	vm->profile = profile_find(c->profile);
	vm->vmbus_version = profile_vmbus(vm->profile, c->vmbus_max);
	choose_processors(vm);
	tsc_invariant = tsc_invariant && !is_forbidden(c, "invtsc");
	partition_features_init(&vm->features, vm->profile, tsc_invariant,
				vm->n_vcpus, vm->n_possible_vcpus);
	choose_enlightenments(vm, tsc_invariant);
}

static int choose_pit(const struct vm *vm, GError **error)
{
	int err = 0;

	if (vm->config->clock.pit == TICK_DISCARD)
		err = kvm_pit_discard(vm->kvm);
	if (!err)
		return 0;
	g_set_error(error, KVM_ERROR, -err, "ticks of the PIT: %s",
		    g_strerror(-err));
	return -1;
}

static void choose_eoi(struct vm *vm)
{
	/* Without the register KVM must not take what is written to it. */
	vm->lazy_eoi = vm->features.eax & HV_MSR_APIC_ACCESS_AVAILABLE &&
		       !kvm_apic_is_accelerated() &&
		       kvm_vcpu_can_end_lazily(vm->vcpus[0].kvm);
	/* Who says which enlightenments there are has said so. */
	if (vm->lazy_eoi && vm->config->hyperv.base != HYPERV_NOTHING)
		partition_features_recommend_apic(&vm->features);
}

/* All but what is in RAM. */
static int make_machine(struct vm *vm, const struct kvm_cpuid2 *host_cpuid,
			GError **error)
{
	if (kvm_create_vm(vm->kvm, error) || choose_pit(vm, error) ||
	    map_memory(vm, error) || make_vcpus(vm, error))
		return -1;
	choose_eoi(vm);
	if (vm_cpuid_apply(vm, host_cpuid, error) || vm_time_init(vm, error) ||
	    make_partition(vm, error))
		return -1;
	vm->pio = bus_new("pio");
	vm->mmio = bus_new("mmio");
	vm->platform = platform_new(vm, error);
	if (!vm->platform || save_power_on_state(vm, error))
		return -1;
	return trap_msrs(vm, error);
}

/*
 * KVM waits for its readers, of whom there are none, at half of the calls
 * that make a machine; meanwhile the kernel is read.
 */
static int load_and_make_machine(struct vm *vm,
				 const struct kvm_cpuid2 *host_cpuid,
				 GError **error)
{
	struct loading l = {.vm = vm};
	void *not_loaded = NULL;
	int failed, err = thread_start(&l.thread, "loader", load, &l);

	if (err) {
		g_set_error(error, VM_ERROR, -err, "threads: %s",
			    g_strerror(-err));
		return -1;
	}
	failed = make_machine(vm, host_cpuid, error);
	pthread_join(l.thread, &not_loaded);
	if (failed) {
		g_clear_error(&l.error);
		return -1;
	}
	if (not_loaded) {
		g_propagate_error(error, l.error);
		return -1;
	}
	return enter_kernel(vm, &l.entry, error);
}

/* Any thread. */
static void tell_milestone(void *ctx, enum milestone which)
{
	struct vm *vm = ctx;
	struct event *e = event_new(EVENT_KVMBUS_MILESTONE);

	event_add_text(e, "name", milestone_name(which));
	event_add_number(e, "ms", milestone_ms(&vm->milestones, which));
	vm_events_tell(vm->events, e);
	vm_faults_reached(vm->faults, which);
}

int vm_provide_memory(const struct vm *vm, GError **error)
{
	const struct memory_backing *m = &vm->config->memory;

	if (m->locked && gmem_lock(error))
		return -1;
	if (!m->hugepages && !m->locked && !m->immediate)
		return 0;
	return gmem_provide(vm->mem, m->hugepages, error);
}

struct vm *vm_new(const struct machine_config *config, uint64_t start_ns,
		  GError **error)
{
	struct vm *vm = g_new0(struct vm, 1);
	g_autofree struct kvm_cpuid2 *host_cpuid = NULL;

	vm->config = config;
	vm->start_ns = start_ns;
	vm->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&vm->lock, NULL);
	pthread_cond_init(&vm->changed, NULL);
	milestones_init(&vm->milestones);
	vm->faults = vm_faults_new(vm);
	vm->events = vm_events_new();
	vm->milestones.reached = tell_milestone;
	vm->milestones.ctx = vm;
	vcpus_init_signal();
	choose_features(vm, clock_tsc_is_reliable());
	vm->clock = clock_config_offsets(&config->clock,
					 g_get_real_time() / G_USEC_PER_SEC);

	vm->kvm = kvm_open(error);
	if (!vm->kvm)
		goto fail;
	host_cpuid = vm_cpuid_host(vm, error);
	if (!host_cpuid)
		goto fail;
	vm->mem = gmem_new_with_spare(
		config->memory_mib << 20,
		config->memory_max_mib > config->memory_mib
			? (config->memory_max_mib - config->memory_mib) << 20
			: 0,
		error);
	if (!vm->mem || vm_check_memory(vm, error) ||
	    vm_provide_memory(vm, error) || crash_dump_prepare(config, error) ||
	    load_and_make_machine(vm, host_cpuid, error) ||
	    start_threads(vm, error))
		goto fail;
	return vm;
fail:
	vm_free(vm);
	return NULL;
}

/* The mirror of vm_new(): whoever may still call into something goes first. */
void vm_free(struct vm *vm)
{
	if (!vm)
		return;
	pthread_mutex_lock(&vm->lock);
	vm->run_state = VM_ENDING;
	pthread_cond_broadcast(&vm->changed);
	pthread_mutex_unlock(&vm->lock);
	vm_faults_stop(vm->faults);
	for (unsigned int i = 0; vm->vcpus && i < vm->n_vcpus; i++) {
		vcpu_request(&vm->vcpus[i], VCPU_REQUEST_STOP);
		vcpu_destroy(&vm->vcpus[i]);
	}
	timer_queue_free(vm->timers);
	vmbus_host_free(vm->vmbus);
	/* Nobody adds any more. */
	while (g_source_remove_by_user_data(vm))
		;
	vm_nics_end(vm);
	vm_nics_free(vm->nics);
	vm_disks_free(vm->disks);
	platform_free(vm->platform);
	bus_free(vm->mmio);
	bus_free(vm->pio);
	hypercalls_free(vm->hypercalls);
	partition_free(vm->partition);
	synic_free(vm->synic);
	ports_free(vm->ports);
	ref_time_free(vm->ref_time);
	g_free(vm->vcpus);
	g_free(vm->power_on_chips);
	overlay_space_free(vm->overlays);
	kvm_free(vm->kvm);
	gmem_free(vm->mem);
	vm_faults_free(vm->faults);
	pthread_cond_destroy(&vm->changed);
	pthread_mutex_destroy(&vm->lock);
	vm_events_free(vm->events);
	g_free(vm->event_detail);
	g_free(vm->stopped_by);
	g_free(vm->preserved_detail);
	g_free(vm->crash_message);
	if (vm->event_fd >= 0)
		close(vm->event_fd);
	g_free(vm);
}
