/* SPDX-License-Identifier: MIT */
/*
 * page.h - a report as one HTML file, which needs nothing else: how the run
 * went, and of everything that there is what the host implements, what the
 * profile offers, what this guest used and what it was refused.
 *
 * Thread: any.
 */
#ifndef REPORT_PAGE_H
#define REPORT_PAGE_H

struct json_object;

/** page_html() - owned */
char *page_html(const struct json_object *report, const char *title);

#endif
