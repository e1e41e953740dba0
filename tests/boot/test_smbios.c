/* SPDX-License-Identifier: MIT */
#include "boot/smbios.h"

#include "boot_case.h"
#include "config/smbios_config.h"
#include "proto/smbios.h"

#define GIB   (1024 * MIB)
#define TABLE (MEMMAP_SMBIOS + 0x20)

static struct boot_case c;

static void setup(void)
{
	c = case_new(2 * GIB);
}

static void teardown(void)
{
	case_free(&c);
}

/* Address of structure @type, the @nth of it; 0 when there is none. */
static uint64_t find(struct boot_case *one, uint8_t type, unsigned int nth)
{
	uint64_t gpa = TABLE;

	for (unsigned int i = 0; i < 32; i++) {
		struct smbios_header h;

		case_read(one, gpa, &h, sizeof(h));
		if (h.type == type && !nth--)
			return gpa;
		if (h.type == SMBIOS_END)
			return 0;
		gpa += h.length;
		while (case_u32(one, gpa) & 0xFFFF)
			gpa++;
		gpa += 2;
	}
	ck_abort_msg("no end");
	return 0;
}

/* String @number of the structure at @gpa. */
static const char *string(uint64_t gpa, unsigned int number)
{
	struct smbios_header h;

	case_read(&c, gpa, &h, sizeof(h));
	gpa += h.length;
	while (--number)
		gpa += strlen(case_string(&c, gpa)) + 1;
	return case_string(&c, gpa);
}

START_TEST(entry_point_is_whole)
{
	struct smbios3_entry e;
	uint8_t raw[sizeof(e)], sum = 0;
	uint64_t end;

	ck_assert_int_eq(smbios_write(c.mem, &c.platform, NULL), 0);
	case_read(&c, 0xF0000, &e, sizeof(e));
	memcpy(raw, &e, sizeof(e));
	for (size_t i = 0; i < sizeof(raw); i++)
		sum = (uint8_t)(sum + raw[i]);
	ck_assert_uint_eq(sum, 0);
	ck_assert_mem_eq(e.anchor, "_SM3_", 5);
	ck_assert_uint_eq(e.length, 24);
	ck_assert_uint_eq(e.table, TABLE);
	end = find(&c, SMBIOS_END, 0);
	ck_assert_uint_eq(TABLE + e.max_bytes,
			  end + sizeof(struct smbios_header) + 2);
}
END_TEST

START_TEST(names_itself_as_hyper_v)
{
	struct smbios_system system;
	struct smbios_bios bios;
	struct smbios_baseboard board;
	struct smbios_chassis chassis;
	uint64_t gpa;

	ck_assert_int_eq(smbios_write(c.mem, &c.platform, NULL), 0);
	gpa = find(&c, SMBIOS_SYSTEM, 0);
	case_read(&c, gpa, &system, sizeof(system));
	ck_assert_str_eq(string(gpa, system.manufacturer),
			 "Microsoft Corporation");
	ck_assert_str_eq(string(gpa, system.product), "Virtual Machine");
	ck_assert_str_eq(string(gpa, system.family), "Virtual Machine");
	ck_assert_str_eq(string(gpa, system.version),
			 "Hyper-V UEFI Release v4.1");
	ck_assert_str_eq(string(gpa, system.sku), "None");

	gpa = find(&c, SMBIOS_BIOS, 0);
	case_read(&c, gpa, &bios, sizeof(bios));
	ck_assert_str_eq(string(gpa, bios.vendor), "Microsoft Corporation");
	ck_assert_str_eq(string(gpa, bios.version),
			 "Hyper-V UEFI Release v4.1");

	gpa = find(&c, SMBIOS_BASEBOARD, 0);
	case_read(&c, gpa, &board, sizeof(board));
	ck_assert_str_eq(string(gpa, board.product), "Virtual Machine");
	gpa = find(&c, SMBIOS_CHASSIS, 0);
	case_read(&c, gpa, &chassis, sizeof(chassis));
	ck_assert_str_eq(string(gpa, chassis.manufacturer),
			 "Microsoft Corporation");
	ck_assert_uint_eq(board.chassis, chassis.header.handle);
}
END_TEST

START_TEST(uuid_is_mixed_endian)
{
	static const uint8_t want[16] = {0x10, 0xb8, 0xa7, 0x6b, 0xad, 0x9d,
					 0xd1, 0x11, 0x80, 0xb4, 0x00, 0xc0,
					 0x4f, 0xd4, 0x30, 0xc8};
	struct smbios_system system;

	ck_assert_int_eq(smbios_write(c.mem, &c.platform, NULL), 0);
	case_read(&c, find(&c, SMBIOS_SYSTEM, 0), &system, sizeof(system));
	ck_assert_mem_eq(system.uuid, want, sizeof(want));
}
END_TEST

