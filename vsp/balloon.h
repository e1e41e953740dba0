/* SPDX-License-Identifier: MIT */
/*
 * balloon.h - dynamic memory on VMbus: memory that the guest gives back to the
 * host, and gets again; and more than it started with.
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
 * More comes from the machine's spare RAM (gmem_spare()), in units that the
 * guest names (balloon_add_memory()).  What was added cannot be taken away but
 * as a balloon, and stays when the guest's driver goes: the next one of the
 * same kernel goes on from there.  Another kernel (kexec) is given what is new
 * first, and then what the one before it had, which it may refuse.  Hints about
 * free pages come by hypercall (HvExtCallMemoryHeatHint), not here.
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
	bool can_add; /* ... and can be given more */
	bool busy; /* the guest was asked, and has not answered yet */
	bool limited; /* it gave less than it was asked for */
	bool add_limited; /* it took less than it was to get */
	uint32_t version; /* DYNMEM_PROTOCOL_VERSION_… */
	uint64_t target_bytes;
	uint64_t ballooned_bytes; /* that the guest gave */
	uint64_t add_target_bytes;
	uint64_t added_bytes; /* that the guest took; 0 before it is ready */
	/*
	 * of spare RAM, from its start: some kernel may have that since the
	 * machine was reset; right when a driver is there or was
	 */
	uint64_t given_bytes;
	/* what it takes at once, and what it may get; 0 before it is ready */
	uint64_t add_unit_bytes, add_room_bytes;
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

/**
 * balloon_add_memory() - how much the guest is to have in all besides what it
 * started with
 * @bytes: rounded down to add_unit_bytes
 *
 * It takes its time, and may not be reached: see balloon_get_status().  It is
 * asked again for what it did not take with the next call only.
 *
 * Return: 0; -ENOTCONN the guest has no driver for it; -EOPNOTSUPP its driver
 * cannot; -EINVAL more than there is, or less than it has.
 */
int balloon_add_memory(struct balloon *b, uint64_t bytes);

/**
 * balloon_on_change() - have @changed called when the guest has more or less
 *
 * Before it is offered to a guest that runs.  On the channel's worker, no lock
 * held; as often as the guest likes.
 */
void balloon_on_change(struct balloon *b, void (*changed)(void *ctx),
		       void *ctx);

void balloon_get_status(struct balloon *b, struct balloon_status *status);

extern const struct vsp_ops balloon_ops;

#endif
