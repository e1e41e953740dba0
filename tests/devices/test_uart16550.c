/* SPDX-License-Identifier: MIT */
#include "devices/uart16550.h"

#include "support/uart_bench.h"

/* --- registers ------------------------------------------------------- */

START_TEST(power_on_values)
{
	ck_assert_uint_eq(inb(&b, IER), 0x00);
	ck_assert_uint_eq(inb(&b, IIR), 0x01);
	ck_assert_uint_eq(inb(&b, LCR), 0x00);
	ck_assert_uint_eq(inb(&b, MCR), 0x00);
	ck_assert_uint_eq(inb(&b, LSR), 0x60);
	ck_assert_uint_eq(inb(&b, MSR), 0xB0);
	ck_assert_uint_eq(inb(&b, SCR), 0x00);
}
END_TEST

START_TEST(divisor_latch)
{
	outb(&b, LCR, 0x83);
	outb(&b, DATA, 0x01);
	outb(&b, IER, 0xA5);
	ck_assert_uint_eq(inb(&b, DATA), 0x01);
	ck_assert_uint_eq(inb(&b, IER), 0xA5);
	outb(&b, LCR, 0x03);
	ck_assert_uint_eq(inb(&b, IER), 0x00);
	ck_assert_uint_eq(inb(&b, DATA), 0x00);
	expect_output("");
	outb(&b, LCR, 0x80);
	ck_assert_uint_eq(inb(&b, DATA), 0x01);
	ck_assert_uint_eq(inb(&b, IER), 0xA5);
}
END_TEST

START_TEST(register_masks)
{
	static const struct {
		const char *what;
		uint16_t reg;
		uint8_t write, read;
	} t[] = {
		{"IER has four bits", IER, 0xF8, 0x08},
		{"MCR has five bits", MCR, 0xE7, 0x07},
		{"LCR keeps all", LCR, 0x7F, 0x7F},
		{"scratch keeps all", SCR, 0xA5, 0xA5},
		{"LSR is read only", LSR, 0xFF, 0x60},
		{"MSR is read only", MSR, 0xFF, 0xB0},
	};

	for (unsigned int i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		uart16550_reset(uart);
		outb(&b, t[i].reg, t[i].write);
		ck_assert_msg(inb(&b, t[i].reg) == t[i].read, "%s", t[i].what);
	}
}
END_TEST

START_TEST(fifo_enable_shows_in_iir)
{
	outb(&b, FCR, 0x01);
	ck_assert_uint_eq(inb(&b, IIR), 0xC1);
	outb(&b, FCR, 0x00);
	ck_assert_uint_eq(inb(&b, IIR), 0x01);
	/* Linux tells a 16550A from a 16450 by this (autoconfig_16550a()). */
	outb(&b, FCR, 0xC6);
	ck_assert_uint_eq(inb(&b, IIR), 0x01);
}
END_TEST

START_TEST(linux_loopback_probe)
{
	/* 8250_port.c:autoconfig(): IER keeps bits, then LOOP | OUT2 | RTS */
	outb(&b, IER, 0x0F);
	ck_assert_uint_eq(inb(&b, IER), 0x0F);
	outb(&b, IER, 0x00);
	outb(&b, MCR, LOOP | 0x0A);
	ck_assert_uint_eq(inb(&b, MSR) & 0xF0, 0x90);
}
END_TEST

START_TEST(word_access_is_two_registers)
{
	outb(&b, LCR, 0x80);
	outw(&b, DATA, 0x0102);
	ck_assert_uint_eq(inw(&b, DATA), 0x0102);
	ck_assert_uint_eq(inb(&b, IER), 0x01);
}
END_TEST

/* --- receiver -------------------------------------------------------- */

START_TEST(one_character_without_fifo)
{
	ck_assert_uint_eq(type("ab"), 1);
	ck_assert_uint_eq(inb(&b, LSR), 0x61);
	ck_assert_uint_eq(inb(&b, DATA), 'a');
	ck_assert_uint_eq(wakes, 1);
	ck_assert_uint_eq(inb(&b, LSR), 0x60);
	ck_assert_uint_eq(inb(&b, DATA), 0);
	ck_assert_uint_eq(type("b"), 1);
}
END_TEST

