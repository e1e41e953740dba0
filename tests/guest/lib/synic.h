/* SPDX-License-Identifier: MIT */
/*
 * synic.h - the caller's synthetic interrupt controller, and the host's test
 * device that sends to it.
 */
#ifndef LIB_SYNIC_H
#define LIB_SYNIC_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/cpu_area.h"
#include "lib/instructions.h"
#include "lib/memory.h"
#include "proto/hv_synic.h"
#include "proto/hv_tlfs.h"

/* The pages that synic_enable() takes, by processor. */
extern uint8_t synic_messages[CPUS_MAX][PAGE_BYTES];
extern uint8_t synic_events[CPUS_MAX][PAGE_BYTES];

/** synic_enable() - controller and both pages of the caller */
void synic_enable(void);

/** synic_disable() - SINTs masked, pages hidden, controller off */
void synic_disable(void);

static inline void sint_write(unsigned int sint, uint64_t value)
{
	wrmsr(HV_X64_MSR_SINT0 + sint, value);
}

static inline uint64_t sint_read(unsigned int sint)
{
	return rdmsr(HV_X64_MSR_SINT0 + sint);
}

/** synic_slot() - where processor @cpu finds messages to @sint */
static inline volatile struct hv_message *synic_slot(unsigned int cpu,
						     unsigned int sint)
{
	return (volatile struct hv_message *)at(
		(unsigned long)synic_messages[cpu] + sint * HV_MESSAGE_SIZE);
}

/** synic_free_slot() - take the message out as the TLFS wants it: true if
 * another one waits, so that EOM was written */
bool synic_free_slot(unsigned int sint);

/** synic_flag() - is event flag @flag of @sint set for processor @cpu? */
bool synic_flag(unsigned int cpu, unsigned int sint, unsigned int flag);

/** synic_clear_flag() - and was it? */
bool synic_clear_flag(unsigned int cpu, unsigned int sint, unsigned int flag);

/* Commands of the test device at PLATFORM_HV_TESTDEV_PORT. */
enum tester_command {
	TESTER_ROUTE_CREATE = 1,
	TESTER_ROUTE_DESTROY,
	TESTER_ROUTE_SET,
	TESTER_MESSAGES_CREATE,
	TESTER_MESSAGES_DESTROY,
	TESTER_EVENTS_CREATE,
	TESTER_EVENTS_DESTROY,
};

void tester_command(enum tester_command command, uint8_t cpu, uint8_t sint,
		    uint8_t connection);

#endif
