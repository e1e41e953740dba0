/* SPDX-License-Identifier: MIT */
#include "synic/event.h"

#include <string.h>

#include "support/check_main.h"
#include "support/synic_guest.h"

static _Alignas(4096) uint8_t page[4096];

static void setup(void)
{
	memset(page, 0, sizeof(page));
}

static unsigned int bits_set(void)
{
	unsigned int n = 0;
	uint64_t word;

	for (unsigned int i = 0; i < sizeof(page); i += sizeof(word)) {
		memcpy(&word, page + i, sizeof(word));
		n += (unsigned int)__builtin_popcountll(word);
	}
	return n;
}

/* Byte 256 * sint + flag / 8, bit flag % 8: as HV_SYNIC_EVENT_FLAGS says. */
START_TEST(every_flag_has_its_bit)
{
	for (unsigned int flag = 0; flag < HV_EVENT_FLAGS_COUNT; flag++) {
		unsigned int byte = 256 * (unsigned int)_i + flag / 8;

		ck_assert(event_flag_set(page, (unsigned int)_i, flag));
		ck_assert_uint_eq(page[byte], 1u << (flag % 8));
		ck_assert_uint_eq(bits_set(), 1);
		ck_assert(!event_flag_set(page, (unsigned int)_i, flag));
		ck_assert(guest_event_take(page, (unsigned int)_i, flag));
	}
}
END_TEST

START_TEST(neighbours_stay)
{
	memset(page, 0xFF, sizeof(page));
	ck_assert(guest_event_take(page, 2, 100));
	ck_assert(event_flag_set(page, 2, 100));
	ck_assert(!event_flag_set(page, 2, 101));
	ck_assert_uint_eq(bits_set(), 8 * sizeof(page));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("synic/event");
	TCase *t = tcase_create("event");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_loop_test(t, every_flag_has_its_bit, 0, HV_SYNIC_SINT_COUNT);
	tcase_add_test(t, neighbours_stay);
	suite_add_tcase(s, t);
	return check_main(s);
}
