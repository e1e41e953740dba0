/* SPDX-License-Identifier: MIT */
/*
 * status_line.h - while a guest boots: how far it is, on one line of a
 * terminal, which is gone afterwards.
 *
 * Thread: any.
 */
#ifndef REPORT_STATUS_LINE_H
#define REPORT_STATUS_LINE_H

#include <stdio.h>

struct milestones;
struct status_line;

/** status_line_new() - nothing is shown yet; @out and @m borrowed */
struct status_line *status_line_new(FILE *out, const struct milestones *m);

/** status_line_show() - as it is now; nothing after status_line_end() */
void status_line_show(struct status_line *line);

/** status_line_end() - take it away for good; twice is fine, NULL too */
void status_line_end(struct status_line *line);
void status_line_free(struct status_line *line);

#endif
