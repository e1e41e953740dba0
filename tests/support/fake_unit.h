/* SPDX-License-Identifier: MIT */
/*
 * fake_unit.h - a logical unit and its storage whose commands end when the
 * test says so, and how it says.
 *
 * For one file of a binary, which links a controller but defines these calls
 * in the place of vsp/scsi and devices/block.  A unit that does not hold
 * answers in scsi_submit(); one that holds keeps commands until
 * fake_unit_finish(), and they end on the controller's thread, in
 * block_queue_reap().
 */
#ifndef SUPPORT_FAKE_UNIT_H
#define SUPPORT_FAKE_UNIT_H

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/coverage.h"
#include "proto/scsi.h"
#include "vsp/scsi/scsi.h"

struct block {
	struct block_info info;
	_Atomic unsigned int queues; /* into it */
	/* calls for all of them together */
	_Atomic unsigned int turns, drains, retries;
};

struct block_queue {
	struct block *block;
	int fd;
	pthread_mutex_t lock;
	GQueue ended; /* struct scsi_request */
};

struct scsi_lun {
	struct block *_Atomic block; /* NULL: no medium */
	_Atomic unsigned int submitted, kicks, resets, resized;
	pthread_mutex_t lock;
	/* lock */
	bool hold;
	GQueue held; /* struct scsi_request */
	struct scsi_request last; /* a copy of what was last submitted */
	/* what commands end with */
	uint8_t status, sense_bytes, sense[SCSI_SENSE_MAX];
	uint32_t short_by; /* bytes that are not moved */
};

static _Atomic bool fake_no_queues; /* none can be made */
/* Between two ends of a reap, after the @n-th; NULL: nothing. */
static void (*_Atomic fake_between)(unsigned int n);

static inline void fake_unit_init(struct scsi_lun *u, struct block *b)
{
	memset(u, 0, sizeof(*u));
	pthread_mutex_init(&u->lock, NULL);
	u->block = b;
}

/* --- storage ------------------------------------------------------------------ */

struct block_queue *block_queue_new(struct block *b, GError **error)
{
	struct block_queue *q;

	if (fake_no_queues) {
		g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOMEM, "none");
		return NULL;
	}
	q = g_new0(struct block_queue, 1);
	q->block = b;
	q->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	pthread_mutex_init(&q->lock, NULL);
	b->queues++;
	return q;
}

void block_queue_free(struct block_queue *q)
{
	if (!q)
		return;
	q->block->queues--;
	close(q->fd);
	g_free(q);
}

struct block *block_queue_block(const struct block_queue *q)
{
	return q->block;
}

int block_queue_fd(const struct block_queue *q)
{
	return q->fd;
}

void block_queue_kick(struct block_queue *q)
{
	(void)q;
}

static inline struct scsi_request *fake_next_ended(struct block_queue *q)
{
	struct scsi_request *r;

	pthread_mutex_lock(&q->lock);
	r = g_queue_pop_head(&q->ended);
	pthread_mutex_unlock(&q->lock);
	return r;
}

unsigned int block_queue_reap(struct block_queue *q)
{
	/* A call through an _Atomic pointer is no atomic load for gcc 12. */
	void (*between)(unsigned int n) = atomic_load(&fake_between);
	struct scsi_request *r;
	unsigned int n = 0;
	uint64_t counter;

	(void)!read(q->fd, &counter, sizeof(counter));
	while ((r = fake_next_ended(q))) {
		r->done(r);
		n++;
		if (between)
			between(n);
	}
	return n;
}

unsigned int block_queue_turn(struct block_queue *q)
{
	q->block->turns++;
	return block_queue_reap(q);
}

void block_queue_drain(struct block_queue *q, bool on)
{
	q->block->drains += on;
}

void block_queue_retry(struct block_queue *q)
{
	q->block->retries++;
}

struct block_info block_info(const struct block *b)
{
	return b->info;
}

