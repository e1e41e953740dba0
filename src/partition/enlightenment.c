/* SPDX-License-Identifier: MIT */
#include "partition/enlightenment.h"

#include <string.h>

#include <glib.h>

#include "partition/features.h"
#include "proto/hv_tlfs.h"

/* TLFS "Feature and Interface Discovery", leaf 4 EBX */
#define SPIN_NEVER UINT32_MAX

static const struct enlightenment table[] = {
	{.name = "relaxed", .hints = HV_X64_RELAXED_TIMING_RECOMMENDED},
	{.name = "vapic",
	 .eax = HV_MSR_APIC_ACCESS_AVAILABLE,
	 .hints = HV_X64_APIC_ACCESS_RECOMMENDED},
	{.name = "spinlocks"}, /* a number, see enlightenments_choose() */
	{.name = "vpindex", .eax = HV_MSR_VP_INDEX_AVAILABLE},
	{.name = "runtime", .eax = HV_MSR_VP_RUNTIME_AVAILABLE},
	{.name = "synic",
	 .eax = HV_MSR_SYNIC_AVAILABLE,
	 .ebx = HV_POST_MESSAGES | HV_SIGNAL_EVENTS},
	{.name = "stimer", .eax = HV_MSR_SYNTIMER_AVAILABLE},
	{.name = "stimer-direct", .edx = HV_STIMER_DIRECT_MODE_AVAILABLE},
	{.name = "reset", .eax = HV_MSR_RESET_AVAILABLE},
	{.name = "vendor-id"}, /* a text, see choose_vendor() */
	{.name = "frequencies",
	 .eax = HV_ACCESS_FREQUENCY_MSRS,
	 .edx = HV_FEATURE_FREQUENCY_MSRS_AVAILABLE},
	{.name = "reenlightenment", .eax = HV_ACCESS_REENLIGHTENMENT},
	{.name = "tlbflush",
	 .hints = HV_X64_REMOTE_TLB_FLUSH_RECOMMENDED |
		  HV_X64_EX_PROCESSOR_MASKS_RECOMMENDED},
	{.name = "tlbflush-direct"}, /* nested: not implemented */
	{.name = "tlbflush-extended",
	 .edx = HV_FEATURE_EXT_GVA_RANGES_FLUSH_VA_LIST},
	{.name = "ipi",
	 .hints = HV_X64_CLUSTER_IPI_RECOMMENDED |
		  HV_X64_EX_PROCESSOR_MASKS_RECOMMENDED},
	{.name = "evmcs", .hints = HV_X64_ENLIGHTENED_VMCS_RECOMMENDED},
	{.name = "avic", .hints = HV_DEPRECATING_AEOI_RECOMMENDED},
	{.name = "emsr-bitmap"}, /* nested: not implemented */
	{.name = "xmm-input", .edx = HV_X64_HYPERCALL_XMM_INPUT_AVAILABLE},
	{.name = "clock",
	 .eax = HV_MSR_TIME_REF_COUNT_AVAILABLE |
		HV_MSR_REFERENCE_TSC_AVAILABLE},
	{.name = "crash", .edx = HV_FEATURE_GUEST_CRASH_MSR_AVAILABLE},
};

const struct enlightenment *enlightenment_find(const char *name)
{
	for (unsigned int i = 0; i < G_N_ELEMENTS(table); i++)
		if (!strcmp(table[i].name, name))
			return &table[i];
	return NULL;
}

const struct enlightenment *enlightenment_at(unsigned int i)
{
	return i < G_N_ELEMENTS(table) ? &table[i] : NULL;
}

static void add(struct enlightenment *sum, const struct enlightenment *e)
{
	sum->eax |= e->eax;
	sum->ebx |= e->ebx;
	sum->edx |= e->edx;
	sum->hints |= e->hints;
}

/* All bits of those that are named. */
static struct enlightenment sum_of(const char *const *names)
{
	struct enlightenment sum = {0};

	for (; *names; names++) {
		const struct enlightenment *e = enlightenment_find(*names);

		if (e)
			add(&sum, e);
	}
	return sum;
}

static struct enlightenment sum_of_all(void)
{
	struct enlightenment sum = {0};

	for (unsigned int i = 0; i < G_N_ELEMENTS(table); i++)
		add(&sum, &table[i]);
	return sum;
}

static void choose_bits(struct partition_features *f,
			const struct enlightenment_choice *c,
			bool host_tsc_invariant)
{
	struct enlightenment all = sum_of_all(), kept = sum_of(c->kept);
	struct enlightenment added = sum_of(c->added);
	struct partition_features can;

	partition_features_implemented(&can, host_tsc_invariant);
	if (c->base == ENLIGHTENMENTS_NONE) {
		f->eax = HV_MSR_HYPERCALL_AVAILABLE;
		f->ebx = f->edx = f->hints = 0;
	} else if (c->base == ENLIGHTENMENTS_ALL) {
		f->eax = can.eax;
		f->ebx = can.ebx;
		f->edx = can.edx;
		/* Left to partition_features_recommend_apic(). */
		f->hints = can.hints & ~HV_X64_APIC_ACCESS_RECOMMENDED;
	}
	f->eax = (f->eax & (kept.eax | ~all.eax)) | (added.eax & can.eax);
	f->ebx = (f->ebx & (kept.ebx | ~all.ebx)) | (added.ebx & can.ebx);
	f->edx = (f->edx & (kept.edx | ~all.edx)) | (added.edx & can.edx);
	f->hints = (f->hints & (kept.hints | ~all.hints)) |
		   (added.hints & can.hints);
}

static bool names(const char *const *list, const char *name)
{
	return g_strv_contains((const gchar *const *)list, name);
}

static void choose_vendor(struct partition_features *f, const char *vendor)
{
	char text[sizeof(f->vendor)] = {0};

	memcpy(text, vendor, MIN(strlen(vendor), sizeof(text)));
	memcpy(f->vendor, text, sizeof(text));
}

void enlightenments_choose(struct partition_features *f,
			   const struct enlightenment_choice *choice,
			   bool host_tsc_invariant)
{
	choose_bits(f, choice, host_tsc_invariant);
	if (!names(choice->kept, "spinlocks"))
		f->spin_retries = SPIN_NEVER;
	else if (choice->spin_retries)
		f->spin_retries = choice->spin_retries;
	if (choice->vendor)
		choose_vendor(f, choice->vendor);
}
