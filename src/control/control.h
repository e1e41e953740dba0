/* SPDX-License-Identifier: MIT */
/*
 * control.h - the socket that a running machine is talked to through.
 *
 * A Unix stream socket; each line is one JSON object.  A request:
 *
 *	{"id": 7, "command": "kvp-get", "arguments": {"key": "x"}}
 *
 * and, once the command is done, its answer, with the id if there was one:
 *
 *	{"id": 7, "result": {"value": "y"}}
 *	{"id": 7, "error": {"code": "timeout", "message": "…"}}
 *
 * Answers come when they are ready, not in the order of the requests.  The
 * socket has mode 0600: who may connect may do everything.  Still no client
 * can harm the others or the machine by what it sends or does not read: lines,
 * clients, commands under way and answers that wait are bounded.
 *
 * Which commands there are is the table's that control_new() is given.
 *
 * Thread: main; all sources are on the default GMainContext.
 */
#ifndef CONTROL_CONTROL_H
#define CONTROL_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

struct control;
struct control_call;
struct json_object;

#define CONTROL_PARAMS_MAX  4
#define CONTROL_CLIENTS_MAX 16u
/* Commands of one client that are not answered yet. */
#define CONTROL_CALLS_MAX   16u
/* A request's longest line, bytes. */
#define CONTROL_LINE_MAX    65536u
/* A client that does not take its answers loses the connection here. */
#define CONTROL_OUT_MAX     (4u << 20)

/* A socket that cannot be had (exit 4). */
#define CONTROL_ERROR (control_error_quark())
GQuark control_error_quark(void);

struct control_param {
	const char *name; /* NULL ends the list */
	bool is_number; /* else a string */
	bool optional; /* only the last ones */
};

struct control_command {
	const char *name; /* NULL ends the table */
	const char *help;
	struct control_param params[CONTROL_PARAMS_MAX + 1];
	/* Answers @call, now or later. */
	void (*run)(void *ctx, struct control_call *call);
};

/**
 * control_new() - listen
 * @path:     where; a socket there that nobody listens on is replaced
 * @commands: ends with an empty row; borrowed
 * @ctx:      of the commands
 *
 * Return: owned; NULL with @error (CONTROL_ERROR).
 */
struct control *control_new(const char *path,
			    const struct control_command *commands, void *ctx,
			    GError **error);

/**
 * control_free() - take the socket away, and leave the clients
 *
 * Calls that are under way may still be answered: nobody hears it.
 */
void control_free(struct control *control);

/** control_find() - the row of @name, or NULL */
const struct control_command *
control_find(const struct control_command *commands, const char *name);

/* --- for commands ------------------------------------------------------- */

/** control_string() - argument @name; NULL if it was left out */
const char *control_string(const struct control_call *call, const char *name);

/** control_number() - argument @name, or @otherwise if it was left out */
uint64_t control_number(const struct control_call *call, const char *name,
			uint64_t otherwise);

/**
 * control_answer() - the command is done; @call is gone
 * @result: an object, taken; NULL: there is nothing to say
 */
void control_answer(struct control_call *call, struct json_object *result);

/**
 * control_refuse() - it could not be done; @call is gone
 * @code: for programs: "timeout"; the message is for people
 */
void control_refuse(struct control_call *call, const char *code,
		    const char *format, ...) G_GNUC_PRINTF(3, 4);

#endif
