/* SPDX-License-Identifier: MIT */
/*
 * kvm_state.c - a processor's power-on state, taken once and put back when
 * the guest resets.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>

#include "kvm/kvm.h"
#include "kvm/kvm_vcpu.h"
#include "proto/hv_tlfs.h"

#define MSR_IA32_TSC        0x10u
#define MSR_IA32_TSC_ADJUST 0x3Bu
#define MSR_KVM_FIRST       0x4B564D00u
#define MSR_KVM_LAST        0x4B564DFFu
#define MAX_MSRS            1024u
/* MAX_IO_MSRS of Linux arch/x86/kvm/x86.c */
#define MSRS_PER_CALL       256u

struct kvm_vcpu_state {
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	struct kvm_xsave *xsave; /* NULL: KVM has no such call */
	struct kvm_xcrs xcrs;
	struct kvm_debugregs debugregs;
	struct kvm_vcpu_events events;
	struct kvm_lapic_state lapic;
	struct kvm_mp_state mp_state;
	bool has_xcrs, has_debugregs;
	unsigned int n_msrs;
	struct kvm_msr_entry *msrs;
};

/* Hyper-V's are ours to reset, KVM's own the guest never saw. */
static bool is_paravirtual(uint32_t index)
{
	return (index >= HV_X64_MSR_FIRST && index <= HV_X64_MSR_LAST) ||
	       (index >= MSR_KVM_FIRST && index <= MSR_KVM_LAST);
}

/* The values of @msrs; Return: how many KVM gave, moved to the front. */
static unsigned int read_msrs(int fd, struct kvm_msr_entry *msrs,
			      unsigned int n)
{
	g_autofree struct kvm_msrs *call = g_malloc0(
		sizeof(*call) + MSRS_PER_CALL * sizeof(call->entries[0]));
	unsigned int n_read = 0;

	for (unsigned int i = 0; i < n;) {
		unsigned int ask = MIN(n - i, MSRS_PER_CALL);
		int got;

		call->nmsrs = ask;
		memcpy(call->entries, msrs + i, ask * sizeof(msrs[0]));
		got = ioctl(fd, KVM_GET_MSRS, call);
		if (got < 0)
			break;
		memcpy(msrs + n_read, call->entries,
		       (size_t)got * sizeof(msrs[0]));
		n_read += (unsigned int)got;
		/* It ended at one that KVM lists but does not have. */
		i += (unsigned int)got + ((unsigned int)got < ask);
	}
	return n_read;
}

/* The MSRs that a reset must put back: all that KVM would migrate, but time. */
static void save_msrs(const struct kvm_vcpu *vcpu, struct kvm_vcpu_state *s,
		      const struct kvm_msr_list *list)
{
	unsigned int n = 0;

	s->msrs = g_new0(struct kvm_msr_entry, list->nmsrs);
	for (uint32_t i = 0; i < list->nmsrs; i++) {
		uint32_t index = list->indices[i];

		if (index != MSR_IA32_TSC && index != MSR_IA32_TSC_ADJUST &&
		    !is_paravirtual(index))
			s->msrs[n++].index = index;
	}
	s->n_msrs = read_msrs(kvm_vcpu_fd(vcpu), s->msrs, n);
}

struct kvm_vcpu_state *kvm_vcpu_save(const struct kvm *kvm,
				     const struct kvm_vcpu *vcpu)
{
	struct kvm_vcpu_state *s = g_new0(struct kvm_vcpu_state, 1);
	int fd = kvm_vcpu_fd(vcpu);
	g_autofree struct kvm_msr_list *list =
		g_malloc0(sizeof(*list) + MAX_MSRS * sizeof(list->indices[0]));

	if (kvm_vcpu_get_regs(vcpu, &s->regs) ||
	    kvm_vcpu_get_sregs(vcpu, &s->sregs) ||
	    ioctl(fd, KVM_GET_VCPU_EVENTS, &s->events) ||
	    ioctl(fd, KVM_GET_LAPIC, &s->lapic) ||
	    ioctl(fd, KVM_GET_MP_STATE, &s->mp_state)) {
		kvm_vcpu_state_free(s);
		return NULL;
	}
	s->xsave = g_new0(struct kvm_xsave, 1);
	if (ioctl(fd, KVM_GET_XSAVE, s->xsave))
		g_clear_pointer(&s->xsave, g_free);
	s->has_xcrs = !ioctl(fd, KVM_GET_XCRS, &s->xcrs);
	s->has_debugregs = !ioctl(fd, KVM_GET_DEBUGREGS, &s->debugregs);
	list->nmsrs = MAX_MSRS;
	if (!ioctl(kvm_dev_fd(kvm), KVM_GET_MSR_INDEX_LIST, list))
		save_msrs(vcpu, s, list);
	return s;
}

/*
 * The local APIC comes after its base MSR (in sregs), the deadline timer
 * after the APIC that owns it, events last: what was pending is forgotten.
 */
int kvm_vcpu_load(struct kvm_vcpu *vcpu, const struct kvm_vcpu_state *s)
{
	int fd = kvm_vcpu_fd(vcpu);

	/*
	 * Have KVM end the exit that the processor was stopped at, and take
	 * what a hypercall left in the run page: it would do both after this,
	 * to the new registers (Linux Documentation/virt/kvm/api.rst, KVM_RUN).
	 */
	kvm_vcpu_immediate_exit(vcpu, true);
	kvm_vcpu_run(vcpu);
	kvm_vcpu_immediate_exit(vcpu, false);
	kvm_vcpu_run_page(vcpu)->kvm_dirty_regs = 0;
	if (ioctl(fd, KVM_SET_MP_STATE, &s->mp_state) ||
	    kvm_vcpu_set_sregs(vcpu, &s->sregs) ||
	    kvm_vcpu_set_regs(vcpu, &s->regs) ||
	    (s->xsave && ioctl(fd, KVM_SET_XSAVE, s->xsave)) ||
	    (s->has_xcrs && ioctl(fd, KVM_SET_XCRS, &s->xcrs)) ||
	    (s->has_debugregs && ioctl(fd, KVM_SET_DEBUGREGS, &s->debugregs)) ||
	    ioctl(fd, KVM_SET_LAPIC, &s->lapic))
		return -errno;
	/* One by one: a register that KVM lists may still refuse its own value. */
	for (unsigned int i = 0; i < s->n_msrs; i++)
		kvm_vcpu_set_msr(vcpu, s->msrs[i].index, s->msrs[i].data);
	if (ioctl(fd, KVM_SET_VCPU_EVENTS, &s->events))
		return -errno;
	return 0;
}

void kvm_vcpu_state_free(struct kvm_vcpu_state *s)
{
	if (!s)
		return;
	g_free(s->msrs);
	g_free(s->xsave);
	g_free(s);
}
