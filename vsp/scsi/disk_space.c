/* SPDX-License-Identifier: MIT */
/*
 * UNMAP, WRITE SAME and GET LBA STATUS: which blocks have storage.
 *
 * WRITE SAME of zeroes is one io of the back end; of anything else it is
 * written in pieces.  Where UNMAP leaves zeroes (LBPRZ) it is done as a
 * zeroing that may give storage back, as a discard promises nothing.
 */
#include <errno.h>
#include <string.h>

#include <glib.h>

#include "vsp/scsi/scsi_private.h"

#define WRITE_SAME_BYTES (64u << 20)

/* The longest logical block. */
#define BLOCK_BYTES_MAX 4096u

/* --- UNMAP ------------------------------------------------------------------------ */

/* A list of UNMAP, checked. */
struct unmap_list {
	struct scsi_unmap_header header;
	struct scsi_unmap_descriptor descriptors[SCSI_UNMAP_DESCRIPTORS];
};
WIRE_SIZE(struct unmap_list, 8 + 16 * SCSI_UNMAP_DESCRIPTORS);

/* One descriptor after the other. */
static int unmap_next(struct scsi_request *r, int result)
{
	const struct unmap_list *l = r->scratch;
	unsigned int shift = r->lun->block_shift;

	if (result == -EOPNOTSUPP && r->io.op == BLOCK_DISCARD)
		result = 0; /* it is but a hint */
	if (result)
		return scsi_io_failed(r, result, r->at >> shift);
	while (r->part < r->n_parts) {
		const struct scsi_unmap_descriptor *d =
			&l->descriptors[r->part++];
		uint64_t blocks = from_be32(d->blocks);

		if (!blocks)
			continue;
		r->at = from_be64(d->lba) << shift;
		scsi_io(r, BLOCK_DISCARD, r->at, blocks << shift, unmap_next);
		if (r->lun->unmap_zeroes) {
			r->io.op = BLOCK_ZERO;
			r->io.flags = BLOCK_UNMAP | scsi_fua(r, false);
		}
		return SCSI_IO;
	}
	return scsi_good(r);
}

static int check_descriptors(struct scsi_request *r, const struct unmap_list *l)
{
	for (unsigned int i = 0; i < r->n_parts; i++) {
		const struct scsi_unmap_descriptor *d = &l->descriptors[i];

		if (!scsi_range_inside(r, from_be64(d->lba),
				       from_be32(d->blocks)))
			return scsi_check(r, SENSE_LBA_OUT_OF_RANGE);
	}
	return SCSI_IO;
}

int scsi_do_unmap(struct scsi_request *r)
{
	struct scsi_cdb_unmap c;
	struct unmap_list *l;
	size_t bytes;

	memcpy(&c, r->cdb, sizeof(c));
	if (c.anchor & UNMAP_ANCHOR)
		return scsi_bad_cdb(r, 1, 0);
	if (!from_be16(c.length))
		return scsi_good(r);
	if (!scsi_scratch(r, sizeof(*l)))
		return scsi_status(r, SAM_STAT_BUSY);
	l = r->scratch;
	bytes = scsi_copy_out(r, 0, l, MIN(from_be16(c.length), sizeof(*l)));
	if (bytes < sizeof(l->header))
		return scsi_check(r, SENSE_LIST_LENGTH);
	r->part = 0;
	r->n_parts = from_be16(l->header.descriptors_bytes) /
		     sizeof(l->descriptors[0]);
	if (r->n_parts > SCSI_UNMAP_DESCRIPTORS)
		return scsi_bad_list(r, offsetof(struct scsi_unmap_header,
						 descriptors_bytes));
	/* What is not there whole is not done: SBC-3 "UNMAP parameter list". */
	r->n_parts =
		MIN(r->n_parts, (unsigned int)((bytes - sizeof(l->header)) /
					       sizeof(l->descriptors[0])));
	if (check_descriptors(r, l) == SCSI_DONE)
		return SCSI_DONE;
	r->io.op = BLOCK_DISCARD;
	return unmap_next(r, 0);
}

/* --- WRITE SAME --------------------------------------------------------------------- */

uint64_t scsi_write_same_max(const struct scsi_lun *lun)
{
	return WRITE_SAME_BYTES >> lun->block_shift;
}

static int zeroed(struct scsi_request *r, int result)
{
	if (result)
		return scsi_io_failed(r, result, r->at >> r->lun->block_shift);
	return scsi_good(r);
}

static int same_next(struct scsi_request *r, int result)
{
	if (result)
		return scsi_io_failed(r, result, r->at >> r->lun->block_shift);
	r->at += r->own.iov_len;
	r->left -= r->own.iov_len;
	if (!r->left)
		return scsi_good(r);
	r->own.iov_base = r->scratch;
	r->own.iov_len = MIN(r->left, SCRATCH_BYTES);
	scsi_io(r, BLOCK_WRITE, r->at, r->own.iov_len, same_next);
	r->io.flags = scsi_fua(r, false);
	r->io.iov = &r->own;
	r->io.n_iov = 1;
	return SCSI_IO;
}

/* @block over and over. */
static int write_pattern(struct scsi_request *r, const uint8_t *block)
{
	size_t bytes = MIN(r->left, SCRATCH_BYTES);
	size_t n = r->lun->block_bytes;
	uint8_t *to;

	if (!scsi_scratch(r, bytes))
		return scsi_status(r, SAM_STAT_BUSY);
	to = r->scratch;
	for (size_t at = 0; at < bytes; at += n)
		memcpy(to + at, block, n);
	r->own.iov_len = 0;
	return same_next(r, 0);
}

