/* SPDX-License-Identifier: MIT */
/*
 * raw_uring.c - steps by io_uring.
 *
 * Theory of operation.  Each queue has a ring of its own, used by its thread
 * only.  raw_begin() puts entries into the ring, kick() hands all of them over
 * in one call, and reap() takes what has ended from memory.  The descriptor is
 * the ring's own: it is readable as long as something is to be taken, so that
 * nothing has to be read to make it quiet.
 *
 * Where the host can (Linux 5.19), it is told not to interrupt the thread for
 * its part of a completion (COOP_TASKRUN): that is done in whatever call comes
 * next, and a flag in the ring says that one is due.  It wakes the thread from
 * epoll_wait(), which then ends with EINTR.  To put it off until we ask
 * (DEFER_TASKRUN) would be cheaper still, but then the ring's descriptor does
 * not become readable of it, and an eventfd would have to be read each time.
 *
 * A tmpfs before Linux 6.6 can not say that it would have to wait, so io_uring
 * has each of its reads and writes done by a thread of the kernel's; as it has
 * not, kick() does them itself.  Later ones it does at once, many in one call.
 * lseek(), which io_uring has not, is kick()'s too: a look at what the file
 * system knows, and a rare one.
 */
#include <errno.h>
#include <liburing.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <time.h>

#include "devices/block/raw_impl.h"

#define LOG_CATEGORY "block"
#include "base/log.h"

/* A step for each request, and one entry to wake us. */
#define ENTRIES     (2 * BLOCK_QUEUE_DEPTH)
/*
 * Reaped at once.  Storage that ends many together would else have nothing to
 * do until the answers to all of them are made.
 */
#define REAP_MAX    4u
#define RETRY_NS    1000000
#define RETRIES_MAX 1000u

/* Linux 6.12, block/ioctl.c:blkdev_uring_cmd(); others say EOPNOTSUPP */
#ifdef BLOCK_URING_CMD_DISCARD
#define URING_CMD_DISCARD BLOCK_URING_CMD_DISCARD
#else
#define URING_CMD_DISCARD _IO(0x12, 0)
#endif

enum { /* registered with the ring */
	FILE_IMAGE,
	FILE_TOP,
	FILES,
};

struct uring_queue {
	struct raw_queue raw;
	struct io_uring ring;
	bool fixed; /* FILE_… instead of descriptors */
	struct raw_list at_once; /* for kick() to do */
	struct raw_list done; /* by it */
	bool waking;
};

static struct uring_queue *to_uring(struct block_queue *q)
{
	return (struct uring_queue *)q;
}

/* --- rings ------------------------------------------------------------------ */

/* The best first; an older host refuses it with -EINVAL. */
static const unsigned int ring_flags[] = {
	IORING_SETUP_SUBMIT_ALL | IORING_SETUP_COOP_TASKRUN |
		IORING_SETUP_TASKRUN_FLAG,
	0,
};

static int make_ring(struct io_uring *ring, unsigned int entries)
{
	int err = -EINVAL;

	for (unsigned int i = 0; i < G_N_ELEMENTS(ring_flags) && err == -EINVAL;
	     i++)
		err = io_uring_queue_init(entries, ring, ring_flags[i]);
	return err;
}

int raw_uring_usable(void)
{
	struct io_uring ring;
	int err = make_ring(&ring, 1);

	if (!err)
		io_uring_queue_exit(&ring);
	return err;
}

static void register_files(struct uring_queue *q)
{
	const struct raw *raw = to_raw(q->raw.queue.block);
	const int files[FILES] = {
		[FILE_IMAGE] = raw->fd,
		[FILE_TOP] = raw->top_fd,
	};

	q->fixed = !io_uring_register_files(&q->ring, files,
					    raw->top_fd < 0 ? 1 : FILES);
}

/* --- steps ------------------------------------------------------------------- */

/* There is always room: kick() leaves the ring empty. */
static struct io_uring_sqe *next_entry(struct uring_queue *q)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&q->ring);

	if (!sqe)
		abort();
	return sqe;
}

static void prepare(struct io_uring_sqe *sqe, const struct raw_step *s, int fd)
{
	/* One entry moves less than 4 GiB; the rest is a step of its own. */
	unsigned int len = (unsigned int)MIN(s->bytes, 1u << 30);

	switch (s->kind) {
	case STEP_READ:
		if (s->n_iov == 1)
			io_uring_prep_read(sqe, fd, s->iov->iov_base, len,
					   s->offset);
		else
			io_uring_prep_readv(sqe, fd, s->iov, s->n_iov,
					    s->offset);
		break;
	case STEP_WRITE:
		if (s->n_iov == 1)
			io_uring_prep_write(sqe, fd, s->iov->iov_base, len,
					    s->offset);
		else
			io_uring_prep_writev(sqe, fd, s->iov, s->n_iov,
					     s->offset);
		if (s->durable)
			sqe->rw_flags = RWF_DSYNC;
		break;
	case STEP_SYNC:
		io_uring_prep_fsync(sqe, fd, IORING_FSYNC_DATASYNC);
		break;
	case STEP_ALLOCATE:
		io_uring_prep_fallocate(sqe, fd, s->mode, (off_t)s->offset,
					(off_t)s->bytes);
		break;
	case STEP_DISCARD:
		io_uring_prep_rw(IORING_OP_URING_CMD, sqe, fd, NULL, 0, 0);
		sqe->cmd_op = URING_CMD_DISCARD;
		sqe->addr = s->offset;
		sqe->addr3 = s->bytes;
		break;
	case STEP_FIND_DATA:
	case STEP_FIND_HOLE:
		break; /* never here */
	}
}

