/* SPDX-License-Identifier: MIT */
#include "devices/cmos_rtc.h"

#include <pthread.h>
#include <stdbool.h>
#include <time.h>

#include <glib.h>

#include "base/clock.h"
#include "devices/bus.h"
#include "proto/platform.h"

#define CMOS_BYTES 128

enum cmos_reg {
	REG_SEC = 0x00,
	REG_SEC_ALARM = 0x01,
	REG_MIN = 0x02,
	REG_MIN_ALARM = 0x03,
	REG_HOUR = 0x04,
	REG_HOUR_ALARM = 0x05,
	REG_WDAY = 0x06, /* Sunday is 1 */
	REG_MDAY = 0x07,
	REG_MONTH = 0x08,
	REG_YEAR = 0x09,
	REG_A = 0x0A,
	REG_B = 0x0B,
	REG_C = 0x0C,
	REG_D = 0x0D,
	CMOS_EQUIPMENT = 0x14,
	CMOS_BASE_KIB = 0x15, /* 2 bytes */
	CMOS_EXT_KIB = 0x17, /* above 1 MiB, 2 bytes */
	CMOS_CHECKSUM = 0x2E, /* of 0x10 to 0x2D, high byte first */
	CMOS_EXT_KIB_POST = 0x30, /* 2 bytes, not in the checksum */
	CMOS_CENTURY = PLATFORM_RTC_CENTURY,
	CMOS_ABOVE_16M = 0x34, /* 64 KiB units, 2 bytes */
	CMOS_ABOVE_4G = 0x5B, /* 64 KiB units, 3 bytes */
};

#define A_UIP      0x80
#define A_DV_RESET 0x60 /* divider held in reset: DV = 11x */
#define A_RS       0x0F
#define A_DEFAULT  0x26 /* 32768 Hz, 1024 Hz periodic */

#define B_SET     0x80
#define B_PIE     0x40
#define B_AIE     0x20
#define B_UIE     0x10
#define B_BINARY  0x04
#define B_24H     0x02
#define B_DEFAULT B_24H

/* Flags in C have the places of their enables in B. */
#define C_IRQF  0x80
#define C_PF    0x40
#define C_AF    0x20
#define C_UF    0x10
#define C_FLAGS (C_PF | C_AF | C_UF)

#define D_VALID 0x80

#define HOUR_PM         0x80
#define ALARM_DONT_CARE 0xC0

#define EQUIPMENT_FPU 0x02

/* UIP is raised this long before the registers change. */
#define UIP_NS           244000
/* The first update after the divider was released. */
#define DIVIDER_START_NS (NSEC_PER_SEC / 2)

#define NS ((int64_t)NSEC_PER_SEC)

struct cmos_rtc {
	struct cmos_rtc_config config; /* set once */

	pthread_mutex_t lock;
	/* lock */
	uint8_t index;
	/* The registers and RAM.  Those of the time count only while the clock
	 * is halted, C and D never. */
	uint8_t ram[CMOS_BYTES];
	int64_t offset_ns; /* the guest's clock minus UTC */
	int64_t synced_ns; /* the guest's time up to which flags were worked
			    * out */
	uint8_t flags; /* C_FLAGS */
	bool irq_level;
	bool armed;
};

/* --- time -------------------------------------------------------------- */

static int64_t utc_ns(const struct cmos_rtc *rtc)
{
	struct timespec ts;

	if (rtc->config.now_ns)
		return (int64_t)rtc->config.now_ns(rtc->config.clock_ctx);
	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * NS + ts.tv_nsec;
}

