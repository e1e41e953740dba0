/* SPDX-License-Identifier: MIT */
/*
 * Theory of operation.  A periodic timer has a beat: expires, expires +
 * count, and so on, laid down when it is started.  If signals are late (this
 * thread was, or a message waited for its slot) the beat is kept, and how the
 * missed ones are dealt with is the guest's choice (TLFS "Periodic Timers"):
 *
 * - ordinary: each missed signal is made up for, at twice the rate until the
 *   beat is caught up with, and at most STIMER_CATCH_UP_MAX of them;
 * - lazy: one signal, late, stands for all that were missed; and not even
 *   that one when the next beat is about to come.  But never two in a row are
 *   left out so, or a timer on a slow host would be silent for good.
 *
 * A one-shot timer is off from the moment it expires, whether its message
 * could be delivered or not.
 *
 * An enabled timer whose count is 0 does nothing and stays enabled: Linux
 * enables first and writes the count later (hv_ce_set_oneshot()).
 */
#include "synic/stimer.h"

#include <errno.h>

#include "base/checked.h"
#include "base/clock.h"
#include "base/fault.h"
#include "proto/hv_synic.h"

/* A lazy signal that is later than all but this part of a period is skipped. */
#define LAZY_MARGIN 8

static bool is_set(const struct stimer *t, uint64_t bit)
{
	return t->config & bit;
}

/* @a + @b, or never. */
static uint64_t add_time(uint64_t a, uint64_t b)
{
	uint64_t sum;

	return checked_add(a, b, &sum) ? sum : STIMER_NEVER;
}

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static unsigned int sint_of(uint64_t config)
{
	return (config >> HV_STIMER_SINTX_SHIFT) & HV_STIMER_SINTX_MASK;
}

void stimer_reset(struct stimer *t)
{
	*t = (struct stimer){.signal_at = STIMER_NEVER};
}

/* A register was written: begin anew. */
static void start(struct stimer *t, uint64_t now)
{
	t->undelivered = false;
	t->skipped = false;
	t->late = false;
	t->signal_at = STIMER_NEVER;
	/* TLFS: an enabled timer may not send to SINT0, unless it sends none */
	if (!is_set(t, HV_STIMER_DIRECT_MODE) && !sint_of(t->config))
		t->config &= ~HV_STIMER_ENABLE;
	if (!is_set(t, HV_STIMER_ENABLE) || !t->count)
		return;
	if (is_set(t, HV_STIMER_PERIODIC)) {
		t->expires = add_time(now, t->count);
		t->signal_at = later(t->expires, now + STIMER_MIN_INTERVAL);
	} else {
		t->expires = t->count;
		t->signal_at = t->count;
	}
}

int stimer_set_config(struct stimer *t, uint64_t config, uint64_t now,
		      bool direct_ok)
{
	if (config & HV_STIMER_RSVD_MASK)
		return -EINVAL;
	if ((config & HV_STIMER_DIRECT_MODE) && !direct_ok)
		return -EINVAL;
	t->config = config;
	start(t, now);
	return 0;
}

void stimer_set_count(struct stimer *t, uint64_t count, uint64_t now)
{
	t->count = count;
	if (!count)
		t->config &= ~HV_STIMER_ENABLE;
	else if (is_set(t, HV_STIMER_AUTO_ENABLE))
		t->config |= HV_STIMER_ENABLE;
	start(t, now);
}

/* The signal for t->expires was sent or skipped: on to the next one. */
static void advance(struct stimer *t, uint64_t now)
{
	uint64_t period = t->count;
	uint64_t missed = now > t->expires ? (now - t->expires) / period : 0;
	uint64_t skip = 0, wait;

	if (is_set(t, HV_STIMER_LAZY)) {
		skip = missed;
	} else if (missed > STIMER_CATCH_UP_MAX) {
		skip = missed - STIMER_CATCH_UP_MAX;
	}
	missed -= skip;
	/* Cannot overflow: expires + skip * period is not after now. */
	t->expires = add_time(t->expires + skip * period, period);
	wait = missed ? add_time(now, period / 2) : t->expires;
	t->signal_at = later(wait, now + STIMER_MIN_INTERVAL);
}

/* Is it too late for this lazy signal? */
static bool is_too_late(const struct stimer *t, uint64_t now)
{
	uint64_t period = t->count;

	return is_set(t, HV_STIMER_PERIODIC) && is_set(t, HV_STIMER_LAZY) &&
	       !t->skipped && now > t->expires &&
	       now - t->expires >= period - period / LAZY_MARGIN;
}

/*
 * By a fault rule (base/fault.h) a signal is late, once, or lost.
 *
 * Return: is it?
 */
static bool goes_wrong(struct stimer *t, uint64_t now)
{
	struct fault_hit hit;

	if (t->late) {
		t->late = false;
		return false;
	}
	if (!fault_at(FAULT_STIMER_FIRE, NULL, FAULT_NO_OP, &hit))
		return false;
	if (hit.action == FAULT_DELAY) {
		t->late = true;
		t->signal_at = add_time(
			now, (uint64_t)hit.ms * (REF_TIME_PER_SEC / 1000) + 1);
	} else if (is_set(t, HV_STIMER_PERIODIC)) {
		advance(t, now);
	} else {
		t->config &= ~HV_STIMER_ENABLE;
		t->signal_at = STIMER_NEVER;
	}
	return true;
}

bool stimer_expire(struct stimer *t, uint64_t now, struct stimer_signal *signal)
{
	if (t->signal_at == STIMER_NEVER || now < t->signal_at)
		return false;
	if (is_too_late(t, now)) {
		t->skipped = true;
		advance(t, now);
		return false;
	}
	if (goes_wrong(t, now))
		return false;
	*signal = (struct stimer_signal){
		.direct = is_set(t, HV_STIMER_DIRECT_MODE),
		.vector = (t->config >> HV_STIMER_VECTOR_SHIFT) &
			  HV_STIMER_VECTOR_MASK,
		.sint = (uint8_t)sint_of(t->config),
		.expiration = t->expires,
	};
	t->signal_at = STIMER_NEVER;
	t->undelivered = !signal->direct;
	if (signal->direct)
		t->skipped = false;
	if (!is_set(t, HV_STIMER_PERIODIC))
		t->config &= ~HV_STIMER_ENABLE;
	else if (signal->direct)
		advance(t, now);
	return true;
}

bool stimer_deliver(struct stimer *t, uint64_t now)
{
	if (!t->undelivered)
		return false;
	t->undelivered = false;
	t->skipped = is_too_late(t, now);
	if (is_set(t, HV_STIMER_PERIODIC))
		advance(t, now);
	return !t->skipped;
}
