/* SPDX-License-Identifier: MIT */
/*
 * block.h - what a disk is stored in: a file, a device, a server of images.
 *
 * Theory of operation.  A `struct block` is one image: its size, what it can
 * do, and which of the kinds of back end serves it (raw.c by io_uring or by
 * threads, nbd.c, ram.c).  It is shared by all who use the disk.  A `struct
 * block_queue` is one user's way into it, with nothing shared on the way of a
 * request: a worker makes one for each disk, submits to it, looks at one
 * descriptor, and is told of each end by done(), on its own thread.
 *
 *	block_queue_submit() n times, block_queue_kick() once   one batch
 *	block_queue_fd() is readable: block_queue_reap()        done() n times
 *
 * The request is the caller's struct and nothing is allocated for it.  Its
 * iovec points to the guest's memory: it may change while the request runs,
 * and is read or written at most once for each request.
 *
 * Order.  None among requests in flight, not even to the same blocks.  A
 * FLUSH covers what was done() before it was submitted.
 *
 * Results.  0 or -errno of the host (-EIO, -ENOSPC, …); a read beyond an
 * image that was truncated under us is -EIO, never short and never zeroes.
 * What is ours: -EINVAL for what is not aligned, beyond the end or has an
 * iovec of another length; -EROFS for what would change a readonly image.
 * A FLUSH of a readonly image, a DISCARD that the storage does not know, and
 * no bytes at all are 0.  To an EXTENT all is stored where nothing can be
 * discarded, or the storage does not say.
 *
 * Layer: devices/block knows no guest: no SCSI, no channels.
 */
#ifndef DEVICES_BLOCK_BLOCK_H
#define DEVICES_BLOCK_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include <glib.h>

struct block;
struct block_queue;
struct throttle;

enum block_op {
	BLOCK_READ,
	BLOCK_WRITE,
	BLOCK_FLUSH, /* what was done() is on stable storage */
	BLOCK_DISCARD, /* the bytes are not needed: a hint, may do nothing */
	BLOCK_ZERO, /* the bytes read as zeroes from now on */
	BLOCK_EXTENT, /* how much of it is stored, or not, in a row? */
};

/* Bits of block_io.flags */
#define BLOCK_FUA   0x1u /* WRITE, ZERO: on stable storage when done() */
#define BLOCK_UNMAP 0x2u /* ZERO: the storage may be given back */

/* One request. */
struct block_io {
	/* the caller's, unchanged until done() */
	enum block_op op;
	uint32_t flags;
	uint64_t offset, bytes; /* multiples of block_info.block_bytes */
	const struct iovec *iov; /* READ, WRITE: of @bytes together */
	unsigned int n_iov; /* at most BLOCK_IOV_MAX */
	/* On the queue's thread, in reap; may submit, and free or reuse @io. */
	void (*done)(struct block_io *io, int result);

	/* EXTENT: so many bytes from @offset on, at least a block, are alike */
	uint64_t extent_bytes;
	bool hole; /* and have no storage: they read as zeroes */

	/* devices/block's */
	struct block_queue *queue;
	struct block_io *next;
	uint64_t moved;
	void *priv;
	unsigned int state;
};

/* The most pieces that a request has: 1 MiB and a bit in pages of 4 KiB. */
#define BLOCK_IOV_MAX 260u

struct block_info {
	uint64_t bytes; /* of the disk; a multiple of block_bytes */
	uint32_t block_bytes; /* 512 or 4096: what the disk is addressed in */
	uint32_t physical_bytes; /* what it is best written in, power of two */
	uint32_t optimal_bytes; /* 0: nothing to say */
	bool readonly;
	bool can_discard; /* DISCARD and ZERO with UNMAP give storage back */
	bool rotational;
	uint32_t discard_bytes; /* granularity; 0: as block_bytes */
};

/** block_info() - as it is now; the size may change (block_refresh()) */
struct block_info block_info(const struct block *b);

/** block_refresh() - look at the image's size anew.  Return: 0 or -errno */
int block_refresh(struct block *b);

