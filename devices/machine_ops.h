/* SPDX-License-Identifier: MIT */
/*
 * machine_ops.h - what a guest can ask of the whole machine through a device.
 *
 * Called from a vCPU thread, with no device lock held.  Each only takes note
 * and returns at once; the vCPUs stop later.  A NULL member is a request that
 * is ignored.
 */
#ifndef DEVICES_MACHINE_OPS_H
#define DEVICES_MACHINE_OPS_H

struct machine_ops {
	void (*power_off)(void *ctx);
	void (*reset)(void *ctx);
	/* The test exit port; the process's status is (value << 1) | 1. */
	void (*exit)(void *ctx, unsigned int value);
	void *ctx;
};

static inline void machine_power_off(const struct machine_ops *ops)
{
	if (ops->power_off)
		ops->power_off(ops->ctx);
}

static inline void machine_reset(const struct machine_ops *ops)
{
	if (ops->reset)
		ops->reset(ops->ctx);
}

static inline void machine_exit(const struct machine_ops *ops,
				unsigned int value)
{
	if (ops->exit)
		ops->exit(ops->ctx, value);
}

#endif
