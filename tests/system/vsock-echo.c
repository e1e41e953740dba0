/* SPDX-License-Identifier: MIT */
/*
 * vsock-echo.c - a static program for a Linux guest: `listen PORT` for one
 * connection over AF_VSOCK, `serve PORT` for one after the other, or `connect
 * PORT` to the host, and send back all that comes, until the other end has
 * ended.
 *
 * Exit: 0; 1 a call failed; 2 the connection was not made.
 */
#include <linux/vm_sockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int fail(const char *what, int code)
{
	perror(what);
	return code;
}

static int write_all(int fd, const char *data, ssize_t n)
{
	while (n > 0) {
		ssize_t written = write(fd, data, (size_t)n);

		if (written < 0)
			return -1;
		data += written;
		n -= written;
	}
	return 0;
}

static int echo(int fd)
{
	static char data[65536];
	ssize_t n;

	while ((n = read(fd, data, sizeof(data))) > 0) {
		if (write_all(fd, data, n))
			return fail("write", 1);
	}
	if (n < 0)
		return fail("read", 1);
	shutdown(fd, SHUT_WR);
	close(fd);
	return 0;
}

static int run_listen(int fd, unsigned int port, int serve)
{
	int connection, ret;

	struct sockaddr_vm a = {.svm_family = AF_VSOCK,
				.svm_cid = VMADDR_CID_ANY,
				.svm_port = port};

	if (bind(fd, (const struct sockaddr *)&a, sizeof(a)) || listen(fd, 1))
		return fail("listen", 1);
	puts("listening");
	fflush(stdout);
	do {
		connection = accept(fd, NULL, NULL);
		ret = connection < 0 ? fail("accept", 2) : echo(connection);
	} while (serve);
	return ret;
}

static int run_connect(int fd, unsigned int port)
{
	struct sockaddr_vm a = {.svm_family = AF_VSOCK,
				.svm_cid = VMADDR_CID_HOST,
				.svm_port = port};

	if (connect(fd, (const struct sockaddr *)&a, sizeof(a)))
		return fail("connect", 2);
	return echo(fd);
}

int main(int argc, char **argv)
{
	unsigned int port;
	int fd;

	if (argc != 3)
		return 1;
	port = (unsigned int)strtoul(argv[2], NULL, 10);
	fd = socket(AF_VSOCK, SOCK_STREAM, 0);
	if (fd < 0)
		return fail("socket", 1);
	if (!strcmp(argv[1], "listen") || !strcmp(argv[1], "serve"))
		return run_listen(fd, port, !strcmp(argv[1], "serve"));
	return run_connect(fd, port);
}
