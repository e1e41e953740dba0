/* SPDX-License-Identifier: MIT */
/* Unit attention, sense, LUNs, and what counts commands. */
#include <string.h>

#include <glib.h>

#include "base/coverage.h"
#include "support/check_main.h"
#include "support/scsi_bench.h"
#include "vsp/scsi/scsi_private.h"

static void test_ready(void)
{
	command(CDB(0, 0, 0, 0, 0, 0), SCSI_NO_DATA, 0);
}

/* A disk that was just made has nothing to tell: Linux would warn of it. */
START_TEST(ready_at_once)
{
	test_ready();
	assert_good(0);
}
END_TEST

START_TEST(attentions_come_one_by_one)
{
	block->info.bytes += 512;
	scsi_lun_resized(lun);
	scsi_lun_reset(lun);
	scsi_lun_reset(lun);
	test_ready();
	ck_assert_uint_eq(sensed(), SENSE_RESET);
	test_ready();
	ck_assert_uint_eq(sensed(), SENSE_CAPACITY_CHANGED);
	test_ready();
	assert_good(0);
}
END_TEST

START_TEST(some_commands_leave_it)
{
	scsi_lun_reset(lun);
	command(CDB(0x12, 0, 0, 0, 36, 0), SCSI_FROM_DEVICE, 36);
	assert_good(36);
	command(CDB(0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0), SCSI_FROM_DEVICE,
		16);
	assert_good(16);
	command(CDB(0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0), SCSI_FROM_DEVICE, 8);
	ck_assert_uint_eq(sensed(), SENSE_RESET);
}
END_TEST

/* REQUEST SENSE tells it in its data, and then it is told. */
START_TEST(request_sense)
{
	static const uint8_t reset[18] = {0x70, 0, 6, [7] = 10, [12] = 0x29};
	static const uint8_t none[18] = {0x70, [7] = 10};

	scsi_lun_reset(lun);
	command(CDB(3, 0, 0, 0, 252, 0), SCSI_FROM_DEVICE, 252);
	assert_bytes(reset, 18);
	command(CDB(3, 0, 0, 0, 252, 0), SCSI_FROM_DEVICE, 252);
	assert_bytes(none, 18);
	command(CDB(3, 0, 0, 0, 8, 0), SCSI_FROM_DEVICE, 252);
	assert_bytes(none, 8);
	command(CDB(3, 1, 0, 0, 252, 0), SCSI_FROM_DEVICE, 252);
	ck_assert_uint_eq(sensed(), SENSE_INVALID_CDB);
	assert_fault_at(0xc8, 1);
}
END_TEST

static const struct {
	const char *what;
	uint8_t how;
	unsigned int flushes;
	uint32_t sense;
} stops[] = {
	{"start", 0x01, 0, 0},
	{"stop", 0x00, 1, 0},
	{"stop, no flush", 0x04, 0, 0},
	{"standby", 0x30, 1, 0},
	{"eject", 0x02, 0, SENSE_INVALID_CDB},
	{"load", 0x03, 0, SENSE_INVALID_CDB},
};

START_TEST(start_stop)
{
	command(CDB(0x1b, 0, 0, 0, stops[_i].how, 0), SCSI_NO_DATA, 0);
	ck_assert_uint_eq(sensed(), stops[_i].sense);
	ck_assert_uint_eq(block->n_log, stops[_i].flushes);
	if (block->n_log)
		ck_assert_int_eq(block->log[0].op, BLOCK_FLUSH);
	test_ready();
	assert_good(0);
}
END_TEST

/* --- LUNs ----------------------------------------------------------------------- */

static void ask(const uint8_t *cdb, unsigned int cdb_bytes, uint32_t bytes)
{
	static struct iovec iov;

	iov = (struct iovec){buffer, bytes};
	memset(buffer, GUARD, sizeof(buffer));
	memset(&request, 0x77, sizeof(request));
	memset(request.cdb, 0, sizeof(request.cdb));
	memcpy(request.cdb, cdb, cdb_bytes);
	request.cdb_bytes = (uint8_t)cdb_bytes;
	request.dir = SCSI_FROM_DEVICE;
	request.iov = &iov;
	request.n_iov = 1;
	request.bytes = bytes;
}

static const struct {
	const char *what;
	uint8_t select, allocation;
	uint32_t sense, len;
	uint8_t data[32];
} luns[] = {
	{"all", 0, 64, 0, 32, {0, 0, 0, 24, 0, 0, 0, 0, 0, 0, 0, 0, 0,
			       0, 0, 0, 0,  2, 0, 0, 0, 0, 0, 0, 0, 63}},
	{"all and well-known", 2, 64, 0, 32, {0, 0, 0, 24, 0, 0, 0, 0, 0,
					      0, 0, 0, 0,  0, 0, 0, 0, 2,
					      0, 0, 0, 0,  0, 0, 0, 63}},
	{"well-known alone: none", 1, 64, 0, 8, {0}},
	{"cut: the length is of all", 0, 17, 0, 17, {0, 0, 0, 24}},
	{"too short", 0, 15, SENSE_INVALID_CDB, 0, {0}},
	{"no such selection", 3, 64, SENSE_INVALID_CDB, 0, {0}},
};

