/* SPDX-License-Identifier: MIT */
#include "boot/aml.h"

#include "support/check_main.h"

static GByteArray *aml;

static void setup(void)
{
	aml = g_byte_array_new();
}

static void teardown(void)
{
	g_byte_array_unref(aml);
}

#define ck_assert_aml(...)                                         \
	do {                                                       \
		static const uint8_t want_[] = {__VA_ARGS__};      \
		ck_assert_uint_eq(aml->len, sizeof(want_));        \
		ck_assert_mem_eq(aml->data, want_, sizeof(want_)); \
		g_byte_array_set_size(aml, 0);                     \
	} while (0)

START_TEST(integers_take_the_shortest_form)
{
	aml_name_integer(aml, "ABCD", 0);
	ck_assert_aml(0x08, 'A', 'B', 'C', 'D', 0x00);
	aml_name_integer(aml, "ABCD", 1);
	ck_assert_aml(0x08, 'A', 'B', 'C', 'D', 0x01);
	aml_name_integer(aml, "ABCD", 2);
	ck_assert_aml(0x08, 'A', 'B', 'C', 'D', 0x0A, 0x02);
	aml_name_integer(aml, "ABCD", 0xFF);
	ck_assert_aml(0x08, 'A', 'B', 'C', 'D', 0x0A, 0xFF);
	aml_name_integer(aml, "ABCD", 0x100);
	ck_assert_aml(0x08, 'A', 'B', 'C', 'D', 0x0B, 0x00, 0x01);
	aml_name_integer(aml, "ABCD", 0x10000);
	ck_assert_aml(0x08, 'A', 'B', 'C', 'D', 0x0C, 0, 0, 1, 0);
	aml_name_integer(aml, "ABCD", 0x123456789A);
	ck_assert_aml(0x08, 'A', 'B', 'C', 'D', 0x0E, 0x9A, 0x78, 0x56, 0x34,
		      0x12, 0, 0, 0);
}
END_TEST

START_TEST(paths_have_a_prefix_by_their_length)
{
	aml_name_integer(aml, "_UID", 1);
	ck_assert_aml(0x08, '_', 'U', 'I', 'D', 0x01);
	aml_name_integer(aml, "\\SB", 1);
	ck_assert_aml(0x08, '\\', 'S', 'B', '_', '_', 0x01);
	aml_name_integer(aml, "\\_SB.VMOD", 1);
	ck_assert_aml(0x08, '\\', 0x2E, '_', 'S', 'B', '_', 'V', 'M', 'O', 'D',
		      0x01);
	aml_name_integer(aml, "_SB.VMOD.VMBS", 1);
	ck_assert_aml(0x08, 0x2F, 0x03, '_', 'S', 'B', '_', 'V', 'M', 'O', 'D',
		      'V', 'M', 'B', 'S', 0x01);
}
END_TEST

START_TEST(strings_end_with_nul)
{
	aml_name_string(aml, "_HID", "ACPI0007");
	ck_assert_aml(0x08, '_', 'H', 'I', 'D', 0x0D, 'A', 'C', 'P', 'I', '0',
		      '0', '0', '7', 0x00);
}
END_TEST

START_TEST(buffers_say_their_length_twice)
{
	aml_name_buffer(aml, "_CRS", "\x79\x00", 2);
	ck_assert_aml(0x08, '_', 'C', 'R', 'S', 0x11, 5, 0x0A, 2, 0x79, 0x00);
}
END_TEST

START_TEST(packages_say_how_many)
{
	aml_name_package(aml, "ADDR", (const uint64_t[]){0xE1000, 0}, 2);
	ck_assert_aml(0x08, 'A', 'D', 'D', 'R', 0x12, 8, 2, 0x0C, 0x00, 0x10,
		      0x0E, 0x00, 0x00);
}
END_TEST

START_TEST(devices_and_scopes_wrap_a_body)
{
	g_autoptr(GByteArray) body = g_byte_array_new();

	aml_name_integer(body, "_UID", 0);
	aml_device(aml, "C000", body);
	ck_assert_aml(0x5B, 0x82, 11, 'C', '0', '0', '0', 0x08, '_', 'U', 'I',
		      'D', 0x00);
	aml_scope(aml, "\\_SB", body);
	ck_assert_aml(0x10, 12, '\\', '_', 'S', 'B', '_', 0x08, '_', 'U', 'I',
		      'D', 0x00);
}
END_TEST

/* PkgLength at the edges of its four forms; it counts itself. */
START_TEST(package_length_grows)
{
	static const struct {
		guint body;
		uint8_t length[4];
		unsigned int n;
	} rows[] = {
		{58, {63}, 1},
		{59, {0x41, 0x04}, 2}, /* 65 */
		{4089, {0x4F, 0xFF}, 2}, /* 4095 */
		{4090, {0x81, 0x00, 0x01}, 3}, /* 4097 */
		{1048568, {0x8F, 0xFF, 0xFF}, 3}, /* 1048575 */
		{1048569, {0xC1, 0x00, 0x00, 0x01}, 4}, /* 1048577 */
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GByteArray) body = g_byte_array_new();

		g_byte_array_set_size(body, rows[i].body);
		aml_scope(aml, "ABCD", body);
		ck_assert_uint_eq(aml->len, 1 + rows[i].n + 4 + rows[i].body);
		ck_assert_mem_eq(aml->data + 1, rows[i].length, rows[i].n);
		ck_assert_uint_eq(aml->data[1 + rows[i].n], 'A');
		g_byte_array_set_size(aml, 0);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("boot/aml");
	TCase *t = tcase_create("aml");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, integers_take_the_shortest_form);
	tcase_add_test(t, paths_have_a_prefix_by_their_length);
	tcase_add_test(t, strings_end_with_nul);
	tcase_add_test(t, buffers_say_their_length_twice);
	tcase_add_test(t, packages_say_how_many);
	tcase_add_test(t, devices_and_scopes_wrap_a_body);
	tcase_add_test(t, package_length_grows);
	suite_add_tcase(s, t);
	return check_main(s);
}
