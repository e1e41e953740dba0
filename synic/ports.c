/* SPDX-License-Identifier: MIT */
/*
 * Theory of operation.  Every doorbell of every ring comes by here, on as
 * many vCPUs as there are, while ports come and go a few times in the life of
 * a VM.  So the lock is split: a reader takes the one mutex of its VP, which
 * in practice nobody else wants, and a writer takes all of them.  Having them
 * all also means that no callback is running, which is what ports_remove()
 * promises.
 */
#include "synic/ports.h"

#include <errno.h>
#include <pthread.h>

#include <glib.h>

#include "proto/hv_hypercall.h"

#define CACHE_LINE 64

/* VPs beyond share; a power of two. */
#define N_LOCKS 32

#define MESSAGE_TYPE_HYPERVISOR (1u << 31)

struct port {
	port_message_fn on_message; /* NULL in an event port */
	port_event_fn on_event; /* NULL in a message port */
	uint16_t n_flags;
	void *ctx;
};

struct reader_lock {
	pthread_mutex_t mutex;
} __attribute__((aligned(CACHE_LINE)));

struct ports {
	struct reader_lock locks[N_LOCKS];
	GHashTable *by_id; /* read with one lock, written with all */
};

static pthread_mutex_t *lock_of(struct ports *ports, uint32_t vp)
{
	return &ports->locks[vp % N_LOCKS].mutex;
}

static void lock_all(struct ports *ports)
{
	for (unsigned int i = 0; i < N_LOCKS; i++)
		pthread_mutex_lock(&ports->locks[i].mutex);
}

static void unlock_all(struct ports *ports)
{
	for (unsigned int i = N_LOCKS; i-- > 0;)
		pthread_mutex_unlock(&ports->locks[i].mutex);
}

struct ports *ports_new(void)
{
	struct ports *ports = g_aligned_alloc0(1, sizeof(*ports), CACHE_LINE);

	for (unsigned int i = 0; i < N_LOCKS; i++)
		pthread_mutex_init(&ports->locks[i].mutex, NULL);
	ports->by_id = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	return ports;
}

void ports_free(struct ports *ports)
{
	if (!ports)
		return;
	g_hash_table_destroy(ports->by_id);
	for (unsigned int i = 0; i < N_LOCKS; i++)
		pthread_mutex_destroy(&ports->locks[i].mutex);
	g_aligned_free(ports);
}

static int add(struct ports *ports, uint32_t conn_id, const struct port *port)
{
	int err = 0;

	if (conn_id & ~HV_CONNECTION_ID_MASK)
		return -EINVAL;
	lock_all(ports);
	if (g_hash_table_contains(ports->by_id, GUINT_TO_POINTER(conn_id)))
		err = -EEXIST;
	else if (g_hash_table_size(ports->by_id) >= PORTS_MAX)
		err = -ENOSPC;
	else
		g_hash_table_insert(ports->by_id, GUINT_TO_POINTER(conn_id),
				    g_memdup2(port, sizeof(*port)));
	unlock_all(ports);
	return err;
}

int ports_add_message(struct ports *ports, uint32_t conn_id, port_message_fn fn,
		      void *ctx)
{
	const struct port port = {.on_message = fn, .ctx = ctx};

	return add(ports, conn_id, &port);
}

int ports_add_event(struct ports *ports, uint32_t conn_id, uint16_t n_flags,
		    port_event_fn fn, void *ctx)
{
	const struct port port = {
		.on_event = fn, .n_flags = n_flags, .ctx = ctx};

	return add(ports, conn_id, &port);
}

void ports_remove(struct ports *ports, uint32_t conn_id)
{
	lock_all(ports);
	g_hash_table_remove(ports->by_id, GUINT_TO_POINTER(conn_id));
	unlock_all(ports);
}

/* With a lock of @ports held.  An id of more than 24 bits is never found. */
static const struct port *find(struct ports *ports, uint32_t conn_id)
{
	return g_hash_table_lookup(ports->by_id, GUINT_TO_POINTER(conn_id));
}

static hv_status_t give_message(const struct port *port, uint32_t vp,
				const struct hv_input_post_message *msg)
{
	if (!port)
		return HV_STATUS_INVALID_CONNECTION_ID;
	if (!port->on_message)
		return HV_STATUS_INVALID_PORT_ID;
	return port->on_message(port->ctx, vp, msg);
}

hv_status_t ports_post_message(struct ports *ports, uint32_t vp,
			       const struct hv_input_post_message *msg)
{
	pthread_mutex_t *lock = lock_of(ports, vp);
	hv_status_t status;

	if (!msg->message_type ||
	    (msg->message_type & MESSAGE_TYPE_HYPERVISOR) || msg->reserved ||
	    msg->payload_size > HV_MESSAGE_PAYLOAD_BYTE_COUNT)
		return HV_STATUS_INVALID_PARAMETER;
	pthread_mutex_lock(lock);
	status = give_message(find(ports, msg->connectionid), vp, msg);
	pthread_mutex_unlock(lock);
	return status;
}

static hv_status_t give_event(const struct port *port, uint32_t vp,
			      uint16_t flag)
{
	if (!port)
		return HV_STATUS_INVALID_CONNECTION_ID;
	if (!port->on_event)
		return HV_STATUS_INVALID_PORT_ID;
	if (flag >= port->n_flags)
		return HV_STATUS_INVALID_PARAMETER;
	return port->on_event(port->ctx, vp, flag);
}

hv_status_t ports_signal_event(struct ports *ports, uint32_t vp,
			       uint32_t conn_id, uint16_t flag)
{
	pthread_mutex_t *lock = lock_of(ports, vp);
	hv_status_t status;

	pthread_mutex_lock(lock);
	status = give_event(find(ports, conn_id), vp, flag);
	pthread_mutex_unlock(lock);
	return status;
}
