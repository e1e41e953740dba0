/* SPDX-License-Identifier: MIT */
#include "vm/cpu/cpuid_build.h"

#include <linux/kvm.h>
#include <string.h>

#include <glib.h>

#include "config/cpu_config.h"
#include "partition/cpuid.h"
#include "proto/hv_tlfs.h"
#include "vm/cpu/topology.h"

#define LEAF1_ECX_MONITOR              (1u << 3)
#define LEAF1_ECX_X2APIC               (1u << 21)
#define LEAF1_ECX_TSC_DEADLINE         (1u << 24)
#define LEAF1_ECX_HYPERVISOR           (1u << 31)
#define LEAF1_EDX_HTT                  (1u << 28)
#define LEAF7_EBX_TSC_ADJUST           (1u << 1)
#define LEAF80000007_EDX_INVARIANT_TSC (1u << 8)

#define LEAF_TOPOLOGY        0xB
#define LEAF_DIES            0x1F
#define LEAF_AMD_TOPOLOGY    0x8000001Eu
#define TOPOLOGY_ENTRIES     8u /* of all three */
#define TOPOLOGY_SMT         1u
#define TOPOLOGY_CORE        2u
#define TOPOLOGY_DIE         5u
#define TOPOLOGY_TYPE(t)     ((t) << 8)
#define VENDOR_INTEL_EBX     0x756E6547u /* "Genu" */
#define VENDOR_AMD_EBX       0x68747541u /* "Auth" */
#define EXTENDED_ECX_TOPOEXT (1u << 22)
#define LEAF_LAST_EXTENDED   0x80000000u
#define LEAF_EXTENDED        0x80000001u
/* What leaf 1 EDX says AMD's processors say there once more. */
#define AMD_REPEATED         0x0183F3FFu

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
	case LEAF_TOPOLOGY: /* made below */
	case 0x12: /* SGX */
	case LEAF_DIES:
		return true;
	default:
		return e->function >= 0x40000000 && e->function <= 0x4FFFFFFF;
	}
}

/* A cache of the third level is a die's, the others are a core's. */
static void fix_cache_sharing(const struct topology *t,
			      struct kvm_cpuid_entry2 *e)
{
	unsigned int level = e->eax >> 5 & 7;
	unsigned int shift = level >= 3 ? t->die_shift : t->core_shift;
	unsigned int cores = 1u << (t->package_shift - t->core_shift);

	if (!(e->eax & 0x1F))
		return;
	e->eax = (e->eax & 0x3FFF) | MIN((1u << shift) - 1, 0xFFFu) << 14;
	if (e->function == 4)
		e->eax |= MIN(cores - 1, 0x3Fu) << 26;
}

static void fix_leaf1(const struct topology *t, uint32_t id,
		      struct kvm_cpuid_entry2 *e)
{
	unsigned int n = topology_package_threads(t);

	e->ebx = (e->ebx & 0xFFFF) | MIN(n, 0xFFu) << 16 | (id & 0xFF) << 24;
	e->ecx &= ~(LEAF1_ECX_MONITOR | LEAF1_ECX_TSC_DEADLINE);
	e->ecx |= LEAF1_ECX_X2APIC | LEAF1_ECX_HYPERVISOR;
	e->edx &= ~LEAF1_EDX_HTT;
	if (n > 1)
		e->edx |= LEAF1_EDX_HTT;
}

/* AMD's own way; a die is what it calls a node. */
static void fix_leaf8000001e(const struct topology *t, uint32_t id,
			     struct kvm_cpuid_entry2 *e)
{
	unsigned int cores = (1u << (t->die_shift - t->core_shift)) - 1;

	e->eax = id;
	e->ebx = (t->threads - 1) << 8 | (id >> t->core_shift & cores & 0xFF);
	e->ecx = (t->dies - 1) << 8 | (id >> t->die_shift & 0xFF);
}

static void fill(struct kvm_cpuid_entry2 *e, const uint32_t regs[4])
{
	e->eax = regs[0];
	e->ebx = regs[1];
	e->ecx = regs[2];
	e->edx = regs[3];
}

static void fix_entry(const struct cpuid_plan *plan, uint32_t id,
		      struct kvm_cpuid_entry2 *e)
{
	const struct topology *t = plan->topology;
	unsigned int n = topology_package_threads(t);

