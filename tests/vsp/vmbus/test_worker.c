/* SPDX-License-Identifier: MIT */
#include "vsp/vmbus/worker.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/check_main.h"
#include "support/turns.h"

static struct worker *w;

static void setup(void)
{
	w = worker_new("test", NULL);
	ck_assert_ptr_nonnull(w);
}

static void teardown(void)
{
	worker_free(w);
}

/* --- tasks ------------------------------------------------------------------ */

struct counted {
	struct worker_task task; /* first */
	_Atomic unsigned int runs;
	unsigned int again; /* so often it queues itself */
};

static char order[64];
static unsigned int n_order;

static void run_counted(struct worker_task *task)
{
	struct counted *c = (struct counted *)task;

	ck_assert(worker_is_current(w));
	c->runs++;
	if (c->again) {
		c->again--;
		worker_queue(w, task);
	}
}

static void run_a(struct worker_task *task)
{
	(void)task;
	order[n_order++] = 'a';
}

static void run_b(struct worker_task *task)
{
	(void)task;
	order[n_order++] = 'b';
}

static void nothing(void *ctx)
{
	(void)ctx;
}

static void block_on(void *ctx)
{
	pthread_mutex_lock(ctx);
	pthread_mutex_unlock(ctx);
}

struct blocker {
	struct worker_task task; /* first */
	pthread_mutex_t lock;
};

static void run_blocker(struct worker_task *task)
{
	block_on(&((struct blocker *)task)->lock);
}

START_TEST(tasks_run_in_order_and_once)
{
	static struct worker_task a = {.run = run_a}, b = {.run = run_b};
	static struct blocker block = {.task.run = run_blocker,
				       .lock = PTHREAD_MUTEX_INITIALIZER};

	ck_assert(!worker_is_current(w));
	pthread_mutex_lock(&block.lock);
	worker_queue(w, &block.task);
	worker_queue(w, &b);
	worker_queue(w, &a);
	worker_queue(w, &b);
	worker_queue(w, &a);
	pthread_mutex_unlock(&block.lock);
	worker_call(w, nothing, NULL);
	ck_assert_str_eq(order, "ba");
	worker_queue(w, &a);
	worker_call(w, nothing, NULL);
	ck_assert_str_eq(order, "baa");
}
END_TEST

START_TEST(a_task_may_queue_itself)
{
	static struct counted c = {.task.run = run_counted, .again = 1000};

	worker_queue(w, &c.task);
	while (c.runs < 1001)
		give_way();
	worker_call(w, nothing, NULL);
	ck_assert_uint_eq(c.runs, 1001);
}
END_TEST

static struct worker_task first = {.run = run_a}, last = {.run = run_b};
static struct counted middle = {.task.run = run_counted};

static void cancel(void *ctx)
{
	(void)ctx;
	worker_queue(w, &first);
	worker_queue(w, &middle.task);
	worker_queue(w, &last);
	worker_cancel(w, &middle.task);
	worker_cancel(w, &middle.task);
	worker_cancel(w, &last);
	worker_queue(w, &last);
	worker_cancel(w, &first);
}

START_TEST(cancelled_tasks_do_not_run)
{
	worker_call(w, cancel, NULL);
	worker_call(w, nothing, NULL);
	ck_assert_str_eq(order, "b");
	ck_assert_uint_eq(middle.runs, 0);
	/* And can be queued again. */
	worker_queue(w, &middle.task);
	worker_call(w, nothing, NULL);
	ck_assert_uint_eq(middle.runs, 1);
}
END_TEST

static void nested(void *ctx)
{
	worker_call(w, nothing, NULL);
	*(bool *)ctx = worker_is_current(w);
}

START_TEST(a_call_on_the_worker_is_a_call)
{
	bool is_current = false;

	worker_call(w, nested, &is_current);
	ck_assert(is_current);
}
END_TEST

static void *queue_often(void *arg)
{
	for (unsigned int i = 0; i < 20000; i++)
		worker_queue(w, arg);
	return NULL;
}

START_TEST(no_wake_up_is_lost)
{
	static struct counted c = {.task.run = run_counted};
	unsigned int seen = 0;
	pthread_t other;

	pthread_create(&other, NULL, queue_often, &c.task);
	for (unsigned int i = 0; i < 5000; i++) {
		worker_queue(w, &c.task);
		while (c.runs == seen)
			give_way();
		seen = c.runs;
	}
	pthread_join(other, NULL);
}
END_TEST

static int policy_meanwhile, policy_after;

/* libc's; what is the policy while the thread waits? */
int nanosleep(const struct timespec *time, struct timespec *rest)
{
	if (worker_is_current(w))
		policy_meanwhile = sched_getscheduler(0);
	return (int)syscall(SYS_nanosleep, time, rest);
}

static void give_way_to_others(void *ctx)
{
	const struct sched_param none = {0};

	sched_setscheduler(0, *(int *)ctx, &none);
	policy_meanwhile = -1;
	worker_give_way(w);
	policy_after = sched_getscheduler(0);
}

START_TEST(who_gives_way_is_what_he_was)
{
	int policy = SCHED_OTHER;

	worker_call(w, give_way_to_others, &policy);
	ck_assert_int_eq(policy_meanwhile, SCHED_BATCH);
	ck_assert_int_eq(policy_after, SCHED_OTHER);
	/* Whoever chose another keeps it. */
	policy = SCHED_IDLE;
	worker_call(w, give_way_to_others, &policy);
	ck_assert_int_eq(policy_meanwhile, -1);
	ck_assert_int_eq(policy_after, SCHED_IDLE);
}
END_TEST

/* --- timers ------------------------------------------------------------------- */

struct timed {
	struct worker_timer timer; /* first */
	char name;
	_Atomic unsigned int runs;
};

