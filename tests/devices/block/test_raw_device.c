/* SPDX-License-Identifier: MIT */
/* What is particular to block devices: loop devices, which take root. */
#include "devices/block/raw.h"

#include <errno.h>
#include <linux/loop.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/ioctl.h>

#include "devices/block/raw_impl.h"
#include "support/raw_bench.h"

static char path[32]; /* of the device */
static int loop = -1;

/* The file as a loop device with blocks of @block_bytes; -1: not allowed. */
static int loop_open(uint32_t block_bytes)
{
	struct loop_config config = {.fd = (uint32_t)file.fd,
				     .block_size = block_bytes};
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	int n = control < 0 ? -1 : ioctl(control, LOOP_CTL_GET_FREE);
	int fd;

	close(control);
	snprintf(path, sizeof(path), "/dev/loop%d", n);
	config.info.lo_flags = LO_FLAGS_AUTOCLEAR;
	fd = n < 0 ? -1 : open(path, O_RDWR | O_CLOEXEC);
	if (fd >= 0 && ioctl(fd, LOOP_CONFIGURE, &config)) {
		close(fd);
		return -1;
	}
	return fd;
}

static void make_device(uint32_t block_bytes)
{
	loop = loop_open(block_bytes);
	ck_assert_int_ge(loop, 0);
}

static void setup(void)
{
	raw_setup();
	options.path = path;
}

static void teardown(void)
{
	raw_teardown();
	if (loop >= 0)
		close(loop);
	loop = -1;
}

static void refused(const char *why)
{
	g_autoptr(GError) error = NULL;

	ck_assert_ptr_null(raw_open(&options, &error));
	ck_assert_msg(strstr(error->message, why), "%s", error->message);
}

START_TEST(block_device)
{
	static const uint32_t sizes[] = {512, 4096};
	uint32_t block_bytes = sizes[_i / 2];
	make_device(block_bytes);
	options.cache = BLOCK_CACHE_NONE;
	if (block_bytes == 4096) {
		options.block_bytes = 512;
		refused("blocks of 4096");
		options.block_bytes = 0;
	}
	open_disk(_i % 2);
	ck_assert_uint_eq(block_info(disk).bytes, DISK_BYTES);
	ck_assert_uint_eq(block_info(disk).block_bytes, block_bytes);
	ck_assert_int_eq(block_refresh(disk), 0);
	ck_assert_int_eq(user_write(q, 0, data, DISK_BYTES), 0);
	ck_assert_int_eq(user_do(q, BLOCK_FLUSH, 0, NULL, 0, 0), 0);
	ck_assert_int_eq(user_do(q, BLOCK_DISCARD, 0, NULL, DISK_BYTES / 2, 0),
			 0);
	ck_assert_int_eq(
		user_do(q, BLOCK_ZERO, DISK_BYTES / 2, NULL, 65536, BLOCK_FUA),
		0);
	ck_assert_int_eq(user_read(q, 0, got, DISK_BYTES), 0);
	ck_assert(user_filled(got + DISK_BYTES / 2, 0, 65536));
	ck_assert(user_filled(got + DISK_BYTES / 2 + 65536, 0x3C,
			      DISK_BYTES / 2 - 65536));
	ck_assert_int_eq(pread(file.fd, got, DISK_BYTES, 0), DISK_BYTES);
	ck_assert(user_filled(got + DISK_BYTES / 2 + 65536, 0x3C, 4096));
}
END_TEST

