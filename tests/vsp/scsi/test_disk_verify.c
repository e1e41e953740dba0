/* SPDX-License-Identifier: MIT */
/* VERIFY, WRITE AND VERIFY, COMPARE AND WRITE. */
#include <errno.h>
#include <string.h>

#include <glib.h>

#include "support/check_main.h"
#include "support/scsi_bench.h"

/* The buffer is what is on the disk from @lba on. */
static void as_on_disk(uint32_t lba, uint32_t bytes)
{
	memcpy(buffer, block->bytes + lba * 512, bytes);
}

static void new_disk(void)
{
	bench_new();
	fill_disk();
}

/* --- VERIFY ---------------------------------------------------------------------- */

static const struct {
	const char *what;
	uint8_t cdb[16];
	uint8_t cdb_bytes;
	uint32_t bytes; /* of the buffer */
	uint32_t lba, moved;
	unsigned int reads;
} verifies[] = {
	{"10, the medium", {0x2f, 0, 0, 0, 0, 8, 0, 0, 4}, 10, 0, 8, 0, 1},
	{"10, data", {0x2f, 2, 0, 0, 0, 8, 0, 0, 4}, 10, 2048, 8, 2048, 1},
	{"12, data", {0xaf, 2, 0, 0, 0, 8, 0, 0, 0, 4}, 12, 2048, 8, 2048, 1},
	{"16, data in pieces",
	 {0x8f, 2, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 1, 0x81},
	 16,
	 385 * 512,
	 8,
	 385 * 512,
	 4},
	{"16, the medium in pieces",
	 {0x8f, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0},
	 16,
	 0,
	 0,
	 0,
	 16},
	{"none", {0x2f, 2, 0, 0, 0, 8, 0, 0, 0}, 10, 2048, 8, 0, 0},
	{"buffer too short",
	 {0x2f, 2, 0, 0, 0, 8, 0, 0, 4},
	 10,
	 1100,
	 8,
	 1024,
	 1},
	{"no buffer", {0x2f, 2, 0, 0, 0, 8, 0, 0, 4}, 10, 0, 8, 0, 0},
};

START_TEST(verify_is_well)
{
	block->later = _i % 2;
	as_on_disk(verifies[_i].lba, verifies[_i].bytes);
	command(verifies[_i].cdb, verifies[_i].cdb_bytes, SCSI_TO_DEVICE,
		verifies[_i].bytes);
	assert_good(verifies[_i].moved);
	ck_assert_uint_eq(block->n_log, verifies[_i].reads);
	for (unsigned int i = 0; i < block->n_log; i++)
		ck_assert_int_eq(block->log[i].op, BLOCK_READ);
}
END_TEST

/* Each byte counts; the block that differs is told. */
START_TEST(verify_finds_a_byte)
{
	static const uint32_t wrong[] = {0, 511, 512, 70000, 385 * 512 - 1};
	uint32_t at = wrong[_i];

	as_on_disk(8, 385 * 512);
	buffer[at] ^= 0x10;
	command(CDB(0x8f, 2, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 1, 0x81, 0, 0),
		SCSI_TO_DEVICE, 385 * 512);
	ck_assert_uint_eq(sensed(), SENSE_MISCOMPARE);
	ck_assert_uint_eq(information(), 8 + at / 512);
}
END_TEST

START_TEST(verify_meets_a_bad_block)
{
	block->fail = -EIO;
	block->fail_op = BLOCK_READ;
	block->fail_after = 1;
	command(CDB(0x2f, 0, 0, 0, 0, 8, 0, 1, 0, 0), SCSI_NO_DATA, 0);
	ck_assert_uint_eq(sensed(), SENSE_READ_ERROR);
	ck_assert_uint_eq(information(), 8 + 128);
}
END_TEST

