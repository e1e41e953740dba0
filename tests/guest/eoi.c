/* SPDX-License-Identifier: MIT */
/*
 * eoi.c - the end of an interrupt as Linux writes it where that is
 * recommended: nothing if the assist page says so, else HV_X64_MSR_EOI.
 *
 * Whether the page ever says so is the host's choice, and so it is checked
 * only where the APIC registers are recommended; that nothing gets lost by it
 * is checked everywhere.
 */
#include "lib/apic.h"
#include "lib/clock.h"
#include "lib/hypercall.h"
#include "lib/instructions.h"
#include "lib/ioapic.h"
#include "lib/memory.h"
#include "lib/smp.h"
#include "lib/start.h"
#include "lib/synic.h"
#include "lib/tap.h"
#include "lib/traps.h"
#include "proto/hv_synic.h"

#define LOW       0x40
#define MIDDLE    0x50 /* each of a class of its own */
#define HIGH      0x60
#define MANY      200
#define PATTERN   0x5A
/* The PIT's output changes level at its own rate: an edge for the IOAPIC. */
#define PIN       PLATFORM_PIT_GSI
#define PIT_DATA  0x40
#define PIT_MODE  0x43
#define PIT_RATE  0x34 /* counter 0, low then high byte, rate generator */
#define PIT_COUNT 2000

/* A processor has its page, and counts how it ended its interrupts. */
static struct assist {
	uint8_t page[PAGE_BYTES] __attribute__((aligned(PAGE_BYTES)));
	volatile uint32_t lazy, eager;
} assists[2];

static volatile uint32_t *word_in(const uint8_t *page)
{
	return at((unsigned long)page);
}

static void end(struct cpu *cpu)
{
	struct assist *a = &assists[cpu->index];

	if (__atomic_exchange_n(word_in(a->page), 0, __ATOMIC_SEQ_CST) &
	    HV_VP_ASSIST_NO_EOI_REQUIRED) {
		a->lazy++;
	} else {
		wrmsr(HV_X64_MSR_EOI, 0);
		a->eager++;
	}
}

static void show(const void *page)
{
	wrmsr(HV_X64_MSR_VP_ASSIST_PAGE, gpa_of(page) | HV_OVERLAY_ENABLE);
}

static bool none_in_service(void)
{
	return !apic_in_service(LOW) && !apic_in_service(MIDDLE) &&
	       !apic_in_service(HIGH);
}

static bool is_recommended(void)
{
	return cpuid(HYPERV_CPUID_ENLIGHTMENT_INFO, 0).eax &
	       HV_X64_APIC_ACCESS_RECOMMENDED;
}

/* One after the other: each arrives, none stays in service. */
static void send_many(void *arg)
{
	volatile uint32_t *lost = arg;
	uint32_t *count = (uint32_t *)&this_cpu()->interrupts[LOW];

	for (unsigned int i = 0; i < MANY; i++) {
		uint32_t before = *(volatile uint32_t *)count;

		apic_send(apic_id(), APIC_ICR_ASSERT | LOW);
		if (!wait_until(*(volatile uint32_t *)count == before + 1,
				SOON_MS)) {
			++*lost;
			return;
		}
	}
	*lost += !none_in_service();
}

static void check_many(unsigned int cpu, const char *when)
{
	struct assist *a = &assists[cpu];
	uint32_t lost = 0, ended = a->lazy + a->eager;

	check(smp_run(cpu, send_many, &lost), "%s: processor %u is done", when,
	      cpu);
	check_equal(lost, 0, "%s: all arrive", when);
	check_equal(a->lazy + a->eager - ended, MANY, "%s: each ended once",
		    when);
}

static void test_many(void)
{
	check_many(0, "page shown");
	if (is_recommended())
		check(assists[0].lazy, "an EOI was not required");
	else
		tap_skip("not recommended here", "an EOI was not required");
	check_equal(*word_in(assists[0].page), 0, "the word is clear again");
}

static void send_low(struct cpu *cpu)
{
	(void)cpu;
	apic_send(apic_id(), APIC_ICR_ASSERT | LOW);
}

static volatile uint32_t lows_within;

/* In the handler of HIGH, a lower one comes: it waits for the end. */
static void send_low_and_end(struct cpu *cpu)
{
	uint32_t before = cpu->interrupts[LOW];

	send_low(cpu);
	clock_wait_ms(1);
	lows_within += cpu->interrupts[LOW] != before;
	end(cpu);
}

static void test_lower_waits(void)
{
	uint32_t before = interrupts_of(0, LOW);

	trap_set_hook(HIGH, send_low_and_end);
	for (uint32_t i = 1; i <= 3; i++) {
		apic_send(apic_id(), APIC_ICR_ASSERT | HIGH);
		check(wait_until(interrupts_of(0, LOW) == before + i, SOON_MS),
		      "a lower one comes after the end, %u", i);
	}
	check_equal(lows_within, 0, "and not before");
	check(none_in_service(), "none is left in service");
	trap_set_hook(HIGH, end);
}

static volatile uint32_t highs_within;

/* In the handler of LOW, with interrupts on, two of higher classes come. */
static void nest(struct cpu *cpu)
{
	uint32_t high = cpu->interrupts[HIGH], middle = cpu->interrupts[MIDDLE];

	apic_send(apic_id(), APIC_ICR_ASSERT | MIDDLE);
	apic_send(apic_id(), APIC_ICR_ASSERT | HIGH);
	interrupts_on();
	if (wait_until(cpu->interrupts[HIGH] != high &&
			       cpu->interrupts[MIDDLE] != middle,
		       SOON_MS))
		highs_within++;
	interrupts_off();
	end(cpu);
}

