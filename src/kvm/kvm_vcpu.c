/* SPDX-License-Identifier: MIT */
#include "kvm/kvm_vcpu.h"

#include <errno.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kvm/kvm.h"
#include "proto/hv_tlfs.h"

#define CR4_PGE           (1ull << 7)
#define UD_VECTOR         6
#define MSR_IA32_APICBASE 0x1Bu
#define APICBASE_EXTD     (1ull << 10)
#define MSR_X2APIC_EOI    0x80Bu
#define MSR_KVM_PV_EOI    0x4B564D04u
#define PV_EOI_ENABLE     1u
/* Local APIC page offsets (Intel SDM "Local APIC Register Address Map") */
#define APIC_ISR          0x100u
#define APIC_IRR          0x200u
#define APIC_REG_STRIDE   ((size_t)0x10)
#define FXSAVE_XMM0       160u
#define XSAVE_HEADER      512u
#define XSTATE_SSE        (1ull << 1)

struct kvm_vcpu {
	struct kvm *kvm;
	int fd;
	struct kvm_run *run;
	size_t run_bytes;
};

struct kvm_vcpu *kvm_vcpu_new(struct kvm *kvm, unsigned int apic_id,
			      GError **error)
{
	struct kvm_vcpu *v = g_new0(struct kvm_vcpu, 1);
	int bytes = ioctl(kvm_dev_fd(kvm), KVM_GET_VCPU_MMAP_SIZE, 0);
	int err;

	v->kvm = kvm;
	v->fd = ioctl(kvm_vm_fd(kvm), KVM_CREATE_VCPU, (long)apic_id);
	if (v->fd < 0 || bytes < 0)
		goto fail;
	v->run_bytes = (size_t)bytes;
	v->run = mmap(NULL, v->run_bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
		      v->fd, 0);
	if (v->run == MAP_FAILED) {
		v->run = NULL;
		goto fail;
	}
	v->run->kvm_valid_regs = KVM_SYNC_X86_REGS;
	return v;
fail:
	err = errno;
	g_set_error(error, KVM_ERROR, err, "processor with APIC id %u: %s",
		    apic_id, g_strerror(err));
	kvm_vcpu_free(v);
	return NULL;
}

void kvm_vcpu_free(struct kvm_vcpu *vcpu)
{
	if (!vcpu)
		return;
	if (vcpu->run)
		munmap(vcpu->run, vcpu->run_bytes);
	if (vcpu->fd >= 0)
		close(vcpu->fd);
	g_free(vcpu);
}

struct kvm_run *kvm_vcpu_run_page(const struct kvm_vcpu *vcpu)
{
	return vcpu->run;
}

int kvm_vcpu_fd(const struct kvm_vcpu *vcpu)
{
	return vcpu->fd;
}

int kvm_vcpu_run(struct kvm_vcpu *vcpu)
{
	return ioctl(vcpu->fd, KVM_RUN, 0) ? -errno : 0;
}

void kvm_vcpu_immediate_exit(struct kvm_vcpu *vcpu, bool on)
{
	__atomic_store_n(&vcpu->run->immediate_exit, on, __ATOMIC_SEQ_CST);
}

static int vcpu_ioctl(const struct kvm_vcpu *vcpu, unsigned long request,
		      void *arg)
{
	return ioctl(vcpu->fd, request, arg) < 0 ? -errno : 0;
}

int kvm_vcpu_set_cpuid(struct kvm_vcpu *vcpu, const struct kvm_cpuid2 *cpuid)
{
	return vcpu_ioctl(vcpu, KVM_SET_CPUID2, (void *)(uintptr_t)cpuid);
}

int kvm_vcpu_get_regs(const struct kvm_vcpu *vcpu, struct kvm_regs *regs)
{
	return vcpu_ioctl(vcpu, KVM_GET_REGS, regs);
}

int kvm_vcpu_set_regs(struct kvm_vcpu *vcpu, const struct kvm_regs *regs)
{
	return vcpu_ioctl(vcpu, KVM_SET_REGS, (void *)(uintptr_t)regs);
}

int kvm_vcpu_get_sregs(const struct kvm_vcpu *vcpu, struct kvm_sregs *sregs)
{
	return vcpu_ioctl(vcpu, KVM_GET_SREGS, sregs);
}

int kvm_vcpu_set_sregs(struct kvm_vcpu *vcpu, const struct kvm_sregs *sregs)
{
	return vcpu_ioctl(vcpu, KVM_SET_SREGS, (void *)(uintptr_t)sregs);
}

/* struct kvm_msrs with room for one entry. */
union one_msr {
	struct kvm_msrs list;
	uint8_t bytes[sizeof(struct kvm_msrs) + sizeof(struct kvm_msr_entry)];
};

