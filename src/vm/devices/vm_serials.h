/* SPDX-License-Identifier: MIT */
/*
 * vm_serials.h - the serial ports of the machine, and what they are plugged
 * into.
 *
 * Thread: main.
 */
#ifndef VM_VM_SERIALS_H
#define VM_VM_SERIALS_H

#include <stdint.h>

#include <glib.h>

struct bus;
struct console;
struct irq_line;
struct machine_config;
struct vm_serials;

struct vm_serials_params {
	const struct machine_config *config; /* borrowed for the call */
	struct bus *pio;
	const struct irq_line *irqs; /* vm_serials_count() of them */
	/* ^] was typed on the terminal; from a thread of its console */
	void (*quit)(void *ctx);
	void *ctx;
};

/** vm_serials_count() - how many ports; as a PC has, at least two */
unsigned int vm_serials_count(const struct machine_config *config);

/** vm_serials_irq() - the interrupt of the @i-th */
unsigned int vm_serials_irq(unsigned int i);

/**
 * vm_serials_new() - all of them, on the bus, at rest
 *
 * Says on standard error which pseudo terminals it made.
 * Return: owned; NULL with @error (G_FILE_ERROR) set.
 */
struct vm_serials *vm_serials_new(const struct vm_serials_params *params,
				  GError **error);
void vm_serials_free(struct vm_serials *serials);

/** vm_serials_console() - of the first; borrowed */
struct console *vm_serials_console(struct vm_serials *serials);

/** vm_serials_start() - Return: 0 or -errno */
int vm_serials_start(struct vm_serials *serials);

/** vm_serials_stop() - write out what the guest printed, for @drain_ns each */
void vm_serials_stop(struct vm_serials *serials, uint64_t drain_ns);

void vm_serials_reset(struct vm_serials *serials);

#endif
