/* SPDX-License-Identifier: MIT */
/* What is particular to files: faults, space, locks, snapshots. */
#include "devices/block/raw.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "support/raw_bench.h"

static void refused(const char *why)
{
	GError *error = NULL;

	ck_assert_ptr_null(raw_open(&options, &error));
	ck_assert_msg(strstr(error->message, options.path) &&
			      strstr(error->message, why),
		      "%s", error->message);
	g_error_free(error);
}

/* --- what does not open ----------------------------------------------------- */

START_TEST(reasons_are_said)
{
	options.path = "/tmp/kvmbus-no-such-file";
	refused("No such file");
	options.path = "/tmp";
	refused("neither a file nor a block device");
	options.path = "/dev/null";
	refused("neither a file nor a block device");
	options.path = file.path;
	options.block_bytes = 1024;
	refused("512 or 4096");
	options.block_bytes = 0;
	ck_assert_int_eq(ftruncate(file.fd, 511), 0);
	refused("not one block");
}
END_TEST

START_TEST(one_writer)
{
	struct block_options other = options;

	open_disk(_i);
	refused("another program uses it");
	options.readonly = true;
	refused("another program writes to it");
	options.readonly = false;
	options.snapshot = true;
	refused("another program writes to it");
	block_queue_free(q);
	block_free(disk);
	options.snapshot = false;
	options.readonly = true;
	open_disk(_i);
	other.readonly = true;
	block_free(raw_open(&other, NULL));
	other.readonly = false;
	ck_assert_ptr_null(raw_open(&other, NULL));
	other.snapshot = true;
	block_free(raw_open(&other, NULL));
}
END_TEST

START_TEST(odd_sizes_are_rounded_down)
{
	ck_assert_int_eq(ftruncate(file.fd, 5 * 4096 + 700), 0);
	open_disk(_i);
	ck_assert_uint_eq(block_info(disk).bytes, 5 * 4096 + 512);
	ck_assert_int_eq(user_read(q, 5 * 4096, got, 512), 0);
	ck_assert_int_eq(user_read(q, 5 * 4096, got, 1024), -EINVAL);
	ck_assert_int_eq(ftruncate(file.fd, 6 * 4096 + 511), 0);
	ck_assert_int_eq(block_refresh(disk), 0);
	ck_assert_uint_eq(block_info(disk).bytes, 6 * 4096);
	ck_assert_int_eq(user_write(q, 5 * 4096, data, 4096), 0);
}
END_TEST

START_TEST(readonly_reads)
{
	ck_assert_int_eq(pwrite(file.fd, data, 4096, 0), 4096);
	options.readonly = true;
	open_disk(_i);
	ck_assert(block_info(disk).readonly);
	ck_assert(!block_info(disk).can_discard);
	ck_assert_int_eq(user_read(q, 0, got, 4096), 0);
	ck_assert_mem_eq(got, data, 4096);
	ck_assert_int_eq(user_write(q, 0, data, 4096), -EROFS);
}
END_TEST

START_TEST(kinds_are_named)
{
	static const char *const kinds[] = {"raw, io_uring", "raw, threads"};

	open_disk(_i);
	ck_assert_str_eq(block_kind(disk), kinds[_i]);
}
END_TEST

/* --- faults --------------------------------------------------------------------- */

START_TEST(truncated_under_us)
{
	static const enum block_cache caches[] = {BLOCK_CACHE_WRITEBACK,
						  BLOCK_CACHE_NONE};

	options.cache = caches[_i / 2];
	ck_assert_int_eq(pwrite(file.fd, data, DISK_BYTES, 0), DISK_BYTES);
	open_disk(_i % 2);
	ck_assert_int_eq(ftruncate(file.fd, 8192 + 700), 0);
	ck_assert_int_eq(user_read(q, 0, got, 8192), 0);
	ck_assert_mem_eq(got, data, 8192);
	ck_assert_int_eq(user_read(q, 8192, got, 4096), -EIO);
	ck_assert_int_eq(user_read(q, 0, got, DISK_BYTES), -EIO);
	ck_assert_int_eq(user_read(q, DISK_BYTES - 4096, got, 4096), -EIO);
	/* A write makes it longer again. */
	ck_assert_int_eq(user_write(q, DISK_BYTES - 4096, data, 4096), 0);
	ck_assert_int_eq(user_read(q, DISK_BYTES - 8192, got, 8192), 0);
	ck_assert(user_filled(got, 0, 4096));
	ck_assert(user_filled(got + 4096, 0x3C, 4096));
}
END_TEST

