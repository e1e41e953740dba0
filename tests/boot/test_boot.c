/* SPDX-License-Identifier: MIT */
#include "boot/boot.h"

#include <glib/gstdio.h>

#include "boot_case.h"

#define RAM (64 * MIB)

static struct boot_case c;
static char *dir;
static char *kernel;
static char *initrd;

/* Frees @content. */
static void write_file(const char *path, GByteArray *content)
{
	ck_assert(g_file_set_contents(path, (const char *)content->data,
				      content->len, NULL));
	g_byte_array_unref(content);
}

static void setup(void)
{
	c = case_new(RAM);
	dir = g_dir_make_tmp("kvmbus-boot-XXXXXX", NULL);
	ck_assert_ptr_nonnull(dir);
	kernel = g_build_filename(dir, "vmlinuz", NULL);
	initrd = g_build_filename(dir, "initrd.img", NULL);
	write_file(kernel, make_bzimage());
	write_file(initrd, pattern(12345, 8));
}

static void teardown(void)
{
	g_unlink(kernel);
	g_unlink(initrd);
	g_rmdir(dir);
	g_free(kernel);
	g_free(initrd);
	g_free(dir);
	case_free(&c);
}

static int load(const char *initrd_path)
{
	struct boot_source src = {kernel, initrd_path, "quiet"};

	g_clear_error(&c.error);
	return boot_load(c.mem, &src, &c.platform, &c.entry, &c.error);
}

START_TEST(loads_files)
{
	uint64_t at;

	ck_assert_loaded(&c, load(initrd));
	ck_assert_str_eq(c.entry.protocol, "bzImage 64-bit");
	ck_assert_pattern(&c, MEMMAP_KERNEL, BZ_KERNEL_BYTES, BZ_KERNEL_SEED);
	at = case_u32(&c, MEMMAP_ZERO_PAGE + BZ_FIELD(ramdisk_image));
	ck_assert_pattern(&c, at, 12345, 8);
	/* The firmware's tables, too. */
	ck_assert_uint_eq(case_u64(&c, MEMMAP_RSDP), 0x2052545020445352);
	ck_assert_uint_eq(case_u32(&c, MEMMAP_SMBIOS), 0x334D535F);
}
END_TEST

START_TEST(initrd_is_optional)
{
	ck_assert_loaded(&c, load(NULL));
	write_file(initrd, g_byte_array_new());
	ck_assert_loaded(&c, load(initrd));
	ck_assert_uint_eq(
		case_u32(&c, MEMMAP_ZERO_PAGE + BZ_FIELD(ramdisk_size)), 0);
}
END_TEST

/* A reset loads into what the last guest left behind. */
START_TEST(loads_again_over_anything)
{
	g_autofree uint8_t *first = g_malloc(MIB);
	g_autofree uint8_t *again = g_malloc(MIB);
	struct boot_entry entry;

	ck_assert_loaded(&c, load(initrd));
	entry = c.entry;
	case_read(&c, 0, first, MIB);
	memset(gmem_load(c.mem, 0, RAM), 0xCC, RAM);
	ck_assert_loaded(&c, load(initrd));
	ck_assert_uint_eq(entry.rip, c.entry.rip);
	ck_assert_pattern(&c, MEMMAP_KERNEL, BZ_KERNEL_BYTES, BZ_KERNEL_SEED);
	case_read(&c, 0, again, MIB);
	ck_assert_mem_eq(first + MEMMAP_ZERO_PAGE, again + MEMMAP_ZERO_PAGE,
			 PAGE_BYTES);
	ck_assert_mem_eq(first + MEMMAP_PAGE_TABLES, again + MEMMAP_PAGE_TABLES,
			 6 * PAGE_BYTES);
	ck_assert_mem_eq(first + MEMMAP_ACPI, again + MEMMAP_ACPI, 1024);
	ck_assert_str_eq(case_string(&c, MEMMAP_CMDLINE), "quiet");
}
END_TEST