int kvm_vcpu_get_msr(const struct kvm_vcpu *vcpu, uint32_t msr, uint64_t *value)
{
	union one_msr m = {.list.nmsrs = 1};
	int n;

	m.list.entries[0].index = msr;
	n = ioctl(vcpu->fd, KVM_GET_MSRS, &m);
	if (n != 1)
		return n < 0 ? -errno : -EINVAL;
	*value = m.list.entries[0].data;
	return 0;
}

int kvm_vcpu_set_msr(struct kvm_vcpu *vcpu, uint32_t msr, uint64_t value)
{
	union one_msr m = {.list.nmsrs = 1};
	int n;

	m.list.entries[0].index = msr;
	m.list.entries[0].data = value;
	n = ioctl(vcpu->fd, KVM_SET_MSRS, &m);
	if (n != 1)
		return n < 0 ? -errno : -EINVAL;
	return 0;
}

int kvm_vcpu_get_xmm(const struct kvm_vcpu *vcpu, uint8_t xmm[6][16])
{
	struct kvm_fpu fpu;
	int err = vcpu_ioctl(vcpu, KVM_GET_FPU, &fpu);

	if (!err)
		memcpy(xmm, fpu.xmm, (size_t)6 * 16);
	return err;
}

int kvm_vcpu_set_xmm(struct kvm_vcpu *vcpu, const uint8_t xmm[6][16])
{
	struct kvm_xsave xsave;
	uint8_t *area = (uint8_t *)xsave.region;
	uint64_t xstate_bv;
	int err = vcpu_ioctl(vcpu, KVM_GET_XSAVE, &xsave);

	if (err)
		return err;
	memcpy(area + FXSAVE_XMM0, xmm, (size_t)6 * 16);
	/* With the bit clear the registers would be loaded as zeros. */
	memcpy(&xstate_bv, area + XSAVE_HEADER, sizeof(xstate_bv));
	xstate_bv |= XSTATE_SSE;
	memcpy(area + XSAVE_HEADER, &xstate_bv, sizeof(xstate_bv));
	return vcpu_ioctl(vcpu, KVM_SET_XSAVE, &xsave);
}

int kvm_vcpu_tsc_khz(const struct kvm_vcpu *vcpu)
{
	int khz = ioctl(vcpu->fd, KVM_GET_TSC_KHZ, 0);

	return khz < 0 ? -errno : khz;
}

int kvm_vcpu_set_tsc_offset(struct kvm_vcpu *vcpu, int64_t offset)
{
	int64_t now = offset;
	struct kvm_device_attr attr = {
		.group = KVM_VCPU_TSC_CTRL,
		.attr = KVM_VCPU_TSC_OFFSET,
		.addr = (uintptr_t)&now,
	};
	int err;

	if (ioctl(vcpu->fd, KVM_HAS_DEVICE_ATTR, &attr))
		return -ENOTSUP;
	err = vcpu_ioctl(vcpu, KVM_SET_DEVICE_ATTR, &attr);
	if (!err)
		err = vcpu_ioctl(vcpu, KVM_GET_DEVICE_ATTR, &attr);
	if (err)
		return err;
	/* Where the guest reads the host's own TSC the call changes nothing. */
	return now == offset ? 0 : -ENOTSUP;
}

/*
 * KVM drops the MMU context, and with it all that it cached, when a paging
 * control register changes; CR4.PGE is the one that may always be flipped.
 * Linux arch/x86/kvm/x86.c:__set_sregs_common(), kvm_mmu_reset_context().
 */
int kvm_vcpu_flush_tlb(struct kvm_vcpu *vcpu)
{
	struct kvm_sregs sregs;
	int err = kvm_vcpu_get_sregs(vcpu, &sregs);

	if (err)
		return err;
	sregs.cr4 ^= CR4_PGE;
	err = kvm_vcpu_set_sregs(vcpu, &sregs);
	sregs.cr4 ^= CR4_PGE;
	return err ? err : kvm_vcpu_set_sregs(vcpu, &sregs);
}

