/* SPDX-License-Identifier: MIT */
/*
 * vm_dump.h - the guest's memory and registers, for crash(8) and drgn.
 *
 * Thread: main.
 */
#ifndef VM_VM_DUMP_H
#define VM_VM_DUMP_H

#include <glib.h>

struct vm;

/**
 * vm_dump() - write a core file (core_file.h) of the guest as it is now
 * @path: complete, or not there
 *
 * The processors stand still meanwhile, and go on if they ran.  What the guest
 * has asked a device for may still come into its memory.
 *
 * Return: 0; -1 with @error set.
 */
int vm_dump(struct vm *vm, const char *path, GError **error);

/**
 * vm_dump_tell() - the event DUMP_COMPLETED
 * @error: why it failed; NULL: it did not
 */
void vm_dump_tell(struct vm *vm, const GError *error);

#endif
