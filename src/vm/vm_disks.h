/* SPDX-License-Identifier: MIT */
/*
 * vm_disks.h - the machine's disks: the images, the logical units over them,
 * and at which controller each is.
 *
 * Disks of the SCSI bus are at controller 0, LUN 0 to 63, then at controller
 * 1, in the order of the configuration; each disk of the IDE bus is a
 * controller.
 *
 * Thread: main.
 */
#ifndef VM_VM_DISKS_H
#define VM_VM_DISKS_H

#include <glib.h>

#include "config/disk_config.h"

struct machine_config;
struct storvsp;
struct vm_disks;

/**
 * vm_disks_new() - open all images of @config
 *
 * Return: owned; NULL with @error set, and no image is open.
 */
struct vm_disks *vm_disks_new(const struct machine_config *config,
			      GError **error);

/** vm_disks_free() - after the controllers; close all images */
void vm_disks_free(struct vm_disks *disks);

/** vm_disks_controllers() - how many the disks of @bus need */
unsigned int vm_disks_controllers(const struct vm_disks *disks,
				  enum disk_bus bus);

/**
 * vm_disks_attach() - give a controller its units
 * @n: which of @bus; it is borrowed until vm_disks_free()
 */
void vm_disks_attach(struct vm_disks *disks, enum disk_bus bus, unsigned int n,
		     struct storvsp *controller);

#endif
