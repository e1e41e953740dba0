/* SPDX-License-Identifier: MIT */
#include "report/diff.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include <glib.h>
#include <json-c/json.h>

#include "report/report_file.h"

/* Fewer than that say nothing of magnitudes. */
#define COUNT_MIN   50
#define MAGNITUDE   10
#define TIME_MIN_MS 500

struct diff {
	FILE *out;
	unsigned int n;
};

static void G_GNUC_PRINTF(2, 3) say(struct diff *d, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(d->out, format, args);
	va_end(args);
	fputc('\n', d->out);
	d->n++;
}

static bool is_magnitude(uint64_t a, uint64_t b)
{
	uint64_t less = MIN(a, b), more = MAX(a, b);

	return more >= COUNT_MIN && less && more / less >= MAGNITUDE;
}

static const char *text_of(struct json_object *o)
{
	return !o || json_object_is_type(o, json_type_null)
		       ? "none"
		       : json_object_get_string(o);
}

static void compare_value(struct diff *d, const char *name, const char *path,
			  const struct json_object *a,
			  const struct json_object *b)
{
	const char *x = text_of(report_get(a, path));
	const char *y = text_of(report_get(b, path));

	if (strcmp(x, y) != 0)
		say(d, "%s: %s -> %s", name, x, y);
}

/* The one of a list that @key calls @value. */
static const struct json_object *named(const struct json_object *r,
				       const char *path, const char *key,
				       const char *value)
{
	for (size_t i = 0; i < report_len(r, path); i++) {
		const struct json_object *o = report_nth(r, path, i);

		if (!g_strcmp0(report_str(o, key), value))
			return o;
	}
	return NULL;
}

static void compare_milestones(struct diff *d, const struct json_object *a,
			       const struct json_object *b)
{
	for (size_t i = 0; i < report_len(b, "milestones"); i++) {
		const struct json_object *y = report_nth(b, "milestones", i);
		const char *name = report_str(y, "name");
		const struct json_object *x =
			named(a, "milestones", "name", name);
		const char *why = report_str(y, "why");
		bool was = report_bool(x, "reached");
		bool is = report_bool(y, "reached");
		uint64_t before = report_num(x, "ms"),
			 now = report_num(y, "ms");

		if (was && !is)
			say(d, "milestone %s: no longer reached%s%s", name,
			    why ? ": " : "", why ? why : "");
		else if (!was && is)
			say(d, "milestone %s: reached now", name);
		else if (is && is_magnitude(before, now) &&
			 MAX(before, now) >= TIME_MIN_MS)
			say(d,
			    "milestone %s: after %" PRIu64 " ms -> %" PRIu64
			    " ms",
			    name, before, now);
	}
}

/* One that may be missing on either side. */
static void compare_use(struct diff *d, const char *kind, const char *name,
			const struct json_object *x,
			const struct json_object *y)
{
	uint64_t was = report_num(x, "count"), is = report_num(y, "count");
	uint64_t was_no = report_num(x, "refused");
	uint64_t is_no = report_num(y, "refused");
	g_autofree char *before = report_times(was);
	g_autofree char *now = report_times(is);
	g_autofree char *no = report_times(is_no);

	if (was && !is)
		say(d, "%s %s: no longer used (%s before)", kind, name, before);
	else if (!was && is)
		say(d, "%s %s: used now, %s", kind, name, now);
	else if (is_magnitude(was, is))
		say(d, "%s %s: %" PRIu64 " -> %s", kind, name, was, now);
	if (!was_no && is_no)
		say(d, "%s %s: refused now, %s", kind, name, no);
	else if (was_no && !is_no)
		say(d, "%s %s: no longer refused", kind, name);
}

static void compare_uses(struct diff *d, const char *kind, const char *path,
			 const struct json_object *a,
			 const struct json_object *b)
{
	for (size_t i = 0; i < report_len(a, path); i++) {
		const struct json_object *x = report_nth(a, path, i);
		const char *name = report_str(x, "name");

		if (name)
			compare_use(d, kind, name, x,
				    named(b, path, "name", name));
	}
	for (size_t i = 0; i < report_len(b, path); i++) {
		const struct json_object *y = report_nth(b, path, i);
		const char *name = report_str(y, "name");

		if (name && !named(a, path, "name", name))
			compare_use(d, kind, name, NULL, y);
	}
}

/* --- devices ----------------------------------------------------------------- */

/* What is a state or an agreement, so that any change of it is one. */
static bool is_setting(const char *key)
{
	static const char *const settings[] = {
		"ready", "link",  "mtu",         "filter",  "subchannels",
		"open",  "alive", "block_bytes", "offload",
	};
	const char *last = strrchr(key, '_');

	for (size_t i = 0; i < G_N_ELEMENTS(settings); i++) {
		if (!strcmp(key, settings[i]) ||
		    g_str_has_suffix(key, "_block_bytes"))
			return true;
	}
	return last && (!strcmp(last, "_readonly") || !strcmp(last, "_on"));
}

/* What is another on each run. */
static bool is_chance(const char *key)
{
	static const char *const chances[] = {
		"instance",  "mac",        "relid",       "target_vp",
		"in_flight", "signals_in", "signals_out", "blocked",
		"bounced",   "opens",
	};

	for (size_t i = 0; i < G_N_ELEMENTS(chances); i++) {
		if (!strcmp(key, chances[i]))
			return true;
	}
	return false;
}

static void compare_fact(struct diff *d, const char *device, const char *key,
			 struct json_object *x, struct json_object *y)
{
	uint64_t was, is;

