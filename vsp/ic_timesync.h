/* SPDX-License-Identifier: MIT */
/*
 * ic_timesync.h - give the guest the host's time.
 *
 * A message says what time it was, in UTC, when the partition's reference
 * counter had a certain value; so it does not matter how long it is on its
 * way.  Two kinds: SYNC, upon which the guest sets its clock, is sent once the
 * driver is there, after each pause, and when asked for.  SAMPLE, which says
 * only how late it is, is sent every five seconds: a guest that keeps its time
 * by NTP would not like to have it set (Linux drivers/hv/hv_util.c uses
 * samples for /dev/ptp_hyperv, sets its clock by the first 50 in kernels
 * before 4.10, and by those that show it behind with timesync_implicit=1).
 *
 * Thread: any.
 * Source: Linux drivers/hv/hv_util.c:adj_guesttime(); OpenVMM hyperv_ic
 * src/timesync.rs.
 */
#ifndef VSP_IC_TIMESYNC_H
#define VSP_IC_TIMESYNC_H

#include <stdint.h>

struct ic_timesync;
struct vsp_ops;
struct vsp_params;

struct ic_timesync_clock {
	/* Both on the worker.  The same moment, as well as it can be. */
	/* UTC since 1970, ns */
	uint64_t (*utc_ns)(void *ctx);
	/* HV_X64_MSR_TIME_REF_COUNT now, 100 ns */
	uint64_t (*reference)(void *ctx);
	void *ctx;
};

/**
 * ic_timesync_new() - offer it
 * @clock:     copied; utc_ns NULL: the host's
 * @period_ns: of samples; 0: five seconds
 *
 * Return: owned; NULL when the instance is taken.
 */
struct ic_timesync *ic_timesync_new(const struct vsp_params *params,
				    const struct ic_timesync_clock *clock,
				    uint64_t period_ns);
void ic_timesync_free(struct ic_timesync *t);

/* On the channel's worker.  @err: 0 the guest has it; else as ic.h has it. */
typedef void (*ic_timesync_done_fn)(void *ctx, int err);

/**
 * ic_timesync_sync() - have the guest set its clock
 * @done: called once if this returns 0
 *
 * Return: 0; -EBUSY too much is asked for.
 */
int ic_timesync_sync(struct ic_timesync *t, uint64_t timeout_ns,
		     ic_timesync_done_fn done, void *ctx);

extern const struct vsp_ops ic_timesync_ops;

#endif
