/* SPDX-License-Identifier: MIT */
/*
 * session.h - `kvmbus run -- COMMAND`: from the command line to a machine that
 * runs it, and from how that ended to the outcome.
 *
 * Thread: main.
 */
#ifndef COMMAND_SESSION_H
#define COMMAND_SESSION_H

#include <stdbool.h>

#include <glib.h>

struct machine_config;
struct outcome;
struct session;

/**
 * session_new() - find the kernel; for a command make its guest
 * @config: changed: what --kernel means, and for a command the initramfs, the
 *          kernel's command line, disks, and where streams go
 * @cache:  where packages are unpacked; NULL: the user's cache
 * @hvsock: the machine can have stream sockets
 *
 * Return: owned; NULL with @error (GUEST_ERROR).
 */
struct session *session_new(struct machine_config *config, const char *cache,
			    bool hvsock, GError **error);
void session_free(struct session *session);

/**
 * session_start() - listen to the guest; does nothing without a command
 * @hello: the command is about to run; on a thread of the session's
 */
int session_start(struct session *session, void (*hello)(void *ctx), void *ctx,
		  GError **error);

/**
 * session_finish() - the machine has stopped: what of the command
 * @outcome: of the run; becomes the command's, and points into @session
 *
 * Return: whether the guest died, so that its console is worth a look.
 */
bool session_finish(struct session *session, struct outcome *outcome);

/** session_judge() - what an outcome becomes by what the command did */
struct command_result;
bool session_judge(const struct command_result *result,
		   struct outcome *outcome);

#endif
