/* SPDX-License-Identifier: MIT */
#include <inttypes.h>

#include "boot/elf_image.h"

#include "boot/image.h"
#include "boot/loader.h"
#include "boot_case.h"

#define RAM (8 * MIB)

/* Fields of the first program header, which is the segment. */
#define EHDR64(field)  offsetof(Elf64_Ehdr, field)
#define EHDR32(field)  offsetof(Elf32_Ehdr, field)
#define PHDR64(field)  (sizeof(Elf64_Ehdr) + offsetof(Elf64_Phdr, field))
#define PHDR32(field)  (sizeof(Elf32_Ehdr) + offsetof(Elf32_Phdr, field))
#define NOTES64(field) (PHDR64(field) + sizeof(Elf64_Phdr))

static struct boot_case c;
static struct elf_image elf;

static void setup(void)
{
	c = case_new(RAM);
}

static void teardown(void)
{
	case_free(&c);
}

static struct image *as_image(GByteArray *bytes)
{
	GBytes *b = g_byte_array_free_to_bytes(bytes);
	struct image *image = image_from_bytes("kernel.img", b);

	g_bytes_unref(b);
	return image;
}

static int parse(GByteArray *bytes)
{
	struct image *image = as_image(bytes);
	int err;

	g_clear_error(&c.error);
	err = elf_image_parse(image, &elf, &c.error);
	image_free(image);
	return err;
}

/* Parse and load; -1 when either fails. */
static int load(GByteArray *bytes, uint64_t *end)
{
	struct image *image = as_image(bytes);
	struct loader l = {.mem = c.mem, .kernel = image, .cmdline = ""};
	int err;

	g_clear_error(&c.error);
	err = elf_image_parse(image, &elf, &c.error) == 1 ? 0 : -1;
	if (!err)
		err = elf_image_load(&l, &elf, end, &c.error);
	image_free(image);
	return err;
}

/* The Xen note's number; as elf_image_find_note(). */
static int find(GByteArray *bytes, uint64_t *value)
{
	struct image *image = as_image(bytes);
	int is;

	g_clear_error(&c.error);
	is = elf_image_parse(image, &elf, &c.error);
	if (is == 1)
		is = elf_image_find_note(image, &elf, "Xen", 18, value,
					 &c.error);
	image_free(image);
	return is;
}

START_TEST(reads_both_classes)
{
	for (unsigned int bits = 32; bits <= 64; bits += 32) {
		ck_assert_int_eq(
			parse(bits == 64 ? make_elf64() : make_elf32()), 1);
		ck_assert_int_eq(elf.is_64bit, bits == 64);
		ck_assert_uint_eq(elf.entry, ELF_ENTRY);
		ck_assert_uint_eq(elf.n_segments, 2);
		ck_assert_uint_eq(elf.segments[0].type, PT_LOAD);
		ck_assert_uint_eq(elf.segments[0].offset, ELF_SEGMENT_OFF);
		ck_assert_uint_eq(elf.segments[0].vaddr, ELF_VADDR);
		ck_assert_uint_eq(elf.segments[0].paddr, ELF_PADDR);
		ck_assert_uint_eq(elf.segments[0].file_bytes, ELF_FILE_BYTES);
		ck_assert_uint_eq(elf.segments[0].memory_bytes,
				  ELF_MEMORY_BYTES);
		ck_assert_uint_eq(elf.segments[0].align, PAGE_BYTES);
		ck_assert_uint_eq(elf.segments[1].type, PT_NOTE);
	}
}
END_TEST

START_TEST(other_files_are_not_elf)
{
	static const char *const files[] = {"", "\177", "\177ELF",
					    "#!/bin/sh\nexit 0 # and more\n"};

	for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
		GByteArray *a = g_byte_array_new();

		g_byte_array_append(a, (const uint8_t *)files[i],
				    (guint)strlen(files[i]));
		ck_assert_int_eq(parse(a), 0);
		ck_assert_ptr_null(c.error);
	}
}
END_TEST

