/* SPDX-License-Identifier: MIT */
/*
 * vm_disks.h - the machine's disks: the images, the logical units over them,
 * and at which controller each is.
 *
 * Disks of the SCSI bus are at the controller and LUN that the configuration
 * says, or in its order at the first that is left: controller 0, LUN 0 to 63,
 * then controller 1; each place on the IDE bus is a controller.
 *
 * Thread: main.
 */
#ifndef VM_VM_DISKS_H
#define VM_VM_DISKS_H

#include <stdbool.h>

#include <glib.h>

#include "config/disk_config.h"

struct machine_config;
struct storvsp;
struct storvsp_params;
struct vm_disks;

/**
 * vm_disks_new() - open all images of @config
 *
 * Return: owned; NULL with @error set, and no image is open.
 */
struct vm_disks *vm_disks_new(const struct machine_config *config,
			      GError **error);

struct vm_disks_events {
	/*
	 * An error policy wants the machine to stop: @why is a sentence.  Once
	 * until vm_disks_retry() for each disk.
	 */
	void (*stop)(void *ctx, const char *why);
	/*
	 * The storage could not do something; not each time.  Any thread.
	 * @name: "scsi0:3"
	 * @node: what vm_disks_add() was told; @name, if it was nothing
	 * @action: "report", "ignore", "stop"
	 */
	void (*failed)(void *ctx, const char *name, const char *node,
		       bool is_read, int err, const char *action);
	/*
	 * Make the @n-th SCSI controller and vm_disks_attach() it.  Return: 0;
	 * -1 with @error set.
	 */
	int (*grow)(void *ctx, unsigned int n, GError **error);
};

/** vm_disks_listen() - who is told, on the main thread */
void vm_disks_listen(struct vm_disks *disks,
		     const struct vm_disks_events *events, void *ctx);

/** vm_disks_retry() - what a policy kept is tried again */
void vm_disks_retry(struct vm_disks *disks);

/** vm_disks_free() - after the controllers; close all images */
void vm_disks_free(struct vm_disks *disks);

/** vm_disks_controllers() - how many the first disks of @bus need */
unsigned int vm_disks_controllers(const struct vm_disks *disks,
				  enum disk_bus bus);

/**
 * vm_disks_describe() - how a controller is served, as its disks say it
 * @n:      which of @bus
 * @params: what is of the disks is filled in
 */
void vm_disks_describe(const struct vm_disks *disks, enum disk_bus bus,
		       unsigned int n, struct storvsp_params *params);

/**
 * vm_disks_attach() - give a controller its units
 * @n: which of @bus; it is borrowed until vm_disks_free()
 */
void vm_disks_attach(struct vm_disks *disks, enum disk_bus bus, unsigned int n,
		     struct storvsp *controller);

/* --- while the machine runs ------------------------------------------------ */

/*
 * A disk is named by its controller and LUN: "scsi0:3".  What cannot be done
 * is said in @error: CONFIG_ERROR where the request is wrong.
 */

/**
 * vm_disks_add() - put one more disk at a SCSI controller, perhaps a new one
 * @text: as of --disk
 * @node: what the user calls the image, copied; NULL: nothing
 *
 * Return: its name, owned; NULL with @error set.
 */
char *vm_disks_add(struct vm_disks *disks, const char *text, const char *node,
		   GError **error);

/**
 * vm_disks_remove() - take a disk of the SCSI bus away
 * @done: its image is closed, or the machine ends.  Later, on the main thread
 *
 * Return: 0; -1 with @error set, and @done is not called.
 */
int vm_disks_remove(struct vm_disks *disks, const char *name,
		    void (*done)(void *ctx), void *ctx, GError **error);

/** vm_disks_resize() - the image may have another size: tell the guest */
int vm_disks_resize(struct vm_disks *disks, const char *name, GError **error);

/**
 * vm_disks_limit() - other limits for a disk, and for all of its group
 * @text: as disk_limits_parse()
 *
 * What waits because of the old ones goes on at once.
 */
int vm_disks_limit(struct vm_disks *disks, const char *name, const char *text,
		   GError **error);

/** vm_disks_insert() - put a disc into a DVD drive that is empty */
int vm_disks_insert(struct vm_disks *disks, const char *name, const char *path,
		    GError **error);

/** vm_disks_eject() - take it out; @force: also if the guest has locked it */
int vm_disks_eject(struct vm_disks *disks, const char *name, bool force,
		   GError **error);

#endif
