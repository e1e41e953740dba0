/* SPDX-License-Identifier: MIT */
/*
 * delay.h - requests of a queue that wait until their throttle lets them.
 *
 * Reads and writes wait apart, each in order, as their limits may differ.  The
 * queue has a descriptor more, a timer; one descriptor stands for both.
 *
 * Thread: the queue's.
 */
#ifndef DEVICES_BLOCK_DELAY_H
#define DEVICES_BLOCK_DELAY_H

#include <stdbool.h>

#include <glib.h>

struct block_io;
struct delay;
struct throttle;

/**
 * delay_new() - nothing waits
 * @fd: of the back end; may change as long as it stays the same descriptor
 *
 * Return: owned; NULL with @error set.
 */
struct delay *delay_new(struct throttle *throttle, int fd, GError **error);

void delay_free(struct delay *d);

/** delay_fd() - readable while @fd is, and when a request's time has come */
int delay_fd(const struct delay *d);

/** delay_put() - Return: must @io wait?  Then it is kept here */
bool delay_put(struct delay *d, struct block_io *io);

/**
 * delay_take() - one whose time has come; @all: or any other
 *
 * To be called until it returns NULL: that sets the timer to the next.
 */
struct block_io *delay_take(struct delay *d, bool all);

#endif
