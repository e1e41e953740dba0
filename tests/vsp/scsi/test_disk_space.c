/* SPDX-License-Identifier: MIT */
/* UNMAP, WRITE SAME, GET LBA STATUS. */
#include <errno.h>
#include <string.h>

#include <glib.h>

#include "support/check_main.h"
#include "support/scsi_bench.h"

static void new_disk(void)
{
	bench_new();
	fill_disk();
}

/* The same disk with other parameters. */
static void again(const struct scsi_disk_params *params)
{
	struct block *b = fake_block(DISK_BYTES, 512);

	bench_free();
	bench_disk(b, params);
	fill_disk();
}

/* --- UNMAP ------------------------------------------------------------------------- */

/* A list: lengths, then LBA and number of each range. */
#define LIST(all, ranges) 0, all, 0, ranges, 0, 0, 0, 0
#define RANGE(lba, n)                                                          \
	0, 0, 0, 0, 0, 0, (lba) >> 8, (lba)&0xff, 0, 0, (n) >> 8, (n)&0xff, 0, \
		0, 0, 0

static const struct {
	const char *what;
	uint8_t flags, length; /* of the CDB */
	uint32_t bytes; /* of the buffer */
	uint8_t list[72];
	uint32_t sense;
	uint8_t sks, at;
	struct {
		uint32_t lba, blocks;
	} done[4];
} unmaps[] = {
	{"one range",
	 0,
	 24,
	 24,
	 {LIST(22, 16), RANGE(8, 16)},
	 0,
	 0,
	 0,
	 {{8, 16}}},
	{"three, one of nothing",
	 0,
	 56,
	 56,
	 {LIST(54, 48), RANGE(8, 16), RANGE(9, 0), RANGE(1, 1)},
	 0,
	 0,
	 0,
	 {{8, 16}, {1, 1}}},
	{"all of it",
	 0,
	 24,
	 24,
	 {LIST(22, 16), RANGE(0, 2048)},
	 0,
	 0,
	 0,
	 {{0, 2048}}},
	{"an empty list", 0, 8, 8, {LIST(6, 0)}, 0, 0, 0, {{0}}},
	{"no list", 0, 0, 0, {0}, 0, 0, 0, {{0}}},
	{"the second is cut off: it is not done",
	 0,
	 39,
	 56,
	 {LIST(38, 32), RANGE(8, 16), RANGE(1, 1)},
	 0,
	 0,
	 0,
	 {{8, 16}}},
	{"less than a header",
	 0,
	 7,
	 7,
	 {LIST(5, 0)},
	 SENSE_LIST_LENGTH,
	 0,
	 0,
	 {{0}}},
	{"a buffer of less",
	 0,
	 24,
	 7,
	 {LIST(22, 16)},
	 SENSE_LIST_LENGTH,
	 0,
	 0,
	 {{0}}},
	{"anchored",
	 1,
	 24,
	 24,
	 {LIST(22, 16), RANGE(8, 16)},
	 SENSE_INVALID_CDB,
	 0xc8,
	 1,
	 {{0}}},
	{"the last is out of range: none is done",
	 0,
	 40,
	 40,
	 {LIST(38, 32), RANGE(8, 16), RANGE(2047, 2)},
	 SENSE_LBA_OUT_OF_RANGE,
	 0,
	 0,
	 {{0}}},
	{"a sum that wraps",
	 0,
	 24,
	 24,
	 {LIST(22, 16), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0,
	  2},
	 SENSE_LBA_OUT_OF_RANGE,
	 0,
	 0,
	 {{0}}},
	{"more ranges than there may be",
	 0,
	 8,
	 8,
	 {0, 0, 0x10, 0x10},
	 SENSE_INVALID_PARAMETER,
	 0x80,
	 2,
	 {{0}}},
};

