/* SPDX-License-Identifier: MIT */
/*
 * GUEST_OS_ID and HYPERCALL.
 *
 * The page can be enabled only while an identity is set, and goes when that
 * is cleared.  The page's code is written again at each enabling: a guest
 * can scribble over it, which on Hyper-V is a fault.
 *
 * A write with a reserved bit (11:2) is #GP, as in OpenVMM; so is one to a
 * locked register, and an address past the physical address space.  Bit 1
 * locks only where leaf 3 EDX says so, and is reserved elsewhere.
 *
 * Source: TLFS "Reporting the Guest OS Identity", "Establishing the Hypercall
 * Interface (x86/x64)"; OpenVMM hv1_emulator hv.rs.
 */
#include <errno.h>
#include <inttypes.h>

#include "base/findings.h"
#include "hypercalls/page.h"
#include "mem/overlay.h"
#include "partition/partition_impl.h"
#include "synic/synic.h"

int guest_os_id_read(struct partition *p, uint32_t vp, uint32_t msr,
		     uint64_t *value)
{
	(void)vp;
	(void)msr;
	*value = partition_guest_os_id(p);
	return 0;
}

static bool is_page_on(const struct partition *p, uint32_t vp, uint32_t msr)
{
	uint64_t value = 0;

	return p->params.synic &&
	       !synic_msr_read(p->params.synic, vp, msr, &value) &&
	       (value & HV_OVERLAY_ENABLE);
}

/* These are off before the next kernel comes, or were shown by it anew. */
static void note_assist_pages(struct partition *p)
{
	for (uint32_t vp = 0; vp < p->n_vps; vp++)
		atomic_store(&p->vps[vp].assist_left,
			     atomic_load(&p->vps[vp].assist) &
				     HV_OVERLAY_ENABLE);
}

/*
 * A kernel says what it is: the pages of its SynIC come later.  Linux has the
 * reference TSC page and its first VP assist page by then.
 */
static void look_for_pages_left(struct partition *p, uint64_t was)
{
	if (was && partition_hypercalls_enabled(p))
		findings_hit(FINDING_OVERLAY_LEFT, "HYPERCALL",
			     "the page of the guest with OS id 0x%" PRIx64,
			     was);
	for (uint32_t vp = 0; vp < p->n_vps; vp++) {
		if (atomic_exchange(&p->vps[vp].assist_left, false))
			findings_hit(FINDING_OVERLAY_LEFT, "VP_ASSIST_PAGE",
				     "of VP %u", vp);
		if (is_page_on(p, vp, HV_X64_MSR_SIMP))
			findings_hit(FINDING_OVERLAY_LEFT, "SIMP", "of VP %u",
				     vp);
		if (is_page_on(p, vp, HV_X64_MSR_SIEFP))
			findings_hit(FINDING_OVERLAY_LEFT, "SIEFP", "of VP %u",
				     vp);
	}
}

int guest_os_id_write(struct partition *p, uint32_t vp, uint32_t msr,
		      uint64_t value)
{
	uint64_t was;

	(void)vp;
	(void)msr;
	pthread_mutex_lock(&p->lock);
	was = atomic_exchange(&p->guest_os_id, value);
	if (value && value != was)
		look_for_pages_left(p, was);
	if (!value) {
		note_assist_pages(p);
		atomic_fetch_and(&p->hypercall, ~HV_X64_MSR_HYPERCALL_ENABLE);
		overlay_hide(p->hypercall_page);
	}
	pthread_mutex_unlock(&p->lock);

	if (value)
		partition_reached(p, PARTITION_GUEST_OS_ID);
	return 0;
}

int hypercall_read(struct partition *p, uint32_t vp, uint32_t msr,
		   uint64_t *value)
{
	(void)vp;
	(void)msr;
	*value = atomic_load(&p->hypercall);
	return 0;
}

/* Give the register its new value. Return: 0 or -EINVAL. */
static int set_locked(struct partition *p, uint64_t value)
{
	uint64_t gpa = value & HV_OVERLAY_PFN_MASK;
	uint64_t was = atomic_load(&p->hypercall);
	uint64_t low_bits = HV_X64_MSR_HYPERCALL_ENABLE;

	if (p->features.edx & HV_FEATURE_HYPERCALL_MSR_LOCK)
		low_bits |= HV_X64_MSR_HYPERCALL_LOCKED;
	if (was & HV_X64_MSR_HYPERCALL_LOCKED ||
	    !overlay_register_valid(value, low_bits) ||
	    gpa >= p->params.max_gpa)
		return -EINVAL;

	if (!atomic_load(&p->guest_os_id)) {
		if (value & HV_X64_MSR_HYPERCALL_ENABLE)
			findings_hit(FINDING_HYPERCALL_NO_OS_ID, "HYPERCALL",
				     "it stays off; 0x%" PRIx64, value);
		value &= ~HV_X64_MSR_HYPERCALL_ENABLE;
	}
	if (!(value & HV_X64_MSR_HYPERCALL_ENABLE)) {
		overlay_hide(p->hypercall_page);
	} else if (value != was) {
		hypercall_page_fill(overlay_page(p->hypercall_page));
		if (overlay_show(p->hypercall_page, gpa)) {
			atomic_store(&p->hypercall, 0);
			return -EINVAL;
		}
	}
	atomic_store(&p->hypercall, value);
	return 0;
}

int hypercall_write(struct partition *p, uint32_t vp, uint32_t msr,
		    uint64_t value)
{
	bool enabled;
	int err;

	(void)vp;
	(void)msr;
	pthread_mutex_lock(&p->lock);
	err = set_locked(p, value);
	enabled = partition_hypercalls_enabled(p);
	pthread_mutex_unlock(&p->lock);

	if (enabled)
		partition_reached(p, PARTITION_HYPERCALL_PAGE);
	return err;
}
