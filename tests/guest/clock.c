/* SPDX-License-Identifier: MIT */
/*
 * clock.c - the battery-backed clock begins with the time that it was given,
 * a second before the day that year=, month= and day= say.
 */
#include "lib/arguments.h"
#include "lib/clock.h"
#include "lib/instructions.h"
#include "lib/start.h"
#include "lib/tap.h"
#include "proto/platform.h"

enum rtc_register {
	RTC_SECONDS = 0,
	RTC_MINUTES = 2,
	RTC_HOURS = 4,
	RTC_DAY = 7,
	RTC_MONTH = 8,
	RTC_YEAR = 9,
};

/* In the format that firmware leaves: BCD. */
static unsigned int rtc(uint8_t index)
{
	uint8_t value;

	out8(PLATFORM_RTC_PORT, index);
	value = in8(PLATFORM_RTC_PORT + 1);
	return (value >> 4) * 10u + (value & 15u);
}

void guest_main(void)
{
	check(wait_until(rtc(RTC_DAY) == argument_number("day", 0), SOON_MS),
	      "the day begins");
	check_equal(rtc(RTC_MONTH), argument_number("month", 0), "month");
	check_equal(rtc(PLATFORM_RTC_CENTURY) * 100 + rtc(RTC_YEAR),
		    argument_number("year", 0), "year");
	check_equal(rtc(RTC_HOURS), 0, "hour");
	check_equal(rtc(RTC_MINUTES), 0, "minute");
}
