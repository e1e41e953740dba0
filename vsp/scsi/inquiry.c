/* SPDX-License-Identifier: MIT */
/*
 * INQUIRY: who the unit is, and the pages of vital product data.
 *
 * As Hyper-V's units look: vendor "Msft", SPC-3, a T10 and a NAA designator
 * (OpenVMM scsidisk/src/inquiry.rs); the pages in the order of SPC-4.
 */
#include <string.h>

#include <glib.h>

#include "vsp/scsi/scsi_private.h"

/* The longest page. */
#define PAGE_MAX 128u

static uint8_t peripheral(const struct scsi_lun *lun)
{
	return lun->who == SCSI_DVD ? TYPE_ROM : TYPE_DISK;
}

static int standard(struct scsi_request *r, uint16_t allocation)
{
	const struct scsi_lun *lun = r->lun;
	struct scsi_inquiry_data data = {
		.peripheral = peripheral(lun),
		.removable = lun->who == SCSI_DVD ? INQUIRY_REMOVABLE : 0,
		.version = INQUIRY_VERSION_SPC3,
		.format = INQUIRY_FORMAT,
		.additional_length = sizeof(data) -
				     offsetof(struct scsi_inquiry_data, flags5),
		.flags7 = INQUIRY_CMDQUE};

	memcpy(data.vendor, lun->vendor, sizeof(data.vendor));
	memcpy(data.product, lun->product, sizeof(data.product));
	memcpy(data.revision, lun->revision, sizeof(data.revision));
	return scsi_answer(r, &data, sizeof(data), allocation);
}

/* --- pages: each fills @page behind its header. Return: bytes with it ------------- */

static size_t serial_page(const struct scsi_lun *lun, uint8_t *page)
{
	size_t len = strlen(lun->serial);

	memcpy(page + sizeof(struct scsi_vpd_header), lun->serial, len);
	return sizeof(struct scsi_vpd_header) + len;
}

static size_t put_designator(uint8_t *at, uint8_t code_set, uint8_t type,
			     size_t bytes)
{
	struct scsi_designator d = {
		.code_set = code_set, .type = type, .length = (uint8_t)bytes};

	memcpy(at, &d, sizeof(d));
	return sizeof(d);
}

static size_t id_page(const struct scsi_lun *lun, uint8_t *page)
{
	size_t at = sizeof(struct scsi_vpd_header);

	at += put_designator(page + at, DESIGNATOR_BINARY, DESIGNATOR_T10,
			     sizeof(lun->vendor) + sizeof(lun->id));
	memcpy(page + at, lun->vendor, sizeof(lun->vendor));
	at += sizeof(lun->vendor);
	memcpy(page + at, lun->id, sizeof(lun->id));
	at += sizeof(lun->id);
	if (lun->wwn) {
		at += put_designator(page + at, DESIGNATOR_BINARY,
				     DESIGNATOR_NAA, 8);
		be_put(page + at, 8, lun->wwn);
		return at + 8;
	}
	/* The twelve of the GUID that say most: not those of its version. */
	at += put_designator(page + at, DESIGNATOR_BINARY, DESIGNATOR_NAA, 16);
	be_put(page + at, 4, NAA_MICROSOFT);
	memcpy(page + at + 4, lun->id, 6);
	memcpy(page + at + 10, lun->id + 10, 6);
	return at + 16;
}

static size_t extended_page(const struct scsi_lun *lun, uint8_t *page)
{
	struct scsi_vpd_extended p = {.task = EXTENDED_SIMPSUP,
				      .luiclr = EXTENDED_LUICLR};

	if (lun->who == SCSI_DISK)
		p.cache = EXTENDED_V_SUP;
	memcpy(page, &p, sizeof(p));
	return sizeof(p);
}

static size_t limits_page(const struct scsi_lun *lun, uint8_t *page)
{
	const struct block_info *info = &lun->info;
	unsigned int shift = lun->block_shift;
	struct scsi_vpd_limits p = {
		.wsnz = LIMITS_WSNZ,
		.max_compare_and_write =
			(uint8_t)scsi_compare_and_write_max(lun),
		.transfer_granularity =
			to_be16(MAX(info->physical_bytes >> shift, 1)),
		.max_transfer = to_be32(lun->max_blocks),
		.optimal_transfer = to_be32(
			MIN(info->optimal_bytes >> shift, lun->max_blocks)),
		.max_write_same = to_be64(scsi_write_same_max(lun))};

	if (lun->thin) {
		p.max_unmap_blocks = to_be32(UINT32_MAX);
		p.max_unmap_descriptors = to_be32(SCSI_UNMAP_DESCRIPTORS);
		p.unmap_granularity =
			to_be32(MAX(info->discard_bytes >> shift, 1));
		p.unmap_alignment = to_be32(LIMITS_UGAVALID);
	}
	memcpy(page, &p, sizeof(p));
	return sizeof(p);
}

