/* SPDX-License-Identifier: MIT */
/*
 * cli_machine.h - the options of `run` that say what the machine is like
 * beside its memory, disks and cards.
 *
 * A row of a table for each; its handler fills in the machine_config at once.
 */
#ifndef CONFIG_CLI_MACHINE_H
#define CONFIG_CLI_MACHINE_H

#include <glib.h>

struct machine_config;

/** cli_machine_group() - for g_option_context_add_group(), which takes it */
GOptionGroup *cli_machine_group(struct machine_config *config);

/* For --help: a line or more for each, in the order of the table. */
extern const char cli_machine_help[];

#endif
