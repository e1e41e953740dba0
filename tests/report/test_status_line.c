/* SPDX-License-Identifier: MIT */
#include "report/status_line.h"

#include <string.h>

#include "report/milestone.h"
#include "support/check_main.h"

START_TEST(it_comes_and_goes)
{
	struct milestones m;
	struct status_line *line;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	milestones_init(&m);
	line = status_line_new(out, &m);
	status_line_show(line);
	ck_assert_ptr_nonnull(strstr(text, "\r\033[Kkvmbus: 0."));
	ck_assert_ptr_nonnull(strstr(text, " s, starting"));
	milestone_reach(&m, MILESTONE_STIMER);
	milestone_reach(&m, MILESTONE_SYNIC);
	status_line_show(line);
	/* the last in time, wherever it is in the list */
	ck_assert_ptr_nonnull(strstr(text, " s, synic"));
	status_line_end(line);
	ck_assert_str_eq(text + size - 4, "\r\033[K");
	/* That was it. */
	status_line_show(line);
	status_line_end(line);
	ck_assert_str_eq(text + size - 4, "\r\033[K");
	status_line_free(line);
	fclose(out);
	free(text);
}
END_TEST

START_TEST(what_was_never_shown_is_not_taken_away)
{
	struct milestones m;
	struct status_line *line;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	milestones_init(&m);
	line = status_line_new(out, &m);
	status_line_free(line);
	status_line_end(NULL);
	status_line_free(NULL);
	fclose(out);
	ck_assert_uint_eq(size, 0);
	free(text);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("status_line");
	TCase *t = tcase_create("status_line");

	tcase_add_test(t, it_comes_and_goes);
	tcase_add_test(t, what_was_never_shown_is_not_taken_away);
	suite_add_tcase(s, t);
	return check_main(s);
}
