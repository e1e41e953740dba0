/* SPDX-License-Identifier: MIT */
#include "report/report_file.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

GQuark report_error_quark(void)
{
	return g_quark_from_static_string("report-error");
}

struct json_object *report_load(const char *path, GError **error)
{
	g_autofree char *text = NULL;
	struct json_object *o = NULL;

	if (access(path, R_OK) ||
	    !g_file_get_contents(path, &text, NULL, NULL)) {
		g_set_error(error, REPORT_ERROR, 0, "%s: %s", path,
			    g_strerror(errno));
		return NULL;
	}
	o = json_tokener_parse(text);
	if (o && report_get(o, "milestones") && report_str(o, "profile"))
		return o;
	g_set_error(error, REPORT_ERROR, 0,
		    "%s: not a report, as 'kvmbus run --report' writes it",
		    path);
	json_object_put(o);
	return NULL;
}

struct json_object *report_get(const struct json_object *o, const char *path)
{
	g_auto(GStrv) keys = g_strsplit(path, "/", -1);
	struct json_object *at = (struct json_object *)o;

	for (char **k = keys; *k && at; k++) {
		struct json_object *next = NULL;

		if (!json_object_is_type(at, json_type_object) ||
		    !json_object_object_get_ex(at, *k, &next))
			return NULL;
		at = next;
	}
	return at;
}

const char *report_str(const struct json_object *o, const char *path)
{
	struct json_object *at = report_get(o, path);

	return json_object_is_type(at, json_type_string)
		       ? json_object_get_string(at)
		       : NULL;
}

uint64_t report_num(const struct json_object *o, const char *path)
{
	struct json_object *at = report_get(o, path);

	return json_object_is_type(at, json_type_int)
		       ? json_object_get_uint64(at)
		       : 0;
}

char *report_times(uint64_t n)
{
	return g_strdup_printf("%" PRIu64 " time%s", n, n == 1 ? "" : "s");
}

bool report_bool(const struct json_object *o, const char *path)
{
	struct json_object *at = report_get(o, path);

	return json_object_is_type(at, json_type_boolean) &&
	       json_object_get_boolean(at);
}

size_t report_len(const struct json_object *o, const char *path)
{
	struct json_object *at = report_get(o, path);

	return json_object_is_type(at, json_type_array)
		       ? json_object_array_length(at)
		       : 0;
}

struct json_object *report_nth(const struct json_object *o, const char *path,
			       size_t n)
{
	return n < report_len(o, path)
		       ? json_object_array_get_idx(report_get(o, path), n)
		       : NULL;
}
