/* SPDX-License-Identifier: MIT */
#include "devices/legacy_ports.h"

#include <string.h>

#include "devices/uart16550.h"
#include "support/fake_board.h"

static struct fake_board b;

static void setup(void)
{
	fake_board_init(&b);
}

static void teardown(void)
{
	fake_board_clear(&b);
}

START_TEST(empty_but_expected)
{
	static const uint16_t ports[] = {0x00,  0x0F,  0x80, 0x87,  0x8F,
					 0xC0,  0xDF,  0xED, 0x2F8, 0x3FD,
					 0x3E9, 0x2EF, 0x3D4};

	legacy_ports_attach(b.pio);
	for (unsigned int i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		outb(&b, ports[i], 0x55);
		ck_assert_msg(inb(&b, ports[i]) == 0xFF, "0x%x", ports[i]);
	}
	ck_assert_uint_eq(bus_unclaimed(b.pio), 0);
	inb(&b, 0x300);
	ck_assert_uint_eq(bus_unclaimed(b.pio), 1);
}
END_TEST

START_TEST(each_is_counted_by_name)
{
	struct bus_range_info info;
	unsigned int seen = 0;

	legacy_ports_attach(b.pio);
	outb(&b, 0x80, 1);
	outb(&b, 0x80, 2);
	for (unsigned int i = 0; bus_range(b.pio, i, &info); i++) {
		if (strcmp(info.name, "post") != 0)
			continue;
		seen++;
		ck_assert_uint_eq(info.writes, 2);
	}
	ck_assert_uint_eq(seen, 1);
}
END_TEST

START_TEST(a_real_device_comes_first)
{
	struct uart16550 *uart =
		uart16550_new((struct irq_line){0}, (struct byte_port_host){0});

	ck_assert_int_eq(uart16550_attach(uart, b.pio, 0x3F8), 0);
	legacy_ports_attach(b.pio);
	ck_assert_uint_eq(inb(&b, 0x3FD), 0x60);
	ck_assert_uint_eq(inb(&b, 0x2FD), 0xFF);
	uart16550_free(uart);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("devices/legacy_ports");
	TCase *t = tcase_create("legacy_ports");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, empty_but_expected);
	tcase_add_test(t, each_is_counted_by_name);
	tcase_add_test(t, a_real_device_comes_first);
	suite_add_tcase(s, t);
	return check_main(s);
}
