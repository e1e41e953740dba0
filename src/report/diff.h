/* SPDX-License-Identifier: MIT */
/*
 * diff.h - what is different between two runs, in words.
 *
 * Names what changed: how it ended, versions, features, milestones, what is
 * used now or no longer, what is refused, findings.  Counts only when they
 * are of another order of magnitude, and times likewise: no two runs are the
 * same in either.
 *
 * Thread: any.
 */
#ifndef REPORT_DIFF_H
#define REPORT_DIFF_H

#include <stdio.h>

struct json_object;

/**
 * report_diff() - what of @b is not as in @a, a line each
 *
 * Return: how many lines.
 */
unsigned int report_diff(const struct json_object *a,
			 const struct json_object *b, FILE *out);

#endif
