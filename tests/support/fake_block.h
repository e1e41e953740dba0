/* SPDX-License-Identifier: MIT */
/*
 * fake_block.h - what a user of block.h sees, without a file or a host: bytes
 * in memory, a list of what was done to them, faults when the test says so.
 *
 * For one file of a binary, which defines these calls in the place of
 * devices/block.
 */
#ifndef SUPPORT_FAKE_BLOCK_H
#define SUPPORT_FAKE_BLOCK_H

#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "devices/block/block.h"

/* What becomes of bytes that were discarded. */
#define FAKE_DISCARDED 0xdd
#define FAKE_LOG       64u

/* One io that was submitted. */
struct fake_io {
	enum block_op op;
	uint32_t flags;
	uint64_t offset, bytes;
};

struct block {
	struct block_info info;
	uint8_t *bytes;
	bool later; /* an io ends in reap, not already in submit */
	int fail; /* -errno of the next @fail_op */
	enum block_op fail_op;
	unsigned int fail_after; /* of them that are well */
	struct fake_io log[FAKE_LOG];
	unsigned int n_log; /* also beyond FAKE_LOG */
};

struct block_queue {
	struct block *block;
	struct block_io *first;
	unsigned int n;
};

static inline struct block *fake_block(uint64_t bytes, uint32_t block_bytes)
{
	struct block *b = g_new0(struct block, 1);

	b->info = (struct block_info){.bytes = bytes,
				      .block_bytes = block_bytes,
				      .physical_bytes = 4096,
				      .can_discard = true};
	b->bytes = g_malloc0(bytes);
	return b;
}

struct block_info block_info(const struct block *b)
{
	return b->info;
}

int block_refresh(struct block *b)
{
	(void)b;
	return 0;
}

void block_free(struct block *b)
{
	if (b)
		g_free(b->bytes);
	g_free(b);
}

struct block_queue *block_queue_new(struct block *b, GError **error)
{
	struct block_queue *q = g_new0(struct block_queue, 1);

	(void)error;
	q->block = b;
	return q;
}

void block_queue_free(struct block_queue *q)
{
	g_free(q);
}

struct block *block_queue_block(const struct block_queue *q)
{
	return q->block;
}

static inline void fake_expect(bool ok)
{
	if (!ok)
		abort();
}

/* What block.h says of a request holds. */
static inline void fake_check(const struct block *b, const struct block_io *io)
{
	uint64_t sum = 0;

	fake_expect(io->done != NULL);
	if (io->op == BLOCK_FLUSH)
		return;
	fake_expect(io->bytes && io->bytes % b->info.block_bytes == 0);
	fake_expect(io->offset % b->info.block_bytes == 0);
	fake_expect(io->offset <= b->info.bytes &&
		    io->bytes <= b->info.bytes - io->offset);
	if (io->op != BLOCK_READ && io->op != BLOCK_WRITE)
		return;
	fake_expect(!b->info.readonly || io->op == BLOCK_READ);
	fake_expect(io->n_iov && io->n_iov <= BLOCK_IOV_MAX);
	for (unsigned int i = 0; i < io->n_iov; i++)
		sum += io->iov[i].iov_len;
	fake_expect(sum == io->bytes);
}

static inline bool fake_is_hole(const struct block *b, uint64_t at)
{
	return b->bytes[at] == FAKE_DISCARDED &&
	       b->bytes[at + 1] == FAKE_DISCARDED;
}

/* What was discarded is a hole, until it is written. */
static inline void fake_extent(const struct block *b, struct block_io *io)
{
	uint64_t at = io->offset, step = b->info.block_bytes;

	io->hole = fake_is_hole(b, at);
	while (at < io->offset + io->bytes && fake_is_hole(b, at) == io->hole)
		at += step;
	io->extent_bytes = at - io->offset;
}

static inline int fake_do(struct block *b, struct block_io *io)
{
	uint8_t *at = b->bytes + io->offset;

	if (b->fail && io->op == b->fail_op && !b->fail_after--) {
		int err = b->fail;

		b->fail = 0;
		return err;
	}
	if (io->op == BLOCK_ZERO || io->op == BLOCK_DISCARD)
		memset(at, io->op == BLOCK_ZERO ? 0 : FAKE_DISCARDED,
		       io->bytes);
	if (io->op == BLOCK_EXTENT)
		fake_extent(b, io);
	if (io->op != BLOCK_READ && io->op != BLOCK_WRITE)
		return 0;
	for (unsigned int i = 0; i < io->n_iov; i++) {
		void *piece = io->iov[i].iov_base;
		size_t n = io->iov[i].iov_len;

		if (!n)
			continue;
		if (io->op == BLOCK_READ)
			memcpy(piece, at, n);
		else
			memcpy(at, piece, n);
		at += n;
	}
	return 0;
}

void block_queue_submit(struct block_queue *q, struct block_io *io)
{
	struct block *b = q->block;

	fake_check(b, io);
	b->log[b->n_log++ % FAKE_LOG] =
		(struct fake_io){io->op, io->flags, io->offset, io->bytes};
	if (!b->later) {
		io->done(io, fake_do(b, io));
		return;
	}
	io->next = q->first;
	q->first = io;
	q->n++;
}

void block_queue_kick(struct block_queue *q)
{
	(void)q;
}

unsigned int block_queue_reap(struct block_queue *q)
{
	unsigned int n = 0;

	while (q->first) {
		struct block_io *io = q->first;

		q->first = io->next;
		q->n--;
		n++;
		io->done(io, fake_do(q->block, io));
	}
	return n;
}

unsigned int block_queue_in_flight(const struct block_queue *q)
{
	return q->n;
}

#endif
