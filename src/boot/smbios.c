/* SPDX-License-Identifier: MIT */
#include "boot/smbios.h"

#include <string.h>

#include "base/checked.h"
#include "boot/boot.h"
#include "boot/memmap.h"
#include "config/smbios_config.h"
#include "mem/gmem.h"
#include "proto/smbios.h"

#define VENDOR  "Microsoft Corporation"
#define PRODUCT "Virtual Machine"
#define RELEASE "Hyper-V UEFI Release v4.1"
#define DATE    "05/13/2024"

#define RELEASE_MAJOR 4
#define RELEASE_MINOR 1

/* DSP0134 6.1.3: no string should be longer. */
#define MAX_STRING 64u

#define TABLE_ALIGN 16u
#define UUID_BYTES  16u

#define KIB (1ull << 10)
#define MIB (1ull << 20)

/* A structure's handle says its type and which of that type it is. */
#define HANDLE(type, i) ((uint16_t)((type) << 8 | (i)))

struct smbios {
	GByteArray *table;
	const struct smbios_config *config; /* NULL: nothing is said */
	/* in the order of the text form */
	uint8_t uuid[UUID_BYTES];
	/* 7 groups of digits, and the terminating NUL */
	char digits[34];
};

static struct smbios_header header(enum smbios_type type, unsigned int i,
				   size_t bytes)
{
	return (struct smbios_header){
		.type = (uint8_t)type,
		.length = (uint8_t)bytes,
		.handle = HANDLE(type, i),
	};
}

/* @strings: NULL-terminated; number 1 is the first. */
static void put(struct smbios *s, const void *fixed, size_t len,
		const char *const *strings)
{
	static const uint8_t nul[1];

	g_byte_array_append(s->table, fixed, (guint)len);
	for (const char *const *str = strings; *str; str++)
		g_byte_array_append(s->table, (const uint8_t *)*str,
				    (guint)strlen(*str) + 1);
	/* A list that is empty is ended by two. */
	if (!*strings)
		g_byte_array_append(s->table, nul, 1);
	g_byte_array_append(s->table, nul, 1);
}

static const char *const no_strings[] = {NULL};

/* What the user says, or @otherwise. */
static const char *text(const struct smbios *s, enum smbios_text which,
			const char *otherwise)
{
	const char *said = s->config ? s->config->texts[which] : NULL;

	return said ? said : otherwise;
}

static void put_bios(struct smbios *s)
{
	struct smbios_bios bios = {
		.header = header(SMBIOS_BIOS, 0, sizeof(bios)),
		.vendor = 1,
		.version = 2,
		.date = 3,
		.characteristics = SMBIOS_BIOS_NOT_SUPPORTED,
		.extension2 = SMBIOS_BIOS_VIRTUAL,
		.release_major = RELEASE_MAJOR,
		.release_minor = RELEASE_MINOR,
		.controller_major = 0xFF,
		.controller_minor = 0xFF,
	};

	const char *release = text(s, SMBIOS_BIOS_RELEASE, NULL);

	if (release) {
		char *minor;

		bios.release_major =
			(uint8_t)g_ascii_strtoull(release, &minor, 10);
		bios.release_minor =
			(uint8_t)g_ascii_strtoull(minor + 1, NULL, 10);
	}
	put(s, &bios, sizeof(bios),
	    (const char *const[]){text(s, SMBIOS_BIOS_VENDOR, VENDOR),
				  text(s, SMBIOS_BIOS_VERSION, RELEASE),
				  text(s, SMBIOS_BIOS_DATE, DATE), NULL});
}

/* DSP0134 7.2.1: the first three fields are little-endian here. */
static void wire_uuid(const uint8_t *text_order, uint8_t *out)
{
	static const uint8_t from[UUID_BYTES] = {3, 2, 1,  0,  5,  4,  7,  6,
						 8, 9, 10, 11, 12, 13, 14, 15};

	for (unsigned int i = 0; i < UUID_BYTES; i++)
		out[i] = text_order[from[i]];
}

static void put_system(struct smbios *s)
{
	struct smbios_system system = {
		.header = header(SMBIOS_SYSTEM, 0, sizeof(system)),
		.manufacturer = 1,
		.product = 2,
		.version = 3,
		.serial = 4,
		.wake_up = SMBIOS_WAKE_POWER_SWITCH,
		.sku = 5,
		.family = 6,
	};

	wire_uuid(s->uuid, system.uuid);
	put(s, &system, sizeof(system),
	    (const char *const[]){text(s, SMBIOS_SYSTEM_MANUFACTURER, VENDOR),
				  text(s, SMBIOS_SYSTEM_PRODUCT, PRODUCT),
				  text(s, SMBIOS_SYSTEM_VERSION, RELEASE),
				  text(s, SMBIOS_SYSTEM_SERIAL, s->digits),
				  text(s, SMBIOS_SYSTEM_SKU, "None"),
				  text(s, SMBIOS_SYSTEM_FAMILY, PRODUCT),
				  NULL});
}

