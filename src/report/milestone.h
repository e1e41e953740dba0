/* SPDX-License-Identifier: MIT */
/*
 * milestone.h - how far a guest came, and when.
 *
 * The names are part of what users rely on: one stays once it is published.
 */
#ifndef REPORT_MILESTONE_H
#define REPORT_MILESTONE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* In the order of a boot. */
enum milestone {
	MILESTONE_GUEST_OS_ID,
	MILESTONE_HYPERCALL_PAGE,
	MILESTONE_REFERENCE_TSC,
	MILESTONE_SYNIC,
	MILESTONE_STIMER,
	MILESTONE_VMBUS_CONTACT,
	MILESTONE_VMBUS_OFFERS,
	MILESTONE_STORVSC_OPEN,
	MILESTONE_STORVSC_IO,
	MILESTONE_NETVSC_OPEN,
	MILESTONE_NETVSC_LINK,
	MILESTONE_NETVSC_RX,
	MILESTONE_NETVSC_TX,
	MILESTONE_IC_HEARTBEAT,
	MILESTONE_IC_TIMESYNC,
	MILESTONE_IC_SHUTDOWN,
	MILESTONE_IC_KVP,
	MILESTONE_IC_VSS,
	MILESTONE_IC_FCOPY,
	MILESTONE_BALLOON,
	MILESTONE_KEYBOARD,
	MILESTONE_MOUSE,
	MILESTONE_VIDEO,
	MILESTONE_HVSOCK,
	MILESTONE_VPCI,
	MILESTONE_UNLOAD,
	MILESTONE_POWEROFF,
	N_MILESTONES,
};

struct milestones {
	uint64_t start_ns; /* CLOCK_MONOTONIC */
	_Atomic uint64_t reached_ns[N_MILESTONES]; /* 0: not yet */
	/* Who is told of each, on the thread that reached it; NULL: nobody. */
	void (*reached)(void *ctx, enum milestone which);
	void *ctx;
};

/** milestones_init() - none reached; time counts from now */
void milestones_init(struct milestones *m);

/** milestone_reach() - the first call of each counts; any thread */
void milestone_reach(struct milestones *m, enum milestone which);

bool milestone_reached(const struct milestones *m, enum milestone which);

/** milestone_ms() - milliseconds from the start until it was reached */
uint64_t milestone_ms(const struct milestones *m, enum milestone which);

const char *milestone_name(enum milestone which);

/** milestone_implemented() - can this version of kvmbus reach it at all? */
bool milestone_implemented(enum milestone which);

/** milestone_find() - Return: its number, or -ENOENT */
int milestone_find(const char *name);

#endif
