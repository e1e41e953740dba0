/* SPDX-License-Identifier: MIT */
/*
 * hvsock.h - hv_sock: stream sockets between guest (AF_VSOCK in Linux) and
 * host, where they are Unix sockets.
 *
 * As Firecracker has it (docs/vsock.md):
 *
 * - The guest connects to port P of the host: it is connected to the Unix
 *   socket PATH_P.  Where nobody listens it is refused; Linux has no ear for
 *   that, and gives up after the time of its own (2 s).
 * - A program of the host connects to PATH and sends "CONNECT P\n": it is
 *   connected to who listens on port P of the guest, and reads "OK N\n" first,
 *   where N is its own port as the guest sees it.  If nobody listens its
 *   connection ends without that.
 *
 * Each connection is a channel, offered when it begins and taken back when it
 * ends.  Either side may end its half first; bytes wait where they are while
 * the other side does not read.
 *
 * Thread: all of it is done by a worker of its own.
 * Source: Linux net/vmw_vsock/hyperv_transport.c; OpenVMM
 * vmbus_server/src/hvsock.rs.
 */
#ifndef VSP_HVSOCK_H
#define VSP_HVSOCK_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

struct guid;
struct hvsock;
struct vsp_ops;
struct vsp_params;

/* Connections at a time, those that begin and end included. */
#define HVSOCK_CONNECTIONS_MAX 128u
/* Requests of the guest that may wait for the worker. */
#define HVSOCK_REQUESTS_MAX    32u
/* Ports that may be listened on, on either side. */
#define HVSOCK_PORT_MAX        0x7FFFFFFFu

struct hvsock_params {
	/*
	 * Nobody listens there; the thread that called hvsock_connect(), or
	 * the worker, no lock held.
	 */
	void (*refuse)(void *ctx, const struct guid *endpoint,
		       const struct guid *service);
	void *ctx;
	/* how long guest and host may take to connect, ns; 0: as they should */
	uint64_t timeout_ns;
};

struct hvsock_status {
	unsigned int n_connections;
	uint64_t from_guest, from_host; /* that were made */
	uint64_t refused; /* nobody listened, or there were too many */
	uint64_t timeouts;
	uint64_t bytes_to_guest, bytes_to_host;
};

/**
 * hvsock_new() - nobody can connect yet
 *
 * params->ready() is called for each connection that is made.
 * Return: owned; NULL with @error set.
 */
struct hvsock *hvsock_new(const struct vsp_params *params,
			  const struct hvsock_params *how, GError **error);

/** hvsock_free() - end all connections */
void hvsock_free(struct hvsock *h);

/**
 * hvsock_listen() - let guest and host connect; once
 * @path: of the socket, and where those begin that the guest connects to; one
 *        where nobody listens is replaced
 *
 * Thread: main.  Return: false with @error set.
 */
bool hvsock_listen(struct hvsock *h, const char *path, GError **error);

/**
 * hvsock_connect() - the guest wants to connect
 * @endpoint: what it is to find its socket by
 * @service:  the host's port, as a GUID
 *
 * Any thread.
 */
void hvsock_connect(struct hvsock *h, const struct guid *endpoint,
		    const struct guid *service);

/** hvsock_disconnected() - the guest is gone, as all it knew.  Any thread */
void hvsock_disconnected(struct hvsock *h);

/** hvsock_get_status() - any thread */
void hvsock_get_status(struct hvsock *h, struct hvsock_status *status);

extern const struct vsp_ops hvsock_ops;

#endif
