/* SPDX-License-Identifier: MIT */
#include "lib/apic.h"

#include "lib/instructions.h"
#include "lib/traps.h"
#include "proto/platform.h"

#define SPURIOUS_ENABLE 0x100u
#define REGISTER_BYTES  16

#ifdef __x86_64__

uint32_t apic_read(enum apic_register which)
{
	return (uint32_t)rdmsr(MSR_X2APIC_BASE + which);
}

void apic_write(enum apic_register which, uint32_t value)
{
	wrmsr(MSR_X2APIC_BASE + which, value);
}

uint32_t apic_id(void)
{
	return apic_read(APIC_ID);
}

void apic_send(uint32_t id, uint32_t command)
{
	wrmsr(MSR_X2APIC_BASE + APIC_ICR, (uint64_t)id << 32 | command);
}

static uint64_t mode(void)
{
	return APIC_BASE_ON | APIC_BASE_X2;
}

#else

static volatile uint32_t *address(enum apic_register which)
{
	return at(PLATFORM_LAPIC_BASE + which * REGISTER_BYTES);
}

uint32_t apic_read(enum apic_register which)
{
	return *address(which);
}

void apic_write(enum apic_register which, uint32_t value)
{
	*address(which) = value;
}

uint32_t apic_id(void)
{
	return apic_read(APIC_ID) >> 24;
}

void apic_send(uint32_t id, uint32_t command)
{
	apic_write(APIC_ICR_HIGH, id << 24);
	apic_write(APIC_ICR, command);
}

static uint64_t mode(void)
{
	return APIC_BASE_ON;
}

#endif

void apic_enable(void)
{
	wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | mode());
	apic_write(APIC_SPURIOUS, SPURIOUS_ENABLE | VECTOR_SPURIOUS);
	apic_write(APIC_LVT_LINT0, APIC_LVT_MASKED);
	apic_write(APIC_LVT_TIMER, APIC_LVT_MASKED);
	apic_write(APIC_TPR, 0);
}

void apic_end_of_interrupt(void)
{
	apic_write(APIC_EOI, 0);
}

bool apic_in_service(uint8_t vector)
{
	return apic_read((enum apic_register)(APIC_ISR0 + vector / 32)) >>
		       vector % 32 &
	       1;
}

bool apic_requested(uint8_t vector)
{
	return apic_read((enum apic_register)(APIC_IRR0 + vector / 32)) >>
		       vector % 32 &
	       1;
}
