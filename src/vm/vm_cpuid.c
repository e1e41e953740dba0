/* SPDX-License-Identifier: MIT */
/*
 * vm_cpuid.c - what CPUID says on each processor: the host's own leaves as
 * KVM supports them, the topology of the machine, and Hyper-V's leaves.
 *
 * Source: Intel SDM and AMD APM "CPUID"; Hyper-V's leaves in
 * partition/cpuid.h.
 */
#include <linux/kvm.h>
#include <string.h>

#include "kvm/kvm.h"
#include "kvm/kvm_vcpu.h"
#include "partition/cpuid.h"
#include "proto/hv_tlfs.h"
#include "vm/vm.h"
#include "vm/vm_private.h"

#define LEAF1_ECX_MONITOR              (1u << 3)
#define LEAF1_ECX_X2APIC               (1u << 21)
#define LEAF1_ECX_TSC_DEADLINE         (1u << 24)
#define LEAF1_ECX_HYPERVISOR           (1u << 31)
#define LEAF1_EDX_HTT                  (1u << 28)
#define LEAF7_EBX_TSC_ADJUST           (1u << 1)
#define LEAF80000007_EDX_INVARIANT_TSC (1u << 8)
#define TOPOLOGY_SMT                   1u
#define TOPOLOGY_CORE                  2u

static unsigned int bits_for(unsigned int n)
{
	return n > 1 ? 32 - (unsigned int)__builtin_clz(n - 1) : 0;
}

static const struct kvm_cpuid_entry2 *find(const struct kvm_cpuid2 *cpuid,
					   uint32_t leaf)
{
	for (uint32_t i = 0; i < cpuid->nent; i++) {
		if (cpuid->entries[i].function == leaf)
			return &cpuid->entries[i];
	}
	return NULL;
}

struct kvm_cpuid2 *vm_cpuid_host(struct vm *vm)
{
	struct kvm_cpuid2 *host = kvm_supported_cpuid(vm->kvm);
	const struct kvm_cpuid_entry2 *sizes = find(host, 0x80000008);

	vm->phys_bits = sizes ? sizes->eax & 0xFF : 36;
	return host;
}

/* Leaves that would describe the host, or another hypervisor. */
static bool is_dropped(const struct kvm_cpuid_entry2 *e)
{
	switch (e->function) {
	/*
	 * Power management: Hyper-V shows none, not even that the APIC timer
	 * runs always (ARAT; /proc/cpuinfo of guests).  Linux would make the
	 * first processor's APIC timer its broadcast device, and then has
	 * none to fall back to when hv_vmbus goes with its timers: it frees
	 * one that is running (hyperv_timer.c:hv_stimer_global_cleanup()).
	 */
	case 6:
	case 0xA: /* performance counters: Hyper-V shows none by default */
	case 0xB: /* topology: made below */
	case 0x12: /* SGX */
	case 0x1F:
		return true;
	default:
		return e->function >= 0x40000000 && e->function <= 0x4FFFFFFF;
	}
}

static void fix_cache_sharing(struct kvm_cpuid_entry2 *e, unsigned int n)
{
	unsigned int level = e->eax >> 5 & 7;
	unsigned int ids = (1u << bits_for(n)) - 1;
	unsigned int sharing = level >= 3 ? ids : 0;

	if (!(e->eax & 0x1F))
		return;
	e->eax = (e->eax & 0x3FFF) | MIN(sharing, 0xFFFu) << 14;
	if (e->function == 4)
		e->eax |= MIN(ids, 0x3Fu) << 26;
}

/* One package, one thread a core; the APIC id is the VP index. */
static void fix_entry(const struct vm *vm, unsigned int vp,
		      struct kvm_cpuid_entry2 *e)
{
	unsigned int n = vm->n_possible_vcpus;

