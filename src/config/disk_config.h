/* SPDX-License-Identifier: MIT */
/*
 * disk_config.h - a disk of the machine, as `--disk` says it: plain data.
 */
#ifndef CONFIG_DISK_CONFIG_H
#define CONFIG_DISK_CONFIG_H

#include <stdbool.h>

#include <glib.h>

#include "config/channel_config.h"
#include "config/disk_limits.h"

enum disk_bus {
	DISK_SCSI,
	DISK_IDE,
};

/* What a guest can have: four controllers of 64, and four on IDE. */
#define CONFIG_SCSI_DISKS_MAX   256u
#define CONFIG_IDE_DISKS_MAX    4u
/* As long as INQUIRY's page for it has room in all guests. */
#define CONFIG_DISK_SERIAL_MAX  36u
/* INQUIRY's fields. */
#define CONFIG_DISK_VENDOR_MAX  8u
#define CONFIG_DISK_PRODUCT_MAX 16u

struct disk_config {
	/* or an NBD server's URI; NULL: a DVD drive without a disc */
	char *path;
	char *format; /* NULL: as the name of the file says */
	char *cache; /* as libvirt names it; NULL: the default */
	char *serial; /* NULL: none */
	char *vendor, *product; /* NULL: as Hyper-V's disks have it */
	uint64_t wwn; /* NAA 5 or 2; 0: none */
	char *io; /* as libvirt names it; NULL: what is best here */
	/* As libvirt names them; NULL: the default. */
	char *error_policy, *rerror_policy;
	char *discard, *detect_zeroes;
	struct disk_limits limits;
	struct channel_config channel; /* its controller's, of all disks */
	enum disk_bus bus;
	unsigned int block_bytes; /* 512 or 4096; 0: as the storage has it */
	/*
	 * At SCSI controller place / 64, LUN place % 64; on IDE channel
	 * place / 2, device place % 2.  Else the first place that is left.
	 */
	bool has_place;
	unsigned int place;
	bool shareable; /* others may write to it too */
	bool readonly;
	bool snapshot;
	bool dvd;
};

/**
 * disk_config_parse() - understand "PATH[,key[=value]]..."
 * @text:  ",," is a comma in PATH
 *
 * Return: owned; NULL with @error (CONFIG_ERROR), which has no prefix.
 */
struct disk_config *disk_config_parse(const char *text, GError **error);
void disk_config_free(struct disk_config *disk);

/**
 * disk_config_check() - does all that it says go together?
 *
 * Return: 0, or -1 with @error (CONFIG_ERROR), "WORD: hint".
 */
int disk_config_check(const struct disk_config *disk, GError **error);

/** disk_config_is_nbd() - is @path "nbd://…" or "nbd+unix://…"?  NULL: no */
bool disk_config_is_nbd(const char *path);

/** disk_config_wwn() - "5000c50015ea71aa"; Return: 0: it is none */
uint64_t disk_config_wwn(const char *text);

/** disk_bus_name() - "scsi" or "ide" */
const char *disk_bus_name(enum disk_bus bus);

#endif
