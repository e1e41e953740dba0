/* SPDX-License-Identifier: MIT */
/*
 * restart.c - the ways of a guest to end or restart its machine.
 *
 * The argument says which: msr, cf9, port92, i8042, i8042-port, triple,
 * power-off, or hang, which does nothing.  A machine that restarts finds a
 * mark in CMOS memory, and everything else as it is after power-on.
 */
#include "lib/apic.h"
#include "lib/arguments.h"
#include "lib/clock.h"
#include "lib/hypercall.h"
#include "lib/instructions.h"
#include "lib/memory.h"
#include "lib/reference_time.h"
#include "lib/smp.h"
#include "lib/start.h"
#include "lib/synic.h"
#include "lib/tap.h"
#include "proto/platform.h"

#define CMOS_MARK_INDEX 0x60
#define CMOS_MARK       0xA7

#define PM1_SLP_TYP_SHIFT 10
#define PM1_SLP_EN        (1u << 13)

#define I8042_WRITE_OUTPUT_PORT 0xD1
#define I8042_PULSE_RESET       0xFE
#define I8042_OUTPUT_NO_RESET   0xFE /* bit 0 clear: reset */
#define PORT92                  0x92
#define SCRATCH_COM1            (PLATFORM_COM1_PORT + 7)

static void cmos_write(uint8_t index, uint8_t value)
{
	out8(PLATFORM_RTC_PORT, index);
	out8(PLATFORM_RTC_PORT + 1, value);
}

static uint8_t cmos_read(uint8_t index)
{
	out8(PLATFORM_RTC_PORT, index);
	return in8(PLATFORM_RTC_PORT + 1);
}

static uint8_t scribbled[PAGE_BYTES] __attribute__((aligned(PAGE_BYTES)));

/* Leave nothing as it is after power-on. */
static void scribble(void)
{
	memset(scribbled, 0xEE, sizeof(scribbled));
	hypercalls_enable();
	reference_page_enable();
	synic_enable();
	sint_write(3, 0x66);
	wrmsr(HV_X64_MSR_VP_ASSIST_PAGE, gpa_of(scribbled) | HV_OVERLAY_ENABLE);
	wrmsr(HV_X64_MSR_STIMER0_COUNT, 10000);
	wrmsr(HV_X64_MSR_STIMER0_CONFIG, 3ull << HV_STIMER_SINTX_SHIFT |
						 HV_STIMER_PERIODIC |
						 HV_STIMER_ENABLE);
	apic_write(APIC_TPR, 0x20);
	out8(SCRATCH_COM1, 0x55);
	cmos_write(CMOS_MARK_INDEX, CMOS_MARK);
}

static void *volatile no_idt;

static void triple_fault(void)
{
	struct {
		uint16_t limit;
		unsigned long base;
	} __attribute__((packed)) pointer = {0, (unsigned long)no_idt};

	interrupts_off();
	asm volatile("lidt %0; ud2" : : "m"(pointer));
}

static void restart(void)
{
	if (argument_given("msr"))
		wrmsr(HV_X64_MSR_RESET, 1);
	if (argument_given("cf9"))
		out8(PLATFORM_RESET_PORT, PLATFORM_RESET_VALUE);
	if (argument_given("port92"))
		out8(PORT92, in8(PORT92) | 1);
	if (argument_given("i8042"))
		out8(PLATFORM_I8042_CMD_PORT, I8042_PULSE_RESET);
	if (argument_given("i8042-port")) {
		out8(PLATFORM_I8042_CMD_PORT, I8042_WRITE_OUTPUT_PORT);
		out8(PLATFORM_I8042_DATA_PORT, I8042_OUTPUT_NO_RESET);
	}
	if (argument_given("triple"))
		triple_fault();
	if (argument_given("power-off"))
		out16(PLATFORM_PM1_CNT_PORT,
		      PLATFORM_SLP_TYP_S5 << PM1_SLP_TYP_SHIFT | PM1_SLP_EN);
	for (;;)
		wait_for_interrupt();
}

static void check_registers(void)
{
	static const struct {
		const char *name;
		uint32_t msr;
		uint64_t value;
	} registers[] = {
		{"GUEST_OS_ID", HV_X64_MSR_GUEST_OS_ID, 0},
		{"HYPERCALL", HV_X64_MSR_HYPERCALL, 0},
		{"REFERENCE_TSC", HV_X64_MSR_REFERENCE_TSC, 0},
		{"VP_ASSIST_PAGE", HV_X64_MSR_VP_ASSIST_PAGE, 0},
		{"SCONTROL", HV_X64_MSR_SCONTROL, 0},
		{"SIMP", HV_X64_MSR_SIMP, 0},
		{"SIEFP", HV_X64_MSR_SIEFP, 0},
		{"SINT3", HV_X64_MSR_SINT0 + 3, HV_SYNIC_SINT_MASKED},
		{"STIMER0_CONFIG", HV_X64_MSR_STIMER0_CONFIG, 0},
		{"STIMER0_COUNT", HV_X64_MSR_STIMER0_COUNT, 0},
	};

	for (unsigned int i = 0; i < sizeof(registers) / sizeof(registers[0]);
	     i++)
		check_equal(rdmsr(registers[i].msr), registers[i].value,
			    "after the restart: %s", registers[i].name);
}

static void enable_here(void *arg)
{
	*(uint64_t *)arg = rdmsr(HV_X64_MSR_SCONTROL);
	synic_enable();
}

static void check_restarted(void)
{
	uint64_t control = ~0ull;

	cmos_write(CMOS_MARK_INDEX, 0);
	check(true, "the machine restarts");
	check_registers();
	check(memory_is(scribbled, 0, sizeof(scribbled)),
	      "after the restart: memory is clear");
	check_equal(in8(SCRATCH_COM1), 0, "after the restart: serial port");
	check(reference_counter() < 600000000,
	      "after the restart: reference time starts again");
	check(smp_start(), "after the restart: all processors start");
	check(smp_run(1, enable_here, &control) && !control,
	      "after the restart: processor 1's registers");
	synic_enable();
	check(memory_is(synic_messages[0], 0, PAGE_BYTES) &&
		      memory_is(synic_events[0], 0, PAGE_BYTES),
	      "after the restart: pages are clear");
	reference_page_enable();
	check(reference_page_copy().tsc_sequence != 0,
	      "after the restart: the reference TSC page is valid");
}

static void enable_synic(void *arg)
{
	(void)arg;
	synic_enable();
}

void guest_main(void)
{
	if (cmos_read(CMOS_MARK_INDEX) == CMOS_MARK) {
		check_restarted();
		return;
	}
	smp_start();
	smp_run(1, enable_synic, NULL);
	scribble();
	/* The end of this run, if it is one. */
	if (!argument_given("restarts")) {
		check(true, "about to end");
		tap_plan();
	}
	restart();
}
