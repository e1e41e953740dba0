/* SPDX-License-Identifier: MIT */
/*
 * features.h - what a partition really offers its guest.
 *
 * The profile, less what no row of the MSR table (msr.h) or of the hypercall
 * table (hypercalls/table.h) stands for, less what this host cannot do.
 * CPUID, the MSR table and the hypercall dispatcher all go by this struct, so
 * what is advertised and what works cannot differ.
 *
 * Thread: any; constant once initialised.
 * Source: TLFS "Feature and Interface Discovery".
 */
#ifndef PARTITION_FEATURES_H
#define PARTITION_FEATURES_H

#include <stdbool.h>
#include <stdint.h>

struct profile;

struct partition_features {
	const struct profile *profile;
	/* leaf 0x40000003: privileges low and high, features */
	uint32_t eax, ebx, edx;
	/* leaf 0x40000004 */
	uint32_t hints, spin_retries;
	/* leaf 0x40000005 */
	uint32_t max_vps, max_lps;
	/* leaf 0x40000006 */
	uint32_t hardware;
	/* leaf 0x40000000: EAX; EBX, ECX and EDX, who it is */
	uint32_t max_leaf;
	uint32_t vendor[3];
};

/**
 * partition_features_init() - profile AND implementation AND host
 * @profile:            borrowed for ever
 * @host_tsc_invariant: the host's TSC runs at one rate on all processors,
 *                      and the guest's can be trusted to
 * @n_vps:              VPs at start
 * @max_vps:            VPs that there may be later, HV_MAX_VPS at most
 */
void partition_features_init(struct partition_features *features,
			     const struct profile *profile,
			     bool host_tsc_invariant, unsigned int n_vps,
			     unsigned int max_vps);

/**
 * partition_features_implemented() - every bit that something stands for
 * @features: eax, ebx, edx and hints are filled in, the rest is 0
 */
void partition_features_implemented(struct partition_features *features,
				    bool host_tsc_invariant);

/**
 * partition_features_recommend_apic() - let the guest end interrupts by
 * HV_X64_MSR_EOI, or by nothing where the assist page says so
 *
 * For a host that does this better than the local APIC's own EOI.
 */
void partition_features_recommend_apic(struct partition_features *features);

/* The words that bits come in. */
enum feature_word {
	FEATURE_EAX, /* leaf 0x40000003 EAX */
	FEATURE_EBX,
	FEATURE_EDX,
	FEATURE_HINTS, /* leaf 0x40000004 EAX */
	FEATURE_HARDWARE, /* leaf 0x40000006 EAX */
	FEATURE_N_WORDS,
};

/**
 * feature_note() - why we do with a bit as we do, when it is not plain that
 * it is implemented or is not; else NULL
 * @bit: 0 to 31
 */
const char *feature_note(enum feature_word word, unsigned int bit);

/** feature_name() - a bit by its TLFS name; NULL if it has none there */
const char *feature_name(enum feature_word word, unsigned int bit);

/** partition_privileges() - as HV_PARTITION_PRIVILEGE_MASK */
static inline uint64_t
partition_privileges(const struct partition_features *features)
{
	return (uint64_t)features->ebx << 32 | features->eax;
}

#endif
