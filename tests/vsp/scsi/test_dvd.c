/* SPDX-License-Identifier: MIT */
/* A DVD drive with and without a disc, byte for byte. */
#include <errno.h>
#include <string.h>

#include <glib.h>

#include "proto/mmc.h"
#include "support/check_main.h"
#include "support/scsi_bench.h"

#define CD_BYTES (1u << 20) /* 512 blocks */

static const struct scsi_identity identity = {
	.id = {0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1a,
	       0x1b, 0x1c, 0x1d, 0x1e, 0x1f}};

static void with_cd(void)
{
	block = fake_block(CD_BYTES, 512);
	block->info.readonly = true;
	fill_disk();
	queue = block_queue_new(block, NULL);
	lun = scsi_dvd_new(block, &identity);
}

/* The disc lies beside the drive. */
static void without(void)
{
	with_cd();
	scsi_lun_free(lun);
	lun = scsi_dvd_new(NULL, &identity);
}

/* The image says that it is so long, but reads would not find it. */
static void with_dvd(void)
{
	with_cd();
	block->info.bytes = 400000ull * 2048;
	scsi_lun_resized(lun);
	command(CDB(0, 0, 0, 0, 0, 0), SCSI_NO_DATA, 0);
}

static uint32_t test_ready(void)
{
	command(CDB(0, 0, 0, 0, 0, 0), SCSI_NO_DATA, 0);
	return sensed();
}

/* What GET EVENT STATUS NOTIFICATION says of media: event << 8 | status. */
static unsigned int media(void)
{
	static const uint8_t head[4] = {0, 6, 4, 0x10};

	command(CDB(0x4a, 1, 0, 0, 0x10, 0, 0, 0, 64, 0), SCSI_FROM_DEVICE, 64);
	assert_good(8);
	ck_assert_mem_eq(buffer, head, 4);
	return (unsigned int)buffer[4] << 8 | buffer[5];
}

/* --- what it is -------------------------------------------------------------------- */

