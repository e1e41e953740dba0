/* SPDX-License-Identifier: MIT */
/*
 * byte_port.h - the seam between a serial device and its host end.
 *
 * The host end pulls what the guest sent and offers what was typed, from a
 * thread of its own; the device only says, without ever blocking, that it is
 * worth another look.  So a slow reader slows down the guest that writes, and
 * no vCPU waits for a file descriptor.
 */
#ifndef DEVICES_BYTE_PORT_H
#define DEVICES_BYTE_PORT_H

#include <stddef.h>
#include <stdint.h>

/* The device's half; called from the host end's thread. */
struct byte_port_ops {
	/* Take up to @len bytes of output; returns how many there were. */
	size_t (*transmit)(void *dev, uint8_t *data, size_t len);
	/* Give @len bytes of input; returns how many were taken.  May be NULL
	 * in a device that only prints. */
	size_t (*receive)(void *dev, const uint8_t *data, size_t len);
	/* In how many ns it wants transmit() again, though there may be no
	 * output; UINT64_MAX: not before the next wake().  May be NULL. */
	uint64_t (*again_ns)(void *dev);
};

/*
 * The host's half: there is output again, or room for input again.  Called
 * from vCPU threads, with no device lock held; must not block.  NULL wake():
 * nobody listens, output is thrown away.
 */
struct byte_port_host {
	void (*wake)(void *ctx);
	void *ctx;
};

static inline void byte_port_wake(const struct byte_port_host *host)
{
	if (host->wake)
		host->wake(host->ctx);
}

#endif
