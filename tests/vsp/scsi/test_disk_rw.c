/* SPDX-License-Identifier: MIT */
/* Reads and writes in every form, against the bytes of the disk. */
#include <errno.h>
#include <string.h>

#include <glib.h>

#include "support/check_main.h"
#include "support/scsi_bench.h"

static const struct {
	const char *what;
	uint8_t cdb[16];
	uint8_t cdb_bytes;
	uint32_t bytes; /* of the buffer */
	uint32_t lba, blocks; /* what is moved */
} moves[] = {
	{"6", {0x08, 0, 0, 5, 3}, 6, 3 * 512, 5, 3},
	{"6, 256 blocks", {0x08, 0, 1, 0, 0}, 6, 256 * 512, 256, 256},
	{"10", {0x28, 0, 0, 0, 0, 9, 0, 0, 4}, 10, 4 * 512, 9, 4},
	{"10, DPO", {0x28, 0x10, 0, 0, 0, 9, 0, 0, 4}, 10, 4 * 512, 9, 4},
	{"10, last", {0x28, 0, 0, 0, 0x07, 0xff, 0, 0, 1}, 10, 512, 2047, 1},
	{"10, none", {0x28, 0, 0, 0, 0, 9, 0, 0, 0}, 10, 512, 9, 0},
	{"10, none at the end", {0x28, 0, 0, 0, 8, 0, 0, 0, 0}, 10, 0, 0, 0},
	{"12", {0xa8, 0, 0, 0, 0, 9, 0, 0, 1, 0}, 12, 256 * 512, 9, 256},
	{"16",
	 {0x88, 0, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 2},
	 16,
	 2 * 512,
	 258,
	 2},
	{"buffer too long", {0x28, 0, 0, 0, 0, 9, 0, 0, 4}, 10, 4711, 9, 4},
	{"buffer too short", {0x28, 0, 0, 0, 0, 9, 0, 0, 4}, 10, 1024, 9, 2},
	{"not whole blocks", {0x28, 0, 0, 0, 0, 9, 0, 0, 4}, 10, 1600, 9, 3},
	{"less than a block", {0x28, 0, 0, 0, 0, 9, 0, 0, 4}, 10, 511, 9, 0},
	{"no buffer", {0x28, 0, 0, 0, 0, 9, 0, 0, 4}, 10, 0, 9, 0},
};

static const uint8_t zeroes[DISK_BYTES];

START_TEST(read_moves)
{
	uint32_t bytes = moves[_i].blocks * 512;

	fill_disk();
	block->later = _i % 2;
	command(moves[_i].cdb, moves[_i].cdb_bytes, SCSI_FROM_DEVICE,
		moves[_i].bytes);
	assert_good(bytes);
	ck_assert_uint_eq(block->n_log, !!bytes);
	ck_assert_mem_eq(buffer, block->bytes + moves[_i].lba * 512, bytes);
}
END_TEST

START_TEST(write_moves)
{
	uint32_t bytes = moves[_i].blocks * 512;
	uint32_t from = moves[_i].lba * 512;
	uint8_t cdb[16];

	memcpy(cdb, moves[_i].cdb, sizeof(cdb));
	cdb[0] |= 2; /* that is what tells writes from reads */
	for (uint32_t i = 0; i < moves[_i].bytes; i++)
		buffer[i] = pattern(i + 99);
	block->later = !(_i % 2);
	command(cdb, moves[_i].cdb_bytes, SCSI_TO_DEVICE, moves[_i].bytes);
	assert_good(bytes);
	ck_assert_uint_eq(block->n_log, !!bytes);
	/* And nothing else. */
	ck_assert_mem_eq(block->bytes + from, buffer, bytes);
	memset(block->bytes + from, 0, bytes);
	ck_assert_mem_eq(block->bytes, zeroes, DISK_BYTES);
}
END_TEST

