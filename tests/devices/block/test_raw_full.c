/* SPDX-License-Identifier: MIT */
/* A disk whose storage is full: a tmpfs of our own, which takes root. */
#include "devices/block/raw.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>

#include "support/raw_bench.h"

/* One with room for half of it on /tmp, as only we see it. */
static bool mount_small(void)
{
	char how[64];

	snprintf(how, sizeof(how), "size=%u", DISK_BYTES / 2);
	return !unshare(CLONE_NEWNS) &&
	       !mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
	       !mount("kvmbus-test", "/tmp", "tmpfs", 0, how);
}

static void setup(void)
{
	/* Each its own: rings give files back when they want to. */
	ck_assert(mount_small());
	raw_setup();
}

START_TEST(no_space)
{
	struct block_stats s;

	open_disk(_i);
	ck_assert_int_eq(user_write(q, 0, data, DISK_BYTES / 4), 0);
	ck_assert_int_eq(user_write(q, DISK_BYTES / 4, data, DISK_BYTES / 2),
			 -ENOSPC);
	ck_assert_int_eq(user_do(q, BLOCK_FLUSH, 0, NULL, 0, 0), 0);
	/* What was acknowledged is there, and what is there can be changed. */
	ck_assert_int_eq(user_read(q, 0, got, DISK_BYTES / 4), 0);
	ck_assert_mem_eq(got, data, DISK_BYTES / 4);
	ck_assert_int_eq(user_write(q, 4096, got, 4096), 0);
	/* Given back, it can be used. */
	ck_assert_int_eq(user_do(q, BLOCK_DISCARD, DISK_BYTES / 4, NULL,
				 DISK_BYTES / 2, 0),
			 0);
	ck_assert_int_eq(user_write(q, DISK_BYTES - 4096, data, 4096), 0);
	block_get_stats(disk, &s);
	ck_assert_uint_eq(s.errors, 1);
}
END_TEST

/* Another fills what is left, and gives it back. */
static int make_filler(void)
{
	char name[] = "/tmp/filler-XXXXXX";
	int fd = mkostemp(name, O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	unlink(name);
	while (write(fd, data, 4096) > 0)
		;
	ck_assert_int_eq(errno, ENOSPC);
	return fd;
}

static unsigned int n_stopped;

static void on_stopped(void *ctx, enum block_op op, int err)
{
	(void)ctx;
	ck_assert_int_eq(op, BLOCK_WRITE);
	ck_assert_int_eq(err, -ENOSPC);
	n_stopped++;
}

/* Kept until there is room: the guest hears of nothing, and loses nothing. */
START_TEST(no_space_stops)
{
	const struct block_errors errors = {.on_write = BLOCK_ENOSPACE,
					    .stopped = on_stopped};
	struct user_io u[8];
	int filler;

	n_stopped = 0;
	open_image(_i);
	block_set_errors(disk, &errors);
	q = user_queue(disk);
	ck_assert_int_eq(user_write(q, 0, data, DISK_BYTES / 8), 0);
	filler = make_filler();
	for (unsigned int i = 0; i < 8; i++) {
		user_prepare(&u[i], BLOCK_WRITE, DISK_BYTES / 2 + i * 8192,
			     data, 8192);
		block_queue_submit(q, &u[i].io);
	}
	block_queue_kick(q);
	while (n_stopped < 8) {
		ck_assert(user_poll(q, USER_WAIT_MS));
		block_queue_reap(q);
	}
	/* Still full: all of them are kept again. */
	block_queue_retry(q);
	while (n_stopped < 16) {
		ck_assert(user_poll(q, USER_WAIT_MS));
		block_queue_reap(q);
	}
	close(filler);
	block_queue_retry(q);
	user_drain(q);
	for (unsigned int i = 0; i < 8; i++)
		ck_assert(u[i].n_done == 1 && !u[i].result);
	ck_assert_uint_eq(n_stopped, 16);
	ck_assert_int_eq(user_do(q, BLOCK_FLUSH, 0, NULL, 0, 0), 0);
	ck_assert_int_eq(user_read(q, DISK_BYTES / 2, got, 65536), 0);
	ck_assert_mem_eq(got, data, 65536);
	ck_assert_int_eq(user_read(q, 0, got, DISK_BYTES / 8), 0);
	ck_assert_mem_eq(got, data, DISK_BYTES / 8);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("devices/block/raw_full");
	TCase *tc = tcase_create("full");

	if (!mount_small()) {
		printf("skip: no file system of our own for this user: %s\n",
		       strerror(errno));
		return 77;
	}
	tcase_add_checked_fixture(tc, setup, raw_teardown);
	tcase_add_loop_test(tc, no_space, 0, 2);
	tcase_add_loop_test(tc, no_space_stops, 0, 2);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
