/* SPDX-License-Identifier: MIT */
/*
 * msr.c - what each synthetic register is after power-on, what may be written
 * to it, and which exist: those that CPUID says.
 *
 * SynIC and timers have tests of their own for what they do (synic.c,
 * stimer.c); here it is their registers.
 */
#include "lib/clock.h"
#include "lib/cpu_area.h"
#include "lib/instructions.h"
#include "lib/memory.h"
#include "lib/smp.h"
#include "lib/start.h"
#include "lib/tap.h"
#include "lib/traps.h"
#include "proto/hv_synic.h"
#include "proto/hv_tlfs.h"

static uint32_t features_eax, features_edx;

static bool has(uint32_t eax, uint32_t edx)
{
	return (features_eax & eax) == eax && (features_edx & edx) == edx;
}

/* --- which registers exist --------------------------------------------- */

struct row {
	const char *name;
	uint32_t first, last;
	/* wanted in leaf 3 */
	uint32_t eax, edx;
	bool unreadable, read_only;
	/* the first value; and one that may be written */
	uint64_t initial, value;
};

#define PAGE_VALUE 0x12345000ull

static const struct row rows[] = {
	{"GUEST_OS_ID", HV_X64_MSR_GUEST_OS_ID, HV_X64_MSR_GUEST_OS_ID,
	 HV_MSR_HYPERCALL_AVAILABLE, 0, .value = 0},
	{"HYPERCALL", HV_X64_MSR_HYPERCALL, HV_X64_MSR_HYPERCALL,
	 HV_MSR_HYPERCALL_AVAILABLE, 0, .value = PAGE_VALUE},
	{"RESET", HV_X64_MSR_RESET, HV_X64_MSR_RESET, HV_MSR_RESET_AVAILABLE, 0,
	 .value = 0},
	{"REFERENCE_TSC", HV_X64_MSR_REFERENCE_TSC, HV_X64_MSR_REFERENCE_TSC,
	 HV_MSR_REFERENCE_TSC_AVAILABLE, 0, .value = PAGE_VALUE},
	{"EOI", HV_X64_MSR_EOI, HV_X64_MSR_EOI, HV_MSR_APIC_ACCESS_AVAILABLE, 0,
	 .unreadable = true, .value = 0},
	{"TPR", HV_X64_MSR_TPR, HV_X64_MSR_TPR, HV_MSR_APIC_ACCESS_AVAILABLE, 0,
	 .value = 0x20},
	{"VP_ASSIST_PAGE", HV_X64_MSR_VP_ASSIST_PAGE, HV_X64_MSR_VP_ASSIST_PAGE,
	 0, 0, .value = PAGE_VALUE},
	{"SCONTROL", HV_X64_MSR_SCONTROL, HV_X64_MSR_SCONTROL,
	 HV_MSR_SYNIC_AVAILABLE, 0, .value = HV_SYNIC_CONTROL_ENABLE},
	{"SVERSION", HV_X64_MSR_SVERSION, HV_X64_MSR_SVERSION,
	 HV_MSR_SYNIC_AVAILABLE, 0, .read_only = true,
	 .initial = HV_SYNIC_VERSION},
	{"SIEFP", HV_X64_MSR_SIEFP, HV_X64_MSR_SIEFP, HV_MSR_SYNIC_AVAILABLE, 0,
	 .value = PAGE_VALUE},
	{"SIMP", HV_X64_MSR_SIMP, HV_X64_MSR_SIMP, HV_MSR_SYNIC_AVAILABLE, 0,
	 .value = PAGE_VALUE},
	{"EOM", HV_X64_MSR_EOM, HV_X64_MSR_EOM, HV_MSR_SYNIC_AVAILABLE, 0,
	 .value = 0},
	{"SINT", HV_X64_MSR_SINT0, HV_X64_MSR_SINT15, HV_MSR_SYNIC_AVAILABLE, 0,
	 .initial = HV_SYNIC_SINT_MASKED, .value = HV_SYNIC_SINT_MASKED | 0x55},
	{"STIMER", HV_X64_MSR_STIMER0_CONFIG, HV_X64_MSR_STIMER3_COUNT,
	 HV_MSR_SYNTIMER_AVAILABLE, 0,
	 .value = HV_STIMER_PERIODIC | HV_STIMER_LAZY},
	{"CRASH_P", HV_X64_MSR_CRASH_P0, HV_X64_MSR_CRASH_P4, 0,
	 HV_FEATURE_GUEST_CRASH_MSR_AVAILABLE, .value = ~0ull},
	{"REENLIGHTENMENT_CONTROL", HV_X64_MSR_REENLIGHTENMENT_CONTROL,
	 HV_X64_MSR_REENLIGHTENMENT_CONTROL, HV_ACCESS_REENLIGHTENMENT, 0,
	 .value = 0x1000100EEull},
	{"TSC_EMULATION_CONTROL", HV_X64_MSR_TSC_EMULATION_CONTROL,
	 HV_X64_MSR_TSC_EMULATION_CONTROL, HV_ACCESS_REENLIGHTENMENT, 0,
	 .value = HV_TSC_EMULATION_CONTROL_ENABLE},
	{"TSC_EMULATION_STATUS", HV_X64_MSR_TSC_EMULATION_STATUS,
	 HV_X64_MSR_TSC_EMULATION_STATUS, HV_ACCESS_REENLIGHTENMENT, 0,
	 .value = 0},
	{"TSC_INVARIANT_CONTROL", HV_X64_MSR_TSC_INVARIANT_CONTROL,
	 HV_X64_MSR_TSC_INVARIANT_CONTROL, HV_ACCESS_TSC_INVARIANT, 0,
	 .value = HV_EXPOSE_INVARIANT_TSC},
};

