/* SPDX-License-Identifier: MIT */
/*
 * cpuid_build.h - what CPUID says on each processor: the host's own leaves as
 * KVM supports them, the topology of the machine, the features that it is to
 * have or not, and Hyper-V's leaves.
 *
 * Thread: any.
 * Source: Intel SDM and AMD APM "CPUID"; Hyper-V's leaves in
 * partition/cpuid.h.
 */
#ifndef VM_CPUID_BUILD_H
#define VM_CPUID_BUILD_H

#include <stdint.h>

/* The host's name for its processors: so many leaves from the first on. */
#define CPUID_LEAF_NAME   0x80000002u
#define CPUID_NAME_LEAVES 3u

struct cpu_config;
struct cpu_feature;
struct kvm_cpuid2;
struct partition_features;
struct topology;

struct cpuid_plan {
	const struct partition_features *features;
	const struct topology *topology;
	const struct cpu_config *cpu; /* the choices in it */
	unsigned int phys_bits;
	/* EAX to EDX of the host's leaves CPUID_LEAF_NAME; KVM leaves it out */
	uint32_t name[CPUID_NAME_LEAVES][4];
};

/**
 * cpuid_build() - of the processor @vp
 * @host: what KVM supports
 *
 * Return: owned, g_free().
 */
struct kvm_cpuid2 *cpuid_build(const struct cpuid_plan *plan, unsigned int vp,
			       const struct kvm_cpuid2 *host);

/**
 * cpuid_missing() - a feature that must be there and is not
 * @built: from cpuid_build()
 *
 * Return: NULL: none.
 */
const struct cpu_feature *cpuid_missing(const struct cpuid_plan *plan,
					const struct kvm_cpuid2 *built);

#endif
