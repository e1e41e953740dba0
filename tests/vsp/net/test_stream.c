/* SPDX-License-Identifier: MIT */
#include "vsp/net/stream.h"

#include "support/check_main.h"

static uint8_t bytes[20];
static struct iovec pieces[] = {
	{bytes, 3}, {bytes + 3, 1}, {bytes + 4, 9}, {bytes + 13, 7}};

static void setup(void)
{
	for (uint8_t i = 0; i < 20; i++)
		bytes[i] = i;
}

/* From each place, as many bytes as there can be. */
START_TEST(every_slice)
{
	for (size_t at = 0; at <= 20; at++) {
		for (size_t n = 0; n <= 20 - at; n++) {
			struct stream s = stream_init(pieces, 4);
			struct iovec out[4];
			uint8_t copy[20];
			size_t sum = 0;
			unsigned int k;

			ck_assert_uint_eq(s.left, 20);
			stream_skip(&s, at);
			ck_assert_uint_eq(s.left, 20 - at);
			stream_peek(&s, copy, n);
			ck_assert(!n || !memcmp(copy, bytes + at, n));
			k = stream_slice(&s, n, out, 4);
			ck_assert(n ? k > 0 : k == 0);
			for (unsigned int i = 0; i < k; i++) {
				ck_assert_ptr_eq(out[i].iov_base,
						 bytes + at + sum);
				sum += out[i].iov_len;
			}
			ck_assert_uint_eq(sum, n);
		}
	}
}
END_TEST

START_TEST(too_many_pieces)
{
	struct stream s = stream_init(pieces, 4);
	struct iovec out[4];

	ck_assert_uint_eq(stream_slice(&s, 5, out, 2), 0);
	ck_assert_uint_eq(stream_slice(&s, 4, out, 2), 2);
}
END_TEST

START_TEST(skipping_beyond_the_end)
{
	struct stream s = stream_init(pieces, 4);

	stream_skip(&s, 1000);
	ck_assert_uint_eq(s.left, 0);
	ck_assert_uint_eq(s.n_iov, 0);
	s = stream_init(NULL, 0);
	stream_skip(&s, 1);
	ck_assert_uint_eq(s.left, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/net/stream");
	TCase *t = tcase_create("stream");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, every_slice);
	tcase_add_test(t, too_many_pieces);
	tcase_add_test(t, skipping_beyond_the_end);
	suite_add_tcase(s, t);
	return check_main(s);
}
