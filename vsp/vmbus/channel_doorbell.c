/* SPDX-License-Identifier: MIT */
/*
 * channel_doorbell.c - signals that do not stop the guest's processor.
 *
 * Whoever runs the processors may know a way for a signal to reach an eventfd
 * while the guest goes on (struct doorbell_ops; hypercalls/page.h).  A channel
 * that asks for it has the eventfd from open to close, and its worker waits for
 * it as for any descriptor.  What of signals comes as a hypercall all the same
 * (a 32-bit guest's, or all if there is no doorbell to be had) means the same.
 *
 * The eventfd counts: a wake-up may stand for several signals.
 */
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/trace.h"
#include "vsp/vmbus/channel_impl.h"

/* Return: how many signals there were since the last time. */
static uint64_t take(struct channel *ch)
{
	const struct channel_bus_params *bus = &ch->bus->params;
	uint64_t n;

	if (read(ch->doorbell.fd, &n, sizeof(n)) != sizeof(n))
		return 0;
	channel_note_signals(ch, TRACE_NO_VP, n);
	bus->doorbell->count(bus->ctx, n);
	return n;
}

static void run_doorbell(struct worker_fd *fd, uint32_t events)
{
	struct channel *ch = CHANNEL_OF(fd, doorbell);

	(void)events;
	if (take(ch))
		worker_queue(ch->worker, &ch->data);
}

static int set(struct channel *ch, bool on)
{
	const struct channel_bus_params *bus = &ch->bus->params;

	return bus->doorbell->set(bus->ctx, ch->request.connection_id,
				  ch->doorbell.fd, on);
}

void channel_doorbell_start(struct channel *ch)
{
	if (!ch->params.doorbell || !ch->bus->params.doorbell)
		return;
	ch->doorbell.run = run_doorbell;
	ch->doorbell.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (ch->doorbell.fd < 0)
		return;
	if (!set(ch, true)) {
		if (!worker_watch(ch->worker, &ch->doorbell, EPOLLIN)) {
			ch->has_doorbell = true;
			return;
		}
		set(ch, false);
	}
	close(ch->doorbell.fd);
}

void channel_doorbell_stop(struct channel *ch)
{
	if (!ch->has_doorbell)
		return;
	set(ch, false);
	channel_doorbell_take(ch);
	ch->has_doorbell = false;
	worker_unwatch(ch->worker, &ch->doorbell);
	close(ch->doorbell.fd);
}

void channel_doorbell_take(struct channel *ch)
{
	if (ch->has_doorbell)
		take(ch);
}

void channel_doorbell_listen(struct channel *ch, bool on)
{
	if (ch->has_doorbell)
		worker_watch(ch->worker, &ch->doorbell, on ? EPOLLIN : 0);
}

bool channel_doorbell_beside(const struct channel *ch, int processor)
{
	const struct channel_bus_params *bus = &ch->bus->params;

	return ch->has_doorbell && bus->doorbell->runs_on(bus->ctx, processor);
}
