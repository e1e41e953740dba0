/* SPDX-License-Identifier: MIT */
#include "devices/net/mem.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "devices/net/frame_fifo.h"
#include "devices/net/net_impl.h"

#define ROOM_DEFAULT (1u << 20)

/* One direction of a queue: frames, and what says that there is something. */
struct pipe_end {
	struct frame_fifo *fifo;
	int event; /* readable: a frame is there; or: there is room */
};

struct port {
	pthread_mutex_t lock; /* a leaf */
	/* lock */
	struct pipe_end in, out; /* with loop the frames of @in alone */
	bool waiting; /* somebody was told -EAGAIN, and not yet of room */
};

struct mem {
	struct net net;
	struct net_mem_params params;
	struct port *ports; /* params.queues */
	unsigned int hold_after; /* atomic */
	unsigned int offloads; /* atomic */
};

struct mem_queue {
	struct net_queue q;
	struct port *port;
};

static struct mem *to_mem(const struct net *n)
{
	return (struct mem *)n;
}

static struct port *port_of(const struct net_queue *q)
{
	return ((const struct mem_queue *)q)->port;
}

static void set_event(int event)
{
	uint64_t one = 1;

	while (write(event, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

static void clear_event(int event)
{
	uint64_t value;

	while (read(event, &value, sizeof(value)) > 0)
		;
}

/* --- queues ----------------------------------------------------------------- */

static int queue_open(struct net_queue *q, GError **error)
{
	(void)error;
	((struct mem_queue *)q)->port = &to_mem(q->net)->ports[q->index];
	return 0;
}

static void queue_close(struct net_queue *q)
{
	(void)q;
}

static void watch_one(const struct net_queue *q, int event, bool wanted)
{
	struct epoll_event e = {.events = EPOLLIN};

	epoll_ctl(q->fd, wanted ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, event, &e);
}

static void watch(struct net_queue *q, unsigned int what)
{
	const struct port *p = port_of(q);

	watch_one(q, p->in.event, what & NET_WATCH_RECV);
	watch_one(q, p->out.event, what & NET_WATCH_SEND || q->has_rest);
}

/* One of the frames that the host takes.  Return: false: not any more. */
static bool take_turn(struct mem *m)
{
	unsigned int left = __atomic_load_n(&m->hold_after, __ATOMIC_RELAXED);

	do {
		if (!left || left == UINT_MAX)
			return left != 0;
	} while (!__atomic_compare_exchange_n(&m->hold_after, &left, left - 1,
					      false, __ATOMIC_RELAXED,
					      __ATOMIC_RELAXED));
	return true;
}

static int mem_send(struct net_queue *q, const struct virtio_net_hdr *hdr,
		    const struct iovec *iov, unsigned int n_iov)
{
	struct mem *m = to_mem(q->net);
	struct port *p = port_of(q);
	struct pipe_end *to = m->params.loop ? &p->in : &p->out;
	bool was_empty, ok;

	pthread_mutex_lock(&p->lock);
	was_empty = frame_fifo_is_empty(to->fifo);
	ok = take_turn(m) && frame_fifo_put(to->fifo, hdr, iov, n_iov);
	if (!ok) {
		p->waiting = true;
		clear_event(p->out.event);
	} else if (m->params.loop && was_empty) {
		set_event(p->in.event);
	}
	pthread_mutex_unlock(&p->lock);
	return ok ? 0 : -EAGAIN;
}

/* There is room, or may be.  Under the port's lock. */
static void tell_room(const struct mem *m, struct port *p)
{
	if (!p->waiting || !__atomic_load_n(&m->hold_after, __ATOMIC_RELAXED))
		return;
	p->waiting = false;
	set_event(p->out.event);
}

static size_t scatter(const struct iovec *iov, unsigned int n_iov,
		      const struct frame_record *record)
{
	size_t done = 0;

	for (unsigned int i = 0; i < n_iov; i++) {
		size_t piece = MIN(iov[i].iov_len, record->frame_bytes - done);

		memcpy(iov[i].iov_base, record->frame + done, piece);
		done += piece;
	}
	return done;
}

static ssize_t mem_recv(struct net_queue *q, struct virtio_net_hdr *hdr,
			const struct iovec *iov, unsigned int n_iov)
{
	struct mem *m = to_mem(q->net);
	struct port *p = port_of(q);
	struct frame_record record;
	ssize_t result = -EAGAIN;

	pthread_mutex_lock(&p->lock);
	if (frame_fifo_peek(p->in.fifo, &record)) {
		result = (ssize_t)record.frame_bytes;
		memcpy(hdr, record.note, sizeof(*hdr));
		if (scatter(iov, n_iov, &record) < record.frame_bytes)
			result = -EMSGSIZE;
		frame_fifo_pop(p->in.fifo);
		tell_room(m, p);
	}
	if (result == -EAGAIN)
		clear_event(p->in.event);
	pthread_mutex_unlock(&p->lock);
	return result;
}

/* --- life --------------------------------------------------------------------- */

static void mem_set_offloads(struct net *n, unsigned int offloads)
{
	__atomic_store_n(&to_mem(n)->offloads, offloads, __ATOMIC_RELAXED);
}

static void mem_free(struct net *n)
{
	struct mem *m = to_mem(n);

	net_clear(n);
	for (unsigned int i = 0; i < m->params.queues; i++) {
		struct port *p = &m->ports[i];

		frame_fifo_free(p->in.fifo);
		frame_fifo_free(p->out.fifo);
		close(p->in.event);
		close(p->out.event);
		pthread_mutex_destroy(&p->lock);
	}
	g_free(m->ports);
	g_free(m);
}

static const struct net_ops mem_ops = {
	.queue_size = sizeof(struct mem_queue),
	.queue_open = queue_open,
	.queue_close = queue_close,
	.send = mem_send,
	.recv = mem_recv,
	.watch = watch,
	.set_offloads = mem_set_offloads,
	.free = mem_free,
};

static void init_end(struct pipe_end *end, size_t bytes, bool ready)
{
	end->fifo = frame_fifo_new(bytes, sizeof(struct virtio_net_hdr));
	end->event = eventfd(ready, EFD_CLOEXEC | EFD_NONBLOCK);
	g_assert(end->event >= 0);
}

struct net *net_mem_new(const struct net_mem_params *params)
{
	struct mem *m = g_new0(struct mem, 1);
	size_t room = params->room_bytes ? params->room_bytes : ROOM_DEFAULT;

	net_init(&m->net, &mem_ops, "memory", params->queues);
	m->net.info.offloads = params->offloads;
	m->net.takes_offloads = params->takes_offloads;
	m->params = *params;
	m->hold_after = UINT_MAX;
	m->ports = g_new0(struct port, params->queues);
	for (unsigned int i = 0; i < params->queues; i++) {
		pthread_mutex_init(&m->ports[i].lock, NULL);
		init_end(&m->ports[i].in, room, false);
		init_end(&m->ports[i].out, room, true);
	}
	return &m->net;
}

/* --- the host's side -------------------------------------------------------------- */

int net_mem_put(struct net *n, unsigned int queue,
		const struct virtio_net_hdr *hdr, const void *frame,
		size_t bytes)
{
	static const struct virtio_net_hdr nothing;
	const struct iovec iov = {(void *)frame, bytes};
	struct port *p = &to_mem(n)->ports[queue];
	bool ok;

	pthread_mutex_lock(&p->lock);
	ok = frame_fifo_put(p->in.fifo, hdr ? hdr : &nothing, &iov, 1);
	if (ok)
		set_event(p->in.event);
	pthread_mutex_unlock(&p->lock);
	return ok ? 0 : -EAGAIN;
}

ssize_t net_mem_take(struct net *n, unsigned int queue,
		     struct virtio_net_hdr *hdr, void *frame, size_t room)
{
	const struct iovec iov = {frame, room};
	struct port *p = &to_mem(n)->ports[queue];
	struct frame_record record;
	ssize_t result = -EAGAIN;

	pthread_mutex_lock(&p->lock);
	if (frame_fifo_peek(p->out.fifo, &record)) {
		result = (ssize_t)record.frame_bytes;
		if (hdr)
			memcpy(hdr, record.note, sizeof(*hdr));
		scatter(&iov, 1, &record);
		frame_fifo_pop(p->out.fifo);
		tell_room(to_mem(n), p);
	}
	pthread_mutex_unlock(&p->lock);
	return result;
}

void net_mem_hold(struct net *n, unsigned int after)
{
	struct mem *m = to_mem(n);

	for (unsigned int i = 0; i < m->params.queues; i++) {
		struct port *p = &m->ports[i];

		pthread_mutex_lock(&p->lock);
		__atomic_store_n(&m->hold_after, after, __ATOMIC_RELAXED);
		tell_room(m, p);
		pthread_mutex_unlock(&p->lock);
	}
}

void net_mem_set_carrier(struct net *n, bool up)
{
	net_set_carrier(n, up);
}

unsigned int net_mem_offloads(const struct net *n)
{
	return __atomic_load_n(&to_mem(n)->offloads, __ATOMIC_RELAXED);
}
