/* SPDX-License-Identifier: MIT */
/*
 * shutdown.h - ask the guest to power off, to restart, or to hibernate.
 *
 * Thread: any.
 * Source: Linux drivers/hv/hv_util.c:shutdown_onchannelcallback().
 */
#ifndef VSP_IC_SHUTDOWN_H
#define VSP_IC_SHUTDOWN_H

#include <stdint.h>

struct ic_shutdown;
struct vsp_ops;
struct vsp_params;

/**
 * ic_shutdown_new() - offer it
 *
 * Return: owned; NULL when the instance is taken.
 */
struct ic_shutdown *ic_shutdown_new(const struct vsp_params *params);
void ic_shutdown_free(struct ic_shutdown *s);

/*
 * On the channel's worker.  @err: 0 the guest will do so (it has not done so
 * yet: what comes is ACPI's power off, or a reset); -EIO it will not; else
 * as ic.h has it.
 */
typedef void (*ic_shutdown_done_fn)(void *ctx, int err);

/**
 * ic_shutdown_request() - ask
 * @flags:      SHUTDOWN_…; 0: power off
 * @timeout_ns: for the answer
 * @done:       called once if this returns 0
 *
 * Return: 0; -EINVAL flags that nobody knows; -EBUSY too much is asked for.
 */
int ic_shutdown_request(struct ic_shutdown *s, uint32_t flags,
			uint64_t timeout_ns, ic_shutdown_done_fn done,
			void *ctx);

extern const struct vsp_ops ic_shutdown_ops;

#endif
