/* SPDX-License-Identifier: MIT */
#include "base/unix_listen.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <glib.h>
#include <glib/gstdio.h>

#include "support/check_main.h"

static char *dir, *path;

static void setup(void)
{
	dir = g_dir_make_tmp("kvmbus-listen-XXXXXX", NULL);
	ck_assert_ptr_nonnull(dir);
	path = g_build_filename(dir, "s", NULL);
}

static void teardown(void)
{
	unlink(path);
	ck_assert_int_eq(rmdir(dir), 0);
	g_free(path);
	g_free(dir);
}

/* Return: 0 or -errno; @fd stays open. */
static int connect_to(int *fd)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	g_strlcpy(a.sun_path, path, sizeof(a.sun_path));
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	return connect(*fd, (struct sockaddr *)&a, sizeof(a)) ? -errno : 0;
}

static mode_t mode_of(const char *at)
{
	struct stat st;

	ck_assert_int_eq(lstat(at, &st), 0);
	return st.st_mode;
}

START_TEST(a_socket)
{
	int fd, client, other;

	umask(022);
	fd = unix_listen(path, 4, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_uint_eq(mode_of(path), S_IFSOCK | 0600);
	ck_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	ck_assert_int_eq(accept(fd, NULL, NULL), -1);
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_int_eq(connect_to(&client), 0);
	other = accept(fd, NULL, NULL);
	ck_assert_int_ge(other, 0);
	close(other);
	close(client);
	close(fd);
}
END_TEST

START_TEST(the_umask_counts)
{
	int fd;

	umask(027);
	fd = unix_listen(path, 4, 0777);
	ck_assert_int_ge(fd, 0);
	ck_assert_uint_eq(mode_of(path), S_IFSOCK | 0750);
	close(fd);
}
END_TEST

START_TEST(what_was_left_behind_is_replaced)
{
	int fd = unix_listen(path, 4, 0600);

	close(fd);
	fd = unix_listen(path, 4, 0600);
	ck_assert_int_ge(fd, 0);
	close(fd);
}
END_TEST

START_TEST(what_somebody_listens_on_stays)
{
	int fd = unix_listen(path, 4, 0600), client;

	ck_assert_int_eq(unix_listen(path, 4, 0600), -EADDRINUSE);
	ck_assert_int_eq(connect_to(&client), 0);
	close(client);
	close(fd);
}
END_TEST

/* Somebody listens and does not accept, and nobody else has room to wait. */
START_TEST(it_does_not_wait_for_one_that_is_busy)
{
	int fd = unix_listen(path, 0, 0600), clients[8], n = 0;

	while (n < 8 && !connect_to(&clients[n]))
		n++;
	ck_assert_int_lt(n, 8);
	ck_assert_int_eq(unix_listen(path, 4, 0600), -EADDRINUSE);
	while (n >= 0)
		close(clients[n--]);
	close(fd);
}
END_TEST

START_TEST(another_file_stays)
{
	g_autofree char *target = g_build_filename(dir, "t", NULL);

	ck_assert(g_file_set_contents(path, "x", 1, NULL));
	ck_assert_int_eq(unix_listen(path, 4, 0600), -EADDRINUSE);
	ck_assert(S_ISREG(mode_of(path)));
	unlink(path);
	ck_assert_int_eq(symlink(target, path), 0);
	ck_assert_int_eq(unix_listen(path, 4, 0600), -EADDRINUSE);
	ck_assert(S_ISLNK(mode_of(path)));
}
END_TEST

START_TEST(paths_that_cannot_be)
{
	char text[110] = {0};

	ck_assert_int_eq(unix_listen("", 4, 0600), -ENAMETOOLONG);
	memset(text, 'x', 108);
	ck_assert_int_eq(unix_listen(text, 4, 0600), -ENAMETOOLONG);
	ck_assert_int_eq(unix_listen("/nowhere/s", 4, 0600), -ENOENT);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("base/unix_listen");
	TCase *t = tcase_create("unix_listen");

	tcase_set_timeout(t, 10);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_socket);
	tcase_add_test(t, the_umask_counts);
	tcase_add_test(t, what_was_left_behind_is_replaced);
	tcase_add_test(t, what_somebody_listens_on_stays);
	tcase_add_test(t, it_does_not_wait_for_one_that_is_busy);
	tcase_add_test(t, another_file_stays);
	tcase_add_test(t, paths_that_cannot_be);
	suite_add_tcase(s, t);
	return check_main(s);
}
