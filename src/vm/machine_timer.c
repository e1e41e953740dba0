/* SPDX-License-Identifier: MIT */
#include "vm/machine_timer.h"

#include <sys/timerfd.h>
#include <unistd.h>

#include <glib-unix.h>

#include "base/clock.h"

struct machine_timer {
	int fd;
	guint source;
	void (*expired)(void *dev);
	void *dev;
};

static gboolean fired(gint fd, GIOCondition condition, gpointer data)
{
	struct machine_timer *t = data;
	uint64_t count;

	(void)condition;
	if (read(fd, &count, sizeof(count)) == sizeof(count) && t->expired)
		t->expired(t->dev);
	return G_SOURCE_CONTINUE;
}

struct machine_timer *machine_timer_new(void)
{
	struct machine_timer *t = g_new0(struct machine_timer, 1);

	t->fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (t->fd < 0) {
		g_free(t);
		return NULL;
	}
	t->source = g_unix_fd_add(t->fd, G_IO_IN, fired, t);
	return t;
}

void machine_timer_free(struct machine_timer *timer)
{
	if (!timer)
		return;
	g_source_remove(timer->source);
	close(timer->fd);
	g_free(timer);
}

void machine_timer_bind(struct machine_timer *timer, void (*expired)(void *dev),
			void *dev)
{
	timer->expired = expired;
	timer->dev = dev;
}

static void arm(void *ctx, uint64_t delay_ns)
{
	const struct machine_timer *t = ctx;
	struct itimerspec when = {0};

	if (delay_ns != TIMER_LINE_NEVER) {
		/* All zeros would disarm it. */
		delay_ns = MAX(delay_ns, 1);
		when.it_value.tv_sec = (time_t)(delay_ns / NSEC_PER_SEC);
		when.it_value.tv_nsec = (long)(delay_ns % NSEC_PER_SEC);
	}
	timerfd_settime(t->fd, 0, &when, NULL);
}

struct timer_line machine_timer_line(struct machine_timer *timer)
{
	return (struct timer_line){.arm = arm, .ctx = timer};
}
