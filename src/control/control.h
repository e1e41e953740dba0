/* SPDX-License-Identifier: MIT */
/*
 * control.h - the socket that a running machine is talked to through, in the
 * framing of QEMU's machine protocol (QMP), so that its clients connect.
 *
 * A Unix stream socket of JSON objects, one behind the other.  Who connects is
 * greeted, says qmp_capabilities, and then what is to be done; each answer has
 * the request's id, if there was one:
 *
 *	{"execute": "kvmbus-kvp-get", "arguments": {"key": "x"}, "id": 7}
 *	{"return": {"value": "y"}, "id": 7}
 *	{"error": {"class": "GenericError", "desc": "…", "code": "timeout"}, …}
 *
 * A client's commands are done in order, one at a time, as QMP has it; who
 * wants two at once connects twice.  Between the answers come events
 * (control_event()).
 *
 * The socket has mode 0600: who may connect may do everything.  Still no
 * client can harm the others or the machine by what it sends or does not read:
 * requests (request.h), clients and what waits are bounded.  A client that
 * does not read has no further command begun, and loses events, of which it
 * is told.
 *
 * Which commands there are is the table's that control_new() is given.
 *
 * Thread: main; all sources are on the default GMainContext.
 * Source: QEMU docs/interop/qmp-spec.
 */
#ifndef CONTROL_CONTROL_H
#define CONTROL_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

struct control;
struct control_call;
struct json_object;

#define CONTROL_PARAMS_MAX  6
#define CONTROL_CLIENTS_MAX 64u
/* Commands of one client that wait; more stay in its socket. */
#define CONTROL_CALLS_MAX   16u
/* Bytes that wait for a client: beyond it no command begins, no event goes. */
#define CONTROL_OUT_MAX     (256u << 10)

/* A socket that cannot be had (exit 4). */
#define CONTROL_ERROR (control_error_quark())
GQuark control_error_quark(void);

enum control_type {
	CONTROL_STRING,
	CONTROL_NUMBER, /* a whole one, 0 or more */
	CONTROL_BOOL,
	CONTROL_ANY, /* for the command to check */
};

struct control_param {
	const char *name; /* NULL ends the list */
	enum control_type type;
	bool optional; /* only the last ones */
};

struct control_command {
	const char *name; /* NULL ends the table */
	const char *help;
	struct control_param params[CONTROL_PARAMS_MAX + 1];
	/* Answers @call, now or later. */
	void (*run)(void *ctx, struct control_call *call);
	/*
	 * What `kvmbus ctl` calls it; NULL: what follows "kvmbus-" in its name,
	 * or the name.
	 */
	const char *verb;
	bool more; /* takes members besides its params, and checks them */
};

/**
 * control_new() - listen
 * @path:     where; a socket there that nobody listens on is replaced
 * @commands: ends with an empty row; one of them runs control_negotiate().
 *            Borrowed
 * @ctx:      of the commands
 *
 * Return: owned; NULL with @error (CONTROL_ERROR).
 */
struct control *control_new(const char *path,
			    const struct control_command *commands, void *ctx,
			    GError **error);

/**
 * control_new_fd() - listen on a Unix stream socket that is bound already
 * @fd: now its own, unless it fails; may listen already
 */
struct control *control_new_fd(int fd, const struct control_command *commands,
			       void *ctx, GError **error);

/**
 * control_free() - take the socket away, and leave the clients
 *
 * Calls that are under way may still be answered: nobody hears it.
 */
void control_free(struct control *control);

/** control_event() - tell all clients; @line: JSON without a line's end */
void control_event(struct control *control, const char *line);

/** control_find() - the row of @name, or NULL */
const struct control_command *
control_find(const struct control_command *commands, const char *name);

/** control_verb() - what `kvmbus ctl` calls it */
const char *control_verb(const struct control_command *command);

/* --- for commands ------------------------------------------------------- */

/** control_version() - as QMP has it; owned */
struct json_object *control_version(void);

/** control_negotiate() - runs "qmp_capabilities", and must be a row */
void control_negotiate(void *ctx, struct control_call *call);

/** control_table() - all commands */
const struct control_command *control_table(const struct control_call *call);

/** control_string() - argument @name; NULL if it was left out */
const char *control_string(const struct control_call *call, const char *name);

/** control_number() - argument @name, or @otherwise if it was left out */
uint64_t control_number(const struct control_call *call, const char *name,
			uint64_t otherwise);

/** control_bool() - argument @name, or @otherwise if it was left out */
bool control_bool(const struct control_call *call, const char *name,
		  bool otherwise);

/** control_arguments() - all of them; borrowed; NULL: there are none */
struct json_object *control_arguments(const struct control_call *call);

/**
 * control_answer() - the command is done; @call is gone
 * @result: taken; NULL: there is nothing to say
 */
void control_answer(struct control_call *call, struct json_object *result);

/**
 * control_refuse() - it could not be done; @call is gone
 * @code: for programs: "timeout"; the message is for people
 *
 * QMP's class follows from it: DeviceNotFound of "absent", DeviceNotActive of
 * "not-ready", CommandNotFound of "no-such-command", else GenericError.
 */
void control_refuse(struct control_call *call, const char *code,
		    const char *format, ...) G_GNUC_PRINTF(3, 4);

#endif
