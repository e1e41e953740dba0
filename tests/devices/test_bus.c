/* SPDX-License-Identifier: MIT */
#include "devices/bus.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "support/check_main.h"

/* A device that says what it was asked, e.g. "r0:2 w4:1=ab". */
struct probe {
	char log[256];
	uint8_t fill;
};

static struct bus *bus;

static void setup(void)
{
	bus = bus_new("test");
}

static void teardown(void)
{
	bus_free(bus);
}

static void probe_read(void *dev, uint64_t offset, void *data, unsigned int len)
{
	struct probe *p = dev;
	size_t n = strlen(p->log);

	snprintf(p->log + n, sizeof(p->log) - n, "r%u:%u ", (unsigned)offset,
		 len);
	memset(data, p->fill, len);
}

static void probe_write(void *dev, uint64_t offset, const void *data,
			unsigned int len)
{
	struct probe *p = dev;
	size_t n = strlen(p->log);

	n += (size_t)snprintf(p->log + n, sizeof(p->log) - n,
			      "w%u:%u=", (unsigned)offset, len);
	for (unsigned int i = 0; i < len; i++)
		n += (size_t)snprintf(p->log + n, sizeof(p->log) - n, "%02x",
				      ((const uint8_t *)data)[i]);
	snprintf(p->log + n, sizeof(p->log) - n, " ");
}

static const struct bus_ops any_width = {probe_read, probe_write, 0};
static const struct bus_ops byte_wide = {probe_read, probe_write, 1};
static const struct bus_ops word_wide = {probe_read, probe_write, 2};

START_TEST(finds_each_device)
{
	struct probe p[5] = {{.fill = 0}};
	/* Not added in order of address. */
	static const uint64_t base[] = {0x300, 0x100, 0x500, 0x200, 0x400};
	uint8_t b;

	for (unsigned int i = 0; i < 5; i++) {
		p[i].fill = (uint8_t)(0x10 + i);
		ck_assert_int_eq(
			bus_add(bus, base[i], 0x10, "p", &any_width, &p[i]), 0);
	}
	for (unsigned int i = 0; i < 5; i++) {
		ck_assert(bus_read(bus, base[i], &b, 1));
		ck_assert_uint_eq(b, p[i].fill);
		ck_assert(bus_read(bus, base[i] + 0xF, &b, 1));
		ck_assert_str_eq(p[i].log, "r0:1 r15:1 ");
		ck_assert(!bus_read(bus, base[i] - 1, &b, 1));
		ck_assert(!bus_read(bus, base[i] + 0x10, &b, 1));
	}
}
END_TEST

