/* SPDX-License-Identifier: MIT */
#include "devices/device_timers.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include <glib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"

#define LOG_CATEGORY "devtimer"

struct device_timer {
	struct device_timers *timers; /* set once */
	/* set before the first arm, then read-only */
	void (*expired)(void *dev);
	void *dev;
	/* timers->lock; CLOCK_MONOTONIC or TIMER_LINE_NEVER */
	uint64_t deadline_ns;
};

struct device_timers {
	pthread_t thread;
	bool started; /* set once */
	pthread_mutex_t lock;
	pthread_cond_t changed; /* a deadline came nearer, or stop */
	/* lock */
	bool stop;
	uint64_t waiting_until_ns;
	unsigned int n_timers;
	struct device_timer list[DEVICE_TIMERS_MAX];
};

static struct device_timer *earliest(struct device_timers *t)
{
	struct device_timer *best = NULL;

	for (unsigned int i = 0; i < t->n_timers; i++) {
		if (!best || t->list[i].deadline_ns < best->deadline_ns)
			best = &t->list[i];
	}
	return best && best->deadline_ns != TIMER_LINE_NEVER ? best : NULL;
}

static void wait_until(struct device_timers *t, uint64_t ns)
{
	struct timespec ts = {
		.tv_sec = (time_t)(ns / NSEC_PER_SEC),
		.tv_nsec = (long)(ns % NSEC_PER_SEC),
	};

	t->waiting_until_ns = ns;
	if (ns == TIMER_LINE_NEVER)
		pthread_cond_wait(&t->changed, &t->lock);
	else
		pthread_cond_timedwait(&t->changed, &t->lock, &ts);
	t->waiting_until_ns = 0;
}

static void *timers_thread(void *arg)
{
	struct device_timers *t = arg;

	pthread_mutex_lock(&t->lock);
	while (!t->stop) {
		struct device_timer *next = earliest(t);

		if (!next || next->deadline_ns > clock_monotonic_ns()) {
			wait_until(t,
				   next ? next->deadline_ns : TIMER_LINE_NEVER);
			continue;
		}
		next->deadline_ns = TIMER_LINE_NEVER;
		/* The device arms again from within. */
		pthread_mutex_unlock(&t->lock);
		if (next->expired)
			next->expired(next->dev);
		pthread_mutex_lock(&t->lock);
	}
	pthread_mutex_unlock(&t->lock);
	return NULL;
}

struct device_timers *device_timers_new(void)
{
	struct device_timers *t = g_new0(struct device_timers, 1);
	pthread_condattr_t attr;
	int err;

	pthread_mutex_init(&t->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&t->changed, &attr);
	pthread_condattr_destroy(&attr);
	err = thread_start(&t->thread, "devtimer", timers_thread, t);
	t->started = !err;
	if (err)
		log_warn("no thread (%s): devices are not woken",
			 g_strerror(-err));
	return t;
}

void device_timers_free(struct device_timers *timers)
{
	if (!timers)
		return;
	pthread_mutex_lock(&timers->lock);
	timers->stop = true;
	pthread_cond_signal(&timers->changed);
	pthread_mutex_unlock(&timers->lock);
	if (timers->started)
		pthread_join(timers->thread, NULL);
	pthread_cond_destroy(&timers->changed);
	pthread_mutex_destroy(&timers->lock);
	g_free(timers);
}

struct device_timer *device_timer_new(struct device_timers *timers)
{
	struct device_timer *timer;

	pthread_mutex_lock(&timers->lock);
	assert(timers->n_timers < DEVICE_TIMERS_MAX);
	timer = &timers->list[timers->n_timers++];
	timer->timers = timers;
	timer->deadline_ns = TIMER_LINE_NEVER;
	pthread_mutex_unlock(&timers->lock);
	return timer;
}

static void arm(void *ctx, uint64_t delay_ns)
{
	struct device_timer *timer = ctx;
	struct device_timers *t = timer->timers;
	uint64_t now = clock_monotonic_ns();

	pthread_mutex_lock(&t->lock);
	timer->deadline_ns = delay_ns < TIMER_LINE_NEVER - now
				     ? now + delay_ns
				     : TIMER_LINE_NEVER;
	/* One that moved away wakes the thread once for nothing, later. */
	if (timer->deadline_ns < t->waiting_until_ns)
		pthread_cond_signal(&t->changed);
	pthread_mutex_unlock(&t->lock);
}

struct timer_line device_timer_line(struct device_timer *timer)
{
	return (struct timer_line){arm, timer};
}

void device_timer_bind(struct device_timer *timer, void (*expired)(void *dev),
		       void *dev)
{
	timer->expired = expired;
	timer->dev = dev;
}