START_TEST(sixteen_characters_with_fifo)
{
	init(0x07);
	ck_assert_uint_eq(type("0123456789abcdefXYZ"), 16);
	/* Waking for every byte would be a thread switch for every byte. */
	for (unsigned int i = 0; i < 8; i++) {
		ck_assert_uint_eq(wakes, 0);
		ck_assert_uint_eq(inb(&b, DATA), "01234567"[i]);
	}
	ck_assert_uint_eq(wakes, 1);
	ck_assert_uint_eq(type("XYZ"), 3);
	for (unsigned int i = 0; i < 11; i++)
		ck_assert_uint_eq(inb(&b, DATA), "89abcdefXYZ"[i]);
	ck_assert_uint_eq(wakes, 1); /* all was taken: nobody waits */
	ck_assert_uint_eq(inb(&b, LSR), 0x60);
}
END_TEST

START_TEST(trigger_levels)
{
	static const struct {
		uint8_t fcr;
		unsigned int level;
	} t[] = {{0x01, 1}, {0x41, 4}, {0x81, 8}, {0xC1, 14}};

	for (unsigned int i = 0; i < 4; i++) {
		uart16550_reset(uart);
		init(t[i].fcr);
		outb(&b, IER, 0x01);
		for (unsigned int n = 1; n <= 16; n++) {
			ck_assert_uint_eq(type("x"), 1);
			ck_assert(b.level);
			/* below the level: the character timeout's code */
			ck_assert_uint_eq(inb(&b, IIR),
					  n < t[i].level ? 0xCC : 0xC4);
		}
		for (unsigned int n = 16; n > 0; n--) {
			ck_assert(b.level);
			inb(&b, DATA);
		}
		ck_assert(!b.level);
		ck_assert_uint_eq(inb(&b, IIR), 0xC1);
	}
}
END_TEST

START_TEST(receive_interrupt_without_fifo)
{
	outb(&b, MCR, OUT2);
	outb(&b, IER, 0x01);
	inb(&b, MSR);
	type("x");
	ck_assert(b.level);
	ck_assert_uint_eq(inb(&b, IIR), 0x04);
	ck_assert(b.level); /* only the data acknowledges */
	inb(&b, DATA);
	ck_assert(!b.level);
}
END_TEST

START_TEST(fifo_clear)
{
	static const struct {
		const char *what;
		uint8_t fcr;
		bool cleared;
	} t[] = {
		{"bit 1 clears", 0x03, true},
		{"bit 2 is the other one", 0x05, false},
		{"trigger change keeps", 0xC1, false},
		{"off clears", 0x00, true},
	};

	for (unsigned int i = 0; i < 4; i++) {
		uart16550_reset(uart);
		outb(&b, FCR, 0x01);
		type("abc");
		outb(&b, FCR, t[i].fcr);
		ck_assert_msg((inb(&b, LSR) & 1) == !t[i].cleared, "%s",
			      t[i].what);
	}
	/* On clears too: what the one-byte register held is gone. */
	type("x");
	outb(&b, FCR, 0x01);
	ck_assert_uint_eq(inb(&b, LSR), 0x60);
}
END_TEST

START_TEST(clearing_makes_room)
{
	init(0x01);
	ck_assert_uint_eq(type("0123456789abcdefX"), 16);
	ck_assert_uint_eq(wakes, 0);
	outb(&b, FCR, 0x03);
	ck_assert_uint_eq(wakes, 1);
}
END_TEST

START_TEST(break_condition)
{
	init(0x01);
	outb(&b, IER, 0x05);
	ck_assert(uart16550_receive_break(uart));
	type("h"); /* the sysrq key */
	ck_assert_uint_eq(inb(&b, IIR), 0xC6);
	ck_assert_uint_eq(inb(&b, LSR), 0xF1); /* with FIFO error */
	ck_assert_uint_eq(inb(&b, LSR), 0x61); /* the read cleared it */
	ck_assert_uint_eq(inb(&b, IIR), 0xC4);
	ck_assert_uint_eq(inb(&b, DATA), 0);
	ck_assert_uint_eq(inb(&b, DATA), 'h');
}
END_TEST

