/* SPDX-License-Identifier: MIT */
/*
 * vm_time.c - one TSC for all processors, and reference time made from it.
 *
 * KVM is told the offset of the guest's TSC from the host's, the same for
 * every processor, so that we know both exactly.  Where it cannot be told
 * (before Linux 5.16, or where the guest reads the host's own TSC) the offset
 * that KVM chose is measured: it lies between what two reads of the host's TSC
 * around a read of the guest's allow, and a few hundred tries leave little.
 */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "kvm/kvm.h"
#include "kvm/kvm_vcpu.h"
#include "partition/partition.h"
#include "synic/ref_time.h"
#include "vm/vm.h"
#include "vm/vm_private.h"

#define LOG_CATEGORY "time"

#define MSR_IA32_TSC  0x10u
#define MEASURE_TRIES 300

static int set_offset(struct vm *vm, int64_t offset)
{
	for (unsigned int i = 0; i < vm->n_vcpus; i++) {
		int err = kvm_vcpu_set_tsc_offset(vm->vcpus[i].kvm, offset);

		if (err)
			return err;
	}
	vm->tsc_offset = offset;
	return 0;
}

static int measure_offset(struct vm *vm, int64_t *offset)
{
	int64_t lowest = INT64_MIN, highest = INT64_MAX;

	for (unsigned int i = 0; i < MEASURE_TRIES; i++) {
		uint64_t before = clock_tsc(), guest, after;
		int err = kvm_vcpu_get_msr(vm->vcpus[0].kvm, MSR_IA32_TSC,
					   &guest);

		after = clock_tsc();
		if (err)
			return err;
		lowest = MAX(lowest, (int64_t)(guest - after));
		highest = MIN(highest, (int64_t)(guest - before));
	}
	log_debug("guest TSC offset measured: %" G_GINT64_FORMAT
		  " to %" G_GINT64_FORMAT,
		  lowest, highest);
	if (lowest > highest)
		return -EIO;
	/* The guest reads the host's TSC: no guess is as good as that. */
	if (lowest <= 0 && highest >= 0)
		*offset = 0;
	else
		*offset = lowest + (highest - lowest) / 2;
	return 0;
}

int vm_time_init(struct vm *vm, GError **error)
{
	int khz = kvm_vcpu_tsc_khz(vm->vcpus[0].kvm);
	bool reliable = clock_tsc_is_reliable();
	int err = khz > 0 ? 0 : khz;

	if (!err) {
		vm->tsc_hz = (uint64_t)khz * 1000;
		err = set_offset(vm, -(int64_t)clock_tsc());
		vm->tsc_offset_settable = !err;
		if (err == -ENOTSUP)
			err = measure_offset(vm, &vm->tsc_offset);
	}
	if (err) {
		g_set_error(error, VM_ERROR, -err,
			    "guest TSC: cannot be set or measured: %s",
			    g_strerror(-err));
		return -1;
	}
	if (!reliable)
		log_warn("the host does not trust its TSC: the reference TSC "
			 "page is offered as invalid");
	vm->ref_time = ref_time_new(&ref_clock_host, vm->tsc_hz, vm->tsc_offset,
				    reliable);
	return 0;
}

/* Where the TSC cannot be stopped, reference time runs on with it. */
void vm_time_pause(struct vm *vm)
{
	if (!vm->tsc_offset_settable || vm->paused_tsc)
		return;
	vm->paused_tsc = clock_tsc();
	ref_time_freeze(vm->ref_time);
}

void vm_time_resume(struct vm *vm)
{
	int64_t stood_still;

	if (!vm->tsc_offset_settable || !vm->paused_tsc)
		return;
	stood_still = (int64_t)(clock_tsc() - vm->paused_tsc);
	if (set_offset(vm, vm->tsc_offset - stood_still))
		log_warn("the guest TSC cannot be set back after a pause");
	ref_time_thaw(vm->ref_time, vm->tsc_offset);
	vm->paused_tsc = 0;
}

static void reenlighten(struct vm *vm)
{
	uint8_t vector;
	uint32_t vp;

	if (partition_reenlightenment(vm->partition, &vp, &vector))
		vm_interrupt(vm, vp, vector);
}

void vm_time_jump(struct vm *vm, int32_t ms, bool reference)
{
	int64_t ticks = (int64_t)ms * ((int64_t)vm->tsc_hz / 1000);

	if (!vm->tsc_offset_settable) {
		log_warn("this host cannot set the guest's TSC");
		return;
	}
	vm_pause(vm);
	vm->tsc_offset += ticks;
	if (reference)
		ref_time_jump(vm->ref_time,
			      (int64_t)ms * (int64_t)(REF_TIME_PER_SEC / 1000));
	else
		reenlighten(vm);
	vm_resume(vm);
}
