/* SPDX-License-Identifier: MIT */
#include "devices/net/frame_fifo.h"

#include <string.h>

#include "support/check_main.h"

#define ROOM 4096u

static struct frame_fifo *f;

static void setup(void)
{
	f = frame_fifo_new(ROOM, sizeof(uint32_t));
}

static void teardown(void)
{
	frame_fifo_free(f);
}

/* Frame number @n is the bytes n, n + 1, … */
static void make(uint8_t *frame, uint32_t n, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		frame[i] = (uint8_t)(n + i);
}

/* In two pieces. */
static bool put(uint32_t n, size_t bytes)
{
	uint8_t frame[ROOM];
	struct iovec iov[2] = {{frame, bytes / 3},
			       {frame + bytes / 3, bytes - bytes / 3}};

	make(frame, n, bytes);
	return frame_fifo_put(f, &n, iov, 2);
}

static void get(uint32_t n, size_t bytes)
{
	uint8_t want[ROOM];
	struct frame_record r;

	make(want, n, bytes);
	ck_assert(frame_fifo_peek(f, &r));
	ck_assert_mem_eq(r.note, &n, sizeof(n));
	ck_assert_uint_eq(r.frame_bytes, bytes);
	ck_assert_int_eq(memcmp(r.frame, want, bytes), 0);
	frame_fifo_pop(f);
}

START_TEST(nothing_is_in_a_new_one)
{
	struct frame_record r;

	ck_assert(frame_fifo_is_empty(f));
	ck_assert(!frame_fifo_peek(f, &r));
}
END_TEST

START_TEST(frames_come_out_in_order)
{
	ck_assert(put(1, 100));
	ck_assert(put(2, 0));
	ck_assert(put(3, 1514));
	get(1, 100);
	get(2, 0);
	get(3, 1514);
	ck_assert(frame_fifo_is_empty(f));
}
END_TEST

START_TEST(one_of_all_the_room_fits_and_no_longer_one)
{
	size_t most = ROOM - sizeof(size_t) - sizeof(uint32_t);

	ck_assert(!put(1, most + 1));
	ck_assert(frame_fifo_is_empty(f));
	ck_assert(put(1, most));
	ck_assert(!put(2, 0));
	get(1, most);
	ck_assert(put(2, 0));
	get(2, 0);
}
END_TEST

/* Every length, so that ends meet the memory's end at each distance. */
START_TEST(what_was_put_is_what_comes_however_it_wraps)
{
	size_t bytes = (size_t)_i * 37 + 1;
	uint32_t in = 0, out = 0;

	for (unsigned int step = 0; step < 300; step++) {
		while (in - out < step % 9 + 1 &&
		       put(in, (bytes + in * 13) % 1500))
			in++;
		for (unsigned int k = 0; k <= step % 5 && out < in; k++) {
			get(out, (bytes + out * 13) % 1500);
			out++;
		}
	}
	ck_assert_uint_gt(out, 100);
	for (; out < in; out++)
		get(out, (bytes + out * 13) % 1500);
	ck_assert(frame_fifo_is_empty(f));
}
END_TEST

START_TEST(a_full_one_refuses_and_loses_nothing)
{
	uint32_t n = 0;

	while (put(n, 200))
		n++;
	ck_assert_uint_eq(n, ROOM / 216);
	get(0, 200);
	get(1, 200);
	ck_assert(put(n, 200));
	for (uint32_t i = 2; i <= n; i++)
		get(i, 200);
	ck_assert(frame_fifo_is_empty(f));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("devices/net/frame_fifo");
	TCase *tc = tcase_create("frame_fifo");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, nothing_is_in_a_new_one);
	tcase_add_test(tc, frames_come_out_in_order);
	tcase_add_test(tc, one_of_all_the_room_fits_and_no_longer_one);
	tcase_add_loop_test(tc, what_was_put_is_what_comes_however_it_wraps, 0,
			    40);
	tcase_add_test(tc, a_full_one_refuses_and_loses_nothing);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
