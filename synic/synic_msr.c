/* SPDX-License-Identifier: MIT */
/*
 * synic_msr.c - the registers of a VP; the theory is at the top of synic.c.
 */
#include <errno.h>

#include <glib.h>

#include "base/findings.h"
#include "base/log.h"
#include "mem/overlay.h"
#include "proto/hv_synic.h"
#include "proto/hv_tlfs.h"
#include "synic/synic_impl.h"

#define LOG_CATEGORY "synic"

#define PAGE_RSVD (~(HV_OVERLAY_PFN_MASK | HV_OVERLAY_ENABLE))
#define SINT_RSVD                                             \
	(~(HV_SYNIC_SINT_VECTOR_MASK | HV_SYNIC_SINT_MASKED | \
	   HV_SYNIC_SINT_AUTO_EOI | HV_SYNIC_SINT_POLLING | 3ull << 19))

bool synic_owns_msr(uint32_t msr)
{
	return (msr >= HV_X64_MSR_SCONTROL && msr <= HV_X64_MSR_EOM) ||
	       (msr >= HV_X64_MSR_SINT0 && msr <= HV_X64_MSR_SINT15) ||
	       (msr >= HV_X64_MSR_STIMER0_CONFIG &&
		msr <= HV_X64_MSR_STIMER3_COUNT);
}

static uint64_t timer_read(struct synic_vp *vp, uint32_t msr)
{
	unsigned int n = msr - HV_X64_MSR_STIMER0_CONFIG;
	const struct stimer *t = &vp->timers[n / 2].timer;
	uint64_t value;

	pthread_mutex_lock(&vp->lock);
	value = n % 2 ? t->count : t->config;
	pthread_mutex_unlock(&vp->lock);
	return value;
}

int synic_msr_read(struct synic *synic, uint32_t vp_index, uint32_t msr,
		   uint64_t *value)
{
	struct synic_vp *vp;

	if (vp_index >= synic->params.n_vps || !synic_owns_msr(msr))
		return -EINVAL;
	vp = &synic->vps[vp_index];
	switch (msr) {
	case HV_X64_MSR_SCONTROL:
		*value = reg_get(&vp->scontrol);
		break;
	case HV_X64_MSR_SVERSION:
		*value = HV_SYNIC_VERSION;
		break;
	case HV_X64_MSR_SIEFP:
		*value = reg_get(&vp->siefp);
		break;
	case HV_X64_MSR_SIMP:
		*value = reg_get(&vp->simp);
		break;
	case HV_X64_MSR_EOM:
		*value = 0;
		break;
	default:
		if (msr <= HV_X64_MSR_SINT15)
			*value = reg_get(&vp->sint[msr - HV_X64_MSR_SINT0]);
		else
			*value = timer_read(vp, msr);
	}
	return 0;
}

static void place_page(struct synic_vp *vp, struct overlay *overlay,
		       uint64_t value)
{
	uint64_t gpa = value & HV_OVERLAY_PFN_MASK;
	int err;

	if (!(value & HV_OVERLAY_ENABLE) || gpa >= vp->synic->params.max_gpa) {
		overlay_hide(overlay);
		return;
	}
	err = overlay_show(overlay, gpa);
	if (err)
		log_warn_ratelimited("vp %u: no page at 0x%" G_GINT64_MODIFIER
				     "x: %s",
				     vp->index, gpa, g_strerror(-err));
}

/* Reserved bits are to be preserved: set are only those that were. */
static void judge_reserved(const struct synic_vp *vp, const char *where,
			   uint64_t reserved, uint64_t was, uint64_t value)
{
	if (value & ~was & reserved)
		findings_hit(FINDING_MSR_RESERVED, where,
			     "0x%" G_GINT64_MODIFIER
			     "x after 0x%" G_GINT64_MODIFIER "x by VP %u",
			     value, was, vp->index);
}

static void judge_sint(const struct synic_vp *vp, unsigned int sint,
		       uint64_t value)
{
	char where[16];

	g_snprintf(where, sizeof(where), "SINT%u", sint);
	judge_reserved(vp, where, SINT_RSVD, reg_get(&vp->sint[sint]), value);
	/* Every profile says that it is deprecated, see ARCHITECTURE.md. */
	if (value & HV_SYNIC_SINT_AUTO_EOI && !(value & HV_SYNIC_SINT_MASKED))
		findings_hit(FINDING_SINT_AUTO_EOI, where, "by VP %u",
			     vp->index);
}

static int sint_write(struct synic_vp *vp, unsigned int sint, uint64_t value)
{
	if (!(value & HV_SYNIC_SINT_MASKED) &&
	    (value & HV_SYNIC_SINT_VECTOR_MASK) < HV_SYNIC_FIRST_VALID_VECTOR)
		return -EINVAL;
	judge_sint(vp, sint, value);
	reg_set(&vp->sint[sint], value);
	return 0;
}

static int control_write(struct synic_vp *vp, uint32_t msr, uint64_t value)
{
	switch (msr) {
	case HV_X64_MSR_SCONTROL:
		judge_reserved(vp, "SCONTROL", ~HV_SYNIC_CONTROL_ENABLE,
			       reg_get(&vp->scontrol), value);
		reg_set(&vp->scontrol, value);
		return 0;
	case HV_X64_MSR_SIEFP:
		judge_reserved(vp, "SIEFP", PAGE_RSVD, reg_get(&vp->siefp),
			       value);
		place_page(vp, vp->siefp_overlay, value);
		reg_set(&vp->siefp, value);
		return 0;
	case HV_X64_MSR_SIMP:
		judge_reserved(vp, "SIMP", PAGE_RSVD, reg_get(&vp->simp),
			       value);
		place_page(vp, vp->simp_overlay, value);
		reg_set(&vp->simp, value);
		return 0;
	case HV_X64_MSR_EOM:
		return 0; /* what counts is the attempt that follows */
	case HV_X64_MSR_SVERSION:
		return -EINVAL;
	default:
		return sint_write(vp, msr - HV_X64_MSR_SINT0, value);
	}
}

int synic_msr_write(struct synic *synic, uint32_t vp, uint32_t msr,
		    uint64_t value)
{
	struct visit v;
	int err;

	if (vp >= synic->params.n_vps || !synic_owns_msr(msr))
		return -EINVAL;
	v = synic_enter(synic, vp);
	if (msr >= HV_X64_MSR_STIMER0_CONFIG) {
		err = synic_timer_write(&v, msr, value);
	} else {
		err = control_write(v.vp, msr, value);
		/* Whatever was written, it may be what a message waits for. */
		if (!err)
			synic_deliver_all(&v);
	}
	synic_leave(&v);
	return err;
}
