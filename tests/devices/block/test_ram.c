/* SPDX-License-Identifier: MIT */
#include "devices/block/ram.h"

#include <errno.h>

#include "support/block_user.h"
#include "support/check_main.h"

#define DISK_BYTES (64u << 10)

static struct block *disk;
static struct block_queue *q;
static uint8_t data[DISK_BYTES];

static void setup(void)
{
	disk = block_ram_new(DISK_BYTES, 512);
	q = user_queue(disk);
	memset(data, 0x5A, sizeof(data));
}

static void teardown(void)
{
	block_queue_free(q);
	block_free(disk);
}

START_TEST(what_is_written_is_read)
{
	uint8_t a[1024], b[512], c[2560];
	struct iovec iov[] = {{a, 1024}, {b, 512}, {c, 2560}};
	struct user_io u;

	for (unsigned int i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7 + i / 256);
	ck_assert_int_eq(user_write(q, 0, data, sizeof(data)), 0);
	user_prepare(&u, BLOCK_READ, 8192, a, 4096);
	u.io.iov = iov;
	u.io.n_iov = 3;
	ck_assert_int_eq(user_finish(q, &u), 0);
	ck_assert_mem_eq(a, data + 8192, 1024);
	ck_assert_mem_eq(b, data + 9216, 512);
	ck_assert_mem_eq(c, data + 9728, 2560);
}
END_TEST

static const struct {
	const char *what;
	uint64_t offset, bytes;
} areas[] = {
	{"within a page", 512, 1024},
	{"a page", 4096, 4096},
	{"over the border of pages", 3584, 1024},
	{"a piece, pages, a piece", 3584, 16384},
	{"pages, a piece", 4096, 8192 + 512},
	{"all", 0, DISK_BYTES},
};

START_TEST(zeroes_are_just_there)
{
	uint64_t from = areas[_i].offset, to = from + areas[_i].bytes;
	static const enum block_op ops[] = {BLOCK_ZERO, BLOCK_DISCARD};

	for (unsigned int i = 0; i < G_N_ELEMENTS(ops); i++) {
		const uint8_t *at = block_ram_data(disk);

		user_write(q, 0, data, sizeof(data));
		ck_assert_int_eq(
			user_do(q, ops[i], from, NULL, areas[_i].bytes, 0), 0);
		ck_assert_msg(
			user_filled(at, 0x5A, from) &&
				user_filled(at + from, 0, to - from) &&
				user_filled(at + to, 0x5A, DISK_BYTES - to),
			"%s", areas[_i].what);
	}
}
END_TEST

START_TEST(the_nth_fails)
{
	struct block_ram_fault fault = {
		.op = BLOCK_WRITE, .after = 2, .times = 2, .result = -ENOSPC};
	static const int results[] = {0, 0, -ENOSPC, -ENOSPC, 0};
	uint8_t block[512];

	block_ram_fail(disk, &fault);
	for (unsigned int i = 0; i < G_N_ELEMENTS(results); i++) {
		ck_assert_int_eq(user_read(q, 0, block, 512), 0);
		ck_assert_int_eq(user_write(q, i * 512, data, 512), results[i]);
		ck_assert(user_filled(block_ram_data(disk) + i * 512,
				      results[i] ? 0 : 0x5A, 512));
	}
}
END_TEST

START_TEST(any_operation_fails)
{
	struct block_ram_fault fault = {
		.any_op = true, .times = 6, .result = -EIO};

	block_ram_fail(disk, &fault);
	for (unsigned int op = BLOCK_READ; op <= BLOCK_EXTENT; op++)
		ck_assert_int_eq(user_do(q, (enum block_op)op, 0, data, 512, 0),
				 -EIO);
	ck_assert_int_eq(user_read(q, 0, data, 512), 0);
}
END_TEST

