/* SPDX-License-Identifier: MIT */
/*
 * agent.h - the parts of the guest's first process: its way to the host, and
 * what it does before the command.
 *
 * One thread.
 */
#ifndef COMMAND_AGENT_AGENT_H
#define COMMAND_AGENT_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "command/agent_wire.h"

#define NOTES_BYTES 4096

/* The way to the host. */
struct link {
	int fd; /* -1 with @open false: none */
	bool open;
	bool lost;
	/* notes from before there was a way, each with its NUL */
	char notes[NOTES_BYTES];
	size_t notes_len;
};

/* What AGENT_CONFIG says. */
struct agent_config {
	unsigned int hvsock, nics, disks, root, install;
};

void agent_config_read(struct agent_config *config);

/** link_open() - by hv_sock, if wanted, else by serial port */
int link_open(struct link *link, bool hvsock);
int link_send(struct link *link, enum agent_kind kind, const void *data,
	      size_t len);

/** link_read() - one frame, waits for it; 0 or -errno */
int link_read(struct link *link, struct agent_frame *frame,
	      uint8_t data[AGENT_DATA_MAX]);

/** link_end() - wait, a while, until the host has all */
void link_end(struct link *link);

/** note() - a line for the user, now or when there is a way */
void note(struct link *link, const char *text);
void flush_notes(struct link *link);

void load_modules(struct link *link);

/** await_devices() - those whose drivers are there, a few seconds at most */
void await_devices(const struct agent_config *config);

/** install_busybox() - links of all its names */
void install_busybox(void);

/** start_network() - every card up, addresses by DHCP */
void start_network(struct link *link);

/** mount_root() - Return: where the disk of --rootfs is; NULL */
const char *mount_root(struct link *link);

#endif
