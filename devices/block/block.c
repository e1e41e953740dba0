/* SPDX-License-Identifier: MIT */
#include "devices/block/block.h"

#include <assert.h>
#include <errno.h>

#include "base/checked.h"
#include "base/counters.h"
#include "devices/block/block_impl.h"
#include "devices/block/delay.h"

/* --- images --------------------------------------------------------------- */

void block_init(struct block *b, const struct block_ops *ops, const char *kind,
		const struct block_info *info)
{
	b->ops = ops;
	b->kind = g_strdup(kind);
	b->info = *info;
	b->bytes = info->bytes;
	pthread_mutex_init(&b->lock, NULL);
}

void block_clear(struct block *b)
{
	assert(!b->queues);
	pthread_mutex_destroy(&b->lock);
	g_free(b->kind);
}

static uint64_t bytes_now(const struct block *b)
{
	return __atomic_load_n(&b->bytes, __ATOMIC_RELAXED);
}

struct block_info block_info(const struct block *b)
{
	struct block_info info = b->info;

	info.bytes = bytes_now(b);
	return info;
}

int block_refresh(struct block *b)
{
	uint64_t bytes;
	int err = b->ops->refresh ? b->ops->refresh(b, &bytes) : 0;

	if (!err && b->ops->refresh)
		__atomic_store_n(&b->bytes,
				 align_down(bytes, b->info.block_bytes),
				 __ATOMIC_RELAXED);
	return err;
}

const char *block_kind(const struct block *b)
{
	return b->kind;
}

void block_set_throttle(struct block *b, struct throttle *throttle)
{
	__atomic_store_n(&b->throttle, throttle, __ATOMIC_RELEASE);
}

void block_set_errors(struct block *b, const struct block_errors *errors)
{
	assert(!b->queues);
	b->errors = *errors;
}

void block_free(struct block *b)
{
	if (b)
		b->ops->free(b);
}

/* --- numbers --------------------------------------------------------------- */

void block_get_stats(const struct block *b, struct block_stats *stats)
{
	/* The lock is no part of what the caller may not change. */
	pthread_mutex_t *lock = (pthread_mutex_t *)&b->lock;

	pthread_mutex_lock(lock);
	*stats = b->past;
	for (const struct block_queue *q = b->queues; q; q = q->next)
		counters_add(stats, &q->stats, sizeof(*stats));
	pthread_mutex_unlock(lock);
}

static void count(struct block_queue *q, const struct block_io *io, int result)
{
	struct block_stats *s = &q->stats;
	uint64_t moved = result ? 0 : io->bytes;

	switch (io->op) {
	case BLOCK_READ:
		block_count(&s->reads, 1);
		block_count(&s->read_bytes, moved);
		break;
	case BLOCK_WRITE:
		block_count(&s->writes, 1);
		block_count(&s->written_bytes, moved);
		break;
	case BLOCK_FLUSH:
		block_count(&s->flushes, 1);
		break;
	case BLOCK_DISCARD:
		block_count(&s->discards, 1);
		block_count(&s->discarded_bytes, moved);
		break;
	case BLOCK_ZERO:
		block_count(&s->zeroes, 1);
		block_count(&s->zeroed_bytes, moved);
		break;
	case BLOCK_EXTENT:
		break;
	}
	if (result)
		block_count(&s->errors, 1);
}

/* --- queues ----------------------------------------------------------------- */

struct block_queue *block_queue_new(struct block *b, GError **error)
{
	struct throttle *throttle =
		__atomic_load_n(&b->throttle, __ATOMIC_ACQUIRE);
	struct block_queue *q = g_malloc0(b->ops->queue_size);

	q->block = b;
	q->fd = -1;
	io_list_init(&q->waiting);
	io_list_init(&q->ended);
	io_list_init(&q->kept);
	if (b->ops->queue_open(q, error)) {
		g_free(q);
		return NULL;
	}
	if (throttle) {
		q->delay = delay_new(throttle, q->fd, error);
		if (!q->delay) {
			b->ops->queue_close(q);
			g_free(q);
			return NULL;
		}
	}
	pthread_mutex_lock(&b->lock);
	q->next = b->queues;
	b->queues = q;
	pthread_mutex_unlock(&b->lock);
	return q;
}

void block_queue_free(struct block_queue *q)
{
	struct block *b;
	struct block_queue **at;

	if (!q)
		return;
	assert(!block_queue_in_flight(q));
	b = q->block;
	pthread_mutex_lock(&b->lock);
	for (at = &b->queues; *at != q; at = &(*at)->next)
		;
	*at = q->next;
	counters_add(&b->past, &q->stats, sizeof(b->past));
	pthread_mutex_unlock(&b->lock);
	delay_free(q->delay);
	b->ops->queue_close(q);
	g_free(q);
}

struct block *block_queue_block(const struct block_queue *q)
{
	return q->block;
}

int block_queue_fd(const struct block_queue *q)
{
	return q->delay ? delay_fd(q->delay) : q->fd;
}

unsigned int block_queue_in_flight(const struct block_queue *q)
{
	return (unsigned int)q->stats.in_flight;
}

/* --- requests -------------------------------------------------------------- */

static uint64_t iov_bytes(const struct iovec *iov, unsigned int n)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < n; i++)
		if (!checked_add(sum, iov[i].iov_len, &sum))
			return UINT64_MAX;
	return sum;
}

static bool has_data(const struct block_io *io)
{
	return io->op == BLOCK_READ || io->op == BLOCK_WRITE;
}

static bool changes(const struct block_io *io)
{
	return io->op != BLOCK_READ && io->op != BLOCK_EXTENT;
}

