/* SPDX-License-Identifier: MIT */
#include "vsp/ic/fcopy.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "support/ic_guest.h"
#include "vsp/ic/text.h"

#define LONG (3600 * NSEC_PER_SEC)

static struct ic_fcopy *fcopy;
static struct ic_result result;
static char path[] = "/tmp/kvmbus-fcopy-XXXXXX";
static uint8_t content[3 * DATA_FRAGMENT];

static void fcopy_setup(void)
{
	struct vsp_params p;

	bus_setup();
	p = ic_params();
	fcopy = ic_fcopy_new(&p);
	ck_assert_ptr_nonnull(fcopy);
	ck_assert_ptr_null(ic_fcopy_new(&p));
	ic_fcopy_ops.run(fcopy, true);
	result.calls = 0;
	for (size_t i = 0; i < sizeof(content); i++)
		content[i] = (uint8_t)(i * 7 + i / 256);
}

static void fcopy_teardown(void)
{
	ic_fcopy_ops.free(fcopy);
	ic_fcopy_free(NULL);
	guest_drop_rings(&guest);
	bus_teardown();
}

/* A file with the first @bytes of the content; only the descriptor is left. */
static int make_file(size_t bytes)
{
	char name[sizeof(path)];
	int fd;

	memcpy(name, path, sizeof(name));
	fd = g_mkstemp(name);
	ck_assert_int_ge(fd, 0);
	unlink(name);
	ck_assert_int_eq(write(fd, content, bytes), bytes);
	return fd;
}

static int send_file(int fd, const char *directory, const char *name,
		     uint64_t timeout_ns)
{
	const struct ic_fcopy_file file = {.fd = fd,
					   .directory = directory,
					   .name = name,
					   .create_directory = true};

	return ic_fcopy_send(fcopy, &file, timeout_ns, ic_on_done, &result);
}

static void begin(size_t bytes, uint64_t timeout_ns)
{
	ck_assert_int_eq(
		send_file(make_file(bytes), "/tmp/in", "file", timeout_ns), 0);
}

static struct hv_start_fcopy expect_start(uint64_t size)
{
	struct hv_start_fcopy m;

	memcpy(&m, ic_expect(ICMSGTYPE_FCOPY, sizeof(m)), sizeof(m));
	ck_assert_uint_eq(m.hdr.operation, START_FILE_COPY);
	ck_assert_uint_eq(m.file_size, size);
	return m;
}

/* Take a piece; Return: how long. */
static uint32_t expect_data(uint64_t offset)
{
	struct hv_do_fcopy m;

	memcpy(&m, ic_expect(ICMSGTYPE_FCOPY, sizeof(m)), sizeof(m));
	ck_assert_uint_eq(m.hdr.operation, WRITE_TO_FILE);
	ck_assert_uint_eq(m.offset, offset);
	ck_assert_uint_le(m.size, DATA_FRAGMENT);
	ck_assert_mem_eq(m.data, content + offset, m.size);
	return m.size;
}

static void expect_header(uint32_t operation)
{
	struct hv_fcopy_hdr m;

	memcpy(&m, ic_expect(ICMSGTYPE_FCOPY, sizeof(m)), sizeof(m));
	ck_assert_uint_eq(m.operation, operation);
}

static const size_t sizes[] = {
	0,
	1,
	DATA_FRAGMENT - 1,
	DATA_FRAGMENT,
	DATA_FRAGMENT + 1,
	3 * DATA_FRAGMENT,
};

START_TEST(files)
{
	struct hv_start_fcopy start;
	uint64_t at = 0;
	char *got;

	ic_start(1, 1);
	begin(sizes[_i], LONG);
	start = expect_start(sizes[_i]);
	ck_assert_uint_eq(start.copy_flags, FCOPY_CREATE_PATH);
	got = ic_text_get(start.file_name, sizeof(start.file_name));
	ck_assert_str_eq(got, "file");
	g_free(got);
	got = ic_text_get(start.path_name, sizeof(start.path_name));
	ck_assert_str_eq(got, "/tmp/in/");
	g_free(got);
	ic_answer(HV_S_OK);
	while (at < sizes[_i]) {
		at += expect_data(at);
		ic_answer(HV_S_OK);
	}
	expect_header(COMPLETE_FCOPY);
	ck_assert_uint_eq(result.calls, 0);
	ic_answer(HV_S_OK);
	ic_expect_result(&result, 0);
	ck_assert_uint_eq(ic_number(&ic_fcopy_ops, fcopy, "files"), 1);
	ck_assert_uint_eq(ic_number(&ic_fcopy_ops, fcopy, "bytes"), sizes[_i]);
}
END_TEST

START_TEST(one_after_the_other)
{
	int fd = make_file(1);

	ic_start(1, 1);
	begin(1, LONG);
	ck_assert_int_eq(send_file(fd, "/", "x", LONG), -EBUSY);
	/* It is ours yet. */
	ck_assert_int_eq(close(fd), 0);
	expect_start(1);
	ic_answer(HV_S_OK);
	expect_data(0);
	ic_answer(HV_S_OK);
	expect_header(COMPLETE_FCOPY);
	ic_answer(HV_S_OK);
	ic_expect_result(&result, 0);
	result.calls = 0;
	begin(0, LONG);
	expect_start(0);
	ic_answer(HV_S_OK);
	expect_header(COMPLETE_FCOPY);
	ic_answer(HV_S_OK);
	ic_expect_result(&result, 0);
}
END_TEST

