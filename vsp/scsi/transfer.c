/* SPDX-License-Identifier: MIT */
/* Results, sense data, and what moves to and from the guest's buffer. */
#include <errno.h>
#include <string.h>

#include <glib.h>

#include "base/checked.h"
#include "vsp/scsi/scsi_private.h"

/* --- results ------------------------------------------------------------------------ */

int scsi_good(struct scsi_request *r)
{
	r->status = SAM_STAT_GOOD;
	return SCSI_DONE;
}

int scsi_status(struct scsi_request *r, uint8_t status)
{
	r->status = status;
	r->transferred = 0;
	return SCSI_DONE;
}

size_t scsi_put_sense(struct scsi_sense_fixed *to, uint32_t sense)
{
	*to = (struct scsi_sense_fixed){
		.response_code = SENSE_FIXED_CURRENT,
		.key = (uint8_t)(sense >> 16),
		.additional_length =
			sizeof(*to) -
			offsetof(struct scsi_sense_fixed, command_specific),
		.asc = (uint8_t)(sense >> 8),
		.ascq = (uint8_t)sense};
	return sizeof(*to);
}

static int set_sense(struct scsi_request *r, const struct scsi_sense_fixed *s)
{
	_Static_assert(sizeof(*s) <= SCSI_SENSE_MAX, "sense data fit");
	r->status = SAM_STAT_CHECK_CONDITION;
	r->transferred = 0;
	memcpy(r->sense, s, sizeof(*s));
	r->sense_bytes = sizeof(*s);
	return SCSI_DONE;
}

int scsi_check(struct scsi_request *r, uint32_t sense)
{
	struct scsi_sense_fixed s;

	scsi_put_sense(&s, sense);
	return set_sense(r, &s);
}

void scsi_fail(struct scsi_request *r, uint32_t status)
{
	if (status <= UINT8_MAX)
		scsi_status(r, (uint8_t)status);
	else
		scsi_check(r, status);
}

int scsi_check_info(struct scsi_request *r, uint32_t sense, uint64_t info)
{
	struct scsi_sense_fixed s;

	scsi_put_sense(&s, sense);
	if (info <= UINT32_MAX) {
		s.response_code |= SENSE_INFO_VALID;
		s.information = to_be32(info);
	}
	return set_sense(r, &s);
}

int scsi_bad_cdb(struct scsi_request *r, unsigned int byte, unsigned int bit)
{
	struct scsi_sense_fixed s;

	scsi_put_sense(&s, SENSE_INVALID_CDB);
	s.sks_flags = (uint8_t)(SENSE_SKS_VALID | SENSE_SKS_CDB |
				SENSE_SKS_BIT | bit);
	s.sks_pointer = to_be16(byte);
	return set_sense(r, &s);
}

int scsi_bad_list(struct scsi_request *r, unsigned int byte)
{
	struct scsi_sense_fixed s;

	scsi_put_sense(&s, SENSE_INVALID_PARAMETER);
	s.sks_flags = SENSE_SKS_VALID;
	s.sks_pointer = to_be16(byte);
	return set_sense(r, &s);
}

int scsi_io_failed(struct scsi_request *r, int err, uint64_t lba)
{
	bool reads = r->io.op == BLOCK_READ || r->io.op == BLOCK_EXTENT;
	uint32_t sense = reads ? SENSE_READ_ERROR : SENSE_WRITE_ERROR;

	switch (err) {
	case -ENOMEM:
	case -EAGAIN:
		return scsi_status(r, SAM_STAT_BUSY);
	case -ENOSPC:
	case -EDQUOT:
		sense = SENSE_NO_SPACE;
		break;
	case -EROFS:
	case -EPERM:
	case -EACCES:
		if (!reads)
			sense = SENSE_WRITE_PROTECTED;
		break;
	default:
		break;
	}
	if (r->io.op == BLOCK_FLUSH)
		return scsi_check(r, sense);
	return scsi_check_info(r, sense, lba);
}

/* --- the guest's buffer --------------------------------------------------------------- */

uint32_t scsi_room(const struct scsi_request *r, enum scsi_dir dir)
{
	return r->dir == dir ? r->bytes : 0;
}

/* Where to in each piece: a walk over @len bytes at @offset of the buffer. */
struct walk {
	const struct iovec *iov;
	unsigned int n;
	uint64_t skip;
	size_t left;
};

/* The next bytes in one piece. Return: how many; 0: that was all. */
static size_t walk_next(struct walk *w, uint8_t **at)
{
	size_t n;

	while (w->n && w->skip >= w->iov->iov_len) {
		w->skip -= w->iov->iov_len;
		w->iov++;
		w->n--;
	}
	if (!w->n || !w->left)
		return 0;
	*at = (uint8_t *)w->iov->iov_base + w->skip;
	n = MIN(w->iov->iov_len - w->skip, w->left);
	w->left -= n;
	w->skip += n;
	return n;
}

static struct walk walk(const struct scsi_request *r, enum scsi_dir dir,
			uint64_t offset, size_t len)
{
	uint32_t room = scsi_room(r, dir);
	struct walk w = {.iov = r->iov, .n = r->n_iov, .skip = offset};

	w.left = offset < room ? MIN(len, room - offset) : 0;
	return w;
}

int scsi_answer(struct scsi_request *r, const void *data, size_t len,
		uint64_t allocation)
{
	struct walk w = walk(r, SCSI_FROM_DEVICE, 0, MIN(len, allocation));
	const uint8_t *from = data;
	uint8_t *to;
	size_t n;

	r->transferred = 0;
	while ((n = walk_next(&w, &to))) {
		memcpy(to, from, n);
		from += n;
		r->transferred += (uint32_t)n;
	}
	return scsi_good(r);
}

