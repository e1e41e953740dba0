/* SPDX-License-Identifier: MIT */
/*
 * nbd.c - requests by libnbd.
 *
 * Theory of operation.  Each queue has a connection of its own to the one
 * server; one more, made first, keeps it alive and says what the image is.
 * A flush on one connection covers what was done on all, as they end in the
 * same block device of qemu-nbd; another server must say that it is so there
 * (NBD's "multi-conn").
 *
 * NBD moves a single piece of memory.  A request whose iovec is not one, as
 * seen from the host, goes through a buffer of ours, in rounds if it is large;
 * without a free one it waits.
 *
 * The queue's descriptor is an epoll of the socket, for what libnbd wants to
 * do with it now, and of an eventfd for what has already ended.  libnbd holds
 * its lock while it says that a command ended, so its callback only notes it.
 */
#include "devices/block/nbd.h"

#include <errno.h>
#include <inttypes.h>
#include <libnbd.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/checked.h"
#include "devices/block/block_impl.h"
#include "devices/block/iov.h"
#include "devices/block/nbd_handle.h"
#include "devices/block/qemu_nbd.h"

#define LOG_CATEGORY "block"
#include "base/log.h"

/* Of these a queue has at most so many, made when they are wanted. */
#define BUFFERS             32u
#define BUFFER_BYTES        (256u << 10)
/* The most in one command: qemu-nbd takes 32 MiB, and 32 bits for zeroes. */
#define MOVE_MAX            (16u << 20)
#define ZERO_MAX            (1u << 30)
/* What qemu-img makes qcow2 images in. */
#define QCOW2_CLUSTER_BYTES (64u << 10)

struct nbd {
	struct block block;
	char *path;
	struct qemu_nbd *server; /* NULL: path is the URI of another's */
	struct nbd_handle *control;
	bool dead; /* atomic: it was said */
};

struct nbd_request {
	struct nbd_request *next;
	struct nbd_queue *queue;
	struct block_io *io;
	uint64_t bytes; /* of the command that runs */
	uint8_t *buffer; /* of its own; NULL: none */
	bool by_buffer; /* the command moves that, and no memory of the caller */
	int error;
};

struct nbd_list {
	struct nbd_request *first, **last;
};

struct nbd_queue {
	struct block_queue queue;
	struct nbd_handle *handle;
	int event_fd, socket;
	uint32_t events; /* that the socket is watched for */
	bool awake; /* event_fd is readable */
	bool has_extents; /* the server says what is stored */

	struct nbd_request requests[BLOCK_QUEUE_DEPTH];
	struct nbd_request *unused;
	struct nbd_list ended; /* commands, by libnbd's callback */
	struct nbd_list want_buffer;
	uint8_t *buffers[BUFFERS];
	unsigned int n_buffers, n_made;
};

static struct nbd *to_nbd(struct block *b)
{
	return (struct nbd *)b;
}

static struct nbd_queue *to_queue(struct block_queue *q)
{
	return (struct nbd_queue *)q;
}

/* For messages. */
static const char *server_name(const struct nbd *nbd)
{
	return nbd->server ? "qemu-nbd" : "the NBD server";
}

static void list_init(struct nbd_list *list)
{
	list->first = NULL;
	list->last = &list->first;
}

static void list_push(struct nbd_list *list, struct nbd_request *r)
{
	r->next = NULL;
	*list->last = r;
	list->last = &r->next;
}

static struct nbd_request *list_pop(struct nbd_list *list)
{
	struct nbd_request *r = list->first;

	if (r) {
		list->first = r->next;
		if (!list->first)
			list->last = &list->first;
	}
	return r;
}

/* --- commands --------------------------------------------------------------------- */

/* What the guest may know of an error; not that there is a socket in it. */
static int host_error(int err)
{
	switch (err) {
	case ENOSPC:
	case ENOMEM:
	case EINVAL:
		return -err;
	case EPERM:
	case EROFS:
		return -EROFS;
	default:
		return -EIO;
	}
}

/* libnbd: the command of @data ended, or the connection with it. */
static int on_ended(void *data, int *error)
{
	struct nbd_request *r = data;

	r->error = *error ? host_error(*error) : 0;
	list_push(&r->queue->ended, r);
	return 1; /* nobody asks for it any more */
}