static const struct {
	const char *what;
	unsigned int good; /* answers before */
	uint32_t status;
	int err;
} refusals[] = {
	{"it is there already", 0, HV_ERROR_ALREADY_EXISTS, -EEXIST},
	{"no such directory", 0, HV_E_FAIL, -EIO},
	{"the disk is full", 1, HV_ERROR_DISK_FULL, -ENOSPC},
	{"later", 2, HV_ERROR_DISK_FULL, -ENOSPC},
	{"at the end", 3, HV_E_FAIL, -EIO},
};

START_TEST(the_guest_refuses)
{
	ic_start(1, 1);
	begin(2 * DATA_FRAGMENT, LONG);
	for (unsigned int i = 0; i < refusals[_i].good; i++) {
		ic_get();
		ic_answer(HV_S_OK);
	}
	ic_get();
	ic_answer(refusals[_i].status);
	ic_expect_result(&result, refusals[_i].err);
	expect_header(CANCEL_FCOPY);
	/* 6.10 and later do not know it. */
	ic_answer(HV_E_FAIL);
	result.calls = 0;
	begin(0, LONG);
	expect_start(0);
	ck_assert_uint_eq(ic_number(&ic_fcopy_ops, fcopy, "failures"), 1);
}
END_TEST

START_TEST(no_answer)
{
	ic_start(1, 1);
	begin(1, IC_PATIENCE);
	expect_start(1);
	ic_expect_result(&result, -ETIMEDOUT);
	ic_answer(HV_S_OK);
	expect_header(CANCEL_FCOPY);
}
END_TEST

START_TEST(closed_in_the_middle)
{
	ic_start(1, 1);
	begin(1, LONG);
	expect_start(1);
	ic_answer(HV_S_OK);
	expect_data(0);
	guest_close(&guest);
	ic_expect_result(&result, -ECONNRESET);
}
END_TEST

START_TEST(no_daemon)
{
	begin(1, LONG);
	ic_expect_result(&result, -ENOTCONN);
}
END_TEST

START_TEST(the_file_becomes_shorter)
{
	int fd = make_file(2 * DATA_FRAGMENT);
	int other = dup(fd);

	ic_start(1, 1);
	ck_assert_int_eq(send_file(fd, "/", "x", LONG), 0);
	expect_start(2 * DATA_FRAGMENT);
	ck_assert_int_eq(ftruncate(other, DATA_FRAGMENT), 0);
	ic_answer(HV_S_OK);
	expect_data(0);
	ic_answer(HV_S_OK);
	ic_expect_result(&result, -EIO);
	expect_header(CANCEL_FCOPY);
	close(other);
}
END_TEST

START_TEST(the_file_becomes_longer)
{
	int fd = make_file(1);
	int other = dup(fd);

	ic_start(1, 1);
	ck_assert_int_eq(send_file(fd, "/", "x", LONG), 0);
	expect_start(1);
	ck_assert_int_eq(write(other, content, 100), 100);
	ic_answer(HV_S_OK);
	ck_assert_uint_eq(expect_data(0), 1);
	ic_answer(HV_S_OK);
	expect_header(COMPLETE_FCOPY);
	close(other);
}
END_TEST

START_TEST(what_cannot_be_sent)
{
	g_autofree char *name = g_strnfill(W_MAX_PATH, 'n');
	int fds[2], fd = make_file(1);

	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_eq(send_file(fds[0], "/", "x", LONG), -EINVAL);
	ck_assert_int_eq(send_file(-1, "/", "x", LONG), -EINVAL);
	ck_assert_int_eq(send_file(fd, "/", "", LONG), -EINVAL);
	ck_assert_int_eq(send_file(fd, "", "x", LONG), -EINVAL);
	ck_assert_int_eq(send_file(fd, "/", name, LONG), -ENAMETOOLONG);
	ck_assert_int_eq(send_file(fd, name, "x", LONG), -ENAMETOOLONG);
	ck_assert_int_eq(send_file(fd, "/", "\xFF", LONG), -EILSEQ);
	close(fds[0]);
	close(fds[1]);
	name[W_MAX_PATH - 1] = 0;
	ck_assert_int_eq(send_file(fd, name + 1, name, LONG), 0);
	ic_expect_result(&result, -ENOTCONN);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vsp/ic/fcopy");
	TCase *t = tcase_create("fcopy");

	tcase_set_timeout(t, 30);
	tcase_add_checked_fixture(t, fcopy_setup, fcopy_teardown);
	tcase_add_loop_test(t, files, 0, G_N_ELEMENTS(sizes));
	tcase_add_test(t, one_after_the_other);
	tcase_add_loop_test(t, the_guest_refuses, 0, G_N_ELEMENTS(refusals));
	tcase_add_test(t, no_answer);
	tcase_add_test(t, closed_in_the_middle);
	tcase_add_test(t, no_daemon);
	tcase_add_test(t, the_file_becomes_shorter);
	tcase_add_test(t, the_file_becomes_longer);
	tcase_add_test(t, what_cannot_be_sent);
	suite_add_tcase(s, t);
	return check_main(s);
}
