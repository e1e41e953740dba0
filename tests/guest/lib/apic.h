/* SPDX-License-Identifier: MIT */
/*
 * apic.h - the local APIC: by MSR (x2APIC) in 64-bit guests, by memory
 * (xAPIC) in 32-bit ones, so that both are used.
 */
#ifndef LIB_APIC_H
#define LIB_APIC_H

#include <stdbool.h>
#include <stdint.h>

enum apic_register {
	APIC_ID = 0x02,
	APIC_VERSION = 0x03,
	APIC_TPR = 0x08,
	APIC_PPR = 0x0A,
	APIC_EOI = 0x0B,
	APIC_SPURIOUS = 0x0F,
	APIC_ISR0 = 0x10,
	APIC_IRR0 = 0x20,
	APIC_ICR = 0x30,
	APIC_ICR_HIGH = 0x31,
	APIC_LVT_TIMER = 0x32,
	APIC_LVT_LINT0 = 0x35,
	APIC_TIMER_INITIAL = 0x38,
	APIC_TIMER_CURRENT = 0x39,
	APIC_TIMER_DIVIDE = 0x3E,
};

#define APIC_ICR_FIXED   0x00000000u
#define APIC_ICR_INIT    0x00000500u
#define APIC_ICR_STARTUP 0x00000600u
#define APIC_ICR_ASSERT  0x00004000u
#define APIC_ICR_LEVEL   0x00008000u
#define APIC_LVT_MASKED  0x00010000u

/** apic_enable() - the caller's, all of its local interrupts masked */
void apic_enable(void);

uint32_t apic_read(enum apic_register which);
void apic_write(enum apic_register which, uint32_t value);

/** apic_id() - the caller's */
uint32_t apic_id(void);

/** apic_send() - @command (APIC_ICR_… and vector) to the APIC @id */
void apic_send(uint32_t id, uint32_t command);

void apic_end_of_interrupt(void);

/** apic_in_service() - is @vector being handled? */
bool apic_in_service(uint8_t vector);

/** apic_requested() - does @vector wait? */
bool apic_requested(uint8_t vector);

#endif