int kvm_vcpu_inject_ud(struct kvm_vcpu *vcpu, uint64_t rip)
{
	struct kvm_vcpu_events events;
	struct kvm_regs regs;
	int err;

	/* Let KVM finish the port access first: it still has to skip it. */
	kvm_vcpu_immediate_exit(vcpu, true);
	err = kvm_vcpu_run(vcpu);
	kvm_vcpu_immediate_exit(vcpu, false);
	if (err && err != -EINTR)
		return err;
	err = kvm_vcpu_get_regs(vcpu, &regs);
	if (!err)
		err = vcpu_ioctl(vcpu, KVM_GET_VCPU_EVENTS, &events);
	if (err)
		return err;
	regs.rip = rip;
	events.exception.injected = 1;
	events.exception.nr = UD_VECTOR;
	events.exception.has_error_code = 0;
	events.exception.pending = 0;
	err = kvm_vcpu_set_regs(vcpu, &regs);
	if (!err)
		err = vcpu_ioctl(vcpu, KVM_SET_VCPU_EVENTS, &events);
	return err;
}

int kvm_vcpu_nmi(struct kvm_vcpu *vcpu)
{
	return vcpu_ioctl(vcpu, KVM_NMI, NULL);
}

/* Highest vector set in one of the APIC's 256-bit registers, or -1. */
static int highest_vector(const struct kvm_lapic_state *lapic, unsigned int reg)
{
	for (int word = 7; word >= 0; word--) {
		uint32_t bits;

		memcpy(&bits, lapic->regs + reg + word * APIC_REG_STRIDE,
		       sizeof(bits));
		if (bits)
			return word * 32 + 31 - __builtin_clz(bits);
	}
	return -1;
}

static void toggle_vector(struct kvm_lapic_state *lapic, unsigned int reg,
			  unsigned int vector)
{
	char *word = lapic->regs + reg + vector / 32 * APIC_REG_STRIDE;
	uint32_t bits;

	memcpy(&bits, word, sizeof(bits));
	bits ^= 1u << vector % 32;
	memcpy(word, &bits, sizeof(bits));
}

bool kvm_vcpu_has_interrupt(const struct kvm_vcpu *vcpu)
{
	struct kvm_lapic_state lapic;

	if (vcpu_ioctl(vcpu, KVM_GET_LAPIC, &lapic))
		return true;
	return highest_vector(&lapic, APIC_IRR) >= 0;
}

static void copy_vectors(const struct kvm_lapic_state *lapic, unsigned int reg,
			 uint64_t vectors[4])
{
	for (size_t i = 0; i < 4; i++) {
		const char *low = lapic->regs + reg + 2 * i * APIC_REG_STRIDE;
		uint32_t halves[2];

		memcpy(&halves[0], low, sizeof(halves[0]));
		memcpy(&halves[1], low + APIC_REG_STRIDE, sizeof(halves[1]));
		vectors[i] = halves[0] | (uint64_t)halves[1] << 32;
	}
}

int kvm_vcpu_vectors(const struct kvm_vcpu *vcpu, struct kvm_vectors *vectors)
{
	struct kvm_lapic_state lapic;
	int err = vcpu_ioctl(vcpu, KVM_GET_LAPIC, &lapic);

	if (err)
		return err;
	copy_vectors(&lapic, APIC_IRR, vectors->requested);
	copy_vectors(&lapic, APIC_ISR, vectors->in_service);
	return 0;
}

int kvm_vcpu_lazy_eoi(struct kvm_vcpu *vcpu, uint64_t gpa)
{
	return kvm_vcpu_set_msr(
		vcpu, MSR_KVM_PV_EOI,
		gpa == KVM_VCPU_EAGER_EOI ? 0 : gpa | PV_EOI_ENABLE);
}

bool kvm_vcpu_can_end_lazily(struct kvm_vcpu *vcpu)
{
	return !kvm_vcpu_lazy_eoi(vcpu, KVM_VCPU_EAGER_EOI) &&
	       !kvm_vcpu_set_msr(vcpu, HV_X64_MSR_EOI, 0);
}

int kvm_vcpu_end_of_interrupt(struct kvm_vcpu *vcpu, uint8_t *vector)
{
	struct kvm_lapic_state lapic;
	uint64_t apicbase = 0;
	int err = vcpu_ioctl(vcpu, KVM_GET_LAPIC, &lapic);
	uint32_t eoi;
	int top;

	if (err)
		return err;
	*vector = 0;
	top = highest_vector(&lapic, APIC_ISR);
	if (top < 0)
		return 0;
	*vector = (uint8_t)top;
	/* KVM's own EOI loses nothing, and knows level-triggered pins. */
	kvm_vcpu_get_msr(vcpu, MSR_IA32_APICBASE, &apicbase);
	eoi = apicbase & APICBASE_EXTD ? MSR_X2APIC_EOI : HV_X64_MSR_EOI;
	if (!kvm_vcpu_set_msr(vcpu, eoi, 0))
		return 0;
	toggle_vector(&lapic, APIC_ISR, (unsigned int)top);
	return vcpu_ioctl(vcpu, KVM_SET_LAPIC, &lapic);
}