/* Is the part from io->moved on one piece?  Return: of how many bytes, or 0 */
static uint8_t *one_piece(const struct block_io *io, uint64_t bytes)
{
	struct iovec part[BLOCK_IOV_MAX];
	unsigned int n = iov_slice(part, io->iov, io->n_iov, io->moved, bytes);

	for (unsigned int i = 1; i < n; i++)
		if ((uint8_t *)part[i - 1].iov_base + part[i - 1].iov_len !=
		    part[i].iov_base)
			return NULL;
	return n ? part[0].iov_base : NULL;
}

static bool take_buffer(struct nbd_queue *q, struct nbd_request *r)
{
	if (r->buffer)
		return true;
	if (q->n_buffers) {
		r->buffer = q->buffers[--q->n_buffers];
	} else if (q->n_made < BUFFERS) {
		r->buffer = g_malloc(BUFFER_BYTES);
		q->n_made++;
	} else {
		return false;
	}
	block_count(&q->queue.stats.bounced, 1);
	return true;
}

static int64_t move(struct nbd_queue *q, struct nbd_request *r, uint8_t *data)
{
	struct block_io *io = r->io;
	nbd_completion_callback done = {.callback = on_ended, .user_data = r};
	uint32_t flags = io->flags & BLOCK_FUA ? LIBNBD_CMD_FLAG_FUA : 0;

	if (io->op == BLOCK_READ)
		return nbd_aio_pread(q->handle, data, r->bytes,
				     io->offset + io->moved, done, 0);
	return nbd_aio_pwrite(q->handle, data, r->bytes, io->offset + io->moved,
			      done, flags);
}

/* READ, WRITE: the next of it.  Return: false: it waits for a buffer. */
static bool begin_move(struct nbd_queue *q, struct nbd_request *r,
		       int64_t *cookie)
{
	struct block_io *io = r->io;
	uint8_t *data;

	r->bytes = MIN(io->bytes - io->moved, MOVE_MAX);
	data = one_piece(io, r->bytes);
	r->by_buffer = !data;
	if (!data) {
		if (!take_buffer(q, r))
			return false;
		data = r->buffer;
		r->bytes = MIN(r->bytes, BUFFER_BYTES);
		if (io->op == BLOCK_WRITE)
			iov_copy_out(data, io->iov, io->n_iov, io->moved,
				     r->bytes);
	}
	*cookie = move(q, r, data);
	return true;
}

/* libnbd: what the image has, from where it was asked on. */
static int on_extents(void *data, const char *context, uint64_t offset,
		      uint32_t *entries, size_t n, int *error)
{
	const struct nbd_request *r = data;
	uint32_t block_bytes = r->queue->queue.block->info.block_bytes;
	struct block_io *io = r->io;
	uint64_t bytes;

	(void)error;
	if (strcmp(context, LIBNBD_CONTEXT_BASE_ALLOCATION) != 0 || n < 2 ||
	    offset != io->offset)
		return 0;
	/* A length, and bits. */
	bytes = MIN(entries[0], r->bytes);
	io->hole = (entries[1] & LIBNBD_STATE_HOLE) && bytes >= block_bytes;
	if (io->hole)
		io->extent_bytes = align_down(bytes, block_bytes);
	else
		io->extent_bytes =
			MIN(align_up(MAX(bytes, 1u), block_bytes), r->bytes);
	return 0;
}

static int64_t begin_extent(struct nbd_queue *q, struct nbd_request *r,
			    nbd_completion_callback done)
{
	nbd_extent_callback extents = {.callback = on_extents, .user_data = r};

	return nbd_aio_block_status(q->handle, r->bytes, r->io->offset, extents,
				    done, LIBNBD_CMD_FLAG_REQ_ONE);
}

static int64_t begin_other(struct nbd_queue *q, struct nbd_request *r)
{
	struct block_io *io = r->io;
	nbd_completion_callback done = {.callback = on_ended, .user_data = r};
	uint32_t flags = io->flags & BLOCK_FUA ? LIBNBD_CMD_FLAG_FUA : 0;
	bool unmap =
		(io->flags & BLOCK_UNMAP) && q->queue.block->info.can_discard;

	if (io->op == BLOCK_FLUSH)
		return nbd_aio_flush(q->handle, done, 0);
	r->bytes = MIN(io->bytes - io->moved, ZERO_MAX);
	if (io->op == BLOCK_EXTENT)
		return begin_extent(q, r, done);
	if (io->op == BLOCK_DISCARD)
		return nbd_aio_trim(q->handle, r->bytes, io->offset + io->moved,
				    done, 0);
	return nbd_aio_zero(q->handle, r->bytes, io->offset + io->moved, done,
			    flags | (unmap ? 0 : LIBNBD_CMD_FLAG_NO_HOLE));
}

