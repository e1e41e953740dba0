/* SPDX-License-Identifier: MIT */
#include "lib/ioapic.h"

#include "lib/instructions.h"
#include "proto/platform.h"

#define DATA_OFFSET 0x10
#define VERSION     0x01
#define REDIRECTION 0x10
#define MASKED      (1u << 16)

static void write(unsigned int which, uint32_t value)
{
	*(volatile uint32_t *)at(PLATFORM_IOAPIC_BASE) = which;
	*(volatile uint32_t *)at(PLATFORM_IOAPIC_BASE + DATA_OFFSET) = value;
}

static uint32_t read(unsigned int which)
{
	*(volatile uint32_t *)at(PLATFORM_IOAPIC_BASE) = which;
	return *(volatile uint32_t *)at(PLATFORM_IOAPIC_BASE + DATA_OFFSET);
}

void ioapic_mask(unsigned int pin)
{
	write(REDIRECTION + 2 * pin, MASKED);
}

void ioapic_route(unsigned int pin, uint8_t vector, uint8_t cpu)
{
	ioapic_mask(pin);
	write(REDIRECTION + 2 * pin + 1, (uint32_t)cpu << 24);
	write(REDIRECTION + 2 * pin, vector);
}

unsigned int ioapic_pins(void)
{
	return (read(VERSION) >> 16 & 0xFF) + 1;
}
