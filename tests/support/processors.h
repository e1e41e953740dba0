/* SPDX-License-Identifier: MIT */
/* processors.h - which processors the threads of a benchmark run on. */
#ifndef SUPPORT_PROCESSORS_H
#define SUPPORT_PROCESSORS_H

#include <sched.h>
#include <stdbool.h>

/**
 * use_processors() - for this thread, and those that it makes
 * @guest: the last of all, else all others; whichever where there is only one
 *
 * The guest's end and the device's threads on processors of their own, as a
 * guest's are: woken by each other, they would else share one.
 */
static inline void use_processors(bool guest)
{
	static cpu_set_t all;
	static int last = -1;
	cpu_set_t set;

	if (last < 0) {
		sched_getaffinity(0, sizeof(all), &all);
		for (int i = 0; i < CPU_SETSIZE; i++)
			last = CPU_ISSET(i, &all) ? i : last;
	}
	if (CPU_COUNT(&all) < 2)
		return;
	set = all;
	CPU_CLR(last, &set);
	if (guest) {
		CPU_ZERO(&set);
		CPU_SET(last, &set);
	}
	sched_setaffinity(0, sizeof(set), &set);
}

#endif