/* Is it for kick() to do? */
static bool is_at_once(const struct raw *raw, const struct raw_step *s)
{
	switch (s->kind) {
	case STEP_READ:
	case STEP_WRITE:
		/* A copy, that is not worth another thread. */
		return raw->in_memory && !s->top;
	case STEP_FIND_DATA:
	case STEP_FIND_HOLE:
		return true;
	default:
		return false;
	}
}

static void issue(struct raw_queue *rq, struct raw_request *r)
{
	struct uring_queue *q = to_uring(&rq->queue);
	const struct raw *raw = raw_of(rq);
	struct io_uring_sqe *sqe;

	if (is_at_once(raw, &r->step)) {
		raw_list_push(&q->at_once, r);
		return;
	}
	sqe = next_entry(q);
	if (q->fixed) {
		prepare(sqe, &r->step, r->step.top ? FILE_TOP : FILE_IMAGE);
		io_uring_sqe_set_flags(sqe, IOSQE_FIXED_FILE);
	} else {
		prepare(sqe, &r->step, r->step.top ? raw->top_fd : raw->fd);
	}
	io_uring_sqe_set_data(sqe, r);
}

static void wake(struct block_queue *queue)
{
	struct uring_queue *q = to_uring(queue);
	struct io_uring_sqe *sqe;

	if (q->waking)
		return;
	q->waking = true;
	sqe = next_entry(q);
	io_uring_prep_nop(sqe);
	io_uring_sqe_set_data(sqe, NULL);
}

/* --- the calls ---------------------------------------------------------------- */

static void do_at_once(struct uring_queue *q)
{
	struct raw_request *r = q->at_once.first;

	if (!r)
		return;
	for (; r; r = r->next)
		r->step.result = raw_perform(raw_of(&q->raw), &r->step);
	raw_list_move(&q->done, &q->at_once);
	if (!q->raw.queue.reaps_next)
		wake(&q->raw.queue);
}

static void kick(struct block_queue *queue)
{
	struct uring_queue *q = to_uring(queue);
	static const struct timespec pause = {.tv_nsec = RETRY_NS};
	unsigned int retries = 0;

	do_at_once(q);
	while (io_uring_sq_ready(&q->ring)) {
		int n = io_uring_submit(&q->ring);

		if (n >= 0 || n == -EINTR)
			continue;
		/* The host has no memory for it now. */
		if ((n != -EAGAIN && n != -EBUSY) || retries == RETRIES_MAX) {
			log_error("io_uring_enter: %s", g_strerror(-n));
			abort();
		}
		if (!retries++)
			log_warn_ratelimited("io_uring_enter: %s; we wait",
					     g_strerror(-n));
		nanosleep(&pause, NULL);
	}
}

/* What is in the ring now, a few of it. */
static void take(struct uring_queue *q)
{
	unsigned int left = MIN(io_uring_cq_ready(&q->ring), REAP_MAX);
	struct io_uring_cqe *cqe;

	/* One by one: done() may submit, and so may the ring be full. */
	for (; left && !io_uring_peek_cqe(&q->ring, &cqe); left--) {
		struct raw_request *r = io_uring_cqe_get_data(cqe);
		int result = cqe->res;

		io_uring_cqe_seen(&q->ring, cqe);
		if (r)
			raw_step_ended(&q->raw, r, result);
		else
			q->waking = false;
	}
}

static void reap(struct block_queue *queue)
{
	struct uring_queue *q = to_uring(queue);
	struct raw_list done;
	struct raw_request *r;
	unsigned int flags;

	flags = __atomic_load_n(q->ring.sq.kflags, __ATOMIC_RELAXED);
	if (flags & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW))
		io_uring_get_events(&q->ring);
	take(q);
	raw_list_init(&done);
	raw_list_move(&done, &q->done);
	while ((r = raw_list_pop(&done)))
		raw_step_ended(&q->raw, r, r->step.result);
}

static int queue_open(struct block_queue *queue, GError **error)
{
	struct uring_queue *q = to_uring(queue);
	int err = make_ring(&q->ring, ENTRIES);

	if (err) {
		g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(-err),
			    "io_uring: %s", g_strerror(-err));
		return -1;
	}
	register_files(q);
	raw_list_init(&q->at_once);
	raw_list_init(&q->done);
	raw_queue_init(&q->raw, issue);
	queue->fd = q->ring.ring_fd;
	return 0;
}

static void queue_close(struct block_queue *queue)
{
	struct uring_queue *q = to_uring(queue);

	io_uring_queue_exit(&q->ring);
	raw_queue_clear(&q->raw);
}

const struct block_ops raw_uring_ops = {
	.queue_size = sizeof(struct uring_queue),
	.queue_open = queue_open,
	.queue_close = queue_close,
	.start = raw_begin,
	.kick = kick,
	.reap = reap,
	.wake = wake,
	.refresh = raw_refresh,
	.free = raw_free,
};
