/* SPDX-License-Identifier: MIT */
/*
 * machine_config.h - what machine to make and how to run it: plain data.
 *
 * Made from the command line; checked in one place, whoever made it.
 */
#ifndef CONFIG_MACHINE_CONFIG_H
#define CONFIG_MACHINE_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#define CONFIG_MEMORY_MIN_MIB      64
#define CONFIG_MEMORY_DEFAULT_MIB  1024
#define CONFIG_VCPUS_DEFAULT       2
#define CONFIG_VCPUS_MAX           1024
/* Every machine that was not given another: runs can be compared. */
#define CONFIG_TIME_SYNC_DEFAULT_S 300
#define CONFIG_UUID_DEFAULT        "6b766d62-7573-4d61-8c68-696e65303031"

/* A configuration that is refused (exit 3). */
#define CONFIG_ERROR (config_error_quark())
GQuark config_error_quark(void);

enum reboot_action {
	REBOOT_RESTART, /* as a machine does */
	REBOOT_DESTROY, /* end with exit code 32 */
};

struct machine_config {
	/* Strings are owned; NULL: not given. */
	char *kernel;
	char *initrd;
	char *cmdline;
	char *profile;
	char *report;
	char *control; /* socket */
	char *hvsock; /* socket, and what others begin with */
	char *accel;
	char *uuid; /* never NULL */
	GPtrArray *disks; /* struct disk_config, in order; never NULL */
	GPtrArray *nets; /* struct net_config, in order; never NULL */
	GStrv require; /* milestone names, checked; never NULL after parsing */
	uint64_t memory_mib;
	uint64_t memory_max_mib; /* with what may be added later; 0: nothing */
	unsigned int vcpus;
	unsigned int timeout_s; /* 0: none */
	unsigned int signals_max; /* needless ones, a second; 0: any number */
	unsigned int time_sync_s; /* how often guests set their clock; 0: no */
	enum reboot_action on_reboot;
	bool test_devices;
	bool print_config;
	bool summary;
	bool srat;
};

/** machine_config_new() - the defaults; free with machine_config_free() */
struct machine_config *machine_config_new(void);
void machine_config_free(struct machine_config *config);

/**
 * machine_config_validate() - is this a machine that can be made?
 *
 * Return: 0, or -1 with @error (CONFIG_ERROR) that names the option.
 */
int machine_config_validate(const struct machine_config *config,
			    GError **error);

/** machine_config_json() - the normalised machine, as `--print-config` */
char *machine_config_json(const struct machine_config *config);

#endif