START_TEST(unmap)
{
	unsigned int n = 0;

	block->later = _i % 2;
	memcpy(buffer, unmaps[_i].list, unmaps[_i].bytes);
	command(CDB(0x42, unmaps[_i].flags, 0, 0, 0, 0, 0, 0, unmaps[_i].length,
		    0),
		SCSI_TO_DEVICE, unmaps[_i].bytes);
	ck_assert_uint_eq(sensed(), unmaps[_i].sense);
	if (unmaps[_i].sense)
		assert_fault_at(unmaps[_i].sks, unmaps[_i].at);
	else
		assert_good(MIN(unmaps[_i].length, unmaps[_i].bytes));
	for (; unmaps[_i].done[n].blocks; n++) {
		ck_assert_int_eq(block->log[n].op, BLOCK_DISCARD);
		ck_assert_uint_eq(block->log[n].offset,
				  unmaps[_i].done[n].lba * 512);
		ck_assert_uint_eq(block->log[n].bytes,
				  unmaps[_i].done[n].blocks * 512);
	}
	ck_assert_uint_eq(block->n_log, n);
}
END_TEST

START_TEST(unmap_as_many_as_may_be)
{
	uint8_t range[] = {RANGE(5, 1)};

	memset(buffer, 0, 8);
	be_put(buffer, 2, 4102);
	be_put(buffer + 2, 2, 4096);
	for (unsigned int i = 0; i < 256; i++)
		memcpy(buffer + 8 + 16 * i, range, sizeof(range));
	command(CDB(0x42, 0, 0, 0, 0, 0, 0, 0x10, 8, 0), SCSI_TO_DEVICE, 4104);
	assert_good(4104);
	ck_assert_uint_eq(block->n_log, 256);
}
END_TEST

static void unmap_one(void)
{
	static const uint8_t list[] = {LIST(22, 16), RANGE(8, 16)};

	memcpy(buffer, list, sizeof(list));
	command(CDB(0x42, 0, 0, 0, 0, 0, 0, 0, 24, 0), SCSI_TO_DEVICE, 24);
}

START_TEST(unmap_that_zeroes)
{
	struct scsi_disk_params params = plain_disk;

	params.unmap_zeroes = true;
	again(&params);
	unmap_one();
	assert_good(24);
	ck_assert_int_eq(block->log[0].op, BLOCK_ZERO);
	ck_assert_uint_eq(block->log[0].flags, BLOCK_UNMAP);
	ck_assert_uint_eq(block->bytes[8 * 512], 0);
}
END_TEST

/* Offered nowhere: INQUIRY and READ CAPACITY say so too. */
START_TEST(unmap_that_is_not_there)
{
	struct scsi_disk_params params = plain_disk;

	params.no_unmap = true;
	again(&params);
	unmap_one();
	ck_assert_uint_eq(sensed(), SENSE_INVALID_OPCODE);
	command(CDB(0x93, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0),
		SCSI_TO_DEVICE, 512);
	ck_assert_uint_eq(sensed(), SENSE_INVALID_CDB);
	assert_fault_at(0xcb, 1);
}
END_TEST

START_TEST(unmap_fails)
{
	static const struct {
		int err;
		uint32_t sense;
	} rows[] = {{-EIO, SENSE_WRITE_ERROR},
		    {-ENOSPC, SENSE_NO_SPACE},
		    {-EOPNOTSUPP, 0}};

	block->fail = rows[_i].err;
	block->fail_op = BLOCK_DISCARD;
	unmap_one();
	ck_assert_uint_eq(sensed(), rows[_i].sense);
	if (rows[_i].sense)
		ck_assert_uint_eq(information(), 8);
}
END_TEST

/* --- WRITE SAME ---------------------------------------------------------------------- */