START_TEST(refuses_what_is_no_uuid)
{
	static const char *const bad[] = {
		"",
		"6ba7b810",
		"6ba7b810-9dad-11d1-80b4-00c04fd430c",
		"6ba7b810-9dad-11d1-80b4-00c04fd430c8 ",
		"6ba7b810 9dad-11d1-80b4-00c04fd430c8",
		"6ba7b8109-dad-11d1-80b4-00c04fd430c8",
		"gba7b810-9dad-11d1-80b4-00c04fd430c8",
		"{ba7b810-9dad-11d1-80b4-00c04fd430c8",
	};

	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		c.platform.vm_uuid = bad[i];
		ck_assert_refused(&c,
				  smbios_write(c.mem, &c.platform, &c.error),
				  BOOT_ERROR_PLATFORM, "is not a UUID");
		g_clear_error(&c.error);
	}
	c.platform.vm_uuid = "6BA7B810-9DAD-11D1-80B4-00C04FD430C8";
	ck_assert_int_eq(smbios_write(c.mem, &c.platform, NULL), 0);
	c.platform.vm_uuid = NULL;
	ck_assert_int_eq(smbios_write(c.mem, &c.platform, NULL), 0);
}
END_TEST

static char *asset_tag(void)
{
	uint64_t gpa;
	struct smbios_chassis chassis;

	ck_assert_int_eq(smbios_write(c.mem, &c.platform, NULL), 0);
	gpa = find(&c, SMBIOS_CHASSIS, 0);
	case_read(&c, gpa, &chassis, sizeof(chassis));
	return g_strdup(string(gpa, chassis.asset_tag));
}

START_TEST(asset_tag_is_made_from_the_uuid)
{
	g_autofree char *one = asset_tag();
	g_autofree char *again = asset_tag();
	g_autofree char *other = NULL;

	/* dddd-dddd-dddd-dddd-dddd-dddd-dd */
	ck_assert_uint_eq(strlen(one), 32);
	for (size_t i = 0; i < 32; i++)
		ck_assert(i % 5 == 4 ? one[i] == '-' : g_ascii_isdigit(one[i]));
	ck_assert_str_eq(one, again);
	c.platform.vm_uuid = "00000000-9dad-11d1-80b4-00c04fd430c8";
	other = asset_tag();
	ck_assert_str_ne(one, other);
}
END_TEST

START_TEST(asset_tag_as_given)
{
	g_autofree char *tag = NULL;
	char long_tag[66];

	c.platform.asset_tag = "7783-7084-3265-9085-8269-3286-77";
	tag = asset_tag();
	ck_assert_str_eq(tag, c.platform.asset_tag);

	c.platform.asset_tag = "";
	ck_assert_refused(&c, smbios_write(c.mem, &c.platform, &c.error),
			  BOOT_ERROR_PLATFORM, "1 to 64");
	g_clear_error(&c.error);
	memset(long_tag, 'x', sizeof(long_tag));
	long_tag[65] = '\0';
	c.platform.asset_tag = long_tag;
	ck_assert_refused(&c, smbios_write(c.mem, &c.platform, &c.error),
			  BOOT_ERROR_PLATFORM, "1 to 64");
	long_tag[64] = '\0';
	ck_assert_int_eq(smbios_write(c.mem, &c.platform, NULL), 0);
}
END_TEST

/* Each string is where it belongs, and the others are as they were. */
START_TEST(strings_as_given)
{
	struct smbios_config config;
	struct smbios_bios bios;
	struct smbios_system system;
	struct smbios_baseboard board;
	struct smbios_chassis chassis;
	struct smbios_oem_strings oem;
	uint64_t gpa;

	smbios_config_init(&config);
	for (unsigned int i = 0; i < SMBIOS_N_TEXTS; i++) {
		const char *name = smbios_text_name((enum smbios_text)i);

		ck_assert(!smbios_config_set(
			&config, name, i == SMBIOS_BIOS_RELEASE ? "7.12" : name,
			NULL));
	}
	smbios_config_set(&config, "oem", "first", NULL);
	smbios_config_set(&config, "oem", "second", NULL);
	c.platform.smbios = &config;
	ck_assert_int_eq(smbios_write(c.mem, &c.platform, NULL), 0);

	gpa = find(&c, SMBIOS_BIOS, 0);
	case_read(&c, gpa, &bios, sizeof(bios));
	ck_assert_str_eq(string(gpa, bios.vendor), "bios.vendor");
	ck_assert_str_eq(string(gpa, bios.version), "bios.version");
	ck_assert_str_eq(string(gpa, bios.date), "bios.date");
	ck_assert_uint_eq(bios.release_major, 7);
	ck_assert_uint_eq(bios.release_minor, 12);
	gpa = find(&c, SMBIOS_SYSTEM, 0);
	case_read(&c, gpa, &system, sizeof(system));
	ck_assert_str_eq(string(gpa, system.manufacturer),
			 "system.manufacturer");
	ck_assert_str_eq(string(gpa, system.product), "system.product");
	ck_assert_str_eq(string(gpa, system.version), "system.version");
	ck_assert_str_eq(string(gpa, system.serial), "system.serial");
	ck_assert_str_eq(string(gpa, system.sku), "system.sku");
	ck_assert_str_eq(string(gpa, system.family), "system.family");
	gpa = find(&c, SMBIOS_BASEBOARD, 0);
	case_read(&c, gpa, &board, sizeof(board));
	ck_assert_str_eq(string(gpa, board.manufacturer),
			 "baseBoard.manufacturer");
	ck_assert_str_eq(string(gpa, board.product), "baseBoard.product");
	ck_assert_str_eq(string(gpa, board.serial), "baseBoard.serial");
	ck_assert_str_eq(string(gpa, board.asset_tag), "baseBoard.asset");
	ck_assert_str_eq(string(gpa, board.location), "baseBoard.location");
	gpa = find(&c, SMBIOS_CHASSIS, 0);
	case_read(&c, gpa, &chassis, sizeof(chassis));
	ck_assert_str_eq(string(gpa, chassis.version), "chassis.version");
	ck_assert_str_eq(string(gpa, chassis.asset_tag), "chassis.asset");
	ck_assert_str_eq(string(gpa, chassis.sku), "chassis.sku");
	gpa = find(&c, SMBIOS_OEM_STRINGS, 0);
	case_read(&c, gpa, &oem, sizeof(oem));
	ck_assert_uint_eq(oem.n_strings, 2);
	ck_assert_str_eq(string(gpa, 2), "second");
	smbios_config_clear(&config);
}
END_TEST

