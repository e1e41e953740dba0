/* SPDX-License-Identifier: MIT */
#include "report/summary.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <glib.h>
#include <json-c/json.h>

#include "report/report_file.h"

#define TITLE_COLUMNS   14
#define COLUMNS_MIN     40
#define COLUMNS_DEFAULT 80
#define COLUMNS_MAX     120

enum colour {
	PLAIN,
	RED,
	GREEN,
	YELLOW,
	BOLD
};

struct page {
	FILE *out;
	struct summary_style style;
	int column;
	bool empty; /* of the list that is being written */
};

struct summary_style summary_style_of(FILE *out)
{
	struct summary_style style = {.columns = COLUMNS_DEFAULT};
	/* NOLINTBEGIN(concurrency-mt-unsafe): nobody changes the environment */
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");
	/* NOLINTEND(concurrency-mt-unsafe): nobody changes the environment */
	struct winsize size;

	if (!isatty(fileno(out)))
		return style;
	if (!ioctl(fileno(out), TIOCGWINSZ, &size) && size.ws_col)
		style.columns =
			CLAMP((int)size.ws_col, COLUMNS_MIN, COLUMNS_MAX);
	style.colour = !(no_color && *no_color) && g_strcmp0(term, "dumb") != 0;
	return style;
}

static void paint(const struct page *p, enum colour colour, const char *text)
{
	static const char *const codes[] = {
		[PLAIN] = "",          [RED] = "\033[31m", [GREEN] = "\033[32m",
		[YELLOW] = "\033[33m", [BOLD] = "\033[1m",
	};

	if (p->style.colour && colour != PLAIN)
		fprintf(p->out, "%s%s\033[0m", codes[colour], text);
	else
		fputs(text, p->out);
}

/* Columns that it takes; what is no ASCII is one each. */
static int width(const char *text)
{
	return (int)g_utf8_strlen(text, -1);
}

static void new_line(struct page *p)
{
	fprintf(p->out, "\n%*s", TITLE_COLUMNS, "");
	p->column = TITLE_COLUMNS;
}

static void title(struct page *p, const char *text)
{
	fprintf(p->out, "  %-*s", TITLE_COLUMNS - 2, text);
	p->column = TITLE_COLUMNS;
	p->empty = true;
}

/* Words over as many lines as they take. */
static void words(struct page *p, enum colour colour, const char *text)
{
	g_auto(GStrv) all = g_strsplit(text, " ", -1);

	for (char **w = all; *w; w++) {
		int gap = w != all;

		if (p->column > TITLE_COLUMNS &&
		    p->column + gap + width(*w) > p->style.columns) {
			new_line(p);
			gap = 0;
		}
		if (gap)
			fputc(' ', p->out);
		paint(p, colour, *w);
		p->column += gap + width(*w);
	}
}

/* One of a list: never broken, a comma before it. */
static void item(struct page *p, const char *text)
{
	if (!p->empty) {
		fputc(',', p->out);
		p->column++;
		/* room for the next comma, too */
		if (p->column + 2 + width(text) > p->style.columns) {
			new_line(p);
		} else {
			fputc(' ', p->out);
			p->column++;
		}
	}
	fputs(text, p->out);
	p->column += width(text);
	p->empty = false;
}

static void G_GNUC_PRINTF(2, 3) itemf(struct page *p, const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list args;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	item(p, text);
}

static void end_list(struct page *p)
{
	fputs(p->empty ? "none\n" : "\n", p->out);
}

static void end_words(struct page *p)
{
	fputc('\n', p->out);
}

/* --- what is on it ---------------------------------------------------------- */

static void print_head(struct page *p, const struct json_object *r)
{
	uint64_t code = report_num(r, "outcome/exit_code");
	const char *kind = report_str(r, "outcome/kind");
	const char *detail = report_str(r, "outcome/detail");
	g_autofree char *rest = g_strdup_printf(" %s, exit code %" PRIu64 "\n",
						kind ? kind : "running", code);

	fputs("kvmbus: ", p->out);
	if (kind)
		paint(p, code ? RED : GREEN, code ? "FAIL" : "PASS");
	fputs(rest, p->out);
	if (!detail)
		return;
	title(p, "outcome");
	words(p, code ? RED : PLAIN, detail);
	end_words(p);
}