static const struct {
	const char *what;
	uint8_t cdb[16];
	uint8_t cdb_bytes;
	uint32_t sense;
	uint8_t sks, at;
} refusals[] = {
	{"one past the end",
	 {0x28, 0, 0, 0, 8, 0, 0, 0, 1},
	 10,
	 SENSE_LBA_OUT_OF_RANGE,
	 0,
	 0},
	{"over the end",
	 {0x2a, 0, 0, 0, 7, 0xff, 0, 0, 2},
	 10,
	 SENSE_LBA_OUT_OF_RANGE,
	 0,
	 0},
	{"6, over the end",
	 {0x08, 0x1f, 0xff, 0xff, 1},
	 6,
	 SENSE_LBA_OUT_OF_RANGE,
	 0,
	 0},
	{"a sum that wraps",
	 {0x88, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 2},
	 16,
	 SENSE_LBA_OUT_OF_RANGE,
	 0,
	 0},
	{"bytes that wrap",
	 {0x8a, 0, 0x00, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1},
	 16,
	 SENSE_LBA_OUT_OF_RANGE,
	 0,
	 0},
	{"RDPROTECT",
	 {0x28, 0x20, 0, 0, 0, 0, 0, 0, 1},
	 10,
	 SENSE_INVALID_CDB,
	 0xcf,
	 1},
	{"WRPROTECT",
	 {0x8a, 0xe0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1},
	 16,
	 SENSE_INVALID_CDB,
	 0xcf,
	 1},
	{"a CDB cut short",
	 {0x28, 0, 0, 0, 0, 0, 0, 0, 1},
	 9,
	 SENSE_INVALID_CDB,
	 0,
	 0},
	{"no such command", {0x29}, 10, SENSE_INVALID_OPCODE, 0, 0},
	{"no such action", {0x9e, 0x1f}, 16, SENSE_INVALID_CDB, 0xcc, 1},
};

START_TEST(refused)
{
	command(refusals[_i].cdb, refusals[_i].cdb_bytes, SCSI_FROM_DEVICE,
		1024);
	ck_assert_uint_eq(sensed(), refusals[_i].sense);
	assert_fault_at(refusals[_i].sks, refusals[_i].at);
	ck_assert_uint_eq(block->n_log, 0);
}
END_TEST

START_TEST(more_than_the_limit_is_refused)
{
	struct scsi_disk_params params = plain_disk;

	bench_free();
	params.max_transfer_bytes = 8192;
	bench_disk(fake_block(DISK_BYTES, 512), &params);
	command(CDB(0x28, 0, 0, 0, 0, 0, 0, 0, 16, 0), SCSI_FROM_DEVICE, 8192);
	assert_good(8192);
	command(CDB(0x28, 0, 0, 0, 0, 0, 0, 0, 17, 0), SCSI_FROM_DEVICE, 8704);
	ck_assert_uint_eq(sensed(), SENSE_INVALID_CDB);
	assert_fault_at(0xcf, 7);
	command(CDB(0xa8, 0, 0, 0, 0, 0, 0, 0, 0, 17, 0, 0), SCSI_FROM_DEVICE,
		8704);
	assert_fault_at(0xcf, 6);
	command(CDB(0x88, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 17, 0, 0),
		SCSI_FROM_DEVICE, 8704);
	assert_fault_at(0xcf, 10);
}
END_TEST

/* A buffer for the other direction is no buffer. */
START_TEST(the_wrong_direction_moves_nothing)
{
	command(CDB(0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0), SCSI_TO_DEVICE, 512);
	assert_good(0);
	command(CDB(0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0), SCSI_FROM_DEVICE, 512);
	assert_good(0);
	ck_assert_uint_eq(block->n_log, 0);
}
END_TEST

START_TEST(too_many_pieces_are_refused)
{
	static struct iovec iov[BLOCK_IOV_MAX + 1];
	uint32_t bytes = 512 * G_N_ELEMENTS(iov);

	for (unsigned int i = 0; i < G_N_ELEMENTS(iov); i++)
		iov[i] = (struct iovec){buffer + i * 512, 512};
	for (unsigned int cut_off = 0; cut_off < 2; cut_off++) {
		memset(&request, 0, sizeof(request));
		request =
			(struct scsi_request){.queue = queue,
					      .cdb = {0x28, 0, 0, 0, 0, 0, 0, 1,
						      (uint8_t)(5 - cut_off)},
					      .cdb_bytes = 10,
					      .dir = SCSI_FROM_DEVICE,
					      .iov = iov,
					      .n_iov = BLOCK_IOV_MAX + 1,
					      .bytes = bytes,
					      .done = bench_done};
		scsi_submit(lun, &request);
		ck_assert_uint_eq(sensed(), cut_off ? 0 : SENSE_INVALID_CDB);
	}
	ck_assert_uint_eq(request.transferred, 260 * 512);
}
END_TEST

/* --- caches --------------------------------------------------------------------- */

