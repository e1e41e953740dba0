/* SPDX-License-Identifier: MIT */
#include "report/milestone.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/trace.h"

static const struct {
	const char *name;
	bool implemented;
} milestones[N_MILESTONES] = {
	[MILESTONE_GUEST_OS_ID] = {"guest_os_id", true},
	[MILESTONE_HYPERCALL_PAGE] = {"hypercall_page", true},
	[MILESTONE_REFERENCE_TSC] = {"reference_tsc", true},
	[MILESTONE_SYNIC] = {"synic", true},
	[MILESTONE_STIMER] = {"stimer", true},
	[MILESTONE_VMBUS_CONTACT] = {"vmbus_contact", true},
	[MILESTONE_VMBUS_OFFERS] = {"vmbus_offers", true},
	[MILESTONE_STORVSC_OPEN] = {"storvsc_open", true},
	[MILESTONE_STORVSC_IO] = {"storvsc_io", true},
	[MILESTONE_NETVSC_OPEN] = {"netvsc_open", true},
	[MILESTONE_NETVSC_LINK] = {"netvsc_link", true},
	[MILESTONE_NETVSC_RX] = {"netvsc_rx", true},
	[MILESTONE_NETVSC_TX] = {"netvsc_tx", true},
	[MILESTONE_IC_HEARTBEAT] = {"ic_heartbeat", true},
	[MILESTONE_IC_TIMESYNC] = {"ic_timesync", true},
	[MILESTONE_IC_SHUTDOWN] = {"ic_shutdown", true},
	[MILESTONE_IC_KVP] = {"ic_kvp", true},
	[MILESTONE_IC_VSS] = {"ic_vss", true},
	[MILESTONE_IC_FCOPY] = {"ic_fcopy", true},
	[MILESTONE_BALLOON] = {"balloon", true},
	[MILESTONE_KEYBOARD] = {"keyboard", true},
	[MILESTONE_MOUSE] = {"mouse", true},
	[MILESTONE_VIDEO] = {"video", false},
	[MILESTONE_HVSOCK] = {"hvsock", true},
	[MILESTONE_VPCI] = {"vpci", false},
	[MILESTONE_UNLOAD] = {"unload", true},
	[MILESTONE_POWEROFF] = {"poweroff", true},
};

void milestones_init(struct milestones *m)
{
	memset(m, 0, sizeof(*m));
	m->start_ns = clock_monotonic_ns();
}

void milestone_reach(struct milestones *m, enum milestone which)
{
	uint64_t never = 0;

	/* Looked at first: some are reached over and over. */
	if (atomic_load_explicit(&m->reached_ns[which], memory_order_relaxed) ||
	    !atomic_compare_exchange_strong(&m->reached_ns[which], &never,
					    clock_monotonic_ns()))
		return;
	trace_event(milestone, TRACE_NO_VP, TRACE_NO_DEVICE, which);
	if (m->reached)
		m->reached(m->ctx, which);
}

bool milestone_reached(const struct milestones *m, enum milestone which)
{
	return atomic_load(&m->reached_ns[which]) != 0;
}

uint64_t milestone_ms(const struct milestones *m, enum milestone which)
{
	uint64_t at = atomic_load(&m->reached_ns[which]);

	return at ? (at - m->start_ns) / NSEC_PER_MSEC : 0;
}

const char *milestone_name(enum milestone which)
{
	return milestones[which].name;
}

bool milestone_implemented(enum milestone which)
{
	return milestones[which].implemented;
}

int milestone_find(const char *name)
{
	for (int i = 0; i < N_MILESTONES; i++) {
		if (!strcmp(name, milestones[i].name))
			return i;
	}
	return -ENOENT;
}
