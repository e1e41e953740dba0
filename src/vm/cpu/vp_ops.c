/* SPDX-License-Identifier: MIT */
/*
 * vp_ops.c - what synic, hypercalls, partition and overlays ask of the
 * machine, done with KVM.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <sched.h>
#include <string.h>

#include "base/log.h"
#include "hypercalls/hypercall.h"
#include "kvm/kvm.h"
#include "kvm/kvm_vcpu.h"
#include "mem/gmem.h"
#include "mem/overlay.h"
#include "partition/partition.h"
#include "proto/hv_tlfs.h"
#include "synic/synic.h"
#include "vm/vm_private.h"

#define LOG_CATEGORY "vp"

/* KVM's local APIC counts nanoseconds: apic_bus_cycle_ns is 1 by default. */
#define APIC_BUS_HZ 1000000000ull

/* xAPIC-style registers of HV_X64_MSR_ICR */
#define ICR_VECTOR_MASK     0xFFu
#define ICR_MODE_SHIFT      8
#define ICR_MODE_MASK       7u
#define ICR_MODE_INIT       5u
#define ICR_LOGICAL         (1u << 11)
#define ICR_ASSERT          (1u << 14)
#define ICR_LEVEL           (1u << 15)
#define ICR_SHORTHAND_SHIFT 18
#define ICR_SHORTHAND_MASK  3u
#define ICR_DEST_SHIFT      56
#define ICR_BROADCAST       0xFFu
#define SHORTHAND_SELF      1u
#define SHORTHAND_ALL       2u
#define SHORTHAND_OTHERS    3u

#define TPR_SHIFT 4

void vm_interrupt(struct vm *vm, uint32_t vp, uint8_t vector)
{
	/* 0: the guest has switched its APIC off, and misses the interrupt */
	kvm_signal_msi(vm->kvm, vm->vcpus[vp].apic_id, KVM_MSI_FIXED, vector);
	vcpu_wake_idle(&vm->vcpus[vp]);
}

static void synic_interrupt(void *ctx, uint32_t vp, uint8_t vector,
			    bool auto_eoi)
{
	struct vm *vm = ctx;

	vm_interrupt(vm, vp, vector);
	if (auto_eoi) {
		struct vcpu *v = &vm->vcpus[vp];

		atomic_fetch_or(&v->auto_eoi[vector / 64], 1ull << vector % 64);
		vcpu_request(v, VCPU_REQUEST_AUTO_EOI);
	}
}

const struct synic_ops vm_synic_ops = {
	.interrupt = synic_interrupt,
};

static int read_xmm(void *ctx, uint32_t vp, uint8_t xmm[6][16])
{
	struct vm *vm = ctx;

	return kvm_vcpu_get_xmm(vm->vcpus[vp].kvm, xmm);
}

static int write_xmm(void *ctx, uint32_t vp, const uint8_t xmm[6][16])
{
	struct vm *vm = ctx;

	return kvm_vcpu_set_xmm(vm->vcpus[vp].kvm, xmm);
}

static void flush_tlb(void *ctx, uint32_t caller, const struct vp_bitmap *vps)
{
	struct vm *vm = ctx;

	vcpus_flush_tlb(&vm->vcpus[caller], vps);
}

static void send_ipi(void *ctx, const struct vp_bitmap *vps, uint8_t vector)
{
	struct vm *vm = ctx;

	vp_bitmap_for_each (vp, vps) {
		if (vp < vm->n_vcpus)
			vm_interrupt(vm, vp, vector);
	}
}

static int get_register(void *ctx, uint32_t caller, uint32_t vp, uint32_t name,
			struct hv_register_value *value)
{
	struct vm *vm = ctx;

	return partition_get_register(vm->partition, caller, vp, name, value);
}

static int set_register(void *ctx, uint32_t caller, uint32_t vp, uint32_t name,
			const struct hv_register_value *value)
{
	struct vm *vm = ctx;

	return partition_set_register(vm->partition, caller, vp, name, value);
}