/* Discarded is given back: here by the file below the device. */
START_TEST(discard_gives_back)
{
	make_device(512);
	open_disk(_i);
	ck_assert(block_info(disk).can_discard);
	ck_assert_int_eq(user_write(q, 0, data, DISK_BYTES), 0);
	ck_assert_int_eq(user_do(q, BLOCK_FLUSH, 0, NULL, 0, 0), 0);
	ck_assert_uint_ge(image_file_used(&file), DISK_BYTES);
	ck_assert_int_eq(user_do(q, BLOCK_DISCARD, 0, NULL, DISK_BYTES / 2, 0),
			 0);
	ck_assert_uint_lt(image_file_used(&file), DISK_BYTES * 3 / 4);
	/* And not by a hole; io_uring can do it since Linux 6.12. */
	if (engines[_i] == BLOCK_AIO_THREADS)
		ck_assert(!((struct raw *)disk)->no_discard);
	ck_assert_int_eq(user_do(q, BLOCK_ZERO, DISK_BYTES / 2, NULL,
				 DISK_BYTES / 2, BLOCK_UNMAP),
			 0);
	ck_assert_int_eq(user_read(q, DISK_BYTES / 2, got, DISK_BYTES / 2), 0);
	ck_assert(user_filled(got, 0, DISK_BYTES / 2));
	ck_assert_int_eq(user_read(q, 0, got, 4096), 0);
}
END_TEST

/* The cache of the device must not show what was there. */
START_TEST(discarded_is_not_cached)
{
	make_device(512);
	open_disk(_i);
	ck_assert_int_eq(user_write(q, 0, data, 65536), 0);
	ck_assert_int_eq(user_do(q, BLOCK_DISCARD, 0, NULL, 65536, 0), 0);
	ck_assert_int_eq(user_read(q, 0, got, 65536), 0);
	ck_assert(user_filled(got, 0, 65536));
	ck_assert_int_eq(user_write(q, 4096, data, 4096), 0);
	ck_assert_int_eq(user_read(q, 0, got, 8192), 0);
	ck_assert(user_filled(got + 4096, 0x3C, 4096));
}
END_TEST

START_TEST(discard_may_be_forbidden)
{
	options.discard = BLOCK_DISCARD_IGNORE;
	make_device(512);
	open_disk(_i);
	ck_assert_int_eq(user_write(q, 0, data, DISK_BYTES), 0);
	ck_assert_int_eq(user_do(q, BLOCK_DISCARD, 0, NULL, DISK_BYTES, 0), 0);
	ck_assert_int_eq(user_read(q, 0, got, DISK_BYTES), 0);
	ck_assert_mem_eq(got, data, DISK_BYTES);
}
END_TEST

/* A snapshot does not touch the device. */
START_TEST(snapshot_discards_its_own)
{
	make_device(512);
	open_disk(_i);
	ck_assert_int_eq(user_write(q, 0, data, DISK_BYTES), 0);
	block_queue_free(q);
	block_free(disk);
	options.snapshot = true;
	open_disk(_i);
	ck_assert_int_eq(user_do(q, BLOCK_DISCARD, 0, NULL, DISK_BYTES, 0), 0);
	ck_assert_int_eq(user_read(q, 0, got, 4096), 0);
	ck_assert(user_filled(got, 0, 4096));
	block_queue_free(q);
	block_free(disk);
	options.snapshot = false;
	open_disk(_i);
	ck_assert_int_eq(user_read(q, 0, got, DISK_BYTES), 0);
	ck_assert_mem_eq(got, data, DISK_BYTES);
}
END_TEST

static bool may_have_devices(void)
{
	int fd = memfd_create("kvmbus-test", MFD_CLOEXEC);
	int err;

	file.fd = fd;
	loop = ftruncate(fd, DISK_BYTES) ? -1 : loop_open(512);
	err = errno;
	if (loop >= 0)
		close(loop);
	close(fd);
	errno = err;
	return loop >= 0;
}

int main(void)
{
	Suite *suite = suite_create("devices/block/raw_device");
	TCase *tc = tcase_create("device");

	if (!may_have_devices()) {
		printf("skip: no loop devices, or not for this user: %s\n",
		       strerror(errno));
		return 77;
	}
	loop = -1;
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, block_device, 0, 4);
	tcase_add_loop_test(tc, discard_gives_back, 0, 2);
	tcase_add_loop_test(tc, discarded_is_not_cached, 0, 2);
	tcase_add_loop_test(tc, discard_may_be_forbidden, 0, 2);
	tcase_add_loop_test(tc, snapshot_discards_its_own, 0, 2);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
