/* SPDX-License-Identifier: MIT */
#include "report/report_verb.h"

#include <stdbool.h>
#include <string.h>

#include <glib.h>
#include <json-c/json.h>

#include "report/diff.h"
#include "report/page.h"
#include "report/report.h"
#include "report/report_file.h"
#include "report/summary.h"
#include "report/verdict.h"

/* diff(1)'s */
#define EXIT_DIFFERENT 1

typedef int (*act_fn)(struct json_object *const *reports,
		      const struct verdict_run *runs, size_t n, FILE *out);

static int show(struct json_object *const *reports,
		const struct verdict_run *runs, size_t n, FILE *out)
{
	const struct summary_style style = summary_style_of(out);

	(void)runs;
	(void)n;
	summary_print(reports[0], &style, out);
	return 0;
}

static int diff(struct json_object *const *reports,
		const struct verdict_run *runs, size_t n, FILE *out)
{
	(void)runs;
	(void)n;
	return report_diff(reports[0], reports[1], out) ? EXIT_DIFFERENT : 0;
}

static int put_text(FILE *out, char *text)
{
	fputs(text, out);
	g_free(text);
	return 0;
}

static int junit(struct json_object *const *reports,
		 const struct verdict_run *runs, size_t n, FILE *out)
{
	(void)reports;
	return put_text(out, verdict_junit(runs, n));
}

static int tap(struct json_object *const *reports,
	       const struct verdict_run *runs, size_t n, FILE *out)
{
	(void)reports;
	return put_text(out, verdict_tap(runs, n));
}

static int html(struct json_object *const *reports,
		const struct verdict_run *runs, size_t n, FILE *out)
{
	(void)n;
	return put_text(out, page_html(reports[0], runs[0].name));
}

static const struct {
	const char *name, *what;
	size_t min, max; /* reports */
	act_fn act;
} acts[] = {
	{"show", "show FILE         how it went, for a person", 1, 1, show},
	{"diff", "diff A B          what is different in B", 2, 2, diff},
	{"junit", "junit FILE...     as JUnit XML", 1, SIZE_MAX, junit},
	{"tap", "tap FILE...       as TAP", 1, SIZE_MAX, tap},
	{"html", "html FILE         as a page, with the coverage", 1, 1, html},
};

static int usage(FILE *err, const char *why)
{
	fprintf(err, "kvmbus: report: %s\nUsage: kvmbus report COMMAND:\n",
		why);
	for (size_t i = 0; i < G_N_ELEMENTS(acts); i++)
		fprintf(err, "  %s\n", acts[i].what);
	return EXIT_USAGE;
}

/* From its start to the last thing that it reached. */
static double seconds_of(const struct json_object *report)
{
	uint64_t last = 0;

	for (size_t i = 0; i < report_len(report, "milestones"); i++)
		last = MAX(last, report_num(report_nth(report, "milestones", i),
					    "ms"));
	return (double)last / 1000;
}

static int act_on(act_fn act, char **files, size_t n, FILE *out, FILE *err)
{
	struct json_object **reports = g_new0(struct json_object *, n);
	struct verdict_run *runs = g_new0(struct verdict_run, n);
	g_autoptr(GError) error = NULL;
	int code = 0;

	for (size_t i = 0; i < n && !code; i++) {
		reports[i] = report_load(files[i], &error);
		if (!reports[i]) {
			fprintf(err, "kvmbus: report: %s\n", error->message);
			code = EXIT_CONFIG;
			break;
		}
		runs[i] = (struct verdict_run){
			.name = verdict_name(reports[i]),
			.report = reports[i],
			.seconds = seconds_of(reports[i]),
		};
	}
	if (!code)
		code = act(reports, runs, n, out);
	for (size_t i = 0; i < n; i++) {
		g_free((char *)runs[i].name);
		json_object_put(reports[i]);
	}
	g_free(runs);
	g_free(reports);
	return code;
}

int report_verb(char **args, FILE *out, FILE *err)
{
	size_t n = args[0] ? g_strv_length(args) - 1 : 0;

	for (size_t i = 0; args[0] && i < G_N_ELEMENTS(acts); i++) {
		if (strcmp(args[0], acts[i].name) != 0)
			continue;
		if (n < acts[i].min || n > acts[i].max)
			return usage(err, "files are missing, or too many");
		return act_on(acts[i].act, args + 1, n, out, err);
	}
	return usage(err, args[0] ? "no such command" : "say what to do");
}
