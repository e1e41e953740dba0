/* SPDX-License-Identifier: MIT */
/*
 * The timer thread lives by the real clock, so these tests do; what they wait
 * for is always an interrupt, and what they check is that none comes early.
 */
#include "synic/timer_queue.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "base/clock.h"
#include "mem/gmem.h"
#include "mem/overlay.h"
#include "proto/hv_synic.h"
#include "proto/hv_tlfs.h"
#include "support/check_main.h"
#include "support/random.h"
#include "synic/ref_time.h"
#include "synic/synic.h"

#define N_VPS     4
#define MS        10000ull
#define CONFIG(n) (HV_X64_MSR_STIMER0_CONFIG + 2 * (n))
#define COUNT(n)  (HV_X64_MSR_STIMER0_COUNT + 2 * (n))
#define AUTO      HV_STIMER_AUTO_ENABLE
#define PERIODIC  HV_STIMER_PERIODIC

static struct gmem *mem;
static struct overlay_space *space;
static struct ref_time *rt;
static struct synic *synic;
static struct timer_queue *tq;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed;
/* lock: interrupts by VP and timer, and when the last one came */
static unsigned int fired[N_VPS][4], total;
static uint64_t fired_at[N_VPS][4];

/* Timer n has vector 0x80 + n. */
static void interrupt(void *ctx, uint32_t vp, uint8_t vector, bool auto_eoi)
{
	uint64_t now = ref_time_now(rt);

	(void)ctx;
	(void)auto_eoi;
	pthread_mutex_lock(&lock);
	fired[vp][vector - 0x80]++;
	fired_at[vp][vector - 0x80] = now;
	total++;
	pthread_cond_signal(&changed);
	pthread_mutex_unlock(&lock);
}

/* Until that many interrupts came in all, or @ms are over; how many came. */
static unsigned int wait_for_total(unsigned int wanted, unsigned int ms)
{
	uint64_t end = clock_monotonic_ns() + ms * NSEC_PER_MSEC;
	struct timespec ts = {.tv_sec = (time_t)(end / NSEC_PER_SEC),
			      .tv_nsec = (long)(end % NSEC_PER_SEC)};
	unsigned int came;

	pthread_mutex_lock(&lock);
	while (total < wanted &&
	       pthread_cond_timedwait(&changed, &lock, &ts) != ETIMEDOUT)
		;
	came = total;
	pthread_mutex_unlock(&lock);
	return came;
}

#define LONG_WAIT 20000

static void setup_with(const struct ref_clock *clock, uint64_t hz, bool use_tsc)
{
	static const struct synic_ops ops = {.interrupt = interrupt};
	struct synic_params params = {.n_vps = N_VPS,
				      .ops = &ops,
				      .direct_timers = true,
				      .max_gpa = 1ull << 32};
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&changed, &attr);
	pthread_condattr_destroy(&attr);
	mem = gmem_new(1 << 20, NULL);
	space = overlay_space_new(mem, synic_overlays_needed(N_VPS), NULL);
	rt = ref_time_new(clock, hz, 0, use_tsc);
	params.mem = mem;
	params.overlays = space;
	params.ref_time = rt;
	synic = synic_new(&params);
	tq = timer_queue_new(synic, rt, NULL);
	ck_assert_ptr_nonnull(tq);
	for (uint32_t vp = 0; vp < N_VPS; vp++)
		for (unsigned int n = 0; n < 4; n++)
			synic_msr_write(synic, vp, CONFIG(n),
					AUTO | HV_STIMER_DIRECT_MODE |
						(0x80ull +
						 n) << HV_STIMER_VECTOR_SHIFT);
}

static void setup(void)
{
	setup_with(&ref_clock_host, 0, false);
}

static void teardown(void)
{
	timer_queue_free(tq);
	synic_free(synic);
	ref_time_free(rt);
	overlay_space_free(space);
	gmem_free(mem);
}