static void run_timed(struct worker_timer *timer)
{
	struct timed *t = (struct timed *)timer;

	ck_assert(clock_monotonic_ns() >= timer->deadline);
	order[n_order++] = t->name;
	t->runs++;
}

static struct timed timers[4] = {
	{.timer.run = run_timed, .name = '0'},
	{.timer.run = run_timed, .name = '1'},
	{.timer.run = run_timed, .name = '2'},
	{.timer.run = run_timed, .name = '3'},
};

static void set_timers(void *ctx)
{
	uint64_t now = clock_monotonic_ns();

	(void)ctx;
	worker_timer_set(w, &timers[2].timer, now + 3 * NSEC_PER_MSEC);
	worker_timer_set(w, &timers[0].timer, now + NSEC_PER_MSEC / 2);
	worker_timer_set(w, &timers[3].timer, now);
	worker_timer_set(w, &timers[3].timer, now + 4 * NSEC_PER_MSEC);
	worker_timer_set(w, &timers[1].timer, now);
	worker_timer_stop(w, &timers[1].timer);
	worker_timer_stop(w, &timers[1].timer);
}

START_TEST(timers_run_in_order)
{
	worker_call(w, set_timers, NULL);
	while (!timers[3].runs)
		give_way();
	ck_assert_str_eq(order, "023");
}
END_TEST

static void set_for_now(struct worker_timer *timer)
{
	((struct timed *)timer)->runs++;
	worker_timer_set(w, timer, 0);
}

static void start_busy_timer(void *ctx)
{
	worker_timer_set(w, ctx, 0);
}

static void stop_busy_timer(void *ctx)
{
	worker_timer_stop(w, ctx);
}

START_TEST(a_timer_for_now_does_not_stop_the_rest)
{
	static struct timed t = {.timer.run = set_for_now};

	worker_call(w, start_busy_timer, &t);
	while (t.runs < 1000)
		give_way();
	worker_call(w, stop_busy_timer, &t);
}
END_TEST

/* --- descriptors ---------------------------------------------------------------- */

struct watched {
	struct worker_fd fd; /* first */
	_Atomic unsigned int runs;
	struct watched *unwatch; /* when it runs */
};

static void run_watched(struct worker_fd *fd, uint32_t events)
{
	struct watched *x = (struct watched *)fd;
	uint64_t n;

	ck_assert_uint_eq(events & EPOLLIN, EPOLLIN);
	ck_assert_int_eq(read(fd->fd, &n, sizeof(n)), sizeof(n));
	x->runs++;
	if (x->unwatch)
		worker_unwatch(w, &x->unwatch->fd);
}

static struct watched fds[2] = {{.fd.run = run_watched},
				{.fd.run = run_watched}};

static void watch_both(void *ctx)
{
	(void)ctx;
	for (unsigned int i = 0; i < 2; i++) {
		fds[i].fd.fd = eventfd(0, EFD_NONBLOCK);
		ck_assert_int_eq(worker_watch(w, &fds[i].fd, EPOLLIN), 0);
	}
}

static void both_at_once(void *ctx)
{
	(void)ctx;
	fds[0].unwatch = &fds[1];
	fds[1].unwatch = &fds[0];
	eventfd_write(fds[0].fd.fd, 1);
	eventfd_write(fds[1].fd.fd, 1);
}

static void ask_for_nothing(void *ctx)
{
	(void)ctx;
	ck_assert_int_eq(worker_watch(w, &fds[0].fd, 0), 0);
}

static void ask_again(void *ctx)
{
	(void)ctx;
	ck_assert_int_eq(worker_watch(w, &fds[0].fd, EPOLLIN), 0);
}

START_TEST(descriptors_that_are_ready)
{
	worker_call(w, watch_both, NULL);
	eventfd_write(fds[0].fd.fd, 1);
	while (!fds[0].runs)
		give_way();
	worker_call(w, ask_for_nothing, NULL);
	eventfd_write(fds[0].fd.fd, 1);
	eventfd_write(fds[1].fd.fd, 1);
	while (!fds[1].runs)
		give_way();
	ck_assert_uint_eq(fds[0].runs, 1);
	worker_call(w, ask_again, NULL);
	while (fds[0].runs < 2)
		give_way();
	/* Each takes the other away: one of them does not run. */
	worker_call(w, both_at_once, NULL);
	while (fds[0].runs + fds[1].runs < 4)
		give_way();
	for (unsigned int i = 0; i < 100; i++)
		worker_call(w, nothing, NULL);
	ck_assert_uint_eq(fds[0].runs + fds[1].runs, 4);
	close(fds[0].fd.fd);
	close(fds[1].fd.fd);
}
END_TEST

static void watch_nothing(void *ctx)
{
	struct watched bad = {.fd.fd = -1};

	(void)ctx;
	ck_assert_int_eq(worker_watch(w, &bad.fd, EPOLLIN), -EBADF);
}

START_TEST(no_descriptor)
{
	worker_call(w, watch_nothing, NULL);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/vmbus/worker");
	TCase *t = tcase_create("worker");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, tasks_run_in_order_and_once);
	tcase_add_test(t, a_task_may_queue_itself);
	tcase_add_test(t, cancelled_tasks_do_not_run);
	tcase_add_test(t, a_call_on_the_worker_is_a_call);
	tcase_add_test(t, no_wake_up_is_lost);
	tcase_add_test(t, who_gives_way_is_what_he_was);
	tcase_add_test(t, timers_run_in_order);
	tcase_add_test(t, a_timer_for_now_does_not_stop_the_rest);
	tcase_add_test(t, descriptors_that_are_ready);
	tcase_add_test(t, no_descriptor);
	suite_add_tcase(s, t);
	return check_main(s);
}