START_TEST(loads_segment_and_clears_bss)
{
	uint8_t dirt[PAGE_BYTES];
	uint64_t end = 0;

	memset(dirt, 0xEE, sizeof(dirt));
	for (uint64_t gpa = ELF_PADDR; gpa < ELF_PADDR + 8 * PAGE_BYTES;
	     gpa += PAGE_BYTES)
		gmem_write(c.mem, gpa, dirt, sizeof(dirt));
	ck_assert_loaded(&c, load(make_elf64(), &end));
	ck_assert_uint_eq(end, ELF_PADDR + ELF_MEMORY_BYTES);
	ck_assert_pattern(&c, ELF_PADDR, ELF_FILE_BYTES, ELF_SEED);
	for (uint64_t gpa = ELF_PADDR + ELF_FILE_BYTES; gpa < end; gpa += 8)
		ck_assert_uint_eq(case_u64(&c, gpa), 0);
	ck_assert_uint_eq(case_u64(&c, end), 0xEEEEEEEEEEEEEEEE);
}
END_TEST

START_TEST(segment_may_end_where_ram_ends)
{
	GByteArray *e = make_elf64();
	uint64_t end = 0;

	poke(e, PHDR64(p_paddr), RAM - ELF_MEMORY_BYTES, 8);
	ck_assert_loaded(&c, load(e, &end));
	ck_assert_uint_eq(end, RAM);
}
END_TEST

START_TEST(empty_segments_are_skipped)
{
	GByteArray *e = make_elf64();
	uint64_t end = 0;

	/* At address 0, as linkers leave them; the notes' header is reused. */
	poke(e, NOTES64(p_type), PT_LOAD, 4);
	poke(e, NOTES64(p_paddr), 0, 8);
	poke(e, NOTES64(p_memsz), 0, 8);
	ck_assert_loaded(&c, load(e, &end));
}
END_TEST

START_TEST(refuses)
{
	static const struct {
		const char *what;
		bool is_32bit;
		size_t off;
		size_t len;
		uint64_t value;
		enum boot_error code;
		const char *text;
	} rows[] = {
		{"class", false, EI_CLASS, 1, 3, BOOT_ERROR_FORMAT,
		 "kernel.img: ELF file is not for x86"},
		{"big-endian", false, EI_DATA, 1, ELFDATA2MSB,
		 BOOT_ERROR_FORMAT, "not for x86"},
		{"another machine", false, EHDR64(e_machine), 2, EM_AARCH64,
		 BOOT_ERROR_FORMAT, "not for x86"},
		{"object file", false, EHDR64(e_type), 2, ET_REL,
		 BOOT_ERROR_FORMAT, "not an executable"},
		{"core file", true, EHDR32(e_type), 2, ET_CORE,
		 BOOT_ERROR_FORMAT, "not an executable"},
		{"no headers", false, EHDR64(e_phnum), 2, 0, BOOT_ERROR_FORMAT,
		 "no segments"},
		{"nothing to load", false, PHDR64(p_type), 4, PT_NULL,
		 BOOT_ERROR_FORMAT, "no segments"},
		{"too many headers", false, EHDR64(e_phnum), 2, 65,
		 BOOT_ERROR_FORMAT, "too many segments"},
		{"headers of the other class", false, EHDR64(e_phentsize), 2,
		 sizeof(Elf32_Phdr), BOOT_ERROR_FORMAT, "wrong size"},
		{"headers of no size", true, EHDR32(e_phentsize), 2, 0,
		 BOOT_ERROR_FORMAT, "wrong size"},
		{"headers beyond the file", false, EHDR64(e_phoff), 8, 0x100000,
		 BOOT_ERROR_TRUNCATED, "truncated"},
		{"headers wrap", false, EHDR64(e_phoff), 8, UINT64_MAX - 40,
		 BOOT_ERROR_TRUNCATED, "truncated"},
		{"headers wrap, 32-bit", true, EHDR32(e_phoff), 4, UINT32_MAX,
		 BOOT_ERROR_TRUNCATED, "truncated"},
		{"segment beyond the file", false, PHDR64(p_offset), 8,
		 ELF_SEGMENT_OFF + 1, BOOT_ERROR_TRUNCATED,
		 "promise 12801 bytes, the file has 12800"},
		{"segment wraps the file", false, PHDR64(p_offset), 8,
		 UINT64_MAX - 1, BOOT_ERROR_TRUNCATED, "truncated"},
		{"more in file than memory", false, PHDR64(p_memsz), 8,
		 ELF_FILE_BYTES - 1, BOOT_ERROR_FORMAT, "more bytes"},
		{"over boot data", false, PHDR64(p_paddr), 8, MIB - PAGE_BYTES,
		 BOOT_ERROR_MEMORY, "first MiB"},
		{"at 0, 32-bit", true, PHDR32(p_paddr), 4, 0, BOOT_ERROR_MEMORY,
		 "first MiB"},
		{"past RAM", false, PHDR64(p_paddr), 8,
		 RAM - ELF_MEMORY_BYTES + 1, BOOT_ERROR_MEMORY, "--memory"},
		{"in the hole", false, PHDR64(p_paddr), 8, 0xFEE00000,
		 BOOT_ERROR_MEMORY, "0xfee00000"},
		{"address wraps", false, PHDR64(p_paddr), 8,
		 UINT64_MAX - PAGE_BYTES, BOOT_ERROR_MEMORY, "--memory"},
		{"more than all RAM", false, PHDR64(p_memsz), 8, RAM + 1,
		 BOOT_ERROR_MEMORY, "--memory"},
		{"all there is", false, PHDR64(p_memsz), 8, UINT64_MAX,
		 BOOT_ERROR_MEMORY, "--memory"},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		GByteArray *e = rows[i].is_32bit ? make_elf32() : make_elf64();
		uint64_t end;
		int err;

		poke(e, rows[i].off, rows[i].value, rows[i].len);
		err = load(e, &end);
		ck_assert_msg(err == -1, "%s was taken", rows[i].what);
		ck_assert_refused(&c, err, rows[i].code, rows[i].text);
	}
}
END_TEST