static void begin(struct nbd_queue *q, struct nbd_request *r)
{
	int64_t cookie;

	r->error = 0;
	if (r->io->op != BLOCK_READ && r->io->op != BLOCK_WRITE)
		cookie = begin_other(q, r);
	else if (!begin_move(q, r, &cookie)) {
		list_push(&q->want_buffer, r);
		return;
	}
	if (cookie >= 0)
		return;
	/* It has not begun, so nothing will call us. */
	r->error = nbd_aio_is_ready(q->handle) ? host_error(nbd_get_errno())
					       : -EIO;
	list_push(&q->ended, r);
}

static void start(struct block_queue *queue, struct block_io *io)
{
	struct nbd_queue *q = to_queue(queue);
	struct nbd_request *r = q->unused;

	q->unused = r->next;
	r->io = io;
	r->buffer = NULL;
	if (io->op == BLOCK_EXTENT && !q->has_extents) {
		r->error = 0;
		list_push(&q->ended, r);
		return;
	}
	begin(q, r);
}

/* --- ends ------------------------------------------------------------------------- */

static void end(struct nbd_queue *q, struct nbd_request *r, int result)
{
	struct block_io *io = r->io;
	uint8_t *buffer = r->buffer;

	r->next = q->unused;
	q->unused = r;
	if (buffer) {
		q->buffers[q->n_buffers++] = buffer;
		if (q->want_buffer.first)
			begin(q, list_pop(&q->want_buffer));
	}
	block_end(io, result);
}

static void command_ended(struct nbd_queue *q, struct nbd_request *r)
{
	struct block_io *io = r->io;

	if (r->error || io->op == BLOCK_FLUSH || io->op == BLOCK_EXTENT) {
		end(q, r, r->error);
		return;
	}
	if (io->op == BLOCK_READ && r->by_buffer)
		iov_copy_in(io->iov, io->n_iov, io->moved, r->buffer, r->bytes);
	io->moved += r->bytes;
	if (io->moved == io->bytes)
		end(q, r, 0);
	else
		begin(q, r);
}

static void say_dead(struct nbd_queue *q)
{
	struct nbd *nbd = to_nbd(q->queue.block);

	if (!__atomic_exchange_n(&nbd->dead, true, __ATOMIC_RELAXED))
		log_error("%s: %s is gone: each request is an error from now "
			  "on",
			  nbd->path, server_name(nbd));
}

/* --- the descriptor ---------------------------------------------------------------- */

static void wake(struct block_queue *queue)
{
	struct nbd_queue *q = to_queue(queue);
	const uint64_t one = 1;

	if (!q->awake && write(q->event_fd, &one, sizeof(one)) < 0)
		abort(); /* an eventfd at 0 takes a 1 */
	q->awake = true;
}

/* Watch the socket for what libnbd wants of it now. */
static void watch(struct nbd_queue *q)
{
	unsigned int direction = nbd_aio_get_direction(q->handle);
	struct epoll_event event = {0};

	if (direction & LIBNBD_AIO_DIRECTION_READ)
		event.events |= EPOLLIN;
	if (direction & LIBNBD_AIO_DIRECTION_WRITE)
		event.events |= EPOLLOUT;
	if (event.events == q->events || q->socket < 0)
		return;
	q->events = event.events;
	epoll_ctl(q->queue.fd, EPOLL_CTL_MOD, q->socket, &event);
}

static void kick(struct block_queue *queue)
{
	struct nbd_queue *q = to_queue(queue);

	watch(q);
	if (q->ended.first)
		wake(queue);
}

static void leave_socket(struct nbd_queue *q)
{
	struct epoll_event none = {0};

	epoll_ctl(q->queue.fd, EPOLL_CTL_DEL, q->socket, &none);
	q->socket = -1;
}