static size_t block_device_page(const struct scsi_lun *lun, uint8_t *page)
{
	struct scsi_vpd_block_device p = {0};

	if (!lun->info.rotational)
		p.rotation_rate = to_be16(ROTATION_RATE_NONE);
	memcpy(page, &p, sizeof(p));
	return sizeof(p);
}

static size_t provisioning_page(const struct scsi_lun *lun, uint8_t *page)
{
	struct scsi_vpd_provisioning p = {0};

	if (lun->thin) {
		p.flags = PROVISIONING_LBPU | PROVISIONING_LBPWS |
			  PROVISIONING_LBPWS10;
		if (lun->unmap_zeroes)
			p.flags |= PROVISIONING_LBPRZ;
		p.type = PROVISIONING_THIN;
	}
	memcpy(page, &p, sizeof(p));
	return sizeof(p);
}

static size_t pages_page(const struct scsi_lun *lun, uint8_t *page);

static const struct page {
	uint8_t code;
	uint8_t who;
	size_t (*fill)(const struct scsi_lun *lun, uint8_t *page);
} pages[] = {
	{VPD_SUPPORTED_PAGES, SCSI_DISK | SCSI_DVD, pages_page},
	{VPD_UNIT_SERIAL, SCSI_DISK | SCSI_DVD, serial_page},
	{VPD_DEVICE_ID, SCSI_DISK | SCSI_DVD, id_page},
	{VPD_EXTENDED_INQUIRY, SCSI_DISK | SCSI_DVD, extended_page},
	{VPD_BLOCK_LIMITS, SCSI_DISK, limits_page},
	{VPD_BLOCK_DEVICE, SCSI_DISK, block_device_page},
	{VPD_BLOCK_PROVISIONING, SCSI_DISK, provisioning_page},
};

static bool has_page(const struct scsi_lun *lun, const struct page *p)
{
	return (p->who & lun->who) &&
	       (p->code != VPD_UNIT_SERIAL || lun->serial);
}

static size_t pages_page(const struct scsi_lun *lun, uint8_t *page)
{
	size_t at = sizeof(struct scsi_vpd_header);

	for (size_t i = 0; i < G_N_ELEMENTS(pages); i++) {
		if (has_page(lun, &pages[i]))
			page[at++] = pages[i].code;
	}
	return at;
}

static int vital_product_data(struct scsi_request *r, uint8_t code,
			      uint16_t allocation)
{
	struct scsi_lun *lun = r->lun;
	struct scsi_vpd_header header = {.peripheral = peripheral(lun),
					 .page = code};
	uint8_t page[PAGE_MAX] = {0};
	size_t bytes = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(pages); i++) {
		if (pages[i].code != code || !has_page(lun, &pages[i]))
			continue;
		pthread_mutex_lock(&lun->lock);
		bytes = pages[i].fill(lun, page);
		pthread_mutex_unlock(&lun->lock);
	}
	if (!bytes)
		return scsi_bad_cdb(r, offsetof(struct scsi_cdb_inquiry, page),
				    7);
	header.length = to_be16(bytes - sizeof(header));
	memcpy(page, &header, sizeof(header));
	return scsi_answer(r, page, bytes, allocation);
}

int scsi_do_inquiry(struct scsi_request *r)
{
	struct scsi_cdb_inquiry c;

	memcpy(&c, r->cdb, sizeof(c));
	if (c.flags & INQUIRY_CMDDT)
		return scsi_bad_cdb(r, 1, 1);
	if (c.flags & INQUIRY_EVPD)
		return vital_product_data(r, c.page, from_be16(c.allocation));
	if (c.page)
		return scsi_bad_cdb(r, offsetof(struct scsi_cdb_inquiry, page),
				    7);
	return standard(r, from_be16(c.allocation));
}
