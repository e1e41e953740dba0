/* SPDX-License-Identifier: MIT */
#include "report/page.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include <glib.h>
#include <json-c/json.h>

#include "report/report_file.h"

static const char head[] =
	"<!DOCTYPE html>\n"
	"<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
	"<meta name=\"viewport\" content=\"width=device-width\">\n"
	"<title>%s</title>\n"
	"<style>\n"
	"body{font:15px/1.45 system-ui,sans-serif;max-width:70em;"
	"margin:1.5em auto;padding:0 1em;color:#1a1a1a;background:#fff}\n"
	"h1{font-size:1.4em}h2{font-size:1.1em;margin:1.6em 0 .4em}\n"
	"table{border-collapse:collapse;width:100%%}\n"
	"th,td{text-align:left;padding:.2em .6em;"
	"border-bottom:1px solid #ddd;vertical-align:top}\n"
	"th{background:#f3f3f3;position:sticky;top:0}\n"
	"td.n{text-align:right;font-variant-numeric:tabular-nums}\n"
	"code{font-size:.93em}\n"
	"tr.used td:first-child{border-left:.3em solid #1b7f3b}\n"
	"tr.unused td:first-child{border-left:.3em solid #bbb}\n"
	"tr.refused td:first-child{border-left:.3em solid #b3261e}\n"
	"tr.absent{color:#777}\n"
	".pass{color:#1b7f3b}.fail{color:#b3261e}\n"
	"details summary{cursor:pointer}pre{overflow:auto;background:#f6f6f6;"
	"padding:.6em}\n"
	"@media(prefers-color-scheme:dark){body{background:#161616;"
	"color:#e4e4e4}th{background:#242424}th,td{border-color:#333}"
	"pre{background:#1e1e1e}.pass{color:#5fd38a}.fail{color:#ff8a80}}\n"
	"</style></head><body>\n";

static char *esc(const char *text)
{
	return g_markup_escape_text(text ? text : "", -1);
}

static void G_GNUC_PRINTF(2, 3) cell(GString *out, const char *format, ...)
{
	g_autofree char *text = NULL;
	g_autofree char *safe = NULL;
	va_list args;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	safe = esc(text);
	g_string_append_printf(out, "<td>%s</td>", safe);
}

static void number_cell(GString *out, uint64_t n)
{
	g_string_append_printf(out, "<td class=\"n\">%" PRIu64 "</td>", n);
}

static void add_head(GString *out, const struct json_object *r,
		     const char *title)
{
	uint64_t code = report_num(r, "outcome/exit_code");
	const char *kind = report_str(r, "outcome/kind");
	g_autofree char *safe = esc(title);
	g_autofree char *detail = esc(report_str(r, "outcome/detail"));

	g_string_append_printf(out, head, safe);
	g_string_append_printf(out,
			       "<h1>%s <span class=\"%s\">%s</span></h1>\n"
			       "<p>%s, exit code %" PRIu64 "%s%s</p>\n",
			       safe, code ? "fail" : "pass",
			       code ? "FAIL" : "PASS", kind ? kind : "running",
			       code, *detail ? ": " : "", detail);
}

static void add_milestones(GString *out, const struct json_object *r)
{
	g_string_append(out,
			"<h2>Milestones</h2>\n<table><tr><th>milestone</th>"
			"<th>ms</th><th>why not</th></tr>\n");
	for (size_t i = 0; i < report_len(r, "milestones"); i++) {
		const struct json_object *m = report_nth(r, "milestones", i);
		bool reached = report_bool(m, "reached");
		bool required = report_bool(m, "required");
		const char *why = report_str(m, "why");

		g_string_append_printf(out, "<tr class=\"%s\">",
				       reached    ? "used"
				       : required ? "refused"
						  : "unused");
		cell(out, "%s%s", report_str(m, "name"),
		     required ? " (required)" : "");
		if (reached)
			number_cell(out, report_num(m, "ms"));
		else
			g_string_append(out, "<td></td>");
		cell(out, "%s", !reached && why ? why : "");
		g_string_append(out, "</tr>\n");
	}
	g_string_append(out, "</table>\n");
}

