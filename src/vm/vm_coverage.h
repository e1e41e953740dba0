/* SPDX-License-Identifier: MIT */
/*
 * vm_coverage.h - of everything that there is: whether it is implemented, the
 * machine offers it, and its guest used it.
 *
 * Thread: main.
 */
#ifndef VM_VM_COVERAGE_H
#define VM_VM_COVERAGE_H

struct report;
struct vm;
struct vm_coverage;

/** vm_coverage_new() - as it is now; @report has its devices already; owned */
struct vm_coverage *vm_coverage_new(const struct vm *vm,
				    const struct report *report);
void vm_coverage_free(struct vm_coverage *coverage);

/** vm_coverage_fill() - point @report at it */
void vm_coverage_fill(const struct vm_coverage *coverage,
		      struct report *report);

#endif
