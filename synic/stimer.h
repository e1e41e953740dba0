/* SPDX-License-Identifier: MIT */
/*
 * stimer.h - one synthetic timer.
 *
 * Pure state: takes the time as an argument, starts nothing, sleeps nowhere.
 * Whoever holds it asks when it is due (stimer_deadline()), calls
 * stimer_expire() then, and sends what that returns: an interrupt, or a
 * message to a SINT.  A message may have to wait for its slot; the timer has
 * only one, and is silent until stimer_deliver() says that it is in its slot.
 *
 * Thread: any, with the VP's synic lock held.
 * Time: 100 ns units of reference time.
 * Source: TLFS "Timers", Synthetic Timers; what Linux expects from
 * drivers/clocksource/hyperv_timer.c.
 */
#ifndef SYNIC_STIMER_H
#define SYNIC_STIMER_H

#include <stdbool.h>
#include <stdint.h>

#define STIMER_NEVER UINT64_MAX

/*
 * A periodic timer signals no faster than this (50 us), whatever its period:
 * the rest counts as missed.  Our choice; the TLFS names no shortest period.
 */
#define STIMER_MIN_INTERVAL 500u

/* Missed periods that are made up for; what is beyond is skipped. */
#define STIMER_CATCH_UP_MAX 16u

struct stimer {
	uint64_t config; /* as the guest reads it */
	uint64_t count; /* as the guest reads it */
	/* private */
	uint64_t expires; /* when the next signal ought to be */
	uint64_t signal_at; /* when it will be; STIMER_NEVER: not now */
	bool undelivered; /* a message is out and not in its slot */
	bool skipped; /* the last signal was (lazy timers) */
	bool late; /* it was put off by a fault rule */
};

/* What an expired timer sends. */
struct stimer_signal {
	bool direct;
	uint8_t vector; /* direct; 0 to 15 is no interrupt at all */
	uint8_t sint; /* else: where the message goes, 1 to 15 */
	uint64_t expiration; /* when the timer was to expire */
};

/** stimer_reset() - power-on: off, registers 0 */
void stimer_reset(struct stimer *t);

/**
 * stimer_set_config() - guest wrote HV_X64_MSR_STIMERn_CONFIG
 * @t:         timer
 * @config:    raw register value; reserved bits are refused
 * @now:       reference time
 * @direct_ok: the partition has direct-mode timers, else their bit is refused
 *
 * Starts the timer afresh if it is enabled.  A message that is not delivered
 * yet is forgotten, and the caller must do so too.
 *
 * Return: 0, or -EINVAL to inject #GP, nothing changed.
 */
int stimer_set_config(struct stimer *t, uint64_t config, uint64_t now,
		      bool direct_ok);

/** stimer_set_count() - guest wrote HV_X64_MSR_STIMERn_COUNT; as above */
void stimer_set_count(struct stimer *t, uint64_t count, uint64_t now);

/** stimer_deadline() - when to call stimer_expire(); may be in the past */
static inline uint64_t stimer_deadline(const struct stimer *t)
{
	return t->signal_at;
}

/**
 * stimer_expire() - if it is due, let it expire
 * @signal: what to send, if true is returned
 *
 * After a direct signal, or false, the deadline is after @now.  After a
 * message there is none until stimer_deliver().
 *
 * Return: true if there is something to send.
 */
bool stimer_expire(struct stimer *t, uint64_t now,
		   struct stimer_signal *signal);

/**
 * stimer_deliver() - the message can be put into its slot now
 *
 * The timer goes on.
 *
 * Return: false if the message is so late that it is to be skipped.
 */
bool stimer_deliver(struct stimer *t, uint64_t now);

#endif
