/* SPDX-License-Identifier: MIT */
/*
 * console.h - text to the debug console, and the end of the run.
 *
 * Thread: processor 0; others only to say why they die.
 */
#ifndef LIB_CONSOLE_H
#define LIB_CONSOLE_H

#include <stdarg.h>
#include <stdint.h>

/** print() - %s, %c, %u, %x, %llu, %llx, %lx and %% */
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));
void vprint(const char *format, va_list args)
	__attribute__((format(printf, 1, 0)));

/** end_run() - kvmbus exits with (value << 1) | 1 */
void end_run(uint32_t value) __attribute__((noreturn));

#endif
