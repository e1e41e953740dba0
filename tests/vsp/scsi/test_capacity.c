/* SPDX-License-Identifier: MIT */
/* READ CAPACITY of disks of every kind, byte for byte. */
#include <string.h>

#include <glib.h>

#include "support/check_main.h"
#include "support/scsi_bench.h"

static const struct {
	const char *what;
	uint64_t bytes; /* 0: as many as there are */
	uint32_t block_bytes, physical_bytes;
	bool can_discard, unmap_zeroes, readonly;
	uint8_t ten[8];
	uint8_t sixteen[16];
} disks[] = {
	{"512e",
	 0,
	 512,
	 4096,
	 true,
	 false,
	 false,
	 {0, 0, 7, 0xff, 0, 0, 2, 0},
	 {0, 0, 0, 0, 0, 0, 7, 0xff, 0, 0, 2, 0, 0, 3, 0x80, 0}},
	{"512n",
	 0,
	 512,
	 512,
	 true,
	 false,
	 false,
	 {0, 0, 7, 0xff, 0, 0, 2, 0},
	 {0, 0, 0, 0, 0, 0, 7, 0xff, 0, 0, 2, 0, 0, 0, 0x80, 0}},
	{"4Kn",
	 0,
	 4096,
	 4096,
	 true,
	 false,
	 false,
	 {0, 0, 0, 0xff, 0, 0, 0x10, 0},
	 {0, 0, 0, 0, 0, 0, 0, 0xff, 0, 0, 0x10, 0, 0, 0, 0x80, 0}},
	{"unmapped blocks read as zeroes",
	 0,
	 512,
	 4096,
	 true,
	 true,
	 false,
	 {0, 0, 7, 0xff, 0, 0, 2, 0},
	 {0, 0, 0, 0, 0, 0, 7, 0xff, 0, 0, 2, 0, 0, 3, 0xc0, 0}},
	{"full",
	 0,
	 512,
	 4096,
	 false,
	 true,
	 false,
	 {0, 0, 7, 0xff, 0, 0, 2, 0},
	 {0, 0, 0, 0, 0, 0, 7, 0xff, 0, 0, 2, 0, 0, 3, 0, 0}},
	{"read-only",
	 0,
	 512,
	 4096,
	 true,
	 false,
	 true,
	 {0, 0, 7, 0xff, 0, 0, 2, 0},
	 {0, 0, 0, 0, 0, 0, 7, 0xff, 0, 0, 2, 0, 0, 3, 0, 0}},
	{"physical size that is nothing",
	 0,
	 512,
	 0,
	 false,
	 false,
	 false,
	 {0, 0, 7, 0xff, 0, 0, 2, 0},
	 {0, 0, 0, 0, 0, 0, 7, 0xff, 0, 0, 2, 0, 0, 0, 0, 0}},
	{"the largest for 10",
	 0xffffffffull * 512,
	 512,
	 512,
	 false,
	 false,
	 false,
	 {0xff, 0xff, 0xff, 0xfe, 0, 0, 2, 0},
	 {0, 0, 0, 0, 0xff, 0xff, 0xff, 0xfe, 0, 0, 2, 0}},
	{"2 TiB",
	 0x100000000ull * 512,
	 512,
	 512,
	 false,
	 false,
	 false,
	 {0xff, 0xff, 0xff, 0xff, 0, 0, 2, 0},
	 {0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 2, 0}},
	{"64 TiB",
	 64ull << 40,
	 512,
	 512,
	 false,
	 false,
	 false,
	 {0xff, 0xff, 0xff, 0xff, 0, 0, 2, 0},
	 {0, 0, 0, 0x1f, 0xff, 0xff, 0xff, 0xff, 0, 0, 2, 0}},
};

START_TEST(capacity)
{
	struct block *b = fake_block(DISK_BYTES, disks[_i].block_bytes);
	struct scsi_disk_params params = plain_disk;
	uint8_t sixteen[32] = {0};

	if (disks[_i].bytes)
		b->info.bytes = disks[_i].bytes;
	b->info.physical_bytes = disks[_i].physical_bytes;
	b->info.can_discard = disks[_i].can_discard;
	params.unmap_zeroes = disks[_i].unmap_zeroes;
	params.readonly = disks[_i].readonly;
	bench_disk(b, &params);
	command(CDB(0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0), SCSI_FROM_DEVICE, 64);
	assert_bytes(disks[_i].ten, 8);
	memcpy(sixteen, disks[_i].sixteen, 16);
	command(CDB(0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0),
		SCSI_FROM_DEVICE, 64);
	assert_bytes(sixteen, 32);
	command(CDB(0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 12, 0, 0),
		SCSI_FROM_DEVICE, 64);
	assert_bytes(sixteen, 12);
	bench_free();
}
END_TEST

START_TEST(an_lba_without_pmi)
{
	bench_new();
	command(CDB(0x25, 0, 0, 0, 0, 1, 0, 0, 0, 0), SCSI_FROM_DEVICE, 8);
	ck_assert_uint_eq(sensed(), SENSE_INVALID_CDB);
	assert_fault_at(0xcf, 2);
	command(CDB(0x25, 0, 0, 0, 0, 1, 0, 0, 1, 0), SCSI_FROM_DEVICE, 8);
	assert_good(8);
	command(CDB(0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 32, 0, 0),
		SCSI_FROM_DEVICE, 32);
	ck_assert_uint_eq(sensed(), SENSE_INVALID_CDB);
	assert_fault_at(0xcf, 2);
	command(CDB(0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 32, 1, 0),
		SCSI_FROM_DEVICE, 32);
	assert_good(32);
	bench_free();
}
END_TEST

/* The next command is told, the one after it sees the new size. */
START_TEST(resized)
{
	bench_new();
	scsi_lun_resized(lun);
	command(CDB(0, 0, 0, 0, 0, 0), SCSI_NO_DATA, 0);
	assert_good(0);
	block->info.bytes /= 2;
	scsi_lun_resized(lun);
	command(CDB(0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0), SCSI_FROM_DEVICE, 512);
	ck_assert_uint_eq(sensed(), SENSE_CAPACITY_CHANGED);
	command(CDB(0x28, 0, 0, 0, 4, 0, 0, 0, 1, 0), SCSI_FROM_DEVICE, 512);
	ck_assert_uint_eq(sensed(), SENSE_LBA_OUT_OF_RANGE);
	command(CDB(0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0), SCSI_FROM_DEVICE, 8);
	ck_assert_uint_eq(sensed(), 0);
	ck_assert_uint_eq(be_get(buffer, 4), 1023);
	bench_free();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/scsi/capacity");
	TCase *t = tcase_create("capacity");

	tcase_add_loop_test(t, capacity, 0, G_N_ELEMENTS(disks));
	tcase_add_test(t, an_lba_without_pmi);
	tcase_add_test(t, resized);
	suite_add_tcase(s, t);
	return check_main(s);
}
