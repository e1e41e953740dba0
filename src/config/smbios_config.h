/* SPDX-License-Identifier: MIT */
/*
 * smbios_config.h - what the machine says of itself in SMBIOS: plain data.
 *
 * The names are those of libvirt's <sysinfo type='smbios'>.
 */
#ifndef CONFIG_SMBIOS_CONFIG_H
#define CONFIG_SMBIOS_CONFIG_H

#include <glib.h>

struct json_object;

enum smbios_text {
	SMBIOS_BIOS_VENDOR,
	SMBIOS_BIOS_VERSION,
	SMBIOS_BIOS_DATE,
	SMBIOS_BIOS_RELEASE, /* MAJOR.MINOR, 0 to 255 each */
	SMBIOS_SYSTEM_MANUFACTURER,
	SMBIOS_SYSTEM_PRODUCT,
	SMBIOS_SYSTEM_VERSION,
	SMBIOS_SYSTEM_SERIAL,
	SMBIOS_SYSTEM_SKU,
	SMBIOS_SYSTEM_FAMILY,
	SMBIOS_BOARD_MANUFACTURER,
	SMBIOS_BOARD_PRODUCT,
	SMBIOS_BOARD_VERSION,
	SMBIOS_BOARD_SERIAL,
	SMBIOS_BOARD_ASSET,
	SMBIOS_BOARD_LOCATION,
	SMBIOS_CHASSIS_MANUFACTURER,
	SMBIOS_CHASSIS_VERSION,
	SMBIOS_CHASSIS_SERIAL,
	SMBIOS_CHASSIS_ASSET,
	SMBIOS_CHASSIS_SKU,
	SMBIOS_N_TEXTS,
};

/* DSP0134 6.1.3: no string should be longer. */
#define CONFIG_SMBIOS_TEXT_MAX 64u
/* As many as fit beside the rest, each as long as it may be. */
#define CONFIG_SMBIOS_OEM_MAX  64u

struct smbios_config {
	/* 1 to CONFIG_SMBIOS_TEXT_MAX characters; NULL: Hyper-V's own */
	char *texts[SMBIOS_N_TEXTS];
	/* likewise, of <oemStrings>; at most CONFIG_SMBIOS_OEM_MAX */
	GPtrArray *oem; /* char *; never NULL */
};

void smbios_config_init(struct smbios_config *smbios);
void smbios_config_clear(struct smbios_config *smbios);

/** smbios_text_name() - "bios.vendor", "baseBoard.asset", … */
const char *smbios_text_name(enum smbios_text text);

/**
 * smbios_config_set() - one string
 * @name: as smbios_text_name() has it, or "oem" for one more of those
 *
 * Return: 0, or -1 with @error (CONFIG_ERROR), "NAME: hint".
 */
int smbios_config_set(struct smbios_config *smbios, const char *name,
		      const char *value, GError **error);

/** smbios_config_json() - for `--print-config`; owned */
struct json_object *smbios_config_json(const struct smbios_config *smbios);

#endif
