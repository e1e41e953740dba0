/* SPDX-License-Identifier: MIT */
#include "partition/cpuid.h"

#include "partition/profile.h"
#include "proto/hv_tlfs.h"

#define FIRST HYPERV_CPUID_VENDOR_AND_MAX_FUNCTIONS

static struct cpuid_leaf leaf(const struct partition_features *f,
			      uint32_t index)
{
	const struct profile *p = f->profile;
	struct cpuid_leaf l = {.index = index};

	switch (index) {
	case HYPERV_CPUID_VENDOR_AND_MAX_FUNCTIONS:
		l.eax = f->max_leaf;
		l.ebx = f->vendor[0];
		l.ecx = f->vendor[1];
		l.edx = f->vendor[2];
		break;
	case HYPERV_CPUID_INTERFACE:
		l.eax = HYPERV_INTERFACE_HV1;
		break;
	case HYPERV_CPUID_VERSION:
		l.eax = p->build;
		l.ebx = (uint32_t)p->major << 16 | p->minor;
		l.ecx = p->service_pack;
		l.edx = (uint32_t)p->service_branch << 24 | p->service_number;
		break;
	case HYPERV_CPUID_FEATURES:
		l.eax = f->eax;
		l.ebx = f->ebx;
		l.edx = f->edx;
		break;
	case HYPERV_CPUID_ENLIGHTMENT_INFO:
		l.eax = f->hints;
		l.ebx = f->spin_retries;
		break;
	case HYPERV_CPUID_IMPLEMENT_LIMITS:
		l.eax = f->max_vps;
		l.ebx = f->max_lps;
		break;
	case HYPERV_CPUID_HARDWARE_FEATURES:
		l.eax = f->hardware;
		break;
	default:
		/*
		 * CPU management, SVM, nested and isolation features: none,
		 * which is what zeros say.
		 */
		break;
	}
	return l;
}

unsigned int cpuid_hyperv_leaves(const struct partition_features *features,
				 struct cpuid_leaf out[CPUID_HV_LEAVES_MAX])
{
	unsigned int n = 0;

	for (uint32_t index = FIRST;
	     index <= features->max_leaf && n < CPUID_HV_LEAVES_MAX; index++)
		out[n++] = leaf(features, index);
	return n;
}
