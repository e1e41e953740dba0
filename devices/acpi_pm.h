/* SPDX-License-Identifier: MIT */
/*
 * acpi_pm.h - ACPI fixed hardware: PM1a event and control blocks, PM timer.
 *
 * There is no SMI command port: the machine is always in ACPI mode, SCI_EN
 * reads 1.  Only S5 exists; other values of SLP_TYP are ignored.
 *
 * Source: ACPI 6.5 4.8.3 (fixed hardware registers).
 * Thread: any; one lock, a leaf but for irq_line and timer_line.
 */
#ifndef DEVICES_ACPI_PM_H
#define DEVICES_ACPI_PM_H

#include <stdint.h>

#include "devices/irq_line.h"
#include "devices/machine_ops.h"
#include "devices/timer_line.h"

struct bus;
struct acpi_pm;

struct acpi_pm_config {
	/* Monotonic ns; NULL: the host's */
	uint64_t (*now_ns)(void *ctx);
	void *clock_ctx;
	struct irq_line sci; /* level triggered */
	struct timer_line timer; /* calls acpi_pm_expired() */
	struct machine_ops machine;
};

/** acpi_pm_new() - Return: owned, never NULL */
struct acpi_pm *acpi_pm_new(const struct acpi_pm_config *config);
void acpi_pm_free(struct acpi_pm *pm);

/** acpi_pm_attach() - decode PLATFORM_PM1_* and PLATFORM_PM_TMR; as bus_add() */
int acpi_pm_attach(struct acpi_pm *pm, struct bus *pio);

/** acpi_pm_reset() - as after power-on; the PM timer runs on */
void acpi_pm_reset(struct acpi_pm *pm);

/** acpi_pm_power_button() - somebody pressed it */
void acpi_pm_power_button(struct acpi_pm *pm);

/** acpi_pm_expired() - the timer is due; takes a void * to be a callback */
void acpi_pm_expired(void *pm);

#endif
