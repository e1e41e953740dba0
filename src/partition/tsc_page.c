/* SPDX-License-Identifier: MIT */
/*
 * REFERENCE_TSC: where the reference TSC page is.
 *
 * The page's contents are ref_time's: written at each enabling, and again by
 * partition_update_tsc_page() when the time base changes.
 *
 * A page past the physical address space is accepted and cannot be seen
 * (TLFS "Reference Time Stamp Counter (TSC) Page Register").  A reserved bit
 * is #GP, as in OpenVMM.
 */
#include <errno.h>

#include "mem/overlay.h"
#include "partition/partition_impl.h"
#include "synic/ref_time.h"

int reference_tsc_read(struct partition *p, uint32_t vp, uint32_t msr,
		       uint64_t *value)
{
	(void)vp;
	(void)msr;
	pthread_mutex_lock(&p->lock);
	*value = p->reference_tsc;
	pthread_mutex_unlock(&p->lock);
	return 0;
}

static int set_locked(struct partition *p, uint64_t value)
{
	uint64_t gpa = value & HV_OVERLAY_PFN_MASK;
	bool enable = value & HV_OVERLAY_ENABLE;

	if (enable && !(p->reference_tsc & HV_OVERLAY_ENABLE))
		ref_time_write_page(p->params.ref_time,
				    overlay_page(p->tsc_page));
	if (!enable || gpa >= p->params.max_gpa) {
		overlay_hide(p->tsc_page);
	} else if (overlay_show(p->tsc_page, gpa)) {
		p->reference_tsc = 0;
		return -EINVAL;
	}
	p->reference_tsc = value;
	return 0;
}

int reference_tsc_write(struct partition *p, uint32_t vp, uint32_t msr,
			uint64_t value)
{
	int err;

	(void)vp;
	(void)msr;
	if (!overlay_register_valid(value, HV_OVERLAY_ENABLE))
		return -EINVAL;
	pthread_mutex_lock(&p->lock);
	err = set_locked(p, value);
	pthread_mutex_unlock(&p->lock);

	if (!err && value & HV_OVERLAY_ENABLE)
		partition_reached(p, PARTITION_REFERENCE_TSC);
	return err;
}