static const struct {
	const char *what;
	uint8_t cdb[16];
	uint8_t cdb_bytes;
	uint32_t bytes; /* of the buffer */
	uint8_t fill;
	enum block_op op;
	uint32_t flags;
	unsigned int n;
	uint32_t blocks; /* from 8 on */
} sames[] = {
	{"10, zeroes",
	 {0x41, 0, 0, 0, 0, 8, 0, 0, 4},
	 10,
	 512,
	 0,
	 BLOCK_ZERO,
	 0,
	 1,
	 4},
	{"10, zeroes, UNMAP",
	 {0x41, 8, 0, 0, 0, 8, 0, 0, 4},
	 10,
	 512,
	 0,
	 BLOCK_ZERO,
	 BLOCK_UNMAP,
	 1,
	 4},
	{"10, a pattern",
	 {0x41, 0, 0, 0, 0, 8, 0, 0, 4},
	 10,
	 512,
	 0x66,
	 BLOCK_WRITE,
	 0,
	 1,
	 4},
	{"16, a pattern, UNMAP",
	 {0x93, 8, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 4},
	 16,
	 512,
	 0x66,
	 BLOCK_WRITE,
	 0,
	 1,
	 4},
	{"16, a pattern in pieces",
	 {0x93, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 1, 1},
	 16,
	 512,
	 0x66,
	 BLOCK_WRITE,
	 0,
	 3,
	 257},
	{"16, no data",
	 {0x93, 1, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 4, 0},
	 16,
	 0,
	 0,
	 BLOCK_ZERO,
	 0,
	 1,
	 1024},
	{"16, no data, UNMAP",
	 {0x93, 9, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 4, 0},
	 16,
	 0,
	 0,
	 BLOCK_ZERO,
	 BLOCK_UNMAP,
	 1,
	 1024},
	{"a long buffer",
	 {0x41, 0, 0, 0, 0, 8, 0, 0, 4},
	 10,
	 1024,
	 0x66,
	 BLOCK_WRITE,
	 0,
	 1,
	 4},
};

START_TEST(write_same)
{
	uint32_t bytes = sames[_i].blocks * 512;
	uint8_t *at = block->bytes + 8 * 512;

	block->later = _i % 2;
	memset(buffer, sames[_i].fill, sames[_i].bytes);
	command(sames[_i].cdb, sames[_i].cdb_bytes, SCSI_TO_DEVICE,
		sames[_i].bytes);
	assert_good(sames[_i].bytes ? 512 : 0);
	ck_assert_uint_eq(block->n_log, sames[_i].n);
	for (unsigned int i = 0; i < sames[_i].n; i++) {
		ck_assert_int_eq(block->log[i].op, sames[_i].op);
		ck_assert_uint_eq(block->log[i].flags, sames[_i].flags);
	}
	ck_assert_uint_eq(at[0], sames[_i].fill);
	ck_assert_mem_eq(at, at + 1, bytes - 1);
	ck_assert_uint_eq(at[-1], pattern(8 * 512 - 1));
	ck_assert_uint_eq(at[bytes], pattern(8 * 512 + bytes));
}
END_TEST

/* A block that is not the same all over is repeated whole. */
START_TEST(write_same_of_a_block)
{
	for (unsigned int i = 0; i < 512; i++)
		buffer[i] = (uint8_t)(i * 7);
	command(CDB(0x41, 0, 0, 0, 0, 8, 0, 0, 200, 0), SCSI_TO_DEVICE, 512);
	assert_good(512);
	for (unsigned int i = 0; i < 200; i++)
		ck_assert_mem_eq(block->bytes + (8 + i) * 512, buffer, 512);
}
END_TEST

START_TEST(write_same_without_a_cache)
{
	struct scsi_disk_params params = plain_disk;

	params.write_through = true;
	again(&params);
	memset(buffer, _i, 512);
	command(CDB(0x41, 0, 0, 0, 0, 8, 0, 0, 4, 0), SCSI_TO_DEVICE, 512);
	assert_good(512);
	ck_assert_uint_eq(block->log[0].flags, BLOCK_FUA);
}
END_TEST

