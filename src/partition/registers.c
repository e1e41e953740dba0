/* SPDX-License-Identifier: MIT */
/*
 * VP registers by HV_REGISTER_NAME, for HvCallGetVpRegisters and
 * HvCallSetVpRegisters.
 *
 * A guest may ask for what it can reach by another way as well: the synthetic
 * MSRs, by the same rules, and the CPUID leaves.  Besides these the two VSM
 * status registers, which say that there is VTL 0 only: a Linux kernel with
 * CONFIG_HYPERV_VTL_MODE reads one at boot and stops if it cannot.  General
 * registers, and those that a hypervisor would need for a guest's guest, are
 * not offered.
 *
 * Source: TLFS HV_REGISTER_NAME; Linux include/hyperv/hvgdk_mini.h.
 */
#include <errno.h>

#include <glib.h>

#include "partition/cpuid.h"
#include "partition/msr.h"
#include "partition/partition_impl.h"
#include "proto/hv_hypercall.h"

/* HV_REGISTER_VSM_VP_STATUS: active VTL in 3:0, enabled VTLs in 31:16 */
#define VSM_VP_STATUS_VTL0        (1ull << 16)
/* HV_REGISTER_VSM_PARTITION_STATUS: enabled VTLs in 15:0, highest in 19:16 */
#define VSM_PARTITION_STATUS_VTL0 1ull

/* Registers that are MSRs: names [first, last] are MSRs from @msr on. */
static const struct {
	uint32_t first, last, msr;
	/* a VP's own, so not to be written from another VP's thread */
	bool per_vp;
} ranges[] = {
	{HV_REGISTER_GUEST_CRASH_P0, HV_REGISTER_GUEST_CRASH_CTL,
	 HV_X64_MSR_CRASH_P0, false},
	{HV_REGISTER_VP_RUNTIME, HV_REGISTER_VP_RUNTIME, HV_X64_MSR_VP_RUNTIME,
	 true},
	{HV_X64_REGISTER_HYPERCALL, HV_X64_REGISTER_HYPERCALL,
	 HV_X64_MSR_HYPERCALL, false},
	{HV_REGISTER_GUEST_OSID, HV_REGISTER_GUEST_OSID, HV_X64_MSR_GUEST_OS_ID,
	 false},
	{HV_REGISTER_VP_INDEX, HV_REGISTER_VP_INDEX, HV_X64_MSR_VP_INDEX, true},
	{HV_REGISTER_TIME_REF_COUNT, HV_REGISTER_TIME_REF_COUNT,
	 HV_X64_MSR_TIME_REF_COUNT, false},
	{HV_REGISTER_VP_ASSIST_PAGE, HV_REGISTER_VP_ASSIST_PAGE,
	 HV_X64_MSR_VP_ASSIST_PAGE, true},
	{HV_REGISTER_REFERENCE_TSC, HV_REGISTER_REFERENCE_TSC,
	 HV_X64_MSR_REFERENCE_TSC, false},
	{HV_REGISTER_SINT0, HV_REGISTER_SINT15, HV_X64_MSR_SINT0, true},
	{HV_REGISTER_SCONTROL, HV_REGISTER_EOM, HV_X64_MSR_SCONTROL, true},
	{HV_REGISTER_STIMER0_CONFIG, HV_REGISTER_STIMER3_COUNT,
	 HV_X64_MSR_STIMER0_CONFIG, true},
};

/* Registers that are CPUID leaves. */
static const struct {
	uint32_t name, leaf;
} leaves[] = {
	{HV_REGISTER_HYPERVISOR_VERSION, HYPERV_CPUID_VERSION},
	{HV_REGISTER_PRIVILEGES_AND_FEATURES_INFO, HYPERV_CPUID_FEATURES},
	{HV_REGISTER_FEATURES_INFO, HYPERV_CPUID_ENLIGHTMENT_INFO},
	{HV_REGISTER_IMPLEMENTATION_LIMITS_INFO, HYPERV_CPUID_IMPLEMENT_LIMITS},
	{HV_REGISTER_HARDWARE_FEATURES_INFO, HYPERV_CPUID_HARDWARE_FEATURES},
};

/* The MSR that @name is, with its row; NULL if it is none or not offered. */
static const struct msr_row *find_msr(const struct partition *p, uint32_t name,
				      uint32_t *msr, bool *per_vp)
{
	for (unsigned int i = 0; i < G_N_ELEMENTS(ranges); i++) {
		if (name < ranges[i].first || name > ranges[i].last)
			continue;
		*msr = ranges[i].msr + (name - ranges[i].first);
		*per_vp = ranges[i].per_vp;
		return msr_find(p, *msr);
	}
	return NULL;
}

static uint64_t join(uint32_t low, uint32_t high)
{
	return (uint64_t)high << 32 | low;
}

static int get_leaf(const struct partition *p, uint32_t name,
		    struct hv_register_value *value)
{
	struct cpuid_leaf out[CPUID_HV_LEAVES_MAX];
	unsigned int n = cpuid_hyperv_leaves(&p->features, out);

	for (unsigned int i = 0; i < G_N_ELEMENTS(leaves); i++) {
		if (leaves[i].name != name)
			continue;
		for (unsigned int j = 0; j < n; j++) {
			if (out[j].index != leaves[i].leaf)
				continue;
			value->low = join(out[j].eax, out[j].ebx);
			value->high = join(out[j].ecx, out[j].edx);
			return 0;
		}
	}
	return -ENOENT;
}

int partition_get_register(struct partition *p, uint32_t caller, uint32_t vp,
			   uint32_t name, struct hv_register_value *value)
{
	const struct msr_row *row;
	uint32_t msr;
	bool per_vp;

	(void)caller;
	*value = (struct hv_register_value){0, 0};
	if (vp >= p->n_vps)
		return -ENOENT;
	switch (name) {
	case HV_REGISTER_VSM_VP_STATUS:
		value->low = VSM_VP_STATUS_VTL0;
		return 0;
	case HV_REGISTER_VSM_PARTITION_STATUS:
		value->low = VSM_PARTITION_STATUS_VTL0;
		return 0;
	default:
		break;
	}
	row = find_msr(p, name, &msr, &per_vp);
	if (row && row->read)
		return row->read(p, vp, msr, &value->low);
	return get_leaf(p, name, value);
}

int partition_set_register(struct partition *p, uint32_t caller, uint32_t vp,
			   uint32_t name, const struct hv_register_value *value)
{
	struct hv_register_value old;
	const struct msr_row *row;
	uint32_t msr;
	bool per_vp;

	if (vp >= p->n_vps)
		return -ENOENT;
	row = find_msr(p, name, &msr, &per_vp);
	if (row && row->write) {
		if (per_vp && caller != vp)
			return -EBUSY;
		/* They are all 64 bits wide. */
		return value->high ? -EINVAL
				   : row->write(p, vp, msr, value->low);
	}
	return partition_get_register(p, caller, vp, name, &old) ? -ENOENT
								 : -EACCES;
}
