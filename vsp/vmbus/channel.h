/* SPDX-License-Identifier: MIT */
/*
 * channel.h - what a device on VMbus is written against.
 *
 * A device (a VSP) makes a channel with its class and instance, offers it, and
 * from then on is called: open when the guest's driver opens it, packet for
 * each packet, close when the driver lets go.  It sends and completes with the
 * calls below.  ARCHITECTURE.md, "add a VSP", walks through one.
 *
 * Thread.  A channel belongs to one worker (worker.h); all callbacks run on
 * it, one at a time, with no lock held, and all calls but those marked "any
 * thread" are made on it (asserted).  So a device needs no lock of its own
 * for what only its callbacks touch.  Slow devices share channel_bus_worker();
 * there nothing may block.
 *
 * Packets.  What packet() gets was copied out of the ring, once, and checked:
 * neither the guest nor anything else changes it until the callback returns,
 * and nothing of it stays good afterwards.  That costs one memcpy of at most
 * max_in bytes and is all that there is to know about a guest that writes to
 * a packet while it is being looked at.  Bulk data that a packet only points
 * to (packet->gpa, a GPADL) stays the guest's memory: it may change at any
 * time, so it is moved (preadv() and the like) or copied out, never parsed in
 * place.  Who moves it, on whichever thread, pins it meanwhile (gmem_pin()).
 *
 * Sending.  What is sent in a callback of the channel becomes visible to the
 * guest when the callback, or the batch that it is part of, is over: one
 * index update and at most one interrupt for all of it.  What is sent
 * elsewhere on the worker (a timer, a descriptor) becomes visible at once.
 *
 * Back pressure.  A ring that is full makes the calls that send return
 * -EAGAIN.  Two ways out, and a device picks one for each case:
 *
 * - packet() returns -EAGAIN: the packet stays in the ring and is delivered
 *   anew when there is room to send, or after channel_resume().  It is copied
 *   anew, too, and may have changed: return -EAGAIN before anything was done.
 * - it keeps what it could not send, in memory that it bounded, and sends it
 *   in writable().
 *
 * Nothing here queues for a device.
 *
 * A guest that breaks the protocol, be it that of rings or the device's own
 * (packet() returns another error), loses the channel and nothing else:
 * channel_fail() logs and counts it, takes no more packets, rescinds the offer
 * and makes it anew, a second after the guest has let go.
 */
#ifndef VSP_VMBUS_CHANNEL_H
#define VSP_VMBUS_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <glib.h>

#include "proto/vmbus.h"
#include "vsp/vmbus/packet.h"

struct channel;
struct channel_bus;
struct gmem;
struct gpadl;
struct ports;
struct synic;
struct vmbus_thread;
struct worker;

/* --- what all channels of a VM share -------------------------------------- */

/*
 * Signals past whoever runs the processors (channel_doorbell.c); @ctx is
 * channel_bus_params.ctx.  On a worker.
 */
struct doorbell_ops {
	/*
	 * Signals to @connection_id are written to @fd, an eventfd, from now
	 * on, or no more.  Return: 0 or -errno: they come as ever.
	 */
	int (*set)(void *ctx, uint32_t connection_id, int fd, bool on);
	/* @n signals came that way. */
	void (*count)(void *ctx, uint64_t n);
	/* Did a processor of the guest run on @processor when last seen? */
	bool (*runs_on)(void *ctx, int processor);
};

struct channel_bus_params {
	struct vmbus_thread *thread;
	struct gmem *mem;
	struct synic *synic;
	struct ports *ports;
	/*
	 * Signals for nothing that a channel may get in a second before it is
	 * throttled: 0: it never is.
	 */
	unsigned int needless_max;
	/*
	 * Many pages of rings wait for gmem_settle(): have it called, with
	 * every vCPU stopped.  Any thread, no lock held; NULL: nobody does,
	 * and in the end there may be no new rings (RING_MAPPINGS_MAX).
	 */
	void (*settle)(void *ctx);
	/* NULL: each signal is a call of ports_signal_event() */
	const struct doorbell_ops *doorbell;
	void *ctx;
};

/**
 * channel_bus_new() - and start the worker of slow devices, "vsp"
 * @params: copied; what it points to must outlive the bus
 *
 * Order at the end: channel_free() for all, then vmbus_thread_free(), then
 * channel_bus_free().
 *
 * Return: owned; NULL with @error set.
 */
struct channel_bus *channel_bus_new(const struct channel_bus_params *params,
				    GError **error);
void channel_bus_free(struct channel_bus *bus);

/** channel_bus_worker() - the one that slow devices share; borrowed */
struct worker *channel_bus_worker(struct channel_bus *bus);

/** channel_bus_mem() - guest RAM, for gpa_ranges_iov() and such; borrowed */
struct gmem *channel_bus_mem(struct channel_bus *bus);

/* --- what a device says --------------------------------------------------- */

/* How the guest opened it. */
struct channel_open {
	uint32_t version; /* VERSION_… of the connection */
	/*
	 * Which connection that is, and how often the machine was reset before
	 * it: another connection is another kernel, by kexec unless the
	 * machine was reset.
	 */
	uint64_t connection, resets;
	const uint8_t
		*userdata; /* MAX_USER_DEFINED_BYTES; until open returns */
};

