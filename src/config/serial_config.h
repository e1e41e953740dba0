/* SPDX-License-Identifier: MIT */
/*
 * serial_config.h - a serial port of the machine, as `--serial` says it:
 * plain data.
 */
#ifndef CONFIG_SERIAL_CONFIG_H
#define CONFIG_SERIAL_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

struct json_object;

/* What it is plugged into; libvirt's chardevs. */
enum serial_kind {
	SERIAL_NULL, /* nothing */
	SERIAL_STDIO, /* our terminal; one port at most */
	SERIAL_PTY, /* a new pseudo terminal of the host, whose name is said */
	SERIAL_FILE, /* output to @path */
	SERIAL_UNIX, /* a Unix stream socket at @path */
	SERIAL_TCP, /* @host and @port */
	SERIAL_PIPE, /* FIFOs: @path.in and @path.out, or @path both ways */
	SERIAL_DEV, /* a terminal of the host at @path */
	SERIAL_FD, /* @fd, that the caller has opened, both ways */
};

#define CONFIG_SERIALS_MAX 4u

struct serial_config {
	enum serial_kind kind;
	char *path;
	char *host; /* NULL: this host */
	uint16_t port;
	int fd;
	bool append; /* SERIAL_FILE: behind what is there */
	/* SERIAL_UNIX, SERIAL_TCP */
	bool listen; /* for one at a time; else it connects */
	bool telnet; /* SERIAL_TCP: in the telnet protocol */
	/* when it connects: seconds until it tries again; 0: never */
	unsigned int reconnect_s;
	/* a copy of the output, whatever the kind; NULL: none */
	char *log;
	bool log_append;
};

/**
 * serial_config_parse() - understand "KIND[=PATH][,key[=value]]..."
 *
 * Return: owned; NULL with @error (CONFIG_ERROR), which has no prefix.
 */
struct serial_config *serial_config_parse(const char *text, GError **error);
void serial_config_free(struct serial_config *serial);

/** serial_kind_name() - "stdio", "pty", … */
const char *serial_kind_name(enum serial_kind kind);

/**
 * serial_config_check() - has the kind all that it wants?
 *
 * Return: 0, or -1 with @error (CONFIG_ERROR), "WORD: hint".
 */
int serial_config_check(const struct serial_config *serial, GError **error);

/** serial_config_json() - for `--print-config`; owned */
struct json_object *serial_config_json(const struct serial_config *serial);

#endif
