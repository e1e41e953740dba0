/* SPDX-License-Identifier: MIT */
/*
 * device_timers.h - the thread that wakes devices (timer_line.h).
 *
 * One thread, "devtimer", that nearly always sleeps for ever: few devices ask
 * to be woken, and most guests never make them.
 *
 *	cfg.timer = device_timer_line(t = device_timer_new(timers));
 *	rtc = cmos_rtc_new(&cfg);
 *	device_timer_bind(t, cmos_rtc_expired, rtc);
 *
 * Lock: one leaf, not held while a device is called.
 */
#ifndef DEVICES_DEVICE_TIMERS_H
#define DEVICES_DEVICE_TIMERS_H

#include "devices/timer_line.h"

#define DEVICE_TIMERS_MAX 8

struct device_timer;
struct device_timers;

/** device_timers_new() - Return: owned, never NULL */
struct device_timers *device_timers_new(void);

/** device_timers_free() - join the thread; before the devices are freed */
void device_timers_free(struct device_timers *timers);

/**
 * device_timer_new() - one more timer; at most DEVICE_TIMERS_MAX
 *
 * Return: borrowed from @timers.
 * Thread: before the first one is armed, as device_timer_bind().
 */
struct device_timer *device_timer_new(struct device_timers *timers);

/** device_timer_line() - what a device arms @timer with */
struct timer_line device_timer_line(struct device_timer *timer);

/** device_timer_bind() - call @expired(@dev) when @timer is due */
void device_timer_bind(struct device_timer *timer, void (*expired)(void *dev),
		       void *dev);

#endif
