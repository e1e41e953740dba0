/* SPDX-License-Identifier: MIT */
/*
 * rtc_bench.h - a CMOS clock on a fake board, and how Linux sets it.
 *
 * For test files of one binary each: the state is static.
 */
#ifndef SUPPORT_RTC_BENCH_H
#define SUPPORT_RTC_BENCH_H

#include "base/clock.h"
#include "devices/cmos_rtc.h"
#include "support/fake_board.h"

#define MS NSEC_PER_MSEC
#define S  NSEC_PER_SEC

#define SEC     0x00
#define SEC_AL  0x01
#define MIN_    0x02
#define MIN_AL  0x03
#define HOUR    0x04
#define HOUR_AL 0x05
#define WDAY    0x06
#define MDAY    0x07
#define MONTH   0x08
#define YEAR    0x09
#define A       0x0A
#define B       0x0B
#define C       0x0C
#define D       0x0D
#define CENTURY 0x32

#define SET    0x80
#define PIE    0x40
#define AIE    0x20
#define UIE    0x10
#define BINARY 0x04
#define H24    0x02

static struct fake_board b;
static struct cmos_rtc *rtc;

/* 2024-02-29 23:59:58 UTC, a Thursday, half a second gone */
#define START_S 1709251198ull

static inline void make(int64_t offset_s, uint64_t low, uint64_t high)
{
	struct cmos_rtc_config cfg = {
		.now_ns = fake_now,
		.clock_ctx = &b,
		.offset_s = offset_s,
		.irq = fake_irq(&b, 8),
		.timer = fake_timer(&b),
		.ram_below_4g = low,
		.ram_above_4g = high,
	};

	b.now_ns = START_S * S + 500 * MS;
	rtc = cmos_rtc_new(&cfg);
	ck_assert_int_eq(cmos_rtc_attach(rtc, b.pio), 0);
}

static inline void setup(void)
{
	fake_board_init(&b);
	make(0, 512u << 20, 0);
}

static inline void teardown(void)
{
	cmos_rtc_free(rtc);
	fake_board_clear(&b);
}

static inline uint8_t rd(uint8_t reg)
{
	outb(&b, 0x70, reg);
	return inb(&b, 0x71);
}

static inline void wr(uint8_t reg, uint8_t v)
{
	outb(&b, 0x70, reg);
	outb(&b, 0x71, v);
}

static inline void expect_time(const char *what, const uint8_t t[8])
{
	static const uint8_t reg[8] = {CENTURY, YEAR, MONTH, MDAY,
				       WDAY,    HOUR, MIN_,  SEC};

	for (unsigned int i = 0; i < 8; i++)
		ck_assert_msg(rd(reg[i]) == t[i],
			      "%s: register 0x%x is 0x%x, not 0x%x", what,
			      reg[i], rd(reg[i]), t[i]);
}

/* Linux rtc-mc146818-lib.c:mc146818_set_time() */
static inline void linux_set_time(const uint8_t t[8])
{
	uint8_t control = rd(B), freq;

	wr(B, control | SET);
	freq = rd(A);
	wr(A, freq | 0x70);
	wr(YEAR, t[1]);
	wr(MONTH, t[2]);
	wr(MDAY, t[3]);
	wr(HOUR, t[5]);
	wr(MIN_, t[6]);
	wr(SEC, t[7]);
	wr(CENTURY, t[0]);
	wr(B, control);
	wr(A, freq);
}

#endif