	switch (e->function) {
	case 1:
		e->ebx = (e->ebx & 0xFFFF) | MIN(n, 0xFFu) << 16 |
			 (vp & 0xFF) << 24;
		e->ecx &= ~(LEAF1_ECX_MONITOR | LEAF1_ECX_TSC_DEADLINE);
		e->ecx |= LEAF1_ECX_X2APIC | LEAF1_ECX_HYPERVISOR;
		e->edx &= ~LEAF1_EDX_HTT;
		if (n > 1)
			e->edx |= LEAF1_EDX_HTT;
		break;
	case 4:
	case 0x8000001D:
		fix_cache_sharing(e, n);
		break;
	case 7:
		if (e->index == 0)
			e->ebx &= ~LEAF7_EBX_TSC_ADJUST;
		break;
	case 0x80000007:
		e->edx &= ~LEAF80000007_EDX_INVARIANT_TSC;
		if (vm->features.eax & HV_ACCESS_TSC_INVARIANT)
			e->edx |= LEAF80000007_EDX_INVARIANT_TSC;
		break;
	case 0x80000008:
		e->ecx = (n - 1 > 0xFF ? 0xFF : n - 1) | bits_for(n) << 12;
		break;
	case 0x8000001E:
		e->eax = vp;
		e->ebx = vp & 0xFF;
		e->ecx = 0;
		break;
	default:
		break;
	}
}

static void add(struct kvm_cpuid2 *out, uint32_t function, uint32_t index,
		uint32_t flags, const uint32_t regs[4])
{
	struct kvm_cpuid_entry2 *e = &out->entries[out->nent++];

	memset(e, 0, sizeof(*e));
	e->function = function;
	e->index = index;
	e->flags = flags;
	e->eax = regs[0];
	e->ebx = regs[1];
	e->ecx = regs[2];
	e->edx = regs[3];
}

static void add_topology(const struct vm *vm, unsigned int vp,
			 struct kvm_cpuid2 *out)
{
	unsigned int n = vm->n_possible_vcpus;

	add(out, 0xB, 0, KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
	    (uint32_t[]){0, 1, 0 | TOPOLOGY_SMT << 8, vp});
	add(out, 0xB, 1, KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
	    (uint32_t[]){bits_for(n), n, 1 | TOPOLOGY_CORE << 8, vp});
	add(out, 0xB, 2, KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
	    (uint32_t[]){0, 0, 2, vp});
}

static struct kvm_cpuid2 *build(const struct vm *vm, unsigned int vp,
				const struct kvm_cpuid2 *host)
{
	size_t room = host->nent + CPUID_HV_LEAVES_MAX + 3;
	struct kvm_cpuid2 *out =
		g_malloc0(sizeof(*out) + room * sizeof(out->entries[0]));
	struct cpuid_leaf hv[CPUID_HV_LEAVES_MAX];
	unsigned int n_hv = cpuid_hyperv_leaves(&vm->features, hv);

	for (uint32_t i = 0; i < host->nent; i++) {
		if (is_dropped(&host->entries[i]))
			continue;
		out->entries[out->nent] = host->entries[i];
		fix_entry(vm, vp, &out->entries[out->nent++]);
	}
	add_topology(vm, vp, out);
	for (unsigned int i = 0; i < n_hv; i++)
		add(out, hv[i].index, 0, 0,
		    (uint32_t[]){hv[i].eax, hv[i].ebx, hv[i].ecx, hv[i].edx});
	return out;
}

int vm_cpuid_apply(struct vm *vm, const struct kvm_cpuid2 *host, GError **error)
{
	for (unsigned int i = 0; i < vm->n_vcpus; i++) {
		g_autofree struct kvm_cpuid2 *cpuid = build(vm, i, host);
		int err = kvm_vcpu_set_cpuid(vm->vcpus[i].kvm, cpuid);

		if (err) {
			g_set_error(error, VM_ERROR, -err,
				    "CPUID of processor %u: %s", i,
				    g_strerror(-err));
			return -1;
		}
	}
	return 0;
}
