/* SPDX-License-Identifier: MIT */
/*
 * raw_impl.h - what the files of the raw back end know of each other.
 *
 * Theory of operation.  A request becomes a row of steps, each one system
 * call: a read or a write of what is left, an fdatasync(), a fallocate().
 * raw_request.c decides what the next step is, and knows no engine.  An engine
 * (raw_uring.c, raw_pool.c) has steps done and says how they ended, and knows
 * no request:
 *
 *	raw_begin() -> issue() … engine … raw_step_ended() -> issue() …
 *	                                                   -> block_end()
 *
 * Nearly always it is one step, with the iovec of the caller.  There are more
 * when the host moved less than it was asked to; when direct I/O forbids the
 * caller's memory, which then goes by a buffer of ours, piece by piece; when a
 * snapshot has some of the blocks; and when a way to make zeroes is not known
 * to the storage, so that the next is tried.
 *
 * Thread: a raw_request belongs to its queue's thread, but while it is issued:
 * then the engine reads .step and writes .step.result.
 */
#ifndef DEVICES_BLOCK_RAW_IMPL_H
#define DEVICES_BLOCK_RAW_IMPL_H

#include "devices/block/block_impl.h"

struct cow_map;
struct raw_pool;

/* Buffers that a queue has for what direct I/O forbids. */
#define BOUNCE_BUFFERS 8u
#define BOUNCE_BYTES   (128u << 10)

enum step_kind {
	STEP_READ,
	STEP_WRITE,
	STEP_SYNC,
	STEP_ALLOCATE,
	STEP_DISCARD, /* of a block device */
	STEP_FIND_DATA, /* how far is it to what is stored, */
	STEP_FIND_HOLE, /* and to what is not? */
};

struct raw_step {
	enum step_kind kind;
	bool top; /* on the snapshot's file, not on the image */
	bool durable; /* WRITE: RWF_DSYNC */
	int mode; /* ALLOCATE: FALLOC_FL_… */
	uint64_t offset, bytes;
	const struct iovec *iov;
	unsigned int n_iov;
	int result; /* bytes moved, or that it is far; 0 or -errno */
};

struct raw_request {
	struct raw_request *next;
	struct block_io *io;
	struct raw_step step;
	enum block_op op; /* io->op, but for a write of zeroes */
	bool unmap;
	unsigned int tries;
	uint8_t *bounce;
	struct iovec own[BLOCK_IOV_MAX]; /* of a step that is not all of io */
};

struct raw {
	struct block block;

	/* set before the first queue */
	char *path;
	int fd;
	int top_fd; /* what a snapshot writes to; -1: none */
	struct cow_map *map; /* with it */
	bool is_device;
	/* A tmpfs: what is read and written waits for nothing, nor says so. */
	bool in_memory;
	bool direct; /* O_DIRECT; with: */
	uint32_t memory_align, offset_align;
	bool sync; /* each write is on stable storage: writethrough */
	bool unsafe; /* flushes do nothing */
	bool detect_zeroes, detect_unmap;
	struct raw_pool *pool; /* NULL: io_uring */

	/* atomic; what was found out meanwhile */
	bool no_zero_range, no_punch;
	bool no_discard; /* STEP_DISCARD; files: always */
	int flush_error; /* what was written back may be lost: for ever */
};

struct raw_list {
	struct raw_request *first, **last;
};

struct raw_queue {
	struct block_queue queue;
	void (*issue)(struct raw_queue *q, struct raw_request *r);

	struct raw_request *requests; /* BLOCK_QUEUE_DEPTH of them */
	struct raw_request *unused;
	uint8_t *bounce[BOUNCE_BUFFERS]; /* those that are not in use */
	unsigned int n_bounce, n_bounce_made;
	struct raw_list want_bounce;
};

static inline struct raw *to_raw(struct block *b)
{
	return (struct raw *)b;
}

static inline struct raw *raw_of(struct raw_queue *q)
{
	return to_raw(q->queue.block);
}

static inline void raw_list_init(struct raw_list *list)
{
	list->first = NULL;
	list->last = &list->first;
}

static inline void raw_list_push(struct raw_list *list, struct raw_request *r)
{
	r->next = NULL;
	*list->last = r;
	list->last = &r->next;
}

static inline struct raw_request *raw_list_pop(struct raw_list *list)
{
	struct raw_request *r = list->first;

	if (r) {
		list->first = r->next;
		if (!list->first)
			list->last = &list->first;
	}
	return r;
}

static inline void raw_list_move(struct raw_list *to, struct raw_list *from)
{
	if (!from->first)
		return;
	*to->last = from->first;
	to->last = from->last;
	raw_list_init(from);
}

/* raw_request.c */
void raw_queue_init(struct raw_queue *q,
		    void (*issue)(struct raw_queue *q, struct raw_request *r));
void raw_queue_clear(struct raw_queue *q);
/** raw_begin() - an engine's start(): the first step, or block_end_later() */
void raw_begin(struct block_queue *queue, struct block_io *io);
/** raw_step_ended() - in a reap: the next step, or block_end() */
void raw_step_ended(struct raw_queue *q, struct raw_request *r, int result);

/** raw_perform() - do a step and wait.  Thread: any.  Return: its result */
int raw_perform(const struct raw *raw, const struct raw_step *step);

/* raw_uring.c, raw_pool.c: an engine each; .refresh and .free are raw.c's */
extern const struct block_ops raw_uring_ops, raw_pool_ops;
/** raw_uring_usable() - 0, or -errno that the host says: -ENOSYS, -EPERM */
int raw_uring_usable(void);
struct raw_pool *raw_pool_new(GError **error);
void raw_pool_free(struct raw_pool *pool);

/* raw.c */
int raw_refresh(struct block *b, uint64_t *bytes);
void raw_free(struct block *b);

#endif
