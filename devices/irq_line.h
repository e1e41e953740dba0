/* SPDX-License-Identifier: MIT */
/*
 * irq_line.h - an interrupt pin of a device.
 *
 * set() is called with the device's lock held, so that the levels arrive in
 * the order in which they were decided; it must not call the device back.  It
 * is called only when the level changes.  A NULL set() is a pin that nobody
 * soldered on.
 */
#ifndef DEVICES_IRQ_LINE_H
#define DEVICES_IRQ_LINE_H

#include <stdbool.h>

struct irq_line {
	void (*set)(void *ctx, unsigned int gsi, bool level);
	void *ctx;
	unsigned int gsi;
};

static inline void irq_line_set(const struct irq_line *line, bool level)
{
	if (line->set)
		line->set(line->ctx, line->gsi, level);
}

#endif
