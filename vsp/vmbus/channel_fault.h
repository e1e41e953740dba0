/* SPDX-License-Identifier: MIT */
/*
 * channel_fault.h - what goes wrong with a channel's packets and interrupts
 * when rules want it (base/fault.h).
 *
 * Packets that are late or overtaken are kept in copies, a bounded number of
 * them; what is beyond goes its way.  Indices and packets that are wrong are so
 * in the guest's memory only: the host computes with its own.
 *
 * Thread: the channel's worker.
 */
#ifndef VSP_VMBUS_CHANNEL_FAULT_H
#define VSP_VMBUS_CHANNEL_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include "vsp/vmbus/worker.h"

struct channel;
struct packet_out;

/* Packets of a channel that may be late at once. */
#define CHANNEL_FAULT_HELD_MAX 64u

struct channel_fault {
	GQueue held; /* struct held, in the order in which they were sent */
	struct worker_timer held_timer;
	uint64_t stalled_until; /* nothing is shown before, ns; 0: it is */
	bool stall_is_over; /* what it held is shown, whatever rules say */
	struct worker_timer stall_timer;
	unsigned int storm; /* interrupts that are still to come */
	struct worker_timer signal_timer;
};

/** channel_fault_init() - of a new channel */
void channel_fault_init(struct channel *ch);

/** channel_fault_stop() - it closes: what was late is lost */
void channel_fault_stop(struct channel *ch);

/**
 * channel_fault_put() - ring_out_put(), if nothing goes wrong
 *
 * Return: as that.
 */
int channel_fault_put(struct channel *ch, const struct packet_out *packet,
		      uint32_t bytes);

/** channel_fault_stalls() - Return: is nothing to be shown to the guest now? */
bool channel_fault_stalls(struct channel *ch);

/** channel_fault_signal() - Return: is the guest not to be interrupted? */
bool channel_fault_signal(struct channel *ch);

/** channel_interrupt() - set its event flag, whatever rules say */
void channel_interrupt(struct channel *ch);

#endif
