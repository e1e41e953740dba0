/* SPDX-License-Identifier: MIT */
/* MODE SENSE and MODE SELECT, byte for byte. */
#include <errno.h>
#include <string.h>

#include <glib.h>

#include "support/check_main.h"
#include "support/scsi_bench.h"

/* The pages as SPC-4 and SBC-3 have them. */
#define DESCRIPTOR 0, 0, 8, 0, 0, 0, 2, 0

static const struct {
	const char *what;
	uint8_t cdb[10];
	uint8_t cdb_bytes;
	uint32_t len;
	uint8_t data[64];
} senses[] = {
	{"6, caching",
	 {0x1a, 0, 0x08, 0, 192},
	 6,
	 32,
	 {31, 0, 0x10, 8, 0, 0, 8, 0, 0, 0, 2, 0, 0x08, 0x12, 0x04}},
	{"6, caching, no descriptor",
	 {0x1a, 8, 0x08, 0, 192},
	 6,
	 24,
	 {23, 0, 0x10, 0, 0x08, 0x12, 0x04}},
	{"6, what can be changed",
	 {0x1a, 8, 0x48, 0, 192},
	 6,
	 24,
	 {23, 0, 0x10, 0, 0x08, 0x12, 0x04}},
	{"6, as at first",
	 {0x1a, 8, 0x88, 0, 192},
	 6,
	 24,
	 {23, 0, 0x10, 0, 0x08, 0x12, 0x04}},
	{"6, control",
	 {0x1a, 8, 0x0a, 0, 192},
	 6,
	 16,
	 {15, 0, 0x10, 0, 0x0a, 0x0a, 0, 0x10}},
	{"6, control, what can be changed",
	 {0x1a, 8, 0x4a, 0, 192},
	 6,
	 16,
	 {15, 0, 0x10, 0, 0x0a, 0x0a}},
	{"6, all",
	 {0x1a, 8, 0x3f, 0, 192},
	 6,
	 36,
	 {35, 0, 0x10, 0, 0x08, 0x12, 0x04, [24] = 0x0a, 0x0a, 0, 0x10}},
	{"6, all and their subpages",
	 {0x1a, 8, 0x3f, 0xff, 192},
	 6,
	 36,
	 {35, 0, 0x10, 0, 0x08, 0x12, 0x04, [24] = 0x0a, 0x0a, 0, 0x10}},
	{"6, cut: the length is of all",
	 {0x1a, 0, 0x3f, 0, 4},
	 6,
	 4,
	 {43, 0, 0x10, 8}},
	{"10, caching",
	 {0x5a, 0, 0x08, 0, 0, 0, 0, 0, 192},
	 10,
	 36,
	 {0, 34, 0, 0x10, 0, 0, 0, 8, 0, 0, 8, 0, 0, 0, 2, 0, 0x08, 0x12,
	  0x04}},
	{"10, long descriptor",
	 {0x5a, 0x10, 0x0a, 0, 0, 0, 0, 0, 192},
	 10,
	 36,
	 {0, 34, 0, 0x10, 1, 0, 0, 16, 0, 0, 0,    0,    0, 0,
	  8, 0,  0, 0,    0, 0, 0, 0,  2, 0, 0x0a, 0x0a, 0, 0x10}},
	{"10, no descriptor",
	 {0x5a, 0x18, 0x0a, 0, 0, 0, 0, 0, 192},
	 10,
	 20,
	 {0, 18, 0, 0x10, 0, 0, 0, 0, 0x0a, 0x0a, 0, 0x10}},
};

START_TEST(sense)
{
	command(senses[_i].cdb, senses[_i].cdb_bytes, SCSI_FROM_DEVICE, 192);
	assert_bytes(senses[_i].data, senses[_i].len);
}
END_TEST

START_TEST(write_protected)
{
	struct scsi_disk_params params = plain_disk;

	bench_free();
	params.readonly = true;
	bench_disk(fake_block(DISK_BYTES, 512), &params);
	command(CDB(0x1a, 0, 0x3f, 0, 4, 0), SCSI_FROM_DEVICE, 4);
	assert_good(4);
	ck_assert_uint_eq(buffer[2], 0x90);
	command(CDB(0x5a, 0, 0x3f, 0, 0, 0, 0, 0, 8, 0), SCSI_FROM_DEVICE, 8);
	ck_assert_uint_eq(buffer[3], 0x90);
}
END_TEST

