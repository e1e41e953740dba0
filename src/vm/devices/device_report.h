/* SPDX-License-Identifier: MIT */
/*
 * device_report.h - what a device on VMbus says of itself, kept for the
 * report.
 *
 * Thread: main.
 */
#ifndef VM_DEVICE_REPORT_H
#define VM_DEVICE_REPORT_H

struct device_report;
struct report_device;
struct vsp_ops;

/** device_report_new() - nothing yet; owned */
struct device_report *device_report_new(void);
void device_report_free(struct device_report *said);

/**
 * device_report_take() - ask it
 * @out: all but its name and instance; what it points to is @said's, until
 *       the next call
 */
void device_report_take(struct device_report *said, const struct vsp_ops *ops,
			void *device, struct report_device *out);

#endif
