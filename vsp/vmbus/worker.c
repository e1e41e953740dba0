/* SPDX-License-Identifier: MIT */
#include "vsp/vmbus/worker.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"

/* Descriptors that are looked at in one go. */
#define EVENTS_MAX       32
/* Tasks between two looks at timers and descriptors. */
#define TASKS_PER_ROUND  16
#define TIMERS_PER_ROUND 64

struct worker {
	/* set once */
	pthread_t thread;
	int epoll_fd;
	int event_fd;

	pthread_mutex_t lock; /* a leaf */
	/* lock */
	struct worker_task *first, *last;
	bool asleep; /* about to wait for event_fd, which was not written */
	bool stop;

	/* the worker */
	struct worker_timer *timers; /* by deadline */
	unsigned int n_watched;
	/* ... those that epoll said are ready and did not run yet */
	struct epoll_event ready[EVENTS_MAX];
	int n_ready;
};

static _Thread_local const struct worker *current;

bool worker_is_current(const struct worker *w)
{
	return current == w;
}

/* Who wakes up in SCHED_BATCH does not take the processor from who has it. */
void worker_give_way(struct worker *w)
{
	static const struct timespec moment = {.tv_nsec = 1};
	const struct sched_param none = {0};

	(void)w;
	assert(worker_is_current(w));
	/* Any other policy is the user's choice. */
	if (sched_getscheduler(0) != SCHED_OTHER ||
	    sched_setscheduler(0, SCHED_BATCH, &none))
		return;
	nanosleep(&moment, NULL);
	sched_setscheduler(0, SCHED_OTHER, &none);
}

/* --- tasks -------------------------------------------------------------- */

static void wake(struct worker *w)
{
	const uint64_t one = 1;
	ssize_t n;

	do
		n = write(w->event_fd, &one, sizeof(one));
	while (n < 0 && errno == EINTR);
}

void worker_queue(struct worker *w, struct worker_task *task)
{
	bool asleep = false;

	pthread_mutex_lock(&w->lock);
	if (!task->queued) {
		task->queued = true;
		task->next = NULL;
		if (w->last)
			w->last->next = task;
		else
			w->first = task;
		w->last = task;
		asleep = w->asleep;
		w->asleep = false;
	}
	pthread_mutex_unlock(&w->lock);
	if (asleep)
		wake(w);
}

void worker_cancel(struct worker *w, struct worker_task *task)
{
	struct worker_task **at = &w->first, *before = NULL;

	assert(worker_is_current(w));
	pthread_mutex_lock(&w->lock);
	while (*at && *at != task) {
		before = *at;
		at = &before->next;
	}
	if (*at) {
		*at = task->next;
		if (w->last == task)
			w->last = before;
		task->queued = false;
	}
	pthread_mutex_unlock(&w->lock);
}

static struct worker_task *take_task(struct worker *w)
{
	struct worker_task *task;

	pthread_mutex_lock(&w->lock);
	task = w->first;
	if (task) {
		w->first = task->next;
		if (!w->first)
			w->last = NULL;
		task->queued = false;
	}
	pthread_mutex_unlock(&w->lock);
	return task;
}

struct call {
	struct worker_task task; /* first */
	void (*fn)(void *ctx);
	void *ctx;
	pthread_mutex_t lock;
	pthread_cond_t done_cond;
	bool done;
};

static void run_call(struct worker_task *task)
{
	struct call *c = (struct call *)task;

	c->fn(c->ctx);
	pthread_mutex_lock(&c->lock);
	c->done = true;
	pthread_cond_signal(&c->done_cond);
	pthread_mutex_unlock(&c->lock);
}

void worker_call(struct worker *w, void (*fn)(void *ctx), void *ctx)
{
	struct call c = {.task.run = run_call, .fn = fn, .ctx = ctx};

	if (worker_is_current(w)) {
		fn(ctx);
		return;
	}
	pthread_mutex_init(&c.lock, NULL);
	pthread_cond_init(&c.done_cond, NULL);
	worker_queue(w, &c.task);
	pthread_mutex_lock(&c.lock);
	while (!c.done)
		pthread_cond_wait(&c.done_cond, &c.lock);
	pthread_mutex_unlock(&c.lock);
	pthread_cond_destroy(&c.done_cond);
	pthread_mutex_destroy(&c.lock);
}

/* --- timers ------------------------------------------------------------- */

void worker_timer_stop(struct worker *w, struct worker_timer *timer)
{
	struct worker_timer **at = &w->timers;

	assert(worker_is_current(w));
	if (!timer->armed)
		return;
	while (*at != timer)
		at = &(*at)->next;
	*at = timer->next;
	timer->armed = false;
}

void worker_timer_set(struct worker *w, struct worker_timer *timer,
		      uint64_t deadline)
{
	struct worker_timer **at = &w->timers;

	worker_timer_stop(w, timer);
	while (*at && (*at)->deadline <= deadline)
		at = &(*at)->next;
	timer->deadline = deadline;
	timer->next = *at;
	timer->armed = true;
	*at = timer;
}