	switch (e->function) {
	case 0:
		/* To what is made below, wherever the host's end. */
		e->eax = MAX(e->eax, LEAF_TOPOLOGY);
		/* Intel's has a leaf for dies; of AMD nobody asks that one. */
		if (t->dies > 1 && e->ebx == VENDOR_INTEL_EBX)
			e->eax = MAX(e->eax, LEAF_DIES);
		break;
	case 1:
		fix_leaf1(t, id, e);
		break;
	case 4:
	case 0x8000001D:
		fix_cache_sharing(t, e);
		break;
	case 7:
		if (e->index == 0)
			e->ebx &= ~LEAF7_EBX_TSC_ADJUST;
		break;
	case CPUID_LEAF_NAME:
	case CPUID_LEAF_NAME + 1:
	case CPUID_LEAF_NAME + 2:
		fill(e, plan->name[e->function - CPUID_LEAF_NAME]);
		break;
	case 0x80000007:
		e->edx &= ~LEAF80000007_EDX_INVARIANT_TSC;
		if (plan->features->eax & HV_ACCESS_TSC_INVARIANT)
			e->edx |= LEAF80000007_EDX_INVARIANT_TSC;
		break;
	case 0x80000008:
		e->eax = (e->eax & ~0xFFu) | plan->phys_bits;
		e->ecx = MIN(n - 1, 0xFFu) | t->package_shift << 12;
		break;
	case LEAF_AMD_TOPOLOGY:
		fix_leaf8000001e(t, id, e);
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
	fill(e, regs);
}

/* A level: bits below the one above it, processors in one of these. */
static void add_level(struct kvm_cpuid2 *out, uint32_t leaf, uint32_t id,
		      const uint32_t level[4])
{
	add(out, leaf, level[0], KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
	    (uint32_t[]){level[2], level[3], level[0] | level[1], id});
}

static void add_topology(const struct topology *t, uint32_t id,
			 struct kvm_cpuid2 *out)
{
	const uint32_t smt[] = {0, TOPOLOGY_TYPE(TOPOLOGY_SMT), t->core_shift,
				t->threads};
	uint32_t n = topology_package_threads(t);

	add_level(out, LEAF_TOPOLOGY, id, smt);
	add_level(out, LEAF_TOPOLOGY, id,
		  (uint32_t[]){1, TOPOLOGY_TYPE(TOPOLOGY_CORE),
			       t->package_shift, n});
	add_level(out, LEAF_TOPOLOGY, id, (uint32_t[]){2, 0, 0, 0});
	if (t->dies == 1)
		return;
	add_level(out, LEAF_DIES, id, smt);
	add_level(out, LEAF_DIES, id,
		  (uint32_t[]){1, TOPOLOGY_TYPE(TOPOLOGY_CORE), t->die_shift,
			       t->cores * t->threads});
	add_level(out, LEAF_DIES, id,
		  (uint32_t[]){2, TOPOLOGY_TYPE(TOPOLOGY_DIE), t->package_shift,
			       n});
	add_level(out, LEAF_DIES, id, (uint32_t[]){3, 0, 0, 0});
}

/* --- features that are chosen ------------------------------------------------ */

static const struct kvm_cpuid_entry2 *find(const struct kvm_cpuid2 *cpuid,
					   uint32_t leaf, uint32_t subleaf)
{
	for (uint32_t i = 0; i < cpuid->nent; i++)
		if (cpuid->entries[i].function == leaf &&
		    cpuid->entries[i].index == subleaf)
			return &cpuid->entries[i];
	return NULL;
}

static uint32_t *reg_of(struct kvm_cpuid_entry2 *e, enum cpuid_register reg)
{
	switch (reg) {
	case CPUID_EAX:
		return &e->eax;
	case CPUID_EBX:
		return &e->ebx;
	case CPUID_ECX:
		return &e->ecx;
	case CPUID_EDX:
	default:
		return &e->edx;
	}
}

static bool has(const struct kvm_cpuid2 *cpuid, const struct cpu_feature *f)
{
	const struct kvm_cpuid_entry2 *e = find(cpuid, f->leaf, f->subleaf);
	struct kvm_cpuid_entry2 copy;

	if (!e)
		return false;
	copy = *e;
	return *reg_of(&copy, f->reg) >> f->bit & 1;
}

/* A TSC that the guest can set apart from the others breaks the time base. */
static bool is_withheld(const struct cpu_feature *f)
{
	return f->leaf == 7 && !f->subleaf && f->reg == CPUID_EBX &&
	       1u << f->bit == LEAF7_EBX_TSC_ADJUST;
}

static void choose(struct kvm_cpuid2 *out, const struct kvm_cpuid2 *host,
		   const struct cpu_choice *c)
{
	const struct cpu_feature *f = c->feature;
	struct kvm_cpuid_entry2 *e =
		(struct kvm_cpuid_entry2 *)find(out, f->leaf, f->subleaf);
	uint32_t bit = 1u << f->bit;

	if (!e)
		return;
	if (!c->on)
		*reg_of(e, f->reg) &= ~bit;
	else if (has(host, f) && !is_withheld(f))
		*reg_of(e, f->reg) |= bit;
	if (c->on || f->leaf != 1 || f->reg != CPUID_EDX ||
	    !(AMD_REPEATED & bit))
		return;
	/* Of Intel's processors nobody has these bits. */
	e = (struct kvm_cpuid_entry2 *)find(out, LEAF_EXTENDED, 0);
	if (e)
		e->edx &= ~bit;
}

/*
 * Linux on AMD looks for threads only where the processor has extensions of
 * topology, cpu/amd.c:amd_get_topology(): the bit, and the leaf, which a host
 * of one thread a core need not have, nor have its leaves reach.
 */
static void offer_amd_threads(const struct topology *t, uint32_t id,
			      struct kvm_cpuid2 *out)
{
	const struct kvm_cpuid_entry2 *vendor = find(out, 0, 0);
	struct kvm_cpuid_entry2 *last =
		(struct kvm_cpuid_entry2 *)find(out, LEAF_LAST_EXTENDED, 0);
	struct kvm_cpuid_entry2 *e =
		(struct kvm_cpuid_entry2 *)find(out, LEAF_EXTENDED, 0);

