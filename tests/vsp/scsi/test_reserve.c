/* SPDX-License-Identifier: MIT */
/* PERSISTENT RESERVE IN and OUT. */
#include <string.h>

#include <glib.h>

#include "support/check_main.h"
#include "support/scsi_bench.h"

/* PERSISTENT RESERVE OUT with both keys. Return: status, or the sense. */
static uint32_t reserve_out(uint8_t action, uint8_t type, uint64_t key,
			    uint64_t action_key)
{
	memset(buffer, 0, 24);
	be_put(buffer, 8, key);
	be_put(buffer + 8, 8, action_key);
	command(CDB(0x5f, action, type, 0, 0, 0, 0, 0, 24, 0), SCSI_TO_DEVICE,
		24);
	if (request.status == SAM_STAT_CHECK_CONDITION)
		return sensed();
	ck_assert_uint_eq(request.sense_bytes, 0);
	return request.status;
}

static void reserve_in(uint8_t action)
{
	command(CDB(0x5e, action, 0, 0, 0, 0, 0, 1, 0, 0), SCSI_FROM_DEVICE,
		256);
}

/* What the books say: each number as READ KEYS and READ RESERVATION have it. */
static void assert_books(uint32_t generation, uint64_t key, uint8_t type)
{
	uint8_t keys[16] = {0}, holder[24] = {0};
	bool all = type == PR_WRITE_EXCLUSIVE_ALL ||
		   type == PR_EXCLUSIVE_ACCESS_ALL;

	be_put(keys, 4, generation);
	be_put(keys + 4, 4, key ? 8 : 0);
	be_put(keys + 8, 8, key);
	reserve_in(PRI_READ_KEYS);
	assert_bytes(keys, key ? 16 : 8);
	be_put(holder, 4, generation);
	be_put(holder + 4, 4, type ? 16 : 0);
	be_put(holder + 8, 8, all ? 0 : key);
	holder[21] = type;
	reserve_in(PRI_READ_RESERVATION);
	assert_bytes(holder, type ? 24 : 8);
}

#define CONFLICT SAM_STAT_RESERVATION_CONFLICT
#define K        0x1122334455667788ull

/* From a state to another: SPC-4 5.13 "Persistent reservations". */
static const struct {
	const char *what;
	uint64_t key0; /* before */
	uint8_t type0;
	uint8_t action, type;
	uint64_t key, action_key;
	uint32_t result;
	uint64_t key1; /* after */
	uint8_t type1;
	bool generation; /* it goes up by one */
} acts[] = {
	{"register", 0, 0, 0, 0, 0, K, 0, K, 0, true},
	{"register, wrong key", 0, 0, 0, 0, 1, K, CONFLICT, 0, 0, false},
	{"register nothing", 0, 0, 0, 0, 0, 0, 0, 0, 0, false},
	{"change the key", K, 1, 0, 0, K, 5, 0, 5, 1, true},
	{"change, wrong key", K, 1, 0, 0, 0, 5, CONFLICT, K, 1, false},
	{"unregister", K, 0, 0, 0, K, 0, 0, 0, 0, true},
	{"unregister the holder", K, 3, 0, 0, K, 0, 0, 0, 0, true},
	{"register and ignore", K, 5, 6, 0, 99, 7, 0, 7, 5, true},
	{"register and ignore, new", 0, 0, 6, 0, 99, 7, 0, 7, 0, true},
	{"ignore, unregister", K, 5, 6, 0, 99, 0, 0, 0, 0, true},

	{"reserve, write exclusive", K, 0, 1, 1, K, 0, 0, K, 1, false},
	{"reserve, exclusive access", K, 0, 1, 3, K, 0, 0, K, 3, false},
	{"reserve, registrants", K, 0, 1, 5, K, 0, 0, K, 5, false},
	{"reserve, registrants 2", K, 0, 1, 6, K, 0, 0, K, 6, false},
	{"reserve, all", K, 0, 1, 7, K, 0, 0, K, 7, false},
	{"reserve, all 2", K, 0, 1, 8, K, 0, 0, K, 8, false},
	{"reserve again", K, 5, 1, 5, K, 0, 0, K, 5, false},
	{"reserve otherwise", K, 5, 1, 1, K, 0, CONFLICT, K, 5, false},
	{"reserve, wrong key", K, 0, 1, 1, 1, 0, CONFLICT, K, 0, false},
	{"reserve unregistered", 0, 0, 1, 1, 0, 0, CONFLICT, 0, 0, false},
	{"reserve, no such type", K, 0, 1, 2, K, 0, SENSE_INVALID_CDB, K, 0,
	 false},
	{"reserve, no such scope", K, 0, 1, 0x21, K, 0, SENSE_INVALID_CDB, K, 0,
	 false},

	{"release", K, 5, 2, 5, K, 0, 0, K, 0, false},
	{"release nothing", K, 0, 2, 5, K, 0, 0, K, 0, false},
	{"release another type", K, 5, 2, 1, K, 0, SENSE_INVALID_RELEASE, K, 5,
	 false},
	{"release, wrong key", K, 5, 2, 5, 1, 0, CONFLICT, K, 5, false},

	{"clear", K, 5, 3, 0, K, 0, 0, 0, 0, true},
	{"clear, wrong key", K, 5, 3, 0, 1, 0, CONFLICT, K, 5, false},
	{"clear unregistered", 0, 0, 3, 0, 0, 0, CONFLICT, 0, 0, false},

	{"preempt oneself", K, 5, 4, 1, K, K, 0, K, 1, true},
	{"preempt and abort", K, 5, 5, 3, K, K, 0, K, 3, true},
	{"preempt nobody", K, 5, 4, 1, K, 5, CONFLICT, K, 5, false},
	{"preempt key 0", K, 5, 4, 1, K, 0, SENSE_INVALID_PARAMETER, K, 5,
	 false},
	{"preempt all", K, 7, 4, 1, K, 0, 0, K, 1, true},
	{"preempt one of all", K, 7, 4, 1, K, K, 0, 0, 0, true},
	{"preempt, not reserved", K, 0, 4, 1, K, K, 0, 0, 0, true},
	{"preempt, wrong key", K, 5, 4, 1, 1, K, CONFLICT, K, 5, false},
};