/* Let libnbd do what it can without waiting: one answer at a time. */
static void drive(struct nbd_queue *q)
{
	struct epoll_event event;

	for (unsigned int i = 0; i < BLOCK_QUEUE_DEPTH && q->socket >= 0; i++) {
		watch(q);
		if (epoll_wait(q->queue.fd, &event, 1, 0) <= 0)
			return;
		if (event.events & EPOLLOUT)
			nbd_aio_notify_write(q->handle);
		else
			nbd_aio_notify_read(q->handle);
		if (nbd_aio_is_dead(q->handle) ||
		    nbd_aio_is_closed(q->handle)) {
			say_dead(q);
			leave_socket(q);
		}
	}
}

static void reap(struct block_queue *queue)
{
	struct nbd_queue *q = to_queue(queue);
	struct nbd_list ended;
	struct nbd_request *r;
	uint64_t n;

	if (q->awake && read(q->event_fd, &n, sizeof(n)) < 0)
		abort(); /* it is at 1 */
	q->awake = false;
	drive(q);
	ended = q->ended;
	if (!ended.first)
		return;
	list_init(&q->ended);
	*ended.last = NULL;
	while ((r = list_pop(&ended)))
		command_ended(q, r);
	queue->unkicked = true;
}

/* --- queues ------------------------------------------------------------------------ */

static int fail(GError **error, const char *what)
{
	g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno),
		    "%s: %s", what, g_strerror(errno));
	return -1;
}

static void close_descriptors(struct nbd_queue *q)
{
	if (q->event_fd >= 0)
		close(q->event_fd);
	if (q->queue.fd >= 0)
		close(q->queue.fd);
}

static int make_descriptor(struct nbd_queue *q, GError **error)
{
	struct epoll_event event = {.events = EPOLLIN};

	q->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	q->queue.fd = epoll_create1(EPOLL_CLOEXEC);
	q->socket = nbd_aio_get_fd(q->handle);
	q->events = EPOLLIN;
	if (q->event_fd < 0 || q->queue.fd < 0 ||
	    epoll_ctl(q->queue.fd, EPOLL_CTL_ADD, q->event_fd, &event) ||
	    epoll_ctl(q->queue.fd, EPOLL_CTL_ADD, q->socket, &event)) {
		fail(error, "epoll");
		close_descriptors(q);
		return -1;
	}
	return 0;
}

static int queue_open(struct block_queue *queue, GError **error)
{
	struct nbd_queue *q = to_queue(queue);
	const struct nbd *nbd = to_nbd(queue->block);

	q->handle = block_nbd_handle(nbd->path, nbd->server, error);
	if (!q->handle)
		return -1;
	if (make_descriptor(q, error)) {
		nbd_close(q->handle);
		return -1;
	}
	q->has_extents =
		nbd_can_meta_context(q->handle,
				     LIBNBD_CONTEXT_BASE_ALLOCATION) == 1;
	list_init(&q->ended);
	list_init(&q->want_buffer);
	for (unsigned int i = BLOCK_QUEUE_DEPTH; i--;) {
		q->requests[i].queue = q;
		q->requests[i].next = q->unused;
		q->unused = &q->requests[i];
	}
	return 0;
}

static void queue_close(struct block_queue *queue)
{
	struct nbd_queue *q = to_queue(queue);

	nbd_close(q->handle);
	close_descriptors(q);
	while (q->n_buffers)
		g_free(q->buffers[--q->n_buffers]);
}

/* --- images --------------------------------------------------------------------------- */

static void clear(struct nbd *nbd)
{
	nbd_close(nbd->control);
	qemu_nbd_free(nbd->server);
	g_free(nbd->path);
	g_free(nbd);
}

static void image_free(struct block *b)
{
	block_clear(b);
	clear(to_nbd(b));
}

static const struct block_ops ops = {
	.queue_size = sizeof(struct nbd_queue),
	.queue_open = queue_open,
	.queue_close = queue_close,
	.start = start,
	.kick = kick,
	.reap = reap,
	.wake = wake,
	.free = image_free,
};

static G_GNUC_PRINTF(3, 4) int refuse(GError **error, const struct nbd *nbd,
				      const char *format, ...)
{
	g_autofree char *why = NULL;
	va_list args;

	va_start(args, format);
	why = g_strdup_vprintf(format, args);
	va_end(args);
	g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "%s: %s",
		    nbd->path, why);
	return -1;
}

