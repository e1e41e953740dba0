/* SPDX-License-Identifier: MIT */
/*
 * report.c - what is said of a domain, for a person and for programs.
 */
#include <string.h>

#include <json-c/json.h>

#include "base/json.h"
#include "config/domain/domain_private.h"

static const char *const verdicts[DOMAIN_VERDICTS] = {
	[DOMAIN_HONOURED] = "honoured",
	[DOMAIN_IGNORED] = "ignored",
	[DOMAIN_REFUSED] = "refused",
	[DOMAIN_NOTE] = "note",
};

/* Of what was refused a person reads this many; the rest is counted. */
#define COMPLAINTS_MAX 50u

static void say(struct domain *d, enum domain_verdict verdict,
		unsigned int line, const char *path, const char *text)
{
	struct domain_message *m = g_new0(struct domain_message, 1);

	if (verdict == DOMAIN_IGNORED && d->options->strict)
		verdict = DOMAIN_REFUSED;
	m->verdict = verdict;
	m->line = line;
	m->path = g_strdup(path);
	m->text = g_strdup(text);
	if (m->text && g_str_has_suffix(m->text, "."))
		m->text[strlen(m->text) - 1] = '\0';
	d->report->n[verdict]++;
	g_ptr_array_add(d->report->messages, m);
}

static unsigned int line_of(const xmlNode *node)
{
	long line = node ? xmlGetLineNo(node) : 0;

	return line > 0 ? (unsigned int)line : 0;
}

void domain_say(struct domain *d, enum domain_verdict verdict,
		const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list args;

	if (format) {
		va_start(args, format);
		text = g_strdup_vprintf(format, args);
		va_end(args);
	}
	say(d, verdict, line_of(d->node), d->path, text);
}

void domain_say_of(struct domain *d, enum domain_verdict verdict,
		   const xmlNode *node, const char *path, const char *format,
		   ...)
{
	g_autofree char *text = NULL;
	va_list args;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	say(d, verdict, line_of(node), path, text);
}

void domain_refuse_error(struct domain *d, const xmlNode *node,
			 const char *path, GError *error)
{
	const char *text = error->message, *rest = strstr(text, ": ");

	/* What is wrong is no option here. */
	if (g_str_has_prefix(text, "--") && rest)
		text = rest + 2;
	say(d, DOMAIN_REFUSED, line_of(node ? node : d->node),
	    node ? path : d->path, text);
	g_error_free(error);
}

static void print_message(const struct domain_report *r,
			  const struct domain_message *m, bool verdict,
			  FILE *out)
{
	fputs(r->file, out);
	if (m->line)
		fprintf(out, ":%u", m->line);
	if (m->path)
		fprintf(out, ": %s", m->path);
	if (verdict)
		fprintf(out, ": %s", verdicts[m->verdict]);
	if (m->text)
		fprintf(out, ": %s", m->text);
	fputc('\n', out);
}

void domain_report_print(const struct domain_report *report, FILE *out)
{
	for (guint i = 0; i < report->messages->len; i++)
		print_message(report, g_ptr_array_index(report->messages, i),
			      true, out);
	fprintf(out, "%s: %u honoured, %u ignored, %u refused\n", report->file,
		report->n[DOMAIN_HONOURED], report->n[DOMAIN_IGNORED],
		report->n[DOMAIN_REFUSED]);
}

void domain_report_complain(const struct domain_report *report, bool verbose,
			    FILE *out)
{
	unsigned int n = 0;

	for (guint i = 0; i < report->messages->len; i++) {
		const struct domain_message *m =
			g_ptr_array_index(report->messages, i);

		if (m->verdict == DOMAIN_REFUSED) {
			if (n++ < COMPLAINTS_MAX)
				print_message(report, m, false, out);
		} else if (verbose && m->verdict != DOMAIN_HONOURED) {
			print_message(report, m, true, out);
		}
	}
	if (n > COMPLAINTS_MAX)
		fprintf(out, "%s: and %u more\n", report->file,
			n - COMPLAINTS_MAX);
}

char *domain_report_json(const struct domain_report *report)
{
	struct json_object *o = json_object_new_object();
	struct json_object *messages = json_object_new_array();

	json_add_text(o, "file", report->file);
	for (enum domain_verdict v = 0; v < DOMAIN_NOTE; v++)
		json_object_object_add(o, verdicts[v],
				       json_object_new_int64(report->n[v]));
	for (guint i = 0; i < report->messages->len; i++) {
		const struct domain_message *m =
			g_ptr_array_index(report->messages, i);
		struct json_object *e = json_object_new_object();

		json_object_object_add(e, "line",
				       json_object_new_int64(m->line));
		json_add_text(e, "element", m->path);
		json_add_text(e, "verdict", verdicts[m->verdict]);
		json_add_text(e, "text", m->text);
		json_object_array_add(messages, e);
	}
	json_object_object_add(o, "elements", messages);
	return json_end(o);
}

void domain_report_free(struct domain_report *report)
{
	if (!report)
		return;
	g_free(report->file);
	g_ptr_array_free(report->messages, TRUE);
	g_free(report);
}

/* --- the manual page --------------------------------------------------------- */

/* What scdoc takes for marks of its own. */
static void print_escaped(const char *text, FILE *out)
{
	for (const char *c = text; *c; c++) {
		if (strchr("_*\\#<", *c))
			fputc('\\', out);
		fputc(*c, out);
	}
}

void domain_elements_print(FILE *out)
{
	static const char *const policies[] = {[HONOUR] = "honoured",
					       [IGNORE] = "ignored",
					       [REFUSE] = "refused"};

	for (size_t t = 0; t < DOMAIN_TABLES; t++) {
		fprintf(out, "## %s\n\n", domain_tables[t]->title);
		for (size_t i = 0; i < domain_tables[t]->n; i++) {
			const struct domain_rule *r =
				&domain_tables[t]->rules[i];

			fputc('*', out);
			print_escaped(r->path, out);
			fputc('*', out);
			if (r->words) {
				fputs(" = ", out);
				print_escaped(r->words, out);
			}
			fprintf(out, ", %s++\n\t", policies[r->policy]);
			/* Behind a path, in a message, it goes on. */
			fputc(r->policy == HONOUR ? r->help[0]
						  : g_ascii_toupper(r->help[0]),
			      out);
			print_escaped(r->help + 1, out);
			fputs("\n\n", out);
		}
	}
}
