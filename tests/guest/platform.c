/* SPDX-License-Identifier: MIT */
/*
 * platform.c - the PC around the processors: PM timer, real-time clock,
 * serial ports, and their interrupts.
 */
#include "lib/arithmetic.h"
#include "lib/clock.h"
#include "lib/instructions.h"
#include "lib/ioapic.h"
#include "lib/reference_time.h"
#include "lib/start.h"
#include "lib/tap.h"
#include "lib/traps.h"
#include "proto/platform.h"

/* --- PM timer -------------------------------------------------------------------- */

static void test_pm_timer(void)
{
	unsigned int back = 0;
	uint32_t last = clock_ticks(), first = last;

	for (unsigned int i = 0; i < 200; i++) {
		uint32_t now = clock_ticks();

		back += (int32_t)(now - last) < 0;
		last = now;
	}
	check_equal(back, 0, "PM timer: does not go back");
	check(last != first, "PM timer: runs");
}

/* A span of reference time within two spans of the timer. */
static void test_pm_timer_rate(void)
{
	uint32_t outer_start = clock_ticks();
	uint64_t start = reference_counter();
	uint32_t inner_start = clock_ticks(), inner_end, outer_end;
	uint64_t ticks;

	clock_wait_ms(100);
	inner_end = clock_ticks();
	ticks = divide((reference_counter() - start) * PLATFORM_PM_TMR_HZ,
		       10000000, NULL);
	outer_end = clock_ticks();
	check_between(outer_end - outer_start,
		      ticks - divide(ticks, 1000, NULL), ~0u,
		      "PM timer: 3.58 MHz and no slower");
	check_between(inner_end - inner_start, 0,
		      ticks + divide(ticks, 1000, NULL),
		      "PM timer: 3.58 MHz and no faster");
}

/* --- real-time clock ---------------------------------------------------------------- */

enum rtc_register {
	RTC_SECONDS = 0,
	RTC_MINUTES = 2,
	RTC_HOURS = 4,
	RTC_DAY = 7,
	RTC_MONTH = 8,
	RTC_YEAR = 9,
	RTC_A = 10,
	RTC_B = 11,
	RTC_C = 12,
	RTC_D = 13,
};

#define RTC_A_UIP      0x80
#define RTC_B_24H      0x02
#define RTC_B_BINARY   0x04
#define RTC_B_UPDATE   0x10
#define RTC_B_PERIODIC 0x40
#define RTC_C_IRQ      0x80
#define RTC_C_PERIODIC 0x40
#define RTC_D_VALID    0x80
/* Rate 6 of 32.768 kHz: 1024 Hz */
#define RTC_RATE       0x26
#define RTC_VECTOR     0x51

static uint8_t rtc_read(uint8_t index)
{
	out8(PLATFORM_RTC_PORT, index);
	return in8(PLATFORM_RTC_PORT + 1);
}

static void rtc_write(uint8_t index, uint8_t value)
{
	out8(PLATFORM_RTC_PORT, index);
	out8(PLATFORM_RTC_PORT + 1, value);
}

static unsigned int from_bcd(uint8_t value)
{
	if (rtc_read(RTC_B) & RTC_B_BINARY)
		return value;
	return (value >> 4) * 10u + (value & 15u);
}

static unsigned int seconds(void)
{
	return from_bcd(rtc_read(RTC_SECONDS));
}

static void test_rtc_time(void)
{
	unsigned int first = seconds();
	unsigned int century = from_bcd(rtc_read(PLATFORM_RTC_CENTURY));

	check(rtc_read(RTC_D) & RTC_D_VALID, "RTC: its battery is good");
	check(rtc_read(RTC_B) & RTC_B_24H, "RTC: 24 hours");
	check_between(first, 0, 59, "RTC: second");
	check_between(from_bcd(rtc_read(RTC_MINUTES)), 0, 59, "RTC: minute");
	check_between(from_bcd(rtc_read(RTC_HOURS)), 0, 23, "RTC: hour");
	check_between(from_bcd(rtc_read(RTC_DAY)), 1, 31, "RTC: day");
	check_between(from_bcd(rtc_read(RTC_MONTH)), 1, 12, "RTC: month");
	check_between(century * 100 + from_bcd(rtc_read(RTC_YEAR)), 2024, 2199,
		      "RTC: year");
	check(wait_until(seconds() != first, SOON_MS), "RTC: it ticks");
}

