/* SPDX-License-Identifier: MIT */
#include <inttypes.h>

#include "boot_case.h"

#define RAM (64 * MIB)

static struct boot_case c;

static void setup(void)
{
	c = case_new(RAM);
}

static void teardown(void)
{
	case_free(&c);
}

static struct boot_params zero_page(void)
{
	struct boot_params p;

	case_read(&c, MEMMAP_ZERO_PAGE, &p, sizeof(p));
	return p;
}

START_TEST(enters_64bit_kernel)
{
	ck_assert_loaded(&c, case_load(&c, make_bzimage(), NULL, NULL));
	ck_assert_int_eq(c.entry.mode, BOOT_LONG);
	ck_assert_uint_eq(c.entry.rip, 0x100200);
	ck_assert_uint_eq(c.entry.rsi, MEMMAP_ZERO_PAGE);
	ck_assert_uint_eq(c.entry.rbx, 0);
	ck_assert_str_eq(c.entry.protocol, "bzImage 64-bit");
	ck_assert_pattern(&c, 0x100000, BZ_KERNEL_BYTES, BZ_KERNEL_SEED);
}
END_TEST

START_TEST(enters_32bit_kernel)
{
	static const struct {
		const char *what;
		size_t off;
		uint16_t value;
	} rows[] = {
		{"no 64-bit entry", BZ_FIELD(xloadflags), 0},
		{"too old to say", BZ_FIELD(version), 0x20B},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		GByteArray *bz = make_bzimage();

		poke(bz, rows[i].off, rows[i].value, 2);
		ck_assert_loaded(&c, case_load(&c, bz, NULL, NULL));
		ck_assert_msg(c.entry.mode == BOOT_PROTECTED, "%s",
			      rows[i].what);
		ck_assert_uint_eq(c.entry.rip, 0x100000);
		ck_assert_uint_eq(c.entry.rsi, MEMMAP_ZERO_PAGE);
		ck_assert_uint_eq(c.entry.cr3, 0);
		ck_assert_str_eq(c.entry.protocol, "bzImage 32-bit");
	}
}
END_TEST

START_TEST(zero_page_says_where_things_are)
{
	struct boot_params p;

	ck_assert_loaded(&c, case_load(&c, make_bzimage(), pattern(5000, 1),
				       "console=ttyS0 quiet"));
	p = zero_page();
	ck_assert_uint_eq(p.hdr.type_of_loader, 0xFF);
	ck_assert_uint_eq(p.hdr.code32_start, 0x100000);
	ck_assert_uint_eq(p.hdr.cmd_line_ptr, MEMMAP_CMDLINE);
	ck_assert_uint_eq(p.acpi_rsdp_addr, MEMMAP_RSDP);
	ck_assert_str_eq(case_string(&c, p.hdr.cmd_line_ptr),
			 "console=ttyS0 quiet");
	ck_assert_uint_eq(p.hdr.ramdisk_size, 5000);
	ck_assert_uint_eq(p.hdr.ramdisk_image, RAM - 8192);
	ck_assert_pattern(&c, p.hdr.ramdisk_image, 5000, 1);
	ck_assert_uint_eq(p.hdr.setup_data, 0);
	/* The image's own words. */
	ck_assert_uint_eq(p.hdr.version, 0x20F);
	ck_assert_uint_eq(p.hdr.init_size, BZ_INIT_BYTES);
}
END_TEST

START_TEST(zero_page_has_e820)
{
	struct e820_entry want[E820_MAX];
	unsigned int n = memmap_e820(c.mem, want);
	struct boot_params p;

	ck_assert_loaded(&c, case_load(&c, make_bzimage(), NULL, NULL));
	p = zero_page();
	ck_assert_uint_eq(p.e820_entries, n);
	for (unsigned int i = 0; i < n; i++) {
		ck_assert_uint_eq(p.e820_table[i].addr, want[i].base);
		ck_assert_uint_eq(p.e820_table[i].size, want[i].bytes);
		ck_assert_uint_eq(p.e820_table[i].type, want[i].type);
	}
}
END_TEST

START_TEST(without_initrd_or_command_line)
{
	struct boot_params p;

	ck_assert_loaded(&c, case_load(&c, make_bzimage(), NULL, NULL));
	p = zero_page();
	ck_assert_uint_eq(p.hdr.ramdisk_size, 0);
	ck_assert_uint_eq(p.hdr.ramdisk_image, 0);
	ck_assert_str_eq(case_string(&c, p.hdr.cmd_line_ptr), "");
}
END_TEST