size_t scsi_copy_out(struct scsi_request *r, uint64_t offset, void *to,
		     size_t len)
{
	struct walk w = walk(r, SCSI_TO_DEVICE, offset, len);
	uint8_t *out = to, *from;
	size_t n, sum = 0;

	while ((n = walk_next(&w, &from))) {
		memcpy(out + sum, from, n);
		sum += n;
	}
	r->transferred += (uint32_t)sum;
	return sum;
}

/* Return: the first byte that differs, @len if none does. */
static size_t first_difference(const uint8_t *a, const uint8_t *b, size_t len)
{
	size_t i = 0;

	if (!memcmp(a, b, len))
		return len;
	while (a[i] == b[i])
		i++;
	return i;
}

/* The guest's bytes are read once: they may change meanwhile. */
bool scsi_compare(struct scsi_request *r, uint64_t offset, const uint8_t *with,
		  size_t len, size_t *where)
{
	uint8_t copy[512];
	size_t n, i;

	for (size_t at = 0; at < len; at += n) {
		n = scsi_copy_out(r, offset + at, copy,
				  MIN(len - at, sizeof(copy)));
		i = first_difference(copy, with + at, n);
		if (i < n) {
			*where = at + i;
			return false;
		}
		if (!n)
			break;
	}
	return true;
}

/* --- storage ---------------------------------------------------------------------------- */

int scsi_io(struct scsi_request *r, enum block_op op, uint64_t offset,
	    uint64_t bytes, int (*step)(struct scsi_request *r, int result))
{
	r->io.op = op;
	r->io.flags = 0;
	r->io.offset = offset;
	r->io.bytes = bytes;
	r->io.iov = NULL;
	r->io.n_iov = 0;
	r->step = step;
	return SCSI_IO;
}

static int flushed(struct scsi_request *r, int result)
{
	if (result)
		return scsi_io_failed(r, result, 0);
	return scsi_good(r);
}

int scsi_flush(struct scsi_request *r)
{
	return scsi_io(r, BLOCK_FLUSH, 0, 0, flushed);
}

uint32_t scsi_fua(const struct scsi_request *r, bool fua)
{
	if (fua || !atomic_load_explicit(&r->lun->wce, memory_order_relaxed))
		return BLOCK_FUA;
	return 0;
}

bool scsi_scratch(struct scsi_request *r, size_t bytes)
{
	struct scsi_lun *lun = r->lun;

	if (atomic_fetch_add(&lun->n_scratch, 1) >= SCRATCH_MAX) {
		atomic_fetch_sub(&lun->n_scratch, 1);
		return false;
	}
	r->counted = true;
	g_free(r->scratch); /* of a write before */
	r->scratch = g_try_malloc(bytes);
	return r->scratch != NULL;
}

/* --- ranges of blocks --------------------------------------------------------------------- */

static struct scsi_range range_6(const uint8_t *cdb)
{
	struct scsi_cdb_rw6 c;

	memcpy(&c, cdb, sizeof(c));
	return (struct scsi_range){
		.lba = from_be24(c.lba) & RW6_LBA_MASK,
		.blocks = c.blocks ? c.blocks : 256,
		.count_byte = offsetof(struct scsi_cdb_rw6, blocks)};
}

static struct scsi_range range_10(const uint8_t *cdb)
{
	struct scsi_cdb_rw10 c;

	memcpy(&c, cdb, sizeof(c));
	return (struct scsi_range){
		.lba = from_be32(c.lba),
		.blocks = from_be16(c.blocks),
		.flags = c.flags,
		.count_byte = offsetof(struct scsi_cdb_rw10, blocks)};
}

static struct scsi_range range_12(const uint8_t *cdb)
{
	struct scsi_cdb_rw12 c;

	memcpy(&c, cdb, sizeof(c));
	return (struct scsi_range){
		.lba = from_be32(c.lba),
		.blocks = from_be32(c.blocks),
		.flags = c.flags,
		.count_byte = offsetof(struct scsi_cdb_rw12, blocks)};
}

static struct scsi_range range_16(const uint8_t *cdb)
{
	struct scsi_cdb_rw16 c;

	memcpy(&c, cdb, sizeof(c));
	return (struct scsi_range){
		.lba = from_be64(c.lba),
		.blocks = from_be32(c.blocks),
		.flags = c.flags,
		.count_byte = offsetof(struct scsi_cdb_rw16, blocks)};
}

struct scsi_range scsi_range(const struct scsi_request *r)
{
	switch (r->command->cdb_bytes) {
	case sizeof(struct scsi_cdb_rw6):
		return range_6(r->cdb);
	case sizeof(struct scsi_cdb_rw10):
		return range_10(r->cdb);
	case sizeof(struct scsi_cdb_rw12):
		return range_12(r->cdb);
	default:
		return range_16(r->cdb);
	}
}

bool scsi_range_inside(const struct scsi_request *r, uint64_t lba,
		       uint64_t blocks)
{
	return range_fits(lba, blocks, atomic_load(&r->lun->n_blocks));
}

/*
 * A range of no blocks is checked too: SBC-3 lets the LBA be beyond the last
 * for it or not, and disks differ.
 */
int scsi_range_checked(struct scsi_request *r, const struct scsi_range *range,
		       uint64_t max)
{
	if (range->flags & RW_PROTECT_MASK)
		return scsi_bad_cdb(r, 1, 7);
	if (!scsi_range_inside(r, range->lba, range->blocks))
		return scsi_check(r, SENSE_LBA_OUT_OF_RANGE);
	if (range->blocks > max)
		return scsi_bad_cdb(r, range->count_byte, 7);
	return SCSI_IO;
}