START_TEST(a_location_alone)
{
	struct smbios_config config;
	struct smbios_baseboard board;
	uint64_t gpa;

	smbios_config_init(&config);
	smbios_config_set(&config, "baseBoard.location", "slot 7", NULL);
	c.platform.smbios = &config;
	ck_assert_int_eq(smbios_write(c.mem, &c.platform, NULL), 0);
	gpa = find(&c, SMBIOS_BASEBOARD, 0);
	case_read(&c, gpa, &board, sizeof(board));
	ck_assert_str_eq(string(gpa, board.location), "slot 7");
	ck_assert_uint_eq(board.asset_tag, 0);
	ck_assert(!find(&c, SMBIOS_OEM_STRINGS, 0));
	smbios_config_clear(&config);
}
END_TEST

START_TEST(memory_by_size)
{
	static const struct {
		uint64_t ram;
		uint16_t mib;
		uint32_t extended_mib;
		unsigned int n_mapped;
	} rows[] = {
		{2 * MIB, 2, 0, 1},
		{2 * GIB, 2048, 0, 1},
		{32 * GIB - MIB, 0x7FFF, 0x7FFF, 2},
		{32 * GIB - 2 * MIB, 0x7FFE, 0, 2},
		{64 * GIB, 0x7FFF, 65536, 2},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct boot_case one = case_new(rows[i].ram);
		struct smbios_memory_device device;
		struct smbios_memory_array array;

		ck_assert_int_eq(smbios_write(one.mem, &one.platform, NULL), 0);
		case_read(&one, find(&one, SMBIOS_MEMORY_ARRAY, 0), &array,
			  sizeof(array));
		ck_assert_uint_eq(array.max_kib, rows[i].ram / 1024);
		ck_assert_uint_eq(array.n_devices, 1);
		case_read(&one, find(&one, SMBIOS_MEMORY_DEVICE, 0), &device,
			  sizeof(device));
		ck_assert_uint_eq(device.mib, rows[i].mib);
		ck_assert_uint_eq(device.extended_mib, rows[i].extended_mib);
		ck_assert_uint_eq(device.array, array.header.handle);
		for (unsigned int k = 0; k <= rows[i].n_mapped; k++)
			ck_assert(!find(&one, SMBIOS_MEMORY_MAPPED, k) ==
				  (k == rows[i].n_mapped));
		case_free(&one);
	}
}
END_TEST

START_TEST(mapped_memory_is_what_e820_says)
{
	struct boot_case one = case_new(5 * GIB);
	struct smbios_memory_mapped low, high;

	ck_assert_int_eq(smbios_write(one.mem, &one.platform, NULL), 0);
	case_read(&one, find(&one, SMBIOS_MEMORY_MAPPED, 0), &low, sizeof(low));
	case_read(&one, find(&one, SMBIOS_MEMORY_MAPPED, 1), &high,
		  sizeof(high));
	ck_assert_uint_eq(low.start_kib, 0);
	ck_assert_uint_eq(low.end_kib, 3 * MIB - 1);
	ck_assert_uint_eq(high.start_kib, 4 * MIB);
	ck_assert_uint_eq(high.end_kib, 6 * MIB - 1);
	ck_assert_uint_ne(low.header.handle, high.header.handle);
	case_free(&one);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("boot/smbios");
	TCase *t = tcase_create("smbios");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, entry_point_is_whole);
	tcase_add_test(t, names_itself_as_hyper_v);
	tcase_add_test(t, uuid_is_mixed_endian);
	tcase_add_test(t, refuses_what_is_no_uuid);
	tcase_add_test(t, asset_tag_is_made_from_the_uuid);
	tcase_add_test(t, asset_tag_as_given);
	tcase_add_test(t, strings_as_given);
	tcase_add_test(t, a_location_alone);
	tcase_add_test(t, memory_by_size);
	tcase_add_test(t, mapped_memory_is_what_e820_says);
	suite_add_tcase(s, t);
	return check_main(s);
}
