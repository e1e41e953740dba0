/* SPDX-License-Identifier: MIT */
/*
 * timer_line.h - how a device asks to be woken.
 *
 * arm() replaces what was asked before.  Its owner calls the device's
 * `…_expired()` once, from a thread of its own, when the delay is over; too
 * early and too often are harmless, because a device looks at its clock
 * itself.  arm() is called with the device's lock held and must not call the
 * device back.  A NULL arm() is a device that is never woken: its flags still
 * come true when they are read, only its interrupts do not.
 */
#ifndef DEVICES_TIMER_LINE_H
#define DEVICES_TIMER_LINE_H

#include <stdint.h>

#define TIMER_LINE_NEVER UINT64_MAX

struct timer_line {
	/* delay_ns from now; TIMER_LINE_NEVER cancels */
	void (*arm)(void *ctx, uint64_t delay_ns);
	void *ctx;
};

static inline void timer_line_arm(const struct timer_line *line,
				  uint64_t delay_ns)
{
	if (line->arm)
		line->arm(line->ctx, delay_ns);
}

#endif