/* boot.rst: copy the header and nothing else, or the kernel finds 0xFF. */
START_TEST(only_the_header_is_copied)
{
	GByteArray *bz = make_bzimage();
	uint8_t page[PAGE_BYTES];

	memset(bz->data, 0xFF, BZ_HEADER_OFF);
	memset(bz->data + BZ_HEADER_END, 0xFF, 0x290 - BZ_HEADER_END);
	ck_assert_loaded(&c, case_load(&c, bz, NULL, NULL));
	case_read(&c, MEMMAP_ZERO_PAGE, page, sizeof(page));
	ck_assert_uint_eq(page[offsetof(struct boot_params, sentinel)], 0);
	for (size_t i = BZ_HEADER_END; i < 0x290; i++)
		ck_assert_uint_eq(page[i], 0);
}
END_TEST

/* A newer kernel's header is longer than the one we know: all of it goes. */
START_TEST(longer_header_is_copied_whole)
{
	GByteArray *bz = make_bzimage();
	uint8_t last;

	poke(bz, 0x201, 0x290 - 0x202, 1);
	poke(bz, 0x28F, 0x5A, 1);
	ck_assert_loaded(&c, case_load(&c, bz, NULL, NULL));
	case_read(&c, MEMMAP_ZERO_PAGE + 0x28F, &last, 1);
	ck_assert_uint_eq(last, 0x5A);
}
END_TEST

START_TEST(no_setup_sects_means_four)
{
	GByteArray *bz = make_bzimage();

	poke(bz, BZ_FIELD(setup_sects), 0, 1);
	ck_assert_loaded(&c, case_load(&c, bz, NULL, NULL));
	ck_assert_pattern(&c, 0x100000, BZ_KERNEL_BYTES, BZ_KERNEL_SEED);
}
END_TEST

/* Signed kernels have a signature behind the kernel. */
START_TEST(what_follows_the_kernel_stays_out)
{
	GByteArray *bz = make_bzimage();
	g_autoptr(GByteArray) signature = pattern(100, 9);

	g_byte_array_append(bz, signature->data, signature->len);
	ck_assert_loaded(&c, case_load(&c, bz, NULL, NULL));
	ck_assert_uint_eq(case_u64(&c, 0x100000 + BZ_KERNEL_BYTES), 0);
}
END_TEST

/* Where the initrd ends up, by what the kernel says and what RAM there is. */
START_TEST(initrd_lies_as_high_as_allowed)
{
	static const struct {
		const char *what;
		uint64_t ram;
		uint16_t version;
		uint32_t addr_max;
		uint32_t want;
	} rows[] = {
		{"below the end of RAM", 64 * MIB, 0x20F, 0x7FFFFFFF,
		 64 * MIB - PAGE_BYTES},
		{"below the kernel's limit", 64 * MIB, 0x20F, 48 * MIB - 1,
		 48 * MIB - PAGE_BYTES},
		{"limit inside a page", 64 * MIB, 0x20F, 48 * MIB + 100,
		 48 * MIB - PAGE_BYTES},
		{"no limit at all", 64 * MIB, 0x20F, 0xFFFFFFFF,
		 64 * MIB - PAGE_BYTES},
		{"below 896 MiB for the oldest", 1024 * MIB, 0x202, 0,
		 0x38000000 - PAGE_BYTES},
		{"below the hole", 5 * 1024 * MIB, 0x20F, 0xFFFFFFFF,
		 0xC0000000 - PAGE_BYTES},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct boot_case one = case_new(rows[i].ram);
		GByteArray *bz = make_bzimage();
		uint64_t at;

		poke(bz, BZ_FIELD(version), rows[i].version, 2);
		poke(bz, BZ_FIELD(initrd_addr_max), rows[i].addr_max, 4);
		ck_assert_loaded(&one,
				 case_load(&one, bz, pattern(1000, 2), NULL));
		at = case_u32(&one, MEMMAP_ZERO_PAGE + BZ_FIELD(ramdisk_image));
		ck_assert_msg(at == rows[i].want, "%s: at 0x%" PRIx64,
			      rows[i].what, at);
		ck_assert_pattern(&one, at, 1000, 2);
		case_free(&one);
	}
}
END_TEST

