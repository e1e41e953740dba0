/* SPDX-License-Identifier: MIT */
/*
 * impl.h - the insides of a controller, for the files that it is made
 * of: storvsp.c (life, units), protocol.c (packets but commands) and
 * io.c (commands).
 */
#ifndef VSP_STORVSP_IMPL_H
#define VSP_STORVSP_IMPL_H

#include <stdatomic.h>

#include "base/fault.h"
#include "devices/block/block.h"
#include "proto/storvsp.h"
#include "vsp/scsi/scsi.h"
#include "vsp/storvsp/storvsp.h"
#include "vsp/vmbus/channel.h"
#include "vsp/vmbus/worker.h"

#define STORVSP_CHANNELS_MAX (1 + STORVSP_SUB_CHANNELS_MAX)

struct storvsp_channel;

/* A command in flight. */
struct storvsp_request {
	struct scsi_request scsi; /* first */
	struct storvsp_channel *channel;
	struct storvsp_request *next; /* free ones */
	struct storvsp_unit *unit; /* NULL: none is used */
	uint64_t trans_id;
	uint32_t bytes; /* of the packet, and of its answer */
	uint64_t since; /* its channel's now when it was taken */
	bool absent; /* its unit is not there */
	struct gmem_pin *pin; /* of what iov points to */
	/* What goes wrong with it, if anything; fault.c */
	bool is_faulty;
	struct fault_hit fault;
	struct storvsp_request *next_late;
	uint64_t due; /* CLOCK_MONOTONIC, ns */
	struct vstor_packet packet; /* the answer is made of it */
	struct iovec iov[BLOCK_IOV_MAX];
};

/* Queues of a unit that have to go, on each channel. */
struct storvsp_change {
	struct storvsp *s;
	uint8_t lun;
	bool remove; /* the unit goes, too */
	_Atomic unsigned int left; /* channels that are not done */
	void (*done)(void *ctx);
	void *ctx;
};

/* A unit as one channel sees it. */
struct storvsp_unit {
	struct storvsp_channel *channel;
	struct scsi_lun *lun; /* NULL: none is there */
	struct block_queue *queue; /* made when it is first used */
	struct worker_fd fd; /* of the queue */
	unsigned int in_flight;
	/* Its queue has to go when nothing is in flight; NULL: no. */
	struct storvsp_change *change;
	uint64_t gone_since; /* it was taken away from a driver that knew it */
};

/* Written by the channel's worker; read by any. */
struct storvsp_counters {
	_Atomic uint64_t errors; /* commands that did not end well */
	_Atomic uint64_t absent; /* commands for units that are not there */
	_Atomic uint64_t bytes_read, bytes_written;
	_Atomic uint64_t refused;
	_Atomic unsigned int in_flight;
};

/* All but the counters is the worker's. */
struct storvsp_channel {
	struct storvsp *s;
	struct worker *worker;
	struct channel *ch;
	struct storvsp_counters n;
	unsigned int in_flight;
	unsigned int holds; /* of who looks whether it is idle at the end */
	bool stalled; /* packet() was not taken, and there will be no writable() */
	bool closing; /* close() waits for what is in flight */
	bool draining; /* a reset does */
	unsigned int unkicked; /* commands since the last kick */
	/* CLOCK_MONOTONIC, ns, a few commands ago: for what takes seconds. */
	uint64_t now;
	unsigned int answers; /* to commands, ever: for their steps */
	uint64_t touched; /* units whose queues want a kick, a bit each */
	struct worker_task drain, resume;
	struct storvsp_request *late; /* done, but not yet for the guest */
	struct worker_timer late_timer;
	uint32_t lie; /* FAULT_STORVSC_… in the next answer; FAULT_ANY: none */
	struct storvsp_request *requests, *free;
	struct storvsp_unit units[STORVSP_LUNS];
};

enum storvsp_state {
	STORVSP_BEGIN, /* wants BEGIN_INITIALIZATION */
	STORVSP_VERSION,
	STORVSP_PROPERTIES,
	STORVSP_END,
	STORVSP_READY,
};

struct storvsp {
	/* set once */
	struct storvsp_params params;
	struct channel_bus *bus;
	struct gmem *mem;
	unsigned int n_channels; /* also those that are not offered */
	struct storvsp_channel *channels[STORVSP_CHANNELS_MAX]; /* 0: primary */

	/* any thread */
	_Atomic(enum storvsp_state) state; /* written by the primary's worker */
	_Atomic uint16_t version; /* ... 0: none */
	_Atomic unsigned int sub_channels; /* ... that are offered */
	_Atomic uint64_t resets;
	_Atomic bool had_io;
	_Atomic bool notice; /* the guest has to be told of a change */
	/* Units that went, and the guest's driver may still believe in. */
	_Atomic uint64_t unseen;
	_Atomic bool resetting; /* no commands are taken */
	_Atomic unsigned int reset_left; /* channels that do not drain yet */

