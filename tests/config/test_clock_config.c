/* SPDX-License-Identifier: MIT */
#include "config/clock_config.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "config/machine_config.h"
#include "support/check_main.h"

/* 2026-01-15 12:00:00 UTC, and half a year later */
#define WINTER INT64_C(1768478400)
#define SUMMER INT64_C(1784116800)

static const struct {
	const char *text;
	int64_t now, rtc, utc;
} right[] = {
	{"utc", WINTER, 0, 0},
	/* main() says where the host is */
	{"localtime", WINTER, 3600, 0},
	{"localtime", SUMMER, 7200, 0},
	{"timezone=America/New_York", WINTER, -5 * 3600, 0},
	{"timezone=America/New_York", SUMMER, -4 * 3600, 0},
	{"timezone=Asia/Kolkata", WINTER, 5 * 3600 + 1800, 0},
	{"+90", WINTER, 90, 90},
	{"-86400", WINTER, -86400, -86400},
	{"start=0", WINTER, -WINTER, -WINTER},
	{"start=1784116800", WINTER, SUMMER - WINTER, SUMMER - WINTER},
};

START_TEST(each_is_so_far_from_utc)
{
	struct clock_config c = {0};
	struct clock_offsets o;

	ck_assert_msg(!clock_config_parse(&c, right[_i].text, NULL), "%s",
		      right[_i].text);
	ck_assert_msg(!clock_config_check(&c, NULL), "%s", right[_i].text);
	o = clock_config_offsets(&c, right[_i].now);
	ck_assert_msg(o.rtc_s == right[_i].rtc, "%s: %ld", right[_i].text,
		      (long)o.rtc_s);
	ck_assert_msg(o.utc_s == right[_i].utc, "%s: %ld", right[_i].text,
		      (long)o.utc_s);
	clock_config_clear(&c);
}
END_TEST

START_TEST(from_localtime)
{
	const struct clock_config c = {.base = CLOCK_VARIABLE,
				       .adjustment_s = 10,
				       .from_localtime = true};
	struct clock_offsets o = clock_config_offsets(&c, WINTER);

	ck_assert_int_eq(o.rtc_s, 3610);
	ck_assert_int_eq(o.utc_s, 10);
}
END_TEST

static const struct {
	const char *text, *said;
} wrong[] = {
	{"", "expected utc"},
	{"gmt", "gmt"},
	{"90", "90"},
	{"+ninety", "ninety"},
	{"timezone=", "timezone"},
	{"timezone=Mars/Olympus", "Mars/Olympus"},
	{"start=", "start="},
	{"start=now", "start=now"},
	{"start=-1", "1970"},
	{"+99999999999", "century"},
};

START_TEST(what_is_wrong_is_named)
{
	g_autoptr(GError) error = NULL;
	struct clock_config c = {0};

	ck_assert_msg(clock_config_parse(&c, wrong[_i].text, &error) ||
			      clock_config_check(&c, &error),
		      "%s", wrong[_i].text);
	ck_assert(error->domain == CONFIG_ERROR);
	ck_assert_msg(strstr(error->message, wrong[_i].said) != NULL,
		      "%s: said '%s'", wrong[_i].text, error->message);
	clock_config_clear(&c);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("config/clock_config");
	TCase *t = tcase_create("clock");

	/* As POSIX has it, so that no database of zones is wanted for it. */
	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	tcase_add_loop_test(t, each_is_so_far_from_utc, 0,
			    (int)G_N_ELEMENTS(right));
	tcase_add_test(t, from_localtime);
	tcase_add_loop_test(t, what_is_wrong_is_named, 0,
			    (int)G_N_ELEMENTS(wrong));
	suite_add_tcase(s, t);
	return check_main(s);
}
