/* SPDX-License-Identifier: MIT */
/*
 * vm_disks_private.h - what vm_disks.c (places, changes) and vm_disk_image.c
 * (images, what becomes of their errors, limits) know of each other.
 */
#ifndef VM_VM_DISKS_PRIVATE_H
#define VM_VM_DISKS_PRIVATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/guid.h"
#include "devices/block/block.h"
#include "vm/devices/vm_disks.h"
#include "vsp/storvsp/storvsp.h"

struct scsi_lun;
struct throttle;

#define CONTROLLERS_MAX \
	MAX(CONFIG_IDE_DISKS_MAX, CONFIG_SCSI_DISKS_MAX / STORVSP_LUNS)

struct vm_disk {
	struct vm_disks *disks;
	const struct disk_config *config;
	struct disk_config *own_config; /* NULL: the machine's */
	unsigned int controller; /* which of its bus */
	uint8_t lun;
	struct block *block; /* NULL: no disc is in the drive */
	char *path; /* of a disc that came later; NULL: the configuration's */
	char *node; /* what the user calls the image; NULL: nothing */
	struct scsi_lun *unit;
	struct throttle *throttle; /* NULL: none; a group's is in .groups */
	_Atomic uint64_t failed_ns; /* when an error was told last */
	/* what made it stop: written by the one who sets .stopped */
	_Atomic bool stopped;
	enum block_op stopped_op;
	int stopped_err;
};

struct vm_disks {
	struct guid machine;
	const GPtrArray *configured; /* struct disk_config: from the start */
	GPtrArray *disks; /* struct vm_disk */
	unsigned int n[2]; /* places from the start, by enum disk_bus */
	unsigned int n_added; /* later */
	unsigned int last; /* place of the last of these */
	struct storvsp *controllers[2][CONTROLLERS_MAX];
	GPtrArray *partings; /* struct parting, under way */
	GHashTable *groups; /* name: struct throttle */
	const struct vm_disks_events *events; /* NULL: there is nobody */
	void *ctx;
	bool ending; /* the controllers are gone */
};

/** vm_disk_name() - "scsi0:3"; owned */
char *vm_disk_name(const struct vm_disk *d);

/**
 * vm_disk_open() - an image for it, with its limits and policies
 *
 * Return: owned; NULL with @error set.
 */
struct block *vm_disk_open(struct vm_disk *d, const char *path, GError **error);

/**
 * vm_disk_set_limits() - others for it, and for all of its group
 *
 * Of one that had none the queues that are there go on without.
 */
void vm_disk_set_limits(struct vm_disk *d, const struct disk_limits *limits);

#endif