/* Registers whose value is tested elsewhere: only whether they exist. */
static const struct row others[] = {
	{"VP_INDEX", HV_X64_MSR_VP_INDEX, HV_X64_MSR_VP_INDEX,
	 HV_MSR_VP_INDEX_AVAILABLE, 0, .read_only = true},
	{"VP_RUNTIME", HV_X64_MSR_VP_RUNTIME, HV_X64_MSR_VP_RUNTIME,
	 HV_MSR_VP_RUNTIME_AVAILABLE, 0, .read_only = true},
	{"TIME_REF_COUNT", HV_X64_MSR_TIME_REF_COUNT, HV_X64_MSR_TIME_REF_COUNT,
	 HV_MSR_TIME_REF_COUNT_AVAILABLE, 0, .read_only = true},
	{"TSC_FREQUENCY", HV_X64_MSR_TSC_FREQUENCY, HV_X64_MSR_TSC_FREQUENCY,
	 HV_ACCESS_FREQUENCY_MSRS, HV_FEATURE_FREQUENCY_MSRS_AVAILABLE,
	 .read_only = true},
	{"APIC_FREQUENCY", HV_X64_MSR_APIC_FREQUENCY, HV_X64_MSR_APIC_FREQUENCY,
	 HV_ACCESS_FREQUENCY_MSRS, HV_FEATURE_FREQUENCY_MSRS_AVAILABLE,
	 .read_only = true},
};

static void check_absent(const struct row *row, uint32_t msr)
{
	uint64_t value;

	check_equal(rdmsr_trying(msr, &value), VECTOR_GP,
		    "%s: not offered, read", row->name);
	check_equal(wrmsr_trying(msr, row->value), VECTOR_GP,
		    "%s: not offered, write", row->name);
}

