/* SPDX-License-Identifier: MIT */
#include "control/request.h"

#include <stdbool.h>
#include <string.h>

#include <glib.h>
#include <json-c/json.h>

struct request_parser {
	struct json_tokener *tokener;
	/*
	 * What the tokener has had of an object.  UTF-8 is checked in it, as
	 * the tokener takes characters in two pieces for bad ones.
	 */
	GByteArray *text;
	bool skipping; /* to the end of the line */
};

struct request_parser *request_parser_new(void)
{
	struct request_parser *p = g_new0(struct request_parser, 1);

	p->tokener = json_tokener_new_ex(REQUEST_DEPTH_MAX);
	json_tokener_set_flags(p->tokener,
			       JSON_TOKENER_STRICT |
				       JSON_TOKENER_ALLOW_TRAILING_CHARS);
	p->text = g_byte_array_new();
	return p;
}

void request_parser_free(struct request_parser *p)
{
	if (!p)
		return;
	json_tokener_free(p->tokener);
	g_byte_array_free(p->text, TRUE);
	g_free(p);
}

static void forget(struct request_parser *p)
{
	json_tokener_reset(p->tokener);
	g_byte_array_set_size(p->text, 0);
}

static void advance(const char **data, size_t *bytes, size_t n)
{
	*data += n;
	*bytes -= n;
}

/* Between objects: up to the first byte of one. */
static void skip(struct request_parser *p, const char **data, size_t *bytes)
{
	while (*bytes && (p->skipping || g_ascii_isspace(**data))) {
		if (**data == '\n')
			p->skipping = false;
		advance(data, bytes, 1);
	}
}

static enum request_result bad(struct request_parser *p, const char *text,
			       const char **why)
{
	forget(p);
	p->skipping = true;
	*why = text;
	return REQUEST_BAD;
}

enum request_result request_parse(struct request_parser *p, const char **data,
				  size_t *bytes, struct json_object **request,
				  const char **why)
{
	enum json_tokener_error error;
	struct json_object *o;
	size_t n;

	if (!p->text->len)
		skip(p, data, bytes);
	if (!*bytes)
		return REQUEST_MORE;
	if (!p->text->len && **data != '{')
		return bad(p, "expected a JSON object", why);
	n = MIN(*bytes, REQUEST_BYTES_MAX - p->text->len);
	o = json_tokener_parse_ex(p->tokener, *data, (int)n);
	error = json_tokener_get_error(p->tokener);
	if (error != json_tokener_continue)
		n = json_tokener_get_parse_end(p->tokener);
	g_byte_array_append(p->text, (const guint8 *)*data, (guint)n);
	advance(data, bytes, n);
	if (error == json_tokener_continue && p->text->len < REQUEST_BYTES_MAX)
		return REQUEST_MORE;
	if (error == json_tokener_continue)
		return bad(p, "a request may have 65536 bytes", why);
	if (error != json_tokener_success)
		return bad(p, json_tokener_error_desc(error), why);
	if (!g_utf8_validate((const char *)p->text->data, p->text->len, NULL)) {
		json_object_put(o);
		forget(p);
		*why = "not UTF-8";
		return REQUEST_BAD;
	}
	forget(p);
	*request = o;
	return REQUEST_WHOLE;
}
