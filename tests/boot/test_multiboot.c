/* SPDX-License-Identifier: MIT */
#include "boot_case.h"

#include "proto/multiboot.h"

#define RAM (8 * MIB)

/* The header in an ELF kernel lies among its notes, which are not PVH's. */
#define HEADER_OFF 0x180u

/* A flat image: the header 8 bytes in, and FLAT_BYTES from FLAT_LOAD on. */
#define FLAT_HEADER_OFF 0x108u
#define FLAT_OFF        0x100u
#define FLAT_LOAD       0x200000u
#define FLAT_BYTES      0x2000u
#define FLAT_SEED       11
/* the last four bytes of that pattern */
#define FLAT_LAST       0xABAAA9A8u

#define FLAT_FIELD(field) \
	(FLAT_HEADER_OFF + offsetof(struct multiboot_header, field))

static struct boot_case c;

static void setup(void)
{
	c = case_new(RAM);
}

static void teardown(void)
{
	case_free(&c);
}

static struct multiboot_info info(void)
{
	struct multiboot_info i;

	case_read(&c, c.entry.rbx, &i, sizeof(i));
	return i;
}

static void put_header(GByteArray *a, size_t off, struct multiboot_header h)
{
	h.magic = MULTIBOOT_HEADER_MAGIC;
	h.checksum = 0 - h.magic - h.flags;
	put_at(a, off, &h, h.flags & MULTIBOOT_HEADER_ADDRESSES ? 32 : 12);
}

/* As kvm-unit-tests' images: ELF and a header of flags 0. */
static GByteArray *make_mb_elf(bool is_64bit)
{
	GByteArray *e = is_64bit ? make_elf64() : make_elf32();

	poke(e, ELF_NOTE_OFF + 16 + 8, 1, 4);
	put_header(e, HEADER_OFF, (struct multiboot_header){.flags = 0});
	return e;
}

static GByteArray *make_flat(void)
{
	GByteArray *a = pattern(FLAT_OFF, 0x20);
	g_autoptr(GByteArray) image = pattern(FLAT_BYTES, FLAT_SEED);

	g_byte_array_append(a, image->data, image->len);
	put_header(a, FLAT_HEADER_OFF,
		   (struct multiboot_header){
			   .flags = MULTIBOOT_HEADER_ADDRESSES,
			   .header_addr = FLAT_LOAD + 8,
			   .load_addr = FLAT_LOAD,
			   .load_end_addr = FLAT_LOAD + FLAT_BYTES,
			   .bss_end_addr = FLAT_LOAD + FLAT_BYTES + 0x1000,
			   .entry_addr = FLAT_LOAD + 0x40,
		   });
	return a;
}

START_TEST(enters_elf)
{
	for (int is_64bit = 0; is_64bit < 2; is_64bit++) {
		ck_assert_loaded(
			&c, case_load(&c, make_mb_elf(is_64bit), NULL, NULL));
		ck_assert_int_eq(c.entry.mode, BOOT_PROTECTED);
		ck_assert_uint_eq(c.entry.rip, ELF_ENTRY);
		ck_assert_uint_eq(c.entry.rax, 0x2BADB002);
		ck_assert_uint_eq(c.entry.rbx, MEMMAP_START_INFO);
		ck_assert_str_eq(c.entry.protocol, "multiboot");
		ck_assert_pattern(&c, ELF_PADDR, ELF_FILE_BYTES, ELF_SEED);
	}
}
END_TEST

/* Some kernels give the entry point as a virtual address. */
START_TEST(virtual_entry_becomes_physical)
{
	GByteArray *e = make_mb_elf(false);

	poke(e, offsetof(Elf32_Ehdr, e_entry), ELF_VADDR + 0x30, 4);
	ck_assert_loaded(&c, case_load(&c, e, NULL, NULL));
	ck_assert_uint_eq(c.entry.rip, ELF_PADDR + 0x30);
}
END_TEST

START_TEST(enters_flat_image)
{
	ck_assert_loaded(&c, case_load(&c, make_flat(), NULL, NULL));
	ck_assert_uint_eq(c.entry.rip, FLAT_LOAD + 0x40);
	/* Behind the header, which is part of the image. */
	ck_assert_uint_eq(case_u32(&c, FLAT_LOAD + 8), 0x1BADB002);
	ck_assert_uint_eq(case_u32(&c, FLAT_LOAD + FLAT_BYTES - 4), FLAT_LAST);
	ck_assert_uint_eq(case_u32(&c, FLAT_LOAD + FLAT_BYTES), 0);
}
END_TEST

