/* SPDX-License-Identifier: MIT */
/*
 * fuzz_pio.c - a guest that does anything to the ports of the platform.
 *
 * The input is a script: reads and writes of every width to all devices at
 * once, typing and printing at the host end, steps of time, resets.  After
 * each step an interrupt line is up exactly when the device says why, the
 * clock shows a date, and what the guest printed comes out in order.
 */
#include "fuzz/fuzz.h"

#include <stdbool.h>
#include <string.h>

#include "base/log.h"
#include "base/reader.h"
#include "devices/acpi_pm.h"
#include "devices/bus.h"
#include "devices/cmos_rtc.h"
#include "devices/debugcon.h"
#include "devices/exit_port.h"
#include "devices/i8042.h"
#include "devices/legacy_ports.h"
#include "devices/reset_ports.h"
#include "devices/uart16550.h"
#include "proto/platform.h"

#define UART_IIR (PLATFORM_COM1_PORT + 2)
#define UART_LCR (PLATFORM_COM1_PORT + 3)
#define UART_MCR (PLATFORM_COM1_PORT + 4)
#define MCR_OUT2 0x08
#define MCR_LOOP 0x10
#define LCR_DLAB 0x80

#define RTC_DATA   (PLATFORM_RTC_PORT + 1)
#define RTC_B      0x0B
#define RTC_C      0x0C
#define RTC_HALT   0x80
#define RTC_BINARY 0x04

/* Where an access goes, most of the time. */
static const uint16_t places[] = {
	PLATFORM_COM1_PORT,
	PLATFORM_COM1_PORT + 1,
	UART_IIR,
	UART_LCR,
	UART_MCR,
	PLATFORM_COM1_PORT + 5,
	PLATFORM_COM1_PORT + 6,
	PLATFORM_COM1_PORT + 7,
	PLATFORM_RTC_PORT,
	RTC_DATA,
	PLATFORM_I8042_DATA_PORT,
	PLATFORM_I8042_CMD_PORT,
	PLATFORM_PM1_EVT_PORT,
	PLATFORM_PM1_EVT_PORT + 2,
	PLATFORM_PM1_CNT_PORT,
	PLATFORM_PM_TMR_PORT,
	PLATFORM_RESET_PORT,
	PLATFORM_DEBUGCON_PORT,
	PLATFORM_EXIT_PORT,
	0x92,
};
#define N_PLACES (sizeof(places) / sizeof(places[0]))

static struct {
	struct bus *pio;
	struct uart16550 *uart;
	struct cmos_rtc *rtc;
	struct acpi_pm *pm;
	struct i8042 *kbc;
	struct reset_ports *reset_ports;
	struct debugcon *con;
	struct exit_port *exit_port;
	uint64_t now_ns;
	bool level[16];
} board;

static void set_irq(void *ctx, unsigned int gsi, bool level)
{
	(void)ctx;
	expect(level != board.level[gsi]);
	board.level[gsi] = level;
}

static struct irq_line irq(unsigned int gsi)
{
	return (struct irq_line){.set = set_irq, .gsi = gsi};
}

static uint64_t now(void *ctx)
{
	(void)ctx;
	return board.now_ns;
}

static void arm(void *ctx, uint64_t delay_ns)
{
	(void)ctx;
	/* A device that asks for no time at all would never rest. */
	expect(delay_ns > 0);
}

static void ignore(void *ctx)
{
	(void)ctx;
}

static void ignore_exit(void *ctx, unsigned int value)
{
	(void)ctx;
	(void)value;
}

static void make_board(void)
{
	const struct machine_ops machine = {ignore, ignore, ignore_exit, NULL};
	const struct byte_port_host host = {ignore, NULL};
	const struct timer_line timer = {arm, NULL};
	const struct cmos_rtc_config rtc = {
		.now_ns = now, .irq = irq(PLATFORM_RTC_IRQ), .timer = timer};
	const struct acpi_pm_config pm = {.now_ns = now,
					  .sci = irq(PLATFORM_SCI_IRQ),
					  .timer = timer,
					  .machine = machine};

	log_set_level("error");
	memset(&board, 0, sizeof(board));
	board.pio = bus_new("pio");
	board.uart = uart16550_new(irq(PLATFORM_COM1_IRQ), host);
	board.rtc = cmos_rtc_new(&rtc);
	board.pm = acpi_pm_new(&pm);
	board.kbc = i8042_new(irq(PLATFORM_I8042_KBD_IRQ), machine);
	board.reset_ports = reset_ports_new(machine);
	board.con = debugcon_new(host);
	board.exit_port = exit_port_new(machine);
	expect(!uart16550_attach(board.uart, board.pio, PLATFORM_COM1_PORT));
	expect(!cmos_rtc_attach(board.rtc, board.pio));
	expect(!acpi_pm_attach(board.pm, board.pio));
	expect(!i8042_attach(board.kbc, board.pio));
	expect(!reset_ports_attach(board.reset_ports, board.pio));
	expect(!debugcon_attach(board.con, board.pio));
	expect(!exit_port_attach(board.exit_port, board.pio));
	legacy_ports_attach(board.pio);
}

static void free_board(void)
{
	exit_port_free(board.exit_port);
	debugcon_free(board.con);
	reset_ports_free(board.reset_ports);
	i8042_free(board.kbc);
	acpi_pm_free(board.pm);
	cmos_rtc_free(board.rtc);
	uart16550_free(board.uart);
	bus_free(board.pio);
}