/* It says that it is about to tick for 244 us: a slow machine misses that. */
static void test_rtc_update(void)
{
	uint32_t start = clock_ticks();
	bool seen = false;

	out8(PLATFORM_RTC_PORT, RTC_A);
	while (!seen && clock_ticks() - start < clock_from_ms(SOON_MS)) {
		for (unsigned int i = 0; i < 1000 && !seen; i++)
			seen = in8(PLATFORM_RTC_PORT + 1) & RTC_A_UIP;
	}
	if (seen)
		check(seen, "RTC: says when it is about to");
	else
		tap_skip("too slow to see it", "RTC: says when it is about to");
}

/* Reading register C lets the next interrupt come. */
static void acknowledge_rtc(struct cpu *cpu)
{
	(void)cpu;
	rtc_read(RTC_C);
}

static void test_rtc_interrupt(void)
{
	uint8_t b = rtc_read(RTC_B);
	uint32_t got;

	trap_set_hook(RTC_VECTOR, acknowledge_rtc);
	ioapic_route(PLATFORM_RTC_IRQ, RTC_VECTOR, 0);
	rtc_write(RTC_A, RTC_RATE);
	interrupts_off();
	rtc_read(RTC_C);
	rtc_write(RTC_B, b | RTC_B_PERIODIC);
	interrupts_on();
	check(wait_until(interrupts_of(0, RTC_VECTOR) >= 5, SOON_MS),
	      "RTC: periodic interrupts");
	interrupts_off();
	rtc_write(RTC_B, b);
	rtc_read(RTC_C);
	interrupts_on();
	clock_wait_ms(1); /* one may have been on its way */
	got = interrupts_of(0, RTC_VECTOR);
	clock_wait_ms(QUIET_MS);
	check_equal(interrupts_of(0, RTC_VECTOR), got,
		    "RTC: none when they are off");
	ioapic_mask(PLATFORM_RTC_IRQ);
}

/* --- serial ports --------------------------------------------------------------------- */

enum uart_register {
	UART_DATA = 0,
	UART_IER = 1,
	UART_IIR = 2,
	UART_FCR = 2,
	UART_LCR = 3,
	UART_MCR = 4,
	UART_LSR = 5,
	UART_MSR = 6,
	UART_SCRATCH = 7,
};

#define UART_LCR_8N1      0x03
#define UART_LCR_DLAB     0x80
#define UART_MCR_OUT2     0x08
#define UART_MCR_LOOP     0x10
#define UART_LSR_DATA     0x01
#define UART_LSR_EMPTY    0x60
#define UART_IER_RECEIVE  0x01
#define UART_IER_TRANSMIT 0x02
#define UART_IIR_NONE     0x01
#define UART_IIR_TRANSMIT 0x02
#define UART_IIR_MASK     0x0F
#define UART_FIFO_ON      0xC0
#define UART_VECTOR       0x52

static uint16_t uart;

static uint8_t uart_read(enum uart_register which)
{
	return in8((uint16_t)(uart + which));
}

static void uart_write(enum uart_register which, uint8_t value)
{
	out8((uint16_t)(uart + which), value);
}

