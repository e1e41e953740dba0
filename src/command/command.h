/* SPDX-License-Identifier: MIT */
/*
 * command.h - the host's end of a command in the guest: its three streams and
 * its status.
 *
 * Theory of operation.  The guest's first process comes over hv_sock, which is
 * a connection to a Unix socket here, or over the second serial port, which is
 * one end of a pair of sockets: the first that says AGENT_HELLO is it.  A
 * thread "command" reads its frames and writes them out, waiting where the
 * reader is slow, so that the guest waits too; what is typed goes to the guest
 * only as it takes it, so the two ways never wait for each other.
 *
 * The guest may be hostile: frames are bounded, notes are made printable and
 * are counted, and a stream that is not frames is read and thrown away.
 *
 * Thread: main, but for the thread itself.
 */
#ifndef COMMAND_COMMAND_H
#define COMMAND_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

struct command;

struct command_streams {
	int in, out, err; /* descriptors, borrowed */
};

/* What came of it. */
struct command_result {
	bool connected; /* the guest said hello */
	bool exited;
	const char *way; /* "hv_sock", "serial port"; NULL: none */
	int status; /* 0 to 255, as a shell has it: 128 + n for a signal */
	int signal; /* that ended it; 0: none */
	uint64_t in_bytes, out_bytes, err_bytes;
	bool broken; /* it said something else than frames */
};

/**
 * command_new() - wait for a guest
 * @hvsock:  where connections of the guest arrive (`--hvsock`); NULL: only by
 *           serial port
 * @streams: copied
 *
 * Return: owned; NULL with @error (GUEST_ERROR).
 */
struct command *command_new(const char *hvsock,
			    const struct command_streams *streams,
			    GError **error);

/** command_serial() - what to connect the guest's serial port with; borrowed */
int command_serial(const struct command *command);

/**
 * command_start() - its thread; Return: 0 or -errno
 * @hello: the guest has come; on that thread, before anything is written; may
 *         be NULL
 */
int command_start(struct command *command, void (*hello)(void *ctx), void *ctx);

/**
 * command_finish() - the guest is gone: pass on what it still said, stop
 * @result: filled in
 */
void command_finish(struct command *command, struct command_result *result);
void command_free(struct command *command);

#endif