START_TEST(flat_image_without_ends_is_all_of_the_file)
{
	GByteArray *a = make_flat();

	poke(a, FLAT_FIELD(load_end_addr), 0, 4);
	poke(a, FLAT_FIELD(bss_end_addr), 0, 4);
	ck_assert_loaded(&c, case_load(&c, a, pattern(10, 1), NULL));
	ck_assert_uint_eq(case_u32(&c, FLAT_LOAD + FLAT_BYTES - 4), FLAT_LAST);
	/* The module is on the next page. */
	ck_assert_pattern(&c, FLAT_LOAD + FLAT_BYTES, 10, 1);
}
END_TEST

START_TEST(bss_is_cleared)
{
	uint64_t dirt = UINT64_MAX;

	gmem_write(c.mem, FLAT_LOAD + FLAT_BYTES + 0xFF8, &dirt, 8);
	gmem_write(c.mem, FLAT_LOAD + FLAT_BYTES + 0x1000, &dirt, 8);
	ck_assert_loaded(&c, case_load(&c, make_flat(), NULL, NULL));
	ck_assert_uint_eq(case_u64(&c, FLAT_LOAD + FLAT_BYTES + 0xFF8), 0);
	ck_assert_uint_eq(case_u64(&c, FLAT_LOAD + FLAT_BYTES + 0x1000), dirt);
}
END_TEST

START_TEST(info_says_where_things_are)
{
	struct multiboot_info i;
	struct multiboot_module module;

	ck_assert_loaded(
		&c, case_load(&c, make_mb_elf(false), pattern(5000, 4), "a b"));
	i = info();
	ck_assert_uint_eq(i.flags, 0x24D);
	ck_assert_uint_eq(i.mem_lower, 639);
	ck_assert_uint_eq(i.mem_upper, 7 * 1024);
	ck_assert_str_eq(case_string(&c, i.cmdline), "kernel.img a b");
	ck_assert_str_eq(case_string(&c, i.boot_loader_name), "kvmbus");
	ck_assert_uint_eq(i.mods_count, 1);
	case_read(&c, i.mods_addr, &module, sizeof(module));
	ck_assert_uint_eq(module.start, ELF_PADDR + ELF_MEMORY_BYTES);
	ck_assert_uint_eq(module.end, module.start + 5000);
	ck_assert_pattern(&c, module.start, 5000, 4);
}
END_TEST

START_TEST(info_has_e820)
{
	struct e820_entry want[E820_MAX];
	unsigned int n = memmap_e820(c.mem, want);
	struct multiboot_info i;

	ck_assert_loaded(&c, case_load(&c, make_mb_elf(false), NULL, NULL));
	i = info();
	ck_assert_uint_eq(i.mmap_length, n * 24);
	for (unsigned int k = 0; k < n; k++) {
		struct multiboot_mmap_entry e;

		case_read(&c, i.mmap_addr + k * 24, &e, sizeof(e));
		ck_assert_uint_eq(e.size, 20);
		ck_assert_uint_eq(e.addr, want[k].base);
		ck_assert_uint_eq(e.len, want[k].bytes);
		ck_assert_uint_eq(e.type, want[k].type);
	}
}
END_TEST

START_TEST(without_initrd_there_is_no_module)
{
	ck_assert_loaded(&c, case_load(&c, make_mb_elf(false), NULL, NULL));
	ck_assert_uint_eq(info().mods_count, 0);
	ck_assert_str_eq(case_string(&c, info().cmdline), "kernel.img");
}
END_TEST

START_TEST(header_is_looked_for_in_8_kib)
{
	static const struct {
		size_t off;
		bool found;
	} rows[] = {
		{0, true},         {4, true},
		{6, false}, /* not aligned */
		{8192 - 12, true}, {8192 - 8, false}, /* its end is beyond */
		{8192, false},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		GByteArray *a = pattern(16384, 1);
		int err;

		put_header(a, rows[i].off, (struct multiboot_header){0});
		err = case_load(&c, a, NULL, NULL);
		ck_assert_refused(&c, err, BOOT_ERROR_FORMAT,
				  rows[i].found ? "the file is not ELF"
						: "not a kernel");
	}
}
END_TEST

START_TEST(refuses_flags)
{
	for (unsigned int bit = 0; bit < 32; bit++) {
		GByteArray *e = make_mb_elf(false);
		bool ok = bit < 3 || bit > 16;
		int err;

		put_header(e, HEADER_OFF,
			   (struct multiboot_header){.flags = 1u << bit});
		err = case_load(&c, e, NULL, NULL);
		if (ok)
			ck_assert_loaded(&c, err);
		else if (bit < 16)
			ck_assert_refused(&c, err, BOOT_ERROR_FORMAT,
					  "unknown features");
		else
			ck_assert_int_eq(err, -1);
	}
}
END_TEST

