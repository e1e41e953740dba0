/* SPDX-License-Identifier: MIT */
/*
 * block_user.h - one user of a block back end: a queue, and calls that wait.
 */
#ifndef SUPPORT_BLOCK_USER_H
#define SUPPORT_BLOCK_USER_H

#include <check.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "devices/block/block.h"

#define USER_WAIT_MS 60000
#define USER_PENDING 1 /* no result: those are 0 or negative */

/* A request and what became of it. */
struct user_io {
	struct block_io io; /* first */
	struct iovec iov;
	int result;
	unsigned int n_done;
};

static inline void user_done(struct block_io *io, int result)
{
	struct user_io *u = (struct user_io *)io;

	u->result = result;
	u->n_done++;
}

/** user_prepare() - @u becomes a request with at most one piece of memory */
static inline void user_prepare(struct user_io *u, enum block_op op,
				uint64_t offset, void *data, uint64_t bytes)
{
	*u = (struct user_io){
		.io =
			{
				.op = op,
				.offset = offset,
				.bytes = bytes,
				.done = user_done,
			},
		.iov = {.iov_base = data, .iov_len = bytes},
		.result = USER_PENDING,
	};
	u->io.iov = &u->iov;
	u->io.n_iov = data ? 1 : 0;
}

/** user_poll() - is there something to reap, at the latest in @ms? */
static inline bool user_poll(struct block_queue *q, int ms)
{
	struct pollfd fd = {.fd = block_queue_fd(q), .events = POLLIN};

	return poll(&fd, 1, ms) == 1 && (fd.revents & POLLIN);
}

/** user_drain() - until nothing is in flight, by the descriptor only */
static inline void user_drain(struct block_queue *q)
{
	while (block_queue_in_flight(q)) {
		ck_assert(user_poll(q, USER_WAIT_MS));
		block_queue_reap(q);
		block_queue_kick(q);
	}
}

/** user_finish() - submit @u alone and wait.  Return: its result */
static inline int user_finish(struct block_queue *q, struct user_io *u)
{
	block_queue_submit(q, &u->io);
	block_queue_kick(q);
	user_drain(q);
	ck_assert_uint_eq(u->n_done, 1);
	return u->result;
}

/** user_do() - a whole request.  Return: its result */
static inline int user_do(struct block_queue *q, enum block_op op,
			  uint64_t offset, void *data, uint64_t bytes,
			  uint32_t flags)
{
	struct user_io u;

	user_prepare(&u, op, offset, data, bytes);
	u.io.flags = flags;
	return user_finish(q, &u);
}

static inline int user_read(struct block_queue *q, uint64_t offset, void *data,
			    uint64_t bytes)
{
	return user_do(q, BLOCK_READ, offset, data, bytes, 0);
}

static inline int user_write(struct block_queue *q, uint64_t offset,
			     const void *data, uint64_t bytes)
{
	return user_do(q, BLOCK_WRITE, offset, (void *)data, bytes, 0);
}

/** user_queue() - a queue that can be had */
static inline struct block_queue *user_queue(struct block *b)
{
	GError *error = NULL;
	struct block_queue *q = block_queue_new(b, &error);

	ck_assert_msg(q, "%s", error ? error->message : "no error");
	return q;
}

/** user_filled() - are all of @bytes @value? */
static inline bool user_filled(const void *data, uint8_t value, size_t bytes)
{
	const uint8_t *at = data;

	for (size_t i = 0; i < bytes; i++)
		if (at[i] != value)
			return false;
	return true;
}

#endif
