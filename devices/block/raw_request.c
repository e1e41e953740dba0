/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/checked.h"
#include "devices/block/cow_map.h"
#include "devices/block/iov.h"
#include "devices/block/raw_impl.h"

#define LOG_CATEGORY "block"
#include "base/log.h"

/* Of what a step that was interrupted, or had to wait, is begun anew. */
#define TRIES_MAX 1000u

#define PAGE_BYTES 4096u

/* Of one EXTENT: what a step can say. */
#define FIND_MAX (1u << 30)

/* What zeroes are written from, where nothing better is known. */
#define ZERO_BYTES  (64u << 10)
#define ZERO_PIECES 16u
static const uint8_t zeroes[ZERO_BYTES] __attribute__((aligned(PAGE_BYTES)));

/* --- a step ----------------------------------------------------------------------- */

/* Bytes to the first that is stored, or to one that is not; or -errno. */
static int64_t find(int fd, const struct raw_step *s)
{
	off_t at = lseek(fd, (off_t)s->offset,
			 s->kind == STEP_FIND_DATA ? SEEK_DATA : SEEK_HOLE);

	if (at < 0) /* there is none up to the end of the file */
		return errno == ENXIO ? (int64_t)s->bytes : -errno;
	return (int64_t)MIN((uint64_t)at - s->offset, s->bytes);
}

int raw_perform(const struct raw *raw, const struct raw_step *s)
{
	int fd = s->top ? raw->top_fd : raw->fd;
	uint64_t range[2] = {s->offset, s->bytes};
	ssize_t n = -1;

	switch (s->kind) {
	case STEP_READ:
		if (s->n_iov == 1) /* which costs the host less */
			n = pread(fd, s->iov->iov_base, s->iov->iov_len,
				  (off_t)s->offset);
		else
			n = preadv(fd, s->iov, (int)s->n_iov, (off_t)s->offset);
		break;
	case STEP_WRITE:
		if (s->n_iov == 1 && !s->durable)
			n = pwrite(fd, s->iov->iov_base, s->iov->iov_len,
				   (off_t)s->offset);
		else
			n = pwritev2(fd, s->iov, (int)s->n_iov,
				     (off_t)s->offset,
				     s->durable ? RWF_DSYNC : 0);
		break;
	case STEP_SYNC:
		n = fdatasync(fd);
		break;
	case STEP_ALLOCATE:
		n = fallocate(fd, s->mode, (off_t)s->offset, (off_t)s->bytes);
		break;
	case STEP_DISCARD:
		n = ioctl(fd, BLKDISCARD, range);
		break;
	case STEP_FIND_DATA:
	case STEP_FIND_HOLE:
		return (int)find(fd, s);
	}
	/* The host moves less than 2 GiB at once. */
	return n < 0 ? -errno : (int)n;
}

/* --- queues ----------------------------------------------------------------- */

void raw_queue_init(struct raw_queue *q,
		    void (*issue)(struct raw_queue *q, struct raw_request *r))
{
	q->issue = issue;
	raw_list_init(&q->want_bounce);
	q->requests = g_new0(struct raw_request, BLOCK_QUEUE_DEPTH);
	for (unsigned int i = BLOCK_QUEUE_DEPTH; i--;) {
		q->requests[i].next = q->unused;
		q->unused = &q->requests[i];
	}
}

void raw_queue_clear(struct raw_queue *q)
{
	while (q->n_bounce)
		g_aligned_free(q->bounce[--q->n_bounce]);
	g_free(q->requests);
}

/* --- buffers for what direct I/O forbids ------------------------------------ */

static bool take_bounce(struct raw_queue *q, struct raw_request *r)
{
	if (q->n_bounce) {
		r->bounce = q->bounce[--q->n_bounce];
	} else if (q->n_bounce_made < BOUNCE_BUFFERS) {
		r->bounce = g_aligned_alloc(1, BOUNCE_BYTES, PAGE_BYTES);
		q->n_bounce_made++;
	} else {
		return false;
	}
	block_count(&q->queue.stats.bounced, 1);
	return true;
}

/* --- the next step ------------------------------------------------------------ */