/* How much RAM the kernel asks for; one page less is refused. */
START_TEST(memory_to_unpack_in)
{
	static const struct {
		const char *what;
		uint16_t version;
		uint8_t relocatable;
		uint64_t alignment;
		uint64_t pref;
		uint32_t init_size;
		uint64_t need;
	} rows[] = {
		{"moves up to where it prefers", 0x20F, 1, 2 * MIB, 16 * MIB,
		 8 * MIB, 24 * MIB},
		{"stays where it is loaded, aligned", 0x20F, 1, 2 * MIB, MIB,
		 8 * MIB, 10 * MIB},
		{"cannot move", 0x20F, 0, 2 * MIB, 16 * MIB, 8 * MIB, 24 * MIB},
		{"alignment of no use when it cannot move", 0x20F, 0, 3,
		 16 * MIB, 8 * MIB, 24 * MIB},
		{"does not say: four times its size", 0x209, 1, 0, 0, 0,
		 3 * MIB},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		for (unsigned int less = 0; less < 2; less++) {
			struct boot_case one =
				case_new(rows[i].need - less * PAGE_BYTES);
			GByteArray *bz = make_bzimage();
			int err;

			/* half a MiB, for the row that multiplies it */
			g_byte_array_set_size(bz, BZ_KERNEL_OFF + MIB / 2);
			poke(bz, BZ_FIELD(syssize), MIB / 2 / 16, 4);
			poke(bz, BZ_FIELD(version), rows[i].version, 2);
			poke(bz, BZ_FIELD(relocatable_kernel),
			     rows[i].relocatable, 1);
			poke(bz, BZ_FIELD(kernel_alignment), rows[i].alignment,
			     4);
			poke(bz, BZ_FIELD(pref_address), rows[i].pref, 8);
			poke(bz, BZ_FIELD(init_size), rows[i].init_size, 4);
			err = case_load(&one, bz, NULL, NULL);
			ck_assert_msg(err == -(int)less, "%s: %u", rows[i].what,
				      less);
			if (less)
				ck_assert_refused(&one, err, BOOT_ERROR_MEMORY,
						  "--memory");
			case_free(&one);
		}
	}
}
END_TEST

START_TEST(initrd_fits_just_above_the_kernel)
{
	size_t room = RAM - (BZ_PREF + BZ_INIT_BYTES);

	ck_assert_loaded(&c,
			 case_load(&c, make_bzimage(), pattern(room, 1), NULL));
	ck_assert_uint_eq(zero_page().hdr.ramdisk_image,
			  BZ_PREF + BZ_INIT_BYTES);
	ck_assert_refused(
		&c, case_load(&c, make_bzimage(), pattern(room + 1, 1), NULL),
		BOOT_ERROR_MEMORY, "initrd of 40961 KiB does not fit");
}
END_TEST

START_TEST(command_line_is_bounded)
{
	char *line = g_strnfill(2048, 'x');

	ck_assert_refused(&c, case_load(&c, make_bzimage(), NULL, line),
			  BOOT_ERROR_CMDLINE,
			  "2048 characters, this kernel takes at most 2047");
	line[2047] = '\0';
	ck_assert_loaded(&c, case_load(&c, make_bzimage(), NULL, line));
	g_free(line);
}
END_TEST

/* A kernel that takes more than we have room for gets what we have. */
START_TEST(command_line_never_leaves_its_place)
{
	char *line = g_strnfill(MEMMAP_CMDLINE_BYTES, 'x');
	GByteArray *bz = make_bzimage();

	poke(bz, BZ_FIELD(cmdline_size), UINT32_MAX, 4);
	ck_assert_refused(&c, case_load(&c, bz, NULL, line), BOOT_ERROR_CMDLINE,
			  "at most 65535");
	g_free(line);
}
END_TEST

START_TEST(old_kernels_take_255_characters)
{
	char *line = g_strnfill(256, 'x');
	GByteArray *bz = make_bzimage();

	poke(bz, BZ_FIELD(version), 0x205, 2);
	ck_assert_refused(&c, case_load(&c, bz, NULL, line), BOOT_ERROR_CMDLINE,
			  "at most 255");
	g_free(line);
}
END_TEST