	if (is_chance(key))
		return;
	if (json_object_is_type(x, json_type_string) ||
	    json_object_is_type(y, json_type_string)) {
		const char *p = text_of(x), *q = text_of(y);

		if (strcmp(p, q) != 0)
			say(d, "%s: %s: %s -> %s", device, key, *p ? p : "none",
			    *q ? q : "none");
		return;
	}
	was = x ? json_object_get_uint64(x) : 0;
	is = y ? json_object_get_uint64(y) : 0;
	if (is_setting(key)) {
		if (was != is)
			say(d, "%s: %s: %" PRIu64 " -> %" PRIu64, device, key,
			    was, is);
	} else if (was && !is) {
		say(d, "%s: %s: none any more (%" PRIu64 " before)", device,
		    key, was);
	} else if (!was && is) {
		say(d, "%s: %s: %" PRIu64 " now, none before", device, key, is);
	} else if (is_magnitude(was, is)) {
		say(d, "%s: %s: %" PRIu64 " -> %" PRIu64, device, key, was, is);
	}
}

static struct json_object *member(const struct json_object *o, const char *key)
{
	struct json_object *value = NULL;

	if (o && json_object_is_type(o, json_type_object))
		json_object_object_get_ex(o, key, &value);
	return value;
}

static void compare_facts(struct diff *d, const char *device,
			  const struct json_object *a,
			  const struct json_object *b)
{
	json_object_object_foreach((struct json_object *)a, key, x)
	{
		if (!json_object_is_type(x, json_type_object))
			compare_fact(d, device, key, x, member(b, key));
	}
	json_object_object_foreach((struct json_object *)b, other, y)
	{
		if (!json_object_is_type(y, json_type_object) &&
		    !member(a, other))
			compare_fact(d, device, other, NULL, y);
	}
}

static bool is_opened(const struct json_object *device)
{
	return report_num(device, "channel/opens") != 0;
}

static void compare_device(struct diff *d, const char *name,
			   const struct json_object *x,
			   const struct json_object *y)
{
	if (!y) {
		say(d, "%s: not offered any more", name);
	} else if (is_opened(x) && !is_opened(y)) {
		say(d, "%s: not opened by the guest any more", name);
	} else if (!is_opened(x) && is_opened(y)) {
		say(d, "%s: opened by the guest now", name);
	} else {
		compare_facts(d, name, x, y);
	}
}

static void compare_devices(struct diff *d, const struct json_object *a,
			    const struct json_object *b)
{
	struct json_object *x = report_get(a, "devices");
	struct json_object *y = report_get(b, "devices");

	if (!json_object_is_type(x, json_type_object) ||
	    !json_object_is_type(y, json_type_object))
		return;
	json_object_object_foreach(x, name, device)
	{
		compare_device(d, name, device, member(y, name));
	}
	json_object_object_foreach(y, other, device_b)
	{
		(void)device_b;
		if (!member(x, other))
			say(d, "%s: offered now", other);
	}
}

/* --- findings ------------------------------------------------------------------ */

static bool has_finding(const struct json_object *r, const char *rule)
{
	return named(r, "findings", "rule", rule) != NULL;
}

static void compare_findings(struct diff *d, const struct json_object *a,
			     const struct json_object *b)
{
	for (size_t i = 0; i < report_len(b, "findings"); i++) {
		const struct json_object *f = report_nth(b, "findings", i);
		const char *rule = report_str(f, "rule");
		const char *detail = report_str(f, "detail");
		g_autofree char *times = report_times(report_num(f, "count"));

		if (rule && !has_finding(a, rule))
			say(d, "finding %s: new, %s: %s", rule, times,
			    detail ? detail : "");
	}
	for (size_t i = 0; i < report_len(a, "findings"); i++) {
		const char *rule =
			report_str(report_nth(a, "findings", i), "rule");

		if (rule && !has_finding(b, rule))
			say(d, "finding %s: gone", rule);
	}
}

/* Bits of CPUID that the host offers. */
static void compare_offers(struct diff *d, const struct json_object *a,
			   const struct json_object *b)
{
	for (size_t i = 0; i < report_len(b, "coverage/cpuid"); i++) {
		const struct json_object *y =
			report_nth(b, "coverage/cpuid", i);
		const char *name = report_str(y, "name");
		const struct json_object *x =
			named(a, "coverage/cpuid", "name", name);

		if (x && report_bool(x, "offered") != report_bool(y, "offered"))
			say(d, "CPUID %s: %s", name,
			    report_bool(y, "offered") ? "offered now"
						      : "no longer offered");
	}
}

unsigned int report_diff(const struct json_object *a,
			 const struct json_object *b, FILE *out)
{
	struct diff d = {.out = out};

	compare_value(&d, "outcome", "outcome/kind", a, b);
	compare_value(&d, "exit code", "outcome/exit_code", a, b);
	compare_value(&d, "profile", "profile", a, b);
	compare_value(&d, "guest", "guest/name", a, b);
	compare_value(&d, "processors", "guest/vcpus", a, b);
	compare_value(&d, "resets", "guest/resets", a, b);
	compare_value(&d, "vmbus version", "vmbus/version", a, b);
	compare_value(&d, "vmbus features", "vmbus/features", a, b);
	compare_milestones(&d, a, b);
	compare_devices(&d, a, b);
	compare_offers(&d, a, b);
	compare_uses(&d, "MSR", "msrs", a, b);
	compare_uses(&d, "hypercall", "hypercalls", a, b);
	compare_uses(&d, "message", "vmbus/messages", a, b);
	compare_findings(&d, a, b);
	return d.n;
}
