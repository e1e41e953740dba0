/* SPDX-License-Identifier: MIT */
#include "devices/block/ram.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/checked.h"
#include "devices/block/block_impl.h"

#define PAGE_BYTES 4096u
/* Of one EXTENT. */
#define FIND_MAX   (1u << 20)

struct ram {
	struct block block;
	uint8_t *data;
	uint64_t mapped_bytes;
	uint64_t image_bytes; /* atomic */
	bool hold; /* atomic */
	bool faulty; /* atomic: look at @fault */

	pthread_mutex_t lock; /* a leaf */
	struct block_ram_fault fault; /* lock */
};

struct ram_queue {
	struct block_queue queue;
	struct io_list done, held;
	bool readable; /* the descriptor, by us */
	bool poked; /* atomic: the descriptor, by another thread */
};

static struct ram *to_ram(struct block *b)
{
	return (struct ram *)b;
}

static struct ram_queue *to_queue(struct block_queue *q)
{
	return (struct ram_queue *)q;
}

static void write_event(int fd)
{
	const uint64_t one = 1;
	ssize_t n;

	do
		n = write(fd, &one, sizeof(one));
	while (n < 0 && errno == EINTR);
}

/* --- what it does ------------------------------------------------------------ */

static int fault_of(struct ram *ram, const struct block_io *io)
{
	struct block_ram_fault *f = &ram->fault;
	int result = 0;

	if (!__atomic_load_n(&ram->faulty, __ATOMIC_RELAXED))
		return 0;
	pthread_mutex_lock(&ram->lock);
	if (!f->any_op && f->op != io->op) {
		;
	} else if (f->after) {
		f->after--;
	} else if (f->times) {
		f->times--;
		result = f->result;
	}
	pthread_mutex_unlock(&ram->lock);
	return result;
}

static void zero(struct ram *ram, uint64_t from, uint64_t bytes)
{
	uint64_t first = align_up(from, PAGE_BYTES);
	uint64_t last = align_down(from + bytes, PAGE_BYTES);

	if (first >= last) {
		memset(ram->data + from, 0, bytes);
		return;
	}
	memset(ram->data + from, 0, first - from);
	madvise(ram->data + first, last - first, MADV_DONTNEED);
	memset(ram->data + last, 0, from + bytes - last);
}

static int move(struct ram *ram, const struct block_io *io)
{
	uint8_t *at = ram->data + io->offset;

	for (unsigned int i = 0; i < io->n_iov; i++) {
		if (io->op == BLOCK_READ)
			memcpy(io->iov[i].iov_base, at, io->iov[i].iov_len);
		else
			memcpy(at, io->iov[i].iov_base, io->iov[i].iov_len);
		at += io->iov[i].iov_len;
	}
	return 0;
}

static bool is_page_zero(const uint8_t *page)
{
	return !page[0] && !memcmp(page, page + 1, PAGE_BYTES - 1);
}

/* Pages of zeroes count as holes: whole ones of the disk that are whole in it. */
static void find_extent(const struct ram *ram, struct block_io *io)
{
	uint64_t at = io->offset, end = at + MIN(io->bytes, FIND_MAX), next;
	bool hole;

	for (; at < end; at = next) {
		next = MIN(align_down(at, PAGE_BYTES) + PAGE_BYTES, end);
		hole = is_page_zero(ram->data + align_down(at, PAGE_BYTES));
		if (at == io->offset)
			io->hole = hole;
		else if (hole != io->hole)
			break;
	}
	io->extent_bytes = at - io->offset;
}

static int perform(struct ram *ram, struct block_io *io)
{
	int err = fault_of(ram, io);

	if (err || io->op == BLOCK_FLUSH)
		return err;
	if (!range_fits(io->offset, io->bytes,
			__atomic_load_n(&ram->image_bytes, __ATOMIC_RELAXED)))
		return -EIO;
	if (io->op == BLOCK_READ || io->op == BLOCK_WRITE)
		return move(ram, io);
	if (io->op == BLOCK_EXTENT) {
		find_extent(ram, io);
		return 0;
	}
	zero(ram, io->offset, io->bytes);
	return 0;
}

/* --- queues ----------------------------------------------------------------- */

static int queue_open(struct block_queue *queue, GError **error)
{
	struct ram_queue *q = to_queue(queue);

	io_list_init(&q->done);
	io_list_init(&q->held);
	queue->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (queue->fd < 0) {
		g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno),
			    "eventfd: %s", g_strerror(errno));
		return -1;
	}
	return 0;
}

static void queue_close(struct block_queue *queue)
{
	close(queue->fd);
}