static const struct {
	const char *what;
	uint8_t cdb[16];
	uint8_t cdb_bytes;
	uint32_t bytes;
	uint32_t sense;
	uint8_t sks, at;
} refusals[] = {
	{"anchored",
	 {0x93, 0x18, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 4},
	 16,
	 512,
	 SENSE_INVALID_CDB,
	 0xcc,
	 1},
	{"PBDATA",
	 {0x41, 4, 0, 0, 0, 8, 0, 0, 4},
	 10,
	 512,
	 SENSE_INVALID_CDB,
	 0xca,
	 1},
	{"LBDATA",
	 {0x41, 2, 0, 0, 0, 8, 0, 0, 4},
	 10,
	 512,
	 SENSE_INVALID_CDB,
	 0xca,
	 1},
	{"10 has no NDOB",
	 {0x41, 1, 0, 0, 0, 8, 0, 0, 4},
	 10,
	 512,
	 SENSE_INVALID_CDB,
	 0xc8,
	 1},
	{"WRPROTECT",
	 {0x41, 0x20, 0, 0, 0, 8, 0, 0, 4},
	 10,
	 512,
	 SENSE_INVALID_CDB,
	 0xcf,
	 1},
	{"all blocks (WSNZ)",
	 {0x41, 0, 0, 0, 0, 8, 0, 0, 0},
	 10,
	 512,
	 SENSE_INVALID_CDB,
	 0xcf,
	 7},
	{"out of range",
	 {0x93, 0, 0, 0, 0, 0, 0, 0, 7, 0xff, 0, 0, 0, 2},
	 16,
	 512,
	 SENSE_LBA_OUT_OF_RANGE,
	 0,
	 0},
	{"less than a block",
	 {0x41, 0, 0, 0, 0, 8, 0, 0, 4},
	 10,
	 511,
	 SENSE_LIST_LENGTH,
	 0,
	 0},
};

START_TEST(refused)
{
	command(refusals[_i].cdb, refusals[_i].cdb_bytes, SCSI_TO_DEVICE,
		refusals[_i].bytes);
	ck_assert_uint_eq(sensed(), refusals[_i].sense);
	assert_fault_at(refusals[_i].sks, refusals[_i].at);
	ck_assert_uint_eq(block->n_log, 0);
}
END_TEST

START_TEST(write_same_of_too_much)
{
	block->info.bytes = 1ull << 40;
	scsi_lun_resized(lun);
	command(CDB(0, 0, 0, 0, 0, 0), SCSI_NO_DATA, 0);
	command(CDB(0x93, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1, 0, 0),
		SCSI_NO_DATA, 0);
	ck_assert_uint_eq(sensed(), SENSE_INVALID_CDB);
	assert_fault_at(0xcf, 10);
	block->info.bytes = DISK_BYTES;
}
END_TEST

START_TEST(write_same_fails)
{
	block->fail = -ENOSPC;
	block->fail_op = _i ? BLOCK_WRITE : BLOCK_ZERO;
	block->fail_after = _i ? 1 : 0;
	memset(buffer, _i, 512);
	command(CDB(0x41, 0, 0, 0, 0, 8, 0, 1, 0, 0), SCSI_TO_DEVICE, 512);
	ck_assert_uint_eq(sensed(), SENSE_NO_SPACE);
	ck_assert_uint_eq(information(), _i ? 8 + 128 : 8);
}
END_TEST

/* --- GET LBA STATUS --------------------------------------------------------------------- */

START_TEST(lba_status)
{
	static const uint8_t want[24] = {0, 0, 0, 20,   [14] = 1, 2,
					 0, 0, 6, 0xfe, 0};

	command(CDB(0x9e, 0x12, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 64, 0, 0),
		SCSI_FROM_DEVICE, 64);
	assert_bytes(want, 24);
	command(CDB(0x9e, 0x12, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 9, 0, 0),
		SCSI_FROM_DEVICE, 64);
	assert_bytes(want, 9);
	command(CDB(0x9e, 0x12, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 64, 0, 0),
		SCSI_FROM_DEVICE, 64);
	ck_assert_uint_eq(sensed(), SENSE_LBA_OUT_OF_RANGE);
}
END_TEST

/* Blocks 4 to 7 and the last are discarded. */
static void discard_some(void)
{
	memset(block->bytes + 4 * 512, FAKE_DISCARDED, 4 * 512);
	memset(block->bytes + DISK_BYTES - 512, FAKE_DISCARDED, 512);
}

