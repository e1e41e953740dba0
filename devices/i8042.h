/* SPDX-License-Identifier: MIT */
/*
 * i8042.h - a keyboard controller with nothing plugged in.
 *
 * Here for its reset line: command 0xFE, and bit 0 of its output port.  It
 * answers its own commands at once, and nothing answers bytes for a keyboard.
 * The FADT says that there is none (IAPC_BOOT_ARCH bit 1 clear, no PNP0303 in
 * the DSDT), so that Linux does not probe it (i8042-acpipnpio.h:
 * i8042_pnp_init()).  One that probes all the same (acpi=off) finds a
 * controller in milliseconds: the AUX loop test is answered without the AUX
 * flag and the AUX line test with "clock stuck", which is how i8042.c:
 * i8042_check_aux() recognises an absent port without waiting 500 ms.
 *
 * Port 0x61 belongs to the PIT, which is the kernel's.
 *
 * Thread: any; one lock, a leaf but for irq_line.
 */
#ifndef DEVICES_I8042_H
#define DEVICES_I8042_H

#include "devices/irq_line.h"
#include "devices/machine_ops.h"

struct bus;
struct i8042;

/**
 * i8042_new() - the controller as firmware leaves it
 * @kbd: PLATFORM_I8042_KBD_IRQ
 *
 * Return: owned, never NULL.
 */
struct i8042 *i8042_new(struct irq_line kbd, struct machine_ops machine);
void i8042_free(struct i8042 *kbc);

/** i8042_attach() - decode ports 0x60 and 0x64; as bus_add() */
int i8042_attach(struct i8042 *kbc, struct bus *pio);

/** i8042_reset() - as after power-on */
void i8042_reset(struct i8042 *kbc);

#endif
