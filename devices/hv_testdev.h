/* SPDX-License-Identifier: MIT */
/*
 * hv_testdev.h - the connection test device of kvm-unit-tests' hyperv_* tests.
 *
 * One 32-bit port, PLATFORM_HV_TESTDEV_PORT, written with
 *   connection id << 24 | command << 16 | VP index << 8 | SINT
 * It raises SINTs, and makes connections whose messages come back to the
 * guest that posted them, and whose events set the flag of the same number.
 *
 * Source: kvm-unit-tests x86/hyperv.c; QEMU hw/hyperv/hyperv_testdev.c for
 * what its tests were written against.
 * Thread: any; one lock, taken before those of ports and synic.
 */
#ifndef DEVICES_HV_TESTDEV_H
#define DEVICES_HV_TESTDEV_H

struct bus;
struct hv_testdev;
struct ports;
struct synic;

/** hv_testdev_new() - @synic and @ports are borrowed; Return: owned */
struct hv_testdev *hv_testdev_new(struct synic *synic, struct ports *ports);

/** hv_testdev_free() - takes its connections with it */
void hv_testdev_free(struct hv_testdev *dev);

/** hv_testdev_attach() - decode PLATFORM_HV_TESTDEV_PORT; as bus_add() */
int hv_testdev_attach(struct hv_testdev *dev, struct bus *pio);

/** hv_testdev_reset() - drop every route and connection */
void hv_testdev_reset(struct hv_testdev *dev);

#endif
