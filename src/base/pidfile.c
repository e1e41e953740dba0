/* SPDX-License-Identifier: MIT */
#include "base/pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

struct pidfile {
	char *path;
	int fd;
};

static int fail(int fd, const char *path, int err, GError **error)
{
	g_set_error(error, G_FILE_ERROR, (int)g_file_error_from_errno(err),
		    "--pidfile %s: %s", path,
		    err == EWOULDBLOCK ? "a process that runs has it"
				       : g_strerror(err));
	if (fd >= 0)
		close(fd);
	return -1;
}

/* Return: -1 with @error set. */
static int open_locked(const char *path, GError **error)
{
	char text[32];
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	int n;

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) || ftruncate(fd, 0))
		return fail(fd, path, errno, error);
	n = snprintf(text, sizeof(text), "%d\n", (int)getpid());
	if (pwrite(fd, text, (size_t)n, 0) != n)
		return fail(fd, path, errno ? errno : ENOSPC, error);
	return fd;
}

struct pidfile *pidfile_new(const char *path, GError **error)
{
	struct pidfile *file;
	int fd = open_locked(path, error);

	if (fd < 0)
		return NULL;
	file = g_new0(struct pidfile, 1);
	file->path = g_strdup(path);
	file->fd = fd;
	return file;
}

void pidfile_free(struct pidfile *file)
{
	if (!file)
		return;
	unlink(file->path);
	close(file->fd);
	g_free(file->path);
	g_free(file);
}