START_TEST(error_shows_with_its_character)
{
	init(0x01);
	outb(&b, IER, 0x04);
	type("a");
	uart16550_receive_break(uart);
	/* Somewhere in the FIFO, not at its top. */
	ck_assert_uint_eq(inb(&b, LSR), 0xE1);
	ck_assert(!b.level);
	inb(&b, DATA);
	ck_assert(b.level);
	ck_assert_uint_eq(inb(&b, LSR), 0xF1);
	ck_assert(!b.level);
}
END_TEST

/* --- interrupts ------------------------------------------------------ */

START_TEST(priorities)
{
	init(0x01);
	uart16550_set_modem(uart, UART16550_CTS); /* MSI */
	outb(&b, IER, 0x0F); /* THRI */
	uart16550_receive_break(uart); /* RLSI, RDI */
	ck_assert_uint_eq(inb(&b, IIR), 0xC6);
	inb(&b, LSR);
	ck_assert_uint_eq(inb(&b, IIR), 0xC4);
	inb(&b, DATA);
	ck_assert_uint_eq(inb(&b, IIR), 0xC2);
	ck_assert_uint_eq(inb(&b, IIR), 0xC0);
	ck_assert(b.level);
	inb(&b, MSR);
	ck_assert_uint_eq(inb(&b, IIR), 0xC1);
	ck_assert(!b.level);
	ck_assert_uint_eq(b.rises, 1); /* all that time it was up */
}
END_TEST

START_TEST(iir_of_another_keeps_thri)
{
	init(0x01);
	outb(&b, IER, 0x03);
	type("x");
	ck_assert_uint_eq(inb(&b, IIR), 0xC4);
	inb(&b, DATA);
	ck_assert_uint_eq(inb(&b, IIR), 0xC2);
}
END_TEST

START_TEST(out2_gates_the_line)
{
	outb(&b, IER, 0x02);
	ck_assert(!b.level);
	ck_assert_uint_eq(inb(&b, IIR), 0x02); /* pending all the same */
	outb(&b, DATA, 'x');
	outb(&b, MCR, OUT2);
	ck_assert(b.level);
	outb(&b, MCR, 0);
	ck_assert(!b.level);
}
END_TEST

/* --- modem ----------------------------------------------------------- */

START_TEST(modem_deltas)
{
	static const struct {
		const char *what;
		uint8_t from, to, msr;
	} t[] = {
		{"CTS up", 0x00, 0x10, 0x11},
		{"CTS down", 0x10, 0x00, 0x01},
		{"DSR up", 0x00, 0x20, 0x22},
		{"RI up is no edge", 0x00, 0x40, 0x40},
		{"RI down is", 0x40, 0x00, 0x04},
		{"DCD down", 0x80, 0x00, 0x08},
		{"nothing", 0xB0, 0xB0, 0xB0},
		{"all at once", 0xF0, 0x00, 0x0F},
	};

	for (unsigned int i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		uart16550_set_modem(uart, t[i].from);
		inb(&b, MSR);
		uart16550_set_modem(uart, t[i].to);
		ck_assert_msg(inb(&b, MSR) == t[i].msr, "%s", t[i].what);
		ck_assert_msg(inb(&b, MSR) == t[i].to, "%s: once", t[i].what);
	}
}
END_TEST

START_TEST(modem_interrupt)
{
	init(0x01);
	outb(&b, IER, 0x08);
	ck_assert(!b.level);
	uart16550_set_modem(uart, 0);
	ck_assert(b.level);
	ck_assert_uint_eq(inb(&b, IIR), 0xC0);
	ck_assert_uint_eq(inb(&b, MSR), 0x0B);
	ck_assert(!b.level);
}
END_TEST

/* --- loopback -------------------------------------------------------- */

START_TEST(loopback_data)
{
	init(0x01);
	outb(&b, MCR, LOOP | OUT2);
	inb(&b, MSR);
	outb(&b, IER, 0x01);
	outb(&b, DATA, 'q');
	ck_assert(b.level);
	ck_assert_uint_eq(inb(&b, LSR), 0x61);
	ck_assert_uint_eq(inb(&b, DATA), 'q');
	expect_output("");
	/* Nothing from outside meanwhile, and it is asked for afterwards. */
	ck_assert_uint_eq(type("x"), 0);
	ck_assert_uint_eq(wakes, 0);
	outb(&b, MCR, OUT2);
	ck_assert_uint_eq(wakes, 1);
	ck_assert_uint_eq(type("x"), 1);
}
END_TEST

