/* SPDX-License-Identifier: MIT */
#include "devices/cmos_rtc.h"

#include "support/rtc_bench.h"

START_TEST(update_interrupt)
{
	rd(C);
	wr(B, H24 | UIE);
	ck_assert_uint_eq(b.delay_ns, 500 * MS);
	b.now_ns += b.delay_ns - 1;
	cmos_rtc_expired(rtc); /* a little early */
	ck_assert(!b.level);
	ck_assert_uint_eq(b.delay_ns, 1);
	b.now_ns += b.delay_ns;
	cmos_rtc_expired(rtc);
	ck_assert(b.level);
	ck_assert_uint_eq(b.gsi, 8);
	/* Until it is acknowledged there is nothing to wake for. */
	ck_assert_uint_eq(b.delay_ns, TIMER_LINE_NEVER);
	b.now_ns += 10 * MS;
	ck_assert_uint_eq(rd(C), 0xD0); /* PF runs along unasked */
	ck_assert(!b.level);
	ck_assert_uint_eq(b.delay_ns, 990 * MS);
	ck_assert_uint_eq(rd(C), 0x00);
}
END_TEST

START_TEST(flags_without_interrupts)
{
	rd(C);
	ck_assert_uint_eq(rd(C), 0x00);
	b.now_ns += 499 * MS;
	ck_assert_uint_eq(rd(C) & 0x10, 0x00);
	b.now_ns += MS;
	ck_assert_uint_eq(rd(C) & 0x90, 0x10); /* UF, no IRQF */
	ck_assert_uint_eq(b.arms, 0);
	/* A flag that is there already interrupts when it is enabled. */
	b.now_ns += S;
	wr(B, H24 | UIE);
	ck_assert(b.level);
	wr(B, H24);
	ck_assert(!b.level);
}
END_TEST

static void set_alarm(uint8_t h, uint8_t m, uint8_t s)
{
	wr(HOUR_AL, h);
	wr(MIN_AL, m);
	wr(SEC_AL, s);
}

START_TEST(alarm_times)
{
	static const struct {
		const char *what;
		uint8_t b, h, m, s;
		uint64_t after_s; /* from START_S, 23:59:58.5; 0: never */
	} t[] = {
		{"next second", H24, 0x23, 0x59, 0x59, 1},
		{"this second has begun", H24, 0x23, 0x59, 0x58, 86400},
		{"midnight", H24, 0x00, 0x00, 0x00, 2},
		{"later in the night", H24, 0x02, 0x03, 0x04, 7386},
		{"yesterday's minute", H24, 0x23, 0x58, 0x00, 86282},
		{"every second", H24, 0xFF, 0xFF, 0xFF, 1},
		{"every minute at 58", H24, 0xFF, 0xFF, 0x58, 60},
		{"every minute at 00", H24, 0xC0, 0xC0, 0x00, 2},
		{"every hour at 30:05", H24, 0xFF, 0x30, 0x05, 1807},
		{"one hour, any minute", H24, 0x05, 0xFF, 0x10, 18012},
		{"12 h, one in the morning", 0, 0x01, 0x00, 0x00, 3602},
		{"12 h, one in the afternoon", 0, 0x81, 0x00, 0x00, 46802},
		{"12 h, midnight is 12 am", 0, 0x12, 0x00, 0x01, 3},
		{"binary", H24 | BINARY, 10, 20, 30, 37232},
		{"no such second", H24, 0x00, 0x00, 0x60, 0},
		{"no such minute", H24, 0x00, 0x0A, 0x00, 0},
		{"no such hour", H24, 0x24, 0x00, 0x00, 0},
		{"zero is no hour of 12", 0, 0x00, 0x00, 0x00, 0},
	};

	for (unsigned int i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		uint64_t want = t[i].after_s * S - 500 * MS;

		b.now_ns = START_S * S + 500 * MS;
		wr(B, t[i].b);
		set_alarm(t[i].h, t[i].m, t[i].s);
		rd(C);
		b.delay_ns = TIMER_LINE_NEVER;
		wr(B, t[i].b | AIE);
		if (!t[i].after_s) {
			ck_assert_msg(b.delay_ns == TIMER_LINE_NEVER, "%s",
				      t[i].what);
			continue;
		}
		ck_assert_msg(b.delay_ns == want, "%s: %llu s", t[i].what,
			      (unsigned long long)(b.delay_ns / S));
		b.now_ns += want - 1;
		cmos_rtc_expired(rtc);
		ck_assert_msg(!b.level, "%s: early", t[i].what);
		b.now_ns += 1;
		cmos_rtc_expired(rtc);
		ck_assert_msg(b.level, "%s: not at all", t[i].what);
		ck_assert_msg((rd(C) & 0xA0) == 0xA0, "%s: flag", t[i].what);
		wr(B, t[i].b);
	}
}
END_TEST

