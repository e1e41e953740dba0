/* SPDX-License-Identifier: MIT */
#include "devices/reset_ports.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include <glib.h>

#include "devices/bus.h"
#include "proto/platform.h"

/* PCI configuration mechanism 1: address and data, 32 bits each */
#define PCI_PORT         0xCF8
#define PCI_BYTES        8
#define RESET_OFFSET     (PLATFORM_RESET_PORT - PCI_PORT)
#define RESET_HARD       0x02
#define RESET_CPU        0x04
#define RESET_FULL_CYCLE 0x08

#define CONTROL_A_PORT  0x92
#define CONTROL_A_RESET 0x01
#define CONTROL_A_A20   0x02

struct reset_ports {
	struct machine_ops machine; /* set once */
	/* any thread */
	_Atomic uint8_t reset;
	_Atomic uint8_t control_a;
};

static void pci_read(void *dev, uint64_t offset, void *data, unsigned int len)
{
	struct reset_ports *p = dev;

	memset(data, 0xFF, len);
	if (offset == RESET_OFFSET && len == 1)
		*(uint8_t *)data = atomic_load(&p->reset);
}

static void pci_write(void *dev, uint64_t offset, const void *data,
		      unsigned int len)
{
	struct reset_ports *p = dev;
	uint8_t v = *(const uint8_t *)data;

	if (offset != RESET_OFFSET || len != 1)
		return;
	atomic_store(&p->reset, v & (RESET_HARD | RESET_FULL_CYCLE));
	if (v & RESET_CPU)
		machine_reset(&p->machine);
}

static const struct bus_ops pci_ops = {pci_read, pci_write, 4};

static void control_a_read(void *dev, uint64_t offset, void *data,
			   unsigned int len)
{
	struct reset_ports *p = dev;

	(void)offset;
	(void)len;
	*(uint8_t *)data = CONTROL_A_A20 | atomic_load(&p->control_a);
}

static void control_a_write(void *dev, uint64_t offset, const void *data,
			    unsigned int len)
{
	struct reset_ports *p = dev;
	uint8_t v = *(const uint8_t *)data & CONTROL_A_RESET;

	(void)offset;
	(void)len;
	if (!atomic_exchange(&p->control_a, v) && v)
		machine_reset(&p->machine);
}

static const struct bus_ops control_a_ops = {control_a_read, control_a_write,
					     1};

struct reset_ports *reset_ports_new(struct machine_ops machine)
{
	struct reset_ports *ports = g_new0(struct reset_ports, 1);

	ports->machine = machine;
	return ports;
}

void reset_ports_free(struct reset_ports *ports)
{
	g_free(ports);
}

int reset_ports_attach(struct reset_ports *ports, struct bus *pio)
{
	int err =
		bus_add(pio, PCI_PORT, PCI_BYTES, "pci-reset", &pci_ops, ports);

	return err ? err
		   : bus_add(pio, CONTROL_A_PORT, 1, "port-92", &control_a_ops,
			     ports);
}

void reset_ports_reset(struct reset_ports *ports)
{
	atomic_store(&ports->reset, 0);
	atomic_store(&ports->control_a, 0);
}
