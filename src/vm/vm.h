/* SPDX-License-Identifier: MIT */
/*
 * vm.h - one virtual machine: made from a machine_config, run to its end.
 *
 * Thread: main.
 */
#ifndef VM_VM_H
#define VM_VM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <glib.h>

struct channel;
struct machine_config;
struct milestones;
struct outcome;
struct vm;
struct vm_disks;
struct vm_events;
struct vm_nics;
struct vsp_ops;

/* Something of ours or of KVM's that should not fail did (exit 125). */
#define VM_ERROR (vm_error_quark())
GQuark vm_error_quark(void);

/**
 * vm_new() - make the machine, processors stopped
 * @config:   borrowed until vm_free()
 * @start_ns: when the process started, CLOCK_MONOTONIC
 * @error:    KVM_ERROR (exit 4), BOOT_ERROR or CONFIG_ERROR (exit 3), else
 *            VM_ERROR
 *
 * Return: owned; NULL with @error set.
 */
struct vm *vm_new(const struct machine_config *config, uint64_t start_ns,
		  GError **error);
void vm_free(struct vm *vm);

/**
 * vm_run() - start the processors and wait for the end
 * @outcome: filled in; outcome_clear() frees what it owns
 *
 * Handles SIGINT and SIGTERM while it runs, which ask the guest to power off;
 * a second one ends the run, as SIGHUP does.  The processors are stopped when
 * it returns.
 */
void vm_run(struct vm *vm, struct outcome *outcome);

/* --- while it runs: from callbacks of the main loop ------------------------ */

struct vm_status {
	bool paused;
	/* it is kept as it was when its guest ended: QMP's run state, or NULL */
	const char *ended;
	const char *stopped_by; /* which disk's error paused it; NULL: none */
	const char *profile;
	const char *uuid;
	unsigned int n_vcpus;
	uint64_t memory_bytes;
	uint64_t resets;
	uint64_t uptime_ns; /* since it first ran */
	uint64_t guest_os_id;
};

void vm_get_status(const struct vm *vm, struct vm_status *status);

/** vm_suspend() - no processor runs until vm_continue(), nor guest time */
void vm_suspend(struct vm *vm);

/** vm_continue() - not when the guest has powered off: only a reset helps */
void vm_continue(struct vm *vm);

/** vm_host_reset() - as the reset button; a paused machine stays paused */
void vm_host_reset(struct vm *vm);

/** vm_power_button() - ACPI's; what comes of it is up to the guest */
void vm_power_button(struct vm *vm);

/**
 * vm_power_down() - ask the guest to power off
 *
 * Through its shutdown component; where it has none, or that does not answer,
 * by the power button.
 */
void vm_power_down(struct vm *vm);

/** vm_thread_id() - the host's number of the thread that runs VP @index */
pid_t vm_thread_id(const struct vm *vm, unsigned int index);

/** vm_nmi() - to every processor; Return: 0 or -errno */
int vm_nmi(struct vm *vm);

/** vm_quit() - end the run now, as if the plug was pulled (exit code 0) */
void vm_quit(struct vm *vm, const char *why);

/** vm_milestones() - as they are reached; borrowed until vm_free() */
const struct milestones *vm_milestones(const struct vm *vm);

/** vm_inspect() - the report as it is now, JSON without an outcome; owned */
char *vm_inspect(struct vm *vm);

/**
 * vm_device() - the device on VMbus that @ops belong to
 *
 * Return: borrowed until vm_free(); NULL: this machine has none.
 */
void *vm_device(struct vm *vm, const struct vsp_ops *ops);

/** vm_storage() - its disks, to be changed; borrowed until vm_free() */
struct vm_disks *vm_storage(struct vm *vm);

/** vm_network() - its network cards; borrowed until vm_free() */
struct vm_nics *vm_network(struct vm *vm);

/** vm_event_source() - what happens to it; borrowed until vm_free() */
struct vm_events *vm_event_source(struct vm *vm);

/** vm_channel() - the channel of the device that is called @name, or NULL */
struct channel *vm_channel(struct vm *vm, const char *name);

/* --- afterwards ---------------------------------------------------------------- */

/** vm_console_tail() - the last of what it printed; owned */
char *vm_console_tail(struct vm *vm);

/** vm_report() - write the report that the configuration asks for */
int vm_report(struct vm *vm, const struct outcome *outcome, GError **error);

#endif