static void check_register(const struct row *row, uint32_t msr)
{
	unsigned int n = msr - row->first;
	uint64_t value = 0;

	if (row->unreadable) {
		check_equal(rdmsr_trying(msr, &value), VECTOR_GP,
			    "%s: not to be read", row->name);
		return;
	}
	if (!check_equal(rdmsr_trying(msr, &value), NO_VECTOR, "%s %u: read",
			 row->name, n))
		return;
	check_equal(value, row->initial, "%s %u: after power-on", row->name, n);
	if (row->read_only) {
		check_equal(wrmsr_trying(msr, row->initial), VECTOR_GP,
			    "%s %u: not to be written", row->name, n);
		return;
	}
	check_equal(wrmsr_trying(msr, row->value), NO_VECTOR, "%s %u: write",
		    row->name, n);
	check_equal(rdmsr(msr), row->value, "%s %u: what was written",
		    row->name, n);
	if (msr != HV_X64_MSR_TSC_INVARIANT_CONTROL)
		check_equal(wrmsr_trying(msr, row->initial), NO_VECTOR,
			    "%s %u: back again", row->name, n);
}

static void test_registers(void)
{
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];

		for (uint32_t msr = row->first; msr <= row->last; msr++) {
			if (has(row->eax, row->edx))
				check_register(row, msr);
			else
				check_absent(row, msr);
		}
	}
	for (unsigned int i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		const struct row *row = &others[i];
		uint64_t value;

		if (!has(row->eax, row->edx)) {
			check_absent(row, row->first);
			continue;
		}
		check_equal(rdmsr_trying(row->first, &value), NO_VECTOR,
			    "%s: read", row->name);
		check_equal(wrmsr_trying(row->first, value), VECTOR_GP,
			    "%s: not to be written", row->name);
	}
}

/* Gaps between the registers, and the ends of the range. */
static void test_unknown(void)
{
	static const uint32_t unknown[] = {
		0x40000004, 0x4000000F, 0x40000011, 0x4000001F, 0x40000024,
		0x4000006F, 0x40000074, 0x4000007F, 0x40000085, 0x4000008F,
		0x400000A0, 0x400000AF, 0x400000B8, 0x400000EF, 0x400000F1,
		0x400000FF, 0x40000109, 0x40000117, 0x40000119, 0x400001FF,
		0x40001000, 0x40001080, 0x40001FFF,
	};

	for (unsigned int i = 0; i < sizeof(unknown) / sizeof(unknown[0]);
	     i++) {
		uint64_t value;

		check_equal(rdmsr_trying(unknown[i], &value), VECTOR_GP,
			    "0x%x: read", unknown[i]);
		check_equal(wrmsr_trying(unknown[i], 0), VECTOR_GP,
			    "0x%x: write", unknown[i]);
	}
}

/* --- values that are refused ------------------------------------------- */

#define BEYOND_MEMORY 0x8000000000000000ull

