/* SPDX-License-Identifier: MIT */
#include "devices/block/block_open.h"

#include "support/check_main.h"
#include "support/image_file.h"

static const struct {
	const char *path, *given, *format;
} formats[] = {
	{"/a/disk.img", NULL, "raw"},     {"/a/disk", NULL, "raw"},
	{"/a/disk.qcow2", NULL, "qcow2"}, {"/a/disk.QCOW2", NULL, "qcow2"},
	{"/a/disk.vhdx", NULL, "vhdx"},   {"/a/disk.vhd", NULL, "vpc"},
	{"/a/disk.vmdk", NULL, "vmdk"},   {"/a/disk.qcow2", "raw", "raw"},
	{"/a/disk.img", "vhdx", "vhdx"},  {"/a.qcow2/disk", NULL, "raw"},
	{".vhdx", NULL, "raw"},
};

START_TEST(format_is_by_name_only)
{
	struct block_options o = {.path = formats[_i].path,
				  .format = formats[_i].given};

	ck_assert_str_eq(block_format(&o), formats[_i].format);
}
END_TEST

/* A guest that writes a qcow2 header to its disk must not be believed. */
START_TEST(format_is_never_guessed)
{
	struct image_file file;
	struct block_options o = {.path = file.path};
	struct block *b;

	image_file_make(&file, 1 << 20);
	ck_assert_int_eq(pwrite(file.fd, "QFI\xFB\0\0\0\3", 8, 0), 8);
	b = block_open(&o, NULL);
	ck_assert_uint_eq(block_info(b).bytes, 1 << 20);
	block_free(b);
	image_file_end(&file);
}
END_TEST

START_TEST(only_raw_is_shared)
{
	const struct block_options o = {
		.path = "/tmp/kvmbus-no-such-file.qcow2", .shareable = true};
	g_autoptr(GError) error = NULL;

	ck_assert_ptr_null(block_open(&o, &error));
	ck_assert_ptr_nonnull(strstr(error->message, "only raw"));
}
END_TEST

START_TEST(words_are_known)
{
	enum block_cache cache;
	enum block_discard discard;
	enum block_detect detect;
	enum block_aio aio;

	ck_assert(block_cache_parse("none", &cache) &&
		  cache == BLOCK_CACHE_NONE);
	ck_assert(block_cache_parse("default", &cache) &&
		  cache == BLOCK_CACHE_WRITEBACK);
	ck_assert(block_cache_parse("unsafe", &cache) &&
		  cache == BLOCK_CACHE_UNSAFE);
	ck_assert(!block_cache_parse("writeBack", &cache));
	ck_assert(!block_cache_parse("", &cache));
	ck_assert(block_discard_parse("ignore", &discard) &&
		  discard == BLOCK_DISCARD_IGNORE);
	ck_assert(!block_discard_parse("on", &discard));
	ck_assert(block_detect_parse("unmap", &detect) &&
		  detect == BLOCK_DETECT_UNMAP);
	ck_assert(!block_detect_parse("yes", &detect));
	ck_assert(block_aio_parse("threads", &aio) && aio == BLOCK_AIO_THREADS);
	ck_assert(block_aio_parse("native", &aio) && aio == BLOCK_AIO_IO_URING);
	ck_assert(!block_aio_parse("fast", &aio));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("devices/block/block_open");
	TCase *tc = tcase_create("block_open");

	tcase_add_loop_test(tc, format_is_by_name_only, 0,
			    G_N_ELEMENTS(formats));
	tcase_add_test(tc, format_is_never_guessed);
	tcase_add_test(tc, only_raw_is_shared);
	tcase_add_test(tc, words_are_known);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