/* A host that takes only some of a write, and then none. */
START_TEST(file_may_not_grow)
{
	struct rlimit limit = {.rlim_cur = DISK_BYTES / 2,
			       .rlim_max = RLIM_INFINITY};

	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	open_disk(_i);
	ck_assert_int_eq(user_write(q, DISK_BYTES / 2 - 4096, data, 8192),
			 -EFBIG);
	ck_assert_int_eq(user_write(q, DISK_BYTES / 2, data, 4096), -EFBIG);
	ck_assert_int_eq(user_write(q, DISK_BYTES / 2 - 8192, data, 4096), 0);
	ck_assert_int_eq(user_read(q, DISK_BYTES / 2 - 8192, got, 8192), 0);
	ck_assert_mem_eq(got, data, 8192);
}
END_TEST

/* io_uring as a container's policy has it: -EPERM, -ENOSYS. */
static void forbid_io_uring(unsigned int err)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | err),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {G_N_ELEMENTS(code), code};

	ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	ck_assert_int_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program),
			 0);
}

START_TEST(threads_take_over)
{
	static const unsigned int errors[] = {EPERM, ENOSYS};

	forbid_io_uring(errors[_i]);
	options.aio = BLOCK_AIO_IO_URING;
	refused("io_uring");
	options.aio = BLOCK_AIO_AUTO;
	disk = raw_open(&options, NULL);
	ck_assert_str_eq(block_kind(disk), "raw, threads");
	q = user_queue(disk);
	ck_assert_int_eq(user_write(q, 0, data, DISK_BYTES), 0);
	ck_assert_int_eq(user_read(q, 0, got, DISK_BYTES), 0);
	ck_assert_mem_eq(got, data, DISK_BYTES);
}
END_TEST

/* --- space ----------------------------------------------------------------------- */

START_TEST(discard_gives_back)
{
	open_disk(_i);
	ck_assert_int_eq(user_write(q, 0, data, DISK_BYTES), 0);
	ck_assert_uint_ge(image_file_used(&file), DISK_BYTES);
	ck_assert_int_eq(user_do(q, BLOCK_DISCARD, 0, NULL, DISK_BYTES / 2, 0),
			 0);
	ck_assert_uint_lt(image_file_used(&file), DISK_BYTES * 3 / 4);
	ck_assert_int_eq(user_do(q, BLOCK_ZERO, DISK_BYTES / 2, NULL,
				 DISK_BYTES / 2, BLOCK_UNMAP),
			 0);
	ck_assert_uint_lt(image_file_used(&file), DISK_BYTES / 4);
	ck_assert_int_eq(user_read(q, 0, got, DISK_BYTES), 0);
	ck_assert(user_filled(got, 0, DISK_BYTES));
}
END_TEST

START_TEST(zero_keeps_it)
{
	open_disk(_i);
	ck_assert_int_eq(user_write(q, 0, data, DISK_BYTES), 0);
	ck_assert_int_eq(user_do(q, BLOCK_ZERO, 0, NULL, DISK_BYTES, 0), 0);
	ck_assert_uint_ge(image_file_used(&file), DISK_BYTES);
	ck_assert_int_eq(user_read(q, 0, got, DISK_BYTES), 0);
	ck_assert(user_filled(got, 0, DISK_BYTES));
}
END_TEST

START_TEST(discard_may_be_forbidden)
{
	options.discard = BLOCK_DISCARD_IGNORE;
	open_disk(_i);
	ck_assert(!block_info(disk).can_discard);
	ck_assert_int_eq(user_write(q, 0, data, DISK_BYTES), 0);
	ck_assert_int_eq(user_do(q, BLOCK_DISCARD, 0, NULL, DISK_BYTES, 0), 0);
	ck_assert_int_eq(user_do(q, BLOCK_ZERO, 0, NULL, 4096, BLOCK_UNMAP), 0);
	ck_assert_uint_ge(image_file_used(&file), DISK_BYTES);
	ck_assert_int_eq(user_read(q, 0, got, 8192), 0);
	ck_assert(user_filled(got, 0, 4096));
	ck_assert(user_filled(got + 4096, 0x3C, 4096));
}
END_TEST

