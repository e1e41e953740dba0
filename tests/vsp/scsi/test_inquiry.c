/* SPDX-License-Identifier: MIT */
/* INQUIRY and its pages, byte for byte. */
#include <string.h>

#include <glib.h>

#include "support/check_main.h"
#include "support/scsi_bench.h"

/* Of a page: what is set; all other bytes are zero. */
struct bytes {
	unsigned int at;
	const char *is; /* in hexadecimal */
};

static uint8_t digit(char c)
{
	return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static void assert_page(const struct bytes *want, size_t len)
{
	uint8_t page[256] = {0};

	for (; want->is; want++) {
		uint8_t *at = page + want->at;

		for (const char *c = want->is; *c; c += 2)
			*at++ = (uint8_t)(digit(c[0]) << 4 | digit(c[1]));
	}
	assert_bytes(page, len);
}

/* SPC-4 "Standard INQUIRY data"; the texts as Hyper-V has them. */
START_TEST(standard)
{
	static const struct bytes want[] = {
		{2, "0502"}, /* SPC-3 */
		{4, "5b"},
		{7, "02"}, /* command queuing */
		{8, "4d73667420202020"}, /* "Msft    " */
		{16, "5669727475616c204469736b20202020"}, /* "Virtual Disk" */
		{32, "312e3020"}, /* "1.0 " */
		{0},
	};

	command(CDB(0x12, 0, 0, 1, 0, 0), SCSI_FROM_DEVICE, 256);
	assert_page(want, 96);
	command(CDB(0x12, 0, 0, 0, 36, 0), SCSI_FROM_DEVICE, 36);
	assert_page(want, 36);
}
END_TEST

START_TEST(names_of_the_domain)
{
	struct scsi_disk_params params = plain_disk;

	bench_free();
	params.identity.vendor = "ACME Inc.";
	params.identity.product = "Tape\x01 \xe9";
	params.identity.revision = "";
	bench_disk(fake_block(DISK_BYTES, 512), &params);
	command(CDB(0x12, 0, 0, 0, 96, 0), SCSI_FROM_DEVICE, 96);
	assert_good(96);
	ck_assert_mem_eq(buffer + 8, "ACME IncTape            ", 24);
	ck_assert_mem_eq(buffer + 32, "    ", 4);
}
END_TEST

/* Cut to the shortest of page, allocation length and buffer. */
START_TEST(cut_exactly)
{
	static const struct {
		uint8_t allocation;
		uint32_t buffer, moved;
	} cuts[] = {
		{0, 96, 0},   {1, 96, 1},    {5, 96, 5},   {95, 96, 95},
		{96, 96, 96}, {97, 200, 96}, {96, 10, 10}, {200, 0, 0},
	};

	for (unsigned int i = 0; i < G_N_ELEMENTS(cuts); i++) {
		command(CDB(0x12, 0, 0, 0, cuts[i].allocation, 0),
			SCSI_FROM_DEVICE, cuts[i].buffer);
		assert_good(cuts[i].moved);
		command(CDB(0x12, 1, 0x83, 0, cuts[i].allocation, 0),
			SCSI_FROM_DEVICE, cuts[i].buffer);
		assert_good(MIN(cuts[i].moved, 52));
	}
}
END_TEST

static const struct {
	const char *what;
	uint8_t page;
	size_t len;
	struct bytes want[8];
} vpd[] = {
	{"00 supported pages",
	 0x00,
	 11,
	 {{1, "00"}, {3, "07"}, {4, "00808386b0b1b2"}, {0}}},
	{"80 serial number",
	 0x80,
	 12,
	 {{1, "80"}, {3, "08"}, {4, "53455249414c2031"}, {0}}},
	/* SPC-4 "Designation descriptor": binary T10 id, binary NAA 6 */
	{"83 identification",
	 0x83,
	 52,
	 {{1, "83"},
	  {3, "30"},
	  {4, "01010018"},
	  {8, "4d73667420202020"},
	  {16, "101112131415161718191a1b1c1d1e1f"},
	  {32, "01030010"},
	  {36, "600224801011121314151a1b1c1d1e1f"},
	  {0}}},
	/* SIMPSUP, V_SUP, LUICLR */
	{"86 extended INQUIRY",
	 0x86,
	 64,
	 {{1, "86"}, {3, "3c"}, {5, "010101"}, {0}}},
	{"b1 characteristics: does not rotate",
	 0xb1,
	 64,
	 {{1, "b1"}, {3, "3c"}, {5, "01"}, {0}}},
	/* LBPU, LBPWS, LBPWS10; thin */
	{"b2 provisioning", 0xb2, 8, {{1, "b2"}, {3, "04"}, {5, "e002"}, {0}}},
};

START_TEST(vital_product_data)
{
	command(CDB(0x12, 1, vpd[_i].page, 1, 0, 0), SCSI_FROM_DEVICE, 256);
	assert_page(vpd[_i].want, vpd[_i].len);
}
END_TEST

/* SBC-3 "Block Limits VPD page" */
START_TEST(block_limits)
{
	static const struct bytes want[] = {
		{1, "b0"},
		{3, "3c"},
		{4, "01"}, /* WSNZ */
		{5, "80"}, /* COMPARE AND WRITE: 64 KiB */
		{6, "0008"}, /* granularity: the physical block */
		{8, "00000800"}, /* 1 MiB */
		{12, "00000080"}, /* 64 KiB are best */
		{20, "ffffffff"}, /* UNMAP: any number of blocks */
		{24, "00000100"}, /* in 256 ranges */
		{28, "00000008"}, /* of 4 KiB each */
		{32, "80000000"},
		{36, "0000000000020000"}, /* WRITE SAME: 64 MiB */
		{0},
	};

	block->info.optimal_bytes = 65536;
	block->info.discard_bytes = 4096;
	scsi_lun_resized(lun);
	command(CDB(0x12, 1, 0xb0, 1, 0, 0), SCSI_FROM_DEVICE, 256);
	assert_page(want, 64);
}
END_TEST

START_TEST(of_what_rotates_and_is_full)
{
	static const struct bytes b0[] = {
		{1, "b0"},   {3, "3c"},       {4, "0180"},
		{6, "0008"}, {8, "00000800"}, {36, "0000000000020000"},
		{0}};
	static const struct bytes b1[] = {{1, "b1"}, {3, "3c"}, {0}};
	static const struct bytes b2[] = {{1, "b2"}, {3, "04"}, {0}};
	struct block *b = fake_block(DISK_BYTES, 512);

	bench_free();
	b->info.rotational = true;
	b->info.can_discard = false;
	bench_disk(b, &plain_disk);
	command(CDB(0x12, 1, 0xb0, 1, 0, 0), SCSI_FROM_DEVICE, 256);
	assert_page(b0, 64);
	command(CDB(0x12, 1, 0xb1, 1, 0, 0), SCSI_FROM_DEVICE, 256);
	assert_page(b1, 64);
	command(CDB(0x12, 1, 0xb2, 1, 0, 0), SCSI_FROM_DEVICE, 256);
	assert_page(b2, 8);
}
END_TEST

START_TEST(wwn_and_no_serial)
{
	static const struct bytes pages[] = {
		{3, "06"}, {4, "008386b0b1b2"}, {0}};
	static const struct bytes id[] = {
		{1, "83"},
		{3, "28"},
		{4, "01010018"},
		{8, "4d73667420202020"},
		{16, "101112131415161718191a1b1c1d1e1f"},
		{32, "01030008"},
		{36, "5000c50015ea71ac"},
		{0}};
	struct scsi_disk_params params = plain_disk;

	bench_free();
	params.identity.wwn = 0x5000c50015ea71acull;
	params.identity.serial = "";
	bench_disk(fake_block(DISK_BYTES, 512), &params);
	command(CDB(0x12, 1, 0x00, 1, 0, 0), SCSI_FROM_DEVICE, 256);
	assert_page(pages, 10);
	command(CDB(0x12, 1, 0x83, 1, 0, 0), SCSI_FROM_DEVICE, 256);
	assert_page(id, 44);
	command(CDB(0x12, 1, 0x80, 1, 0, 0), SCSI_FROM_DEVICE, 256);
	ck_assert_uint_eq(sensed(), SENSE_INVALID_CDB);
	assert_fault_at(0xcf, 2);
}
END_TEST

START_TEST(a_long_serial_is_cut)
{
	char text[100] = {0};
	struct scsi_disk_params params = plain_disk;

	bench_free();
	memset(text, 'x', sizeof(text) - 1);
	params.identity.serial = text;
	bench_disk(fake_block(DISK_BYTES, 512), &params);
	command(CDB(0x12, 1, 0x80, 1, 0, 0), SCSI_FROM_DEVICE, 256);
	assert_good(4 + SCSI_SERIAL_MAX);
}
END_TEST

static const struct {
	const char *what;
	uint8_t cdb[6];
	uint8_t sks, at;
} refusals[] = {
	{"a page that is not there", {0x12, 1, 0xb7, 1, 0}, 0xcf, 2},
	{"a page without EVPD", {0x12, 0, 0x80, 1, 0}, 0xcf, 2},
	{"CMDDT", {0x12, 2, 0, 1, 0}, 0xc9, 1},
};

START_TEST(refused)
{
	command(refusals[_i].cdb, 6, SCSI_FROM_DEVICE, 256);
	ck_assert_uint_eq(sensed(), SENSE_INVALID_CDB);
	assert_fault_at(refusals[_i].sks, refusals[_i].at);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/scsi/inquiry");
	TCase *t = tcase_create("inquiry");

	tcase_add_checked_fixture(t, bench_new, bench_free);
	tcase_add_test(t, standard);
	tcase_add_test(t, names_of_the_domain);
	tcase_add_test(t, cut_exactly);
	tcase_add_loop_test(t, vital_product_data, 0, G_N_ELEMENTS(vpd));
	tcase_add_test(t, block_limits);
	tcase_add_test(t, of_what_rotates_and_is_full);
	tcase_add_test(t, wwn_and_no_serial);
	tcase_add_test(t, a_long_serial_is_cut);
	tcase_add_loop_test(t, refused, 0, G_N_ELEMENTS(refusals));
	suite_add_tcase(s, t);
	return check_main(s);
}