static const struct {
	const char *what;
	void (*make)(void);
	uint8_t cdb[12];
	uint8_t cdb_bytes;
	size_t len;
	uint8_t data[96];
} answers[] = {
	{"INQUIRY",
	 with_cd,
	 {0x12, 0, 0, 0, 36},
	 6,
	 36,
	 {5,   0x80, 5,   2,   0x5b, 0,   0,   2,   'M', 's', 'f', 't',
	  ' ', ' ',  ' ', ' ', 'V',  'i', 'r', 't', 'u', 'a', 'l', ' ',
	  'D', 'V',  'D', '-', 'R',  'O', 'M', ' ', '1', '.', '0', ' '}},
	{"VPD pages",
	 without,
	 {0x12, 1, 0, 0, 64},
	 6,
	 7,
	 {5, 0, 0, 3, 0, 0x83, 0x86}},
	{"READ CAPACITY", with_cd, {0x25}, 10, 8, {0, 0, 1, 0xff, 0, 0, 8, 0}},
	{"GET CONFIGURATION, no disc",
	 without,
	 {0x46, 0, 0, 0, 0, 0, 0, 0, 96},
	 10,
	 72,
	 {0, 0,    0, 68, 0,    0, 0, 0,    0, 0,    3, 8, 0, 0x10, 0,
	  0, 0,    8, 0,  0,    0, 1, 0x0b, 8, 0,    0, 0, 1, 1,    0,
	  0, 0,    0, 2,  7,    4, 0, 0,    0, 0,    0, 3, 3, 4,    0x29,
	  0, 0,    0, 0,  0x10, 0, 8, 0,    0, 8,    0, 0, 1, 0,    0,
	  0, 0x1e, 8, 4,  0,    0, 0, 0,    0, 0x1f, 0, 0}},
	{"GET CONFIGURATION, a CD, current from 0010h",
	 with_cd,
	 {0x46, 1, 0, 0x10, 0, 0, 0, 0, 96},
	 10,
	 28,
	 {0, 0, 0, 24, 0, 0, 0, 8,    0, 0x10, 1, 8, 0, 0,
	  8, 0, 0, 1,  0, 0, 0, 0x1e, 9, 4,    0, 0, 0, 0}},
	{"GET CONFIGURATION, a DVD, profiles alone",
	 with_dvd,
	 {0x46, 2, 0, 0, 0, 0, 0, 0, 96},
	 10,
	 20,
	 {0, 0, 0, 16, 0, 0, 0, 0x10, 0, 0, 3, 8, 0, 0x10, 1, 0, 0, 8, 0, 0}},
	{"GET CONFIGURATION, a feature that is not there",
	 with_cd,
	 {0x46, 2, 0, 0x22, 0, 0, 0, 0, 96},
	 10,
	 8,
	 {0, 0, 0, 4, 0, 0, 0, 8}},
	{"GET CONFIGURATION, cut",
	 with_cd,
	 {0x46, 0, 0, 0, 0, 0, 0, 0, 8},
	 10,
	 8,
	 {0, 0, 0, 68, 0, 0, 0, 8}},
	{"READ TOC",
	 with_cd,
	 {0x43, 0, 0, 0, 0, 0, 0, 0, 96},
	 10,
	 20,
	 {0, 18, 1, 1,    0,    0x14, 1, 0, 0, 0,
	  0, 0,  0, 0x14, 0xaa, 0,    0, 0, 2, 0}},
	{"READ TOC, MSF",
	 with_cd,
	 {0x43, 2, 0, 0, 0, 0, 1, 0, 96},
	 10,
	 20,
	 {0, 18, 1, 1,    0,    0x14, 1, 0, 0, 0,
	  2, 0,  0, 0x14, 0xaa, 0,    0, 0, 8, 62}},
	{"READ TOC, lead-out",
	 with_cd,
	 {0x43, 0, 0, 0, 0, 0, 0xaa, 0, 96},
	 10,
	 12,
	 {0, 10, 1, 1, 0, 0x14, 0xaa, 0, 0, 0, 2, 0}},
	{"READ TOC, sessions",
	 with_cd,
	 {0x43, 0, 1, 0, 0, 0, 0, 0, 96},
	 10,
	 12,
	 {0, 10, 1, 1, 0, 0x14, 1}},
	{"READ TOC, sessions as before MMC",
	 with_cd,
	 {0x43, 0, 0, 0, 0, 0, 0, 0, 12, 0x40},
	 10,
	 12,
	 {0, 10, 1, 1, 0, 0x14, 1}},
	{"READ TOC, cut",
	 with_cd,
	 {0x43, 0, 0, 0, 0, 0, 0, 0, 4},
	 10,
	 4,
	 {0, 18, 1, 1}},
	{"READ DISC INFORMATION",
	 with_cd,
	 {0x51, 0, 0, 0, 0, 0, 0, 0, 96},
	 10,
	 34,
	 {0, 32, 0x0e, 1, 1, 1, 1, 0x20}},
	{"MECHANISM STATUS",
	 without,
	 {0xbd, 0, 0, 0, 0, 0, 0, 0, 0, 64},
	 12,
	 8,
	 {0, 0, 0, 0, 0, 1}},
	{"MODE SENSE (6), capabilities",
	 with_cd,
	 {0x1a, 0, 0x2a, 0, 128},
	 6,
	 26,
	 {25,   0, 0,    0,    0x2a, 0x14, 0x3b, 0, 0x70, 0,
	  0x29, 0, 0x22, 0x60, 0,    2,    2,    0, 0x22, 0x60}},
	{"MODE SENSE (10), all",
	 without,
	 {0x5a, 0, 0x3f, 0, 0, 0, 0, 0, 128},
	 10,
	 42,
	 {0,    40,   0,           0,    0,    0, 0,    0,   0x0a, 0x0a,
	  0,    0x10, [20] = 0x2a, 0x14, 0x3b, 0, 0x70, 0,   0x29, 0,
	  0x22, 0x60, 0,           2,    2,    0, 0x22, 0x60}},
	{"READ DVD STRUCTURE, copyright",
	 with_dvd,
	 {0xad, 0, 0, 0, 0, 0, 0, 1, 0, 64},
	 12,
	 8,
	 {0, 6}},
	{"READ DVD STRUCTURE, physical",
	 with_dvd,
	 {0xad, 0, 0, 0, 0, 0, 0, 0, 0, 24},
	 12,
	 24,
	 {8, 2, 0, 0, 0x01, 0x0f, 0x01, 0, 0, 3, 0, 0, 0, 9, 0x1a, 0x7f}},
	{"READ DVD STRUCTURE, formats",
	 with_cd,
	 {0xad, 0, 0, 0, 0, 0, 0, 0xff, 0, 64},
	 12,
	 16,
	 {0, 14, 0, 0, 0, 0x40, 8, 4, 1, 0x40, 0, 8, 0xff, 0x40, 0, 16}},
};

