/* SPDX-License-Identifier: MIT */
#include "boot_case.h"

#include "base/checked.h"
#include "proto/pvh.h"

#define RAM (8 * MIB)

static struct boot_case c;

static void setup(void)
{
	c = case_new(RAM);
}

static void teardown(void)
{
	case_free(&c);
}

static struct pvh_start_info start_info(void)
{
	struct pvh_start_info info;

	case_read(&c, c.entry.rbx, &info, sizeof(info));
	return info;
}

START_TEST(enters_at_the_note)
{
	for (unsigned int bits = 32; bits <= 64; bits += 32) {
		ck_assert_loaded(
			&c,
			case_load(&c, bits == 64 ? make_elf64() : make_elf32(),
				  NULL, NULL));
		ck_assert_int_eq(c.entry.mode, BOOT_PROTECTED);
		ck_assert_uint_eq(c.entry.rip, ELF_PVH_ENTRY);
		ck_assert_uint_eq(c.entry.rbx, MEMMAP_START_INFO);
		ck_assert_uint_eq(c.entry.rsi, 0);
		ck_assert_str_eq(c.entry.protocol, bits == 64
							   ? "PVH, 64-bit ELF"
							   : "PVH, 32-bit ELF");
		ck_assert_pattern(&c, ELF_PADDR, ELF_FILE_BYTES, ELF_SEED);
	}
}
END_TEST

START_TEST(start_info_says_where_things_are)
{
	struct pvh_start_info info;
	struct pvh_module module;

	ck_assert_loaded(&c, case_load(&c, make_elf64(), pattern(4097, 5),
				       "root=/dev/sda"));
	info = start_info();
	ck_assert_uint_eq(info.magic, 0x336EC578);
	ck_assert_uint_eq(info.version, 1);
	ck_assert_uint_eq(info.flags, 0);
	ck_assert_uint_eq(info.nr_modules, 1);
	ck_assert_uint_eq(info.rsdp_paddr, MEMMAP_RSDP);
	ck_assert_str_eq(case_string(&c, info.cmdline_paddr), "root=/dev/sda");
	case_read(&c, info.modlist_paddr, &module, sizeof(module));
	ck_assert_uint_eq(module.paddr, RAM - 2 * PAGE_BYTES);
	ck_assert_uint_eq(module.size, 4097);
	ck_assert_uint_eq(module.cmdline_paddr, 0);
	ck_assert_pattern(&c, module.paddr, 4097, 5);
}
END_TEST

START_TEST(start_info_has_e820)
{
	struct e820_entry want[E820_MAX];
	unsigned int n = memmap_e820(c.mem, want);
	struct pvh_start_info info;

	ck_assert_loaded(&c, case_load(&c, make_elf64(), NULL, NULL));
	info = start_info();
	ck_assert_uint_eq(info.memmap_entries, n);
	for (unsigned int i = 0; i < n; i++) {
		struct pvh_memmap_entry e;

		case_read(&c, info.memmap_paddr + i * sizeof(e), &e, sizeof(e));
		ck_assert_uint_eq(e.addr, want[i].base);
		ck_assert_uint_eq(e.size, want[i].bytes);
		ck_assert_uint_eq(e.type, want[i].type);
	}
}
END_TEST

START_TEST(without_initrd_there_is_no_module)
{
	ck_assert_loaded(&c, case_load(&c, make_elf64(), NULL, NULL));
	ck_assert_uint_eq(start_info().nr_modules, 0);
	ck_assert_uint_eq(start_info().modlist_paddr, 0);
	ck_assert_str_eq(case_string(&c, start_info().cmdline_paddr), "");
}
END_TEST

START_TEST(elf_without_note_is_no_kernel)
{
	GByteArray *e = make_elf64();

	poke(e, ELF_NOTE_OFF + 16 + 8, 1, 4);
	ck_assert_refused(&c, case_load(&c, e, NULL, NULL), BOOT_ERROR_FORMAT,
			  "neither bzImage, ELF with a PVH note nor multiboot");
}
END_TEST

START_TEST(refuses_entry_above_4gib)
{
	GByteArray *e = make_elf64();

	poke(e, ELF_NOTE_OFF + 16 + 4, 8, 4);
	poke(e, ELF_PVH_OFF, 0x100000000, 8);
	poke(e,
	     sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr) +
		     offsetof(Elf64_Phdr, p_filesz),
	     ELF_NOTE_BYTES + 4, 8);
	ck_assert_refused(&c, case_load(&c, e, NULL, NULL), BOOT_ERROR_FORMAT,
			  "0x100000000 is not below 4 GiB");
}
END_TEST

START_TEST(refuses_initrd_that_meets_the_kernel)
{
	size_t room = RAM - align_up(ELF_PADDR + ELF_MEMORY_BYTES, PAGE_BYTES);

	ck_assert_loaded(&c,
			 case_load(&c, make_elf64(), pattern(room, 1), NULL));
	ck_assert_refused(
		&c, case_load(&c, make_elf64(), pattern(room + 1, 1), NULL),
		BOOT_ERROR_MEMORY, "initrd");
	ck_assert_refused(
		&c, case_load(&c, make_elf64(), pattern(RAM + 1, 1), NULL),
		BOOT_ERROR_MEMORY, "initrd");
}
END_TEST

START_TEST(refuses_endless_command_line)
{
	char *line = g_strnfill(MEMMAP_CMDLINE_BYTES, 'x');

	ck_assert_refused(&c, case_load(&c, make_elf64(), NULL, line),
			  BOOT_ERROR_CMDLINE, "65536 characters");
	g_free(line);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("boot/pvh");
	TCase *t = tcase_create("pvh");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, enters_at_the_note);
	tcase_add_test(t, start_info_says_where_things_are);
	tcase_add_test(t, start_info_has_e820);
	tcase_add_test(t, without_initrd_there_is_no_module);
	tcase_add_test(t, elf_without_note_is_no_kernel);
	tcase_add_test(t, refuses_entry_above_4gib);
	tcase_add_test(t, refuses_initrd_that_meets_the_kernel);
	tcase_add_test(t, refuses_endless_command_line);
	suite_add_tcase(s, t);
	return check_main(s);
}
