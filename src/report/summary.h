/* SPDX-License-Identifier: MIT */
/*
 * summary.h - a report for a person: a screenful, and one line while it runs.
 *
 * Thread: main.
 */
#ifndef REPORT_SUMMARY_H
#define REPORT_SUMMARY_H

#include <stdbool.h>
#include <stdio.h>

struct json_object;

/* How to write it. */
struct summary_style {
	int columns; /* as wide as this, 40 at least */
	bool colour;
};

/** summary_style_of() - by what @out is, and NO_COLOR */
struct summary_style summary_style_of(FILE *out);

/** summary_print() - how it ended, what was used, and what was not and why */
void summary_print(const struct json_object *report,
		   const struct summary_style *style, FILE *out);

#endif
