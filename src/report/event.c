/* SPDX-License-Identifier: MIT */
#include "report/event.h"

#include <glib.h>
#include <json-c/json.h>

#include "base/json.h"

struct event {
	struct json_object *all; /* owned */
	struct json_object *at; /* of it: what is added to */
};

const struct event_row event_rows[N_EVENTS] = {
	[EVENT_SHUTDOWN] = {"SHUTDOWN",
			    {{"guest", EVENT_BOOL}, {"reason", EVENT_TEXT}}},
	[EVENT_POWERDOWN] = {"POWERDOWN", {{0}}},
	[EVENT_RESET] = {"RESET",
			 {{"guest", EVENT_BOOL}, {"reason", EVENT_TEXT}}},
	[EVENT_STOP] = {"STOP", {{0}}},
	[EVENT_RESUME] = {"RESUME", {{0}}},
	[EVENT_GUEST_PANICKED] = {"GUEST_PANICKED",
				  {{"action", EVENT_TEXT},
				   {"info", EVENT_OBJECT}}},
	[EVENT_BLOCK_IO_ERROR] = {"BLOCK_IO_ERROR",
				  {{"device", EVENT_TEXT},
				   {"node-name", EVENT_TEXT},
				   {"operation", EVENT_TEXT},
				   {"action", EVENT_TEXT},
				   {"nospace", EVENT_BOOL},
				   {"reason", EVENT_TEXT}}},
	[EVENT_DEVICE_DELETED] = {"DEVICE_DELETED",
				  {{"device", EVENT_TEXT},
				   {"path", EVENT_TEXT}}},
	[EVENT_DEVICE_TRAY_MOVED] = {"DEVICE_TRAY_MOVED",
				     {{"device", EVENT_TEXT},
				      {"id", EVENT_TEXT},
				      {"tray-open", EVENT_BOOL}}},
	[EVENT_BALLOON_CHANGE] = {"BALLOON_CHANGE", {{"actual", EVENT_NUMBER}}},
	[EVENT_MEMORY_DEVICE_SIZE_CHANGE] = {"MEMORY_DEVICE_SIZE_CHANGE",
					     {{"id", EVENT_TEXT},
					      {"size", EVENT_NUMBER},
					      {"qom-path", EVENT_TEXT}}},
	[EVENT_NIC_RX_FILTER_CHANGED] = {"NIC_RX_FILTER_CHANGED",
					 {{"name", EVENT_TEXT},
					  {"path", EVENT_TEXT}}},
	[EVENT_DUMP_COMPLETED] = {"DUMP_COMPLETED",
				  {{"result", EVENT_OBJECT},
				   {"error", EVENT_TEXT}}},
	[EVENT_KVMBUS_MILESTONE] = {"KVMBUS_MILESTONE",
				    {{"name", EVENT_TEXT},
				     {"ms", EVENT_NUMBER}}},
	[EVENT_KVMBUS_DISK_STOPPED] = {"KVMBUS_DISK_STOPPED",
				       {{"reason", EVENT_TEXT}}},
	[EVENT_KVMBUS_EVENTS_LOST] = {"KVMBUS_EVENTS_LOST",
				      {{"count", EVENT_NUMBER}}},
	[EVENT_KVMBUS_OUTCOME] = {"KVMBUS_OUTCOME",
				  {{"kind", EVENT_TEXT},
				   {"exit-code", EVENT_NUMBER},
				   {"detail", EVENT_TEXT}}},
};

static struct json_object *nest(struct json_object *in, const char *key)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(in, key, o);
	return o;
}

struct event *event_new(enum event_kind kind)
{
	struct event *e = g_new0(struct event, 1);
	gint64 now_us = g_get_real_time();
	struct json_object *time;

	e->all = json_object_new_object();
	json_add_text(e->all, "event", event_rows[kind].name);
	e->at = nest(e->all, "data");
	time = nest(e->all, "timestamp");
	json_object_object_add(time, "seconds",
			       json_object_new_int64(now_us / G_USEC_PER_SEC));
	json_object_object_add(time, "microseconds",
			       json_object_new_int64(now_us % G_USEC_PER_SEC));
	return e;
}

void event_free(struct event *event)
{
	if (!event)
		return;
	json_object_put(event->all);
	g_free(event);
}

void event_add_text(struct event *event, const char *key, const char *text)
{
	json_add_any_text(event->at, key, text);
}

void event_add_number(struct event *event, const char *key, uint64_t n)
{
	json_add_number(event->at, key, n);
}

void event_add_bool(struct event *event, const char *key, bool value)
{
	json_add_bool(event->at, key, value);
}

void event_begin(struct event *event, const char *key)
{
	event->at = nest(event->at, key);
}

char *event_line(const struct event *event)
{
	return g_strdup(json_object_to_json_string_ext(
		event->all,
		JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
}
