/* SPDX-License-Identifier: MIT */
/*
 * selftest.c - the guests' own library: traps, calls, processors, clock.
 */
#include "lib/apic.h"
#include "lib/arguments.h"
#include "lib/arithmetic.h"
#include "lib/clock.h"
#include "lib/instructions.h"
#include "lib/memory.h"
#include "lib/register_call.h"
#include "lib/smp.h"
#include "lib/start.h"
#include "lib/tap.h"
#include "lib/traps.h"

#define VECTOR_TEST      0x40
#define MSR_NOT_THERE    0x40001234u
#define USER_STACK_BYTES 4096

static void test_arithmetic(void)
{
	uint32_t rest;

	check_equal(divide(0x123456789ABCDEFull, 10, &rest), 8198552921648689,
		    "quotient");
	check_equal(rest, 5, "remainder");
	check_equal(multiply_high(~0ull, ~0ull), ~0ull - 1, "high product");
	check_equal(multiply_high(1ull << 63, 6), 3, "high product, exact");
}

static void test_arguments(void)
{
	check(argument_given("word"), "a word of the command line");
	check(!argument_given("wor"), "not a part of one");
	check_equal(argument_number("hex", 0), 0x1F, "number in hexadecimal");
	check_equal(argument_number("decimal", 0), 77, "number in decimal");
	check_equal(argument_number("absent", 5), 5, "no such number");
}

static void test_exceptions(void)
{
	uint64_t value;

	check_equal(rdmsr_trying(MSR_NOT_THERE, &value), VECTOR_GP,
		    "RDMSR of what is not there");
	check_equal(wrmsr_trying(MSR_NOT_THERE, 0), VECTOR_GP,
		    "WRMSR of what is not there");
	check_equal(rdmsr_trying(MSR_APIC_BASE, &value), NO_VECTOR,
		    "RDMSR of what is there");
	check(value & APIC_BASE_BSP, "and its value");
}

static const uint8_t code_ud2[] = {0x0F, 0x0B};
/* xor %eax, %ebx; xor %ebx, %eax; xor %eax, %ebx; ret */
static const uint8_t code_swap[] = {0x31, 0xC3, 0x31, 0xD8, 0x31, 0xC3, 0xC3};

static void fill(struct registers *r)
{
	uint8_t *bytes = (uint8_t *)r;

	for (unsigned int i = 0; i < sizeof(*r); i++)
		bytes[i] = (uint8_t)(i * 7 + 3);
}

static bool same_but_swapped(const struct registers *before,
			     const struct registers *after)
{
	return (uint32_t)after->ax == (uint32_t)before->bx &&
	       (uint32_t)after->bx == (uint32_t)before->ax &&
	       (uint32_t)after->cx == (uint32_t)before->cx &&
	       (uint32_t)after->dx == (uint32_t)before->dx &&
	       (uint32_t)after->si == (uint32_t)before->si &&
	       (uint32_t)after->di == (uint32_t)before->di &&
	       (uint32_t)after->bp == (uint32_t)before->bp &&
	       memory_equal(after->r8_to_r15, before->r8_to_r15,
			    sizeof(before->r8_to_r15)) &&
	       memory_equal(after->xmm, before->xmm, sizeof(before->xmm));
}

static void test_register_calls(void)
{
	struct registers before, after;

	fill(&before);
	after = before;
	call_with_registers(&after, code_swap);
	check(same_but_swapped(&before, &after), "registers of a call");
	this_cpu()->caught_vector = NO_VECTOR;
	call_with_registers(&after, code_ud2);
	check_equal(this_cpu()->caught_vector, VECTOR_UD,
		    "exception in a call");
	check_equal(this_cpu()->caught_ip, (unsigned long)code_ud2, "at it");
	check(same_but_swapped(&before, &after), "registers after it");
#ifdef __x86_64__
	after = before;
	call_in_compatibility_mode(&after, code_swap);
	check(same_but_swapped(&before, &after),
	      "registers of a call in compatibility mode");
	this_cpu()->caught_vector = NO_VECTOR;
	call_in_compatibility_mode(&after, code_ud2);
	check_equal(this_cpu()->caught_vector, VECTOR_UD,
		    "exception in a call in compatibility mode");
#endif
}

static void test_user_mode(void)
{
#ifdef __x86_64__
	static uint8_t stack[USER_STACK_BYTES] __attribute__((aligned(16)));
	static const uint8_t code_ret[] = {0xC3};
	static const uint8_t code_hlt[] = {0xF4};

	interrupts_off();
	enter_user_mode(code_ret, stack + sizeof(stack), 2,
			SELECTOR_USER_CODE64);
	check_equal(this_cpu()->caught_ip, (unsigned long)user_mode_end,
		    "CPL 3 and back");
	enter_user_mode(code_hlt, stack + sizeof(stack), 2,
			SELECTOR_USER_CODE64);
	check_equal(this_cpu()->caught_vector, VECTOR_GP, "HLT at CPL 3");
	enter_user_mode(code_ret, stack + sizeof(stack), 2,
			SELECTOR_USER_CODE32);
	check_equal(this_cpu()->caught_ip, (unsigned long)user_mode_end,
		    "CPL 3 in compatibility mode and back");
	interrupts_on();
#endif
}

static void test_interrupts(void)
{
	uint32_t before = interrupts_of(0, VECTOR_TEST);

	apic_send(apic_id(), APIC_ICR_ASSERT | VECTOR_TEST);
	check(wait_until(interrupts_of(0, VECTOR_TEST) == before + 1, SOON_MS),
	      "an interrupt to oneself");
	check(!apic_in_service(VECTOR_TEST), "it was ended");
	trap_set_end(VECTOR_TEST, false);
	apic_send(apic_id(), APIC_ICR_ASSERT | VECTOR_TEST);
	check(wait_until(interrupts_of(0, VECTOR_TEST) == before + 2, SOON_MS),
	      "one that is not ended");
	/* Some KVMs that emulate ring 0 do not say what is in service. */
	if (apic_in_service(VECTOR_TEST))
		check(true, "it is in service");
	else
		tap_skip("this KVM's APIC does not say", "it is in service");
	apic_end_of_interrupt();
	check(!apic_in_service(VECTOR_TEST), "until it is ended");
	trap_set_end(VECTOR_TEST, true);
	check(read_flags() & RFLAGS_IF, "interrupts are still on");
}

static void say_who(void *arg)
{
	*(volatile uint32_t *)arg = apic_id() + 1;
}

static void test_processors(void)
{
	check(smp_start(), "all processors start");
	for (unsigned int i = 0; i < smp_cpus(); i++) {
		volatile uint32_t who = 0;

		check(smp_run(i, say_who, (void *)&who) && who == i + 1,
		      "processor %u does what it is given", i);
	}
}

void guest_main(void)
{
	uint32_t before = clock_ticks();

	test_arithmetic();
	test_arguments();
	test_exceptions();
	test_register_calls();
	test_user_mode();
	test_interrupts();
	test_processors();
	check(clock_ticks() != before, "the clock runs");
}
