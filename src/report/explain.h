/* SPDX-License-Identifier: MIT */
/*
 * explain.h - why a milestone was not reached, in words that say what to look
 * at.
 *
 * Goes by the first that is missing on the way to it: where the guest never
 * opened a disk's channel, that nothing was read is no wonder.
 *
 * Thread: any.
 */
#ifndef REPORT_EXPLAIN_H
#define REPORT_EXPLAIN_H

#include <glib.h>

#include "report/milestone.h"

struct json_object;

/**
 * explain() - why @which was not reached
 * @report: as it is written, with its milestones and devices
 *
 * Return: owned; no full stop at its end.
 */
char *explain(const struct json_object *report, enum milestone which);

#endif
