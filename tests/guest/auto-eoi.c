/* SPDX-License-Identifier: MIT */
/*
 * auto-eoi.c - SINTs whose interrupts end by themselves.
 *
 * How the host does it, it kicks the processor now and then while such an
 * interrupt is out: the report's count of kicks says whether it knows when to
 * stop.
 */
#include "lib/apic.h"
#include "lib/clock.h"
#include "lib/hypercall.h"
#include "lib/start.h"
#include "lib/synic.h"
#include "lib/tap.h"
#include "lib/traps.h"

#define MESSAGES 0x10 /* connections, by SINT */
#define LOW      2 /* SINTs, and their vectors: of one priority class */
#define HIGH     3
#define VECTOR   0x60
#define BELOW    0x40 /* a vector of a lower class */

static struct hv_input_post_message post __attribute__((aligned(256)));

static uint32_t count(unsigned int sint)
{
	return interrupts_of(0, (uint8_t)(VECTOR + sint));
}

static void send_to(unsigned int sint)
{
	post.connectionid = MESSAGES + sint;
	post.message_type = 1;
	check_equal(hypercall(HVCALL_POST_MESSAGE, &post, NULL),
		    HV_STATUS_SUCCESS, "posted to SINT %u", sint);
}

static bool in_service(unsigned int sint)
{
	return apic_in_service((uint8_t)(VECTOR + sint));
}

/* The host sees to it at the guest's exits and, without any, soon. */
static void check_lower_ones_arrive(const char *when)
{
	uint32_t before = interrupts_of(0, BELOW);

	apic_send(apic_id(), APIC_ICR_ASSERT | BELOW);
	check(wait_until(interrupts_of(0, BELOW) == before + 1, SOON_MS),
	      "%s: a lower interrupt arrives", when);
	check(!in_service(LOW) && !in_service(HIGH), "%s: none in service",
	      when);
}

/* Nobody ends the interrupt, and the next one comes. */
static void test_nobody_ends(void)
{
	uint32_t before = count(LOW);

	trap_set_end(VECTOR + LOW, false);
	for (uint32_t i = 1; i <= 3; i++) {
		send_to(LOW);
		check(wait_until(count(LOW) == before + i, SOON_MS),
		      "interrupt %u", i);
		synic_free_slot(LOW);
	}
	check_lower_ones_arrive("by itself");
	trap_set_end(VECTOR + LOW, true);
}

/* The guest ends it all the same; nothing is left to end for the host. */
static void test_guest_ends(void)
{
	uint32_t before = count(LOW);

	for (uint32_t i = 1; i <= 3; i++) {
		send_to(LOW);
		check(wait_until(count(LOW) == before + i, SOON_MS),
		      "interrupt %u, ended by the guest", i);
		synic_free_slot(LOW);
	}
	check_lower_ones_arrive("ended by the guest");
}

/* The lower of two vectors waits for the end of the higher one. */
static void test_two(void)
{
	uint32_t low = count(LOW), high = count(HIGH);

	trap_set_end(VECTOR + LOW, false);
	trap_set_end(VECTOR + HIGH, false);
	interrupts_off();
	send_to(LOW);
	send_to(HIGH);
	clock_wait_ms(QUIET_MS);
	check(count(LOW) == low && count(HIGH) == high, "none while off");
	interrupts_on();
	check(wait_until(count(HIGH) == high + 1, SOON_MS), "the higher one");
	check(wait_until(count(LOW) == low + 1, SOON_MS), "the lower one");
	synic_free_slot(LOW);
	synic_free_slot(HIGH);
	check_lower_ones_arrive("of two");
	trap_set_end(VECTOR + LOW, true);
	trap_set_end(VECTOR + HIGH, true);
}

/* Without an exit, so that each that comes is a kick of the host's. */
static void spin(void)
{
	uint64_t start = rdtsc(), ticks = rdmsr(HV_X64_MSR_TSC_FREQUENCY) / 2;

	while (rdtsc() - start < ticks)
		pause();
}

/* One that is lost, as the APIC is off, is none to wait for. */
static void test_apic_off(void)
{
	uint32_t spurious = apic_read(APIC_SPURIOUS), before = count(LOW);

	apic_write(APIC_SPURIOUS, VECTOR_SPURIOUS);
	send_to(LOW);
	clock_wait_ms(QUIET_MS);
	apic_write(APIC_SPURIOUS, spurious);
	check(!wait_until(count(LOW) != before, QUIET_MS),
	      "the APIC is off: no interrupt");
	synic_free_slot(LOW);
	spin();
}

void guest_main(void)
{
	hypercalls_enable();
	synic_enable();
	for (unsigned int sint = LOW; sint <= HIGH; sint++) {
		sint_write(sint, HV_SYNIC_SINT_AUTO_EOI | (VECTOR + sint));
		tester_command(TESTER_MESSAGES_CREATE, 0, (uint8_t)sint,
			       (uint8_t)(MESSAGES + sint));
	}
	test_nobody_ends();
	test_two();
	test_guest_ends();
	test_apic_off();
}