void block_get_stats(const struct block *b, struct block_stats *stats)
{
	(void)b;
	memset(stats, 0, sizeof(*stats));
}

const char *block_kind(const struct block *b)
{
	(void)b;
	return "fake";
}

/* --- units -------------------------------------------------------------------- */

/* The caller holds the lock, or nobody else looks. */
static inline void fake_set_result(struct scsi_lun *u, struct scsi_request *r)
{
	r->status = u->status;
	r->sense_bytes = u->sense_bytes;
	memcpy(r->sense, u->sense, sizeof(r->sense));
	r->transferred = r->bytes - MIN(u->short_by, r->bytes);
}

void scsi_submit(struct scsi_lun *lun, struct scsi_request *r)
{
	bool hold;

	pthread_mutex_lock(&lun->lock);
	lun->last = *r;
	hold = lun->hold;
	fake_set_result(lun, r);
	if (hold)
		g_queue_push_tail(&lun->held, r);
	pthread_mutex_unlock(&lun->lock);
	lun->submitted++;
	if (!hold)
		r->done(r);
}

void scsi_absent(struct scsi_request *r)
{
	r->status =
		r->cdb[0] == INQUIRY ? SAM_STAT_GOOD : SAM_STAT_CHECK_CONDITION;
	r->sense_bytes = r->cdb[0] == INQUIRY ? 0 : 18;
	r->transferred = 0;
	if (r->cdb[0] == INQUIRY && r->bytes) {
		*(uint8_t *)r->iov[0].iov_base = 0x7F;
		r->transferred = 1;
	}
}

/* The numbers, one byte each. */
void scsi_report_luns(struct scsi_request *r, const uint8_t *luns,
		      unsigned int n)
{
	r->status = SAM_STAT_GOOD;
	r->transferred = MIN(n, r->bytes);
	if (r->transferred)
		memcpy(r->iov[0].iov_base, luns, r->transferred);
}

struct block *scsi_lun_block(struct scsi_lun *lun)
{
	return lun->block;
}

static struct coverage_entry fake_commands[] = {
	{.name = "READ(10)", .number = READ_10},
	{.name = "TEST UNIT READY"},
};

const struct coverage_set *scsi_lun_coverage(const struct scsi_lun *lun)
{
	static struct coverage_set set = {.n_entries = 2,
					  .entries = fake_commands};

	(void)lun;
	return &set;
}

void scsi_lun_reset(struct scsi_lun *lun)
{
	lun->resets++;
}

void scsi_lun_resized(struct scsi_lun *lun)
{
	lun->resized++;
}

/* --- the test's side ------------------------------------------------------------ */

static inline void fake_unit_hold(struct scsi_lun *u, bool hold)
{
	pthread_mutex_lock(&u->lock);
	u->hold = hold;
	pthread_mutex_unlock(&u->lock);
}

static inline unsigned int fake_unit_held(struct scsi_lun *u)
{
	unsigned int n;

	pthread_mutex_lock(&u->lock);
	n = g_queue_get_length(&u->held);
	pthread_mutex_unlock(&u->lock);
	return n;
}

/* Let the oldest @n go. */
static inline void fake_unit_finish(struct scsi_lun *u, unsigned int n)
{
	const uint64_t one = 1;

	for (unsigned int i = 0; i < n; i++) {
		struct scsi_request *r;
		struct block_queue *q;

		pthread_mutex_lock(&u->lock);
		r = g_queue_pop_head(&u->held);
		pthread_mutex_unlock(&u->lock);
		if (!r)
			return;
		q = r->queue;
		pthread_mutex_lock(&q->lock);
		g_queue_push_tail(&q->ended, r);
		(void)!write(q->fd, &one, sizeof(one));
		pthread_mutex_unlock(&q->lock);
	}
}

static inline struct scsi_request fake_unit_last(struct scsi_lun *u)
{
	struct scsi_request r;

	pthread_mutex_lock(&u->lock);
	r = u->last;
	pthread_mutex_unlock(&u->lock);
	return r;
}

#endif
