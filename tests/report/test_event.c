/* SPDX-License-Identifier: MIT */
#include "report/event.h"

#include <string.h>

#include <glib.h>
#include <json-c/json.h>

#include "support/check_main.h"

static struct json_object *member(struct json_object *o, const char *name)
{
	struct json_object *value = NULL;

	ck_assert_msg(json_object_object_get_ex(o, name, &value), "%s", name);
	return value;
}

START_TEST(an_event_as_qmp_has_it)
{
	gint64 before = g_get_real_time(), at;
	struct event *e = event_new(EVENT_GUEST_PANICKED);
	g_autofree char *line = NULL;
	struct json_object *o, *data, *info, *time;

	event_add_text(e, "action", "a \"b\"\n\xff");
	event_add_bool(e, "guest", true);
	event_begin(e, "info");
	event_add_number(e, "arg1", UINT64_MAX);
	line = event_line(e);
	event_free(e);
	ck_assert_ptr_null(strchr(line, '\n'));
	o = json_tokener_parse(line);
	ck_assert_str_eq(json_object_get_string(member(o, "event")),
			 "GUEST_PANICKED");
	data = member(o, "data");
	ck_assert_str_eq(json_object_get_string(member(data, "action")),
			 "a \"b\"\n\uFFFD");
	ck_assert(json_object_get_boolean(member(data, "guest")));
	info = member(data, "info");
	ck_assert_uint_eq(json_object_get_uint64(member(info, "arg1")),
			  UINT64_MAX);
	time = member(o, "timestamp");
	at = json_object_get_int64(member(time, "seconds")) * G_USEC_PER_SEC +
	     json_object_get_int64(member(time, "microseconds"));
	ck_assert_int_ge(at, before);
	ck_assert_int_le(at, g_get_real_time());
	json_object_put(o);
}
END_TEST

START_TEST(every_event_has_a_name_of_its_own)
{
	for (unsigned int i = 0; i < N_EVENTS; i++) {
		ck_assert_ptr_nonnull(event_rows[i].name);
		for (unsigned int k = 0; k < i; k++)
			ck_assert_str_ne(event_rows[i].name,
					 event_rows[k].name);
	}
	event_free(NULL);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("report/event");
	TCase *t = tcase_create("event");

	tcase_add_test(t, an_event_as_qmp_has_it);
	tcase_add_test(t, every_event_has_a_name_of_its_own);
	suite_add_tcase(s, t);
	return check_main(s);
}