/* Segments that lie over each other would be loaded again and again. */
START_TEST(segments_together_stay_below_ram)
{
	GByteArray *e = make_elf64();
	Elf64_Phdr p = {
		.p_type = PT_LOAD,
		.p_paddr = MIB,
		.p_memsz = RAM / 2,
	};
	uint64_t end;

	put_at(e, PHDR64(p_type), &p, sizeof(p));
	put_at(e, NOTES64(p_type), &p, sizeof(p));
	ck_assert_loaded(&c, load(e, &end));

	e = make_elf64();
	p.p_memsz += 1;
	put_at(e, PHDR64(p_type), &p, sizeof(p));
	put_at(e, NOTES64(p_type), &p, sizeof(p));
	ck_assert_refused(&c, load(e, &end), BOOT_ERROR_MEMORY, "together");
}
END_TEST

START_TEST(finds_the_note)
{
	uint64_t value = 0;

	ck_assert_int_eq(find(make_elf64(), &value), 1);
	ck_assert_uint_eq(value, ELF_PVH_ENTRY);
	value = 0;
	ck_assert_int_eq(find(make_elf32(), &value), 1);
	ck_assert_uint_eq(value, ELF_PVH_ENTRY);
}
END_TEST

/* Linux writes 8 bytes in 64-bit kernels. */
START_TEST(finds_a_note_of_eight_bytes)
{
	GByteArray *e = make_elf64();
	uint64_t value = 0;

	poke(e, ELF_NOTE_OFF + 16 + 4, 8, 4);
	poke(e, ELF_PVH_OFF, 0x123456789A, 8);
	poke(e, NOTES64(p_filesz), ELF_NOTE_BYTES + 4, 8);
	ck_assert_int_eq(find(e, &value), 1);
	ck_assert_uint_eq(value, 0x123456789A);
}
END_TEST

