/* SPDX-License-Identifier: MIT */
/*
 * channel_impl.h - the insides of a channel, for the files that it is made of:
 * channel.c (life: offers, events), channel_open.c, channel_io.c (packets),
 * channel_pace.c, channel_monitor.c, channel_doorbell.c.
 *
 * Locks: the server's (vmbus_thread_lock()), then the channel's, then its
 * worker's.  None is held across a callback of the device.
 */
#ifndef VSP_VMBUS_CHANNEL_IMPL_H
#define VSP_VMBUS_CHANNEL_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include "vsp/vmbus/channel.h"
#include "vsp/vmbus/channel_fault.h"
#include "vsp/vmbus/ring.h"
#include "vsp/vmbus/server_thread.h"
#include "vsp/vmbus/worker.h"

struct ring_map;

/* Bits in a monitor page; as an id: none. */
#define MONITOR_IDS (HV_MONITOR_GROUPS * HV_MONITOR_TRIGGERS)

struct channel_bus {
	/* set once */
	struct channel_bus_params params;
	struct worker *worker;

	pthread_mutex_t lock; /* a leaf */
	/* lock */
	bool monitors[MONITOR_IDS]; /* taken */
};

enum channel_state {
	CHANNEL_CLOSED,
	CHANNEL_OPENING, /* in the device's open() */
	CHANNEL_OPEN,
	CHANNEL_FAILED, /* open for the server, dead for all others */
	CHANNEL_CLOSING, /* waits for channel_closed() */
};

/* One writer, the worker; read by channel_get_stats(). */
struct channel_counters {
	_Atomic uint64_t packets_in, bytes_in, packets_out, bytes_out;
	_Atomic uint64_t signals_needless, signals_out, blocked, stalled, opens,
		failures, throttled;
};

/* An occasion to give way to the guest (channel_pace.c). */
struct channel_pace {
	uint64_t packets, away_ns; /* what it brought and took, averages */
	unsigned int skip, left; /* to be passed over, in all and yet */
};

struct channel {
	/* set once */
	struct channel_bus *bus;
	struct channel_params params;
	const struct channel_ops *ops;
	void *ctx;
	struct worker *worker;
	struct vmbus_owner owner;
	uint8_t monitor_id; /* or MONITOR_IDS */
	uint16_t trace; /* trace_device() of its name */

	/* the server's lock */
	struct vmbus_offer *offer; /* NULL: none, or it is released */
	bool rescinded; /* the offer is */
	bool again; /* offer it when it is released */
	bool wanted; /* channel_offer() was the last word of the owner */
	bool dying; /* channel_free() was called: nothing opens any more */
	bool orphan; /* ... and is done: freed when the offer is released */

	pthread_mutex_t lock;
	pthread_cond_t closed_cond;
	/* lock */
	GQueue events; /* struct channel_event, from the vmbus thread */
	bool deaf; /* channel_free() is done: no more of them */
	bool busy; /* not CHANNEL_CLOSED */

	/* any thread */
	struct channel_counters n;
	_Atomic uint64_t n_signals_in, n_signals_by_page;
	_Atomic int signalled_on; /* the processor, the last time */
	_Atomic uint64_t signalled_at; /* if poll_max_ns */
	_Atomic bool is_throttled; /* signals wake nobody */
	_Atomic uint64_t poll_now_ns; /* the worker's, up to poll_max_ns */
	_Atomic uint32_t target_vp;
	_Atomic bool is_open;
	_Atomic uint32_t ring_in_bytes, ring_out_bytes;

	/* the worker */
	enum channel_state state;
	struct worker_task control; /* there are events */
	struct worker_task data; /* look at the rings */
	struct worker_task wake;
	struct worker_fd doorbell; /* an eventfd, if has_doorbell */
	bool has_doorbell;
	struct worker_timer unstick; /* after opening */
	struct worker_timer retry; /* the guest does not signal room */
	struct worker_timer monitor; /* look at the monitor page */
	struct worker_timer reoffer; /* after a failure */
	struct worker_timer throttle; /* its end */
	struct channel_fault fault;
	unsigned int depth; /* of callbacks: who sends does not publish */
	bool failed; /* offer again after the release */
	bool stalled; /* packet() does not want the next one now */
	bool waiting; /* pending_send_sz is set */
	uint32_t want; /* the longest that had no room, 0: none */
	uint64_t active_at; /* a packet came or went; for polling */
	uint64_t signals_seen; /* of n_signals_in */
	uint64_t needless,
		needless_since; /* in this second, which began then */
	uint64_t surplus; /* signals more than packets, as was said */
	struct channel_pace pace_first, pace_last; /* channel_pace.c */
	struct channel_pace *judged; /* the guest was given way for it */
	uint64_t away_ns; /* ... so long */
	bool asks_signals; /* the ring was empty, and the mask went off */
	bool closed_by_guest;
	uint32_t write_at_close; /* the guest's index */

