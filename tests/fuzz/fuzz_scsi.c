/* SPDX-License-Identifier: MIT */
/*
 * fuzz_scsi.c - a guest that sends any CDB with any buffer to a disk and to a
 * DVD drive.
 *
 * The input is a script: commands, up to four of them in flight, resets,
 * media, sizes, faults of the storage.  What must hold: each command ends
 * once, with a status and sense data that fit it; what is said to have moved
 * is all that did; a command that is not a write leaves the medium alone; a
 * read brings what is there.
 */
#include "fuzz/fuzz.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/reader.h"
#include "devices/block/block.h"
#include "devices/block/ram.h"
#include "proto/scsi.h"
#include "vsp/scsi/scsi.h"

#define DISK_BYTES   (64u << 10)
#define BUFFER_BYTES (72u << 10)
#define SLOTS        4u
#define PIECES       5u
#define GUARD        0xa5

static struct block *storage[2], *other;
static struct block_queue *queues[2];
static struct scsi_lun *luns[2];
/* What is on the disk if nobody but the commands that may writes to it. */
static uint8_t shadow[DISK_BYTES];
static bool written; /* since the shadow was made */

static struct slot {
	struct scsi_request request;
	uint8_t buffer[BUFFER_BYTES + 1];
	struct iovec iov[PIECES];
	bool busy;
} slots[SLOTS];

/* --- what must hold ---------------------------------------------------------------- */

static bool may_write(uint8_t opcode)
{
	switch (opcode) {
	case WRITE_6:
	case WRITE_10:
	case WRITE_12:
	case WRITE_16:
	case WRITE_VERIFY:
	case WRITE_VERIFY_12:
	case WRITE_VERIFY_16:
	case WRITE_SAME:
	case WRITE_SAME_16:
	case COMPARE_AND_WRITE:
	case UNMAP:
		return true;
	default:
		return false;
	}
}

static void check_result(const struct slot *s)
{
	const struct scsi_request *r = &s->request;

	expect(r->transferred <= r->bytes);
	expect(s->buffer[r->bytes] == GUARD);
	expect(!r->transferred || r->dir != SCSI_NO_DATA);
	switch (r->status) {
	case SAM_STAT_GOOD:
	case SAM_STAT_BUSY:
	case SAM_STAT_RESERVATION_CONFLICT:
		expect(!r->sense_bytes);
		break;
	case SAM_STAT_CHECK_CONDITION:
		expect(r->sense_bytes == sizeof(struct scsi_sense_fixed));
		expect((r->sense[0] & 0x7f) == SENSE_FIXED_CURRENT);
		expect(r->sense[2] && r->sense[2] < 16);
		expect(!r->transferred);
		break;
	default:
		abort();
	}
}

/* The disk is as before, or the shadow becomes as it. */
static void check_disk(const struct slot *s, bool alone)
{
	const uint8_t *data = block_ram_data(storage[0]);
	const struct scsi_request *r = &s->request;
	uint64_t at;

	if (written)
		memcpy(shadow, data, sizeof(shadow));
	written = false;
	expect(!memcmp(shadow, data, sizeof(shadow)));
	if (alone && r->lun == luns[0] && r->cdb[0] == READ_10 && !r->status) {
		at = be_get(r->cdb + 2, 4) * 512;
		expect(r->transferred <= be_get(r->cdb + 7, 2) * 512);
		expect(!r->transferred ||
		       !memcmp(s->buffer, data + at, r->transferred));
	}
}

static void on_done(struct scsi_request *r)
{
	struct slot *s = (void *)r; /* it is the first of it */

	expect(s->busy);
	s->busy = false;
	check_result(s);
}

static void finish(void)
{
	bool any = true;

	for (unsigned int i = 0; i < 2; i++)
		block_ram_hold(storage[i], false);
	for (unsigned int steps = 0; any; steps++) {
		any = false;
		for (unsigned int i = 0; i < 2; i++) {
			block_queue_kick(queues[i]);
			block_queue_reap(queues[i]);
			any |= block_queue_in_flight(queues[i]) > 0;
		}
		expect(steps < 10000);
	}
	for (unsigned int i = 0; i < SLOTS; i++)
		expect(!slots[i].busy);
}

/* --- the script ----------------------------------------------------------------------- */

static uint8_t next_byte(struct reader *r)
{
	uint8_t byte = 0;

	reader_bytes(r, &byte, sizeof(byte));
	return byte;
}

/* Bytes for the buffer: what there is of them, over and over. */
static void fill(struct slot *s, struct reader *r, uint32_t bytes)
{
	uint8_t n = next_byte(r), source[256] = {0};

	n = (uint8_t)(n < reader_left(r) ? n : reader_left(r));
	reader_bytes(r, source, n);
	memset(s->buffer, GUARD, bytes);
	for (uint32_t i = 0; n && i < bytes; i += n)
		memcpy(s->buffer + i, source, n < bytes - i ? n : bytes - i);
	s->buffer[bytes] = GUARD;
}

