/* SPDX-License-Identifier: MIT */
/*
 * machine_timer.h - one-shot timers of slow devices, on the main loop.
 *
 * arm() is one timerfd_settime(2) from any thread; the callback runs on the
 * main thread.
 */
#ifndef VM_MACHINE_TIMER_H
#define VM_MACHINE_TIMER_H

#include "devices/timer_line.h"

struct machine_timer;

/**
 * machine_timer_new() - a disarmed timer
 * @expired: called on the main thread with @dev
 *
 * Return: owned; NULL when the host has no descriptor left.
 */
struct machine_timer *machine_timer_new(void);
void machine_timer_free(struct machine_timer *timer);

/** machine_timer_bind() - who is told; before it is first armed */
void machine_timer_bind(struct machine_timer *timer, void (*expired)(void *dev),
			void *dev);

/** machine_timer_line() - what the device arms it through */
struct timer_line machine_timer_line(struct machine_timer *timer);

#endif
