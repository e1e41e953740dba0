/* SPDX-License-Identifier: MIT */
/*
 * json.h - what json-c says in more words than we do.
 *
 * Thread: any; an object is its owner's.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>
#include <json-c/json.h>

/** json_add_text() - a member; @text is UTF-8, NULL is JSON's null. Copied */
static inline void json_add_text(struct json_object *o, const char *key,
				 const char *text)
{
	json_object_object_add(o, key,
			       text ? json_object_new_string(text) : NULL);
}

/** json_add_any_text() - the same, of whatever bytes: UTF-8 is made of them */
static inline void json_add_any_text(struct json_object *o, const char *key,
				     const char *text)
{
	g_autofree char *valid = text ? g_utf8_make_valid(text, -1) : NULL;

	json_add_text(o, key, valid);
}

/** json_add_number() - a member */
static inline void json_add_number(struct json_object *o, const char *key,
				   uint64_t number)
{
	json_object_object_add(o, key, json_object_new_uint64(number));
}

/** json_add_bool() - a member */
static inline void json_add_bool(struct json_object *o, const char *key,
				 bool value)
{
	json_object_object_add(o, key, json_object_new_boolean(value));
}

/** json_pretty() - as people read it, without a last newline. Borrowed of @o */
static inline const char *json_pretty(struct json_object *o)
{
	return json_object_to_json_string_ext(
		o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE);
}

/** json_end() - release @o for its text. Return: owned, g_free() */
static inline char *json_end(struct json_object *o)
{
	char *text = g_strdup(json_pretty(o));

	json_object_put(o);
	return text;
}

#endif