static void cut(struct slot *s, uint32_t bytes, uint8_t how)
{
	struct scsi_request *r = &s->request;
	uint8_t *at = s->buffer;

	r->iov = s->iov;
	r->bytes = bytes;
	r->n_iov = 1 + how % PIECES;
	for (unsigned int i = 0; i < r->n_iov; i++) {
		uint32_t n = i + 1 < r->n_iov ? bytes / (how % 7 + 2) : bytes;

		s->iov[i] = (struct iovec){at, n};
		at += n;
		bytes -= n;
	}
}

static void send(struct reader *in, uint8_t op)
{
	static const uint32_t sizes[] = {0,    18,    24,    36,  96,   255,
					 512,  1024,  4096,  511, 2048, 4104,
					 8192, 65536, 70000, 1536};
	uint8_t how = next_byte(in);
	unsigned int which = op >> 4 & 1;
	struct slot *s = &slots[op >> 5 & (SLOTS - 1)];
	struct scsi_request *r = &s->request;
	bool alone = true;

	if (s->busy)
		finish();
	for (unsigned int i = 0; i < SLOTS; i++)
		alone = alone && !slots[i].busy;
	memset(r, 0x77, sizeof(*r));
	r->queue = how == 0xff ? NULL : queues[which];
	reader_bytes(in, r->cdb, sizeof(r->cdb));
	r->cdb_bytes = op & 0x80 ? how % 17 : SCSI_CDB_MAX;
	r->dir = how % 3;
	r->done = on_done;
	cut(s, r->dir == SCSI_NO_DATA ? 0 : sizes[how >> 4], how);
	fill(s, in, r->bytes);
	s->busy = true;
	written = written || (!which && may_write(r->cdb[0]));
	scsi_submit(luns[which], r);
	if (op & 8)
		return; /* it stays in flight */
	finish();
	check_disk(s, alone);
}

static void fail(uint8_t arg)
{
	static const int errors[] = {-EIO, -ENOSPC, -ENOMEM, -EROFS};
	struct block_ram_fault fault = {.any_op = true,
					.after = arg >> 4,
					.times = arg >> 2 & 3,
					.result = errors[arg & 3]};

	block_ram_fail(storage[0], &fault);
}

static void resize(uint8_t arg)
{
	finish();
	block_ram_resize(storage[0], (arg + 1u) * (DISK_BYTES / 256));
	block_refresh(storage[0]);
	scsi_lun_resized(luns[0]);
	/* What was cut off is gone. */
	memcpy(shadow, block_ram_data(storage[0]), sizeof(shadow));
	written = false;
}

static void medium(uint8_t arg)
{
	finish();
	if (arg & 1)
		scsi_dvd_insert(luns[1], arg & 2 ? other : storage[1]);
	else
		scsi_dvd_eject(luns[1], arg & 2);
}

static void step(struct reader *r, uint8_t op)
{
	switch (op & 7) {
	case 5:
		op = next_byte(r);
		if (op & 1)
			scsi_lun_reset(luns[op >> 1 & 1]);
		else
			block_ram_hold(storage[0], op & 2);
		break;
	case 6:
		medium(next_byte(r));
		break;
	case 7:
		op = next_byte(r);
		if (op & 1)
			fail(op);
		else
			resize(op);
		break;
	default:
		send(r, op);
	}
}

/* Once: an input leaves them idle, and begins with all as it was at first. */
static void make_storage(void)
{
	for (unsigned int i = 0; i < 2; i++) {
		storage[i] = block_ram_new(DISK_BYTES, 512);
		queues[i] = block_queue_new(storage[i], NULL);
		expect(storage[i] && queues[i]);
	}
	other = block_ram_new(DISK_BYTES / 2, 512);
	expect(other != NULL);
}

static void set_up(uint8_t kind)
{
	struct scsi_disk_params params = {
		.identity = {.serial = kind & 1 ? "fuzz" : NULL,
			     .wwn = kind & 2 ? 0x5000c50015ea71acull : 0},
		.readonly = (kind & 0xe0) == 0xe0,
		.write_through = kind & 4,
		.no_unmap = kind & 8,
		.unmap_zeroes = kind & 0x10};
	uint8_t *data;

	if (!other)
		make_storage();
	block_ram_fail(storage[0], &(struct block_ram_fault){.any_op = true});
	block_ram_resize(storage[0], DISK_BYTES);
	block_refresh(storage[0]);
	data = block_ram_data(storage[0]);
	for (uint32_t i = 0; i < DISK_BYTES; i += 512)
		memset(data + i, (uint8_t)(i >> 9), 512);
	memcpy(shadow, data, sizeof(shadow));
	written = false;
	luns[0] = scsi_disk_new(storage[0], &params);
	luns[1] = scsi_dvd_new(kind & 1 ? storage[1] : NULL, &params.identity);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_init(data, size);

	log_set_level("error");
	set_up(next_byte(&r));
	while (reader_left(&r))
		step(&r, next_byte(&r));
	finish();
	for (unsigned int i = 0; i < 2; i++)
		scsi_lun_free(luns[i]);
	return 0;
}
