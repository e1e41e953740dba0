/* SPDX-License-Identifier: MIT */
#include "lib/stage.h"

#include "lib/instructions.h"
#include "proto/platform.h"

#define CMOS_INDEX 0x60
#define CMOS_MARK  0xB0 /* and the stage */

static void mark(uint8_t value)
{
	out8(PLATFORM_RTC_PORT, CMOS_INDEX);
	out8(PLATFORM_RTC_PORT + 1, value);
}

unsigned int stage_enter(void)
{
	uint8_t stage;

	out8(PLATFORM_RTC_PORT, CMOS_INDEX);
	stage = in8(PLATFORM_RTC_PORT + 1);
	stage = (stage & 0xF0) == CMOS_MARK ? stage & 0x0F : 0;
	mark((uint8_t)(CMOS_MARK | (stage + 1)));
	return stage;
}

void stage_end(void)
{
	mark(0);
}

void stage_reset(void)
{
	out8(PLATFORM_RESET_PORT, PLATFORM_RESET_VALUE);
	for (;;)
		wait_for_interrupt();
}
