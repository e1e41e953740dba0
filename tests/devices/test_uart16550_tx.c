/* SPDX-License-Identifier: MIT */
#include "devices/uart16550.h"

#include <pthread.h>
#include <sched.h>

#include "support/uart_bench.h"

/* --- transmitter ----------------------------------------------------- */

START_TEST(prints)
{
	outb(&b, DATA, 'h');
	outb(&b, DATA, 'i');
	ck_assert_uint_eq(wakes, 1); /* once, not per byte */
	expect_output("hi");
	outb(&b, DATA, '!');
	ck_assert_uint_eq(wakes, 2);
	expect_output("!");
	expect_output("");
}
END_TEST

START_TEST(clearing_the_fifo_loses_nothing)
{
	outb(&b, DATA, 'x');
	outb(&b, FCR, 0x07);
	outb(&b, FCR, 0x00);
	uart16550_reset(uart);
	expect_output("x");
}
END_TEST

START_TEST(thri_at_once_when_enabled)
{
	init(0xC7);
	ck_assert(!b.level);
	outb(&b, IER, 0x02);
	ck_assert(b.level);
	ck_assert_uint_eq(b.gsi, 4);
	/* Reading it acknowledges. */
	ck_assert_uint_eq(inb(&b, IIR), 0xC2);
	ck_assert(!b.level);
	ck_assert_uint_eq(inb(&b, IIR), 0xC1);
	/* So is writing it again no new reason … */
	outb(&b, IER, 0x02);
	ck_assert(!b.level);
	/* … but off and on is (8250_port.c's THRE test). */
	outb(&b, IER, 0x00);
	outb(&b, IER, 0x02);
	ck_assert(b.level);
	ck_assert_uint_eq(inb(&b, IIR), 0xC2);
}
END_TEST

START_TEST(thri_after_each_write)
{
	init(0xC7);
	outb(&b, IER, 0x02);
	inb(&b, IIR);
	ck_assert(!b.level);
	outb(&b, DATA, 'a');
	ck_assert(b.level);
	ck_assert_uint_eq(inb(&b, IIR), 0xC2);
	ck_assert(!b.level);
}
END_TEST

START_TEST(masking_lowers_the_line)
{
	init(0xC7);
	outb(&b, IER, 0x02);
	ck_assert(b.level);
	outb(&b, IER, 0x00);
	ck_assert(!b.level);
	ck_assert_uint_eq(inb(&b, IIR), 0xC1);
}
END_TEST

START_TEST(slow_reader_holds_thre)
{
	unsigned int n = 0;
	uint8_t data[4096];
	size_t took = 0;
	bool ok = true;

	init(0xC7);
	outb(&b, IER, 0x02);
	/* A guest that polls THRE stops in time, with nothing lost. */
	while (inb(&b, LSR) & 0x20) {
		outb(&b, DATA, (uint8_t)n++);
		if (n == 100000)
			break;
	}
	ck_assert_uint_lt(n, 100000);
	ck_assert_uint_ge(n, 16 * 1024);
	ck_assert_uint_eq(inb(&b, LSR) & 0x60, 0);
	ck_assert_uint_eq(wakes, 2); /* there is some; it is urgent */
	ck_assert(!b.level);
	ck_assert_uint_eq(inb(&b, IIR), 0xC1);
	/* Enabling the interrupt while it is busy is none. */
	outb(&b, IER, 0x00);
	outb(&b, IER, 0x02);
	ck_assert(!b.level);

	/* Not after the first few bytes, but well before it is empty. */
	took += uart16550_transmit(uart, data, 100);
	ck_assert_uint_eq(inb(&b, LSR) & 0x20, 0);
	while (!b.level) {
		size_t m = uart16550_transmit(uart, data, sizeof(data));

		ck_assert_uint_gt(m, 0);
		for (size_t i = 0; i < m; i++)
			ok &= data[i] == (uint8_t)(took + i);
		took += m;
	}
	ck_assert(ok);
	ck_assert_uint_lt(took, n);
	ck_assert_uint_eq(inb(&b, LSR) & 0x60, 0x60);
	ck_assert_uint_eq(inb(&b, IIR), 0xC2);
	while ((n -= (unsigned int)took) > 0)
		took = uart16550_transmit(uart, data, sizeof(data));
	ck_assert_uint_eq(uart16550_lost(uart), 0);
}
END_TEST

