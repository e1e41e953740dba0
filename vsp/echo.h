/* SPDX-License-Identifier: MIT */
/*
 * echo.h - a device that sends back what it gets, for --test-devices.
 *
 * A packet that wants a completion is completed with its own payload; a
 * GPA-direct packet with the first ECHO_GPA_BYTES of what it points to; any
 * other comes back in-band.  Completions are ignored.
 *
 * Thread: the channel's.
 */
#ifndef VSP_ECHO_H
#define VSP_ECHO_H

#include <stdint.h>

struct echo;
struct vsp_ops;
struct vsp_params;

#define ECHO_GPA_BYTES 1024u

/**
 * echo_new() - offer the device
 * @monitor_latency_100ns: as in struct channel_params
 *
 * Return: owned; NULL when the instance is taken.
 */
struct echo *echo_new(const struct vsp_params *params,
		      uint16_t monitor_latency_100ns);
void echo_free(struct echo *echo);

extern const struct vsp_ops echo_ops;

#endif
