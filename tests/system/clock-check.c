/* SPDX-License-Identifier: MIT */
/*
 * clock-check.c - a static program for a Linux guest: is its time monotonic on
 * and across processors, and does it run at the host's rate?
 *
 * The host's clock is the ACPI PM timer at port 0x408: kvmbus makes it from
 * the host's CLOCK_MONOTONIC, the guest's own clock from the TSC.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PM_TIMER_PORT 0x408
#define PM_TIMER_HZ   3579545.0
#define SECONDS       4
#define ROUNDS        20000
/* Reading both clocks takes an exit; what that may add to the difference. */
#define ALLOWED_SKEW  0.002

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

/*
 * The PM timer but for its low byte.  /dev/port reads byte by byte: two reads
 * that agree in the upper ones saw no carry between them.
 */
static int pm_timer(int port, uint32_t *value)
{
	uint32_t last = 0;

	for (int i = 0; i < 100; i++) {
		uint8_t bytes[4];

		if (pread(port, bytes, sizeof(bytes), PM_TIMER_PORT) != 4)
			return -1;
		memcpy(value, bytes, sizeof(*value));
		*value &= ~0xFFu;
		if (i && *value == last)
			return 0;
		last = *value;
	}
	return -1;
}

static int check_rate(int port)
{
	uint32_t pm_start, pm_end;
	uint64_t start, end;
	double guest, host;

	if (pm_timer(port, &pm_start))
		return -1;
	start = now_ns();
	sleep(SECONDS);
	if (pm_timer(port, &pm_end))
		return -1;
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
	int port = open("/dev/port", O_RDONLY);

	if (port < 0) {
		perror("/dev/port");
		return 1;
	}
	return check_monotonic(n_cpus) || check_rate(port);
}