static void test_uart_registers(unsigned int n)
{
	uart_write(UART_SCRATCH, 0xA5);
	check_equal(uart_read(UART_SCRATCH), 0xA5, "COM%u: scratch", n);
	uart_write(UART_LCR, UART_LCR_DLAB);
	uart_write(UART_DATA, 1);
	uart_write(UART_IER, 0);
	uart_write(UART_LCR, UART_LCR_8N1);
	check_equal(uart_read(UART_LCR), UART_LCR_8N1, "COM%u: line control",
		    n);
	uart_write(UART_FCR, 0x07);
	check_equal(uart_read(UART_IIR) & UART_FIFO_ON, UART_FIFO_ON,
		    "COM%u: FIFOs", n);
	check_equal(uart_read(UART_LSR) & UART_LSR_EMPTY, UART_LSR_EMPTY,
		    "COM%u: nothing waits to be sent", n);
}

static void test_uart_loop(unsigned int n)
{
	unsigned int bad = 0;

	uart_write(UART_MCR, UART_MCR_LOOP | UART_MCR_OUT2);
	for (uint8_t i = 0; i < 16; i++)
		uart_write(UART_DATA, (uint8_t)(i * 17));
	for (uint8_t i = 0; i < 16; i++) {
		bad += !(uart_read(UART_LSR) & UART_LSR_DATA);
		bad += uart_read(UART_DATA) != (uint8_t)(i * 17);
	}
	check_equal(bad, 0, "COM%u: a loop brings back what was sent", n);
	check(!(uart_read(UART_LSR) & UART_LSR_DATA), "COM%u: and no more", n);
	check_equal(uart_read(UART_MSR) & 0xF0, 0x80,
		    "COM%u: OUT2 comes back as DCD", n);
	uart_write(UART_MCR, UART_MCR_OUT2);
}

/* The interrupt says what it is, and goes with its cause. */
static volatile uint8_t uart_cause;

static void take_uart(struct cpu *cpu)
{
	(void)cpu;
	uart_cause = uart_read(UART_IIR) & UART_IIR_MASK;
}

static void test_uart_interrupt(unsigned int n, unsigned int irq)
{
	uint32_t before = interrupts_of(0, UART_VECTOR);

	trap_set_hook(UART_VECTOR, take_uart);
	ioapic_route(irq, UART_VECTOR, 0);
	uart_write(UART_MCR, UART_MCR_OUT2);
	uart_write(UART_IER, UART_IER_TRANSMIT);
	check(wait_until(interrupts_of(0, UART_VECTOR) == before + 1, SOON_MS),
	      "COM%u: interrupt", n);
	check_equal(uart_cause, UART_IIR_TRANSMIT, "COM%u: it can send", n);
	check(uart_read(UART_IIR) & UART_IIR_NONE, "COM%u: told once", n);
	uart_write(UART_IER, 0);
	uart_write(UART_IER, UART_IER_TRANSMIT);
	check(wait_until(interrupts_of(0, UART_VECTOR) == before + 2, SOON_MS),
	      "COM%u: told when asked again", n);
	uart_write(UART_IER, 0);
	clock_wait_ms(QUIET_MS);
	check_equal(interrupts_of(0, UART_VECTOR), before + 2,
		    "COM%u: silent when off", n);
	ioapic_mask(irq);
}

static void test_uarts(void)
{
	uart = PLATFORM_COM1_PORT;
	test_uart_registers(1);
	test_uart_loop(1);
	test_uart_interrupt(1, PLATFORM_COM1_IRQ);
	uart = PLATFORM_COM2_PORT;
	test_uart_registers(2);
	test_uart_loop(2);
	test_uart_interrupt(2, PLATFORM_COM2_IRQ);
}

/* --- where nothing is -------------------------------------------------------------------- */

static void test_empty_ports(void)
{
	static const uint16_t ports[] = {0x1CE, 0x278,  0x3BC, 0x510,
					 0xCFC, 0x5658, 0xFFFC};
	unsigned int bad = 0;

	for (unsigned int i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		out32(ports[i], 0);
		bad += in32(ports[i]) != 0xFFFFFFFF;
	}
	check_equal(bad, 0, "empty ports read as ones");
}

void guest_main(void)
{
	test_pm_timer();
	test_pm_timer_rate();
	test_rtc_time();
	test_rtc_update();
	test_rtc_interrupt();
	test_uarts();
	test_empty_ports();
}
