/* SPDX-License-Identifier: MIT */
/*
 * start.h - from assembly to C and on to the test.
 */
#ifndef LIB_START_H
#define LIB_START_H

struct cpu;

/** guest_main() - the test; on processor 0, with interrupts on */
void guest_main(void);

/** start_c() - first C of every processor */
void start_c(void) __attribute__((noreturn));

/** smp_serve() - the life of a processor other than 0 */
void smp_serve(struct cpu *cpu) __attribute__((noreturn));

#endif
