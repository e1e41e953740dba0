/* SPDX-License-Identifier: MIT */
#include "report/verdict.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "report/report_file.h"

enum result {
	PASSED,
	FAILED,
	SKIPPED
};

struct test {
	char *name;
	enum result result;
	char *message; /* NULL when it passed */
	double seconds;
};

static void free_test(void *test)
{
	struct test *t = test;

	g_free(t->name);
	g_free(t->message);
	g_free(t);
}

static void add(GPtrArray *tests, char *name, enum result result, char *message,
		double seconds)
{
	struct test *t = g_new0(struct test, 1);

	t->name = name;
	t->result = result;
	t->message = message;
	t->seconds = seconds;
	g_ptr_array_add(tests, t);
}

static void add_outcome(GPtrArray *tests, const struct verdict_run *run)
{
	const char *kind = report_str(run->report, "outcome/kind");
	const char *detail = report_str(run->report, "outcome/detail");
	uint64_t code = report_num(run->report, "outcome/exit_code");

	if (!run->report)
		add(tests, g_strdup("run"), FAILED, g_strdup(run->why),
		    run->seconds);
	else if (code)
		add(tests, g_strdup("run"), FAILED,
		    g_strdup_printf("%s, exit code %" PRIu64 "%s%s",
				    kind ? kind : "?", code, detail ? ": " : "",
				    detail ? detail : ""),
		    run->seconds);
	else
		add(tests, g_strdup("run"), PASSED, NULL, run->seconds);
}

static void add_milestone(GPtrArray *tests, const struct json_object *m)
{
	const char *why = report_str(m, "why");
	const char *name = report_str(m, "name");
	bool reached = report_bool(m, "reached");
	bool required = report_bool(m, "required");

	add(tests, g_strdup_printf("milestone %s", name ? name : "?"),
	    reached    ? PASSED
	    : required ? FAILED
		       : SKIPPED,
	    reached ? NULL
		    : g_strdup_printf("%s not reached%s%s", name ? name : "?",
				      why ? ": " : "", why ? why : ""),
	    (double)report_num(m, "ms") / 1000);
}

static void add_finding(GPtrArray *tests, const struct json_object *f)
{
	const char *rule = report_str(f, "rule");
	const char *where = report_str(f, "where");
	const char *detail = report_str(f, "detail");
	bool bad = !g_strcmp0(report_str(f, "severity"), "error");
	g_autofree char *times = report_times(report_num(f, "count"));

	add(tests,
	    g_strdup_printf("finding %s at %s", rule ? rule : "?",
			    where ? where : "?"),
	    bad ? FAILED : SKIPPED,
	    g_strdup_printf("%s: %s", times, detail ? detail : ""), 0);
}

static GPtrArray *tests_of(const struct verdict_run *run)
{
	GPtrArray *tests = g_ptr_array_new_with_free_func(free_test);
	const struct json_object *r = run->report;

	add_outcome(tests, run);
	for (size_t i = 0; i < report_len(r, "milestones"); i++)
		add_milestone(tests, report_nth(r, "milestones", i));
	for (size_t i = 0; i < report_len(r, "findings"); i++)
		add_finding(tests, report_nth(r, "findings", i));
	return tests;
}

static unsigned int count(const GPtrArray *tests, enum result result)
{
	unsigned int n = 0;

	for (guint i = 0; i < tests->len; i++)
		n += ((struct test *)g_ptr_array_index(tests, i))->result ==
		     result;
	return n;
}

char *verdict_name(const struct json_object *r)
{
	const char *profile = report_str(r, "profile");
	const char *guest = report_str(r, "guest/name");
	uint64_t vcpus = report_num(r, "guest/vcpus");

	return g_strdup_printf("%s, %" PRIu64 " processor%s, %s",
			       profile ? profile : "?", vcpus,
			       vcpus == 1 ? "" : "s", guest ? guest : "?");
}

/* --- JUnit --------------------------------------------------------------------- */

/* XML has no place for most control characters, however they are written. */
static char *xml(const char *text)
{
	g_autofree char *valid = g_utf8_make_valid(text, -1);

	for (char *p = valid; *p; p++) {
		if ((unsigned char)*p < ' ' && *p != '\n' && *p != '\t')
			*p = '?';
	}
	return g_markup_escape_text(valid, -1);
}