static const struct {
	const char *what;
	uint8_t cdb[16];
	uint8_t cdb_bytes;
	uint32_t sense;
	uint8_t sks, at;
} refusals[] = {
	{"BYTCHK 2",
	 {0x2f, 4, 0, 0, 0, 8, 0, 0, 1},
	 10,
	 SENSE_INVALID_CDB,
	 0xca,
	 1},
	{"BYTCHK 3",
	 {0x2e, 6, 0, 0, 0, 8, 0, 0, 1},
	 10,
	 SENSE_INVALID_CDB,
	 0xca,
	 1},
	{"VRPROTECT",
	 {0x2f, 0x20, 0, 0, 0, 8, 0, 0, 1},
	 10,
	 SENSE_INVALID_CDB,
	 0xcf,
	 1},
	{"out of range",
	 {0x2f, 0, 0, 0, 7, 0xff, 0, 0, 2},
	 10,
	 SENSE_LBA_OUT_OF_RANGE,
	 0,
	 0},
	{"write out of range",
	 {0x8e, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 1},
	 16,
	 SENSE_LBA_OUT_OF_RANGE,
	 0,
	 0},
	{"COMPARE AND WRITE out of range",
	 {0x89, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 1},
	 16,
	 SENSE_LBA_OUT_OF_RANGE,
	 0,
	 0},
	{"COMPARE AND WRITE of too much",
	 {0x89, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 129},
	 16,
	 SENSE_INVALID_CDB,
	 0xcf,
	 13},
	{"COMPARE AND WRITE of less than it says",
	 {0x89, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2},
	 16,
	 SENSE_INVALID_CDB,
	 0xcf,
	 13},
};

START_TEST(refused)
{
	command(refusals[_i].cdb, refusals[_i].cdb_bytes, SCSI_TO_DEVICE, 2047);
	ck_assert_uint_eq(sensed(), refusals[_i].sense);
	assert_fault_at(refusals[_i].sks, refusals[_i].at);
	ck_assert_uint_eq(block->n_log, 0);
}
END_TEST

/* --- WRITE AND VERIFY --------------------------------------------------------------- */

static const uint8_t write_verifies[][16] = {
	{0x2e, 0, 0, 0, 0, 8, 0, 0, 200},
	{0x2e, 2, 0, 0, 0, 8, 0, 0, 200},
	{0xae, 2, 0, 0, 0, 8, 0, 0, 0, 200},
	{0x8e, 2, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 200},
};

START_TEST(write_and_verify)
{
	block->later = _i % 2;
	memset(buffer, 0x33, 200 * 512);
	command(write_verifies[_i], 16, SCSI_TO_DEVICE, 200 * 512);
	assert_good(200 * 512);
	ck_assert_mem_eq(block->bytes + 8 * 512, buffer, 200 * 512);
	ck_assert_uint_eq(block->bytes[208 * 512], pattern(208 * 512));
	ck_assert_uint_eq(block->n_log, 3);
	ck_assert_int_eq(block->log[0].op, BLOCK_WRITE);
	ck_assert_uint_eq(block->log[0].flags, BLOCK_FUA);
	ck_assert_int_eq(block->log[1].op, BLOCK_READ);
	ck_assert_uint_eq(block->log[1].bytes, 65536);
}
END_TEST

/* The pieces that are cut off a long buffer and what is read do not mix. */
START_TEST(write_and_verify_of_a_long_buffer)
{
	memset(buffer, 0x33, 2048);
	command(CDB(0x2e, 2, 0, 0, 0, 8, 0, 0, 2, 0), SCSI_TO_DEVICE, 2048);
	assert_good(1024);
	ck_assert_mem_eq(block->bytes + 8 * 512, buffer, 1024);
}
END_TEST

START_TEST(write_and_verify_fails)
{
	block->fail = -EIO;
	block->fail_op = _i ? BLOCK_READ : BLOCK_WRITE;
	command(CDB(0x2e, 2, 0, 0, 0, 8, 0, 0, 2, 0), SCSI_TO_DEVICE, 1024);
	ck_assert_uint_eq(sensed(), _i ? SENSE_READ_ERROR : SENSE_WRITE_ERROR);
	ck_assert_uint_eq(information(), 8);
}
END_TEST

/* --- COMPARE AND WRITE ------------------------------------------------------------------ */

static void compare_and_write(uint8_t blocks, uint8_t flags)
{
	command(CDB(0x89, flags, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, blocks, 0, 0),
		SCSI_TO_DEVICE, blocks * 1024u);
}

START_TEST(compares_and_writes)
{
	uint8_t blocks = _i ? 128 : 1;

	block->later = _i;
	as_on_disk(8, blocks * 512);
	memset(buffer + blocks * 512, 0x44, blocks * 512);
	compare_and_write(blocks, _i ? 8 : 0);
	assert_good(blocks * 1024);
	ck_assert_mem_eq(block->bytes + 8 * 512, buffer + blocks * 512,
			 blocks * 512);
	ck_assert_uint_eq(block->n_log, 2);
	ck_assert_uint_eq(block->log[1].flags, _i ? BLOCK_FUA : 0);
}
END_TEST

