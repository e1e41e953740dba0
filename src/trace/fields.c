/* SPDX-License-Identifier: MIT */
#include "trace/fields.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/guid.h"

void fields_init(struct fields *f, enum trace_format format)
{
	f->format = format;
	f->title = g_string_new(NULL);
	f->out = g_string_new(NULL);
}

void fields_clear(struct fields *f)
{
	g_string_free(f->title, TRUE);
	g_string_free(f->out, TRUE);
}

void fields_empty(struct fields *f)
{
	g_string_truncate(f->title, 0);
	g_string_truncate(f->out, 0);
}

void json_quote(GString *out, const char *text)
{
	g_autofree char *valid = g_utf8_make_valid(text, -1);

	g_string_append_c(out, '"');
	for (const char *c = valid; *c; c++) {
		if (*c == '"' || *c == '\\')
			g_string_append_c(out, '\\');
		if ((unsigned char)*c < 0x20)
			g_string_append_printf(out, "\\u%04x", *c);
		else
			g_string_append_c(out, *c);
	}
	g_string_append_c(out, '"');
}

static void begin(struct fields *f, const char *name)
{
	const char *dot = strrchr(name, '.');
	const char *last = dot ? dot + 1 : name;

	if (f->format == TRACE_JSON)
		g_string_append_printf(f->out, ",\"%s\":", last);
	else
		g_string_append_printf(f->out, " %s=", last);
}

/* Text of ours, or checked. */
static void value(struct fields *f, const char *name, const char *text)
{
	begin(f, name);
	if (f->format == TRACE_JSON)
		json_quote(f->out, text);
	else
		g_string_append(f->out, text);
}

void field_number(struct fields *f, const char *name, uint64_t number)
{
	begin(f, name);
	g_string_append_printf(f->out, "%" PRIu64, number);
}

void field_hex(struct fields *f, const char *name, uint64_t number)
{
	char text[24];

	g_snprintf(text, sizeof(text), "0x%" PRIx64, number);
	value(f, name, text);
}

/* Some is the guest's: in a line of text it may not be more than a word. */
void field_text(struct fields *f, const char *name, const char *text)
{
	g_autofree char *escaped = NULL;

	if (f->format == TRACE_JSON) {
		value(f, name, text);
		return;
	}
	escaped = g_strescape(text, NULL);
	begin(f, name);
	g_string_append_printf(f->out, strchr(escaped, ' ') ? "\"%s\"" : "%s",
			       escaped);
}

void field_guid(struct fields *f, const char *name, const struct guid *guid)
{
	char text[GUID_TEXT_SIZE];

	value(f, name, guid_print(guid, text));
}

void field_bytes(struct fields *f, const char *name, const void *data,
		 size_t bytes)
{
	g_autoptr(GString) text = g_string_new(NULL);
	const uint8_t *at = data;

	while (bytes && !at[bytes - 1])
		bytes--;
	for (size_t i = 0; i < bytes; i++)
		g_string_append_printf(text, "%02x", at[i]);
	value(f, name, bytes ? text->str : "0");
}

void field_name(struct fields *f, const char *name, const char *text,
		uint64_t number)
{
	if (text)
		value(f, name, text);
	else
		field_hex(f, name, number);
}

void field_error(struct fields *f, const char *name, int err)
{
	if (err)
		field_text(f, name, g_strerror(-err));
}
