/* SPDX-License-Identifier: MIT */
/* What block.c itself does, over a RAM disk. */
#include "devices/block/block.h"

#include <errno.h>

#include "devices/block/ram.h"
#include "support/block_user.h"
#include "support/check_main.h"

#define DISK_BYTES (1u << 20)

static struct block *disk;
static struct block_queue *q;
static uint8_t data[8192];

static void setup(void)
{
	disk = block_ram_new(DISK_BYTES, 512);
	q = user_queue(disk);
	memset(data, 0xA5, sizeof(data));
}

static void teardown(void)
{
	block_queue_free(q);
	block_free(disk);
}

static const struct {
	const char *what;
	enum block_op op;
	uint64_t offset, bytes, iov_bytes;
	int result;
} arguments[] = {
	{"all is well", BLOCK_READ, 512, 1024, 1024, 0},
	{"the last block", BLOCK_READ, DISK_BYTES - 512, 512, 512, 0},
	{"no bytes", BLOCK_WRITE, 0, 0, 0, 0},
	{"no bytes, at the end", BLOCK_READ, DISK_BYTES, 0, 0, 0},
	{"beyond the end", BLOCK_READ, DISK_BYTES, 512, 512, -EINVAL},
	{"over the end", BLOCK_WRITE, DISK_BYTES - 512, 1024, 1024, -EINVAL},
	{"the sum wraps", BLOCK_ZERO, UINT64_MAX - 511, 1024, 0, -EINVAL},
	{"discard beyond", BLOCK_DISCARD, DISK_BYTES, 512, 0, -EINVAL},
	{"odd offset", BLOCK_READ, 100, 512, 512, -EINVAL},
	{"odd length", BLOCK_READ, 0, 100, 100, -EINVAL},
	{"odd length of zeroes", BLOCK_ZERO, 0, 100, 0, -EINVAL},
	{"less memory", BLOCK_READ, 0, 1024, 512, -EINVAL},
	{"more memory", BLOCK_WRITE, 0, 512, 1024, -EINVAL},
	{"a flush has no place", BLOCK_FLUSH, 7, 7, 0, 0},
	{"no such operation", (enum block_op)17, 0, 512, 512, -EINVAL},
};

START_TEST(arguments_are_checked)
{
	struct user_io u;

	user_prepare(&u, arguments[_i].op, arguments[_i].offset, data,
		     arguments[_i].iov_bytes);
	u.io.bytes = arguments[_i].bytes;
	ck_assert_msg(user_finish(q, &u) == arguments[_i].result, "%s: %d",
		      arguments[_i].what, u.result);
}
END_TEST

START_TEST(iovec_is_bounded)
{
	struct iovec iov[BLOCK_IOV_MAX + 1];
	struct user_io u;

	for (unsigned int i = 0; i <= BLOCK_IOV_MAX; i++)
		iov[i] = (struct iovec){data, 512};
	user_prepare(&u, BLOCK_READ, 0, data, 512 * (BLOCK_IOV_MAX + 1));
	u.io.iov = iov;
	u.io.n_iov = BLOCK_IOV_MAX + 1;
	ck_assert_int_eq(user_finish(q, &u), -EINVAL);
	user_prepare(&u, BLOCK_READ, 0, data, 512 * BLOCK_IOV_MAX);
	u.io.iov = iov;
	u.io.n_iov = BLOCK_IOV_MAX;
	ck_assert_int_eq(user_finish(q, &u), 0);
}
END_TEST

START_TEST(iovec_sum_may_not_wrap)
{
	struct iovec iov[2] = {{data, SIZE_MAX}, {data, 513}};
	struct user_io u;

	user_prepare(&u, BLOCK_WRITE, 0, data, 512);
	u.io.iov = iov;
	u.io.n_iov = 2;
	ck_assert_int_eq(user_finish(q, &u), -EINVAL);
}
END_TEST

