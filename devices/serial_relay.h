/* SPDX-License-Identifier: MIT */
/*
 * serial_relay.h - what a serial port is plugged into, where that comes and
 * goes: a socket that others connect to, or that connects itself, a pseudo
 * terminal, a terminal of the host.
 *
 * Theory of operation.  A console (console.h) moves bytes between a port and
 * two descriptors that are always there.  So there is a pair of sockets: the
 * console has one end, serial_relay_fd(), and the thread "serial" moves bytes
 * between the other and the peer of the moment.  Without a peer what the guest
 * prints is thrown away, as by a cable that leads nowhere.  A peer that does
 * not read holds up the pair, and by that the port, which says so in LSR.
 *
 * Of a pseudo terminal we hold the master; its peer is there while somebody
 * has the other side open, which poll() tells by the absence of POLLHUP.
 *
 * Telnet (RFC 854): we echo, suppress go-ahead and take any byte; what the
 * peer negotiates is dropped.
 *
 * Thread: main; the thread is its own.
 */
#ifndef DEVICES_SERIAL_RELAY_H
#define DEVICES_SERIAL_RELAY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include <glib.h>

struct serial_relay;

enum serial_relay_kind {
	RELAY_LISTEN, /* @fd is a socket that listens */
	RELAY_CONNECT, /* to @address */
	RELAY_PTY, /* @fd is a master */
	RELAY_TERMINAL, /* @fd is a terminal; raw until the end */
};

struct serial_relay_params {
	enum serial_relay_kind kind;
	int fd; /* taken */
	struct sockaddr_storage address;
	socklen_t address_bytes;
	/* RELAY_CONNECT: after a failure or an end, again after so many
	 * seconds; 0: never */
	unsigned int reconnect_s;
	bool telnet;
};

/**
 * serial_relay_new() - and its thread
 *
 * Without reconnect_s the first connection must succeed.
 *
 * Return: owned; NULL with @error (G_FILE_ERROR) set.
 */
struct serial_relay *serial_relay_new(const struct serial_relay_params *params,
				      GError **error);

/**
 * serial_relay_free() - what the console wrote is passed on first
 *
 * A peer that does not read is waited for a second.
 */
void serial_relay_free(struct serial_relay *relay);

/** serial_relay_fd() - both ways, for the console; borrowed */
int serial_relay_fd(const struct serial_relay *relay);

#endif
