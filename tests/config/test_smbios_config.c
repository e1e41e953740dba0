/* SPDX-License-Identifier: MIT */
#include "config/smbios_config.h"

#include <string.h>

#include "config/machine_config.h"
#include "support/check_main.h"

START_TEST(each_string_has_a_name)
{
	struct smbios_config s;

	smbios_config_init(&s);
	for (unsigned int i = 0; i < SMBIOS_N_TEXTS; i++) {
		const char *value = i == SMBIOS_BIOS_RELEASE ? "12.255" : "x";

		ck_assert_int_eq(
			smbios_config_set(&s,
					  smbios_text_name((enum smbios_text)i),
					  value, NULL),
			0);
		ck_assert_str_eq(s.texts[i], value);
	}
	ck_assert_int_eq(smbios_config_set(&s, "bios.vendor", "y", NULL), 0);
	ck_assert_str_eq(s.texts[SMBIOS_BIOS_VENDOR], "y");
	smbios_config_clear(&s);
}
END_TEST

START_TEST(oem_strings_are_many)
{
	g_autoptr(GError) error = NULL;
	struct smbios_config s;

	smbios_config_init(&s);
	for (unsigned int i = 0; i < CONFIG_SMBIOS_OEM_MAX; i++)
		ck_assert_int_eq(smbios_config_set(&s, "oem", "same", NULL), 0);
	ck_assert_int_eq(smbios_config_set(&s, "oem", "more", &error), -1);
	ck_assert_uint_eq(s.oem->len, CONFIG_SMBIOS_OEM_MAX);
	smbios_config_clear(&s);
}
END_TEST

static const struct {
	const char *name, *value;
} wrong[] = {
	{"bios.vendor", ""},
	{"bios.vendor", NULL},
	{"bios.vendor", "0123456789012345678901234567890123456789"
			"0123456789012345678901234"},
	{"bios.release", "4"},
	{"bios.release", "4.1.2"},
	{"bios.release", "4.256"},
	{"bios.release", "four.one"},
	{"bios.color", "beige"},
	{"oem", ""},
};

START_TEST(what_is_wrong_is_named)
{
	g_autoptr(GError) error = NULL;
	struct smbios_config s;

	smbios_config_init(&s);
	ck_assert_int_eq(
		smbios_config_set(&s, wrong[_i].name, wrong[_i].value, &error),
		-1);
	ck_assert(error->domain == CONFIG_ERROR);
	ck_assert_ptr_nonnull(strstr(error->message, wrong[_i].name));
	smbios_config_clear(&s);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("config/smbios_config");
	TCase *t = tcase_create("smbios");

	tcase_add_test(t, each_string_has_a_name);
	tcase_add_test(t, oem_strings_are_many);
	tcase_add_loop_test(t, what_is_wrong_is_named, 0,
			    (int)G_N_ELEMENTS(wrong));
	suite_add_tcase(s, t);
	return check_main(s);
}