static void test_refused(void)
{
	static const struct {
		const char *what;
		uint32_t msr;
		uint64_t value;
		uint32_t eax;
	} refused[] = {
		{"HYPERCALL: reserved bit", HV_X64_MSR_HYPERCALL, 1u << 2,
		 HV_MSR_HYPERCALL_AVAILABLE},
		{"HYPERCALL: beyond memory", HV_X64_MSR_HYPERCALL,
		 BEYOND_MEMORY, HV_MSR_HYPERCALL_AVAILABLE},
		{"RESET: reserved bit", HV_X64_MSR_RESET, 2,
		 HV_MSR_RESET_AVAILABLE},
		{"REFERENCE_TSC: reserved bit", HV_X64_MSR_REFERENCE_TSC, 2,
		 HV_MSR_REFERENCE_TSC_AVAILABLE},
		{"VP_ASSIST_PAGE: reserved bit", HV_X64_MSR_VP_ASSIST_PAGE, 2,
		 0},
		{"VP_ASSIST_PAGE: beyond memory", HV_X64_MSR_VP_ASSIST_PAGE,
		 BEYOND_MEMORY | 1, 0},
		{"EOI: high half", HV_X64_MSR_EOI, 1ull << 32,
		 HV_MSR_APIC_ACCESS_AVAILABLE},
		{"TPR: above 8 bits", HV_X64_MSR_TPR, 0x100,
		 HV_MSR_APIC_ACCESS_AVAILABLE},
		{"SINT: vector 0", HV_X64_MSR_SINT0 + 2, 0,
		 HV_MSR_SYNIC_AVAILABLE},
		{"SINT: vector 15", HV_X64_MSR_SINT0 + 2, 15,
		 HV_MSR_SYNIC_AVAILABLE},
		{"STIMER: reserved bit 13", HV_X64_MSR_STIMER0_CONFIG, 1u << 13,
		 HV_MSR_SYNTIMER_AVAILABLE},
		{"STIMER: reserved bit 20", HV_X64_MSR_STIMER0_CONFIG, 1u << 20,
		 HV_MSR_SYNTIMER_AVAILABLE},
		{"STIMER: reserved bit 63", HV_X64_MSR_STIMER0_CONFIG,
		 1ull << 63, HV_MSR_SYNTIMER_AVAILABLE},
		{"REENLIGHTENMENT_CONTROL: reserved bit",
		 HV_X64_MSR_REENLIGHTENMENT_CONTROL, 1u << 17,
		 HV_ACCESS_REENLIGHTENMENT},
		{"TSC_EMULATION_CONTROL: reserved bit",
		 HV_X64_MSR_TSC_EMULATION_CONTROL, 2,
		 HV_ACCESS_REENLIGHTENMENT},
		{"TSC_EMULATION_STATUS: to be set",
		 HV_X64_MSR_TSC_EMULATION_STATUS, 1, HV_ACCESS_REENLIGHTENMENT},
		{"TSC_INVARIANT_CONTROL: reserved bit",
		 HV_X64_MSR_TSC_INVARIANT_CONTROL, 2, HV_ACCESS_TSC_INVARIANT},
		{"TSC_INVARIANT_CONTROL: back to 0",
		 HV_X64_MSR_TSC_INVARIANT_CONTROL, 0, HV_ACCESS_TSC_INVARIANT},
	};

	for (unsigned int i = 0; i < sizeof(refused) / sizeof(refused[0]);
	     i++) {
		uint64_t before, after;

		if (!has(refused[i].eax, 0))
			continue;
		if (rdmsr_trying(refused[i].msr, &before) != NO_VECTOR)
			before = 0;
		check_equal(wrmsr_trying(refused[i].msr, refused[i].value),
			    VECTOR_GP, "%s", refused[i].what);
		if (rdmsr_trying(refused[i].msr, &after) != NO_VECTOR)
			after = 0;
		check_equal(after, before, "%s: nothing changed",
			    refused[i].what);
	}
}

/* RsvdP: kept as they are written. */
static void test_preserved(void)
{
	static const struct {
		const char *name;
		uint32_t msr;
		uint64_t value;
	} kept[] = {
		{"SCONTROL", HV_X64_MSR_SCONTROL, 0xFF00},
		{"SIEFP", HV_X64_MSR_SIEFP, 0x7FE},
		{"SIMP", HV_X64_MSR_SIMP, 0x7FE},
	};

	for (unsigned int i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		wrmsr(kept[i].msr, kept[i].value);
		check_equal(rdmsr(kept[i].msr), kept[i].value,
			    "%s: reserved bits are preserved", kept[i].name);
		wrmsr(kept[i].msr, 0);
	}
}

/* --- identity and hypercall page ---------------------------------------- */

static uint8_t page[PAGE_BYTES] __attribute__((aligned(PAGE_BYTES)));

