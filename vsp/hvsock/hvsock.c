/* SPDX-License-Identifier: MIT */
#include "vsp/hvsock/hvsock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/descriptors.h"
#include "base/guid.h"
#include "base/log.h"
#include "base/trace.h"
#include "base/unix_listen.h"
#include "vsp/hvsock/impl.h"
#include "vsp/vmbus/channel.h"

#define LOG_CATEGORY "hvsock"

#define BACKLOG   16
/* How long not to listen when there are no descriptors. */
#define BREATH_NS (100 * NSEC_PER_MSEC)

/* What is put behind the path: "_4294967295". */
#define SUFFIX_MAX 11u
#define PATH_BYTES sizeof(((struct sockaddr_un *)0)->sun_path)

#define HVSOCK_OF(at, member)                                              \
	((struct hvsock *)(void *)((uint8_t *)(at)-offsetof(struct hvsock, \
							    member)))

/* --- connections of the guest -------------------------------------------------- */

/* Return: the port of a GUID that Linux made of one, or UINT32_MAX. */
static uint32_t port_of(const struct guid *service)
{
	struct guid template = HV_SOCK_TEMPLATE_GUID;
	uint32_t port;

	memcpy(&port, service, sizeof(port));
	memcpy(&template, &port, sizeof(port));
	return guid_equal(&template, service) ? port : UINT32_MAX;
}

/* Return: connected, or -errno. */
static int connect_host(const struct hvsock *h, uint32_t port)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd, err;

	g_snprintf(a.sun_path, sizeof(a.sun_path), "%s_%u", h->path, port);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	/* Such a socket is connected at once, or cannot be. */
	if (!connect(fd, (const struct sockaddr *)&a, sizeof(a)))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

static int connect_guest(struct hvsock *h, const struct hvsock_request *r)
{
	uint32_t port = port_of(&r->service);
	struct connection *c;
	int fd, err;

	if (h->stopping || !h->path || port > HVSOCK_PORT_MAX)
		return -ECONNREFUSED;
	if (h->n_connections >= HVSOCK_CONNECTIONS_MAX)
		return -EMFILE;
	fd = connect_host(h, port);
	if (fd < 0)
		return fd;
	c = connection_new(h, fd, false);
	c->port = port;
	err = connection_offer(c, &r->service, &r->endpoint);
	if (err)
		connection_end(c);
	return err;
}

static void refuse(struct hvsock *h, const struct hvsock_request *r, int err)
{
	log_debug_ratelimited("a connection of the guest is refused: %s",
			      g_strerror(-err));
	h->refused++;
	h->how.refuse(h->how.ctx, &r->endpoint, &r->service);
}

enum work {
	WORK_NONE,
	WORK_END, /* of a guest that is gone */
	WORK_CONNECT,
};

static enum work next_work(struct hvsock *h, struct hvsock_request *r)
{
	enum work work = WORK_NONE;

	pthread_mutex_lock(&h->lock);
	if (h->is_gone) {
		h->is_gone = false;
		work = WORK_END;
	} else if (h->n_requests) {
		*r = h->requests[0];
		memmove(&h->requests[0], &h->requests[1],
			--h->n_requests * sizeof(h->requests[0]));
		work = WORK_CONNECT;
	}
	pthread_mutex_unlock(&h->lock);
	return work;
}

static void take_request(struct hvsock *h, const struct hvsock_request *r)
{
	int err = connect_guest(h, r);
	const struct guid both[] = {r->endpoint, r->service};

	trace_bytes(hvsock_connect, TRACE_NO_VP, TRACE_NO_DEVICE, both,
		    sizeof(both), TRACE_FROM_GUEST, err);
	if (err)
		refuse(h, r, err);
}

static void end_all(struct hvsock *h);

static void run_work(struct worker_task *task)
{
	struct hvsock *h = HVSOCK_OF(task, work);
	struct hvsock_request r;
	enum work work;

	while ((work = next_work(h, &r)) != WORK_NONE) {
		if (work == WORK_END)
			end_all(h);
		else
			take_request(h, &r);
	}
}

void hvsock_connect(struct hvsock *h, const struct guid *endpoint,
		    const struct guid *service)
{
	struct hvsock_request r = {.endpoint = *endpoint, .service = *service};
	bool has_room;

	pthread_mutex_lock(&h->lock);
	has_room = h->n_requests < HVSOCK_REQUESTS_MAX;
	if (has_room)
		h->requests[h->n_requests++] = r;
	pthread_mutex_unlock(&h->lock);
	if (has_room)
		worker_queue(h->worker, &h->work);
	else
		refuse(h, &r, -EAGAIN);
}

/* --- connections of the host ----------------------------------------------------- */

