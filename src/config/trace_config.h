/* SPDX-License-Identifier: MIT */
/*
 * trace_config.h - what is recorded of a run, and where that goes: --trace,
 * --trace-file, --trace-format, --flight.
 */
#ifndef CONFIG_TRACE_CONFIG_H
#define CONFIG_TRACE_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#define TRACE_FLIGHT_DEFAULT 60

struct trace_config {
	char *file; /* owned; "-": standard error; NULL: nothing is written */
	uint32_t mask; /* what goes there, bits of enum trace_category */
	bool json;
	unsigned int flight_lines; /* that a bad end prints */
};

/* As they were given; NULL, 0 entries: not. */
struct trace_options {
	char **categories;
	char *file, *format;
	int flight;
};

/**
 * trace_config_parse() - check what was given
 *
 * Return: 0; -1 with @error (CLI_ERROR), which names the option.
 */
int trace_config_parse(const struct trace_options *options,
		       struct trace_config *config, GError **error);

/** trace_config_clear() - free what it owns */
void trace_config_clear(struct trace_config *config);

/** trace_options_clear() - free what GOption put there */
void trace_options_clear(struct trace_options *options);

#endif
