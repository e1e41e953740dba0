/* SPDX-License-Identifier: MIT */
/*
 * vm_faults.h - the fault rules of a machine (base/fault.h): those of its
 * configuration, those that come while it runs, and what happens at milestones.
 *
 * Thread: main, unless said otherwise.
 */
#ifndef VM_VM_FAULTS_H
#define VM_VM_FAULTS_H

#include <glib.h>

#include "report/milestone.h"

struct machine_config;
struct report_fault;
struct vm;
struct vm_faults;

/**
 * vm_faults_new() - from here on the rules of vm->config decide
 *
 * First of all that is made of a machine, as others ask.
 * Return: owned; never NULL.
 */
struct vm_faults *vm_faults_new(struct vm *vm);

/** vm_faults_free() - no rules any more; last of all */
void vm_faults_free(struct vm_faults *f);

/** vm_faults_reached() - a milestone was.  Any thread, no lock held */
void vm_faults_reached(struct vm_faults *f, enum milestone which);

/** vm_faults_stop() - nothing happens at a milestone any more; fine twice */
void vm_faults_stop(struct vm_faults *f);

/**
 * vm_fault_add() - one rule more, as --fault has it
 *
 * One about a milestone that was reached happens at once.
 * Return: its id; 0 with @error set.
 */
unsigned int vm_fault_add(struct vm *vm, const char *text, GError **error);

/** vm_faults_report() - borrowed until the next call, or vm_faults_free() */
const struct report_fault *vm_faults_report(struct vm_faults *f,
					    unsigned int *n);

#endif
