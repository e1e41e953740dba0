/* SPDX-License-Identifier: MIT */
/*
 * message_fault.h - channel messages to the guest that are late, lost, twice,
 * out of order or wrong, as rules want it (base/fault.h).
 *
 * Stands between the server and the SynIC.  The server offers its first
 * message again and again until it is taken: what is to happen with it is
 * decided once.  While one is late those behind it wait, too; one that changes
 * places with others comes after a second at the latest, as nothing else may
 * follow.
 *
 * Thread: none of its own; the server's lock.
 */
#ifndef VSP_VMBUS_MESSAGE_FAULT_H
#define VSP_VMBUS_MESSAGE_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "proto/vmbus.h"

/* A message as it goes out. */
struct fault_message {
	uint32_t vp;
	unsigned int sint;
	size_t size;
	uint8_t data[VMBUS_MESSAGE_MAX];
};

/* Return: 0; -EAGAIN no room now; another error: nobody can get it. */
typedef int (*fault_post_fn)(void *ctx, const struct fault_message *m);

struct message_fault {
	/* all private; zeroed: nothing was asked */
	bool decided; /* what becomes of the server's first message */
	unsigned int copies; /* of it that are still to be posted */
	uint64_t until; /* when, CLOCK_MONOTONIC ns; 0: now */
	bool corrupt;
	struct fault_hit hit;
	bool holding; /* one that others overtake */
	unsigned int after; /* so many more */
	uint64_t held_until;
	struct fault_message held;
};

/**
 * message_fault_post() - the server's first message
 * @now: CLOCK_MONOTONIC, ns
 *
 * Return: 0 the server is rid of it; -EAGAIN it is to come again; else what
 * @post said.
 */
int message_fault_post(struct message_fault *f, const struct fault_message *m,
		       uint64_t now, fault_post_fn post, void *ctx);

/** message_fault_run() - time has passed, or there is room */
void message_fault_run(struct message_fault *f, uint64_t now,
		       fault_post_fn post, void *ctx);

/** message_fault_deadline() - when to look again; UINT64_MAX: no need */
uint64_t message_fault_deadline(const struct message_fault *f);

/** message_fault_reset() - the guest that it was for is gone */
void message_fault_reset(struct message_fault *f);

#endif
