/* SPDX-License-Identifier: MIT */
#include "devices/block/delay.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "devices/block/block_impl.h"
#include "devices/block/throttle.h"

struct delay {
	struct throttle *throttle;
	int epoll_fd, timer_fd;
	uint64_t timer_ns; /* what it is set to; 0: it is not */
	struct io_list reads, writes; /* block_io.moved: when they may begin */
};

static int watch(const struct delay *d, int fd)
{
	struct epoll_event e = {.events = EPOLLIN};

	return epoll_ctl(d->epoll_fd, EPOLL_CTL_ADD, fd, &e);
}

struct delay *delay_new(struct throttle *throttle, int fd, GError **error)
{
	struct delay *d = g_new0(struct delay, 1);

	d->throttle = throttle;
	io_list_init(&d->reads);
	io_list_init(&d->writes);
	d->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	d->timer_fd =
		timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (d->epoll_fd >= 0 && d->timer_fd >= 0 && !watch(d, fd) &&
	    !watch(d, d->timer_fd))
		return d;
	g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno),
		    "a timer: %s", g_strerror(errno));
	delay_free(d);
	return NULL;
}

void delay_free(struct delay *d)
{
	if (!d)
		return;
	if (d->epoll_fd >= 0)
		close(d->epoll_fd);
	if (d->timer_fd >= 0)
		close(d->timer_fd);
	g_free(d);
}

int delay_fd(const struct delay *d)
{
	return d->epoll_fd;
}

/* To 0 it is stopped; either way it is not readable any more. */
static void set_timer(struct delay *d, uint64_t ns)
{
	const struct itimerspec when = {
		.it_value = {.tv_sec = (time_t)(ns / NSEC_PER_SEC),
			     .tv_nsec = (long)(ns % NSEC_PER_SEC)}};

	if (d->timer_ns == ns)
		return;
	d->timer_ns = ns;
	timerfd_settime(d->timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
}

/* When the next of all may begin; 0: none waits. */
static uint64_t next_time(const struct delay *d)
{
	const struct block_io *read = d->reads.first, *write = d->writes.first;

	if (!read || !write)
		return read ? read->moved : write ? write->moved : 0;
	return MIN(read->moved, write->moved);
}

bool delay_put(struct delay *d, struct block_io *io)
{
	bool write = io->op != BLOCK_READ;
	uint64_t when;

	/* They move no data. */
	if (io->op == BLOCK_FLUSH || io->op == BLOCK_DISCARD ||
	    io->op == BLOCK_EXTENT)
		return false;
	when = throttle_reserve(d->throttle, write, io->bytes,
				clock_monotonic_ns());
	if (!when)
		return false;
	io->moved = when;
	io_list_push(write ? &d->writes : &d->reads, io);
	set_timer(d, next_time(d));
	return true;
}

static struct block_io *take_due(struct io_list *list, uint64_t now)
{
	struct block_io *io = list->first;

	if (!io || io->moved > now)
		return NULL;
	io_list_pop(list);
	io->moved = 0;
	return io;
}

struct block_io *delay_take(struct delay *d, bool all)
{
	struct block_io *io;
	uint64_t now;

	if (!d->timer_ns)
		return NULL;
	now = all ? UINT64_MAX : clock_monotonic_ns();
	io = take_due(&d->reads, now);
	if (!io)
		io = take_due(&d->writes, now);
	if (!io) {
		/* One that has gone off is to be quiet until it is set. */
		if (d->timer_ns <= now)
			set_timer(d, 0);
		set_timer(d, next_time(d));
	}
	return io;
}
