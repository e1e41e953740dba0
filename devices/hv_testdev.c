/* SPDX-License-Identifier: MIT */
#include "devices/hv_testdev.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include <glib.h>

#include "base/log.h"
#include "devices/bus.h"
#include "proto/hv_hypercall.h"
#include "proto/hv_synic.h"
#include "proto/platform.h"
#include "synic/ports.h"
#include "synic/synic.h"

#define LOG_CATEGORY "testdev"

enum testdev_command {
	CMD_SINT_ROUTE_CREATE = 1,
	CMD_SINT_ROUTE_DESTROY = 2,
	CMD_SINT_ROUTE_SET_SINT = 3,
	CMD_MSG_CONN_CREATE = 4,
	CMD_MSG_CONN_DESTROY = 5,
	CMD_EVT_CONN_CREATE = 6,
	CMD_EVT_CONN_DESTROY = 7,
};

/* VP index and connection id are a byte each, so all there can be fit. */
#define VPS   256
#define CONNS 256

struct conn {
	struct synic *synic;
	uint8_t id;
	uint8_t vp;
	uint8_t sint;
	bool is_event;
};

struct hv_testdev {
	struct synic *synic; /* set once */
	struct ports *ports; /* set once */

	pthread_mutex_t lock;
	/* lock */
	uint16_t routes[VPS]; /* bit n: SINT n may be raised */
	struct conn *conns[CONNS];
};

/* The message that was posted, back to the SINT of the connection. */
static hv_status_t echo_message(void *ctx, uint32_t vp,
				const struct hv_input_post_message *msg)
{
	const struct conn *c = ctx;
	struct hv_message back = {
		.header.message_type = msg->message_type,
		.header.payload_size = (uint8_t)msg->payload_size,
		.header.sender = c->id,
	};

	(void)vp;
	memcpy(back.payload, msg->payload, back.header.payload_size);
	switch (synic_message_post(c->synic, c->vp, c->sint, &back)) {
	case 0:
		return HV_STATUS_SUCCESS;
	case -EAGAIN:
		return HV_STATUS_INSUFFICIENT_BUFFERS;
	default:
		return HV_STATUS_INVALID_PARAMETER;
	}
}

/* The flag with the number of the connection.  One that the guest cannot see
 * now is dropped, as any event is. */
static hv_status_t echo_event(void *ctx, uint32_t vp, uint16_t flag)
{
	const struct conn *c = ctx;

	(void)vp;
	(void)flag;
	(void)synic_event_set(c->synic, c->vp, c->sint, c->id);
	return HV_STATUS_SUCCESS;
}

static int create(struct hv_testdev *d, struct conn conn)
{
	struct conn *c;
	int err;

	if (d->conns[conn.id])
		return -EEXIST;
	c = g_new(struct conn, 1);
	*c = conn;
	err = c->is_event ? ports_add_event(d->ports, c->id, 1, echo_event, c)
			  : ports_add_message(d->ports, c->id, echo_message, c);
	if (err)
		g_free(c);
	else
		d->conns[conn.id] = c;
	return err;
}

static int destroy(struct hv_testdev *d, uint8_t id, bool is_event)
{
	struct conn *c = d->conns[id];

	if (!c || c->is_event != is_event)
		return -ENOENT;
	ports_remove(d->ports, id);
	d->conns[id] = NULL;
	g_free(c);
	return 0;
}

static int execute(struct hv_testdev *d, unsigned int command, struct conn conn)
{
	uint16_t bit;

	switch (command) {
	case CMD_MSG_CONN_DESTROY:
	case CMD_EVT_CONN_DESTROY:
		return destroy(d, conn.id, command == CMD_EVT_CONN_DESTROY);
	default:
		break;
	}
	if (conn.sint >= HV_SYNIC_SINT_COUNT)
		return -EINVAL;
	bit = (uint16_t)(1u << conn.sint);
	switch (command) {
	case CMD_SINT_ROUTE_CREATE:
		d->routes[conn.vp] |= bit;
		return 0;
	case CMD_SINT_ROUTE_DESTROY:
		d->routes[conn.vp] &= (uint16_t)~bit;
		return 0;
	case CMD_SINT_ROUTE_SET_SINT:
		return d->routes[conn.vp] & bit
			       ? synic_sint_raise(d->synic, conn.vp, conn.sint)
			       : -ENOENT;
	case CMD_MSG_CONN_CREATE:
	case CMD_EVT_CONN_CREATE:
		conn.is_event = command == CMD_EVT_CONN_CREATE;
		return create(d, conn);
	default:
		return -ENOSYS;
	}
}

static void pio_read(void *dev, uint64_t offset, void *data, unsigned int len)
{
	(void)dev;
	(void)offset;
	memset(data, 0, len);
}

static void pio_write(void *dev, uint64_t offset, const void *data,
		      unsigned int len)
{
	struct hv_testdev *d = dev;
	uint32_t value;
	int err;

	if (offset || len != sizeof(value))
		return;
	memcpy(&value, data, sizeof(value));
	pthread_mutex_lock(&d->lock);
	err = execute(d, value >> 16 & 0xFF,
		      (struct conn){
			      .synic = d->synic,
			      .sint = value & 0xFF,
			      .vp = value >> 8 & 0xFF,
			      .id = (uint8_t)(value >> 24),
		      });
	pthread_mutex_unlock(&d->lock);
	if (err)
		log_debug_ratelimited("command 0x%08" PRIx32 " ignored: %s",
				      value, g_strerror(-err));
}

static const struct bus_ops pio_ops = {pio_read, pio_write, 4};

struct hv_testdev *hv_testdev_new(struct synic *synic, struct ports *ports)
{
	struct hv_testdev *d = g_new0(struct hv_testdev, 1);

	d->synic = synic;
	d->ports = ports;
	pthread_mutex_init(&d->lock, NULL);
	return d;
}

void hv_testdev_free(struct hv_testdev *dev)
{
	if (!dev)
		return;
	hv_testdev_reset(dev);
	pthread_mutex_destroy(&dev->lock);
	g_free(dev);
}

int hv_testdev_attach(struct hv_testdev *dev, struct bus *pio)
{
	return bus_add(pio, PLATFORM_HV_TESTDEV_PORT, 4, "hv-testdev", &pio_ops,
		       dev);
}

void hv_testdev_reset(struct hv_testdev *dev)
{
	pthread_mutex_lock(&dev->lock);
	memset(dev->routes, 0, sizeof(dev->routes));
	for (unsigned int i = 0; i < CONNS; i++) {
		if (dev->conns[i])
			(void)destroy(dev, (uint8_t)i, dev->conns[i]->is_event);
	}
	pthread_mutex_unlock(&dev->lock);
}
