/* SPDX-License-Identifier: MIT */
/*
 * debugcon.h - port 0xE9: a byte written is printed, a read says 0xE9.
 *
 * The port has no way to say "wait", so what finds its buffer full is lost,
 * and counted.
 *
 * Thread: any; one lock, a leaf.
 */
#ifndef DEVICES_DEBUGCON_H
#define DEVICES_DEBUGCON_H

#include <stddef.h>
#include <stdint.h>

#include "devices/byte_port.h"

struct bus;
struct debugcon;

/* For console_connect() */
extern const struct byte_port_ops debugcon_port_ops;

/** debugcon_new() - Return: owned, never NULL */
struct debugcon *debugcon_new(struct byte_port_host host);
void debugcon_free(struct debugcon *con);

/** debugcon_attach() - decode PLATFORM_DEBUGCON_PORT; as bus_add() */
int debugcon_attach(struct debugcon *con, struct bus *pio);

/** debugcon_transmit() - take up to @len bytes of output; returns how many */
size_t debugcon_transmit(struct debugcon *con, uint8_t *data, size_t len);

/** debugcon_lost() - bytes lost because the buffer was full */
uint64_t debugcon_lost(struct debugcon *con);

#endif
