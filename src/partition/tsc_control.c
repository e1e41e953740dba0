/* SPDX-License-Identifier: MIT */
/*
 * REENLIGHTENMENT_CONTROL, TSC_EMULATION_CONTROL and _STATUS, and
 * TSC_INVARIANT_CONTROL.
 *
 * The first three tell a guest about a live migration to a host with another
 * TSC frequency.  That never happens here but as a fault that was asked for
 * (src/vm/vm_time.c), with the frequency that it was before; no emulation is
 * ever in progress.
 *
 * TSC_INVARIANT_CONTROL bit 0 says that the guest wants to see the invariant
 * TSC; it stays once it is set.
 *
 * Source: TLFS "Nested Virtualization", Live Migration Notification and TSC
 * Emulation; for TSC_INVARIANT_CONTROL, which the TLFS lacks, Linux
 * arch/x86/kernel/cpu/mshyperv.c and arch/x86/kvm/hyperv.c.
 */
#include <errno.h>

#include "partition/partition_impl.h"

#define REENLIGHTENMENT_TARGET_SHIFT 32
#define REENLIGHTENMENT_VALID                                         \
	(HV_REENLIGHTENMENT_VECTOR_MASK | HV_REENLIGHTENMENT_ENABLE | \
	 (uint64_t)UINT32_MAX << REENLIGHTENMENT_TARGET_SHIFT)

static int get(struct partition *p, const uint64_t *reg, uint64_t *value)
{
	pthread_mutex_lock(&p->lock);
	*value = *reg;
	pthread_mutex_unlock(&p->lock);
	return 0;
}

static int set(struct partition *p, uint64_t *reg, uint64_t value,
	       uint64_t valid)
{
	if (value & ~valid)
		return -EINVAL;
	pthread_mutex_lock(&p->lock);
	*reg = value;
	pthread_mutex_unlock(&p->lock);
	return 0;
}

int reenlightenment_read(struct partition *p, uint32_t vp, uint32_t msr,
			 uint64_t *value)
{
	(void)vp;
	(void)msr;
	return get(p, &p->reenlightenment, value);
}

int reenlightenment_write(struct partition *p, uint32_t vp, uint32_t msr,
			  uint64_t value)
{
	(void)vp;
	(void)msr;
	return set(p, &p->reenlightenment, value, REENLIGHTENMENT_VALID);
}

bool partition_reenlightenment(struct partition *p, uint32_t *vp,
			       uint8_t *vector)
{
	uint64_t value;

	get(p, &p->reenlightenment, &value);
	*vp = (uint32_t)(value >> REENLIGHTENMENT_TARGET_SHIFT);
	*vector = value & HV_REENLIGHTENMENT_VECTOR_MASK;
	/* Below 16 there are no interrupts. */
	return value & HV_REENLIGHTENMENT_ENABLE && *vector >= 16 &&
	       *vp < p->n_vps;
}

int tsc_emulation_control_read(struct partition *p, uint32_t vp, uint32_t msr,
			       uint64_t *value)
{
	(void)vp;
	(void)msr;
	return get(p, &p->tsc_emulation, value);
}

int tsc_emulation_control_write(struct partition *p, uint32_t vp, uint32_t msr,
				uint64_t value)
{
	(void)vp;
	(void)msr;
	return set(p, &p->tsc_emulation, value,
		   HV_TSC_EMULATION_CONTROL_ENABLE);
}

int tsc_emulation_status_read(struct partition *p, uint32_t vp, uint32_t msr,
			      uint64_t *value)
{
	(void)p;
	(void)vp;
	(void)msr;
	*value = 0;
	return 0;
}

/* A guest can end the emulation; it cannot start it. */
int tsc_emulation_status_write(struct partition *p, uint32_t vp, uint32_t msr,
			       uint64_t value)
{
	(void)p;
	(void)vp;
	(void)msr;
	return value ? -EINVAL : 0;
}

int tsc_invariant_read(struct partition *p, uint32_t vp, uint32_t msr,
		       uint64_t *value)
{
	(void)vp;
	(void)msr;
	return get(p, &p->tsc_invariant, value);
}

int tsc_invariant_write(struct partition *p, uint32_t vp, uint32_t msr,
			uint64_t value)
{
	int err = 0;

	(void)vp;
	(void)msr;
	if (value & ~HV_EXPOSE_INVARIANT_TSC)
		return -EINVAL;
	pthread_mutex_lock(&p->lock);
	if (p->tsc_invariant & ~value)
		err = -EINVAL;
	else
		p->tsc_invariant = value;
	pthread_mutex_unlock(&p->lock);
	return err;
}
