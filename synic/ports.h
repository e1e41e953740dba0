/* SPDX-License-Identifier: MIT */
/*
 * ports.h - connection ids and the host's ends behind them.
 *
 * HvCallPostMessage and HvCallSignalEvent end here: a connection id leads to
 * a message port or an event port, which is a callback.
 *
 * Thread: any.  Callbacks run on the caller's vCPU thread, with a lock held
 * that only ports_remove() and the ports_add calls wait for: they must be
 * short (queue it and write an eventfd) and must not call back into ports.
 *
 * Source: TLFS "HvCallPostMessage", "HvCallSignalEvent", "Ports and
 * Connections".
 */
#ifndef SYNIC_PORTS_H
#define SYNIC_PORTS_H

#include <stdint.h>

#include "proto/hv_tlfs.h"

struct hv_input_post_message;
struct ports;

/* More than a partition's 2048 channels and their control ports ever need. */
#define PORTS_MAX 4096

/*
 * A message for the port: a private copy that was checked (type, size).
 * Return: what the guest gets, e.g. HV_STATUS_INSUFFICIENT_BUFFERS when full.
 */
typedef hv_status_t (*port_message_fn)(void *ctx, uint32_t vp,
				       const struct hv_input_post_message *msg);

/* A signal for the port; flag is below the port's n_flags. */
typedef hv_status_t (*port_event_fn)(void *ctx, uint32_t vp, uint16_t flag);

struct ports *ports_new(void);
void ports_free(struct ports *ports);

/**
 * ports_add_message() - let messages to @conn_id go to @fn
 * @conn_id: 24 bits
 *
 * Return: 0; -EEXIST the id is taken, by either kind; -EINVAL not an id;
 * -ENOSPC PORTS_MAX are there.
 */
int ports_add_message(struct ports *ports, uint32_t conn_id, port_message_fn fn,
		      void *ctx);

/**
 * ports_add_event() - let signals to @conn_id go to @fn
 * @n_flags: flags 0 to @n_flags - 1 are the port's
 *
 * Return: as ports_add_message().
 */
int ports_add_event(struct ports *ports, uint32_t conn_id, uint16_t n_flags,
		    port_event_fn fn, void *ctx);

/**
 * ports_remove() - take a port away
 *
 * When it returns no callback of it runs or will run.  Fine if there is none.
 * Not from a callback.
 */
void ports_remove(struct ports *ports, uint32_t conn_id);

/**
 * ports_post_message() - HvCallPostMessage
 * @vp:  the caller
 * @msg: a private copy of the input block; nothing in it was checked
 *
 * Return: HV_STATUS_INVALID_PARAMETER (type 0 or with the high bit, size
 * above 240, a reserved field set), HV_STATUS_INVALID_CONNECTION_ID,
 * HV_STATUS_INVALID_PORT_ID (an event port), or what the port said.
 */
hv_status_t ports_post_message(struct ports *ports, uint32_t vp,
			       const struct hv_input_post_message *msg);

/**
 * ports_signal_event() - HvCallSignalEvent
 * @vp:      the caller
 * @conn_id: raw; a bit above the 24 is an invalid id
 * @flag:    raw
 *
 * No allocation; one lock that is the caller's alone in practice.
 *
 * Return: HV_STATUS_INVALID_CONNECTION_ID, HV_STATUS_INVALID_PORT_ID (a
 * message port), HV_STATUS_INVALID_PARAMETER (flag out of the port's range),
 * or what the port said.
 */
hv_status_t ports_signal_event(struct ports *ports, uint32_t vp,
			       uint32_t conn_id, uint16_t flag);

#endif
