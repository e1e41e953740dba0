/* SPDX-License-Identifier: MIT */
/* host_port.h - a host and its port, as one word. */
#ifndef BASE_HOST_PORT_H
#define BASE_HOST_PORT_H

#include <string.h>

#include <glib.h>

/** host_port() - "HOST:PORT", an IPv6 address in brackets; Return: owned */
static inline char *host_port(const char *host, const char *port)
{
	return g_strdup_printf(strchr(host, ':') ? "[%s]:%s" : "%s:%s", host,
			       port);
}

#endif
