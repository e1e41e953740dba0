/* SPDX-License-Identifier: MIT */
/*
 * mmc.h - commands and data of DVD drives, MMC-6; what is a disk's too is in
 * scsi.h.
 */
#ifndef PROTO_MMC_H
#define PROTO_MMC_H

#include "proto/big_endian.h"
#include "proto/wire.h"

#define DVD_BLOCK_BYTES 2048u
#define DVD_BLOCK_SHIFT 11u

/* Most commands of ten bytes have their allocation length there. */
struct mmc_cdb_10 {
	uint8_t opcode, flags, reserved[2], field4, reserved2[2];
	struct be16 allocation;
	uint8_t control;
};
WIRE_SIZE(struct mmc_cdb_10, 10);

/* READ DVD STRUCTURE; MECHANISM STATUS has the allocation length alone. */
struct mmc_cdb_12 {
	uint8_t opcode, media;
	struct be32 address;
	uint8_t layer, format;
	struct be16 allocation;
	uint8_t agid, control;
};
WIRE_SIZE(struct mmc_cdb_12, 12);

/* byte 4 of ALLOW_MEDIUM_REMOVAL */
#define PREVENT_REMOVAL    0x01
#define PREVENT_PERSISTENT 0x02

/* --- GET EVENT STATUS NOTIFICATION -------------------------------------------- */

#define MMC_POLLED             0x01 /* flags */
#define MMC_CLASS_MEDIA        4
#define MMC_NO_EVENT_AVAILABLE 0x80

struct mmc_media_event {
	struct be16 length;
	uint8_t event_class, classes;
	uint8_t event, status, first_slot, last_slot;
};
WIRE_SIZE(struct mmc_media_event, 8);

/* event */
#define MEDIA_NO_EVENT      0
#define MEDIA_EJECT_REQUEST 1
#define MEDIA_NEW           2
#define MEDIA_REMOVAL       3
/* status */
#define MMC_MEDIA_OPEN      0x01
#define MMC_MEDIA_PRESENT   0x02

/* byte 1 of the data of MECHANISM STATUS */
#define MECHANISM_DOOR_OPEN 0x10

/* --- GET CONFIGURATION ---------------------------------------------------------- */

struct mmc_cdb_configuration {
	uint8_t opcode, flags;
	struct be16 first;
	uint8_t reserved[3];
	struct be16 allocation;
	uint8_t control;
};
WIRE_SIZE(struct mmc_cdb_configuration, 10);

#define MMC_CONFIGURATION_MASK    0x03
#define MMC_CONFIGURATION_CURRENT 0x01
#define MMC_CONFIGURATION_ONE     0x02

struct mmc_configuration {
	struct be32 length;
	uint8_t reserved[2];
	struct be16 profile;
};
WIRE_SIZE(struct mmc_configuration, 8);

struct mmc_feature {
	struct be16 code;
	uint8_t version, length;
};
WIRE_SIZE(struct mmc_feature, 4);

/* version */
#define MMC_FEATURE_CURRENT    0x01
#define MMC_FEATURE_PERSISTENT 0x02

#define MMC_FEATURE_PROFILES    0x0000
#define MMC_FEATURE_CORE        0x0001
#define MMC_FEATURE_MORPHING    0x0002
#define MMC_FEATURE_REMOVABLE   0x0003
#define MMC_FEATURE_RANDOM_READ 0x0010
#define MMC_FEATURE_CD_READ     0x001e
#define MMC_FEATURE_DVD_READ    0x001f

#define MMC_PROFILE_NONE    0x0000
#define MMC_PROFILE_CD_ROM  0x0008
#define MMC_PROFILE_DVD_ROM 0x0010

/* What moves the medium: of feature 3 and of the capabilities page. */
#define MMC_TRAY  0x20
#define MMC_EJECT 0x08
#define MMC_LOCK  0x01

/* --- READ TOC -------------------------------------------------------------------- */

struct mmc_cdb_toc {
	uint8_t opcode, flags, format, reserved[3], track;
	struct be16 allocation;
	uint8_t control;
};
WIRE_SIZE(struct mmc_cdb_toc, 10);

#define MMC_TOC_MSF           0x02
#define MMC_TOC_FORMAT_MASK   0x0f
#define MMC_TOC_CONTROL_SHIFT 6
#define MMC_TOC_TRACKS        0
#define MMC_TOC_SESSIONS      1
#define MMC_LEAD_OUT          0xaa
#define MMC_DATA_TRACK        0x14 /* position in the Q channel, data */

struct mmc_toc {
	struct be16 length;
	uint8_t first, last;
};
WIRE_SIZE(struct mmc_toc, 4);

struct mmc_toc_track {
	uint8_t reserved, control, number, reserved2;
	struct be32 address;
};
WIRE_SIZE(struct mmc_toc_track, 8);

/* --- the disc --------------------------------------------------------------------- */

#define MMC_DISC_INFORMATION_MASK 0x07 /* flags: which; 0 is the standard one */

struct mmc_disc_information {
	struct be16 length;
	uint8_t status, first_track, sessions;
	uint8_t session_first_track, session_last_track;
	uint8_t use, type;
	uint8_t rest[25];
};
WIRE_SIZE(struct mmc_disc_information, 34);

#define MMC_DISC_COMPLETE     0x0e /* and so is its last session */
#define MMC_DISC_UNRESTRICTED 0x20

#define MMC_DVD_PHYSICAL  0x00
#define MMC_DVD_COPYRIGHT 0x01
#define MMC_DVD_FORMATS   0xff

struct mmc_dvd_format {
	uint8_t format, flags;
	struct be16 bytes;
};
WIRE_SIZE(struct mmc_dvd_format, 4);

#define MMC_DVD_READABLE 0x40

#define DVD_PHYSICAL_BYTES 2048u
#define DVD_FIRST_SECTOR   0x30000u

struct mmc_dvd_physical {
	uint8_t book, rate, layers, density;
	struct be32 first, last, last_of_layer;
	uint8_t bca;
};
WIRE_SIZE(struct mmc_dvd_physical, 17);

#define DVD_ROM_BOOK 0x01 /* DVD-ROM, version 1 of its book */
#define DVD_NO_RATE  0x0f
#define DVD_EMBOSSED 0x01 /* one layer */

/* --- mode page 2Ah ------------------------------------------------------------------- */

struct mmc_capabilities {
	uint8_t code, length;
	uint8_t reads, writes, features, audio, mechanism, channels;
	struct be16 max_speed, volume_levels, buffer_kib, current_speed;
	uint8_t rest[6];
};
WIRE_SIZE(struct mmc_capabilities, 22);

#define CAPABILITIES_READS    0x3b /* all of CD and DVD but DVD-RAM */
#define CAPABILITIES_FEATURES 0x70 /* sessions, both forms of mode 2 */
#define CAPABILITIES_LOCKED   0x02 /* mechanism */
#define CAPABILITIES_SPEED    8800u /* kB/s: 50 times 176 */

#endif
