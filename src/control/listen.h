/* SPDX-License-Identifier: MIT */
/*
 * listen.h - the Unix stream socket that clients connect to.
 */
#ifndef CONTROL_LISTEN_H
#define CONTROL_LISTEN_H

/**
 * listen_at() - make one of mode 0600
 *
 * Return: as unix_listen().
 */
int listen_at(const char *path);

/**
 * listen_adopt() - use one that is bound already, and perhaps listens
 *
 * Return: 0; -errno, and it stays the caller's.
 */
int listen_adopt(int fd);

#endif
