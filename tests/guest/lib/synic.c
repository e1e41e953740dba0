/* SPDX-License-Identifier: MIT */
#include "lib/synic.h"

#include "proto/platform.h"

uint8_t synic_messages[CPUS_MAX][PAGE_BYTES]
	__attribute__((aligned(PAGE_BYTES)));
uint8_t synic_events[CPUS_MAX][PAGE_BYTES] __attribute__((aligned(PAGE_BYTES)));

void synic_enable(void)
{
	unsigned int cpu = this_cpu()->index;

	wrmsr(HV_X64_MSR_SIMP, gpa_of(synic_messages[cpu]) | HV_OVERLAY_ENABLE);
	wrmsr(HV_X64_MSR_SIEFP, gpa_of(synic_events[cpu]) | HV_OVERLAY_ENABLE);
	wrmsr(HV_X64_MSR_SCONTROL, HV_SYNIC_CONTROL_ENABLE);
}

void synic_disable(void)
{
	for (unsigned int i = 0; i < HV_SYNIC_SINT_COUNT; i++)
		sint_write(i, HV_SYNIC_SINT_MASKED);
	wrmsr(HV_X64_MSR_SCONTROL, 0);
	wrmsr(HV_X64_MSR_SIEFP, 0);
	wrmsr(HV_X64_MSR_SIMP, 0);
}

bool synic_free_slot(unsigned int sint)
{
	volatile struct hv_message *slot = synic_slot(this_cpu()->index, sint);

	slot->header.message_type = HVMSG_NONE;
	memory_barrier();
	if (!(slot->header.message_flags & HV_MESSAGE_FLAG_PENDING))
		return false;
	wrmsr(HV_X64_MSR_EOM, 0);
	return true;
}

static volatile uint32_t *flag_word(unsigned int cpu, unsigned int sint,
				    unsigned int flag)
{
	return at((unsigned long)synic_events[cpu] +
		  sint * HV_EVENT_FLAGS_BYTE_COUNT + flag / 32 * 4);
}

bool synic_flag(unsigned int cpu, unsigned int sint, unsigned int flag)
{
	return *flag_word(cpu, sint, flag) >> flag % 32 & 1;
}

bool synic_clear_flag(unsigned int cpu, unsigned int sint, unsigned int flag)
{
	uint32_t bit = 1u << flag % 32;

	return __atomic_fetch_and(flag_word(cpu, sint, flag), ~bit,
				  __ATOMIC_SEQ_CST) &
	       bit;
}

void tester_command(enum tester_command command, uint8_t cpu, uint8_t sint,
		    uint8_t connection)
{
	out32(PLATFORM_HV_TESTDEV_PORT, (uint32_t)connection << 24 |
						(uint32_t)command << 16 |
						(uint32_t)cpu << 8 | sint);
}
