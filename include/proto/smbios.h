/* SPDX-License-Identifier: MIT */
/*
 * smbios.h - layouts of the SMBIOS structures that we write.
 *
 * Each structure is followed by its strings, each with its NUL, and one more
 * NUL; a field of type "string" is a number in that list, from 1.
 *
 * Source: DMTF DSP0134 version 3.1.
 */
#ifndef PROTO_SMBIOS_H
#define PROTO_SMBIOS_H

#include <stdint.h>

#include "proto/wire.h"

#define SMBIOS_MAJOR 3
#define SMBIOS_MINOR 1

struct smbios3_entry {
	char anchor[5];
	uint8_t checksum;
	uint8_t length;
	uint8_t major;
	uint8_t minor;
	uint8_t docrev;
	/* 1 */
	uint8_t revision;
	uint8_t reserved;
	uint32_t max_bytes;
	uint64_t table;
} __attribute__((packed));
WIRE_SIZE(struct smbios3_entry, 24);

enum smbios_type {
	SMBIOS_BIOS = 0,
	SMBIOS_SYSTEM = 1,
	SMBIOS_BASEBOARD = 2,
	SMBIOS_CHASSIS = 3,
	SMBIOS_OEM_STRINGS = 11,
	SMBIOS_MEMORY_ARRAY = 16,
	SMBIOS_MEMORY_DEVICE = 17,
	SMBIOS_MEMORY_MAPPED = 19,
	SMBIOS_BOOT_STATUS = 32,
	SMBIOS_END = 127,
};

struct smbios_header {
	uint8_t type;
	uint8_t length;
	uint16_t handle;
} __attribute__((packed));
WIRE_SIZE(struct smbios_header, 4);

/* smbios_bios.characteristics and .extension2 */
#define SMBIOS_BIOS_NOT_SUPPORTED (1ull << 3)
#define SMBIOS_BIOS_VIRTUAL       (1u << 4)

struct smbios_bios {
	struct smbios_header header;
	uint8_t vendor;
	uint8_t version;
	uint16_t segment;
	uint8_t date;
	uint8_t rom_size;
	uint64_t characteristics;
	uint8_t extension1;
	uint8_t extension2;
	uint8_t release_major;
	uint8_t release_minor;
	uint8_t controller_major;
	uint8_t controller_minor;
	uint16_t extended_rom_size;
} __attribute__((packed));
WIRE_SIZE(struct smbios_bios, 0x1A);

#define SMBIOS_WAKE_POWER_SWITCH 6

struct smbios_system {
	struct smbios_header header;
	uint8_t manufacturer;
	uint8_t product;
	uint8_t version;
	uint8_t serial;
	/* first three fields little-endian */
	uint8_t uuid[16];
	uint8_t wake_up;
	uint8_t sku;
	uint8_t family;
} __attribute__((packed));
WIRE_SIZE(struct smbios_system, 0x1B);

#define SMBIOS_BOARD_HOSTING     (1u << 0)
#define SMBIOS_BOARD_MOTHERBOARD 10

struct smbios_baseboard {
	struct smbios_header header;
	uint8_t manufacturer;
	uint8_t product;
	uint8_t version;
	uint8_t serial;
	uint8_t asset_tag;
	uint8_t features;
	uint8_t location;
	uint16_t chassis;
	uint8_t board_type;
	uint8_t n_contained;
} __attribute__((packed));
WIRE_SIZE(struct smbios_baseboard, 0x0F);

#define SMBIOS_CHASSIS_DESKTOP 3
#define SMBIOS_STATE_SAFE      3
#define SMBIOS_SECURITY_NONE   3

struct smbios_chassis {
	struct smbios_header header;
	uint8_t manufacturer;
	uint8_t chassis_type;
	uint8_t version;
	uint8_t serial;
	uint8_t asset_tag;
	uint8_t boot_state;
	uint8_t power_state;
	uint8_t thermal_state;
	uint8_t security;
	uint32_t oem;
	uint8_t height;
	uint8_t n_power_cords;
	uint8_t n_contained;
	uint8_t contained_bytes;
	uint8_t sku;
} __attribute__((packed));
WIRE_SIZE(struct smbios_chassis, 0x16);

struct smbios_oem_strings {
	struct smbios_header header;
	uint8_t n_strings;
} __attribute__((packed));
WIRE_SIZE(struct smbios_oem_strings, 0x05);

#define SMBIOS_ARRAY_ON_BOARD  3
#define SMBIOS_ARRAY_SYSTEM    3
#define SMBIOS_ARRAY_NO_ECC    3
#define SMBIOS_NO_ERROR_HANDLE 0xFFFEu
/* from here on the extended field holds */
#define SMBIOS_ARRAY_MAX_KIB   0x80000000u

struct smbios_memory_array {
	struct smbios_header header;
	uint8_t location;
	uint8_t use;
	uint8_t ecc;
	uint32_t max_kib;
	uint16_t error_handle;
	uint16_t n_devices;
	uint64_t extended_max_bytes;
} __attribute__((packed));
WIRE_SIZE(struct smbios_memory_array, 0x17);

#define SMBIOS_WIDTH_UNKNOWN  0xFFFFu
#define SMBIOS_MEMORY_MAX_MIB 0x7FFFu
#define SMBIOS_FORM_UNKNOWN   2
#define SMBIOS_MEMORY_RAM     7
#define SMBIOS_DETAIL_UNKNOWN (1u << 2)

struct smbios_memory_device {
	struct smbios_header header;
	uint16_t array;
	uint16_t error_handle;
	uint16_t total_width;
	uint16_t data_width;
	uint16_t mib;
	uint8_t form_factor;
	uint8_t device_set;
	uint8_t locator;
	uint8_t bank;
	uint8_t memory_type;
	uint16_t detail;
	uint16_t speed;
	uint8_t manufacturer;
	uint8_t serial;
	uint8_t asset_tag;
	uint8_t part;
	uint8_t attributes;
	uint32_t extended_mib;
	uint16_t configured_speed;
	uint16_t min_voltage;
	uint16_t max_voltage;
	uint16_t configured_voltage;
} __attribute__((packed));
WIRE_SIZE(struct smbios_memory_device, 0x28);

/* both 32-bit addresses: the extended fields hold */
#define SMBIOS_MAPPED_EXTENDED 0xFFFFFFFFu

struct smbios_memory_mapped {
	struct smbios_header header;
	uint32_t start_kib;
	uint32_t end_kib;
	uint16_t array;
	uint8_t partition_width;
	uint64_t extended_start;
	uint64_t extended_end;
} __attribute__((packed));
WIRE_SIZE(struct smbios_memory_mapped, 0x1F);

struct smbios_boot_status {
	struct smbios_header header;
	uint8_t reserved[6];
	/* 0: no errors */
	uint8_t status;
} __attribute__((packed));
WIRE_SIZE(struct smbios_boot_status, 0x0B);

#endif
