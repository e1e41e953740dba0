/* SPDX-License-Identifier: MIT */
#include "devices/debugcon.h"

#include <pthread.h>

#include <glib.h>

#include "base/log.h"
#include "devices/bus.h"
#include "devices/byte_ring.h"
#include "proto/platform.h"

#define LOG_CATEGORY "debugcon"

#define OUT_BYTES (256u << 10)
/* How a guest finds out that it is there. */
#define PRESENT   0xE9

struct debugcon {
	struct byte_port_host host; /* set once */

	pthread_mutex_t lock;
	/* lock */
	struct byte_ring out;
	uint64_t lost;
};

static void pio_read(void *dev, uint64_t offset, void *data, unsigned int len)
{
	(void)dev;
	(void)offset;
	(void)len;
	*(uint8_t *)data = PRESENT;
}

static void pio_write(void *dev, uint64_t offset, const void *data,
		      unsigned int len)
{
	struct debugcon *con = dev;
	bool wake;

	(void)offset;
	if (!con->host.wake)
		return;
	pthread_mutex_lock(&con->lock);
	wake = !con->out.len;
	if (!byte_ring_put(&con->out, data, len) && !con->lost++)
		log_warn("output is not read, the guest's is lost");
	pthread_mutex_unlock(&con->lock);
	if (wake)
		byte_port_wake(&con->host);
}

static const struct bus_ops pio_ops = {pio_read, pio_write, 1};

struct debugcon *debugcon_new(struct byte_port_host host)
{
	struct debugcon *con = g_new0(struct debugcon, 1);

	con->host = host;
	pthread_mutex_init(&con->lock, NULL);
	byte_ring_init(&con->out, OUT_BYTES);
	return con;
}

void debugcon_free(struct debugcon *con)
{
	if (!con)
		return;
	byte_ring_clear(&con->out);
	pthread_mutex_destroy(&con->lock);
	g_free(con);
}

int debugcon_attach(struct debugcon *con, struct bus *pio)
{
	return bus_add(pio, PLATFORM_DEBUGCON_PORT, 1, "debugcon", &pio_ops,
		       con);
}

size_t debugcon_transmit(struct debugcon *con, uint8_t *data, size_t len)
{
	size_t n;

	pthread_mutex_lock(&con->lock);
	n = byte_ring_take(&con->out, data, len);
	pthread_mutex_unlock(&con->lock);
	return n;
}

uint64_t debugcon_lost(struct debugcon *con)
{
	uint64_t lost;

	pthread_mutex_lock(&con->lock);
	lost = con->lost;
	pthread_mutex_unlock(&con->lock);
	return lost;
}

static size_t port_transmit(void *dev, uint8_t *data, size_t len)
{
	return debugcon_transmit(dev, data, len);
}

const struct byte_port_ops debugcon_port_ops = {.transmit = port_transmit};
