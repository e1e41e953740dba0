/* SPDX-License-Identifier: MIT */
#include <glib.h>

#include "support/part_guest.h"

#define P0     HV_X64_MSR_CRASH_P0
#define CTL    HV_X64_MSR_CRASH_CTL
#define NOTIFY HV_CRASH_CTL_CRASH_NOTIFY
#define MSG    HV_CRASH_CTL_CRASH_NOTIFY_MSG

/* Report a crash with @len bytes of @text, as Linux' hv_kmsg_dump() does. */
static void crash_with(uint64_t gpa, const char *text, uint64_t len)
{
	ck_assert_int_eq(gmem_write(pg.mem, gpa, text, len), 0);
	pg_write(P0 + 3, gpa);
	pg_write(P0 + 4, len);
	pg_write(CTL, NOTIFY | MSG);
}

START_TEST(capabilities)
{
	ck_assert_uint_eq(pg_read(CTL), NOTIFY | MSG);
	pg_write(CTL, NOTIFY);
	ck_assert_uint_eq(pg_read(CTL), NOTIFY | MSG);
}
END_TEST

START_TEST(parameters)
{
	uint64_t ctl = NOTIFY | HV_CRASH_CTL_NO_CRASH_DUMP |
		       1ull << HV_CRASH_CTL_PRE_OS_ID_SHIFT;

	for (unsigned int i = 0; i < 5; i++) {
		ck_assert_uint_eq(pg_read(P0 + i), 0);
		pg_write(P0 + i, 0xFFFFFFFF00000000 + i);
	}
	ck_assert_uint_eq(pg_read(P0 + 4), 0xFFFFFFFF00000004);
	ck_assert_uint_eq(pg.crashes, 0);
	ck_assert_int_eq(partition_msr_write(pg.part, 2, CTL, ctl), 0);
	ck_assert_uint_eq(pg.crashes, 1);
	ck_assert_uint_eq(pg.vp, 2);
	ck_assert_uint_eq(pg.crash_ctl, ctl);
	for (unsigned int i = 0; i < 5; i++)
		ck_assert_uint_eq(pg.crash_p[i], 0xFFFFFFFF00000000 + i);
	ck_assert(!pg.crash_has_text);
}
END_TEST

START_TEST(nothing_without_notify)
{
	pg_write(CTL, 0);
	pg_write(CTL, MSG);
	pg_write(CTL, ~NOTIFY);
	ck_assert_uint_eq(pg.crashes, 0);
}
END_TEST

START_TEST(reserved_bits_do_not_matter)
{
	pg_write(CTL, NOTIFY | 1);
	ck_assert_uint_eq(pg.crashes, 1);
}
END_TEST

START_TEST(message)
{
	crash_with(PG_PAGE, "Kernel panic\n\tat 0x1\n", 21);
	ck_assert_uint_eq(pg.crashes, 1);
	ck_assert_str_eq(pg.crash_text, "Kernel panic\n\tat 0x1\n");
}
END_TEST

START_TEST(message_bit_is_needed)
{
	pg_write(P0 + 3, PG_PAGE);
	pg_write(P0 + 4, 5);
	pg_write(CTL, NOTIFY);
	ck_assert_uint_eq(pg.crashes, 1);
	ck_assert(!pg.crash_has_text);
}
END_TEST

static const struct {
	const char *what, *raw, *text;
	uint64_t len;
} texts[] = {
	{"ends at its length", "abcdef", "abc", 3},
	{"ends at a zero byte", "ab\0cd", "ab", 5},
	{"terminal escapes", "a\033[31mb", "a?[31mb", 7},
	{"carriage returns", "a\r\nb", "a\nb", 4},
	{"other control characters", "\a\b\f\v\x7f", "?????", 5},
	{"bytes that are not ASCII", "\xc3\xa9\xff", "???", 3},
	{"a lone zero byte", "\0", "", 1},
};

START_TEST(text_is_made_safe)
{
	crash_with(PG_PAGE, texts[_i].raw, texts[_i].len);
	ck_assert(pg.crash_has_text);
	ck_assert_msg(!strcmp(pg.crash_text, texts[_i].text), "%s: '%s'",
		      texts[_i].what, pg.crash_text);
}
END_TEST

START_TEST(longest_message)
{
	pg_fill(PG_PAGE, 'x');
	pg_write(P0 + 3, PG_PAGE);
	pg_write(P0 + 4, PG_PAGE);
	pg_write(CTL, NOTIFY | MSG);
	ck_assert(pg.crash_has_text);
	ck_assert_uint_eq(strlen(pg.crash_text), PG_PAGE);
}
END_TEST

static const struct {
	const char *what;
	uint64_t gpa, len;
} unreadable[] = {
	{"too long", PG_PAGE, 4097},
	{"far too long", PG_PAGE, UINT64_MAX},
	{"of no length", PG_PAGE, 0},
	{"past RAM", PG_RAM_PAGES *PG_PAGE, 16},
	{"runs out of RAM", PG_RAM_PAGES *PG_PAGE - 8, 16},
	{"wraps round", UINT64_MAX - 7, 16},
};

/* The crash is reported all the same. */
START_TEST(message_that_cannot_be_read)
{
	pg_write(P0 + 3, unreadable[_i].gpa);
	pg_write(P0 + 4, unreadable[_i].len);
	pg_write(CTL, NOTIFY | MSG);
	ck_assert_uint_eq(pg.crashes, 1);
	ck_assert_msg(!pg.crash_has_text, "%s", unreadable[_i].what);
	ck_assert_uint_eq(pg.crash_p[3], unreadable[_i].gpa);
}
END_TEST

START_TEST(again)
{
	crash_with(PG_PAGE, "one", 3);
	crash_with(PG_PAGE, "two", 3);
	ck_assert_uint_eq(pg.crashes, 2);
	ck_assert_str_eq(pg.crash_text, "two");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("partition/crash");
	TCase *t = tcase_create("crash");

	tcase_add_checked_fixture(t, pg_setup, pg_teardown);
	tcase_add_test(t, capabilities);
	tcase_add_test(t, parameters);
	tcase_add_test(t, nothing_without_notify);
	tcase_add_test(t, reserved_bits_do_not_matter);
	tcase_add_test(t, message);
	tcase_add_test(t, message_bit_is_needed);
	tcase_add_loop_test(t, text_is_made_safe, 0, (int)G_N_ELEMENTS(texts));
	tcase_add_test(t, longest_message);
	tcase_add_loop_test(t, message_that_cannot_be_read, 0,
			    (int)G_N_ELEMENTS(unreadable));
	tcase_add_test(t, again);
	suite_add_tcase(s, t);
	return check_main(s);
}
