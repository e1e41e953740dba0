/* SPDX-License-Identifier: MIT */
/*
 * block_impl.h - what block.c and the back ends know of each other.
 *
 * Theory of operation.  block.c has all that is the same everywhere: it checks
 * arguments, keeps what is beyond the depth of a queue waiting, counts, and
 * calls done().  A back end embeds `struct block` and `struct block_queue` at
 * the start of its own, and sees only requests that are well formed, within
 * the image, not beyond BLOCK_QUEUE_DEPTH and not empty:
 *
 *	start()	begin it; may call block_end_later(), never block_end()
 *	kick()	what was started goes to the host; with .reaps_next reap()
 *		follows
 *	reap()	make the descriptor quiet, then block_end() for each that has
 *		ended; with .unkicked set block.c calls kick() behind it
 *	wake()	the descriptor is readable until the next reap(): block.c has
 *		something to deliver itself
 *
 * Thread: all four, and what they call, on the queue's.
 */
#ifndef DEVICES_BLOCK_BLOCK_IMPL_H
#define DEVICES_BLOCK_BLOCK_IMPL_H

#include "devices/block/block.h"

#include <pthread.h>

struct block_ops {
	size_t queue_size; /* of the struct that begins with block_queue */
	/* Sets q->fd.  Return: 0; -1 with @error set and nothing left over. */
	int (*queue_open)(struct block_queue *q, GError **error);
	void (*queue_close)(struct block_queue *q);
	void (*start)(struct block_queue *q, struct block_io *io);
	void (*kick)(struct block_queue *q);
	void (*reap)(struct block_queue *q);
	void (*wake)(struct block_queue *q);
	/* The image's size now; NULL: it has always the same. */
	int (*refresh)(struct block *b, uint64_t *bytes);
	void (*free)(struct block *b); /* after block_clear() */
};

struct block {
	/* set before the first queue */
	const struct block_ops *ops;
	char *kind;
	struct block_info info; /* but for .bytes */
	struct block_errors errors;

	uint64_t bytes; /* atomic */
	struct throttle *throttle; /* atomic; NULL: no limits; the owner's */

	pthread_mutex_t lock; /* a leaf */
	/* lock */
	struct block_queue *queues;
	struct block_stats past; /* of queues that are gone */
};

/* Requests in order of arrival, linked by block_io.next. */
struct io_list {
	struct block_io *first, **last;
};

struct block_queue {
	struct block *block;
	int fd; /* the back end's */
	struct delay *delay; /* if block.throttle was there */

	struct block_queue *next; /* block.lock */

	/* the queue's thread */
	struct io_list waiting; /* for one of the others to end */
	struct io_list ended; /* by block_end_later() */
	struct io_list kept; /* by BLOCK_STOP; .state: what was wrong */
	bool draining;
	unsigned int active; /* started and not ended */
	unsigned int reaped; /* in this call */
	bool reaps_next; /* behind this kick: it needs no wake() */
	bool unkicked; /* something was begun in this reap: kick behind it */

	/* written by the queue's thread, atomically; read by any */
	struct block_stats stats;
};

static inline void io_list_init(struct io_list *list)
{
	list->first = NULL;
	list->last = &list->first;
}

static inline void io_list_push(struct io_list *list, struct block_io *io)
{
	io->next = NULL;
	*list->last = io;
	list->last = &io->next;
}

/** io_list_pop() - the oldest; NULL: it is empty */
static inline struct block_io *io_list_pop(struct io_list *list)
{
	struct block_io *io = list->first;

	if (io) {
		list->first = io->next;
		if (!list->first)
			list->last = &list->first;
	}
	return io;
}

/** io_list_move() - what is in @from goes behind what is in @to */
static inline void io_list_move(struct io_list *to, struct io_list *from)
{
	if (!from->first)
		return;
	*to->last = from->first;
	to->last = from->last;
	io_list_init(from);
}

/** block_init() - @b is zeroed; @kind is printed by block_kind(), copied */
void block_init(struct block *b, const struct block_ops *ops, const char *kind,
		const struct block_info *info);

/** block_clear() - the mirror of block_init() */
void block_clear(struct block *b);

/** block_end() - from reap(): it has ended; done(), or kept by BLOCK_STOP */
void block_end(struct block_io *io, int result);

/** block_end_later() - it has ended; the next reap calls done(), always */
void block_end_later(struct block_io *io, int result);

/** block_count() - add to one of the numbers of q->stats */
static inline void block_count(uint64_t *number, uint64_t n)
{
	__atomic_store_n(number, *number + n, __ATOMIC_RELAXED);
}

#endif