static void put_baseboard(struct smbios *s)
{
	struct smbios_baseboard board = {
		.header = header(SMBIOS_BASEBOARD, 0, sizeof(board)),
		.manufacturer = 1,
		.product = 2,
		.version = 3,
		.serial = 4,
		.features = SMBIOS_BOARD_HOSTING,
		.chassis = HANDLE(SMBIOS_CHASSIS, 0),
		.board_type = SMBIOS_BOARD_MOTHERBOARD,
	};

	const char *asset = text(s, SMBIOS_BOARD_ASSET, NULL);
	const char *location = text(s, SMBIOS_BOARD_LOCATION, NULL);

	if (asset)
		board.asset_tag = 5;
	if (location)
		board.location = asset ? 6 : 5;
	put(s, &board, sizeof(board),
	    (const char *const[]){text(s, SMBIOS_BOARD_MANUFACTURER, VENDOR),
				  text(s, SMBIOS_BOARD_PRODUCT, PRODUCT),
				  text(s, SMBIOS_BOARD_VERSION, RELEASE),
				  text(s, SMBIOS_BOARD_SERIAL, s->digits),
				  asset ? asset : location,
				  asset ? location : NULL, NULL});
}

static void put_chassis(struct smbios *s, const char *asset_tag)
{
	struct smbios_chassis chassis = {
		.header = header(SMBIOS_CHASSIS, 0, sizeof(chassis)),
		.manufacturer = 1,
		.chassis_type = SMBIOS_CHASSIS_DESKTOP,
		.version = 2,
		.serial = 3,
		.asset_tag = 4,
		.boot_state = SMBIOS_STATE_SAFE,
		.power_state = SMBIOS_STATE_SAFE,
		.thermal_state = SMBIOS_STATE_SAFE,
		.security = SMBIOS_SECURITY_NONE,
	};

	const char *sku = text(s, SMBIOS_CHASSIS_SKU, NULL);

	if (sku)
		chassis.sku = 5;
	put(s, &chassis, sizeof(chassis),
	    (const char *const[]){text(s, SMBIOS_CHASSIS_MANUFACTURER, VENDOR),
				  text(s, SMBIOS_CHASSIS_VERSION, RELEASE),
				  text(s, SMBIOS_CHASSIS_SERIAL, s->digits),
				  text(s, SMBIOS_CHASSIS_ASSET,
				       asset_tag ? asset_tag : s->digits),
				  sku, NULL});
}

static void put_oem_strings(struct smbios *s)
{
	struct smbios_oem_strings oem = {
		.header = header(SMBIOS_OEM_STRINGS, 0, sizeof(oem)),
	};
	const char *strings[CONFIG_SMBIOS_OEM_MAX + 1] = {NULL};
	guint n = s->config ? s->config->oem->len : 0;

	if (!n)
		return;
	for (guint i = 0; i < n; i++)
		strings[i] = g_ptr_array_index(s->config->oem, i);
	oem.n_strings = (uint8_t)n;
	put(s, &oem, sizeof(oem), strings);
}

static void put_memory_device(struct smbios *s, uint64_t bytes)
{
	uint64_t mib = bytes / MIB;
	struct smbios_memory_device device = {
		.header = header(SMBIOS_MEMORY_DEVICE, 0, sizeof(device)),
		.array = HANDLE(SMBIOS_MEMORY_ARRAY, 0),
		.error_handle = SMBIOS_NO_ERROR_HANDLE,
		.total_width = SMBIOS_WIDTH_UNKNOWN,
		.data_width = SMBIOS_WIDTH_UNKNOWN,
		.mib = (uint16_t)MIN(mib, SMBIOS_MEMORY_MAX_MIB),
		.form_factor = SMBIOS_FORM_UNKNOWN,
		.locator = 1,
		.bank = 2,
		.memory_type = SMBIOS_MEMORY_RAM,
		.detail = SMBIOS_DETAIL_UNKNOWN,
		.manufacturer = 3,
		.extended_mib =
			mib >= SMBIOS_MEMORY_MAX_MIB ? (uint32_t)mib : 0,
	};

	put(s, &device, sizeof(device),
	    (const char *const[]){"M0001", "None", VENDOR, NULL});
}

