/* SPDX-License-Identifier: MIT */
/*
 * vm.h - one virtual machine: made from a machine_config, run to its end.
 *
 * Thread: main.
 */
#ifndef VM_VM_H
#define VM_VM_H

#include <stdint.h>

#include <glib.h>

struct machine_config;
struct outcome;
struct vm;

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
 * Handles SIGINT, SIGTERM and SIGHUP while it runs.  The processors are
 * stopped when it returns.
 */
void vm_run(struct vm *vm, struct outcome *outcome);

/** vm_report() - write the report that the configuration asks for */
int vm_report(struct vm *vm, const struct outcome *outcome, GError **error);

#endif