static int vp_index_of_apic_id(void *ctx, uint32_t apic_id)
{
	const struct vm *vm = ctx;

	int vp = topology_vp(&vm->topology, apic_id);

	return vp >= 0 && (unsigned int)vp < vm->n_vcpus ? vp : -ENOENT;
}

static void yield(void *ctx, uint32_t vp)
{
	(void)ctx;
	(void)vp;
	sched_yield();
}

static void discard(void *ctx, uint64_t gpa, uint64_t bytes)
{
	struct vm *vm = ctx;

	/* Only a hint: what cannot be given back is kept. */
	if (gmem_discard(vm->mem, gpa, bytes))
		log_debug_ratelimited("guest memory could not be given back");
}

const struct hypercall_ops vm_hypercall_ops = {
	.read_xmm = read_xmm,
	.write_xmm = write_xmm,
	.flush_tlb = flush_tlb,
	.send_ipi = send_ipi,
	.get_register = get_register,
	.set_register = set_register,
	.vp_index_of_apic_id = vp_index_of_apic_id,
	.yield = yield,
	.discard = discard,
};

static void crash(void *ctx, uint32_t vp, const uint64_t p[5], uint64_t ctl,
		  const char *message)
{
	struct vm *vm = ctx;

	(void)vp;
	(void)ctl;
	pthread_mutex_lock(&vm->lock);
	memcpy(vm->crash, p, sizeof(vm->crash));
	vm->crashed = true;
	if (message) {
		g_free(vm->crash_message);
		vm->crash_message = g_strdup(message);
	}
	pthread_mutex_unlock(&vm->lock);
	vm_post_event(vm, VM_EVENT_CRASH, 0, "the guest reported a crash");
}

static void reset(void *ctx, uint32_t vp)
{
	(void)vp;
	vm_post_event(ctx, VM_EVENT_RESET, 0, "reset register");
}

static uint64_t runtime_100ns(void *ctx, uint32_t vp)
{
	const struct vm *vm = ctx;

	return vcpu_runtime_100ns(&vm->vcpus[vp]);
}

static uint64_t apic_hz(void *ctx)
{
	(void)ctx;
	return APIC_BUS_HZ;
}

static int apic_read(void *ctx, uint32_t vp, uint32_t msr, uint64_t *value)
{
	struct vm *vm = ctx;
	struct kvm_sregs sregs;

	switch (msr) {
	case HV_X64_MSR_TPR:
		if (kvm_vcpu_get_sregs(vm->vcpus[vp].kvm, &sregs))
			return -EINVAL;
		*value = sregs.cr8 << TPR_SHIFT;
		return 0;
	case HV_X64_MSR_ICR:
		/* Delivery is never pending; nobody reads the rest back. */
		*value = 0;
		return 0;
	default:
		return -EINVAL;
	}
}

static void write_icr(struct vm *vm, uint32_t self, uint64_t icr)
{
	unsigned int mode =
		(unsigned int)(icr >> ICR_MODE_SHIFT) & ICR_MODE_MASK;
	unsigned int shorthand =
		(unsigned int)(icr >> ICR_SHORTHAND_SHIFT) & ICR_SHORTHAND_MASK;
	uint8_t dest = (uint8_t)(icr >> ICR_DEST_SHIFT);

	/* The end of an INIT does nothing since the APIC is in the processor. */
	if (mode == ICR_MODE_INIT && icr & ICR_LEVEL && !(icr & ICR_ASSERT))
		return;
	for (uint32_t vp = 0; vp < vm->n_vcpus; vp++) {
		uint32_t id = vm->vcpus[vp].apic_id;
		bool hit;

		if (shorthand == SHORTHAND_SELF)
			hit = vp == self;
		else if (shorthand == SHORTHAND_ALL)
			hit = true;
		else if (shorthand == SHORTHAND_OTHERS)
			hit = vp != self;
		else if (icr & ICR_LOGICAL) /* flat model: a bit per VP */
			hit = vp < 8 && dest >> vp & 1;
		else
			hit = dest == ICR_BROADCAST || dest == id;
		if (!hit)
			continue;
		kvm_signal_msi(vm->kvm, id, mode,
			       (uint8_t)(icr & ICR_VECTOR_MASK));
		vcpu_wake_idle(&vm->vcpus[vp]);
	}
}