START_TEST(held_until_told)
{
	struct block_queue *other = user_queue(disk);
	struct user_io first, second, third;

	user_prepare(&first, BLOCK_WRITE, 0, data, 512);
	user_prepare(&second, BLOCK_WRITE, 512, data, 512);
	user_prepare(&third, BLOCK_READ, 0, data + 512, 512);
	block_queue_submit(q, &first.io);
	block_ram_hold(disk, true);
	block_queue_submit(q, &second.io);
	block_queue_submit(other, &third.io);
	block_queue_kick(q);
	block_queue_kick(other);
	ck_assert(!user_poll(other, 0));
	ck_assert(user_poll(q, 0));
	ck_assert_uint_eq(block_queue_reap(q), 1);
	ck_assert_uint_eq(first.n_done, 1);
	ck_assert(!user_poll(q, 0));
	ck_assert_uint_eq(block_queue_reap(q), 0);
	ck_assert(user_filled(block_ram_data(disk) + 512, 0, 512));
	block_ram_hold(disk, false);
	ck_assert(user_poll(q, 0));
	ck_assert_uint_eq(block_queue_reap(q), 1);
	ck_assert(user_poll(other, 0));
	ck_assert_uint_eq(block_queue_reap(other), 1);
	ck_assert_int_eq(second.result, 0);
	ck_assert_int_eq(third.result, 0);
	ck_assert(!user_poll(q, 0) && !user_poll(other, 0));
	block_queue_free(other);
}
END_TEST

static void *release(void *arg)
{
	block_ram_hold(arg, false);
	return NULL;
}

START_TEST(told_by_another_thread)
{
	struct user_io u;
	pthread_t thread;

	block_ram_hold(disk, true);
	user_prepare(&u, BLOCK_WRITE, 0, data, 512);
	block_queue_submit(q, &u.io);
	block_queue_kick(q);
	ck_assert_int_eq(pthread_create(&thread, NULL, release, disk), 0);
	user_drain(q);
	pthread_join(thread, NULL);
	ck_assert_int_eq(u.result, 0);
	/* What the other thread wrote behind our back is read at last. */
	block_queue_reap(q);
	ck_assert(!user_poll(q, 0));
}
END_TEST

START_TEST(truncated_under_us)
{
	user_write(q, 0, data, sizeof(data));
	block_ram_resize(disk, DISK_BYTES / 2);
	ck_assert_int_eq(user_read(q, DISK_BYTES / 2 - 512, data, 512), 0);
	ck_assert_int_eq(user_read(q, DISK_BYTES / 2 - 512, data, 1024), -EIO);
	ck_assert_int_eq(user_write(q, DISK_BYTES - 512, data, 512), -EIO);
	/* Back again, but what was there is lost. */
	block_ram_resize(disk, DISK_BYTES);
	ck_assert_int_eq(user_read(q, DISK_BYTES - 512, data, 512), 0);
	ck_assert(user_filled(data, 0, 512));
}
END_TEST

START_TEST(large_and_not_there)
{
	struct block *large = block_ram_new(1ull << 34, 4096);
	struct block_queue *way = user_queue(large);

	ck_assert_uint_eq(block_info(large).block_bytes, 4096);
	ck_assert_int_eq(user_do(way, BLOCK_ZERO, 0, NULL, 1ull << 34, 0), 0);
	ck_assert_int_eq(user_write(way, (1ull << 34) - 4096, data, 4096), 0);
	ck_assert_int_eq(user_write(way, 512, data, 4096), -EINVAL);
	block_queue_free(way);
	block_free(large);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("devices/block/ram");
	TCase *tc = tcase_create("ram");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_is_written_is_read);
	tcase_add_loop_test(tc, zeroes_are_just_there, 0, G_N_ELEMENTS(areas));
	tcase_add_test(tc, the_nth_fails);
	tcase_add_test(tc, any_operation_fails);
	tcase_add_test(tc, held_until_told);
	tcase_add_test(tc, told_by_another_thread);
	tcase_add_test(tc, truncated_under_us);
	tcase_add_test(tc, large_and_not_there);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
