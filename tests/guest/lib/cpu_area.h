/* SPDX-License-Identifier: MIT */
/*
 * cpu_area.h - what each processor has of its own, and where.
 *
 * A processor's block is CPU_BLOCK_BYTES, aligned to its size: struct cpu at
 * the bottom, its stack from the top down, and in the middle the stack for
 * traps from CPL 3.  So the stack pointer finds it, in C and in assembly, in
 * every mode.
 */
#ifndef LIB_CPU_AREA_H
#define LIB_CPU_AREA_H

#define CPUS_MAX        8
#define CPU_BLOCK_BYTES 16384

/* Offsets in struct cpu, for assembly. */
#ifdef __x86_64__
#define CPU_RESUME_IP 0
#define CPU_RESUME_SP 8
#define CPU_CALL_REGS 16
#else
#define CPU_RESUME_IP 0
#define CPU_RESUME_SP 4
#define CPU_CALL_REGS 8
#endif

/* Selectors; the same in both modes. */
#define SELECTOR_CODE32      0x08
#define SELECTOR_DATA        0x10
#define SELECTOR_CODE64      0x18
#define SELECTOR_USER_DATA   0x23
#define SELECTOR_USER_CODE32 0x2B
#define SELECTOR_USER_CODE64 0x33
#define SELECTOR_TSS         0x38

#ifdef __x86_64__
#define SELECTOR_CODE SELECTOR_CODE64
#else
#define SELECTOR_CODE SELECTOR_CODE32
#endif

/* Where application processors start, in real mode: below 64 KiB. */
#define AP_TRAMPOLINE 0x8000

#ifndef __ASSEMBLER__

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NO_VECTOR 0xFFFFFFFFu

#ifdef __x86_64__
#define STACK_POINTER "rsp"
#else
#define STACK_POINTER "esp"
#endif

/* With two entries for the TSS, which is long in 64-bit mode. */
#define GDT_ENTRIES 9

struct tss {
	uint32_t words[26];
};

struct cpu {
	/* An exception goes on here, if not 0; with this stack, if not 0. */
	unsigned long resume_ip;
	unsigned long resume_sp;
	/* of call_with_registers() */
	void *call_registers;

	/* the exception that was caught; NO_VECTOR: none */
	volatile uint32_t caught_vector;
	volatile uint32_t caught_error;
	volatile unsigned long caught_ip;

	unsigned int index;
	volatile bool alive;
	/* work for smp_begin() */
	void (*volatile work)(void *arg);
	void *volatile work_arg;

	volatile uint32_t interrupts[256];

	uint64_t gdt[GDT_ENTRIES];
	struct tss tss;
};

_Static_assert(offsetof(struct cpu, resume_ip) == CPU_RESUME_IP, "assembly");
_Static_assert(offsetof(struct cpu, resume_sp) == CPU_RESUME_SP, "assembly");
_Static_assert(offsetof(struct cpu, call_registers) == CPU_CALL_REGS,
	       "assembly");

/* Processor 0's, 1's, … */
extern uint8_t cpu_blocks[CPUS_MAX][CPU_BLOCK_BYTES];

static inline struct cpu *cpu_at(unsigned int index)
{
	return (struct cpu *)(void *)cpu_blocks[index];
}

/** this_cpu() - the caller's; found by the stack pointer */
static inline struct cpu *this_cpu(void)
{
	unsigned long sp;

	asm volatile("mov %%" STACK_POINTER ", %0" : "=r"(sp));
	return (struct cpu *)(sp & ~(unsigned long)(CPU_BLOCK_BYTES - 1));
}

/** cpu_load_tables() - descriptor tables of the caller, early on it */
void cpu_load_tables(void);

#endif
#endif