/*
 * A read or write of what is left, or of as much as goes in one.  Return:
 * false: it waits for a buffer.
 */
static bool make_move(struct raw_queue *q, struct raw_request *r)
{
	struct raw *raw = raw_of(q);
	struct block_io *io = r->io;
	struct raw_step *step = &r->step;
	uint64_t left = io->bytes - io->moved;

	step->kind = r->op == BLOCK_READ ? STEP_READ : STEP_WRITE;
	step->offset = io->offset + io->moved;
	step->bytes = left;
	step->top = raw->map != NULL;
	if (raw->map && r->op == BLOCK_READ)
		step->bytes =
			cow_map_run(raw->map, step->offset, left, &step->top);
	step->iov = io->iov;
	step->n_iov = io->n_iov;
	if (step->bytes != io->bytes) {
		step->iov = r->own;
		step->n_iov = iov_slice(r->own, io->iov, io->n_iov, io->moved,
					step->bytes);
	}
	if (!raw->direct ||
	    iov_is_aligned(step->iov, step->n_iov, raw->memory_align,
			   raw->offset_align))
		return true;
	if (!r->bounce && !take_bounce(q, r))
		return false;
	step->bytes = MIN(step->bytes, BOUNCE_BYTES);
	if (r->op == BLOCK_WRITE)
		iov_copy_out(r->bounce, io->iov, io->n_iov, io->moved,
			     step->bytes);
	r->own[0] = (struct iovec){r->bounce, step->bytes};
	step->iov = r->own;
	step->n_iov = 1;
	return true;
}

static void make_zero_write(struct raw_request *r)
{
	uint64_t left = r->io->bytes - r->io->moved;
	unsigned int n = 0;

	r->step.kind = STEP_WRITE;
	r->step.offset = r->io->offset + r->io->moved;
	r->step.bytes = MIN(left, (uint64_t)ZERO_PIECES * ZERO_BYTES);
	for (left = r->step.bytes; left; left -= r->own[n++].iov_len)
		r->own[n] =
			(struct iovec){(void *)zeroes, MIN(left, ZERO_BYTES)};
	r->step.iov = r->own;
	r->step.n_iov = n;
}

/*
 * ZERO, DISCARD: in one, however much it is, if the storage knows how.  To
 * punch a hole into a device is to have it make zeroes, which not all can that
 * can discard.
 */
static void make_allocate(struct raw *raw, struct raw_request *r)
{
	struct raw_step *step = &r->step;

	step->top = raw->map != NULL;
	step->offset = r->io->offset;
	step->bytes = r->io->bytes;
	step->kind = STEP_ALLOCATE;
	if (r->op == BLOCK_DISCARD &&
	    !__atomic_load_n(&raw->no_discard, __ATOMIC_RELAXED))
		step->kind = STEP_DISCARD;
	else if (r->unmap && !__atomic_load_n(&raw->no_punch, __ATOMIC_RELAXED))
		step->mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
	else if (!__atomic_load_n(&raw->no_zero_range, __ATOMIC_RELAXED))
		step->mode = FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE;
	else
		make_zero_write(r);
}

/* EXTENT: of what is in one file. */
static void make_find(struct raw *raw, struct raw_request *r)
{
	struct raw_step *step = &r->step;

	step->kind = STEP_FIND_DATA;
	step->offset = r->io->offset;
	step->bytes = MIN(r->io->bytes, FIND_MAX);
	if (raw->map)
		step->bytes = cow_map_run(raw->map, step->offset, step->bytes,
					  &step->top);
}

static void issue(struct raw_queue *q, struct raw_request *r)
{
	q->queue.unkicked = true;
	q->issue(q, r);
}

static bool is_move(const struct raw_request *r)
{
	return r->op == BLOCK_READ || r->op == BLOCK_WRITE;
}

/* Begin what is next of it: there is something. */
static void go_on(struct raw_queue *q, struct raw_request *r)
{
	if (r->op == BLOCK_EXTENT)
		make_find(raw_of(q), r);
	else if (!is_move(r))
		make_allocate(raw_of(q), r);
	else if (!make_move(q, r)) {
		raw_list_push(&q->want_bounce, r);
		return;
	}
	issue(q, r);
}

