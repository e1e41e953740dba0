/* SPDX-License-Identifier: MIT */
#include "devices/acpi_pm.h"

#include "base/clock.h"
#include "support/fake_board.h"

#define STS 0x400
#define EN  0x402
#define CNT 0x404
#define TMR 0x408

#define TMR_HZ 3579545ull

static struct fake_board b;
static struct acpi_pm *pm;

static void make(uint64_t now_ns)
{
	struct acpi_pm_config cfg = {
		.now_ns = fake_now,
		.clock_ctx = &b,
		.sci = fake_irq(&b, 9),
		.timer = fake_timer(&b),
		.machine = fake_machine(&b),
	};

	fake_board_init(&b);
	b.now_ns = now_ns;
	pm = acpi_pm_new(&cfg);
	ck_assert_int_eq(acpi_pm_attach(pm, b.pio), 0);
}

static void setup(void)
{
	make(0);
}

static void teardown(void)
{
	acpi_pm_free(pm);
	fake_board_clear(&b);
}

START_TEST(power_on_values)
{
	ck_assert_uint_eq(inw(&b, STS), 0);
	ck_assert_uint_eq(inw(&b, EN), 0);
	/* No SMI command: in ACPI mode from the start. */
	ck_assert_uint_eq(inw(&b, CNT), 0x0001);
	ck_assert_uint_eq(inl(&b, TMR), 0);
	ck_assert(!b.level);
}
END_TEST

START_TEST(enable_bits)
{
	outw(&b, EN, 0xFFFF);
	ck_assert_uint_eq(inw(&b, EN), 0x0721);
	outb(&b, EN + 1, 0x00);
	ck_assert_uint_eq(inw(&b, EN), 0x0021);
	outb(&b, EN, 0x00);
	ck_assert_uint_eq(inw(&b, EN), 0x0000);
	outl(&b, STS, 0x01000000);
	ck_assert_uint_eq(inl(&b, STS), 0x01000000);
}
END_TEST

START_TEST(power_button)
{
	/* Pressed while nobody listens: it waits. */
	acpi_pm_power_button(pm);
	ck_assert(!b.level);
	ck_assert_uint_eq(inw(&b, STS), 0x0100);
	outw(&b, EN, 0x0100);
	ck_assert(b.level);
	ck_assert_uint_eq(b.gsi, 9);
	/* Writing 0 clears nothing, neither do other bits. */
	outw(&b, STS, 0x0000);
	outw(&b, STS, 0xFEFF);
	ck_assert_uint_eq(inw(&b, STS), 0x0100);
	ck_assert(b.level);
	outw(&b, STS, 0x0100);
	ck_assert_uint_eq(inw(&b, STS), 0);
	ck_assert(!b.level);

	acpi_pm_power_button(pm);
	ck_assert(b.level);
	acpi_pm_power_button(pm);
	ck_assert_uint_eq(b.rises, 2);
	outb(&b, STS + 1, 0x01);
	ck_assert(!b.level);
}
END_TEST

START_TEST(disabling_lowers_the_sci)
{
	outw(&b, EN, 0x0100);
	acpi_pm_power_button(pm);
	ck_assert(b.level);
	outw(&b, EN, 0);
	ck_assert(!b.level);
	ck_assert_uint_eq(inw(&b, STS), 0x0100);
}
END_TEST

START_TEST(power_off)
{
	static const struct {
		const char *what;
		uint16_t value;
		unsigned int power_offs;
	} t[] = {
		{"SLP_TYP without SLP_EN", 5 << 10, 0},
		{"S5", 5 << 10 | 1 << 13, 1},
		{"with SCI_EN, as Linux writes", 5 << 10 | 1 << 13 | 1, 1},
		{"SLP_TYP 0 is not offered", 1 << 13, 0},
		{"SLP_TYP 7 is not offered", 7 << 10 | 1 << 13, 0},
	};

	for (unsigned int i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		b.power_offs = 0;
		outw(&b, CNT, t[i].value);
		ck_assert_msg(b.power_offs == t[i].power_offs, "%s", t[i].what);
		/* SLP_EN is write-only, SCI_EN wired to 1. */
		ck_assert_uint_eq(inw(&b, CNT), (t[i].value & 0x1C00) | 1);
	}
	/* A byte to the upper half is enough. */
	b.power_offs = 0;
	outb(&b, CNT + 1, (5 << 2) | (1 << 5));
	ck_assert_uint_eq(b.power_offs, 1);
}
END_TEST

START_TEST(control_bits)
{
	outw(&b, CNT, 0xDFFF);
	ck_assert_uint_eq(inw(&b, CNT), 0x1C03);
	outw(&b, CNT, 0);
	ck_assert_uint_eq(inw(&b, CNT), 0x0001);
	ck_assert_uint_eq(inb(&b, CNT), 0x01);
	ck_assert_uint_eq(inb(&b, CNT + 1), 0x00);
	ck_assert_uint_eq(b.power_offs, 0);
}
END_TEST

START_TEST(timer_rate)
{
	static const uint64_t seconds[] = {1, 2, 10, 599, 3600, 86400 * 365};

	for (unsigned int i = 0; i < sizeof(seconds) / sizeof(seconds[0]);
	     i++) {
		b.now_ns = seconds[i] * NSEC_PER_SEC;
		ck_assert_uint_eq(inl(&b, TMR),
				  (uint32_t)(seconds[i] * TMR_HZ));
	}
	/* One tick is 279.365 ns. */
	b.now_ns = 279;
	ck_assert_uint_eq(inl(&b, TMR), 0);
	b.now_ns = 280;
	ck_assert_uint_eq(inl(&b, TMR), 1);
}
END_TEST

