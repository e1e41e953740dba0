/* SPDX-License-Identifier: MIT */
#include "devices/exit_port.h"

#include <stdint.h>
#include <string.h>

#include <glib.h>

#include "devices/bus.h"
#include "proto/platform.h"

struct exit_port {
	struct machine_ops machine; /* set once */
};

static void pio_read(void *dev, uint64_t offset, void *data, unsigned int len)
{
	(void)dev;
	(void)offset;
	memset(data, 0, len);
}

static void pio_write(void *dev, uint64_t offset, const void *data,
		      unsigned int len)
{
	struct exit_port *port = dev;
	uint32_t value = 0;

	(void)offset;
	memcpy(&value, data, len);
	machine_exit(&port->machine, value);
}

static const struct bus_ops pio_ops = {pio_read, pio_write,
				       PLATFORM_EXIT_BYTES};

struct exit_port *exit_port_new(struct machine_ops machine)
{
	struct exit_port *port = g_new0(struct exit_port, 1);

	port->machine = machine;
	return port;
}

void exit_port_free(struct exit_port *port)
{
	g_free(port);
}

int exit_port_attach(struct exit_port *port, struct bus *pio)
{
	return bus_add(pio, PLATFORM_EXIT_PORT, PLATFORM_EXIT_BYTES, "exit",
		       &pio_ops, port);
}
