/* SPDX-License-Identifier: MIT */
#include "base/notify.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "support/check_main.h"

static char *folder;

static void setup(void)
{
	folder = g_dir_make_tmp("kvmbus-notify-XXXXXX", NULL);
}

static void teardown(void)
{
	g_rmdir(folder);
	g_free(folder);
}

/* A manager at @path, "@" for the abstract namespace. */
static int manager(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	size_t n = strlen(path);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	memcpy(a.sun_path, path, n);
	if (*path == '@')
		a.sun_path[0] = '\0';
	ck_assert(
		!bind(fd, (struct sockaddr *)&a,
		      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)));
	return fd;
}

static void expect_heard(const char *path)
{
	char text[64] = "";
	int fd = manager(path);

	ck_assert(!setenv("NOTIFY_SOCKET", path, 1));
	ck_assert_int_eq(notify_init(), 0);
	ck_assert_ptr_null(getenv("NOTIFY_SOCKET"));
	notify_send("READY=1\nSTATUS=well");
	ck_assert_int_eq(read(fd, text, sizeof(text) - 1), 19);
	ck_assert_str_eq(text, "READY=1\nSTATUS=well");
	close(fd);
	/* Nobody is there any more, which is no harm. */
	notify_send("STOPPING=1");
}

START_TEST(a_manager_with_a_path)
{
	g_autofree char *path = g_build_filename(folder, "notify", NULL);

	expect_heard(path);
	g_unlink(path);
}
END_TEST

START_TEST(a_manager_without_one)
{
	g_autofree char *name =
		g_strdup_printf("@kvmbus-test-%d", (int)getpid());

	expect_heard(name);
}
END_TEST

START_TEST(no_manager)
{
	static const char *const odd[] = {"", "x", "relative/path", "@"};

	unsetenv("NOTIFY_SOCKET");
	notify_init();
	notify_send("READY=1");
	for (size_t i = 0; i < G_N_ELEMENTS(odd); i++) {
		ck_assert(!setenv("NOTIFY_SOCKET", odd[i], 1));
		notify_init();
		notify_send("READY=1");
	}
}
END_TEST

static int fds_for(const char *pid, const char *fds)
{
	ck_assert(!setenv("LISTEN_PID", pid, 1));
	ck_assert(!setenv("LISTEN_FDS", fds, 1));
	return notify_init();
}

START_TEST(sockets_that_were_passed)
{
	g_autofree char *us = g_strdup_printf("%d", (int)getpid());
	g_autofree char *other = g_strdup_printf("%d", (int)getppid());

	ck_assert_int_eq(fds_for(other, "1"), 0);
	ck_assert_int_eq(fds_for(us, ""), 0);
	ck_assert_int_eq(fds_for(us, "-1"), 0);
	ck_assert_int_eq(fds_for(us, "1000"), 0);
	ck_assert_int_eq(fds_for("x", "1"), 0);
	dup2(0, NOTIFY_FDS_START);
	ck_assert_int_eq(fds_for(us, "1"), 1);
	ck_assert_int_eq(fcntl(NOTIFY_FDS_START, F_GETFD), FD_CLOEXEC);
	ck_assert_ptr_null(getenv("LISTEN_FDS"));
	ck_assert_ptr_null(getenv("LISTEN_PID"));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("base/notify");
	TCase *t = tcase_create("notify");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_manager_with_a_path);
	tcase_add_test(t, a_manager_without_one);
	tcase_add_test(t, no_manager);
	tcase_add_test(t, sockets_that_were_passed);
	suite_add_tcase(s, t);
	return check_main(s);
}
