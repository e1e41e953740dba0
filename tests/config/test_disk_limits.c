/* SPDX-License-Identifier: MIT */
#include "config/disk_limits.h"

#include <string.h>

#include "config/machine_config.h"
#include "support/check_main.h"

/* "bps=1,iops-max=2": set one after the other, then check. */
static int parse(struct disk_limits *l, const char *text, GError **error)
{
	g_auto(GStrv) words = g_strsplit(text, ",", 0);
	int err = 0;

	memset(l, 0, sizeof(*l));
	for (char **w = words; *w && !err; w++) {
		char *value = strchr(*w, '=');

		if (value)
			*value++ = '\0';
		ck_assert_msg(disk_limits_knows(*w), "%s", *w);
		err = disk_limits_set(l, *w, value, error);
	}
	return err ? err : disk_limits_check(l, error);
}

static const struct {
	const char *text;
	enum disk_limit_index index;
	struct disk_limit is;
} right[] = {
	{"bps=1", DISK_BPS, {1, 0, 0}},
	{"bps-read=1000", DISK_BPS_READ, {1000, 0, 0}},
	{"bps-write=10m", DISK_BPS_WRITE, {10 << 20, 0, 0}},
	{"iops=1K", DISK_IOPS, {1024, 0, 0}},
	{"iops-read=7", DISK_IOPS_READ, {7, 0, 0}},
	{"iops-write=7", DISK_IOPS_WRITE, {7, 0, 0}},
	{"bps=1T", DISK_BPS, {1ull << 40, 0, 0}},
	{"bps-max=3G,bps=2G", DISK_BPS, {2ull << 30, 3ull << 30, 0}},
	{"iops-read=5,iops-read-max=5,iops-read-max-length=60",
	 DISK_IOPS_READ,
	 {5, 5, 60}},
	{"iops=1,iops=2", DISK_IOPS, {2, 0, 0}},
	{"bps-read=3,bps-write=4,iops=5", DISK_IOPS, {5, 0, 0}},
};

START_TEST(each_can_be_said)
{
	struct disk_limits l;
	const struct disk_limit *got = &l.of[right[_i].index];

	ck_assert_msg(!parse(&l, right[_i].text, NULL), "%s", right[_i].text);
	ck_assert_uint_eq(got->rate, right[_i].is.rate);
	ck_assert_uint_eq(got->burst, right[_i].is.burst);
	ck_assert_uint_eq(got->burst_s, right[_i].is.burst_s);
	ck_assert(disk_limits_any(&l));
}
END_TEST

START_TEST(group_and_size)
{
	struct disk_limits l, other;

	ck_assert_int_eq(parse(&l,
			       "iops-size=64K,iops-write=9,"
			       "throttle-group=a b",
			       NULL),
			 0);
	ck_assert_uint_eq(l.iops_bytes, 65536);
	ck_assert_str_eq(l.group, "a b");
	ck_assert_int_eq(parse(&other, "iops-write=9,iops-size=65536", NULL),
			 0);
	ck_assert(disk_limits_equal(&l, &other));
	other.of[DISK_IOPS_WRITE].burst_s = 1;
	ck_assert(!disk_limits_equal(&l, &other));
	disk_limits_clear(&l);
	ck_assert_int_eq(parse(&l, "throttle-group=g", NULL), 0);
	ck_assert(!disk_limits_any(&l));
	disk_limits_clear(&l);
}
END_TEST

static const struct {
	const char *text, *said;
} wrong[] = {
	{"bps", "bps: wants a number"},
	{"bps=", "bps: wants a number"},
	{"bps=0", "greater than 0"},
	{"bps=-1", "wants a number"},
	{"bps=x", "wants a number"},
	{"bps=1X", "of 1024"},
	{"bps=1KB", "of 1024"},
	{"bps=1 ", "of 1024"},
	{"bps=1000000000000001", "too much"},
	{"bps=1024T", "too much"},
	{"bps=18446744073709551615T", "too much"},
	{"bps=18446744073709551616", "greater than 0"},
	{"iops-max-length=1000000", "too much"},
	{"bps-max=5", "bps: a burst"},
	{"bps=6,bps-max=5", "not less"},
	{"iops-write=6,iops-write-max-length=5", "there is none"},
	{"bps=6,bps-read=5", "bps: either"},
	{"iops=6,iops-write=5", "iops: either"},
	{"iops-size=6", "no limit of operations"},
	{"bps=1,iops-size=6", "no limit of operations"},
	{"throttle-group=", "wants a name"},
	{"throttle-group", "wants a name"},
};

START_TEST(what_is_wrong_is_named)
{
	g_autoptr(GError) error = NULL;
	struct disk_limits l;

	ck_assert_msg(parse(&l, wrong[_i].text, &error), "%s", wrong[_i].text);
	ck_assert_msg(error->domain == CONFIG_ERROR &&
			      strstr(error->message, wrong[_i].said),
		      "%s: said '%s'", wrong[_i].text, error->message);
	disk_limits_clear(&l);
}
END_TEST

START_TEST(all_in_one_word)
{
	g_autoptr(GError) error = NULL;
	struct disk_limits l;

	ck_assert_int_eq(disk_limits_parse(&l, "bps=1M,iops-read=7", NULL), 0);
	ck_assert_uint_eq(l.of[DISK_BPS].rate, 1 << 20);
	ck_assert_uint_eq(l.of[DISK_IOPS_READ].rate, 7);
	ck_assert_int_eq(disk_limits_parse(&l, "none", NULL), 0);
	ck_assert(!disk_limits_any(&l));
	ck_assert_int_ne(disk_limits_parse(&l, "none,bps=1", &error), 0);
	ck_assert_msg(g_str_has_prefix(error->message, "none: "), "%s",
		      error->message);
}
END_TEST

static const char *const refused[] = {
	"", "bps", "bps=", "bps=0", "cache=", "throttle-group=g", "bps-max=5"};

START_TEST(all_or_nothing)
{
	g_autoptr(GError) error = NULL;
	struct disk_limits l;

	ck_assert_int_ne(disk_limits_parse(&l, refused[_i], &error), 0);
	ck_assert(error->domain == CONFIG_ERROR);
	disk_limits_clear(&l);
}
END_TEST

START_TEST(others_are_not_known)
{
	static const char *const others[] = {
		"",           "bp",  "bpss",     "bps-", "bps-max-lengths",
		"iops-sizes", "ops", "throttle", "cache"};

	for (size_t i = 0; i < G_N_ELEMENTS(others); i++)
		ck_assert_msg(!disk_limits_knows(others[i]), "%s", others[i]);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("config/disk_limits");
	TCase *t = tcase_create("disk_limits");

	tcase_add_loop_test(t, each_can_be_said, 0, G_N_ELEMENTS(right));
	tcase_add_test(t, group_and_size);
	tcase_add_loop_test(t, what_is_wrong_is_named, 0, G_N_ELEMENTS(wrong));
	tcase_add_test(t, all_in_one_word);
	tcase_add_loop_test(t, all_or_nothing, 0, G_N_ELEMENTS(refused));
	tcase_add_test(t, others_are_not_known);
	suite_add_tcase(s, t);
	return check_main(s);
}