START_TEST(refuses)
{
	static const struct {
		const char *what;
		size_t off;
		size_t len;
		uint64_t value;
		enum boot_error code;
		const char *text;
	} rows[] = {
		{"no boot flag", BZ_FIELD(boot_flag), 2, 0xAA54,
		 BOOT_ERROR_FORMAT, "kernel.img: not a kernel"},
		{"no magic", BZ_FIELD(header), 4, 0x53726449, BOOT_ERROR_FORMAT,
		 "not a kernel"},
		{"too old", BZ_FIELD(version), 2, 0x201, BOOT_ERROR_FORMAT,
		 "2.01 is too old"},
		{"zImage", BZ_FIELD(loadflags), 1, 0, BOOT_ERROR_FORMAT,
		 "zImage"},
		{"header too long", 0x201, 1, 0xFF, BOOT_ERROR_FORMAT,
		 "ends at 0x301"},
		{"empty kernel", BZ_FIELD(syssize), 4, 0, BOOT_ERROR_FORMAT,
		 "its kernel has 0 bytes"},
		{"no room for the entry", BZ_FIELD(syssize), 4, 0x20,
		 BOOT_ERROR_FORMAT, "its kernel has 512 bytes"},
		{"one paragraph too many", BZ_FIELD(syssize), 4,
		 BZ_KERNEL_BYTES / 16 + 1, BOOT_ERROR_TRUNCATED,
		 "promises 10768 bytes, the file has 10752"},
		{"promises everything", BZ_FIELD(syssize), 4, UINT32_MAX,
		 BOOT_ERROR_TRUNCATED, "truncated"},
		{"more setup than file", BZ_FIELD(setup_sects), 1, 0xFF,
		 BOOT_ERROR_TRUNCATED, "truncated"},
		{"alignment 0", BZ_FIELD(kernel_alignment), 4, 0,
		 BOOT_ERROR_FORMAT, "alignment"},
		{"alignment 3", BZ_FIELD(kernel_alignment), 4, 3,
		 BOOT_ERROR_FORMAT, "alignment"},
		{"aligned out of RAM", BZ_FIELD(kernel_alignment), 4,
		 0x80000000, BOOT_ERROR_MEMORY, "8 MiB at 0x80000000"},
		{"prefers the moon", BZ_FIELD(pref_address), 8, UINT64_MAX,
		 BOOT_ERROR_MEMORY, "--memory"},
		{"wraps", BZ_FIELD(pref_address), 8, UINT64_MAX - MIB,
		 BOOT_ERROR_MEMORY, "--memory"},
		{"needs 4 GiB", BZ_FIELD(init_size), 4, UINT32_MAX,
		 BOOT_ERROR_MEMORY, "4096 MiB"},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		GByteArray *bz = make_bzimage();
		int err;

		poke(bz, rows[i].off, rows[i].value, rows[i].len);
		err = case_load(&c, bz, NULL, NULL);
		ck_assert_msg(err == -1, "%s was taken", rows[i].what);
		ck_assert_refused(&c, err, rows[i].code, rows[i].text);
	}
}
END_TEST

/* Cut anywhere it is refused, and never taken for something else's fault. */
START_TEST(refuses_every_shorter_file)
{
	for (guint len = 0; len < BZ_KERNEL_OFF + BZ_KERNEL_BYTES; len += 13) {
		GByteArray *bz = make_bzimage();
		int err;

		g_byte_array_set_size(bz, len);
		err = case_load(&c, bz, NULL, NULL);
		if (len < BZ_FIELD(version))
			ck_assert_refused(&c, err, BOOT_ERROR_FORMAT,
					  "not a kernel");
		else
			ck_assert_refused(&c, err, BOOT_ERROR_TRUNCATED,
					  "truncated");
	}
}
END_TEST

/* A limit below the kernel leaves no place for an initrd. */
START_TEST(refuses_initrd_without_place)
{
	static const uint32_t limits[] = {0, 4096, BZ_PREF + BZ_INIT_BYTES};

	for (size_t i = 0; i < G_N_ELEMENTS(limits); i++) {
		GByteArray *bz = make_bzimage();

		poke(bz, BZ_FIELD(initrd_addr_max), limits[i], 4);
		ck_assert_refused(&c, case_load(&c, bz, pattern(100, 1), NULL),
				  BOOT_ERROR_MEMORY, "does not fit");
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("boot/bzimage");
	TCase *t = tcase_create("bzimage");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, enters_64bit_kernel);
	tcase_add_test(t, enters_32bit_kernel);
	tcase_add_test(t, zero_page_says_where_things_are);
	tcase_add_test(t, zero_page_has_e820);
	tcase_add_test(t, without_initrd_or_command_line);
	tcase_add_test(t, only_the_header_is_copied);
	tcase_add_test(t, longer_header_is_copied_whole);
	tcase_add_test(t, no_setup_sects_means_four);
	tcase_add_test(t, what_follows_the_kernel_stays_out);
	tcase_add_test(t, initrd_lies_as_high_as_allowed);
	tcase_add_test(t, memory_to_unpack_in);
	tcase_add_test(t, initrd_fits_just_above_the_kernel);
	tcase_add_test(t, command_line_is_bounded);
	tcase_add_test(t, command_line_never_leaves_its_place);
	tcase_add_test(t, old_kernels_take_255_characters);
	tcase_add_test(t, refuses);
	tcase_add_test(t, refuses_every_shorter_file);
	tcase_add_test(t, refuses_initrd_without_place);
	suite_add_tcase(s, t);
	return check_main(s);
}
