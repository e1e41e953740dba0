/* SPDX-License-Identifier: MIT */
/*
 * vcpu_exit.c - what a KVM_RUN came back for, and what is done about it.
 */
#include <errno.h>
#include <inttypes.h>
#include <linux/kvm.h>
#include <string.h>

#include "base/log.h"
#include "config/machine_config.h"
#include "devices/bus.h"
#include "hypercalls/hypercall.h"
#include "hypercalls/page.h"
#include "kvm/kvm_vcpu.h"
#include "partition/partition.h"
#include "proto/hv_tlfs.h"
#include "vm/vm_private.h"

#define LOG_CATEGORY "vcpu"

#define CR0_PE   (1u << 0)
#define EFER_LMA (1u << 10)

/* Is it one of the hypercall page's ports, and no old delay (outb 0xED)? */
static bool is_hypercall(const struct kvm_run *run)
{
	return run->io.direction == KVM_EXIT_IO_OUT &&
	       (run->io.port == HYPERCALL_PORT ||
		(run->io.port == DOORBELL_PORT && run->io.size == 4));
}

/*
 * The hypercall page's ports.  The registers are in the run page and go back
 * through it; KVM skips the instruction itself when it runs again.
 */
static void handle_hypercall(struct vcpu *v, struct kvm_run *run)
{
	struct kvm_regs *r = &run->s.regs.regs;
	struct hypercall_regs regs = {.rax = r->rax,
				      .rbx = r->rbx,
				      .rcx = r->rcx,
				      .rdx = r->rdx,
				      .rsi = r->rsi,
				      .rdi = r->rdi,
				      .r8 = r->r8};
	bool by_doorbell = run->io.port == DOORBELL_PORT;
	struct kvm_sregs sregs;
	bool protected_mode, long_mode;

	v->exits[VCPU_EXIT_HYPERCALL]++;
	if (kvm_vcpu_get_sregs(v->kvm, &sregs)) {
		vm_post_event(v->vm, VM_EVENT_FAILED, 0,
			      "cannot read the registers of a hypercall");
		return;
	}
	protected_mode = sregs.cr0 & CR0_PE;
	long_mode = sregs.efer & EFER_LMA && sregs.cs.l;
	if (!partition_hypercalls_enabled(v->vm->partition) ||
	    hypercalls_call(v->vm->hypercalls, v->index, &regs, long_mode,
			    sregs.ss.dpl, protected_mode) == HYPERCALL_UD) {
		if (kvm_vcpu_inject_ud(v->kvm, r->rip))
			vm_post_event(v->vm, VM_EVENT_FAILED, 0,
				      "cannot inject #UD");
		return;
	}
	r->rax = by_doorbell ? r->rax + regs.rax : regs.rax;
	r->rbx = regs.rbx;
	r->rcx = regs.rcx;
	r->rdx = regs.rdx;
	r->rsi = regs.rsi;
	r->rdi = regs.rdi;
	r->r8 = regs.r8;
	run->kvm_dirty_regs |= KVM_SYNC_X86_REGS;
}

static void handle_io(struct vcpu *v, struct kvm_run *run)
{
	uint8_t *data = (uint8_t *)run + run->io.data_offset;

	if (is_hypercall(run)) {
		handle_hypercall(v, run);
		return;
	}
	v->exits[VCPU_EXIT_IO]++;
	for (uint32_t i = 0; i < run->io.count; i++) {
		if (run->io.direction == KVM_EXIT_IO_IN)
			bus_read(v->vm->pio, run->io.port, data, run->io.size);
		else
			bus_write(v->vm->pio, run->io.port, data, run->io.size);
		data += run->io.size;
	}
}

static void handle_mmio(struct vcpu *v, struct kvm_run *run)
{
	v->exits[VCPU_EXIT_MMIO]++;
	if (run->mmio.is_write)
		bus_write(v->vm->mmio, run->mmio.phys_addr, run->mmio.data,
			  run->mmio.len);
	else
		bus_read(v->vm->mmio, run->mmio.phys_addr, run->mmio.data,
			 run->mmio.len);
}

static bool is_synthetic(uint32_t msr)
{
	return msr >= HV_X64_MSR_FIRST && msr <= HV_X64_MSR_LAST;
}

static void handle_rdmsr(struct vcpu *v, struct kvm_run *run)
{
	uint64_t value = 0;
	int err = -EINVAL;

	v->exits[VCPU_EXIT_RDMSR]++;
	if (is_synthetic(run->msr.index)) {
		err = partition_msr_read(v->vm->partition, v->index,
					 run->msr.index, &value);
	} else {
		v->msr_refused++;
		log_debug_ratelimited("processor %u: read of unknown MSR 0x%x",
				      v->index, run->msr.index);
		err = v->vm->config->ignore_msrs ? 0 : -EINVAL;
	}
	run->msr.data = value;
	run->msr.error = err ? 1 : 0;
}

