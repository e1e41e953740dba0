/* SPDX-License-Identifier: MIT */
#include "partition/partition.h"

#include <inttypes.h>
#include <string.h>

#include "base/coverage.h"
#include "base/findings.h"
#include "mem/overlay.h"
#include "partition/msr.h"
#include "partition/partition_impl.h"
#include "synic/ref_time.h"

/* Hypercall page and reference TSC page */
#define PARTITION_WIDE_OVERLAYS 2

static const char *const milestone_names[PARTITION_N_MILESTONES] = {
	[PARTITION_GUEST_OS_ID] = "guest_os_id",
	[PARTITION_HYPERCALL_PAGE] = "hypercall_page",
	[PARTITION_REFERENCE_TSC] = "reference_tsc",
	[PARTITION_SYNIC] = "synic",
	[PARTITION_STIMER] = "stimer",
};

const char *partition_milestone_name(enum partition_milestone milestone)
{
	return milestone_names[milestone];
}

void partition_reached(struct partition *p, enum partition_milestone milestone)
{
	uint32_t bit = 1u << milestone;

	/* Stimers come here all the time: look before the atomic write. */
	if (atomic_load_explicit(&p->milestones, memory_order_relaxed) & bit)
		return;
	if (!(atomic_fetch_or(&p->milestones, bit) & bit) &&
	    p->params.ops->milestone)
		p->params.ops->milestone(p->params.ctx, milestone);
}

bool overlay_register_valid(uint64_t value, uint64_t low_bits)
{
	return !(value & ~(HV_OVERLAY_PFN_MASK | low_bits));
}

unsigned int partition_overlays_needed(unsigned int n_vps)
{
	return PARTITION_WIDE_OVERLAYS + n_vps;
}

struct partition *partition_new(const struct partition_params *params)
{
	struct partition *p = g_malloc0(
		sizeof(*p) + params->n_vps * sizeof(struct partition_vp));

	p->params = *params;
	p->features = *params->features;
	p->n_vps = params->n_vps;
	pthread_mutex_init(&p->lock, NULL);
	p->hypercall_page = overlay_new(params->overlays);
	p->tsc_page = overlay_new(params->overlays);
	for (unsigned int i = 0; i < p->n_vps; i++)
		p->vps[i].assist_page = overlay_new(params->overlays);
	msr_index_init(p);
	return p;
}

void partition_free(struct partition *p)
{
	if (!p)
		return;
	coverage_free(p->coverage);
	pthread_mutex_destroy(&p->lock);
	g_free(p);
}

void partition_reset(struct partition *p)
{
	pthread_mutex_lock(&p->lock);
	overlay_hide(p->hypercall_page);
	overlay_hide(p->tsc_page);
	atomic_store(&p->guest_os_id, 0);
	atomic_store(&p->hypercall, 0);
	p->reference_tsc = 0;
	memset(p->crash, 0, sizeof(p->crash));
	p->reenlightenment = 0;
	p->tsc_emulation = 0;
	p->tsc_invariant = 0;
	pthread_mutex_unlock(&p->lock);

	for (unsigned int i = 0; i < p->n_vps; i++)
		vp_assist_reset(p, i);
	atomic_store(&p->milestones, 0);
}

const struct coverage_set *partition_msr_coverage(const struct partition *p)
{
	return p->coverage;
}

uint64_t partition_guest_os_id(const struct partition *p)
{
	return atomic_load_explicit(&p->guest_os_id, memory_order_relaxed);
}

bool partition_hypercalls_enabled(const struct partition *p)
{
	return atomic_load_explicit(&p->hypercall, memory_order_relaxed) &
	       HV_X64_MSR_HYPERCALL_ENABLE;
}

void partition_update_tsc_page(struct partition *p)
{
	pthread_mutex_lock(&p->lock);
	if (p->reference_tsc & HV_OVERLAY_ENABLE)
		ref_time_write_page(p->params.ref_time,
				    overlay_page(p->tsc_page));
	pthread_mutex_unlock(&p->lock);
}

void partition_tsc_write(const struct partition *p, uint32_t vp, uint32_t msr,
			 uint64_t value)
{
	(void)p;
	findings_hit(FINDING_TSC_WRITTEN,
		     msr == MSR_IA32_TSC ? "IA32_TSC" : "IA32_TSC_ADJUST",
		     "0x%" PRIx64 " by VP %u; it was ignored", value, vp);
}
