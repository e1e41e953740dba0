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

#include "config/clock_config.h"
#include "config/cpu_config.h"
#include "config/hyperv_config.h"
#include "config/smbios_config.h"
#include "config/trace_config.h"

#define CONFIG_MEMORY_MIN_MIB      64
#define CONFIG_MEMORY_DEFAULT_MIB  1024
#define CONFIG_VCPUS_DEFAULT       2
#define CONFIG_VCPUS_MAX           1024
#define CONFIG_TIME_SYNC_DEFAULT_S 300
/* The first serial port is standard input and output; or there is nobody. */
#define CONFIG_FD_TERMINAL         (-2)
#define CONFIG_FD_NONE             (-1)
/* Every machine that was not given another: runs can be compared. */
#define CONFIG_UUID_DEFAULT        "6b766d62-7573-4d61-8c68-696e65303031"

/* A configuration that is refused (exit 3). */
#define CONFIG_ERROR (config_error_quark())
GQuark config_error_quark(void);

/* What becomes of the machine when its guest is done with it. */
enum lifecycle_action {
	LIFECYCLE_DESTROY, /* the run ends */
	LIFECYCLE_RESTART, /* it boots again */
	LIFECYCLE_PRESERVE, /* it stays, paused, until the user ends it */
	/* for crashes: the memory goes to a file first */
	LIFECYCLE_COREDUMP_DESTROY,
	LIFECYCLE_COREDUMP_RESTART,
};

/* How the host provides the guest's memory. */
struct memory_backing {
	/* pages of 2 MiB from the start, or the machine is not made */
	bool hugepages;
	/* never paged out; implies that it is there from the start */
	bool locked;
	bool immediate; /* all of it is there from the start */
};

/* Devices on VMbus that a machine has unless it is told otherwise. */
enum config_device {
	DEVICE_HEARTBEAT,
	DEVICE_TIMESYNC,
	DEVICE_SHUTDOWN,
	DEVICE_KVP,
	DEVICE_VSS,
	DEVICE_FCOPY,
	DEVICE_KEYBOARD,
	DEVICE_MOUSE,
	DEVICE_BALLOON,
	CONFIG_N_DEVICES,
};

struct machine_config {
	/* Strings are owned; NULL: not given. */
	char *name; /* of the domain */
	char *kernel;
	GStrv kernels; /* all that --kernel named; the last is kernel */
	char *initrd;
	char *cmdline;
	char *profile;
	char *report;
	char *junit, *tap; /* files */
	char *control; /* socket, or "fd=N" */
	char *events; /* file, as lines of JSON; "-": standard output */
	char *pidfile;
	char *dump_dir; /* of on_crash; NULL: the user's own */
	char *hvsock; /* socket, and what others begin with */
	struct trace_config trace;
	char *accel;
	char *uuid; /* never NULL */
	/* generation id, a UUID; NULL: the machine has no such device */
	char *genid;
	GPtrArray *disks; /* struct disk_config, in order; never NULL */
	GPtrArray *nets; /* struct net_config, in order; never NULL */
	/* struct serial_config, COM1 first; empty: the terminal is COM1 */
	GPtrArray *serials; /* never NULL */
	/* devices on VMbus that are left out: config_device_name() */
	uint32_t without; /* 1 << enum config_device */
	/* of a guest that runs a command (command/session.h); NULL: none */
	GStrv command;
	char *rootfs; /* folder, or as --disk has it */
	GStrv modules; /* to load, instead of the usual */
	GStrv without_modules;
	GArray *faults; /* struct fault_rule, in order; never NULL */
	uint64_t fault_seed;
	GStrv require; /* milestone names, checked; never NULL after parsing */
	uint64_t memory_mib;
	uint64_t memory_max_mib; /* with what may be added later; 0: nothing */
	struct memory_backing memory;
	unsigned int vcpus;
	struct cpu_config cpu;
	struct hyperv_config hyperv;
	struct clock_config clock;
	struct smbios_config smbios;
	/* newest VMbus version, major << 16 | minor; 0: the profile's */
	uint32_t vmbus_max;
	unsigned int timeout_s; /* 0: none */
	unsigned int signals_max; /* needless ones, a second; 0: any number */
	unsigned int time_sync_s; /* how often guests set their clock; 0: no */
	enum lifecycle_action on_poweroff, on_reboot, on_crash;
	/* reads of MSRs that nobody knows are 0, writes nothing; else #GP */
	bool ignore_msrs;
	bool on_reboot_given;
	bool verbose; /* the console of a guest that runs a command */
	int com1_fd, com2_fd; /* where serial ports lead; CONFIG_FD_… */
	bool test_devices;
	bool print_config;
	bool summary;
	bool srat;
};

/** machine_config_new() - the defaults; free with machine_config_free() */
struct machine_config *machine_config_new(void);
void machine_config_free(struct machine_config *config);

/** lifecycle_action_name() - "destroy", …, as libvirt has it */
const char *lifecycle_action_name(enum lifecycle_action action);

/** lifecycle_action_find() - by name; -1: there is none */
int lifecycle_action_find(const char *name);

/** config_device_name() - "heartbeat", … */
const char *config_device_name(enum config_device device);

/** config_device_find() - by name; -1: there is none */
int config_device_find(const char *name);

/** machine_config_has() - is the device of that name not left out? */
bool machine_config_has(const struct machine_config *config, const char *name);

/**
 * machine_config_vmbus() - "5.3" as vmbus_max has it
 *
 * Return: 0: there is no such version.
 */
uint32_t machine_config_vmbus(const char *text);

/** machine_config_vmbus_text() - the other way; NULL: none */
const char *machine_config_vmbus_text(uint32_t version);

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