START_TEST(timer_wraps_at_32_bits)
{
	uint64_t wrap_ns = (1ull << 32) * NSEC_PER_SEC / TMR_HZ + 1;

	b.now_ns = wrap_ns - 280;
	ck_assert_uint_eq(inl(&b, TMR), 0xFFFFFFFF);
	b.now_ns = wrap_ns;
	ck_assert_uint_eq(inl(&b, TMR), 0);
}
END_TEST

START_TEST(timer_bytes)
{
	b.now_ns = 1000 * NSEC_PER_SEC;
	ck_assert_uint_eq(inb(&b, TMR + 2), (TMR_HZ * 1000 >> 16) & 0xFF);
	ck_assert_uint_eq(inw(&b, TMR + 2), (TMR_HZ * 1000 >> 16) & 0xFFFF);
	outl(&b, TMR, 0); /* read only */
	ck_assert_uint_eq(inl(&b, TMR), (uint32_t)(TMR_HZ * 1000));
}
END_TEST

/* The first instant after which bit 31 has changed @n times. */
static uint64_t half_ns(unsigned int n)
{
	return (((uint64_t)n << 31) * NSEC_PER_SEC) / TMR_HZ + 1;
}

START_TEST(timer_status_each_half)
{
	b.now_ns = half_ns(1) - 300;
	ck_assert_uint_eq(inw(&b, STS), 0);
	b.now_ns = half_ns(1);
	ck_assert_uint_eq(inw(&b, STS), 0x0001);
	outw(&b, STS, 0x0001);
	ck_assert_uint_eq(inw(&b, STS), 0);
	b.now_ns = half_ns(2);
	ck_assert_uint_eq(inw(&b, STS), 0x0001);
	/* Nobody looked for two halves: it changed all the same. */
	outw(&b, STS, 0x0001);
	b.now_ns = half_ns(4);
	ck_assert_uint_eq(inw(&b, STS), 0x0001);
	/* Cleared at the very moment it comes true. */
	b.now_ns = half_ns(5);
	outw(&b, STS, 0x0001);
	ck_assert_uint_eq(inw(&b, STS), 0);
	ck_assert_uint_eq(b.arms, 5 - 1 - 1); /* for each clear */
	ck_assert_uint_eq(b.delay_ns, TIMER_LINE_NEVER);
}
END_TEST

START_TEST(timer_overflow_interrupt)
{
	b.now_ns = 100 * NSEC_PER_SEC;
	outw(&b, EN, 0x0001);
	ck_assert_uint_ne(b.delay_ns, TIMER_LINE_NEVER);
	ck_assert_uint_ge(b.now_ns + b.delay_ns, half_ns(1));
	ck_assert_uint_le(b.now_ns + b.delay_ns, half_ns(1) + 300);
	/* Too early is harmless. */
	b.now_ns += 1000;
	acpi_pm_expired(pm);
	ck_assert(!b.level);
	b.now_ns += b.delay_ns;
	acpi_pm_expired(pm);
	ck_assert(b.level);
	ck_assert_uint_eq(b.delay_ns, TIMER_LINE_NEVER);
	outw(&b, STS, 0x0001);
	ck_assert(!b.level);
	ck_assert_uint_le(b.now_ns + b.delay_ns, half_ns(2) + 300);
	outw(&b, EN, 0);
	ck_assert_uint_eq(b.delay_ns, TIMER_LINE_NEVER);
}
END_TEST

START_TEST(other_bits_do_not_arm)
{
	outw(&b, EN, 0x0100);
	outw(&b, STS, 0x0100);
	ck_assert_uint_eq(b.arms, 0);
}
END_TEST

START_TEST(reset_is_power_on)
{
	outw(&b, EN, 0x0101);
	outw(&b, CNT, 5 << 10);
	acpi_pm_power_button(pm);
	ck_assert(b.level);
	acpi_pm_reset(pm);
	ck_assert(!b.level);
	ck_assert_uint_eq(inl(&b, STS), 0);
	ck_assert_uint_eq(inw(&b, CNT), 1);
	ck_assert_uint_eq(b.delay_ns, TIMER_LINE_NEVER);
}
END_TEST

START_TEST(host_clock_by_default)
{
	struct acpi_pm_config cfg = {.now_ns = NULL};
	struct acpi_pm *real = acpi_pm_new(&cfg);
	struct bus *pio = bus_new("pio");
	uint32_t a, z;

	acpi_pm_attach(real, pio);
	bus_read(pio, TMR, &a, 4);
	bus_read(pio, TMR, &z, 4);
	ck_assert_uint_le(z - a, TMR_HZ * 10);
	acpi_pm_power_button(real); /* without a pin */
	z = 0x0100;
	bus_write(pio, EN, &z, 2);
	acpi_pm_free(real);
	bus_free(pio);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("devices/acpi_pm");
	TCase *t = tcase_create("acpi_pm");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, power_on_values);
	tcase_add_test(t, enable_bits);
	tcase_add_test(t, power_button);
	tcase_add_test(t, disabling_lowers_the_sci);
	tcase_add_test(t, power_off);
	tcase_add_test(t, control_bits);
	tcase_add_test(t, timer_rate);
	tcase_add_test(t, timer_wraps_at_32_bits);
	tcase_add_test(t, timer_bytes);
	tcase_add_test(t, timer_status_each_half);
	tcase_add_test(t, timer_overflow_interrupt);
	tcase_add_test(t, other_bits_do_not_arm);
	tcase_add_test(t, reset_is_power_on);
	tcase_add_test(t, host_clock_by_default);
	suite_add_tcase(s, t);
	return check_main(s);
}
