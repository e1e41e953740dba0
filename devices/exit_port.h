/* SPDX-License-Identifier: MIT */
/*
 * exit_port.h - a test guest's way to end the process with a status.
 *
 * Compatible with QEMU's isa-debug-exit at iobase=0xf4,iosize=4: a write of 1,
 * 2 or 4 bytes ends the machine, the status is (value << 1) | 1.
 *
 * Thread: any; stateless.
 */
#ifndef DEVICES_EXIT_PORT_H
#define DEVICES_EXIT_PORT_H

#include "devices/machine_ops.h"

struct bus;
struct exit_port;

/** exit_port_new() - Return: owned, never NULL */
struct exit_port *exit_port_new(struct machine_ops machine);
void exit_port_free(struct exit_port *port);

/** exit_port_attach() - decode PLATFORM_EXIT_PORT; as bus_add() */
int exit_port_attach(struct exit_port *port, struct bus *pio);

#endif
