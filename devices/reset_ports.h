/* SPDX-License-Identifier: MIT */
/*
 * reset_ports.h - the chipset's reset register (0xCF9) and port 0x92.
 *
 * 0xCF9 is the ACPI reset register: bit 2 resets, bit 1 (hard or soft) and
 * bit 3 (full) are kept and make no difference.  It lies inside the ports of
 * PCI configuration mechanism 1, 0xCF8 to 0xCFF; there is no PCI, so the rest
 * reads as ones, and all of it is decoded here so that a PCI probe's 32-bit
 * write to 0xCF8 is not mistaken for a byte to 0xCF9.
 *
 * Port 0x92 ("system control port A"): bit 0 resets on its rising edge, A20
 * is always on.
 *
 * Thread: any.
 */
#ifndef DEVICES_RESET_PORTS_H
#define DEVICES_RESET_PORTS_H

#include "devices/machine_ops.h"

struct bus;
struct reset_ports;

/** reset_ports_new() - Return: owned, never NULL */
struct reset_ports *reset_ports_new(struct machine_ops machine);
void reset_ports_free(struct reset_ports *ports);

/** reset_ports_attach() - decode 0xCF8 to 0xCFF and 0x92; as bus_add() */
int reset_ports_attach(struct reset_ports *ports, struct bus *pio);

/** reset_ports_reset() - as after power-on */
void reset_ports_reset(struct reset_ports *ports);

#endif
