/* SPDX-License-Identifier: MIT */
#include "devices/cmos_rtc.h"

#include <stdlib.h>
#include <time.h>

#include "support/rtc_bench.h"

/* --- time ----------------------------------------------------------------- */

START_TEST(power_on_values)
{
	/* Linux rtc-cmos.c wants 24 h and a valid battery. */
	ck_assert_uint_eq(rd(A), 0x26);
	ck_assert_uint_eq(rd(B), H24);
	ck_assert_uint_eq(rd(C), 0x00);
	ck_assert_uint_eq(rd(D), 0x80);
	ck_assert_uint_eq(inb(&b, 0x70), 0xFF);
}
END_TEST

START_TEST(known_dates)
{
	static const struct {
		const char *what;
		uint64_t utc;
		uint8_t t[8];
	} t[] = {
		{"leap day",
		 1709251198,
		 {0x20, 0x24, 0x02, 0x29, 0x05, 0x23, 0x59, 0x58}},
		{"the day after",
		 1709251200,
		 {0x20, 0x24, 0x03, 0x01, 0x06, 0x00, 0x00, 0x00}},
		{"epoch", 0, {0x19, 0x70, 0x01, 0x01, 0x05, 0x00, 0x00, 0x00}},
		{"last second of a century",
		 946684799,
		 {0x19, 0x99, 0x12, 0x31, 0x06, 0x23, 0x59, 0x59}},
		{"first second of one",
		 946684800,
		 {0x20, 0x00, 0x01, 0x01, 0x07, 0x00, 0x00, 0x00}},
		{"past 2038",
		 2147483648,
		 {0x20, 0x38, 0x01, 0x19, 0x03, 0x03, 0x14, 0x08}},
		{"2100 is no leap year",
		 4107542400,
		 {0x21, 0x00, 0x03, 0x01, 0x02, 0x00, 0x00, 0x00}},
		{"Sunday is 1",
		 1700352000,
		 {0x20, 0x23, 0x11, 0x19, 0x01, 0x00, 0x00, 0x00}},
	};

	for (unsigned int i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		b.now_ns = t[i].utc * S;
		expect_time(t[i].what, t[i].t);
		b.now_ns += S - 1;
		expect_time(t[i].what, t[i].t);
	}
}
END_TEST

START_TEST(binary_format)
{
	static const uint8_t t[8] = {20, 24, 2, 29, 5, 23, 59, 58};

	wr(B, H24 | BINARY);
	expect_time("binary", t);
}
END_TEST

START_TEST(twelve_hours)
{
	static const uint8_t bcd[24] = {
		0x12, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07,
		0x08, 0x09, 0x10, 0x11, 0x92, 0x81, 0x82, 0x83,
		0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x90, 0x91,
	};
	static const uint8_t binary[24] = {
		12,        1,        2,        3,        4,         5,
		6,         7,        8,        9,        10,        11,
		0x80 + 12, 0x80 + 1, 0x80 + 2, 0x80 + 3, 0x80 + 4,  0x80 + 5,
		0x80 + 6,  0x80 + 7, 0x80 + 8, 0x80 + 9, 0x80 + 10, 0x80 + 11,
	};

	for (unsigned int hour = 0; hour < 24; hour++) {
		b.now_ns = (1700352000ull + hour * 3600) * S;
		wr(B, 0);
		ck_assert_uint_eq(rd(HOUR), bcd[hour]);
		wr(B, BINARY);
		ck_assert_uint_eq(rd(HOUR), binary[hour]);
		/* And back: each is understood as well. */
		wr(HOUR, binary[hour]);
		wr(B, 0);
		wr(HOUR, bcd[hour]);
		wr(B, H24 | BINARY);
		ck_assert_uint_eq(rd(HOUR), hour);
	}
	ck_assert_int_eq(cmos_rtc_offset_ns(rtc), 0);
}
END_TEST

START_TEST(offset_at_the_start)
{
	static const uint8_t t[8] = {0x20, 0x24, 0x03, 0x01,
				     0x06, 0x00, 0x59, 0x58};

	cmos_rtc_free(rtc);
	bus_free(b.pio);
	b.pio = bus_new("pio");
	make(3600, 0, 0);
	expect_time("one hour ahead", t);
	ck_assert_int_eq(cmos_rtc_offset_ns(rtc), 3600 * (int64_t)S);
}
END_TEST

