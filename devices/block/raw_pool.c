/* SPDX-License-Identifier: MIT */
/*
 * raw_pool.c - steps by threads that wait for the host, where io_uring can not
 * be had.
 *
 * Theory of operation.  An image has THREADS threads.  kick() hands all steps
 * of a queue over at once, in order; a thread takes one, does it, and puts it
 * on the list of the queue it came from.  Whoever finds that list empty makes
 * the queue's descriptor readable, and reap() makes it quiet again.
 *
 * Locks: the pool's, and each queue's, are leaves, never held together.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/thread.h"
#include "devices/block/raw_impl.h"

#define THREADS 8u

struct raw_pool {
	pthread_t threads[THREADS];
	unsigned int n_threads; /* that were started */

	pthread_mutex_t lock;
	pthread_cond_t more; /* in todo, or stop */
	/* lock */
	struct raw_list todo;
	bool stop;
};

struct pool_queue {
	struct raw_queue raw;
	/* the queue's thread */
	struct raw_list to_go; /* for the next kick */

	pthread_mutex_t lock;
	/* lock */
	struct raw_list done;
	bool readable; /* the descriptor */
};

static struct pool_queue *to_pool(struct block_queue *q)
{
	return (struct pool_queue *)q;
}

/* --- the threads -------------------------------------------------------------- */

/* lock */
static void make_readable(struct pool_queue *q)
{
	const uint64_t one = 1;

	if (q->readable)
		return;
	q->readable = true;
	if (write(q->raw.queue.fd, &one, sizeof(one)) < 0)
		abort(); /* an eventfd at 0 takes a 1 */
}

static void hand_back(struct raw_request *r)
{
	struct pool_queue *q = to_pool(r->io->queue);

	pthread_mutex_lock(&q->lock);
	raw_list_push(&q->done, r);
	make_readable(q);
	pthread_mutex_unlock(&q->lock);
}

static void *work(void *arg)
{
	struct raw_pool *pool = arg;

	pthread_mutex_lock(&pool->lock);
	while (!pool->stop) {
		struct raw_request *r = raw_list_pop(&pool->todo);

		if (!r) {
			pthread_cond_wait(&pool->more, &pool->lock);
			continue;
		}
		pthread_mutex_unlock(&pool->lock);
		r->step.result =
			raw_perform(to_raw(r->io->queue->block), &r->step);
		hand_back(r);
		pthread_mutex_lock(&pool->lock);
	}
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

struct raw_pool *raw_pool_new(GError **error)
{
	struct raw_pool *pool = g_new0(struct raw_pool, 1);
	int err = 0;

	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->more, NULL);
	raw_list_init(&pool->todo);
	while (!err && pool->n_threads < THREADS) {
		char name[16];

		g_snprintf(name, sizeof(name), "blk/%u", pool->n_threads);
		err = thread_start(&pool->threads[pool->n_threads], name, work,
				   pool);
		pool->n_threads += !err;
	}
	if (err) {
		g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(-err),
			    "threads: %s", g_strerror(-err));
		raw_pool_free(pool);
		return NULL;
	}
	return pool;
}

void raw_pool_free(struct raw_pool *pool)
{
	if (!pool)
		return;
	pthread_mutex_lock(&pool->lock);
	pool->stop = true;
	pthread_cond_broadcast(&pool->more);
	pthread_mutex_unlock(&pool->lock);
	while (pool->n_threads)
		pthread_join(pool->threads[--pool->n_threads], NULL);
	pthread_cond_destroy(&pool->more);
	pthread_mutex_destroy(&pool->lock);
	g_free(pool);
}

/* --- the calls ---------------------------------------------------------------- */

static void issue(struct raw_queue *q, struct raw_request *r)
{
	raw_list_push(&to_pool(&q->queue)->to_go, r);
}

static void kick(struct block_queue *queue)
{
	struct pool_queue *q = to_pool(queue);
	struct raw_pool *pool = to_raw(queue->block)->pool;
	bool many;

	if (!q->to_go.first)
		return;
	many = q->to_go.first->next != NULL;
	pthread_mutex_lock(&pool->lock);
	raw_list_move(&pool->todo, &q->to_go);
	if (many)
		pthread_cond_broadcast(&pool->more);
	else
		pthread_cond_signal(&pool->more);
	pthread_mutex_unlock(&pool->lock);
}

static void wake(struct block_queue *queue)
{
	struct pool_queue *q = to_pool(queue);

	pthread_mutex_lock(&q->lock);
	make_readable(q);
	pthread_mutex_unlock(&q->lock);
}

static void reap(struct block_queue *queue)
{
	struct pool_queue *q = to_pool(queue);
	struct raw_list done;
	struct raw_request *r;
	uint64_t n;

	raw_list_init(&done);
	pthread_mutex_lock(&q->lock);
	if (q->readable && read(queue->fd, &n, sizeof(n)) < 0)
		abort(); /* it is at 1 */
	q->readable = false;
	raw_list_move(&done, &q->done);
	pthread_mutex_unlock(&q->lock);
	while ((r = raw_list_pop(&done)))
		raw_step_ended(&q->raw, r, r->step.result);
}

static int queue_open(struct block_queue *queue, GError **error)
{
	struct pool_queue *q = to_pool(queue);

	queue->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (queue->fd < 0) {
		g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno),
			    "eventfd: %s", g_strerror(errno));
		return -1;
	}
	pthread_mutex_init(&q->lock, NULL);
	raw_list_init(&q->to_go);
	raw_list_init(&q->done);
	raw_queue_init(&q->raw, issue);
	return 0;
}

static void queue_close(struct block_queue *queue)
{
	struct pool_queue *q = to_pool(queue);

	/* The last thread that handed something back may still hold it. */
	pthread_mutex_lock(&q->lock);
	pthread_mutex_unlock(&q->lock);
	pthread_mutex_destroy(&q->lock);
	close(queue->fd);
	raw_queue_clear(&q->raw);
}

const struct block_ops raw_pool_ops = {
	.queue_size = sizeof(struct pool_queue),
	.queue_open = queue_open,
	.queue_close = queue_close,
	.start = raw_begin,
	.kick = kick,
	.reap = reap,
	.wake = wake,
	.refresh = raw_refresh,
	.free = raw_free,
};
