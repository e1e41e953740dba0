/* SPDX-License-Identifier: MIT */
/* bench_trace.h - a benchmark with and without the flight recorder. */
#ifndef SUPPORT_BENCH_TRACE_H
#define SUPPORT_BENCH_TRACE_H

#include <stdlib.h>

#include "base/trace.h"

/** bench_trace() - TRACE=off in the environment: nothing is recorded */
static inline void bench_trace(void)
{
	const char *trace = getenv("TRACE");
	uint32_t mask = 0;

	if (!trace)
		return;
	trace_parse_categories(trace, &mask);
	trace_set_mask(mask);
}

#endif