static void test_hypercall_enable(void)
{
	uint64_t enable = gpa_of(page) | HV_X64_MSR_HYPERCALL_ENABLE;

	wrmsr(HV_X64_MSR_GUEST_OS_ID, 0);
	wrmsr(HV_X64_MSR_HYPERCALL, enable);
	check_equal(rdmsr(HV_X64_MSR_HYPERCALL) & HV_X64_MSR_HYPERCALL_ENABLE,
		    0, "no identity: the hypercall page is not enabled");
	check(memory_is(page, 0, sizeof(page)), "no identity: no page");
	wrmsr(HV_X64_MSR_GUEST_OS_ID, 0x8100000012340000ull);
	check_equal(rdmsr(HV_X64_MSR_GUEST_OS_ID), 0x8100000012340000ull,
		    "identity is kept");
	check_equal(rdmsr(HV_X64_MSR_HYPERCALL) & HV_X64_MSR_HYPERCALL_ENABLE,
		    0, "an identity alone enables nothing");
	wrmsr(HV_X64_MSR_HYPERCALL, enable);
	check_equal(rdmsr(HV_X64_MSR_HYPERCALL), enable,
		    "with identity: enabled");
	check(!memory_is(page, 0, sizeof(page)), "with identity: a page");
	wrmsr(HV_X64_MSR_GUEST_OS_ID, 0);
	check_equal(rdmsr(HV_X64_MSR_HYPERCALL) & HV_X64_MSR_HYPERCALL_ENABLE,
		    0, "identity taken back: disabled");
	check(memory_is(page, 0, sizeof(page)), "identity taken back: no page");
}

static void test_lock(void)
{
	uint64_t locked = gpa_of(page) | HV_X64_MSR_HYPERCALL_ENABLE |
			  HV_X64_MSR_HYPERCALL_LOCKED;

	wrmsr(HV_X64_MSR_GUEST_OS_ID, 1);
	if (!has(0, HV_FEATURE_HYPERCALL_MSR_LOCK)) {
		check_equal(wrmsr_trying(HV_X64_MSR_HYPERCALL, locked),
			    VECTOR_GP, "lock bit where there is none");
		return;
	}
	wrmsr(HV_X64_MSR_HYPERCALL, locked);
	check_equal(rdmsr(HV_X64_MSR_HYPERCALL), locked, "locked");
	check_equal(wrmsr_trying(HV_X64_MSR_HYPERCALL, 0), VECTOR_GP,
		    "locked: not to be disabled");
	check_equal(wrmsr_trying(HV_X64_MSR_HYPERCALL, locked + PAGE_BYTES),
		    VECTOR_GP, "locked: not to be moved");
	check_equal(rdmsr(HV_X64_MSR_HYPERCALL), locked, "locked: unchanged");
}

/* --- per processor, and what changes by itself ----------------------------- */

static void read_index(void *arg)
{
	*(uint64_t *)arg = rdmsr(HV_X64_MSR_VP_INDEX);
}

static void set_assist(void *arg)
{
	uint64_t *values = arg;

	values[0] = rdmsr(HV_X64_MSR_VP_ASSIST_PAGE);
	values[1] = rdmsr(HV_X64_MSR_SINT0 + 3);
	values[2] = rdmsr(HV_X64_MSR_STIMER0_COUNT);
	wrmsr(HV_X64_MSR_VP_ASSIST_PAGE, 0x7000);
	wrmsr(HV_X64_MSR_SINT0 + 3, HV_SYNIC_SINT_MASKED | 0x77);
	values[3] = rdmsr(HV_X64_MSR_HYPERCALL);
}

