/* SPDX-License-Identifier: MIT */
/*
 * vmbus_host.h - the machine's VMbus: the server's thread, the devices that
 * are offered, and what the report says of them.
 *
 * Thread: main, vCPUs stopped, unless said otherwise.
 */
#ifndef VM_VMBUS_HOST_H
#define VM_VMBUS_HOST_H

#include <glib.h>

struct channel;
struct guid;
struct report_device;
struct report_vmbus;
struct vm;
struct vmbus_devices;
struct vmbus_host;
struct vsp_ops;

/**
 * vmbus_host_new() - the bus of @vm's profile and all its devices, paused
 *
 * Wants the machine's synic and ports, which must outlive it.
 * Return: owned; NULL with @error set.
 */
struct vmbus_host *vmbus_host_new(struct vm *vm, GError **error);

/** vmbus_host_free() - close all channels; no vCPU, no timer calls any more */
void vmbus_host_free(struct vmbus_host *host);

/** vmbus_host_pause() - take no messages of the guest; fine if paused */
void vmbus_host_pause(struct vmbus_host *host);

/** vmbus_host_resume() - before the vCPUs run */
void vmbus_host_resume(struct vmbus_host *host);

/**
 * vmbus_host_reset() - the guest starts anew; while paused
 *
 * When it returns no channel uses the guest's memory.
 */
void vmbus_host_reset(struct vmbus_host *host);

/**
 * vmbus_host_refuse_tl_connect() - nobody listens where the guest connects
 *
 * Any thread, no lock held.
 */
void vmbus_host_refuse_tl_connect(struct vmbus_host *host,
				  const struct guid *endpoint,
				  const struct guid *service);

/** vmbus_host_report() - what happened; borrowed until the next call */
const struct report_vmbus *vmbus_host_report(struct vmbus_host *host);

/** vmbus_host_all() - the devices that are on it; borrowed */
struct vmbus_devices *vmbus_host_all(struct vmbus_host *host);

/** vmbus_host_devices() - the devices for the report; borrowed likewise */
const struct report_device *vmbus_host_devices(struct vmbus_host *host,
					       unsigned int *n);

/**
 * vmbus_host_find() - the device of that kind, as a request is for it
 *
 * Any time.  Return: what @ops belong to, until vmbus_host_free(); NULL:
 * this machine has none.
 */
void *vmbus_host_find(struct vmbus_host *host, const struct vsp_ops *ops);

/** vmbus_host_add() - vmbus_devices_add() */
int vmbus_host_add(struct vmbus_host *host, const char *kind, unsigned int n,
		   GError **error);

/** vmbus_host_channel() - the channel of the device @name, or NULL */
struct channel *vmbus_host_channel(struct vmbus_host *host, const char *name);

#endif