static void junit_test(GString *out, const char *suite, const struct test *t)
{
	g_autofree char *name = xml(t->name);
	g_autofree char *message = t->message ? xml(t->message) : NULL;
	char seconds[G_ASCII_DTOSTR_BUF_SIZE];

	g_ascii_formatd(seconds, sizeof(seconds), "%.3f", t->seconds);
	g_string_append_printf(out,
			       "    <testcase classname=\"%s\" name=\"%s\" "
			       "time=\"%s\"",
			       suite, name, seconds);
	if (t->result == FAILED)
		g_string_append_printf(out,
				       ">\n      <failure message=\"%s\"/>\n"
				       "    </testcase>\n",
				       message);
	else if (t->result == SKIPPED)
		g_string_append_printf(out,
				       ">\n      <skipped message=\"%s\"/>\n"
				       "    </testcase>\n",
				       message);
	else
		g_string_append(out, "/>\n");
}

static void junit_suite(GString *out, const struct verdict_run *run)
{
	GPtrArray *tests = tests_of(run);
	g_autofree char *name = xml(run->name);
	const char *tail = report_str(run->report, "console_tail");
	char seconds[G_ASCII_DTOSTR_BUF_SIZE];

	g_ascii_formatd(seconds, sizeof(seconds), "%.3f", run->seconds);
	g_string_append_printf(
		out,
		"  <testsuite name=\"%s\" tests=\"%u\" failures=\"%u\" "
		"skipped=\"%u\" errors=\"0\" time=\"%s\">\n",
		name, tests->len, count(tests, FAILED), count(tests, SKIPPED),
		seconds);
	for (guint i = 0; i < tests->len; i++)
		junit_test(out, name, g_ptr_array_index(tests, i));
	if (tail && count(tests, FAILED)) {
		g_autofree char *text = xml(tail);

		g_string_append_printf(out, "    <system-out>%s</system-out>\n",
				       text);
	}
	g_string_append(out, "  </testsuite>\n");
	g_ptr_array_free(tests, TRUE);
}

char *verdict_junit(const struct verdict_run *runs, size_t n)
{
	GString *out =
		g_string_new("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
			     "<testsuites name=\"kvmbus\">\n");

	for (size_t i = 0; i < n; i++)
		junit_suite(out, &runs[i]);
	g_string_append(out, "</testsuites>\n");
	return g_string_free(out, FALSE);
}

/* --- TAP ------------------------------------------------------------------------ */

/* A line's worth: '#' begins a directive there. */
static char *tap(const char *text)
{
	char *line = g_utf8_make_valid(text, -1);

	for (char *p = line; *p; p++) {
		if ((unsigned char)*p < ' ' || *p == '#')
			*p = ' ';
	}
	return line;
}

static void tap_test(GString *out, unsigned int number,
		     const struct verdict_run *run, const struct test *t)
{
	g_autofree char *suite = tap(run->name);
	g_autofree char *name = tap(t->name);
	g_autofree char *message = t->message ? tap(t->message) : NULL;

	g_string_append_printf(out, "%s %u - %s: %s",
			       t->result == FAILED ? "not ok" : "ok", number,
			       suite, name);
	if (t->result == SKIPPED)
		g_string_append_printf(out, " # SKIP %s", message);
	g_string_append_c(out, '\n');
	if (t->result == FAILED)
		g_string_append_printf(out, "# %s\n", message);
}

char *verdict_tap(const struct verdict_run *runs, size_t n)
{
	g_autoptr(GString) body = g_string_new(NULL);
	unsigned int number = 0;

	for (size_t i = 0; i < n; i++) {
		GPtrArray *tests = tests_of(&runs[i]);

		for (guint k = 0; k < tests->len; k++)
			tap_test(body, ++number, &runs[i],
				 g_ptr_array_index(tests, k));
		g_ptr_array_free(tests, TRUE);
	}
	return g_strdup_printf("TAP version 13\n1..%u\n%s", number, body->str);
}
