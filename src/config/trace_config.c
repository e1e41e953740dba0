/* SPDX-License-Identifier: MIT */
#include "config/trace_config.h"

#include <string.h>

#include "base/trace.h"
#include "config/cli.h"

int trace_config_parse(const struct trace_options *o, struct trace_config *c,
		       GError **error)
{
	const char *format = o->format ? o->format : "text";

	for (char **list = o->categories; list && *list; list++) {
		uint32_t mask;

		if (trace_parse_categories(*list, &mask)) {
			g_set_error(error, CLI_ERROR, 0,
				    "--trace %s: no such category; "
				    "kvmbus-trace(7) lists them",
				    *list);
			return -1;
		}
		c->mask |= mask;
	}
	c->json = !strcmp(format, "json");
	if (!c->json && strcmp(format, "text") != 0) {
		g_set_error(error, CLI_ERROR, 0,
			    "--trace-format %s: expected text or json", format);
		return -1;
	}
	if (o->flight < 0) {
		g_set_error(error, CLI_ERROR, 0,
			    "--flight %d: expected a positive number",
			    o->flight);
		return -1;
	}
	c->flight_lines = (unsigned int)o->flight;
	c->file = g_strdup(c->mask && !o->file ? "-" : o->file);
	/* With a file alone, what the flight recorder has. */
	if (c->file && !c->mask)
		c->mask = TRACE_DEFAULT_MASK;
	return 0;
}

void trace_config_clear(struct trace_config *config)
{
	g_clear_pointer(&config->file, g_free);
}

void trace_options_clear(struct trace_options *options)
{
	g_strfreev(options->categories);
	g_free(options->file);
	g_free(options->format);
}
