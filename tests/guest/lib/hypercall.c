/* SPDX-License-Identifier: MIT */
#include "lib/hypercall.h"

#include "lib/cpu_area.h"
#include "lib/instructions.h"

uint8_t hypercall_page[PAGE_BYTES] __attribute__((aligned(PAGE_BYTES)));

void hypercalls_enable(void)
{
	wrmsr(HV_X64_MSR_GUEST_OS_ID, GUEST_OS_ID);
	wrmsr(HV_X64_MSR_HYPERCALL,
	      gpa_of(hypercall_page) | HV_X64_MSR_HYPERCALL_ENABLE);
}

void hypercalls_disable(void)
{
	wrmsr(HV_X64_MSR_HYPERCALL, 0);
	wrmsr(HV_X64_MSR_GUEST_OS_ID, 0);
}

static bool is_long(enum hypercall_mode mode)
{
#ifdef __x86_64__
	return mode == HYPERCALL_NATIVE;
#else
	(void)mode;
	return false;
#endif
}

void hypercall_load(enum hypercall_mode mode, struct registers *r,
		    uint64_t control, uint64_t input, uint64_t output)
{
	if (is_long(mode)) {
		r->cx = control;
		r->dx = input;
		r->r8_to_r15[0] = output;
	} else {
		r->dx = control >> 32;
		r->ax = (uint32_t)control;
		r->bx = input >> 32;
		r->cx = (uint32_t)input;
		r->di = output >> 32;
		r->si = (uint32_t)output;
	}
}

uint64_t hypercall_result(enum hypercall_mode mode, const struct registers *r)
{
	if (is_long(mode))
		return r->ax;
	return r->dx << 32 | (uint32_t)r->ax;
}

void hypercall_enter(enum hypercall_mode mode, struct registers *r)
{
	this_cpu()->caught_vector = NO_VECTOR;
#ifdef __x86_64__
	if (mode == HYPERCALL_COMPATIBILITY) {
		call_in_compatibility_mode(r, hypercall_page);
		return;
	}
#else
	(void)mode;
#endif
	call_with_registers(r, hypercall_page);
}

uint64_t hypercall_raw(enum hypercall_mode mode, uint64_t control,
		       uint64_t input, uint64_t output,
		       struct registers *registers)
{
	struct registers own = {0};
	struct registers *r = registers ? registers : &own;

	memset(r, 0, sizeof(*r));
	hypercall_load(mode, r, control, input, output);
	hypercall_enter(mode, r);
	return hypercall_result(mode, r);
}

hv_status_t hypercall(uint16_t code, const void *input, void *output)
{
	return result_status(hypercall_raw(
		HYPERCALL_NATIVE, code, gpa_of(input), gpa_of(output), NULL));
}

hv_status_t hypercall_fast(uint16_t code, uint64_t first, uint64_t second)
{
	return result_status(hypercall_raw(HYPERCALL_NATIVE,
					   code | HV_HYPERCALL_FAST_BIT, first,
					   second, NULL));
}

uint64_t hypercall_rep(uint16_t code, unsigned int reps, unsigned int start,
		       const void *input, void *output)
{
	uint64_t control = code |
			   (uint64_t)reps << HV_HYPERCALL_REP_COMP_OFFSET |
			   (uint64_t)start << HV_HYPERCALL_REP_START_OFFSET;

	return hypercall_raw(HYPERCALL_NATIVE, control, gpa_of(input),
			     gpa_of(output), NULL);
}