START_TEST(more_blocks_than_the_descriptor_holds)
{
	block->info.bytes = 0x100000000ull * 512;
	scsi_lun_resized(lun);
	command(CDB(0, 0, 0, 0, 0, 0), SCSI_NO_DATA, 0);
	command(CDB(0x1a, 0, 0x0a, 0, 192, 0), SCSI_FROM_DEVICE, 192);
	ck_assert_uint_eq(sensed(), 0);
	ck_assert_uint_eq(be_get(buffer + 4, 4), UINT32_MAX);
	command(CDB(0x5a, 0x10, 0x0a, 0, 0, 0, 0, 0, 192, 0), SCSI_FROM_DEVICE,
		192);
	ck_assert_uint_eq(be_get(buffer + 8, 8), 0x100000000ull);
}
END_TEST

static const struct {
	const char *what;
	uint8_t cdb[10];
	uint8_t cdb_bytes;
	uint32_t sense;
	uint8_t sks, at;
} sense_refusals[] = {
	{"no such page",
	 {0x1a, 0, 0x1c, 0, 192},
	 6,
	 SENSE_INVALID_CDB,
	 0xcd,
	 2},
	{"page 0", {0x1a, 0, 0, 0, 192}, 6, SENSE_INVALID_CDB, 0xcd, 2},
	{"subpage", {0x1a, 0, 0x0a, 1, 192}, 6, SENSE_INVALID_CDB, 0xcf, 3},
	{"saved values", {0x1a, 0, 0xc8, 0, 192}, 6, SENSE_SAVING, 0, 0},
	{"10, no such page",
	 {0x5a, 0, 0x2a, 0, 0, 0, 0, 0, 192},
	 10,
	 SENSE_INVALID_CDB,
	 0xcd,
	 2},
};

START_TEST(sense_refused)
{
	command(sense_refusals[_i].cdb, sense_refusals[_i].cdb_bytes,
		SCSI_FROM_DEVICE, 192);
	ck_assert_uint_eq(sensed(), sense_refusals[_i].sense);
	assert_fault_at(sense_refusals[_i].sks, sense_refusals[_i].at);
}
END_TEST

/* --- MODE SELECT -------------------------------------------------------------- */

static bool cache_is_on(void)
{
	command(CDB(0x1a, 8, 0x08, 0, 192, 0), SCSI_FROM_DEVICE, 192);
	assert_good(24);
	return buffer[6] & 4;
}

static void select_6(const uint8_t *list, uint8_t len)
{
	memcpy(buffer, list, len);
	command(CDB(0x15, 0x10, 0, 0, len, 0), SCSI_TO_DEVICE, len);
}

static const uint8_t cache_off[24] = {0, 0, 0, 0, 0x08, 0x12, 0};
static const uint8_t cache_on[24] = {0, 0, 0, 0, 0x08, 0x12, 4};

START_TEST(the_cache_goes_off_and_on)
{
	select_6(cache_off, 24);
	assert_good(24);
	/* What was written before is on stable storage now. */
	ck_assert_uint_eq(block->n_log, 1);
	ck_assert_int_eq(block->log[0].op, BLOCK_FLUSH);
	ck_assert(!cache_is_on());
	command(CDB(0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0), SCSI_TO_DEVICE, 512);
	ck_assert_uint_eq(block->log[1].flags, BLOCK_FUA);
	select_6(cache_on, 24);
	assert_good(24);
	ck_assert(cache_is_on());
	command(CDB(0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0), SCSI_TO_DEVICE, 512);
	ck_assert_uint_eq(block->log[2].flags, 0);
	ck_assert_uint_eq(block->n_log, 3);
}
END_TEST

START_TEST(a_reset_brings_the_first_back)
{
	select_6(cache_off, 24);
	scsi_lun_reset(lun);
	command(CDB(0, 0, 0, 0, 0, 0), SCSI_NO_DATA, 0);
	ck_assert(cache_is_on());
}
END_TEST