START_TEST(compares_and_does_not_write)
{
	as_on_disk(8, 1024);
	buffer[700] ^= 1;
	compare_and_write(2, 0);
	ck_assert_uint_eq(sensed(), SENSE_MISCOMPARE);
	/* SBC-3: where in the buffer */
	ck_assert_uint_eq(information(), 700);
	ck_assert_uint_eq(block->n_log, 1);
	/* And the next may. */
	as_on_disk(8, 512);
	compare_and_write(1, 0);
	assert_good(1024);
}
END_TEST

START_TEST(compares_nothing)
{
	compare_and_write(0, 0);
	assert_good(0);
	ck_assert_uint_eq(block->n_log, 0);
}
END_TEST

static unsigned int n_others;

static void other_done(struct scsi_request *r)
{
	(void)r;
	n_others++;
}

/* While one is under way a second is BUSY, which it may try again. */
START_TEST(one_at_a_time)
{
	struct iovec iov = {buffer + 4096, 1024};
	struct scsi_request first = {.queue = queue,
				     .cdb = {0x89, [13] = 1},
				     .cdb_bytes = 16,
				     .dir = SCSI_TO_DEVICE,
				     .iov = &iov,
				     .n_iov = 1,
				     .bytes = 1024,
				     .done = other_done};
	struct scsi_request second = first;

	block->later = true;
	memcpy(buffer + 4096, block->bytes, 512);
	n_others = 0;
	scsi_submit(lun, &first);
	ck_assert_uint_eq(n_others, 0);
	scsi_submit(lun, &second);
	ck_assert_uint_eq(n_others, 1);
	ck_assert_uint_eq(second.status, SAM_STAT_BUSY);
	while (block_queue_in_flight(queue))
		block_queue_reap(queue);
	ck_assert_uint_eq(n_others, 2);
	ck_assert_uint_eq(first.status, SAM_STAT_GOOD);
	memcpy(buffer + 4096, block->bytes, 512);
	scsi_submit(lun, &second);
	while (block_queue_in_flight(queue))
		block_queue_reap(queue);
	ck_assert_uint_eq(second.status, SAM_STAT_GOOD);
}
END_TEST

/* What they need of our memory is bounded; the rest is BUSY. */
START_TEST(only_so_many)
{
	static struct scsi_request r[40];
	unsigned int n_busy = 0;

	block->later = true;
	n_others = 0;
	for (unsigned int i = 0; i < G_N_ELEMENTS(r); i++) {
		r[i] = (struct scsi_request){.queue = queue,
					     .cdb = {0x2f, [8] = 1},
					     .cdb_bytes = 10,
					     .done = other_done};
		scsi_submit(lun, &r[i]);
	}
	block_queue_reap(queue);
	ck_assert_uint_eq(n_others, G_N_ELEMENTS(r));
	for (unsigned int i = 0; i < G_N_ELEMENTS(r); i++)
		n_busy += r[i].status == SAM_STAT_BUSY;
	ck_assert_uint_eq(n_busy, 8);
	scsi_submit(lun, &r[0]);
	block_queue_reap(queue);
	ck_assert_uint_eq(r[0].status, SAM_STAT_GOOD);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/scsi/disk_verify");
	TCase *t = tcase_create("verify");

	tcase_add_checked_fixture(t, new_disk, bench_free);
	tcase_add_loop_test(t, verify_is_well, 0, G_N_ELEMENTS(verifies));
	tcase_add_loop_test(t, verify_finds_a_byte, 0, 5);
	tcase_add_test(t, verify_meets_a_bad_block);
	tcase_add_loop_test(t, refused, 0, G_N_ELEMENTS(refusals));
	tcase_add_loop_test(t, write_and_verify, 0,
			    G_N_ELEMENTS(write_verifies));
	tcase_add_test(t, write_and_verify_of_a_long_buffer);
	tcase_add_loop_test(t, write_and_verify_fails, 0, 2);
	tcase_add_loop_test(t, compares_and_writes, 0, 2);
	tcase_add_test(t, compares_and_does_not_write);
	tcase_add_test(t, compares_nothing);
	tcase_add_test(t, one_at_a_time);
	tcase_add_test(t, only_so_many);
	suite_add_tcase(s, t);
	return check_main(s);
}
