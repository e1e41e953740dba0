/* SPDX-License-Identifier: MIT */
#include "command/newc.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/check_main.h"

/* All of a memfd, with a NUL behind it; owned. */
static char *content(int fd, size_t *len)
{
	off_t end = lseek(fd, 0, SEEK_END);
	char *text = g_malloc0((gsize)end + 1);

	ck_assert_int_eq(pread(fd, text, (size_t)end, 0), end);
	*len = (size_t)end;
	return text;
}

/* The header's number at place @n, the first being the inode. */
static unsigned long field(const char *entry, unsigned int n)
{
	char digits[9] = {0};

	memcpy(digits, entry + 6 + (size_t)n * 8, 8);
	return strtoul(digits, NULL, 16);
}

START_TEST(an_entry_is_as_the_kernel_reads_it)
{
	int fd = memfd_create("newc", MFD_CLOEXEC);
	struct newc *newc = newc_new(fd, 1 << 20);
	g_autofree char *text = NULL;
	size_t len;

	ck_assert_int_eq(newc_file(newc, "/abc", 0755, "hello", 5, NULL), 0);
	ck_assert_int_eq(newc_end(newc, NULL), 0);
	text = content(fd, &len);
	ck_assert_int_eq(memcmp(text, "070701", 6), 0);
	ck_assert_uint_eq(field(text, 1), S_IFREG | 0755);
	ck_assert_uint_eq(field(text, 4), 1); /* links */
	ck_assert_uint_eq(field(text, 5), 0); /* time */
	ck_assert_uint_eq(field(text, 6), 5); /* bytes */
	ck_assert_uint_eq(field(text, 11), 4); /* of the name */
	ck_assert_str_eq(text + 110, "abc");
	/* 110 and 4 are 114, and data begins at a multiple of four */
	ck_assert_int_eq(memcmp(text + 116,
				"hello\0\0\0"
				"070701",
				14),
			 0);
	ck_assert_str_eq(text + 124 + 110, "TRAILER!!!");
	ck_assert_uint_eq(len % 4, 0);
	newc_free(newc);
	close(fd);
}
END_TEST

START_TEST(folders_come_before_what_is_in_them)
{
	int fd = memfd_create("newc", MFD_CLOEXEC);
	struct newc *newc = newc_new(fd, 1 << 20);
	g_autofree char *text = NULL;
	const char *at;
	size_t len;

	ck_assert_int_eq(newc_link(newc, "a/b/c", "../x", NULL), 0);
	ck_assert_int_eq(newc_file(newc, "a/b/d", 0644, NULL, 0, NULL), 0);
	ck_assert(newc_has(newc, "a/b"));
	ck_assert(!newc_has(newc, "b"));
	ck_assert_int_eq(newc_end(newc, NULL), 0);
	text = content(fd, &len);
	ck_assert_uint_eq(field(text, 1), S_IFDIR | 0755);
	ck_assert_str_eq(text + 110, "a");
	at = text + 112;
	ck_assert_str_eq(at + 110, "a/b");
	at += 116;
	ck_assert_uint_eq(field(at, 1), S_IFLNK | 0777);
	ck_assert_str_eq(at + 110, "a/b/c");
	ck_assert_int_eq(memcmp(at + 116, "../x", 4), 0);
	at += 120;
	/* the folders were there already */
	ck_assert_str_eq(at + 110, "a/b/d");
	newc_free(newc);
	close(fd);
}
END_TEST

START_TEST(the_first_of_a_name_stays)
{
	int fd = memfd_create("newc", MFD_CLOEXEC);
	struct newc *newc = newc_new(fd, 1 << 20);
	const struct newc_owner console = {
		.mode = S_IFCHR | 0600, .major = 5, .minor = 1};
	g_autofree char *text = NULL;
	size_t len;

	ck_assert_int_eq(newc_add(newc, "console", &console, NULL, 0, NULL), 0);
	ck_assert_int_eq(newc_file(newc, "console", 0644, "x", 1, NULL), 0);
	ck_assert_int_eq(newc_end(newc, NULL), 0);
	text = content(fd, &len);
	ck_assert_uint_eq(field(text, 1), S_IFCHR | 0600);
	ck_assert_uint_eq(field(text, 9), 5);
	ck_assert_uint_eq(field(text, 10), 1);
	ck_assert_str_eq(text + 120 + 110, "TRAILER!!!");
	newc_free(newc);
	close(fd);
}
END_TEST

START_TEST(there_is_a_bound)
{
	int fd = memfd_create("newc", MFD_CLOEXEC);
	struct newc *newc = newc_new(fd, 3 << 20);
	g_autofree char *data = g_malloc0(2 << 20);
	GError *error = NULL;

	/* larger than what is gathered for one write */
	ck_assert_int_eq(newc_file(newc, "a", 0644, data, 2 << 20, NULL), 0);
	ck_assert_int_eq(newc_file(newc, "b", 0644, data, 2 << 20, &error), -1);
	ck_assert(g_error_matches(error, GUEST_ERROR, 0));
	ck_assert_ptr_nonnull(strstr(error->message, "3 MiB"));
	g_error_free(error);
	newc_free(newc);
	close(fd);
}
END_TEST

START_TEST(a_full_disk_is_an_error)
{
	struct newc *newc = newc_new(-1, 1 << 20);
	GError *error = NULL;

	ck_assert_int_eq(newc_file(newc, "a", 0644, "x", 1, NULL), 0);
	ck_assert_int_eq(newc_end(newc, &error), -1);
	ck_assert(g_error_matches(error, GUEST_ERROR, 0));
	g_error_free(error);
	newc_free(newc);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("newc");
	TCase *t = tcase_create("newc");

	tcase_add_test(t, an_entry_is_as_the_kernel_reads_it);
	tcase_add_test(t, folders_come_before_what_is_in_them);
	tcase_add_test(t, the_first_of_a_name_stays);
	tcase_add_test(t, there_is_a_bound);
	tcase_add_test(t, a_full_disk_is_an_error);
	suite_add_tcase(s, t);
	return check_main(s);
}