START_TEST(a_flush_that_fails)
{
	block->fail = -EIO;
	block->fail_op = BLOCK_FLUSH;
	select_6(cache_off, 24);
	ck_assert_uint_eq(sensed(), SENSE_WRITE_ERROR);
	ck_assert(!cache_is_on());
}
END_TEST

static const struct {
	const char *what;
	uint8_t cdb[10];
	uint8_t cdb_bytes, len;
	uint8_t list[64];
	uint32_t sense;
	uint8_t sks, at;
	bool on; /* what is the cache then? */
} selects[] = {
	{"nothing", {0x15, 0x10}, 6, 0, {0}, 0, 0, 0, true},
	{"a header", {0x15, 0x10, 0, 0, 4}, 6, 4, {0}, 0, 0, 0, true},
	{"the descriptor as it is",
	 {0x15, 0x10, 0, 0, 32},
	 6,
	 32,
	 {0, 0, 0, 8, DESCRIPTOR, 0x08, 0x12, 0},
	 0,
	 0,
	 0,
	 false},
	{"a descriptor of all blocks",
	 {0x15, 0x10, 0, 0, 12},
	 6,
	 12,
	 {0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 2, 0},
	 0,
	 0,
	 0,
	 true},
	{"both pages",
	 {0x15, 0x10, 0, 0, 36},
	 6,
	 36,
	 {0, 0, 0, 0, 0x08, 0x12, 0, [24] = 0x0a, 0x0a, 0, 0x10},
	 0,
	 0,
	 0,
	 false},
	{"10",
	 {0x55, 0x10, 0, 0, 0, 0, 0, 0, 28},
	 10,
	 28,
	 {0, 0, 0, 0, 0, 0, 0, 0, 0x08, 0x12, 0},
	 0,
	 0,
	 0,
	 false},
	{"10, long descriptor",
	 {0x55, 0x10, 0, 0, 0, 0, 0, 0, 44},
	 10,
	 44,
	 {0, 0, 0, 0, 1, 0, 0, 16, 0, 0, 0,    0,    0, 0,
	  8, 0, 0, 0, 0, 0, 0, 0,  2, 0, 0x08, 0x12, 0},
	 0,
	 0,
	 0,
	 false},
	{"the PS bit does not count",
	 {0x15, 0x10, 0, 0, 24},
	 6,
	 24,
	 {0, 0, 0, 0, 0x88, 0x12, 0},
	 0,
	 0,
	 0,
	 false},
	{"saved",
	 {0x15, 0x11, 0, 0, 24},
	 6,
	 24,
	 {0, 0, 0, 0, 0x08, 0x12, 0},
	 SENSE_INVALID_CDB,
	 0xc8,
	 1,
	 true},
	{"no page format",
	 {0x15, 0, 0, 0, 24},
	 6,
	 24,
	 {0, 0, 0, 0, 0x08, 0x12, 0},
	 SENSE_INVALID_CDB,
	 0xcc,
	 1,
	 true},
	{"less than a header",
	 {0x15, 0x10, 0, 0, 3},
	 6,
	 3,
	 {0},
	 SENSE_LIST_LENGTH,
	 0,
	 0,
	 true},
	{"less than the CDB says",
	 {0x15, 0x10, 0, 0, 24},
	 6,
	 23,
	 {0, 0, 0, 0, 0x08, 0x12, 0},
	 SENSE_LIST_LENGTH,
	 0,
	 0,
	 true},
	{"more than anything",
	 {0x55, 0x10, 0, 0, 0, 0, 0, 2, 0},
	 10,
	 64,
	 {0},
	 SENSE_LIST_LENGTH,
	 0,
	 0,
	 true},
	{"another number of blocks",
	 {0x15, 0x10, 0, 0, 12},
	 6,
	 12,
	 {0, 0, 0, 8, 0, 0, 8, 1, 0, 0, 2, 0},
	 SENSE_INVALID_PARAMETER,
	 0x80,
	 4,
	 true},
	{"another block length",
	 {0x15, 0x10, 0, 0, 12},
	 6,
	 12,
	 {0, 0, 0, 8, 0, 0, 8, 0, 0, 0, 4, 0},
	 SENSE_INVALID_PARAMETER,
	 0x80,
	 4,
	 true},
	{"a descriptor of no length",
	 {0x15, 0x10, 0, 0, 12},
	 6,
	 12,
	 {0, 0, 0, 7},
	 SENSE_INVALID_PARAMETER,
	 0x80,
	 3,
	 true},
	{"a descriptor cut off",
	 {0x15, 0x10, 0, 0, 8},
	 6,
	 8,
	 {0, 0, 0, 8},
	 SENSE_LIST_LENGTH,
	 0,
	 0,
	 true},
	{"a page that is not there",
	 {0x15, 0x10, 0, 0, 24},
	 6,
	 24,
	 {0, 0, 0, 0, 0x1c, 0x12, 0},
	 SENSE_INVALID_PARAMETER,
	 0x80,
	 4,
	 true},
	{"all pages",
	 {0x15, 0x10, 0, 0, 24},
	 6,
	 24,
	 {0, 0, 0, 0, 0x3f, 0x12, 0},
	 SENSE_INVALID_PARAMETER,
	 0x80,
	 4,
	 true},
	{"a subpage",
	 {0x15, 0x10, 0, 0, 24},
	 6,
	 24,
	 {0, 0, 0, 0, 0x48, 0x12, 0},
	 SENSE_INVALID_PARAMETER,
	 0x80,
	 4,
	 true},
	{"a page of no length",
	 {0x15, 0x10, 0, 0, 24},
	 6,
	 24,
	 {0, 0, 0, 0, 0x08, 0x0a, 0},
	 SENSE_INVALID_PARAMETER,
	 0x80,
	 5,
	 true},
	{"a page's first byte",
	 {0x15, 0x10, 0, 0, 5},
	 6,
	 5,
	 {0, 0, 0, 0, 0x08},
	 SENSE_LIST_LENGTH,
	 0,
	 0,
	 true},
	{"a bit that can not be changed",
	 {0x15, 0x10, 0, 0, 24},
	 6,
	 24,
	 {0, 0, 0, 0, 0x08, 0x12, 1},
	 SENSE_INVALID_PARAMETER,
	 0x80,
	 6,
	 true},
	{"the second page is wrong: the first is not done",
	 {0x15, 0x10, 0, 0, 36},
	 6,
	 36,
	 {0, 0, 0, 0, 0x08, 0x12, 0, [24] = 0x0a, 0x0a, 4, 0x10},
	 SENSE_INVALID_PARAMETER,
	 0x80,
	 26,
	 true},
};

