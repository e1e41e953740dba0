/* SPDX-License-Identifier: MIT */
/*
 * fault_config.h - rules of what the host does wrong, as text: of --fault, of
 * a file, of a scenario.
 *
 *	POINT:key=value,key=value...
 *
 * with the points, operations, actions and words of base/fault.h.  A file has
 * one rule a line; what follows a '#' is for people.
 */
#ifndef CONFIG_FAULT_CONFIG_H
#define CONFIG_FAULT_CONFIG_H

#include <stdio.h>

#include <glib.h>

struct fault_rule;

/* The number of a milestone by its name, or < 0. */
typedef int (*fault_milestone_fn)(const char *name);

/* A file of the library, configs/scenarios/NAME.fault, as it was built. */
struct fault_scenario {
	const char *name; /* NULL ends the table */
	const char *text;
};

extern const struct fault_scenario fault_scenarios[];

/** fault_scenario_find() - Return: its text, or NULL */
const char *fault_scenario_find(const char *name);

/**
 * fault_config_parse() - one rule
 * @rule: out, if it is one
 *
 * Return: 0, or -1 with @error (CONFIG_ERROR): what is wrong and what may be.
 */
int fault_config_parse(const char *text, fault_milestone_fn milestone,
		       struct fault_rule *rule, GError **error);

/**
 * fault_config_parse_lines() - a file's rules
 * @name:  of the file, for messages
 * @rules: struct fault_rule; those of the file are appended
 *
 * Return: as fault_config_parse(), with the line in @error.
 */
int fault_config_parse_lines(const char *text, const char *name,
			     fault_milestone_fn milestone, GArray *rules,
			     GError **error);

/** fault_config_print() - all points, actions, words and scenarios */
void fault_config_print(FILE *out);

/**
 * fault_config_print_one() - one point, or one scenario
 *
 * Return: 0; -1: there is none of that name.
 */
int fault_config_print_one(FILE *out, const char *name);

#endif