START_TEST(answered)
{
	answers[_i].make();
	command(answers[_i].cdb, answers[_i].cdb_bytes, SCSI_FROM_DEVICE, 128);
	assert_bytes(answers[_i].data, answers[_i].len);
	bench_free();
}
END_TEST

static const struct {
	const char *what;
	void (*make)(void);
	uint8_t cdb[12];
	uint32_t sense;
	uint8_t sks, at;
} refusals[] = {
	{"TEST UNIT READY", without, {0}, SENSE_NO_MEDIUM_CLOSED, 0, 0},
	{"READ CAPACITY", without, {0x25}, SENSE_NO_MEDIUM_CLOSED, 0, 0},
	{"READ (10)", without, {0x28, [8] = 1}, SENSE_NO_MEDIUM_CLOSED, 0, 0},
	{"READ TOC", without, {0x43}, SENSE_NO_MEDIUM_CLOSED, 0, 0},
	{"WRITE (10)", with_cd, {0x2a}, SENSE_INVALID_OPCODE, 0, 0},
	{"READ (10), beyond",
	 with_cd,
	 {0x28, 0, 0, 0, 2, 0, 0, 0, 1},
	 SENSE_LBA_OUT_OF_RANGE,
	 0,
	 0},
	{"READ TOC, track 2",
	 with_cd,
	 {0x43, [6] = 2},
	 SENSE_INVALID_CDB,
	 0xcf,
	 6},
	{"READ TOC, full TOC",
	 with_cd,
	 {0x43, 0, 2},
	 SENSE_INVALID_CDB,
	 0xcb,
	 2},
	{"GET CONFIGURATION, RT 3",
	 with_cd,
	 {0x46, 3},
	 SENSE_INVALID_CDB,
	 0xc9,
	 1},
	{"events, not polled",
	 with_cd,
	 {0x4a, 0, 0, 0, 0x10},
	 SENSE_INVALID_CDB,
	 0xc8,
	 1},
	{"READ DISC INFORMATION, tracks",
	 with_cd,
	 {0x51, 1},
	 SENSE_INVALID_CDB,
	 0xca,
	 1},
	{"READ DVD STRUCTURE of a CD",
	 with_cd,
	 {0xad},
	 SENSE_INCOMPATIBLE,
	 0,
	 0},
	{"READ DVD STRUCTURE, BCA",
	 with_dvd,
	 {0xad, [7] = 3},
	 SENSE_INVALID_CDB,
	 0xcf,
	 7},
	{"READ DVD STRUCTURE, layer 1",
	 with_dvd,
	 {0xad, [6] = 1},
	 SENSE_INVALID_CDB,
	 0xcf,
	 6},
	{"lock for ever",
	 with_cd,
	 {0x1e, 0, 0, 0, 2},
	 SENSE_INVALID_CDB,
	 0xc9,
	 4},
	{"caching page",
	 with_cd,
	 {0x1a, 0, 0x08, 0, 64},
	 SENSE_INVALID_CDB,
	 0xcd,
	 2},
};

START_TEST(refused)
{
	refusals[_i].make();
	command(refusals[_i].cdb, 12, SCSI_FROM_DEVICE, 128);
	ck_assert_uint_eq(sensed(), refusals[_i].sense);
	assert_fault_at(refusals[_i].sks, refusals[_i].at);
	bench_free();
}
END_TEST