START_TEST(alarm_that_passed_unseen)
{
	/* Polled, long after. */
	set_alarm(0x00, 0x00, 0x00);
	rd(C);
	b.now_ns += S;
	ck_assert_uint_eq(rd(C) & 0x20, 0x00);
	b.now_ns += 1000 * S;
	ck_assert_uint_eq(rd(C) & 0x20, 0x20);
	b.now_ns += 1000 * S;
	ck_assert_uint_eq(rd(C) & 0x20, 0x00);
}
END_TEST

START_TEST(setting_the_clock_moves_the_alarm)
{
	static const uint8_t t[8] = {0x20, 0x24, 0x06, 0x01,
				     0x07, 0x06, 0x59, 0x55};

	set_alarm(0x07, 0x00, 0x00);
	wr(B, H24 | AIE);
	ck_assert_uint_eq(b.delay_ns, 7 * 3600 * S + 1500 * MS);
	linux_set_time(t);
	ck_assert_uint_eq(b.delay_ns, 4500 * MS);
	ck_assert(!b.level);
}
END_TEST

START_TEST(periodic_rates)
{
	static const unsigned int hz[16] = {0,    256, 128, 8192, 4096, 2048,
					    1024, 512, 256, 128,  64,   32,
					    16,   8,   4,   2};

	for (unsigned int rs = 0; rs < 16; rs++) {
		unsigned int n = 0;
		uint64_t end;

		b.now_ns = START_S * S;
		wr(A, (uint8_t)(0x20 | rs));
		rd(C);
		b.delay_ns = TIMER_LINE_NEVER;
		wr(B, H24 | PIE);
		end = b.now_ns + S;
		while (b.delay_ns != TIMER_LINE_NEVER &&
		       b.now_ns + b.delay_ns <= end) {
			b.now_ns += b.delay_ns;
			cmos_rtc_expired(rtc);
			if (!b.level || !(rd(C) & 0x40))
				ck_abort_msg("rate %u: no interrupt", rs);
			n++;
		}
		ck_assert_msg(n == hz[rs], "rate %u: %u Hz", rs, n);
		wr(B, H24);
	}
}
END_TEST

START_TEST(periodic_stops_with_the_divider)
{
	wr(A, 0x26);
	wr(B, H24 | PIE);
	ck_assert_uint_ne(b.delay_ns, TIMER_LINE_NEVER);
	rd(C);
	wr(A, 0x76);
	ck_assert_uint_eq(b.delay_ns, TIMER_LINE_NEVER);
	b.now_ns += S;
	ck_assert_uint_eq(rd(C), 0x00);
}
END_TEST

START_TEST(set_clears_uie)
{
	wr(B, H24 | UIE | AIE | SET);
	ck_assert_uint_eq(rd(B), H24 | AIE | SET);
	ck_assert_uint_eq(b.delay_ns, TIMER_LINE_NEVER);
	b.now_ns += 10 * S;
	ck_assert_uint_eq(rd(C) & 0x30, 0x00); /* no updates */
}
END_TEST

START_TEST(several_at_once)
{
	set_alarm(0x23, 0x59, 0x59);
	rd(C);
	wr(B, H24 | PIE | AIE | UIE);
	b.now_ns += 500 * MS;
	cmos_rtc_expired(rtc);
	ck_assert(b.level);
	ck_assert_uint_eq(b.rises, 1);
	ck_assert_uint_eq(rd(C), 0xF0);
	ck_assert(!b.level);
}
END_TEST

START_TEST(host_clock_set_back)
{
	rd(C);
	wr(B, H24 | UIE);
	b.now_ns -= 3600 * S;
	cmos_rtc_expired(rtc);
	ck_assert(!b.level);
	ck_assert_uint_eq(b.delay_ns, 500 * MS);
	b.now_ns += b.delay_ns;
	cmos_rtc_expired(rtc);
	ck_assert(b.level);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("devices/cmos_rtc_irq");
	TCase *t = tcase_create("interrupts");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, update_interrupt);
	tcase_add_test(t, flags_without_interrupts);
	tcase_add_test(t, alarm_times);
	tcase_add_test(t, alarm_that_passed_unseen);
	tcase_add_test(t, setting_the_clock_moves_the_alarm);
	tcase_add_test(t, periodic_rates);
	tcase_add_test(t, periodic_stops_with_the_divider);
	tcase_add_test(t, set_clears_uie);
	tcase_add_test(t, several_at_once);
	tcase_add_test(t, host_clock_set_back);
	suite_add_tcase(s, t);
	return check_main(s);
}
