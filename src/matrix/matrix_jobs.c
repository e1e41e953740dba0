/* SPDX-License-Identifier: MIT */
#include "matrix/matrix_jobs.h"

#include <string.h>

#include "matrix/matrix.h"

#define MADE_BY "# Made by 'kvmbus matrix': it is made anew, not changed.\n"

/* A word for sh(1), as plain as can be. */
static void add_word(GString *line, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-_./=+,:@%";
	g_autofree char *quoted = g_shell_quote(word);

	g_string_append_printf(
		line, "%s%s", line->len ? " " : "",
		*word && strspn(word, plain) == strlen(word) ? word : quoted);
}

/* "run --kernel … --report FILE -- COMMAND" */
static char *command_line(const struct matrix *m, const struct matrix_cell *c)
{
	GString *line = g_string_new(NULL);

	for (char **a = c->argv; *a; a++)
		add_word(line, *a);
	add_word(line, "--report");
	add_word(line, c->report);
	add_word(line, "--");
	for (char **a = m->command; *a; a++)
		add_word(line, *a);
	return g_string_free(line, FALSE);
}

/* Dollars are make's. */
static char *for_make(const char *text)
{
	GString *out = g_string_new(NULL);

	for (; *text; text++) {
		if (*text == '$')
			g_string_append_c(out, '$');
		g_string_append_c(out, *text);
	}
	return g_string_free(out, FALSE);
}

char *matrix_make(const struct matrix *m)
{
	GString *out = g_string_new(MADE_BY "KVMBUS ?= kvmbus\n\nall:");

	for (guint i = 0; i < m->cells->len; i++) {
		const struct matrix_cell *c = g_ptr_array_index(m->cells, i);

		g_string_append_printf(out, " \\\n\t%s", c->name);
	}
	g_string_append(out, "\n.PHONY: all");
	for (guint i = 0; i < m->cells->len; i++) {
		const struct matrix_cell *c = g_ptr_array_index(m->cells, i);

		g_string_append_printf(out, " \\\n\t%s", c->name);
	}
	g_string_append_c(out, '\n');
	for (guint i = 0; i < m->cells->len; i++) {
		const struct matrix_cell *c = g_ptr_array_index(m->cells, i);
		g_autofree char *line = command_line(m, c);
		g_autofree char *safe = for_make(line);
		g_autofree char *folder = g_shell_quote(m->folder);

		g_string_append_printf(out,
				       "\n%s:\n\t@mkdir -p %s\n"
				       "\t$(KVMBUS) %s\n",
				       c->name, folder, safe);
	}
	return g_string_free(out, FALSE);
}

/* A YAML string in double quotes, which is JSON's. */
static char *yaml(const char *text)
{
	GString *out = g_string_new("\"");

	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			g_string_append_c(out, '\\');
		if ((unsigned char)*text < ' ')
			g_string_append_printf(out, "\\x%02x",
					       (unsigned char)*text);
		else
			g_string_append_c(out, *text);
	}
	g_string_append_c(out, '"');
	return g_string_free(out, FALSE);
}

char *matrix_gitlab(const struct matrix *m)
{
	g_autofree char *paths = g_strdup_printf("%s/", m->folder);
	g_autofree char *folder = yaml(paths);
	g_autofree char *quoted = g_shell_quote(m->folder);
	GString *out = g_string_new(MADE_BY "kvmbus:\n"
					    "  stage: test\n"
					    "  script:\n");

	g_string_append_printf(
		out,
		"    - mkdir -p %s\n"
		"    - eval \"kvmbus $RUN\"\n"
		"  after_script:\n"
		"    - kvmbus report junit \"$REPORT\" >junit.xml\n"
		"  artifacts:\n"
		"    when: always\n"
		"    paths: [%s]\n"
		"    reports:\n"
		"      junit: junit.xml\n"
		"  parallel:\n"
		"    matrix:\n",
		quoted, folder);
	for (guint i = 0; i < m->cells->len; i++) {
		const struct matrix_cell *c = g_ptr_array_index(m->cells, i);
		g_autofree char *line = command_line(m, c);
		/* GitLab's own dollars */
		g_autofree char *dollars = for_make(line);
		g_autofree char *text = yaml(dollars);
		g_autofree char *name = yaml(c->name);
		g_autofree char *report = yaml(c->report);

		g_string_append_printf(out,
				       "      - NAME: %s\n"
				       "        REPORT: %s\n"
				       "        RUN: %s\n",
				       name, report, text);
	}
	return g_string_free(out, FALSE);
}

char *matrix_github(const struct matrix *m)
{
	g_autofree char *folder = yaml(m->folder);
	GString *out = g_string_new(MADE_BY "name: kvmbus\n"
					    "on: [push]\n"
					    "jobs:\n"
					    "  guest:\n"
					    "    runs-on: ubuntu-latest\n"
					    "    strategy:\n"
					    "      fail-fast: false\n"
					    "      matrix:\n"
					    "        include:\n");

	for (guint i = 0; i < m->cells->len; i++) {
		const struct matrix_cell *c = g_ptr_array_index(m->cells, i);
		g_autofree char *line = command_line(m, c);
		g_autofree char *text = yaml(line);
		g_autofree char *name = yaml(c->name);

		g_string_append_printf(out,
				       "          - name: %s\n"
				       "            run: %s\n",
				       name, text);
	}
	g_string_append_printf(
		out,
		"    name: ${{ matrix.name }}\n"
		"    env:\n"
		"      FOLDER: %s\n"
		"      RUN: ${{ matrix.run }}\n"
		"    steps:\n"
		"      - uses: actions/checkout@v4\n"
		"      - run: sudo chmod 666 /dev/kvm\n"
		"      - run: mkdir -p \"$FOLDER\" && eval \"kvmbus $RUN\"\n"
		"      - uses: actions/upload-artifact@v4\n"
		"        if: always()\n"
		"        with:\n"
		"          name: ${{ matrix.name }}\n"
		"          path: ${{ env.FOLDER }}\n",
		folder);
	return g_string_free(out, FALSE);
}

static int put(const char *path, char *text, GError **error)
{
	int ret = g_file_set_contents(path, text, -1, error) ? 0 : -1;

	g_free(text);
	return ret;
}

int matrix_write_jobs(const struct matrix *m, GError **error)
{
	int ret = 0;

	if (m->make)
		ret = put(m->make, matrix_make(m), error);
	if (!ret && m->gitlab)
		ret = put(m->gitlab, matrix_gitlab(m), error);
	if (!ret && m->github)
		ret = put(m->github, matrix_github(m), error);
	return ret;
}
