/* SPDX-License-Identifier: MIT */
/*
 * kvm_vcpu.h - one virtual processor's file descriptor and run page.
 *
 * Thread: but for kvm_vcpu_kick(), the thread that runs the processor, or any
 * one thread while it is stopped.
 */
#ifndef KVM_KVM_VCPU_H
#define KVM_KVM_VCPU_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

struct kvm;
struct kvm_run;
struct kvm_vcpu;
struct kvm_cpuid2;
struct kvm_regs;
struct kvm_sregs;

/**
 * kvm_vcpu_new() - create the processor whose APIC id is @apic_id
 *
 * Return: owned; NULL with @error set.
 */
struct kvm_vcpu *kvm_vcpu_new(struct kvm *kvm, unsigned int apic_id,
			      GError **error);
void kvm_vcpu_free(struct kvm_vcpu *vcpu);

/** kvm_vcpu_run_page() - the page shared with KVM; borrowed */
struct kvm_run *kvm_vcpu_run_page(const struct kvm_vcpu *vcpu);

/** kvm_vcpu_fd() - its descriptor, for ioctls that have no wrapper */
int kvm_vcpu_fd(const struct kvm_vcpu *vcpu);

/**
 * kvm_vcpu_run() - run the guest until something needs us
 *
 * The general registers are in the run page afterwards, and what
 * kvm_dirty_regs names is taken from there before.
 *
 * Return: 0 (look at exit_reason), -EINTR (kicked), or -errno.
 */
int kvm_vcpu_run(struct kvm_vcpu *vcpu);

/** kvm_vcpu_immediate_exit() - make the next, or this, run return -EINTR */
void kvm_vcpu_immediate_exit(struct kvm_vcpu *vcpu, bool on);

int kvm_vcpu_set_cpuid(struct kvm_vcpu *vcpu, const struct kvm_cpuid2 *cpuid);
int kvm_vcpu_get_regs(const struct kvm_vcpu *vcpu, struct kvm_regs *regs);
int kvm_vcpu_set_regs(struct kvm_vcpu *vcpu, const struct kvm_regs *regs);
int kvm_vcpu_get_sregs(const struct kvm_vcpu *vcpu, struct kvm_sregs *sregs);
int kvm_vcpu_set_sregs(struct kvm_vcpu *vcpu, const struct kvm_sregs *sregs);
int kvm_vcpu_get_msr(const struct kvm_vcpu *vcpu, uint32_t msr,
		     uint64_t *value);
int kvm_vcpu_set_msr(struct kvm_vcpu *vcpu, uint32_t msr, uint64_t value);

/** kvm_vcpu_get_xmm() - XMM0 to XMM5 of the guest */
int kvm_vcpu_get_xmm(const struct kvm_vcpu *vcpu, uint8_t xmm[6][16]);
int kvm_vcpu_set_xmm(struct kvm_vcpu *vcpu, const uint8_t xmm[6][16]);

/** kvm_vcpu_tsc_khz() - the guest's TSC frequency, or -errno */
int kvm_vcpu_tsc_khz(const struct kvm_vcpu *vcpu);

/**
 * kvm_vcpu_set_tsc_offset() - guest TSC = host TSC + @offset from now on
 *
 * Return: 0; -ENOTSUP when KVM has no such attribute (before Linux 5.16), or
 * has it and cannot do it.
 */
int kvm_vcpu_set_tsc_offset(struct kvm_vcpu *vcpu, int64_t offset);

/** kvm_vcpu_flush_tlb() - forget every translation cached for the guest */
int kvm_vcpu_flush_tlb(struct kvm_vcpu *vcpu);

/** kvm_vcpu_inject_ud() - raise #UD at @rip, the instruction that exited */
int kvm_vcpu_inject_ud(struct kvm_vcpu *vcpu, uint64_t rip);

/** kvm_vcpu_nmi() - while it does not run */
int kvm_vcpu_nmi(struct kvm_vcpu *vcpu);

/** kvm_vcpu_has_interrupt() - is a vector pending in its local APIC? */
bool kvm_vcpu_has_interrupt(const struct kvm_vcpu *vcpu);

/* 256 vectors each, vector v in bit v % 64 of word v / 64. */
struct kvm_vectors {
	uint64_t requested[4]; /* IRR */
	uint64_t in_service[4]; /* ISR */
};

/** kvm_vcpu_vectors() - what is in the local APIC, both at one moment */
int kvm_vcpu_vectors(const struct kvm_vcpu *vcpu, struct kvm_vectors *vectors);

/**
 * kvm_vcpu_lazy_eoi() - let KVM say in guest memory that an EOI is not needed
 * @gpa: where, a multiple of 4: KVM sets bit 0 of the byte when it enters the
 *       guest with an interrupt that needs no more to be ended than that bit
 *       cleared, and clears it at the next exit; KVM_VCPU_EAGER_EOI for
 *       nowhere, as after an INIT too
 *
 * KVM's MSR_KVM_PV_EOI_EN (Linux Documentation/virt/kvm/x86/msr.rst) is what
 * the TLFS has as "EOI Assist".
 *
 * Return: 0, -EINVAL: this KVM can not, or there is no memory.
 */
int kvm_vcpu_lazy_eoi(struct kvm_vcpu *vcpu, uint64_t gpa);
#define KVM_VCPU_EAGER_EOI UINT64_MAX

/** kvm_vcpu_can_end_lazily() - this, and HV_X64_MSR_EOI by KVM itself */
bool kvm_vcpu_can_end_lazily(struct kvm_vcpu *vcpu);

/**
 * kvm_vcpu_end_of_interrupt() - an EOI for the highest vector in service
 * @vector: filled with it, 0 if there was none
 *
 * On a KVM without Hyper-V code a processor in xAPIC mode has its whole APIC
 * written back; an interrupt that another thread asserts in that moment may
 * be lost.  No stock Linux comes here: it uses x2APIC.
 */
int kvm_vcpu_end_of_interrupt(struct kvm_vcpu *vcpu, uint8_t *vector);

/* The whole state of a processor, to bring it back to power-on. */
struct kvm_vcpu_state;
struct kvm_vcpu_state *kvm_vcpu_save(const struct kvm *kvm,
				     const struct kvm_vcpu *vcpu);
int kvm_vcpu_load(struct kvm_vcpu *vcpu, const struct kvm_vcpu_state *state);
void kvm_vcpu_state_free(struct kvm_vcpu_state *state);

#endif
