/* SPDX-License-Identifier: MIT */
/*
 * channel_monitor.c - signals by monitor page.
 *
 * A guest signals a channel that was offered with a monitor by setting its bit
 * in the second monitor page, and makes no hypercall (Linux channel.c:
 * vmbus_setevent()); the host looks at the page, at the latest each `latency`
 * that it promised.  Here each such channel looks at its own bit, on its own
 * worker, while it is open.  So the guest saves an exit for each signal, and
 * the host pays with a timer: only for channels that ask.
 *
 * A guest may signal by hypercall all the same, as Linux does for channels
 * with low latency; both do the same.
 *
 * The first page is for signals in the other direction, which need an
 * interrupt anyway.  What the guest shows to people of both (latency,
 * connection) is filled in.
 *
 * The pages are the guest's: the bit is read and cleared in one atomic
 * access, nothing else is read.  It may have others (MODIFY_CONNECTION): each
 * open channel is told, and only when all of them look at the new ones the
 * guest has its answer.
 */
#include <stddef.h>
#include <string.h>
#include <sys/uio.h>

#include "base/clock.h"
#include "mem/gmem.h"
#include "proto/hv_tlfs.h"
#include "vsp/vmbus/channel_impl.h"

static unsigned int group_of(const struct channel *ch)
{
	return ch->monitor_id / HV_MONITOR_TRIGGERS;
}

static unsigned int trigger_of(const struct channel *ch)
{
	return ch->monitor_id % HV_MONITOR_TRIGGERS;
}

static uint32_t *word_at(uint8_t *page, size_t offset)
{
	void *at = page + offset;

	return at;
}

/* Nothing is read from or written to the pages any more. */
static void forget(struct channel *ch)
{
	gmem_unpin(ch->bus->params.mem, ch->monitor_pin);
	ch->monitor_pin = NULL;
	ch->monitor_page = NULL;
}

/* Say what the guest shows in sysfs, and that the group is looked at. */
static void describe(struct channel *ch, uint8_t *page)
{
	const struct hv_monitor_parameter parameter = {
		.connectionid = ch->request.connection_id};
	const uint16_t latency = ch->params.monitor_latency_100ns;
	size_t n = (size_t)group_of(ch) * HV_MONITOR_TRIGGERS + trigger_of(ch);

	memcpy(page + offsetof(struct hv_monitor_page, latency) +
		       n * sizeof(latency),
	       &latency, sizeof(latency));
	memcpy(page + offsetof(struct hv_monitor_page, parameter) +
		       n * sizeof(parameter),
	       &parameter, sizeof(parameter));
	__atomic_fetch_or(
		word_at(page, offsetof(struct hv_monitor_page, trigger_state)),
		1u << group_of(ch), __ATOMIC_SEQ_CST);
}

/* Where are the pages?  They are looked at until somebody says otherwise. */
static void look_up(struct channel *ch)
{
	struct gmem *mem = ch->bus->params.mem;
	struct iovec pages[2] = {{0}};
	const struct vmbus_connection *c;

	c = vmbus_server_connection(channel_server(ch));
	for (unsigned int i = 0; i < 2 && c->version; i++) {
		if (!c->monitor_page_gpa[i])
			continue;
		pages[i].iov_base =
			gmem_load(mem, c->monitor_page_gpa[i], HV_PAGE_SIZE);
		pages[i].iov_len = HV_PAGE_SIZE;
	}
	channel_server_done(ch);
	forget(ch);
	ch->monitor_pin = gmem_pin(mem, pages, 2);
	for (unsigned int i = 0; i < 2; i++) {
		if (pages[i].iov_base)
			describe(ch, pages[i].iov_base);
	}
	ch->monitor_page = pages[1].iov_base;
}

static bool take_bit(struct channel *ch)
{
	size_t offset = offsetof(struct hv_monitor_page, trigger_group) +
			group_of(ch) * sizeof(struct hv_monitor_trigger_group);
	uint32_t *pending = word_at(ch->monitor_page, offset);
	uint32_t bit = 1u << trigger_of(ch);

	/* Most of the time it is not set: no need to take the line for us. */
	if (!(__atomic_load_n(pending, __ATOMIC_RELAXED) & bit))
		return false;
	return __atomic_fetch_and(pending, ~bit, __ATOMIC_SEQ_CST) & bit;
}

static void run_monitor(struct worker_timer *timer)
{
	struct channel *ch = CHANNEL_OF(timer, monitor);
	uint64_t now = clock_monotonic_ns();

	if (ch->state != CHANNEL_OPEN)
		return;
	if (ch->monitor_page && take_bit(ch)) {
		atomic_fetch_add_explicit(&ch->n_signals_in, 1,
					  memory_order_relaxed);
		atomic_fetch_add_explicit(&ch->n_signals_by_page, 1,
					  memory_order_relaxed);
		worker_queue(ch->worker, &ch->data);
	}
	worker_timer_set(ch->worker, &ch->monitor,
			 now + ch->params.monitor_latency_100ns *
					 NSEC_PER_100NS);
}

void channel_monitor_init(struct channel *ch)
{
	ch->monitor.run = run_monitor;
	ch->monitor_id = MONITOR_IDS;
	if (ch->params.monitor_latency_100ns)
		ch->monitor_id = channel_bus_get_monitor(ch->bus);
}

void channel_monitor_start(struct channel *ch)
{
	if (ch->monitor_id >= MONITOR_IDS || ch->state != CHANNEL_OPEN)
		return;
	look_up(ch);
	run_monitor(&ch->monitor);
}

void channel_monitor_move(struct channel *ch)
{
	if (ch->monitor.armed)
		look_up(ch);
}

void channel_monitor_stop(struct channel *ch)
{
	worker_timer_stop(ch->worker, &ch->monitor);
	forget(ch);
}
