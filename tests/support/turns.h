/* SPDX-License-Identifier: MIT */
/*
 * turns.h - how a test waits for what another thread does.
 *
 * A loop that only yields takes its share of a busy machine from those that
 * it waits for: with many such tests at once, hardly anything else runs.
 */
#ifndef SUPPORT_TURNS_H
#define SUPPORT_TURNS_H

#include <sched.h>
#include <stdbool.h>
#include <time.h>

#include "base/clock.h"

/** give_way() - let others run; in a loop, before what is waited for again */
static inline void give_way(void)
{
	static _Thread_local unsigned int turns;
	static const struct timespec pause = {.tv_nsec = 100000};

	if (++turns % 128)
		sched_yield();
	else
		nanosleep(&pause, NULL);
}

/*
 * A race is run many times to be lost once: as often as wanted, but no longer
 * than this; a machine that is slow has other races.
 */
#define RACE_NS (5 * NSEC_PER_SEC)

/** race_is_over() - has what began at @start_ns gone on for long enough? */
static inline bool race_is_over(uint64_t start_ns)
{
	return clock_monotonic_ns() - start_ns > RACE_NS;
}

#endif