static const struct {
	enum block_op op;
	int result;
} of_readonly[] = {
	{BLOCK_READ, 0},         {BLOCK_WRITE, -EROFS}, {BLOCK_FLUSH, 0},
	{BLOCK_DISCARD, -EROFS}, {BLOCK_ZERO, -EROFS},  {BLOCK_EXTENT, 0},
};

START_TEST(readonly_is_not_changed)
{
	block_ram_info(disk)->readonly = true;
	ck_assert_int_eq(user_do(q, of_readonly[_i].op, 0, data, 512, 0),
			 of_readonly[_i].result);
	ck_assert(user_filled(block_ram_data(disk), 0, 512));
}
END_TEST

START_TEST(discard_may_be_unknown)
{
	ck_assert_int_eq(user_write(q, 0, data, 512), 0);
	block_ram_info(disk)->can_discard = false;
	ck_assert_int_eq(user_do(q, BLOCK_DISCARD, 0, NULL, 512, 0), 0);
	ck_assert(user_filled(block_ram_data(disk), 0xA5, 512));
}
END_TEST

START_TEST(holes_are_of_what_can_be_discarded)
{
	struct user_io u;

	for (int i = 0; i < 2; i++) {
		block_ram_info(disk)->can_discard = i;
		user_prepare(&u, BLOCK_EXTENT, 4096, NULL, 8192);
		ck_assert_int_eq(user_finish(q, &u), 0);
		ck_assert_int_eq(u.io.hole, i);
		ck_assert_uint_eq(u.io.extent_bytes, 8192);
	}
}
END_TEST

START_TEST(submit_never_calls_done)
{
	struct user_io good, bad;

	user_prepare(&good, BLOCK_READ, 0, data, 512);
	user_prepare(&bad, BLOCK_READ, 1, data, 512);
	block_queue_submit(q, &good.io);
	block_queue_submit(q, &bad.io);
	ck_assert_uint_eq(good.n_done + bad.n_done, 0);
	ck_assert_uint_eq(block_queue_in_flight(q), 2);
	block_queue_kick(q);
	ck_assert_uint_eq(good.n_done + bad.n_done, 0);
	ck_assert(user_poll(q, 0));
	ck_assert_uint_eq(block_queue_reap(q), 2);
	ck_assert_int_eq(good.result, 0);
	ck_assert_int_eq(bad.result, -EINVAL);
	ck_assert_uint_eq(block_queue_in_flight(q), 0);
	ck_assert(!user_poll(q, 0));
}
END_TEST

START_TEST(reap_without_anything)
{
	ck_assert_uint_eq(block_queue_reap(q), 0);
	block_queue_kick(q);
	ck_assert_uint_eq(block_queue_reap(q), 0);
	ck_assert(!user_poll(q, 0));
}
END_TEST

static void again(struct block_io *io, int result)
{
	user_done(io, result);
	if (((struct user_io *)io)->n_done < 3)
		block_queue_submit(q, io);
}

START_TEST(done_may_submit)
{
	static const uint64_t offsets[] = {0, 1};
	struct user_io u;

	user_prepare(&u, BLOCK_READ, offsets[_i], data, 512);
	u.io.done = again;
	block_queue_submit(q, &u.io);
	for (unsigned int i = 1; i <= 3; i++) {
		block_queue_kick(q);
		ck_assert(user_poll(q, 0));
		ck_assert_uint_eq(block_queue_reap(q), 1);
		ck_assert_uint_eq(u.n_done, i);
	}
	ck_assert_uint_eq(block_queue_in_flight(q), 0);
}
END_TEST

START_TEST(more_than_the_depth_waits)
{
	enum {
		N = 2 * BLOCK_QUEUE_DEPTH + 7
	};
	static struct user_io u[N];
	static uint8_t buffer[N][512];
	unsigned int n = 0;

	block_ram_hold(disk, true);
	for (unsigned int i = 0; i < N; i++) {
		memset(buffer[i], (int)(i % 251 + 1), 512);
		user_prepare(&u[i], BLOCK_WRITE, i * 512, buffer[i], 512);
		block_queue_submit(q, &u[i].io);
	}
	block_queue_kick(q);
	ck_assert_uint_eq(block_queue_reap(q), 0);
	ck_assert_uint_eq(block_queue_in_flight(q), N);
	block_ram_hold(disk, false);
	while (block_queue_in_flight(q)) {
		ck_assert(user_poll(q, 0));
		n += block_queue_reap(q);
	}
	ck_assert_uint_eq(n, N);
	for (unsigned int i = 0; i < N; i++) {
		ck_assert_int_eq(u[i].result, 0);
		ck_assert_uint_eq(u[i].n_done, 1);
	}
	ck_assert_mem_eq(block_ram_data(disk), buffer, sizeof(buffer));
}
END_TEST