START_TEST(aligns_notes_to_eight_when_told)
{
	static const uint32_t notes[] = {
		4, 4, 5,  0x00554E47, 0x11111111,    0, /* 20 bytes, and 4 */
		4, 4, 18, 0x006E6558, ELF_PVH_ENTRY,
	};
	GByteArray *e = make_elf64();
	uint64_t value = 0;

	put_at(e, ELF_NOTE_OFF, notes, sizeof(notes));
	poke(e, NOTES64(p_filesz), sizeof(notes), 8);
	poke(e, NOTES64(p_align), 8, 8);
	ck_assert_int_eq(find(e, &value), 1);
	ck_assert_uint_eq(value, ELF_PVH_ENTRY);
}
END_TEST

START_TEST(damaged_notes_are_no_notes)
{
	static const struct {
		const char *what;
		size_t off;
		size_t len;
		uint64_t value;
	} rows[] = {
		{"another type", ELF_NOTE_OFF + 16 + 8, 4, 17},
		{"another owner", ELF_NOTE_OFF + 16 + 12, 4, 0x006E6559},
		{"longer owner", ELF_NOTE_OFF + 16, 4, 5},
		{"owner past the end", ELF_NOTE_OFF, 4, 25},
		{"endless owner", ELF_NOTE_OFF, 4, UINT32_MAX},
		{"owner past the end, rounded", ELF_NOTE_OFF, 4, 23},
		{"number of two bytes", ELF_NOTE_OFF + 16 + 4, 4, 2},
		{"number past the end", ELF_NOTE_OFF + 16 + 4, 4, 8},
		{"endless number", ELF_NOTE_OFF + 4, 4, UINT32_MAX},
		{"nearly endless number", ELF_NOTE_OFF + 4, 4, UINT32_MAX - 15},
		{"cut in the number", NOTES64(p_filesz), 8, ELF_NOTE_BYTES - 1},
		{"cut in the header", NOTES64(p_filesz), 8, 16 + 11},
		{"empty", NOTES64(p_filesz), 8, 0},
		{"no notes", NOTES64(p_type), 4, PT_NULL},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		GByteArray *e = make_elf64();
		uint64_t value = 0;
		int is;

		poke(e, rows[i].off, rows[i].value, rows[i].len);
		is = find(e, &value);
		ck_assert_msg(is == 0, "%s: %d", rows[i].what, is);
		ck_assert_ptr_null(c.error);
	}
}
END_TEST

START_TEST(notes_beyond_the_file_are_an_error)
{
	GByteArray *e = make_elf64();
	uint64_t value = 0;

	poke(e, NOTES64(p_offset), 0x10000, 8);
	ck_assert_refused(&c, find(e, &value), BOOT_ERROR_TRUNCATED,
			  "truncated");
	/* However large they say they are, no more than a bit is read. */
	e = make_elf64();
	poke(e, NOTES64(p_filesz), UINT64_MAX, 8);
	ck_assert_refused(&c, find(e, &value), BOOT_ERROR_TRUNCATED,
			  "truncated");
}
END_TEST

START_TEST(shorter_files_are_truncated)
{
	for (guint len = EI_NIDENT; len < ELF_SEGMENT_OFF + ELF_FILE_BYTES;
	     len += 11) {
		GByteArray *e = make_elf64();
		uint64_t end;

		g_byte_array_set_size(e, len);
		ck_assert_refused(&c, load(e, &end), BOOT_ERROR_TRUNCATED,
				  "truncated");
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("boot/elf_image");
	TCase *t = tcase_create("elf_image");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, reads_both_classes);
	tcase_add_test(t, other_files_are_not_elf);
	tcase_add_test(t, loads_segment_and_clears_bss);
	tcase_add_test(t, segment_may_end_where_ram_ends);
	tcase_add_test(t, empty_segments_are_skipped);
	tcase_add_test(t, refuses);
	tcase_add_test(t, segments_together_stay_below_ram);
	tcase_add_test(t, finds_the_note);
	tcase_add_test(t, finds_a_note_of_eight_bytes);
	tcase_add_test(t, aligns_notes_to_eight_when_told);
	tcase_add_test(t, damaged_notes_are_no_notes);
	tcase_add_test(t, notes_beyond_the_file_are_an_error);
	tcase_add_test(t, shorter_files_are_truncated);
	suite_add_tcase(s, t);
	return check_main(s);
}