/* Each may be NULL.  On the channel's worker. */
struct channel_ops {
	/*
	 * The guest opens it.  What is sent here is seen as soon as the guest
	 * knows that it is open.
	 * Return: 0; -errno the guest is told that it cannot be opened, GPADLs
	 * that were got are put, and close() does not follow.
	 */
	int (*open)(void *ctx, const struct channel_open *open);
	/*
	 * A packet came.
	 * Return: 0; -EAGAIN not now (see above); any other: the guest broke
	 * the protocol, see channel_fail().  So what a call that sends
	 * returned may be returned.
	 */
	int (*packet)(void *ctx, const struct packet *packet);
	/* For now these were all packets: submit what was collected. */
	void (*batch_end)(void *ctx);
	/* A call that sends returned -EAGAIN; there is room for it now. */
	void (*writable)(void *ctx);
	/* channel_wake() was called, open or not. */
	void (*wake)(void *ctx);
	/* The guest wants a GPADL back: channel_gpadl_put() soon. */
	void (*gpadl_teardown)(void *ctx, const struct gpadl *gpadl);
	/*
	 * The guest closed it, or it failed, or was rescinded.  Packets come
	 * no more and nothing can be sent.  What is in flight on the guest's
	 * memory must come to an end, as the guest will use it for other
	 * things.
	 * Return: 0 that is so; -EINPROGRESS channel_closed() will be called
	 * when it is.
	 */
	int (*close)(void *ctx);
	/*
	 * The guest has let go of a rescinded offer.  It may be offered again,
	 * or freed right here.
	 */
	void (*released)(void *ctx);
};

struct channel_params {
	const char *name; /* for logs and reports: "keyboard"; copied */
	struct guid if_type;
	/* unique among all devices; a sub-channel has its primary's */
	struct guid if_instance;
	uint16_t sub_channel_index; /* 0: a primary */
	uint16_t chn_flags; /* VMBUS_CHANNEL_… */
	uint16_t mmio_megabytes;
	uint32_t order; /* offers are sent by rising order, then class */
	uint8_t user_def[MAX_USER_DEFINED_BYTES];
	/*
	 * Longest packets, without trailer.  A longer one from the guest is
	 * against the protocol; 0: 20 KiB.  A longer one to the guest is
	 * refused, as Linux' drivers have buffers of fixed size (max_pkt_size;
	 * beyond it the stream is garbage for them); 0: 4096, their default.
	 */
	uint32_t max_in, max_out;
	/* NULL: channel_bus_worker() */
	struct worker *worker;
	/*
	 * How long to look at an empty ring before the guest is asked to
	 * signal again, ns: costs a processor, saves the guest's exits.
	 */
	uint64_t poll_ns;
	/*
	 * The most that it is looked at besides, ns, 0 not at all: for as long
	 * as the guest's next packet has lately been worth waiting for.  Of
	 * use where it comes before a sleeping thread would be awake.
	 */
	uint64_t poll_max_ns;
	/*
	 * Where the guest's thread and ours share a processor, a signal makes
	 * it stop at each packet.  Then it may go on before the ring is looked
	 * at, and before it is asked to signal again, as long as that brings
	 * more packets (channel_pace.c).
	 */
	bool gives_way;
	/*
	 * Signals come often enough to be worth a doorbell, which takes KVM a
	 * while at each open and close (struct doorbell_ops).
	 */
	bool doorbell;
	/*
	 * Not 0: the guest may signal by a bit in its monitor page, without an
	 * exit, and the host looks at the page that often, all the time.
	 * Where the guest gave no page, or all 128 bits are taken, it signals
	 * as always.
	 */
	uint16_t monitor_latency_100ns;
};

/* --- life ------------------------------------------------------------------ */

/**
 * channel_new() - a channel that is not offered
 * @params: copied
 * @ops:    borrowed as long as the channel
 *
 * Any thread.  Return: owned; never NULL.
 */
struct channel *channel_new(struct channel_bus *bus,
			    const struct channel_params *params,
			    const struct channel_ops *ops, void *ctx);

/**
 * channel_free() - rescind it, wait until it is closed, forget it
 *
 * When it returns no callback runs or will run.  Does not wait for the guest
 * to let go.  Any thread that holds no lock and is not the worker of another
 * channel that this one's close waits for.  On its own worker only when it is
 * closed (in released(), say).
 */
void channel_free(struct channel *ch);

/**
 * channel_offer() - offer it to the guest, now or when one connects
 *
 * While a rescinded offer of it is not released yet, this waits for that.
 * Fine if it is offered already.  Any thread.
 *
 * Return: 0; -EBUSY the instance and index are another's.
 */
int channel_offer(struct channel *ch);

/**
 * channel_rescind() - take the offer back: the device goes away
 *
 * close() follows if it is open, and released() in any case.  Fine if it is
 * not offered.  Any thread.
 */
void channel_rescind(struct channel *ch);

