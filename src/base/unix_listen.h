/* SPDX-License-Identifier: MIT */
/*
 * unix_listen.h - a Unix stream socket that others connect to, by its path.
 *
 * Thread: any.
 */
#ifndef BASE_UNIX_LISTEN_H
#define BASE_UNIX_LISTEN_H

#include <sys/types.h>

/**
 * unix_listen() - make one
 * @mode: of the file, less the umask; at no moment may anybody else connect
 *
 * A socket there that nobody listens on was left behind and is replaced.  One
 * that somebody does, and any other file, stays.  Waits for nobody.
 *
 * Return: a descriptor that does not block and is closed on exec; -EADDRINUSE
 * there is something; -ENAMETOOLONG @path has not 1 to 107 bytes; -errno.
 */
int unix_listen(const char *path, int backlog, mode_t mode);

#endif
