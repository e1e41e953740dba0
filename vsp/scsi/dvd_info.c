/* SPDX-License-Identifier: MIT */
/*
 * What a DVD drive and the disc in it are: GET CONFIGURATION, READ TOC, READ
 * DISC INFORMATION, READ DVD STRUCTURE (MMC-6).
 *
 * An image is one track of one closed session.  It is a CD if it would fit on
 * one, else a DVD.
 */
#include <string.h>

#include <glib.h>

#include "vsp/scsi/scsi_private.h"

/* 80 minutes of 60 seconds of 75 sectors. */
#define CD_BLOCKS_MAX 360000u
/* Sectors before that of LBA 0. */
#define MSF_OFFSET    150u

/* Return: the profile of what is in the drive. */
static uint16_t profile(const struct scsi_lun *lun)
{
	uint64_t blocks = atomic_load(&lun->n_blocks);

	if (!atomic_load(&lun->block))
		return MMC_PROFILE_NONE;
	return blocks > CD_BLOCKS_MAX ? MMC_PROFILE_DVD_ROM
				      : MMC_PROFILE_CD_ROM;
}

/* --- GET CONFIGURATION ---------------------------------------------------------------- */

/* A feature is there always (persistent), or with discs of one profile. */
#define ANY_DISC 0xffff

static const struct feature {
	uint16_t code;
	uint8_t version;
	uint16_t profile; /* that makes it current; 0: it is always */
	uint8_t length;
	uint8_t data[8];
} features[] = {
	/* of the profiles which is current is put in later */
	{MMC_FEATURE_PROFILES,
	 0,
	 0,
	 8,
	 {0, MMC_PROFILE_DVD_ROM, 0, 0, 0, MMC_PROFILE_CD_ROM}},
	/* SCSI, device busy events */
	{MMC_FEATURE_CORE, 2, 0, 8, {0, 0, 0, 1, 1}},
	{MMC_FEATURE_MORPHING, 1, 0, 4, {0}},
	{MMC_FEATURE_REMOVABLE, 0, 0, 4, {MMC_TRAY | MMC_EJECT | MMC_LOCK}},
	/* blocks of 2048 bytes, one at a time */
	{MMC_FEATURE_RANDOM_READ, 0, ANY_DISC, 8, {0, 0, 8, 0, 0, 1}},
	{MMC_FEATURE_CD_READ, 2, MMC_PROFILE_CD_ROM, 4, {0}},
	{MMC_FEATURE_DVD_READ, 0, MMC_PROFILE_DVD_ROM, 0, {0}},
};

static bool is_current(const struct feature *f, uint16_t now)
{
	return !f->profile || f->profile == now ||
	       (f->profile == ANY_DISC && now != MMC_PROFILE_NONE);
}

static size_t put_feature(uint8_t *to, const struct feature *f, uint16_t now)
{
	struct mmc_feature head = {.code = to_be16(f->code),
				   .version = (uint8_t)(f->version << 2),
				   .length = f->length};
	uint8_t *data = to + sizeof(head);

	if (!f->profile)
		head.version |= MMC_FEATURE_PERSISTENT;
	if (is_current(f, now))
		head.version |= MMC_FEATURE_CURRENT;
	memcpy(to, &head, sizeof(head));
	memcpy(data, f->data, f->length);
	if (f->code == MMC_FEATURE_PROFILES) {
		data[2] = now == MMC_PROFILE_DVD_ROM;
		data[6] = now == MMC_PROFILE_CD_ROM;
	}
	return sizeof(head) + f->length;
}

int scsi_do_get_configuration(struct scsi_request *r)
{
	uint8_t data[sizeof(struct mmc_configuration) +
		     G_N_ELEMENTS(features) * (sizeof(struct mmc_feature) + 8)];
	struct mmc_configuration head = {.reserved = {0}};
	struct mmc_cdb_configuration c;
	uint16_t now = profile(r->lun), first;
	size_t at = sizeof(head);
	uint8_t which;

	memcpy(&c, r->cdb, sizeof(c));
	which = c.flags & MMC_CONFIGURATION_MASK;
	first = from_be16(c.first);
	if (which > MMC_CONFIGURATION_ONE)
		return scsi_bad_cdb(r, 1, 1);
	for (size_t i = 0; i < G_N_ELEMENTS(features); i++) {
		const struct feature *f = &features[i];

		if (f->code < first ||
		    (which == MMC_CONFIGURATION_ONE && f->code != first) ||
		    (which == MMC_CONFIGURATION_CURRENT && !is_current(f, now)))
			continue;
		at += put_feature(data + at, f, now);
	}
	head.length = to_be32(at - sizeof(head.length));
	head.profile = to_be16(now);
	memcpy(data, &head, sizeof(head));
	return scsi_answer(r, data, at, from_be16(c.allocation));
}

/* --- READ TOC ---------------------------------------------------------------------------- */

/* An address as the CDB wants it: a number, or minute, second, frame. */
static struct be32 address(uint64_t lba, bool msf)
{
	uint64_t at = lba + MSF_OFFSET;