	/* the primary's worker */
	uint32_t notice_bytes; /* of a packet, as the guest has them */
	/* ... the reset that is going on */
	uint64_t reset_trans_id;
	struct vstor_packet reset_packet;
	uint32_t reset_bytes;

	_Atomic bool changing[STORVSP_LUNS]; /* a change of it is not over */
	_Atomic(struct scsi_lun *) luns[STORVSP_LUNS]; /* written by main */
};

static inline bool storvsp_is_primary(const struct storvsp_channel *c)
{
	return c == c->s->channels[0];
}

/* The only writer of a counter. */
static inline void storvsp_count(_Atomic uint64_t *counter, uint64_t n)
{
	uint64_t old = atomic_load_explicit(counter, memory_order_relaxed);

	atomic_store_explicit(counter, old + n, memory_order_relaxed);
}

static inline uint64_t storvsp_unit_bit(const struct storvsp_unit *u)
{
	return 1ull << (u - u->channel->units);
}

/* The channel that a task is in. */
#define STORVSP_CHANNEL_OF(at, member)                                \
	((struct storvsp_channel *)(void *)((uint8_t *)(at)-offsetof( \
		struct storvsp_channel, member)))

/* --- storvsp.c -------------------------------------------------------------- */

/** storvsp_unit_idle() - nothing is in flight on it: a change that waits goes on */
void storvsp_unit_idle(struct storvsp_unit *u);

/* --- protocol.c ------------------------------------------------------ */

extern const struct channel_ops storvsp_channel_ops;

/**
 * storvsp_has_room() - for one packet more than what has to be answered
 *
 * If not, the packet is to come again: it does.
 */
bool storvsp_has_room(struct storvsp_channel *c);

/** storvsp_idle() - nothing is in flight on @c: who waits for that goes on */
void storvsp_idle(struct storvsp_channel *c);

/** storvsp_run_drain(), storvsp_run_resume() - the tasks of a channel */
void storvsp_run_drain(struct worker_task *task);
void storvsp_run_resume(struct worker_task *task);

/* --- io.c ------------------------------------------------------------ */

/** storvsp_requests_init() - the table of requests, all free */
void storvsp_requests_init(struct storvsp_channel *c);

/**
 * storvsp_execute() - begin a command
 * @vstor: EXECUTE_SRB
 *
 * Return: as a channel's packet().
 */
int storvsp_execute(struct storvsp_channel *c, const struct packet *packet,
		    const struct vstor_packet *vstor);

/** storvsp_kick() - what was begun goes to the host */
void storvsp_kick(struct storvsp_channel *c);

/**
 * storvsp_hurry() - while @on somebody waits for all that is in flight
 *
 * Nothing is held back any more, for limits or errors (block_queue_drain()).
 */
void storvsp_hurry(struct storvsp_channel *c, bool on);

/** storvsp_retry_channel() - what a policy kept of it is tried again */
void storvsp_retry_channel(struct storvsp_channel *c);

/** storvsp_answer() - @r has its result: tell the guest, and be done with it */
void storvsp_answer(struct storvsp_request *r);

/** storvsp_forget() - as storvsp_answer(), but the guest is told nothing */
void storvsp_forget(struct storvsp_request *r);

/** storvsp_drop_queue() - nothing may be in flight; fine if there is none */
void storvsp_drop_queue(struct storvsp_unit *u);

/* --- fault.c --------------------------------------------------------- */

/** storvsp_fault_init() - nothing is late */
void storvsp_fault_init(struct storvsp_channel *c);

/**
 * storvsp_fault_begin() - a command that was decoded
 *
 * Return: true: it fails, and has its result.
 */
bool storvsp_fault_begin(struct storvsp_request *r);

/** storvsp_fault_done() - Return: true: the guest is not told now, or never */
bool storvsp_fault_done(struct storvsp_request *r);

/** storvsp_fault_lie() - in the answer to a command, if a rule wants it */
void storvsp_fault_lie(struct storvsp_request *r);

/** storvsp_fault_hurry() - what is late is done now */
void storvsp_fault_hurry(struct storvsp_channel *c);

/**
 * storvsp_fault_control() - a request other than a command
 * @status: out, of a failure
 *
 * Return: false, and all goes its way; true with FAULT_DROP or FAULT_FAIL in
 * @action.
 */
bool storvsp_fault_control(struct storvsp_channel *c, uint32_t operation,
			   enum fault_action *action, uint32_t *status);

/** storvsp_fault_answer() - in the answer to that request */
void storvsp_fault_answer(struct storvsp_channel *c, struct vstor_packet *p);

#endif
