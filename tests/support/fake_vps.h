/* SPDX-License-Identifier: MIT */
/*
 * fake_vps.h - VPs that count the interrupts they get; a struct synic_ops.
 */
#ifndef SUPPORT_FAKE_VPS_H
#define SUPPORT_FAKE_VPS_H

#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#include "synic/synic.h"

#define FAKE_VPS 4

struct fake_vps {
	_Atomic unsigned int interrupts[FAKE_VPS][256];
	_Atomic unsigned int auto_eois[FAKE_VPS][256];
	_Atomic unsigned int total;
	_Atomic unsigned int nearer; /* calls of timer_changed */
};

static inline void fake_vps_interrupt(void *ctx, uint32_t vp, uint8_t vector,
				      bool auto_eoi)
{
	struct fake_vps *f = ctx;

	f->interrupts[vp][vector]++;
	f->auto_eois[vp][vector] += auto_eoi;
	f->total++;
}

static inline void fake_vps_timer_changed(void *ctx)
{
	((struct fake_vps *)ctx)->nearer++;
}

static const struct synic_ops fake_vps_ops = {
	.interrupt = fake_vps_interrupt,
	.timer_changed = fake_vps_timer_changed,
};

/** fake_vps_take() - how many of @vector came since the last call */
static inline unsigned int fake_vps_take(struct fake_vps *f, uint32_t vp,
					 uint8_t vector)
{
	return atomic_exchange(&f->interrupts[vp][vector], 0);
}

#endif
