/* SPDX-License-Identifier: MIT */
#include "boot/image.h"

#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boot_case.h"

#define BYTES 10000u
#define SEED  6

static struct boot_case c;
static char *dir;
static char *path;
static struct image *image;

static void setup(void)
{
	g_autoptr(GByteArray) content = pattern(BYTES, SEED);

	c = case_new(2 * MIB);
	dir = g_dir_make_tmp("kvmbus-image-XXXXXX", NULL);
	ck_assert_ptr_nonnull(dir);
	path = g_build_filename(dir, "file", NULL);
	ck_assert(g_file_set_contents(path, (const char *)content->data, BYTES,
				      NULL));
	image = image_open(path, NULL);
	ck_assert_ptr_nonnull(image);
}

static void teardown(void)
{
	image_free(image);
	g_unlink(path);
	g_rmdir(dir);
	g_free(path);
	g_free(dir);
	case_free(&c);
}

START_TEST(reads_what_is_there)
{
	g_autoptr(GByteArray) want = pattern(BYTES, SEED);
	uint8_t got[100];

	ck_assert_uint_eq(image_bytes(image), BYTES);
	ck_assert_str_eq(image_name(image), path);
	ck_assert_int_eq(image_read(image, 500, got, sizeof(got), &c.error), 0);
	ck_assert_mem_eq(got, want->data + 500, sizeof(got));
	ck_assert_int_eq(image_read(image, BYTES, got, 0, &c.error), 0);
}
END_TEST

START_TEST(refuses_to_read_past_the_end)
{
	uint8_t got[100];

	ck_assert_refused(&c, image_read(image, BYTES - 99, got, 100, &c.error),
			  BOOT_ERROR_TRUNCATED,
			  "promise 10001 bytes, the file has 10000");
	g_clear_error(&c.error);
	ck_assert_refused(&c,
			  image_read(image, UINT64_MAX - 1, got, 100, &c.error),
			  BOOT_ERROR_TRUNCATED, "truncated");
}
END_TEST

START_TEST(peek_takes_what_there_is)
{
	uint8_t got[100];

	ck_assert_int_eq(image_peek(image, BYTES - 7, got, 100, &c.error), 7);
	ck_assert_int_eq(image_peek(image, BYTES, got, 100, &c.error), 0);
	ck_assert_int_eq(image_peek(image, UINT64_MAX, got, 100, &c.error), 0);
	ck_assert_int_eq(image_peek(image, 0, got, 100, &c.error), 100);
}
END_TEST

START_TEST(loads_into_ram)
{
	ck_assert_int_eq(image_load(image, 0, c.mem, 0x3000, BYTES, &c.error),
			 0);
	ck_assert_pattern(&c, 0x3000, BYTES, SEED);
	ck_assert_uint_eq(case_u64(&c, 0x3000 + BYTES), 0);
}
END_TEST

START_TEST(loads_to_an_odd_address)
{
	ck_assert_int_eq(image_load(image, 0, c.mem, 0x3001, BYTES, &c.error),
			 0);
	ck_assert_pattern(&c, 0x3001, BYTES, SEED);
	ck_assert_int_eq(
		image_load(image, 0, c.mem, 2 * MIB - BYTES, BYTES, &c.error),
		0);
	ck_assert_pattern(&c, 2 * MIB - BYTES, BYTES, SEED);
}
END_TEST

START_TEST(refuses_to_load_outside_ram)
{
	static const uint64_t gpas[] = {2 * MIB - BYTES + 1, 2 * MIB,
					0xFEE00000, UINT64_MAX - 5};

	for (size_t i = 0; i < G_N_ELEMENTS(gpas); i++) {
		ck_assert_refused(
			&c,
			image_load(image, 0, c.mem, gpas[i], BYTES, &c.error),
			BOOT_ERROR_MEMORY, "not guest RAM");
		g_clear_error(&c.error);
	}
}
END_TEST

/* A file is opened, and then somebody cuts it. */
START_TEST(notices_a_file_that_shrinks)
{
	ck_assert_int_eq(truncate(path, 5000), 0);
	ck_assert_refused(&c,
			  image_load(image, 0, c.mem, 0x3000, BYTES, &c.error),
			  BOOT_ERROR_TRUNCATED, "became shorter");
}
END_TEST

START_TEST(bytes_stand_for_a_file)
{
	g_autoptr(GBytes) bytes =
		g_byte_array_free_to_bytes(pattern(BYTES, SEED));
	struct image *memory = image_from_bytes("made up", bytes);
	uint8_t got[10];

	ck_assert_str_eq(image_name(memory), "made up");
	ck_assert_uint_eq(image_bytes(memory), BYTES);
	ck_assert_int_eq(image_load(memory, 0, c.mem, 0x3000, BYTES, &c.error),
			 0);
	ck_assert_pattern(&c, 0x3000, BYTES, SEED);
	ck_assert_int_eq(image_peek(memory, BYTES - 4, got, 10, &c.error), 4);
	ck_assert_int_eq(image_read(memory, BYTES - 4, got, 10, &c.error), -1);
	image_free(memory);
}
END_TEST

START_TEST(refuses_what_is_no_file)
{
	g_autofree char *nothing = g_build_filename(dir, "nothing", NULL);
	g_autofree char *fifo = g_build_filename(dir, "fifo", NULL);

	ck_assert_ptr_null(image_open(nothing, &c.error));
	ck_assert_refused(&c, -1, BOOT_ERROR_FILE,
			  "cannot open: No such file or directory");
	ck_assert_ptr_nonnull(strstr(c.error->message, nothing));
	g_clear_error(&c.error);

	ck_assert_ptr_null(image_open(dir, &c.error));
	ck_assert_refused(&c, -1, BOOT_ERROR_FILE, "not a regular file");
	g_clear_error(&c.error);

	ck_assert_ptr_null(image_open("/dev/zero", &c.error));
	ck_assert_refused(&c, -1, BOOT_ERROR_FILE, "not a regular file");
	g_clear_error(&c.error);

	/* Nobody will ever open its other end. */
	ck_assert_int_eq(mkfifo(fifo, 0600), 0);
	ck_assert_ptr_null(image_open(fifo, &c.error));
	ck_assert_refused(&c, -1, BOOT_ERROR_FILE, "not a regular file");
	g_unlink(fifo);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("boot/image");
	TCase *t = tcase_create("image");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, reads_what_is_there);
	tcase_add_test(t, refuses_to_read_past_the_end);
	tcase_add_test(t, peek_takes_what_there_is);
	tcase_add_test(t, loads_into_ram);
	tcase_add_test(t, loads_to_an_odd_address);
	tcase_add_test(t, refuses_to_load_outside_ram);
	tcase_add_test(t, notices_a_file_that_shrinks);
	tcase_add_test(t, bytes_stand_for_a_file);
	tcase_add_test(t, refuses_what_is_no_file);
	suite_add_tcase(s, t);
	return check_main(s);
}
