/* SPDX-License-Identifier: MIT */
/*
 * traps.h - exceptions that can be caught, interrupts that are counted.
 *
 * An exception that nothing catches ends the run, and says where it was.
 * An interrupt is counted in this_cpu()->interrupts[vector], its hook called,
 * and then ended at the local APIC.
 */
#ifndef LIB_TRAPS_H
#define LIB_TRAPS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/cpu_area.h"

#define VECTOR_UD 6u
#define VECTOR_NM 7u
#define VECTOR_GP 13u
#define VECTOR_PF 14u

/* The local APIC's spurious interrupt; not to be ended. */
#define VECTOR_SPURIOUS 0xFFu
/* Work for a processor that sleeps. */
#define VECTOR_WAKE     0xFEu

/** traps_load() - let the caller's traps end here */
void traps_load(void);

/** trap_set_hook() - call @hook with interrupts off; NULL for none */
void trap_set_hook(uint8_t vector, void (*hook)(struct cpu *cpu));

/** trap_set_end() - whether interrupts of @vector are ended; they are */
void trap_set_end(uint8_t vector, bool end);

/** interrupts_of() - how many of @vector the processor @cpu has had */
static inline uint32_t interrupts_of(unsigned int cpu, uint8_t vector)
{
	return cpu_at(cpu)->interrupts[vector];
}

/* Each returns NO_VECTOR, or the exception that the instruction raised. */
uint32_t rdmsr_trying(uint32_t msr, uint64_t *value);
uint32_t wrmsr_trying(uint32_t msr, uint64_t value);

#endif