/* Those that are due; one that sets itself for now again does not hold us. */
static void run_timers(struct worker *w)
{
	uint64_t now;

	if (!w->timers)
		return;
	now = clock_monotonic_ns();
	for (unsigned int i = 0; i < TIMERS_PER_ROUND; i++) {
		struct worker_timer *timer = w->timers;

		if (!timer || timer->deadline > now)
			return;
		w->timers = timer->next;
		timer->armed = false;
		timer->run(timer);
	}
}

/* --- descriptors ---------------------------------------------------------- */

int worker_watch(struct worker *w, struct worker_fd *fd, uint32_t events)
{
	struct epoll_event e = {.events = events, .data.ptr = fd};

	assert(worker_is_current(w));
	if (!epoll_ctl(w->epoll_fd, EPOLL_CTL_MOD, fd->fd, &e))
		return 0;
	if (errno != ENOENT ||
	    epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, fd->fd, &e))
		return -errno;
	w->n_watched++;
	return 0;
}

void worker_unwatch(struct worker *w, struct worker_fd *fd)
{
	assert(worker_is_current(w));
	if (!epoll_ctl(w->epoll_fd, EPOLL_CTL_DEL, fd->fd, NULL))
		w->n_watched--;
	for (int i = 0; i < w->n_ready; i++) {
		if (w->ready[i].data.ptr == fd)
			w->ready[i].data.ptr = NULL;
	}
}

/* Wait for at most @ns, UINT64_MAX: for ever; run what is ready. */
static void poll_fds(struct worker *w, uint64_t ns)
{
	struct pollfd p = {.fd = w->epoll_fd, .events = POLLIN};
	struct timespec ts = {.tv_sec = (time_t)(ns / NSEC_PER_SEC),
			      .tv_nsec = (long)(ns % NSEC_PER_SEC)};
	uint64_t counter;

	/* epoll_wait() counts in milliseconds; some cannot wait that long. */
	if (ns && ns != UINT64_MAX)
		ppoll(&p, 1, &ts, NULL);
	w->n_ready = epoll_wait(w->epoll_fd, w->ready, EVENTS_MAX,
				ns == UINT64_MAX ? -1 : 0);
	if (ns) {
		pthread_mutex_lock(&w->lock);
		w->asleep = false;
		pthread_mutex_unlock(&w->lock);
	}
	for (int i = 0; i < w->n_ready; i++) {
		struct worker_fd *fd = w->ready[i].data.ptr;

		if (w->ready[i].data.ptr == w)
			(void)!read(w->event_fd, &counter, sizeof(counter));
		else if (fd)
			fd->run(fd, w->ready[i].events);
	}
	w->n_ready = 0;
}

/* --- the thread ----------------------------------------------------------- */

/* How long to wait now, ns.  Nobody has to be woken for 0. */
static uint64_t idle_time(struct worker *w)
{
	uint64_t ns = UINT64_MAX, now;

	if (w->timers) {
		now = clock_monotonic_ns();
		ns = w->timers->deadline > now ? w->timers->deadline - now : 0;
	}
	pthread_mutex_lock(&w->lock);
	if (w->first || w->stop)
		ns = 0;
	w->asleep = ns != 0;
	pthread_mutex_unlock(&w->lock);
	return ns;
}

/*
 * A round is as many tasks as a descriptor may wait for; a task that queues
 * itself again does not keep it waiting for longer.
 */
static void run_tasks(struct worker *w)
{
	for (unsigned int i = 0; i < TASKS_PER_ROUND; i++) {
		struct worker_task *task = take_task(w);

		if (!task)
			return;
		task->run(task);
	}
}

static bool is_stopped(struct worker *w)
{
	bool stop;

	pthread_mutex_lock(&w->lock);
	stop = w->stop;
	pthread_mutex_unlock(&w->lock);
	return stop;
}

static void *run(void *arg)
{
	struct worker *w = arg;
	uint64_t ns;

	current = w;
	/* Linux makes timers late by 50 us to save energy; ours are short. */
	prctl(PR_SET_TIMERSLACK, 1000ul, 0ul, 0ul, 0ul);
	while (!is_stopped(w)) {
		run_tasks(w);
		run_timers(w);
		ns = idle_time(w);
		/* Without a descriptor there is nothing to ask the kernel. */
		if (ns || w->n_watched)
			poll_fds(w, ns);
	}
	return NULL;
}

static void destroy(struct worker *w)
{
	if (w->epoll_fd >= 0)
		close(w->epoll_fd);
	if (w->event_fd >= 0)
		close(w->event_fd);
	pthread_mutex_destroy(&w->lock);
	g_free(w);
}

struct worker *worker_new(const char *name, GError **error)
{
	struct worker *w = g_new0(struct worker, 1);
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = w};
	int err;

	pthread_mutex_init(&w->lock, NULL);
	w->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	w->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->epoll_fd < 0 || w->event_fd < 0 ||
	    epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, w->event_fd, &e))
		err = -errno;
	else
		err = thread_start(&w->thread, name, run, w);
	if (!err)
		return w;
	g_set_error(error, G_FILE_ERROR, (int)g_file_error_from_errno(-err),
		    "thread %s: %s", name, g_strerror(-err));
	destroy(w);
	return NULL;
}

void worker_free(struct worker *w)
{
	if (!w)
		return;
	assert(!worker_is_current(w));
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	pthread_mutex_unlock(&w->lock);
	wake(w);
	pthread_join(w->thread, NULL);
	destroy(w);
}