START_TEST(overlap_is_refused)
{
	static const struct {
		const char *what;
		uint64_t base, len;
		int err;
	} t[] = {
		{"the same", 0x100, 0x10, -EEXIST},
		{"inside", 0x104, 1, -EEXIST},
		{"around", 0xF0, 0x40, -EEXIST},
		{"over the start", 0xFF, 2, -EEXIST},
		{"over the end", 0x10F, 2, -EEXIST},
		{"to the last address", 0x101, UINT64_MAX - 0x100, -EEXIST},
		{"empty", 0x200, 0, -EINVAL},
		{"wraps", UINT64_MAX, 2, -EINVAL},
		{"just below", 0xFF, 1, 0},
		{"just above", 0x110, 1, 0},
		{"the last address", UINT64_MAX, 1, 0},
	};
	struct probe p = {.fill = 0};

	ck_assert_int_eq(bus_add(bus, 0x100, 0x10, "p", &any_width, &p), 0);
	for (unsigned int i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		ck_assert_msg(bus_add(bus, t[i].base, t[i].len, "q", &any_width,
				      &p) == t[i].err,
			      "%s", t[i].what);
}
END_TEST

START_TEST(nobody_reads_ones)
{
	uint32_t v = 0;

	ck_assert(!bus_read(bus, 0x80, &v, 4));
	ck_assert_uint_eq(v, 0xFFFFFFFF);
	ck_assert(!bus_write(bus, 0x80, &v, 4));
	v = 0;
	ck_assert(!bus_read(bus, 0x80, &v, 2));
	ck_assert_uint_eq(v, 0xFFFF);
}
END_TEST

START_TEST(straddling_access_is_cut)
{
	struct probe a = {.fill = 0xAA}, b = {.fill = 0xBB};
	uint32_t v = 0;

	/* a: 0x10-0x13, b: 0x14-0x17, nobody beyond */
	bus_add(bus, 0x10, 4, "a", &any_width, &a);
	bus_add(bus, 0x14, 4, "b", &any_width, &b);

	ck_assert(bus_read(bus, 0x12, &v, 4));
	ck_assert_uint_eq(v, 0xBBBBAAAA);
	ck_assert_str_eq(a.log, "r2:2 ");
	ck_assert_str_eq(b.log, "r0:2 ");

	b.log[0] = '\0';
	ck_assert(bus_read(bus, 0x16, &v, 4));
	ck_assert_uint_eq(v, 0xFFFFBBBB);
	ck_assert_str_eq(b.log, "r2:2 ");

	a.log[0] = '\0';
	v = 0x44332211;
	ck_assert(bus_write(bus, 0x0F, &v, 4));
	ck_assert_str_eq(a.log, "w0:3=223344 ");
	ck_assert(bus_read(bus, 0x0F, &v, 2));
	ck_assert_uint_eq(v & 0xFFFF, 0xAAFF);
}
END_TEST

START_TEST(gap_between_devices)
{
	struct probe a = {.fill = 0xAA}, b = {.fill = 0xBB};
	uint64_t v = 0;

	bus_add(bus, 0x10, 2, "a", &any_width, &a);
	bus_add(bus, 0x14, 2, "b", &any_width, &b);
	ck_assert(bus_read(bus, 0x10, &v, 8));
	ck_assert_uint_eq(v, 0xFFFFBBBBFFFFAAAAull);
}
END_TEST

START_TEST(narrow_device_gets_pieces)
{
	struct probe a = {.fill = 1}, b = {.fill = 2};
	uint32_t v = 0x44332211;

	bus_add(bus, 0x10, 4, "a", &byte_wide, &a);
	bus_add(bus, 0x20, 4, "b", &word_wide, &b);
	bus_write(bus, 0x10, &v, 4);
	ck_assert_str_eq(a.log, "w0:1=11 w1:1=22 w2:1=33 w3:1=44 ");
	bus_write(bus, 0x20, &v, 4);
	ck_assert_str_eq(b.log, "w0:2=1122 w2:2=3344 ");
	b.log[0] = '\0';
	bus_read(bus, 0x21, &v, 4);
	ck_assert_str_eq(b.log, "r1:2 r3:1 ");
}
END_TEST

START_TEST(last_address_does_not_wrap)
{
	struct probe low = {.fill = 1}, high = {.fill = 2};
	uint32_t v = 0;

	bus_add(bus, 0, 4, "low", &any_width, &low);
	bus_add(bus, UINT64_MAX - 1, 2, "high", &any_width, &high);
	ck_assert(bus_read(bus, UINT64_MAX - 1, &v, 4));
	ck_assert_uint_eq(v, 0xFFFF0202);
	ck_assert_str_eq(high.log, "r0:2 ");
	ck_assert_str_eq(low.log, "");
}
END_TEST

START_TEST(missing_callbacks)
{
	static const struct bus_ops deaf = {NULL, NULL, 0};
	uint16_t v = 0;

	bus_add(bus, 0x80, 1, "post", &deaf, NULL);
	ck_assert(bus_read(bus, 0x80, &v, 1));
	ck_assert_uint_eq(v, 0xFF);
	ck_assert(bus_write(bus, 0x80, &v, 1));
}
END_TEST

START_TEST(counts_for_the_report)
{
	struct probe p = {.fill = 0};
	struct bus_range_info info;
	uint64_t v = 0, addr, count;

	bus_add(bus, 0x20, 8, "two", &byte_wide, &p);
	bus_add(bus, 0x10, 8, "one", &byte_wide, &p);
	bus_read(bus, 0x20, &v, 8);
	bus_write(bus, 0x20, &v, 1);
	bus_write(bus, 0x21, &v, 1);
	ck_assert(bus_range(bus, 0, &info));
	ck_assert_str_eq(info.name, "one");
	ck_assert_uint_eq(info.reads + info.writes, 0);
	ck_assert(bus_range(bus, 1, &info));
	ck_assert_str_eq(info.name, "two");
	ck_assert_uint_eq(info.base, 0x20);
	ck_assert_uint_eq(info.len, 8);
	ck_assert_uint_eq(info.reads, 1); /* one access, however many pieces */
	ck_assert_uint_eq(info.writes, 2);
	ck_assert(!bus_range(bus, 2, &info));

	ck_assert(!bus_unclaimed_at(bus, 0, &addr, &count));
	bus_read(bus, 0x0, &v, 1);
	bus_read(bus, 0x61, &v, 1);
	bus_write(bus, 0x61, &v, 2);
	ck_assert_uint_eq(bus_unclaimed(bus), 3);
	ck_assert(bus_unclaimed_at(bus, 0, &addr, &count));
	ck_assert_uint_eq(addr, 0);
	ck_assert_uint_eq(count, 1);
	ck_assert(bus_unclaimed_at(bus, 1, &addr, &count));
	ck_assert_uint_eq(addr, 0x61);
	ck_assert_uint_eq(count, 2);

	/* The table is bounded, the total is not. */
	for (unsigned int port = 0x1000; port < 0x1100; port++)
		bus_read(bus, port, &v, 1);
	ck_assert_uint_eq(bus_unclaimed(bus), 3 + 0x100);
	ck_assert(!bus_unclaimed_at(bus, 1000, &addr, &count));
}
END_TEST

static void *hammer(void *arg)
{
	uint32_t v;

	(void)arg;
	for (unsigned int i = 0; i < 5000; i++) {
		bus_read(bus, 0x10 + i % 4, &v, 1);
		bus_write(bus, 0x9000 + i % 40, &v, 4);
	}
	return NULL;
}

START_TEST(many_threads_look_up)
{
	static const struct bus_ops quiet = {NULL, NULL, 0};
	struct bus_range_info info;
	pthread_t t[4];

	bus_add(bus, 0x10, 4, "x", &quiet, NULL);
	for (unsigned int i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, hammer, NULL);
	for (unsigned int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	ck_assert(bus_range(bus, 0, &info));
	ck_assert_uint_eq(info.reads, 20000);
	ck_assert_uint_eq(bus_unclaimed(bus), 20000);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("devices/bus");
	TCase *t = tcase_create("bus");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, finds_each_device);
	tcase_add_test(t, overlap_is_refused);
	tcase_add_test(t, nobody_reads_ones);
	tcase_add_test(t, straddling_access_is_cut);
	tcase_add_test(t, gap_between_devices);
	tcase_add_test(t, narrow_device_gets_pieces);
	tcase_add_test(t, last_address_does_not_wrap);
	tcase_add_test(t, missing_callbacks);
	tcase_add_test(t, counts_for_the_report);
	tcase_add_test(t, many_threads_look_up);
	suite_add_tcase(s, t);
	return check_main(s);
}