static void start(struct block_queue *queue, struct block_io *io)
{
	struct ram *ram = to_ram(queue->block);
	struct ram_queue *q = to_queue(queue);

	if (__atomic_load_n(&ram->hold, __ATOMIC_RELAXED)) {
		io_list_push(&q->held, io);
		return;
	}
	io->state = (unsigned int)-perform(ram, io);
	io_list_push(&q->done, io);
}

static void wake(struct block_queue *queue)
{
	struct ram_queue *q = to_queue(queue);

	if (!q->readable)
		write_event(queue->fd);
	q->readable = true;
}

static void kick(struct block_queue *queue)
{
	if (to_queue(queue)->done.first && !queue->reaps_next)
		wake(queue);
}

static void reap(struct block_queue *queue)
{
	struct ram *ram = to_ram(queue->block);
	struct ram_queue *q = to_queue(queue);
	struct io_list done;
	struct block_io *io;
	uint64_t n;

	if (q->readable |
	    __atomic_exchange_n(&q->poked, false, __ATOMIC_ACQUIRE)) {
		q->readable = false;
		if (read(queue->fd, &n, sizeof(n)) < 0)
			assert(errno == EAGAIN);
	}
	/* Behind the read: block_ram_hold() clears before it writes. */
	if (q->held.first && !__atomic_load_n(&ram->hold, __ATOMIC_ACQUIRE))
		while ((io = io_list_pop(&q->held))) {
			io->state = (unsigned int)-perform(ram, io);
			io_list_push(&q->done, io);
		}
	io_list_init(&done);
	io_list_move(&done, &q->done);
	while ((io = io_list_pop(&done)))
		block_end(io, -(int)io->state);
}

static int refresh(struct block *b, uint64_t *bytes)
{
	*bytes = __atomic_load_n(&to_ram(b)->image_bytes, __ATOMIC_RELAXED);
	return 0;
}

static void ram_free(struct block *b)
{
	struct ram *ram = to_ram(b);

	block_clear(b);
	munmap(ram->data, ram->mapped_bytes);
	pthread_mutex_destroy(&ram->lock);
	g_free(ram);
}

static const struct block_ops ops = {
	.queue_size = sizeof(struct ram_queue),
	.queue_open = queue_open,
	.queue_close = queue_close,
	.start = start,
	.kick = kick,
	.reap = reap,
	.wake = wake,
	.refresh = refresh,
	.free = ram_free,
};

/* --- the calls --------------------------------------------------------------- */

struct block *block_ram_new(uint64_t bytes, uint32_t block_bytes)
{
	struct block_info info = {
		.bytes = bytes,
		.block_bytes = block_bytes,
		.physical_bytes = PAGE_BYTES,
		.can_discard = true,
	};
	struct ram *ram = g_new0(struct ram, 1);

	assert(bytes && bytes <= INT64_MAX / 2 && !(bytes % block_bytes));
	ram->mapped_bytes = align_up(2 * bytes, PAGE_BYTES);
	ram->data = mmap(NULL, ram->mapped_bytes, PROT_READ | PROT_WRITE,
			 /* cppcheck-suppress invalidFunctionArg ; fd -1 */
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (ram->data == MAP_FAILED) {
		g_free(ram);
		return NULL;
	}
	ram->image_bytes = bytes;
	pthread_mutex_init(&ram->lock, NULL);
	block_init(&ram->block, &ops, "ram", &info);
	return &ram->block;
}

uint8_t *block_ram_data(struct block *b)
{
	return to_ram(b)->data;
}

struct block_info *block_ram_info(struct block *b)
{
	return &b->info;
}

void block_ram_resize(struct block *b, uint64_t bytes)
{
	struct ram *ram = to_ram(b);

	assert(bytes <= ram->mapped_bytes);
	/* What was cut off is zeroes when the image grows again. */
	zero(ram, bytes, ram->mapped_bytes - bytes);
	__atomic_store_n(&ram->image_bytes, bytes, __ATOMIC_RELAXED);
}

void block_ram_fail(struct block *b, const struct block_ram_fault *fault)
{
	struct ram *ram = to_ram(b);

	pthread_mutex_lock(&ram->lock);
	ram->fault = *fault;
	pthread_mutex_unlock(&ram->lock);
	__atomic_store_n(&ram->faulty, true, __ATOMIC_RELAXED);
}

void block_ram_hold(struct block *b, bool hold)
{
	__atomic_store_n(&to_ram(b)->hold, hold, __ATOMIC_RELEASE);
	if (hold)
		return;
	pthread_mutex_lock(&b->lock);
	for (struct block_queue *q = b->queues; q; q = q->next) {
		write_event(q->fd);
		__atomic_store_n(&to_queue(q)->poked, true, __ATOMIC_RELEASE);
	}
	pthread_mutex_unlock(&b->lock);
}
