/* SPDX-License-Identifier: MIT */
/*
 * VP_INDEX, VP_RUNTIME, TIME_REF_COUNT, the two frequencies, GUEST_IDLE and
 * RESET.
 *
 * Source: TLFS "Virtual Processors", "Timers"; RESET, which newer
 * specifications leave out, from HV_X64_MSR_RESET of TLFS 4.0.
 */
#include <errno.h>

#include "partition/partition_impl.h"
#include "synic/ref_time.h"

#define RESET_BIT (1ull << 0)

int vp_index_read(struct partition *p, uint32_t vp, uint32_t msr,
		  uint64_t *value)
{
	(void)p;
	(void)msr;
	*value = vp;
	return 0;
}

int vp_runtime_read(struct partition *p, uint32_t vp, uint32_t msr,
		    uint64_t *value)
{
	(void)msr;
	*value = p->params.ops->runtime_100ns(p->params.ctx, vp);
	return 0;
}

int time_ref_count_read(struct partition *p, uint32_t vp, uint32_t msr,
			uint64_t *value)
{
	(void)vp;
	(void)msr;
	*value = ref_time_now(p->params.ref_time);
	return 0;
}

int tsc_frequency_read(struct partition *p, uint32_t vp, uint32_t msr,
		       uint64_t *value)
{
	(void)vp;
	(void)msr;
	*value = ref_time_tsc_hz(p->params.ref_time);
	return 0;
}

int apic_frequency_read(struct partition *p, uint32_t vp, uint32_t msr,
			uint64_t *value)
{
	(void)vp;
	(void)msr;
	*value = p->params.ops->apic_hz(p->params.ctx);
	return 0;
}

/* The read itself is what idles. */
int guest_idle_read(struct partition *p, uint32_t vp, uint32_t msr,
		    uint64_t *value)
{
	(void)msr;
	p->params.ops->idle(p->params.ctx, vp);
	*value = 0;
	return 0;
}

int reset_read(struct partition *p, uint32_t vp, uint32_t msr, uint64_t *value)
{
	(void)p;
	(void)vp;
	(void)msr;
	*value = 0;
	return 0;
}

int reset_write(struct partition *p, uint32_t vp, uint32_t msr, uint64_t value)
{
	(void)msr;
	if (value & ~RESET_BIT)
		return -EINVAL;
	if (value & RESET_BIT)
		p->params.ops->reset(p->params.ctx, vp);
	return 0;
}
