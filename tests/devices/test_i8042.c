/* SPDX-License-Identifier: MIT */
#include "devices/i8042.h"

#include "support/fake_board.h"

#define DATA   0x60
#define STATUS 0x64

static struct fake_board b;
static struct i8042 *kbc;

static void setup(void)
{
	fake_board_init(&b);
	kbc = i8042_new(fake_irq(&b, 1), fake_machine(&b));
	ck_assert_int_eq(i8042_attach(kbc, b.pio), 0);
}

static void teardown(void)
{
	i8042_free(kbc);
	fake_board_clear(&b);
}

static void command(uint8_t cmd)
{
	outb(&b, STATUS, cmd);
}

static void expect_answer(const char *what, uint8_t byte)
{
	ck_assert_msg(inb(&b, STATUS) & 0x01, "%s: no answer", what);
	ck_assert_msg(!(inb(&b, STATUS) & 0x20), "%s: from AUX", what);
	ck_assert_msg(inb(&b, DATA) == byte, "%s", what);
	ck_assert_msg(!(inb(&b, STATUS) & 0x01), "%s: more", what);
}

START_TEST(status)
{
	/* Never busy, so that a reset is not delayed (Linux kb_wait());
	 * nothing to read; not locked ("Keylock active"). */
	ck_assert_uint_eq(inb(&b, STATUS), 0x1C);
	outb(&b, DATA, 0xED);
	ck_assert_uint_eq(inb(&b, STATUS), 0x14);
	command(0xAE);
	ck_assert_uint_eq(inb(&b, STATUS), 0x1C);
}
END_TEST

START_TEST(answers)
{
	static const struct {
		const char *what;
		uint8_t cmd, answer;
	} t[] = {
		{"configuration byte", 0x20, 0x74},
		{"self test", 0xAA, 0x55},
		{"keyboard line test", 0xAB, 0x00},
		{"AUX line test: absent", 0xA9, 0x01},
		{"input port", 0xC0, 0x80},
		{"output port: A20, no reset", 0xD0, 0x03},
		{"RAM", 0x3F, 0x00},
	};

	for (unsigned int i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		command(t[i].cmd);
		expect_answer(t[i].what, t[i].answer);
	}
	ck_assert_uint_eq(b.resets, 0);
}
END_TEST

START_TEST(configuration)
{
	command(0x60);
	outb(&b, DATA, 0x45);
	command(0x20);
	ck_assert(b.level);
	expect_answer("as written", 0x45);
	command(0xA7);
	command(0xAD);
	command(0x20);
	expect_answer("both disabled", 0x75);
	command(0xA8);
	command(0xAE);
	command(0x20);
	expect_answer("both enabled", 0x45);
	command(0x7F);
	outb(&b, DATA, 0x99);
	command(0x3F);
	expect_answer("the last byte of RAM", 0x99);
}
END_TEST

START_TEST(interrupt_with_answers)
{
	command(0xAA);
	ck_assert(!b.level); /* not enabled by default */
	inb(&b, DATA);
	command(0x60);
	outb(&b, DATA, 0x01);
	command(0xAA);
	ck_assert(b.level);
	ck_assert_uint_eq(b.gsi, 1);
	inb(&b, DATA);
	ck_assert(!b.level);
}
END_TEST

START_TEST(linux_probe_with_acpi_off)
{
	unsigned int n = 0;

	/* i8042_platform_init(): A20 through the output port, null command */
	command(0xD1);
	outb(&b, DATA, 0xDF);
	command(0xFF);
	ck_assert_uint_eq(b.resets, 0);
	/* i8042_flush(): 16 bytes would mean "No controller found" */
	while (inb(&b, STATUS) & 0x01 && n++ < 16)
		inb(&b, DATA);
	ck_assert_uint_eq(n, 0);
	/* i8042_check_aux(): at once, and not from AUX, is "auxerr" … */
	command(0xD3);
	outb(&b, DATA, 0x5A);
	expect_answer("AUX loop", 0x5A);
	/* … then the line test says that it is not there. */
	command(0xA9);
	expect_answer("AUX test", 0x01);
	/* A keyboard: GETID is not answered. */
	command(0x60);
	outb(&b, DATA, 0x65);
	outb(&b, DATA, 0xF2);
	ck_assert_uint_eq(inb(&b, STATUS) & 0x01, 0);
	ck_assert(!b.level);
}
END_TEST

START_TEST(resets)
{
	static const struct {
		const char *what;
		uint8_t cmd;
		int byte;
		unsigned int resets;
	} t[] = {
		{"pulse the reset line", 0xFE, -1, 1},
		{"pulse all lines", 0xF0, -1, 1},
		{"pulse none", 0xFF, -1, 0},
		{"pulse A20 only", 0xFD, -1, 0},
		{"output port with the bit clear", 0xD1, 0xFE, 1},
		{"output port with the bit set", 0xD1, 0x01, 0},
		{"0xFE as data", 0xD4, 0xFE, 0},
		{"0xFE to the configuration", 0x60, 0xFE, 0},
	};

	for (unsigned int i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		b.resets = 0;
		command(t[i].cmd);
		if (t[i].byte >= 0)
			outb(&b, DATA, (uint8_t)t[i].byte);
		ck_assert_msg(b.resets == t[i].resets, "%s", t[i].what);
	}
}
END_TEST

START_TEST(data_without_command_goes_nowhere)
{
	outb(&b, DATA, 0xFE);
	outb(&b, DATA, 0xD1);
	command(0xD1);
	command(0xAE); /* another command forgets the first */
	outb(&b, DATA, 0x00);
	ck_assert_uint_eq(b.resets, 0);
	ck_assert_uint_eq(inb(&b, STATUS) & 0x01, 0);
}
END_TEST

START_TEST(every_command_is_survived)
{
	for (unsigned int cmd = 0; cmd < 0x100; cmd++) {
		command((uint8_t)cmd);
		outb(&b, DATA, 0xFF);
		ck_assert_uint_eq(inb(&b, STATUS) & 0x02, 0);
	}
	i8042_reset(kbc);
	ck_assert(!b.level);
	ck_assert_uint_eq(inb(&b, STATUS), 0x1C);
	command(0x20);
	expect_answer("power-on configuration", 0x74);
}
END_TEST

START_TEST(only_its_two_ports)
{
	/* 0x61 is the PIT's, and the kernel's. */
	ck_assert(!bus_read(b.pio, 0x61, &(uint8_t){0}, 1));
	ck_assert(!bus_read(b.pio, 0x65, &(uint8_t){0}, 1));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("devices/i8042");
	TCase *t = tcase_create("i8042");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, status);
	tcase_add_test(t, answers);
	tcase_add_test(t, configuration);
	tcase_add_test(t, interrupt_with_answers);
	tcase_add_test(t, linux_probe_with_acpi_off);
	tcase_add_test(t, resets);
	tcase_add_test(t, data_without_command_goes_nowhere);
	tcase_add_test(t, every_command_is_survived);
	tcase_add_test(t, only_its_two_ports);
	suite_add_tcase(s, t);
	return check_main(s);
}
