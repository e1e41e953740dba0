/* SPDX-License-Identifier: MIT */
/*
 * timer_queue.h - the `timer` thread: fires the synthetic timers.
 *
 * Theory of operation.  One timerfd on CLOCK_MONOTONIC is armed for the
 * earliest deadline of all VPs, which the synic keeps (deadlines.h).  When a
 * vCPU thread sets a nearer one, the synic's hook moves the timerfd forward:
 * one system call, and the thread sleeps on.  When a timer is set further
 * away or stopped, nothing is done: the thread wakes once for nothing and
 * arms what is next.  On each wake it asks the synic to expire what is due by
 * reference time, never by its own clock, so no timer can fire early; a wake
 * that came too early (the two clocks drift) only arms again.
 *
 * Locks: one for the arming, above the synic's deadline lock, which vCPU
 * threads take; and above that one that is held while timers expire, so that
 * timer_queue_pause() can wait for it.
 */
#ifndef SYNIC_TIMER_QUEUE_H
#define SYNIC_TIMER_QUEUE_H

#include <glib.h>

struct ref_time;
struct synic;
struct timer_queue;

/**
 * timer_queue_new() - start the thread; it takes the synic's timer hook
 * @synic:    must outlive the queue, as must @ref_time
 * @ref_time: the synic's
 *
 * Return: owned; NULL with @error set.
 */
struct timer_queue *timer_queue_new(struct synic *synic,
				    const struct ref_time *ref_time,
				    GError **error);

/** timer_queue_free() - give back the hook, stop and join the thread */
void timer_queue_free(struct timer_queue *tq);

/**
 * timer_queue_pause() - fire nothing until timer_queue_resume()
 *
 * When it returns no timer is being fired.  Stop the vCPUs first, freeze the
 * reference time after.  Fine if paused already.
 */
void timer_queue_pause(struct timer_queue *tq);

/** timer_queue_resume() - go on; after the reference time was thawed */
void timer_queue_resume(struct timer_queue *tq);

#endif