static void test_processors(void)
{
	if (!check(smp_start(), "all processors start"))
		return;
	wrmsr(HV_X64_MSR_VP_ASSIST_PAGE, 0x6000);
	wrmsr(HV_X64_MSR_SINT0 + 3, HV_SYNIC_SINT_MASKED | 0x66);
	for (unsigned int i = 0; i < smp_cpus(); i++) {
		uint64_t index = ~0ull;

		check(smp_run(i, read_index, &index) && index == i,
		      "VP_INDEX of processor %u", i);
	}
	for (unsigned int i = 1; i < smp_cpus(); i++) {
		uint64_t values[4] = {~0ull, ~0ull, ~0ull, ~0ull};

		check(smp_run(i, set_assist, values), "processor %u", i);
		check_equal(values[0], 0, "processor %u: own assist page", i);
		check_equal(values[1], HV_SYNIC_SINT_MASKED,
			    "processor %u: own SINTs", i);
		check_equal(values[2], 0, "processor %u: own timers", i);
		check_equal(values[3], rdmsr(HV_X64_MSR_HYPERCALL),
			    "processor %u: the partition's registers", i);
	}
	check_equal(rdmsr(HV_X64_MSR_VP_ASSIST_PAGE), 0x6000,
		    "processor 0 keeps its assist page");
	check_equal(rdmsr(HV_X64_MSR_SINT0 + 3), HV_SYNIC_SINT_MASKED | 0x66,
		    "processor 0 keeps its SINT");
	wrmsr(HV_X64_MSR_VP_ASSIST_PAGE, 0);
}

static void test_clocks(void)
{
	uint64_t time = rdmsr(HV_X64_MSR_TIME_REF_COUNT);
	uint64_t runtime = rdmsr(HV_X64_MSR_VP_RUNTIME);

	clock_wait_ms(20);
	check_between(rdmsr(HV_X64_MSR_TIME_REF_COUNT) - time, 200000,
		      100000000, "reference time goes on");
	check_between(rdmsr(HV_X64_MSR_VP_RUNTIME) - runtime, 1, 100000000,
		      "run time goes on");
	if (!has(HV_ACCESS_FREQUENCY_MSRS, HV_FEATURE_FREQUENCY_MSRS_AVAILABLE))
		return;
	check_between(rdmsr(HV_X64_MSR_TSC_FREQUENCY), 100000000,
		      20000000000ull, "frequency of the TSC");
	check_between(rdmsr(HV_X64_MSR_APIC_FREQUENCY), 1000000, 10000000000ull,
		      "frequency of the local APIC");
}

/* The APIC by synthetic registers. */
static void test_apic_access(void)
{
	const uint8_t vector = 0x41;
	uint32_t before = interrupts_of(0, vector);

	if (!has(HV_MSR_APIC_ACCESS_AVAILABLE, 0))
		return;
	trap_set_end(vector, false);
	wrmsr(HV_X64_MSR_ICR, 1ull << 18 | vector); /* self */
	check(wait_until(interrupts_of(0, vector) == before + 1, SOON_MS),
	      "ICR: interrupt to oneself");
	wrmsr(HV_X64_MSR_EOI, 0);
	wrmsr(HV_X64_MSR_ICR, vector); /* physical, APIC 0 */
	check(wait_until(interrupts_of(0, vector) == before + 2, SOON_MS),
	      "ICR: interrupt by id; EOI ended the first");
	wrmsr(HV_X64_MSR_EOI, 0);
	interrupts_off();
	wrmsr(HV_X64_MSR_TPR, 0xF0);
	check_equal(rdmsr(HV_X64_MSR_TPR), 0xF0, "TPR is kept");
	wrmsr(HV_X64_MSR_ICR, 1ull << 18 | vector);
	interrupts_on();
	clock_wait_ms(QUIET_MS);
	check_equal(interrupts_of(0, vector), before + 2,
		    "TPR: a lower interrupt waits");
	wrmsr(HV_X64_MSR_TPR, 0);
	check(wait_until(interrupts_of(0, vector) == before + 3, SOON_MS),
	      "TPR: until it may");
	wrmsr(HV_X64_MSR_EOI, 0);
	trap_set_end(vector, true);
}

void guest_main(void)
{
	struct cpuid features = cpuid(HYPERV_CPUID_FEATURES, 0);

	features_eax = features.eax;
	features_edx = features.edx;
	test_registers();
	test_unknown();
	test_refused();
	test_preserved();
	test_hypercall_enable();
	test_apic_access();
	test_clocks();
	test_processors();
	test_lock();
}
