/* SPDX-License-Identifier: MIT */
/*
 * stream_address.h - where a stream socket is: a path, or a port of TCP.
 */
#ifndef DEVICES_NET_STREAM_ADDRESS_H
#define DEVICES_NET_STREAM_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

#include <glib.h>

struct stream_address {
	struct sockaddr_storage sa;
	socklen_t bytes;
};

/**
 * stream_address_parse() - "PATH", or "tcp:HOST:PORT"
 *
 * HOST is a name or an address, one of IPv6 in brackets; none is every address
 * of this host to listen, and this host itself to connect.  A name is looked
 * up, which may take seconds.  "./tcp:x" is a path.
 *
 * Return: 0; -1 with @error set.
 */
int stream_address_parse(const char *text, struct stream_address *a,
			 GError **error);

/** stream_address_is_tcp() - by its text: is it no path? */
bool stream_address_is_tcp(const char *text);

/**
 * stream_listen() - at @text, which is @a
 *
 * A Unix socket that an earlier owner left behind is replaced, and anybody may
 * connect to the new one.
 *
 * Return: a listening descriptor that does not block; -errno.
 */
int stream_listen(const char *text, const struct stream_address *a);

/**
 * stream_connect() - begin to connect
 * @pending: out: it is not connected yet; when it can be written to
 *           stream_connected() says how that ended
 *
 * Return: a descriptor that does not block; -errno.
 */
int stream_connect(const struct stream_address *a, bool *pending);

/** stream_connected() - Return: 0; -errno */
int stream_connected(int fd);

/** stream_settle() - a connection was made: small packets go at once */
void stream_settle(int fd);

#endif