static uint32_t in(uint16_t at, unsigned int len)
{
	uint32_t v = 0;

	bus_read(board.pio, at, &v, len);
	return v;
}

static void out(uint16_t at, uint32_t v, unsigned int len)
{
	bus_write(board.pio, at, &v, len);
}

/* IIR says whether it interrupts; reading it may change that. */
static void check_uart(void)
{
	bool out2 = in(UART_MCR, 1) & MCR_OUT2;
	bool level = board.level[PLATFORM_COM1_IRQ];
	bool is_pending = !(in(UART_IIR, 1) & 1);

	expect(level == (out2 && is_pending));
}

static bool is_bcd(uint32_t v)
{
	return (v & 0xF) < 10 && v >> 4 < 10;
}

static uint32_t rtc_reg(uint8_t reg)
{
	out(PLATFORM_RTC_PORT, reg, 1);
	return in(RTC_DATA, 1);
}

static void check_rtc(void)
{
	uint32_t b = rtc_reg(RTC_B), month = rtc_reg(8), day = rtc_reg(7);
	bool level = board.level[PLATFORM_RTC_IRQ];

	/* It may have become due just now, but cannot be taken back. */
	expect(!level || (rtc_reg(RTC_C) & 0x80));
	expect(!(rtc_reg(RTC_C) & 0x80) && !board.level[PLATFORM_RTC_IRQ]);
	if (b & RTC_HALT || (rtc_reg(0x0A) & 0x60) == 0x60)
		return;
	if (b & RTC_BINARY)
		expect(month - 1 < 12 && day - 1 < 31);
	else
		expect(is_bcd(month) && is_bcd(day) && month && day &&
		       month <= 0x12 && day <= 0x31);
}

static void check_pm(void)
{
	uint32_t event = in(PLATFORM_PM1_EVT_PORT, 4);

	expect(board.level[PLATFORM_SCI_IRQ] == !!(event & event >> 16));
	expect(in(PLATFORM_PM1_CNT_PORT, 2) & 1);
}

/* Bytes that are printed one after the other come out so. */
static void check_output(uint8_t first)
{
	uint8_t data[4096];
	size_t n;

	while (uart16550_transmit(board.uart, data, sizeof(data)))
		;
	if ((in(UART_LCR, 1) & LCR_DLAB) || (in(UART_MCR, 1) & MCR_LOOP))
		return;
	for (unsigned int i = 0; i < 40; i++)
		out(PLATFORM_COM1_PORT, (uint8_t)(first + i), 1);
	n = uart16550_transmit(board.uart, data, sizeof(data));
	expect(n == 40);
	for (unsigned int i = 0; i < n; i++)
		expect(data[i] == (uint8_t)(first + i));
}

static uint8_t next_byte(struct reader *r)
{
	uint8_t byte = 0;

	reader_bytes(r, &byte, sizeof(byte));
	return byte;
}

static void access_port(struct reader *r, uint8_t op)
{
	unsigned int len = 1u << (op >> 4 & 3) % 3;
	uint8_t where = next_byte(r);
	uint16_t at = (uint16_t)(where << 8);

	if (where < 2 * N_PLACES)
		at = places[where % N_PLACES];
	else
		at |= next_byte(r);

	if (op & 0x80)
		in(at, len);
	else
		out(at, reader_u32(r), len);
}

static void host_end(struct reader *r)
{
	uint8_t data[64], arg = next_byte(r);

	memset(data, arg, sizeof(data));
	switch (arg % 4) {
	case 0:
		expect(uart16550_receive(board.uart, data, arg / 4) <= 16);
		break;
	case 1:
		uart16550_receive_break(board.uart);
		break;
	case 2:
		uart16550_set_modem(board.uart, arg);
		break;
	default:
		check_output(arg);
		break;
	}
}

static void time_passes(struct reader *r)
{
	uint32_t ns = reader_u32(r);

	board.now_ns += (uint64_t)ns << (ns & 15);
	board.now_ns %= 1ull << 62;
	cmos_rtc_expired(board.rtc);
	acpi_pm_expired(board.pm);
}

static void reset_all(void)
{
	uart16550_reset(board.uart);
	cmos_rtc_reset(board.rtc);
	acpi_pm_reset(board.pm);
	i8042_reset(board.kbc);
	reset_ports_reset(board.reset_ports);
	for (unsigned int i = 0; i < 16; i++)
		expect(!board.level[i]);
}

static void step(struct reader *r, uint8_t op)
{
	switch (op % 16) {
	case 10:
		host_end(r);
		break;
	case 11:
		time_passes(r);
		break;
	case 12:
		acpi_pm_power_button(board.pm);
		break;
	case 13:
		check_uart();
		break;
	case 14:
		check_rtc();
		break;
	case 15:
		if (op == 0xFF)
			reset_all();
		break;
	default:
		access_port(r, op);
		break;
	}
	check_pm();
	expect(!(in(PLATFORM_I8042_CMD_PORT, 1) & 2));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_init(data, size);

	make_board();
	while (reader_left(&r))
		step(&r, next_byte(&r));
	check_uart();
	check_rtc();
	free_board();
	return 0;
}