	/* ... while open */
	struct vmbus_open_request request;
	uint32_t version;
	uint64_t connection, resets; /* as the device is told */
	const struct gpadl *ring_gpadl;
	struct ring_map *map;
	struct ring_in in;
	struct ring_out out;
	uint8_t *copy; /* of the packet that is being looked at, max_in */
	uint8_t *interrupt_page; /* below VERSION_WIN8 */
	struct gmem_pin *interrupt_pin;
	GPtrArray *gpadls; /* that the device got */
	uint8_t *monitor_page; /* where the guest sets its bit, NULL: nowhere */
	struct gmem_pin *monitor_pin; /* of both pages */
};

/* The channel that a task or timer is in. */
#define CHANNEL_OF(at, member)                                               \
	((struct channel *)(void *)((uint8_t *)(at)-offsetof(struct channel, \
							     member)))

/* --- channel.c ----------------------------------------------------------- */

/** channel_server() - lock the server; channel_server_done() unlocks */
struct vmbus_server *channel_server(struct channel *ch);
void channel_server_done(struct channel *ch);

/* --- channel_open.c: on the worker --------------------------------------- */

void channel_set_state(struct channel *ch, enum channel_state state);

/* What the server asks for. */
void channel_handle_open(struct channel *ch,
			 const struct vmbus_open_request *request);
void channel_handle_close(struct channel *ch);
void channel_handle_gpadl_teardown(struct channel *ch, uint32_t id);

/**
 * channel_note_signals() - the guest has signalled @n times; any thread
 * @vp: by this VP, or TRACE_NO_VP
 */
void channel_note_signals(struct channel *ch, uint32_t vp, uint64_t n);

/* --- channel_io.c -------------------------------------------------------- */

/** channel_io_init() - the tasks and timers of a new channel */
void channel_io_init(struct channel *ch);

/** channel_io_closing() - before it stops: did the guest signal all it put? */
void channel_io_closing(struct channel *ch);

/** channel_io_start() - the guest knows that it is open: begin */
void channel_io_start(struct channel *ch);

/** channel_io_stop() - look at the rings no more */
void channel_io_stop(struct channel *ch);

/** channel_io_retarget() - interrupts go to another VP from now on */
void channel_io_retarget(struct channel *ch, uint32_t vp);

/** channel_enter(), channel_leave() - around each callback of the device */
void channel_enter(struct channel *ch);
void channel_leave(struct channel *ch);

/* --- channel_pace.c: on the worker --------------------------------------- */

/** channel_pace_reset() - nothing is known of the guest; not open */
void channel_pace_reset(struct channel *ch);

/** channel_pace_active() - a packet came or went */
void channel_pace_active(struct channel *ch);

/** channel_pace_signalled() - before the ring is looked at, its mask on */
void channel_pace_signalled(struct channel *ch);

/**
 * channel_pace_empty() - the ring is empty, its mask still on
 *
 * Return: was the guest given way, so that another look is worth it?
 */
bool channel_pace_empty(struct channel *ch);

/** channel_pace_took() - so many packets came of giving way, if it was given */
void channel_pace_took(struct channel *ch, unsigned int packets);

/** channel_pace_polls() - is an empty ring to be looked at again? */
bool channel_pace_polls(const struct channel *ch);

/* --- channel_monitor.c --------------------------------------------------- */

/** channel_monitor_init() - take a monitor if the device asks for one */
void channel_monitor_init(struct channel *ch);

/** channel_monitor_start() - the channel is open: look at the page */
void channel_monitor_start(struct channel *ch);

/** channel_monitor_move() - the guest has other pages, or none; open or not */
void channel_monitor_move(struct channel *ch);

/** channel_monitor_stop() - fine if it was not started */
void channel_monitor_stop(struct channel *ch);

/* --- channel_doorbell.c: on the worker; all are fine if there is none ------ */

/** channel_doorbell_start() - the guest may signal from now on */
void channel_doorbell_start(struct channel *ch);
void channel_doorbell_stop(struct channel *ch);

/** channel_doorbell_take() - count what has come, before that is looked at */
void channel_doorbell_take(struct channel *ch);

/** channel_doorbell_listen() - false: what comes wakes nobody, and is counted */
void channel_doorbell_listen(struct channel *ch, bool on);

/** channel_doorbell_beside() - may who rings it have this processor? */
bool channel_doorbell_beside(const struct channel *ch, int processor);

/* --- channel_bus.c ------------------------------------------------------- */

/** channel_bus_get_monitor() - the id of one, MONITOR_IDS: none is free */
uint8_t channel_bus_get_monitor(struct channel_bus *bus);

/** channel_bus_put_monitor() - MONITOR_IDS is fine */
void channel_bus_put_monitor(struct channel_bus *bus, uint8_t id);

#endif
