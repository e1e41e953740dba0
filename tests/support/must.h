/* SPDX-License-Identifier: MIT */
/* must.h - an assertion for a benchmark. */
#ifndef SUPPORT_MUST_H
#define SUPPORT_MUST_H

#include <stdbool.h>

#include <check.h>

/**
 * must() - as ck_assert_msg(), which notes each time where it is, and takes
 * longer than what is measured
 */
static inline void must(bool so, const char *else_what)
{
	if (__builtin_expect(!so, 0))
		ck_abort_msg("%s", else_what);
}

#endif
