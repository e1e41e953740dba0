/* SPDX-License-Identifier: MIT */
#include "lib/smp.h"

#include "lib/apic.h"
#include "lib/arguments.h"
#include "lib/clock.h"
#include "lib/cpu_area.h"
#include "lib/instructions.h"
#include "lib/memory.h"
#include "lib/start.h"
#include "lib/traps.h"
#include "proto/hv_tlfs.h"

extern const uint8_t ap_trampoline[];
extern const uint32_t ap_trampoline_bytes;
extern uint32_t ap_stack;

unsigned int smp_cpus(void)
{
	unsigned int n = (unsigned int)argument_number("cpus", 1);

	return n < CPUS_MAX ? n : CPUS_MAX;
}

/* How wide the field of an APIC id is that counts to @n. */
static unsigned int width_of(unsigned int n)
{
	unsigned int bits = 0;

	while (1u << bits < n)
		bits++;
	return bits;
}

unsigned int smp_apic_id(unsigned int cpu)
{
	unsigned int threads = (unsigned int)argument_number("threads", 1);
	unsigned int cores = (unsigned int)argument_number("cores", 0);
	unsigned int core_shift = width_of(threads);

	if (!cores)
		return cpu;
	return cpu / threads / cores << (core_shift + width_of(cores)) |
	       cpu / threads % cores << core_shift | cpu % threads;
}

/*
 * As Linux before 5.17 does where the synthetic registers are recommended:
 * the level goes down after INIT, and start-up is said twice.
 */
static void start_by_msr(unsigned int index)
{
	uint64_t to = (uint64_t)smp_apic_id(index) << 56;
	uint64_t startup =
		APIC_ICR_STARTUP | APIC_ICR_ASSERT | AP_TRAMPOLINE / PAGE_BYTES;

	wrmsr(HV_X64_MSR_ICR,
	      to | APIC_ICR_INIT | APIC_ICR_LEVEL | APIC_ICR_ASSERT);
	clock_wait_ms(1);
	wrmsr(HV_X64_MSR_ICR, to | APIC_ICR_INIT | APIC_ICR_LEVEL);
	wrmsr(HV_X64_MSR_ICR, to | startup);
	clock_wait_ms(1);
	wrmsr(HV_X64_MSR_ICR, to | startup);
}

static void start_by_apic(unsigned int index)
{
	apic_send(smp_apic_id(index), APIC_ICR_INIT | APIC_ICR_ASSERT);
	clock_wait_ms(1);
	apic_send(smp_apic_id(index), APIC_ICR_STARTUP | APIC_ICR_ASSERT |
					      AP_TRAMPOLINE / PAGE_BYTES);
}

static bool start(unsigned int index)
{
	struct cpu *cpu = cpu_at(index);

	if (cpu->alive)
		return true;
	ap_stack = (uint32_t)(unsigned long)cpu + CPU_BLOCK_BYTES;
	memory_barrier();
	if (argument_given("start-by-msr"))
		start_by_msr(index);
	else
		start_by_apic(index);
	return wait_until(cpu->alive, SOON_MS);
}

bool smp_start(void)
{
	memory_copy(at(AP_TRAMPOLINE), ap_trampoline, ap_trampoline_bytes);
	for (unsigned int i = 1; i < smp_cpus(); i++) {
		if (!start(i))
			return false;
	}
	return true;
}

void smp_begin(unsigned int cpu, void (*work)(void *arg), void *arg)
{
	cpu_at(cpu)->work_arg = arg;
	memory_barrier();
	cpu_at(cpu)->work = work;
	memory_barrier();
	apic_send(smp_apic_id(cpu),
		  APIC_ICR_FIXED | APIC_ICR_ASSERT | VECTOR_WAKE);
}

bool smp_finish(unsigned int cpu)
{
	return wait_until(!cpu_at(cpu)->work, SOON_MS);
}

bool smp_run(unsigned int cpu, void (*work)(void *arg), void *arg)
{
	if (!cpu) {
		work(arg);
		return true;
	}
	smp_begin(cpu, work, arg);
	return smp_finish(cpu);
}

/* What a processor that was started does. */
void smp_serve(struct cpu *cpu)
{
	for (;;) {
		interrupts_off();
		if (!cpu->work) {
			wait_for_interrupt();
			continue;
		}
		interrupts_on();
		cpu->work(cpu->work_arg);
		memory_barrier();
		cpu->work = NULL;
	}
}