static const struct {
	const char *what;
	bool write_through;
	uint8_t cdb[16];
	enum block_op ops[2];
	uint32_t flags;
	unsigned int n;
} fuas[] = {
	{"write", false, {0x2a, 0, 0, 0, 0, 0, 0, 0, 1}, {BLOCK_WRITE}, 0, 1},
	{"write, FUA",
	 false,
	 {0x2a, 8, 0, 0, 0, 0, 0, 0, 1},
	 {BLOCK_WRITE},
	 BLOCK_FUA,
	 1},
	{"write, no cache",
	 true,
	 {0x2a, 0, 0, 0, 0, 0, 0, 0, 1},
	 {BLOCK_WRITE},
	 BLOCK_FUA,
	 1},
	{"read, no cache",
	 true,
	 {0x28, 0, 0, 0, 0, 0, 0, 0, 1},
	 {BLOCK_READ},
	 0,
	 1},
	{"read, FUA",
	 false,
	 {0x28, 8, 0, 0, 0, 0, 0, 0, 1},
	 {BLOCK_FLUSH, BLOCK_READ},
	 0,
	 2},
	{"synchronize", false, {0x35}, {BLOCK_FLUSH}, 0, 1},
	{"synchronize, no cache", true, {0x35}, {BLOCK_FLUSH}, 0, 1},
	{"synchronize, immediate", false, {0x35, 2}, {BLOCK_FLUSH}, 0, 1},
};

START_TEST(fua_and_flush)
{
	struct scsi_disk_params params = plain_disk;
	enum scsi_dir dir = fuas[_i].cdb[0] == 0x28   ? SCSI_FROM_DEVICE
			    : fuas[_i].cdb[0] == 0x2a ? SCSI_TO_DEVICE
						      : SCSI_NO_DATA;

	bench_free();
	params.write_through = fuas[_i].write_through;
	bench_disk(fake_block(DISK_BYTES, 512), &params);
	fill_disk();
	command(fuas[_i].cdb, 10, dir, 512);
	assert_good(dir == SCSI_NO_DATA ? 0 : 512);
	ck_assert_uint_eq(block->n_log, fuas[_i].n);
	for (unsigned int i = 0; i < fuas[_i].n; i++)
		ck_assert_int_eq(block->log[i].op, fuas[_i].ops[i]);
	ck_assert_uint_eq(block->log[0].flags, fuas[_i].flags);
	if (dir == SCSI_FROM_DEVICE)
		ck_assert_uint_eq(buffer[1], pattern(1));
}
END_TEST

START_TEST(synchronize_looks_at_its_range)
{
	command(CDB(0x91, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0),
		SCSI_NO_DATA, 0);
	assert_good(0);
	command(CDB(0x91, 0, 0, 0, 0, 0, 0, 0, 8, 1, 0, 0, 0, 0, 0, 0),
		SCSI_NO_DATA, 0);
	ck_assert_uint_eq(sensed(), SENSE_LBA_OUT_OF_RANGE);
	command(CDB(0x35, 0, 0, 0, 7, 0xff, 0, 0, 2, 0), SCSI_NO_DATA, 0);
	ck_assert_uint_eq(sensed(), SENSE_LBA_OUT_OF_RANGE);
	ck_assert_uint_eq(block->n_log, 1);
}
END_TEST

/* --- faults of the host -------------------------------------------------------------- */

static const struct {
	const char *what;
	uint8_t opcode, flags;
	enum block_op op;
	int err;
	uint8_t status;
	uint32_t sense;
	bool info;
} faults[] = {
	{"read", 0x28, 0, BLOCK_READ, -EIO, 2, SENSE_READ_ERROR, true},
	{"write", 0x2a, 0, BLOCK_WRITE, -EIO, 2, SENSE_WRITE_ERROR, true},
	{"no space", 0x2a, 0, BLOCK_WRITE, -ENOSPC, 2, SENSE_NO_SPACE, true},
	{"quota", 0x2a, 0, BLOCK_WRITE, -EDQUOT, 2, SENSE_NO_SPACE, true},
	{"read-only", 0x2a, 0, BLOCK_WRITE, -EROFS, 2, SENSE_WRITE_PROTECTED,
	 true},
	{"anything", 0x2a, 0, BLOCK_WRITE, -EPIPE, 2, SENSE_WRITE_ERROR, true},
	{"not read", 0x28, 0, BLOCK_READ, -EACCES, 2, SENSE_READ_ERROR, true},
	{"flush", 0x35, 0, BLOCK_FLUSH, -EIO, 2, SENSE_WRITE_ERROR, false},
	{"flush, no space", 0x35, 0, BLOCK_FLUSH, -ENOSPC, 2, SENSE_NO_SPACE,
	 false},
	{"flush of a read", 0x28, 8, BLOCK_FLUSH, -EIO, 2, SENSE_WRITE_ERROR,
	 false},
	{"no memory", 0x28, 0, BLOCK_READ, -ENOMEM, SAM_STAT_BUSY, 0, false},
};