START_TEST(size_changes_when_looked_at)
{
	block_ram_resize(disk, 2 * DISK_BYTES - 100);
	ck_assert_uint_eq(block_info(disk).bytes, DISK_BYTES);
	ck_assert_int_eq(user_read(q, DISK_BYTES, data, 512), -EINVAL);
	ck_assert_int_eq(block_refresh(disk), 0);
	/* Only whole blocks count. */
	ck_assert_uint_eq(block_info(disk).bytes, 2 * DISK_BYTES - 512);
	ck_assert_int_eq(user_read(q, DISK_BYTES, data, 512), 0);
}
END_TEST

START_TEST(all_is_counted)
{
	struct block_queue *other = user_queue(disk);
	struct block_stats s;
	struct user_io held;

	user_read(q, 0, data, 1024);
	user_read(other, 0, data, 512);
	user_write(other, 0, data, 4096);
	user_do(q, BLOCK_FLUSH, 0, NULL, 0, 0);
	user_do(q, BLOCK_DISCARD, 0, NULL, 2048, 0);
	user_do(q, BLOCK_ZERO, 0, NULL, 8192, 0);
	user_read(q, 1, data, 512);
	block_queue_free(other);
	block_ram_hold(disk, true);
	user_prepare(&held, BLOCK_READ, 0, data, 512);
	block_queue_submit(q, &held.io);
	block_get_stats(disk, &s);
	ck_assert_uint_eq(s.reads, 3);
	ck_assert_uint_eq(s.read_bytes, 1536);
	ck_assert_uint_eq(s.writes, 1);
	ck_assert_uint_eq(s.written_bytes, 4096);
	ck_assert_uint_eq(s.flushes, 1);
	ck_assert_uint_eq(s.discards, 1);
	ck_assert_uint_eq(s.discarded_bytes, 2048);
	ck_assert_uint_eq(s.zeroes, 1);
	ck_assert_uint_eq(s.zeroed_bytes, 8192);
	ck_assert_uint_eq(s.errors, 1);
	ck_assert_uint_eq(s.in_flight, 1);
	block_ram_hold(disk, false);
	user_drain(q);
	block_get_stats(disk, &s);
	ck_assert_uint_eq(s.reads, 4);
	ck_assert_uint_eq(s.in_flight, 0);
}
END_TEST

/* --- errors of the storage ----------------------------------------------------- */

static unsigned int n_stopped;
static int stopped_err;

static void on_stopped(void *ctx, enum block_op op, int err)
{
	ck_assert_ptr_eq(ctx, data);
	(void)op;
	n_stopped++;
	stopped_err = err;
}

/* The queue anew, as policies are set before. */
static void set_policy(enum block_policy on_read, enum block_policy on_write)
{
	const struct block_errors e = {.on_read = on_read,
				       .on_write = on_write,
				       .stopped = on_stopped,
				       .ctx = data};

	n_stopped = 0;
	block_queue_free(q);
	block_set_errors(disk, &e);
	q = user_queue(disk);
}

static void fail_once(int err)
{
	const struct block_ram_fault f = {
		.any_op = true, .times = 1, .result = err};

	block_ram_fail(disk, &f);
}

