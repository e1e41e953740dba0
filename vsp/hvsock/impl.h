/* SPDX-License-Identifier: MIT */
/*
 * impl.h - the insides of hv_sock, for the files that it is made of:
 * hvsock.c (who connects) and conn.c (one connection).
 */
#ifndef VSP_HVSOCK_IMPL_H
#define VSP_HVSOCK_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include "proto/guids.h"
#include "vsp/hvsock/hvsock.h"
#include "vsp/vmbus/worker.h"
#include "vsp/vsp.h"

/* Longest packet, in both directions (Linux: HVS_MTU_SIZE). */
#define DATA_MAX       16384u
/* "CONNECT 4294967295\n" and some blanks */
#define LINE_MAX_BYTES 32u
/* How long a guest may take to open, who connects from the host to say whom. */
#define TIMEOUT_NS     (5 * NSEC_PER_SEC)

struct hvsock_request {
	struct guid endpoint, service;
};

struct hvsock {
	/* set once */
	struct vsp_params params;
	struct hvsock_params how;
	struct worker *worker;

	/* set while the worker does not look */
	char *path; /* NULL: not listening */

	/* the worker */
	struct worker_fd listener;
	struct worker_timer breath; /* the listener is not looked at */
	GQueue connections; /* struct connection */
	uint32_t next_port;
	bool stopping; /* connections are freed by hvsock_free() */
	struct worker_task work; /* requests wait, or the guest is gone */
	uint8_t buffer[DATA_MAX];

	pthread_mutex_t lock;
	/* lock */
	struct hvsock_request requests[HVSOCK_REQUESTS_MAX];
	unsigned int n_requests; /* all behind is_gone */
	bool is_gone; /* who has the connections that there are */

	/* any thread */
	_Atomic unsigned int n_connections;
	_Atomic uint64_t from_guest, from_host, refused, timeouts;
	_Atomic uint64_t bytes_to_guest, bytes_to_host;
};

struct connection {
	/* set once */
	struct hvsock *h;
	bool from_host;

	/* the worker */
	GList link;
	struct channel *ch; /* NULL: whom it wants is not known yet */
	struct worker_fd socket; /* -1: it is over */
	struct worker_timer timer;
	bool is_open; /* bytes flow */
	bool is_over; /* until the guest has let go of the channel */
	char line[LINE_MAX_BYTES]; /* from the host, before it is open */
	uint32_t n_line;
	uint32_t port; /* the host's */
	/* to the guest */
	uint32_t chunk; /* bytes of a packet, at most */
	bool blocked; /* no room in the ring */
	bool host_end; /* the host sends no more */
	bool end_sent; /* and the guest knows */
	/* to the host */
	bool guest_end; /* the guest sends no more */
	bool host_gone; /* nobody reads it any more */
	uint8_t *rest; /* of a packet, that the socket did not take */
	uint32_t rest_at, rest_bytes;
};

/* --- hvsock.c ---------------------------------------------------------------- */

/** hvsock_remove() - @c is over, and the guest has let go of it */
void hvsock_remove(struct connection *c);

/* --- conn.c: the worker ------------------------------------------------- */

/**
 * connection_new() - a connection with nobody at the other end
 * @fd: the host's; taken
 */
struct connection *connection_new(struct hvsock *h, int fd, bool from_host);

/** connection_free() - its channel is gone, or there was none */
void connection_free(struct connection *c);

/** connection_read_line() - have the host say whom it wants */
void connection_read_line(struct connection *c);

/**
 * connection_offer() - a channel for it
 *
 * Return: 0; -EBUSY the guest uses that endpoint.
 */
int connection_offer(struct connection *c, const struct guid *service,
		     const struct guid *endpoint);

/** connection_end() - it is over; @c may be gone after it */
void connection_end(struct connection *c);

#endif