static void add_findings(GString *out, const struct json_object *r)
{
	if (!report_len(r, "findings"))
		return;
	g_string_append(out, "<h2>Findings</h2>\n<table><tr><th>rule</th>"
			     "<th>severity</th><th>where</th><th>times</th>"
			     "<th>detail</th></tr>\n");
	for (size_t i = 0; i < report_len(r, "findings"); i++) {
		const struct json_object *f = report_nth(r, "findings", i);

		g_string_append(out, "<tr class=\"refused\">");
		cell(out, "%s", report_str(f, "rule"));
		cell(out, "%s", report_str(f, "severity"));
		cell(out, "%s", report_str(f, "where"));
		number_cell(out, report_num(f, "count"));
		cell(out, "%s", report_str(f, "detail"));
		g_string_append(out, "</tr>\n");
	}
	g_string_append(out, "</table>\n");
}

/* --- coverage ------------------------------------------------------------------- */

static const struct {
	const char *key, *title;
} parts[] = {
	{"cpuid", "CPUID bits"},
	{"msrs", "Synthetic MSRs"},
	{"hypercalls", "Hypercalls"},
	{"vmbus_messages", "VMbus messages"},
	{"nvsp_messages", "Messages of network cards (NVSP)"},
	{"oids", "Objects of network cards (OID)"},
	{"scsi_commands", "SCSI commands"},
};

static const char *mark(const struct json_object *row, const char *key)
{
	return report_bool(row, key) ? "yes" : "no";
}

static void add_row(GString *out, const struct json_object *row)
{
	uint64_t used = report_num(row, "used");
	uint64_t refused = report_num(row, "refused");

	g_string_append_printf(out, "<tr class=\"%s\">",
			       refused                       ? "refused"
			       : used                        ? "used"
			       : report_bool(row, "offered") ? "unused"
							     : "absent");
	cell(out, "%s", report_str(row, "name"));
	if (report_get(row, "bit"))
		cell(out, "%s, bit %" PRIu64, report_str(row, "number"),
		     report_num(row, "bit"));
	else
		cell(out, "%s", report_str(row, "number"));
	cell(out, "%s", mark(row, "implemented"));
	cell(out, "%s", mark(row, "offered"));
	if (report_get(row, "used"))
		number_cell(out, used);
	else
		g_string_append(out, "<td class=\"n\">?</td>");
	number_cell(out, refused);
	cell(out, "%s", report_str(row, "note") ? report_str(row, "note") : "");
	g_string_append(out, "</tr>\n");
}

static void add_part(GString *out, const struct json_object *r, const char *key,
		     const char *title)
{
	g_autofree char *path = g_strconcat("coverage/", key, NULL);
	size_t n = report_len(r, path), implemented = 0, offered = 0, used = 0;

	if (!n)
		return;
	for (size_t i = 0; i < n; i++) {
		const struct json_object *row = report_nth(r, path, i);

		implemented += report_bool(row, "implemented");
		offered += report_bool(row, "offered");
		used += report_num(row, "used") != 0;
	}
	g_string_append_printf(
		out,
		"<h2 id=\"%s\">%s</h2>\n<p>%zu; %zu implemented, %zu offered, "
		"%zu used by this guest</p>\n<details%s><summary>each of them"
		"</summary>\n<table><tr><th>name</th><th>number</th>"
		"<th>implemented</th><th>offered</th><th>used</th>"
		"<th>refused</th><th>note</th></tr>\n",
		key, title, n, implemented, offered, used,
		n <= 40 ? " open" : "");
	for (size_t i = 0; i < n; i++)
		add_row(out, report_nth(r, path, i));
	g_string_append(out, "</table></details>\n");
}

char *page_html(const struct json_object *r, const char *title)
{
	GString *out = g_string_new(NULL);
	const char *tail = report_str(r, "console_tail");

	add_head(out, r, title);
	add_milestones(out, r);
	add_findings(out, r);
	for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
		add_part(out, r, parts[i].key, parts[i].title);
	if (tail && *tail) {
		g_autofree char *safe = esc(tail);

		g_string_append_printf(
			out,
			"<h2>Console</h2>\n<details><summary>what the guest "
			"printed at last</summary><pre>%s</pre></details>\n",
			safe);
	}
	g_string_append(out, "</body></html>\n");
	return g_string_free(out, FALSE);
}
