/* SPDX-License-Identifier: MIT */
/*
 * cli_fault.h - the options of `run` that have the host do something wrong.
 */
#ifndef CONFIG_CLI_FAULT_H
#define CONFIG_CLI_FAULT_H

#include <glib.h>

#include "config/fault_config.h"

/* The options of `run` that are about it, as they were given. */
struct fault_options {
	char **scenarios, **files, **rules; /* NULL: none */
	char *seed;
};

void fault_options_clear(struct fault_options *o);

/** fault_options_group() - have @group know them; @o is where they go */
void fault_options_group(struct fault_options *o, GOptionGroup *group);

/**
 * fault_options_read() - the rules of all of them, in that order
 * @rules: struct fault_rule; appended to
 * @seed:  out, if one was given
 *
 * Return: 0, or -1 with @error (CLI_ERROR).
 */
int fault_options_read(const struct fault_options *o,
		       fault_milestone_fn milestone, GArray *rules,
		       guint64 *seed, GError **error);

/** cli_fault_verb() - `faults [NAME]`; @name: owned, NULL: all */
int cli_fault_verb(char **argv, char **name, GError **error);

/* For --help. */
extern const char cli_fault_help[];

#endif
