/* SPDX-License-Identifier: MIT */
/* REPORT SUPPORTED OPERATION CODES says what the unit does. */
#include <string.h>

#include <glib.h>

#include "support/check_main.h"
#include "support/scsi_bench.h"

static void report(uint8_t options, uint8_t opcode, uint8_t action)
{
	command(CDB(0xa3, 0x0c, options, opcode, 0, action, 0, 0, 0x10, 0, 0,
		    0),
		SCSI_FROM_DEVICE, 4096);
}

/* Does the list in the buffer have it, in descriptors of @size bytes? */
static bool listed(size_t size, uint8_t opcode, uint8_t action, bool has_action)
{
	size_t len = be_get(buffer, 4);

	ck_assert_uint_eq(len % size, 0);
	ck_assert_uint_eq(request.transferred, len + 4);
	for (size_t at = 4; at < len + 4; at += size) {
		const uint8_t *d = buffer + at;

		if (d[0] != opcode || be_get(d + 2, 2) != action)
			continue;
		ck_assert_uint_eq(d[5] & 1, has_action);
		return true;
	}
	return false;
}

START_TEST(all_of_a_disk)
{
	report(0, 0, 0);
	ck_assert(listed(8, 0x28, 0, false));
	ck_assert(listed(8, 0x42, 0, false));
	ck_assert(listed(8, 0x9e, 0x10, true));
	ck_assert(listed(8, 0x5f, 6, true));
	ck_assert(!listed(8, 0x43, 0, false)); /* a drive's */
}
END_TEST

/* Each command that is listed is one, and no other is. */
START_TEST(the_list_is_true)
{
	static uint8_t list[4096];
	unsigned int n = 0, n_listed;

	report(0, 0, 0);
	memcpy(list, buffer, sizeof(list));
	n_listed = (unsigned int)be_get(list, 4) / 8;
	for (unsigned int opcode = 0; opcode < 256; opcode++) {
		bool in = false;

		command(CDB((uint8_t)opcode, 0x1f, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
			    0, 0, 0, 0),
			SCSI_NO_DATA, 0);
		for (unsigned int i = 0; i < n_listed; i++)
			in |= list[4 + 8 * i] == opcode;
		ck_assert_int_eq(request.status &&
					 sensed() == SENSE_INVALID_OPCODE,
				 !in);
		n += in;
	}
	ck_assert_uint_gt(n, 30);
}
END_TEST

START_TEST(with_timeouts)
{
	static const uint8_t none[12] = {0, 10};

	report(0x80, 0, 0);
	ck_assert(listed(20, 0x28, 0, false));
	ck_assert(listed(20, 0x9e, 0x12, true));
	ck_assert_uint_eq(buffer[4 + 5] & 2, 2);
	ck_assert_mem_eq(buffer + 4 + 8, none, 12);
}
END_TEST

static const struct {
	const char *what;
	uint8_t options, opcode, action;
	uint32_t sense;
	size_t len;
	uint8_t data[32];
} ones[] = {
	{"READ (10)",
	 1,
	 0x28,
	 0,
	 0,
	 14,
	 {0, 3, 0, 10, 0x28, 0xf8, 0xff, 0xff, 0xff, 0xff, 0, 0xff, 0xff, 0}},
	{"READ (10) with a timeout",
	 0x81,
	 0x28,
	 0,
	 0,
	 26,
	 {0, 0x83, 0, 10, 0x28, 0xf8, 0xff, 0xff, 0xff, 0xff, 0, 0xff, 0xff, 0,
	  0, 10}},
	{"no such command", 1, 0x29, 0, 0, 4, {0, 1}},
	{"of a service action", 2, 0x9e, 0x10, 0, 20, {0,    3,    0,    16,
						       0x9e, 0x10, 0xff, 0xff,
						       0xff, 0xff, 0xff, 0xff,
						       0xff, 0xff, 0xff, 0xff,
						       0xff, 0xff, 0x01, 0}},
	{"no such service action", 2, 0x9e, 0x11, 0, 4, {0, 1}},
	{"has actions", 1, 0x9e, 0, SENSE_INVALID_CDB, 0, {0}},
	{"has none", 2, 0x28, 0, SENSE_INVALID_CDB, 0, {0}},
	{"either: none", 3, 0x00, 0, 0, 10, {0, 3, 0, 6, 0, 0, 0, 0, 0, 0}},
	{"either: an action",
	 3,
	 0x5e,
	 1,
	 0,
	 14,
	 {0, 3, 0, 10, 0x5e, 1, 0, 0, 0, 0, 0, 0xff, 0xff, 0}},
	{"either: no such action", 3, 0x5e, 9, 0, 4, {0, 1}},
	{"no such option", 4, 0x28, 0, SENSE_INVALID_CDB, 0, {0}},
};

START_TEST(one)
{
	report(ones[_i].options, ones[_i].opcode, ones[_i].action);
	ck_assert_uint_eq(sensed(), ones[_i].sense);
	if (ones[_i].sense)
		assert_fault_at(0xca, 2);
	else
		assert_bytes(ones[_i].data, ones[_i].len);
}
END_TEST

START_TEST(of_what_can_not_unmap)
{
	struct scsi_disk_params params = plain_disk;

	bench_free();
	params.no_unmap = true;
	bench_disk(fake_block(DISK_BYTES, 512), &params);
	report(0, 0, 0);
	ck_assert(!listed(8, 0x42, 0, false));
	ck_assert(listed(8, 0x93, 0, false));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/scsi/opcodes");
	TCase *t = tcase_create("opcodes");

	tcase_add_checked_fixture(t, bench_new, bench_free);
	tcase_add_test(t, all_of_a_disk);
	tcase_add_test(t, the_list_is_true);
	tcase_add_test(t, with_timeouts);
	tcase_add_loop_test(t, one, 0, G_N_ELEMENTS(ones));
	tcase_add_test(t, of_what_can_not_unmap);
	suite_add_tcase(s, t);
	return check_main(s);
}
