/* SPDX-License-Identifier: MIT */
#include "config/clock_config.h"

#include <string.h>
#include <time.h>

#include <json-c/json.h>

#include "base/json.h"
#include "config/machine_config.h"
#include "config/option_list.h"

static const char *const bases[] = {
	[CLOCK_UTC] = "utc",           [CLOCK_LOCALTIME] = "localtime",
	[CLOCK_TIMEZONE] = "timezone", [CLOCK_VARIABLE] = "variable",
	[CLOCK_ABSOLUTE] = "absolute",
};

void clock_config_clear(struct clock_config *clock)
{
	g_free(clock->timezone);
	clock->timezone = NULL;
}

static bool parse_seconds(const char *text, int64_t *out)
{
	/* glib takes no '+'. */
	return g_ascii_string_to_signed(text + (*text == '+'), 10,
					-CONFIG_CLOCK_ADJUSTMENT_MAX,
					CONFIG_CLOCK_START_MAX, out, NULL);
}

int clock_config_parse(struct clock_config *clock, const char *text,
		       GError **error)
{
	if (!strcmp(text, "utc")) {
		clock->base = CLOCK_UTC;
		return 0;
	}
	if (!strcmp(text, "localtime")) {
		clock->base = CLOCK_LOCALTIME;
		return 0;
	}
	if (g_str_has_prefix(text, "timezone=")) {
		clock->base = CLOCK_TIMEZONE;
		return option_set_text(&clock->timezone, "timezone",
				       strchr(text, '=') + 1, error);
	}
	if (g_str_has_prefix(text, "start=")) {
		clock->base = CLOCK_ABSOLUTE;
		if (parse_seconds(strchr(text, '=') + 1, &clock->start_s))
			return 0;
		return option_refuse(error, text,
				     "expected seconds since 1970");
	}
	clock->base = CLOCK_VARIABLE;
	if ((*text == '+' || *text == '-') &&
	    parse_seconds(text, &clock->adjustment_s))
		return 0;
	return option_refuse(error, text,
			     "expected utc, localtime, timezone=NAME, "
			     "+SECONDS, -SECONDS or start=SECONDS");
}

int clock_config_check(const struct clock_config *clock, GError **error)
{
	if (clock->base == CLOCK_TIMEZONE) {
		GTimeZone *zone =
			clock->timezone
				? g_time_zone_new_identifier(clock->timezone)
				: NULL;

		if (!zone) {
			g_set_error(error, CONFIG_ERROR, 0,
				    "--clock timezone=%s: this host has no "
				    "time zone of that name",
				    clock->timezone ? clock->timezone : "");
			return -1;
		}
		g_time_zone_unref(zone);
	}
	if (clock->base == CLOCK_VARIABLE &&
	    (clock->adjustment_s > CONFIG_CLOCK_ADJUSTMENT_MAX ||
	     clock->adjustment_s < -CONFIG_CLOCK_ADJUSTMENT_MAX)) {
		g_set_error(error, CONFIG_ERROR, 0,
			    "--clock %+" G_GINT64_FORMAT
			    ": a century either way at most",
			    clock->adjustment_s);
		return -1;
	}
	if (clock->base == CLOCK_ABSOLUTE &&
	    (clock->start_s < 0 || clock->start_s > CONFIG_CLOCK_START_MAX)) {
		g_set_error(error, CONFIG_ERROR, 0,
			    "--clock start=%" G_GINT64_FORMAT
			    ": between 1970 and 9999",
			    clock->start_s);
		return -1;
	}
	return 0;
}

static int64_t local_offset(GTimeZone *zone, int64_t now_s)
{
	int interval =
		g_time_zone_find_interval(zone, G_TIME_TYPE_UNIVERSAL, now_s);
	int64_t offset = g_time_zone_get_offset(zone, interval);

	g_time_zone_unref(zone);
	return offset;
}

struct clock_offsets clock_config_offsets(const struct clock_config *clock,
					  int64_t now_s)
{
	struct clock_offsets o = {0};
	GTimeZone *zone;

	switch (clock->base) {
	case CLOCK_LOCALTIME:
		o.rtc_s = local_offset(g_time_zone_new_local(), now_s);
		break;
	case CLOCK_TIMEZONE:
		zone = g_time_zone_new_identifier(clock->timezone);
		o.rtc_s = zone ? local_offset(zone, now_s) : 0;
		break;
	case CLOCK_VARIABLE:
		o.utc_s = clock->adjustment_s;
		o.rtc_s = o.utc_s;
		if (clock->from_localtime)
			o.rtc_s += local_offset(g_time_zone_new_local(), now_s);
		break;
	case CLOCK_ABSOLUTE:
		o.utc_s = clock->start_s - now_s;
		o.rtc_s = o.utc_s;
		break;
	case CLOCK_UTC:
	default:
		break;
	}
	return o;
}

struct json_object *clock_config_json(const struct clock_config *clock)
{
	struct json_object *o = json_object_new_object();

	json_add_text(o, "offset", bases[clock->base]);
	if (clock->base == CLOCK_TIMEZONE)
		json_add_text(o, "timezone", clock->timezone);
	if (clock->base == CLOCK_VARIABLE) {
		json_object_object_add(
			o, "adjustment",
			json_object_new_int64(clock->adjustment_s));
		json_add_text(o, "basis",
			      bases[clock->from_localtime ? CLOCK_LOCALTIME
							  : CLOCK_UTC]);
	}
	if (clock->base == CLOCK_ABSOLUTE)
		json_object_object_add(o, "start",
				       json_object_new_int64(clock->start_s));
	json_add_text(o, "pit_ticks",
		      clock->pit == TICK_DISCARD ? "discard" : "delay");
	return o;
}
