/* SPDX-License-Identifier: MIT */
/*
 * Reads and writes of the medium, and flushes.
 *
 * One io for a command, straight from or to the guest's memory.  DPO is taken
 * and means nothing; FUA of a read flushes first, as what is read shall be on
 * the medium (SBC-3 "READ (10) command").
 */
#include <string.h>

#include <glib.h>

#include "vsp/scsi/scsi_private.h"

static int moved(struct scsi_request *r, int result)
{
	if (result)
		return scsi_io_failed(r, result, r->at >> r->lun->block_shift);
	r->transferred = (uint32_t)r->left;
	return scsi_good(r);
}

static int flushed_now_read(struct scsi_request *r, int result)
{
	if (result)
		return scsi_io_failed(r, result, 0);
	r->io.op = BLOCK_READ;
	r->step = moved;
	return SCSI_IO;
}

/* Pieces of the buffer's first @bytes, where it is longer. */
static bool cut_pieces(struct scsi_request *r, uint64_t bytes)
{
	unsigned int n = 0;
	struct iovec *iov;

	for (uint64_t sum = 0; n < r->n_iov && sum < bytes; n++)
		sum += r->iov[n].iov_len;
	iov = g_try_new(struct iovec, MIN(n, BLOCK_IOV_MAX));
	if (!iov)
		return false;
	r->scratch = iov;
	n = 0;
	for (; bytes && n < BLOCK_IOV_MAX; n++) {
		iov[n] = r->iov[n];
		iov[n].iov_len = MIN(iov[n].iov_len, bytes);
		bytes -= iov[n].iov_len;
	}
	r->io.iov = iov;
	r->io.n_iov = n;
	return !bytes;
}

/* What is moved: the less of what CDB and buffer say, in blocks. */
int scsi_move(struct scsi_request *r, enum block_op op,
	      const struct scsi_range *range)
{
	struct scsi_lun *lun = r->lun;
	enum scsi_dir dir =
		op == BLOCK_READ ? SCSI_FROM_DEVICE : SCSI_TO_DEVICE;
	uint64_t bytes = range->blocks << lun->block_shift;
	uint32_t room = scsi_room(r, dir);

	if (bytes > room)
		bytes = room & ~(uint64_t)(lun->block_bytes - 1);
	if (!bytes)
		return scsi_good(r);
	r->at = range->lba << lun->block_shift;
	r->left = bytes;
	scsi_io(r, op, r->at, bytes, moved);
	r->io.iov = r->iov;
	r->io.n_iov = r->n_iov;
	if (bytes != r->bytes && !cut_pieces(r, bytes))
		return scsi_bad_cdb(r, range->count_byte, 7);
	if (r->io.n_iov > BLOCK_IOV_MAX)
		return scsi_bad_cdb(r, range->count_byte, 7);
	return SCSI_IO;
}

int scsi_do_read(struct scsi_request *r)
{
	struct scsi_range range = scsi_range(r);
	int next = scsi_range_checked(r, &range, r->lun->max_blocks);

	if (next == SCSI_IO)
		next = scsi_move(r, BLOCK_READ, &range);
	if (next == SCSI_IO && (range.flags & RW_FUA) && !r->lun->readonly) {
		r->io.op = BLOCK_FLUSH; /* which looks at nothing else of it */
		r->step = flushed_now_read;
	}
	return next;
}

int scsi_do_write(struct scsi_request *r)
{
	struct scsi_range range = scsi_range(r);
	int next = scsi_range_checked(r, &range, r->lun->max_blocks);

	if (next == SCSI_IO)
		next = scsi_move(r, BLOCK_WRITE, &range);
	r->io.flags = scsi_fua(r, range.flags & RW_FUA);
	return next;
}

/* The whole of the cache, whatever the range; IMMED waits all the same. */
int scsi_do_synchronize(struct scsi_request *r)
{
	struct scsi_range range = scsi_range(r);

	if (!scsi_range_inside(r, range.lba, range.blocks))
		return scsi_check(r, SENSE_LBA_OUT_OF_RANGE);
	return scsi_flush(r);
}
