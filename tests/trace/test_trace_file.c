/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/trace.h"
#include "proto/hv_tlfs.h"
#include "support/check_main.h"
#include "trace/flight.h"
#include "trace/trace_file.h"

static char path[] = "/tmp/kvmbus-trace-XXXXXX";

static void setup(void)
{
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	close(fd);
}

static void teardown(void)
{
	unlink(path);
}

static struct trace_file *start(const char *categories,
				enum trace_format format)
{
	struct trace_file *f;
	uint32_t mask;

	ck_assert_int_eq(trace_parse_categories(categories, &mask), 0);
	f = trace_file_start(path, mask, format, NULL);
	ck_assert_ptr_nonnull(f);
	return f;
}

static char *contents(void)
{
	char *text;

	ck_assert(g_file_get_contents(path, &text, NULL, NULL));
	return text;
}

static unsigned int count_lines(const char *text)
{
	unsigned int n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

START_TEST(what_is_recorded_is_written)
{
	struct trace_file *f = start("msr", TRACE_TEXT);
	g_autofree char *text = NULL;

	for (unsigned int i = 0; i < 1000; i++)
		trace_event(msr_write, 0, 0, HV_X64_MSR_EOM, i);
	ck_assert_uint_eq(trace_file_stop(f), 0);
	text = contents();
	ck_assert_uint_eq(count_lines(text), 1000);
	ck_assert_ptr_nonnull(strstr(text, "EOM value=0x3e7\n"));
}
END_TEST

START_TEST(other_categories_are_not)
{
	struct trace_file *f = start("synic", TRACE_JSON);
	g_autofree char *text = NULL;

	trace_event(msr_write, 0, 0, HV_X64_MSR_EOM, 1);
	trace_event(event_flag, 0, 0, 2, 3, 1);
	trace_file_stop(f);
	text = contents();
	ck_assert_uint_eq(count_lines(text), 1);
	ck_assert_int_eq(text[0], '{');
	ck_assert_ptr_nonnull(strstr(text, "\"sint\":2,\"flag\":3}"));
}
END_TEST

/* Read a pipe until nobody writes to it any more. */
static void *read_all(void *arg)
{
	int fd = *(const int *)arg;
	GString *text = g_string_new(NULL);
	char part[4096];
	ssize_t n;

	while ((n = read(fd, part, sizeof(part))) > 0)
		g_string_append_len(text, part, n);
	return g_string_free(text, FALSE);
}

START_TEST(what_was_lost_is_said)
{
	g_autofree char *text = NULL;
	struct trace_file *f;
	pthread_t thread;
	void *result;
	uint64_t lost;
	int fd;

	/*
	 * Nobody reads the pipe, so the lines of a few hundred records stop
	 * the writer, however fast it is; the ring has to do without it.
	 */
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fcntl(fd, F_SETFL, 0), 0);
	f = start("msr", TRACE_TEXT);
	for (unsigned int i = 0; i < 1000000; i++)
		trace_event(msr_write, 0, 0, HV_X64_MSR_EOM, i);
	ck_assert_int_eq(pthread_create(&thread, NULL, read_all, &fd), 0);
	lost = trace_file_stop(f);
	ck_assert_int_eq(pthread_join(thread, &result), 0);
	close(fd);
	text = result;
	ck_assert_uint_gt(lost, 0);
	ck_assert_ptr_nonnull(strstr(text, " records were lost\n"));
	ck_assert_ptr_nonnull(strstr(text, "EOM value=0xf423f\n"));
}
END_TEST

START_TEST(a_file_that_can_not_be_made)
{
	GError *error = NULL;

	ck_assert_ptr_null(
		trace_file_start("/nonexistent/x", 1, TRACE_TEXT, &error));
	ck_assert(g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOENT));
	ck_assert_ptr_nonnull(strstr(error->message, "--trace-file"));
	g_error_free(error);
	trace_file_stop(NULL);
}
END_TEST

START_TEST(the_flight_recorder_has_the_last)
{
	g_autofree char *text = NULL;

	for (unsigned int i = 0; i < 5000; i++)
		trace_event(msr_write, 0, 0, HV_X64_MSR_EOM, i);
	text = g_string_free(flight_text(10, TRACE_TEXT), FALSE);
	ck_assert_uint_eq(count_lines(text), 10);
	ck_assert_ptr_nonnull(strstr(text, "EOM value=0x1387\n"));
	ck_assert_ptr_null(strstr(text, "EOM value=0x137d\n"));
	g_free(g_steal_pointer(&text));
	text = g_string_free(flight_text(0, TRACE_TEXT), FALSE);
	ck_assert_str_eq(text, "");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("trace_file");
	TCase *tc = tcase_create("trace_file");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_is_recorded_is_written);
	tcase_add_test(tc, other_categories_are_not);
	tcase_add_test(tc, what_was_lost_is_said);
	tcase_add_test(tc, a_file_that_can_not_be_made);
	tcase_add_test(tc, the_flight_recorder_has_the_last);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