START_TEST(report_luns)
{
	static const uint8_t numbers[] = {0, 2, 63};

	ask(CDB(0xa0, 0, luns[_i].select, 0, 0, 0, 0, 0, 0, luns[_i].allocation,
		0, 0),
	    64);
	scsi_report_luns(&request, numbers, 3);
	ck_assert_uint_eq(sensed(), luns[_i].sense);
	ck_assert_uint_eq(request.transferred, luns[_i].len);
	ck_assert_mem_eq(buffer, luns[_i].data, luns[_i].len);
	ck_assert_uint_eq(buffer[luns[_i].len], GUARD);
}
END_TEST

START_TEST(report_luns_has_room_for_all)
{
	uint8_t all[256];

	for (unsigned int i = 0; i < 256; i++)
		all[i] = (uint8_t)i;
	ask(CDB(0xa0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0), 4096);
	scsi_report_luns(&request, all, 256);
	assert_good(2056);
	ck_assert_uint_eq(buffer[2056 - 7], 255);
	ask(CDB(0xa0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0), 4096);
	scsi_report_luns(&request, all, 0);
	assert_good(8);
}
END_TEST

START_TEST(absent)
{
	static const uint8_t want[36] = {0x7f, 0, 5, 2, 31};
	static const uint8_t page[4] = {0x7f, 0x83};

	ask(CDB(0x12, 0, 0, 0, 96, 0), 96);
	scsi_absent(&request);
	assert_bytes(want, 36);
	ask(CDB(0x12, 0, 0, 0, 5, 0), 96);
	scsi_absent(&request);
	assert_bytes(want, 5);
	ask(CDB(0x12, 1, 0x83, 0, 96, 0), 96);
	scsi_absent(&request);
	assert_bytes(page, 4);
	ask(CDB(0, 0, 0, 0, 0, 0), 0);
	scsi_absent(&request);
	ck_assert_uint_eq(sensed(), SENSE_NO_SUCH_LUN);
}
END_TEST

/* --- the table -------------------------------------------------------------------- */

START_TEST(rows_of_an_opcode_stand_together)
{
	unsigned int n;
	const struct scsi_command *c = scsi_commands(&n);

	for (unsigned int i = 0; i < n; i++) {
		ck_assert_uint_eq(c[i].usage[0], c[i].opcode);
		ck_assert(c[i].cdb_bytes <= SCSI_CDB_MAX);
		ck_assert(c[i].who && c[i].handle);
		for (unsigned int at = c[i].cdb_bytes; at < SCSI_CDB_MAX; at++)
			ck_assert_uint_eq(c[i].usage[at], 0);
		for (unsigned int k = i + 1; k < n; k++) {
			if (c[k].opcode != c[i].opcode)
				continue;
			ck_assert_uint_eq(c[k - 1].opcode, c[i].opcode);
			ck_assert(c[k].action != c[i].action ||
				  !(c[k].who & c[i].who));
		}
	}
}
END_TEST

START_TEST(commands_are_counted)
{
	const struct coverage_set *set = scsi_lun_coverage(lun);
	const struct coverage_entry *e = set->entries;

	test_ready();
	scsi_lun_reset(lun);
	test_ready();
	command(CDB(0x29, 0, 0, 0, 0, 0, 0, 0, 0, 0), SCSI_NO_DATA, 0);
	while (e->number != TEST_UNIT_READY)
		e++;
	ck_assert_str_eq(e->name, "TEST UNIT READY");
	ck_assert_uint_eq(e->count, 2);
	ck_assert_uint_eq(e->refused, 1);
	ck_assert_uint_eq(e->statuses[0].status, SENSE_RESET);
	ck_assert_uint_eq(set->unknown, 1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/scsi/unit");
	TCase *t = tcase_create("unit");

	tcase_add_checked_fixture(t, bench_new, bench_free);
	tcase_add_test(t, ready_at_once);
	tcase_add_test(t, attentions_come_one_by_one);
	tcase_add_test(t, some_commands_leave_it);
	tcase_add_test(t, request_sense);
	tcase_add_loop_test(t, start_stop, 0, G_N_ELEMENTS(stops));
	tcase_add_loop_test(t, report_luns, 0, G_N_ELEMENTS(luns));
	tcase_add_test(t, report_luns_has_room_for_all);
	tcase_add_test(t, absent);
	tcase_add_test(t, rows_of_an_opcode_stand_together);
	tcase_add_test(t, commands_are_counted);
	suite_add_tcase(s, t);
	return check_main(s);
}
