/* SPDX-License-Identifier: MIT */
/*
 * reference-tsc.c - reference time: the page and the register are one clock,
 * on every processor, that never goes back and runs at its rate.
 *
 * Argument: no-page says that the host's TSC is not good enough, so that the
 * page says "invalid".
 */
#include "lib/arguments.h"
#include "lib/arithmetic.h"
#include "lib/clock.h"
#include "lib/console.h"
#include "lib/reference_time.h"
#include "lib/smp.h"
#include "lib/start.h"
#include "lib/tap.h"
#include "lib/traps.h"

#define TIME_HZ        10000000u
#define AGREE_READINGS 200u
#define TURNS          25u
/* Parts in a million that two clocks may differ by over a short while. */
#define RATE_PPM       1000u
#define RATE_MS        300u

static struct ms_hyperv_tsc_page page;

static uint64_t time_by_page(void)
{
	uint64_t time = 0;

	reference_page_time(&time);
	return time;
}

static void test_page(void)
{
	reference_page_enable();
	check_equal(rdmsr(HV_X64_MSR_REFERENCE_TSC),
		    gpa_of(reference_page) | HV_OVERLAY_ENABLE,
		    "the register is what was written");
	page = reference_page_copy();
	check(page.tsc_sequence != HV_REFERENCE_TSC_SEQUENCE_INVALID,
	      "the page is valid");
	check(page.tsc_sequence != 0xFFFFFFFF, "for old guests as well");
	check_equal(page.reserved1, 0, "reserved word");
	check(memory_is(reference_page + sizeof(page), 0,
			PAGE_BYTES - sizeof(page)),
	      "the rest is empty");
}

/* scale = 10^7 * 2^64 / hz, so hz * scale is 10^7 in the high word. */
static void test_scale(void)
{
	uint64_t hz;

	if (rdmsr_trying(HV_X64_MSR_TSC_FREQUENCY, &hz) != NO_VECTOR) {
		tap_skip("not in this profile", "scale and TSC frequency");
		return;
	}
	check_between(multiply_high(page.tsc_scale, hz), TIME_HZ - 1, TIME_HZ,
		      "scale and TSC frequency");
}

static void test_agreement(void)
{
	unsigned int early = 0, late = 0;

	for (unsigned int i = 0; i < AGREE_READINGS; i++) {
		uint64_t before = time_by_page();
		uint64_t by_register = reference_counter();
		uint64_t after = time_by_page();

		early += by_register < before;
		late += by_register > after;
	}
	check_equal(early, 0, "the register is never behind the page");
	check_equal(late, 0, "nor before it");
}

/* --- rates ---------------------------------------------------------------------- */

/* What the clocks say between two looks at that of the platform. */
struct reading {
	uint32_t before, after;
	uint64_t tsc, by_page, by_register;
};

static struct reading read_all(void)
{
	struct reading r;

	r.before = clock_ticks();
	r.by_register = reference_counter();
	r.tsc = rdtsc();
	r.after = clock_ticks();
	r.by_page = reference_time_of(&page, r.tsc);
	return r;
}

/* The one that was least disturbed. */
static struct reading read_well(void)
{
	struct reading best = read_all();

	for (unsigned int i = 0; i < 20; i++) {
		struct reading r = read_all();

		if (r.after - r.before < best.after - best.before)
			best = r;
	}
	return best;
}

static uint64_t ticks_to_time(uint32_t ticks)
{
	return divide((uint64_t)ticks * TIME_HZ, PLATFORM_PM_TMR_HZ, NULL);
}

static void test_rate(void)
{
	struct reading a = read_well(), b;
	uint64_t least, most, hz;

	clock_wait_ms(RATE_MS);
	b = read_well();
	least = ticks_to_time(b.before - a.after);
	most = ticks_to_time(b.after - a.before);
	least -= divide(least, 1000000 / RATE_PPM, NULL);
	most += divide(most, 1000000 / RATE_PPM, NULL);
	check_between(b.by_register - a.by_register, least, most,
		      "rate of the register by the PM timer");
	check_between(b.by_page - a.by_page, least, most,
		      "rate of the page by the PM timer");
	if (rdmsr_trying(HV_X64_MSR_TSC_FREQUENCY, &hz) != NO_VECTOR)
		return;
	/* in 100 ns: ticks / (hz / 10^7) */
	check_between(divide((b.tsc - a.tsc) * 1000,
			     (uint32_t)divide(hz, TIME_HZ / 1000, NULL), NULL),
		      least, most, "rate of the TSC by its frequency");
}

/* --- processors ----------------------------------------------------------------- */

static volatile uint64_t latest;
static volatile uint32_t turn, went_back;

/* In turn with the others: no processor sees a time before another's. */
static void take_turns(void *arg)
{
	unsigned int own = this_cpu()->index;
	unsigned int n = smp_cpus();

	(void)arg;
	for (unsigned int i = 0; i < TURNS; i++) {
		uint64_t now;

		while (turn % n != own)
			pause();
		now = i & 1 ? reference_counter() : time_by_page();
		if (now < latest)
			went_back++;
		latest = now;
		memory_barrier();
		turn++;
	}
}

static void test_processors(void)
{
	if (!check(smp_start(), "all processors start"))
		return;
	for (unsigned int i = 1; i < smp_cpus(); i++)
		smp_begin(i, take_turns, NULL);
	take_turns(NULL);
	for (unsigned int i = 1; i < smp_cpus(); i++)
		check(smp_finish(i), "processor %u took its turns", i);
	check_equal(went_back, 0, "time does not go back between processors");
}

/* --- the page moves ---------------------------------------------------------------- */

static uint8_t other[PAGE_BYTES] __attribute__((aligned(PAGE_BYTES)));

static void test_moves(void)
{
	const struct ms_hyperv_tsc_page *moved = (void *)other;

	reference_page_disable();
	check(memory_is(reference_page, 0, PAGE_BYTES),
	      "disabled: the memory below is back");
	wrmsr(HV_X64_MSR_REFERENCE_TSC, gpa_of(other) | HV_OVERLAY_ENABLE);
	check_equal(moved->tsc_scale, page.tsc_scale, "moved: scale");
	check_equal((uint64_t)moved->tsc_offset, (uint64_t)page.tsc_offset,
		    "moved: offset");
	check(moved->tsc_sequence != 0, "moved: valid");
	wrmsr(HV_X64_MSR_REFERENCE_TSC,
	      gpa_of(reference_page) | HV_OVERLAY_ENABLE);
	check(memory_is(other, 0, PAGE_BYTES),
	      "moved back: nothing is left behind");
	check(time_by_page() >= latest, "and time has gone on");
	check(time_by_page() <= reference_counter(), "by both");
}

static void test_invalid(void)
{
	reference_page_enable();
	check_equal(reference_page_copy().tsc_sequence,
		    HV_REFERENCE_TSC_SEQUENCE_INVALID,
		    "no TSC: the page says so");
	latest = reference_counter();
	clock_wait_ms(1);
	check(reference_counter() > latest, "no TSC: the register goes on");
}

void guest_main(void)
{
	if (argument_given("no-page")) {
		test_invalid();
		return;
	}
	test_page();
	test_scale();
	test_agreement();
	test_rate();
	test_processors();
	test_agreement();
	test_moves();
}
