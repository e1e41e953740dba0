/* SPDX-License-Identifier: MIT */
/*
 * crash_dump.h - where the memory of a guest that has crashed goes: --on-crash
 * coredump-destroy and coredump-restart.
 *
 * A file for each crash, named as libvirt's driver for QEMU names its own, with
 * the process for the domain's id: FOLDER/PID-NAME-YYYY-MM-DD-HH:MM:SS.
 *
 * Thread: main.
 * Source: libvirt src/qemu/qemu_driver.c:getAutoDumpPath().
 */
#ifndef VM_CRASH_DUMP_H
#define VM_CRASH_DUMP_H

#include <stdbool.h>

#include <glib.h>

struct machine_config;
struct vm;

/** crash_dump_wanted() - does a crash go to a file? */
bool crash_dump_wanted(const struct machine_config *config);

/** crash_dump_folder() - of --dump-dir, else the user's; owned */
char *crash_dump_folder(const struct machine_config *config);

/**
 * crash_dump_prepare() - make the folder, and see that files can be made there
 *
 * Return: 0, also when no dump is wanted; -1 with @error (G_FILE_ERROR) set.
 */
int crash_dump_prepare(const struct machine_config *config, GError **error);

/** crash_dump_path() - of a dump of process @pid; @when: local time; owned */
char *crash_dump_path(const struct machine_config *config, int pid,
		      GDateTime *when);

/**
 * crash_dump_write() - the guest that has crashed, with its processors paused
 *
 * What goes wrong is said on the log and in the event, and stops nothing.
 */
void crash_dump_write(struct vm *vm);

#endif