/* Return: 0; -errno that ends it before a back end has seen it. */
static int check(const struct block *b, const struct block_io *io)
{
	uint64_t block_bytes = b->info.block_bytes;

	if (io->op == BLOCK_FLUSH)
		return 0;
	if ((unsigned int)io->op > BLOCK_EXTENT)
		return -EINVAL;
	if (!is_aligned(io->offset, block_bytes) ||
	    !is_aligned(io->bytes, block_bytes) ||
	    !range_fits(io->offset, io->bytes, bytes_now(b)))
		return -EINVAL;
	if (has_data(io) && (io->n_iov > BLOCK_IOV_MAX ||
			     iov_bytes(io->iov, io->n_iov) != io->bytes))
		return -EINVAL;
	if (b->info.readonly && changes(io))
		return -EROFS;
	return 0;
}

/* Is there nothing to do for it? */
static bool is_void(const struct block *b, const struct block_io *io)
{
	if (io->op == BLOCK_FLUSH)
		return b->info.readonly;
	if (!io->bytes)
		return true;
	return (io->op == BLOCK_DISCARD || io->op == BLOCK_EXTENT) &&
	       !b->info.can_discard;
}

static bool is_full(const struct block_queue *q)
{
	return q->active >= BLOCK_QUEUE_DEPTH;
}

/* Return: has it begun?  Else it waits for another to end. */
static bool begin(struct block_queue *q, struct block_io *io)
{
	if (is_full(q) || q->waiting.first) {
		io_list_push(&q->waiting, io);
		return false;
	}
	q->active++;
	q->block->ops->start(q, io);
	return true;
}

void block_queue_submit(struct block_queue *q, struct block_io *io)
{
	int err = check(q->block, io);

	io->queue = q;
	io->moved = 0;
	io->priv = NULL;
	io->state = 0;
	io->extent_bytes = io->bytes;
	io->hole = false;
	block_count(&q->stats.in_flight, 1);
	if (err || is_void(q->block, io)) {
		q->active++;
		block_end_later(io, err);
	} else if (!q->delay || q->draining || !delay_put(q->delay, io)) {
		begin(q, io);
	}
}

void block_queue_kick(struct block_queue *q)
{
	q->block->ops->kick(q);
}

unsigned int block_queue_turn(struct block_queue *q)
{
	q->reaps_next = true;
	q->block->ops->kick(q);
	q->reaps_next = false;
	return block_queue_reap(q);
}

static void finish(struct block_io *io, int result)
{
	struct block_queue *q = io->queue;

	count(q, io, result);
	block_count(&q->stats.in_flight, (uint64_t)-1);
	q->active--;
	q->reaped++;
	io->done(io, result);
}

static enum block_policy policy(const struct block_io *io, int err)
{
	const struct block_errors *e = &io->queue->block->errors;
	enum block_policy p = changes(io) ? e->on_write : e->on_read;

	if (p == BLOCK_ENOSPACE)
		p = err == -ENOSPC || err == -EDQUOT ? BLOCK_STOP
						     : BLOCK_REPORT;
	return p == BLOCK_STOP && io->queue->draining ? BLOCK_REPORT : p;
}

static void keep(struct block_io *io, int err)
{
	struct block_queue *q = io->queue;
	const struct block_errors *e = &q->block->errors;

	q->active--;
	block_count(&q->stats.stops, 1);
	io->state = (unsigned int)-err;
	io_list_push(&q->kept, io);
	if (e->stopped)
		e->stopped(e->ctx, io->op, err);
}

void block_end(struct block_io *io, int result)
{
	enum block_policy p = result ? policy(io, result) : BLOCK_REPORT;
	const struct block_errors *e = &io->queue->block->errors;

	if (result && e->failed)
		e->failed(e->ctx, io->op, result, p);
	if (p == BLOCK_STOP)
		keep(io, result);
	else
		finish(io, p == BLOCK_IGNORE ? 0 : result);
}

void block_end_later(struct block_io *io, int result)
{
	struct block_queue *q = io->queue;

	io->state = (unsigned int)-result;
	if (!q->ended.first)
		q->block->ops->wake(q);
	io_list_push(&q->ended, io);
}

unsigned int block_queue_reap(struct block_queue *q)
{
	struct io_list ended;
	struct block_io *io;

	q->reaped = 0;
	q->unkicked = false;
	/* What done() submits waits for the next call: this one ends. */
	io_list_init(&ended);
	io_list_move(&ended, &q->ended);
	q->block->ops->reap(q);
	while ((io = io_list_pop(&ended)))
		finish(io, -(int)io->state);
	while (q->delay && (io = delay_take(q->delay, false)))
		if (begin(q, io))
			q->unkicked = true;
	while (q->waiting.first && !is_full(q)) {
		q->active++;
		q->block->ops->start(q, io_list_pop(&q->waiting));
		q->unkicked = true;
	}
	if (q->unkicked)
		q->block->ops->kick(q);
	return q->reaped;
}

void block_queue_retry(struct block_queue *q)
{
	struct io_list kept;
	struct block_io *io;

	io_list_init(&kept);
	io_list_move(&kept, &q->kept);
	while ((io = io_list_pop(&kept))) {
		io->moved = 0;
		io->priv = NULL;
		io->state = 0;
		begin(q, io);
	}
	block_queue_kick(q);
}

void block_queue_drain(struct block_queue *q, bool on)
{
	struct block_io *io;

	q->draining = on;
	if (!on)
		return;
	while ((io = io_list_pop(&q->kept))) {
		q->active++;
		block_end_later(io, -(int)io->state);
	}
	while (q->delay && (io = delay_take(q->delay, true)))
		begin(q, io);
	block_queue_kick(q);
}
