/* SPDX-License-Identifier: MIT */
/*
 * host_fd.h - a descriptor we were given, read or written without blocking
 * and without anybody else noticing.
 *
 * O_NONBLOCK belongs to the open file, not to the descriptor: set on our
 * standard output it is also set for the shell, and for our own standard
 * error.  So terminals and pipes are opened once more through /proc/self/fd,
 * which makes an open file of our own; sockets are asked per call; files do
 * not block.  Only where the second open is refused (somebody else's terminal
 * after su) is the flag set on the original, noted down, and put back.
 *
 * Thread: one at a time per host_fd; host_fd_restore_all() from anywhere.
 */
#ifndef DEVICES_HOST_FD_H
#define DEVICES_HOST_FD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum host_fd_mode {
	HOST_FD_READ,
	HOST_FD_WRITE,
};

struct host_fd {
	int fd; /* ours; -1: closed */
	bool terminal;
	bool socket;
	/* notes of what to put back; -1: none */
	int undo_flags;
	int undo_modes;
};

/* A host_fd that was never opened, or is closed. */
#define HOST_FD_NONE \
	((struct host_fd){.fd = -1, .undo_flags = -1, .undo_modes = -1})

/**
 * host_fd_open() - make @given usable without blocking
 * @given: borrowed; stays as it is
 *
 * Return: 0 or -errno.
 */
int host_fd_open(struct host_fd *h, int given, enum host_fd_mode mode);

/** host_fd_close() - restore, close; fine if closed */
void host_fd_close(struct host_fd *h);

/** host_fd_read() - Return: bytes, 0 at the end, -EAGAIN, -errno */
ssize_t host_fd_read(struct host_fd *h, void *data, size_t len);

/** host_fd_write() - Return: bytes, -EAGAIN, -errno; raises no signal in a
 * thread that blocks SIGPIPE */
ssize_t host_fd_write(struct host_fd *h, const void *data, size_t len);

/**
 * host_fd_in_foreground() - may we use this terminal now?
 *
 * Also true for a terminal that is not the one that controls us.
 */
bool host_fd_in_foreground(const struct host_fd *h);

/**
 * host_fd_make_raw() - every key goes to the guest; cheap when it does
 *
 * Call it again after we were stopped or in the background: a shell sets the
 * modes it likes when it gets its terminal back.
 *
 * Output processing stays, so that other people's lines on the same terminal
 * still begin at its left edge.
 */
void host_fd_make_raw(struct host_fd *h);

/** host_fd_restore() - the terminal as it was */
void host_fd_restore(struct host_fd *h);

/**
 * host_fd_restore_all() - of every host_fd, flags too, and make none raw again
 *
 * Async-signal-safe.  For the end of the process, however it comes about;
 * registered with atexit().
 */
void host_fd_restore_all(void);

/**
 * host_fd_stop_all() - terminals as they were, as we are about to be stopped
 *
 * Async-signal-safe, as host_fd_continue_all(), which makes those raw again
 * in whose foreground we are.
 */
void host_fd_stop_all(void);
void host_fd_continue_all(void);

#endif
