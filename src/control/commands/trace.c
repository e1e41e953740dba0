/* SPDX-License-Identifier: MIT */
#include "control/commands/trace.h"

#include <json-c/json.h>

#include "base/json.h"
#include "control/control.h"
#include "trace/flight.h"

/* Lines that fit into an answer. */
#define LINES_DEFAULT 200u
#define LINES_MAX     5000u

void command_trace_dump(void *ctx, struct control_call *call)
{
	uint64_t lines = control_number(call, "lines", LINES_DEFAULT);
	struct json_object *o = json_object_new_object();
	GString *text =
		flight_text((unsigned int)MIN(lines, LINES_MAX), TRACE_TEXT);

	(void)ctx;
	if (text->len)
		g_string_truncate(text, text->len - 1);
	json_add_text(o, "trace", text->str);
	g_string_free(text, TRUE);
	control_answer(call, o);
}
