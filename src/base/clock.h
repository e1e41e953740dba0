/* SPDX-License-Identifier: MIT */
/*
 * clock.h - host time.
 *
 * Nanoseconds are CLOCK_MONOTONIC; reference time (100 ns units, the guest's)
 * is made from the TSC in synic/ref_time.h.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

#define NSEC_PER_SEC     1000000000ull
#define NSEC_PER_MSEC    1000000ull
#define NSEC_PER_100NS   100ull
#define REF_TIME_PER_SEC 10000000ull

/** clock_monotonic_ns() - CLOCK_MONOTONIC in nanoseconds */
uint64_t clock_monotonic_ns(void);

/** clock_tsc() - the host's time stamp counter, read in program order */
uint64_t clock_tsc(void);

/**
 * clock_tsc_is_reliable() - is the host kernel itself running on its TSC?
 *
 * Only then do all processors agree on it and never step it
 * (/sys/devices/system/clocksource/clocksource0/current_clocksource).
 */
int clock_tsc_is_reliable(void);

#endif
