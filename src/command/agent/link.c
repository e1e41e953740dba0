/* SPDX-License-Identifier: MIT */
#include "command/agent/agent.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <termios.h>
#include <unistd.h>

#include <linux/vm_sockets.h>

#define SERIAL_PORT    "/dev/ttyS1"
#define CONNECT_S      10
/* How long the host may take to read the rest, when its reader is slow. */
#define BYE_TIMEOUT_MS 30000

static int open_hvsock(void)
{
	const struct sockaddr_vm host = {
		.svm_family = AF_VSOCK,
		.svm_port = AGENT_PORT,
		.svm_cid = VMADDR_CID_HOST,
	};
	const struct timeval patience = {.tv_sec = CONNECT_S};
	int fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	setsockopt(fd, AF_VSOCK, SO_VM_SOCKETS_CONNECT_TIMEOUT, &patience,
		   sizeof(patience));
	if (connect(fd, (const struct sockaddr *)&host, sizeof(host))) {
		int err = -errno;

		close(fd);
		return err;
	}
	return fd;
}

static int open_serial(void)
{
	int fd = open(SERIAL_PORT, O_RDWR | O_NOCTTY | O_CLOEXEC);
	struct termios t;

	if (fd < 0)
		return -errno;
	if (!tcgetattr(fd, &t)) {
		cfmakeraw(&t);
		t.c_cflag |= CLOCAL | CREAD;
		cfsetspeed(&t, B115200);
		tcsetattr(fd, TCSANOW, &t);
	}
	return fd;
}

int link_open(struct link *link, bool hvsock)
{
	link->fd = hvsock ? open_hvsock() : -1;
	if (link->fd < 0)
		link->fd = open_serial();
	link->open = link->fd >= 0;
	if (!link->open)
		return -ENODEV;
	return link_send(link, AGENT_HELLO, AGENT_MAGIC, strlen(AGENT_MAGIC));
}

static int write_all(struct link *link, const uint8_t *data, size_t len)
{
	while (len) {
		ssize_t n = write(link->fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			link->lost = true;
			return -EIO;
		}
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

int link_send(struct link *link, enum agent_kind kind, const void *data,
	      size_t len)
{
	uint8_t bytes[sizeof(struct agent_frame) + AGENT_DATA_MAX];
	const struct agent_frame frame = {
		.kind = (uint8_t)kind,
		.len = (uint16_t)len,
	};

	if (!link->open || link->lost || len > AGENT_DATA_MAX)
		return -EIO;
	memcpy(bytes, &frame, sizeof(frame));
	memcpy(bytes + sizeof(frame), data, len);
	return write_all(link, bytes, sizeof(frame) + len);
}

static int read_all(struct link *link, void *to, size_t len)
{
	uint8_t *data = to;

	while (len) {
		ssize_t n = read(link->fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -EIO;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

int link_read(struct link *link, struct agent_frame *frame,
	      uint8_t data[AGENT_DATA_MAX])
{
	if (read_all(link, frame, sizeof(*frame)))
		return -EIO;
	if (frame->len > AGENT_DATA_MAX)
		return -EPROTO;
	return read_all(link, data, frame->len);
}

void link_end(struct link *link)
{
	struct pollfd fd = {.fd = link->fd, .events = POLLIN};
	uint8_t data[AGENT_DATA_MAX];
	struct agent_frame frame;

	while (link->open && !link->lost && poll(&fd, 1, BYE_TIMEOUT_MS) > 0) {
		if (link_read(link, &frame, data) || frame.kind == AGENT_BYE)
			return;
	}
}

void note(struct link *link, const char *text)
{
	size_t len = strlen(text);

	dprintf(STDERR_FILENO, "kvmbus: %s\n", text);
	if (link->open)
		link_send(link, AGENT_NOTE, text, len);
	else if (len < sizeof(link->notes) - link->notes_len) {
		memcpy(link->notes + link->notes_len, text, len + 1);
		link->notes_len += len + 1;
	}
}

void flush_notes(struct link *link)
{
	for (size_t at = 0; at < link->notes_len;
	     at += strlen(link->notes + at) + 1)
		link_send(link, AGENT_NOTE, link->notes + at,
			  strlen(link->notes + at));
	link->notes_len = 0;
}
