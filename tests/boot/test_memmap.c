/* SPDX-License-Identifier: MIT */
#include "boot_case.h"

#define GIB (1024 * MIB)

START_TEST(e820_by_size_of_ram)
{
	static const struct {
		uint64_t ram;
		uint64_t low_end;
		uint64_t high_bytes;
	} rows[] = {
		{64 * MIB, 64 * MIB, 0},
		{3 * GIB, 3 * GIB, 0},
		{3 * GIB + PAGE_BYTES, 3 * GIB, PAGE_BYTES},
		{20 * GIB, 3 * GIB, 17 * GIB},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct gmem *mem = gmem_new(rows[i].ram, NULL);
		struct e820_entry e[E820_MAX];
		unsigned int n = memmap_e820(mem, e);

		ck_assert_uint_eq(n, rows[i].high_bytes ? 5 : 4);
		ck_assert_uint_eq(e[0].base, 0);
		ck_assert_uint_eq(e[0].bytes, 0x9FC00);
		ck_assert_int_eq(e[0].type, E820_RAM);
		ck_assert_uint_eq(e[1].base, 0x9FC00);
		ck_assert_uint_eq(e[1].bytes, 0x400);
		ck_assert_int_eq(e[1].type, E820_RESERVED);
		ck_assert_uint_eq(e[2].base, 0xC0000);
		ck_assert_uint_eq(e[2].bytes, 0x40000);
		ck_assert_int_eq(e[2].type, E820_RESERVED);
		ck_assert_uint_eq(e[3].base, MIB);
		ck_assert_uint_eq(e[3].base + e[3].bytes, rows[i].low_end);
		ck_assert_int_eq(e[3].type, E820_RAM);
		if (n > 4) {
			ck_assert_uint_eq(e[4].base, 4 * GIB);
			ck_assert_uint_eq(e[4].bytes, rows[i].high_bytes);
			ck_assert_int_eq(e[4].type, E820_RAM);
		}
		gmem_free(mem);
	}
}
END_TEST

START_TEST(low_window_ends_at_the_ioapic)
{
	struct memmap_range low = memmap_low_mmio();

	ck_assert_uint_eq(low.base, 3 * GIB);
	ck_assert_uint_eq(low.base + low.bytes, 0xFEC00000);
}
END_TEST

START_TEST(high_window_by_ram_and_width)
{
	static const struct {
		uint64_t ram;
		unsigned int phys_bits;
		uint64_t base;
		uint64_t bytes;
	} rows[] = {
		{GIB, 0, 4 * GIB, 60 * GIB},
		{GIB, 36, 4 * GIB, 60 * GIB},
		{GIB, 40, 4 * GIB, 64 * GIB},
		{GIB, 52, 4 * GIB, 64 * GIB},
		{GIB, 255, 4 * GIB, 64 * GIB},
		{GIB, 33, 4 * GIB, 4 * GIB},
		/* no room */
		{GIB, 32, 4 * GIB, 0},
		{63 * GIB, 36, 64 * GIB, 0},
		/* above RAM, to the next GiB */
		{3 * GIB + MIB, 40, 5 * GIB, 64 * GIB},
		{7 * GIB, 40, 8 * GIB, 64 * GIB},
		{62 * GIB, 36, 63 * GIB, GIB},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct gmem *mem = gmem_new(rows[i].ram, NULL);
		struct memmap_range r =
			memmap_high_mmio(mem, rows[i].phys_bits);

		ck_assert_msg(r.base == rows[i].base &&
				      r.bytes == rows[i].bytes,
			      "row %zu", i);
		gmem_free(mem);
	}
}
END_TEST

START_TEST(high_window_is_above_spare_ram)
{
	struct gmem *mem = gmem_new_with_spare(GIB, 2 * GIB + MIB, NULL);
	struct e820_entry e820[E820_MAX];
	struct memmap_range r = memmap_high_mmio(mem, 40);
	unsigned int n = memmap_e820(mem, e820);

	ck_assert_uint_eq(r.base, 7 * GIB);
	ck_assert_uint_eq(r.bytes, 64 * GIB);
	/* Nobody is told of it. */
	ck_assert_uint_eq(e820[n - 1].base + e820[n - 1].bytes, GIB);
	gmem_free(mem);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("boot/memmap");
	TCase *t = tcase_create("memmap");

	tcase_add_test(t, e820_by_size_of_ram);
	tcase_add_test(t, low_window_ends_at_the_ioapic);
	tcase_add_test(t, high_window_by_ram_and_width);
	tcase_add_test(t, high_window_is_above_spare_ram);
	suite_add_tcase(s, t);
	return check_main(s);
}
