/* SPDX-License-Identifier: MIT */
/*
 * flight.h - the flight recorder: what happened last, decoded.
 *
 * Thread: any.
 */
#ifndef TRACE_FLIGHT_H
#define TRACE_FLIGHT_H

#include <glib.h>

#include "trace/fields.h"

/* What is printed when a run ends badly. */
#define FLIGHT_LINES 100u

/** flight_text() - the last @max records that are there; owned */
GString *flight_text(unsigned int max, enum trace_format format);

#endif
