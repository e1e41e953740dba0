/* SPDX-License-Identifier: MIT */
/*
 * vm_hotplug.h - devices that come and go while the machine runs, and what of
 * them changes by itself.  Disks are vm_disks.h's.
 *
 * Thread: main.
 */
#ifndef VM_VM_HOTPLUG_H
#define VM_VM_HOTPLUG_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

struct netvsp;
struct vm;

/**
 * vm_nic_add() - one more network card
 * @text: as of --net
 *
 * Return: its name, owned; NULL with @error set.
 */
char *vm_nic_add(struct vm *vm, const char *text, GError **error);

/**
 * vm_nic_remove() - take a network card away, as netvsp_part() has it
 * @gone: it is, or the machine ends.  At once if no driver has it, or later
 *
 * A guest that does not do its part holds it up for some seconds of those in
 * which the machine runs.
 *
 * Return: 0; -1 with @error set, and @gone is not called.
 */
int vm_nic_remove(struct vm *vm, const char *name, void (*gone)(void *ctx),
		  void *ctx, GError **error);

/* What is next for a card on its way out. */
enum vm_nic_step {
	VM_NIC_WAIT, /* for the guest */
	VM_NIC_REVOKE,
	VM_NIC_REMOVE,
};

/* How often it is looked, 10 ms apart, for the end of a step: 30 s. */
#define VM_NIC_LOOKS 3000u

struct vm_nic_state {
	bool is_open; /* by the guest's driver */
	bool has_parted;
	bool revoked;
	unsigned int looks; /* in vain, since it parts, or is revoked */
};

enum vm_nic_step vm_nic_step(const struct vm_nic_state *s);

/** vm_nics_end() - the cards that are going are gone; after all devices */
void vm_nics_end(struct vm *vm);

/** vm_nic_find() - the card @name, whose filter is looked at; or NULL */
struct netvsp *vm_nic_find(struct vm *vm, const char *name);

/** vm_tell_deleted() - that device is gone; @id: what the user called it */
void vm_tell_deleted(struct vm *vm, const char *name, const char *id);

/** vm_tell_disk_failed() - as vm_disks_events.failed.  Any thread */
void vm_tell_disk_failed(void *vm, const char *name, const char *node,
			 bool is_read, int err, const char *action);

/**
 * vm_tell_tray() - a disc went in, or out
 * @id: what the user called the drive; NULL: nothing
 */
void vm_tell_tray(struct vm *vm, const char *name, const char *id, bool open);

/**
 * vm_tell_memory() - what of these has changed since it was told last
 * @ballooned_bytes: that the guest has given up
 * @added_bytes: that it has got while it ran
 */
void vm_tell_memory(struct vm *vm, uint64_t ballooned_bytes,
		    uint64_t added_bytes);

/** vm_watch_balloon() - tell of each change, but not too often */
void vm_watch_balloon(struct vm *vm);

#endif