	if (t->threads == 1 || !vendor || vendor->ebx != VENDOR_AMD_EBX ||
	    !last || !e)
		return;
	e->ecx |= EXTENDED_ECX_TOPOEXT;
	last->eax = MAX(last->eax, LEAF_AMD_TOPOLOGY);
	if (find(out, LEAF_AMD_TOPOLOGY, 0))
		return;
	add(out, LEAF_AMD_TOPOLOGY, 0, 0, (uint32_t[]){0, 0, 0, 0});
	fix_leaf8000001e(t, id, &out->entries[out->nent - 1]);
}

/* --- all of it ------------------------------------------------------------------ */

struct kvm_cpuid2 *cpuid_build(const struct cpuid_plan *plan, unsigned int vp,
			       const struct kvm_cpuid2 *host)
{
	size_t room = host->nent + CPUID_HV_LEAVES_MAX + TOPOLOGY_ENTRIES;
	struct kvm_cpuid2 *out =
		g_malloc0(sizeof(*out) + room * sizeof(out->entries[0]));
	uint32_t id = topology_apic_id(plan->topology, vp);
	struct cpuid_leaf hv[CPUID_HV_LEAVES_MAX];
	unsigned int n_hv = cpuid_hyperv_leaves(plan->features, hv);

	for (uint32_t i = 0; i < host->nent; i++) {
		if (is_dropped(&host->entries[i]))
			continue;
		out->entries[out->nent] = host->entries[i];
		fix_entry(plan, id, &out->entries[out->nent++]);
	}
	offer_amd_threads(plan->topology, id, out);
	for (guint i = 0; i < plan->cpu->choices->len; i++)
		choose(out, host,
		       &g_array_index(plan->cpu->choices, struct cpu_choice,
				      i));
	add_topology(plan->topology, id, out);
	for (unsigned int i = 0; i < n_hv; i++)
		add(out, hv[i].index, 0, 0,
		    (uint32_t[]){hv[i].eax, hv[i].ebx, hv[i].ecx, hv[i].edx});
	return out;
}

const struct cpu_feature *cpuid_missing(const struct cpuid_plan *plan,
					const struct kvm_cpuid2 *built)
{
	for (guint i = 0; i < plan->cpu->choices->len; i++) {
		const struct cpu_choice *c = &g_array_index(
			plan->cpu->choices, struct cpu_choice, i);

		if (c->on && !has(built, c->feature))
			return c->feature;
	}
	return NULL;
}
