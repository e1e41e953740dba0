/* SPDX-License-Identifier: MIT */
#include "devices/byte_ring.h"

#include <stdlib.h>
#include <string.h>

#include "support/check_main.h"

static struct byte_ring r;

static void setup(void)
{
	byte_ring_init(&r, 8);
}

static void teardown(void)
{
	byte_ring_clear(&r);
}

static size_t put(const char *text)
{
	return byte_ring_put(&r, (const uint8_t *)text, strlen(text));
}

static void expect(const char *text)
{
	uint8_t data[16] = {0};

	ck_assert_uint_eq(byte_ring_peek(&r, data, 15), strlen(text));
	ck_assert_str_eq((char *)data, text);
}

START_TEST(first_in_first_out)
{
	uint8_t data[4] = {0};

	ck_assert_uint_eq(put("abc"), 3);
	ck_assert_uint_eq(byte_ring_take(&r, data, 2), 2);
	ck_assert_mem_eq(data, "ab", 2);
	ck_assert_uint_eq(put("de"), 2);
	expect("cde");
	ck_assert_uint_eq(byte_ring_take(&r, data, 4), 3);
	ck_assert_mem_eq(data, "cde", 3);
	ck_assert_uint_eq(byte_ring_take(&r, data, 4), 0);
}
END_TEST

START_TEST(full_takes_what_fits)
{
	ck_assert_uint_eq(put("0123456"), 7);
	ck_assert_uint_eq(put("789"), 1);
	ck_assert_uint_eq(put("x"), 0);
	expect("01234567");
}
END_TEST

START_TEST(push_forgets_the_oldest)
{
	byte_ring_push(&r, (const uint8_t *)"012345", 6);
	byte_ring_push(&r, (const uint8_t *)"6789", 4);
	expect("23456789");
	byte_ring_push(&r, (const uint8_t *)"abcdefghijkl", 12);
	expect("efghijkl");
}
END_TEST

START_TEST(drop_more_than_there_is)
{
	put("abc");
	byte_ring_drop(&r, 100);
	expect("");
	ck_assert_uint_eq(put("01234567"), 8);
}
END_TEST

/* Against a plain array, over every position of the wrap. */
START_TEST(oracle)
{
	uint8_t want[4096], data[8], next = 0;
	size_t have = 0;
	unsigned int seed = 1;

	for (unsigned int i = 0; i < 20000; i++) {
		size_t n = (size_t)(rand_r(&seed) % 9), done;

		if (rand_r(&seed) % 2) {
			for (size_t k = 0; k < n; k++)
				data[k] = next++;
			done = byte_ring_put(&r, data, n);
			ck_assert_uint_eq(done, n < 8 - have ? n : 8 - have);
			memcpy(want + have, data, done);
			have += done;
			next = (uint8_t)(next - (n - done));
		} else {
			done = byte_ring_take(&r, data, n);
			ck_assert_uint_eq(done, n < have ? n : have);
			ck_assert_int_eq(memcmp(data, want, done), 0);
			have -= done;
			memmove(want, want + done, have);
		}
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("devices/byte_ring");
	TCase *t = tcase_create("byte_ring");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, first_in_first_out);
	tcase_add_test(t, full_takes_what_fits);
	tcase_add_test(t, push_forgets_the_oldest);
	tcase_add_test(t, drop_more_than_there_is);
	tcase_add_test(t, oracle);
	suite_add_tcase(s, t);
	return check_main(s);
}