START_TEST(a_reset_sees_a_new_file)
{
	ck_assert_loaded(&c, load(NULL));
	write_file(kernel, make_elf64());
	ck_assert_loaded(&c, load(NULL));
	ck_assert_str_eq(c.entry.protocol, "PVH, 64-bit ELF");
}
END_TEST

START_TEST(refuses_missing_files)
{
	g_autofree char *nothing = g_build_filename(dir, "nothing", NULL);

	ck_assert_refused(&c, load(nothing), BOOT_ERROR_FILE,
			  "nothing: cannot open");
	g_unlink(kernel);
	ck_assert_refused(&c, load(initrd), BOOT_ERROR_FILE,
			  "vmlinuz: cannot open");
}
END_TEST

START_TEST(refuses_what_is_no_kernel)
{
	static const char *const contents[] = {
		"",
		"x",
		"#!/bin/sh\n",
		"\177ELF but not much of it",
	};

	for (size_t i = 0; i < G_N_ELEMENTS(contents); i++) {
		GByteArray *a = g_byte_array_new();

		g_byte_array_append(a, (const uint8_t *)contents[i],
				    (guint)strlen(contents[i]));
		write_file(kernel, a);
		ck_assert_refused(&c, load(NULL), BOOT_ERROR_FORMAT,
				  "vmlinuz: ");
	}
	write_file(kernel, pattern(100000, 1));
	ck_assert_refused(&c, load(NULL), BOOT_ERROR_FORMAT,
			  "vmlinuz: not a kernel: neither bzImage, ELF with a "
			  "PVH note nor multiboot");
}
END_TEST

START_TEST(refuses_machines_that_cannot_be)
{
	static const struct {
		unsigned int n_cpus;
		unsigned int n_possible;
		bool ok;
	} rows[] = {
		{0, 0, false},    {0, 4, false},        {1, 0, true},
		{1024, 0, true},  {1025, 0, false},     {2, 1024, true},
		{2, 1025, false}, {1, UINT_MAX, false}, {1024, 1, true},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		c.platform.n_cpus = rows[i].n_cpus;
		c.platform.n_possible_cpus = rows[i].n_possible;
		if (rows[i].ok)
			ck_assert_loaded(&c, load(NULL));
		else
			ck_assert_refused(&c, load(NULL), BOOT_ERROR_PLATFORM,
					  "processors");
	}
}
END_TEST

START_TEST(refuses_what_the_tables_cannot_say)
{
	c.platform.n_serial = 5;
	ck_assert_refused(&c, load(NULL), BOOT_ERROR_PLATFORM,
			  "5 serial ports");
	c.platform.n_serial = 4;
	c.platform.vm_uuid = "x";
	ck_assert_refused(&c, load(NULL), BOOT_ERROR_PLATFORM, "UUID");
}
END_TEST

START_TEST(generation_id_is_in_memory)
{
	static const uint8_t want[16] = {0x10, 0xb8, 0xa7, 0x6b, 0xad, 0x9d,
					 0xd1, 0x11, 0x80, 0xb4, 0x00, 0xc0,
					 0x4f, 0xd4, 0x30, 0xc8};
	uint8_t got[16];

	c.platform.genid = UUID_TEXT;
	ck_assert_loaded(&c, load(NULL));
	case_read(&c, MEMMAP_GENID, got, sizeof(got));
	ck_assert_mem_eq(got, want, sizeof(want));
	c.platform.genid = "x";
	ck_assert_refused(&c, load(NULL), BOOT_ERROR_PLATFORM, "generation id");
}
END_TEST

START_TEST(refuses_too_little_memory)
{
	struct boot_case small = case_new(MEMMAP_MIN_RAM - PAGE_BYTES);

	ck_assert_refused(&small, case_load(&small, make_bzimage(), NULL, NULL),
			  BOOT_ERROR_MEMORY, "2044 KiB of guest memory");
	case_free(&small);
}
END_TEST

