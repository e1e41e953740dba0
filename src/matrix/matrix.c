/* SPDX-License-Identifier: MIT */
#include "matrix/matrix.h"

#include <string.h>
#include <unistd.h>

#include "matrix/matrix_jobs.h"
#include "matrix/matrix_run.h"
#include "report/report.h"

#define FOLDER_DEFAULT  "kvmbus-matrix"
#define TIMEOUT_DEFAULT 600
#define CELLS_MAX       10000
#define VCPUS_MAX       1024

static void free_cell(void *cell)
{
	struct matrix_cell *c = cell;

	g_free(c->name);
	g_strfreev(c->argv);
	g_free(c->report);
	g_free(c->log);
	g_free(c);
}

void matrix_free(struct matrix *m)
{
	if (!m)
		return;
	g_strfreev(m->kernels);
	g_strfreev(m->profiles);
	g_strfreev(m->command);
	g_strfreev(m->scenarios);
	g_array_free(m->vcpus, TRUE);
	g_ptr_array_free(m->cells, TRUE);
	g_free(m->folder);
	g_free(m->junit);
	g_free(m->json);
	g_free(m->make);
	g_free(m->gitlab);
	g_free(m->github);
	g_free(m);
}

/* --- the plan ---------------------------------------------------------------- */

/* "bookworm" of ".../bookworm" and of ".../linux-image-6.1_amd64.deb" its name */
static char *kernel_name(const char *path)
{
	g_autofree char *base = g_path_get_basename(path);
	g_autofree char *folder = g_path_get_dirname(path);

	if (g_str_has_suffix(base, ".deb"))
		base[strlen(base) - strlen(".deb")] = '\0';
	/* every folder's kernel is called that */
	if (!strcmp(base, "vmlinuz") || !strcmp(base, "bzImage"))
		return g_path_get_basename(folder);
	return g_steal_pointer(&base);
}

static char *scenario_name(const char *scenario)
{
	return g_strndup(scenario, strcspn(scenario, "="));
}

static char *cell_name(const struct matrix_cell *c)
{
	g_autofree char *kernel = kernel_name(c->kernel);
	g_autofree char *scenario = scenario_name(c->scenario);
	char *name = g_strdup_printf("%s-%s-x%u%s%s", kernel, c->profile,
				     c->vcpus, *scenario ? "-" : "", scenario);

	/* also in a make file */
	for (char *p = name; *p; p++) {
		if (!g_ascii_isalnum(*p) && !strchr("._-", *p))
			*p = '_';
	}
	return name;
}

static void add_words(GPtrArray *argv, const char *const *words)
{
	for (; words && *words; words++)
		g_ptr_array_add(argv, g_strdup(*words));
}

static int add_cell(struct matrix *m, const char *kernel, const char *profile,
		    unsigned int vcpus, const char *scenario, char **why)
{
	struct matrix_cell *c = g_new0(struct matrix_cell, 1);
	GPtrArray *argv = g_ptr_array_new();
	const char *options = strchr(scenario, '=');
	g_auto(GStrv) more = NULL;
	g_autoptr(GError) error = NULL;

	g_ptr_array_add(m->cells, c);
	c->kernel = kernel;
	c->profile = profile;
	c->vcpus = vcpus;
	c->scenario = scenario;
	c->name = cell_name(c);
	c->report = g_strdup_printf("%s/%s.json", m->folder, c->name);
	c->log = g_strdup_printf("%s/%s.log", m->folder, c->name);
	g_ptr_array_add(argv, g_strdup("run"));
	g_ptr_array_add(argv, g_strdup("--kernel"));
	g_ptr_array_add(argv, g_strdup(kernel));
	g_ptr_array_add(argv, g_strdup_printf("--profile=%s", profile));
	g_ptr_array_add(argv, g_strdup_printf("--vcpus=%u", vcpus));
	g_ptr_array_add(argv, g_strdup_printf("--timeout=%u", m->timeout_s));
	if (options && options[1] &&
	    !g_shell_parse_argv(options + 1, NULL, &more, &error))
		*why = g_strdup_printf("--scenario %s: %s", scenario,
				       error->message);
	add_words(argv, (const char *const *)more);
	g_ptr_array_add(argv, NULL);
	c->argv = (GStrv)g_ptr_array_free(argv, FALSE);
	return *why ? -1 : 0;
}

/* All of one kernel and profile. */
static int add_cells(struct matrix *m, const char *kernel, const char *profile,
		     char **why)
{
	static char *const none[] = {(char *)"", NULL};
	char *const *scenarios = m->scenarios[0] ? m->scenarios : none;

	for (guint v = 0; v < m->vcpus->len; v++) {
		guint vcpus = g_array_index(m->vcpus, guint, v);

		for (char *const *s = scenarios; *s; s++) {
			if (add_cell(m, kernel, profile, vcpus, *s, why))
				return -1;
		}
	}
	return 0;
}

