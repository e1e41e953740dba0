/* SPDX-License-Identifier: MIT */
/*
 * smbios.h - the SMBIOS tables, at MEMMAP_SMBIOS in guest RAM.
 *
 * They name the machine as a generation 2 virtual machine on Hyper-V names
 * itself: that is what dmidecode, cloud-init and installers look at.
 *
 * Private to src/boot.
 */
#ifndef BOOT_SMBIOS_H
#define BOOT_SMBIOS_H

#include <glib.h>

struct boot_platform;
struct gmem;

/**
 * smbios_write() - write entry point and structures
 *
 * Return: 0; -1 with @error set when the UUID is not one, or a string is
 * longer than SMBIOS allows.
 */
int smbios_write(struct gmem *mem, const struct boot_platform *platform,
		 GError **error);

#endif
