/* SPDX-License-Identifier: MIT */
/*
 * fake_clock.h - a host TSC and CLOCK_MONOTONIC that move when a test says so.
 */
#ifndef SUPPORT_FAKE_CLOCK_H
#define SUPPORT_FAKE_CLOCK_H

#include <stdint.h>

#include "synic/ref_time.h"

struct fake_clock {
	uint64_t tsc;
	uint64_t ns;
};

static inline uint64_t fake_clock_tsc(void *ctx)
{
	return ((struct fake_clock *)ctx)->tsc;
}

static inline uint64_t fake_clock_ns(void *ctx)
{
	return ((struct fake_clock *)ctx)->ns;
}

/** fake_clock_ref() - @fake as the host clocks of a ref_time */
static inline struct ref_clock fake_clock_ref(struct fake_clock *fake)
{
	return (struct ref_clock){.tsc = fake_clock_tsc,
				  .monotonic_ns = fake_clock_ns,
				  .ctx = fake};
}

#endif
