/* SPDX-License-Identifier: MIT */
/*
 * fields.h - one line of a trace while it is made: text for people, or JSON.
 *
 * Thread: one at a time.
 */
#ifndef TRACE_FIELDS_H
#define TRACE_FIELDS_H

#include <stddef.h>
#include <stdint.h>

#include <glib.h>

struct guid;

enum trace_format {
	TRACE_TEXT,
	TRACE_JSON,
};

struct fields {
	enum trace_format format;
	GString *title; /* what it is, in words of the protocol */
	GString *out; /* the fields, each with what stands before it */
};

/** fields_init() - empty; fields_clear() frees what it owns */
void fields_init(struct fields *f, enum trace_format format);
void fields_clear(struct fields *f);

/** fields_empty() - for the next line */
void fields_empty(struct fields *f);

/* A field is called after a member of a struct: "offer.if_type" is if_type. */
void field_number(struct fields *f, const char *name, uint64_t value);
void field_hex(struct fields *f, const char *name, uint64_t value);
void field_text(struct fields *f, const char *name, const char *text);
void field_guid(struct fields *f, const char *name, const struct guid *guid);

/** field_bytes() - in hexadecimal, without zeros at the end */
void field_bytes(struct fields *f, const char *name, const void *data,
		 size_t bytes);

/** field_name() - the name of @value; as a number where it has none */
void field_name(struct fields *f, const char *name, const char *text,
		uint64_t value);

/** field_error() - @err, 0 or -errno; nothing for 0 */
void field_error(struct fields *f, const char *name, int err);

/** json_quote() - @text as a JSON string */
void json_quote(GString *out, const char *text);

#endif