START_TEST(update_in_progress)
{
	/* 244 us before the second, on a real chip. */
	b.now_ns = 100 * S + S - 244001;
	ck_assert_uint_eq(rd(A), 0x26);
	b.now_ns = 100 * S + S - 244000;
	ck_assert_uint_eq(rd(A), 0xA6);
	b.now_ns = 100 * S + S - 1;
	ck_assert_uint_eq(rd(A), 0xA6);
	b.now_ns = 101 * S;
	ck_assert_uint_eq(rd(A), 0x26);
	/* The bit is read-only, the others are kept. */
	wr(A, 0xAF);
	ck_assert_uint_eq(rd(A), 0x2F);
	/* Nothing is updated while the clock is halted. */
	b.now_ns = 100 * S + S - 1;
	wr(B, SET | H24);
	ck_assert_uint_eq(rd(A), 0x2F);
	wr(B, H24);
	wr(A, 0x7F);
	ck_assert_uint_eq(rd(A), 0x7F);
}
END_TEST

/* --- setting --------------------------------------------------------------- */

START_TEST(linux_sets_the_time)
{
	static const uint8_t t[8] = {0x20, 0x30, 0x12, 0x31,
				     0x03, 0x23, 0x59, 0x59};
	static const uint8_t next[8] = {0x20, 0x31, 0x01, 0x01,
					0x04, 0x00, 0x00, 0x00};

	linux_set_time(t);
	expect_time("as set", t);
	/* The first update comes half a second after the divider starts. */
	b.now_ns += 500 * MS - 1;
	expect_time("still", t);
	b.now_ns += 1;
	expect_time("New Year", next);
	/* The guest's clock keeps its distance. */
	b.now_ns += 365 * 86400 * S;
	ck_assert_uint_eq(rd(YEAR), 0x32);
	ck_assert_int_eq(cmos_rtc_offset_ns(rtc),
			 (1924991999LL - (int64_t)START_S) * (int64_t)S);
}
END_TEST

START_TEST(set_freezes_and_keeps_the_fraction)
{
	wr(B, SET | H24);
	b.now_ns += 10 * S + 100 * MS;
	ck_assert_uint_eq(rd(SEC), 0x58);
	wr(SEC, 0x30);
	ck_assert_uint_eq(rd(SEC), 0x30);
	wr(B, H24);
	ck_assert_uint_eq(rd(SEC), 0x30);
	/* The divider ran on: 0.6 s are gone of this second. */
	b.now_ns += 400 * MS - 1;
	ck_assert_uint_eq(rd(SEC), 0x30);
	b.now_ns += 1;
	ck_assert_uint_eq(rd(SEC), 0x31);
}
END_TEST

START_TEST(registers_are_memory_while_halted)
{
	static const uint8_t regs[] = {SEC,  MIN_,  HOUR, WDAY,
				       MDAY, MONTH, YEAR, CENTURY};

	wr(B, SET | H24);
	for (unsigned int i = 0; i < sizeof(regs); i++) {
		for (unsigned int v = 0; v < 256; v++) {
			wr(regs[i], (uint8_t)v);
			if (rd(regs[i]) != v)
				ck_abort_msg("register 0x%x", regs[i]);
		}
	}
}
END_TEST

START_TEST(nonsense_is_clamped)
{
	static const struct {
		const char *what;
		uint8_t in[8], out[8];
	} t[] = {
		{"all ones",
		 {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF},
		 {0x20, 0x99, 0x12, 0x31, 0x05, 0x23, 0x59, 0x59}},
		{"all zeros",
		 {0, 0, 0, 0, 0, 0, 0, 0},
		 {0x20, 0x00, 0x01, 0x01, 0x07, 0x00, 0x00, 0x00}},
		{"February 31 is March",
		 {0x20, 0x23, 0x02, 0x31, 1, 0x12, 0x00, 0x00},
		 {0x20, 0x23, 0x03, 0x03, 0x06, 0x12, 0x00, 0x00}},
	};

	for (unsigned int i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		linux_set_time(t[i].in);
		expect_time(t[i].what, t[i].out);
	}
}
END_TEST