START_TEST(lba_status_of_holes)
{
	static const uint8_t want[56] = {
		/* clang-format off */
		0, 0, 0, 52, 0, 0, 0, 0,
		0, 0, 0, 0, 0, 0, 0, 6,  0, 0, 0, 2,  1, 0, 0, 0,
		0, 0, 0, 0, 0, 0, 0, 8,  0, 0, 7, 0xf7,  0, 0, 0, 0,
		0, 0, 0, 0, 0, 0, 7, 0xff,  0, 0, 0, 1,  1, 0, 0, 0,
		/* clang-format on */
	};
	uint8_t two[40];

	discard_some();
	command(CDB(0x9e, 0x12, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 1, 0, 0, 0),
		SCSI_FROM_DEVICE, 256);
	assert_bytes(want, sizeof(want));
	/* As many as there is room for, and not the half of one. */
	memcpy(two, want, sizeof(two));
	two[3] = 36;
	command(CDB(0x9e, 0x12, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 55, 0, 0),
		SCSI_FROM_DEVICE, 256);
	assert_bytes(two, sizeof(two));
	command(CDB(0x9e, 0x12, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 1, 0, 0, 0),
		SCSI_FROM_DEVICE, 40);
	assert_bytes(two, sizeof(two));
}
END_TEST

/* An answer has a bound, whatever the guest has room for. */
START_TEST(lba_status_of_many)
{
	for (unsigned int i = 0; i < 600; i += 2)
		memset(block->bytes + i * 512ul, FAKE_DISCARDED, 512);
	command(CDB(0x9e, 0x12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0, 0, 0),
		SCSI_FROM_DEVICE, 0xff00);
	assert_good(8 + 16 * 256);
	ck_assert_uint_eq(be_get(buffer, 4), 4 + 16 * 256);
	for (unsigned int i = 0; i < 256; i++) {
		ck_assert_uint_eq(be_get(buffer + 8 + 16ul * i, 8), i);
		ck_assert_uint_eq(be_get(buffer + 16 + 16ul * i, 4), 1);
		ck_assert_uint_eq(buffer[20 + 16ul * i], !(i % 2));
	}
}
END_TEST

/* Without UNMAP nothing is said to be unmapped, nor is it looked for. */
START_TEST(lba_status_of_what_is_not_thin)
{
	struct scsi_disk_params p = plain_disk;

	p.no_unmap = true;
	bench_free();
	bench_disk(fake_block(DISK_BYTES, 512), &p);
	command(CDB(0, 0, 0, 0, 0, 0), SCSI_NO_DATA, 0);
	discard_some();
	command(CDB(0x9e, 0x12, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 1, 0, 0, 0),
		SCSI_FROM_DEVICE, 256);
	assert_good(24);
	ck_assert_uint_eq(be_get(buffer + 16, 4), 0x7fc);
	ck_assert_uint_eq(buffer[20], 0);
	ck_assert_uint_eq(block->n_log, 0);
}
END_TEST

START_TEST(lba_status_fails)
{
	block->fail = -EIO;
	block->fail_op = BLOCK_EXTENT;
	block->fail_after = 1;
	discard_some();
	command(CDB(0x9e, 0x12, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 1, 0, 0, 0),
		SCSI_FROM_DEVICE, 256);
	ck_assert_uint_eq(sensed(), SENSE_READ_ERROR);
	ck_assert_uint_eq(information(), 8);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/scsi/disk_space");
	TCase *t = tcase_create("space");

	tcase_add_checked_fixture(t, new_disk, bench_free);
	tcase_add_loop_test(t, unmap, 0, G_N_ELEMENTS(unmaps));
	tcase_add_test(t, unmap_as_many_as_may_be);
	tcase_add_test(t, unmap_that_zeroes);
	tcase_add_test(t, unmap_that_is_not_there);
	tcase_add_loop_test(t, unmap_fails, 0, 3);
	tcase_add_loop_test(t, write_same, 0, G_N_ELEMENTS(sames));
	tcase_add_test(t, write_same_of_a_block);
	tcase_add_loop_test(t, write_same_without_a_cache, 0, 2);
	tcase_add_loop_test(t, refused, 0, G_N_ELEMENTS(refusals));
	tcase_add_test(t, write_same_of_too_much);
	tcase_add_loop_test(t, write_same_fails, 0, 2);
	tcase_add_test(t, lba_status);
	tcase_add_test(t, lba_status_of_holes);
	tcase_add_test(t, lba_status_of_many);
	tcase_add_test(t, lba_status_of_what_is_not_thin);
	tcase_add_test(t, lba_status_fails);
	suite_add_tcase(s, t);
	return check_main(s);
}
