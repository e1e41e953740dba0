/* SPDX-License-Identifier: MIT */
/*
 * cmos_rtc.h - the MC146818 clock and its 128 bytes of CMOS RAM.
 *
 * Theory of operation.  Nothing ticks: the guest's time is the host's UTC
 * clock plus an offset, and the registers are computed when they are read.
 * While the clock is halted (SET in register B, or the divider held in reset
 * in register A) the registers are plain memory; when it runs again the offset
 * is made from them.  UF, AF and PF are computed from the time since they were
 * last looked at; a timer is armed only for an interrupt that is enabled and
 * not yet pending.  UIP is 1 for the 244 us before each second, and the
 * registers are never seen half updated.
 *
 * Source: Motorola MC146818A data sheet; IBM PC/AT for the RAM; Linux
 * drivers/rtc/rtc-mc146818-lib.c and rtc-cmos.c for what drivers rely on.
 * Thread: any; one lock, a leaf but for irq_line and timer_line.
 */
#ifndef DEVICES_CMOS_RTC_H
#define DEVICES_CMOS_RTC_H

#include <stdint.h>

#include "devices/irq_line.h"
#include "devices/timer_line.h"

struct bus;
struct cmos_rtc;

struct cmos_rtc_config {
	/* UTC, ns since 1970; NULL: the host's clock */
	uint64_t (*now_ns)(void *ctx);
	void *clock_ctx;
	/* The guest's clock minus UTC at the start, e.g. for local time */
	int64_t offset_s;
	struct irq_line irq;
	struct timer_line timer; /* calls cmos_rtc_expired() */
	/* RAM, for the memory size bytes */
	uint64_t ram_below_4g;
	uint64_t ram_above_4g;
};

/** cmos_rtc_new() - a running clock, 24 h, BCD; Return: owned, never NULL */
struct cmos_rtc *cmos_rtc_new(const struct cmos_rtc_config *config);
void cmos_rtc_free(struct cmos_rtc *rtc);

/** cmos_rtc_attach() - decode the index and data ports; as bus_add() */
int cmos_rtc_attach(struct cmos_rtc *rtc, struct bus *pio);

/**
 * cmos_rtc_reset() - as firmware leaves it: running, 24 h, BCD, no interrupts
 *
 * Time and RAM stay.
 */
void cmos_rtc_reset(struct cmos_rtc *rtc);

/** cmos_rtc_expired() - the timer is due; takes a void * to be a callback */
void cmos_rtc_expired(void *rtc);

/** cmos_rtc_offset_ns() - the guest's clock minus UTC */
int64_t cmos_rtc_offset_ns(struct cmos_rtc *rtc);

#endif
