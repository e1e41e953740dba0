/* SPDX-License-Identifier: MIT */
/*
 * ref_time.h - the partition's reference time.
 *
 * Reference time counts 100 ns units since the partition was created.  It is
 * the one base of HV_X64_MSR_TIME_REF_COUNT, of the reference TSC page and of
 * the synthetic timers.  Where the host's TSC is reliable it is computed from
 * the guest's TSC with the formula and the very numbers that the page holds,
 *
 *	time = ((tsc * scale) >> 64) + offset,  scale = 10^7 * 2^64 / hz
 *
 * so that register and page agree at every moment on every processor.
 * Otherwise it is computed from CLOCK_MONOTONIC and the page says so
 * (sequence 0: read the register).
 *
 * The guest's TSC is taken to be the host's plus an offset, both running at
 * the same rate (no TSC scaling).
 *
 * Thread: ref_time_now(), ref_time_tsc_page() and
 * ref_time_to_monotonic_ns() from any thread, without a lock; but for a
 * restart they never see time go back.  The calls that change the base
 * (restart, freeze, thaw, set_tsc_offset) from one thread at a time, and with
 * the vCPUs stopped, as a guest computes with the page on its own.
 *
 * Source: TLFS "Timers", Reference Counter and Partition Reference Time
 * Enlightenment; Linux include/clocksource/hyperv_timer.h.
 */
#ifndef SYNIC_REF_TIME_H
#define SYNIC_REF_TIME_H

#include <stdbool.h>
#include <stdint.h>

struct ms_hyperv_tsc_page;
struct ref_time;

/* Where time comes from; replaced in tests. */
struct ref_clock {
	uint64_t (*tsc)(void *ctx); /* host TSC, ticks */
	uint64_t (*monotonic_ns)(void *ctx); /* CLOCK_MONOTONIC, ns */
	void *ctx;
};

/* The clocks of this host. */
extern const struct ref_clock ref_clock_host;

/* No such moment: ref_time_to_monotonic_ns() of a time that never comes. */
#define REF_TIME_NEVER UINT64_MAX

/**
 * ref_time_new() - reference time, counting from 0 now
 * @clock:      copied; its ctx must outlive the ref_time
 * @tsc_hz:     frequency of the guest's TSC in Hz, above 10^7
 * @tsc_offset: guest TSC minus host TSC, ticks, modulo 2^64
 * @use_tsc:    the host's TSC is reliable; else CLOCK_MONOTONIC is the base
 *
 * A @tsc_hz that is not above 10^7 has no 64-bit scale: @use_tsc is then
 * taken as false.
 *
 * Return: owned; never NULL.
 */
struct ref_time *ref_time_new(const struct ref_clock *clock, uint64_t tsc_hz,
			      int64_t tsc_offset, bool use_tsc);
void ref_time_free(struct ref_time *rt);

/**
 * ref_time_restart() - partition reset: count from 0 again, not frozen
 *
 * The TSC offset stays; the page's sequence number changes.
 */
void ref_time_restart(struct ref_time *rt);

/**
 * ref_time_set_tsc_offset() - the guest's TSC was moved
 * @tsc_offset: guest TSC minus host TSC, ticks, modulo 2^64
 *
 * Reference time goes on where it was; the page changes (new sequence).
 */
void ref_time_set_tsc_offset(struct ref_time *rt, int64_t tsc_offset);

/** ref_time_now() - 100 ns units since the partition's creation or reset */
uint64_t ref_time_now(const struct ref_time *rt);

/** ref_time_tsc_hz() - frequency of the guest's TSC, Hz */
uint64_t ref_time_tsc_hz(const struct ref_time *rt);

/**
 * ref_time_tsc_page() - what the reference TSC page holds now
 *
 * The sequence is 0 when the TSC is not the base; else it is neither 0 nor
 * 0xFFFFFFFF (which older specifications gave the meaning of 0).
 */
void ref_time_tsc_page(const struct ref_time *rt,
		       struct ms_hyperv_tsc_page *out);

/**
 * ref_time_write_page() - write the reference TSC page for a guest
 * @page: host address of the 4 KiB page, 8-byte aligned
 *
 * A guest may be reading: the sequence is 0 while scale and offset change.
 */
void ref_time_write_page(const struct ref_time *rt, void *page);

/**
 * ref_time_freeze() - the partition is paused: time stands still
 *
 * Fine if it is frozen already.
 */
void ref_time_freeze(struct ref_time *rt);

/**
 * ref_time_jump() - frozen time is another from now on
 * @delta: 100 ns units ahead; negative: back, but not below 0
 */
void ref_time_jump(struct ref_time *rt, int64_t delta);

/**
 * ref_time_thaw() - the partition goes on: so does time, from where it stood
 * @tsc_offset: the new guest TSC offset, ticks, chosen so that the guest's
 *              TSC stood still as well
 *
 * The page changes (new sequence): write it again before vCPUs run.
 */
void ref_time_thaw(struct ref_time *rt, int64_t tsc_offset);

/**
 * ref_time_to_monotonic_ns() - when does @ref come, on the host's clock?
 * @ref: reference time
 *
 * Return: CLOCK_MONOTONIC in ns, rounded up, by the nominal rate of the TSC
 * (the two clocks drift apart: look again when it is there); now for what is
 * past; REF_TIME_NEVER when frozen or too far to be said.
 */
uint64_t ref_time_to_monotonic_ns(const struct ref_time *rt, uint64_t ref);

#endif