START_TEST(out)
{
	uint32_t generation = 0;

	if (acts[_i].key0) {
		ck_assert_uint_eq(reserve_out(0, 0, 0, acts[_i].key0), 0);
		generation++;
	}
	if (acts[_i].type0)
		ck_assert_uint_eq(
			reserve_out(1, acts[_i].type0, acts[_i].key0, 0), 0);
	assert_books(generation, acts[_i].key0, acts[_i].type0);
	ck_assert_uint_eq(reserve_out(acts[_i].action, acts[_i].type,
				      acts[_i].key, acts[_i].action_key),
			  acts[_i].result);
	if (!acts[_i].result)
		ck_assert_uint_eq(request.transferred, 24);
	assert_books(generation + acts[_i].generation, acts[_i].key1,
		     acts[_i].type1);
}
END_TEST

START_TEST(capabilities)
{
	static const uint8_t want[8] = {0, 8, 0, 0x80, 0xea, 0x01};

	reserve_in(PRI_REPORT_CAPABILITIES);
	assert_bytes(want, 8);
	command(CDB(0x5e, 2, 0, 0, 0, 0, 0, 0, 5, 0), SCSI_FROM_DEVICE, 256);
	assert_bytes(want, 5);
}
END_TEST

START_TEST(full_status)
{
	static const uint8_t none[8] = {0};
	static const uint8_t want[56] = {
		0,        0,         0,        1,        0,        0,
		0,        48,        0x11,     0x22,     0x33,     0x44,
		0x55,     0x66,      0x77,     0x88,     [20] = 1, 5,
		[27] = 1, [31] = 24, [32] = 1, [35] = 7, [39] = 1};

	reserve_in(PRI_READ_FULL_STATUS);
	assert_bytes(none, 8);
	reserve_out(0, 0, 0, K);
	reserve_out(1, 5, K, 0);
	reserve_in(PRI_READ_FULL_STATUS);
	assert_bytes(want, 56);
}
END_TEST

static const struct {
	const char *what;
	uint8_t action, length, flags;
	uint32_t bytes;
	uint32_t sense;
	uint8_t sks, at;
} refusals[] = {
	{"APTPL", 0, 24, 1, 24, SENSE_INVALID_PARAMETER, 0x80, 20},
	{"ALL_TG_PT", 0, 24, 4, 24, SENSE_INVALID_PARAMETER, 0x80, 20},
	{"SPEC_I_PT", 6, 24, 8, 24, SENSE_INVALID_PARAMETER, 0x80, 20},
	{"too short", 0, 23, 0, 24, SENSE_LIST_LENGTH, 0, 0},
	{"too long", 0, 25, 0, 25, SENSE_LIST_LENGTH, 0, 0},
	{"a buffer of less", 0, 24, 0, 23, SENSE_LIST_LENGTH, 0, 0},
	{"REGISTER AND MOVE", 7, 24, 0, 24, SENSE_INVALID_CDB, 0xcc, 1},
};

START_TEST(refused)
{
	memset(buffer, 0, 32);
	be_put(buffer + 8, 8, K);
	buffer[20] = refusals[_i].flags;
	command(CDB(0x5f, refusals[_i].action, 0, 0, 0, 0, 0, 0,
		    refusals[_i].length, 0),
		SCSI_TO_DEVICE, refusals[_i].bytes);
	ck_assert_uint_eq(sensed(), refusals[_i].sense);
	assert_fault_at(refusals[_i].sks, refusals[_i].at);
	assert_books(0, 0, 0);
}
END_TEST

/* SPC-4 "Preserving persistent reservations": only power ends them. */
START_TEST(a_reset_leaves_them)
{
	reserve_out(0, 0, 0, K);
	reserve_out(1, 5, K, 0);
	scsi_lun_reset(lun);
	command(CDB(0, 0, 0, 0, 0, 0), SCSI_NO_DATA, 0);
	ck_assert_uint_eq(sensed(), SENSE_RESET);
	assert_books(1, K, 5);
	/* And nobody is locked out. */
	command(CDB(0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0), SCSI_FROM_DEVICE, 512);
	assert_good(512);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/scsi/reserve");
	TCase *t = tcase_create("reservations");

	tcase_add_checked_fixture(t, bench_new, bench_free);
	tcase_add_loop_test(t, out, 0, G_N_ELEMENTS(acts));
	tcase_add_test(t, capabilities);
	tcase_add_test(t, full_status);
	tcase_add_loop_test(t, refused, 0, G_N_ELEMENTS(refusals));
	tcase_add_test(t, a_reset_leaves_them);
	suite_add_tcase(s, t);
	return check_main(s);
}