static const struct {
	const char *what;
	enum block_policy on_read, on_write;
	enum block_op op;
	int err;
	int result; /* USER_PENDING: it is kept */
} policies[] = {
	{"reported", BLOCK_REPORT, BLOCK_REPORT, BLOCK_WRITE, -EIO, -EIO},
	{"reads are apart", BLOCK_REPORT, BLOCK_STOP, BLOCK_READ, -EIO, -EIO},
	{"writes are apart", BLOCK_STOP, BLOCK_REPORT, BLOCK_WRITE, -EIO, -EIO},
	{"a read stops", BLOCK_STOP, BLOCK_REPORT, BLOCK_READ, -EIO,
	 USER_PENDING},
	{"a write stops", BLOCK_REPORT, BLOCK_STOP, BLOCK_WRITE, -EIO,
	 USER_PENDING},
	{"a flush stops", BLOCK_REPORT, BLOCK_STOP, BLOCK_FLUSH, -EIO,
	 USER_PENDING},
	{"zeroes stop", BLOCK_REPORT, BLOCK_STOP, BLOCK_ZERO, -ENOSPC,
	 USER_PENDING},
	{"no space stops", BLOCK_REPORT, BLOCK_ENOSPACE, BLOCK_WRITE, -ENOSPC,
	 USER_PENDING},
	{"a quota stops", BLOCK_REPORT, BLOCK_ENOSPACE, BLOCK_WRITE, -EDQUOT,
	 USER_PENDING},
	{"else it is reported", BLOCK_REPORT, BLOCK_ENOSPACE, BLOCK_WRITE, -EIO,
	 -EIO},
	{"ignored", BLOCK_REPORT, BLOCK_IGNORE, BLOCK_WRITE, -EIO, 0},
	{"a read ignored", BLOCK_IGNORE, BLOCK_REPORT, BLOCK_READ, -EIO, 0},
};

START_TEST(errors_have_policies)
{
	bool kept = policies[_i].result == USER_PENDING;
	struct block_stats s;
	struct user_io u;

	set_policy(policies[_i].on_read, policies[_i].on_write);
	fail_once(policies[_i].err);
	user_prepare(&u, policies[_i].op, 0, data, 512);
	block_queue_submit(q, &u.io);
	block_queue_kick(q);
	block_queue_reap(q);
	ck_assert_msg(u.result == policies[_i].result, "%s: %d",
		      policies[_i].what, u.result);
	ck_assert_uint_eq(n_stopped, kept);
	ck_assert_uint_eq(block_queue_in_flight(q), kept);
	block_get_stats(disk, &s);
	ck_assert_uint_eq(s.stops, kept);
	if (!kept)
		return;
	ck_assert_int_eq(stopped_err, policies[_i].err);
	/* Nothing wakes it by itself. */
	ck_assert(!user_poll(q, 0));
	block_queue_retry(q);
	user_drain(q);
	ck_assert_int_eq(u.result, 0);
	ck_assert_uint_eq(u.n_done, 1);
}
END_TEST

START_TEST(our_own_refusals_are_reported)
{
	set_policy(BLOCK_STOP, BLOCK_STOP);
	ck_assert_int_eq(user_read(q, 1, data, 512), -EINVAL);
	block_ram_info(disk)->readonly = true;
	ck_assert_int_eq(user_write(q, 0, data, 512), -EROFS);
	ck_assert_uint_eq(n_stopped, 0);
}
END_TEST

START_TEST(retried_may_fail_again)
{
	const struct block_ram_fault f = {
		.op = BLOCK_WRITE, .times = 2, .result = -ENOSPC};
	struct user_io u, other;

	set_policy(BLOCK_REPORT, BLOCK_ENOSPACE);
	block_ram_fail(disk, &f);
	user_prepare(&u, BLOCK_WRITE, 512, data, 512);
	block_queue_submit(q, &u.io);
	block_queue_kick(q);
	block_queue_reap(q);
	block_queue_retry(q);
	block_queue_reap(q);
	ck_assert_uint_eq(n_stopped, 2);
	ck_assert_uint_eq(u.n_done, 0);
	/* Others go on meanwhile. */
	user_prepare(&other, BLOCK_READ, 0, data + 512, 512);
	block_queue_submit(q, &other.io);
	block_queue_kick(q);
	ck_assert_uint_eq(block_queue_reap(q), 1);
	ck_assert_int_eq(other.result, 0);
	block_queue_retry(q);
	user_drain(q);
	ck_assert_int_eq(u.result, 0);
	ck_assert_mem_eq(block_ram_data(disk) + 512, data, 512);
}
END_TEST

