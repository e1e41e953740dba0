/* SPDX-License-Identifier: MIT */
/*
 * cli_domain.h - DOMAIN.xml on the command line, and how it is to be read:
 * what `run` and `check` share.
 */
#ifndef CONFIG_CLI_DOMAIN_H
#define CONFIG_CLI_DOMAIN_H

#include <glib.h>

struct cli_domain {
	char *file; /* NULL: none */
	/* of libvirt: its URI, the name of a domain; NULL: not given */
	char *connect, *name;
	/* "FROM=TO", NULL-terminated; NULL: none */
	char **map_disk, **map_bridge;
	gboolean strict, verbose;
	gboolean json; /* check */
};

/** cli_domain_add() - its options to @context, whose parsing fills it in */
void cli_domain_add(struct cli_domain *domain, GOptionContext *context);

/**
 * cli_domain_check() - is what was given right?
 *
 * Return: 0, or -1 with @error (CLI_ERROR).
 */
int cli_domain_check(const struct cli_domain *domain, GError **error);

void cli_domain_clear(struct cli_domain *domain);

/* For --help. */
extern const char cli_domain_help[];

#endif
