/* SPDX-License-Identifier: MIT */
/*
 * clock-check.c - a static program for a Linux guest: is its time monotonic on
 * and across processors, and does it run at the host's rate?
 *
 * The host's clock is the ACPI PM timer at port 0x408: kvmbus makes it from
 * the host's CLOCK_MONOTONIC, the guest's own clock from the TSC.
 */
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/io.h>
#include <time.h>
#include <unistd.h>

#define PM_TIMER_PORT 0x408
#define PM_TIMER_HZ   3579545.0
#define SECONDS       4
#define ROUNDS        20000
/* Reading both clocks takes an exit; what that may add to the difference. */
#define ALLOWED_SKEW 0.002

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static int hop_to(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set);
}

/* From processor to processor, each read must be later than the last. */
static int check_monotonic(int n_cpus)
{
	uint64_t last = now_ns();

	for (int i = 0; i < ROUNDS; i++) {
		uint64_t now;

		if (i % 100 == 0 && hop_to(i / 100 % n_cpus))
			return -1;
		now = now_ns();
		if (now < last) {
			printf("clock-check: time went back by %llu ns\n",
			       (unsigned long long)(last - now));
			return -1;
		}
		last = now;
	}
	return 0;
}

static int check_rate(void)
{
	uint32_t pm_start = inl(PM_TIMER_PORT), pm_end;
	uint64_t start = now_ns(), end;
	double guest, host;

	sleep(SECONDS);
	pm_end = inl(PM_TIMER_PORT);
	end = now_ns();
	guest = (double)(end - start) / 1e9;
	host = (double)(uint32_t)(pm_end - pm_start) / PM_TIMER_HZ;
	printf("clock-check: guest %.6f s, host %.6f s\n", guest, host);
	return guest / host > 1 - ALLOWED_SKEW &&
			       guest / host < 1 + ALLOWED_SKEW
		       ? 0
		       : -1;
}

int main(void)
{
	int n_cpus = (int)sysconf(_SC_NPROCESSORS_ONLN);

	if (iopl(3)) {
		perror("iopl");
		return 1;
	}
	if (check_monotonic(n_cpus) || check_rate())
		return 1;
	return 0;
}
