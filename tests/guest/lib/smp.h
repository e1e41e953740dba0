/* SPDX-License-Identifier: MIT */
/*
 * smp.h - the other processors: started by INIT and start-up interrupts, then
 * asleep until they are given something to do.
 */
#ifndef LIB_SMP_H
#define LIB_SMP_H

#include <stdbool.h>

/** smp_cpus() - how many the run has: the argument "cpus", 1 without */
unsigned int smp_cpus(void);

/**
 * smp_apic_id() - of processor @cpu
 *
 * As the arguments "cores" (in a package) and "threads" (in a core) say; the
 * same without them.
 */
unsigned int smp_apic_id(unsigned int cpu);

/**
 * smp_start() - start them all, with the argument "start-by-msr" by
 * HV_X64_MSR_ICR; Return: false if one did not come up
 */
bool smp_start(void);

/** smp_begin() - let processor @cpu, not 0, call @work with interrupts on */
void smp_begin(unsigned int cpu, void (*work)(void *arg), void *arg);

/** smp_finish() - wait until it has; false after SOON_MS */
bool smp_finish(unsigned int cpu);

/** smp_run() - both; on processor 0 it is a call */
bool smp_run(unsigned int cpu, void (*work)(void *arg), void *arg);

#endif
