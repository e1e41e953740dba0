/* SPDX-License-Identifier: MIT */
/*
 * verdict.h - reports as CI reads them: JUnit and TAP.
 *
 * A run is a suite.  Its cases: how it ended; each milestone that was
 * required, failed if it was not reached; each of the others, skipped if it
 * was not reached, with the reason; each finding, failed if it is an error.
 *
 * Thread: any.
 * Source: the JUnit XML that Jenkins and GitLab read; TAP version 13.
 */
#ifndef REPORT_VERDICT_H
#define REPORT_VERDICT_H

#include <glib.h>

struct json_object;

/* A run; all borrowed. */
struct verdict_run {
	const char *name; /* of the suite */
	/* NULL: it never came to a report, and @why says why */
	const struct json_object *report;
	const char *why;
	double seconds;
};

/** verdict_junit() - one file of many runs; owned */
char *verdict_junit(const struct verdict_run *runs, size_t n);

/** verdict_tap() - the same as TAP; owned */
char *verdict_tap(const struct verdict_run *runs, size_t n);

/** verdict_name() - "ws2022, 2 processors, Linux 6.1.0"; owned */
char *verdict_name(const struct json_object *report);

#endif
