/* SPDX-License-Identifier: MIT */
/*
 * heartbeat.h - is the guest alive?  Every two seconds its driver answers.
 *
 * Only one question is asked at a time; a period that ends without an answer
 * is a missed beat.  While the processors do not run none is missed.
 *
 * Thread: any, but events and free.
 * Source: Linux drivers/hv/hv_util.c:heartbeat_onchannelcallback().
 */
#ifndef VSP_IC_HEARTBEAT_H
#define VSP_IC_HEARTBEAT_H

#include <stdbool.h>
#include <stdint.h>

struct ic_heartbeat;
struct vsp_ops;
struct vsp_params;

/* On the channel's worker.  Each may be NULL. */
struct ic_heartbeat_events {
	/* The @n-th period without an answer, in a row */
	void (*missed)(void *ctx, unsigned int n);
	/* It answers again, after @n that it missed */
	void (*back)(void *ctx, unsigned int n);
};

/**
 * ic_heartbeat_new() - offer it
 * @events:    borrowed for ever; NULL: nobody listens
 * @period_ns: 0: Windows' two seconds
 *
 * Return: owned; NULL when the instance is taken.
 */
struct ic_heartbeat *ic_heartbeat_new(const struct vsp_params *params,
				      const struct ic_heartbeat_events *events,
				      void *ctx, uint64_t period_ns);
void ic_heartbeat_free(struct ic_heartbeat *h);

struct ic_heartbeat_status {
	bool alive; /* the driver is there, and the last beat was answered */
	uint64_t beats; /* answered */
	uint64_t missed; /* in all */
	uint32_t application_state; /* HEARTBEAT_STATE_…, as the guest says */
};

void ic_heartbeat_get_status(struct ic_heartbeat *h,
			     struct ic_heartbeat_status *status);

extern const struct vsp_ops ic_heartbeat_ops;

#endif