static void test_nested(void)
{
	uint32_t before = interrupts_of(0, LOW);

	trap_set_hook(LOW, nest);
	for (uint32_t i = 1; i <= 3; i++) {
		apic_send(apic_id(), APIC_ICR_ASSERT | LOW);
		check(wait_until(interrupts_of(0, LOW) == before + i, SOON_MS),
		      "interrupted by two higher ones, %u", i);
	}
	check_equal(highs_within, 3, "which came within");
	check(none_in_service(), "none of the three is left in service");
	trap_set_hook(LOW, end);
}

/* The IOAPIC wants to hear of the end. */
static void on_pit(struct cpu *cpu)
{
	if (cpu->interrupts[MIDDLE] >= 10)
		ioapic_mask(PIN);
	end(cpu);
}

static void test_ioapic(void)
{
	uint32_t before = interrupts_of(0, MIDDLE);

	cpu_at(0)->interrupts[MIDDLE] = 0;
	trap_set_hook(MIDDLE, on_pit);
	ioapic_route(PIN, MIDDLE, 0);
	out8(PIT_MODE, PIT_RATE);
	out8(PIT_DATA, PIT_COUNT & 0xFF);
	out8(PIT_DATA, PIT_COUNT >> 8);
	check(wait_until(interrupts_of(0, MIDDLE) >= 10, SOON_MS),
	      "interrupts of the IOAPIC go on");
	ioapic_mask(PIN);
	check(none_in_service(), "none of them is left in service");
	cpu_at(0)->interrupts[MIDDLE] += before;
	trap_set_hook(MIDDLE, end);
}

static void test_hidden(void)
{
	struct assist *a = &assists[0];
	uint32_t lazy = a->lazy;

	wrmsr(HV_X64_MSR_VP_ASSIST_PAGE, 0);
	memset(a->page, 0, sizeof(a->page));
	check_many(0, "page hidden");
	check_equal(a->lazy, lazy, "memory says nothing of the kind");
	memset(a->page, PATTERN, sizeof(a->page));
	trap_set_end(LOW, true);
	trap_set_hook(LOW, NULL);
	apic_send(apic_id(), APIC_ICR_ASSERT | LOW);
	clock_wait_ms(QUIET_MS);
	check(memory_is(a->page, PATTERN, sizeof(a->page)),
	      "nor is it written to");
	trap_set_end(LOW, false);
	trap_set_hook(LOW, end);
	show(a->page);
	check_many(0, "page shown again");
}

/* The old place must not be written to, the new one must be. */
static void test_moved(void)
{
	static uint8_t other[PAGE_BYTES] __attribute__((aligned(PAGE_BYTES)));
	struct assist *a = &assists[0];
	uint32_t before = interrupts_of(0, LOW), lazy = a->lazy;

	memset(other, PATTERN, sizeof(other));
	show(other);
	show(a->page);
	check_equal(*word_in(a->page), 0, "page moved: its word is clear");
	check_many(0, "page moved");
	check(memory_is(other, PATTERN, sizeof(other)),
	      "page moved: the old place is as it was");
	check(!is_recommended() || a->lazy > lazy,
	      "page moved: seen at the new one");
	check_equal(interrupts_of(0, LOW) - before, MANY, "none twice");
}

/* Ended the usual way, as a guest does that knows nothing of all this. */
static void test_plain_end(void)
{
	uint32_t before = interrupts_of(0, LOW);

	trap_set_hook(LOW, NULL);
	trap_set_end(LOW, true);
	for (uint32_t i = 1; i <= 3; i++) {
		apic_send(apic_id(), APIC_ICR_ASSERT | LOW);
		check(wait_until(interrupts_of(0, LOW) == before + i, SOON_MS),
		      "ended at the APIC itself, %u", i);
	}
	check(none_in_service(), "which leaves none in service");
	check_equal(*word_in(assists[0].page), 0, "and the word clear");
	trap_set_end(LOW, false);
	trap_set_hook(LOW, end);
}

static void show_mine(void *arg)
{
	(void)arg;
	show(assists[1].page);
}

void guest_main(void)
{
	static const uint8_t vectors[] = {LOW, MIDDLE, HIGH};

	hypercalls_enable();
	check_equal(wrmsr_trying(HV_X64_MSR_EOI, 0), NO_VECTOR,
		    "an end of nothing is fine");
	check_equal(wrmsr_trying(HV_X64_MSR_EOI, 1ull << 32), VECTOR_GP,
		    "reserved bits are not");
	for (unsigned int i = 0; i < sizeof(vectors); i++) {
		trap_set_hook(vectors[i], end);
		trap_set_end(vectors[i], false);
	}
	memset(assists[0].page, 0xFF, sizeof(assists[0].page));
	show(assists[0].page);
	check_equal(*word_in(assists[0].page), 0, "clear at first");
	test_many();
	test_lower_waits();
	test_nested();
	test_ioapic();
	test_plain_end();
	test_hidden();
	test_moved();
	if (smp_cpus() > 1 && check(smp_start(), "the others are up")) {
		smp_run(1, show_mine, NULL);
		check_many(1, "another processor");
	}
}
