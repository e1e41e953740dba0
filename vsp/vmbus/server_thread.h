/* SPDX-License-Identifier: MIT */
/*
 * server_thread.h - the `vmbus` thread: drives the server.
 *
 * Theory of operation.  A vCPU thread that posts a message only puts it into
 * a bounded queue; the vmbus thread takes it out and gives it to the server.
 * Whatever comes of that and concerns an offer's owner (open, close …) the
 * vmbus thread carries out itself, with no lock held, by calling the owner's
 * vmbus_owner_ops.
 *
 * There are two locks.  The server's is held around each call into the server
 * (vmbus_thread_lock()), by whatever thread; while it is held messages are
 * posted to the SynIC, so it is above a VP's synic lock.  The queue's is a
 * leaf, as it is taken by vCPU threads in HvCallPostMessage.
 *
 * Back pressure goes from end to end, without a clock: when the SynIC's queue
 * is full the server keeps its messages and wants no more input; then the
 * queue here fills, and the guest gets HV_STATUS_INSUFFICIENT_BUFFERS and
 * tries again (Linux drivers/hv/connection.c:vmbus_post_msg()).  When the guest
 * has taken half of its messages the SynIC's room hook wakes the thread.
 *
 * INITIATE_CONTACT and UNLOAD never wait behind that: they end the
 * connection, so that what was posted before them has no meaning any more
 * and is dropped for them.  Else a crash kernel could wait for ever behind
 * what the kernel that crashed did not take.
 */
#ifndef VSP_VMBUS_SERVER_THREAD_H
#define VSP_VMBUS_SERVER_THREAD_H

#include <stdint.h>

#include <glib.h>

#include "vsp/vmbus/server.h"

struct gmem;
struct ports;
struct synic;
struct vmbus_thread;

/* Messages of the guest that may wait for the thread. */
#define VMBUS_IN_MAX 256u

/*
 * Who carries out the actions of an offer.  On the vmbus thread, no lock
 * held; answers (vmbus_offer_opened() …) at any time, between
 * vmbus_thread_lock() and vmbus_thread_unlock().
 */
struct vmbus_owner_ops {
	void (*open)(void *ctx, const struct vmbus_open_request *request);
	void (*close)(void *ctx);
	void (*modify)(void *ctx, uint32_t target_vp);
	/* may be NULL for an offer that is not monitored */
	void (*move_pages)(void *ctx);
	void (*gpadl_teardown)(void *ctx, uint32_t gpadl);
	/* the last call */
	void (*released)(void *ctx);
};

/* What vmbus_offer_params.ctx points to. */
struct vmbus_owner {
	const struct vmbus_owner_ops *ops;
	void *ctx;
};

/* What happens to the connection; on the vmbus thread, no lock held. */
struct vmbus_events {
	void (*connected)(void *ctx, const struct vmbus_connection *c);
	void (*offers_sent)(void *ctx);
	void (*disconnected)(void *ctx);
	void (*unloaded)(void *ctx);
	/* NULL: nobody listens */
	void (*tl_connect)(void *ctx, const struct guid *endpoint,
			   const struct guid *service, const struct guid *silo);
};

struct vmbus_thread_params {
	uint32_t max_version;
	unsigned int n_vps;
	uint64_t gpadl_bytes_max;
	struct gmem *mem;
	struct synic *synic;
	struct ports *ports;
	const struct vmbus_events *events;
	void *ctx; /* for events */
};

/**
 * vmbus_thread_new() - take message connections 1 and 4 and start, paused
 * @params: copied; what it points to must outlive the thread
 *
 * Thread: while no vCPU runs, as it sets the synic's room hook.
 *
 * Return: owned; NULL with @error set.
 */
struct vmbus_thread *vmbus_thread_new(const struct vmbus_thread_params *params,
				      GError **error);

/**
 * vmbus_thread_free() - close everything, stop and join
 *
 * Offers go without a further call of their owners.
 * Thread: as vmbus_thread_new().
 */
void vmbus_thread_free(struct vmbus_thread *t);

/**
 * vmbus_thread_pause() - take no messages of the guest
 *
 * When it returns none is being handled.  Owners go on, and what they answer
 * may be posted.
 * Fine if paused already.  Not from the vmbus thread.
 */
void vmbus_thread_pause(struct vmbus_thread *t);

/** vmbus_thread_resume() - go on */
void vmbus_thread_resume(struct vmbus_thread *t);

/**
 * vmbus_thread_reset() - the guest starts anew; while paused
 *
 * When it returns every channel is closed and nothing of the guest's memory
 * is in use.  Waits for owners to close.  Not from the vmbus thread.
 */
void vmbus_thread_reset(struct vmbus_thread *t);

/**
 * vmbus_thread_lock() - the server, for calls as an owner or to look
 *
 * Thread: any, also from a vmbus_owner_ops.  Hold it shortly.
 */
struct vmbus_server *vmbus_thread_lock(struct vmbus_thread *t);

/** vmbus_thread_unlock() - and have what came of the calls carried out */
void vmbus_thread_unlock(struct vmbus_thread *t);

#endif
