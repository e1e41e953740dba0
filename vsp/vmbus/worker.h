/* SPDX-License-Identifier: MIT */
/*
 * worker.h - a thread that runs what channels and their owners have to do.
 *
 * Theory of operation.  A worker runs tasks, one after the other, in the order
 * in which they were queued; when there is none it sleeps until one is, a
 * timer is due, or a descriptor is ready.  All three are structs inside of
 * whatever they belong to: nothing is allocated, and to queue a task that
 * waits already is nothing at all.  A task that was queued while it runs runs
 * again.
 *
 * While the thread is awake worker_queue() is a short lock; only when it
 * sleeps, an eventfd is written.  So a guest that signals a host which is at
 * work costs no system call.
 *
 * Slow devices share one worker, as none of their tasks may block; a device
 * that is to be fast has one for each channel.
 *
 * Thread: worker_queue() and worker_call() from any; the rest as each says,
 * "on the worker" being in a task, timer or descriptor callback of it.
 * Locks: one, a leaf.
 */
#ifndef VSP_VMBUS_WORKER_H
#define VSP_VMBUS_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

struct worker;

struct worker_task {
	void (*run)(struct worker_task *task);
	/* the worker's */
	struct worker_task *next;
	bool queued;
};

struct worker_timer {
	void (*run)(struct worker_timer *timer);
	/* the worker's */
	struct worker_timer *next;
	uint64_t deadline;
	bool armed;
};

struct worker_fd {
	int fd;
	void (*run)(struct worker_fd *fd, uint32_t events); /* EPOLL… */
};

/**
 * worker_new() - start a thread
 * @name: as `top -H` shows it, 15 characters
 *
 * Return: owned; NULL with @error set.
 */
struct worker *worker_new(const char *name, GError **error);

/**
 * worker_free() - stop and join
 *
 * Tasks that wait do not run any more.  Not on the worker.
 */
void worker_free(struct worker *w);

/** worker_is_current() - is this code run by @w? */
bool worker_is_current(const struct worker *w);

/**
 * worker_give_way() - let others run who want this processor
 *
 * On the worker.  Not as sched_yield(), which comes back at once to who has
 * slept for longer than the others.  Until they wait for something, or their
 * slice is over; where there is nobody, some microseconds.
 */
void worker_give_way(struct worker *w);

/** worker_queue() - run @task soon; fine if it waits already.  Any thread */
void worker_queue(struct worker *w, struct worker_task *task);

/** worker_cancel() - @task does not wait any more.  On the worker */
void worker_cancel(struct worker *w, struct worker_task *task);

/**
 * worker_call() - run @fn on the worker, after what is queued; wait for it
 *
 * Any thread; on the worker @fn is called at once.  With no lock held that a
 * task may want.
 */
void worker_call(struct worker *w, void (*fn)(void *ctx), void *ctx);

/**
 * worker_timer_set() - run @timer once, not before @deadline
 * @deadline: CLOCK_MONOTONIC, ns
 *
 * If it was set, it is set anew.  On the worker.
 */
void worker_timer_set(struct worker *w, struct worker_timer *timer,
		      uint64_t deadline);

/** worker_timer_stop() - fine if it is not set.  On the worker */
void worker_timer_stop(struct worker *w, struct worker_timer *timer);

/**
 * worker_watch() - run @fd->run while one of @events is so; 0: remember it only
 *
 * Called again it changes the events.  On the worker.
 *
 * Return: 0 or -errno.
 */
int worker_watch(struct worker *w, struct worker_fd *fd, uint32_t events);

/** worker_unwatch() - before the descriptor is closed.  On the worker */
void worker_unwatch(struct worker *w, struct worker_fd *fd);

#endif