START_TEST(zeroes_are_detected)
{
	options.detect_zeroes = BLOCK_DETECT_UNMAP;
	open_disk(_i);
	ck_assert_int_eq(user_write(q, 0, data, DISK_BYTES), 0);
	memset(got, 0, DISK_BYTES);
	ck_assert_int_eq(user_write(q, 0, got, DISK_BYTES - 4096), 0);
	ck_assert_uint_lt(image_file_used(&file), DISK_BYTES / 4);
	got[DISK_BYTES - 5000] = 1;
	ck_assert_int_eq(user_write(q, 0, got, DISK_BYTES - 4096), 0);
	ck_assert_uint_ge(image_file_used(&file), DISK_BYTES);
}
END_TEST

/* --- snapshots --------------------------------------------------------------------- */

START_TEST(image_stays_as_it_was)
{
	uint8_t *before = g_malloc(DISK_BYTES);

	for (unsigned int i = 0; i < DISK_BYTES; i++)
		before[i] = (uint8_t)(i * 31 + i / 4096);
	ck_assert_int_eq(pwrite(file.fd, before, DISK_BYTES, 0), DISK_BYTES);
	options.snapshot = true;
	open_disk(_i);
	ck_assert_int_eq(user_write(q, 512, data, 10 * 512), 0);
	ck_assert_int_eq(user_write(q, 65536 + 1024, data, 512), 0);
	ck_assert_int_eq(user_do(q, BLOCK_DISCARD, 131072, NULL, 65536, 0), 0);
	ck_assert_int_eq(user_do(q, BLOCK_ZERO, 262144, NULL, 65536, BLOCK_FUA),
			 0);
	ck_assert_int_eq(user_do(q, BLOCK_FLUSH, 0, NULL, 0, 0), 0);
	ck_assert_int_eq(user_read(q, 0, got, DISK_BYTES), 0);
	ck_assert_int_eq(pread(file.fd, data, DISK_BYTES, 0), DISK_BYTES);
	ck_assert_mem_eq(data, before, DISK_BYTES);
	memset(before + 512, 0x3C, 5120);
	memset(before + 65536 + 1024, 0x3C, 512);
	memset(before + 131072, 0, 65536);
	memset(before + 262144, 0, 65536);
	ck_assert_mem_eq(got, before, DISK_BYTES);
	ck_assert_int_eq(block_refresh(disk), 0);
	ck_assert_uint_eq(block_info(disk).bytes, DISK_BYTES);
	g_free(before);
}
END_TEST

START_TEST(image_need_not_be_writable)
{
	options.snapshot = true;
	ck_assert_int_eq(fchmod(file.fd, 0400), 0);
	open_disk(_i);
	ck_assert(!block_info(disk).readonly);
	ck_assert_int_eq(user_write(q, 0, data, 4096), 0);
	ck_assert_uint_eq(image_file_used(&file), 0);
}
END_TEST

static void add(TCase *tc)
{
	const TTest *const each_engine[] = {one_writer,
					    odd_sizes_are_rounded_down,
					    readonly_reads,
					    kinds_are_named,
					    file_may_not_grow,
					    threads_take_over,
					    discard_gives_back,
					    zero_keeps_it,
					    discard_may_be_forbidden,
					    zeroes_are_detected,
					    image_stays_as_it_was,
					    image_need_not_be_writable};

	tcase_add_test(tc, reasons_are_said);
	tcase_add_loop_test(tc, truncated_under_us, 0, 4);
	for (unsigned int i = 0; i < G_N_ELEMENTS(each_engine); i++)
		tcase_add_loop_test(tc, each_engine[i], 0, 2);
}

int main(void)
{
	Suite *suite = suite_create("devices/block/raw");
	TCase *tc = tcase_create("raw");

	tcase_add_checked_fixture(tc, raw_setup, raw_teardown);
	add(tc);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