/* What can be done with it, for a guest that may write. */
static int look_at_writes(struct nbd *nbd, GError **error)
{
	struct nbd_handle *h = nbd->control;
	const char *who = server_name(nbd);

	if (nbd_is_read_only(h) == 1)
		return refuse(error, nbd, "%s can only read it", who);
	if (nbd_can_flush(h) != 1 || nbd_can_fua(h) != 1 ||
	    nbd_can_zero(h) != 1)
		return refuse(error, nbd, "%s can not flush it or write zeroes",
			      who);
	if (!nbd->server && nbd_can_multi_conn(h) != 1)
		return refuse(error, nbd,
			      "%s does not say that its connections see the "
			      "same: it is good for readonly only",
			      who);
	return 0;
}

/* What it is addressed in. */
static int look_at_blocks(struct nbd *nbd, const struct block_options *o,
			  struct block_info *info, GError **error)
{
	int64_t least = nbd_get_block_size(nbd->control, LIBNBD_SIZE_MINIMUM);

	info->block_bytes = o->block_bytes ? o->block_bytes
			    : least > 512  ? 4096
					   : 512;
	if (info->block_bytes != 512 && info->block_bytes != 4096)
		return refuse(error, nbd, "blocks have 512 or 4096 bytes");
	if (least > info->block_bytes)
		return refuse(error, nbd,
			      "%s has blocks of %" PRId64 " bytes, not %u",
			      server_name(nbd), least, info->block_bytes);
	return 0;
}

/* What the server says the image is. */
static int look(struct nbd *nbd, const struct block_options *o,
		const char *format, struct block_info *info, GError **error)
{
	struct nbd_handle *h = nbd->control;
	int64_t bytes = nbd_get_size(h);

	if (look_at_blocks(nbd, o, info, error))
		return -1;
	if (bytes < (int64_t)info->block_bytes)
		return refuse(error, nbd, "there is not one block in it");
	info->bytes = align_down((uint64_t)bytes, info->block_bytes);
	if (info->bytes != (uint64_t)bytes)
		log_warn("%s: the last bytes are no whole block and are not "
			 "used",
			 nbd->path);
	info->physical_bytes = 4096;
	info->readonly = o->readonly;
	if (!o->readonly && look_at_writes(nbd, error))
		return -1;
	info->can_discard = !o->readonly && nbd_can_trim(h) == 1 &&
			    o->discard == BLOCK_DISCARD_UNMAP;
	if (!strcmp(format, "qcow2"))
		info->discard_bytes = QCOW2_CLUSTER_BYTES;
	return 0;
}

/* What has a server, ours or not, becomes a disk, or is cleared. */
static struct block *finish(struct nbd *nbd, const struct block_options *o,
			    const char *format, const char *kind,
			    GError **error)
{
	struct block_info info = {0};

	nbd->control = block_nbd_handle(nbd->path, nbd->server, error);
	if (!nbd->control || look(nbd, o, format, &info, error)) {
		clear(nbd);
		return NULL;
	}
	block_init(&nbd->block, &ops, kind, &info);
	return &nbd->block;
}

struct block *block_nbd_open(const struct block_options *o, const char *format,
			     GError **error)
{
	struct nbd *nbd = g_new0(struct nbd, 1);
	g_autofree char *kind = NULL;

	nbd->path = g_strdup(o->path);
	nbd->server = qemu_nbd_start(o, format, error);
	if (!nbd->server) {
		g_prefix_error(error, "%s: ", o->path);
		clear(nbd);
		return NULL;
	}
	kind = g_strdup_printf("nbd %s%s", format,
			       o->snapshot ? ", snapshot" : "");
	return finish(nbd, o, format, kind, error);
}

struct block *block_nbd_connect(const struct block_options *o, GError **error)
{
	struct nbd *nbd = g_new0(struct nbd, 1);

	nbd->path = g_strdup(o->path);
	if (!strcmp(block_format(o), "raw") && !o->snapshot)
		return finish(nbd, o, "raw", "nbd raw", error);
	refuse(error, nbd, "what an NBD server has is raw, and no snapshot");
	clear(nbd);
	return NULL;
}

pid_t block_nbd_pid(struct block *b)
{
	struct qemu_nbd *server = to_nbd(b)->server;

	return server ? qemu_nbd_pid(server) : 0;
}