START_TEST(reads_of_2048_bytes)
{
	with_cd();
	command(CDB(0x28, 0, 0, 0, 0, 3, 0, 0, 2, 0), SCSI_FROM_DEVICE, 4096);
	assert_good(4096);
	ck_assert_mem_eq(buffer, block->bytes + 3 * 2048, 4096);
	command(CDB(0xa8, 0, 0, 0, 1, 0xff, 0, 0, 0, 1, 0, 0), SCSI_FROM_DEVICE,
		2048);
	assert_good(2048);
	ck_assert_mem_eq(buffer, block->bytes + 511 * 2048, 2048);
	command(CDB(0x28, 0, 0, 0, 0, 3, 0, 0, 2, 0), SCSI_FROM_DEVICE, 3000);
	assert_good(2048);
	bench_free();
}
END_TEST

/* --- medium and tray -------------------------------------------------------------------- */

START_TEST(inserted_and_ejected_by_the_host)
{
	struct scsi_dvd_status s;

	without();
	ck_assert_ptr_null(scsi_lun_block(lun));
	ck_assert_uint_eq(media(), 0);
	ck_assert_int_eq(scsi_dvd_eject(lun, false), -ENOMEDIUM);
	ck_assert_int_eq(scsi_dvd_insert(lun, block), 0);
	ck_assert_int_eq(scsi_dvd_insert(lun, block), -EBUSY);
	ck_assert_ptr_eq(scsi_lun_block(lun), block);
	ck_assert_uint_eq(media(), MEDIA_NEW << 8 | 2);
	ck_assert_uint_eq(media(), 2);
	ck_assert_uint_eq(test_ready(), SENSE_MEDIUM_CHANGED);
	ck_assert_uint_eq(test_ready(), 0);
	command(CDB(0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0), SCSI_FROM_DEVICE, 2048);
	assert_good(2048);
	ck_assert_int_eq(scsi_dvd_eject(lun, false), 0);
	ck_assert_uint_eq(media(), MEDIA_REMOVAL << 8);
	ck_assert_uint_eq(test_ready(), SENSE_NO_MEDIUM_CLOSED);
	scsi_dvd_get_status(lun, &s);
	ck_assert(!s.inserted && !s.tray_open && !s.locked);
	bench_free();
}
END_TEST

/* Linux locks the drive while the disc is mounted. */
START_TEST(a_locked_drive_is_asked)
{
	struct scsi_dvd_status s;

	with_cd();
	command(CDB(0x1e, 0, 0, 0, 1, 0), SCSI_NO_DATA, 0);
	assert_good(0);
	ck_assert_int_eq(scsi_dvd_eject(lun, false), -EBUSY);
	ck_assert_uint_eq(media(), MEDIA_EJECT_REQUEST << 8 | 2);
	ck_assert_uint_eq(media(), 2);
	/* It shows in page 2A too. */
	command(CDB(0x1a, 0, 0x2a, 0, 128, 0), SCSI_FROM_DEVICE, 128);
	ck_assert_uint_eq(buffer[10], 0x2b);
	/* The guest can not eject it either, before it has let go. */
	command(CDB(0x1b, 0, 0, 0, 2, 0), SCSI_NO_DATA, 0);
	ck_assert_uint_eq(sensed(), SENSE_REMOVAL_PREVENTED);
	scsi_dvd_get_status(lun, &s);
	ck_assert(s.inserted && !s.tray_open && s.locked);
	command(CDB(0x1e, 0, 0, 0, 0, 0), SCSI_NO_DATA, 0);
	command(CDB(0x1b, 0, 0, 0, 2, 0), SCSI_NO_DATA, 0);
	assert_good(0);
	scsi_dvd_get_status(lun, &s);
	ck_assert(s.inserted && s.tray_open && !s.locked);
	ck_assert_int_eq(scsi_dvd_eject(lun, false), 0);
	bench_free();
}
END_TEST

START_TEST(the_host_insists)
{
	with_cd();
	command(CDB(0x1e, 0, 0, 0, 1, 0), SCSI_NO_DATA, 0);
	ck_assert_int_eq(scsi_dvd_eject(lun, true), 0);
	ck_assert_uint_eq(test_ready(), SENSE_NO_MEDIUM_CLOSED);
	bench_free();
}
END_TEST

START_TEST(a_reset_unlocks)
{
	with_cd();
	command(CDB(0x1e, 0, 0, 0, 1, 0), SCSI_NO_DATA, 0);
	scsi_lun_reset(lun);
	ck_assert_uint_eq(test_ready(), SENSE_RESET);
	ck_assert_int_eq(scsi_dvd_eject(lun, false), 0);
	bench_free();
}
END_TEST

