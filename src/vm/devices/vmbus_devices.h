/* SPDX-License-Identifier: MIT */
/*
 * vmbus_devices.h - the devices that a machine has on its VMbus: which, when
 * they run, what they say in the report.
 *
 * Thread: main.
 */
#ifndef VM_VMBUS_DEVICES_H
#define VM_VMBUS_DEVICES_H

#include <stdbool.h>

#include <glib.h>

struct channel;
struct channel_bus;
struct guid;
struct report_device;
struct vm;
struct vmbus_devices;
struct vsp_ops;

/**
 * vmbus_devices_new() - make and offer all that the machine has, stopped
 * @machine: its UUID, of which instances are derived
 *
 * Return: owned; NULL with @error set.
 */
struct vmbus_devices *vmbus_devices_new(struct vm *vm, struct channel_bus *bus,
					const struct guid *machine,
					GError **error);
void vmbus_devices_free(struct vmbus_devices *d);

/**
 * vmbus_devices_add() - one more while the machine runs
 * @kind: of those that there are many of; it becomes the @n-th
 *
 * Return: 0; -1 with @error set.
 */
int vmbus_devices_add(struct vmbus_devices *d, const char *kind, unsigned int n,
		      GError **error);

/** vmbus_devices_remove() - take one away; it is gone when this returns */
void vmbus_devices_remove(struct vmbus_devices *d, const char *name);

/** vmbus_devices_run() - the processors run from now on, or not; fine twice */
void vmbus_devices_run(struct vmbus_devices *d, bool running);

/** vmbus_devices_find() - the device of that kind; NULL: there is none */
void *vmbus_devices_find(struct vmbus_devices *d, const struct vsp_ops *ops);

/** vmbus_devices_named() - the device @name, if it is of that kind, or NULL */
void *vmbus_devices_named(struct vmbus_devices *d, const struct vsp_ops *ops,
			  const char *name);

/**
 * vmbus_devices_filter_seen() - the filter of card @name was looked at
 *
 * There is no event for another change of it before that.
 */
void vmbus_devices_filter_seen(struct vmbus_devices *d, const char *name);

/** vmbus_devices_report() - each; borrowed until the next call */
const struct report_device *vmbus_devices_report(struct vmbus_devices *d,
						 unsigned int *n);

/** vmbus_devices_channel() - the channel of the device @name, or NULL */
struct channel *vmbus_devices_channel(struct vmbus_devices *ds,
				      const char *name);

#endif
