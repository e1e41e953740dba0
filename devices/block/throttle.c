/* SPDX-License-Identifier: MIT */
#include "devices/block/throttle.h"

#include <pthread.h>
#include <string.h>

#include <glib.h>

#include "base/clock.h"

/* What a bucket holds without a burst, of what a second has. */
#define SHORT_BURST 0.1

/* Longer than any run; what is more would not fit. */
#define WAIT_MAX_NS 1e18

struct bucket {
	double level; /* leaks at .rate */
	double burst_level; /* leaks at .burst; only if .burst_s > 1 */
};

struct throttle {
	pthread_mutex_t lock; /* a leaf */
	/* lock */
	struct throttle_limits limits;
	struct bucket buckets[THROTTLE_LIMITS];
	uint64_t leaked_ns; /* when they were looked at last */
};

bool throttle_limits_any(const struct throttle_limits *limits)
{
	for (unsigned int i = 0; i < THROTTLE_LIMITS; i++)
		if (limits->of[i].rate)
			return true;
	return false;
}

struct throttle *throttle_new(const struct throttle_limits *limits)
{
	struct throttle *t = g_new0(struct throttle, 1);

	t->limits = *limits;
	pthread_mutex_init(&t->lock, NULL);
	return t;
}

void throttle_free(struct throttle *t)
{
	if (!t)
		return;
	pthread_mutex_destroy(&t->lock);
	g_free(t);
}

/* What the old limits let wait is nothing to the new ones. */
void throttle_set(struct throttle *t, const struct throttle_limits *limits)
{
	pthread_mutex_lock(&t->lock);
	t->limits = *limits;
	memset(t->buckets, 0, sizeof(t->buckets));
	pthread_mutex_unlock(&t->lock);
}

static void leak(double *level, uint64_t rate, double seconds)
{
	*level = MAX(*level - (double)rate * seconds, 0);
}

static void leak_all(struct throttle *t, uint64_t now_ns)
{
	double seconds = (double)(now_ns - t->leaked_ns) / (double)NSEC_PER_SEC;

	t->leaked_ns = now_ns;
	for (unsigned int i = 0; i < THROTTLE_LIMITS; i++) {
		leak(&t->buckets[i].level, t->limits.of[i].rate, seconds);
		leak(&t->buckets[i].burst_level, t->limits.of[i].burst,
		     seconds);
	}
}

/* Seconds until no more than @holds is in it. */
static double time_to(double level, double holds, uint64_t rate)
{
	return level > holds ? (level - holds) / (double)rate : 0;
}

static double wait_of(const struct bucket *b, const struct throttle_limit *l)
{
	double holds = (double)l->rate * SHORT_BURST, wait, burst_wait;

	if (l->burst)
		holds = (double)l->burst * MAX(l->burst_s, 1u);
	wait = time_to(b->level, holds, l->rate);
	if (!l->burst || l->burst_s <= 1)
		return wait;
	burst_wait = time_to(b->burst_level, (double)l->burst * SHORT_BURST,
			     l->burst);
	return MAX(wait, burst_wait);
}

/* Is this limit one for it? */
static bool concerns(unsigned int i, bool write)
{
	switch (i) {
	case THROTTLE_BPS_READ:
	case THROTTLE_IOPS_READ:
		return !write;
	case THROTTLE_BPS_WRITE:
	case THROTTLE_IOPS_WRITE:
		return write;
	default:
		return true;
	}
}

/* What it is in the units of the limit. */
static double units(const struct throttle_limits *l, unsigned int i,
		    uint64_t bytes)
{
	if (i < THROTTLE_IOPS)
		return (double)bytes;
	if (!l->iops_bytes || bytes <= l->iops_bytes)
		return 1;
	return (double)bytes / (double)l->iops_bytes;
}

uint64_t throttle_reserve(struct throttle *t, bool write, uint64_t bytes,
			  uint64_t now_ns)
{
	const struct throttle_limits *l = &t->limits;
	double wait = 0;

	pthread_mutex_lock(&t->lock);
	/* Two threads that look at the clock may come in the other order. */
	if (now_ns > t->leaked_ns)
		leak_all(t, now_ns);
	for (unsigned int i = 0; i < THROTTLE_LIMITS; i++) {
		struct bucket *b = &t->buckets[i];

		if (!l->of[i].rate || !concerns(i, write))
			continue;
		wait = MAX(wait, wait_of(b, &l->of[i]));
		b->level += units(l, i, bytes);
		b->burst_level += units(l, i, bytes);
	}
	now_ns = t->leaked_ns;
	pthread_mutex_unlock(&t->lock);
	wait *= (double)NSEC_PER_SEC;
	return wait < 1 ? 0 : now_ns + (uint64_t)MIN(wait, WAIT_MAX_NS);
}