static int make_cells(struct matrix *m, char **why)
{
	for (char **k = m->kernels; *k; k++) {
		for (char **p = m->profiles; *p; p++) {
			if (add_cells(m, *k, *p, why))
				return -1;
		}
	}
	for (guint i = 0; i < m->cells->len; i++) {
		const struct matrix_cell *a = g_ptr_array_index(m->cells, i);

		for (guint k = 0; k < i; k++) {
			const struct matrix_cell *b =
				g_ptr_array_index(m->cells, k);

			if (!strcmp(a->name, b->name)) {
				*why = g_strdup_printf(
					"two runs are both called %s", a->name);
				return -1;
			}
		}
	}
	return 0;
}

static int take_vcpus(struct matrix *m, const char *text, char **why)
{
	g_auto(GStrv) words = g_strsplit(text ? text : "2", ",", -1);

	for (char **w = words; *w; w++) {
		guint64 n;
		guint value;

		if (!g_ascii_string_to_unsigned(*w, 10, 1, VCPUS_MAX, &n,
						NULL)) {
			*why = g_strdup_printf("--vcpus %s: not a number of "
					       "processors",
					       *w);
			return -1;
		}
		value = (guint)n;
		g_array_append_val(m->vcpus, value);
	}
	return 0;
}

static int take_profiles(struct matrix *m, const char *text,
			 const char *const *all, char **why)
{
	if (!text) {
		/* as run has it */
		m->profiles = g_new0(char *, 2);
		m->profiles[0] = g_strdup(all[g_strv_length((char **)all) - 1]);
		return 0;
	}
	if (!strcmp(text, "all")) {
		m->profiles = g_strdupv((char **)all);
		return 0;
	}
	m->profiles = g_strsplit(text, ",", -1);
	for (char **p = m->profiles; *p; p++) {
		if (g_strv_contains(all, *p))
			continue;
		*why = g_strdup_printf("--profiles %s: no such profile", *p);
		return -1;
	}
	return 0;
}

/* What is behind "--"; cut off there. */
static GStrv take_command(char **args)
{
	static char *const usual[] = {(char *)"true", NULL};

	for (char **a = args; *a; a++) {
		if (strcmp(*a, "--") != 0)
			continue;
		char **command = g_strdupv(a[1] ? a + 1 : (char **)usual);

		for (; *a; a++)
			g_clear_pointer(a, g_free);
		return command;
	}
	return g_strdupv((char **)usual);
}

static struct matrix *matrix_new(void)
{
	struct matrix *m = g_new0(struct matrix, 1);

	m->vcpus = g_array_new(FALSE, FALSE, sizeof(guint));
	m->cells = g_ptr_array_new_with_free_func(free_cell);
	m->jobs = 1;
	m->timeout_s = TIMEOUT_DEFAULT;
	return m;
}

/* Return: 0; -1 with @why set. */
static int parse_options(struct matrix *m, char ***args, char **profiles,
			 char **vcpus, char **why)
{
	int jobs = 1, timeout = TIMEOUT_DEFAULT;
	const GOptionEntry entries[] = {
		{"profiles", 0, 0, G_OPTION_ARG_STRING, profiles, NULL, NULL},
		{"vcpus", 0, 0, G_OPTION_ARG_STRING, vcpus, NULL, NULL},
		{"scenario", 0, 0, G_OPTION_ARG_STRING_ARRAY, &m->scenarios,
		 NULL, NULL},
		{"jobs", 'j', 0, G_OPTION_ARG_INT, &jobs, NULL, NULL},
		{"timeout", 0, 0, G_OPTION_ARG_INT, &timeout, NULL, NULL},
		{"out", 0, 0, G_OPTION_ARG_FILENAME, &m->folder, NULL, NULL},
		{"junit", 0, 0, G_OPTION_ARG_FILENAME, &m->junit, NULL, NULL},
		{"json", 0, 0, G_OPTION_ARG_FILENAME, &m->json, NULL, NULL},
		{"make", 0, 0, G_OPTION_ARG_FILENAME, &m->make, NULL, NULL},
		{"gitlab", 0, 0, G_OPTION_ARG_FILENAME, &m->gitlab, NULL, NULL},
		{"github", 0, 0, G_OPTION_ARG_FILENAME, &m->github, NULL, NULL},
		{0},
	};
	GOptionContext *context = g_option_context_new(NULL);
	g_autoptr(GError) error = NULL;

	g_option_context_set_help_enabled(context, FALSE);
	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse_strv(context, args, &error))
		*why = g_strdup(error->message);
	else if (jobs < 1 || timeout < 1)
		*why = g_strdup("--jobs and --timeout take positive numbers");
	g_option_context_free(context);
	m->jobs = (unsigned int)jobs;
	m->timeout_s = (unsigned int)timeout;
	if (!m->scenarios)
		m->scenarios = g_new0(char *, 1);
	if (!m->folder)
		m->folder = g_strdup(FOLDER_DEFAULT);
	return *why ? -1 : 0;
}