START_TEST(opened_and_closed_by_the_guest)
{
	with_cd();
	command(CDB(0x1b, 0, 0, 0, 2, 0), SCSI_NO_DATA, 0);
	assert_good(0);
	ck_assert_uint_eq(media(), MEDIA_REMOVAL << 8 | 1);
	ck_assert_uint_eq(test_ready(), SENSE_NO_MEDIUM_OPEN);
	ck_assert_ptr_null(scsi_lun_block(lun));
	command(CDB(0xbd, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0), SCSI_FROM_DEVICE,
		8);
	ck_assert_uint_eq(buffer[1], 0x10);
	/* Once more is no news, nor is a start without LoEj. */
	command(CDB(0x1b, 0, 0, 0, 2, 0), SCSI_NO_DATA, 0);
	command(CDB(0x1b, 0, 0, 0, 1, 0), SCSI_NO_DATA, 0);
	assert_good(0);
	ck_assert_uint_eq(media(), 1);
	command(CDB(0x1b, 0, 0, 0, 3, 0), SCSI_NO_DATA, 0);
	assert_good(0);
	ck_assert_uint_eq(media(), MEDIA_NEW << 8 | 2);
	ck_assert_uint_eq(test_ready(), SENSE_MEDIUM_CHANGED);
	ck_assert_uint_eq(test_ready(), 0);
	bench_free();
}
END_TEST

/* An insertion closes a tray that the guest has opened. */
START_TEST(inserted_into_an_open_tray)
{
	without();
	command(CDB(0x1b, 0, 0, 0, 2, 0), SCSI_NO_DATA, 0);
	ck_assert_uint_eq(media(), 1);
	ck_assert_int_eq(scsi_dvd_insert(lun, block), 0);
	ck_assert_uint_eq(test_ready(), SENSE_MEDIUM_CHANGED);
	ck_assert_uint_eq(test_ready(), 0);
	bench_free();
}
END_TEST

START_TEST(events_of_other_classes)
{
	static const uint8_t none[4] = {0, 2, 0x80, 0x10};

	with_cd();
	command(CDB(0x4a, 1, 0, 0, 0x02, 0, 0, 0, 64, 0), SCSI_FROM_DEVICE, 64);
	assert_bytes(none, 4);
	/* An event that there was no room for is not lost. */
	scsi_dvd_eject(lun, false);
	command(CDB(0x4a, 1, 0, 0, 0x10, 0, 0, 0, 4, 0), SCSI_FROM_DEVICE, 64);
	assert_good(4);
	ck_assert_uint_eq(media(), MEDIA_REMOVAL << 8);
	bench_free();
}
END_TEST

START_TEST(what_does_not_go_in)
{
	struct block *large = fake_block(DISK_BYTES, 4096);
	struct scsi_lun *disk;

	without();
	ck_assert_int_eq(scsi_dvd_insert(lun, large), -EINVAL);
	disk = scsi_disk_new(large, &plain_disk);
	ck_assert_int_eq(scsi_dvd_insert(disk, block), -EINVAL);
	ck_assert_int_eq(scsi_dvd_eject(disk, true), -EINVAL);
	scsi_lun_free(disk);
	block_free(large);
	bench_free();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/scsi/dvd");
	TCase *t = tcase_create("dvd");

	tcase_add_loop_test(t, answered, 0, G_N_ELEMENTS(answers));
	tcase_add_loop_test(t, refused, 0, G_N_ELEMENTS(refusals));
	tcase_add_test(t, reads_of_2048_bytes);
	tcase_add_test(t, inserted_and_ejected_by_the_host);
	tcase_add_test(t, a_locked_drive_is_asked);
	tcase_add_test(t, the_host_insists);
	tcase_add_test(t, a_reset_unlocks);
	tcase_add_test(t, opened_and_closed_by_the_guest);
	tcase_add_test(t, inserted_into_an_open_tray);
	tcase_add_test(t, events_of_other_classes);
	tcase_add_test(t, what_does_not_go_in);
	suite_add_tcase(s, t);
	return check_main(s);
}