START_TEST(select_list)
{
	memcpy(buffer, selects[_i].list, selects[_i].len);
	command(selects[_i].cdb, selects[_i].cdb_bytes, SCSI_TO_DEVICE,
		selects[_i].len);
	ck_assert_uint_eq(sensed(), selects[_i].sense);
	if (selects[_i].sense)
		assert_fault_at(selects[_i].sks, selects[_i].at);
	else
		assert_good(selects[_i].len);
	ck_assert_int_eq(cache_is_on(), selects[_i].on);
	ck_assert_uint_eq(block->n_log, !selects[_i].on);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/scsi/mode");
	TCase *t = tcase_create("mode");

	tcase_add_checked_fixture(t, bench_new, bench_free);
	tcase_add_loop_test(t, sense, 0, G_N_ELEMENTS(senses));
	tcase_add_test(t, write_protected);
	tcase_add_test(t, more_blocks_than_the_descriptor_holds);
	tcase_add_loop_test(t, sense_refused, 0, G_N_ELEMENTS(sense_refusals));
	tcase_add_test(t, the_cache_goes_off_and_on);
	tcase_add_test(t, a_reset_brings_the_first_back);
	tcase_add_test(t, a_flush_that_fails);
	tcase_add_loop_test(t, select_list, 0, G_N_ELEMENTS(selects));
	suite_add_tcase(s, t);
	return check_main(s);
}
