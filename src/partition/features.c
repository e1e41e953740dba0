/* SPDX-License-Identifier: MIT */
#include "partition/features.h"

#include <glib.h>

#include "hypercalls/table.h"
#include "hypercalls/vp_set.h"
#include "partition/msr.h"
#include "partition/profile.h"
#include "proto/hv_tlfs.h"

/* Leaf 3 EDX bits that stand for no row of a table. */
#define OTHER_FEATURES                                                  \
	(HV_FEATURE_SINT_POLLING_MODE | HV_FEATURE_HYPERCALL_MSR_LOCK | \
	 HV_STIMER_DIRECT_MODE_AVAILABLE)

/* Recommendations that ask nothing of the hypervisor. */
#define OTHER_HINTS                                                            \
	(HV_X64_RELAXED_TIMING_RECOMMENDED | HV_DEPRECATING_AEOI_RECOMMENDED | \
	 HV_DIRECT_LOCAL_FLUSH_ENTIRE_RECOMMENDED)

/* What runs below us does these, wherever we run. */
#define HARDWARE (HV_HW_MSR_BITMAPS | HV_HW_SLAT)

static const struct {
	enum feature_word word;
	uint32_t bit;
	const char *note;
} notes[] = {
	{FEATURE_HINTS, HV_DEPRECATING_AEOI_RECOMMENDED,
	 "in every profile: the local APIC is KVM's and has no exact AutoEOI"},
	{FEATURE_HINTS, HV_X64_APIC_ACCESS_RECOMMENDED,
	 "in every profile, as the host is: not where it has APICv or AVIC"},
	{FEATURE_HINTS, HV_X64_NO_NONARCH_CORESHARING,
	 "in no profile: the host's scheduler promises no such thing"},
	{FEATURE_HINTS, HV_X64_ENLIGHTENED_VMCS_RECOMMENDED,
	 "in no profile: nested virtualization is not ours to speed up"},
	{FEATURE_EAX, HV_ACCESS_TSC_INVARIANT,
	 "where the host's TSC is invariant"},
};

/* Hints that are not passed on from the profile. */
#define HINTS_WITHHELD                                                    \
	(HV_X64_APIC_ACCESS_RECOMMENDED | HV_X64_NO_NONARCH_CORESHARING | \
	 HV_X64_ENLIGHTENED_VMCS_RECOMMENDED)

const char *feature_note(enum feature_word word, unsigned int bit)
{
	for (unsigned int i = 0; i < G_N_ELEMENTS(notes); i++)
		if (notes[i].word == word && notes[i].bit == 1u << bit)
			return notes[i].note;
	return NULL;
}

void partition_features_implemented(struct partition_features *f,
				    bool host_tsc_invariant)
{
	uint64_t privileges =
		hypercall_table_privileges() | msr_table_privileges();

	*f = (struct partition_features){
		.eax = (uint32_t)privileges,
		.ebx = (uint32_t)(privileges >> 32),
		.edx = msr_table_features() | hypercall_table_features() |
		       OTHER_FEATURES,
		.hints = hypercall_table_hints() | OTHER_HINTS |
			 HV_X64_APIC_ACCESS_RECOMMENDED,
	};
	if (!host_tsc_invariant)
		f->eax &= ~HV_ACCESS_TSC_INVARIANT;
}

void partition_features_init(struct partition_features *f,
			     const struct profile *profile,
			     bool host_tsc_invariant, unsigned int n_vps,
			     unsigned int max_vps)
{
	struct partition_features can;

	partition_features_implemented(&can, host_tsc_invariant);
	*f = (struct partition_features){
		.profile = profile,
		.eax = profile->features_eax & can.eax,
		.ebx = profile->features_ebx & can.ebx,
		.edx = profile->features_edx & can.edx,
		.hints = profile->hints_eax & can.hints & ~HINTS_WITHHELD,
		.spin_retries = profile->spin_retries,
		.max_vps = MAX(n_vps, MIN(profile->max_vps, max_vps)),
		.max_lps = profile->max_lps,
		.hardware = profile->hardware_eax & HARDWARE,
		.max_leaf = profile->max_leaf,
		.vendor = {HYPERV_VENDOR_EBX, HYPERV_VENDOR_ECX,
			   HYPERV_VENDOR_EDX},
	};
	f->hints |= HV_DEPRECATING_AEOI_RECOMMENDED;
}

/*
 * The prints that the profiles are made from have it or not by the processor
 * of the host, not by its release: so do we.
 */
void partition_features_recommend_apic(struct partition_features *f)
{
	if (f->eax & HV_MSR_APIC_ACCESS_AVAILABLE)
		f->hints |= HV_X64_APIC_ACCESS_RECOMMENDED;
}
