/* SPDX-License-Identifier: MIT */
/*
 * notify.h - tell systemd how far we are, and be given sockets by it, without
 * its library.
 *
 * Thread: main, and notify_init() before there is any other.
 * Source: sd_notify(3), sd_listen_fds(3).
 */
#ifndef BASE_NOTIFY_H
#define BASE_NOTIFY_H

/* The first of the descriptors that were passed. */
#define NOTIFY_FDS_START 3

/**
 * notify_init() - look at the environment, and take it out of that
 *
 * So that what we start does not speak in our name.
 *
 * Return: how many descriptors were passed to us: NOTIFY_FDS_START and what
 * follows; they are closed on exec from now on.
 */
int notify_init(void);

/** notify_send() - "READY=1\nSTATUS=…"; nothing where nobody wants to know */
void notify_send(const char *state);

#endif
