/* SPDX-License-Identifier: MIT */
#include "devices/debugcon.h"

#include <string.h>

#include "support/fake_board.h"

static struct fake_board b;
static struct debugcon *con;
static unsigned int wakes;

static void on_wake(void *ctx)
{
	(void)ctx;
	wakes++;
}

static void setup(void)
{
	fake_board_init(&b);
	wakes = 0;
	con = debugcon_new((struct byte_port_host){on_wake, NULL});
	ck_assert_int_eq(debugcon_attach(con, b.pio), 0);
}

static void teardown(void)
{
	debugcon_free(con);
	fake_board_clear(&b);
}

START_TEST(says_that_it_is_there)
{
	ck_assert_uint_eq(inb(&b, 0xE9), 0xE9);
}
END_TEST

START_TEST(prints)
{
	uint8_t data[8] = {0};

	for (const char *p = "hello"; *p; p++)
		outb(&b, 0xE9, (uint8_t)*p);
	ck_assert_uint_eq(wakes, 1);
	ck_assert_uint_eq(debugcon_transmit(con, data, 3), 3);
	ck_assert_uint_eq(debugcon_port_ops.transmit(con, data + 3, 5), 2);
	ck_assert_str_eq((char *)data, "hello");
	outb(&b, 0xE9, '!');
	ck_assert_uint_eq(wakes, 2);
}
END_TEST

START_TEST(full_buffer_loses_and_counts)
{
	static uint8_t data[1u << 20];
	unsigned int n = 300000;
	size_t got;

	for (unsigned int i = 0; i < n; i++)
		outb(&b, 0xE9, 'x');
	got = debugcon_transmit(con, data, sizeof(data));
	ck_assert_uint_ge(got, 65536);
	ck_assert_uint_eq(got + debugcon_lost(con), n);
}
END_TEST

START_TEST(nobody_listens)
{
	struct debugcon *deaf = debugcon_new((struct byte_port_host){0});
	struct bus *pio = bus_new("pio");
	uint8_t v = 'x';

	debugcon_attach(deaf, pio);
	bus_write(pio, 0xE9, &v, 1);
	ck_assert_uint_eq(debugcon_transmit(deaf, &v, 1), 0);
	ck_assert_uint_eq(debugcon_lost(deaf), 0);
	debugcon_free(deaf);
	bus_free(pio);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("devices/debugcon");
	TCase *t = tcase_create("debugcon");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, says_that_it_is_there);
	tcase_add_test(t, prints);
	tcase_add_test(t, full_buffer_loses_and_counts);
	tcase_add_test(t, nobody_listens);
	suite_add_tcase(s, t);
	return check_main(s);
}