/* --- the end -------------------------------------------------------------------- */

static void unuse(struct raw_queue *q, struct raw_request *r)
{
	uint8_t *bounce = r->bounce;
	struct raw_request *waiting;

	r->bounce = NULL;
	r->next = q->unused;
	q->unused = r;
	if (!bounce)
		return;
	q->bounce[q->n_bounce++] = bounce;
	waiting = raw_list_pop(&q->want_bounce);
	if (waiting)
		go_on(q, waiting);
}

static void end(struct raw_queue *q, struct raw_request *r, int result)
{
	struct raw *raw = raw_of(q);
	struct block_io *io = r->io;

	if (raw->map && io->op != BLOCK_READ && io->op != BLOCK_EXTENT)
		cow_map_mark(raw->map, io->offset, io->moved);
	unuse(q, r);
	block_end(io, result);
}

/* Is it one of the answers that mean: not here, not by this call? */
static bool is_unknown(int result)
{
	return result == -EOPNOTSUPP || result == -ENODEV ||
	       result == -EINVAL || result == -ENOSYS || result == -ENOTTY;
}

/* It moved all it had to. */
static void end_well(struct raw_queue *q, struct raw_request *r)
{
	struct raw *raw = raw_of(q);

	/* Only writes of ours can be made durable as they are done. */
	if (r->step.kind == STEP_ALLOCATE && r->op == BLOCK_ZERO &&
	    ((r->io->flags & BLOCK_FUA) || raw->sync) && !raw->unsafe &&
	    !raw->map) {
		r->step.kind = STEP_SYNC;
		issue(q, r);
		return;
	}
	end(q, r, 0);
}

static void moved(struct raw_queue *q, struct raw_request *r, uint64_t bytes)
{
	struct raw *raw = raw_of(q);
	struct block_io *io = r->io;

	/* A read of nothing: the image was truncated under us. */
	if (!bytes ||
	    /* … or direct I/O came to its odd end. */
	    (raw->direct && (bytes & (raw->offset_align - 1)))) {
		end(q, r, -EIO);
		return;
	}
	if (r->step.kind == STEP_READ && r->bounce && r->step.iov == r->own &&
	    r->own[0].iov_base == r->bounce)
		iov_copy_in(io->iov, io->n_iov, io->moved, r->bounce, bytes);
	io->moved += bytes;
	if (io->moved == io->bytes)
		end_well(q, r);
	else
		go_on(q, r);
}

/*
 * A hint that is of no use here; in a snapshot the blocks have still to read
 * as zeroes, now that they are in its file.
 */
static bool is_pointless(const struct raw *raw, const struct raw_request *r)
{
	return r->op == BLOCK_DISCARD && !raw->map &&
	       __atomic_load_n(&raw->no_discard, __ATOMIC_RELAXED) &&
	       __atomic_load_n(&raw->no_punch, __ATOMIC_RELAXED);
}

static void allocated(struct raw_queue *q, struct raw_request *r, int result)
{
	struct raw *raw = raw_of(q);

	if (!result) {
		r->io->moved = r->io->bytes;
		end_well(q, r);
		return;
	}
	if (!is_unknown(result)) {
		end(q, r, result);
		return;
	}
	if (r->step.kind == STEP_DISCARD)
		__atomic_store_n(&raw->no_discard, true, __ATOMIC_RELAXED);
	else if (r->step.mode & FALLOC_FL_PUNCH_HOLE)
		__atomic_store_n(&raw->no_punch, true, __ATOMIC_RELAXED);
	else
		__atomic_store_n(&raw->no_zero_range, true, __ATOMIC_RELAXED);
	if (is_pointless(raw, r))
		end(q, r, 0);
	else
		go_on(q, r);
}

/*
 * The host reports what it could not write back once, and then takes those
 * pages for clean: no later fdatasync() would tell the truth.
 */