START_TEST(page_tables_map_4gib_one_to_one)
{
	ck_assert_loaded(&c, load(NULL));
	ck_assert_uint_eq(c.entry.cr3, MEMMAP_PAGE_TABLES);
	for (uint64_t va = 0; va < 4096 * MIB; va += 2 * MIB) {
		uint64_t table = c.entry.cr3;
		uint64_t e = case_u64(&c, table + (va >> 39) * 8);

		ck_assert_uint_eq(e & 0xFFF, 3);
		e = case_u64(&c, (e & ~0xFFFull) + (va >> 30) * 8);
		ck_assert_uint_eq(e & 0xFFF, 3);
		e = case_u64(&c, (e & ~0xFFFull) + (va >> 21) % 512 * 8);
		ck_assert_uint_eq(e, va | 0x83);
	}
	ck_assert_uint_eq(case_u64(&c, c.entry.cr3 + 8), 0);
}
END_TEST

/* A segment descriptor's base, limit in bytes, and its access and flags. */
START_TEST(gdt_has_the_selectors)
{
	ck_assert_loaded(&c, load(NULL));
	ck_assert_uint_eq(c.entry.code_selector, 0x10);
	ck_assert_uint_eq(c.entry.data_selector, 0x18);
	ck_assert_uint_eq(c.entry.gdt_base, MEMMAP_GDT);
	ck_assert_uint_ge(c.entry.gdt_limit, c.entry.tss_selector + 15);
	ck_assert_uint_eq(c.entry.rsp, MEMMAP_STACK_TOP);
	ck_assert_uint_eq(case_u64(&c, MEMMAP_GDT), 0);
	ck_assert_uint_eq(case_u64(&c, MEMMAP_GDT + 0x10), 0xAF9B000000FFFF);
	ck_assert_uint_eq(case_u64(&c, MEMMAP_GDT + 0x18), 0xCF93000000FFFF);
	ck_assert_uint_eq(case_u64(&c, MEMMAP_GDT + c.entry.tss_selector),
			  0x8B0000000067);

	write_file(kernel, make_elf32());
	ck_assert_loaded(&c, load(NULL));
	ck_assert_uint_eq(c.entry.cr3, 0);
	ck_assert_uint_eq(case_u64(&c, MEMMAP_GDT + 0x10), 0xCF9B000000FFFF);
}
END_TEST

/* Nothing is written over something else. */
START_TEST(memory_map_has_no_overlaps)
{
	ck_assert_uint_le(MEMMAP_GDT + 48, MEMMAP_START_INFO);
	ck_assert_uint_le(MEMMAP_START_INFO_END, MEMMAP_ZERO_PAGE);
	ck_assert_uint_le(MEMMAP_ZERO_PAGE + PAGE_BYTES,
			  MEMMAP_STACK_TOP - 2048);
	ck_assert_uint_le(MEMMAP_STACK_TOP, MEMMAP_PAGE_TABLES);
	ck_assert_uint_le(MEMMAP_CMDLINE + MEMMAP_CMDLINE_BYTES, MEMMAP_EBDA);
	ck_assert_uint_le(MEMMAP_ACPI_END, MEMMAP_RSDP);
	ck_assert_uint_le(MEMMAP_RSDP + 36, MEMMAP_SMBIOS);
	ck_assert_uint_le(MEMMAP_SMBIOS_END, MEMMAP_KERNEL);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("boot/boot");
	TCase *t = tcase_create("boot");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, loads_files);
	tcase_add_test(t, initrd_is_optional);
	tcase_add_test(t, loads_again_over_anything);
	tcase_add_test(t, a_reset_sees_a_new_file);
	tcase_add_test(t, refuses_missing_files);
	tcase_add_test(t, refuses_what_is_no_kernel);
	tcase_add_test(t, refuses_machines_that_cannot_be);
	tcase_add_test(t, refuses_what_the_tables_cannot_say);
	tcase_add_test(t, generation_id_is_in_memory);
	tcase_add_test(t, refuses_too_little_memory);
	tcase_add_test(t, page_tables_map_4gib_one_to_one);
	tcase_add_test(t, gdt_has_the_selectors);
	tcase_add_test(t, memory_map_has_no_overlaps);
	suite_add_tcase(s, t);
	return check_main(s);
}