START_TEST(one_part_of_a_running_clock)
{
	static const uint8_t t[8] = {0x20, 0x25, 0x03, 0x01,
				     0x07, 0x23, 0x59, 0x58};

	/* Not by the book, but it must not lose the rest. */
	wr(MDAY, 0x01);
	wr(MONTH, 0x03);
	wr(YEAR, 0x25);
	expect_time("piecewise", t);
	wr(WDAY, 0x03); /* follows from the date */
	ck_assert_uint_eq(rd(WDAY), 0x07);
	b.now_ns += 500 * MS;
	ck_assert_uint_eq(rd(SEC), 0x59);
	wr(CENTURY, 0x19);
	ck_assert_uint_eq(rd(CENTURY), 0x19);
	ck_assert_uint_eq(rd(YEAR), 0x25);
}
END_TEST

START_TEST(format_change_while_set)
{
	/* 12 h, binary, from start to end of the setting */
	wr(B, SET | BINARY);
	wr(HOUR, 0x80 + 3);
	wr(MIN_, 45);
	wr(SEC, 9);
	wr(B, BINARY);
	ck_assert_uint_eq(rd(HOUR), 0x83);
	wr(B, H24);
	ck_assert_uint_eq(rd(HOUR), 0x15);
	ck_assert_uint_eq(rd(MIN_), 0x45);
	ck_assert_uint_eq(rd(SEC), 0x09);
}
END_TEST

/* --- RAM -------------------------------------------------------------------- */

START_TEST(ram_keeps)
{
	for (unsigned int i = 0x0E; i < 0x80; i++) {
		if (i != CENTURY)
			wr((uint8_t)i, (uint8_t)(i ^ 0x5A));
	}
	cmos_rtc_reset(rtc);
	for (unsigned int i = 0x0E; i < 0x80; i++) {
		if (i != CENTURY)
			ck_assert_uint_eq(rd((uint8_t)i), i ^ 0x5A);
	}
	/* Bit 7 of the index masks NMI and is none of the address. */
	ck_assert_uint_eq(rd(0x80 | 0x0F), 0x0F ^ 0x5A);
	outw(&b, 0x70, 0x7750); /* index and data in one access */
	ck_assert_uint_eq(rd(0x50), 0x77);
}
END_TEST

START_TEST(memory_size)
{
	static const struct {
		const char *what;
		uint64_t low, high;
		uint32_t ext_kib, above_16m, above_4g;
	} t[] = {
		{"64 MiB", 64u << 20, 0, 63 << 10, 48 << 4, 0},
		{"512 MiB: 64 MiB are all that fits", 512u << 20, 0, 0xFFFF,
		 496 << 4, 0},
		{"3 GiB and 5 GiB", 3ull << 30, 5ull << 30, 0xFFFF,
		 (3072 - 16) << 4, 5 << 14},
		{"2 TiB", 3ull << 30, 2ull << 40, 0xFFFF, (3072 - 16) << 4,
		 0xFFFFFF},
		{"1 MiB", 1u << 20, 0, 0, 0, 0},
	};

	for (unsigned int i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		unsigned int sum = 0;

		teardown();
		fake_board_init(&b);
		make(0, t[i].low, t[i].high);
		ck_assert_uint_eq(rd(0x15) | rd(0x16) << 8, 640);
		ck_assert_msg((rd(0x17) | rd(0x18) << 8) == (int)t[i].ext_kib,
			      "%s", t[i].what);
		ck_assert_uint_eq(rd(0x30) | rd(0x31) << 8, t[i].ext_kib);
		ck_assert_msg((rd(0x34) | rd(0x35) << 8) == (int)t[i].above_16m,
			      "%s", t[i].what);
		ck_assert_msg((uint32_t)(rd(0x5B) | rd(0x5C) << 8 |
					 rd(0x5D) << 16) == t[i].above_4g,
			      "%s", t[i].what);
		for (uint8_t r = 0x10; r < 0x2E; r++)
			sum += rd(r);
		ck_assert_uint_eq(rd(0x2E) << 8 | rd(0x2F), sum);
	}
}
END_TEST

