/* SPDX-License-Identifier: MIT */
/*
 * vm_disks_info.h - what the machine's disks are, and what they did.
 *
 * Thread: main.
 */
#ifndef VM_VM_DISKS_INFO_H
#define VM_VM_DISKS_INFO_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

struct vm_disks;

struct vm_disk_info {
	const char *path; /* NULL: nothing is in the drive */
	const char *format; /* as configured; NULL: as the name says */
	const char *kind; /* block_kind(); NULL: nothing is in the drive */
	const char *cache; /* as libvirt names it; NULL: the default */
	const char *detect_zeroes;
	uint64_t bytes;
	bool dvd;
	bool readonly;
	bool tray_open, locked; /* of a DVD drive */
	bool stopped; /* by an error */
	/* counted */
	uint64_t reads, writes, flushes, discards;
	uint64_t read_bytes, written_bytes, discarded_bytes;
	uint64_t errors;
};

/** vm_disks_names() - of all that the guest has; ends with NULL; owned */
GStrv vm_disks_names(const struct vm_disks *disks);

/**
 * vm_disks_info() - what @name is; borrowed until a disk changes
 *
 * Return: 0; -1: there is none.
 */
int vm_disks_info(const struct vm_disks *disks, const char *name,
		  struct vm_disk_info *info);

/**
 * vm_disks_set_size() - give an image another size, and tell the guest
 *
 * Only raw files grow, and none shrinks.  Return: 0; -1 with @error set.
 */
int vm_disks_set_size(struct vm_disks *disks, const char *name, uint64_t bytes,
		      GError **error);

#endif
