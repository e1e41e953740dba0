/* SPDX-License-Identifier: MIT */
/*
 * clock.h - time by the ACPI PM timer, which is nothing of Hyper-V's, and
 * waits that end.
 */
#ifndef LIB_CLOCK_H
#define LIB_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/instructions.h"
#include "proto/platform.h"

/** clock_ticks() - at PLATFORM_PM_TMR_HZ; wraps after 20 minutes */
static inline uint32_t clock_ticks(void)
{
	return in32(PLATFORM_PM_TMR_PORT);
}

/** clock_from_ms() - in ticks; 1000 s at most */
static inline uint32_t clock_from_ms(uint32_t ms)
{
	return ms * (PLATFORM_PM_TMR_HZ / 1000);
}

/** clock_wait_ms() - with interrupts on */
static inline void clock_wait_ms(uint32_t ms)
{
	uint32_t start = clock_ticks();

	while (clock_ticks() - start < clock_from_ms(ms))
		pause();
}

/* Wait until @condition, for at most @ms; its value at the end. */
#define wait_until(condition, ms)                                  \
	({                                                         \
		uint32_t start_ = clock_ticks();                   \
		bool met_;                                         \
                                                                   \
		while (!(met_ = (condition)) &&                    \
		       clock_ticks() - start_ < clock_from_ms(ms)) \
			pause();                                   \
		met_ || (condition);                               \
	})

/* What a busy machine may need for what takes no time. */
#define SOON_MS  10000
/* How long to watch for what must not happen. */
#define QUIET_MS 20

#endif
