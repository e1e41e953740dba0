/* SPDX-License-Identifier: MIT */
#include "control/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#include "base/unix_listen.h"

#define BACKLOG 64

int listen_at(const char *path)
{
	return unix_listen(path, BACKLOG, 0600);
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
