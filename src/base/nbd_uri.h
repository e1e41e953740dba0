/* SPDX-License-Identifier: MIT */
/*
 * nbd_uri.h - where an NBD server is, as a URI that libnbd reads.
 *
 * Source: NetworkBlockDevice doc/uri.md.
 */
#ifndef BASE_NBD_URI_H
#define BASE_NBD_URI_H

/*
 * @export: what the server calls the disk; NULL: the one without a name
 * Return: owned.
 */

/** nbd_uri_tcp() - @host: a name or an address; @port: NULL: the usual one */
char *nbd_uri_tcp(const char *host, const char *port, const char *export);

/** nbd_uri_unix() - @path: of its socket, absolute */
char *nbd_uri_unix(const char *path, const char *export);

#endif