static int64_t guest_ns(const struct cmos_rtc *rtc)
{
	return utc_ns(rtc) + rtc->offset_ns;
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* Nanoseconds within the second. */
static int64_t fraction(int64_t ns)
{
	return ns - floor_div(ns, NS) * NS;
}

static bool divider_reset(const struct cmos_rtc *rtc)
{
	return (rtc->ram[REG_A] & A_DV_RESET) == A_DV_RESET;
}

/* Are the time registers plain memory now? */
static bool halted(const struct cmos_rtc *rtc)
{
	return (rtc->ram[REG_B] & B_SET) || divider_reset(rtc);
}

/* --- register format ---------------------------------------------------- */

static uint8_t encode(const struct cmos_rtc *rtc, int v)
{
	if (rtc->ram[REG_B] & B_BINARY)
		return (uint8_t)v;
	return (uint8_t)(v / 10 << 4 | v % 10);
}

static int decode(const struct cmos_rtc *rtc, uint8_t v)
{
	return rtc->ram[REG_B] & B_BINARY ? v : (v >> 4) * 10 + (v & 0xF);
}

static uint8_t encode_hour(const struct cmos_rtc *rtc, int hour)
{
	if (rtc->ram[REG_B] & B_24H)
		return encode(rtc, hour);
	return encode(rtc, hour % 12 ? hour % 12 : 12) |
	       (hour >= 12 ? HOUR_PM : 0);
}

static int decode_hour(const struct cmos_rtc *rtc, uint8_t v)
{
	if (rtc->ram[REG_B] & B_24H)
		return decode(rtc, v);
	return decode(rtc, v & ~HOUR_PM) % 12 + (v & HOUR_PM ? 12 : 0);
}

static bool is_time_reg(unsigned int reg)
{
	switch (reg) {
	case REG_SEC:
	case REG_MIN:
	case REG_HOUR:
	case REG_WDAY:
	case REG_MDAY:
	case REG_MONTH:
	case REG_YEAR:
	case CMOS_CENTURY:
		return true;
	default:
		return false;
	}
}

/* Put the time at @ns into the registers. */
static void store_time(struct cmos_rtc *rtc, int64_t ns)
{
	time_t t = (time_t)floor_div(ns, NS);
	struct tm tm;
	int year;

	gmtime_r(&t, &tm);
	year = tm.tm_year + 1900;
	rtc->ram[REG_SEC] = encode(rtc, tm.tm_sec);
	rtc->ram[REG_MIN] = encode(rtc, tm.tm_min);
	rtc->ram[REG_HOUR] = encode_hour(rtc, tm.tm_hour);
	rtc->ram[REG_WDAY] = encode(rtc, tm.tm_wday + 1);
	rtc->ram[REG_MDAY] = encode(rtc, tm.tm_mday);
	rtc->ram[REG_MONTH] = encode(rtc, tm.tm_mon + 1);
	rtc->ram[REG_YEAR] = encode(rtc, year % 100);
	rtc->ram[CMOS_CENTURY] = encode(rtc, year / 100 % 100);
}

/* The time in the registers, in seconds; what is out of range is clamped. */
static int64_t load_time(const struct cmos_rtc *rtc)
{
	int century = decode(rtc, rtc->ram[CMOS_CENTURY]);
	struct tm tm = {
		.tm_sec = MIN(decode(rtc, rtc->ram[REG_SEC]), 59),
		.tm_min = MIN(decode(rtc, rtc->ram[REG_MIN]), 59),
		.tm_hour = MIN(decode_hour(rtc, rtc->ram[REG_HOUR]), 23),
		.tm_mday = CLAMP(decode(rtc, rtc->ram[REG_MDAY]), 1, 31),
		.tm_mon = CLAMP(decode(rtc, rtc->ram[REG_MONTH]), 1, 12) - 1,
		.tm_year = MIN(decode(rtc, rtc->ram[REG_YEAR]), 99),
	};

	/* A guest that knows no century leaves nonsense there, or nothing. */
	if (century < 19 || century > 21)
		century = 20;
	tm.tm_year += century * 100 - 1900;
	return (int64_t)timegm(&tm);
}

/* The registers are the time from now on, @frac_ns into their second. */
static void set_clock(struct cmos_rtc *rtc, int64_t frac_ns)
{
	rtc->offset_ns = load_time(rtc) * NS + frac_ns - utc_ns(rtc);
	rtc->synced_ns = guest_ns(rtc);
}

/* --- events --------------------------------------------------------------- */

/* Periodic interrupts per second, a power of two; 0: none. */
static int64_t periodic_hz(const struct cmos_rtc *rtc)
{
	unsigned int rs = rtc->ram[REG_A] & A_RS;

	if (!rs || divider_reset(rtc))
		return 0;
	/* The two fastest taps are those of 256 and 128 Hz once more. */
	return 32768 >> (rs <= 2 ? rs + 6 : rs - 1);
}

/* Whole periods up to @ns. */
static int64_t periods(int64_t ns, int64_t hz)
{
	return floor_div(ns, NS) * hz + fraction(ns) * hz / NS;
}

static bool alarm_matches(const struct cmos_rtc *rtc, enum cmos_reg reg,
			  uint8_t encoded)
{
	return rtc->ram[reg] >= ALARM_DONT_CARE || rtc->ram[reg] == encoded;
}

/* The first second of the minute that matches, from @sec; -1: none. */
static int alarm_second(const struct cmos_rtc *rtc, int sec)
{
	for (; sec < 60; sec++) {
		if (alarm_matches(rtc, REG_SEC_ALARM, encode(rtc, sec)))
			return sec;
	}
	return -1;
}

/*
 * The first second at or after @from that matches the alarm; INT64_MAX if
 * none ever does.  At most 25 hours, or 61 minutes of one, are looked at.
 */
static int64_t next_alarm(const struct cmos_rtc *rtc, int64_t from)
{
	int64_t day = floor_div(from, 86400) * 86400;
	int at = (int)(from - day), sec = at % 60, min = at / 60 % 60;

	if (alarm_second(rtc, 0) < 0)
		return INT64_MAX;
	for (int hour = at / 3600; hour < 49; hour++, min = 0, sec = 0) {
		if (!alarm_matches(rtc, REG_HOUR_ALARM,
				   encode_hour(rtc, hour % 24)))
			continue;
		for (; min < 60; min++, sec = 0) {
			int s;

			if (!alarm_matches(rtc, REG_MIN_ALARM,
					   encode(rtc, min)))
				continue;
			s = alarm_second(rtc, sec);
			if (s >= 0)
				return day + hour * INT64_C(3600) +
				       min * INT64_C(60) + s;
		}
	}
	return INT64_MAX;
}

/* Work out the flags up to now; the line follows. */
static void sync_flags(struct cmos_rtc *rtc)
{
	int64_t now = guest_ns(rtc), was = rtc->synced_ns;
	int64_t hz = periodic_hz(rtc);
	bool level;

	/* The host's clock may have been set back. */
	rtc->synced_ns = now;
	if (now > was) {
		if (hz && periods(now, hz) != periods(was, hz))
			rtc->flags |= C_PF;
		if (!halted(rtc) && floor_div(now, NS) != floor_div(was, NS)) {
			rtc->flags |= C_UF;
			if (next_alarm(rtc, floor_div(was, NS) + 1) <=
			    floor_div(now, NS))
				rtc->flags |= C_AF;
		}
	}
	level = rtc->flags & rtc->ram[REG_B];
	if (level != rtc->irq_level) {
		rtc->irq_level = level;
		irq_line_set(&rtc->config.irq, level);
	}
}

/* The first instant after @ns at which periods() changes. */
static int64_t next_period(int64_t ns, int64_t hz)
{
	int64_t in_second = fraction(ns) * hz / NS + 1;

	return floor_div(ns, NS) * NS + (in_second * NS + hz - 1) / hz;
}

/* Ask to be woken for the next interrupt; while one is pending for none. */
static void arm(struct cmos_rtc *rtc)
{
	int64_t now = rtc->synced_ns, next = INT64_MAX;
	uint8_t b = rtc->ram[REG_B];
	int64_t hz = periodic_hz(rtc);

	if (!rtc->irq_level) {
		if ((b & B_PIE) && hz)
			next = next_period(now, hz);
		if ((b & B_UIE) && !halted(rtc))
			next = MIN(next, now + NS - fraction(now));
		if ((b & B_AIE) && !halted(rtc)) {
			int64_t s = next_alarm(rtc, floor_div(now, NS) + 1);

			if (s != INT64_MAX)
				next = MIN(next, s * NS);
		}
	}
	if (next == INT64_MAX && !rtc->armed)
		return;
	rtc->armed = next != INT64_MAX;
	timer_line_arm(&rtc->config.timer,
		       rtc->armed ? (uint64_t)(next - now) : TIMER_LINE_NEVER);
}

/* --- registers -------------------------------------------------------------- */

static uint8_t reg_read(struct cmos_rtc *rtc, unsigned int reg)
{
	uint8_t v;

	switch (reg) {
	case REG_A:
		v = rtc->ram[REG_A];
		if (!halted(rtc) && fraction(guest_ns(rtc)) >= NS - UIP_NS)
			v |= A_UIP;
		return v;
	case REG_C:
		sync_flags(rtc);
		v = rtc->flags;
		if (v & rtc->ram[REG_B])
			v |= C_IRQF;
		rtc->flags = 0;
		sync_flags(rtc);
		arm(rtc);
		return v;
	case REG_D:
		return D_VALID;
	default:
		if (is_time_reg(reg) && !halted(rtc))
			store_time(rtc, guest_ns(rtc));
		return rtc->ram[reg];
	}
}

/* A or B is to become @v: the clock may halt, or run again. */
static void control_write(struct cmos_rtc *rtc, enum cmos_reg reg, uint8_t v)
{
	bool was_halted = halted(rtc), was_reset = divider_reset(rtc);

	/* In the format that was valid until now. */
	if (!was_halted)
		store_time(rtc, guest_ns(rtc));
	if (reg == REG_A)
		rtc->ram[REG_A] = v & ~A_UIP;
	else
		rtc->ram[REG_B] = v & B_SET ? v & ~B_UIE : v;
	if (!was_halted || halted(rtc))
		return;
	set_clock(rtc, was_reset ? (int64_t)DIVIDER_START_NS
				 : fraction(guest_ns(rtc)));
}

static void time_write(struct cmos_rtc *rtc, unsigned int reg, uint8_t v)
{
	int64_t now = guest_ns(rtc);

	if (halted(rtc)) {
		rtc->ram[reg] = v;
		return;
	}
	/* Of a running clock one part changes; the others must be right. */
	store_time(rtc, now);
	rtc->ram[reg] = v;
	set_clock(rtc, fraction(now));
}

static void reg_write(struct cmos_rtc *rtc, unsigned int reg, uint8_t v)
{
	if (reg == REG_C || reg == REG_D)
		return;
	/* What was until now goes by the old settings. */
	sync_flags(rtc);
	if (reg == REG_A || reg == REG_B)
		control_write(rtc, (enum cmos_reg)reg, v);
	else if (is_time_reg(reg))
		time_write(rtc, reg, v);
	else
		rtc->ram[reg] = v;
	if (reg < REG_C || reg == CMOS_CENTURY) {
		sync_flags(rtc);
		arm(rtc);
	}
}

static void pio_read(void *dev, uint64_t offset, void *data, unsigned int len)
{
	struct cmos_rtc *rtc = dev;
	uint8_t v = 0xFF; /* the index cannot be read back */

	(void)len;
	if (offset) {
		pthread_mutex_lock(&rtc->lock);
		v = reg_read(rtc, rtc->index);
		pthread_mutex_unlock(&rtc->lock);
	}
	*(uint8_t *)data = v;
}

static void pio_write(void *dev, uint64_t offset, const void *data,
		      unsigned int len)
{
	struct cmos_rtc *rtc = dev;
	uint8_t v = *(const uint8_t *)data;

	(void)len;
	pthread_mutex_lock(&rtc->lock);
	if (offset)
		reg_write(rtc, rtc->index, v);
	else
		rtc->index = v % CMOS_BYTES; /* bit 7 masks NMI: not here */
	pthread_mutex_unlock(&rtc->lock);
}

static const struct bus_ops pio_ops = {pio_read, pio_write, 1};

/* --- construction ------------------------------------------------------------ */

static void put_le(struct cmos_rtc *rtc, unsigned int at, uint64_t v,
		   unsigned int bytes)
{
	v = MIN(v, (1ull << (8 * bytes)) - 1);
	for (unsigned int i = 0; i < bytes; i++, v >>= 8)
		rtc->ram[at + i] = (uint8_t)v;
}

/* What a BIOS would have left about the machine. */
static void fill_ram(struct cmos_rtc *rtc)
{
	uint64_t low = rtc->config.ram_below_4g;
	uint64_t ext_kib = low > (1u << 20) ? (low - (1u << 20)) >> 10 : 0;
	uint64_t above_16m = low > (16u << 20) ? (low - (16u << 20)) >> 16 : 0;
	unsigned int sum = 0;

	rtc->ram[CMOS_EQUIPMENT] = EQUIPMENT_FPU;
	put_le(rtc, CMOS_BASE_KIB, 640, 2);
	put_le(rtc, CMOS_EXT_KIB, ext_kib, 2);
	put_le(rtc, CMOS_EXT_KIB_POST, ext_kib, 2);
	put_le(rtc, CMOS_ABOVE_16M, above_16m, 2);
	put_le(rtc, CMOS_ABOVE_4G, rtc->config.ram_above_4g >> 16, 3);
	for (unsigned int i = 0x10; i < CMOS_CHECKSUM; i++)
		sum += rtc->ram[i];
	rtc->ram[CMOS_CHECKSUM] = (uint8_t)(sum >> 8);
	rtc->ram[CMOS_CHECKSUM + 1] = (uint8_t)sum;
}

struct cmos_rtc *cmos_rtc_new(const struct cmos_rtc_config *config)
{
	struct cmos_rtc *rtc = g_new0(struct cmos_rtc, 1);

	rtc->config = *config;
	pthread_mutex_init(&rtc->lock, NULL);
	rtc->ram[REG_A] = A_DEFAULT;
	rtc->ram[REG_B] = B_DEFAULT;
	rtc->offset_ns = config->offset_s * NS;
	rtc->synced_ns = guest_ns(rtc);
	fill_ram(rtc);
	return rtc;
}

void cmos_rtc_free(struct cmos_rtc *rtc)
{
	if (!rtc)
		return;
	pthread_mutex_destroy(&rtc->lock);
	g_free(rtc);
}

int cmos_rtc_attach(struct cmos_rtc *rtc, struct bus *pio)
{
	return bus_add(pio, PLATFORM_RTC_PORT, PLATFORM_RTC_BYTES, "rtc",
		       &pio_ops, rtc);
}

void cmos_rtc_reset(struct cmos_rtc *rtc)
{
	pthread_mutex_lock(&rtc->lock);
	sync_flags(rtc);
	rtc->index = 0;
	control_write(rtc, REG_A, A_DEFAULT);
	control_write(rtc, REG_B, B_DEFAULT);
	rtc->flags = 0;
	sync_flags(rtc);
	arm(rtc);
	pthread_mutex_unlock(&rtc->lock);
}

void cmos_rtc_expired(void *dev)
{
	struct cmos_rtc *rtc = dev;

	pthread_mutex_lock(&rtc->lock);
	sync_flags(rtc);
	arm(rtc);
	pthread_mutex_unlock(&rtc->lock);
}

int64_t cmos_rtc_offset_ns(struct cmos_rtc *rtc)
{
	int64_t offset;

	pthread_mutex_lock(&rtc->lock);
	offset = rtc->offset_ns;
	pthread_mutex_unlock(&rtc->lock);
	return offset;
}