START_TEST(drained_is_reported)
{
	const struct block_ram_fault f = {
		.any_op = true, .times = 100, .result = -EIO};
	struct user_io u;

	set_policy(BLOCK_STOP, BLOCK_STOP);
	block_ram_fail(disk, &f);
	user_prepare(&u, BLOCK_WRITE, 0, data, 512);
	block_queue_submit(q, &u.io);
	block_queue_kick(q);
	block_queue_reap(q);
	ck_assert_uint_eq(u.n_done, 0);
	block_queue_drain(q, true);
	user_drain(q);
	ck_assert_int_eq(u.result, -EIO);
	ck_assert_uint_eq(u.n_done, 1);
	/* As what fails from now on. */
	ck_assert_int_eq(user_read(q, 0, data, 512), -EIO);
	ck_assert_uint_eq(n_stopped, 1);
	block_queue_drain(q, false);
	user_prepare(&u, BLOCK_READ, 0, data, 512);
	block_queue_submit(q, &u.io);
	block_queue_kick(q);
	block_queue_reap(q);
	ck_assert_uint_eq(n_stopped, 2);
	block_queue_drain(q, true);
	user_drain(q);
}
END_TEST

START_TEST(many_are_kept)
{
	enum {
		N = 2 * BLOCK_QUEUE_DEPTH
	};
	const struct block_ram_fault f = {
		.any_op = true, .times = N, .result = -ENOSPC};
	static struct user_io u[N];

	set_policy(BLOCK_REPORT, BLOCK_ENOSPACE);
	block_ram_fail(disk, &f);
	for (unsigned int i = 0; i < N; i++) {
		user_prepare(&u[i], BLOCK_WRITE, i * 512, data, 512);
		block_queue_submit(q, &u[i].io);
	}
	for (unsigned int i = 0; i < 4; i++) {
		block_queue_kick(q);
		block_queue_reap(q);
	}
	ck_assert_uint_eq(n_stopped, N);
	ck_assert_uint_eq(block_queue_in_flight(q), N);
	block_queue_retry(q);
	user_drain(q);
	for (unsigned int i = 0; i < N; i++)
		ck_assert(u[i].n_done == 1 && !u[i].result);
}
END_TEST

START_TEST(nothing_can_be_freed)
{
	block_queue_free(NULL);
	block_free(NULL);
	ck_assert_ptr_eq(block_queue_block(q), disk);
	ck_assert_str_eq(block_kind(disk), "ram");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("devices/block/block");
	TCase *tc = tcase_create("block");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, arguments_are_checked, 0,
			    G_N_ELEMENTS(arguments));
	tcase_add_test(tc, iovec_is_bounded);
	tcase_add_test(tc, iovec_sum_may_not_wrap);
	tcase_add_loop_test(tc, readonly_is_not_changed, 0,
			    G_N_ELEMENTS(of_readonly));
	tcase_add_test(tc, discard_may_be_unknown);
	tcase_add_test(tc, holes_are_of_what_can_be_discarded);
	tcase_add_test(tc, submit_never_calls_done);
	tcase_add_test(tc, reap_without_anything);
	tcase_add_loop_test(tc, done_may_submit, 0, 2);
	tcase_add_test(tc, more_than_the_depth_waits);
	tcase_add_test(tc, size_changes_when_looked_at);
	tcase_add_test(tc, all_is_counted);
	tcase_add_loop_test(tc, errors_have_policies, 0,
			    G_N_ELEMENTS(policies));
	tcase_add_test(tc, our_own_refusals_are_reported);
	tcase_add_test(tc, retried_may_fail_again);
	tcase_add_test(tc, drained_is_reported);
	tcase_add_test(tc, many_are_kept);
	tcase_add_test(tc, nothing_can_be_freed);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