/**
 * channel_revoke() - take the offer back, and go on until the guest closes it
 *
 * For a device whose driver has to see its requests completed before it lets
 * go.  channel_rescind() or channel_free() closes it without the guest.  Any
 * thread.
 */
void channel_revoke(struct channel *ch);

/** channel_closed() - answer to close() that returned -EINPROGRESS */
void channel_closed(struct channel *ch);

/**
 * channel_fail() - the guest broke the protocol: give the channel up
 * @reason: for the log, "packet of 3 bytes"
 *
 * As the top of the file has it; close() follows.  Fine if it is not open.
 */
void channel_fail(struct channel *ch, const char *reason);

/** channel_is_open() - may be sent on */
bool channel_is_open(const struct channel *ch);

/** channel_resume() - deliver again what packet() returned -EAGAIN for */
void channel_resume(struct channel *ch);

/** channel_wake() - have wake() called, once for any number.  Any thread */
void channel_wake(struct channel *ch);

struct worker *channel_worker(const struct channel *ch);

/* --- sending ---------------------------------------------------------------- */

/*
 * All return: 0; -EAGAIN no room, writable() will be called; -EMSGSIZE longer
 * than max_out or than the ring; -ENOTCONN it is not open.
 */

/** channel_send() - an in-band packet that nobody answers (transaction 0) */
int channel_send(struct channel *ch, const void *data, uint32_t bytes);

/**
 * channel_request() - an in-band packet that the guest is to complete
 * @trans_id: what the guest's completion will have; not 0
 */
int channel_request(struct channel *ch, uint64_t trans_id, const void *data,
		    uint32_t bytes);

/**
 * channel_complete() - answer a packet with wants_completion
 * @trans_id: the packet's.  Once per packet: some guests take it for a pointer
 */
int channel_complete(struct channel *ch, uint64_t trans_id, const void *data,
		     uint32_t bytes);

/** channel_send_pipe() - an in-band packet with a pipe header; 0 bytes: end */
int channel_send_pipe(struct channel *ch, const void *data, uint32_t bytes);

/** channel_send_packet() - any other (packet.h), transfer pages for one */
int channel_send_packet(struct channel *ch, const struct packet_out *packet);

/**
 * channel_has_room() - would a packet with @bytes of payload go now?
 *
 * If not, writable() will be called.  To ask before a packet is taken that
 * has to be answered.
 */
bool channel_has_room(struct channel *ch, uint32_t bytes);

/**
 * channel_shares_processor() - does the guest stand still while we run?
 *
 * As it was when it signalled last.  Then there is no use in having it see
 * first answers early.
 */
bool channel_shares_processor(const struct channel *ch);

/**
 * channel_flush() - what was sent so far is shown now, in a callback, too
 *
 * So that the guest can begin with the first answers of many.
 */
void channel_flush(struct channel *ch);

/**
 * channel_hold() - show nothing of what is sent before channel_unhold()
 *
 * For a timer or a descriptor that sends more than one packet.  In a callback
 * it is so anyway.  Both in one task, timer or descriptor callback.
 */
void channel_hold(struct channel *ch);
void channel_unhold(struct channel *ch);

/* --- the guest's memory ------------------------------------------------------ */

/**
 * channel_gpadl_get() - use a GPADL of this channel
 *
 * Return: unchanged and there until it is put; NULL when there is none, or
 * the guest is taking it back.  What is not put when close() is over is put
 * then.
 */
const struct gpadl *channel_gpadl_get(struct channel *ch, uint32_t id);

/** channel_gpadl_put() - done with it, no I/O is in flight on it */
void channel_gpadl_put(struct channel *ch, const struct gpadl *gpadl);

/* --- looking ----------------------------------------------------------------- */

struct channel_stats {
	uint64_t packets_in, bytes_in;
	uint64_t packets_out, bytes_out;
	uint64_t signals_in; /* the guest signalled */
	uint64_t signals_by_page; /* ... by its bit in the monitor page */
	uint64_t signals_needless; /* ... and there was nothing to do */
	uint64_t throttled; /* times that they were not looked at for it */
	uint64_t signals_out; /* the guest was interrupted */
	uint64_t blocked; /* times that the ring to the guest was full */
	uint64_t stalled; /* times that packet() returned -EAGAIN */
	uint64_t opens;
	uint64_t failures; /* channel_fail() */
	bool open;
	uint32_t target_vp; /* while open */
	uint32_t ring_in_bytes, ring_out_bytes; /* of data, when last open */
	uint64_t poll_ns; /* as of channel_params */
	uint64_t poll_now_ns; /* at present, up to its poll_max_ns */
	uint16_t relid; /* 0: the guest does not know it */
	bool is_monitored; /* it has a bit in the monitor pages */
	uint8_t monitor_id;
	uint16_t monitor_latency_100ns;
};

/** channel_get_stats() - any thread; not one moment, but each number is so */
void channel_get_stats(struct channel *ch, struct channel_stats *stats);

const char *channel_name(const struct channel *ch);

/** channel_trace() - its number in the trace (base/trace.h) */
uint16_t channel_trace(const struct channel *ch);

#endif