struct matrix *matrix_parse(char **args, const char *const *profiles,
			    char **why)
{
	struct matrix *m = matrix_new();
	g_autofree char *wanted = NULL;
	g_autofree char *vcpus = NULL;
	/* GOption skips the first, as a program's name */
	char **words = g_new0(char *, g_strv_length(args) + 2);
	int ret;

	words[0] = g_strdup("matrix");
	for (guint i = 0; args[i]; i++)
		words[i + 1] = g_strdup(args[i]);
	*why = NULL;
	m->command = take_command(words);
	ret = parse_options(m, &words, &wanted, &vcpus, why);
	m->kernels = g_strdupv(words + 1);
	if (!ret && !m->kernels[0]) {
		*why = g_strdup("say which kernels");
		ret = -1;
	}
	if (!ret)
		ret = take_profiles(m, wanted, profiles, why);
	if (!ret)
		ret = take_vcpus(m, vcpus, why);
	if (!ret && (guint64)g_strv_length(m->kernels) *
				    g_strv_length(m->profiles) * m->vcpus->len *
				    MAX(g_strv_length(m->scenarios), 1) >
			    CELLS_MAX) {
		*why = g_strdup("too many runs");
		ret = -1;
	}
	if (!ret)
		ret = make_cells(m, why);
	g_strfreev(words);
	if (!ret)
		return m;
	matrix_free(m);
	return NULL;
}

/* --- the table ----------------------------------------------------------------- */

static void say_cell(const struct matrix_cell *c, char text[16])
{
	if (!c->ran)
		g_snprintf(text, 16, "-");
	else if (c->exit_code)
		g_snprintf(text, 16, "FAIL %d", c->exit_code);
	else
		g_snprintf(text, 16, "ok");
}

void matrix_print(const struct matrix *m, FILE *out)
{
	guint across = m->vcpus->len * MAX(g_strv_length(m->scenarios), 1);
	int widest = 6;
	unsigned int good = 0;

	if (!across)
		return;
	for (guint i = 0; i < m->cells->len; i += across) {
		const struct matrix_cell *c = g_ptr_array_index(m->cells, i);
		g_autofree char *kernel = kernel_name(c->kernel);

		widest = MAX(widest, (int)strlen(kernel));
	}
	fprintf(out, "%-*s  %-8s", widest, "kernel", "profile");
	for (guint i = 0; i < across; i++) {
		const struct matrix_cell *c = g_ptr_array_index(m->cells, i);
		g_autofree char *scenario = scenario_name(c->scenario);
		g_autofree char *title =
			g_strdup_printf("x%u %s", c->vcpus, scenario);

		fprintf(out, "  %-10s", title);
	}
	for (guint i = 0; i < m->cells->len; i++) {
		const struct matrix_cell *c = g_ptr_array_index(m->cells, i);
		char text[16];

		if (i % across == 0) {
			g_autofree char *kernel = kernel_name(c->kernel);

			fprintf(out, "\n%-*s  %-8s", widest, kernel,
				c->profile);
		}
		say_cell(c, text);
		fprintf(out, "  %-10s", text);
		good += c->ran && !c->exit_code;
	}
	fprintf(out, "\n%u of %u good\n", good, m->cells->len);
}

static int usage(FILE *err, const char *why)
{
	fprintf(err,
		"kvmbus: matrix: %s\n"
		"Usage: kvmbus matrix KERNEL... [OPTION]... [-- COMMAND "
		"[ARG]...]; see kvmbus-matrix(1)\n",
		why);
	return EXIT_USAGE;
}

int matrix_verb(char **args, const char *const *profiles, FILE *out, FILE *err)
{
	g_autofree char *why = NULL;
	g_autoptr(GError) error = NULL;
	struct matrix *m = matrix_parse(args, profiles, &why);
	int code;

	if (!m)
		return usage(err, why);
	if (m->make || m->gitlab || m->github)
		code = matrix_write_jobs(m, &error) ? EXIT_CONFIG : 0;
	else
		code = matrix_run(m, out, &error);
	if (error)
		fprintf(err, "kvmbus: matrix: %s\n", error->message);
	matrix_free(m);
	return code;
}