START_TEST(a_fault_of_the_host)
{
	uint8_t cdb[10] = {
		faults[_i].opcode, faults[_i].flags, 0, 0, 1, 2, 0, 0, 1};

	block->later = _i % 2;
	block->fail = faults[_i].err;
	block->fail_op = faults[_i].op;
	command(cdb, 10,
		faults[_i].opcode == 0x28 ? SCSI_FROM_DEVICE : SCSI_TO_DEVICE,
		512);
	ck_assert_uint_eq(request.status, faults[_i].status);
	if (faults[_i].sense)
		ck_assert_uint_eq(sensed(), faults[_i].sense);
	else
		ck_assert_uint_eq(request.sense_bytes, 0);
	if (faults[_i].info)
		ck_assert_uint_eq(information(), 0x102);
	ck_assert_uint_eq(request.transferred, 0);
	/* And it goes on. */
	command(cdb, 10, SCSI_NO_DATA, 0);
	assert_good(0);
}
END_TEST

/* --- kinds of disks ------------------------------------------------------------------- */

START_TEST(of_4096_bytes)
{
	bench_free();
	bench_disk(fake_block(DISK_BYTES, 4096), &plain_disk);
	fill_disk();
	command(CDB(0x28, 0, 0, 0, 0, 255, 0, 0, 1, 0), SCSI_FROM_DEVICE, 4096);
	assert_good(4096);
	ck_assert_uint_eq(buffer[5], pattern(255 * 4096 + 5));
	command(CDB(0x28, 0, 0, 0, 1, 0, 0, 0, 1, 0), SCSI_FROM_DEVICE, 4096);
	ck_assert_uint_eq(sensed(), SENSE_LBA_OUT_OF_RANGE);
}
END_TEST

START_TEST(read_only)
{
	static const uint8_t writes[] = {0x0a, 0x2a, 0xaa, 0x8a};
	struct scsi_disk_params params = plain_disk;

	bench_free();
	params.readonly = true;
	bench_disk(fake_block(DISK_BYTES, 512), &params);
	for (unsigned int i = 0; i < G_N_ELEMENTS(writes); i++) {
		command(CDB(writes[i], 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0,
			    0),
			SCSI_TO_DEVICE, 512);
		ck_assert_uint_eq(sensed(), SENSE_WRITE_PROTECTED);
	}
	command(CDB(0x28, 8, 0, 0, 0, 0, 0, 0, 1, 0), SCSI_FROM_DEVICE, 512);
	assert_good(512);
	ck_assert_uint_eq(block->n_log, 1);
}
END_TEST

/* As when the medium was changed and the caller has yet to see it. */
START_TEST(without_its_queue)
{
	struct block_queue *mine = queue;
	struct block *other = fake_block(DISK_BYTES, 512);

	queue = NULL;
	command(CDB(0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0), SCSI_FROM_DEVICE, 512);
	ck_assert_uint_eq(sensed(), SENSE_BECOMING_READY);
	queue = block_queue_new(other, NULL);
	command(CDB(0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0), SCSI_FROM_DEVICE, 512);
	ck_assert_uint_eq(sensed(), SENSE_BECOMING_READY);
	command(CDB(0x12, 0, 0, 0, 96, 0), SCSI_FROM_DEVICE, 96);
	assert_good(96);
	block_queue_free(queue);
	block_free(other);
	queue = mine;
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/scsi/disk_rw");
	TCase *t = tcase_create("reads and writes");

	tcase_add_checked_fixture(t, bench_new, bench_free);
	tcase_add_loop_test(t, read_moves, 0, G_N_ELEMENTS(moves));
	tcase_add_loop_test(t, write_moves, 0, G_N_ELEMENTS(moves));
	tcase_add_loop_test(t, refused, 0, G_N_ELEMENTS(refusals));
	tcase_add_test(t, more_than_the_limit_is_refused);
	tcase_add_test(t, the_wrong_direction_moves_nothing);
	tcase_add_test(t, too_many_pieces_are_refused);
	tcase_add_loop_test(t, fua_and_flush, 0, G_N_ELEMENTS(fuas));
	tcase_add_test(t, synchronize_looks_at_its_range);
	tcase_add_loop_test(t, a_fault_of_the_host, 0, G_N_ELEMENTS(faults));
	tcase_add_test(t, of_4096_bytes);
	tcase_add_test(t, read_only);
	tcase_add_test(t, without_its_queue);
	suite_add_tcase(s, t);
	return check_main(s);
}
