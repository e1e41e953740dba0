/* SPDX-License-Identifier: MIT */
#include "synic/timer_queue.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "synic/deadlines.h"
#include "synic/ref_time.h"
#include "synic/synic.h"

#define LOG_CATEGORY "timer"

/*
 * What is further away than this is looked at again when all but 1/1024 of
 * the way is gone: the kernel may slew CLOCK_MONOTONIC against the TSC by 500
 * parts in a million, which over seconds would be milliseconds.
 */
#define FAR_AWAY     (REF_TIME_PER_SEC / 10)
#define FAR_FRACTION 1024

struct timer_queue {
	/* set before start, then read-only */
	struct synic *synic;
	const struct ref_time *ref_time;
	int fd;
	pthread_t thread;
	/* held while timers expire; before lock */
	pthread_mutex_t fire_lock;
	pthread_mutex_t lock;
	/* lock */
	uint64_t armed; /* for this deadline; DEADLINE_NONE: not armed */
	bool stopping;
	/* both locks to write, either to read */
	bool paused;
};

/* The moment to wake up for @deadline. */
static uint64_t wake_ns(const struct timer_queue *tq, uint64_t deadline)
{
	uint64_t now = ref_time_now(tq->ref_time);

	if (deadline > now && deadline - now > FAR_AWAY)
		deadline -= (deadline - now) / FAR_FRACTION;
	return ref_time_to_monotonic_ns(tq->ref_time, deadline);
}

/* @ns: CLOCK_MONOTONIC; REF_TIME_NEVER disarms. */
static void set_timer(const struct timer_queue *tq, uint64_t ns)
{
	struct itimerspec when = {0};

	if (ns != REF_TIME_NEVER) {
		when.it_value.tv_sec = (time_t)(ns / NSEC_PER_SEC);
		/* All zeros would disarm it. */
		when.it_value.tv_nsec = (long)(ns % NSEC_PER_SEC) | (ns == 0);
	}
	if (timerfd_settime(tq->fd, TFD_TIMER_ABSTIME, &when, NULL))
		log_error("cannot set the timer: %s", g_strerror(errno));
}

/* With the lock held: wake up for @deadline if that is the nearest. */
static void arm(struct timer_queue *tq, uint64_t deadline)
{
	if (tq->paused || tq->stopping || deadline >= tq->armed)
		return;
	tq->armed = deadline;
	set_timer(tq, wake_ns(tq, deadline));
}

/* The synic's hook. */
static void come_nearer(void *ctx, uint64_t deadline)
{
	struct timer_queue *tq = ctx;

	pthread_mutex_lock(&tq->lock);
	arm(tq, deadline);
	pthread_mutex_unlock(&tq->lock);
}

/* Wait for the timer; false when it is time to stop. */
static bool wait_for_timer(struct timer_queue *tq)
{
	uint64_t expirations;
	bool stopping;

	while (read(tq->fd, &expirations, sizeof(expirations)) < 0)
		if (errno != EINTR) {
			log_error("cannot wait for the timer: %s",
				  g_strerror(errno));
			return false;
		}
	pthread_mutex_lock(&tq->lock);
	tq->armed = DEADLINE_NONE;
	stopping = tq->stopping;
	pthread_mutex_unlock(&tq->lock);
	return !stopping;
}

static void *run(void *arg)
{
	struct timer_queue *tq = arg;

	while (wait_for_timer(tq)) {
		pthread_mutex_lock(&tq->fire_lock);
		if (!tq->paused)
			synic_run_timers(tq->synic);
		pthread_mutex_unlock(&tq->fire_lock);
		/*
		 * A deadline that comes nearer after this look is armed by the
		 * hook, which has to wait for the lock.
		 */
		pthread_mutex_lock(&tq->lock);
		arm(tq, synic_next_deadline(tq->synic));
		pthread_mutex_unlock(&tq->lock);
	}
	return NULL;
}

struct timer_queue *timer_queue_new(struct synic *synic,
				    const struct ref_time *ref_time,
				    GError **error)
{
	struct timer_queue *tq = g_new0(struct timer_queue, 1);
	int err;

	tq->synic = synic;
	tq->ref_time = ref_time;
	tq->armed = DEADLINE_NONE;
	pthread_mutex_init(&tq->fire_lock, NULL);
	pthread_mutex_init(&tq->lock, NULL);
	tq->fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	if (tq->fd < 0) {
		err = -errno;
		goto free_queue;
	}
	err = thread_start(&tq->thread, "timer", run, tq);
	if (err)
		goto close_fd;
	synic_set_timer_hook(synic, come_nearer, tq);
	come_nearer(tq, synic_next_deadline(synic));
	return tq;

close_fd:
	close(tq->fd);
free_queue:
	pthread_mutex_destroy(&tq->lock);
	pthread_mutex_destroy(&tq->fire_lock);
	g_free(tq);
	g_set_error(error, G_FILE_ERROR, (int)g_file_error_from_errno(-err),
		    "timer thread: %s", g_strerror(-err));
	return NULL;
}

void timer_queue_free(struct timer_queue *tq)
{
	if (!tq)
		return;
	synic_set_timer_hook(tq->synic, NULL, NULL);
	pthread_mutex_lock(&tq->lock);
	tq->stopping = true;
	set_timer(tq, 0);
	pthread_mutex_unlock(&tq->lock);
	pthread_join(tq->thread, NULL);
	close(tq->fd);
	pthread_mutex_destroy(&tq->lock);
	pthread_mutex_destroy(&tq->fire_lock);
	g_free(tq);
}

static void set_paused(struct timer_queue *tq, bool paused)
{
	pthread_mutex_lock(&tq->fire_lock);
	pthread_mutex_lock(&tq->lock);
	tq->paused = paused;
	tq->armed = DEADLINE_NONE;
	set_timer(tq, REF_TIME_NEVER);
	arm(tq, synic_next_deadline(tq->synic));
	pthread_mutex_unlock(&tq->lock);
	pthread_mutex_unlock(&tq->fire_lock);
}

void timer_queue_pause(struct timer_queue *tq)
{
	set_paused(tq, true);
}

void timer_queue_resume(struct timer_queue *tq)
{
	set_paused(tq, false);
}
