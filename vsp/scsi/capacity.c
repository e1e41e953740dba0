/* SPDX-License-Identifier: MIT */
/* READ CAPACITY: how many blocks, of what size, with what beneath. */
#include <string.h>

#include <glib.h>

#include "vsp/scsi/scsi_private.h"

/* The last block; all ones for a medium without any, which has none. */
static uint64_t last_lba(const struct scsi_lun *lun)
{
	return atomic_load(&lun->n_blocks) - 1;
}

int scsi_do_capacity_10(struct scsi_request *r)
{
	struct scsi_lun *lun = r->lun;
	uint64_t last = last_lba(lun);
	struct scsi_cdb_rw10 c;
	struct scsi_capacity_10 data = {
		/* "use READ CAPACITY (16)" */
		.last_lba = to_be32(MIN(last, UINT32_MAX)),
		.block_bytes = to_be32(lun->block_bytes)};

	memcpy(&c, r->cdb, sizeof(c));
	if (from_be32(c.lba) && !(r->cdb[8] & READ_CAPACITY_PMI))
		return scsi_bad_cdb(r, offsetof(struct scsi_cdb_rw10, lba), 7);
	return scsi_answer(r, &data, sizeof(data), sizeof(data));
}

/* Power of two of logical blocks in a physical one. */
static uint8_t physical_exponent(const struct scsi_lun *lun,
				 const struct block_info *info)
{
	uint8_t exponent = 0;

	while (exponent < 15 &&
	       lun->block_bytes << (exponent + 1) <= info->physical_bytes)
		exponent++;
	return exponent;
}

int scsi_do_capacity_16(struct scsi_request *r)
{
	struct scsi_lun *lun = r->lun;
	struct block_info info = scsi_lun_info(lun);
	struct scsi_cdb_sai16 c;
	struct scsi_capacity_16 data = {
		.last_lba = to_be64(last_lba(lun)),
		.block_bytes = to_be32(lun->block_bytes),
		.exponents = physical_exponent(lun, &info)};
	uint32_t provisioning = 0;

	memcpy(&c, r->cdb, sizeof(c));
	if (from_be64(c.lba) && !(c.flags & READ_CAPACITY_PMI))
		return scsi_bad_cdb(r, offsetof(struct scsi_cdb_sai16, lba), 7);
	if (lun->thin)
		provisioning |= CAPACITY_LBPME;
	if (lun->thin && lun->unmap_zeroes)
		provisioning |= CAPACITY_LBPRZ;
	data.provisioning = to_be16(provisioning);
	return scsi_answer(r, &data, sizeof(data), from_be32(c.allocation));
}
