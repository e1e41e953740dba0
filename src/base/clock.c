/* SPDX-License-Identifier: MIT */
#include "base/clock.h"

#include <string.h>
#include <time.h>
#include <x86intrin.h>

#include <glib.h>

#define CURRENT_CLOCKSOURCE \
	"/sys/devices/system/clocksource/clocksource0/current_clocksource"

uint64_t clock_monotonic_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
}

uint64_t clock_tsc(void)
{
	unsigned int aux;
	uint64_t tsc = __rdtscp(&aux);

	_mm_lfence();
	return tsc;
}

int clock_tsc_is_reliable(void)
{
	g_autofree char *name = NULL;

	if (!g_file_get_contents(CURRENT_CLOCKSOURCE, &name, NULL, NULL))
		return 0;
	return !strcmp(g_strstrip(name), "tsc");
}
