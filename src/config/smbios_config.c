/* SPDX-License-Identifier: MIT */
#include "config/smbios_config.h"

#include <string.h>

#include <json-c/json.h>

#include "base/json.h"
#include "config/machine_config.h"
#include "config/option_list.h"

#define OEM "oem"

static const char *const names[SMBIOS_N_TEXTS] = {
	[SMBIOS_BIOS_VENDOR] = "bios.vendor",
	[SMBIOS_BIOS_VERSION] = "bios.version",
	[SMBIOS_BIOS_DATE] = "bios.date",
	[SMBIOS_BIOS_RELEASE] = "bios.release",
	[SMBIOS_SYSTEM_MANUFACTURER] = "system.manufacturer",
	[SMBIOS_SYSTEM_PRODUCT] = "system.product",
	[SMBIOS_SYSTEM_VERSION] = "system.version",
	[SMBIOS_SYSTEM_SERIAL] = "system.serial",
	[SMBIOS_SYSTEM_SKU] = "system.sku",
	[SMBIOS_SYSTEM_FAMILY] = "system.family",
	[SMBIOS_BOARD_MANUFACTURER] = "baseBoard.manufacturer",
	[SMBIOS_BOARD_PRODUCT] = "baseBoard.product",
	[SMBIOS_BOARD_VERSION] = "baseBoard.version",
	[SMBIOS_BOARD_SERIAL] = "baseBoard.serial",
	[SMBIOS_BOARD_ASSET] = "baseBoard.asset",
	[SMBIOS_BOARD_LOCATION] = "baseBoard.location",
	[SMBIOS_CHASSIS_MANUFACTURER] = "chassis.manufacturer",
	[SMBIOS_CHASSIS_VERSION] = "chassis.version",
	[SMBIOS_CHASSIS_SERIAL] = "chassis.serial",
	[SMBIOS_CHASSIS_ASSET] = "chassis.asset",
	[SMBIOS_CHASSIS_SKU] = "chassis.sku",
};

void smbios_config_init(struct smbios_config *smbios)
{
	*smbios = (struct smbios_config){0};
	smbios->oem = g_ptr_array_new_with_free_func(g_free);
}

void smbios_config_clear(struct smbios_config *smbios)
{
	for (unsigned int i = 0; i < SMBIOS_N_TEXTS; i++)
		g_clear_pointer(&smbios->texts[i], g_free);
	g_clear_pointer(&smbios->oem, g_ptr_array_unref);
}

const char *smbios_text_name(enum smbios_text text)
{
	return names[text];
}

/* "4.1" */
static bool is_release(const char *value)
{
	g_auto(GStrv) parts = g_strsplit(value, ".", -1);
	guint64 n;

	return g_strv_length(parts) == 2 &&
	       g_ascii_string_to_unsigned(parts[0], 10, 0, UINT8_MAX, &n,
					  NULL) &&
	       g_ascii_string_to_unsigned(parts[1], 10, 0, UINT8_MAX, &n, NULL);
}

static int set_text(struct smbios_config *smbios, unsigned int which,
		    const char *value, GError **error)
{
	if (which == SMBIOS_BIOS_RELEASE && !is_release(value))
		return option_refuse(error, names[which],
				     "expected MAJOR.MINOR, up to 255 each");
	g_free(smbios->texts[which]);
	smbios->texts[which] = g_strdup(value);
	return 0;
}

int smbios_config_set(struct smbios_config *smbios, const char *name,
		      const char *value, GError **error)
{
	/* An empty string would end the list that it is in. */
	if (!value || !*value || strlen(value) > CONFIG_SMBIOS_TEXT_MAX)
		return option_refuse(error, name,
				     "a string has 1 to 64 characters");
	for (unsigned int i = 0; i < SMBIOS_N_TEXTS; i++)
		if (!strcmp(names[i], name))
			return set_text(smbios, i, value, error);
	if (strcmp(name, OEM) != 0)
		return option_refuse(error, name,
				     "no such string; kvmbus(1) lists them");
	if (smbios->oem->len == CONFIG_SMBIOS_OEM_MAX)
		return option_refuse(error, name, "there can be 64 of them");
	g_ptr_array_add(smbios->oem, g_strdup(value));
	return 0;
}

struct json_object *smbios_config_json(const struct smbios_config *smbios)
{
	struct json_object *o = json_object_new_object();
	struct json_object *oem = json_object_new_array();

	for (unsigned int i = 0; i < SMBIOS_N_TEXTS; i++)
		if (smbios->texts[i])
			json_add_text(o, names[i], smbios->texts[i]);
	for (guint i = 0; i < smbios->oem->len; i++)
		json_object_array_add(
			oem, json_object_new_string(
				     g_ptr_array_index(smbios->oem, i)));
	json_object_object_add(o, OEM, oem);
	return o;
}
