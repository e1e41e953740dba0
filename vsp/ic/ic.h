/* SPDX-License-Identifier: MIT */
/*
 * ic.h - what all integration components share: one message at a time, each
 * answered by the guest, after the two have agreed on versions.
 *
 * Theory of operation.  As soon as the guest opens the channel the host sends
 * what versions it knows, and the guest answers which it wants, or none.  From
 * then on the host sends requests and the guest answers each.  Linux' drivers
 * take one packet for each interrupt and keep one request in one buffer, so
 * there is never more than one on its way: the others wait here, a bounded
 * number of them.
 *
 * A guest need not answer at all, not even to the negotiation: for KVP, VSS
 * and file copy its kernel waits for a daemon that may never run (Linux
 * drivers/hv/hv_kvp.c).  So a request has a deadline from the moment it is
 * made, and its caller is told -ETIMEDOUT then.  The guest may still have the
 * message, though: until it has answered, or closed the channel, nothing else
 * is sent, and what comes too late is dropped.
 *
 * Each request that was taken is answered to its caller exactly once, whatever
 * becomes of guest and channel.
 *
 * Thread: ic_request() any; the service's callbacks and all answers are on the
 * channel's worker, no lock held, with the exception that ic_free() has.
 * Locks: one, a leaf.
 *
 * Source: Linux drivers/hv/hv_util.c, drivers/hv/channel_mgmt.c:
 * vmbus_prep_negotiate_resp(); OpenVMM hyperv_ic.
 */
#ifndef VSP_IC_IC_H
#define VSP_IC_IC_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/ic.h"

struct channel;
struct ic;
struct vsp_facts;
struct vsp_params;
struct worker;

/* Requests that wait or are on their way. */
#define IC_REQUESTS_MAX 64u

/* A message version, and the first VMbus version whose hosts know it. */
struct ic_version_row {
	struct ic_version version;
	uint32_t since; /* VERSION_… */
};

/* A kind of component; constant. */
struct ic_service {
	struct guid if_type;
	uint16_t type; /* ICMSGTYPE_… */
	uint32_t max_body; /* bytes of the longest message, without headers */
	const struct ic_version_row *versions; /* oldest first */
	unsigned int n_versions;
	uint64_t tick_ns; /* 0: no tick */

	/* Each may be NULL. */
	/* They agreed on @version: requests are sent from now on. */
	void (*ready)(void *ctx, struct ic_version version);
	/* Each tick_ns while ready and the processors run. */
	void (*tick)(void *ctx);
	/* The processors run again, after a pause; while ready. */
	void (*resumed)(void *ctx);
	/* The channel closed; all requests were answered. */
	void (*closed)(void *ctx);
	/*
	 * A request is sent now: write what could not be known before into
	 * its body.  Return: its bytes, at most as many as there were.
	 */
	uint32_t (*prepare)(void *ctx, void *body, uint32_t bytes);
};

/* What became of a request. */
struct ic_reply {
	/*
	 * 0: the guest answered.  -ETIMEDOUT it did not; -ENOTCONN it has no
	 * driver for it, or not yet; -ECONNRESET it closed the channel;
	 * -EPROTONOSUPPORT it wants none of our versions; -EMSGSIZE its ring
	 * is too small; -ECANCELED ic_free().
	 */
	int err;
	/* if it answered; never fewer bytes than the request had */
	uint32_t status; /* HV_… */
	const void *body;
	uint32_t bytes;
};

/* Return: 0; -errno the guest broke the protocol and loses the channel. */
typedef int (*ic_reply_fn)(void *ctx, const struct ic_reply *reply);

/**
 * ic_new() - a component that is not offered
 * @params:  copied
 * @service: borrowed for ever
 * @worker:  NULL: channel_bus_worker()
 * @tick_ns: instead of the service's, for tests; 0: the service's
 *
 * Return: owned; never NULL.
 */
struct ic *ic_new(const struct vsp_params *params,
		  const struct ic_service *service, void *ctx,
		  struct worker *worker, uint64_t tick_ns);

/** ic_offer() - Return: 0; -EBUSY the instance is taken */
int ic_offer(struct ic *ic);

/**
 * ic_free() - no callback runs any more when it returns
 *
 * What was asked for and not answered is answered with -ECANCELED, on this
 * thread.
 */
void ic_free(struct ic *ic);

/**
 * ic_request() - ask the guest for something
 * @body:       copied
 * @timeout_ns: from now; 0: none
 * @reply:      called once if this returns 0, and never from inside
 *
 * Any thread.
 * Return: 0; -EBUSY too many are waiting; -EMSGSIZE more than max_body;
 * -ECANCELED in ic_free().
 */
int ic_request(struct ic *ic, const void *body, uint32_t bytes,
	       uint64_t timeout_ns, ic_reply_fn reply, void *ctx);

/** ic_run() - vsp_ops.run: any thread */
void ic_run(struct ic *ic, bool running);

/** ic_facts() - what the report says of each.  Any thread */
void ic_facts(struct ic *ic, const struct vsp_facts *to);

struct channel *ic_channel(struct ic *ic);

/* vsp_ops of a device whose first member is its struct ic *. */
struct channel *ic_device_channel(void *device);
void ic_device_run(void *device, bool running);

/** ic_status_error() - a guest's status as 0 or -errno */
int ic_status_error(uint32_t status);

#endif