/*
 * At an exit KVM takes "no EOI required" back, and thinks of it anew only when
 * it has a reason to look for interrupts; registers that were set are one.
 * Linux programs its timer in the timer's interrupt, before the EOI, so that
 * without this it would never be spared one.
 */
static void offer_lazy_eoi(const struct vcpu *v, struct kvm_run *run)
{
	if (v->vm->lazy_eoi)
		run->kvm_dirty_regs |= KVM_SYNC_X86_REGS;
}

static void handle_wrmsr(struct vcpu *v, struct kvm_run *run)
{
	int err = -EINVAL;

	v->exits[VCPU_EXIT_WRMSR]++;
	if (is_synthetic(run->msr.index)) {
		err = partition_msr_write(v->vm->partition, v->index,
					  run->msr.index, run->msr.data);
		offer_lazy_eoi(v, run);
	} else if (run->msr.index == MSR_IA32_TSC ||
		   run->msr.index == MSR_IA32_TSC_ADJUST) {
		partition_tsc_write(v->vm->partition, v->index, run->msr.index,
				    run->msr.data);
		log_warn_ratelimited("processor %u: a write to the TSC "
				     "(MSR 0x%x) was ignored",
				     v->index, run->msr.index);
		err = 0;
	} else {
		v->msr_refused++;
		log_debug_ratelimited("processor %u: write of 0x%llx to "
				      "unknown MSR 0x%x",
				      v->index,
				      (unsigned long long)run->msr.data,
				      run->msr.index);
		err = v->vm->config->ignore_msrs ? 0 : -EINVAL;
	}
	run->msr.error = err ? 1 : 0;
}

/* What KVM could not do, with the bytes that it choked on if it says so. */
static void handle_internal_error(struct vcpu *v, struct kvm_run *run)
{
	struct kvm_regs *regs = &run->s.regs.regs;
	GString *text = g_string_new(NULL);

	g_string_printf(text,
			"KVM gave up on processor %u at RIP 0x%llx: "
			"internal error %u",
			v->index, (unsigned long long)regs->rip,
			run->internal.suberror);
	if (run->internal.suberror == KVM_INTERNAL_ERROR_EMULATION) {
		g_string_append(text, " (an instruction it cannot emulate");
		if (run->emulation_failure.ndata >= 3 &&
		    run->emulation_failure.flags &
			    KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES) {
			unsigned int n =
				MIN(run->emulation_failure.insn_size, 15u);

			g_string_append(text, ":");
			for (unsigned int i = 0; i < n; i++)
				g_string_append_printf(
					text, " %02x",
					run->emulation_failure.insn_bytes[i]);
		}
		g_string_append(text, "); 'kvmbus doctor' says whether this "
				      "KVM emulates ring 0");
	}
	vm_post_event(v->vm, VM_EVENT_FAILED, 0, text->str);
	g_string_free(text, TRUE);
}

static void handle_shutdown(struct vcpu *v, struct kvm_run *run)
{
	g_autofree char *detail = g_strdup_printf(
		"triple fault of processor %u at RIP 0x%llx", v->index,
		(unsigned long long)run->s.regs.regs.rip);

	vm_post_event(v->vm, VM_EVENT_TRIPLE_FAULT, 0, detail);
}

void vcpu_handle_exit(struct vcpu *v)
{
	struct kvm_run *run = kvm_vcpu_run_page(v->kvm);
	g_autofree char *detail = NULL;

	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		handle_io(v, run);
		return;
	case KVM_EXIT_MMIO:
		handle_mmio(v, run);
		return;
	case KVM_EXIT_X86_RDMSR:
		handle_rdmsr(v, run);
		return;
	case KVM_EXIT_X86_WRMSR:
		handle_wrmsr(v, run);
		return;
	case KVM_EXIT_INTR:
		v->exits[VCPU_EXIT_KICK]++;
		return;
	case KVM_EXIT_SHUTDOWN:
		v->exits[VCPU_EXIT_OTHER]++;
		handle_shutdown(v, run);
		return;
	case KVM_EXIT_INTERNAL_ERROR:
		v->exits[VCPU_EXIT_OTHER]++;
		handle_internal_error(v, run);
		return;
	case KVM_EXIT_FAIL_ENTRY:
		detail = g_strdup_printf(
			"processor %u cannot be entered: hardware reason "
			"0x%" PRIx64,
			v->index,
			(uint64_t)
				run->fail_entry.hardware_entry_failure_reason);
		break;
	default:
		detail = g_strdup_printf(
			"processor %u: KVM exit reason %u is not known",
			v->index, run->exit_reason);
		break;
	}
	v->exits[VCPU_EXIT_OTHER]++;
	vm_post_event(v->vm, VM_EVENT_FAILED, 0, detail);
}