static void print_guest(struct page *p, const struct json_object *r)
{
	const char *protocol = report_str(r, "guest/boot_protocol");
	const char *name = report_str(r, "guest/name");
	const char *profile = report_str(r, "profile");
	const char *kvm = report_str(r, "host/kvm");

	title(p, "guest");
	itemf(p, "%s", name ? name : "?");
	itemf(p, "%" PRIu64 " processors", report_num(r, "guest/vcpus"));
	itemf(p, "%" PRIu64 " MiB", report_num(r, "guest/memory_bytes") >> 20);
	if (protocol)
		item(p, protocol);
	if (report_num(r, "guest/resets"))
		itemf(p, "%" PRIu64 " resets", report_num(r, "guest/resets"));
	end_list(p);
	title(p, "host");
	itemf(p, "%s on %s", profile ? profile : "?", kvm ? kvm : "?");
	end_list(p);
}

static void print_command(struct page *p, const struct json_object *r)
{
	g_autoptr(GString) text = g_string_new(NULL);
	const char *way = report_str(r, "command/way");

	if (!report_get(r, "command"))
		return;
	for (size_t i = 0; i < report_len(r, "command/argv"); i++) {
		const char *word = json_object_get_string(
			report_nth(r, "command/argv", i));
		bool plain =
			strspn(word, "abcdefghijklmnopqrstuvwxyz"
				     "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "0123456789-_./=+,:@%") == strlen(word) &&
			*word;
		g_autofree char *quoted =
			plain ? g_strdup(word) : g_shell_quote(word);

		g_string_append_printf(text, "%s%s", i ? " " : "", quoted);
	}
	if (way)
		g_string_append_printf(text, ", over %s", way);
	title(p, "command");
	words(p, PLAIN, text->str);
	end_words(p);
}

static bool is_missing(const struct json_object *m, bool required)
{
	return !report_bool(m, "reached") &&
	       report_bool(m, "required") == required;
}

static void print_missing(struct page *p, const struct json_object *r)
{
	for (size_t i = 0; i < report_len(r, "milestones"); i++) {
		const struct json_object *m = report_nth(r, "milestones", i);
		const char *why = report_str(m, "why");
		g_autofree char *text = NULL;

		if (!is_missing(m, true))
			continue;
		text = g_strdup_printf("%s not reached: %s",
				       report_str(m, "name"),
				       why ? why : "it is not known why");
		title(p, "required");
		words(p, RED, text);
		end_words(p);
	}
}

static void print_milestones(struct page *p, const struct json_object *r)
{
	title(p, "reached");
	for (size_t i = 0; i < report_len(r, "milestones"); i++) {
		const struct json_object *m = report_nth(r, "milestones", i);

		if (report_bool(m, "reached"))
			itemf(p, "%s %" PRIu64 " ms", report_str(m, "name"),
			      report_num(m, "ms"));
	}
	end_list(p);
}

/* What was not used, those with the same reason together. */
static void print_unused(struct page *p, const struct json_object *r)
{
	GHashTable *said = g_hash_table_new(g_str_hash, g_str_equal);

	for (size_t i = 0; i < report_len(r, "milestones"); i++) {
		const struct json_object *m = report_nth(r, "milestones", i);
		const char *why = report_str(m, "why");
		g_autoptr(GString) names = NULL;

		if (!why || !is_missing(m, false) ||
		    !g_hash_table_add(said, (char *)why))
			continue;
		names = g_string_new(report_str(m, "name"));
		for (size_t k = i + 1; k < report_len(r, "milestones"); k++) {
			const struct json_object *o =
				report_nth(r, "milestones", k);

			if (is_missing(o, false) &&
			    !g_strcmp0(report_str(o, "why"), why))
				g_string_append_printf(names, ", %s",
						       report_str(o, "name"));
		}
		g_string_append_printf(names, ": %s", why);
		title(p, g_hash_table_size(said) == 1 ? "not reached" : "");
		words(p, PLAIN, names->str);
		end_words(p);
	}
	g_hash_table_unref(said);
}

static void print_counts(struct page *p, const char *name,
			 const struct json_object *r, const char *path)
{
	title(p, name);
	for (size_t i = 0; i < report_len(r, path); i++) {
		const struct json_object *e = report_nth(r, path, i);
		uint64_t refused = report_num(e, "refused");

		if (refused)
			itemf(p, "%s %" PRIu64 " (%" PRIu64 " refused)",
			      report_str(e, "name"), report_num(e, "count"),
			      refused);
		else
			itemf(p, "%s %" PRIu64, report_str(e, "name"),
			      report_num(e, "count"));
	}
	end_list(p);
}

static void print_vmbus(struct page *p, const struct json_object *r)
{
	const char *version = report_str(r, "vmbus/version");
	const char *newest = report_str(r, "vmbus/newest_version");
	uint64_t ignored = report_num(r, "vmbus/ignored");

	if (!report_get(r, "vmbus"))
		return;
	title(p, "vmbus");
	if (version) {
		itemf(p, "version %s of %s", version, newest ? newest : "?");
		item(p,
		     report_bool(r, "vmbus/connected") ? "connected" : "left");
		itemf(p, "%" PRIu64 " channels offered",
		      report_num(r, "vmbus/offers"));
		itemf(p, "%" PRIu64 " GPADLs of %" PRIu64 " KiB",
		      report_num(r, "vmbus/gpadls/count"),
		      report_num(r, "vmbus/gpadls/bytes") >> 10);
	}
	if (ignored)
		itemf(p, "%" PRIu64 " messages against the protocol", ignored);
	end_list(p);
	print_counts(p, "messages", r, "vmbus/messages");
}

/* What was negotiated: devices that the guest opened, and their versions. */
static void print_devices(struct page *p, const struct json_object *r)
{
	struct json_object *devices = report_get(r, "devices");

	if (!json_object_is_type(devices, json_type_object))
		return;
	title(p, "devices");
	json_object_object_foreach(devices, name, device)
	{
		const char *version = report_str(device, "version");
		uint64_t subs = report_num(device, "subchannels");
		g_autoptr(GString) text = g_string_new(name);

		if (!report_num(device, "channel/opens") &&
		    (!version || !*version))
			continue;
		if (version && *version)
			g_string_append_printf(text, " %s", version);
		if (subs)
			g_string_append_printf(text, " +%" PRIu64 " channels",
					       subs);
		item(p, text->str);
	}
	end_list(p);
}

static void print_exits(struct page *p, const struct json_object *r)
{
	struct json_object *exits = report_get(r, "exits");

	if (!json_object_is_type(exits, json_type_object))
		return;
	title(p, "exits");
	json_object_object_foreach(exits, name, count)
	{
		itemf(p, "%s %" PRIu64, name, json_object_get_uint64(count));
	}
	end_list(p);
}

static void print_findings(struct page *p, const struct json_object *r)
{
	size_t n = report_len(r, "findings");

	title(p, "findings");
	for (size_t i = 0; i < n; i++) {
		const struct json_object *f = report_nth(r, "findings", i);
		const char *severity = report_str(f, "severity");
		const char *where = report_str(f, "where");
		const char *detail = report_str(f, "detail");
		g_autofree char *times = report_times(report_num(f, "count"));
		g_autofree char *text = g_strdup_printf(
			"%s %s, %s, %s: %s", severity ? severity : "?",
			report_str(f, "rule"), where ? where : "?", times,
			detail ? detail : "");

		if (i)
			title(p, "");
		words(p,
		      !g_strcmp0(severity, "error")     ? RED
		      : !g_strcmp0(severity, "warning") ? YELLOW
							: PLAIN,
		      text);
		end_words(p);
	}
	if (!n)
		end_list(p);
}

void summary_print(const struct json_object *r,
		   const struct summary_style *style, FILE *out)
{
	struct page p = {.out = out, .style = *style};

	p.style.columns = MAX(p.style.columns, COLUMNS_MIN);
	print_head(&p, r);
	print_missing(&p, r);
	print_guest(&p, r);
	print_command(&p, r);
	print_vmbus(&p, r);
	print_devices(&p, r);
	print_milestones(&p, r);
	print_unused(&p, r);
	print_counts(&p, "MSRs", r, "msrs");
	print_counts(&p, "hypercalls", r, "hypercalls");
	print_exits(&p, r);
	print_findings(&p, r);
}