/* Program a one-shot; returns its deadline. */
static uint64_t in(uint32_t vp, unsigned int n, uint64_t delay)
{
	uint64_t when = ref_time_now(rt) + delay;

	ck_assert_int_eq(synic_msr_write(synic, vp, COUNT(n), when), 0);
	return when;
}

START_TEST(one_shot)
{
	for (unsigned int i = 1; i <= 10; i++) {
		uint64_t when = in(1, 2, 2 * MS);

		ck_assert_uint_eq(wait_for_total(i, LONG_WAIT), i);
		ck_assert_uint_eq(fired[1][2], i);
		ck_assert_uint_ge(fired_at[1][2], when);
	}
}
END_TEST

START_TEST(far_away)
{
	uint64_t when = in(0, 0, 200 * MS);

	ck_assert_uint_eq(wait_for_total(1, LONG_WAIT), 1);
	ck_assert_uint_ge(fired_at[0][0], when);
}
END_TEST

START_TEST(nearer_overtakes)
{
	uint64_t when;

	in(0, 0, 100000 * MS);
	in(1, 0, 90000 * MS);
	when = in(2, 0, 2 * MS);
	ck_assert_uint_eq(wait_for_total(1, LONG_WAIT), 1);
	ck_assert_uint_eq(fired[2][0], 1);
	ck_assert_uint_ge(fired_at[2][0], when);
}
END_TEST

START_TEST(cancelled_and_moved_away)
{
	in(0, 0, 200 * MS);
	in(1, 1, 200 * MS);
	synic_msr_write(synic, 0, COUNT(0), 0);
	in(1, 1, 100000 * MS);
	in(2, 2, 205 * MS);
	ck_assert_uint_eq(wait_for_total(1, LONG_WAIT), 1);
	ck_assert_uint_eq(fired[2][2], 1);
}
END_TEST

START_TEST(many)
{
	uint64_t when[N_VPS][4];

	for (unsigned int round = 1; round <= 20; round++) {
		for (uint32_t vp = 0; vp < N_VPS; vp++)
			for (unsigned int n = 0; n < 4; n++)
				when[vp][n] =
					in(vp, n, random_u64() % (3 * MS));
		ck_assert_uint_eq(wait_for_total(round * N_VPS * 4, LONG_WAIT),
				  round * N_VPS * 4);
		for (uint32_t vp = 0; vp < N_VPS; vp++)
			for (unsigned int n = 0; n < 4; n++) {
				ck_assert_uint_eq(fired[vp][n], round);
				ck_assert_uint_ge(fired_at[vp][n], when[vp][n]);
			}
	}
}
END_TEST

START_TEST(periodic)
{
	uint64_t start;

	synic_msr_write(synic, 0, CONFIG(0),
			AUTO | PERIODIC | HV_STIMER_DIRECT_MODE |
				0x80ull << HV_STIMER_VECTOR_SHIFT);
	start = ref_time_now(rt);
	synic_msr_write(synic, 0, COUNT(0), MS);
	ck_assert_uint_ge(wait_for_total(30, LONG_WAIT), 30);
	ck_assert_uint_ge(ref_time_now(rt), start + 30 * MS);
}
END_TEST

START_TEST(paused)
{
	uint64_t when, frozen;

	timer_queue_pause(tq);
	timer_queue_pause(tq);
	when = in(0, 0, 20 * MS);
	ref_time_freeze(rt);
	frozen = ref_time_now(rt);
	ck_assert_uint_eq(wait_for_total(1, 40), 0);
	ref_time_thaw(rt, 0);
	ck_assert_uint_ge(ref_time_now(rt), frozen);
	timer_queue_resume(tq);
	ck_assert_uint_eq(wait_for_total(1, LONG_WAIT), 1);
	ck_assert_uint_ge(fired_at[0][0], when);
}
END_TEST

START_TEST(nothing_fires_while_paused)
{
	timer_queue_pause(tq);
	in(0, 0, MS);
	ck_assert_uint_eq(wait_for_total(1, 20), 0);
	timer_queue_resume(tq);
	ck_assert_uint_eq(wait_for_total(1, LONG_WAIT), 1);
}
END_TEST