START_TEST(loopback_modem)
{
	static const struct {
		uint8_t mcr, lines;
	} t[] = {{0x01, 0x20}, {0x02, 0x10}, {0x04, 0x40}, {0x08, 0x80}};

	for (unsigned int i = 0; i < 4; i++) {
		outb(&b, MCR, LOOP | t[i].mcr);
		ck_assert_uint_eq(inb(&b, MSR) & 0xF0, t[i].lines);
	}
	outb(&b, MCR, 0);
	ck_assert_uint_eq(inb(&b, MSR) & 0xF0, 0xB0);
}
END_TEST

START_TEST(overrun_in_loopback)
{
	init(0x01);
	outb(&b, MCR, LOOP | OUT2);
	outb(&b, IER, 0x04);
	for (unsigned int i = 0; i < 17; i++)
		outb(&b, DATA, (uint8_t)('a' + i));
	ck_assert(b.level);
	ck_assert_uint_eq(inb(&b, IIR), 0xC6);
	ck_assert_uint_eq(inb(&b, LSR), 0x63);
	ck_assert_uint_eq(inb(&b, LSR), 0x61);
	for (unsigned int i = 0; i < 16; i++)
		ck_assert_uint_eq(inb(&b, DATA), 'a' + i);
	ck_assert_uint_eq(inb(&b, LSR), 0x60);
}
END_TEST

START_TEST(reset_is_power_on)
{
	init(0xC7);
	outb(&b, LCR, 0x1B);
	outb(&b, SCR, 0x77);
	outb(&b, IER, 0x0F);
	type("abc");
	ck_assert(b.level);
	uart16550_reset(uart);
	ck_assert(!b.level);
	ck_assert_uint_eq(inb(&b, IER), 0);
	ck_assert_uint_eq(inb(&b, IIR), 0x01);
	ck_assert_uint_eq(inb(&b, LCR), 0);
	ck_assert_uint_eq(inb(&b, MCR), 0);
	ck_assert_uint_eq(inb(&b, LSR), 0x60);
	ck_assert_uint_eq(inb(&b, MSR), 0xB0);
	ck_assert_uint_eq(inb(&b, SCR), 0);
}
END_TEST

static TCase *tcase(Suite *s, const char *name)
{
	TCase *t = tcase_create(name);

	tcase_add_checked_fixture(t, setup, teardown);
	suite_add_tcase(s, t);
	return t;
}

int main(void)
{
	Suite *s = suite_create("devices/uart16550");
	TCase *t = tcase(s, "registers");

	tcase_add_test(t, power_on_values);
	tcase_add_test(t, divisor_latch);
	tcase_add_test(t, register_masks);
	tcase_add_test(t, fifo_enable_shows_in_iir);
	tcase_add_test(t, linux_loopback_probe);
	tcase_add_test(t, word_access_is_two_registers);
	tcase_add_test(t, reset_is_power_on);
	t = tcase(s, "receiver");
	tcase_add_test(t, one_character_without_fifo);
	tcase_add_test(t, sixteen_characters_with_fifo);
	tcase_add_test(t, trigger_levels);
	tcase_add_test(t, receive_interrupt_without_fifo);
	tcase_add_test(t, fifo_clear);
	tcase_add_test(t, clearing_makes_room);
	tcase_add_test(t, break_condition);
	tcase_add_test(t, error_shows_with_its_character);
	t = tcase(s, "interrupts");
	tcase_add_test(t, priorities);
	tcase_add_test(t, iir_of_another_keeps_thri);
	tcase_add_test(t, out2_gates_the_line);
	tcase_add_test(t, modem_deltas);
	tcase_add_test(t, modem_interrupt);
	t = tcase(s, "loopback");
	tcase_add_test(t, loopback_data);
	tcase_add_test(t, loopback_modem);
	tcase_add_test(t, overrun_in_loopback);
	return check_main(s);
}
