/* SPDX-License-Identifier: MIT */
/*
 * clock-check.c - a static program for a Linux guest: is its time monotonic on
 * and across processors, and does it run at the host's rate?
 *
 * The host's clock is the CMOS clock, whose seconds kvmbus takes from the
 * host's; the guest's own is made from the TSC.  When a second begins is known
 * only to lie between two looks at the clock, so the elapsed time is known to
 * lie between two bounds, and the host's must lie there too.
 */
#include <fcntl.h>
#include <linux/rtc.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define SECONDS         5
#define ROUNDS          20000
#define MSEC            1000000ll
/* What the host's clock may be slewed by (NTP: 500 ppm), over SECONDS. */
#define ALLOWED_SLEW_NS (SECONDS * 500000ll)
/* Bounds wider than this say nothing: look for another second. */
#define WIDEST_NS       (20 * MSEC)

struct edge {
	int64_t before_ns, after_ns;
};

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static int hop_to(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set);
}

/* From processor to processor, each read must not be before the last. */
static int check_monotonic(int n_cpus)
{
	int64_t last = now_ns();

	for (int i = 0; i < ROUNDS; i++) {
		int64_t now;

		if (i % 100 == 0 && hop_to(i / 100 % n_cpus))
			return -1;
		now = now_ns();
		if (now < last) {
			printf("clock-check: time went back by %lld ns\n",
			       (long long)(last - now));
			return -1;
		}
		last = now;
	}
	return 0;
}

static int second_of(int rtc)
{
	struct rtc_time t;

	return ioctl(rtc, RTC_RD_TIME, &t) ? -1 : t.tm_sec;
}

/* Wait for the next second that is seen sharply; *@second is which. */
static int find_edge(int rtc, struct edge *edge, int *second)
{
	int64_t give_up = now_ns() + 60000 * MSEC;
	int last = second_of(rtc);

	edge->before_ns = now_ns();
	while (now_ns() < give_up) {
		int64_t look = now_ns();
		int s = second_of(rtc);

		edge->after_ns = now_ns();
		if (s < 0)
			return -1;
		if (s != last && edge->after_ns - edge->before_ns < WIDEST_NS) {
			*second = s;
			return 0;
		}
		last = s;
		edge->before_ns = look;
	}
	return -1;
}

static int check_rate(int rtc)
{
	struct edge from, to;
	int first, last;
	int64_t least, most, host;

	if (find_edge(rtc, &from, &first))
		return -1;
	sleep(SECONDS);
	if (find_edge(rtc, &to, &last))
		return -1;
	least = to.before_ns - from.after_ns - ALLOWED_SLEW_NS;
	most = to.after_ns - from.before_ns + ALLOWED_SLEW_NS;
	host = (last - first + 60) % 60 * 1000 * MSEC;
	printf("clock-check: guest %lld to %lld us, host %lld us\n",
	       (long long)least / 1000, (long long)most / 1000,
	       (long long)host / 1000);
	return host >= least && host <= most ? 0 : -1;
}

int main(void)
{
	int n_cpus = (int)sysconf(_SC_NPROCESSORS_ONLN);
	int rtc = open("/dev/rtc0", O_RDONLY);

	if (rtc < 0) {
		perror("/dev/rtc0");
		return 1;
	}
	return check_monotonic(n_cpus) || check_rate(rtc);
}
