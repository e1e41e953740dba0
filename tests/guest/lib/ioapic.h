/* SPDX-License-Identifier: MIT */
/*
 * ioapic.h - the IOAPIC: where the interrupts of devices go.
 */
#ifndef LIB_IOAPIC_H
#define LIB_IOAPIC_H

#include <stdint.h>

/** ioapic_route() - @pin, edge-triggered, as @vector to processor @cpu */
void ioapic_route(unsigned int pin, uint8_t vector, uint8_t cpu);
void ioapic_mask(unsigned int pin);

/** ioapic_pins() - how many there are */
unsigned int ioapic_pins(void);

#endif
