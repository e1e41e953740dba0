/* SPDX-License-Identifier: MIT */
/*
 * balloon.h - dynamic memory on VMbus: memory that the guest gives back to the
 * host, and gets again.
 *
 * The host says how much it wants (balloon_set_target()).  The guest is asked
 * for it piece by piece; the pages that it gives are taken out of the host's
 * memory at once (gmem_discard()) and remembered, so that only those are ever
 * given back.  They need nothing to be given back: what the guest touches
 * then is there, and zero.  So a guest that starts anew has all of its memory,
 * and a target holds until the guest's driver goes.
 *
 * A guest keeps what it needs for itself: it may give less than it is asked
 * for.  Then it is not asked again before there is a new target.
 *
 * Hot add of memory is not implemented: there is no room for more RAM in the
 * machine than it starts with.  Hints about free pages come by hypercall
 * (HvExtCallMemoryHeatHint), not here.
 *
 * Thread: any.  Lock: one, a leaf.
 * Source: Linux drivers/hv/hv_balloon.c.
 */
#ifndef VSP_BALLOON_H
#define VSP_BALLOON_H

#include <stdbool.h>
#include <stdint.h>

struct balloon;
struct vsp_ops;
struct vsp_params;

/* Targets are multiples of this, as guests want it. */
#define BALLOON_UNIT_BYTES (2ull << 20)

struct balloon_status {
	bool ready; /* the guest's driver works */
	bool can_balloon; /* ... and is able to */
	bool busy; /* the guest was asked, and has not answered yet */
	bool limited; /* it gave less than it was asked for */
	uint32_t version; /* DYNMEM_PROTOCOL_VERSION_… */
	uint64_t target_bytes;
	uint64_t ballooned_bytes; /* that the guest gave */
	/* as the guest last said; 0 before it did */
	uint64_t available_bytes, committed_bytes;
	uint64_t reports; /* times that it did */
};

/**
 * balloon_new() - offer the device
 *
 * Return: owned; NULL when the instance is taken.
 */
struct balloon *balloon_new(const struct vsp_params *params);
void balloon_free(struct balloon *b);

/**
 * balloon_set_target() - how much the guest is to give in all; 0: nothing
 * @bytes: rounded down to BALLOON_UNIT_BYTES
 *
 * It takes its time, and may not be reached: see balloon_get_status().
 *
 * Return: 0; -ENOTCONN the guest has no driver for it; -EOPNOTSUPP its driver
 * cannot; -EINVAL more than there is RAM.
 */
int balloon_set_target(struct balloon *b, uint64_t bytes);

void balloon_get_status(struct balloon *b, struct balloon_status *status);

extern const struct vsp_ops balloon_ops;

#endif
