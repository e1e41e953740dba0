/* SPDX-License-Identifier: MIT */
/*
 * What a VP has for its local APIC: the VP assist page, and the EOI, ICR and
 * TPR registers.
 *
 * The assist page's first word tells the guest when it need not end an
 * interrupt.  The local APIC is KVM's, so we never set it, but say where it
 * is to who can; it is cleared when the page is enabled, as Linux 4.19 and
 * 5.10 believe what is there.
 *
 * Source: TLFS "Virtual Processor Assist Page", "Local APIC MSR Accesses",
 * "EOI Assist"; OpenVMM hv1_emulator hv.rs for reserved bits (#GP).
 */
#include <errno.h>
#include <string.h>

#include "mem/overlay.h"
#include "partition/partition_impl.h"

#define EOI_VALID 0xFFFFFFFFull
#define TPR_VALID 0xFFull

int vp_assist_read(struct partition *p, uint32_t vp, uint32_t msr,
		   uint64_t *value)
{
	(void)msr;
	*value = atomic_load(&p->vps[vp].assist);
	return 0;
}

/* Nobody writes to the page after this. */
static void hide(struct partition *p, uint32_t vp)
{
	if (p->params.ops->assist_hidden)
		p->params.ops->assist_hidden(p->params.ctx, vp);
	overlay_hide(p->vps[vp].assist_page);
	atomic_store(&p->vps[vp].assist, 0);
}

void vp_assist_reset(struct partition *p, uint32_t vp)
{
	hide(p, vp);
	atomic_store(&p->vps[vp].assist_left, false);
}

int vp_assist_write(struct partition *p, uint32_t vp, uint32_t msr,
		    uint64_t value)
{
	struct partition_vp *v = &p->vps[vp];
	uint64_t gpa = value & HV_OVERLAY_PFN_MASK;
	bool enable = value & HV_OVERLAY_ENABLE;

	(void)msr;
	if (!overlay_register_valid(value, HV_OVERLAY_ENABLE) ||
	    gpa >= p->params.max_gpa)
		return -EINVAL;
	if (value != atomic_load(&v->assist)) {
		hide(p, vp);
		memset(overlay_page(v->assist_page), 0, sizeof(uint32_t));
		if (enable && overlay_show(v->assist_page, gpa))
			return -EINVAL;
	}
	/* Also when nothing is new: an INIT may have undone it. */
	if (enable && p->params.ops->assist_shown)
		p->params.ops->assist_shown(p->params.ctx, vp, gpa);
	atomic_store(&v->assist, value);
	atomic_store(&v->assist_left, false);
	return 0;
}

int apic_msr_read(struct partition *p, uint32_t vp, uint32_t msr,
		  uint64_t *value)
{
	return p->params.ops->apic_read(p->params.ctx, vp, msr, value);
}

int apic_msr_write(struct partition *p, uint32_t vp, uint32_t msr,
		   uint64_t value)
{
	if (msr == HV_X64_MSR_EOI && value & ~EOI_VALID)
		return -EINVAL;
	if (msr == HV_X64_MSR_TPR && value & ~TPR_VALID)
		return -EINVAL;
	return p->params.ops->apic_write(p->params.ctx, vp, msr, value);
}
