/* SPDX-License-Identifier: MIT */
#include "devices/uart16550.h"

#include <pthread.h>

#include "base/clock.h"
#include "support/turns.h"
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

	uart16550_set_clock(uart, fake_now, &b);
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

/*
 * Linux 8250_core.c:serial8250_interrupt(), with an endless supply and an exit
 * that costs @exit_ns; returns after how many bytes it came to an end.
 */
static unsigned int handler(uint64_t exit_ns)
{
	unsigned int n = 0;

	while (!(inb(&b, IIR) & 0x01) && n < 16384) {
		b.now_ns += exit_ns;
		for (unsigned int i = 0; i < 16; i++, n++) {
			outb(&b, DATA, 'x');
			b.now_ns += exit_ns;
		}
	}
	return n;
}

static void drain(void)
{
	static uint8_t data[65536];

	uart16550_transmit(uart, data, sizeof(data));
}

static void start_handler_test(void)
{
	b.now_ns = NSEC_PER_SEC;
	uart16550_set_clock(uart, fake_now, &b);
	init(0xC7);
	outb(&b, IER, 0x02);
}

START_TEST(handler_loop_comes_to_an_end)
{
	start_handler_test();
	for (unsigned int i = 0; i < 3; i++) {
		unsigned int n = handler(1000);

		/* A tty's buffer at once, but less than 512 rounds. */
		ck_assert_uint_ge(n, 4096);
		ck_assert_uint_lt(n, 512 * 16);
		ck_assert(!b.level);
		/* A guest that polls may go on. */
		ck_assert_uint_eq(inb(&b, LSR) & 0x20, 0x20);
		/* The interrupt is there as soon as the host end is. */
		ck_assert_uint_eq(uart16550_again_ns(uart), 0);
		drain();
		ck_assert(b.level);
		ck_assert_uint_eq(uart16550_again_ns(uart), UINT64_MAX);
	}
}
END_TEST

static const uint64_t exit_costs_ns[] = {1000, 10000, 100000};

START_TEST(storm_leaves_time_for_others)
{
	uint64_t exit_ns = exit_costs_ns[_i], begin, busy = 0, held = 0;

	start_handler_test();
	for (unsigned int n = 0; n < 40000;) {
		n += handler(exit_ns);
		b.now_ns += uart16550_again_ns(uart);
		drain();
	}
	for (unsigned int k = 0; k < 100; k++) {
		begin = b.now_ns;
		ck_assert_uint_le(handler(exit_ns), 512);
		busy += b.now_ns - begin;
		/* The host end is too early, and comes again. */
		drain();
		ck_assert(!b.level);
		held += uart16550_again_ns(uart);
		b.now_ns += uart16550_again_ns(uart);
		ck_assert_uint_eq(uart16550_again_ns(uart), 0);
		drain();
		ck_assert(b.level);
	}
	ck_assert_uint_ge(held, busy * 9 / 10);
	ck_assert_uint_le(held, busy * 11 / 10);
}
END_TEST

START_TEST(hold_is_bounded)
{
	start_handler_test();
	for (unsigned int i = 0; i < 10; i++) {
		handler(10 * NSEC_PER_MSEC);
		drain();
		ck_assert_uint_le(uart16550_again_ns(uart) + 1,
				  50 * NSEC_PER_MSEC + 1);
		b.now_ns += 50 * NSEC_PER_MSEC;
		drain();
		ck_assert(b.level);
	}
}
END_TEST

START_TEST(pause_ends_a_storm)
{
	start_handler_test();
	for (unsigned int n = 0; n < 40000;) {
		n += handler(10000);
		b.now_ns += 50 * NSEC_PER_MSEC; /* its thread was preempted */
		drain();
	}
	ck_assert_uint_le(handler(10000), 512);
	b.now_ns += 50 * NSEC_PER_MSEC;
	drain();
	/* Nothing more to send for a while */
	b.now_ns += 300 * NSEC_PER_MSEC;
	ck_assert_uint_ge(handler(10000), 4096);
}
END_TEST

START_TEST(occasional_output_is_never_held)
{
	/* Somebody types, and is echoed. */
	start_handler_test();
	for (unsigned int i = 0; i < 10000; i++) {
		ck_assert_uint_eq(inb(&b, IIR), 0xC2);
		outb(&b, DATA, 'x');
		ck_assert(b.level);
		drain();
		b.now_ns += 250 * NSEC_PER_MSEC;
	}
}
END_TEST

START_TEST(polling_is_never_held)
{
	uint8_t data[4096];

	/* A kernel's console switches the interrupt off meanwhile. */
	start_handler_test();
	outb(&b, IER, 0x00);
	for (unsigned int i = 0; i < 3000; i++)
		outb(&b, DATA, 'x');
	outb(&b, IER, 0x02);
	ck_assert(b.level);
	ck_assert_uint_eq(uart16550_again_ns(uart), UINT64_MAX);
	ck_assert_uint_eq(uart16550_transmit(uart, data, sizeof(data)), 3000);
}
END_TEST

START_TEST(reset_ends_a_hold)
{
	start_handler_test();
	handler(1000);
	ck_assert(!b.level);
	uart16550_reset(uart);
	ck_assert_uint_eq(uart16550_again_ns(uart), UINT64_MAX);
	outb(&b, MCR, OUT2);
	outb(&b, IER, 0x02);
	ck_assert(b.level);
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
			give_way();
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
			give_way();
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
	tcase_add_loop_test(t, storm_leaves_time_for_others, 0, 3);
	tcase_add_test(t, pause_ends_a_storm);
	tcase_add_test(t, hold_is_bounded);
	tcase_add_test(t, occasional_output_is_never_held);
	tcase_add_test(t, polling_is_never_held);
	tcase_add_test(t, reset_ends_a_hold);
	tcase_add_test(t, without_host_end_output_vanishes);
	tcase_add_test(t, two_vcpus_one_slow_reader);
	suite_add_tcase(s, t);
	return check_main(s);
}
