/* SPDX-License-Identifier: MIT */
/* free_port.h - a port of TCP, at this host's loopback, that nobody has. */
#ifndef SUPPORT_FREE_PORT_H
#define SUPPORT_FREE_PORT_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <check.h>

static inline struct sockaddr_in free_port(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t bytes = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(bind(fd, (void *)&a, sizeof(a)), 0);
	ck_assert_int_eq(getsockname(fd, (void *)&a, &bytes), 0);
	close(fd);
	return a;
}

#endif
