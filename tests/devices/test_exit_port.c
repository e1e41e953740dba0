/* SPDX-License-Identifier: MIT */
#include "devices/exit_port.h"

#include "support/fake_board.h"

static struct fake_board b;
static struct exit_port *port;

static void setup(void)
{
	fake_board_init(&b);
	port = exit_port_new(fake_machine(&b));
	ck_assert_int_eq(exit_port_attach(port, b.pio), 0);
}

static void teardown(void)
{
	exit_port_free(port);
	fake_board_clear(&b);
}

START_TEST(every_width)
{
	outb(&b, 0xF4, 0x21);
	ck_assert_uint_eq(b.exits, 1);
	ck_assert_uint_eq(b.exit_value, 0x21);
	outw(&b, 0xF4, 0x4321);
	ck_assert_uint_eq(b.exits, 2);
	ck_assert_uint_eq(b.exit_value, 0x4321);
	/* kvm-unit-tests' exit() */
	outl(&b, 0xF4, 0x87654321);
	ck_assert_uint_eq(b.exits, 3);
	ck_assert_uint_eq(b.exit_value, 0x87654321);
}
END_TEST

START_TEST(reads_are_harmless)
{
	ck_assert_uint_eq(inl(&b, 0xF4), 0);
	ck_assert_uint_eq(b.exits, 0);
}
END_TEST

START_TEST(four_ports)
{
	outb(&b, 0xF7, 1);
	ck_assert_uint_eq(b.exits, 1);
	outb(&b, 0xF8, 1);
	outb(&b, 0xF3, 1);
	ck_assert_uint_eq(b.exits, 1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("devices/exit_port");
	TCase *t = tcase_create("exit_port");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, every_width);
	tcase_add_test(t, reads_are_harmless);
	tcase_add_test(t, four_ports);
	suite_add_tcase(s, t);
	return check_main(s);
}