START_TEST(freed_while_armed)
{
	in(0, 0, _i ? 1 : 100000 * MS);
	if (_i == 2)
		timer_queue_pause(tq);
	timer_queue_free(tq);
	tq = NULL;
	/* And without a queue the synic still works. */
	in(0, 1, 5 * MS);
}
END_TEST

START_TEST(made_when_timers_run_already)
{
	uint64_t when;

	timer_queue_free(tq);
	when = in(0, 0, MS);
	tq = timer_queue_new(synic, rt, NULL);
	ck_assert_uint_eq(wait_for_total(1, LONG_WAIT), 1);
	ck_assert_uint_ge(fired_at[0][0], when);
}
END_TEST

/* A TSC that runs at half its nominal rate: each wake-up is too early. */
static uint64_t slow_tsc(void *ctx)
{
	(void)ctx;
	return clock_monotonic_ns() / 2;
}

static uint64_t monotonic_ns(void *ctx)
{
	(void)ctx;
	return clock_monotonic_ns();
}

START_TEST(never_early_when_clocks_drift)
{
	static const struct ref_clock slow = {.tsc = slow_tsc,
					      .monotonic_ns = monotonic_ns};
	uint64_t when;

	setup_with(&slow, NSEC_PER_SEC, true);
	for (unsigned int i = 1; i <= 3; i++) {
		when = in(0, 0, 4 * MS);
		ck_assert_uint_eq(wait_for_total(i, LONG_WAIT), i);
		ck_assert_uint_ge(fired_at[0][0], when);
	}
	teardown();
}
END_TEST

#define N_HAMMER 5000

static void *hammer(void *arg)
{
	uint32_t vp = *(const uint32_t *)arg;

	for (unsigned int i = 0; i < N_HAMMER; i++)
		synic_msr_write(synic, vp, COUNT(i % 4),
				ref_time_now(rt) + i % 200);
	for (unsigned int n = 0; n < 4; n++)
		synic_msr_write(synic, vp, COUNT(n), ref_time_now(rt) + MS + n);
	return NULL;
}

START_TEST(no_timer_is_lost_under_load)
{
	pthread_t vcpus[N_VPS];
	uint32_t indices[N_VPS];
	bool all = false;

	for (uint32_t vp = 0; vp < N_VPS; vp++) {
		indices[vp] = vp;
		pthread_create(&vcpus[vp], NULL, hammer, &indices[vp]);
	}
	for (unsigned int i = 0; i < 20; i++) {
		timer_queue_pause(tq);
		timer_queue_resume(tq);
	}
	for (unsigned int vp = 0; vp < N_VPS; vp++)
		pthread_join(vcpus[vp], NULL);
	/* All of them end; the last ones are 1 ms away. */
	for (unsigned int tries = 0; !all && tries < 100000; tries++) {
		unsigned int before = wait_for_total(0, 0);

		all = synic_next_deadline(synic) == UINT64_MAX;
		if (!all)
			wait_for_total(before + 1, 1);
	}
	ck_assert(all);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("synic/timer_queue");
	TCase *t = tcase_create("queue"), *own = tcase_create("drift");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, one_shot);
	tcase_add_test(t, far_away);
	tcase_add_test(t, nearer_overtakes);
	tcase_add_test(t, cancelled_and_moved_away);
	tcase_add_test(t, many);
	tcase_add_test(t, periodic);
	tcase_add_test(t, paused);
	tcase_add_test(t, nothing_fires_while_paused);
	tcase_add_loop_test(t, freed_while_armed, 0, 3);
	tcase_add_test(t, made_when_timers_run_already);
	tcase_add_test(t, no_timer_is_lost_under_load);
	suite_add_tcase(s, t);
	tcase_add_test(own, never_early_when_clocks_drift);
	suite_add_tcase(s, own);
	return check_main(s);
}