	if (!msf)
		return to_be32(MIN(lba, UINT32_MAX));
	if (at / 4500 > 255) /* there is no way to say it */
		at = 256 * 4500 - 1;
	return to_be32(at / 4500 << 16 | at / 75 % 60 << 8 | at % 75);
}

static size_t put_track(uint8_t *to, uint8_t number, uint64_t lba, bool msf)
{
	struct mmc_toc_track t = {.control = MMC_DATA_TRACK,
				  .number = number,
				  .address = address(lba, msf)};

	memcpy(to, &t, sizeof(t));
	return sizeof(t);
}

int scsi_do_read_toc(struct scsi_request *r)
{
	uint8_t data[sizeof(struct mmc_toc) + 2 * sizeof(struct mmc_toc_track)];
	struct mmc_toc head = {.first = 1, .last = 1};
	struct mmc_cdb_toc c;
	size_t at = sizeof(head);
	uint8_t format;
	bool msf;

	memcpy(&c, r->cdb, sizeof(c));
	msf = c.flags & MMC_TOC_MSF;
	format = c.format & MMC_TOC_FORMAT_MASK;
	if (!format) /* where drives before MMC had it */
		format = c.control >> MMC_TOC_CONTROL_SHIFT;
	switch (format) {
	case MMC_TOC_TRACKS:
		if (c.track > 1 && c.track != MMC_LEAD_OUT)
			return scsi_bad_cdb(r, 6, 7);
		if (c.track <= 1)
			at += put_track(data + at, 1, 0, msf);
		at += put_track(data + at, MMC_LEAD_OUT,
				atomic_load(&r->lun->n_blocks), msf);
		break;
	case MMC_TOC_SESSIONS:
		at += put_track(data + at, 1, 0, msf);
		break;
	default:
		return scsi_bad_cdb(r, 2, 3);
	}
	head.length = to_be16(at - sizeof(head.length));
	memcpy(data, &head, sizeof(head));
	return scsi_answer(r, data, at, from_be16(c.allocation));
}

/* --- the disc ------------------------------------------------------------------------------ */

int scsi_do_disc_information(struct scsi_request *r)
{
	struct mmc_disc_information d = {
		.length = to_be16(sizeof(d) - sizeof(d.length)),
		.status = MMC_DISC_COMPLETE,
		.first_track = 1,
		.sessions = 1,
		.session_first_track = 1,
		.session_last_track = 1,
		.use = MMC_DISC_UNRESTRICTED};
	struct mmc_cdb_10 c;

	memcpy(&c, r->cdb, sizeof(c));
	if (c.flags & MMC_DISC_INFORMATION_MASK)
		return scsi_bad_cdb(r, 1, 2);
	return scsi_answer(r, &d, sizeof(d), from_be16(c.allocation));
}

static size_t put_physical(const struct scsi_lun *lun, uint8_t *to)
{
	uint64_t last = atomic_load(&lun->n_blocks) + DVD_FIRST_SECTOR - 1;
	struct mmc_dvd_physical p = {.book = DVD_ROM_BOOK,
				     .rate = DVD_NO_RATE,
				     .layers = DVD_EMBOSSED,
				     .first = to_be32(DVD_FIRST_SECTOR),
				     .last = to_be32(MIN(last, 0xffffff)),
				     .last_of_layer = to_be32(0)};

	memcpy(to, &p, sizeof(p));
	return DVD_PHYSICAL_BYTES;
}

/* Each format, the bytes of it, and that it can be read. */
static size_t put_formats(uint8_t *to)
{
	static const struct mmc_dvd_format formats[] = {
		{MMC_DVD_PHYSICAL,
		 MMC_DVD_READABLE,
		 {{DVD_PHYSICAL_BYTES >> 8, 4}}},
		{MMC_DVD_COPYRIGHT, MMC_DVD_READABLE, {{0, 8}}},
		{MMC_DVD_FORMATS, MMC_DVD_READABLE, {{0, 4 + 3 * 4}}},
	};

	memcpy(to, formats, sizeof(formats));
	return sizeof(formats);
}

int scsi_do_dvd_structure(struct scsi_request *r)
{
	uint8_t data[4 + DVD_PHYSICAL_BYTES] = {0};
	struct mmc_cdb_12 c;
	size_t at = 4; /* the length of what follows it, and two bytes */

	memcpy(&c, r->cdb, sizeof(c));
	if (c.format == MMC_DVD_FORMATS)
		at += put_formats(data + at);
	else if (profile(r->lun) != MMC_PROFILE_DVD_ROM)
		return scsi_check(r, SENSE_INCOMPATIBLE);
	else if (c.layer)
		return scsi_bad_cdb(r, 6, 7);
	else if (c.format == MMC_DVD_PHYSICAL)
		at += put_physical(r->lun, data + at);
	else if (c.format == MMC_DVD_COPYRIGHT)
		at += 4; /* there is none, for all regions */
	else
		return scsi_bad_cdb(r, 7, 7);
	be_put(data, 2, at - 2);
	return scsi_answer(r, data, at, from_be16(c.allocation));
}
