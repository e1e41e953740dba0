/* SPDX-License-Identifier: MIT */
/*
 * VERIFY, WRITE AND VERIFY, COMPARE AND WRITE: what is on the medium is read
 * in pieces into a buffer of ours, and compared with the guest's.
 *
 * COMPARE AND WRITE is atomic only with others of its kind: there is one at a
 * time in a unit, a second is answered BUSY.  A WRITE to the same blocks may
 * come between its two halves.
 */
#include <string.h>

#include <glib.h>

#include "vsp/scsi/scsi_private.h"

static bool compares(const struct scsi_request *r)
{
	return (r->cdb[1] & RW_BYTCHK_MASK) == RW_BYTCHK_DATA;
}

/* Does the command do nothing but verify? */
static bool only_verifies(const struct scsi_request *r)
{
	return r->cdb[0] == VERIFY || r->cdb[0] == VERIFY_12 ||
	       r->cdb[0] == VERIFY_16;
}

/* An io of the scratch memory's first @bytes. */
static int scratch_io(struct scsi_request *r, enum block_op op, uint64_t bytes,
		      int (*step)(struct scsi_request *r, int result))
{
	r->own = (struct iovec){r->scratch, bytes};
	scsi_io(r, op, r->at, bytes, step);
	r->io.iov = &r->own;
	r->io.n_iov = 1;
	return SCSI_IO;
}

static int verify_piece(struct scsi_request *r, int result)
{
	unsigned int shift = r->lun->block_shift;
	size_t n = r->own.iov_len, where;

	if (result)
		return scsi_io_failed(r, result, r->at >> shift);
	if (compares(r) && !scsi_compare(r, r->moved, r->scratch, n, &where))
		return scsi_check_info(r, SENSE_MISCOMPARE,
				       (r->at + where) >> shift);
	r->at += n;
	r->moved += n;
	r->left -= n;
	if (r->left)
		return scratch_io(r, BLOCK_READ, MIN(r->left, SCRATCH_BYTES),
				  verify_piece);
	r->transferred =
		only_verifies(r) && !compares(r) ? 0 : (uint32_t)r->moved;
	return scsi_good(r);
}

/* r->left bytes at r->at, with what the guest's buffer has from its start. */
static int verify(struct scsi_request *r)
{
	size_t bytes = MIN(r->left, SCRATCH_BYTES);

	r->moved = 0;
	r->transferred = 0;
	if (!scsi_scratch(r, bytes))
		return scsi_status(r, SAM_STAT_BUSY);
	return scratch_io(r, BLOCK_READ, bytes, verify_piece);
}

static int check_bytchk(struct scsi_request *r)
{
	if ((r->cdb[1] & RW_BYTCHK_MASK) > RW_BYTCHK_DATA)
		return scsi_bad_cdb(r, 1, 2);
	return SCSI_IO;
}

int scsi_do_verify(struct scsi_request *r)
{
	struct scsi_lun *lun = r->lun;
	struct scsi_range range = scsi_range(r);
	uint32_t room = scsi_room(r, SCSI_TO_DEVICE);

	if (scsi_range_checked(r, &range, lun->max_blocks) == SCSI_DONE ||
	    check_bytchk(r) == SCSI_DONE)
		return SCSI_DONE;
	r->at = range.lba << lun->block_shift;
	r->left = range.blocks << lun->block_shift;
	if (compares(r) && r->left > room)
		r->left = room & ~(uint64_t)(lun->block_bytes - 1);
	return r->left ? verify(r) : scsi_good(r);
}

static int written_now_verify(struct scsi_request *r, int result)
{
	if (result)
		return scsi_io_failed(r, result, r->at >> r->lun->block_shift);
	return verify(r);
}

int scsi_do_write_verify(struct scsi_request *r)
{
	struct scsi_range range = scsi_range(r);

	if (scsi_range_checked(r, &range, r->lun->max_blocks) == SCSI_DONE ||
	    check_bytchk(r) == SCSI_DONE ||
	    scsi_move(r, BLOCK_WRITE, &range) == SCSI_DONE)
		return SCSI_DONE;
	r->io.flags = BLOCK_FUA;
	r->step = written_now_verify;
	return SCSI_IO;
}

/* --- COMPARE AND WRITE ------------------------------------------------------------ */

uint32_t scsi_compare_and_write_max(const struct scsi_lun *lun)
{
	return MIN(MIN(SCRATCH_BYTES >> lun->block_shift, UINT8_MAX),
		   lun->max_blocks);
}

static int compared_and_written(struct scsi_request *r, int result)
{
	if (result)
		return scsi_io_failed(r, result, r->at >> r->lun->block_shift);
	return scsi_good(r);
}

/* The first half of the buffer against the medium; then the second goes there. */
static int compare_then_write(struct scsi_request *r, int result)
{
	size_t where;

	if (result)
		return scsi_io_failed(r, result, r->at >> r->lun->block_shift);
	if (!scsi_compare(r, 0, r->scratch, r->left, &where))
		return scsi_check_info(r, SENSE_MISCOMPARE, where);
	scsi_copy_out(r, r->left, r->scratch, r->left);
	scratch_io(r, BLOCK_WRITE, r->left, compared_and_written);
	r->io.flags = scsi_fua(r, r->cdb[1] & RW_FUA);
	return SCSI_IO;
}

int scsi_do_compare_and_write(struct scsi_request *r)
{
	struct scsi_lun *lun = r->lun;
	struct scsi_range range = scsi_range(r);

	/* The last byte of where others have their number; before it are
	 * reserved ones, which are then too many. */
	range.count_byte = COMPARE_AND_WRITE_COUNT;
	if (scsi_range_checked(r, &range, scsi_compare_and_write_max(lun)) ==
	    SCSI_DONE)
		return SCSI_DONE;
	r->at = range.lba << lun->block_shift;
	r->left = range.blocks << lun->block_shift;
	if (!r->left)
		return scsi_good(r);
	if (scsi_room(r, SCSI_TO_DEVICE) / 2 < r->left)
		return scsi_bad_cdb(r, range.count_byte, 7);
	if (!scsi_scratch(r, r->left) || atomic_exchange(&lun->exclusive, true))
		return scsi_status(r, SAM_STAT_BUSY);
	r->exclusive = true;
	return scratch_io(r, BLOCK_READ, r->left, compare_then_write);
}
