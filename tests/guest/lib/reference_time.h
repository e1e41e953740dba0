/* SPDX-License-Identifier: MIT */
/*
 * reference_time.h - the partition's reference time, by register and by page.
 */
#ifndef LIB_REFERENCE_TIME_H
#define LIB_REFERENCE_TIME_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/instructions.h"
#include "lib/memory.h"
#include "proto/hv_synic.h"
#include "proto/hv_tlfs.h"

/* The page that reference_page_enable() takes. */
extern uint8_t reference_page[PAGE_BYTES];

static inline uint64_t reference_counter(void)
{
	return rdmsr(HV_X64_MSR_TIME_REF_COUNT);
}

void reference_page_enable(void);
void reference_page_disable(void);

/** reference_page_copy() - its fields, all of one sequence */
struct ms_hyperv_tsc_page reference_page_copy(void);

/** reference_page_time() - Return: false when the page says it is invalid */
bool reference_page_time(uint64_t *time);

/** reference_time_of() - the time at which the TSC was @tsc */
uint64_t reference_time_of(const struct ms_hyperv_tsc_page *page, uint64_t tsc);

#endif
