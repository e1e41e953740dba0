/* SPDX-License-Identifier: MIT */
#include "devices/reset_ports.h"

#include "support/fake_board.h"

static struct fake_board b;
static struct reset_ports *ports;

static void setup(void)
{
	fake_board_init(&b);
	ports = reset_ports_new(fake_machine(&b));
	ck_assert_int_eq(reset_ports_attach(ports, b.pio), 0);
}

static void teardown(void)
{
	reset_ports_free(ports);
	fake_board_clear(&b);
}

START_TEST(reset_register)
{
	static const struct {
		const char *what;
		uint8_t first, second;
		unsigned int resets;
	} t[] = {
		{"the ACPI value alone", 0x06, 0x06, 2},
		{"Linux: hard, then reset", 0x02, 0x06, 1},
		{"soft reset", 0x00, 0x04, 1},
		{"full cycle", 0x0A, 0x0E, 1},
		{"no reset bit", 0x02, 0x0A, 0},
		{"other bits", 0xF0, 0xF1, 0},
	};

	for (unsigned int i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		b.resets = 0;
		outb(&b, 0xCF9, t[i].first);
		outb(&b, 0xCF9, t[i].second);
		ck_assert_msg(b.resets == t[i].resets, "%s", t[i].what);
		ck_assert_uint_eq(inb(&b, 0xCF9), t[i].second & 0x0A);
	}
}
END_TEST

START_TEST(pci_probe_finds_nothing)
{
	/* Linux arch/x86/pci/direct.c:pci_check_type1(), pci_check_type2() */
	outb(&b, 0xCFB, 0x01);
	outl(&b, 0xCF8, 0x80000000);
	ck_assert_uint_eq(inl(&b, 0xCF8), 0xFFFFFFFF);
	outb(&b, 0xCFB, 0x00);
	outb(&b, 0xCF8, 0x00);
	outb(&b, 0xCFA, 0x00);
	ck_assert_uint_eq(inb(&b, 0xCF8), 0xFF);
	ck_assert_uint_eq(inb(&b, 0xCFA), 0xFF);
	/* A device number whose bits lie where the reset register does. */
	outl(&b, 0xCF8, 0x80FF0600);
	outw(&b, 0xCF8, 0x0600);
	outw(&b, 0xCF9, 0x0006);
	ck_assert_uint_eq(inl(&b, 0xCFC), 0xFFFFFFFF);
	outl(&b, 0xCFC, 0);
	ck_assert_uint_eq(b.resets, 0);
}
END_TEST

START_TEST(port_92)
{
	ck_assert_uint_eq(inb(&b, 0x92), 0x02);
	outb(&b, 0x92, 0x02);
	outb(&b, 0x92, 0x00); /* A20 stays on */
	ck_assert_uint_eq(inb(&b, 0x92), 0x02);
	ck_assert_uint_eq(b.resets, 0);
	outb(&b, 0x92, 0x01);
	outb(&b, 0x92, 0x01); /* the edge counts */
	ck_assert_uint_eq(b.resets, 1);
	ck_assert_uint_eq(inb(&b, 0x92), 0x03);
	reset_ports_reset(ports);
	ck_assert_uint_eq(inb(&b, 0x92), 0x02);
	outb(&b, 0x92, 0x03);
	ck_assert_uint_eq(b.resets, 2);
}
END_TEST

START_TEST(machine_that_does_not_reset)
{
	struct reset_ports *deaf = reset_ports_new((struct machine_ops){0});
	struct bus *pio = bus_new("pio");
	uint8_t v = 0x06;

	reset_ports_attach(deaf, pio);
	bus_write(pio, 0xCF9, &v, 1);
	reset_ports_free(deaf);
	bus_free(pio);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("devices/reset_ports");
	TCase *t = tcase_create("reset_ports");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, reset_register);
	tcase_add_test(t, pci_probe_finds_nothing);
	tcase_add_test(t, port_92);
	tcase_add_test(t, machine_that_does_not_reset);
	suite_add_tcase(s, t);
	return check_main(s);
}