static int apic_write(void *ctx, uint32_t vp, uint32_t msr, uint64_t value)
{
	struct vm *vm = ctx;
	struct vcpu *v = &vm->vcpus[vp];
	struct kvm_sregs sregs;
	uint8_t vector;

	switch (msr) {
	case HV_X64_MSR_EOI:
		if (kvm_vcpu_end_of_interrupt(v->kvm, &vector))
			return -EINVAL;
		if (vector)
			synic_eoi(vm->synic, vp, vector);
		return 0;
	case HV_X64_MSR_ICR:
		write_icr(vm, vp, value);
		return 0;
	case HV_X64_MSR_TPR:
		if (value > UINT8_MAX || kvm_vcpu_get_sregs(v->kvm, &sregs))
			return -EINVAL;
		sregs.cr8 = value >> TPR_SHIFT;
		return kvm_vcpu_set_sregs(v->kvm, &sregs) ? -EINVAL : 0;
	default:
		return -EINVAL;
	}
}

static void assist_shown(void *ctx, uint32_t vp, uint64_t gpa)
{
	struct vm *vm = ctx;

	/* Without it the guest ends each interrupt, as it must. */
	if (vm->lazy_eoi && kvm_vcpu_lazy_eoi(vm->vcpus[vp].kvm, gpa))
		log_debug_ratelimited("processor %u: no EOI assist", vp);
}

static void assist_hidden(void *ctx, uint32_t vp)
{
	struct vm *vm = ctx;

	if (vm->lazy_eoi)
		kvm_vcpu_lazy_eoi(vm->vcpus[vp].kvm, KVM_VCPU_EAGER_EOI);
}

static void idle(void *ctx, uint32_t vp)
{
	struct vm *vm = ctx;

	vcpu_wait_idle(&vm->vcpus[vp]);
}

static void reached(void *ctx, enum partition_milestone which)
{
	static const enum milestone table[PARTITION_N_MILESTONES] = {
		[PARTITION_GUEST_OS_ID] = MILESTONE_GUEST_OS_ID,
		[PARTITION_HYPERCALL_PAGE] = MILESTONE_HYPERCALL_PAGE,
		[PARTITION_REFERENCE_TSC] = MILESTONE_REFERENCE_TSC,
		[PARTITION_SYNIC] = MILESTONE_SYNIC,
		[PARTITION_STIMER] = MILESTONE_STIMER,
	};
	struct vm *vm = ctx;

	/* A guest that goes takes its id back; the report keeps it. */
	if (which == PARTITION_GUEST_OS_ID)
		atomic_store(&vm->guest_os_id,
			     partition_guest_os_id(vm->partition));
	milestone_reach(&vm->milestones, table[which]);
}

const struct partition_ops vm_partition_ops = {
	.crash = crash,
	.reset = reset,
	.runtime_100ns = runtime_100ns,
	.apic_hz = apic_hz,
	.apic_read = apic_read,
	.apic_write = apic_write,
	.assist_shown = assist_shown,
	.assist_hidden = assist_hidden,
	.idle = idle,
	.milestone = reached,
};

static int hole_map(void *ctx, uint64_t gpa, void *host)
{
	struct vm *vm = ctx;

	return kvm_map(vm->kvm, gpa, HV_PAGE_SIZE, host);
}

static int hole_unmap(void *ctx, uint64_t gpa)
{
	struct vm *vm = ctx;

	return kvm_unmap(vm->kvm, gpa);
}

const struct overlay_hole_ops vm_overlay_hole_ops = {
	.map = hole_map,
	.unmap = hole_unmap,
};
