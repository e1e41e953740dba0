/* SPDX-License-Identifier: MIT */
#include "devices/block/image_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <glib.h>

#include "support/check_main.h"
#include "support/image_file.h"

/* Who comes second, after whom. */
static const struct {
	const char *what;
	bool first_writes, first_shares, writes, shares;
	int result;
} cases[] = {
	{"two readers", false, false, false, false, 0},
	{"two writers", true, false, true, false, -EBUSY},
	{"a writer, then a reader", true, false, false, false, -EBUSY},
	{"a reader, then a writer", false, false, true, false, -EBUSY},
	{"two writers who share", true, true, true, true, 0},
	{"the first does not share", true, false, true, true, -EBUSY},
	{"the second does not share", true, true, true, false, -EBUSY},
	{"a reader who does not mind", true, true, false, true, 0},
	{"a writer the reader minds", false, false, true, true, -EBUSY},
};

START_TEST(who_may_come)
{
	struct image_file f;
	int first, second;

	image_file_make(&f, 4096);
	first = open(f.path, O_RDWR | O_CLOEXEC);
	second = open(f.path, O_RDWR | O_CLOEXEC);
	ck_assert_int_eq(image_lock(first, cases[_i].first_writes,
				    cases[_i].first_shares),
			 0);
	ck_assert_msg(image_lock(second, cases[_i].writes, cases[_i].shares) ==
			      cases[_i].result,
		      "%s", cases[_i].what);
	/* Who was refused is in nobody's way. */
	if (cases[_i].result) {
		int third = open(f.path, O_RDWR | O_CLOEXEC);

		close(first);
		ck_assert_int_eq(image_lock(third, true, false), 0);
		close(third);
	} else {
		close(first);
	}
	close(second);
	image_file_end(&f);
}
END_TEST

START_TEST(for_reading_only)
{
	struct image_file f;
	int fd;

	image_file_make(&f, 4096);
	fd = open(f.path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(image_lock(fd, false, false), 0);
	close(fd);
	image_file_end(&f);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("devices/block/image_lock");
	TCase *tc = tcase_create("image_lock");

	tcase_add_loop_test(tc, who_may_come, 0, G_N_ELEMENTS(cases));
	tcase_add_test(tc, for_reading_only);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
