/* SPDX-License-Identifier: MIT */
#include "report/event_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

#define LOG_CATEGORY "report"

struct event_file {
	int fd; /* -1: it failed */
};

struct event_file *event_file_open(const char *path, GError **error)
{
	struct event_file *f;
	int fd;

	fd = strcmp(path, "-") != 0
		     ? open(path,
			    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY,
			    0666)
		     : fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
	if (fd < 0) {
		int err = errno;

		g_set_error(error, G_FILE_ERROR,
			    (int)g_file_error_from_errno(err),
			    "--events %s: %s", path, g_strerror(err));
		return NULL;
	}
	f = g_new0(struct event_file, 1);
	f->fd = fd;
	return f;
}

void event_file_close(struct event_file *file)
{
	if (!file)
		return;
	if (file->fd >= 0)
		close(file->fd);
	g_free(file);
}

static int write_all(int fd, const char *text, size_t bytes)
{
	while (bytes) {
		ssize_t n = write(fd, text, bytes);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		bytes -= (size_t)n;
	}
	return 0;
}

void event_file_write(struct event_file *file, const char *line)
{
	g_autofree char *text = g_strconcat(line, "\n", NULL);
	int err;

	if (file->fd < 0)
		return;
	err = write_all(file->fd, text, strlen(text));
	if (!err)
		return;
	log_warn("--events: %s; no more events are written", g_strerror(-err));
	close(file->fd);
	file->fd = -1;
}
