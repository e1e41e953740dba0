/* SPDX-License-Identifier: MIT */
/*
 * guest-idle.c - GUEST_IDLE: a read that lasts until there is an interrupt,
 * also with interrupts off; and nothing of the kind where it is not offered.
 */
#include "lib/apic.h"
#include "lib/clock.h"
#include "lib/instructions.h"
#include "lib/reference_time.h"
#include "lib/smp.h"
#include "lib/start.h"
#include "lib/synic.h"
#include "lib/tap.h"
#include "lib/traps.h"

#define VECTOR  0x48
#define SINT    2
#define WAIT_MS 20u
#define MS      10000ull /* in 100 ns */

static void test_waiting_interrupt(void)
{
	uint32_t before = interrupts_of(0, VECTOR);

	interrupts_off();
	apic_send(apic_id(), APIC_ICR_ASSERT | VECTOR);
	check_equal(rdmsr(HV_X64_MSR_GUEST_IDLE), 0,
		    "an interrupt that waits ends it at once");
	check_equal(interrupts_of(0, VECTOR), before, "it is not taken");
	interrupts_on();
	check(wait_until(interrupts_of(0, VECTOR) == before + 1, SOON_MS),
	      "until interrupts are on");
}

/* A timer that expires while the processor is idle. */
static void test_timer(void)
{
	uint32_t before = interrupts_of(0, VECTOR);
	uint64_t due;

	synic_enable();
	sint_write(SINT, VECTOR);
	due = reference_counter() + WAIT_MS * MS;
	wrmsr(HV_X64_MSR_STIMER0_CONFIG,
	      HV_STIMER_AUTO_ENABLE | SINT << HV_STIMER_SINTX_SHIFT);
	interrupts_off();
	wrmsr(HV_X64_MSR_STIMER0_COUNT, due);
	rdmsr(HV_X64_MSR_GUEST_IDLE);
	check(reference_counter() >= due, "a timer ends it");
	interrupts_on();
	check(wait_until(interrupts_of(0, VECTOR) == before + 1, SOON_MS),
	      "its interrupt");
	synic_free_slot(SINT);
}

static void idle_once(void *arg)
{
	interrupts_off();
	*(volatile uint32_t *)arg = 1;
	rdmsr(HV_X64_MSR_GUEST_IDLE);
	*(volatile uint32_t *)arg = 2;
	interrupts_on();
}

/* As a spin lock does: the holder wakes the one that waits. */
static void test_woken(void)
{
	static volatile uint32_t state;

	if (!check(smp_start(), "all processors start"))
		return;
	smp_begin(1, idle_once, (void *)&state);
	check(wait_until(state == 1, SOON_MS), "processor 1 is about to idle");
	clock_wait_ms(QUIET_MS);
	check_equal(state, 1, "and idles");
	apic_send(1, APIC_ICR_ASSERT | VECTOR);
	check(wait_until(state == 2, SOON_MS), "an interrupt wakes it");
	check(smp_finish(1), "it goes on");
	check_equal(interrupts_of(1, VECTOR), 1, "and has its interrupt");
}

void guest_main(void)
{
	uint64_t value;

	if (!(cpuid(HYPERV_CPUID_FEATURES, 0).eax &
	      HV_MSR_GUEST_IDLE_AVAILABLE)) {
		check_equal(rdmsr_trying(HV_X64_MSR_GUEST_IDLE, &value),
			    VECTOR_GP, "not offered");
		return;
	}
	check_equal(wrmsr_trying(HV_X64_MSR_GUEST_IDLE, 0), VECTOR_GP,
		    "not to be written");
	test_waiting_interrupt();
	test_timer();
	test_woken();
}