static bool is_zero(const uint8_t *block, size_t len)
{
	return !block[0] && !memcmp(block, block + 1, len - 1);
}

int scsi_do_write_same(struct scsi_request *r)
{
	struct scsi_lun *lun = r->lun;
	struct scsi_range range = scsi_range(r);
	uint8_t block[BLOCK_BYTES_MAX] = {0};
	bool has_ndob = r->cdb[0] == WRITE_SAME_16;

	if (range.flags & SAME_ANCHOR)
		return scsi_bad_cdb(r, 1, 4);
	if ((range.flags & SAME_UNMAP) && !lun->thin)
		return scsi_bad_cdb(r, 1, 3);
	if (range.flags & SAME_OBSOLETE)
		return scsi_bad_cdb(r, 1, 2);
	if ((range.flags & SAME_NDOB) && !has_ndob)
		return scsi_bad_cdb(r, 1, 0);
	if (scsi_range_checked(r, &range, scsi_write_same_max(lun)) ==
	    SCSI_DONE)
		return SCSI_DONE;
	if (!range.blocks) /* WSNZ: all of the disk is too much */
		return scsi_bad_cdb(r, range.count_byte, 7);
	r->at = range.lba << lun->block_shift;
	r->left = range.blocks << lun->block_shift;
	if (!(range.flags & SAME_NDOB) &&
	    scsi_copy_out(r, 0, block, lun->block_bytes) < lun->block_bytes)
		return scsi_check(r, SENSE_LIST_LENGTH);
	if (!is_zero(block, lun->block_bytes))
		return write_pattern(r, block);
	scsi_io(r, BLOCK_ZERO, r->at, r->left, zeroed);
	r->io.flags = scsi_fua(r, false) |
		      (range.flags & SAME_UNMAP ? BLOCK_UNMAP : 0);
	return SCSI_IO;
}

/* --- GET LBA STATUS -------------------------------------------------------------------- */

/* Descriptors of one answer, each an extent. */
#define LBA_DESCRIPTORS 256u

struct lba_list {
	struct scsi_lba_header header;
	struct scsi_lba_descriptor descriptors[LBA_DESCRIPTORS];
};
WIRE_SIZE(struct lba_list, 8 + 16 * LBA_DESCRIPTORS);

static uint32_t lba_allocation(const struct scsi_request *r)
{
	struct scsi_cdb_sai16 c;

	memcpy(&c, r->cdb, sizeof(c));
	return from_be32(c.allocation);
}

/* Of the extent at r->at; it goes behind those that were put before. */
static void put_extent(struct scsi_request *r, uint64_t bytes, bool hole)
{
	unsigned int shift = r->lun->block_shift;
	struct lba_list *l = r->scratch;

	l->descriptors[r->part++] = (struct scsi_lba_descriptor){
		.lba = to_be64(r->at >> shift),
		.blocks = to_be32(bytes >> shift),
		.status = hole ? LBA_DEALLOCATED : LBA_MAPPED};
	r->at += bytes;
	r->left -= bytes;
}

static int answer_extents(struct scsi_request *r)
{
	struct lba_list *l = r->scratch;
	size_t bytes = offsetof(struct lba_list, descriptors) +
		       r->part * sizeof(l->descriptors[0]);

	l->header = (struct scsi_lba_header){
		.length = to_be32(bytes - sizeof(l->header.length))};
	return scsi_answer(r, l, bytes, lba_allocation(r));
}

/* What one descriptor can say. */
static uint64_t extent_max(const struct scsi_request *r)
{
	return MIN(r->left, (uint64_t)UINT32_MAX << r->lun->block_shift);
}

/* One extent after the other, as many as there is room for. */
static int extent_next(struct scsi_request *r, int result)
{
	if (result)
		return scsi_io_failed(r, result, r->at >> r->lun->block_shift);
	put_extent(r, r->io.extent_bytes, r->io.hole);
	if (!r->left || r->part == r->n_parts)
		return answer_extents(r);
	return scsi_io(r, BLOCK_EXTENT, r->at, extent_max(r), extent_next);
}

/*
 * Of a disk that is not thin all is mapped (SBC-3 "GET LBA STATUS command").
 */
int scsi_do_lba_status(struct scsi_request *r)
{
	uint64_t n_blocks = atomic_load(&r->lun->n_blocks), lba;
	uint32_t room = MIN(lba_allocation(r), scsi_room(r, SCSI_FROM_DEVICE));
	struct scsi_cdb_sai16 c;

	memcpy(&c, r->cdb, sizeof(c));
	lba = from_be64(c.lba);
	if (lba >= n_blocks)
		return scsi_check(r, SENSE_LBA_OUT_OF_RANGE);
	if (!scsi_scratch(r, sizeof(struct lba_list)))
		return scsi_status(r, SAM_STAT_BUSY);
	r->at = lba << r->lun->block_shift;
	r->left = (n_blocks - lba) << r->lun->block_shift;
	room -= MIN(room, sizeof(struct scsi_lba_header));
	r->part = 0;
	r->n_parts = CLAMP(room / (uint32_t)sizeof(struct scsi_lba_descriptor),
			   1u, LBA_DESCRIPTORS);
	if (r->lun->thin)
		return scsi_io(r, BLOCK_EXTENT, r->at, extent_max(r),
			       extent_next);
	put_extent(r, extent_max(r), false);
	return answer_extents(r);
}