static void distrust(struct raw *raw, const char *call, int err)
{
	int none = 0;

	if (!raw->direct &&
	    __atomic_compare_exchange_n(&raw->flush_error, &none, err, false,
					__ATOMIC_RELAXED, __ATOMIC_RELAXED))
		log_error("%s: %s failed (%s): each flush fails from now on",
			  raw->path, call, g_strerror(-err));
}

static void synced(struct raw_queue *q, struct raw_request *r, int result)
{
	if (result)
		distrust(raw_of(q), "fdatasync", result);
	end(q, r, result);
}

/*
 * A write that waits for the disk is told, too, of what was in the cache
 * before it, and then nobody else is (Linux mm/filemap.c:
 * file_check_and_advance_wb_err()).  One that has no room is its own.
 */
static void not_written(struct raw_queue *q, struct raw_request *r, int err)
{
	if (r->step.durable && err == -EIO && !raw_of(q)->sync)
		distrust(raw_of(q), "a write with FUA", err);
	end(q, r, err);
}

/* What is stored in part has storage. */
static void found(struct raw_queue *q, struct raw_request *r, int result)
{
	uint32_t block_bytes = q->queue.block->info.block_bytes;
	uint64_t bytes = result < 0 ? r->step.bytes : (uint64_t)result;
	struct block_io *io = r->io;

	if (r->step.kind == STEP_FIND_DATA && result >= 0) {
		io->hole = bytes >= block_bytes;
		if (!io->hole) {
			r->step.kind = STEP_FIND_HOLE;
			issue(q, r);
			return;
		}
		io->extent_bytes = align_down(bytes, block_bytes);
	} else {
		bytes = align_up(MAX(bytes, 1u), block_bytes);
		io->extent_bytes = MIN(bytes, r->step.bytes);
	}
	end(q, r, 0);
}

void raw_step_ended(struct raw_queue *q, struct raw_request *r, int result)
{
	if ((result == -EINTR || result == -EAGAIN) && r->tries++ < TRIES_MAX) {
		issue(q, r);
		return;
	}
	switch (r->step.kind) {
	case STEP_READ:
	case STEP_WRITE:
		if (result >= 0)
			moved(q, r, (uint64_t)result);
		else if (r->step.kind == STEP_WRITE)
			not_written(q, r, result);
		else
			end(q, r, result);
		break;
	case STEP_SYNC:
		synced(q, r, result);
		break;
	case STEP_ALLOCATE:
	case STEP_DISCARD:
		allocated(q, r, result);
		break;
	case STEP_FIND_DATA:
	case STEP_FIND_HOLE:
		found(q, r, result);
		break;
	}
}

/* --- the begin -------------------------------------------------------------------- */

static void begin_flush(struct raw_queue *q, struct raw_request *r)
{
	struct raw *raw = raw_of(q);
	int err = __atomic_load_n(&raw->flush_error, __ATOMIC_RELAXED);

	if (raw->unsafe || raw->map || err) {
		struct block_io *io = r->io;

		unuse(q, r);
		block_end_later(io, raw->map || raw->unsafe ? 0 : err);
		return;
	}
	r->step.kind = STEP_SYNC;
	issue(q, r);
}

void raw_begin(struct block_queue *queue, struct block_io *io)
{
	struct raw_queue *q = (struct raw_queue *)queue;
	struct raw *raw = raw_of(q);
	struct raw_request *r = q->unused;

	q->unused = r->next;
	r->io = io;
	r->op = io->op;
	r->tries = 0;
	r->step.top = false;
	r->step.durable = (io->flags & BLOCK_FUA) && !raw->unsafe && !raw->map;
	r->unmap = io->op == BLOCK_DISCARD || raw->map ||
		   ((io->flags & BLOCK_UNMAP) && raw->block.info.can_discard);
	if (io->op == BLOCK_FLUSH) {
		begin_flush(q, r);
		return;
	}
	if (is_pointless(raw, r)) {
		unuse(q, r);
		block_end_later(io, 0);
		return;
	}
	if (raw->detect_zeroes && io->op == BLOCK_WRITE &&
	    iov_is_zero(io->iov, io->n_iov)) {
		r->op = BLOCK_ZERO;
		r->unmap = raw->map || raw->detect_unmap;
	}
	go_on(q, r);
}