START_TEST(refuses)
{
	static const struct {
		const char *what;
		size_t off;
		uint32_t value;
		enum boot_error code;
		const char *text;
	} rows[] = {
		{"wrong checksum", FLAT_FIELD(checksum), 0, BOOT_ERROR_FORMAT,
		 "not a kernel"},
		{"header before the image", FLAT_FIELD(header_addr),
		 FLAT_LOAD - 4, BOOT_ERROR_FORMAT, "before the file"},
		{"image before the file", FLAT_FIELD(header_addr),
		 FLAT_LOAD + FLAT_HEADER_OFF + 1, BOOT_ERROR_FORMAT,
		 "before the file"},
		{"ends before it begins", FLAT_FIELD(load_end_addr),
		 FLAT_LOAD - 1, BOOT_ERROR_FORMAT, "out of order"},
		{"BSS ends before it begins", FLAT_FIELD(bss_end_addr),
		 FLAT_LOAD + FLAT_BYTES - 1, BOOT_ERROR_FORMAT, "out of order"},
		{"more than the file", FLAT_FIELD(load_end_addr),
		 FLAT_LOAD + FLAT_BYTES + 1, BOOT_ERROR_TRUNCATED, "truncated"},
		{"more than RAM", FLAT_FIELD(bss_end_addr), RAM + 1,
		 BOOT_ERROR_MEMORY, "not all RAM"},
		{"all of 4 GiB", FLAT_FIELD(bss_end_addr), UINT32_MAX,
		 BOOT_ERROR_MEMORY, "not all RAM"},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		GByteArray *a = make_flat();
		int err;

		poke(a, rows[i].off, rows[i].value, 4);
		err = case_load(&c, a, NULL, NULL);
		ck_assert_msg(err == -1, "%s was taken", rows[i].what);
		ck_assert_refused(&c, err, rows[i].code, rows[i].text);
	}
}
END_TEST

START_TEST(refuses_to_load_over_boot_data)
{
	GByteArray *a = make_flat();

	poke(a, FLAT_FIELD(header_addr), 0x7008, 4);
	poke(a, FLAT_FIELD(load_addr), 0x7000, 4);
	poke(a, FLAT_FIELD(load_end_addr), 0x9000, 4);
	poke(a, FLAT_FIELD(bss_end_addr), 0, 4);
	ck_assert_refused(&c, case_load(&c, a, NULL, NULL), BOOT_ERROR_MEMORY,
			  "above 1 MiB");
}
END_TEST

START_TEST(refuses_header_cut_off)
{
	GByteArray *a = make_flat();

	/* The addresses are missing, so they are 0. */
	g_byte_array_set_size(a, FLAT_HEADER_OFF + 12);
	ck_assert_refused(&c, case_load(&c, a, NULL, NULL), BOOT_ERROR_MEMORY,
			  "above 1 MiB");
}
END_TEST

START_TEST(refuses_64bit_entry)
{
	GByteArray *e = make_mb_elf(true);

	poke(e, offsetof(Elf64_Ehdr, e_entry), 0x100000000, 8);
	ck_assert_refused(&c, case_load(&c, e, NULL, NULL), BOOT_ERROR_FORMAT,
			  "starts above 4 GiB");
}
END_TEST

START_TEST(refuses_broken_elf)
{
	GByteArray *e = make_mb_elf(true);

	g_byte_array_set_size(e, ELF_SEGMENT_OFF + 100);
	ck_assert_refused(&c, case_load(&c, e, NULL, NULL),
			  BOOT_ERROR_TRUNCATED, "truncated");
}
END_TEST

START_TEST(refuses_module_beyond_ram)
{
	size_t room = RAM - (ELF_PADDR + ELF_MEMORY_BYTES);

	ck_assert_loaded(
		&c, case_load(&c, make_mb_elf(false), pattern(room, 1), NULL));
	ck_assert_refused(
		&c,
		case_load(&c, make_mb_elf(false), pattern(room + 1, 1), NULL),
		BOOT_ERROR_MEMORY, "initrd");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("boot/multiboot");
	TCase *t = tcase_create("multiboot");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, enters_elf);
	tcase_add_test(t, virtual_entry_becomes_physical);
	tcase_add_test(t, enters_flat_image);
	tcase_add_test(t, flat_image_without_ends_is_all_of_the_file);
	tcase_add_test(t, bss_is_cleared);
	tcase_add_test(t, info_says_where_things_are);
	tcase_add_test(t, info_has_e820);
	tcase_add_test(t, without_initrd_there_is_no_module);
	tcase_add_test(t, header_is_looked_for_in_8_kib);
	tcase_add_test(t, refuses_flags);
	tcase_add_test(t, refuses);
	tcase_add_test(t, refuses_to_load_over_boot_data);
	tcase_add_test(t, refuses_header_cut_off);
	tcase_add_test(t, refuses_64bit_entry);
	tcase_add_test(t, refuses_broken_elf);
	tcase_add_test(t, refuses_module_beyond_ram);
	suite_add_tcase(s, t);
	return check_main(s);
}