static void run_accept(struct worker_fd *fd, uint32_t events)
{
	struct hvsock *h = HVSOCK_OF(fd, listener);
	int client = accept4(fd->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)events;
	if (client < 0 && descriptors_are_out(errno)) {
		worker_watch(h->worker, fd, 0);
		worker_timer_set(h->worker, &h->breath,
				 clock_monotonic_ns() + BREATH_NS);
	}
	if (client < 0)
		return;
	if (h->n_connections < HVSOCK_CONNECTIONS_MAX) {
		connection_read_line(connection_new(h, client, true));
		return;
	}
	h->refused++;
	close(client);
}

static void run_listen_again(struct worker_timer *timer)
{
	struct hvsock *h = HVSOCK_OF(timer, breath);

	worker_watch(h->worker, &h->listener, EPOLLIN);
}

static void start_listening(void *ctx)
{
	struct hvsock *h = ctx;

	worker_watch(h->worker, &h->listener, EPOLLIN);
}

bool hvsock_listen(struct hvsock *h, const char *path, GError **error)
{
	int fd = -ENAMETOOLONG;

	if (strlen(path) + SUFFIX_MAX < PATH_BYTES)
		fd = unix_listen(path, BACKLOG, 0600);
	if (fd < 0) {
		g_set_error(error, G_FILE_ERROR,
			    (gint)g_file_error_from_errno(-fd), "%s: %s", path,
			    g_strerror(-fd));
		return false;
	}
	h->path = g_strdup(path);
	h->listener.fd = fd;
	worker_call(h->worker, start_listening, h);
	return true;
}

/* --- life --------------------------------------------------------------------------- */

void hvsock_remove(struct connection *c)
{
	struct hvsock *h = c->h;

	if (h->stopping)
		return;
	g_queue_unlink(&h->connections, &c->link);
	connection_free(c);
}

static void end_all(struct hvsock *h)
{
	GList *next;

	for (GList *l = h->connections.head; l; l = next) {
		next = l->next;
		connection_end(l->data);
	}
}

void hvsock_disconnected(struct hvsock *h)
{
	/* Whoever wants to connect from now on is another guest. */
	pthread_mutex_lock(&h->lock);
	h->n_requests = 0;
	h->is_gone = true;
	pthread_mutex_unlock(&h->lock);
	worker_queue(h->worker, &h->work);
}

struct hvsock *hvsock_new(const struct vsp_params *params,
			  const struct hvsock_params *how, GError **error)
{
	struct hvsock *h = g_new0(struct hvsock, 1);

	h->params = *params;
	h->how = *how;
	if (!h->how.timeout_ns)
		h->how.timeout_ns = TIMEOUT_NS;
	h->listener = (struct worker_fd){.fd = -1, .run = run_accept};
	h->breath.run = run_listen_again;
	h->work.run = run_work;
	h->next_port = HVSOCK_PORT_MAX + 1;
	g_queue_init(&h->connections);
	pthread_mutex_init(&h->lock, NULL);
	h->worker = worker_new("hvsock", error);
	if (h->worker)
		return h;
	hvsock_free(h);
	return NULL;
}

static void stop(void *ctx)
{
	struct hvsock *h = ctx;

	h->stopping = true;
	worker_timer_stop(h->worker, &h->breath);
	if (h->listener.fd >= 0)
		worker_unwatch(h->worker, &h->listener);
	end_all(h);
}

void hvsock_free(struct hvsock *h)
{
	if (!h)
		return;
	if (h->worker)
		worker_call(h->worker, stop, h);
	/* Now nobody else takes one out. */
	for (GList *l = h->connections.head, *next; l; l = next) {
		next = l->next;
		connection_free(l->data);
	}
	worker_free(h->worker);
	if (h->listener.fd >= 0) {
		unlink(h->path);
		close(h->listener.fd);
	}
	pthread_mutex_destroy(&h->lock);
	g_free(h->path);
	g_free(h);
}

/* --- for the machine ------------------------------------------------------------------ */

void hvsock_get_status(struct hvsock *h, struct hvsock_status *status)
{
	*status = (struct hvsock_status){
		.n_connections = h->n_connections,
		.from_guest = h->from_guest,
		.from_host = h->from_host,
		.refused = h->refused,
		.timeouts = h->timeouts,
		.bytes_to_guest = h->bytes_to_guest,
		.bytes_to_host = h->bytes_to_host,
	};
}

static void free_device(void *device)
{
	hvsock_free(device);
}

static void facts(void *device, const struct vsp_facts *to)
{
	struct hvsock_status s;

	hvsock_get_status(device, &s);
	to->number(to->ctx, "connections", s.n_connections);
	to->number(to->ctx, "from_guest", s.from_guest);
	to->number(to->ctx, "from_host", s.from_host);
	to->number(to->ctx, "refused", s.refused);
	to->number(to->ctx, "timeouts", s.timeouts);
	to->number(to->ctx, "bytes_to_guest", s.bytes_to_guest);
	to->number(to->ctx, "bytes_to_host", s.bytes_to_host);
}

const struct vsp_ops hvsock_ops = {
	.free = free_device,
	.facts = facts,
};
