/* SPDX-License-Identifier: MIT */
#include "devices/device_timers.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/clock.h"
#include "devices/bus.h"
#include "devices/cmos_rtc.h"
#include "support/check_main.h"

#define MS          NSEC_PER_MSEC
#define PATIENCE_MS 10000

/* A device that reports each wake through a pipe and arms again at will. */
struct fake_dev {
	struct timer_line line;
	int event[2];
	atomic_uint wakes;
	uint64_t again_ns;
	unsigned int agains;
};

static struct device_timers *timers;
static struct fake_dev dev[2];

static void on_expired(void *ctx)
{
	struct fake_dev *d = ctx;

	if (atomic_fetch_add(&d->wakes, 1) < d->agains)
		timer_line_arm(&d->line, d->again_ns);
	ck_assert_int_eq(write(d->event[1], "", 1), 1);
}

static void setup(void)
{
	timers = device_timers_new();
	for (unsigned int i = 0; i < 2; i++) {
		struct device_timer *t = device_timer_new(timers);

		dev[i] = (struct fake_dev){.line = device_timer_line(t)};
		ck_assert_int_eq(pipe(dev[i].event), 0);
		device_timer_bind(t, on_expired, &dev[i]);
	}
}

static void teardown(void)
{
	device_timers_free(timers);
}

static void expect_wake(struct fake_dev *d)
{
	struct pollfd p = {.fd = d->event[0], .events = POLLIN};
	char byte;

	ck_assert_int_eq(poll(&p, 1, PATIENCE_MS), 1);
	ck_assert_int_eq(read(d->event[0], &byte, 1), 1);
}

START_TEST(never_too_early)
{
	uint64_t begin = clock_monotonic_ns();

	timer_line_arm(&dev[0].line, 20 * MS);
	expect_wake(&dev[0]);
	ck_assert_uint_ge(clock_monotonic_ns() - begin, 20 * MS);
	ck_assert_uint_eq(dev[0].wakes, 1);
}
END_TEST

START_TEST(at_once)
{
	timer_line_arm(&dev[0].line, 0);
	expect_wake(&dev[0]);
}
END_TEST

START_TEST(nearer_one_overtakes)
{
	timer_line_arm(&dev[0].line, 3600 * NSEC_PER_SEC);
	timer_line_arm(&dev[1].line, 5 * MS);
	expect_wake(&dev[1]);
	ck_assert_uint_eq(dev[0].wakes, 0);
	timer_line_arm(&dev[0].line, 5 * MS);
	expect_wake(&dev[0]);
}
END_TEST

START_TEST(cancelled_and_moved_away)
{
	/* Far enough away that a busy host gets round to the second call. */
	timer_line_arm(&dev[0].line, 500 * MS);
	timer_line_arm(&dev[0].line, TIMER_LINE_NEVER);
	timer_line_arm(&dev[1].line, 500 * MS);
	timer_line_arm(&dev[1].line, 510 * MS);
	expect_wake(&dev[1]);
	ck_assert_uint_eq(dev[0].wakes, 0);
	ck_assert_uint_eq(dev[1].wakes, 1);
}
END_TEST

START_TEST(arms_itself_again)
{
	dev[0].agains = 9;
	dev[0].again_ns = MS;
	timer_line_arm(&dev[0].line, MS);
	for (unsigned int i = 0; i < 10; i++)
		expect_wake(&dev[0]);
	ck_assert_uint_eq(dev[0].wakes, 10);
}
END_TEST

START_TEST(huge_delay_is_for_ever)
{
	timer_line_arm(&dev[0].line, TIMER_LINE_NEVER - 1);
	timer_line_arm(&dev[1].line, 0);
	expect_wake(&dev[1]);
	ck_assert_uint_eq(dev[0].wakes, 0);
}
END_TEST

START_TEST(free_with_timers_armed)
{
	timer_line_arm(&dev[0].line, 3600 * NSEC_PER_SEC);
	timer_line_arm(&dev[1].line, 0);
	device_timers_free(timers);
	timers = NULL;
	device_timers_free(NULL);
}
END_TEST

START_TEST(unbound_timer)
{
	struct device_timer *t = device_timer_new(timers);
	struct timer_line line = device_timer_line(t);

	timer_line_arm(&line, 0);
	timer_line_arm(&dev[0].line, MS);
	expect_wake(&dev[0]);
}
END_TEST

static void *rearm(void *arg)
{
	struct fake_dev *d = arg;

	for (unsigned int i = 0; i < 2000; i++)
		timer_line_arm(&d->line,
			       i % 3 ? 3600 * NSEC_PER_SEC : TIMER_LINE_NEVER);
	timer_line_arm(&d->line, 0);
	return NULL;
}

START_TEST(many_threads_arm)
{
	pthread_t t[2];

	for (unsigned int i = 0; i < 2; i++)
		pthread_create(&t[i], NULL, rearm, &dev[i]);
	for (unsigned int i = 0; i < 2; i++) {
		pthread_join(t[i], NULL);
		expect_wake(&dev[i]);
	}
}
END_TEST

/* --- a real device: the clock's periodic interrupt ----------------------- */

static int irq_event[2];

static void on_irq(void *ctx, unsigned int gsi, bool level)
{
	(void)ctx;
	(void)gsi;
	if (level)
		ck_assert_int_eq(write(irq_event[1], "", 1), 1);
}

START_TEST(rtc_interrupts)
{
	struct device_timer *t = device_timer_new(timers);
	struct cmos_rtc_config cfg = {
		.irq = {on_irq, NULL, 8},
		.timer = device_timer_line(t),
	};
	struct cmos_rtc *rtc = cmos_rtc_new(&cfg);
	struct bus *pio = bus_new("pio");
	struct pollfd p;
	uint16_t enable = 0x420B, ack = 0x000C;
	char byte;

	ck_assert_int_eq(pipe(irq_event), 0);
	p = (struct pollfd){.fd = irq_event[0], .events = POLLIN};
	device_timer_bind(t, cmos_rtc_expired, rtc);
	cmos_rtc_attach(rtc, pio);
	bus_write(pio, 0x70, &enable, 2); /* PIE at 1024 Hz */
	for (unsigned int i = 0; i < 20; i++) {
		ck_assert_int_eq(poll(&p, 1, PATIENCE_MS), 1);
		ck_assert_int_eq(read(irq_event[0], &byte, 1), 1);
		bus_write(pio, 0x70, &ack, 1);
		bus_read(pio, 0x71, &byte, 1);
	}
	device_timers_free(timers);
	timers = NULL;
	cmos_rtc_free(rtc);
	bus_free(pio);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("devices/device_timers");
	TCase *t = tcase_create("device_timers");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, never_too_early);
	tcase_add_test(t, at_once);
	tcase_add_test(t, nearer_one_overtakes);
	tcase_add_test(t, cancelled_and_moved_away);
	tcase_add_test(t, arms_itself_again);
	tcase_add_test(t, huge_delay_is_for_ever);
	tcase_add_test(t, free_with_timers_armed);
	tcase_add_test(t, unbound_timer);
	tcase_add_test(t, many_threads_arm);
	tcase_add_test(t, rtc_interrupts);
	suite_add_tcase(s, t);
	return check_main(s);
}
