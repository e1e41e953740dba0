/* SPDX-License-Identifier: MIT */
/*
 * console.h - the host end of serial ports: two file descriptors, one thread.
 *
 * Theory of operation.  The thread "console" pulls output out of the ports
 * connected to it and writes it to out_fd, and offers what it reads from in_fd
 * to the first port that takes input.  A port's wake() is an eventfd write;
 * output is gathered for a millisecond, so that a boot's worth of single
 * characters does not become as many system calls.
 *
 * Descriptors may be terminals, pipes, sockets or files.  None is ever made
 * non-blocking where somebody else could see it: O_NONBLOCK belongs to the
 * open file, which a shell shares with us.  Terminals and pipes are opened
 * once more through /proc/self/fd; where that is refused the flag is set and
 * put back at the end.  A terminal is put into raw mode while we are in its
 * foreground, and put back on console_stop(), by console_restore_terminal()
 * on a fatal signal, and at exit().
 *
 * On a terminal `^]` leaves (quit()).  End of file on the input is not an
 * exit.  An output that fails is given up with one warning, the machine runs
 * on.  The last 64 KiB of output are kept for the report.
 *
 * Thread: any, unless said otherwise.
 */
#ifndef DEVICES_CONSOLE_H
#define DEVICES_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <glib.h>

#include "devices/byte_port.h"

#define CONSOLE_PORTS_MAX  4
#define CONSOLE_TAIL_BYTES 65536
/* ^] */
#define CONSOLE_ESCAPE     0x1D

struct console;

struct console_config {
	int in_fd; /* borrowed; -1: no input */
	int out_fd; /* borrowed; -1: only the tail */
	bool raw; /* put in_fd into raw mode if it is a terminal */
	/* ^] was typed on a terminal; from the console thread; may be NULL */
	void (*quit)(void *ctx);
	void *ctx;
};

/**
 * console_new() - a console that does nothing yet
 *
 * Return: owned; NULL with @error set.
 */
struct console *console_new(const struct console_config *config,
			    GError **error);

/** console_free() - stops it first, without waiting for slow output */
void console_free(struct console *console);

/** console_host() - what to give a device so that it wakes this console */
struct byte_port_host console_host(struct console *console);

/**
 * console_connect() - pull output from @dev, and offer it input
 * @dev: borrowed until console_stop()
 *
 * Return: 0, or -ENOSPC after CONSOLE_PORTS_MAX of them.
 * Thread: before console_start().
 */
int console_connect(struct console *console, const struct byte_port_ops *ops,
		    void *dev);

/**
 * console_set_log() - copy the output to a file, too
 * @fd: borrowed until console_stop()
 *
 * Thread: before console_start().
 */
void console_set_log(struct console *console, int fd);

/**
 * console_start() - raw mode, and the thread
 *
 * Return: 0 or -errno.
 */
int console_start(struct console *console);

/**
 * console_stop() - write what there is, join the thread, restore the terminal
 * @drain_ns: how long a slow reader of the output may take
 *
 * Call it when no vCPU runs any more.  What the reader did not take is in the
 * tail all the same.  Harmless when it was never started, and twice.
 */
void console_stop(struct console *console, uint64_t drain_ns);

/**
 * console_tail() - a copy of the last output, at most CONSOLE_TAIL_BYTES
 *
 * Return: owned, NUL-terminated; @len (may be NULL) without the NUL.
 */
char *console_tail(struct console *console, size_t *len);

/** console_lost() - output bytes that could not be written anywhere */
uint64_t console_lost(struct console *console);

/**
 * console_restore_terminal() - put every terminal and descriptor flag back
 *
 * Async-signal-safe; for handlers of fatal signals.  Idempotent, and final: no
 * console makes a terminal raw again.
 */
void console_restore_terminal(void);

/**
 * console_stop_terminal() - the same until console_continue_terminal()
 *
 * Async-signal-safe both; for handlers of SIGTSTP and SIGCONT.
 */
void console_stop_terminal(void);
void console_continue_terminal(void);

#endif
