/* SPDX-License-Identifier: MIT */
#include "vm/dump/vm_dump.h"

#include "base/log.h"
#include "kvm/kvm_vcpu.h"
#include "mem/gmem.h"
#include "report/event.h"
#include "vm/dump/core_file.h"
#include "vm/vm.h"
#include "vm/vm_events.h"
#include "vm/vm_private.h"
#include "vsp/balloon.h"

#define LOG_CATEGORY "vm"

#define MSR_KERNEL_GS_BASE 0xC0000102u

/* RAM below the hole, above it, and what was added. */
#define REGIONS_MAX 3

static int read_cpu(const struct vcpu *v, struct core_cpu *c)
{
	int err = kvm_vcpu_get_regs(v->kvm, &c->regs);

	if (!err)
		err = kvm_vcpu_get_sregs(v->kvm, &c->sregs);
	if (!err)
		err = kvm_vcpu_get_msr(v->kvm, MSR_KERNEL_GS_BASE,
				       &c->kernel_gs_base);
	return err;
}

static void add_region(struct core_file *core, struct core_region *regions,
		       const struct gmem_region *r)
{
	regions[core->n_regions++] = (struct core_region){
		.gpa = r->gpa,
		.bytes = r->bytes,
		.host = r->host,
	};
}

/* Spare RAM that a kernel has been given some of. */
static const struct gmem_region *added(struct vm *vm)
{
	struct balloon *b = vm_device(vm, &balloon_ops);
	struct balloon_status s = {0};

	if (b)
		balloon_get_status(b, &s);
	return s.given_bytes ? gmem_spare(vm->mem) : NULL;
}

static int dump_stopped(struct vm *vm, const char *path, GError **error)
{
	g_autofree struct core_cpu *cpus = g_new0(struct core_cpu, vm->n_vcpus);
	struct core_region regions[REGIONS_MAX];
	struct core_file core = {
		.cpus = cpus, .n_cpus = vm->n_vcpus, .regions = regions};
	const struct gmem_region *spare = added(vm);
	const struct gmem_region *ram;
	unsigned int n;

	for (unsigned int i = 0; i < vm->n_vcpus; i++) {
		int err = read_cpu(&vm->vcpus[i], &cpus[i]);

		if (err) {
			g_set_error(error, VM_ERROR, -err,
				    "registers of processor %u: %s", i,
				    g_strerror(-err));
			return -1;
		}
	}
	ram = gmem_regions(vm->mem, &n);
	for (unsigned int i = 0; i < n; i++)
		add_region(&core, regions, &ram[i]);
	if (spare)
		add_region(&core, regions, spare);
	return core_file_write(&core, path, error);
}

int vm_dump(struct vm *vm, const char *path, GError **error)
{
	int ret;

	vm_pause(vm);
	log_info("the guest is dumped to %s", path);
	ret = dump_stopped(vm, path, error);
	vm_resume(vm);
	return ret;
}

void vm_dump_tell(struct vm *vm, const GError *error)
{
	struct event *e = event_new(EVENT_DUMP_COMPLETED);

	if (error)
		event_add_text(e, "error", error->message);
	event_begin(e, "result");
	event_add_text(e, "status", error ? "failed" : "completed");
	vm_events_tell(vm->events, e);
}
