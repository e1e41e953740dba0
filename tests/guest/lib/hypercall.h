/* SPDX-License-Identifier: MIT */
/*
 * hypercall.h - the guest's side of the hypercall interface.
 */
#ifndef LIB_HYPERCALL_H
#define LIB_HYPERCALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/memory.h"
#include "lib/register_call.h"
#include "proto/hv_hypercall.h"
#include "proto/hv_tlfs.h"

/* An open-source system of nobody's. */
#define GUEST_OS_ID (HV_GUEST_OS_ID_OPEN_SOURCE | 0x7Full << 48 | 1)

/* The page that hypercalls_enable() takes. */
extern uint8_t hypercall_page[PAGE_BYTES];

/** hypercalls_enable() - identify the guest, enable the page */
void hypercalls_enable(void);

/** hypercalls_disable() - take both back */
void hypercalls_disable(void);

/* How a call was made: the registers before, and after it. */
enum hypercall_mode {
	HYPERCALL_NATIVE, /* as the guest was built */
	HYPERCALL_COMPATIBILITY, /* 32-bit code in long mode */
};

/**
 * hypercall_raw() - a call with these three words
 * @registers: what it leaves in the registers; may be NULL
 *
 * In a 32-bit mode the words are spread over pairs of registers.
 *
 * Return: the result word; with an exception this_cpu()->caught_vector is not
 * NO_VECTOR.
 */
uint64_t hypercall_raw(enum hypercall_mode mode, uint64_t control,
		       uint64_t input, uint64_t output,
		       struct registers *registers);

/** hypercall() - a simple call with its parameters in memory */
hv_status_t hypercall(uint16_t code, const void *input, void *output);

/** hypercall_fast() - 16 bytes of parameters in registers */
hv_status_t hypercall_fast(uint16_t code, uint64_t first, uint64_t second);

/** hypercall_rep() - @reps elements from @start on; the whole result word */
uint64_t hypercall_rep(uint16_t code, unsigned int reps, unsigned int start,
		       const void *input, void *output);

static inline hv_status_t result_status(uint64_t result)
{
	return (hv_status_t)result;
}

static inline unsigned int result_reps(uint64_t result)
{
	return (unsigned int)(result >> HV_HYPERCALL_REP_COMP_OFFSET & 0xFFF);
}

/* The words of a call in the registers of @mode, and back. */
void hypercall_load(enum hypercall_mode mode, struct registers *r,
		    uint64_t control, uint64_t input, uint64_t output);
uint64_t hypercall_result(enum hypercall_mode mode, const struct registers *r);

/** hypercall_enter() - call the page with @r */
void hypercall_enter(enum hypercall_mode mode, struct registers *r);

#endif
