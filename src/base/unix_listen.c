/* SPDX-License-Identifier: MIT */
#include "base/unix_listen.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int new_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/* Is there a socket that its owner left behind? */
static bool is_stale(const struct sockaddr_un *a)
{
	struct stat st;
	bool refused;
	int fd;

	/* connect() to any other file is refused, too. */
	if (lstat(a->sun_path, &st) || !S_ISSOCK(st.st_mode))
		return false;
	fd = new_socket();
	if (fd < 0)
		return false;
	/* Where it would block there are many who wait for somebody. */
	refused = connect(fd, (const struct sockaddr *)a, sizeof(*a)) &&
		  errno == ECONNREFUSED;
	close(fd);
	return refused;
}

/* Return: 0 or -errno. */
static int bind_to(int fd, const struct sockaddr_un *a)
{
	if (!bind(fd, (const struct sockaddr *)a, sizeof(*a)))
		return 0;
	if (errno != EADDRINUSE)
		return -errno;
	if (!is_stale(a))
		return -EADDRINUSE;
	unlink(a->sun_path);
	return bind(fd, (const struct sockaddr *)a, sizeof(*a)) ? -errno : 0;
}

int unix_listen(const char *path, int backlog, mode_t mode)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd, err = 0;

	if (!*path || strlen(path) >= sizeof(a.sun_path))
		return -ENAMETOOLONG;
	memcpy(a.sun_path, path, strlen(path));
	fd = new_socket();
	if (fd < 0)
		return -errno;
	/* The name gets the descriptor's mode. */
	if (fchmod(fd, mode))
		err = -errno;
	if (!err)
		err = bind_to(fd, &a);
	if (!err && listen(fd, backlog)) {
		err = -errno;
		unlink(path);
	}
	if (!err)
		return fd;
	close(fd);
	return err;
}
