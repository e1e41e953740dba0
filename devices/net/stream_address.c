/* SPDX-License-Identifier: MIT */
#include "devices/net/stream_address.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/unix_listen.h"

#define TCP      "tcp:"
#define PORT_MAX 65535u

static int refuse(GError **error, const char *text, const char *why)
{
	g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "%s: %s", text,
		    why);
	return -1;
}

bool stream_address_is_tcp(const char *text)
{
	return g_str_has_prefix(text, TCP);
}

static int parse_path(const char *text, struct stream_address *a,
		      GError **error)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};

	if (!*text || strlen(text) >= sizeof(un.sun_path))
		return refuse(error, text,
			      "a socket's path has 1 to 107 bytes");
	memcpy(un.sun_path, text, strlen(text));
	memcpy(&a->sa, &un, sizeof(un));
	a->bytes = sizeof(un);
	return 0;
}

static int look_up(const char *text, const char *host, const char *port,
		   struct stream_address *a, GError **error)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
				       .ai_flags = AI_NUMERICSERV | AI_PASSIVE};
	struct addrinfo *found;
	int err = getaddrinfo(*host ? host : NULL, port, &hints, &found);

	if (err)
		return refuse(error, text, gai_strerror(err));
	memcpy(&a->sa, found->ai_addr, found->ai_addrlen);
	a->bytes = found->ai_addrlen;
	freeaddrinfo(found);
	return 0;
}

static int parse_tcp(const char *text, struct stream_address *a, GError **error)
{
	g_autofree char *host = g_strdup(text + strlen(TCP));
	char *colon = strrchr(host, ':');
	const char *name = host;
	guint64 port;
	size_t n;

	if (!colon || !g_ascii_string_to_unsigned(colon + 1, 10, 1, PORT_MAX,
						  &port, NULL))
		return refuse(error, text, "expected tcp:HOST:PORT");
	*colon = '\0';
	n = strlen(host);
	if (*host == '[' && n > 1 && host[n - 1] == ']') {
		host[n - 1] = '\0';
		name = host + 1;
	} else if (strchr(host, ':')) {
		return refuse(error, text,
			      "an address of IPv6 is written in brackets");
	}
	return look_up(text, name, colon + 1, a, error);
}

int stream_address_parse(const char *text, struct stream_address *a,
			 GError **error)
{
	memset(a, 0, sizeof(*a));
	return stream_address_is_tcp(text) ? parse_tcp(text, a, error)
					   : parse_path(text, a, error);
}

static int new_socket(const struct stream_address *a)
{
	return socket(a->sa.ss_family,
		      SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

static const struct sockaddr *address_of(const struct stream_address *a)
{
	return (const struct sockaddr *)&a->sa;
}

int stream_listen(const char *text, const struct stream_address *a)
{
	int fd, one = 1;

	if (a->sa.ss_family == AF_UNIX)
		return unix_listen(text, 1, 0777);
	fd = new_socket(a);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    bind(fd, address_of(a), a->bytes) || listen(fd, 1)) {
		int err = -errno;

		close(fd);
		return err;
	}
	return fd;
}

int stream_connect(const struct stream_address *a, bool *pending)
{
	int fd = new_socket(a), err;

	*pending = false;
	if (fd < 0)
		return -errno;
	if (!connect(fd, address_of(a), a->bytes)) {
		/* To whom, stream_connected() looks at. */
		*pending = a->sa.ss_family != AF_UNIX;
		return fd;
	}
	err = -errno;
	*pending = err == -EINPROGRESS;
	if (*pending)
		return fd;
	close(fd);
	return err;
}

/*
 * Who connects to a port of this host that nobody listens on may be given just
 * that one as its own, and have itself for a peer.
 */
static bool is_own_peer(int fd)
{
	struct sockaddr_storage own = {0}, peer = {0};
	socklen_t own_bytes = sizeof(own), peer_bytes = sizeof(peer);

	return !getsockname(fd, (struct sockaddr *)&own, &own_bytes) &&
	       !getpeername(fd, (struct sockaddr *)&peer, &peer_bytes) &&
	       own.ss_family != AF_UNIX && own_bytes == peer_bytes &&
	       !memcmp(&own, &peer, own_bytes);
}

int stream_connected(int fd)
{
	int err = 0;
	socklen_t size = sizeof(err);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &size))
		return -errno;
	if (err)
		return -err;
	return is_own_peer(fd) ? -ECONNREFUSED : 0;
}

void stream_settle(int fd)
{
	int one = 1;

	/* Of no use to a Unix socket, which says so. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
}
