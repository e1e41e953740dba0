/* SPDX-License-Identifier: MIT */
#include "config/cli_domain.h"

#include <string.h>

#include "config/cli.h"

const char cli_domain_help[] =
	"\n"
	"Options of run and check:\n"
	"  --strict            refuse what of DOMAIN.xml would be ignored\n"
	"  --map-disk FROM=TO  a disk of a Hyper-V: 'C:\\*=/images/*'\n"
	"  --map-bridge FROM=TO\n"
	"                      a switch of a Hyper-V, or a network: "
	"default=virbr0\n"
	"  --connect URI       ask this libvirt for networks and volumes\n"
	"  --domain NAME       the domain of that name, instead of "
	"DOMAIN.xml\n"
	"Option of check:\n"
	"  --json              as JSON\n";

void cli_domain_add(struct cli_domain *domain, GOptionContext *context)
{
	const GOptionEntry entries[] = {
		{"strict", 0, 0, G_OPTION_ARG_NONE, &domain->strict, NULL,
		 NULL},
		{"map-disk", 0, 0, G_OPTION_ARG_STRING_ARRAY, &domain->map_disk,
		 NULL, NULL},
		{"map-bridge", 0, 0, G_OPTION_ARG_STRING_ARRAY,
		 &domain->map_bridge, NULL, NULL},
		{"connect", 0, 0, G_OPTION_ARG_STRING, &domain->connect, NULL,
		 NULL},
		{"domain", 0, 0, G_OPTION_ARG_STRING, &domain->name, NULL,
		 NULL},
		{0},
	};

	g_option_context_add_main_entries(context, entries, NULL);
}

static int check_maps(const char *option, char **maps, GError **error)
{
	for (char **m = maps; m && *m; m++) {
		const char *equals = strchr(*m, '=');

		if (equals && equals > *m && equals[1])
			continue;
		g_set_error(error, CLI_ERROR, 0, "%s %s: expected FROM=TO",
			    option, *m);
		return -1;
	}
	return 0;
}

int cli_domain_check(const struct cli_domain *domain, GError **error)
{
	if (domain->file && domain->name) {
		g_set_error(error, CLI_ERROR, 0,
			    "--domain %s: either it, or %s", domain->name,
			    domain->file);
		return -1;
	}
	if (check_maps("--map-disk", domain->map_disk, error))
		return -1;
	return check_maps("--map-bridge", domain->map_bridge, error);
}

void cli_domain_clear(struct cli_domain *domain)
{
	g_free(domain->file);
	g_free(domain->connect);
	g_free(domain->name);
	g_strfreev(domain->map_disk);
	g_strfreev(domain->map_bridge);
	memset(domain, 0, sizeof(*domain));
}
