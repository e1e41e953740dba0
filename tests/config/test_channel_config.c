/* SPDX-License-Identifier: MIT */
#include "config/channel_config.h"

#include <string.h>

#include "config/machine_config.h"
#include "support/check_main.h"

START_TEST(nothing_else_is_known)
{
	ck_assert(channel_config_knows("poll"));
	ck_assert(channel_config_knows("monitor"));
	ck_assert(!channel_config_knows("mtu"));
	ck_assert(!channel_config_knows(""));
}
END_TEST

static const struct {
	const char *key, *value; /* NULL: there is none */
	bool right;
	unsigned int us;
} values[] = {
	{"poll", "0", true, 0},
	{"poll", "1", true, 1},
	{"poll", "1000", true, 1000},
	{"poll", "1001", false, 0},
	{"poll", "-1", false, 0},
	{"poll", "18446744073709551615", false, 0},
	{"poll", "5us", false, 0},
	{"poll", "unlimited", false, 0},
	{"poll", "", false, 0},
	{"poll", NULL, false, 0},
	{"monitor", "0", true, 0},
	{"monitor", "1", false, 0},
	{"monitor", "49", false, 0},
	{"monitor", "50", true, 50},
	{"monitor", "6553", true, 6553},
	{"monitor", "6554", false, 0},
	{"monitor", NULL, false, 0},
	{"mtu", "50", false, 0},
};

START_TEST(values_are_bounded)
{
	struct channel_config c = {.poll_us = 7, .monitor_us = 77};
	bool is_poll = !g_strcmp0(values[_i].key, "poll");
	g_autoptr(GError) error = NULL;
	int ret = channel_config_set(&c, values[_i].key, values[_i].value,
				     &error);

	ck_assert_int_eq(ret, values[_i].right ? 0 : -1);
	if (ret) {
		ck_assert(error->domain == CONFIG_ERROR);
		ck_assert(g_str_has_prefix(error->message, values[_i].key));
		ck_assert(strstr(error->message, "microseconds") ||
			  strstr(error->message, "no such option"));
		ck_assert_uint_eq(c.poll_us, 7);
		ck_assert_uint_eq(c.monitor_us, 77);
		ck_assert(!c.has_poll);
		return;
	}
	ck_assert_uint_eq(is_poll ? c.poll_us : c.monitor_us, values[_i].us);
	ck_assert_uint_eq(is_poll ? c.monitor_us : c.poll_us, is_poll ? 77 : 7);
	ck_assert(c.has_poll == is_poll);
}
END_TEST

START_TEST(the_longest_fits_into_16_bits)
{
	const struct channel_config c = {.poll_us = CONFIG_POLL_US_MAX,
					 .monitor_us = CONFIG_MONITOR_US_MAX};

	ck_assert_uint_eq(channel_config_poll_ns(&c), 1000000);
	ck_assert_uint_eq(channel_config_monitor_100ns(&c), 65530);
}
END_TEST

START_TEST(the_time_follows_the_guest_unless_it_is_given)
{
	struct channel_config c = {0};

	ck_assert_uint_eq(channel_config_poll_max_ns(&c), 50000);
	ck_assert_int_eq(channel_config_set(&c, "poll", "0", NULL), 0);
	ck_assert_uint_eq(channel_config_poll_max_ns(&c), 0);
	ck_assert_uint_eq(channel_config_poll_ns(&c), 0);
}
END_TEST

static const struct {
	struct channel_config a, b, both;
} joins[] = {
	{{0, 0, false}, {0, 0, false}, {0, 0, false}},
	{{0, 0, false}, {9, 90, true}, {9, 90, true}},
	{{9, 90, true}, {0, 0, false}, {9, 90, true}},
	{{0, 0, false}, {0, 0, true}, {0, 0, true}},
	{{9, 90, true}, {8, 80, true}, {9, 80, true}},
	{{8, 80, true}, {9, 90, true}, {9, 80, true}},
};

START_TEST(who_shares_a_channel_gets_what_suits_both)
{
	struct channel_config c = joins[_i].a;

	channel_config_join(&c, &joins[_i].b);
	ck_assert_uint_eq(c.poll_us, joins[_i].both.poll_us);
	ck_assert_uint_eq(c.monitor_us, joins[_i].both.monitor_us);
	ck_assert(c.has_poll == joins[_i].both.has_poll);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("config/channel_config");
	TCase *tc = tcase_create("channel_config");

	tcase_add_test(tc, nothing_else_is_known);
	tcase_add_test(tc, the_time_follows_the_guest_unless_it_is_given);
	tcase_add_loop_test(tc, values_are_bounded, 0,
			    (int)G_N_ELEMENTS(values));
	tcase_add_test(tc, the_longest_fits_into_16_bits);
	tcase_add_loop_test(tc, who_shares_a_channel_gets_what_suits_both, 0,
			    (int)G_N_ELEMENTS(joins));
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
