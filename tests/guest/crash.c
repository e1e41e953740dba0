/* SPDX-License-Identifier: MIT */
/*
 * crash.c - the crash registers: what they say is possible, and a crash that
 * is reported, with its text.
 *
 * Ends with a crash: kvmbus' exit code 34, and the text in its report.
 */
#include "lib/instructions.h"
#include "lib/memory.h"
#include "lib/start.h"
#include "lib/tap.h"
#include "lib/traps.h"
#include "proto/hv_tlfs.h"

#define PARAMETERS 5

static char text[PAGE_BYTES] __attribute__((aligned(PAGE_BYTES)));

void guest_main(void)
{
	const uint64_t notify =
		HV_CRASH_CTL_CRASH_NOTIFY | HV_CRASH_CTL_CRASH_NOTIFY_MSG;
	static const char said[] = "the guest fell over\nfor a reason";
	uint64_t value;

	check_equal(rdmsr_trying(HV_X64_MSR_CRASH_CTL, &value), NO_VECTOR,
		    "control is readable");
	check_equal(value & notify, notify, "notification and message");
	for (uint32_t i = 0; i < PARAMETERS; i++)
		wrmsr(HV_X64_MSR_CRASH_P0 + i, 0xC0DE0000 + i);
	check_equal(wrmsr_trying(HV_X64_MSR_CRASH_CTL, 0), NO_VECTOR,
		    "control without notification");
	check_equal(rdmsr(HV_X64_MSR_CRASH_CTL), value, "reads as before");
	check_equal(rdmsr(HV_X64_MSR_CRASH_P0 + 4), 0xC0DE0004,
		    "parameters are kept");
	memory_copy(text, said, sizeof(said));
	wrmsr(HV_X64_MSR_CRASH_P0 + 3, gpa_of(text));
	wrmsr(HV_X64_MSR_CRASH_P0 + 4, sizeof(said) - 1);
	tap_plan();
	wrmsr(HV_X64_MSR_CRASH_CTL, notify);
	/* The host has stopped us by now. */
	for (;;)
		pause();
}
