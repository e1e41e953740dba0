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

struct channel_bus;
struct channel_params;
struct echo;

#define ECHO_GPA_BYTES 1024u

/**
 * echo_new() - offer the device
 * @params: name, instance and order; the rest is filled in here
 *
 * Return: owned; NULL when the instance is taken.
 */
struct echo *echo_new(struct channel_bus *bus,
		      const struct channel_params *params);
void echo_free(struct echo *echo);

#endif
