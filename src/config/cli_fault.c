/* SPDX-License-Identifier: MIT */
#include "config/cli_fault.h"

#include "base/fault.h"
#include "config/cli.h"
#include "config/option_list.h"

const char cli_fault_help[] =
	"  --fault RULE        have the host do something wrong: "
	"POINT:action=ACTION,...\n"
	"  --fault-file FILE   the same, a rule a line\n"
	"  --scenario NAME     the same, of the library that 'kvmbus faults' "
	"lists\n"
	"  --fault-seed N      what random ones are drawn from (default 0)\n";

void fault_options_group(struct fault_options *o, GOptionGroup *group)
{
	const GOptionEntry entries[] = {
		{"fault", 0, 0, G_OPTION_ARG_STRING_ARRAY, &o->rules, NULL,
		 NULL},
		{"fault-file", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &o->files,
		 NULL, NULL},
		{"scenario", 0, 0, G_OPTION_ARG_STRING_ARRAY, &o->scenarios,
		 NULL, NULL},
		{"fault-seed", 0, 0, G_OPTION_ARG_STRING, &o->seed, NULL, NULL},
		{0},
	};

	g_option_group_add_entries(group, entries);
}

void fault_options_clear(struct fault_options *o)
{
	g_strfreev(o->scenarios);
	g_strfreev(o->files);
	g_strfreev(o->rules);
	g_free(o->seed);
}

static int read_scenario(const char *name, fault_milestone_fn milestone,
			 GArray *rules, GError **error)
{
	const char *text = fault_scenario_find(name);

	if (!text)
		return option_refuse(error, name,
				     "no such scenario; 'kvmbus faults' lists "
				     "them");
	return fault_config_parse_lines(text, name, milestone, rules, error);
}

static int read_file(const char *path, fault_milestone_fn milestone,
		     GArray *rules, GError **error)
{
	g_autofree char *text = NULL;

	if (!g_file_get_contents(path, &text, NULL, error))
		return -1;
	return fault_config_parse_lines(text, path, milestone, rules, error);
}

static int read_rule(const char *text, fault_milestone_fn milestone,
		     GArray *rules, GError **error)
{
	struct fault_rule rule;

	if (fault_config_parse(text, milestone, &rule, error))
		return -1;
	if (rules->len >= FAULT_RULES_MAX)
		return option_refuse(error, text, "too many rules");
	g_array_append_val(rules, rule);
	return 0;
}

int fault_options_read(const struct fault_options *o,
		       fault_milestone_fn milestone, GArray *rules,
		       guint64 *seed, GError **error)
{
	const struct {
		const char *option;
		char **values;
		int (*read)(const char *value, fault_milestone_fn milestone,
			    GArray *rules, GError **error);
	} all[] = {
		{"--scenario", o->scenarios, read_scenario},
		{"--fault-file", o->files, read_file},
		{"--fault", o->rules, read_rule},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(all); i++) {
		for (char **v = all[i].values; v && *v; v++) {
			g_autoptr(GError) why = NULL;

			if (!all[i].read(*v, milestone, rules, &why))
				continue;
			g_set_error(error, CLI_ERROR, 0, "%s %s: %s",
				    all[i].option, *v, why->message);
			return -1;
		}
	}
	if (!o->seed ||
	    g_ascii_string_to_unsigned(o->seed, 10, 0, G_MAXUINT64, seed, NULL))
		return 0;
	g_set_error(error, CLI_ERROR, 0, "--fault-seed %s: expected a number",
		    o->seed);
	return -1;
}

int cli_fault_verb(char **argv, char **name, GError **error)
{
	if (argv[0] && argv[1] && argv[2]) {
		g_set_error(error, CLI_ERROR, 0, "faults %s: unexpected",
			    argv[2]);
		return -1;
	}
	*name = argv[0] ? g_strdup(argv[1]) : NULL;
	return 0;
}
