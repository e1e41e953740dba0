/* SPDX-License-Identifier: MIT */
/*
 * uart_bench.h - a serial port on a fake board, and what its driver does.
 *
 * For test files of one binary each: the state is static.
 */
#ifndef SUPPORT_UART_BENCH_H
#define SUPPORT_UART_BENCH_H

#include <stdatomic.h>
#include <string.h>

#include "devices/uart16550.h"
#include "support/fake_board.h"

#define BASE 0x3F8
#define DATA (BASE + 0)
#define IER  (BASE + 1)
#define IIR  (BASE + 2)
#define FCR  (BASE + 2)
#define LCR  (BASE + 3)
#define MCR  (BASE + 4)
#define LSR  (BASE + 5)
#define MSR  (BASE + 6)
#define SCR  (BASE + 7)

#define OUT2 0x08
#define LOOP 0x10

static struct fake_board b;
static struct uart16550 *uart;
static atomic_uint wakes;

static inline void on_wake(void *ctx)
{
	(void)ctx;
	atomic_fetch_add(&wakes, 1);
}

static inline void setup(void)
{
	fake_board_init(&b);
	wakes = 0;
	uart = uart16550_new(fake_irq(&b, 4),
			     (struct byte_port_host){on_wake, NULL});
	ck_assert_int_eq(uart16550_attach(uart, b.pio, BASE), 0);
}

static inline void teardown(void)
{
	uart16550_free(uart);
	fake_board_clear(&b);
}

/* What a driver does first: FIFOs on with the given trigger, OUT2 up. */
static inline void init(uint8_t fcr)
{
	outb(&b, FCR, fcr);
	outb(&b, MCR, OUT2 | 0x03);
	inb(&b, MSR);
}

static inline size_t type(const char *text)
{
	return uart16550_receive(uart, (const uint8_t *)text, strlen(text));
}

static inline void expect_output(const char *text)
{
	uint8_t data[64] = {0};
	size_t n = uart16550_transmit(uart, data, sizeof(data) - 1);

	ck_assert_uint_eq(n, strlen(text));
	ck_assert_str_eq((char *)data, text);
}

#endif