static void put_memory(struct smbios *s, const struct gmem *mem)
{
	uint64_t kib = gmem_bytes(mem) / KIB;
	struct smbios_memory_array array = {
		.header = header(SMBIOS_MEMORY_ARRAY, 0, sizeof(array)),
		.location = SMBIOS_ARRAY_ON_BOARD,
		.use = SMBIOS_ARRAY_SYSTEM,
		.ecc = SMBIOS_ARRAY_NO_ECC,
		.max_kib = (uint32_t)MIN(kib, SMBIOS_ARRAY_MAX_KIB),
		.error_handle = SMBIOS_NO_ERROR_HANDLE,
		.n_devices = 1,
		.extended_max_bytes =
			kib >= SMBIOS_ARRAY_MAX_KIB ? kib * KIB : 0,
	};
	const struct gmem_region *regions;
	unsigned int n;

	put(s, &array, sizeof(array), no_strings);
	put_memory_device(s, gmem_bytes(mem));
	regions = gmem_regions(mem, &n);
	for (unsigned int i = 0; i < n; i++) {
		uint64_t last = regions[i].gpa + regions[i].bytes - 1;
		bool extended = last / KIB >= SMBIOS_MAPPED_EXTENDED;
		struct smbios_memory_mapped mapped = {
			.header =
				header(SMBIOS_MEMORY_MAPPED, i, sizeof(mapped)),
			.start_kib = extended
					     ? SMBIOS_MAPPED_EXTENDED
					     : (uint32_t)(regions[i].gpa / KIB),
			.end_kib = extended ? SMBIOS_MAPPED_EXTENDED
					    : (uint32_t)(last / KIB),
			.array = HANDLE(SMBIOS_MEMORY_ARRAY, 0),
			.partition_width = 1,
			.extended_start = extended ? regions[i].gpa : 0,
			.extended_end = extended ? last : 0,
		};

		put(s, &mapped, sizeof(mapped), no_strings);
	}
}

static void put_end(struct smbios *s)
{
	struct smbios_boot_status status = {
		.header = header(SMBIOS_BOOT_STATUS, 0, sizeof(status)),
	};
	struct smbios_header end = header(SMBIOS_END, 0, sizeof(end));

	put(s, &status, sizeof(status), no_strings);
	put(s, &end, sizeof(end), no_strings);
}

/* "6ba7b810-9dad-11d1-80b4-00c04fd430c8", nothing before or after it. */
static bool parse_uuid(const char *text, uint8_t *out)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	unsigned int n_digits = 0;

	if (strlen(text) != strlen(form))
		return false;
	memset(out, 0, UUID_BYTES);
	for (size_t i = 0; form[i]; i++) {
		int digit = g_ascii_xdigit_value(text[i]);

		if (form[i] == '-' ? text[i] != '-' : digit < 0)
			return false;
		if (form[i] == '-')
			continue;
		out[n_digits / 2] = (uint8_t)(out[n_digits / 2] << 4 | digit);
		n_digits++;
	}
	return true;
}

/*
 * The form that Hyper-V's own serial numbers and asset tags have: six groups
 * of four digits and one of two.
 */
static void make_digits(struct smbios *s)
{
	char *p = s->digits;

	for (unsigned int i = 0; i < 26; i++) {
		uint8_t byte = s->uuid[i % UUID_BYTES];
		uint8_t half = i < UUID_BYTES ? byte & 0xF : byte >> 4;

		if (i && i % 4 == 0)
			*p++ = '-';
		*p++ = (char)('0' + half % 10);
	}
	*p = '\0';
}

static int check_strings(struct smbios *s, const struct boot_platform *platform,
			 GError **error)
{
	const char *tag = platform->asset_tag;

	if (platform->vm_uuid && !parse_uuid(platform->vm_uuid, s->uuid)) {
		g_set_error(error, BOOT_ERROR, BOOT_ERROR_PLATFORM,
			    "'%s' is not a UUID", platform->vm_uuid);
		return -1;
	}
	/* An empty string would end the list. */
	if (tag && (!*tag || strlen(tag) > MAX_STRING)) {
		g_set_error(error, BOOT_ERROR, BOOT_ERROR_PLATFORM,
			    "'%s': an asset tag has 1 to %u characters", tag,
			    MAX_STRING);
		return -1;
	}
	return 0;
}

static void write_entry(struct gmem *mem, uint64_t table, uint32_t bytes)
{
	struct smbios3_entry entry = {
		.anchor = {'_', 'S', 'M', '3', '_'},
		.length = sizeof(entry),
		.major = SMBIOS_MAJOR,
		.minor = SMBIOS_MINOR,
		.revision = 1,
		.max_bytes = bytes,
		.table = table,
	};
	uint8_t raw[sizeof(entry)], sum = 0;

	memcpy(raw, &entry, sizeof(raw));
	for (size_t i = 0; i < sizeof(raw); i++)
		sum = (uint8_t)(sum + raw[i]);
	entry.checksum = (uint8_t)-sum;
	gmem_write(mem, MEMMAP_SMBIOS, &entry, sizeof(entry));
}

int smbios_write(struct gmem *mem, const struct boot_platform *platform,
		 GError **error)
{
	g_autoptr(GByteArray) table = g_byte_array_new();
	struct smbios s = {.table = table, .config = platform->smbios};
	uint64_t gpa = MEMMAP_SMBIOS +
		       align_up(sizeof(struct smbios3_entry), TABLE_ALIGN);

	if (check_strings(&s, platform, error))
		return -1;
	make_digits(&s);
	put_bios(&s);
	put_system(&s);
	put_baseboard(&s);
	put_chassis(&s, platform->asset_tag);
	put_oem_strings(&s);
	put_memory(&s, mem);
	put_end(&s);
	/* All strings, as long as they may be, take an eighth of it. */
	g_assert(gpa + table->len <= MEMMAP_SMBIOS_END);
	gmem_write(mem, gpa, table->data, table->len);
	write_entry(mem, gpa, table->len);
	return 0;
}
