/* SPDX-License-Identifier: MIT */
#include "base/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <glib.h>

#include "base/log.h"

#define LOG_CATEGORY "main"

/* More are nobody's doing but a mistake's. */
#define FDS_MAX 64u

static struct sockaddr_un manager;
static socklen_t manager_bytes; /* 0: there is none */

static void find_manager(const char *path)
{
	size_t n = path ? strlen(path) : 0;

	manager_bytes = 0;
	if (n < 2 || n >= sizeof(manager.sun_path) ||
	    (*path != '/' && *path != '@'))
		return;
	manager.sun_family = AF_UNIX;
	memcpy(manager.sun_path, path, n);
	/* In the abstract namespace. */
	if (*path == '@')
		manager.sun_path[0] = '\0';
	manager_bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
}

static int count_fds(const char *pid, const char *fds)
{
	guint64 whose, n;

	if (!pid || !fds ||
	    !g_ascii_string_to_unsigned(pid, 10, 0, G_MAXINT, &whose, NULL) ||
	    whose != (guint64)getpid() ||
	    !g_ascii_string_to_unsigned(fds, 10, 0, FDS_MAX, &n, NULL))
		return 0;
	for (int fd = NOTIFY_FDS_START; fd < NOTIFY_FDS_START + (int)n; fd++)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	return (int)n;
}

/* NOLINTBEGIN(concurrency-mt-unsafe): there is one thread yet */
int notify_init(void)
{
	int n = count_fds(getenv("LISTEN_PID"), getenv("LISTEN_FDS"));

	find_manager(getenv("NOTIFY_SOCKET"));
	unsetenv("NOTIFY_SOCKET");
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return n;
}
/* NOLINTEND(concurrency-mt-unsafe): there is one thread yet */

void notify_send(const char *state)
{
	int fd;

	if (!manager_bytes)
		return;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 ||
	    sendto(fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT,
		   (const struct sockaddr *)&manager, manager_bytes) < 0)
		log_warn("systemd cannot be told \"%s\": %s", state,
			 g_strerror(errno));
	if (fd >= 0)
		close(fd);
}
