/* SPDX-License-Identifier: MIT */
#include "control/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 64

/* Is there a socket that its owner left behind? */
static bool is_stale(const struct sockaddr_un *address)
{
	struct stat st;
	int fd, err;

	if (lstat(address->sun_path, &st) || !S_ISSOCK(st.st_mode))
		return false;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	err = connect(fd, (const struct sockaddr *)address, sizeof(*address))
		      ? errno
		      : 0;
	close(fd);
	return err == ECONNREFUSED;
}

int listen_at(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	mode_t mask;
	int fd, err = 0;

	if (!*path || strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (is_stale(&address))
		unlink(path);
	/* So there is no moment at which others may connect. */
	mask = umask(0177);
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) ||
	    listen(fd, BACKLOG))
		err = -errno;
	umask(mask);
	if (err)
		close(fd);
	return err ? err : fd;
}

int listen_adopt(int fd)
{
	struct sockaddr_storage address = {0};
	socklen_t bytes = sizeof(address), type_bytes;
	int type = 0, flags;

	type_bytes = sizeof(type);
	if (getsockname(fd, (struct sockaddr *)&address, &bytes) ||
	    getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_bytes))
		return -errno;
	if (address.ss_family != AF_UNIX || type != SOCK_STREAM)
		return -EPROTOTYPE;
	flags = fcntl(fd, F_GETFL);
	if (listen(fd, BACKLOG) || flags < 0 ||
	    fcntl(fd, F_SETFL, flags | O_NONBLOCK) ||
	    fcntl(fd, F_SETFD, FD_CLOEXEC))
		return -errno;
	return 0;
}
