/* SPDX-License-Identifier: MIT */
/*
 * timesync.h - give the guest the host's time.
 *
 * A message says what time it was, in UTC, when the partition's reference
 * counter had a certain value; so it does not matter how long it is on its
 * way.  Two kinds: SYNC, upon which the guest sets its clock, is sent once the
 * driver is there, after each pause, every so often, and when asked for.
 * SAMPLE, which says only how late it is, is sent every five seconds, but for
 * those times.
 *
 * Hyper-V itself sends no SYNC every so often.  But Linux has samples only for
 * /dev/ptp_hyperv, and sets its clock by them with timesync_implicit=1 if it is
 * behind (up to 4.9 by the first 50): one that came to be wrong by minutes
 * would stay so, and what the guest's clock says is nothing that it tells the
 * host.  Not too often, as setting the clock makes Linux forget that it was
 * in step with NTP (kernel/time/ntp.c:ntp_clear()).
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
 * @sync_s:    how often the guest is to set its clock, in seconds, a multiple
 *             of five as near as can be; 0: not by itself
 * @period_ns: between messages; 0: five seconds; else, for tests, one that
 *             stands for five seconds
 *
 * Return: owned; NULL when the instance is taken.
 */
struct ic_timesync *ic_timesync_new(const struct vsp_params *params,
				    const struct ic_timesync_clock *clock,
				    unsigned int sync_s, uint64_t period_ns);
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
