/* SPDX-License-Identifier: MIT */
/*
 * cli.h - the command line: which verb, and a machine_config for `run`.
 */
#ifndef CONFIG_CLI_H
#define CONFIG_CLI_H

#include <stdio.h>

#include <glib.h>

#include "config/cli_domain.h"

struct machine_config;

enum cli_verb {
	CLI_RUN,
	CLI_CHECK,
	CLI_DOCTOR,
	CLI_PROFILES,
	CLI_FINDINGS,
	CLI_CTL,
	CLI_REPORT,
	CLI_MATRIX,
	CLI_FAULTS,
	CLI_HELP,
	CLI_VERSION,
};

/* A command line that cannot be understood (exit 2). */
#define CLI_ERROR (cli_error_quark())
GQuark cli_error_quark(void);

/* What is asked of others. */
struct cli_names {
	/* is there a milestone, or a profile, of that name? */
	int (*milestone)(const char *name);
	int (*profile)(const char *name);
	/*
	 * Put a domain into @config, before the options are.  Return: 0; -1
	 * with @error set, perhaps not CLI_ERROR.
	 */
	int (*domain)(const struct cli_domain *domain,
		      struct machine_config *config, GError **error);
};

struct cli {
	enum cli_verb verb;
	struct machine_config *config; /* CLI_RUN */
	struct cli_domain domain; /* CLI_RUN, CLI_CHECK */
	char *profile; /* CLI_PROFILES: NULL for the list */
	char **args; /* CLI_CTL, _REPORT, _MATRIX: what follows the verb; of argv */
	char *fault; /* CLI_FAULTS: NULL for the list */
};

/**
 * cli_parse() - understand @argv
 * @argv:  as main() got it, NULL-terminated; not changed
 * @names: how to look names up
 * @cli:   filled in; free with cli_clear()
 *
 * Return: 0, or -1 with @error (CLI_ERROR, or as @names' domain() sets it).
 */
int cli_parse(char **argv, const struct cli_names *names, struct cli *cli,
	      GError **error);
void cli_clear(struct cli *cli);

/** cli_help() - what `kvmbus --help` prints */
void cli_help(FILE *out);

#endif
