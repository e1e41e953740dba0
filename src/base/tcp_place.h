/* SPDX-License-Identifier: MIT */
/* tcp_place.h - a host and its port, as --net socket has them. */
#ifndef BASE_TCP_PLACE_H
#define BASE_TCP_PLACE_H

#include <string.h>

#include <glib.h>

/** tcp_place() - "tcp:HOST:PORT", an IPv6 address in brackets; Return: owned */
static inline char *tcp_place(const char *host, const char *port)
{
	return g_strdup_printf(strchr(host, ':') ? "tcp:[%s]:%s" : "tcp:%s:%s",
			       host, port);
}

#endif
