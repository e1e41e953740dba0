/* SPDX-License-Identifier: MIT */
/*
 * tap.h - results, one line each, in the Test Anything Protocol.
 *
 * Thread: processor 0.
 */
#ifndef LIB_TAP_H
#define LIB_TAP_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Each takes a name in printf()'s way, counts and prints one line, and says
 * whether it was as wanted.
 */
#define check(ok, ...) tap_check((ok), __FILE_NAME__, __LINE__, __VA_ARGS__)
#define check_equal(got, want, ...) \
	tap_equal((got), (want), __FILE_NAME__, __LINE__, __VA_ARGS__)
/* low <= got && got <= high */
#define check_between(got, low, high, ...) \
	tap_between((got), (low), (high), __FILE_NAME__, __LINE__, __VA_ARGS__)

bool tap_check(bool ok, const char *file, unsigned int line, const char *name,
	       ...) __attribute__((format(printf, 4, 5)));
bool tap_equal(uint64_t got, uint64_t want, const char *file, unsigned int line,
	       const char *name, ...) __attribute__((format(printf, 5, 6)));
bool tap_between(uint64_t got, uint64_t low, uint64_t high, const char *file,
		 unsigned int line, const char *name, ...)
	__attribute__((format(printf, 6, 7)));

/** tap_skip() - a line that says why something was not tried */
void tap_skip(const char *why, const char *name, ...)
	__attribute__((format(printf, 2, 3)));

/** tap_plan() - print the plan early, when the run ends in another way */
void tap_plan(void);

/** tap_end() - plan and exit: 0 when all was well, else 1 */
void tap_end(void) __attribute__((noreturn));

#endif
