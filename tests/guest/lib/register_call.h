/* SPDX-License-Identifier: MIT */
/*
 * register_call.h - call an address with chosen contents of every register.
 */
#ifndef LIB_REGISTER_CALL_H
#define LIB_REGISTER_CALL_H

#include <stddef.h>
#include <stdint.h>

#ifdef __x86_64__
#define XMM_REGISTERS 16
#else
#define XMM_REGISTERS 8
#endif

/* In a 32-bit call only the lower halves, and neither r8 to r15 nor xmm8 … */
struct registers {
	uint64_t ax, bx, cx, dx, si, di, bp;
	uint64_t r8_to_r15[8];
	uint64_t unused;
	uint8_t xmm[16][16];
};
_Static_assert(offsetof(struct registers, xmm) == 128, "assembly");

/**
 * call_with_registers() - load @registers, call @target, store them again
 *
 * An exception in the target is a return from it: this_cpu()->caught_vector
 * says so, and the registers are as they were when it was raised.
 */
void call_with_registers(struct registers *registers, const void *target);

#ifdef __x86_64__
/** call_in_compatibility_mode() - the same, from 32-bit code in long mode */
void call_in_compatibility_mode(struct registers *registers,
				const void *target);

/**
 * enter_user_mode() - call @target at CPL 3
 * @stack: top of the stack to use there
 * @flags: RFLAGS there; interrupts must be off
 * @code:  SELECTOR_USER_CODE64 or SELECTOR_USER_CODE32
 *
 * Whatever trap comes first ends it and is told in this_cpu(): a #UD at
 * user_mode_end says that @target came back.
 */
void enter_user_mode(const void *target, void *stack, unsigned long flags,
		     unsigned long code);
extern const char user_mode_end[];
#endif

#endif