START_TEST(writer_that_never_looks)
{
	static uint8_t data[512u << 10];
	unsigned int n = (256u << 10) + 5000;
	bool ok = true;
	size_t got;

	for (unsigned int i = 0; i < n; i++)
		outb(&b, DATA, (uint8_t)(i % 251));
	got = uart16550_transmit(uart, data, sizeof(data));
	ck_assert_uint_eq(got, 256u << 10);
	ck_assert_uint_eq(uart16550_lost(uart), n - got);
	for (unsigned int i = 0; i < got; i++)
		ok &= data[i] == i % 251;
	ck_assert(ok);
	/* And it goes on. */
	outb(&b, DATA, 'z');
	expect_output("z");
}
END_TEST

START_TEST(handler_loop_comes_to_an_end)
{
	unsigned int rounds = 0;
	uint8_t data[8192];

	/* 8250_core.c:serial8250_interrupt() with an endless supply */
	init(0xC7);
	outb(&b, IER, 0x02);
	while (!(inb(&b, IIR) & 0x01)) {
		for (unsigned int i = 0; i < 16; i++)
			outb(&b, DATA, 'x');
		/* The host end is quick, the loop must end all the same. */
		if (rounds % 16 == 15)
			uart16550_transmit(uart, data, sizeof(data));
		ck_assert_uint_lt(++rounds, 512);
	}
	ck_assert_uint_ge(rounds, 16);
	ck_assert(!b.level);
	ck_assert_uint_eq(inb(&b, LSR) & 0x20, 0x20);
	/* The host end is there again, and so is the interrupt. */
	uart16550_transmit(uart, data, sizeof(data));
	ck_assert(b.level);
	ck_assert_uint_eq(inb(&b, IIR), 0xC2);
}
END_TEST

START_TEST(without_host_end_output_vanishes)
{
	struct uart16550 *deaf =
		uart16550_new(fake_irq(&b, 3), (struct byte_port_host){0});

	uart16550_attach(deaf, b.pio, 0x2F8);
	for (unsigned int i = 0; i < 100000; i++)
		outb(&b, 0x2F8, 'x');
	ck_assert_uint_eq(inb(&b, 0x2F8 + 5), 0x60);
	ck_assert_uint_eq(uart16550_lost(deaf), 0);
	outb(&b, 0x2F8 + 4, OUT2);
	outb(&b, 0x2F8 + 1, 0x02);
	ck_assert(b.level);
	ck_assert_uint_eq(b.gsi, 3);
	inb(&b, 0x2F8 + 2);
	outb(&b, 0x2F8, 'x');
	ck_assert(b.level);
	uart16550_free(deaf);
}
END_TEST

/* --- threads --------------------------------------------------------- */

#define PER_THREAD 10000u

static void *polite_writer(void *arg)
{
	uint8_t id = *(uint8_t *)arg;

	for (unsigned int i = 0; i < PER_THREAD; i++) {
		while (!(inb(&b, LSR) & 0x20))
			sched_yield();
		outb(&b, DATA, id);
	}
	return NULL;
}

START_TEST(two_vcpus_one_slow_reader)
{
	uint8_t ids[2] = {'A', 'B'}, data[97];
	unsigned int counts[256] = {0};
	pthread_t t[2];
	size_t total = 0;

	for (unsigned int i = 0; i < 2; i++)
		pthread_create(&t[i], NULL, polite_writer, &ids[i]);
	while (total < 2 * PER_THREAD) {
		size_t n = uart16550_transmit(uart, data, sizeof(data));

		for (size_t i = 0; i < n; i++)
			counts[data[i]]++;
		if (!n)
			sched_yield();
		total += n;
	}
	for (unsigned int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	ck_assert_uint_eq(counts['A'], PER_THREAD);
	ck_assert_uint_eq(counts['B'], PER_THREAD);
	ck_assert_uint_eq(uart16550_lost(uart), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("devices/uart16550_tx");
	TCase *t = tcase_create("transmitter");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, prints);
	tcase_add_test(t, clearing_the_fifo_loses_nothing);
	tcase_add_test(t, thri_at_once_when_enabled);
	tcase_add_test(t, thri_after_each_write);
	tcase_add_test(t, masking_lowers_the_line);
	tcase_add_test(t, slow_reader_holds_thre);
	tcase_add_test(t, writer_that_never_looks);
	tcase_add_test(t, handler_loop_comes_to_an_end);
	tcase_add_test(t, without_host_end_output_vanishes);
	tcase_add_test(t, two_vcpus_one_slow_reader);
	suite_add_tcase(s, t);
	return check_main(s);
}
