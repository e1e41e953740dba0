/* SPDX-License-Identifier: MIT */
/*
 * cpuid.h - the hypervisor's CPUID leaves.
 *
 * The same on every VP.  Besides them a guest looks at leaf 1 ECX bit 31
 * (hypervisor present), which is the vCPU's business.
 *
 * Source: TLFS "Feature and Interface Discovery (x64)".
 */
#ifndef PARTITION_CPUID_H
#define PARTITION_CPUID_H

#include <stdint.h>

#include "partition/features.h"

#define CPUID_HV_LEAVES_MAX 16

struct cpuid_leaf {
	uint32_t index, eax, ebx, ecx, edx;
};

/**
 * cpuid_hyperv_leaves() - leaves from 0x40000000 up, lowest first
 *
 * They replace all leaves from 0x40000000 to 0x400000FF that KVM proposes.
 *
 * Return: how many of @out were filled in.
 */
unsigned int cpuid_hyperv_leaves(const struct partition_features *features,
				 struct cpuid_leaf out[CPUID_HV_LEAVES_MAX]);

#endif