START_TEST(status_registers_are_read_only)
{
	rd(C);
	wr(C, 0xFF);
	wr(D, 0x00);
	ck_assert_uint_eq(rd(C), 0x00);
	ck_assert_uint_eq(rd(D), 0x80);
	ck_assert(!b.level);
}
END_TEST

START_TEST(reset_is_what_firmware_does)
{
	b.now_ns += 500 * MS;
	wr(B, H24 | UIE | AIE | PIE);
	b.now_ns += S;
	cmos_rtc_expired(rtc);
	ck_assert(b.level);
	cmos_rtc_reset(rtc);
	ck_assert(!b.level);
	ck_assert_uint_eq(rd(B), H24);
	ck_assert_uint_eq(b.delay_ns, TIMER_LINE_NEVER);
	ck_assert_int_eq(cmos_rtc_offset_ns(rtc), 0);
	/* A guest that died while it set the clock, in another format */
	wr(B, SET | BINARY);
	wr(A, 0x70);
	wr(HOUR, 5);
	cmos_rtc_reset(rtc);
	ck_assert_uint_eq(rd(A), 0x26);
	ck_assert_uint_eq(rd(B), H24);
	ck_assert_uint_eq(rd(HOUR), 0x05);
	b.now_ns += 10 * S;
	ck_assert_uint_eq(rd(C) & 0x10, 0x10);
}
END_TEST

START_TEST(host_clock_by_default)
{
	struct cmos_rtc_config cfg = {.now_ns = NULL};
	struct cmos_rtc *real = cmos_rtc_new(&cfg);
	struct tm before, after;
	time_t t = time(NULL);
	uint8_t year;

	teardown();
	fake_board_init(&b);
	rtc = real;
	cmos_rtc_attach(rtc, b.pio);
	gmtime_r(&t, &before);
	wr(B, H24 | BINARY | UIE | AIE | PIE); /* no pin, no timer: fine */
	year = rd(YEAR);
	t = time(NULL);
	gmtime_r(&t, &after);
	ck_assert(year == before.tm_year % 100 || year == after.tm_year % 100);
}
END_TEST

/* Every register, every value: no register may wedge the clock. */
START_TEST(hostile_writes)
{
	unsigned int seed = 7;

	for (unsigned int i = 0; i < 100000; i++) {
		unsigned int r = (unsigned int)rand_r(&seed);

		outb(&b, r & 0x10000 ? 0x70 : 0x71, (uint8_t)r);
		if (r & 0x20000)
			inb(&b, 0x71);
		b.now_ns += (uint64_t)(r >> 8) * 1000;
		if (r & 0x40000)
			cmos_rtc_expired(rtc);
	}
	cmos_rtc_reset(rtc);
	ck_assert_uint_eq(rd(D), 0x80);
}
END_TEST

static TCase *tcase(Suite *s, const char *name)
{
	TCase *t = tcase_create(name);

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 30);
	suite_add_tcase(s, t);
	return t;
}

int main(void)
{
	Suite *s = suite_create("devices/cmos_rtc");
	TCase *t = tcase(s, "time");

	tcase_add_test(t, power_on_values);
	tcase_add_test(t, known_dates);
	tcase_add_test(t, binary_format);
	tcase_add_test(t, twelve_hours);
	tcase_add_test(t, offset_at_the_start);
	tcase_add_test(t, update_in_progress);
	tcase_add_test(t, host_clock_by_default);
	t = tcase(s, "setting");
	tcase_add_test(t, linux_sets_the_time);
	tcase_add_test(t, set_freezes_and_keeps_the_fraction);
	tcase_add_test(t, registers_are_memory_while_halted);
	tcase_add_test(t, nonsense_is_clamped);
	tcase_add_test(t, one_part_of_a_running_clock);
	tcase_add_test(t, format_change_while_set);
	t = tcase(s, "ram");
	tcase_add_test(t, ram_keeps);
	tcase_add_test(t, memory_size);
	tcase_add_test(t, status_registers_are_read_only);
	tcase_add_test(t, reset_is_what_firmware_does);
	tcase_add_test(t, hostile_writes);
	return check_main(s);
}