/* Counted over all queues.  Each number by itself is right, at any time. */
struct block_stats {
	uint64_t reads, writes, flushes, discards, zeroes;
	uint64_t read_bytes, written_bytes, discarded_bytes, zeroed_bytes;
	uint64_t errors;
	uint64_t in_flight;
	uint64_t bounced; /* requests that went by a buffer of ours */
	uint64_t stops; /* requests that BLOCK_STOP kept back */
};

void block_get_stats(const struct block *b, struct block_stats *stats);

/** block_kind() - "raw, io_uring", "raw, threads", "nbd qcow2", "ram" */
const char *block_kind(const struct block *b);

/**
 * block_set_throttle() - reads and writes wait until it lets them
 * @throttle: borrowed until block_free(), once it is set; others may have the
 *            same
 *
 * Of queues that are made from now on.
 */
void block_set_throttle(struct block *b, struct throttle *throttle);

/* What becomes of a request that the storage could not do; libvirt's words. */
enum block_policy {
	BLOCK_REPORT, /* done() is told */
	BLOCK_STOP, /* it is kept until it is tried again or given up */
	BLOCK_IGNORE, /* done() is told that all is well */
	BLOCK_ENOSPACE, /* STOP if there is no space left, else REPORT */
};

/* Only errors of the storage count: -EINVAL and -EROFS of ours are reported. */
struct block_errors {
	enum block_policy on_read, on_write; /* the latter all but READ */
	/* One is kept.  On the queue's thread, in reap; must not wait */
	void (*stopped)(void *ctx, enum block_op op, int err);
	/* Each one, and what becomes of it; likewise.  Never BLOCK_ENOSPACE */
	void (*failed)(void *ctx, enum block_op op, int err,
		       enum block_policy policy);
	void *ctx;
};

/** block_set_errors() - before the first queue.  Else all is reported */
void block_set_errors(struct block *b, const struct block_errors *errors);

/** block_free() - after all of its queues; flushes nothing by itself */
void block_free(struct block *b);

/* --- queues ----------------------------------------------------------------- */

/* More in flight at once wait in the queue, in order; none is refused. */
#define BLOCK_QUEUE_DEPTH 256u

/**
 * block_queue_new() - a way into @b for one thread
 *
 * All block_queue_… calls for it are made on that thread, but for _new and
 * _free.
 *
 * Return: owned; NULL with @error set.
 */
struct block_queue *block_queue_new(struct block *b, GError **error);

/** block_queue_free() - nothing may be in flight */
void block_queue_free(struct block_queue *q);

struct block *block_queue_block(const struct block_queue *q);

/** block_queue_fd() - readable (EPOLLIN) while there is something to reap */
int block_queue_fd(const struct block_queue *q);

/**
 * block_queue_submit() - begin @io, at the latest in block_queue_kick()
 *
 * Every one ends in done(), exactly once and never in here; what can not be
 * is an error there.
 */
void block_queue_submit(struct block_queue *q, struct block_io *io);

/** block_queue_kick() - what was submitted goes to the host, in one call */
void block_queue_kick(struct block_queue *q);

/**
 * block_queue_turn() - kick, then reap
 *
 * Cheaper than the two where it all ends at once.
 *
 * Return: as block_queue_reap().
 */
unsigned int block_queue_turn(struct block_queue *q);

/**
 * block_queue_reap() - call done() of what has ended; does not wait
 *
 * Also when it is not known whether something has: that costs no system call,
 * but where the image is behind a socket.  Perhaps not of all: the rest keeps
 * the descriptor readable, and meanwhile the user can submit what the first
 * ones have made room for.
 * done() may submit more, which ends in a later call, and kicks not.
 *
 * Return: how many.
 */
unsigned int block_queue_reap(struct block_queue *q);

/** block_queue_retry() - what a BLOCK_STOP has kept is tried again */
void block_queue_retry(struct block_queue *q);

/**
 * block_queue_drain() - somebody waits for all that is in flight to end
 *
 * As long as @on, nothing is delayed by a throttle, and errors are reported,
 * also those that a BLOCK_STOP has kept.
 */
void block_queue_drain(struct block_queue *q, bool on);

/** block_queue_in_flight() - submitted and not done */
unsigned int block_queue_in_flight(const struct block_queue *q);

#endif
